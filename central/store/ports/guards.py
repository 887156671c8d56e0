"""Holds of the guards, as a transaction keeps them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from central.guard import Hold, HoldKind, HoldState, Marker, Suspect


class Guards(Protocol):
    """Holds, and what the guards judge by."""

    def hold(self, hold: Hold) -> Hold:
        """Open a hold (its `id` is given here). Where one of its kind is open there, that one, as it is."""

    def get(self, hold_id: int) -> Hold:
        """:raises NoSuch: no hold has this id."""

    def list(
        self, *, open_only: bool = False, system: str | None = None, after: int = 0, limit: int = 100
    ) -> Sequence[Hold]:
        """Holds by id, `limit` of them after the one with the id `after`."""

    def holding(self, system: str, ticket_id: int | None = None) -> Hold | None:
        """An open hold on the system as a whole, or on this ticket there; None: nothing is held. Cheap."""

    def latest(self, kind: HoldKind, system: str, ticket_id: int | None = None) -> Hold | None:
        """The newest hold of this kind on exactly this system and ticket, whatever became of it."""

    def note(self, hold_id: int, evidence: Mapping[str, Any], *, reason: str | None = None) -> None:
        """Replace the evidence of a hold, and its reason where one is given.  :raises NoSuch: no hold has this id."""

    def decide(self, hold_id: int, state: HoldState, at: datetime, *, by: str) -> Hold:
        """Close an open hold: what became of it.  :raises NoSuch: no hold has this id, or it is not open any more."""

    def suspect(self, suspect: Suspect) -> bool:
        """Remember a ticket; False: it was remembered already, and only its data is renewed."""

    def find_suspect(self, system: str, kind: HoldKind, ticket_id: int) -> Suspect | None:
        """What is remembered of this ticket."""

    def suspects(self, system: str, kind: HoldKind, *, after: int = 0, limit: int = 100) -> Sequence[Suspect]:
        """Those of one kind by ticket id, `limit` of them after that of the ticket `after`."""

    def acquit(self, system: str, kind: HoldKind, *, ticket_id: int | None = None, before: datetime) -> None:
        """Forget what was remembered before this moment: of one ticket, or of all."""

    def add_to_rate(self, system: str, kind: HoldKind, hour: datetime) -> None:
        """One more in the hour that begins then."""

    def rates(self, system: str, kind: HoldKind, since: datetime) -> Sequence[tuple[datetime, int]]:
        """(hour, number), oldest first, of the hours from `since` on in which there was any."""

    def drop_rates(self, system: str, kind: HoldKind, *, before: datetime, since: datetime | None = None) -> None:
        """Forget the hours before this moment; `since`: but not those before that one."""

    def marker(self, system: str) -> Marker:
        """What is known of our mark there; a new one where nothing is."""

    def put_marker(self, marker: Marker) -> None:
        """Create or replace it."""
