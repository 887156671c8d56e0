"""A sketch of a profile of the SOAP family: which operations are meant, and how they are told who we are."""

from collections.abc import Iterable, Mapping
from typing import Any

from connectors.sketch.either import common_of, fields_of, heading_of, identity_of
from connectors.sketch.interface import Interface, Operation, Shape
from connectors.sketch.naming import (
    BESIDE,
    CHANGES,
    KEY,
    LOG_IN,
    SECRET,
    SINCE,
    SPOKEN,
    TEXT,
    TICKETS,
    USER,
    Guess,
    bare,
    first_of,
)


def soap_profile(interface: Interface, name: str) -> dict[str, Any]:
    """The profile as data, its guesses marked."""

    def named(*words: str, but: Iterable[str] = ()) -> Operation | None:
        some = [each for each in interface.operations if not any(word in each.name.lower() for word in but)]
        scored = [(sum(word in each.name.lower() for word in words), each) for each in some]
        best = max(scored, key=lambda pair: (pair[0], -len(pair[1].name)), default=(0, None))
        return best[1] if best[0] else None

    listed = named("list", "search", "query")
    fetch = named("get", "retrieve", "read", "fetch", *TICKETS, but=(*BESIDE, *SPOKEN, *CHANGES))
    create, update = named("create", "insert", "open"), named("modify", "update", "set")
    say = named("comment", "note", "reply") or update
    arguments = {**(create.body if create else {}), **(update.body if update else {})}
    nested = next((each.parts for each in arguments.values() if len(each.parts) > 3), arguments)
    ticket = {each: shape for each, shape in nested.items() if shape.kind != "list"}
    fields = dict(fields_of(ticket, ticket))
    key = first_of(fetch.body if fetch else {}, KEY) or next(iter(fetch.body if fetch else {}), "id")
    text = first_of(say.body if say else {}, TEXT) or "text"

    since = first_of(listed.body, SINCE) if listed else None
    unasked = Guess({}, "no filter by time was found: the whole list each round")

    def call(operation: Operation | None, body: Mapping[str, Any]) -> dict[str, Any]:
        told = operation.name if operation else Guess("operation", "none was found")
        return {"operation": told, **({"body": dict(body)} if body else {})}

    return {
        **heading_of(interface, name),
        **_entry(interface),
        **common_of(ticket, fields),
        "lists": "loose",
        "place": call(listed, {}),
        "ticket": {
            "read": call(fetch, {key: "{key}"}),
            "at": Guess("", "where the answer has the ticket"),
            **identity_of(ticket),
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
    log_in = next((each for each in interface.operations if bare(each.name).startswith(LOG_IN)), None)
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
    user, password = first_of(parts, USER), first_of(parts, SECRET)
    return (user, password) if user is not None and password is not None else None
