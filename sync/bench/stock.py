"""A store full of linked tickets that agree with their trackers, without a tracker having told them one by one.

Key and version of the nth ticket of a tracker are n: an emulated tracker numbers its deeds, and opening was the first.
"""

import time
from collections.abc import Sequence
from functools import partial

from central.delivery import Direction
from central.job import Job
from central.link import Link, LinkState, Pair
from central.model import DEFAULTS, Person
from central.store.api import Transaction
from mappings.model import Mapping
from sync.bench.progress import Pace
from sync.bench.sides import DESCRIPTION
from sync.bench.stand import unit_of
from sync.bootstrap import Interdesk

_BATCH = 500


def fill(
    desk: Interdesk, routes: Sequence[tuple[str, str]], each: int, *, owed: bool = False, description: str = DESCRIPTION
) -> None:
    """`each` tickets for every route: born in its first system, kept in its second (which may be the same).

    `owed`: their subjects were changed at the centre, and the second system is owed a look at each."""
    mapping, pace = desk.gateways.get(routes[0][0]).mapping, Pace("the store is filled")
    for done, (born_in, kept_in) in enumerate(routes):
        for first in range(1, each + 1, _BATCH):
            pace.tell(lambda d=done, f=first: (d + f / each) / len(routes))  # type: ignore[misc]  # bound now
            numbers = range(first, min(first + _BATCH, each + 1))
            desk.store.write(partial(_add, desk, mapping, born_in, kept_in, numbers, owed, description))


def churn(desk: Interdesk, count: int, tickets: int) -> float:
    """Change the subjects of so many tickets at the centre, round and round; the seconds it took."""
    began = time.monotonic()
    for number in range(count):
        desk.centre.change(number % tickets + 1, {"subject": f"change {number} at {began}"}, Person("bench"))
    return time.monotonic() - began


def change_all(desk: Interdesk, system: str, tickets: int, subject: str) -> None:
    """Change the subjects of the first tickets at the centre, many at a time; the system is owed a look at each."""
    for first in range(1, tickets + 1, _BATCH):
        numbers = range(first, min(first + _BATCH, tickets + 1))
        desk.store.write(lambda tx, n=numbers: _change(tx, desk, system, n, subject))  # type: ignore[misc]  # bound now


def _change(tx: Transaction, desk: Interdesk, system: str, numbers: range, subject: str) -> None:
    at = desk.clock()
    for number in numbers:
        tx.tickets.change(tx.tickets.get(number), {"subject": subject.format(number)}, at)
        desk.means.relay.owe_outward(tx, (system,), number, at, reason="changed at the centre")


def backfill(desk: Interdesk, system: str) -> None:
    """Start the job that carries the older tickets of this system to the centre."""
    at = desk.clock()
    params = {"direction": "inward", "dry_run": False, "notify": False}
    desk.store.write(lambda tx: tx.jobs.create(Job(0, "backfill", system, params, at, "bench", at)))


def _add(
    desk: Interdesk,
    mapping: Mapping,
    born_in: str,
    kept_in: str,
    numbers: range,
    owed: bool,
    description: str,
    tx: Transaction,
) -> None:
    at = desk.clock()
    for number in numbers:
        fields = {
            **DEFAULTS,
            "subject": f"ticket {number - 1}",
            "description": description,
            "unit": unit_of(kept_in),
        }
        ticket = tx.tickets.create(fields, at, born_in=born_in)
        held = {name: ticket[name] for name in mapping.fields}
        for system in dict.fromkeys((born_in, kept_in)):
            tx.links.create(
                Link(
                    0,
                    ticket.id,
                    system,
                    LinkState.ACTIVE,
                    key=str(number),
                    version=str(number),
                    row_version=str(number),
                    history_seen="",
                    base={name: Pair(value, value) for name, value in held.items()},
                    seen={mapping.fields[name].remote: value for name, value in held.items()},
                    mapping_revision=mapping.revision,
                    created_at=at,
                    agreed_at=at,
                    birth=system == born_in,
                )
            )
        if owed:
            tx.tickets.change(ticket, {"subject": changed(number)}, at)
            tx.outbox.owe(kept_in, Direction.OUTWARD, str(ticket.id), at, reason="changed at the centre")


def changed(number: int) -> str:
    """What the nth ticket of a tracker is called after it was changed at the centre."""
    return f"ticket {number}, changed at the centre"
