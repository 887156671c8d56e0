"""From an `Interface` to a profile's text: valid as it stands, guesses marked, every operation listed at its end."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from connectors.sketch.interface import Interface, Operation, Shape

GUESS = "# guess"
_TICKETS = ("ticket", "issue", "incident", "request", "case", "task", "bug", "problem")
_SPOKEN = ("comment", "note", "message", "repl", "article", "journal", "worklog", "annotation", "diary")
_KEY = ("id", "key", "uuid", "_id", "sys_id", "number", "ticketid", "requestid", "request_id")
_TITLE = ("title", "subject", "summary", "shortdescription", "name", "headline")
_TEXT = ("description", "body", "content", "text", "details", "message", "note", "comment")
_STATUS = ("status", "state")
_CHANGED = (
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
_MADE = ("createdat", "created", "createdon", "opened", "createtime", "date", "time", "at")
_MAKER = ("createdby", "author", "creator", "reporter", "requester", "submitter", "user", "by", "owner")
_HIDDEN = ("internal", "private", "hidden", "isprivate", "visibility", "public", "ispublic")
_SINCE = (
    "updatedsince",
    "modifiedsince",
    "changedsince",
    "updatedafter",
    "modifiedafter",
    "updatedfrom",
    "since",
    "from",
)
_LOG_IN = ("login", "logon", "signin", "authenticate", "opensession", "createsession", "sessioncreate")
_USER = ("username", "userlogin", "user", "login", "account", "name")
_SECRET = ("password", "passwd", "pass", "secret")
_BESIDE = ("attachment", "file", "history", "user", "project", "login", "session", "list", "search", "query")
_CHANGES = ("create", "update", "delete", "add", "insert", "modify", "close", "set")
"""Of operations that read no ticket."""
_PLACE = re.compile(r"\{[^{}/]+\}")


@dataclass(frozen=True, slots=True)
class Guess:
    """A value that nobody told. `why` is for the one who judges it."""

    value: Any
    why: str


def draw(interface: Interface, name: str) -> str:
    """The text of a profile of this name."""
    profile = _rest(interface, name) if interface.family == "rest" else _soap(interface, name)
    head = [
        f"# {interface.title}: a sketch of a profile, drawn from what the product publishes of its interface.",
        f"# Lines that say {GUESS!r} are to be judged; interdesk connector probe tells what holds.",
    ]
    return "\n".join([*head, *_lines(profile, 0), "", "# Every operation that was found:", *_listing(interface)]) + "\n"


def _listing(interface: Interface) -> Iterator[str]:
    for each in interface.operations:
        said = f"{each.method} {each.path}" if each.path else f"{each.name}({', '.join(each.body)})"
        yield "#   " + " ".join(f"{said}  {each.says}".split())[:150]


# -- REST ----------------------------------------------------------------------------------------------------------


def _rest(interface: Interface, name: str) -> dict[str, Any]:
    found = _Tickets(interface)
    at, ticket = _inside(found.fetch.answer if found.fetch else Shape("object"))
    rows_at, row = _rows(found.list.answer if found.list else Shape("object"))
    written = _inside(Shape("object", (), found.update.body if found.update else {}))
    made = _inside(Shape("object", (), found.create.body if found.create else {}))
    fields = dict(_fields(ticket, {**made[1], **written[1]}))
    item = _named(found.item_path, "{key}") or "/tickets/{key}"
    collection = found.path or "/tickets"
    return {
        **_heading(interface, name),
        **_common(ticket, fields),
        "place": {"path": collection},
        "ticket": {
            "read": {"path": item},
            **({"at": at} if at else {}),
            **_identity(ticket),
            "address": Guess("{url}" + item, "the address where people open it"),
        },
        "fields": fields,
        "listing": {
            "path": collection,
            "rows": rows_at if found.list else Guess("tickets", "where the list is"),
            "shows": [each for each in fields if _has(row, each)],
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
            "path": _named(found.update.path, "{key}") if found.update else item,
            **({"at": written[0]} if written[0] else {}),
        },
        "comment": _comment(found, item),
        "conversation": {"comments": _comments(found, ticket)},
        "download": {"path": Guess(_named(found.file, "{id}") or "/files/{id}", "where a file's bytes are")},
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
        said = [each for each in below if any(word in each.path.rpartition("/")[2].lower() for word in _SPOKEN)]
        self.comments = next((each for each in said if each.method == "GET"), None)
        self.say = next((each for each in said if each.method in ("POST", "PUT")), None)
        read = [each.path for each in operations if each.method == "GET"]
        files = [path for path in read if re.search("attachment|file", path, re.IGNORECASE)]
        self.file = next((path for path in files if path.endswith("}")), "")

    @staticmethod
    def _score(path: str) -> int:
        last = path.rpartition("/")[0].rpartition("/")[2].lower()
        return next((len(_TICKETS) - place for place, word in enumerate(_TICKETS) if last.startswith(word)), 0)

    @staticmethod
    def _one(operations: Iterable[Operation], method: str, path: str) -> Operation | None:
        return next((each for each in operations if path and (each.method, each.path) == (method, path)), None)


def _walk(listed: Operation | None) -> dict[str, Any]:
    """How the list is gone through, by what it can be asked."""
    query = {_plain(name): name for name in (listed.query if listed else {})}
    since = next((query[word] for word in _SINCE if word in query), None)
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
    path = _named(found.say.path, "{key}") if found.say else Guess(f"{item}/comments", "no operation was found")
    at, body = _inside(Shape("object", (), found.say.body if found.say else {}))
    text = _first(body, _TEXT) or "text"
    hidden = _first(body, _HIDDEN)
    said: dict[str, Any] = {f"{at}.{text}" if at else text: "{text}"}
    if hidden:
        said[f"{at}.{hidden}" if at else hidden] = Guess("{internal}", "how a comment is hidden")
    return {"method": found.say.method if found.say else "POST", "path": path, "body": said}


def _comments(found: _Tickets, ticket: Mapping[str, Shape]) -> dict[str, Any]:
    inside = next((name for name in ticket if any(word in name.lower() for word in _SPOKEN)), None)
    if found.comments is not None:
        at, row = _rows(found.comments.answer)
        where: dict[str, Any] = {"read": {"path": _named(found.comments.path, "{key}")}, "rows": at}
    else:
        row = ticket[inside].parts if inside else {}
        where = {"rows": inside or Guess("comments", "where the ticket lists them")}
    internal = _first(row, _HIDDEN)
    return {
        **where,
        "id": _told(_first(row, _KEY), "id", "where a row has its id"),
        "author": _told(_person(row), "author", "who wrote it"),
        "at": _told(_moment(row, _MADE), "created_at", "when"),
        "text": _told(_first(row, _TEXT), "text", "what it says"),
        **({"internal": Guess(internal, "a path to yes or no: whether it is hidden")} if internal else {}),
    }


# -- SOAP ----------------------------------------------------------------------------------------------------------


def _soap(interface: Interface, name: str) -> dict[str, Any]:
    def named(*words: str, but: Iterable[str] = ()) -> Operation | None:
        some = [each for each in interface.operations if not any(word in each.name.lower() for word in but)]
        scored = [(sum(word in each.name.lower() for word in words), each) for each in some]
        best = max(scored, key=lambda pair: (pair[0], -len(pair[1].name)), default=(0, None))
        return best[1] if best[0] else None

    listed = named("list", "search", "query")
    fetch = named("get", "retrieve", "read", "fetch", *_TICKETS, but=(*_BESIDE, *_SPOKEN, *_CHANGES))
    create, update = named("create", "insert", "open"), named("modify", "update", "set")
    say = named("comment", "note", "reply") or update
    arguments = {**(create.body if create else {}), **(update.body if update else {})}
    nested = next((each.parts for each in arguments.values() if len(each.parts) > 3), arguments)
    ticket = {each: shape for each, shape in nested.items() if shape.kind != "list"}
    fields = dict(_fields(ticket, ticket))
    key = _first(fetch.body if fetch else {}, _KEY) or next(iter(fetch.body if fetch else {}), "id")
    text = _first(say.body if say else {}, _TEXT) or "text"

    since = _first(listed.body, _SINCE) if listed else None
    unasked = Guess({}, "no filter by time was found: the whole list each round")

    def call(operation: Operation | None, body: Mapping[str, Any]) -> dict[str, Any]:
        told = operation.name if operation else Guess("operation", "none was found")
        return {"operation": told, **({"body": dict(body)} if body else {})}

    return {
        **_heading(interface, name),
        **_entry(interface),
        **_common(ticket, fields),
        "lists": "loose",
        "place": call(listed, {}),
        "ticket": {
            "read": call(fetch, {key: "{key}"}),
            "at": Guess("", "where the answer has the ticket"),
            **_identity(ticket),
            "address": Guess("{url}", "the address where people open it"),
        },
        "fields": fields,
        "listing": {
            **call(listed, {}),
            "rows": Guess("ticket", "where the answer has the list"),
            "shows": [],
            "per_page": 100,
            "order": Guess("time", "sorted by the time of the change, the oldest first"),
            "pages": Guess({"by": "none"}, "it tells of no pages"),
            "changes": {since: "{since}"} if since else unasked,
        },
        "create": {**call(create, {}), "answers": Guess("key", "what it answers")},
        "update": call(update, {key: "{key}"}),
        "comment": call(say, {key: "{key}", text: "{text}"}),
        "conversation": {
            "comments": {
                "rows": Guess("comments", "where the answer lists them"),
                "author": Guess("author", "who wrote it"),
                "at": Guess("time", "when"),
                "text": Guess("text", "what it says"),
            }
        },
        "download": {**call(named("attachment", "file"), {}), "base64_at": Guess("data", "where its bytes are")},
    }


def _entry(interface: Interface) -> dict[str, Any]:
    """How a SOAP service is told who we are, by what it is asked: {} where nothing shows it."""
    settings = {
        "url": {"kind": "url", "says": "the address people open"},
        "wsdl": {"kind": "path", "says": "the WSDL's file"},
        "user": {"says": "our account"},
        "password": {"kind": "secret", "says": "its password"},
        "account": {"says": "our account, as it is named on what it writes"},
    }
    log_in = next((each for each in interface.operations if _plain(each.name).startswith(_LOG_IN)), None)
    pair = _pair(log_in.body) if log_in is not None else None
    if log_in is not None and pair is not None:
        where = ((f"{name}.{part}", part) for name, shape in interface.headers.items() for part in shape.parts)
        place = next((place for place, part in where if "session" in part.lower() or "token" in part.lower()), None)
        shown: Any = {"envelope": {place: "{session}"}} if place else {"arguments": ["{session}"]}
        step = {
            "operation": log_in.name,
            "body": {pair[0]: "{user}", pair[1]: "{password}"},
            "gives": {"session": Guess("*", "where the answer has the session")},
        }
        return {"settings": settings, "credentials": {**shown, "log_in": step}}
    for name, shape in interface.headers.items():
        if (pair := _pair(shape.parts)) is not None:
            shown = {f"{name}.{pair[0]}": "{user}", f"{name}.{pair[1]}": "{password}"}
            return {"settings": settings, "credentials": {"envelope": shown}}
    first = [_pair(dict(list(each.body.items())[:2])) for each in interface.operations]
    if first and sum(each is not None for each in first) * 2 > len(first):
        return {"settings": settings, "credentials": {"arguments": ["{user}", "{password}"]}}
    return {}


def _pair(parts: Mapping[str, Shape]) -> tuple[str, str] | None:
    """The names of a user and of a password among these."""
    user, password = _first(parts, _USER), _first(parts, _SECRET)
    return (user, password) if user is not None and password is not None else None


# -- what both have in common --------------------------------------------------------------------------------------


def _heading(interface: Interface, name: str) -> dict[str, Any]:
    access, settings = interface.access, dict[str, Any]()
    credentials: Any = None
    secret = {"kind": "secret", "says": "what lets us in"}
    kind, _, word = access.partition(":")
    if kind == "basic":
        settings = {"user": {"says": "our account"}, "password": {**secret, "says": "its password"}}
        credentials = {"basic": {"user": "{user}", "password": "{password}"}}
    elif kind == "oauth2":
        settings = {"client_id": {"says": "our client id"}, "client_secret": {**secret, "says": "its secret"}}
        path = interface.token_path or Guess("/oauth/token", "where tokens are asked for")
        credentials = {"oauth2": {"path": path, "client_id": "{client_id}", "client_secret": "{client_secret}"}}
    elif kind in ("header", "query"):
        settings = {"token": secret}
        credentials = {"headers" if kind == "header" else "query": {word: "{token}"}}
    else:
        settings = {"token": secret}
        bearer = {"Authorization": "Bearer {token}"}
        credentials = bearer if kind == "bearer" else Guess(bearer, "how we show who we are")
    soap = {"soap": {"wsdl": "{wsdl}"}} if interface.family == "soap" else {}
    file = {"wsdl": {"kind": "path", "says": "the WSDL's file"}} if soap else {}
    return {
        "kind": "profile",
        "name": name,
        "product": interface.title,
        "family": interface.family,
        **soap,
        "settings": {
            "url": {"kind": "url", "says": "the address people open"},
            **file,
            **settings,
            "account": {"says": "our account, as it is named on what it writes"},
        },
        "root": "{url}" + interface.root,
        "credentials": credentials,
    }


def _common(ticket: Mapping[str, Shape], fields: Mapping[str, Any]) -> dict[str, Any]:
    weak = Guess("weak", "strong, if it moves with every change and equal means unchanged")
    text = next((each for each in fields if _plain(each) in _TEXT), next(iter(fields), "description"))
    person = _maker(ticket)
    key = next((part for part in person.parts if _plain(part) in ("login", "username", *_KEY)), "") if person else ""
    return {
        "errors": {"words": Guess(["message", "error.message", "error", "errors"], "where an error tells why")},
        "capabilities": {"version": weak, "row_version": weak},
        "notifies": Guess({}, "which of our writes make it send mail, and to whom"),
        "account": {"key": "{account}"},
        "people": {"key": Guess(key, "where a person's log-in is; nothing: a person is a word alone")},
        "token": {"mark": Guess(text, "our token is the last line of this text, if no field of its own can bear it")},
    }


def _identity(ticket: Mapping[str, Shape]) -> dict[str, Any]:
    changed = _moment(ticket, _CHANGED)
    return {
        "key": _told(_first(ticket, _KEY), "id", "where its key is"),
        "key_pattern": Guess("[A-Za-z0-9_-]+", "what a key looks like"),
        "version": {"at": _told(changed, "updated_at", "what moves with every change")},
        "changed_at": _told(changed, "updated_at", "when it last changed"),
        "created_by": _told(_person(ticket), "created_by", "who opened it"),
    }


def _fields(ticket: Mapping[str, Shape], written: Mapping[str, Shape]) -> Iterator[tuple[str, Any]]:
    """What can be mapped: words, choices, people; times and keys are not."""
    for name, shape in ticket.items():
        if _plain(name) in (*_KEY, *_CHANGED, *_MADE) or shape.kind in ("moment", "list", "boolean"):
            continue
        said: dict[str, Any] = {}
        kind = "choice" if shape.values else "number" if shape.kind == "number" else None
        at: Any = name
        if shape.kind == "object":
            names = ("login", "username", "name", "label", "title", "value", "id")
            part = next((each for each in names if each in shape.parts), None)
            if part is None:
                continue
            person = any(each in shape.parts for each in ("login", "username", "email"))
            at, kind = Guess(f"{name}.{part}", "by its name or its id"), "person" if person else "choice"
        if _plain(name) in _STATUS:
            kind = "choice"
        said["kind"] = kind
        said["at"] = at
        if name in written:
            said["write"] = name
        if shape.values:
            said["values"] = list(shape.values)
        if shape.max_length:
            said["max_length"] = shape.max_length
        yield name, {each: value for each, value in said.items() if value is not None}


def _inside(shape: Shape) -> tuple[str, Mapping[str, Shape]]:
    """What an envelope of one part holds, and where; or the shape itself."""
    if len(shape.parts) == 1:
        ((name, part),) = shape.parts.items()
        if part.kind == "object" and part.parts:
            return name, part.parts
    return "", shape.parts


def _rows(shape: Shape) -> tuple[str, Mapping[str, Shape]]:
    """Where an answer has its list, and what a row is."""
    if shape.kind == "list":
        return "", shape.parts
    found = [(name, part) for name, part in shape.parts.items() if part.kind == "list"]
    return (found[0][0], found[0][1].parts) if found else ("", {})


def _named(path: str, word: str) -> str:
    """A path with its last parameter called so."""
    *before, last = [*_PLACE.finditer(path), None]
    del last
    if not before:
        return path
    place = before[0] if word == "{key}" else before[-1]
    return path[: place.start()] + word + path[place.end() :]


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _has(row: Mapping[str, Shape], name: str) -> bool:
    return name in row


def _first(parts: Mapping[str, Shape], words: Iterable[str]) -> str | None:
    plain = {_plain(name): name for name in parts}
    return next((plain[word] for word in map(_plain, words) if word in plain), None)


def _moment(parts: Mapping[str, Shape], words: Iterable[str]) -> str | None:
    return _first({name: shape for name, shape in parts.items() if shape.kind in ("moment", "text")}, words)


def _maker(parts: Mapping[str, Shape]) -> Shape | None:
    name = _first(parts, _MAKER)
    return parts[name] if name else None


def _person(parts: Mapping[str, Shape]) -> str | None:
    return _first(parts, _MAKER)


def _told(found: str | None, otherwise: str, why: str) -> Any:
    return found if found is not None else Guess(otherwise, why)


# -- as YAML -------------------------------------------------------------------------------------------------------


def _lines(data: Mapping[str, Any], depth: int) -> Iterator[str]:
    """Block style where something below is nested or guessed, flow style else: short, and a line for each guess."""
    for name, value in data.items():
        guess = f"  {GUESS}: {value.why}" if isinstance(value, Guess) else ""
        said = value.value if isinstance(value, Guess) else value
        begin = f"{'  ' * depth}{_scalar(name)}:"
        if isinstance(said, Mapping) and said and _deep(said):
            yield begin + guess
            yield from _lines(said, depth + 1)
        else:
            yield f"{begin} {_scalar(said)}{guess}"


def _deep(data: Mapping[str, Any]) -> bool:
    return any(isinstance(each, Guess | Mapping) for each in data.values()) or len(str(data)) > 100


def _scalar(value: Any) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, width=10_000, allow_unicode=True, sort_keys=False)
    return text.removesuffix("\n").removesuffix("\n...")
