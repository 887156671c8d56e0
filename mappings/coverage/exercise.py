"""What a mapping's fixtures ought to show: each way of each field, each pair of words that say the same, memory."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from mappings.coverage.steps import Step, became, remembered, steps
from mappings.findings import in_words
from mappings.fixtures.document import Became, Fixture, Outcome, Way
from mappings.fixtures.replay import outcome
from mappings.loader import Document, Place, Steps
from mappings.model import Carries, FieldMapping, Value
from mappings.model import Mapping as CompiledMapping
from mappings.remembering import Remembering
from mappings.rules import Moment, Person, Scale, Set, Table
from mappings.rules.table import line_of


@dataclass(frozen=True, slots=True)
class Shown:
    """A step and what became of it."""

    step: Step
    became: Became
    remembered: bool


@dataclass(frozen=True, slots=True)
class Duty:
    """One thing that some fixture ought to show."""

    field: str
    """Ours; '': of no field."""
    place: Place
    sentence: str
    shows: Callable[[Shown], bool]

    def __str__(self) -> str:
        return f"{self.place}: {self.sentence}"


def duties(document: Document, mapping: CompiledMapping) -> Iterator[Duty]:
    """Everything that ought to be shown, whether it can be or not."""
    for field in mapping.fields.values():
        for way in (Way.INWARD, Way.OUTWARD):
            if field.carries in (way.value, Carries.BOTH):
                yield from _of_way(document, field, way)
        path: Steps = ("fields", field.central, "lost_when")
        for number, gone in enumerate(document.data["fields"][field.central].get("lost_when", ())):
            sentence = f"{field.central}: their {gone!r} means that the ticket is gone"
            yield Duty(field.central, document.place((*path, number)), sentence, _pair(Way.INWARD, gone, True))


def _of_way(document: Document, field: FieldMapping, way: Way) -> Iterator[Duty]:
    name, place, inward = field.central, field.at, way is Way.INWARD
    yield Duty(name, place, f"{name}: {way}", lambda shown: shown.step.way is way)
    kept = f"{name}: {way}, where what is held is kept"
    yield Duty(name, place, kept, lambda shown: shown.step.way is way and shown.remembered)
    for path, ours, theirs in _words(field):
        said, becomes = (theirs, ours) if inward else (ours, theirs)
        sentence = f"{name}: {way}, {in_words(said)} becomes {in_words(becomes)}"
        yield Duty(name, document.place(("fields", name, *path)), sentence, _pair(way, said, becomes))
    if isinstance(rule := field.rule, Set):
        for ours, theirs in rule.words.items():
            said, becomes = (theirs, ours) if inward else (ours, theirs)
            sentence = f"{name}: {way}, member {in_words(said)} becomes {in_words(becomes)}"
            at = document.place(("fields", name, "set", "words", ours))
            yield Duty(name, at, sentence, _member(way, becomes, "" if inward else rule.separator))
    if inward and (others := _others(field)) is not None:
        sentence = f"{name}: inward, a word that is in no line becomes {in_words(others.others)}"
        yield Duty(name, document.place(("fields", name, "others")), sentence, _strange(others))
    for theirs, ours in _back(field) if inward else ():
        sentence = f"{name}: inward, {in_words(theirs)} is read as {in_words(ours)} where nothing that agrees is held"
        yield Duty(name, document.place(("fields", name, "back", str(theirs))), sentence, _afresh(theirs, ours))


def _pair(way: Way, value: Value, becomes: Value) -> Callable[[Shown], bool]:
    return lambda shown: shown.step.way is way and (shown.step.value, shown.became) == (value, becomes)


def _member(way: Way, becomes: str, separator: str) -> Callable[[Shown], bool]:
    """Whether it became a member of what had none such."""
    members = Set(separator=separator)

    def is_in(value: Became) -> bool:
        texts = tuple(map(str, value)) if isinstance(value, tuple) else value
        listed = members.inward(texts, held=None) if isinstance(texts, str | tuple) else ()
        return isinstance(listed, tuple) and becomes in listed

    return lambda shown: shown.step.way is way and is_in(shown.became) and not is_in(shown.step.held)


def _afresh(value: Value, becomes: Value) -> Callable[[Shown], bool]:
    pair = _pair(Way.INWARD, value, becomes)
    return lambda shown: pair(shown) and not shown.remembered and shown.step.held != becomes


def _words(field: FieldMapping) -> Iterator[tuple[Steps, Value, Value]]:
    """Where each pair is written, ours and theirs."""
    translation = field.rule.translation if isinstance(field.rule, Remembering) else None
    match translation:
        case Table():
            for ours, several in translation.words.items():
                yield from ((line_of(ours), ours, theirs) for theirs in several)
        case Scale():
            yield from ((("scale", word), word, number) for number, word in translation.steps)
            yield from ((("unset",), None, number) for number in translation.unset)
        case Person():
            yield from ((("person", "directory", ours), ours, it) for ours, it in translation.directory.items())
            yield ("person",), None, translation.nobody
        case Moment():
            yield from ((("moment", "unset", n), None, unset) for n, unset in enumerate(translation.unset))


def _back(field: FieldMapping) -> Iterator[tuple[Value, Value]]:
    """Their words that several of ours share, and what each is read as."""
    translation = field.rule.translation if isinstance(field.rule, Remembering) else None
    if isinstance(translation, Table):
        for theirs, ours in translation.back.items():
            if sum(theirs in several for several in translation.words.values()) > 1:
                yield theirs, ours


def _others(field: FieldMapping) -> Table | None:
    """The table that reads every other word of theirs as one of ours."""
    translation = field.rule.translation if isinstance(field.rule, Remembering) else None
    return translation if isinstance(translation, Table) and translation.others is not None else None


def _strange(table: Table) -> Callable[[Shown], bool]:
    def shows(shown: Shown) -> bool:
        strange = shown.step.way is Way.INWARD and shown.step.value not in table.back
        return strange and shown.became == table.others and shown.step.held != table.others

    return shows


def shown_by(fixtures: Sequence[Fixture], mapping: CompiledMapping) -> Iterator[Shown]:
    """Everything that these fixtures show of the mapping."""
    for fixture in fixtures:
        for case in fixture.cases:
            found = outcome(mapping, case)
            for step in steps(case, mapping):
                yield shown(step, mapping, found)


def shown(step: Step, mapping: CompiledMapping, found: Outcome) -> Shown:
    """What a step shows in this outcome."""
    value = became(step, mapping, found)
    return Shown(step, value, value == step.held and remembered(step, mapping))
