"""Plain text as every tracker can keep it: line ends, blanks, control characters, and mentions made harmless."""

import re
import unicodedata
from functools import lru_cache

_QUIET = "\u200b"  # zero-width space: nobody sees it, no tracker finds a mention across it
_MENTION = re.compile(r"(?:@(?<![\w.+-]@)|\[~)(?=\w)")  # a mail address has something before its @
_QUIETED = re.compile(rf"(@(?<![\w.+-]@)|\[~){_QUIET}(?=\w)")
_BREAKS = re.compile(r"[\r\n]+")
_ODD = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


@lru_cache(maxsize=512)  # one look compares the same few texts many times
def canonical(text: str) -> str:
    """LF line ends, no trailing blanks, and characters that some tracker would choke on made visible."""
    lines = _visible(text.replace("\r\n", "\n").replace("\r", "\n")).split("\n")
    return "\n".join([line.rstrip(" \t") for line in lines]).rstrip("\n")


@lru_cache(maxsize=512)
def canonical_line(text: str) -> str:
    """The same for what must stand on one line: a line break becomes a blank."""
    return " ".join([piece.strip(" \t") for piece in _BREAKS.split(_visible(text))]).strip(" ")


def _visible(text: str) -> str:
    """Control characters as their pictures; half characters as the sign for a broken one."""
    return _ODD.sub(_picture, text)


def _picture(odd: re.Match[str]) -> str:
    code = ord(odd.group())
    return "\ufffd" if code > 0x7F else "\u2421" if code == 0x7F else chr(0x2400 + code)


def comparable(text: str) -> str:
    """One form for texts that differ only in how Unicode composes their letters."""
    return unicodedata.normalize("NFC", text)


def quiet(text: str) -> str:
    """The text with every mention made harmless: it names the same person, but calls nobody. Once is enough."""
    return _MENTION.sub(lambda mention: mention.group() + _QUIET, text)


def unquiet(text: str) -> str:
    """What `quiet` was given."""
    return _QUIETED.sub(r"\1", text) if _QUIET in text else text
