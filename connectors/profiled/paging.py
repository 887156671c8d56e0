"""A list, page by page: where the next one begins, where the end is, and whether rows moved between two of them.

Pages by number, offset or address are cut anew for each request. A row that leaves an earlier page draws all later
ones forward, and one of them falls between two pages. So the last row of a page must still be where it was when the
next page was read; if it is not, the page is `moved`, and the caller begins again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connectors.answers import Answer
from connectors.errors import ProtocolError
from connectors.profiled import onward
from connectors.profiled.onward import counted, linked, says_last, says_more, told, without, words
from connectors.profiled.rows import meets
from connectors.profiled.site import Site
from connectors.profiled.values import at, fill, text
from connectors.profiled.vocabulary.listing import Listing, Purpose
from connectors.profiled.vocabulary.parts import Request


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a list a page begins; all empty: at its beginning."""

    after: str = ""
    """The key, or the number in a log, that the page before ended with."""
    pages: int = 0
    rows: int = 0
    """How many there were before."""
    token: str = ""
    """The token or the address that the answer before told."""
    anchor: str = ""
    """The key of the last row before."""
    back: str = ""
    """The token or address of the page before."""
    part: int = 0
    """Which of several lists it is in."""

    def dump(self) -> list[Any]:
        """As a cursor carries it."""
        return [self.after, self.pages, self.rows, self.token, self.anchor, self.back, self.part]

    @classmethod
    def load(cls, dumped: list[Any] | None) -> "Place":
        """What `dump` made."""
        return cls(*dumped) if dumped else cls()


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its key, and the data that its ticket is read from, as far as it goes."""

    key: str
    raw: Any
    number: int = 0
    """Its number, in a log."""


@dataclass(frozen=True, slots=True)
class Page:
    """One answer of a list."""

    rows: tuple[Row, ...]
    place: Place
    next: Place | None
    """None: it was the last one."""
    answer: Answer
    shape: Listing
    until: int
    """How many rows the list had up to here, those of other places too."""
    full: bool
    """It held as many rows as were asked for."""
    others: tuple[Row, ...] = ()
    """Those of other places: they tell how far the list was read, and no more."""
    moved: bool = False
    """Rows moved between this page and the one before."""

    @property
    def at(self) -> datetime | None:
        """The server's own clock when it answered."""
        return self.answer.at


