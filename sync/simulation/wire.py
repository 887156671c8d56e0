"""The wire between interdesk and a simulated tracker: where answers get lost, requests come late and lists are cut."""

from bisect import insort
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from connectors.api import (
    Change,
    ChangePage,
    CommentDraft,
    Commented,
    Cursor,
    RemoteTicket,
    Value,
    Written,
)
from connectors.emulators.tracker import Issue, Tracker
from connectors.errors import Unknown
from connectors.memory import Call, MemoryConnector
from sync.simulation.chronicle import Wrote
from sync.simulation.scenario import LISTINGS, Kind
from sync.simulation.tempers import NOTIFIES, Temper

if TYPE_CHECKING:
    from sync.simulation.world import World

T = TypeVar("T")
DEADLINE = timedelta(seconds=30)
_LISTINGS = tuple(sorted(LISTINGS))


class Wire(MemoryConnector):
    """A memory connector whose every call is a moment of the world."""

    def __init__(self, world: "World", temper: Temper, tracker: Tracker) -> None:
        super().__init__(
            tracker,
            capabilities=replace(temper.capabilities, notifies=NOTIFIES[temper.kind]),
            clock=world.clock,
            page=temper.page,
            crlf=temper.crlf,
            deadline=DEADLINE,
            intruder=self._moment,
        )
        self._world, self._temper, self._takes = world, temper, timedelta(seconds=temper.latency / 2)
        self._shown_at: dict[tuple[str, str], datetime] = {}
        self._patches: dict[tuple[str, str], Mapping[str, Value]] = {}

    def changes(self, since: Cursor | None) -> ChangePage:
        page = super().changes(since)
        return self._listed(self._mangled("changes", page, since))

    def scan(self, position: str) -> ChangePage:
        page = super().scan(position)
        return self._listed(self._mangled("scan", page, Cursor(page.cursor.at, position)))

    def fetch(self, key: str, *, known: Collection[str] | None = None, version: str | None = None) -> RemoteTicket:
        return self._read(super().fetch(key, known=known, version=version))

    def create(self, fields: Mapping[str, Value], *, token: str) -> RemoteTicket:
        return self._read(self._sent("create", "", lambda: super(Wire, self).create(fields, token=token)))

    def update(self, key: str, patch: Mapping[str, Value], *, held: RemoteTicket | None) -> Written:
        written = self._sent("update", key, lambda: self._update(key, patch, held))
        self._read(written.after)
        return written

    def _update(self, key: str, patch: Mapping[str, Value], held: RemoteTicket | None) -> Written:
        self._patches[self._world.player, key] = patch
        return super().update(key, patch, held=held)

    def comment(self, key: str, draft: CommentDraft, *, token: str) -> Commented:
        return self._sent("comment", key, lambda: super(Wire, self).comment(key, draft, token=token))

    def _sent(self, operation: str, key: str, act: Callable[[], T]) -> T:
        world, sent_at = self._world, self._world.clock()
        late = world.take(Kind.LATE, self._temper.name, operation)
        if late is not None:
            world.later(
                sent_at + timedelta(seconds=late.seconds), lambda: self._execute_late(operation, key, act, sent_at)
            )
            raise Unknown("no answer came")
        self._world.sending(sent_at)
        return act()

    def _execute_late(self, operation: str, key: str, act: Callable[[], object], sent_at: datetime) -> None:
        self._world.tell(f"the late {operation} of {self._temper.name}/{key or '?'} executes now")
        with self._world.unheard(sent_at):
            act()

    def _moment(self, call: Call) -> None:
        if call.operation == "update" and call.done:
            world, patch = self._world, self._patches.pop((self._world.player, call.key))
            world.chronicle.writes.append(Wrote(world.clock(), self._temper.name, call.key, patch))
        self._world.moment(call.operation, self._temper.name, call.key, done=call.done, takes=self._takes)

    def _ticket(self, issue: Issue, known: Collection[str] | None) -> RemoteTicket:
        self._shown_at[self._world.player, issue.key] = self._world.clock()
        return super()._ticket(issue, known)

    def _read(self, ticket: RemoteTicket) -> RemoteTicket:
        """An answer has arrived; what it tells was true when the tracker gave it."""
        times = self._world.chronicle.reads[self._temper.name, ticket.key]
        insort(times, self._shown_at[self._world.player, ticket.key])
        return ticket

    def _listed(self, page: ChangePage) -> ChangePage:
        for change in page.changes:
            if change.ticket is not None:
                self._read(change.ticket)
        return page

    def _mangled(self, operation: str, page: ChangePage, since: Cursor | None) -> ChangePage:
        if since is None:
            return page
        rows = page.changes
        for kind in _LISTINGS:
            fault = self._world.take(kind, self._temper.name, operation)
            match kind if fault is not None else None:
                case Kind.EMPTY:
                    return ChangePage((), since, more=False)
                case Kind.CUT:
                    rows = rows[: len(rows) // 2]
                    page = _ending(page, rows, since)
                case Kind.LATE_INDEX:
                    indexed = self.tracker.now() - timedelta(seconds=fault.seconds if fault else 0)
                    rows = tuple(row for row in rows if row.changed_at is None or row.changed_at <= indexed)
                    page = _ending(page, rows, since)
                case Kind.SHUFFLED:
                    rows = rows[::-1]
                case Kind.DOUBLED:
                    rows = (*rows, *rows)
        return page if rows is page.changes else replace(page, changes=rows)


def _ending(page: ChangePage, rows: Sequence[Change], since: Cursor) -> ChangePage:
    """The page as who knows no more than these rows answers it."""
    newest = max((row.changed_at for row in rows if row.changed_at), default=since.at)
    return replace(page, cursor=Cursor(max(newest, since.at), since.position), more=False)
