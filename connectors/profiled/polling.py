"""What changed there, page by page, so that nothing is skipped while the data moves.

The best round goes by ascending key: a row that changes meanwhile changes after its beginning, so the next round
brings it; equal times mean nothing, hence no page edge can fall between two of them. A list sorted by time is
continued from the last time seen, minus what was seen at that very time. Any other is read page by page, and begun
again where rows moved between two pages.

Where a product may misread the time of a search, a *witness* (the newest row seen) must appear in the round; if it
does not, the round is asked again with all the doubt taken off. Going live sets a *floor*: what did not change since
then is never brought.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from connectors.api import Change, ChangePage, Cursor, VersionStrength
from connectors.errors import ProtocolError
from connectors.profiled.moments import Sayer
from connectors.profiled.paging import Page, Pager, Place, Row
from connectors.profiled.reading import Reader
from connectors.profiled.rounds import EPOCH, Position, Round, Seen
from connectors.profiled.site import Site
from connectors.profiled.values import spread, text
from connectors.profiled.vocabulary.listing import Purpose

_PROXY_SKEW = timedelta(seconds=5)
"""The Date header may come from a machine in front of the tracker, whose clock is a little off."""
_RESTARTS = 3
"""How often a round is begun again; then it goes on all the same, and the next one begins where it began."""
_LONG_AGO = EPOCH + timedelta(days=366)
"""Older than any ticket, and in 1971 in every time zone."""


class Poller:
    """Lists one site's tickets."""

    def __init__(self, site: Site, reader: Reader) -> None:
        self._site = site
        self._reader = reader
        self._shape = site.profile.listing
        self._lists: dict[Purpose, Pager] = {each: Pager(site, each) for each in ("scan", "changes", "newest", "find")}
        self._sayer = Sayer(self._shape.moments, site.search_zone, self._server_now)

    def begin(self) -> ChangePage:
        """The cursor at the tracker's present: its newest change. By its own clock, whatever that says."""
        if self._shape.newest is None or self._lists["newest"].shape.where:  # its first page may hold none of ours
            return self._begin_now()
        pages = self._first("newest")
        seen = [each for page in pages for each in self._seen(page)]
        floor = max((each.at for each in seen), default=EPOCH)
        there = [each for each in seen if each.at == floor]
        if len(there) >= self._lists["newest"].shape.per_page:  # a whole page of one second: there may be more of it
            there = [each for each in self._all_since(floor) if each.at == floor]
        return self._begun(floor, there)

    def changes(self, since: Cursor) -> ChangePage:
        """One page of a round: a new one from `since`, or the next page of the one that its position is in."""
        place = Position.load(since.position)
        turn = place.round or self._new_round(place, since)
        page = self._read("changes", turn, self._asked(turn))
        changes = [self.change(row, page) for row in page.rows]
        turn = replace(
            turn,
            newest=_newer(turn.newest, changes),
            witnessed=turn.witnessed or (place.witness is not None and place.witness.key in {c.key for c in changes}),
        )
        wanted = [change for change in changes if self._is_new(place, turn, change)]
        wanted.sort(key=lambda change: (change.changed_at or EPOCH, by_key(change.key)))
        following = self._next("changes", turn, page, changes)
        if following is None and self._misread(place, turn):
            following = Round(turn.since, turn.since, doubtful=True)
        if following is not None:
            return ChangePage(tuple(wanted), Cursor(since.at, replace(place, round=following).dump()), more=True)
        return ChangePage(tuple(wanted), self._end(place, turn, since), more=False)

    def scan(self, position: str) -> ChangePage:
        """One page of all tickets."""
        if position[:1] == "{":
            turn = Round.load(json.loads(position))
        else:
            turn = Round(_LONG_AGO, _LONG_AGO, Place(after=position))
        page = self._read("scan", turn, turn.edge)
        changes = [self.change(row, page) for row in page.rows]
        newest = max((change.changed_at or EPOCH for change in changes), default=page.at or EPOCH)
        wanted = tuple(change for change in changes if _shown(change) not in turn.seen)
        following = self._next("scan", turn, page, changes)
        dumped = json.dumps(following.data()) if following is not None else ""
        return ChangePage(wanted, Cursor(newest, dumped), more=following is not None)

    def bearing(self, token: str) -> tuple[Row, ...]:
        """The rows that the product lists for a token."""
        field = self._site.token_field() if self._site.profile.custom_fields else ""
        return tuple(row for page in self._first("find", token=token, token_field=field) for row in page.rows)

    def after(self, when: datetime) -> list[Change]:
        """The first rows of those changed after a time, as the product finds them: unfiltered by us."""
        turn = Round(when, when)
        page = self._read("changes", turn, self._asked(turn))
        return [self.change(row, page) for row in page.rows]

    @property
    def filters(self) -> bool:
        """Whether the list is asked by time at all."""
        return self._by_time("changes")

    def some(self) -> list[Change]:
        """Some tickets, the newest among them where the product can tell."""
        queries: list[Purpose] = ["scan"] if self._shape.newest is None else ["newest", "scan"]
        pages = [self._read(each, Round(_LONG_AGO, _LONG_AGO), _LONG_AGO) for each in queries]
        return [self.change(row, page) for page in pages for row in page.rows]

    def page(self, place: Place) -> Page:
        """The page of all tickets that begins there."""
        return self._lists["scan"].read(place, **self._sayer.words(_LONG_AGO))

    def change(self, row: Row, page: Page) -> Change:
        """What a row shows: its ticket, or only that something changed.  :raises ProtocolError: not even when."""
        shape = page.shape
        hint = shape.batch is None and (shape.key is not None or shape.changed_at is not None)
        if not hint:
            return self._reader.row(row.raw, page.answer)
        when = spread(row.raw, shape.changed_at or self._site.profile.ticket.changed_at)
        if when is None and (shape.sequence is not None or shape.compare):
            return Change(row.key, str(row.number or ""))
        changed_at = self._site.moment(when, page.answer.about)
        weak = self._site.capabilities.row_version is not VersionStrength.NONE
        shown = self._reader.fields(row.raw, shape.shows) if shape.shows and isinstance(row.raw, Mapping) else None
        return Change(row.key, text(when) if weak else "", changed_at, fields=shown)

    # -- where a round begins and ends -----------------------------------------------------------------------------

    def _begin_now(self) -> ChangePage:
        """Where nothing lists the newest first: at the server's present, or at the newest of all that there is."""
        if self._shape.sorting == "newest":
            floor = max((each.at for page in self._first("scan") for each in self._seen(page)), default=EPOCH)
        elif self._tells_time():
            floor = self._site.http.server_now() - _PROXY_SKEW
        else:
            floor = max((each.at for each in self._all_since(_LONG_AGO)), default=EPOCH)
        step = self._site.capabilities.granularity
        return self._begun(floor, [each for each in self._all_since(floor) if each.at + step > floor])

    def _begun(self, floor: datetime, there: list[Seen]) -> ChangePage:
        newest = max(there, key=lambda each: each.at, default=None)
        position = Position(floor, tuple(dict.fromkeys(there)), floor, newest)
        return ChangePage((), Cursor(floor, position.dump()), more=False)

    def _new_round(self, place: Position, cursor: Cursor) -> Round:
        """Where nobody in reach can bear witness, the doubt is taken off from the start. What a lagging search may
        not have shown yet is asked for again."""
        since = max(min(cursor.at, max(place.until - self._site.capabilities.search_lag, EPOCH)), place.floor)
        if place.until == EPOCH:
            since = max(cursor.at, place.floor)
        blind = bool(self._shape.moments.doubt) and (place.witness is None or place.witness.at < since)
        return Round(since, since, doubtful=blind)

    def _asked(self, turn: Round) -> datetime:
        moments = self._shape.moments
        asked = turn.edge - moments.slack - (moments.doubt if turn.doubtful else timedelta(0))
        return max(asked, _LONG_AGO)

    def _misread(self, place: Position, turn: Round) -> bool:
        """Whether the witness should have been in the round and was not."""
        return (
            bool(self._shape.moments.doubt) and not turn.doubtful and place.witness is not None and not turn.witnessed
        )

    def _is_new(self, place: Position, turn: Round, change: Change) -> bool:
        # what a coarse clock wrote down may have happened at the end of its step
        when = (change.changed_at or EPOCH) + self._site.capabilities.granularity
        if when <= turn.since or when <= place.floor:
            return False
        before = [each for each in (*place.there, *turn.seen) if each.key == change.key]
        return not before or _shown(change) not in before

    def _end(self, place: Position, turn: Round, since: Cursor) -> Cursor:
        """Where the next round begins: at the newest change seen, but not after this round's beginning."""
        until = since.at
        if turn.newest is not None and turn.restarts <= _RESTARTS:
            until = max(until, min(turn.newest.at, turn.ceiling) if turn.ceiling else turn.newest.at)
        witness = turn.newest or (None if turn.doubtful else place.witness)
        position = replace(place, witness=witness, round=None, until=max(until, place.until))
        return Cursor(until, position.dump())

    # -- from page to page -----------------------------------------------------------------------------------------

    def _read(self, purpose: Purpose, turn: Round, asked: datetime) -> Page:
        pager = self._lists[purpose]
        return pager.read(turn.place, per_page=turn.size, **self._sayer.words(asked, until=pager.shape.says("until")))

    def _next(self, purpose: Purpose, turn: Round, page: Page, changes: list[Change]) -> Round | None:
        """How the round goes on after this page; None: it has come to its end.

        :raises ProtocolError: more changed at one time than the product lists at once."""
        pager, shape = self._lists[purpose], self._lists[purpose].shape
        begin = Place(part=page.place.part)
        if page.moved and turn.restarts < _RESTARTS:
            return replace(turn, place=begin, seen=(), restarts=turn.restarts + 1)
        if page.moved:
            turn = replace(turn, restarts=turn.restarts + 1)
        if turn.first:
            turn = replace(turn, first=False, ceiling=self._ceiling(shape.sorting, turn, page, changes))
        times = [each.changed_at or EPOCH for each in (*changes, *(self.change(row, page) for row in page.others))]
        size = turn.size or shape.per_page
        cut = shape.pages.cap is not None and page.until >= shape.pages.cap
        cut = cut or (shape.pages.by == "none" and page.full)
        if shape.sorting == "newest" and times and min(times) < turn.since:
            rest = Place(part=begin.part + 1)  # all that follows is older
            return replace(turn, place=rest) if rest.part < len(shape.each) else None
        if not cut and (page.next is None or page.next.part != begin.part):
            return replace(turn, edge=turn.since, place=page.next, seen=(), size=0) if page.next is not None else None
        if shape.sorting == "time" and times and self._by_time(purpose) and (cut or not pager.steady):
            edge = max(times)
            step = self._sayer.step(edge)
            if edge > turn.edge and step != self._sayer.step(turn.edge):
                seen = tuple(_shown(each) for each in changes if self._sayer.step(each.changed_at or EPOCH) == step)
                return replace(turn, edge=edge, place=begin, size=0, seen=seen)
        if not cut:
            return replace(turn, place=page.next or begin)
        most = shape.pages.most or size
        if size < most and pager.shape.says("per_page"):
            return replace(turn, place=begin, size=min(size * 2, most))
        raise ProtocolError(
            f"{page.answer.about}: more tickets changed at one time ({turn.edge.isoformat()}) than {size} rows: "
            f"{self._site.profile.product} lists no more of them at once, and nothing tells them apart"
        )

    def _by_time(self, purpose: Purpose) -> bool:
        return any(self._lists[purpose].shape.says(word) for word in ("since", *self._shape.moments.parts))

    def _ceiling(self, sorting: str, turn: Round, page: Page, changes: list[Change]) -> datetime | None:
        """A list that is continued by time sees all that changes meanwhile at its end; no other does."""
        if page.next is None or (sorting == "time" and not page.shape.each):
            return None
        newest = max((change.changed_at or EPOCH for change in changes), default=turn.since)
        if sorting == "newest":
            return newest
        return page.at - _PROXY_SKEW if page.at else newest

    def _all_since(self, since: datetime) -> list[Seen]:
        """Every row from a time on, at once."""
        turn: Round | None = Round(since, since)
        seen: list[Seen] = []
        while turn is not None:
            page = self._read("changes", turn, self._asked(turn))
            changes = [self.change(row, page) for row in page.rows]
            seen += [_shown(each) for each in changes]
            turn = self._next("changes", turn, page, changes)
        return seen

    def _first(self, purpose: Purpose, **words: Any) -> list[Page]:
        """The first page, of each list where there are several."""
        count = len(self._shape.each) or 1
        return [self._lists[purpose].read(Place(part=part), **words) for part in range(count)]

    def _seen(self, page: Page) -> list[Seen]:
        return [_shown(self.change(row, page)) for row in page.rows]

    def _tells_time(self) -> bool:
        if self._site.http.offset is None:
            self._site.read(self._site.profile.place)  # any answer tells the server's clock
        return self._site.http.offset is not None

    def _server_now(self) -> datetime:
        self._tells_time()
        return self._site.http.server_now()


def by_key(key: str) -> tuple[int, str]:
    """Sorts keys: numbers by their size, all else by its length and letters."""
    return len(key), key


def _shown(change: Change) -> Seen:
    """A row that shows something else is not the same, though its time be: clocks may be coarse."""
    content = repr((change.version, sorted((change.fields or {}).items(), key=lambda each: each[0])))
    return Seen(change.key, change.changed_at or EPOCH, hashlib.sha256(content.encode()).hexdigest()[:8])


def _newer(newest: Seen | None, changes: Iterable[Change]) -> Seen | None:
    for change in changes:
        if change.changed_at is not None and (newest is None or change.changed_at >= newest.at):
            newest = Seen(change.key, change.changed_at)
    return newest
