"""How a list goes on after a page, and how its end shows: for the list of tickets and lists on a ticket. Pure."""

import re
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

from connectors.errors import ProtocolError
from connectors.profiled.values import at, names, text, truth
from connectors.profiled.vocabulary.listing import Paging
from connectors.profiled.vocabulary.parts import Request

_NEXT = re.compile(r'<([^>]*)>\s*(?:;[^,<]*)?;\s*rel="?next"?', re.IGNORECASE)
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def words(pages: Paging, *, after: str, page: int, rows: int, token: str, per_page: int) -> dict[str, Any]:
    """What a request may say of where its page begins; all empty: at the beginning."""
    first = pages.first if isinstance(pages.first, int) else 0
    last: Any = after or str(pages.first)
    return {
        "after": int(last) if last.isdecimal() else last,
        "next": int(last) + 1 if last.isdecimal() else first,
        "page": first + page,
        "offset": first + rows,
        "upto": first + rows + per_page - 1,
        "page_token": token,
        "per_page": per_page,
    }


def without(request: Request, empty: Collection[str]) -> Request:
    """The request without what these words stand in."""
    if not empty:
        return request
    kept = {
        part: {
            name: said
            for name, said in getattr(request, part).items()
            if not (isinstance(said, str) and any(f"{{{word}}}" in said for word in empty))
        }
        for part in ("query", "body")
    }
    return request.model_copy(update=kept)


def linked(
    root: str, request: Request, where: str, what: str, *, adding: bool = False
) -> tuple[Request, dict[str, Any]]:
    """The request of an address that an answer named, and its words. Only path and query are taken from there.

    `adding`: what the request always says in its query, and the address does not, is said too.

    :raises ProtocolError: it leads elsewhere than below the root."""
    root = root.rstrip("/")
    base, there = urlsplit(root), urlsplit(urljoin(f"{root}{request.path}", where))
    try:
        other = there.scheme == base.scheme and there.port != base.port
    except ValueError:  # its port is none
        other = True
    if other or there.hostname != base.hostname or not there.path.startswith(base.path) or "{" in there.path:
        raise ProtocolError(f"{what} is at another place than the registered one: {where.partition('?')[0]}")
    known: dict[str, Any] = {}
    said = parse_qs(there.query, keep_blank_values=True)
    constant = {name: each for name, each in request.query.items() if adding and not names([name, each])}
    query = {name: each for name, each in constant.items() if name not in said}
    for number, (name, values) in enumerate(said.items()):
        word = "linked_" + _LETTERS[number // 26 % 26] + _LETTERS[number % 26]
        known |= {word: values, f"{word}_name": name}
        query[f"{{{word}_name}}"] = f"{{{word}}}"
    return request.model_copy(update={"path": there.path[len(base.path) :], "query": query, "body": {}}), known


def tells(path: str | None, data: Any, headers: Mapping[str, str]) -> Any:
    """What an answer tells at a path, or in a header (`header:NAME`); None: nothing, or nobody says where."""
    if path is None:
        return None
    return headers.get(path.removeprefix("header:")) if path.startswith("header:") else at(data, path)


def counted(path: str | None, data: Any, headers: Mapping[str, str]) -> str | None:
    """How many rows there are, as an answer counts them; of a Content-Range (0-49/200) what is behind the stroke."""
    found = tells(path, data, headers)
    return None if found is None else text(found).rpartition("/")[2].strip()


def further(request: Request, said: Request) -> Request:
    """The request of a page that is not the first, where it is another one: only how it is sent stays the same."""
    kept = {name: getattr(request, name) for name in ("method", "headers", "format", "as_json", "element")}
    return Request.model_validate({**kept, **{name: getattr(said, name) for name in said.model_fields_set}})


def told(pages: Paging, data: Any, headers: Mapping[str, str]) -> str:
    """The token or the address of the next page, where the answer has it."""
    if pages.by == "link":
        found = _NEXT.search(headers.get("Link", ""))
        return found[1] if found else ""
    return text(tells(pages.at, data, headers))


def says_last(pages: Paging, data: Any, headers: Mapping[str, str]) -> bool:
    """Whether the answer says that there is no more."""
    last, more = tells(pages.last, data, headers), tells(pages.more, data, headers)
    return (last is not None and truth(last)) or (more is not None and not truth(more))


def says_more(pages: Paging, data: Any, headers: Mapping[str, str], page: int) -> bool | None:
    """Whether the answer says that there is more; None: it says nothing of it."""
    if says_last(pages, data, headers):
        return False
    if pages.last is not None or tells(pages.more, data, headers) is not None:
        return True
    counted = text(tells(pages.pages, data, headers))
    return page + 1 < int(counted) if counted.isdecimal() else None
