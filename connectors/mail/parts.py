"""One part of a mail: its bytes, its text, the words of its headers, the name of its file. Pure; nothing is raised."""

import re
from collections.abc import Callable, Iterator, Sequence
from email.header import decode_header
from email.message import Message
from email.utils import getaddresses
from typing import TypeVar

from connectors import markup

MAX_DEPTH, MAX_PARTS, MAX_FILES = 12, 200, 100
MAX_HEADER = 16 * 1024
MAX_TEXT = 1024 * 1024
"""Characters of a mail's text that are understood: one with more is said to be too large."""
CUT = MAX_TEXT + 4096
"""Where it is cut: what is cut must still be told from what is as long as that."""

_CID_IMAGE = re.compile(r"""<img\b[^<>]{0,4000}?\bsrc\s*=\s*["']?cid:([^"'<>\s]{1,400})[^<>]{0,4000}>""", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_Result = TypeVar("_Result")


def is_text(part: Message, kind: str) -> bool:
    """Whether a part is words to read, and no file."""
    attached = (part.get_content_disposition() or "") == "attachment" or bool(part.get_filename())
    return kind in ("text/plain", "text/html", "text/xml", "application/xml") and not attached


def text(part: Message, kind: str) -> tuple[str, tuple[markup.Picture, ...]]:
    """What a part says, as plain text, and the images whose bytes stand in it."""
    charset = safely(part.get_content_charset, None) or ""
    text = _decoded(content(part), charset)
    text = _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    if kind == "text/html":
        said, pictures = markup.seen(_CID_IMAGE.sub(r" [cid:\1] ", text), CUT)
        return said, tuple(each for each in pictures if each.digits)
    if safely(lambda: str(part.get_param("format")), "").lower() == "flowed":
        return _unflowed(text[:CUT]), ()
    return text[:CUT], ()


def _unflowed(text: str) -> str:
    """RFC 3676: a line that ends with a blank goes on in the next; "-- " does not."""
    lines: list[str] = []
    open_line = False
    for line in text.split("\n"):
        quoted = line.startswith(">")
        said = line[1:] if line.startswith(" ") else line
        if open_line and not quoted and said != "-- ":
            lines[-1] += said
        else:
            lines.append(said)
        open_line = said.endswith(" ") and said != "-- " and not quoted
    return "\n".join(line if line == "-- " else line.rstrip() for line in lines)


def content(part: Message) -> bytes:
    """A part's bytes, whatever it is encoded in."""
    inner = part.get_payload()
    if isinstance(inner, list):  # a message within: as it was
        whole = [safely(lambda each=each: each.as_bytes(), b"") for each in inner if isinstance(each, Message)]  # type: ignore[misc]  # bound now
        return b"\n".join(whole)
    decoded = safely(lambda: part.get_payload(decode=True), None)
    if isinstance(decoded, bytes):
        return decoded
    return str(inner).encode("utf-8", "surrogateescape")


def _decoded(content: bytes, charset: str) -> str:
    for name in (charset, "utf-8"):
        if name and name not in ("us-ascii", "ascii"):
            text = safely(lambda name=name: content.decode(name), None)  # type: ignore[misc]  # bound now
            if isinstance(text, str):
                return text
    return content.decode("latin-1")


def plain(value: str) -> str:
    """A header's text, its raw bytes read as what they are."""
    return _decoded(value.encode("utf-8", "surrogateescape"), "")


def words(value: str) -> str:
    """Encoded words decoded; a charset that does not exist costs no more than odd letters."""
    pieces = safely(lambda: decode_header(value), [(value, None)])
    said = [_decoded(each, name or "") if isinstance(each, bytes) else str(each) for each, name in pieces]
    return _CONTROL.sub("", "".join(said))


def addresses(values: Sequence[str]) -> list[tuple[str, str]]:
    """Names and addresses of a few headers."""
    none: list[tuple[str, str]] = []
    found = safely(lambda: getaddresses([value[:2000] for value in values[:5]]), none)
    return [(words(name).strip()[:200], address.strip()[:320]) for name, address in found if "@" in address]


def file_name(part: Message) -> str:
    """The last part of the name, without what would hurt; '' where it has none."""
    name = words(plain(str(safely(part.get_filename, None) or "")))
    name = re.split(r"[/\\]", name)[-1].strip().strip(".")
    return name[-200:]


def made_up(number: int, media_type: str) -> str:
    """A name for a file that has none."""
    ending = re.sub(r"[^a-z0-9]", "", media_type.rpartition("/")[2].lower())[:8]
    return f"file-{number + 1}.{ending or 'bin'}"


def walk(message: Message, depth: int = 0) -> Iterator[Message]:
    """A message and all that is in it, as deep as anybody needs."""
    yield message
    inner = message.get_payload()
    if depth < MAX_DEPTH and isinstance(inner, list) and message.get_content_type().startswith("multipart/"):
        for each in inner[:MAX_PARTS]:
            if isinstance(each, Message):
                yield from walk(each, depth + 1)


def safely(act: Callable[[], _Result], otherwise: _Result) -> _Result:
    """What the standard library makes of it; of rubbish it makes any error there is."""
    try:
        return act()
    except Exception:  # noqa: BLE001
        return otherwise
