"""A full list row, as the outbox keeps it until its look: so that nothing needs to be fetched."""

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from connectors.api import RemoteTicket

_TICKET = TypeAdapter(RemoteTicket)


def plain_row(ticket: RemoteTicket) -> dict[str, Any]:
    """The whole ticket as JSON knows it."""
    plain: dict[str, Any] = _TICKET.dump_python(ticket, mode="json")
    return plain


def row_of(hint: Mapping[str, Any] | None) -> RemoteTicket | None:
    """The ticket that `plain_row` wrote; None where there is none."""
    return None if hint is None else _TICKET.validate_python(dict(hint))
