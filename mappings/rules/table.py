"""Table: their words for ours. Many of ours may share a word of theirs, and one of ours may have several."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from mappings.loader import suggestion
from mappings.model import Losses, Place, Rule, Untranslatable, Value
from mappings.remembering import Remembering
from mappings.rules.part import Fault, FieldPart

Word = None | bool | int | str


@dataclass(frozen=True, slots=True)
class Table:
    """`words`: ours -> theirs, the first of which is the one that is said. `back`: what each of theirs is read as."""

    words: Mapping[Word, tuple[Word, ...]]
    back: Mapping[Word, Word]
    where: str = ""
    """Whose table it is and where it is written, for the sentence about a missing word."""

    def say(self, ours: Value) -> Value:
        if words := self._words(ours):
            return words[0]
        if ours is None and None not in self.back:
            return None
        raise Untranslatable(f"there is no word for our {ours!r} in the table{self.where}: give it one there")

    def read(self, theirs: Value) -> Value:
        if not isinstance(theirs, tuple) and theirs in self.back:
            return self.back[theirs]
        if theirs is None:
            return None
        raise Untranslatable(f"their {theirs!r} is in no line of the table{self.where}: say there what it means")

    def agrees(self, ours: Value, theirs: Value) -> bool:
        words = self._words(ours)
        if words is None:
            return ours is None and theirs is None and None not in self.back
        return theirs in words

    def _words(self, ours: Value) -> tuple[Word, ...] | None:
        return self.words.get(ours)  # type: ignore[arg-type]  # a tuple is nobody's word, so it is not found

    def canonical_ours(self, ours: Value) -> Value:
        return ours

    def canonical_theirs(self, theirs: Value) -> Value:
        return theirs

    def losses(self) -> Losses:
        said: dict[Word, list[Word]] = {}
        for ours, theirs in self.words.items():
            said.setdefault(theirs[0], []).append(ours)
        shared = {theirs: ours for theirs, ours in _readers(self.words).items() if len(ours) > 1}
        return Losses(
            tuple(f"{_all(ours)} are {_both(ours)} {theirs!r} there" for theirs, ours in said.items() if len(ours) > 1),
            (
                *(
                    f"{theirs!r} is read as {self.back[theirs]!r}, unless the value held here agrees"
                    for theirs in shared
                ),
                *(
                    f"{_all(theirs)} are {_both(theirs)} {ours!r} here"
                    for ours, theirs in self.words.items()
                    if len(theirs) > 1
                ),
            ),
        )


def _readers(words: Mapping[Word, tuple[Word, ...]]) -> dict[Word, list[Word]]:
    """Theirs -> all of ours that it may stand for, in the order in which they are written."""
    readers: dict[Word, list[Word]] = {}
    for ours, several in words.items():
        for theirs in several:
            readers.setdefault(theirs, []).append(ours)
    return readers


def _all(words: Sequence[Word]) -> str:
    named = [repr(word) for word in words]
    return f"{', '.join(named[:-1])} and {named[-1]}"


def _both(words: Sequence[Word]) -> str:
    return "both" if len(words) == 2 else "all"


def _one_or_several(value: Any) -> list[Word]:
    words = value if isinstance(value, list) else [value]
    if not words or not all(word is None or isinstance(word, bool | int | str) for word in words):
        raise ValueError("must be one of their words, or a list of them with the one to write first")
    return words


_WORD_SCHEMA: dict[str, Any] = {"type": ["string", "integer", "boolean", "null"]}
Words = Annotated[
    list[Word],
    BeforeValidator(_one_or_several),
    WithJsonSchema({"anyOf": [_WORD_SCHEMA, {"type": "array", "items": _WORD_SCHEMA, "minItems": 1}]}),
]


class TableField(FieldPart):
    """A field whose values are words: a status, a priority, a category."""

    table: dict[str, Words] = Field(
        min_length=1, description="Our word: theirs. A list means: the first is written, the others mean it too."
    )
    back: dict[str, str] = Field(
        default_factory=dict, description="Their word: ours, where several of ours share it and none of them is held."
    )

    def faults(self) -> Iterator[Fault]:
        readers = _readers(self._words())
        loose = [*self._astray(readers), *self._undecided(readers)]
        yield from loose or self._unsettled(readers)

    def rule(self, central: str, at: Place) -> Rule:
        words = self._words()
        return Remembering(Table(words, self._back(_readers(words)), f" of {central} ({at})"))

    def _words(self) -> dict[Word, tuple[Word, ...]]:
        return {ours: tuple(dict.fromkeys(theirs)) for ours, theirs in self.table.items()}

    def _back(self, readers: Mapping[Word, list[Word]]) -> dict[Word, Word]:
        return {theirs: self.back.get(text_of(theirs), ours[0]) for theirs, ours in readers.items()}

    def _astray(self, readers: Mapping[Word, list[Word]]) -> Iterator[Fault]:
        """Ways back that lead to a word which the table does not connect with theirs."""
        by_text = {text_of(theirs): theirs for theirs in readers}
        for theirs, ours in self.back.items():
            at = ("back", theirs)
            if theirs not in by_text:
                yield Fault(at, f"the table has no word {theirs!r} of theirs{suggestion(theirs, by_text)}")
            elif ours not in self.table:
                story = (
                    f"somebody sets {theirs!r} there",
                    f"it is read as {ours!r}, which is no word of ours: nothing of it arrives",
                )
                yield Fault(at, f"the table has no word {ours!r} of ours{suggestion(ours, self.table)}", story=story)
            elif ours not in readers[by_text[theirs]]:
                said = text_of(self.table[ours][0])
                sentence = (
                    f"{theirs!r} cannot be read as {ours!r}, which is written as {said!r}: the next write would move "
                    f"their {theirs!r}; choose a word that {theirs!r} stands for, or write {ours}: [{said}, {theirs}]"
                )
                yield Fault(at, sentence, breaks="lens laws")

    def _undecided(self, readers: Mapping[Word, list[Word]]) -> Iterator[Fault]:
        """Words of theirs that several of ours share, and no way back."""
        for theirs, several in readers.items():
            if len(several) > 1 and text_of(theirs) not in self.back:
                sentence = (
                    f"{text_of(theirs)!r} stands for {_all(several)}: say under 'back' which of them it is read as"
                )
                yield Fault(("table", str(several[-1])), sentence, breaks="lens laws")

    def _unsettled(self, readers: Mapping[Word, list[Word]]) -> Iterator[Fault]:
        """Words of ours that are read from one of theirs, but not from each of those they agree with."""
        back = self._back(readers)
        astray = {ours: [word for word in words if back[word] != ours] for ours, words in self._words().items()}
        for theirs, ours in back.items():
            at = ("back", text_of(theirs)) if text_of(theirs) in self.back else ("table", str(ours))
            for word in astray[ours]:
                sentence = (
                    f"{text_of(theirs)!r} is read as {ours!r}, which may be {text_of(word)!r} there, which is read "
                    f"as {back[word]!r}: without a value held, a round trip would not end where it began"
                )
                yield Fault(at, sentence, breaks="lens laws")


def text_of(word: Word) -> str:
    """Their word as it is written as a key, where everything is text."""
    return "null" if word is None else str(word).lower() if isinstance(word, bool) else str(word)
