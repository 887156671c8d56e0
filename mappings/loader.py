"""Documents: YAML read in its safe 1.2 sense, and the place of everything that is written in them.

`no`, `on`, `12:30` and `010` are words; `true`, `false`, `null` and plain numbers are what YAML 1.2's core schema says;
keys are always words. A key that stands twice, anchors, aliases and tags are refused, depth and size are bounded. All
problems are collected and told at once, each with file, line and column.

Nothing here knows what a document means: `check_model` holds it against any pydantic model, whatever its kind.
"""

import pathlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from mappings.findings import Steps, nearest, suggestion, told
from mappings.model import Place

__all__ = [
    "Document",
    "DocumentError",
    "Place",
    "Problem",
    "Steps",
    "check_model",
    "nearest",
    "read",
    "read_files",
    "suggestion",
]

MAX_CHARACTERS = 1_000_000
MAX_DEPTH = 32
MAX_NODES = 100_000

_NAME = re.compile(r"[a-z0-9]([a-z0-9._-]{0,48}[a-z0-9])?")
_NULL = re.compile(r"~|null|Null|NULL|")
_BOOL = re.compile(r"true|True|TRUE|false|False|FALSE")
_INT = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_PARSER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's is ten times faster


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a document, as a sentence for the person who wrote it."""

    place: Place
    sentence: str

    def __str__(self) -> str:
        return f"{self.place}: {self.sentence}"


class DocumentError(Exception):
    """The documents cannot be used as they are. `problems` lists everything that has to be mended."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda p: (p.place.file, p.place.line, p.place.column)))
        super().__init__("\n".join(map(str, self.problems)))


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document as it was written. `data` is plain; nobody changes it."""

    kind: str
    name: str
    data: Mapping[str, Any]
    source: str
    """Its own text, comments included."""
    file: str
    first_line: int
    """Where `source` begins in its file: `read(source, file, first_line=…)` finds the same places again."""
    places: Mapping[Steps, Place]
    keys: Mapping[Steps, Place]
    bases: "tuple[Document, ...]" = ()
    """What it extends, the nearest first; `data` and the places are then of the whole."""

    def place(self, path: Steps = ()) -> Place:
        """Where a value is written; where it is absent, the nearest thing around it that is there."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places[path]

    def key_place(self, path: Steps) -> Place:
        """Where the key of this value is written."""
        return self.keys.get(path) or self.place(path)

    def problem(self, place: Place, sentence: str) -> Problem:
        """What is wrong there; of what it extends, whose words it is, for whoever cannot mend that file."""
        if place.file != self.file:
            sentence += f" (extended by {self.name}, {self.place(('name',))}: say there otherwise, or null)"
        return Problem(place, sentence)


def read(text: str, file: str, *, first_line: int = 1) -> tuple[Document, ...]:
    """Every document in this text.

    :raises DocumentError: with all that is wrong."""
    reading = _Reading(text, file, first_line)
    documents = reading.documents()
    if reading.problems:
        raise DocumentError(reading.problems)
    return documents


def read_files(paths: Iterable[pathlib.Path]) -> tuple[Document, ...]:
    """Every document in these files.

    :raises DocumentError: with what is wrong in any of them, unreadable files included."""
    documents: list[Document] = []
    problems: list[Problem] = []
    for path in paths:
        try:
            documents += read(path.read_text(encoding="utf-8-sig"), str(path))
        except DocumentError as error:
            problems += error.problems
        except UnicodeDecodeError as error:
            before = error.object[: error.start].decode("utf-8-sig")
            place = Place(str(path), before.count("\n") + 1, len(before) - before.rfind("\n"))
            problems.append(Problem(place, "the file is not UTF-8 text"))
        except OSError as error:
            problems.append(Problem(Place(str(path), 1, 1), f"the file cannot be read: {error.strerror}"))
    if problems:
        raise DocumentError(problems)
    return tuple(documents)


Model = TypeVar("Model", bound=BaseModel)


def check_model(model: type[Model], document: Document) -> Model:
    """The document as this model.

    :raises DocumentError: with every problem that the model finds, in sentences, at its place."""
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        findings = told(error, document.data, model.model_json_schema())
        raise DocumentError(
            document.problem(document.key_place(f.at) if f.about_key else document.place(f.at), f.sentence)
            for f in findings
        ) from None


# -- reading -------------------------------------------------------------------------------------------------------


class _Unreadable(Exception):
    """The rest of the text cannot be read; the problem is noted already."""


