"""A time as a product's search reads it: form, zone, step. Never later than meant, whatever the zone does."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from connectors.profiled.vocabulary.listing import Moments

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 (only to cut a local time to its step)
_TO_COME = timedelta(days=1)


class Sayer:
    """Says times to one system. `zone` names the zone of patterns, `now` is the server's present time."""

    def __init__(self, shape: Moments, zone: Callable[[], str], now: Callable[[], datetime]) -> None:
        self._shape = shape
        self._zone = zone
        self._now = now

    def words(self, since: datetime, *, until: bool = False) -> dict[str, Any]:
        """The word {since}, those of its parts, and {until} where it is wanted: a time to come."""
        said = {name: self._pattern(since, pattern) for name, pattern in self._shape.parts.items()}
        words: dict[str, Any] = {**said, "since": self._said(since)}
        return {**words, "until": self._said(max(since, self._now()) + _TO_COME)} if until else words

    def step(self, since: datetime) -> str:
        """The words for a time as one text: equal where the product is asked the same."""
        if self._shape.form == "ago":  # the count moves with the clock; the time itself does not
            return since.isoformat()
        return repr(self.words(since))

    def _said(self, when: datetime) -> str | int:
        shape = self._shape
        match shape.form:
            case "ago":
                count = (when - self._now()) // shape.unit - (1 if shape.exclusive else 0)
                return f"{shape.plus if count >= 0 else '-'}{abs(count)}"
            case "epoch" | "epoch_ms":
                seconds = int(when.timestamp() // shape.step.total_seconds() * shape.step.total_seconds())
                seconds -= int(shape.step.total_seconds()) if shape.exclusive else 0
                return seconds * (1000 if shape.form == "epoch_ms" else 1)
            case "iso":
                return self._pattern(when, "%Y-%m-%dT%H:%M:%SZ", zone="UTC")
            case pattern:
                return self._pattern(when, pattern)

    def _pattern(self, when: datetime, pattern: str, zone: str = "") -> str:
        shape, there = self._shape, ZoneInfo(zone or self._zone())
        local = _unmistaken(when, there).replace(tzinfo=None)
        cut = (local - (local - _EPOCH) % shape.step).replace(tzinfo=there)
        # the year in four digits: not every platform pads it
        return (cut - shape.step if shape.exclusive else cut).strftime(pattern.replace("%Y", f"{cut.year:04}"))


def _unmistaken(when: datetime, zone: ZoneInfo) -> datetime:
    """The local time, or the latest before it that the zone does not have twice: it may be read as the later one."""
    there = when.astimezone(zone)
    twice = there.replace(fold=0).utcoffset() or timedelta(0), there.replace(fold=1).utcoffset() or timedelta(0)
    if twice[0] <= twice[1]:
        return there
    begin = when.astimezone(UTC) - (twice[0] - twice[1])
    return _unmistaken(begin, zone) if begin < when else there
