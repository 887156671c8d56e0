"""Moment: a point in time. Ours is UTC as ISO 8601 (`2026-11-22T18:45:07Z`); theirs has a format, a zone and a step."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import Field

from mappings.loader import nearest
from mappings.model import Losses, Place, Rule, Untranslatable, Value
from mappings.remembering import Remembering
from mappings.rules.part import Fault, FieldPart, Part

Step = Literal["second", "minute", "hour", "day"]
STEPS: tuple[Step, ...] = get_args(Step)
"""The finest first."""
_BELOW: dict[Step, dict[str, int]] = {
    "second": {"microsecond": 0},
    "minute": {"microsecond": 0, "second": 0},
    "hour": {"microsecond": 0, "second": 0, "minute": 0},
    "day": {"microsecond": 0, "second": 0, "minute": 0, "hour": 0},
}
_DIRECTIVE = re.compile(r"%(.?)")
_KNOWN, _NEEDED = "YmdHMSz", "Ymd"
_PARTS: tuple[tuple[str, Step], ...] = (("H", "day"), ("M", "hour"), ("S", "minute"))
"""What a format must name, or the step is no finer than this."""


@dataclass(frozen=True, slots=True)
class Moment:
    """`format` as in strftime, or "iso"; `zone` is theirs where the format names none.

    `unset` are the values that mean "no time at all", the first of which is written to clear the field. Two times
    agree when they are written alike there: what lies below `granularity` or the format's last part stays ours."""

    format: str = "iso"
    zone: tzinfo = UTC
    granularity: Step = "second"
    unset: tuple[str, ...] = ()
    where: str = ""
    _unset: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        moments = (self._parsed(text) for text in self.unset)
        object.__setattr__(self, "_unset", frozenset(self._written(m) for m in moments if m is not None))

    def say(self, ours: Value) -> Value:
        if written := self._ours(ours):
            return written
        return self.unset[0] if self.unset else None

    def read(self, theirs: Value) -> Value:
        # Read through its own writing, so that all that is written alike is read alike.
        moment = self._parsed(written) if (written := self._theirs(theirs)) else None
        return None if moment is None else _iso(moment)

    def agrees(self, ours: Value, theirs: Value) -> bool:
        try:
            return self._ours(ours) == self._theirs(theirs)
        except Untranslatable:
            return False

    def canonical_ours(self, ours: Value) -> Value:
        moment = _instant(ours)
        return ours if moment is None else _iso(moment)

    def canonical_theirs(self, theirs: Value) -> Value:
        try:
            return self._theirs(theirs)
        except Untranslatable:
            return theirs

    @property
    def step(self) -> Step:
        """The smallest step that is written there: the format may name less than `granularity` keeps."""
        named: Step = "second"
        if self.format != "iso":
            named = next((coarser for letter, coarser in _PARTS if f"%{letter}" not in self.format), "second")
        return max(self.granularity, named, key=STEPS.index)

    def losses(self) -> Losses:
        kept = () if self.step == "second" else (f"is kept to the {self.step} there",)
        no_time = [text for text in self.unset if self._parsed(text) is not None]
        unset = [f"{text!r} there means no time at all: one of ours that is written so is not told" for text in no_time]
        twice = "of an hour that their clock shows twice, when it is set back, the first is meant"
        return Losses((*kept, *unset), (twice,) if self._shows_twice() else ())

    def _shows_twice(self) -> bool:
        """Whether some of their times are two of ours."""
        told = self.format == "iso" or "%z" in self.format or self.step == "day"
        return not told and len({datetime(2026, month, 1, tzinfo=self.zone).utcoffset() for month in range(1, 13)}) > 1

    def _ours(self, value: Value) -> str | None:
        """Our moment as it is written there; None for no time at all, and for a time that means this there."""
        if value is None or value == "":
            return None
        moment = _instant(value)
        if moment is None:
            raise Untranslatable(f"our {value!r} is not a time as ISO 8601 writes it{self.where}")
        try:
            written = self._written(moment)
        except OverflowError:
            raise Untranslatable(f"our {value!r} is out of the range of times{self.where}") from None
        return None if written in self._unset else written

    def _theirs(self, value: Value) -> str | None:
        """Their moment as we would write it; None for no time at all."""
        if value is None or value == "" or value in self.unset:
            return None
        moment = self._parsed(value) if isinstance(value, str) else None
        if moment is None:
            raise Untranslatable(f"their {value!r} is not a time in the format {self.format!r}{self.where}")
        written = self._written(moment)
        return None if written in self._unset else written

    def _parsed(self, text: str) -> datetime | None:
        try:
            iso = self.format == "iso"
            moment = datetime.fromisoformat(text) if iso else datetime.strptime(text, self.format)  # noqa: DTZ007
            moment = (moment if moment.tzinfo is not None else moment.replace(tzinfo=self.zone)).astimezone(UTC)
            self._written(moment)
        except (ValueError, OverflowError):
            return None
        return moment

    def _written(self, moment: datetime) -> str:
        below = _BELOW[self.granularity]
        # By way of UTC, so that a time that their clock skips becomes one that it shows.
        cut = moment.astimezone(self.zone).replace(**below)  # type: ignore[arg-type]  # no key of it is a zone
        local = cut.astimezone(UTC).astimezone(self.zone)
        if self.format == "iso":
            return _iso(local) if self.zone is UTC else local.isoformat()
        return local.strftime(self.format.replace("%Y", f"{local.year:04}"))


def _instant(value: Value) -> datetime | None:
    """Our text as a moment; None where it is not one."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


class MomentPart(Part):
    """How they write a time."""

    format: str = Field(
        "iso", description='"iso", or a pattern of %Y %m %d %H %M %S %z.', examples=["iso", "%d.%m.%Y %H:%M"]
    )
    zone: str = Field(
        "UTC",
        description="Their clock, where the format does not tell: a name such as Europe/Prague.",
        examples=["UTC", "Europe/Prague"],
    )
    granularity: Step = Field("second", description="The smallest step that they keep.")
    unset: list[str] = Field(
        default_factory=list, description='Values that mean "no time"; the first is written to clear the field.'
    )


class MomentField(FieldPart):
    """A field that is a point in time."""

    moment: MomentPart

    def faults(self) -> Iterator[Fault]:
        if self.moment.format != "iso":
            used = _DIRECTIVE.findall(self.moment.format)
            if unknown := [f"%{letter}" for letter in used if letter not in _KNOWN or not letter]:
                known = " ".join(f"%{letter}" for letter in _KNOWN)
                yield Fault(("moment", "format"), f"{unknown[0]} is not among the parts of a format: {known}")
            elif missing := [f"%{letter}" for letter in _NEEDED if used.count(letter) != 1]:
                yield Fault(("moment", "format"), f"a format needs {missing[0]} once, or it names no day")
        if _zone(self.moment.zone) is None:
            near = nearest(self.moment.zone, available_timezones())
            guess = f"; did you mean {near!r}?" if near else ""
            yield Fault(("moment", "zone"), f"there is no time zone {self.moment.zone!r} on this machine{guess}")

    def rule(self, central: str, at: Place) -> Rule:
        part = self.moment
        zone = _zone(part.zone) or UTC
        return Remembering(Moment(part.format, zone, part.granularity, tuple(part.unset), f" ({central}, {at})"))


def _zone(name: str) -> tzinfo | None:
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
