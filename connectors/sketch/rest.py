"""A sketch of a profile of the REST family: which operations are those of tickets, and how a list is gone through."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from connectors.sketch.either import common_of, fields_of, heading_of, identity_of
from connectors.sketch.interface import Interface, Operation, Shape
from connectors.sketch.naming import (
    HIDDEN,
    KEY,
    MADE,
    SINCE,
    SPOKEN,
    TEXT,
    TICKETS,
    Guess,
    bare,
    first_of,
    inside_of,
    moment_of,
    named_so,
    person_of,
    rows_of,
    told_or,
)


def rest_profile(interface: Interface, name: str) -> dict[str, Any]:
    """The profile as data, its guesses marked."""
    found = _Tickets(interface)
    at, ticket = inside_of(found.fetch.answer if found.fetch else Shape("object"))
    rows_at, row = rows_of(found.list.answer if found.list else Shape("object"))
    written = inside_of(Shape("object", (), found.update.body if found.update else {}))
    made = inside_of(Shape("object", (), found.create.body if found.create else {}))
    fields = dict(fields_of(ticket, {**made[1], **written[1]}))
    item = named_so(found.item_path, "{key}") or "/tickets/{key}"
    collection = found.path or "/tickets"
    return {
        **heading_of(interface, name),
        **common_of(ticket, fields),
        "place": {"path": collection},
        "ticket": {
            "read": {"path": item},
            **({"at": at} if at else {}),
            **identity_of(ticket),
            "address": Guess("{url}" + item, "the address where people open it"),
        },
        "fields": fields,
        "listing": {
            "path": collection,
            "rows": rows_at if found.list else Guess("tickets", "where the list is"),
            "shows": [each for each in fields if each in row],
            "per_page": 100,
            **_walk(found.list),
        },
        "create": {
            "path": found.create.path if found.create else collection,
            **({"at": made[0]} if made[0] else {}),
            "answers": "ticket" if found.create and found.create.answer.parts else Guess("key", "what it answers"),
        },
        "update": {
            "method": found.update.method if found.update else Guess("PUT", "no operation was found"),
            "path": named_so(found.update.path, "{key}") if found.update else item,
            **({"at": written[0]} if written[0] else {}),
        },
        "comment": _comment(found, item),
        "conversation": {"comments": _comments(found, ticket)},
        "download": {"path": Guess(named_so(found.file, "{id}") or "/files/{id}", "where a file's bytes are")},
    }


class _Tickets:
    """Which operations are those of tickets: by their names, and by what is below what."""

    def __init__(self, interface: Interface) -> None:
        operations = interface.operations
        paths = {each.path for each in operations}
        scored = [(self._score(path), path) for path in paths if path.endswith("}") and path.count("{") <= 2]
        best = max(scored, key=lambda pair: (pair[0], -pair[1].count("/"), -len(pair[1])), default=(0, ""))
        self.item_path = best[1] if best[0] else ""
        self.path = self.item_path.rpartition("/")[0]
        self.list = self._one(operations, "GET", self.path)
        self.fetch = self._one(operations, "GET", self.item_path)
        self.create = self._one(operations, "POST", self.path)
        self.update = next(
            (o for m in ("PATCH", "PUT", "POST") if (o := self._one(operations, m, self.item_path))), None
        )
        below = [each for each in operations if self.item_path and each.path.startswith(f"{self.item_path}/")]
        said = [each for each in below if any(word in each.path.rpartition("/")[2].lower() for word in SPOKEN)]
        self.comments = next((each for each in said if each.method == "GET"), None)
        self.say = next((each for each in said if each.method in ("POST", "PUT")), None)
        read = [each.path for each in operations if each.method == "GET"]
        files = [path for path in read if re.search("attachment|file", path, re.IGNORECASE)]
        self.file = next((path for path in files if path.endswith("}")), "")

    @staticmethod
    def _score(path: str) -> int:
        last = path.rpartition("/")[0].rpartition("/")[2].lower()
        return next((len(TICKETS) - place for place, word in enumerate(TICKETS) if last.startswith(word)), 0)

    @staticmethod
    def _one(operations: Iterable[Operation], method: str, path: str) -> Operation | None:
        return next((each for each in operations if path and (each.method, each.path) == (method, path)), None)


def _walk(listed: Operation | None) -> dict[str, Any]:
    """How the list is gone through, by what it can be asked."""
    query = {bare(name): name for name in (listed.query if listed else {})}
    since = next((query[word] for word in SINCE if word in query), None)
    pages: Any = Guess({"by": "none"}, "it tells of no pages")
    said: dict[str, Any] = {}
    for word in ("page", "pagenumber", "pageno"):
        if word in query:
            pages, said = {"by": "number", "first": Guess(1, "the first page's number")}, {query[word]: "{page}"}
    for word in ("offset", "startat", "skip", "start"):
        if word in query:
            pages, said = {"by": "offset"}, {query[word]: "{offset}"}
    for word in ("cursor", "pagetoken", "nextpagetoken"):
        if word in query:
            pages = {"by": "token", "at": Guess("next_cursor", "where the answer has it")}
            said = {query[word]: "{page_token}"}
    for word in ("limit", "perpage", "pagesize", "maxresults", "size", "count"):
        if word in query:
            said[query[word]] = "{per_page}"
            break
    order = {"order": Guess("time", "sorted by the time of the change, the oldest first: say so in the query")}
    asked = {since: "{since}"} if since else {}
    return {
        **({"query": said} if said else {}),
        **order,
        "pages": pages,
        "moments": {"form": Guess("iso", "how a time is written in a search")},
        "changes": asked if asked else Guess({}, "no filter by time was found: the whole list each round"),
    }


def _comment(found: _Tickets, item: str) -> dict[str, Any]:
    path = named_so(found.say.path, "{key}") if found.say else Guess(f"{item}/comments", "no operation was found")
    at, body = inside_of(Shape("object", (), found.say.body if found.say else {}))
    text = first_of(body, TEXT) or "text"
    hidden = first_of(body, HIDDEN)
    said: dict[str, Any] = {f"{at}.{text}" if at else text: "{text}"}
    if hidden:
        said[f"{at}.{hidden}" if at else hidden] = Guess("{internal}", "how a comment is hidden")
    return {"method": found.say.method if found.say else "POST", "path": path, "body": said}


def _comments(found: _Tickets, ticket: Mapping[str, Shape]) -> dict[str, Any]:
    inside = next((name for name in ticket if any(word in name.lower() for word in SPOKEN)), None)
    if found.comments is not None:
        at, row = rows_of(found.comments.answer)
        where: dict[str, Any] = {"read": {"path": named_so(found.comments.path, "{key}")}, "rows": at}
    else:
        row = ticket[inside].parts if inside else {}
        where = {"rows": inside or Guess("comments", "where the ticket lists them")}
    internal = first_of(row, HIDDEN)
    return {
        **where,
        "id": told_or(first_of(row, KEY), "id", "where a row has its id"),
        "author": told_or(person_of(row), "author", "who wrote it"),
        "at": told_or(moment_of(row, MADE), "created_at", "when"),
        "text": told_or(first_of(row, TEXT), "text", "what it says"),
        **({"internal": Guess(internal, "a path to yes or no: whether it is hidden")} if internal else {}),
    }
