"""A vocabulary: what one ticketing system can say and how it behaves, declared, so that a mapping can be held against
it before anybody asks the system itself. A document of its own kind; nothing is synchronised by it.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from pydantic import Field

from mappings.editors import partly
from mappings.formats import FormatName
from mappings.loader import Document, DocumentError, check_model, suggestion
from mappings.model import Place, Value
from mappings.rules.moment import Step
from mappings.rules.part import NOT_LAID, Fault, Part
from mappings.rules.table import Word, text_of

Formats = FormatName | list[FormatName] | None
Kind = Literal["text", "choice", "person", "moment", "number", "set"]


@dataclass(frozen=True, slots=True)
class Move:
    """A value that becomes another one though nobody sets it: a timer, an automatic reply, a rule of the tracker."""

    frm: Value
    to: Value
    when: str
    at: Place
    chosen: bool = False
    """Whoever sets `frm` there has said with it that it becomes `to`."""


@dataclass(frozen=True, slots=True)
class TheirField:
    """One field of theirs. Empty `values`: whatever they like."""

    name: str
    kind: str = "text"
    writable: bool = True
    required: bool = False
    """A create without it is refused."""
    public: bool = True
    """Whoever may read the ticket may read it."""
    max_length: int | None = None
    formats: tuple[FormatName, ...] = ()
    """What their texts are written in; several: one of these, as each site is set; none: not known."""
    values: tuple[Value, ...] = ()
    workflow: Mapping[Value, tuple[Value, ...]] | None = None
    """From -> what our account may set there; None: everything from everywhere."""
    needs: Mapping[Value, tuple[str, ...]] = field(default_factory=dict)
    """To -> their fields that must hold something before."""
    moves: tuple[Move, ...] = ()
    granularity: Step = "second"
    """The smallest step of a moment that they keep."""
    after_comment: Mapping[Value, Value] = field(default_factory=dict)
    """What a comment of ours makes of a value."""

    def renamed(self, word: Callable[[Value], Value]) -> "TheirField":
        """The same field in other words."""
        return replace(
            self,
            values=tuple(map(word, self.values)),
            workflow=self.workflow and {word(frm): tuple(map(word, several)) for frm, several in self.workflow.items()},
            needs={word(to): names for to, names in self.needs.items()},
            moves=tuple(replace(each, frm=word(each.frm), to=word(each.to)) for each in self.moves),
            after_comment={word(frm): word(to) for frm, to in self.after_comment.items()},
        )

    def may_move(self, frm: Value, to: Value) -> bool:
        """Whether our account may set `to` where `frm` stands."""
        if self.workflow is None or frm == to or (None in (frm, to) and None not in self.values):
            return True  # a workflow leads from word to word; where nothing is one of them, it says so
        return to in self.workflow.get(frm, ())


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What is known of a system. `declared` False: only what the mapping itself names, which proves less."""

    name: str
    fields: Mapping[str, TheirField]
    capabilities: Mapping[str, Any]
    declared: bool = True
    comments_formats: tuple[FormatName, ...] = ()
    """What comments there are written in, as for a field."""
    answers: str = ""
    """What answers every comment of ours there by a comment that nobody writes, as a story tells it; '': nothing."""

    def plain(self) -> list[dict[str, Any]]:
        """Their fields as a live system describes them."""
        return [
            {
                "name": each.name,
                "kind": each.kind,
                "writable": each.writable,
                "values": each.values,
                "max_length": each.max_length,
            }
            for each in self.fields.values()
        ]


class MovePart(Part):
    """A value that becomes another one by itself."""

    frm: Word = Field(alias="from", description="The value that stands there.")
    to: Word = Field(description="What it becomes.")
    when: str = Field(min_length=1, description='When, as a story tells it: "nobody has answered for a week".')
    chosen: bool = Field(False, description="Whether whoever sets `from` there has said with it that it becomes `to`.")


