"""How tickets are listed, and how a list goes on."""

from datetime import timedelta
from typing import Any, Literal

from pydantic import model_validator

from connectors.api import Finds
from connectors.profiled.vocabulary.parts import Joined, Part, Request, Words


class Moments(Part):
    """How a time is said in a search."""

    form: str = "iso"
    """`iso`: UTC, to the second. `epoch`, `epoch_ms`: a count since 1970. `ago`: a count of `unit` from the server's
    present time ("-300"), free of time zones. Anything with a % in it is a pattern: "%d.%m.%Y %H:%M"."""
    zone: str = "UTC"
    """The zone that a pattern is said in; a word of the settings in braces."""
    zone_at: str | None = None
    """Where the answer of `account` names that zone, where it is our account's own."""
    parts: dict[str, str] = {}
    """More words, each a pattern, for a time that is split over several fields."""
    step: timedelta = timedelta(seconds=1)
    """What a pattern is cut to: whole seconds, minutes, days."""
    unit: timedelta = timedelta(seconds=1)
    """What `ago` counts."""
    plus: str = "+"
    """What `ago` writes before a time to come."""
    exclusive: bool = False
    """The product finds what changed after the time, not at it."""
    slack: timedelta = timedelta(0)
    """How much earlier than needed is asked for."""
    doubt: timedelta = timedelta(0)
    """How far the product may misread the time (a change of summer time); a row known to be there bears witness."""

    @model_validator(mode="after")
    def _readable(self) -> "Moments":
        if "%" not in self.form and self.form not in ("iso", "epoch", "epoch_ms", "ago"):
            raise ValueError("form is iso, epoch, epoch_ms, ago, or a pattern such as %Y-%m-%d %H:%M:%S")
        return self


class Paging(Part):
    """How a list goes on after a page, and how its end shows.

    `key`: after the last key ({after}, {next}). `number`: {page}. `offset`: {offset}, and {upto}, that of its last row.
    `token`: {page_token}, which the answer bears. `link`: the header Link. `address`: the answer bears the next page's.
    `none`: it does not."""

    by: Literal["key", "number", "offset", "token", "link", "address", "none"] = "key"
    first: int | str = 0
    """The first page's number, the first row's offset, or the key before all; "": the word is left out at first."""
    further: Request | None = None
    """What the request of a further page says instead, where it is not the first one's: another operation or address
    with {page_token}. Nothing of the first is said again but its method and headers."""
    at: str | None = None
    """Where the answer has the token or the address of the next page. This, `last`, `more`, `pages` and `total` may
    be in a header: "header:X-Next-Page"."""
    last: str | None = None
    """Where it says that this page is the last one."""
    more: str | None = None
    """Where it says that there are more."""
    pages: str | None = None
    """Where it counts the pages."""
    until: Literal["short", "empty"] = "short"
    """What ends a list that says nothing of its end: a page that is not full, or only one without rows."""
    steady: bool | None = None
    """No row moves between pages, whatever changes; None: so it is with `key` and `token` alone."""
    cap: int | None = None
    """How many rows a list ends after without a word, on all its pages together."""
    most: int | None = None
    """How large a page may be asked for ({per_page}), where more changed at one time than fits a page."""


class Batch(Request):
    """How many tickets are read at once, where rows are bare keys or tell too little: {keys}."""

    rows: str
    joined: str = ","
    """What stands between the keys; "": they go as a list."""
    most: int = 50


_PAGE_WORDS = {"number": ("page",), "offset": ("offset", "upto"), "token": ("page_token",)}
"""The words that ask for a page, by the way that pages are told apart."""

Purpose = Literal["scan", "changes", "newest", "find"]


class Apart(Request):
    """What one of the lists says otherwise than the others: its request, and the shape of its answer."""

    rows: str | None = None
    key: str | None = None
    changed_at: Joined | None = None
    order: Literal["key", "time", "newest", "none"] | None = None
    pages: Paging | None = None
    batch: Batch | None = None
    where: dict[str, Words] = {}
    per_page: int | None = None
    total: str | None = None


