"""Our mark in a comment's text: one last line that makes a repeated send findable; and in the name of a file that can
hang on nothing but the ticket. Pure text in, text out."""

import re

_TOKEN = r"[0-9A-Za-z][0-9A-Za-z._-]{2,79}"  # noqa: S105 (a mark, no secret)
_NAME_MARK = re.compile(rf" \[interdesk ({_TOKEN}) (\d+)\](?=(?:\.[^.]*)?\Z)")
UNMARKED = "-"
"""Instead of a token: no mark, as people write. Only those say it who stand for people (`connectors.testing.live`)."""
ROOM = 100
"""Characters that a mark may need, with all that divides it from the words."""
_MARK = re.compile(rf"\[interdesk (?P<token>{_TOKEN})\][ \t]*\Z")


def sayable(text: str) -> str:
    """The text without what some trackers end a text at: our mark would be cut off, and a repetition make a twin."""
    return text.replace("\0", "\ufffd")


def stamp(text: str, token: str) -> str:
    """The text with our mark as its last line, or without one for `UNMARKED`. Blanks and line ends at the very end
    of the text are dropped.

    :raises ValueError: the token holds what a mark cannot carry."""
    if token == UNMARKED:
        return text.rstrip()
    if not re.fullmatch(_TOKEN, token):
        raise ValueError(f"a token is 3 to 80 letters, digits, dots, dashes or underscores, not {token!r}")
    body = sayable(text).rstrip()
    return f"{body}\n\n[interdesk {token}]" if body else f"[interdesk {token}]"


def stamp_name(name: str, token: str, number: int) -> str:
    """A file's name with our mark before its ending: the `number`th file of the comment that bears the token."""
    if token == UNMARKED:
        return name
    stem, dot, ending = name.rpartition(".")
    return f"{stem or name} [interdesk {token} {number}]{dot + ending if stem else ''}"


def read_name(name: str) -> tuple[str, str | None, int]:
    """A file's name without our mark, the mark's token, and which file of its comment it is; else (name, None, 0)."""
    found = _NAME_MARK.search(name)
    return (name[: found.start()] + name[found.end() :], found[1], int(found[2])) if found else (name, None, 0)


def read(text: str) -> tuple[str, str | None]:
    """The text without our mark, and the mark's token; (text, None) where its last line is not a mark.

    Only a mark that is alone on the last non-empty line counts, never a quoted one ("> [interdesk …]")."""
    body = text.rstrip()
    start = max(body.rfind("\n"), body.rfind("\r")) + 1
    found = _MARK.fullmatch(body[start:].lstrip(" \t"))
    if found is None:
        return text, None
    return body[:start].rstrip(), found["token"]
