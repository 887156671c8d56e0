"""By what twins are known: a field of theirs that names our ticket. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from central.model import Value

OURS = "id"
_PLACE = re.compile(r"\{([a-z0-9][a-z0-9._-]*)\}")


class BadClue(ValueError):
    """The sentence says how a clue is written."""


@dataclass(frozen=True, slots=True)
class Clue:
    """`field` holds `pattern`: `{id}` stands for our number, `{SYSTEM}` for the key of the ticket in that system.

    A pattern that is nothing but its place holds for the whole value; any other is looked for within it."""

    field: str
    pattern: str
    names: str
    """`id`, or the system whose key it is."""

    @classmethod
    def read(cls, written: str) -> "Clue":
        """`FIELD` or `FIELD=PATTERN`.  :raises BadClue: it is neither."""
        field, _, pattern = written.partition("=")
        pattern = pattern or f"{{{OURS}}}"
        places = _PLACE.findall(pattern)
        if not field or len(places) != 1:
            raise BadClue(
                f"{written!r} is not FIELD or FIELD=PATTERN with one {{id}} or {{SYSTEM}} in it, "
                "such as 'subject=[GGUS #{id}]'"
            )
        return cls(field, pattern, places[0])

    def __str__(self) -> str:
        return f"{self.field}={self.pattern}"

    def named(self, value: Value) -> Iterator[str]:
        """Every name that this value of the field holds."""
        texts = value if isinstance(value, tuple) else () if value is None else (str(value),)
        before, after = (re.escape(part) for part in self.pattern.split(f"{{{self.names}}}"))
        name = r"0*(\d{1,18})" if self.names == OURS else r"(\S+?)" if after else r"(\S+)"
        whole = not before and not after
        for text in texts:
            if whole:
                found = re.fullmatch(name, text.strip())
                yield from found.groups() if found else ()
            else:
                yield from re.findall(f"{before}{name}{after or _END}", text)


_END = r"(?!\w)"
