"""What changed there, page by page: a round goes by ascending key, so nothing is skipped while the data moves.

A row that changes while a round is under way changes after its beginning, so the next round brings it. Equal times
mean nothing to a round, hence no page edge can fall between two of them. Where a product may misread the time of a
search, a *witness* (the newest row seen) must appear in the round; if it does not, the round is asked again with
all the doubt taken off. Going live sets a *floor*: what did not change since then is never brought.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.answers import Answer
from connectors.api import Change, ChangePage, Cursor
from connectors.profiled.reading import Reader
from connectors.profiled.site import Site
from connectors.profiled.values import at, rows, text

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PROXY_SKEW = timedelta(seconds=5)
"""The Date header may come from a machine in front of the tracker, whose clock is a little off."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A ticket as a row showed it."""

    key: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Round:
    """A round that is under way."""

    since: datetime
    after: int
    ceiling: datetime | None
    """A time before which the first page was surely answered; None: there is no page before this one."""
    newest: Seen | None
    witnessed: bool
    doubtful: bool
    """Asked with all the doubt taken off."""


@dataclass(frozen=True, slots=True)
class Position:
    """What a cursor remembers besides its time."""

    floor: datetime = _EPOCH
    there: tuple[str, ...] = ()
    """Keys that already stood at the floor's very second."""
    witness: Seen | None = None
    round: Round | None = field(default=None)

    def dump(self) -> str:
        """As the cursor carries it."""
        data: dict[str, Any] = {"floor": self.floor.isoformat(), "there": list(self.there)}
        if self.witness is not None:
            data["witness"] = _dumped(self.witness)
        if self.round is not None:
            data["round"] = {
                "since": self.round.since.isoformat(),
                "after": self.round.after,
                "ceiling": self.round.ceiling.isoformat() if self.round.ceiling else None,
                "newest": _dumped(self.round.newest) if self.round.newest else None,
                "witnessed": self.round.witnessed,
                "doubtful": self.round.doubtful,
            }
        return json.dumps(data)

    @classmethod
    def load(cls, dumped: str) -> "Position":
        """What `dump` wrote; an empty one knows nothing."""
        if not dumped:
            return cls()
        data = json.loads(dumped)
        round_ = data.get("round")
        return cls(
            datetime.fromisoformat(data["floor"]),
            tuple(data["there"]),
            _seen(data.get("witness")),
            Round(
                datetime.fromisoformat(round_["since"]),
                round_["after"],
                datetime.fromisoformat(round_["ceiling"]) if round_["ceiling"] else None,
                _seen(round_["newest"]),
                round_["witnessed"],
                round_["doubtful"],
            )
            if round_
            else None,
        )


