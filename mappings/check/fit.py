"""Does a mapping fit both sides' vocabularies? Names, words, lengths, and what can be written at all.

The two schemas come as plain data: `central` maps our fields to `{"values": …, "max_length": …}`, `remote` lists their
fields as `{"name": …, "writable": …, "values": …, "max_length": …}`.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from mappings.loader import Document, Problem, Steps, suggestion
from mappings.model import Carries, FieldMapping, Fill, Place, Untranslatable, Value
from mappings.model import Mapping as CompiledMapping
from mappings.remembering import Remembering
from mappings.rules import Copy, Text
from mappings.rules.table import line_of, lines, text_of
from mappings.transitions import bare

Schema = Mapping[str, Any]
_A_MOMENT = "2026-11-22T18:45:07Z"
_A_YEAR = re.compile(r"\d\d")
"""Whatever form they write it in, no moment is without its year in figures."""


def fit(
    document: Document,
    mapping: CompiledMapping,
    *,
    central: Mapping[str, Schema] | None = None,
    remote: Sequence[Schema] | None = None,
) -> tuple[Problem, ...]:
    """What cannot work with these vocabularies, each at its place. A side that is not given is not judged."""
    theirs = None if remote is None else {str(field["name"]): field for field in remote}
    problems: list[Problem] = []
    for field in mapping.fields.values():
        path = ("fields", field.central)
        if central is not None and field.central not in central:
            sentence = f"there is no field {field.central!r} on our tickets{suggestion(field.central, central)}"
            problems.append(Problem(document.key_place(path), sentence))
        if theirs is not None and field.remote not in theirs:
            problems.append(Problem(document.place((*path, "remote")), _absent(field.remote, theirs)))
        if theirs is not None:
            problems += _transitions(field, theirs)
        sides = _Sides(document, field, (central or {}).get(field.central), (theirs or {}).get(field.remote))
        problems += sides.problems()
    if theirs is not None:
        problems += _constants(document, mapping, theirs)
    return tuple(dict.fromkeys(problems))


def _transitions(field: FieldMapping, theirs: Mapping[str, Schema]) -> Iterator[Problem]:
    """Their values that a way leads by, and what travels with a transition."""
    known = theirs.get(field.remote, {}).get("values") or ()
    named = [str(word) for word in known]
    for transition in field.transitions.values():
        words = dict.fromkeys((*transition.onward, *transition.onward.values(), transition.first))
        for word in words if known else ():
            if word is not None and word not in known:
                sentence = f"{word!r} is not a {field.remote} of theirs{suggestion(str(word), named)}"
                yield Problem(transition.at, sentence)
        for fill in transition.fills:
            yield from _fills(fill, theirs)


def is_number(word: str) -> bool:
    """Whether this text is a number as a scale has them."""
    return word.removeprefix("-").isdigit()


def limits_of(part: Mapping[str, Any]) -> tuple[int, ...]:
    """The most characters that a text may have by what is written of it: no text has more of them than bytes."""
    return tuple(part[key] for key in ("max_length", "max_bytes") if key in part)


def _fills(fill: Fill, theirs: Mapping[str, Schema]) -> Iterator[Problem]:
    shape = theirs.get(fill.remote)
    if shape is None:
        yield Problem(fill.at, _absent(fill.remote, theirs))
        return
    values, longest = shape.get("values") or (), shape.get("max_length")
    if not shape.get("writable", True):
        yield Problem(fill.at, f"their {fill.remote!r} cannot be written: nothing travels in it")
    if shape.get("kind") == "number" and isinstance(fill.value, str) and not values and not is_number(fill.value):
        yield Problem(fill.at, f"their {fill.remote!r} is a number, and {fill.value!r} is none")
    if shape.get("kind") == "moment" and isinstance(fill.value, str) and not _A_YEAR.search(fill.value):
        yield Problem(fill.at, f"their {fill.remote!r} is a moment, and {fill.value!r} is none")
    if values and fill.value is not None and fill.value not in values:
        named = [str(word) for word in values]
        yield Problem(fill.at, f"{fill.value!r} is not a {fill.remote} of theirs{suggestion(str(fill.value), named)}")
    if longest is not None and isinstance(fill.value, str) and len(fill.value) > longest:
        yield Problem(fill.at, f"their {fill.remote!r} takes {longest} characters at most")


def _constants(document: Document, mapping: CompiledMapping, theirs: Mapping[str, Schema]) -> Iterator[Problem]:
    """What every create carries must be a field of theirs, and a word of it."""
    for name, value in mapping.constants.items():
        if name not in theirs:
            yield Problem(document.key_place(("constants", name)), _absent(name, theirs))
            continue
        allowed = theirs[name].get("values") or ()
        for each in value if isinstance(value, tuple) else (value,):
            if allowed and each not in allowed:
                yield Problem(document.place(("constants", name)), _stranger(each, name, allowed))


def _stranger(value: Value, name: str, allowed: Collection[Value]) -> str:
    return f"{value!r} is not a {name} of theirs{suggestion(str(value), map(str, allowed))}"


def _absent(name: str, theirs: Mapping[str, Schema]) -> str:
    return f"they have no field {name!r}{suggestion(name, theirs)}"


class _Sides:
    """One field between what is known of either side; None: nothing."""

    def __init__(self, document: Document, field: FieldMapping, ours: Schema | None, theirs: Schema | None) -> None:
        self.field = field
        self.ours = ours
        self.theirs = theirs
        self._document = document
        self._written: Mapping[str, Any] = document.data["fields"][field.central]

    def place(self, *path: str | int) -> Place:
        return self._document.place(("fields", self.field.central, *path))

    def problems(self) -> Iterator[Problem]:
        if self.ours is not None:
            yield from self._our_words(self.ours)
        if self.theirs is not None:
            yield from self._their_words(self.theirs)
        if self.ours is not None and self.theirs is not None:
            yield from self._meet(self.ours, self.theirs)

    def _our_words(self, ours: Schema) -> Iterator[Problem]:
        """Every word of ours in the document is one; every one of ours can go out."""
        known = ours.get("values") or ()
        for rule in ("table", "scale"):
            for word in self._written.get(rule, ()) if known else ():
                if word not in known:
                    sentence = f"{word!r} is not a {self.field.central} of ours{suggestion(word, known)}"
                    yield Problem(self._document.key_place(("fields", self.field.central, rule, word)), sentence)
        if self.field.carries is not Carries.INWARD:
            for word in known:
                try:
                    self.field.rule.outward(word, held=None)
                except Untranslatable as problem:
                    yield Problem(self.field.at, str(problem))

    def _their_words(self, theirs: Schema) -> Iterator[Problem]:
        """What we write they allow; what they may show can come in."""
        field, allowed = self.field, theirs.get("values") or ()
        outward = field.carries is not Carries.INWARD
        if outward and not theirs.get("writable", True) and not field.only_on_create:
            how = "say carries: inward, or only_on_create: true"
            yield Problem(self.place("remote"), f"their {field.remote!r} cannot be written: {how}")
        if allowed:
            yield from self._unknown_words(allowed)
        if field.carries is not Carries.OUTWARD:
            gone = self._written.get("lost_when", ())
            for word in allowed:
                try:
                    if word not in gone:
                        field.rule.inward(word, held=None)
                except Untranslatable as problem:
                    yield Problem(field.at, str(problem))
        yield from self._length(theirs.get("max_length"))

    def _unknown_words(self, allowed: Collection[Value]) -> Iterator[Problem]:
        for ours, words in lines(self._written):
            for word in words:
                if word is not None and word not in allowed:
                    yield Problem(self.place(*line_of(ours)), _stranger(word, self.field.remote, allowed))
        for path, number in self._numbers():
            if number is not None and number not in allowed and str(number) not in allowed:
                yield Problem(self.place(*path), _stranger(number, self.field.remote, allowed))
        named = [text_of(word) for word in allowed if not isinstance(word, tuple)]
        for number, word in enumerate(self._written.get("lost_when", ())):
            if word not in named:
                place = self._document.place(("fields", self.field.central, "lost_when", number))
                yield Problem(place, _stranger(word, self.field.remote, allowed))
        for word in self._written.get("stuck", ()):
            if word not in named:
                yield Problem(self.place("stuck", word), _stranger(word, self.field.remote, allowed))

    def _length(self, longest: int | None) -> Iterator[Problem]:
        """A text of ours may be longer than theirs: its rule must know, and one without a rule cuts nothing."""
        if longest is None or self.field.carries is Carries.INWARD:
            return
        rule, ours = bare(self.field.rule), self.ours or {}
        if isinstance(rule, Text):  # it makes mentions longer: that ours is no longer than theirs is not enough
            limits = limits_of(self._written["text"])
            fits = bool(limits) and min(limits) <= longest
        else:
            copied = isinstance(rule, Remembering) and isinstance(rule.translation, Copy)
            fits = not copied or bool(ours.get("values")) or (ours.get("max_length") or longest + 1) <= longest
        if not fits:
            yield Problem(self.place("text"), f"their {self.field.remote!r} takes {longest} characters at most")
        for path, word in self._said():
            if len(str(word)) > longest:
                sentence = f"their {self.field.remote!r} takes {longest} characters at most, and {word!r} is longer"
                yield Problem(self.place(*path), sentence)

    def _said(self) -> Iterator[tuple[Steps, Value]]:
        """The words that the document itself writes to theirs, and where each is said."""
        for word, words in lines(self._written):
            if words[0] is not None:
                yield line_of(word), words[0]
        for path, number in self._numbers():
            if number is not None:
                yield path, number
        for ours, account in self._written.get("person", {}).get("directory", {}).items():
            yield ("person", "directory", ours), account
        if "moment" in self._written:
            yield ("moment",), self.field.rule.outward(_A_MOMENT, held=None)

    def _numbers(self) -> Iterator[tuple[Steps, int | None]]:
        """The numbers of a scale, and where each is written."""
        for ours, number in self._written.get("scale", {}).items():
            yield ("scale", ours), number
        if "scale" in self._written and "unset" in self._written:
            unset = self._written["unset"]
            yield from ((("unset",), number) for number in (unset if isinstance(unset, list) else [unset]))

    def _meet(self, ours: Schema, theirs: Schema) -> Iterator[Problem]:
        """Without a table, what comes in from them must be a word of ours, and the other way round."""
        known, allowed = ours.get("values") or (), theirs.get("values") or ()
        if not known or not allowed or "table" in self._written or "scale" in self._written:
            return
        strangers = [str(word) for word in allowed if word not in known]
        strangers += [str(word) for word in known if word not in allowed]
        if strangers:
            yield Problem(self.field.at, f"only one side has {', '.join(map(repr, strangers))}: a table must translate")
