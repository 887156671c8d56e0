"""Transitions: how a value of theirs is reached where that takes more than setting it. What must be filled for it, and
by way of which other values.

The rules of the fields that are filled learn here which texts of theirs stand in for nothing of ours.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

from mappings.loader import Document, Steps, suggestion
from mappings.model import FieldMapping, Fill, Losses, Rule, Spill, Transition, Value
from mappings.rules import CopyField, FieldPart, TableField, TextField
from mappings.rules.part import Fault, FillPart, TransitionPart
from mappings.rules.table import text_of

Fields = Mapping[str, FieldPart]


@dataclass(frozen=True, slots=True)
class StandIn:
    """A rule, and the texts of theirs that say nothing: each was written there because something had to stand there."""

    rule: Rule
    texts: frozenset[Value]
    """As they are written, canonical."""

    def inward(self, theirs: Value, *, held: Value) -> Value:
        return held if self._says_nothing(held, theirs) else self.rule.inward(theirs, held=held)

    def outward(self, ours: Value, *, held: Value) -> Value:
        return held if self._says_nothing(ours, held) else self.rule.outward(ours, held=held)

    def canonical_ours(self, ours: Value) -> Value:
        return self.rule.canonical_ours(ours)

    def canonical_theirs(self, theirs: Value) -> Value:
        return self.rule.canonical_theirs(theirs)

    def spill(self, ours: Value) -> Spill | None:
        return self.rule.spill(ours)

    def losses(self) -> Losses:
        known, texts = self.rule.losses(), ", ".join(sorted(repr(text) for text in self.texts))
        return replace(known, inward=(*known.inward, f"{texts} stands in for nothing there, and is read as nothing"))

    def _says_nothing(self, ours: Value, theirs: Value) -> bool:
        return says_nothing(self.rule, ours) and self.rule.canonical_theirs(theirs) in self.texts


EMPTY: tuple[Value, ...] = (None, "", ())


# -- what cannot be meant ----------------------------------------------------------------------------------------------


def faults(fields: Fields) -> Iterator[Fault]:
    """What is well formed in the transitions of these fields, and cannot work."""
    for central, field in fields.items():
        for wanted, transition in field.transitions.items():
            at = ("fields", central, "transitions", wanted)
            found = (
                *_misplaced(field, wanted, at),
                *_filled(fields, central, transition, at),
                *_walked(field, wanted, transition, at),
            )
            yield from (replace(fault, breaks="reachable") for fault in found)


def _misplaced(field: FieldPart, wanted: str, at: Steps) -> Iterator[Fault]:
    if field.carries == "inward" or field.only_on_create:
        yield Fault(at, "nothing is reached in a field that is not written after the create")
    if isinstance(field, TableField):
        said = list(dict.fromkeys(text_of(words[0]) for words in field.words().values()))
        if wanted not in said:
            never = f"{wanted!r} is never written: no line of the table begins with it"
            yield Fault(at, f"{never}{suggestion(wanted, said)}")
    elif not isinstance(field, CopyField):
        yield Fault(at, "transitions go with a table, or with no rule at all")


def _filled(fields: Fields, carrier: str, transition: TransitionPart, at: Steps) -> Iterator[Fault]:
    if not transition.with_ and not transition.via:
        yield Fault(at, "a transition says what goes 'with' it, or what it leads by ('via')")
    for remote, fill in transition.with_.items():
        spot = (*at, "with", remote)
        users = {name: each for name, each in fields.items() if each.remote == remote}
        if remote == fields[carrier].remote:
            yield Fault(spot, "this is the field that is to reach the value")
        elif not isinstance(fill, FillPart):
            if fill in ("", []):
                yield Fault(spot, "nothing at all fills no field")
            for name in users:
                yield Fault(spot, f"their {remote!r} is our {name!r} already: say {{from: {name}}}")
        elif fill.frm not in fields:
            sentence = f"our {fill.frm!r} is not mapped here{suggestion(fill.frm, fields)}"
            yield Fault((*spot, "from"), sentence, story=_unfilled(carrier, at[-1], remote))
        else:
            yield from _source(fields[fill.frm], fill, spot, _unfilled(carrier, at[-1], remote))


def _unfilled(carrier: str, wanted: str | int, remote: str) -> tuple[str, ...]:
    """What becomes of a form of which nothing of ours fills a field."""
    return (
        f"somebody sets {carrier} here to what is written as {wanted!r}",
        f"the form there asks for {remote!r}, and nothing of ours is sent with it",
        f"{wanted!r} is refused: {remote} is missing",
    )


def _source(source: FieldPart, fill: FillPart, spot: Steps, story: tuple[str, ...]) -> Iterator[Fault]:
    remote = str(spot[-1])
    if source.remote != remote:
        yield Fault((*spot, "from"), f"our {fill.frm!r} is written to their {source.remote!r}, not to {remote!r}")
    elif source.carries == "inward" or source.only_on_create:
        why = "is not written after the create: it travels with nothing"
        key = "carries" if source.carries == "inward" else "only_on_create"
        needed = f"their {remote!r} needs it: {'.'.join(map(str, spot))}"
        there = Fault(("fields", fill.frm, key), f"our {fill.frm!r} {why}, and {needed}")
        yield Fault((*spot, "from"), f"our {fill.frm!r} {why}", elsewhere=there, story=story)
    if fill.otherwise is not None and not isinstance(source, TextField | CopyField):
        yield Fault((*spot, "otherwise"), f"only a text can stand in for nothing, and our {fill.frm!r} is none")
    elif fill.otherwise is not None and not fill.otherwise.strip():
        yield Fault((*spot, "otherwise"), "blanks fill no field")


def _walked(field: FieldPart, wanted: str, transition: TransitionPart, at: Steps) -> Iterator[Fault]:
    via, onward = transition.via, dict[str, tuple[str, Steps]]()
    ways = via if isinstance(via, dict) else {"": via}
    for start, steps in ways.items():
        spot: Steps = (*at, "via", start) if isinstance(via, dict) else (*at, "via")
        if start == wanted:
            yield Fault(spot, f"{wanted!r} is there already")
        for number, step in enumerate(steps):
            here, word = (*spot, number), text_of(step)
            if word == wanted:
                yield Fault(here, f"{word!r} is what is to be reached: name only what lies between")
            elif word in field.lost_when:
                yield Fault(here, f"{word!r} means that the ticket is gone: no way leads by it")
            elif word == start:
                yield Fault(here, f"{word!r} is where this way begins")
    for frm, to, spot in _edges(ways, wanted, at, listed=not isinstance(via, dict)):
        known = onward.setdefault(frm, (to, spot))
        if known[0] != to and frm not in ways:
            yield Fault(spot, f"from {frm!r} two ways lead on, to {known[0]!r} and to {to!r}: say under via which")
    if _round(ways, wanted):
        yield Fault((*at, "via"), f"this goes round and round, and never comes to {wanted!r}")


def _edges(
    ways: Mapping[str, list[bool | int | str]], wanted: str, at: Steps, *, listed: bool
) -> Iterator[tuple[str, str, Steps]]:
    """Every step that these ways say: from, to, and where; those that begin where a way begins come first."""
    rest = []
    for start, steps in ways.items():
        words = [*map(text_of, steps), wanted]
        spot: Steps = (*at, "via") if listed else (*at, "via", start)
        yield start, words[0], spot
        rest += [(frm, to, (*spot, number)) for number, (frm, to) in enumerate(pairwise(words))]
    yield from rest


def _round(ways: Mapping[str, list[bool | int | str]], wanted: str) -> bool:
    onward: dict[str, str] = {}
    for frm, to, _ in _edges(ways, wanted, (), listed=True):
        onward.setdefault(frm, to)
    for start in onward:
        seen, here = set[str](), start
        while here != wanted and here not in seen:
            seen.add(here)
            here = onward.get(here, wanted)
        if here != wanted:
            return True
    return False


# -- compiled ----------------------------------------------------------------------------------------------------------


def with_transitions(fields: Mapping[str, FieldMapping], parts: Fields, document: Document) -> dict[str, FieldMapping]:
    """The fields with their transitions, and with rules that know what stands in for nothing."""
    standing: dict[str, set[Value]] = {}
    found = dict(fields)
    for central, part in parts.items():
        if not part.transitions:
            continue
        transitions = {}
        for wanted, each in part.transitions.items():
            place = ("fields", central, "transitions", wanted)
            fills = tuple(
                _fill(fields, remote, fill, document, (*place, "with", remote)) for remote, fill in each.with_.items()
            )
            for fill in fills:
                if fill.central and fill.value is not None:
                    standing.setdefault(fill.central, set()).add(fill.value)
            onward, first = _onward(part, wanted, each)
            value = _words(part).get(wanted, wanted)
            transitions[value] = Transition(document.key_place(place), fills, onward, first)
        found[central] = replace(found[central], transitions=transitions)
    for central, texts in standing.items():
        rule = found[central].rule
        known = frozenset(rule.canonical_theirs(text) for text in texts)
        found[central] = replace(found[central], rule=StandIn(rule, known))
    return found


def _fill(fields: Mapping[str, FieldMapping], remote: str, part: object, document: Document, place: Steps) -> Fill:
    at = document.key_place(place)
    if isinstance(part, FillPart):
        text = part.otherwise
        said = None if text is None else fields[part.frm].rule.outward(text, held=None)
        return Fill(remote, part.frm, said, at)
    constant = tuple(part) if isinstance(part, list) else part
    assert constant is None or isinstance(constant, bool | int | str | tuple)
    return Fill(remote, "", constant, at)


def _onward(field: FieldPart, wanted: str, transition: TransitionPart) -> tuple[dict[Value, Value], Value]:
    via, words = transition.via, _words(field)
    onward: dict[Value, Value] = {}
    first: Value = None
    if not isinstance(via, dict):
        first, via = (via[0] if via else None), {"": via}
    for frm, to, _ in _edges(via, wanted, (), listed=True):
        if frm:
            onward.setdefault(words.get(frm, frm), words.get(to, to))
    return onward, first


def _words(field: FieldPart) -> dict[str, Value]:
    """Their words by the text by which keys name them."""
    known: dict[str, Value] = {}
    if isinstance(field, TableField):
        known = {text_of(word): word for several in field.words().values() for word in several}
    for transition in field.transitions.values():
        via = transition.via
        for several in via.values() if isinstance(via, dict) else (via,):
            known |= {text_of(word): word for word in several if text_of(word) not in known}
    return known


def stand_ins(rule: Rule) -> frozenset[Value]:
    """The texts of theirs that stand in for nothing of ours."""
    return rule.texts if isinstance(rule, StandIn) else frozenset()


def bare(rule: Rule) -> Rule:
    """The rule itself, whatever stands in for nothing beside it."""
    return rule.rule if isinstance(rule, StandIn) else rule


def says_nothing(rule: Rule, ours: Value) -> bool:
    """Whether ours is empty, as this rule sees it."""
    return rule.canonical_ours(ours) in EMPTY
