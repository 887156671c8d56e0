"""Search in SQL: what tickets are found by is a table of marks, and the rarest of what is asked for is walked.

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
    and_,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    or_,
    select,
    union_all,
)

from central.model import Ticket
from central.rights import Sight
from central.search import Query, marks, sighted, wanted
from central.store.sql.prepared import Prepared
from central.store.sql.schema import DISAGREES, STRAYED, Text, links, ticket_marks, tickets
from central.store.sql.session import Session

_WINDOWS = (200, 2000, 17_800)
"""Tickets that one page looks through: first a few, more where these do not fill it, and then no more."""
LOOKED_THROUGH = sum(_WINDOWS)
_FEW = 2000
"""How far it is counted what is rarer."""
_MARKS_OF = Prepared(select(ticket_marks.c.mark).where(ticket_marks.c.ticket_id == bindparam("of")))
_ADD = Prepared(insert(ticket_marks).values(mark=bindparam("mark"), ticket_id=bindparam("ticket_id")))
_DROP = Prepared(
    delete(ticket_marks).where(ticket_marks.c.mark == bindparam("of_mark"), ticket_marks.c.ticket_id == bindparam("of"))
)
_LINKED = links.c.state != literal_column("'duplicate'")
_LINKS_OF = Prepared(select(links.c.system, links.c.disagrees).where(links.c.ticket_id == bindparam("of"), _LINKED))
_ID = tickets.c.id
_NUMBER: Any = func.count().label("number")
_NEVER: ColumnElement[bool] = literal_column("1 = 0")


def mark_anew(session: Session, before: frozenset[str], ticket: Ticket) -> None:
    """Give a ticket the marks of what it is now."""
    after = marks(ticket)
    for gone in before - after:
        session.write(_DROP, {"of_mark": gone, "of": ticket.id})
    for new in after - before:
        session.write(_ADD, {"mark": new, "ticket_id": ticket.id})


def marks_of(session: Session, ticket_id: int) -> frozenset[str]:
    """The marks that a ticket bears."""
    return frozenset(row.mark for row in session.rows(_MARKS_OF, {"of": ticket_id}))


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

    def strayed(self) -> list[int]:
        """Tickets whose marks are older than they are."""
        through = select(_ID.label("ticket_id")).where(STRAYED).order_by(_ID.desc()).limit(LOOKED_THROUGH)
        wanted = through if self._began is None else through.where(self._began > _ID)
        return [row.ticket_id for row in self._rows(wanted)]

    def linked(self, ticket_id: int) -> tuple[set[str], set[str]]:
        """The systems that a ticket is linked to, and those that it disagrees with."""
        rows = self._session.rows(_LINKS_OF, {"of": ticket_id})
        return {row.system for row in rows}, {row.system for row in rows if row.disagrees}

    def _rarest(self) -> int | None:
        """Which of the conditions fewest tickets fulfil, as far as that can be seen; None: there is no condition."""
        numbers = []
        for place, way in enumerate(self._ways(_FEW)):
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
        ways = [[self._marked(each, most) for each in sorted(group)] for group in self._groups]
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

    def _marked(self, mark: str, most: int) -> Select[Any]:
        found = select(ticket_marks.c.ticket_id.label("ticket_id")).where(ticket_marks.c.mark == mark)
        newest = self._newer(found, ticket_marks.c.ticket_id).order_by(ticket_marks.c.ticket_id.desc())
        return newest.limit(most)

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
            found = found.where(_has_mark(group))
        if self._query.systems:
            found = found.where(_has_link(self._query.systems))
        if self._query.disagrees_with:
            found = found.where(_has_link(self._query.disagrees_with, disagrees=True))
        if self._query.changed_since is not None:
            found = found.where(tickets.c.changed_at >= self._query.changed_since)
        if not self._sight.everything:
            found = found.where(or_(_has_mark(sighted(self._sight)), _has_link(self._sight.systems)))
        return [row.ticket_id for row in self._rows(found.order_by(_ID.desc()).limit(most))]

    def _rows(self, statement: Select[Any]) -> list[Any]:
        return self._session.rows(Prepared(statement), {})


def _together(ways: Sequence[Select[Any]]) -> Subquery:
    """The tickets of any of these, each once."""
    if len(ways) == 1:
        return ways[0].subquery()
    each = union_all(*(select(way.subquery().c.ticket_id) for way in ways)).subquery()
    return select(each.c.ticket_id).distinct().subquery()


def _has_mark(any_of: Iterable[str]) -> Any:
    ours = and_(ticket_marks.c.ticket_id == _ID, _one_of(ticket_marks.c.mark, any_of))
    return select(literal_column("1")).where(ours).correlate(tickets).exists()


def _has_link(systems: Iterable[str], *, disagrees: bool = False) -> Any:
    ours = and_(links.c.ticket_id == _ID, _one_of(links.c.system, systems), _LINKED)
    ours = and_(ours, DISAGREES) if disagrees else ours
    return select(literal_column("1")).where(ours).correlate(tickets).exists()


def _one_of(column: Any, texts: Iterable[str]) -> Any:
    """Each as a parameter of its own: what is prepared has a fixed number of them."""
    bound = [bindparam(None, each, type_=Text(), unique=True) for each in sorted(texts)]
    return column.in_(bound) if bound else _NEVER