class Pager:
    """Reads one of a site's lists."""

    def __init__(self, site: Site, purpose: Purpose) -> None:
        self._site = site
        self.shape = self._shape = site.profile.listing.of(purpose)

    @property
    def steady(self) -> bool:
        """Whether no row moves between two pages."""
        steady, by = self._shape.pages.steady, self._shape.pages.by
        return steady if steady is not None else by in ("key", "token", "none")

    def read(self, place: Place, *, per_page: int = 0, **words: Any) -> Page:
        """One page of the list.

        :raises ProtocolError: there is no list, or it leads in a circle or to another origin."""
        by = self._shape.pages.by
        guarded = not self.steady and bool(place.anchor)
        overlaps = guarded and by == "offset" and place.rows > 0
        request, own = self._request(place, per_page, overlap=1 if overlaps else 0)
        answer = self._site.read(request, **{**own, **words})
        raws = self._raws(answer)
        keys = [self._key(raw) for raw in raws]
        full, until = len(raws) >= (per_page or self._shape.per_page), place.rows + len(raws) - (1 if overlaps else 0)
        if full and len(keys) > 1 and self._alike(place, raws, keys):
            raise ProtocolError(f"{answer.about}: its pages are alike: does it know the word for the next one?")
        # found further back, it was pushed there by rows that came before it: nothing slipped through
        moved = guarded and place.anchor not in keys and (overlaps or self._left(place, per_page, words))
        if overlaps and not moved:
            known = keys.index(place.anchor) + 1
            raws, keys = raws[known:], keys[known:]
        found = self._rows(raws, keys, answer.about)
        known_words = self._site.words()
        where = {path: tuple(str(fill(each, known_words)) for each in said) for path, said in self._shape.where.items()}
        rows = tuple(each for each in found if meets(each.raw, where))
        others = tuple(each for each in found if where and not meets(each.raw, where))
        following = self._following(place, found, keys, answer, until=until, full=full)
        if following is None and place.part + 1 < len(self._shape.each):
            following = Place(part=place.part + 1)
        return Page(rows, place, following, answer, self._shape, until, full, others, moved)

    def _alike(self, place: Place, raws: list[Any], keys: list[str]) -> bool:
        """Whether a page is the one before it again, as where a product does not know how it is asked for the next."""
        if self._shape.sequence is not None:
            return bool(place.anchor) and text(at(raws[-1], self._shape.sequence)) == place.after
        return keys[-1] == place.anchor

    # -- asking ----------------------------------------------------------------------------------------------------

    def _request(self, place: Place, per_page: int, *, overlap: int = 0) -> tuple[Request, dict[str, Any]]:
        pages = self._shape.pages
        request: Request = self._shape
        if place.token and pages.by in ("link", "address"):
            root = str(fill(self._site.profile.root, self._site.words()))
            plain = Request(method=self._shape.method, path=self._shape.path, headers=self._shape.headers)
            return linked(root, plain, place.token, "the next page")
        known = words(
            pages,
            after=place.after,
            page=place.pages,
            rows=place.rows - overlap,
            token=place.token,
            per_page=per_page or self._shape.per_page,
        )
        if pages.further is not None and place.pages:
            request = onward.further(self._shape, pages.further)
        several = self._shape.each[place.part] if self._shape.each else {}
        return without(request, [name for name in ("after", "page_token") if known[name] == ""]), {**several, **known}

    def _raws(self, answer: Answer) -> list[Any]:
        """The rows of an answer; one that stands alone is a list of one."""
        found = [] if answer.empty else at(answer.data(), self._shape.rows)
        if isinstance(found, dict) and text(at(found, self._key_path)):
            return [found]
        if isinstance(found, dict) and found and all(text(at(each, self._key_path)) for each in found.values()):
            return list(found.values())  # an object of key to ticket
        if not isinstance(found, list) and found not in (None, "", {}) and not self._key_path:
            return [found]
        return found if isinstance(found, list) else self._site.rows(answer.data(), self._shape.rows, answer.about)

    # -- rows ------------------------------------------------------------------------------------------------------

    @property
    def _key_path(self) -> str:
        return self._site.profile.ticket.key if self._shape.key is None else self._shape.key

    def _key(self, raw: Any) -> str:
        return self._site.key(at(raw, self._key_path))

    def _rows(self, raws: list[Any], keys: list[str], about: str) -> list[Row]:
        if not all(keys):
            raise ProtocolError(f"{about}: a row has no key under {self._key_path!r}", raw=repr(raws)[:2000])
        numbers = [0] * len(keys)
        if self._shape.sequence is not None:
            try:
                numbers = [int(text(at(raw, self._shape.sequence))) for raw in raws]
            except ValueError:
                raise ProtocolError(f"{about}: a row has no number under {self._shape.sequence!r}") from None
        if self._shape.batch is None:
            rows = [Row(*each) for each in zip(keys, raws, numbers, strict=True)]
        else:
            read = self._batch(list(dict.fromkeys(keys)))
            # one that is not among them was deleted meanwhile
            rows = [Row(key, read[key], number) for key, number in zip(keys, numbers, strict=True) if key in read]
        return rows

    def _batch(self, keys: list[str]) -> dict[str, Any]:
        shape = self._shape.batch
        assert shape is not None, "only such lists come here"
        found: dict[str, Any] = {}
        for begin in range(0, len(keys), shape.most):
            some: Any = keys[begin : begin + shape.most]
            answer = self._site.read(shape, keys=shape.joined.join(some) if shape.joined else some)
            tickets = at(answer.data(), shape.rows)
            for each in tickets if isinstance(tickets, list) else [tickets]:
                key = self._site.key(at(each, self._site.profile.ticket.key))
                if key:
                    found[key] = each
        if keys and not found:
            raise ProtocolError(
                f"none of the tickets {', '.join(keys[:5])} … is under {shape.rows!r} when read at once"
            )
        return found

    # -- going on --------------------------------------------------------------------------------------------------

    def _left(self, place: Place, per_page: int, words: Mapping[str, Any]) -> bool:
        """Whether the page before does not end any more with the row that it ended with."""
        before = Place(pages=max(place.pages - 1, 0), token=place.back, part=place.part)
        request, own = self._request(before, per_page)
        answer = self._site.read(request, **{**own, **words})
        return [self._key(raw) for raw in self._raws(answer)][-1:] != [place.anchor]

    def _following(
        self,
        place: Place,
        rows: list[Row],
        keys: list[str],
        answer: Answer,
        *,
        until: int,
        full: bool,
    ) -> Place | None:
        pages, data = self._shape.pages, None if answer.empty else answer.data()
        token = ""
        if pages.by in ("token", "link", "address"):
            token = told(pages, data, answer.headers)
            if not token or says_last(pages, data, answer.headers):
                return None
            if token in (place.token, place.back):
                raise ProtocolError(
                    f"{answer.about}: the list leads in a circle: the page after this one is one before it"
                )
        elif pages.by == "none" or not self._goes_on(place, len(keys), data, answer, until=until, full=full):
            return None
        numbers = [row.number for row in rows] if self._shape.sequence is not None else []
        last = str(max(numbers)) if numbers else _highest(keys) or place.after
        anchor = keys[-1] if keys else place.anchor
        return Place(last, place.pages + 1, until, token, anchor, place.token, place.part)

    def _goes_on(self, place: Place, count: int, data: Any, answer: Answer, *, until: int, full: bool) -> bool:
        """Whether there are more rows: by what the list says of itself, else by how full the page is."""
        pages, shape = self._shape.pages, self._shape
        said = says_more(pages, data, answer.headers, place.pages)
        if said is not None:
            return said
        if shape.total is not None:
            total = counted(shape.total, data, answer.headers)
            if total is None:
                return count > 0  # it cannot count, since rights are applied after paging
            if pages.by in ("number", "offset") and total.isdecimal():
                return count > 0 and until < int(total)
        return count > 0 if pages.until == "empty" else full


def _highest(keys: list[str]) -> str:
    """The last key of a page, whichever way a product sorts numbers."""
    if all(key.isdecimal() for key in keys):
        return max(keys, key=int, default="")
    return keys[-1]
