"""Bodies that are made while they are sent, files in them. No file is ever whole in memory."""

import base64
import codecs
import json
import re
import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from connectors.api import FileDraft
from connectors.asking import Encode, Made
from connectors.credentials import Shown
from connectors.profiled.values import fill, put
from connectors.profiled.vocabulary.comments import InlineFiles, PartFiles
from connectors.profiled.vocabulary.parts import Request

_STEP = 57 * 1024
"""Bytes that become base64 at a time: a multiple of three, so that the pieces join."""
_HOLE = f"{secrets.token_hex(8)}-file"
"""Nobody who writes a text can know it."""
_A_HOLE = re.compile(rf"{_HOLE}(\d+)")

Written = tuple[str, Encode]
"""How a body is written: its media type, and what writes it."""


@dataclass(frozen=True, slots=True)
class Streamed:
    """A body that is made while it is sent, anew for each log-in: it bears what we show of us."""

    media_type: str
    made: Made


class FileBody:
    """The bytes of a draft."""

    def __init__(self, file: FileDraft) -> None:
        self._file = file

    def __len__(self) -> int:
        return self._file.size

    def __iter__(self) -> Iterator[bytes]:
        with self._file.open() as chunks:
            yield from chunks


class InlineBody:
    """A body with files inside as base64: each stands where the body has its `hole`. It is JSON, or what `encode` makes
    of it, where texts stand without quotes."""

    def __init__(
        self, body: Mapping[str, Any], files: Sequence[FileDraft], empty: str = "", encode: Encode | None = None
    ) -> None:
        self.data = _with_files(body, files)
        """The same as data, the files themselves in their places: for a voice that writes bodies of its own."""
        self._quote = b'"' if encode is None else b""
        written = json.dumps(body) if encode is None else encode(body).decode()
        texts = re.split(rf'"{_HOLE}(\d+)"' if encode is None else rf"(?<=>){_HOLE}(\d+)(?=<)", written)
        self._texts = [text.encode() for text in texts[0::2]]
        self._files = [files[int(number)] for number in texts[1::2]]
        self._empty = json.dumps(empty).encode() if encode is None else empty.encode()

    def __len__(self) -> int:
        return sum(map(len, self._texts)) + sum(
            2 * len(self._quote) + 4 * -(-file.size // 3) if file.size else len(self._empty) for file in self._files
        )

    def __iter__(self) -> Iterator[bytes]:
        yield self._texts[0]
        for file, text in zip(self._files, self._texts[1:], strict=True):
            if file.size:
                yield self._quote
                yield from _encoded(file)
                yield self._quote
            else:
                yield self._empty
            yield text


@dataclass(frozen=True, slots=True)
class _Digits:
    """A file as base64."""

    file: FileDraft

    def __len__(self) -> int:
        return 4 * -(-self.file.size // 3)


class FormBody:
    """A multipart form: first the fields of a body, then files, each as (part, name, file). A field may have `inside`
    files, as base64 where the body has their holes."""

    def __init__(
        self,
        body: Mapping[str, Any],
        files: Sequence[tuple[str, str, FileDraft]],
        boundary: str,
        *,
        as_json: Collection[str] = (),
        inside: Sequence[FileDraft] = (),
    ) -> None:
        self._boundary = boundary
        self._pieces: list[bytes | FileDraft | _Digits] = []
        for name, value in flattened(body, as_json=as_json):
            texts = _A_HOLE.split(value) if inside else [value]
            self._pieces.append(self._head(name) + b"\r\n" + texts[0].encode())
            for number, text in zip(texts[1::2], texts[2::2], strict=True):
                self._pieces += [_Digits(inside[int(number)]), text.encode()]
            self._pieces.append(b"\r\n")
        for part, name, file in files:
            ending = f'; filename="{_quoted(name)}"\r\nContent-Type: {file.media_type}\r\n\r\n'
            self._pieces += [self._head(part)[:-2] + ending.encode(), file, b"\r\n"]
        self._pieces.append(f"--{self._boundary}--\r\n".encode())

    def __len__(self) -> int:
        return sum(len(each) if isinstance(each, bytes | _Digits) else each.size for each in self._pieces)

    def __iter__(self) -> Iterator[bytes]:
        for each in self._pieces:
            if isinstance(each, bytes):
                yield each
            elif isinstance(each, _Digits):
                yield from _encoded(each.file)
            else:
                with each.open() as chunks:
                    yield from chunks

    def _head(self, name: str) -> bytes:
        return f'--{self._boundary}\r\nContent-Disposition: form-data; name="{_quoted(name)}"\r\n'.encode()


def alone(file: FileDraft) -> Streamed:
    """The file itself."""
    return Streamed("application/octet-stream", lambda _: FileBody(file))


def hole(number: int) -> str:
    """What stands in a body of data for a file."""
    return f"{_HOLE}{number}"


def holding(
    body: Mapping[str, Any], files: Sequence[FileDraft], request: Request, written: Written, empty: str = ""
) -> Streamed:
    """A body of data with files where it has holes, as base64, in the form that its request names: `written` are the
    media type of that and what writes it."""
    if request.format in ("form", "multipart"):
        return form(body, (), as_json=request.as_json, inside=files)
    kind, encode = written
    own = encode if request.format == "xml" else None
    return Streamed(kind, lambda shown: InlineBody(shown.signed(body) or {}, files, empty, own))


def inline(
    body: Mapping[str, Any],
    shape: InlineFiles,
    files: Sequence[FileDraft],
    request: Request,
    written: Written,
) -> Streamed:
    """A comment's body with its files inside, in the form that its request names."""
    entries: list[dict[str, Any]] = []
    for number, file in enumerate(files):
        entry: dict[str, Any] = {}
        put(entry, shape.name, encoded_word(file.name) if shape.encoded_names else file.name)
        put(entry, shape.media_type, _kept_kind(file) if shape.recodes else file.media_type)
        put(entry, shape.content, hole(number))
        entries.append(entry)
    whole: dict[str, Any] = json.loads(json.dumps(body))
    put(whole, shape.at, entries)
    sent = [wrapped(file) for file in files] if shape.twice else files
    return holding(whole, sent, request, written, shape.empty)


def _kept_kind(file: FileDraft) -> str:
    """The type that a file goes as where others would be changed on their way."""
    kind = file.media_type.partition(";")[0].strip().lower()
    if kind.startswith(("multipart/", "message/")) or (kind in ("text/plain", "text/html") and not _is_utf8(file)):
        return "application/octet-stream"
    return kind or "application/octet-stream"


def _is_utf8(file: FileDraft) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with file.open() as chunks:
            for chunk in chunks:
                decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def form(
    body: Mapping[str, Any],
    files: Sequence[tuple[str, str, FileDraft]],
    *,
    as_json: Collection[str] = (),
    inside: Sequence[FileDraft] = (),
) -> Streamed:
    """A multipart form of a body's fields and of files, each as (part, name, file), or inside the body's holes."""
    boundary = secrets.token_hex(16)

    def made(shown: Shown) -> FormBody:
        return FormBody(shown.signed(body) or {}, files, boundary, as_json=as_json, inside=inside)

    return Streamed(f"multipart/form-data; boundary={boundary}", made)


def parted(
    body: Mapping[str, Any], shape: PartFiles, files: Sequence[FileDraft], as_json: Collection[str] = ()
) -> Streamed:
    """A comment's body as a form, with its files as parts."""
    parts = [(fill(shape.part, {"number": n}), file.name, file) for n, file in enumerate(files, start=1)]
    return form(body, parts, as_json=as_json)


def flattened(body: Any, name: str = "", *, as_json: Collection[str] = ()) -> Iterator[tuple[str, str]]:
    """The fields of a form: what is nested is named as issue[subject], the rows of a list as tags[]; of those in
    `as_json` the value goes as JSON's text."""
    if name in as_json:
        yield name, json.dumps(body)
    elif isinstance(body, Mapping):
        for step, each in body.items():
            yield from flattened(each, f"{name}[{step}]" if name else str(step), as_json=as_json)
    elif isinstance(body, list | tuple):
        for number, each in enumerate(body):
            yield from flattened(each, f"{name}[{number}]" if isinstance(each, Mapping | list) else f"{name}[]")
    else:
        yield name, "" if body is None else str(body).lower() if isinstance(body, bool) else str(body)


def encoded_word(name: str) -> str:
    """A name as one RFC 2047 word: the only form that some products keep exactly."""
    return f"=?UTF-8?B?{base64.b64encode(name.encode()).decode()}?="


def wrapped(file: FileDraft) -> FileDraft:
    """The file as one whose bytes are its base64, for servers that want it twice."""

    @contextmanager
    def opened() -> Iterator[Iterator[bytes]]:
        yield _encoded(file)

    return replace(file, size=4 * -(-file.size // 3), open=opened)


def _encoded(file: FileDraft) -> Iterator[bytes]:
    rest = b""
    with file.open() as chunks:
        for chunk in chunks:
            rest += chunk
            while len(rest) >= _STEP:
                yield base64.b64encode(rest[:_STEP])
                rest = rest[_STEP:]
    yield base64.b64encode(rest)


def _with_files(data: Any, files: Sequence[FileDraft]) -> Any:
    if isinstance(data, Mapping):
        return {name: _with_files(each, files) for name, each in data.items()}
    if isinstance(data, list):
        return [_with_files(each, files) for each in data]
    found = _A_HOLE.fullmatch(data) if isinstance(data, str) else None
    return files[int(found[1])] if found else data


def _quoted(name: str) -> str:
    """A name inside quotes, as browsers write it."""
    return name.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22")
