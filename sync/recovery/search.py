"""What one pass over the systems of a restored database knows, keeps and finds; its ways to the store and to them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from central.delivery import Lease
from central.events import Kind
from central.link import Link
from central.store.api import Transaction
from connectors.api import Cursor, RemoteComment
from mappings.model import FieldMapping
from sync.echo import Entry, overwritten
from sync.gateway import Gateway, Gateways
from sync.intake import tokens_of_unsent
from sync.means import Means
from sync.parting import given_to
from sync.past import Past, read_past, words_of
from sync.plan import Loser
from sync.policy import Winner
from sync.poll import cursor_of
from sync.reading import Reading, reading
from sync.recording import keep
from sync.tokens import stands_for

_TTL = timedelta(minutes=10)
_REPLACED = "a write of ours that the restored database has forgotten replaced it"


class StillWorking(Exception):
    """Somebody works on a ticket that is to be read again. The sentence says what to do."""


@dataclass(slots=True)
class Rebuilt:
    """What the reading found."""

    looked: int = 0
    linked: int = 0
    """Copies of ours that were found by their token."""
    tickets: int = 0
    """Tickets of the centre that were forgotten."""
    comments: int = 0
    """Comments of the centre that were forgotten."""
    moved: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """By system, the keys of what moved there since the backup."""
    unread: dict[str, str] = field(default_factory=dict)
    """Systems that could not be read, and why."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A last notice of ours: on this ticket, in this system, to whom it was given."""

    ticket_id: int
    system: str
    unit: str
    at: datetime


