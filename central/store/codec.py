"""How values become JSON and come back equal. Both stores use it, so that neither keeps what the other could not.

What is searched for is a column; what is only remembered is one document, written and read by its own types: an
attribute with a default joins `Link` or `Intent` without a migration.
"""

import json
from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter
from pydantic_core import from_json

from central.link import Agreed, IntentKind, Link
from central.model import Value, plain, value_of

_LINK = TypeAdapter(Link)
_AGREED = TypeAdapter(Agreed)
_SEARCHED = {"id", "ticket_id", "system", "state", "key"}
"""The attributes of a link that are columns of their own."""


def link_out(link: Link) -> str:
    """What a link remembers beside its columns, as a JSON document."""
    return _LINK.dump_json(link, exclude=_SEARCHED, fallback=dict, warnings="none").decode()  # any kind of mapping


def link_in(columns: Mapping[str, Any], document: str) -> Link:
    """The link of these columns and this document."""
    return _LINK.validate_python({**from_json(document), **columns})


def copied(link: Link) -> Link:
    """The link as a store would give it back, sharing nothing with the caller."""
    return link_in({name: getattr(link, name) for name in _SEARCHED}, link_out(link))


def agreed_out(agreed: Agreed) -> str:
    """What was agreed on for a comment, as a JSON document."""
    return _AGREED.dump_json(agreed).decode()


def agreed_in(document: str | None) -> Agreed | None:
    """What `agreed_out` wrote; None where nothing was."""
    return None if document is None else _AGREED.validate_json(document)


def create_tokens(link: Link) -> list[str]:
    """The tokens of this link's open creates."""
    return [intent.token for intent in link.intents if intent.kind is IntentKind.CREATE]


def settled(fields: Mapping[str, Value]) -> dict[str, Value]:
    """Field values as a store keeps them: absent instead of None, tuples instead of lists."""
    return {name: value_of(plain(value)) for name, value in fields.items() if value is not None}


def as_json(data: Any) -> Any:
    """A copy of plain data as JSON would give it back.

    :raises TypeError: it holds something that is not plain."""
    return None if data is None else json.loads(json.dumps(data))
