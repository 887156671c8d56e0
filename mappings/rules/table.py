"""Table: their words for ours. Many of ours may share a word of theirs, and one of ours may have several; nothing of
ours may have words of theirs, too."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from mappings.findings import in_words
from mappings.loader import Steps, suggestion
from mappings.model import Losses, Place, Rule, Untranslatable, Value
from mappings.remembering import Remembering
from mappings.rules.part import Fault, FieldPart

Word = None | bool | int | str


@dataclass(frozen=True, slots=True)
class Table:
    """`words`: ours -> theirs, the first of which is the one that is said. `back`: what each of theirs is read as.

    Where nothing of ours (None) has words, their nothing is no word unless it is among them."""

    words: Mapping[Word, tuple[Word, ...]]
    back: Mapping[Word, Word]
    where: str = ""
    """Whose table it is and where it is written, for the sentence about a missing word."""
    others: str | None = None
    """What every word of theirs that is in no line is read as; None: it has no meaning here."""

    def say(self, ours: Value) -> Value:
        if words := self._words(ours):
            return words[0]
        if ours is None and None not in self.back:
            return None
        if ours is None:
            raise Untranslatable(f"there is no word for nothing of ours in the table{self.where}: say it there (unset)")
        raise Untranslatable(f"there is no word for our {ours!r} in the table{self.where}: give it one there")

    def read(self, theirs: Value) -> Value:
        if not isinstance(theirs, tuple) and theirs in self.back:
            return self.back[theirs]
        if theirs is None and None not in self.words:
            return None
        if self.others is not None and self._is_other(theirs):
            return self.others
        raise Untranslatable(
            f"their {in_words(theirs)} is in no line of the table{self.where}: say there what it means"
        )

    def agrees(self, ours: Value, theirs: Value) -> bool:
        words = self._words(ours)
        if words is None:
            return ours is None and theirs is None and None not in self.back
        return theirs in words or (self.others is not None and ours == self.others and self._is_other(theirs))

    def _is_other(self, theirs: Value) -> bool:
        """Whether this is a word at all, and one that is in no line."""
        return not isinstance(theirs, tuple) and theirs not in (None, "") and theirs not in self.back

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
            tuple(
                f"{_all(ours)} are {_both(ours)} {in_words(theirs)} there"
                for theirs, ours in said.items()
                if len(ours) > 1
            ),
            (
                *(
                    f"{in_words(theirs)} is read as {self.back[theirs]!r}, unless the value held here agrees"
                    f"{', and as nothing where nothing is held' if None in ours else ''}"
                    for theirs, ours in shared.items()
                ),
                *(
                    f"{_all(theirs)} are {_both(theirs)} {in_words(ours)} here"
                    for ours, theirs in self.words.items()
                    if len(theirs) > 1
                ),
                *(() if self.others is None else (f"every word that is in no line is {self.others!r} here",)),
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
    named = [in_words(word) for word in words]
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

    unset: Words = Field(
        default_factory=list,
        description="Their words for nothing of ours: the first is written, the others mean it too.",
    )
    others: str | None = Field(
        None, description="Our word that every word of theirs is read as which is in no line; default: none is."
    )

    def faults(self) -> Iterator[Fault]:
        readers = _readers(self.words())
        loose = [*self._astray(readers), *self._undecided(readers)]
        yield from loose or self._unsettled(readers)

    def rule(self, central: str, at: Place) -> Rule:
        words = self.words()
        return Remembering(Table(words, self._back(_readers(words)), f" of {central} ({at})", self.others))

    def words(self) -> dict[Word, tuple[Word, ...]]:
        """Theirs for each of ours; for nothing of ours, where that has any, last."""
        said: list[tuple[Word, list[Word]]] = [*self.table.items(), *([(None, self.unset)] if self.unset else [])]
        return {ours: tuple(dict.fromkeys(theirs)) for ours, theirs in said}

    def _back(self, readers: Mapping[Word, list[Word]]) -> dict[Word, Word]:
        return {theirs: self.back.get(text_of(theirs), ours[0]) for theirs, ours in readers.items()}

    def _astray(self, readers: Mapping[Word, list[Word]]) -> Iterator[Fault]:
        """Ways back that lead to a word which the table does not connect with theirs."""
        by_text = {text_of(theirs): theirs for theirs in readers}
        if self.others is not None and self.others not in self.table:
            sentence = f"the table has no word {self.others!r} of ours{suggestion(self.others, self.table)}"
            yield Fault(("others",), sentence)
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
        for theirs, sharing in readers.items():
            several = [ours for ours in sharing if ours is not None]  # nothing is what it is where nothing is held
            if len(several) > 1 and text_of(theirs) not in self.back:
                sentence = (
                    f"{text_of(theirs)!r} stands for {_all(several)}: say under 'back' which of them it is read as"
                )
                yield Fault(("table", str(several[-1])), sentence, breaks="lens laws")

    def _unsettled(self, readers: Mapping[Word, list[Word]]) -> Iterator[Fault]:
        """Words of ours that are read from one of theirs, but not from each of those they agree with."""
        first = {theirs: None if theirs in self.unset else ours for theirs, ours in self._back(readers).items()}
        astray = {ours: [word for word in words if first[word] != ours] for ours, words in self.words().items()}
        read: list[tuple[str, Word, Steps]] = []
        for theirs, ours in first.items():
            at = ("back", text_of(theirs)) if text_of(theirs) in self.back else line_of(ours)
            read.append((repr(text_of(theirs)), ours, at))
        if self.others is not None:
            read.append(("every other word", self.others, ("others",)))
        for theirs_told, ours, at in read:
            for word in astray[ours]:
                sentence = (
                    f"{theirs_told} is read as {ours!r}, which may be {text_of(word)!r} there, which is read "
                    f"as {in_words(first[word])}: without a value held, a round trip would not end where it began"
                )
                yield Fault(at, sentence, breaks="lens laws")


def line_of(ours: Value) -> Steps:
    """Where the line of this word of ours is written in its field."""
    return ("unset",) if ours is None else ("table", str(ours))


def lines(written: Mapping[str, Any]) -> Iterator[tuple[Word, list[Word]]]:
    """The lines of a table as they are written in its field: ours, which may be nothing, and theirs."""
    nothing = {None: written["unset"]} if "unset" in written else {}
    for ours, words in {**written["table"], **nothing}.items() if "table" in written else ():
        yield ours, words if isinstance(words, list) else [words]


def text_of(word: Word) -> str:
    """Their word as it is written as a key, where everything is text."""
    return "null" if word is None else str(word).lower() if isinstance(word, bool) else str(word)