class Poller:
    """Lists one site's tickets."""

    def __init__(self, site: Site, reader: Reader) -> None:
        self._site = site
        self._reader = reader
        self._shape = site.profile.listing

    def begin(self) -> ChangePage:
        """The cursor at the tracker's present: its newest change. By its own clock, whatever that says."""
        seen = self._seen(self._list(self._shape.newest))
        floor = max((each.at for each in seen), default=_EPOCH)
        there = [each.key for each in seen if each.at == floor]
        if len(there) == self._shape.size:  # a whole page of one second: there may be more of it
            there = [each.key for each in self._all_since(floor) if each.at == floor]
        witness = Seen(there[0], floor) if there else None
        return ChangePage((), Cursor(floor, Position(floor, tuple(there), witness).dump()), more=False)

    def changes(self, since: Cursor) -> ChangePage:
        """One page of a round: a new one from `since`, or the next page of the one that its position is in."""
        place = Position.load(since.position)
        turn = place.round or self._new_round(place, max(since.at, place.floor))
        page = self._list(self._shape.changes, after=turn.after, since=self.literal(self._asked(turn)))
        changes = [self._reader.row(row, page.answer) for row in page.rows]
        newest = max((change.changed_at or _EPOCH for change in changes), default=turn.since)
        first = turn.after < 0
        turn = replace(
            turn,
            after=max((int(change.key) for change in changes), default=turn.after),
            newest=_newer(turn.newest, changes),
            witnessed=turn.witnessed or (place.witness is not None and place.witness.key in {c.key for c in changes}),
        )
        wanted = [change for change in changes if self._is_new(place, turn, change)]
        wanted.sort(key=lambda change: (change.changed_at or _EPOCH, int(change.key)))
        if page.more:
            if first:
                turn = replace(turn, ceiling=page.answer.at - _PROXY_SKEW if page.answer.at else newest)
            return ChangePage(tuple(wanted), Cursor(since.at, replace(place, round=turn).dump()), more=True)
        if self._misread(place, turn):
            again = Round(turn.since, -1, None, None, False, doubtful=True)
            return ChangePage(tuple(wanted), Cursor(since.at, replace(place, round=again).dump()), more=True)
        return ChangePage(tuple(wanted), self._end(place, turn, since), more=False)

    def scan(self, position: str) -> ChangePage:
        """One page of all tickets."""
        after = int(position or -1)
        page = self._list(self._shape.scan, after=after)
        changes = tuple(self._reader.row(row, page.answer) for row in page.rows)
        newest = max((change.changed_at or _EPOCH for change in changes), default=page.answer.at or _EPOCH)
        last = max((int(change.key) for change in changes), default=after)
        return ChangePage(changes, Cursor(newest, str(last)), more=page.more)

    def bearing(self, token: str) -> list[Mapping[str, Any]]:
        """The rows that the product lists for a token."""
        field = self._site.token_field() if self._site.profile.custom_fields else ""
        return self._list(self._shape.find, token=token, token_field=field).rows

    def after(self, when: datetime) -> list[Mapping[str, Any]]:
        """The first rows changed after a time: none for a time to come, if searching works at all."""
        return self._list(self._shape.changes, since=self.literal(when)).rows

    def literal(self, when: datetime) -> str:
        """A time as the product's search reads it."""
        if self._shape.moments.form == "iso":
            return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        if self._site.voice.offset is None:
            self._site.read(self._site.profile.place)  # any answer tells the server's clock
        return f"{round((when - self._site.voice.server_now()).total_seconds()):+d}"

    def _new_round(self, place: Position, since: datetime) -> Round:
        """Where nobody in reach can bear witness, the doubt is taken off from the start."""
        blind = bool(self._shape.moments.doubt) and (place.witness is None or place.witness.at < since)
        return Round(since, -1, None, None, False, doubtful=blind)

    def _asked(self, turn: Round) -> datetime:
        moments = self._shape.moments
        return turn.since - moments.slack - (moments.doubt if turn.doubtful else timedelta(0))

    def _misread(self, place: Position, turn: Round) -> bool:
        """Whether the witness should have been in the round and was not."""
        return (
            bool(self._shape.moments.doubt) and not turn.doubtful and place.witness is not None and not turn.witnessed
        )

    def _is_new(self, place: Position, turn: Round, change: Change) -> bool:
        when = change.changed_at or _EPOCH
        if when < turn.since or when < place.floor:
            return False
        return not (when == place.floor and change.key in place.there)

    def _end(self, place: Position, turn: Round, since: Cursor) -> Cursor:
        """Where the next round begins: at the newest change seen, but not after this round's beginning."""
        until = since.at
        if turn.newest is not None:
            until = max(until, min(turn.newest.at, turn.ceiling) if turn.ceiling else turn.newest.at)
        witness = turn.newest or (None if turn.doubtful else place.witness)
        return Cursor(until, replace(place, witness=witness, round=None).dump())

    def _all_since(self, since: datetime) -> list[Seen]:
        after, seen = -1, list[Seen]()
        while True:
            literal = self.literal(since - self._shape.moments.slack)
            page = self._list(self._shape.changes, after=after, since=literal)
            seen += self._seen(page)
            if not page.more:
                return seen
            after = max(int(each.key) for each in seen)

    def _list(self, query: Mapping[str, str], *, after: int = -1, **words: str) -> "_Page":
        known: dict[str, Any] = {"after": max(after, 0), "next": max(after, 0) + 1, **words}
        answer = self._site.read(self._shape.adding(query), **known)
        data = answer.data()
        found = [] if answer.empty else rows(data, self._shape.rows, answer.about)
        more = len(found) >= self._shape.size
        if self._shape.total is not None and at(data, self._shape.total) is None:
            more = bool(found)  # it cannot count, since rights are applied after paging: a short page proves nothing
        return _Page(answer, found, more)

    def _seen(self, page: "_Page") -> list[Seen]:
        key = self._site.profile.ticket.key
        return [Seen(text(at(row, key)), self._reader.changed_at(row, page.answer)) for row in page.rows]


@dataclass(frozen=True, slots=True)
class _Page:
    answer: Answer
    rows: list[Mapping[str, Any]]
    more: bool


def _newer(newest: Seen | None, changes: list[Change]) -> Seen | None:
    for change in changes:
        if change.changed_at is not None and (newest is None or change.changed_at >= newest.at):
            newest = Seen(change.key, change.changed_at)
    return newest


def _dumped(seen: Seen) -> list[str]:
    return [seen.key, seen.at.isoformat()]


def _seen(dumped: list[str] | None) -> Seen | None:
    return Seen(dumped[0], datetime.fromisoformat(dumped[1])) if dumped else None
