"""Values as words for people."""

from datetime import datetime, timedelta

from central.model import Person, Value

_UNITS = ((86400, "d"), (3600, "h"), (60, "min"))


def span(length: timedelta) -> str:
    """A length of time in its two largest units: `2 h 5 min`."""
    seconds = int(length.total_seconds())
    parts = [(seconds // 86400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "min"), (seconds % 60, "s")]
    told = [f"{number} {unit}" for number, unit in parts if number]
    return " ".join(told[:2]) or "none"


def about(length: timedelta) -> str:
    """A length of time in its largest unit, rounded down: `2 h`. What is told so changes seldom."""
    seconds = int(length.total_seconds())
    return next((f"{seconds // size} {unit}" for size, unit in _UNITS if seconds >= size), "under 1 min")


def ago(at: datetime | None, now: datetime) -> str:
    """How long ago that was: `4 min ago`, `never`."""
    if at is None:
        return "never"
    length = now - at
    return "just now" if length < timedelta(minutes=1) else f"{about(length)} ago"


def moment(at: datetime | None) -> str:
    """A moment, to the second."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC" if at else "never"


def shown(value: Value) -> str:
    """A value as text."""
    if value is None:
        return "—"
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def short(value: object) -> str:
    """A value in a line that holds other things too."""
    if value is None:
        return "—"
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return text if len(text) <= 80 else f"{text[:79]}…"


def name_of(person: Person) -> str:
    """What somebody is called where many may read it: never their whole mail address."""
    return person.label.partition("@")[0] or "somebody"


def size(number: int) -> str:
    """A number of bytes: `14 KB`."""
    if number < 1000:
        return f"{number} bytes"
    return f"{number / 1000:.0f} KB" if number < 1_000_000 else f"{number / 1_000_000:.1f} MB"
