"""Files on their way: inside a comment's body, uploaded before it, and down again. Never a whole one in memory."""

import base64
import binascii
import re
from collections.abc import Collection, Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, unquote

from connectors import marks
from connectors.answers import Answer
from connectors.api import FileDraft, RemoteFile
from connectors.errors import NotFound, ProtocolError, Refused, Transient, Unknown
from connectors.profiled import steps, streams
from connectors.profiled.onward import linked
from connectors.profiled.site import Site
from connectors.profiled.values import at, fill, put
from connectors.profiled.vocabulary.comments import AttachedFiles, UploadedFiles
from connectors.profiled.vocabulary.conversation import Download
from connectors.profiled.vocabulary.parts import Request
from connectors.rest.formats import encoder
from connectors.soap import voice as soap

_DIGITS = 64 * 1024
"""Of base64 that are decoded at a time: a multiple of four."""
_MOST_FILES = 4
"""How many of the largest files an answer may hold that holds more than one."""
_LONGEST_PREAMBLE = 1 << 20
"""Bytes of an answer before the file in it begins."""


def check(site: Site, files: tuple[FileDraft, ...], *, internal: bool) -> None:
    """:raises Refused: field `files`, if one of them cannot be sent there. Nothing has been sent."""
    powers = site.capabilities
    if not files:
        return
    shape = site.profile.comment
    if not powers.files or not (shape.inline or shape.uploaded or shape.attached or shape.parts):
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
    answer = _sent(site, shape, file, file.name, {})
    claim = at(answer.data(), shape.claim)
    if not claim:
        raise ProtocolError(f"{answer.about}: the upload's answer has nothing under {shape.claim!r}")
    if at(body, shape.at) is None:
        put(body, shape.at, [])
    told = {shape.key: claim, shape.name: file.name, shape.media_type: file.media_type}
    at(body, shape.at).append({name: said for name, said in told.items() if name} if shape.key else claim)


def attach(
    site: Site, shape: AttachedFiles, key: str, files: Sequence[FileDraft], token: str, there: Collection[str]
) -> None:
    """Hang the files of a comment on its ticket, save those that are there already: `there` are the names on it.

    :raises Refused: field `files`.
    :raises Transient: also where an answer was lost, since a file is nothing until its comment is written."""
    for number, file in enumerate(files, start=1):
        name = marks.stamp_name(file.name, token, number)
        if name not in there:
            words = {"key": key, "name": name, "media_type": file.media_type, "size": file.size}
            answer = _sent(site, shape, file, name, {"key": key})
            try:
                steps.after(site, shape.then, words | steps.kept(shape.keep, answer))
            except Unknown as lost:
                raise Transient(f"whether the file {file.name!r} hangs on the ticket is open: {lost}") from None


def _sent(
    site: Site, shape: UploadedFiles | AttachedFiles, file: FileDraft, name: str, words: Mapping[str, Any]
) -> Answer:
    """Send the bytes of one file: alone, as a part of a form, or as base64 inside a body."""
    known = {**words, "name": name, "media_type": file.media_type, "size": file.size, "content": streams.hole(0)}
    body = site.body(shape, site.words(**known))
    if isinstance(shape, AttachedFiles) and shape.twice:
        file = streams.wrapped(file)
    if shape.part is not None:
        streamed = streams.form(body, [(shape.part, name, file)], as_json=shape.as_json)
    else:
        streamed = streams.holding(body, [file], shape, encoder(shape)) if shape.body else streams.alone(file)
    headers = {} if "Content-Type" in shape.headers else {"Content-Type": streamed.media_type}
    try:
        return site.write(shape, stream=streamed.made, headers=headers, **known)
    except Refused as refused:
        raise Refused(refused.reason, field="files") from None
    except Unknown as lost:
        raise Transient(f"the file {file.name!r} was not taken, and nothing refers to it yet: {lost}") from None


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
    request, known = linked(root, site.profile.download, file.address, f"the file {file.name!r}", adding=True)
    return request, {**words, **known}


@contextmanager
def download(site: Site, file: RemoteFile) -> Iterator[Iterator[bytes]]:
    """The bytes of a file, in chunks.

    :raises NotFound: it is gone.  :raises ProtocolError: it is larger than allowed, or broken."""
    shape, limit = site.profile.download, site.environment.max_file
    request, place = _place(site, file)
    words, about = site.words(**place), f"the file {file.name!r}"
    body = site.body(request, words)
    if shape.base64_in is not None:
        answer = site.read(request, limit=_MOST_FILES * _packed(shape, limit), **place)
        bytes_ = _decoded(at(answer.data(), fill(shape.base64_in, words)), about)
        yield _bounded(_once_more(bytes_, about) if shape.twice else bytes_, limit, about)
    elif shape.base64_at is None:
        with site.voice.stream(request, words, body, limit=limit, media_type=file.media_type, size=file.size) as chunks:
            yield chunks
    else:
        with site.voice.stream(request, words, body, limit=_packed(shape, limit)) as chunks:
            unwrap = soap.unwrapped if site.profile.family == "soap" else unwrapped
            bytes_ = unwrap(chunks, shape.base64_at, about)
            yield _bounded(_once_more(bytes_, about) if shape.twice else bytes_, limit, about)


def unpacked(digits: str, limit: int, about: str) -> Iterator[bytes]:
    """The bytes of a base64 text.  :raises ProtocolError: it is none, or they are more than the limit."""
    return _bounded(_decoded(digits, about), limit, about)


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


def _packed(shape: Download, limit: int) -> int:
    """How long the answer may be that holds the largest file as base64, line ends and all."""
    once = limit * 3 // 2 + 65536
    return once * 3 // 2 if shape.twice else once


def _once_more(chunks: Iterator[bytes], about: str) -> Iterator[bytes]:
    """The bytes of what is base64 again once it was unwrapped."""
    rest = b""
    for chunk in chunks:
        rest += b"".join(chunk.split())
        size = len(rest) - len(rest) % 4
        yield _unpacked(rest[:size], about)
        rest = rest[size:]
    yield _unpacked(rest, about)


def _unpacked(digits: bytes, about: str) -> bytes:
    try:
        return base64.b64decode(digits, validate=True)
    except binascii.Error:
        raise ProtocolError(f"{about}: it is not base64 once more, as the profile says (twice)") from None


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
