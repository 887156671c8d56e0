"""Values that the claims are made with."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from central.delivery import Claim, Delivery, Direction
from central.events import Event, Kind
from central.link import Intent, IntentKind, Link, LinkState, Pair, Refusal
from central.model import Comment, Conflict, NewComment, NewFile, Person, Ticket, Value, Visibility
from central.registry import Maintenance, Outage, System, SystemState
from central.store.api import Store, Transaction

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
TTL = timedelta(seconds=60)
ADA = Person(id="ada", name="Ada Sample", email="ada@example.org", system="rt")


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def new_ticket(store: Store, subject: str = "The printer is on fire") -> Ticket:
    return store.write(lambda tx: tx.tickets.create({"subject": subject, "status": "new"}, NOW))


def new_link(store: Store, ticket: Ticket, system: str = "rt", key: str | None = "7", **more: Any) -> Link:
    link = replace(Link(0, ticket.id, system, LinkState.ACTIVE, key), **more)
    return store.write(lambda tx: tx.links.create(link))


def new_comment(text: str = "Have you tried water?", **more: Any) -> NewComment:
    return replace(NewComment(ADA, text, Visibility.PUBLIC, NOW), **more)


def say(store: Store, ticket: Ticket, comment: NewComment | None = None) -> Comment:
    """The comment, as it was added to the ticket."""
    return store.write(lambda tx: tx.tickets.add_comment(ticket.id, comment or new_comment()))


def saved(store: Store, link: Link) -> Link | None:
    """The link as it comes back after it was saved."""
    store.write(lambda tx: tx.links.save(link))
    return next((one for one in store.read(lambda tx: tx.links.of(link.ticket_id)) if one.id == link.id), None)


def new_file(sha256: str, name: str = "smoke.jpg", **more: Any) -> NewFile:
    return replace(NewFile(name, "image/jpeg", 3, sha256), **more)


def event(ticket: Ticket, field: str | None = None, **more: Any) -> Event:
    return replace(Event(Kind.FIELD_CHANGED, ticket.id, NOW, ADA, field=field), **more)


def conflict(ticket: Ticket, **more: Any) -> Conflict:
    kept = Conflict(0, ticket.id, "rt", "status", "solved", ("open", "new"), "central", "policy", NOW, open=False)
    return replace(kept, **more)


def full_link(link: Link) -> Link:
    """The link with everything that a link can remember."""
    every_value: dict[str, Value] = {
        "text": "ü",
        "list": ("a", "b"),
        "nothing": None,
        "truth": True,
        "number": 7,
        "digits": "7",
    }
    pairs = {name: Pair(value, ("a", "b")) for name, value in every_value.items()}
    intents = (
        Intent(IntentKind.CREATE, "token-1", NOW, wrote=pairs, before=every_value, side_effects=every_value),
        Intent(
            IntentKind.COMMENT,
            "token-2",
            later(1),
            comment_id=3,
            file_ids=(4, 5),
            text="a\r\nb",
            version="v",
            epoch=9,
            done=True,
        ),
    )
    return replace(
        link,
        address="https://rt.example.org/7",
        version='W/"1"',
        row_version="1",
        racy_until=later(2),
        base=pairs,
        seen=every_value,
        refusals={"status": Refusal(("a",), None, "not from here", 4, later(3))},
        disagreements={"status": "RT refused it"},
        intents=intents,
        superseded={"status": ("a", ("b", "c"), None)},
        ignored=("13", "14"),
        mapping_revision=4,
        created_at=NOW,
        agreed_at=later(4),
        last_error="once",
        birth=True,
    )


def full_system(name: str) -> System:
    return System(
        name=name,
        state=SystemState.PAUSED,
        revision=2,
        reason="maintenance",
        cursor={"since": "2026-03-01", "seen": [["7", "v"]]},
        polled_at=NOW,
        scanned_at=later(1),
        succeeded_at=later(2),
        last_error="401",
        error_at=later(3),
        open_problem=True,
        turned_away="9f86d081",
        lockouts=3,
        outage=Outage(NOW, "Transient: no answer", later(5), 2, "look"),
        maintenance=Maintenance(NOW, later(60), "olga", "new disks"),
    )


def owe(store: Store, subject: str = "1", system: str = "rt", at: datetime = NOW, **more: Any) -> None:
    more = {"direction": Direction.OUTWARD, "reason": "a ticket changed"} | more
    store.write(lambda tx: tx.outbox.owe(system, subject=subject, at=at, **more))


def claim(store: Store, system: str = "rt", at: datetime = NOW, *, lease: str | None = None) -> Claim | None:
    """The next delivery; its lease is named by its subject, unless a name is given."""

    def name(_: Transaction, delivery: Delivery) -> str:
        return lease or f"ticket {delivery.subject}"

    return store.write(lambda tx: tx.outbox.claim(system, "a worker", at, ttl=TTL, lease_name=name))


def claimed(store: Store, system: str = "rt", at: datetime = NOW) -> Claim:
    """The next delivery, which is known to be there."""
    taken = claim(store, system, at)
    assert taken is not None, "there is nothing to claim"
    return taken


def tie(store: Store, link: Link, comment_id: int, remote_id: str) -> None:
    store.write(lambda tx: tx.links.tie_comment(link.id, comment_id, remote_id, NOW))


def retry(store: Store, taken: Claim, at: datetime = NOW, *, not_before: datetime) -> None:
    store.write(lambda tx: tx.outbox.retry(taken, at, not_before=not_before, error="503"))


def bury(store: Store, taken: Claim, at: datetime = NOW) -> None:
    store.write(lambda tx: tx.outbox.bury(taken, at, error="Status 'x' is not valid"))
