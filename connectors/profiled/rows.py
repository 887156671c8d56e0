"""One row of a list that hangs on a ticket, understood: its id, whether it is meant, hidden, and what it says. Pure but
for where a file's bytes are."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from connectors import patterns
from connectors.api import RemoteFile
from connectors.errors import ProtocolError
from connectors.markup import Picture, read_as
from connectors.profiled.files import whereabouts
from connectors.profiled.site import Site
from connectors.profiled.values import at, first, plain, text, truth, word
from connectors.profiled.vocabulary.conversation import CommentRows, FileRows, Format, Hidden, Log, Rows


def identity(row: Any, shape: Rows, met: Counter[str]) -> str:
    """A row's id, as it bears it or as its contents tell it from others; `met` counts those that are alike."""
    if not shape.id_from:
        return text(at(row, shape.id))
    content = json.dumps([text(at(row, each)) for each in shape.id_from])
    digest = hashlib.sha256(content.encode()).hexdigest()[:24]
    met[digest] += 1
    return digest if met[digest] == 1 else f"{digest}-{met[digest]}"


def fallen(log: str, shape: Log) -> Iterator[dict[str, str]]:
    """The rows that a text falls into. What is above the first is of nobody."""
    row: dict[str, str] | None = None
    for line in log.split("\n"):
        head = patterns.found(f"^(?:{shape.head})$", line)
        if head is not None:
            if row is not None:
                yield row
            row = {**dict(zip(shape.tells, (text(each).strip() for each in head.groups()), strict=False)), "text": ""}
        elif row is not None:
            row["text"] = f"{row['text']}\n{line}" if row["text"] else line
    if row is not None:
        yield row


def is_meant(row: Any, shape: Rows) -> bool:
    """Whether a row is one of those that a list means."""
    return meets(row, shape.where) and (shape.having is None or at(row, shape.having) not in (None, ""))


def meets(row: Any, where: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether a row shows, at each of these paths, one of the words there."""
    return all(word(at(row, path)) in words for path, words in where.items())


def is_internal(row: Any, shape: bool | str | Hidden | None) -> bool:
    """Whether a comment is hidden from the public. Where words are given for one side, all others mean the other."""
    if shape is None or isinstance(shape, bool):
        return bool(shape)
    if isinstance(shape, str):
        return truth(at(row, shape))
    said = word(at(row, shape.at))
    return said in shape.internal if shape.internal else said not in shape.public


def read_text(row: Any, shape: CommentRows) -> tuple[str, tuple[Picture, ...]]:
    """A comment's text as people read it, and the images that they see in it."""
    said = text(first(row, shape.text))
    form = shape.format
    if isinstance(form, Format):
        form = "html" if _says_html(row, form) else "plain"
    seen, pictures = read_as(form, said)
    read = text(plain(seen))
    cut = patterns.found(shape.noise, read) if shape.noise is not None else None
    return (read if cut is None else read[: cut.start()] + read[cut.end() :]), pictures


def _says_html(row: Any, shape: Format) -> bool:
    return word(at(row, shape.at)).partition(";")[0].strip() in shape.html


def remote_file(site: Site, shape: FileRows, row: Any, key: str, comment: str) -> RemoteFile:
    """A file as a row lists it.  :raises ProtocolError: it has no id."""
    number, size = text(at(row, shape.id)), text(at(row, shape.size or "-"))
    if not number:
        raise ProtocolError(f"ticket {key}: a file has no id under {shape.id!r}", raw=repr(row))
    return RemoteFile(
        id=number,
        name=text(plain(at(row, shape.name))) or f"file-{number}",
        media_type=text(first(row, shape.media_type)) or "application/octet-stream",
        size=int(size) if size.isdecimal() else None,
        address=text(at(row, shape.link)) if shape.link else whereabouts(site, key, comment),
    )