class Search:
    """One pass over these systems. After a crash the next one of the same `owner` goes on at once."""

    def __init__(
        self, means: Means, gateways: Gateways, systems: Sequence[str], *, restored_at: datetime, owner: str
    ) -> None:
        self.means, self.gateways, self.systems = means, gateways, systems
        self.restored_at = restored_at
        self.done = Rebuilt()
        self.index: dict[str, int] = {}
        """The token of each ticket that we hold -> its id."""
        self.old: set[int] = set()
        """Tickets from before the restore."""
        self.own: list[tuple[str, str, str]] = []
        """System, key and token of tickets there that our account opened and no link knows."""
        self.again: dict[tuple[str, str], None] = {}
        """System and key of what is to be read again in the end, in this order."""
        self.notices: list[Notice] = []
        self.copies: list[tuple[int, str]] = []
        """Our ticket and the system, for each copy of it that was found."""
        self._owner = owner
        self._leases: dict[str, Lease] = {}

    def end(self) -> None:
        """Give back every ticket."""
        leases = tuple(self._leases.values())

        def give_back(tx: Transaction) -> None:
            for lease in leases:
                tx.outbox.release(lease)

        self.means.store.write(give_back)

    # -- the ways there ------------------------------------------------------------------------------------------------

    def index_tickets(self) -> None:
        """Know every ticket that we hold by its token."""
        before: int | None = None
        while True:

            def page(tx: Transaction, before: int | None = before) -> list[tuple[int, str]]:
                tickets = tx.tickets.list(limit=200, before=before)
                self.old |= {t.id for t in tickets if t.created_at < self.restored_at}
                tokens = self.means.tokens
                return [(t.id, tokens.ticket(words_of(t, tx.links.of(t.id)))) for t in tickets]

            found = self.means.store.read(page)
            if not found:
                return
            self.index |= {token: ticket_id for ticket_id, token in found}
            before = found[-1][0]

    def moved(self, gateway: Gateway) -> tuple[str, ...]:
        """The keys of what changed there since the backup; the cursor stays where it is."""
        kept = cursor_of(self.means.store.read(lambda tx: tx.registry.system(gateway.system)).cursor)
        if kept is None:
            return ()
        since = Cursor(kept.at - gateway.overlap, kept.position)
        keys: dict[str, None] = {}
        while True:
            page = gateway.connector.changes(since)
            keys |= dict.fromkeys(change.key for change in page.changes)
            if not page.more:
                spot = gateway.marker.ticket if gateway.marker is not None else None
                return tuple(key for key in keys if key != spot)
            since = page.cursor

    def past(self, system: str, key: str) -> Past | None:
        """The link that has this key there, and all that belongs to it; None: no link has it."""

        def question(tx: Transaction) -> Past | None:
            link = tx.links.find_by_key(system, key)
            return read_past(tx, link) if link else None

        return self.means.store.read(question)

    def lease(self, name: str) -> Lease:
        """Hold this until the search ends.  :raises StillWorking: somebody else does."""
        means = self.means
        lease = means.store.write(lambda tx: tx.outbox.take(name, self._owner, means.clock(), ttl=_TTL))
        if lease is None:
            raise StillWorking(f"{name} is being worked on; let it finish, then try again")
        self._leases[name] = lease
        return lease

    def fetch(self, gateway: Gateway, key: str, past: Past | None) -> Reading:
        """Read it there.  :raises ConnectorError: by remedy."""
        asked_at = self.means.clock()
        known = past.known if past else frozenset[str]()
        return reading(gateway, gateway.connector.fetch(key, known=known), asked_at)

    def unread(self, system: str, problem: Exception) -> None:
        """This system cannot be read, and why: what is forgotten of it stays so for now."""
        self.done.unread[system] = f"{type(problem).__name__}: {problem}"

    # -- what is found -------------------------------------------------------------------------------------------------

    def known_only(self, gateway: Gateway, past: Past, theirs: Reading) -> Reading:
        """Without those of our comments that nobody can tell yet: they are no late duplicates."""
        unsent = tokens_of_unsent(self.means, gateway, past)
        opened = {intent.token for intent in past.link.intents}
        shown = tuple(
            c for c in theirs.ticket.comments or () if not marked(c) or c.token in unsent or c.token in opened
        )
        return replace(theirs, ticket=replace(theirs.ticket, comments=shown))

    def moved_here(self, tx: Transaction, ticket_id: int, system: str) -> frozenset[str]:
        """Our fields that moved since the restore, otherwise than through this system."""
        return frozenset(
            event.field
            for event in tx.tickets.events(ticket_id)
            if event.kind is Kind.FIELD_CHANGED
            and event.field is not None
            and event.at >= self.restored_at
            and event.system != system
        )

    def keep_replaced(self, gateway: Gateway, past: Past, theirs: Reading, *, whole: bool = False) -> None:
        """Edits that a forgotten write of ours replaced may never have been read: they are kept."""
        link = past.link.evolve(history_seen="") if whole else past.link
        lost = overwritten(link, theirs.history or (), gateway.mapping, gateway.comment_effects)

        def change(tx: Transaction) -> None:
            for name, value in lost.items():
                loser = Loser(past.ticket[name], value, Winner.CENTRAL, _REPLACED)
                tx.tickets.record(keep(tx, name, loser, past, gateway, self.means.clock()))

        if lost:
            self.means.store.write(change)

    def note_notices(self, gateway: Gateway, past: Past, theirs: Reading) -> None:
        """Remember which of our last notices stand on it that we have forgotten."""
        for comment in theirs.ticket.comments or ():
            unit = given_to(self.means.centre, comment.text) if marked(comment) else None
            if unit is not None and comment.id not in past.known:
                self.notices.append(Notice(past.ticket.id, gateway.system, unit, comment.created_at))


def name_of(link: Link) -> str:
    """What a worker that works on it holds."""
    return f"{link.system}/ticket/{link.ticket_id}"


def marked(comment: RemoteComment) -> bool:
    """Whether our account wrote it, with a token of ours."""
    return comment.own and stands_for(comment.token) is not None


def last_of(theirs: Reading, field: FieldMapping) -> Entry | None:
    """The newest change of this field in their history."""
    return next((e for e in reversed(theirs.history or ()) if e.field == field.remote), None)
