"""Files on their way: inside a comment's body, uploaded before it, and down again. Never a whole one in memory."""

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, unquote

from connectors.api import FileDraft, RemoteFile
from connectors.errors import NotFound, ProtocolError, Refused, Transient, Unknown
from connectors.profiled.profile import InlineFiles, Request, UploadedFiles
from connectors.profiled.site import Site
from connectors.profiled.values import at, fill, put
from connectors.session import Made
from connectors.soap import voice as soap

_STEP = 57 * 1024
"""Bytes that become base64 at a time: a multiple of three, so that the pieces join."""
_HOLE = "b2f6a1c4-file"
_DIGITS = 64 * 1024
"""Of base64 that are decoded at a time: a multiple of four."""
_MOST_FILES = 4
"""How many of the largest files an answer may hold that holds more than one."""
_LONGEST_PREAMBLE = 1 << 20
"""Bytes of an answer before the file in it begins."""


class FileBody:
    """The bytes of a draft, as a request's body."""

    def __init__(self, file: FileDraft) -> None:
        self._file = file

    def __len__(self) -> int:
        return self._file.size

    def __iter__(self) -> Iterator[bytes]:
        with self._file.open() as chunks:
            yield from chunks


class InlineBody:
    """A JSON body with files inside as base64, made while it is sent. Its length is known beforehand."""

    def __init__(self, body: Mapping[str, Any], shape: InlineFiles, files: tuple[FileDraft, ...], site: Site) -> None:
        media_type = site.quirks.media_type or (lambda file: file.media_type)
        entries = [
            {
                shape.name: encoded_word(file.name) if shape.encoded_names else file.name,
                shape.media_type: media_type(file),
            }
            for file in files
        ]
        whole: dict[str, Any] = json.loads(json.dumps(body))
        self.data: dict[str, Any] = json.loads(json.dumps(body))
        """The same as data, the files themselves in their places: for a voice that writes bodies of its own."""
        put(self.data, shape.at, [{**each, shape.content: file} for each, file in zip(entries, files, strict=True)])
        put(whole, shape.at, [{**each, shape.content: f"{_HOLE}{number}"} for number, each in enumerate(entries)])
        texts = re.split(rf'"{_HOLE}(\d+)"', json.dumps(whole))
        self._texts = [text.encode() for text in texts[0::2]]
        self._files = [files[int(number)] for number in texts[1::2]]
        self._empty = json.dumps(shape.empty).encode()

    def __len__(self) -> int:
        return sum(map(len, self._texts)) + sum(
            2 + 4 * -(-file.size // 3) if file.size else len(self._empty) for file in self._files
        )

    def __iter__(self) -> Iterator[bytes]:
        yield self._texts[0]
        for file, text in zip(self._files, self._texts[1:], strict=True):
            if file.size:
                yield b'"'
                yield from _encoded(file)
                yield b'"'
            else:
                yield self._empty
            yield text


def _encoded(file: FileDraft) -> Iterator[bytes]:
    rest = b""
    with file.open() as chunks:
        for chunk in chunks:
            rest += chunk
            while len(rest) >= _STEP:
                yield base64.b64encode(rest[:_STEP])
                rest = rest[_STEP:]
    yield base64.b64encode(rest)


def inline(body: Mapping[str, Any], shape: InlineFiles, files: tuple[FileDraft, ...], site: Site) -> Made:
    """A body with files inside, for whoever adds our credentials to it."""
    return lambda shown: InlineBody(shown.signed(body), shape, files, site)


def encoded_word(name: str) -> str:
    """A name as one RFC 2047 word: the only form that some products keep exactly."""
    return f"=?UTF-8?B?{base64.b64encode(name.encode()).decode()}?="


def check(site: Site, files: tuple[FileDraft, ...], *, internal: bool) -> None:
    """:raises Refused: field `files`, if one of them cannot be sent there. Nothing has been sent."""
    powers = site.capabilities
    if not files:
        return
    if not powers.files:
        raise Refused(f"{site.profile.product} takes no files with a comment", field="files")
    if internal and not site.profile.comment.internal_files:
        raise Refused(f"{site.profile.product} would show the files of a hidden comment to everybody", field="files")
    limit = min(each for each in (powers.max_file, site.environment.max_file) if each is not None)
    for file in files:
        if not file.size and not powers.empty_files:
            raise Refused(f"{site.profile.product} takes no empty file ({file.name!r})", field="files")
        if file.size > limit:
            raise Refused(f"the file {file.name!r} is larger ({file.size:,} bytes) than {limit:,} bytes", field="files")


def upload(site: Site, shape: UploadedFiles, file: FileDraft, body: MutableMapping[str, Any]) -> None:
    """Upload a file and let the comment's body name it.

    :raises Refused: field `files`.
    :raises Transient: also where the answer was lost, since an upload that nobody refers to is nothing."""
    try:
        answer = site.write(
            shape, stream=FileBody(file), headers={"Content-Type": "application/octet-stream"}, name=file.name
        )
        claim = at(answer.data(), shape.claim)
    except Refused as refused:
        raise Refused(refused.reason, field="files") from None
    except Unknown as lost:
        raise Transient(f"the file {file.name!r} was not taken, and nothing refers to it yet: {lost}") from None
    if not claim:
        raise ProtocolError(f"{answer.about}: the upload's answer has nothing under {shape.claim!r}")
    if at(body, shape.at) is None:
        put(body, shape.at, [])
    at(body, shape.at).append({shape.key: claim, shape.name: file.name, shape.media_type: file.media_type})


def whereabouts(site: Site, key: str, comment: str) -> str:
    """What of a file's place a download needs to be told, beside its id; "": nothing."""
    asked = site.profile.download
    said = "".join((asked.path, *asked.query.values(), *map(str, asked.body.values())))
    return f"{quote(key, safe='')}/{quote(comment, safe='')}" if "{key}" in said or "{comment}" in said else ""


def _place(site: Site, file: RemoteFile) -> tuple[Request, dict[str, Any]]:
    """The request for a file's bytes, and the words that it needs.

    :raises ProtocolError: its link leads elsewhere than to the registered system."""
    words = {"id": file.id, "name": file.name}
    if "://" not in file.address and not file.address.startswith("/"):
        key, _, comment = file.address.partition("/")
        return site.profile.download, {**words, "key": unquote(key), "comment": unquote(comment)}
    root = str(fill(site.profile.root, site.words()))
    path = file.address.removeprefix(root)
    if not path.startswith("/") or path.startswith("//"):
        elsewhere = file.address.partition("?")[0]
        raise ProtocolError(f"the file {file.name!r} is at {elsewhere}, outside of {root}: it is not fetched")
    return site.profile.download.model_copy(update={"path": path.replace("{", "%7B"), "query": {}}), words


@contextmanager
def download(site: Site, file: RemoteFile) -> Iterator[Iterator[bytes]]:
    """The bytes of a file, in chunks.

    :raises NotFound: it is gone.  :raises ProtocolError: it is larger than allowed, or broken."""
    shape, limit = site.profile.download, site.environment.max_file
    request, place = _place(site, file)
    words, about = site.words(**place), f"the file {file.name!r}"
    if shape.base64_in is not None:
        answer = site.read(request, limit=_MOST_FILES * (limit * 3 // 2 + 65536), **place)
        yield _bounded(_decoded(at(answer.data(), fill(shape.base64_in, words)), about), limit, about)
    elif shape.base64_at is None:
        with site.voice.stream(request, words, limit=limit, media_type=file.media_type, size=file.size) as chunks:
            yield chunks
    else:
        with site.voice.stream(request, words, limit=limit * 3 // 2 + 65536) as chunks:
            unwrap = soap.unwrapped if site.profile.family == "soap" else unwrapped
            yield _bounded(unwrap(chunks, shape.base64_at, about), limit, about)


def _decoded(digits: Any, about: str) -> Iterator[bytes]:
    """The bytes of a base64 text that was read as a whole."""
    if digits is None:
        raise NotFound(f"{about} is gone")
    if not isinstance(digits, str):
        raise ProtocolError(f"{about}: what stands for it is not text")
    plain = re.sub(r"[\r\n]", "", digits)
    try:
        yield from (base64.b64decode(plain[at : at + _DIGITS], validate=True) for at in range(0, len(plain), _DIGITS))
    except binascii.Error:
        raise ProtocolError(f"{about}: what stands for it is not base64") from None


def _bounded(chunks: Iterator[bytes], limit: int, about: str) -> Iterator[bytes]:
    total = 0
    for chunk in chunks:
        total += len(chunk)
        if total > limit:
            raise ProtocolError(f"{about}: the file is larger than {limit:,} bytes")
        yield chunk


def unwrapped(chunks: Iterator[bytes], key: str, about: str) -> Iterator[bytes]:
    """The bytes that stand as base64 under a key of a JSON object, without ever holding all of it."""
    rest = _value_of(chunks, key, about)
    if rest.startswith(b"null"):
        return
    if not rest.startswith(b'"'):
        raise ProtocolError(f"{about}: the file under {key!r} is not text")
    rest, digits, done = rest[1:], b"", False
    while True:
        piece, quote, _ = rest.partition(b'"')
        done = bool(quote)
        # JSON escapes inside base64 are line ends and slashes, and may be cut in two by a chunk's edge
        escape = b"" if done or not piece.endswith(b"\\") else b"\\"
        piece = piece[: len(piece) - len(escape)]
        digits += piece.replace(b"\\n", b"").replace(b"\\r", b"").replace(b"\\/", b"/")
        whole = len(digits) if done else len(digits) - len(digits) % 4
        try:
            yield base64.b64decode(digits[:whole], validate=True)
        except binascii.Error:
            raise ProtocolError(f"{about}: the file under {key!r} is not base64") from None
        digits = digits[whole:]
        if done:
            return
        more = next(chunks, None)
        if more is None:
            raise ProtocolError(f"{about}: the answer ends in the middle of a file")
        rest = escape + more


def _value_of(chunks: Iterator[bytes], key: str, about: str) -> bytes:
    """The beginning of the value under a key: enough of it to tell what it is."""
    opening = re.compile(rb'"' + re.escape(key.encode()) + rb'"\s*:\s*')
    buffer = b""
    for chunk in chunks:
        buffer += chunk
        found = opening.search(buffer)
        if found is not None and not b"null".startswith(buffer[found.end() :][:3]):
            return buffer[found.end() :]
        if found is not None and len(buffer) >= found.end() + 4:
            return buffer[found.end() :]
        if found is None and len(buffer) > _LONGEST_PREAMBLE:
            break
    raise ProtocolError(f"{about}: the answer has no file under {key!r}", raw=buffer.decode("utf-8", "replace"))