class Listing(Request):
    """How tickets are listed. The best is by ascending key, each page continuing after the last one.

    The request is common to all four; what each adds goes into the query of a GET, else into the body."""

    rows: str
    key: str | None = None
    """Where a row has the ticket's key, if not where the ticket has it; "": the row is the key."""
    changed_at: Joined | None = None
    """Where a row has the time of the change, if not where the ticket has it."""
    sequence: str | None = None
    """Where the rows of a log have their ascending number: polling goes by it ({after}) instead of time."""
    compare: bool = False
    """Rows tell neither time nor number: all are listed each time, and those are taken that look different."""
    order: Literal["key", "time", "newest", "none"] | None = None
    """How `changes` are sorted: by key, the oldest change first, the newest first, or anyhow.
    None: by key where pages go by it, else anyhow."""
    pages: Paging = Paging()
    batch: Batch | None = None
    where: dict[str, Words] = {}
    """Paths and the values there, settings in braces: other rows are none of this system's tickets."""
    shows: tuple[str, ...]
    """The fields that a row shows."""
    per_page: int
    """How many rows a full page has."""
    total: str | None = None
    """Where the answer counts all rows; null there means that even a page that is not full may not be the last."""
    moments: Moments = Moments()
    scan: dict[str, Any] = {}
    """Every ticket of this system."""
    changes: dict[str, Any] = {}
    """Those changed at or after {since}; {until} is a time to come."""
    newest: dict[str, Any] | None = None
    """The last changed first: where polling begins. None: it begins at the server's present time."""
    find: dict[str, Any] = {}
    """Those that bear {token}. None: no search knows it, and what changed since it was written is looked through."""
    each: tuple[dict[str, str], ...] = ()
    """Where no single list has all: the words of each of several, which are read one after the other."""
    apart: dict[Purpose, Apart] = {}
    """Where one of the four is asked for elsewhere, or answered otherwise."""

    def of(self, purpose: Purpose) -> "Listing":
        """The list as it is asked for this: with what is said of it alone, and its words added."""
        said = self.apart.get(purpose)
        found = self if said is None else self.model_copy(update={n: getattr(said, n) for n in said.model_fields_set})
        if purpose in ("scan", "find"):  # these list tickets, and no log
            found = found.model_copy(update={"sequence": None})
        whole = found.adding(getattr(self, purpose) or {})
        assert isinstance(whole, Listing), "a copy is of the same kind"
        return whole

    @property
    def finds(self) -> Finds:
        """How changes are found in it."""
        if self.compare:
            return Finds.COMPARED
        asked = self.of("changes")
        words = ("after",) if self.sequence is not None else ("since", *self.moments.parts)
        newest = self.sorting == "newest"  # read no further than news go
        return Finds.ASKED if newest or any(asked.says(word) for word in words) else Finds.LISTED

    @property
    def sorting(self) -> str:
        """`order`, whether it was said or not."""
        return self.order or ("key" if self.pages.by == "key" else "none")

    @model_validator(mode="after")
    def _walkable(self) -> "Listing":
        if self.pages.by in ("token", "address") and self.pages.at is None:
            raise ValueError(f"pages by {self.pages.by} need `at`: where the answer has it")
        if self.pages.by == "none" and self.sorting != "time":
            raise ValueError("a list without pages must be sorted by time (order: time): only so it can be continued")
        for purpose in ("scan", "changes"):
            found = self.of(purpose)
            words, more = _PAGE_WORDS.get(found.pages.by, ()), found.pages.further
            if words and not any(found.says(word) or (more is not None and more.says(word)) for word in words):
                said = " or ".join(f"{{{word}}}" for word in words)
                raise ValueError(
                    f"pages by {found.pages.by} are asked for by the word {said}: {purpose} does not say it"
                )
        if self.sequence is not None and self.pages.by != "key":
            raise ValueError("a log is continued after its last number: pages by key, with the word {after}")
        return self
