"""What waits for a person, for whoever asks: dead letters, conflicts, holds, jobs. Rights first, then the act.

All of it tells of tickets: whoever may not read a ticket sees nothing of what waits about it, and what tells of an
internal note is for who may read internal notes. Of what is about no ticket that is known here, or about many, only who
runs the system is told.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any

from central.delivery import Delivery, Direction
from central.desk.services.errors import NotAllowed
from central.desk.services.queues import Queues
from central.desk.systems import SystemDesk
from central.desk.tickets import TicketDesk
from central.guard import Hold, HoldState
from central.job import Job, JobRow
from central.model import Conflict, Ticket, Value, Visibility
from central.rights import Action, Extent, Principal, demand, extent, may
from central.store.api import NoSuch, Store, Transaction

_PAGE = 500


Place = tuple[datetime, int]
"""Since when a letter was owed, and its id."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A dead letter, and the ticket that it is about where that is known."""

    letter: Delivery
    ticket_id: int | None
    awaits: str | None = None
    """Of one that is read: what our comment says whose answer was lost, where somebody is to say what became of it."""

    @property
    def place(self) -> Place:
        """Where it stands among the others."""
        return self.letter.owed_since, self.letter.id


class QueueDesk:
    """What waits for people. Errors as of `SystemDesk`."""

    def __init__(self, store: Store, queues: Queues, systems: SystemDesk, tickets: TicketDesk) -> None:
        self._store, self._queues, self._systems, self._tickets = store, queues, systems, tickets

    def letters(
        self,
        principal: Principal,
        system: str | None = None,
        *,
        discarded: bool = False,
        after: Place | None = None,
        limit: int | None = None,
    ) -> Sequence[Waiting]:
        """Dead letters, oldest first; those that were given up, instead. A page of them: `limit`, behind this place."""

        def question(tx: Transaction) -> Sequence[Waiting]:
            self._enter(tx, principal, system)
            waiting = (
                Waiting(each, self._queues.about(tx, each)) for each in _letters(tx, system, after, discarded=discarded)
            )
            seen = (each for each in waiting if self._sees(tx, principal, each.letter.system, each.ticket_id))
            return list(islice(seen, limit))

        return self._store.read(question)

    def letter(self, principal: Principal, number: int) -> Waiting:
        """One dead or discarded letter."""

        def question(tx: Transaction) -> Waiting:
            found = self._letter(tx, principal, number, Action.SEE_SYSTEM)
            return replace(found, awaits=self._queues.awaited(tx, found.letter))

        return self._store.read(question)

    def retry(self, principal: Principal, number: int) -> None:
        """Have it tried again."""
        self._store.read(lambda tx: self._letter(tx, principal, number, Action.RUN_SYSTEM))
        self._queues.retry([number], principal.person.id)

    def edit(
        self, principal: Principal, numbers: Sequence[int], changes: Mapping[str, Value]
    ) -> Mapping[int, NotAllowed]:
        """Change what these letters carry, in the tickets that they are about and by the rights on those, and have them
        tried again: each ticket with its letters at once. Answers which letters stay dead, and why.

        :raises NoSuch, Forbidden: of any of them; then nothing was changed."""

        def check(tx: Transaction) -> Mapping[int, tuple[Ticket, list[Delivery]]]:
            found = dict[int, tuple[Ticket, list[Delivery]]]()
            for number in dict.fromkeys(numbers):
                waiting = self._letter(tx, principal, number, Action.RUN_SYSTEM)
                if waiting.letter.direction is Direction.INWARD or waiting.ticket_id is None:
                    refused[number] = NotAllowed(f"it brings what is said in {waiting.letter.system}: edit it there")
                    continue
                ticket = self._tickets.ticket(tx, principal, waiting.ticket_id)
                allowed = self._tickets.may(tx, principal, Action.CHANGE_TICKET, ticket)
                demand(allowed, principal, Action.CHANGE_TICKET)
                found.setdefault(ticket.id, (ticket, []))[1].append(waiting.letter)
            return found

        refused = dict[int, NotAllowed]()
        for ticket, letters in self._store.read(check).values():
            new = {name: value for name, value in changes.items() if value != ticket[name]}
            also = self._queues.edited(letters, new, principal.person.id)
            try:
                self._tickets.change(principal, ticket.id, new, also=also)
            except NotAllowed as problem:
                refused |= dict.fromkeys((each.id for each in letters), problem)
        return refused

    def discard(self, principal: Principal, number: int, why: str) -> None:
        """Give it up; `why` is read by whoever misses it."""
        self._store.read(lambda tx: self._letter(tx, principal, number, Action.RUN_SYSTEM))
        self._queues.discard([number], principal.person.id, why)

    def settle(self, principal: Principal, number: int, there: str | None) -> None:
        """Say which comment there is the one of ours that it waits for, by its id; None: it never got through, and is
        sent once more. Then it is tried again."""
        self._store.read(lambda tx: self._letter(tx, principal, number, Action.RUN_SYSTEM))
        self._queues.settle(number, principal.person.id, there=there)

    def conflicts(
        self, principal: Principal, system: str | None = None, *, after: int = 0, limit: int | None = None
    ) -> Sequence[Conflict]:
        """Those that wait for a person, oldest first. A page of them: `limit`, after the one with this id."""

        def question(tx: Transaction) -> Sequence[Conflict]:
            self._enter(tx, principal, system)
            found = (each for each in self._queues.conflicts(tx, after=after) if system in (None, each.system))
            return list(islice((each for each in found if self._sees_conflict(tx, principal, each)), limit))

        return self._store.read(question)

    def resolve(self, principal: Principal, number: int, take: str) -> Conflict:
        """Let `ours` or `theirs` stand."""

        def check(tx: Transaction) -> None:
            found = self._queues.conflict(tx, number)
            self._demand(principal)
            if found is None or not self._sees_conflict(tx, principal, found):
                raise NoSuch(f"no conflict {number} waits for a person")
            self._systems.require(tx, principal, found.system, Action.RUN_SYSTEM)

        self._store.read(check)
        return self._queues.resolve(number, take, principal.person.id)

    def holds(
        self,
        principal: Principal,
        system: str | None = None,
        *,
        open_only: bool = True,
        after: int = 0,
        limit: int | None = None,
    ) -> Sequence[Hold]:
        """What guards hold, by id. A page of it: `limit`, after the one with this id."""

        def question(tx: Transaction) -> Sequence[Hold]:
            self._enter(tx, principal, system)
            found = _holds(tx, system, after, open_only=open_only)
            return list(islice((e for e in found if self._sees(tx, principal, e.system, e.ticket_id)), limit))

        return self._store.read(question)

    def hold(self, principal: Principal, number: int) -> Hold:
        """One hold, with all that it was judged by."""
        return self._store.read(lambda tx: self._hold(tx, principal, number, Action.SEE_SYSTEM))

    def approve(self, principal: Principal, number: int) -> Hold:
        """What was seen is right: it goes on."""
        self._store.read(lambda tx: self._hold(tx, principal, number, Action.RUN_SYSTEM))
        return self._queues.approve(number, principal.person.id)

    def reject(self, principal: Principal, number: int, *, write_back: bool = False) -> Hold:
        """It is wrong."""
        self._store.read(lambda tx: self._hold(tx, principal, number, Action.RUN_SYSTEM))
        return self._queues.reject(number, principal.person.id, write_back=write_back)

    def jobs(
        self, principal: Principal, system: str | None = None, *, after: int = 0, limit: int | None = None
    ) -> Sequence[Job]:
        """Every job, oldest first. A page of them: `limit`, after the one with this id."""

        def question(tx: Transaction) -> Sequence[Job]:
            self._enter(tx, principal, system)
            found = (each for each in _jobs(tx, after) if system in (None, each.system))
            return list(islice((each for each in found if self._sees(tx, principal, each.system, None)), limit))

        return self._store.read(question)

    def job(self, principal: Principal, number: int) -> Job:
        """One job."""
        return self._store.read(lambda tx: self._job(tx, principal, number, Action.SEE_SYSTEM))

    def report(self, principal: Principal, number: int, *, after: int = 0, limit: int = 100) -> Sequence[JobRow]:
        """A page of what it found."""

        def question(tx: Transaction) -> Sequence[JobRow]:
            self._job(tx, principal, number, Action.SEE_SYSTEM)
            return tx.jobs.rows(number, after=after, limit=limit)

        return self._store.read(question)

    def start_job(self, principal: Principal, kind: str, system: str, params: Mapping[str, Any]) -> Job:
        """Begin one. Pairing makes tickets of others a system's own, and is for the central team."""

        def check(tx: Transaction) -> None:
            self._systems.require(tx, principal, system, Action.RUN_SYSTEM)
            ticket = params.get("ticket")
            if kind == "resync" and isinstance(ticket, int):
                self._tickets.ticket(tx, principal, ticket)
            if kind == "pair":
                demand(extent(principal, Action.RUN_SYSTEM) is Extent.ALL, principal, Action.RUN_SYSTEM)

        self._store.read(check)
        return self._queues.start_job(kind, system, params, principal.person.id)

    def pause_job(self, principal: Principal, number: int) -> Job:
        """Let it rest where it is."""
        return self._turn(principal, number, self._queues.pause_job)

    def resume_job(self, principal: Principal, number: int) -> Job:
        """Let it go on."""
        return self._turn(principal, number, self._queues.resume_job)

    def _turn(self, principal: Principal, number: int, act: Callable[[int, str], Job]) -> Job:
        self._store.read(lambda tx: self._job(tx, principal, number, Action.RUN_SYSTEM))
        return act(number, principal.person.id)

    def _enter(self, tx: Transaction, principal: Principal, system: str | None) -> None:
        self._demand(principal)
        if system is not None:
            self._systems.require(tx, principal, system)

    def _demand(self, principal: Principal) -> None:
        for action in (Action.SEE_SYSTEM, Action.READ_TICKET):
            demand(may(principal, action), principal, action)

    def _sees(self, tx: Transaction, principal: Principal, system: str, ticket_id: int | None) -> bool:
        """Whether they may know what waits in this system about this ticket; None: about none, or about many."""
        if not self._systems.sees(principal, system):
            return False
        if ticket_id is not None:
            try:
                self._tickets.ticket(tx, principal, ticket_id)
            except NoSuch:
                return False
            return True
        everything = extent(principal, Action.SEE_SYSTEM) is Extent.ALL
        return everything or self._systems.may(principal, Action.RUN_SYSTEM, system)

    def _sees_conflict(self, tx: Transaction, principal: Principal, conflict: Conflict) -> bool:
        if not self._sees(tx, principal, conflict.system, conflict.ticket_id):
            return False
        hidden = {
            f"comment {each.id}"
            for each in tx.tickets.comments(conflict.ticket_id)
            if each.visibility is Visibility.INTERNAL or each.deleted_at is not None
        }
        ticket = tx.tickets.get(conflict.ticket_id)
        return conflict.field not in hidden or self._tickets.sees_internal(tx, principal, ticket)

    def _letter(self, tx: Transaction, principal: Principal, number: int, action: Action) -> Waiting:
        self._demand(principal)
        try:
            found = self._queues.letter(tx, number)
            waiting = Waiting(found, self._queues.about(tx, found))
        except NoSuch:
            raise NoSuch(f"there is no dead letter {number}") from None
        if not self._sees(tx, principal, found.system, waiting.ticket_id):
            raise NoSuch(f"there is no dead letter {number}")
        self._systems.require(tx, principal, found.system, action)
        return waiting

    def _hold(self, tx: Transaction, principal: Principal, number: int, action: Action) -> Hold:
        self._demand(principal)
        missing = NoSuch(f"there is no hold {number}")
        try:
            found = tx.guards.get(number)
        except NoSuch:
            raise missing from None
        if not self._sees(tx, principal, found.system, found.ticket_id):
            raise missing
        self._systems.require(tx, principal, found.system, action)
        if action is not Action.SEE_SYSTEM and found.state is not HoldState.OPEN:
            raise NoSuch(f"hold {number} was {found.state} already")
        return found

    def _job(self, tx: Transaction, principal: Principal, number: int, action: Action) -> Job:
        self._demand(principal)
        missing = NoSuch(f"there is no job {number}")
        try:
            found = tx.jobs.get(number)
        except NoSuch:
            raise missing from None
        if not self._sees(tx, principal, found.system, None):
            raise missing
        self._systems.require(tx, principal, found.system, action)
        return found


def _letters(tx: Transaction, system: str | None, after: Place | None, *, discarded: bool) -> Iterator[Delivery]:
    """Those behind this place, read as far as they are wanted."""
    pages = tx.outbox.discarded if discarded else tx.outbox.dead
    while found := pages(system, after=after, limit=_PAGE):
        yield from found
        after = (found[-1].owed_since, found[-1].id)


def _holds(tx: Transaction, system: str | None, after: int, *, open_only: bool) -> Iterator[Hold]:
    while found := tx.guards.list(open_only=open_only, system=system, after=after, limit=_PAGE):
        yield from found
        after = found[-1].id


def _jobs(tx: Transaction, after: int) -> Iterator[Job]:
    while found := tx.jobs.list(after=after, limit=_PAGE):
        yield from found
        after = found[-1].id
