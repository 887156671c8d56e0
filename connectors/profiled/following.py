"""A log of changes that is followed by its number: rows never move, so a round goes on after the last one seen."""

import json
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from connectors.api import Change, ChangePage, Cursor
from connectors.profiled.paging import Page, Place
from connectors.profiled.polling import Poller
from connectors.profiled.rounds import EPOCH

_MARKS = 50
"""How many earlier ends of rounds are kept, for a caller that overlaps."""


@dataclass(frozen=True, slots=True)
class Log:
    """How far a log was followed."""

    last: int = 0
    marks: tuple[tuple[datetime, int], ...] = ()
    """When which number was the last; the first is where polling began, and nothing before it is ever brought."""
    after: int | None = None
    """The number that the round under way began after."""
    place: Place = field(default_factory=Place)

    def dump(self) -> str:
        """As the cursor carries it."""
        data: dict[str, Any] = {"last": self.last, "marks": [[when.isoformat(), number] for when, number in self.marks]}
        if self.after is not None:
            data |= {"after": self.after, "place": self.place.dump()}
        return json.dumps(data)

    @classmethod
    def load(cls, dumped: str) -> "Log":
        """What `dump` made."""
        if not dumped:
            return cls()
        data = json.loads(dumped)
        marks = tuple((datetime.fromisoformat(when), int(number)) for when, number in data["marks"])
        return cls(data["last"], marks, data.get("after"), Place.load(data.get("place")))

    def begins(self, at: datetime) -> int:
        """The number after which a round begins that must bring all since this time."""
        reached = [number for when, number in self.marks if when <= at]
        return max(reached, default=self.marks[0][1] if self.marks else 0)


class Follower(Poller):
    """Polls a site whose list of changes is a log."""

    def begin(self) -> ChangePage:
        """The cursor at the log's present end."""
        if self._shape.newest is not None:
            page = self._lists["newest"].read(Place())
            last = max((row.number for row in page.rows), default=0)
        else:
            last, following = 0, Place()
            while True:
                page = self._lists["changes"].read(following)
                last = max([last, *(row.number for row in page.rows)])
                if page.next is None:
                    break
                following = page.next
        when = self._time(page, [self.change(row, page) for row in page.rows])
        return ChangePage((), Cursor(when, Log(last, ((when, last),)).dump()), more=False)

    def changes(self, since: Cursor) -> ChangePage:
        """One page of the log."""
        log = Log.load(since.position)
        if log.after is None:
            begin = log.begins(since.at)
            log = replace(log, after=begin, place=Place(after=str(begin)))
        page = self._lists["changes"].read(log.place)
        rows = [row for row in page.rows if row.number > (log.after or 0)]
        latest = {row.key: row for row in sorted(rows, key=lambda row: row.number)}
        changes = tuple(self.change(row, page) for row in sorted(latest.values(), key=lambda row: row.number))
        log = replace(log, last=max([log.last, *(row.number for row in rows)]))
        if page.next is not None:
            return ChangePage(changes, Cursor(since.at, replace(log, place=page.next).dump()), more=True)
        when = max(since.at, self._time(page, list(changes)))
        if not log.marks or log.last > log.marks[-1][1]:
            log = replace(log, marks=(*log.marks[:1], *log.marks[1:][-_MARKS:], (when, log.last)))
        else:
            when = max(since.at, log.marks[-1][0])
        return ChangePage(changes, Cursor(when, replace(log, after=None, place=Place()).dump()), more=False)

    def numbered(self, after: int) -> list[int]:
        """The numbers of the first rows after one, as the product finds them."""
        return [row.number for row in self._lists["changes"].read(Place(after=str(after))).rows]

    def _time(self, page: Page, changes: list[Change]) -> datetime:
        """When the last of these was done, as far as anybody tells."""
        told = max((each.changed_at or EPOCH for each in changes), default=EPOCH)
        return told if told > EPOCH else page.at or self._site.http.server_now()
