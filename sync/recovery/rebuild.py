"""Find again what a restored database has forgotten, by reading only.

Whatever moved in a system since the backup is read again, in this order, because a later step needs what an earlier
one found:

1. what people did there: their tickets, comments and edits;
2. our own tickets there, known by their tokens: of a ticket that we hold they are its copy; of one that was opened at
   the centre and is forgotten, they are what is left of it, in however many systems;
3. our last notices, which tell whom a ticket was given to;
4. what else our account wrote: comments of the centre, and the values that the centre had.

Every step can be repeated; nothing is written to any system.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from central.events import Event, Kind
from central.link import Link, LinkState, Pair
from central.model import SYSTEM, Person, Value
from central.store.api import Lease, Transaction
from connectors.api import Cursor, RemoteComment, RemoteTicket
from connectors.errors import ConnectorError, NotFound
from mappings.model import FieldMapping, Untranslatable
from sync import routing
from sync.absorb import keep
from sync.birth import meet
from sync.echo import Entry, overwritten
from sync.gateway import Gateway, Gateways
from sync.intake import comment_of, tokens_of_unsent
from sync.means import Means
from sync.moves import lose
from sync.parting import given_to
from sync.past import Past, read_past, reread, words_of
from sync.policy import Winner
from sync.poll import cursor_of
from sync.pull import look
from sync.reading import Reading, gone_by_value, reading
from sync.reconcile import Loser, corresponds
from sync.recovery.forgotten import OPENED_AGAIN, reopen
from sync.tokens import Stands, stands_for

_TTL = timedelta(minutes=10)
_LINKED_AGAIN = "found again after the restore, by its token"
_FOUND = (_LINKED_AGAIN, OPENED_AGAIN)
_REPLACED = "a write of ours that the restored database has forgotten replaced it"


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
class _Notice:
    """A last notice of ours: on this ticket, in this system, to whom it was given."""

    ticket_id: int
    system: str
    unit: str
    at: datetime


class Rebuild:
    """One pass over these systems. After a crash the next one of the same `owner` goes on at once."""

    def __init__(
        self, means: Means, gateways: Gateways, systems: Sequence[str], *, restored_at: datetime, owner: str
    ) -> None:
        self._means, self._gateways, self._systems = means, gateways, systems
        self._restored_at, self._owner = restored_at, owner
        self._done = Rebuilt()
        self._index: dict[str, int] = {}
        self._old: set[int] = set()
        self._own: list[tuple[str, str, str]] = []  # system, key, token
        self._again: dict[tuple[str, str], None] = {}
        self._notices: list[_Notice] = []
        self._copies: list[tuple[int, str]] = []
        self._leases: dict[str, Lease] = {}

    def run(self) -> Rebuilt:
        """Read everything that moved.  :raises StillWorking: somebody else works on one of these tickets."""
        try:
            return self._run()
        finally:
            leases = tuple(self._leases.values())

            def give_back(tx: Transaction) -> None:
                for lease in leases:
                    tx.outbox.release(lease)

            self._means.store.write(give_back)

    def _run(self) -> Rebuilt:
        deque(self._known_tickets(), maxlen=0)
        for name in self._systems:
            try:
                gateway = self._gateways.get(name)
            except LookupError as unusable:
                self._unread(name, unusable)
                continue
            try:
                self._done.moved[name] = self._moved(gateway)
                for key in self._done.moved[name]:
                    self._read_people(gateway, key)
            except ConnectorError as problem:
                self._unread(name, problem)
        deque(self._known_tickets(), maxlen=0)  # with what was born in systems meanwhile
        self._link_copies()
        self._give_back()
        self._read_rest()
        return self._done

    # -- what moved ----------------------------------------------------------------------------------------------------

    def _known_tickets(self) -> Iterator[int]:
        """Every ticket's id, its token kept in the index."""
        before: int | None = None
        while True:

            def page(tx: Transaction, before: int | None = before) -> list[tuple[int, str]]:
                tickets = tx.tickets.list(limit=200, before=before)
                self._old |= {t.id for t in tickets if t.created_at < self._restored_at}
                tokens = self._means.tokens
                return [(t.id, tokens.ticket(words_of(t, tx.links.of(t.id)))) for t in tickets]

            found = self._means.store.read(page)
            if not found:
                return
            for ticket_id, token in found:
                self._index[token] = ticket_id
                yield ticket_id
            before = found[-1][0]

    def _moved(self, gateway: Gateway) -> tuple[str, ...]:
        """The keys of what changed there since the backup; the cursor stays where it is."""
        kept = cursor_of(self._means.store.read(lambda tx: tx.registry.system(gateway.system)).cursor)
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

    # -- 1: what people did --------------------------------------------------------------------------------------------

    def _read_people(self, gateway: Gateway, key: str) -> None:
        means, self._done.looked = self._means, self._done.looked + 1
        past = self._past(gateway.system, key)
        lease = self._lease(f"{gateway.system}/key/{key}" if past is None else _name(past.link))
        if past is not None and past.link.state is LinkState.DUPLICATE:
            return
        try:
            theirs = self._fetch(gateway, key, past)
        except NotFound:
            if past is not None:
                lose(means, gateway, past, lease, "it is gone there")
            return
        if past is None:
            self._meet(gateway, theirs, lease)
            return
        gone = gone_by_value(gateway, theirs.ticket)
        if gone:
            lose(means, gateway, past, lease, gone, theirs)
            return
        self._again[gateway.system, key] = None
        self._note_notices(gateway, past, theirs)
        if past.link.state is LinkState.ACTIVE and self._was_found(past.link):
            self._copies.append((past.ticket.id, gateway.system))
        if past.link.state is LinkState.DETACHED and any(
            _marked(c) and c.id not in past.known for c in theirs.ticket.comments or ()
        ):
            past = self._taken_up(past)  # it was taken up after the backup; a last notice may end it again
        if past.link.state is not LinkState.DETACHED:
            self._keep_replaced(gateway, past, theirs)
            look(means, gateway, past, _by_people(gateway, past.link, self._known_only(gateway, past, theirs)), lease)

    def _was_found(self, link: Link) -> bool:
        """Whether an earlier pass, which may not have come to its end, has linked this copy."""
        events = self._means.store.read(lambda tx: tx.tickets.events(link.ticket_id))
        return any(
            e.kind is Kind.LINKED and e.system == link.system and e.why in _FOUND and e.at >= self._restored_at
            for e in events
        )

    def _taken_up(self, past: Past) -> Past:
        def change(tx: Transaction) -> None:
            tx.links.save(past.link.evolve(state=LinkState.ACTIVE, version="", row_version="", last_error=""))

        self._means.store.write(change)
        return reread(self._means.store, past)

    def _meet(self, gateway: Gateway, theirs: Reading, lease: Lease) -> None:
        ticket = theirs.ticket
        if ticket.own and ticket.token and self._is_ours(gateway.system, ticket.token):
            self._own.append((gateway.system, ticket.key, ticket.token))
            return
        people = tuple(c for c in ticket.comments or () if not _marked(c))
        meet(self._means, gateway, replace(theirs, ticket=replace(ticket, comments=people)), lease)
        past = self._past(gateway.system, ticket.key)
        if past is not None:
            self._again[gateway.system, ticket.key] = None
            self._note_notices(gateway, past, theirs)
            self._keep_replaced(gateway, past, theirs, whole=True)

    def _is_ours(self, system: str, token: str) -> bool:
        if stands_for(token) is Stands.TICKET:
            return True
        return self._means.store.read(lambda tx: tx.links.find_intent(system, token)) is not None

    def _keep_replaced(self, gateway: Gateway, past: Past, theirs: Reading, *, whole: bool = False) -> None:
        """Edits that a forgotten write of ours replaced may never have been read: they are kept."""
        link = past.link.evolve(history_seen="") if whole else past.link
        lost = overwritten(link, theirs.history or (), gateway.mapping)

        def change(tx: Transaction) -> None:
            for name, value in lost.items():
                loser = Loser(past.ticket[name], value, Winner.CENTRAL, _REPLACED)
                tx.tickets.record(keep(tx, name, loser, past, gateway, self._means.clock()))

        if lost:
            self._means.store.write(change)

    def _note_notices(self, gateway: Gateway, past: Past, theirs: Reading) -> None:
        for comment in theirs.ticket.comments or ():
            unit = given_to(self._means.centre, comment.text) if _marked(comment) else None
            if unit is not None and comment.id not in past.known:
                self._notices.append(_Notice(past.ticket.id, gateway.system, unit, comment.created_at))

    # -- 2: our own tickets there --------------------------------------------------------------------------------------

    def _link_copies(self) -> None:
        for system, key, token in self._own:
            if system in self._done.unread:
                continue
            try:
                self._link_copy(system, key, token)
            except ConnectorError as problem:
                self._unread(system, problem)

    def _link_copy(self, system: str, key: str, token: str) -> None:
        gateway = self._gateways.get(system)
        owner = self._means.store.read(lambda tx, s=system, t=token: tx.links.find_intent(s, t))  # type: ignore[misc]  # bound now
        ticket_id = owner.ticket_id if owner is not None else self._index.get(token)
        lease = self._lease(f"{system}/key/{key}")
        theirs = self._fetch(gateway, key, None)
        if gone_by_value(gateway, theirs.ticket):
            return
        if ticket_id is None:
            ticket_id = reopen(self._means, gateway, theirs, token, lease)
            self._index[token] = ticket_id
            self._done.tickets += 1
        else:
            self._link(gateway, ticket_id, theirs, lease)
        past = self._past(system, key)
        assert past is not None, "it was linked just now"
        if past.link.state is LinkState.ACTIVE:
            self._again[system, key] = None
            self._copies.append((ticket_id, system))
            self._note_notices(gateway, past, theirs)
            self._keep_replaced(gateway, past, theirs, whole=True)
            people = tuple(c for c in theirs.ticket.comments or () if not _marked(c))
            self._take_people(gateway, past, replace(theirs, ticket=replace(theirs.ticket, comments=people)), lease)

    def _take_people(self, gateway: Gateway, past: Past, theirs: Reading, lease: Lease) -> None:
        """What people said on a copy goes before what our account carried elsewhere for them."""
        said = replace(theirs, ticket=replace(theirs.ticket, fields={}))
        look(self._means, gateway, past, said, lease)

    def _link(self, gateway: Gateway, ticket_id: int, theirs: Reading, lease: Lease) -> None:
        """This is the ticket's copy there; what differs is decided by who touched it last."""
        there, system = theirs.ticket, gateway.system

        def change(tx: Transaction) -> None:
            at = self._means.clock()
            tx.outbox.check(lease, at)
            known = tx.links.find(ticket_id, system)
            if known is not None and known.key not in (None, there.key):
                twin = Link(0, ticket_id, system, LinkState.DUPLICATE, there.key, there.address, created_at=at)
                tx.links.create(twin)
                return
            link = known or tx.links.create(Link(0, ticket_id, system, LinkState.PENDING, created_at=at))
            ticket = tx.tickets.get(ticket_id)
            moved = self._moved_here(tx, ticket_id, system)
            base = {
                f.central: pair
                for f in gateway.mapping.fields.values()
                if f.remote in there.fields
                and (pair := self._agreed(f, ticket[f.central], theirs, ticket_id, moved)) is not None
            }
            tx.links.save(
                link.evolve(
                    state=LinkState.ACTIVE,
                    key=there.key,
                    address=there.address,
                    base=base,
                    intents=(),
                    mapping_revision=gateway.mapping.revision,
                    history_seen="",
                )
            )
            why = _LINKED_AGAIN
            tx.tickets.record(
                [Event(Kind.LINKED, ticket_id, at, SYSTEM, system=system, data={"key": there.key}, why=why)]
            )

        self._means.store.write(change)
        self._done.linked += 1

    def _agreed(
        self, field: FieldMapping, ours: Value, theirs: Reading, ticket_id: int, moved: frozenset[str]
    ) -> Pair | None:
        """What both sides last agreed on, as far as it can be told; None: it cannot."""
        value = theirs.ticket.fields[field.remote]
        if corresponds(field.rule, ours, value):
            return Pair(ours, value)
        last = _last(theirs, field)
        try:
            if ticket_id in self._old and field.central not in moved:  # ours is from before the copy was made
                return Pair(ours, field.rule.outward(ours, held=value))
            if theirs.history is not None and (last is None or last.own):
                return Pair(field.rule.inward(value, held=ours), value)
        except Untranslatable:
            return None
        return None

    def _moved_here(self, tx: Transaction, ticket_id: int, system: str) -> frozenset[str]:
        """Our fields that moved since the restore, otherwise than through this system."""
        return frozenset(
            event.field
            for event in tx.tickets.events(ticket_id)
            if event.kind is Kind.FIELD_CHANGED
            and event.field is not None
            and event.at >= self._restored_at
            and event.system != system
        )

    # -- 3: whom a ticket was given to ---------------------------------------------------------------------------------

    def _give_back(self) -> None:
        """The newest last notice names the unit; a copy that nobody was told to leave does, where there is none."""
        newest: dict[int, _Notice] = {}
        for notice in sorted(self._notices, key=lambda each: each.at):
            newest[notice.ticket_id] = notice
        for notice in newest.values():
            left = {each.system for each in self._notices if each.ticket_id == notice.ticket_id}
            self._assign(notice.ticket_id, notice.unit, left)
        for ticket_id, system in self._copies:
            units = sorted(self._gateways.get(system).units)
            if ticket_id not in newest and units:
                ticket = self._means.store.read(lambda tx, i=ticket_id: tx.tickets.get(i))  # type: ignore[misc]  # bound now
                self._assign(ticket_id, str(ticket["unit"]) if ticket["unit"] in units else units[0], set())

    def _assign(self, ticket_id: int, unit: str, left: set[str]) -> None:
        means = self._means

        def change(tx: Transaction) -> None:
            at, ticket = means.clock(), tx.tickets.get(ticket_id)
            target = routing.system_of(unit, means.units())
            if ticket["unit"] != unit and "unit" not in self._moved_here(tx, ticket_id, ""):
                before = ticket["unit"]
                ticket = tx.tickets.change(ticket, {"unit": unit}, at)
                why = "what was written before the restore tells that it was given to this unit"
                data = {"from": before, "to": unit}
                tx.tickets.record([Event(Kind.FIELD_CHANGED, ticket_id, at, SYSTEM, field="unit", data=data, why=why)])
            for link in tx.links.of(ticket_id):
                if link.state is LinkState.DETACHED and link.system == target:
                    tx.links.save(link.evolve(state=LinkState.ACTIVE, version="", row_version="", last_error=""))
                elif link.state is LinkState.ACTIVE and link.system in left - {target} and not link.birth:
                    tx.links.save(link.evolve(state=LinkState.DETACHED, disagreements={}, intents=()))
            means.relay.owe_outward(
                tx, routing.owed(tx.links.of(ticket_id), target), ticket_id, at, reason="found again after the restore"
            )

        means.store.write(change)

    # -- 4: what else our account wrote --------------------------------------------------------------------------------

    def _read_rest(self) -> None:
        for system, key in self._again:
            if system in self._done.unread:
                continue
            try:
                self._read_again(system, key)
            except NotFound:
                continue  # the first look after the plan says so
            except ConnectorError as problem:
                self._unread(system, problem)

    def _read_again(self, system: str, key: str) -> None:
        gateway, past = self._gateways.get(system), self._past(system, key)
        if past is None or past.link.state is not LinkState.ACTIVE:
            return
        lease = self._lease(_name(past.link))
        theirs = self._fetch(gateway, key, past)
        self._tell_whose(gateway, past, theirs)
        self._take_comments(gateway, reread(self._means.store, past), theirs, lease)
        past = reread(self._means.store, past)
        look(self._means, gateway, past, self._known_only(gateway, past, theirs), lease)

    def _tell_whose(self, gateway: Gateway, past: Past, theirs: Reading) -> None:
        """Where ours moved since the restore, a value there that we wrote is only an older word of ours."""

        def change(tx: Transaction) -> None:
            moved = self._moved_here(tx, past.ticket.id, gateway.system)
            base = dict(past.link.base)
            for name in moved & gateway.mapping.fields.keys():
                mapped = gateway.mapping.fields[name]
                last = _last(theirs, mapped)
                if mapped.remote in theirs.ticket.fields and last is not None and last.own:
                    value = theirs.ticket.fields[mapped.remote]
                    try:
                        base[name] = Pair(mapped.rule.inward(value, held=past.ticket[name]), value)
                    except Untranslatable:
                        continue
            tx.links.save(past.link.evolve(base=base))

        self._means.store.write(change)

    def _take_comments(self, gateway: Gateway, past: Past, theirs: Reading, lease: Lease) -> None:
        """Comments of the centre that it has forgotten: taken in with the author whom their first line names."""
        unsent = tokens_of_unsent(self._means, gateway, past)
        for comment in theirs.ticket.comments or ():
            kind = stands_for(comment.token)
            if not _marked(comment) or comment.internal or comment.id in past.known or comment.token in unsent:
                continue
            if kind is Stands.COMMENT:
                self._take(gateway, past, comment, lease)
            elif kind is Stands.FILE:
                self._take(gateway, past, replace(comment, text=""), lease)
            else:
                ignored = (*past.link.ignored, comment.id)
                past = replace(past, link=past.link.evolve(ignored=ignored))
                link = past.link
                self._means.store.write(lambda tx, link=link: tx.links.save(link))  # type: ignore[misc]  # bound now

    def _take(self, gateway: Gateway, past: Past, comment: RemoteComment, lease: Lease) -> None:
        new = comment_of(self._means, gateway, comment, frozenset(past.file_ties.values()))
        signed = gateway.mapping.comment.signed(new.text)
        author = Person("somebody", f"somebody at {self._means.centre}")
        if signed is not None:
            author = Person(signed.author, signed.author)
            new = replace(new, text=signed.text, created_at=signed.at or new.created_at)
        new = replace(new, author=author, origin_system=None, origin_id=comment.token)

        def change(tx: Transaction) -> None:
            at = self._means.clock()
            tx.outbox.check(lease, at)
            added = tx.tickets.add_comment(past.ticket.id, new)
            tx.links.tie_comment(past.link.id, added.id, comment.id, at)
            for file in tx.tickets.files(past.ticket.id):
                if file.comment_id == added.id and file.origin_id:
                    tx.links.tie_file(past.link.id, file.id, file.origin_id)
            tx.tickets.touch(past.ticket.id, at)
            why = "forgotten by the restore; taken in from its copy"
            data = {"comment": added.id, "remote": comment.id}
            event = Event(Kind.COMMENT_ADDED, past.ticket.id, at, author, data=data, why=why)
            tx.tickets.record([event])
            target = routing.system_of(past.ticket["unit"], self._means.units())
            owed = routing.owed(past.links, target, source=gateway.system)
            self._means.relay.owe_outward(tx, owed, past.ticket.id, at, reason="a comment was found again")

        self._means.store.write(change)
        self._done.comments += 1

    # -- the ways there ------------------------------------------------------------------------------------------------

    def _past(self, system: str, key: str) -> Past | None:
        def question(tx: Transaction) -> Past | None:
            link = tx.links.find_by_key(system, key)
            return read_past(tx, link) if link else None

        return self._means.store.read(question)

    def _lease(self, name: str) -> Lease:
        means = self._means
        lease = means.store.write(lambda tx: tx.outbox.take(name, self._owner, means.clock(), ttl=_TTL))
        if lease is None:
            raise StillWorking(f"{name} is being worked on; let it finish, then try again")
        self._leases[name] = lease
        return lease

    def _unread(self, system: str, problem: Exception) -> None:
        self._done.unread[system] = f"{type(problem).__name__}: {problem}"

    def _fetch(self, gateway: Gateway, key: str, past: Past | None) -> Reading:
        asked_at = self._means.clock()
        known = past.known if past else frozenset[str]()
        return reading(gateway, gateway.connector.fetch(key, known=known), asked_at)

    def _known_only(self, gateway: Gateway, past: Past, theirs: Reading) -> Reading:
        """Without those of our comments that nobody can tell yet: they are no late duplicates."""
        unsent = tokens_of_unsent(self._means, gateway, past)
        opened = {intent.token for intent in past.link.intents}
        shown = tuple(
            c for c in theirs.ticket.comments or () if not _marked(c) or c.token in unsent or c.token in opened
        )
        return replace(theirs, ticket=replace(theirs.ticket, comments=shown))


class StillWorking(Exception):
    """Somebody works on a ticket that is to be read again. The sentence says what to do."""


def _name(link: Link) -> str:
    return f"{link.system}/ticket/{link.ticket_id}"


def _marked(comment: RemoteComment) -> bool:
    return comment.own and stands_for(comment.token) is not None


def _last(theirs: Reading, field: FieldMapping) -> Entry | None:
    """The newest change of this field in their history."""
    return next((e for e in reversed(theirs.history or ()) if e.field == field.remote), None)


def _by_people(gateway: Gateway, link: Link, theirs: Reading) -> Reading:
    """Without the values that our own account wrote last: those are no edits."""
    ticket: RemoteTicket = theirs.ticket
    fields = dict(ticket.fields)
    for mapped in gateway.mapping.fields.values():
        last = _last(theirs, mapped)
        base = link.base.get(mapped.central)
        if last is not None and last.own and base is not None and base.theirs != fields.get(mapped.remote):
            fields.pop(mapped.remote, None)
    return replace(theirs, ticket=replace(ticket, fields=fields))
