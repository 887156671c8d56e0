"""What went wrong, as data: signs in an answer, and the remedy that each calls for. Pure.

A profile's `errors` lists signs; the first that an answer bears counts, then what the operation knows better, then
`BY_STATUS`. A sign counts in an answer of any status, 200 included: many products say "error" there.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

from connectors.patterns import Pattern, found
from connectors.profiled.values import at, text

Remedy = Literal["access", "denied", "missing", "conflict", "refused", "busy", "failed", "empty"]
"""*access*: nobody lets us in like this (an expired session too: it is renewed once). *denied*: to this we have no
right; a single ticket may be out of our sight only. *missing*: it is not there. *conflict*: it has moved on since we
read it. *refused*: understood, and no. *busy*: not now, nothing was done. *failed*: it broke, and a write may have
been done. *empty*: a list has no rows; anywhere else it is *missing*."""

BY_STATUS: Mapping[int, Remedy] = {
    400: "refused",
    401: "access",
    403: "denied",
    404: "missing",
    405: "refused",
    408: "failed",
    409: "conflict",
    410: "missing",
    412: "conflict",
    413: "refused",
    422: "refused",
    429: "busy",
    503: "busy",
}
"""What a status means, unless the profile says otherwise. Other 5xx: *failed*; others: not understood."""

_FAULTS = (
    *("Fault.faultcode", "Body.Fault.faultcode", "Envelope.Body.Fault.faultcode"),
    *("Fault.Code.Value", "Body.Fault.Code.Value", "Envelope.Body.Fault.Code.Value"),
)
_LONGEST_WORDS = 500
_USUAL = ("message", "error_description", "error", "errors", "detail")
"""Where most products have their words."""


def _listed(value: Any) -> Any:
    return [value] if value is not None and not isinstance(value, list | tuple) else value


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Sign(_Part):
    """What shows that something went wrong. All that is said must hold; at least one thing is."""

    status: Annotated[tuple[int, ...] | None, BeforeValidator(_listed)] = None
    """One status or several; without it: any, of a success too."""
    at: str | None = None
    """A path into the answer's data. Alone: something is there (not null, false, 0, empty)."""
    equals: Annotated[tuple[bool | int | float | str, ...] | None, BeforeValidator(_listed)] = None
    """What is at `at` is one of these."""
    differs: Annotated[tuple[bool | int | float | str, ...] | None, BeforeValidator(_listed)] = None
    """Something is at `at`, and none of these."""
    begins: str | None = None
    """What is at `at` begins with these characters."""
    lacks: str | None = None
    """A path to a list without rows: of a ticket that is asked for by a search."""
    fault: str | None = None
    """The code of a SOAP fault, without its prefix; one that goes on after a dot is meant too."""
    body: str | None = None
    """Characters somewhere in the beginning of the body, whatever the body is."""
    says: Pattern | None = None
    """A pattern in the product's own words (case does not matter)."""
    wordless: bool = False
    """The answer bears no words of the product at all."""
    undone: bool = False
    """Proves even inside a success that a write was not done. Only `body` leaves that open by itself: a page with 200
    may stand before the work or after it."""
    means: Remedy

    @model_validator(mode="after")
    def _whole(self) -> "Sign":
        more = (self.at, self.lacks, self.fault, self.body, self.says)
        if self.status is None and all(each is None for each in more):
            raise ValueError("say by what it is known: status, at, lacks, fault, body or says")
        if self.at is None and (self.equals or self.differs or self.begins):
            raise ValueError("equals, differs and begins are of what is at a path: say `at`")
        return self

    @property
    def of_success(self) -> bool:
        """Whether an answer with a status of success may bear it."""
        return self.status is None or any(200 <= each < 300 for each in self.status)

    def is_in(self, status: int, data: Any, raw: str, words: str) -> bool:
        """Whether an answer bears this sign. `data` is None where the body is none."""
        return (
            (self.status is None or status in self.status)
            and (self.at is None or self._stands(at(data, self.at)))
            and (self.lacks is None or at(data, self.lacks) == [])
            and (self.fault is None or _is_fault(self.fault, data))
            and (self.body is None or self.body in raw)
            and (self.says is None or found(self.says, words, ignore_case=True) is not None)
            and not (self.wordless and words)
        )

    def proves_undone(self, status: int) -> bool:
        """Whether a write that was answered so was surely not done."""
        return self.undone or self.body is None or not 200 <= status < 300

    def _stands(self, value: Any) -> bool:
        if self.equals is not None:
            return _is_one_of(value, self.equals)
        if self.differs is not None:
            return value is not None and not _is_one_of(value, self.differs)
        if self.begins is not None:
            return text(value).startswith(self.begins)
        return bool(value)


class Errors(_Part):
    """A profile's `errors`. A plain mapping of status to remedy is `signs`."""

    words: Annotated[tuple[str, ...], BeforeValidator(_listed)] = _USUAL
    """Where an error has the product's own words: the first path that leads to any counts."""
    noise: Pattern | None = None
    """What is cut out of them."""
    signs: tuple[Sign, ...] = ()
    """The first that an answer bears counts."""

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, data: Any) -> Any:
        if isinstance(data, Mapping) and data and all(isinstance(each, int) for each in data):
            return {"signs": [{"status": status, "means": means} for status, means in data.items()]}
        return data

    @property
    def of_success(self) -> tuple[Sign, ...]:
        """The signs that an answer with a status of success may bear."""
        return tuple(each for each in self.signs if each.of_success)

    def sign(self, status: int, data: Any, raw: str) -> Sign | None:
        """The first sign that this answer bears."""
        words = self.said(data)
        return next((each for each in self.signs if each.is_in(status, data, raw, words)), None)

    def said(self, data: Any, sign: Sign | None = None) -> str:
        """The product's own words in an answer, on one line; "" where it has none. Else what the sign stands on."""
        paths = self.words if sign is None or sign.at is None else (*self.words, sign.at)
        words = next((each for each in (_sentence(at(data, path)) for path in paths) if each), "")
        if self.noise is not None and (cut := found(self.noise, words)) is not None:
            words = words[: cut.start()] + words[cut.end() :]
        return " ".join(words.split())[:_LONGEST_WORDS]


def _sentence(value: Any) -> str:
    """Words out of whatever products put there: a text, a list of them, an object of field to text."""
    if isinstance(value, Mapping):
        return _joined(f"{name}: {said}" for name, each in value.items() if (said := _sentence(each)))
    if isinstance(value, list | tuple):
        return _joined(_sentence(each) for each in value)
    return "" if value is None or isinstance(value, bool) else str(value)


def _joined(sentences: Iterable[str]) -> str:
    return "; ".join(each for each in sentences if each)


def _is_one_of(value: Any, words: Iterable[Any]) -> bool:
    """Whether it is one of them, as data or as text: what was JSON's false may be XML's "false"."""
    said = str(value).lower() if isinstance(value, bool) else text(value)
    return any(said == (str(each).lower() if isinstance(each, bool) else str(each)) for each in words)


def _is_fault(code: str, data: Any) -> bool:
    told = next((each for each in (at(data, path) for path in _FAULTS) if each), None)
    if isinstance(told, Mapping):  # an element with attributes has its text under this name
        told = told.get("#text", "")
    bare = str(told or "").rpartition(":")[2]
    return bare == code or bare.startswith(code + ".")
