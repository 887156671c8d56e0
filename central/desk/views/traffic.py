"""The last hour of a system as a picture and a table."""

from collections.abc import Sequence
from dataclasses import dataclass

from central.traffic import Minute

WIDTH, HEIGHT = 600, 120
_TOGETHER = 10
"""Minutes in one row of the table."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A piece of one minute."""

    kind: str
    x: int
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Traffic:
    """What is drawn and said of an hour."""

    ended: int
    failed: int
    top: int
    """The most looks in a minute."""
    bars: tuple[Bar, ...]
    """Of each minute from the ground up: inward, outward, failed."""
    owed: tuple[int, ...]
    parts: tuple[Minute, ...]
    """Ten minutes each."""


def traffic(hour: Sequence[Minute]) -> Traffic:
    """An hour as it is shown."""
    looks = [(("inward", each.inward), ("outward", each.outward), ("failed", each.failed)) for each in hour]
    top = max((sum(number for _, number in minute) for minute in looks), default=0)
    bars, step = [], WIDTH // max(len(hour), 1)
    for place, minute in enumerate(looks):
        ground = float(HEIGHT)
        for kind, number in minute:
            if number:
                height = number * HEIGHT / top
                ground -= height
                bars.append(Bar(kind, place * step + 1, round(ground, 1), round(height, 1)))
    owed = tuple(each.most_due for each in hour)
    return Traffic(
        ended=sum(each.inward + each.outward for each in hour),
        failed=sum(each.failed for each in hour),
        top=top,
        bars=tuple(bars),
        owed=owed,
        parts=tuple(_together(hour[first : first + _TOGETHER]) for first in range(0, len(hour), _TOGETHER)),
    )


def _together(minutes: Sequence[Minute]) -> Minute:
    whole = minutes[0]
    for each in minutes[1:]:
        whole = whole.with_more(each)
    return whole