class _Reading:
    """One pass over the parser's events: builds plain data, notes places and problems."""

    def __init__(self, text: str, file: str, first_line: int, parser: Any = _PARSER) -> None:
        self.problems: list[Problem] = []
        self._text = text
        self._file = file
        self._first_line = first_line
        self._parser = parser
        self._events: Iterator[Any] = iter(())
        self._nodes = 0
        self._places: dict[Steps, Place] = {}
        self._keys: dict[Steps, Place] = {}

    def documents(self) -> tuple[Document, ...]:
        found: list[Document] = []
        try:
            self._events = self._parse()
            begin = 0
            for event in self._events:
                if isinstance(event, yaml.DocumentStartEvent):
                    self._places, self._keys = {}, {}
                    data = self._node(next(self._events), (), 1)
                    end = next(self._events).end_mark.line
                    found += self._document(data, begin, end)
                    begin = end
        except _Unreadable:
            return ()
        if not found and not self.problems:
            self._problem(self._place(0, 0), "there is no document here; one begins with the keys kind and name")
        return tuple(found)

    def _parse(self) -> Iterator[Any]:
        if len(self._text) > MAX_CHARACTERS:
            self._fail(self._place(0, 0), f"more than {MAX_CHARACTERS} characters; no document needs so many")
        try:
            self._text.encode()
            yield from yaml.parse(self._text, Loader=self._parser)
        except UnicodeEncodeError as error:
            self._fail(self._at(error.start), "the text holds half characters (lone surrogates); save it as UTF-8")
        except yaml.reader.ReaderError as error:
            found = self._at(self._text.find(chr(error.character)))
            self._fail(found, f"a character that YAML does not allow (U+{error.character:04X})")
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            place = self._place(mark.line, mark.column) if mark else self._place(0, 0)
            tab = "; a tab stands there: blanks indent" if self._is_tab(mark) else ""
            self._fail(place, f"this is not YAML: {error.problem or error.context}{tab}")

    def _document(self, data: Any, begin: int, end: int) -> Iterator[Document]:
        if data is None:
            return
        if not isinstance(data, dict):
            self._problem(self._places[()], "a document is a list of keys and values, beginning with kind and name")
            return
        for key in ("kind", "name"):
            if not isinstance(data.get(key), str) or not data[key]:
                place = self._places.get((key,), self._places[()])
                self._problem(place, f"the key {key!r} is missing" if key not in data else f"{key} must be a word")
            elif not _NAME.fullmatch(data[key]):
                self._problem(
                    self._places[(key,)], f"{key} is up to 50 small letters, digits, points, dashes and underscores"
                )
        if all(isinstance(data.get(key), str) for key in ("kind", "name")):
            lines = self._text.splitlines(keepends=True)
            last = end if any(line.strip() for line in lines[end:]) else len(lines)
            source = "".join(lines[begin:last])
            yield Document(
                data["kind"], data["name"], data, source, self._file, self._first_line + begin, self._places, self._keys
            )

    def _node(self, event: Any, path: Steps, depth: int) -> Any:
        here = self._mark(event)
        self._places.setdefault(path, here)
        self._nodes += 1
        if self._nodes > MAX_NODES:
            self._fail(here, f"more than {MAX_NODES} values; no document needs so many")
        if depth > MAX_DEPTH:
            self._fail(here, f"nested more than {MAX_DEPTH} deep")
        if isinstance(event, yaml.AliasEvent):
            self._problem(here, f"aliases (*{event.anchor}) are not used in documents: write the value out")
            return None
        if event.anchor:
            self._problem(here, f"anchors (&{event.anchor}) are not used in documents: write the value out")
        if event.tag:
            self._problem(here, f"tags ({event.tag}) are not used in documents: quote what is text")
        if isinstance(event, yaml.ScalarEvent):
            return event.value if event.style else _resolved(event.value)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._list(path, depth)
        return self._dict(path, depth)

    def _list(self, path: Steps, depth: int) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._node(event, (*path, len(items)), depth + 1))
        return items

    def _dict(self, path: Steps, depth: int) -> dict[str, Any]:
        entries: dict[str, Any] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            here = self._mark(event)
            if not isinstance(event, yaml.ScalarEvent):
                self._node(event, (*path, "?"), depth + 1)
                self._problem(here, "a key must be a word")
                self._node(next(self._events), (*path, "?"), depth + 1)
                continue
            key = event.value
            if event.anchor or event.tag:
                self._problem(here, "anchors and tags are not used in documents")
            below = (*path, key)
            if key in entries:
                first = self._keys[below]
                self._problem(here, f"the key {key!r} stands here twice; the first is in line {first.line}")
                self._node(next(self._events), (*path, "?"), depth + 1)
                continue
            self._keys[below] = here
            value_event = next(self._events)
            if isinstance(value_event, yaml.CollectionStartEvent):
                self._places[below] = here  # a whole block is best pointed at by its key
            entries[key] = self._node(value_event, below, depth + 1)
        return entries

    def _mark(self, event: Any) -> Place:
        return self._place(event.start_mark.line, event.start_mark.column)

    def _place(self, line: int, column: int) -> Place:
        return Place(self._file, self._first_line + line, column + 1)

    def _at(self, index: int) -> Place:
        """The place of a character of the text."""
        before = self._text[: max(index, 0)]
        return self._place(before.count("\n"), len(before) - before.rfind("\n") - 1)

    def _is_tab(self, mark: Any) -> bool:
        lines = self._text.splitlines()
        return mark is not None and mark.line < len(lines) and lines[mark.line][mark.column : mark.column + 1] == "\t"

    def _problem(self, place: Place, sentence: str) -> None:
        self.problems.append(Problem(place, sentence))

    def _fail(self, place: Place, sentence: str) -> None:
        self._problem(place, sentence)
        raise _Unreadable


def _resolved(word: str) -> Any:
    """What a word without quotes means in YAML 1.2's core schema."""
    if _NULL.fullmatch(word):
        return None
    if _BOOL.fullmatch(word):
        return word.lower() == "true"
    if _INT.fullmatch(word):
        return int(word)
    if _FLOAT.fullmatch(word) and not word.lstrip("-+").isdigit():
        return float(word)
    return word
