"""A full list row, as the outbox keeps it until its look: so that nothing needs to be fetched."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from connectors.api import RemoteTicket

_TICKET = TypeAdapter(RemoteTicket)


def plain_row(ticket: RemoteTicket, asked_at: datetime) -> dict[str, Any]:
    """The whole ticket as JSON knows it, and when it was asked for."""
    return {"ticket": _TICKET.dump_python(ticket, mode="json"), "asked_at": asked_at.isoformat()}


def row_of(hint: Mapping[str, Any] | None) -> tuple[RemoteTicket, datetime] | None:
    """What `plain_row` wrote; None where there is none."""
    if hint is None:
        return None
    return _TICKET.validate_python(hint["ticket"]), datetime.fromisoformat(hint["asked_at"])
