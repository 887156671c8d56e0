"""What things are usually called, and where a description has what is called so. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from connectors.sketch.interface import Shape

TICKETS = ("ticket", "issue", "incident", "request", "case", "task", "bug", "problem")
SPOKEN = ("comment", "note", "message", "repl", "article", "journal", "worklog", "annotation", "diary")
KEY = ("id", "key", "uuid", "_id", "sys_id", "number", "ticketid", "requestid", "request_id")
_TITLE = ("title", "subject", "summary", "shortdescription", "name", "headline")
TEXT = ("description", "body", "content", "text", "details", "message", "note", "comment")
STATUS = ("status", "state")
CHANGED = (
    "updatedat",
    "modifiedat",
    "changedat",
    "lastupdated",
    "lastmodified",
    "updated",
    "modified",
    "changed",
    "lastchange",
)
MADE = ("createdat", "created", "createdon", "opened", "createtime", "date", "time", "at")
_MAKER = ("createdby", "author", "creator", "reporter", "requester", "submitter", "user", "by", "owner")
HIDDEN = ("internal", "private", "hidden", "isprivate", "visibility", "public", "ispublic")
SINCE = (
    "updatedsince",
    "modifiedsince",
    "changedsince",
    "updatedafter",
    "modifiedafter",
    "updatedfrom",
    "since",
    "from",
)
LOG_IN = ("login", "logon", "signin", "authenticate", "opensession", "createsession", "sessioncreate")
USER = ("username", "userlogin", "user", "login", "account", "name")
SECRET = ("password", "passwd", "pass", "secret")
BESIDE = ("attachment", "file", "history", "user", "project", "login", "session", "list", "search", "query")
CHANGES = ("create", "update", "delete", "add", "insert", "modify", "close", "set")
"""Of operations that read no ticket."""
_PLACE = re.compile(r"\{[^{}/]+\}")


@dataclass(frozen=True, slots=True)
class Guess:
    """A value that nobody told. `why` is for the one who judges it."""

    value: Any
    why: str


def inside_of(shape: Shape) -> tuple[str, Mapping[str, Shape]]:
    """What an envelope of one part holds, and where; or the shape itself."""
    if len(shape.parts) == 1:
        ((name, part),) = shape.parts.items()
        if part.kind == "object" and part.parts:
            return name, part.parts
    return "", shape.parts


def rows_of(shape: Shape) -> tuple[str, Mapping[str, Shape]]:
    """Where an answer has its list, and what a row is."""
    if shape.kind == "list":
        return "", shape.parts
    found = [(name, part) for name, part in shape.parts.items() if part.kind == "list"]
    return (found[0][0], found[0][1].parts) if found else ("", {})


def named_so(path: str, word: str) -> str:
    """A path with its last parameter called so."""
    *before, last = [*_PLACE.finditer(path), None]
    del last
    if not before:
        return path
    place = before[0] if word == "{key}" else before[-1]
    return path[: place.start()] + word + path[place.end() :]


def bare(name: str) -> str:
    """A name without all that is written differently from product to product."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def first_of(parts: Mapping[str, Shape], words: Iterable[str]) -> str | None:
    """The part that is called by the first of these words; None where none is."""
    plain = {bare(name): name for name in parts}
    return next((plain[word] for word in map(bare, words) if word in plain), None)


def moment_of(parts: Mapping[str, Shape], words: Iterable[str]) -> str | None:
    """The same among parts that may hold a time."""
    return first_of({name: shape for name, shape in parts.items() if shape.kind in ("moment", "text")}, words)


def maker_of(parts: Mapping[str, Shape]) -> Shape | None:
    """What stands for the person who made it."""
    name = first_of(parts, _MAKER)
    return parts[name] if name else None


def person_of(parts: Mapping[str, Shape]) -> str | None:
    """The name of the part that stands for the person who made it."""
    return first_of(parts, _MAKER)


def told_or(found: str | None, otherwise: str, why: str) -> Any:
    """What was found, or a guess."""
    return found if found is not None else Guess(otherwise, why)