class TheirFieldPart(Part):
    """One field of theirs."""

    kind: Kind = Field("text", description="text, choice, person, moment, number or set.")
    writable: bool = Field(True, description="Whether our account can change it.")
    required: bool = Field(False, description="Whether a create without it is refused.")
    public: bool = Field(True, description="Whether everybody who may read the ticket may read it.")
    max_length: int | None = Field(None, ge=1, description="The longest text, in characters.")
    format: Formats = Field(None, description="What their text is written in; a list: one of these, as a site is set.")
    values: list[Word] = Field(default_factory=list, description="Every value there is; empty: any.")
    workflow: dict[str, list[Word]] | None = Field(
        None,
        description="From: what our account may set then; without it, everything.",
    )
    needs: dict[str, list[str]] = Field(
        default_factory=dict, description="To: their fields that must hold something before it can be set."
    )
    granularity: Step = Field("second", description="The smallest step of a moment that they keep.")
    automatic: list[MovePart] = Field(default_factory=list, description="What moves by itself there.")
    after_comment: dict[str, Word] = Field(
        default_factory=dict, description="What a comment of our account makes of a value."
    )

    def faults(self, fields: Mapping[str, Any]) -> Iterator[Fault]:
        """Words that are no value of this field, and names that are no field."""
        known = {text_of(value): value for value in self.values}
        if self.format is not None and self.kind != "text":
            yield Fault(("format",), f"a {self.kind} has no format: only a text has one")
        for at, word in self._words():
            if text_of(word) not in known:
                yield Fault(at, f"{text_of(word)!r} is not among the values{suggestion(text_of(word), known)}")
        for to, names in self.needs.items():
            for number, name in enumerate(names):
                if name not in fields:
                    yield Fault(("needs", to, number), f"there is no field {name!r}{suggestion(name, fields)}")

    def _words(self) -> Iterator[tuple[tuple[str | int, ...], Word]]:
        for frm, several in (self.workflow or {}).items():
            yield ("workflow", frm), frm
            yield from ((("workflow", frm, number), to) for number, to in enumerate(several))
        yield from ((("needs", to), to) for to in self.needs)
        for number, move in enumerate(self.automatic):
            yield ("automatic", number, "from"), move.frm
            yield ("automatic", number, "to"), move.to
        for frm, to in self.after_comment.items():
            yield ("after_comment", frm), frm
            yield ("after_comment", frm), to

    def compiled(self, name: str, document: Document) -> TheirField:
        """The field as the checks use it."""
        path = ("fields", name)
        known = {text_of(value): value for value in self.values}
        return TheirField(
            name=name,
            kind=self.kind,
            writable=self.writable,
            required=self.required,
            public=self.public,
            max_length=self.max_length,
            formats=_formats(self.format),
            values=tuple(self.values),
            workflow=None
            if self.workflow is None
            else {known[frm]: tuple(several) for frm, several in self.workflow.items()},
            needs={known[to]: tuple(names) for to, names in self.needs.items()},
            moves=tuple(
                Move(move.frm, move.to, move.when, document.place((*path, "automatic", number)), move.chosen)
                for number, move in enumerate(self.automatic)
            ),
            granularity=self.granularity,
            after_comment={known[frm]: to for frm, to in self.after_comment.items()},
        )


class CommentsVocabularyPart(Part):
    """What can be done with comments there."""

    hidden: bool = Field(False, description="Whether a comment can be hidden from the public.")
    max_length: int | None = Field(None, ge=1, description="The longest comment, in characters.")
    format: Formats = Field(None, description="What comments are written in, as for a field.")
    answers: str = Field(
        "", description='What answers every comment of ours by itself, as a story tells it: "a bot thanks for it".'
    )


class VocabularyDocument(Part):
    """What one ticketing system can say, and how it behaves."""

    kind: Literal["vocabulary"]
    name: str = Field(description="The name of the mapping, or the connector, that it is for.")
    extends: str | None = Field(None, description="The vocabulary that is taken, save where this one says otherwise.")
    fields: dict[str, TheirFieldPart] = Field(min_length=1, description="Their fields, by name.")
    comments: CommentsVocabularyPart = Field(default_factory=CommentsVocabularyPart)
    files: bool = Field(False, description="Whether files can be sent.")
    lock: bool = Field(False, description="Whether a write can be made to depend on what was read.")
    history: bool = Field(False, description="Whether changes of fields can be read with their old values.")
    reads: bool = Field(True, description="Whether a ticket can be read there at all.")

    def faults(self) -> Iterator[Fault]:
        """What is well formed but cannot be meant so."""
        if self.extends is not None:
            yield Fault(("extends",), NOT_LAID)
        for name, each in self.fields.items():
            for fault in each.faults(self.fields):
                yield Fault(("fields", name, *fault.at), fault.sentence)


def compile_vocabulary(document: Document) -> Vocabulary:
    """The vocabulary that this document declares.

    :raises DocumentError: with all that is wrong, each at its place."""
    parsed = check_model(VocabularyDocument, document)
    problems = [
        document.problem(document.place(fault.at), f"{'.'.join(map(str, fault.at))}: {fault.sentence}")
        for fault in parsed.faults()
    ]
    if problems:
        raise DocumentError(problems)
    return Vocabulary(
        name=parsed.name,
        fields={name: each.compiled(name, document) for name, each in parsed.fields.items()},
        capabilities={
            "internal_comments": parsed.comments.hidden,
            "max_comment": parsed.comments.max_length,
            "files": parsed.files,
            "preconditions": parsed.lock,
            "history": parsed.history,
            "reads": parsed.reads,
            "row_version": "strong" if parsed.lock else "weak",
        },
        comments_formats=_formats(parsed.comments.format),
        answers=parsed.comments.answers,
    )


def _formats(written: Formats) -> tuple[FormatName, ...]:
    if written is None:
        return ()
    return tuple(written) if isinstance(written, list) else (written,)


def schema() -> dict[str, Any]:
    """The JSON Schema of a vocabulary document, for editors: whole, or one that extends another and says a part."""
    return partly("Vocabulary", VocabularyDocument.model_json_schema())
