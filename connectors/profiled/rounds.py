"""What a cursor remembers of polling: where it began, who bears witness, and the round that is under way. Pure."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from connectors.profiled.paging import Place

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Seen:
    """A ticket as a row showed it."""

    key: str
    at: datetime
    content: str = ""
    """A digest of what else the row showed."""

    def dump(self) -> list[str]:
        """As a cursor carries it."""
        return [self.key, self.at.isoformat(), self.content]

    @classmethod
    def load(cls, dumped: list[str]) -> "Seen":
        """What `dump` made."""
        return cls(dumped[0], datetime.fromisoformat(dumped[1]), *dumped[2:])


@dataclass(frozen=True, slots=True)
class Round:
    """A round that is under way."""

    since: datetime
    edge: datetime
    """What is asked for now: `since`, or the time of the last row where the list is continued by time."""
    place: Place = field(default_factory=Place)
    first: bool = True
    """No page was read yet."""
    ceiling: datetime | None = None
    """A time before which the first page was surely answered; None: there is no page before this one."""
    newest: Seen | None = None
    witnessed: bool = False
    doubtful: bool = False
    """Asked with all the doubt taken off."""
    seen: tuple[Seen, ...] = ()
    """Those that the page before showed at the very edge."""
    size: int = 0
    """How many rows a page is asked for; 0: as usual."""
    restarts: int = 0
    """How often it was begun again because rows moved between pages."""

    def data(self) -> dict[str, Any]:
        """As a cursor carries it."""
        return {
            "since": self.since.isoformat(),
            "edge": self.edge.isoformat(),
            "place": self.place.dump(),
            "first": self.first,
            "ceiling": self.ceiling.isoformat() if self.ceiling else None,
            "newest": self.newest.dump() if self.newest else None,
            "witnessed": self.witnessed,
            "doubtful": self.doubtful,
            "seen": [each.dump() for each in self.seen],
            "size": self.size,
            "restarts": self.restarts,
        }

    @classmethod
    def load(cls, data: dict[str, Any]) -> "Round":
        """What `data` made."""
        return cls(
            datetime.fromisoformat(data["since"]),
            datetime.fromisoformat(data["edge"]),
            Place.load(data["place"]),
            data["first"],
            datetime.fromisoformat(data["ceiling"]) if data["ceiling"] else None,
            Seen.load(data["newest"]) if data["newest"] else None,
            data["witnessed"],
            data["doubtful"],
            tuple(Seen.load(each) for each in data["seen"]),
            data["size"],
            data["restarts"],
        )


@dataclass(frozen=True, slots=True)
class Position:
    """What a cursor remembers besides its time."""

    floor: datetime = EPOCH
    there: tuple[Seen, ...] = ()
    """Rows at the floor or after it that were there before polling began."""
    until: datetime = EPOCH
    """The cursor's own time, however far the caller moves it back."""
    witness: Seen | None = None
    round: Round | None = None

    def dump(self) -> str:
        """As the cursor carries it."""
        data: dict[str, Any] = {"floor": self.floor.isoformat(), "there": [each.dump() for each in self.there]}
        data["until"] = self.until.isoformat()
        if self.witness is not None:
            data["witness"] = self.witness.dump()
        if self.round is not None:
            data["round"] = self.round.data()
        return json.dumps(data)

    @classmethod
    def load(cls, dumped: str) -> "Position":
        """What `dump` wrote; an empty one knows nothing, and one of an older form begins its round again."""
        if not dumped:
            return cls()
        data = json.loads(dumped)
        floor = datetime.fromisoformat(data["floor"])
        round_ = data.get("round")
        return cls(
            floor,
            tuple(Seen(each, floor) if isinstance(each, str) else Seen.load(each) for each in data["there"]),
            datetime.fromisoformat(data["until"]) if "until" in data else EPOCH,
            Seen.load(data["witness"]) if data.get("witness") else None,
            Round.load(round_) if round_ and "edge" in round_ else None,
        )
