"""Search in SQL: what tickets are found by is a table of marks, and one of words; the rarest of what is asked for is
walked.

A page looks through so many tickets and no more, however many there are; where it found fewer than were asked for, the
next one goes on there. Tickets that a program of before has written bear older marks than their revision, and few are
ever in that state: they are compared one by one.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Subquery,
    Table,
    and_,
    bindparam,
    delete,
    func,
    literal_column,
    not_,
    select,
    union_all,
)
from sqlalchemy.dialects import postgresql

from central.model import Comment, Ticket
from central.rights import Sight
from central.search import SPOKEN, WORDINGS, Query, Wanted, marks, noted, sighted, spoken, wanted, wordings
from central.store.sql.prepared import Prepared
from central.store.sql.schema import (
    DISAGREES,
    STRAYED,
    UNWORDED,
    Text,
    links,
    ticket_marks,
    ticket_words,
    tickets,
)
from central.store.sql.session import Session

_WINDOWS = (200, 2000, 17_800)
"""Tickets that one page looks through: first a few, more where these do not fill it, and then no more."""
LOOKED_THROUGH = sum(_WINDOWS)
_FEW = 2000
"""How far it is counted what is rarer."""
_LINKED = links.c.state != literal_column("'duplicate'")
_LINKS_OF = Prepared(select(links.c.system, links.c.disagrees).where(links.c.ticket_id == bindparam("of"), _LINKED))
_WORDED = Prepared(select(tickets.c.id).where(tickets.c.id == bindparam("of"), not_(UNWORDED)))
_ID = tickets.c.id
_NUMBER: Any = func.count().label("number")
_NEVER: ColumnElement[bool] = literal_column("1 = 0")
_ALWAYS: ColumnElement[bool] = literal_column("1 = 1")


class Kept:
    """A table of marks: who bears which."""

    def __init__(self, table: Table) -> None:
        borne = table.c.ticket_id == bindparam("of")
        self._of = Prepared(select(table.c.mark).where(borne))
        self._drop = Prepared(delete(table).where(table.c.mark == bindparam("of_mark"), borne))
        new = postgresql.insert(table).values(mark=bindparam("mark"), ticket_id=bindparam("ticket_id"))
        self._add = Prepared(new.on_conflict_do_nothing())  # SQLite says it alike

    def of(self, session: Session, ticket_id: int) -> frozenset[str]:
        """The marks that a ticket bears."""
        return frozenset(row.mark for row in session.rows(self._of, {"of": ticket_id}))

    def move(self, session: Session, ticket_id: int, before: frozenset[str], after: frozenset[str]) -> None:
        """A ticket bears other marks from now on."""
        for gone in before - after:
            session.write(self._drop, {"of_mark": gone, "of": ticket_id})
        for new in sorted(after - before):
            session.write(self._add, {"mark": new, "ticket_id": ticket_id})


MARKS, WORDS = Kept(ticket_marks), Kept(ticket_words)


def mark_new(session: Session, ticket: Ticket) -> None:
    """A new ticket bears what it is found by."""
    MARKS.move(session, ticket.id, frozenset(), marks(ticket))
    WORDS.move(session, ticket.id, frozenset(), wordings(ticket))


def rewords(session: Session, ticket: Ticket, changed: Ticket) -> bool:
    """Whether a change makes it one of other words; so does every change of a ticket that a program of before wrote."""
    same = all(ticket[name] == changed[name] for name in ("subject", "description"))
    return not same or session.first(_WORDED, {"of": ticket.id}) is None


def mark_anew(session: Session, changed: Ticket, *, reworded: bool) -> None:
    """Give a ticket the marks of what it is now."""
    MARKS.move(session, changed.id, MARKS.of(session, changed.id), marks(changed))
    if reworded:
        before = {each for each in WORDS.of(session, changed.id) if each.partition(":")[0] in WORDINGS}
        WORDS.move(session, changed.id, frozenset(before), wordings(changed))


def add_spoken(session: Session, comment: Comment) -> None:
    """A ticket is found by one more comment."""
    WORDS.move(session, comment.ticket_id, frozenset(), spoken([comment]))


def speak_anew(session: Session, ticket_id: int, comments: Iterable[Comment]) -> None:
    """A ticket is found by these comments and no others."""
    before = {each for each in WORDS.of(session, ticket_id) if each.partition(":")[0] in SPOKEN}
    WORDS.move(session, ticket_id, frozenset(before), spoken(comments))


class Search:
    """One search, carried out in a session."""

    def __init__(self, session: Session, query: Query, sight: Sight, limit: int, before: int | None) -> None:
        self._session, self._query, self._sight, self._limit = session, query, sight, limit
        self._began = self._before = before
        self._few: bool | None = None
        self._groups = wanted(query)

    def ids(self) -> tuple[list[int], int | None]:
        """The tickets that bear the marks, newest first, one more than asked for at most; and where the looking ended,
        None: at the last of them."""
        if self._groups is None or not (self._sight.everything or self._sight.systems or sighted(self._sight)):
            return [], None
        rarest = self._rarest()
        found: list[int] = []
        for size in _WINDOWS:
            window = self._window(rarest, size)
            told = self._rows(select(_NUMBER, func.min(window.c.ticket_id).label("last")))[0]
            found += self._filtered(window, self._limit + 1 - len(found))
            if told.number < size and len(found) <= self._limit:
                return found, None
            self._before = told.last
            if len(found) > self._limit:
                break
        return found, self._before

    def strayed(self) -> set[int]:
        """Tickets whose marks or words are older than they are."""
        found: set[int] = set()
        for condition in (STRAYED, UNWORDED):
            through = select(_ID.label("ticket_id")).where(condition).order_by(_ID.desc()).limit(LOOKED_THROUGH)
            wanted = through if self._began is None else through.where(self._began > _ID)
            found |= {row.ticket_id for row in self._rows(wanted)}
        return found

    def linked(self, ticket_id: int) -> tuple[set[str], set[str]]:
        """The systems that a ticket is linked to, and those that it disagrees with."""
        rows = self._session.rows(_LINKS_OF, {"of": ticket_id})
        return {row.system for row in rows}, {row.system for row in rows if row.disagrees}

    def _rarest(self) -> int | None:
        """Which of the conditions fewest tickets fulfil, as far as that can be seen; None: there is no condition."""
        numbers, ways = [], self._ways(_FEW)
        if len(ways) == 1:
            return 0
        for place, way in enumerate(ways):
            number = int(self._rows(select(_NUMBER).select_from(_together(way)))[0].number)
            numbers.append((number, place))
            if number < _FEW // 10:
                break
        return min(numbers)[1] if numbers else None

    def _window(self, condition: int | None, size: int) -> Subquery:
        """So many of the tickets that fulfil this condition, from where the looking has come to."""
        if condition is None:
            through = self._newer(select(_ID.label("ticket_id")), _ID)
            return through.order_by(_ID.desc()).limit(size).subquery()
        joined = _together(self._ways(size)[condition])
        return select(joined.c.ticket_id).order_by(joined.c.ticket_id.desc()).limit(size).subquery()

    def _ways(self, most: int) -> list[list[Select[Any]]]:
        """For each condition, the newest `most` tickets of each way to fulfil it."""
        assert self._groups is not None
        ways = [[self._marked(each, most) for each in self._any_of(group)] for group in self._groups]
        if self._query.systems:
            ways.append([self._linked(each, most) for each in sorted(self._query.systems)])
        if self._query.disagrees_with:
            ways.append([self._linked(each, most, disagrees=True) for each in sorted(self._query.disagrees_with)])
        if not self._sight.everything:
            mine = [self._marked(each, most) for each in sorted(sighted(self._sight))]
            ways.append(mine + [self._linked(each, most) for each in sorted(self._sight.systems)])
        if self._query.changed_since is not None and self._few_changed(self._query.changed_since):
            since = tickets.c.changed_at >= self._query.changed_since
            few = self._newer(select(_ID.label("ticket_id")).where(since), _ID)
            ways.append([few.order_by(tickets.c.changed_at.desc()).limit(_FEW)])
        return ways

    def _any_of(self, group: Wanted) -> list[str]:
        notes = {group.note} if group.note and self._sight.notes is not None else set()
        return sorted(group.marks | notes)

    def _marked(self, mark: str, most: int) -> Select[Any]:
        kept = _kept(mark)
        found = select(kept.c.ticket_id.label("ticket_id")).where(kept.c.mark == mark)
        return self._newer(found, kept.c.ticket_id).order_by(kept.c.ticket_id.desc()).limit(most)

    def _linked(self, system: str, most: int, *, disagrees: bool = False) -> Select[Any]:
        found = select(links.c.ticket_id.label("ticket_id")).where(links.c.system == system, _LINKED)
        found = found.where(DISAGREES) if disagrees else found
        return self._newer(found, links.c.ticket_id).order_by(links.c.ticket_id.desc()).limit(most)

    def _newer(self, statement: Select[Any], column: Any) -> Select[Any]:
        return statement if self._before is None else statement.where(column < self._before)

    def _few_changed(self, since: datetime) -> bool:
        """Whether it is worth while to begin with what changed since: it is not in the order of its numbers."""
        if self._few is None:
            newest = select(_ID).where(tickets.c.changed_at >= since).order_by(tickets.c.changed_at.desc())
            recent = newest.limit(_FEW).subquery()
            counted: Select[Any] = select(_NUMBER).select_from(recent)
            self._few = int(self._rows(counted)[0].number) < _FEW
        return self._few

    def _filtered(self, window: Subquery, most: int) -> list[int]:
        """Those of these that fulfil every condition, newest first."""
        assert self._groups is not None
        found = select(_ID.label("ticket_id")).where(_ID.in_(select(window.c.ticket_id)))
        for group in self._groups:
            found = found.where(_has_mark(group.marks) | self._has_note(group.note))
        if self._query.systems:
            found = found.where(_has_link(self._query.systems))
        if self._query.disagrees_with:
            found = found.where(_has_link(self._query.disagrees_with, disagrees=True))
        if self._query.changed_since is not None:
            since, shown_at = self._query.changed_since, tickets.c.shown_at
            shown = shown_at.is_(None) | (shown_at >= since) | self._reads_notes()
            found = found.where(tickets.c.changed_at >= since, shown)
        if not self._sight.everything:
            found = found.where(_has_mark(sighted(self._sight)) | _has_link(self._sight.systems))
        return [row.ticket_id for row in self._rows(found.order_by(_ID.desc()).limit(most))]

    def _has_note(self, note: str) -> ColumnElement[bool]:
        """Whether this is noted where they may read it."""
        if not note or self._sight.notes is None:
            return _NEVER
        return _has_mark({note}) & self._reads_notes()

    def _reads_notes(self) -> ColumnElement[bool]:
        """Whether they may read internal notes on it."""
        notes = self._sight.notes
        if notes is None:
            return _NEVER
        return _ALWAYS if notes.everything else _has_mark(noted(notes)) | _has_link(notes.systems)

    def _rows(self, statement: Select[Any]) -> list[Any]:
        return self._session.rows(Prepared(statement), {})


def _together(ways: Sequence[Select[Any]]) -> Subquery:
    """The tickets of any of these, each once."""
    if len(ways) == 1:
        return ways[0].subquery()
    each = union_all(*(select(way.subquery().c.ticket_id) for way in ways)).subquery()
    return select(each.c.ticket_id).distinct().subquery()


def _kept(mark: str) -> Table:
    return ticket_words if mark.partition(":")[0] in WORDINGS | SPOKEN else ticket_marks


def _has_mark(any_of: Iterable[str]) -> ColumnElement[bool]:
    marks = frozenset(any_of)
    found = _NEVER
    for kept in (ticket_marks, ticket_words):
        if mine := {each for each in marks if _kept(each) is kept}:
            ours = and_(kept.c.ticket_id == _ID, _one_of(kept.c.mark, mine))
            found = found | select(literal_column("1")).where(ours).correlate(tickets).exists()
    return found


def _has_link(systems: Iterable[str], *, disagrees: bool = False) -> ColumnElement[bool]:
    ours = and_(links.c.ticket_id == _ID, _one_of(links.c.system, systems), _LINKED)
    ours = and_(ours, DISAGREES) if disagrees else ours
    return select(literal_column("1")).where(ours).correlate(tickets).exists()


def _one_of(column: Any, texts: Iterable[str]) -> Any:
    """Each as a parameter of its own: what is prepared has a fixed number of them."""
    bound = [bindparam(None, each, type_=Text(), unique=True) for each in sorted(texts)]
    return column.in_(bound) if bound else _NEVER
