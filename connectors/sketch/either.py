"""What a sketch says of a product whichever family it is of: its head, who we are, what a ticket and its fields are."""

from collections.abc import Iterator, Mapping
from typing import Any

from connectors.sketch.interface import Interface, Shape
from connectors.sketch.naming import (
    CHANGED,
    KEY,
    MADE,
    STATUS,
    TEXT,
    Guess,
    bare,
    first_of,
    maker_of,
    moment_of,
    person_of,
    told_or,
)


def heading_of(interface: Interface, name: str) -> dict[str, Any]:
    """What the profile is of, where that lives, and who we are there."""
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


def common_of(ticket: Mapping[str, Shape], fields: Mapping[str, Any]) -> dict[str, Any]:
    """What no description tells: errors, powers, mails, our account, our token."""
    weak = Guess("weak", "strong, if it moves with every change and equal means unchanged")
    text = next((each for each in fields if bare(each) in TEXT), next(iter(fields), "description"))
    person = maker_of(ticket)
    key = next((part for part in person.parts if bare(part) in ("login", "username", *KEY)), "") if person else ""
    return {
        "errors": {"words": Guess(["message", "error.message", "error", "errors"], "where an error tells why")},
        "capabilities": {"version": weak, "row_version": weak},
        "notifies": Guess({}, "which of our writes make it send mail, and to whom"),
        "account": {"key": "{account}"},
        "people": {"key": Guess(key, "where a person's log-in is; nothing: a person is a word alone")},
        "token": {"mark": Guess(text, "our token is the last line of this text, if no field of its own can bear it")},
    }


def identity_of(ticket: Mapping[str, Shape]) -> dict[str, Any]:
    """How a ticket is told from others, and its states from each other."""
    changed = moment_of(ticket, CHANGED)
    return {
        "key": told_or(first_of(ticket, KEY), "id", "where its key is"),
        "key_pattern": Guess("[A-Za-z0-9_-]+", "what a key looks like"),
        "version": {"at": told_or(changed, "updated_at", "what moves with every change")},
        "changed_at": told_or(changed, "updated_at", "when it last changed"),
        "created_by": told_or(person_of(ticket), "created_by", "who opened it"),
    }


def fields_of(ticket: Mapping[str, Shape], written: Mapping[str, Shape]) -> Iterator[tuple[str, Any]]:
    """What can be mapped: words, choices, people; times and keys are not."""
    for name, shape in ticket.items():
        if bare(name) in (*KEY, *CHANGED, *MADE) or shape.kind in ("moment", "list", "boolean"):
            continue
        said: dict[str, Any] = {}
        kind = "choice" if shape.values else "number" if shape.kind == "number" else None
        place = f"'{name}'" if "." in name and "'" not in name else name
        at: Any = place
        if shape.kind == "object":
            names = ("login", "username", "name", "label", "title", "value", "id")
            part = next((each for each in names if each in shape.parts), None)
            if part is None:
                continue
            person = any(each in shape.parts for each in ("login", "username", "email"))
            at, kind = Guess(f"{place}.{part}", "by its name or its id"), "person" if person else "choice"
        if bare(name) in STATUS:
            kind = "choice"
        said["kind"] = kind
        said["at"] = at
        if name in written:
            said["write"] = place
        if shape.values:
            said["values"] = list(shape.values)
        if shape.max_length:
            said["max_length"] = shape.max_length
        yield name, {each: value for each, value in said.items() if value is not None}
