"""One registered system: its profile, its settings and its session, and who we are there."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from connectors import patterns
from connectors.answers import Answer
from connectors.api import Capabilities, Person
from connectors.asking import Body, Made, Origin
from connectors.environment import Environment
from connectors.errors import AccessError, NotFound, ProtocolError
from connectors.profiled import onward
from connectors.profiled.kept import Openings
from connectors.profiled.packed import opened
from connectors.profiled.profile import Profile
from connectors.profiled.quirks import Quirks
from connectors.profiled.shared import settled, whole
from connectors.profiled.tables import Tables, UnknownWord
from connectors.profiled.values import at, fill, filled, first, moment, put, rows, text, told
from connectors.profiled.vocabulary.conversation import Rows
from connectors.profiled.vocabulary.parts import Request
from connectors.profiled.vocabulary.tickets import PersonShape, Source
from connectors.profiled.voice import Voice
from connectors.rest.formats import decoded
from connectors.rest.voice import RestVoice
from connectors.session import HttpSession
from connectors.soap.voice import SoapVoice

HIDDEN: Mapping[int, str] = {403: "missing"}
"""What a status means on a single ticket: one that was moved out of our sight answers 403, as if we were nobody."""


_ASKEW = timedelta(seconds=5)
"""How far the clock of an answer's head may be behind the times inside it."""


class Site:
    """What every part of the engine works with. Thread-safe."""

    def __init__(self, profile: Profile, settings: Mapping[str, str], environment: Environment, quirks: Quirks) -> None:
        self.profile = profile = settled(whole(profile), settings)
        self.settings = settings
        self.environment = environment
        self.quirks = quirks
        self.capabilities: Capabilities = profile.powers
        self.tables = Tables(self, profile.tables)
        self.openings = Openings()
        ca_file, words = settings.get("ca_file"), self.words()
        origin = Origin(
            fill(profile.root, words),
            profile.credentials,
            words,
            [
                settings[name]
                for name in profile.settings
                if profile.settings[name].kind == "secret" and name in settings
            ],
            Path(ca_file) if ca_file else None,
        )
        self.voice: Voice
        if profile.soap is not None:
            self.voice = SoapVoice(profile.soap, origin, environment, profile.errors, packed=profile.packed)
        else:
            read = partial(_opened, profile.packed) if profile.packed else decoded
            self.voice = RestVoice(HttpSession(origin, environment, errors=profile.errors, decode=read))
        self.http = self.voice.http
        self._account: Person | None = None
        self._place: str | None = None
        self._searched_in: str | None = None
        self._lock = threading.Lock()

    @cached_property
    def url(self) -> str:
        """The address people open, without a slash at the end."""
        return self.settings["url"].rstrip("/")

    def token_field(self) -> str:
        """The external id field as a search names it: by id where the product has ids for its custom fields.

        :raises AccessError: there is no such field that we can see."""
        customs = self.profile.custom_fields
        assert customs is not None, "only products with custom fields are searched by them"
        name = str(fill(customs.token, self.words()))
        if customs.table is None or customs.shape == "names":
            return name
        try:
            return self.tables.id(customs.table, name)
        except UnknownWord as absent:
            raise AccessError(f"the field for our token cannot be found: {absent}") from None

    def words(self, **more: Any) -> dict[str, Any]:
        """The settings, and what an operation knows."""
        return {**self.settings, "url": self.url, **more}

    def read(
        self, request: Request, *, errors: Mapping[int, str] | None = None, limit: int | None = None, **words: Any
    ) -> Answer:
        """Say a request that reads. `limit`: bytes of its answer, where it may be a large one."""
        known = self.words(**words)
        return self.voice.read(request, known, self.body(request, known), errors=errors, limit=limit)

    def write(
        self,
        request: Request,
        body: Mapping[str, Any] | None = None,
        *,
        stream: Body | Made | None = None,
        headers: Mapping[str, str] | None = None,
        errors: Mapping[int, str] | None = None,
        **words: Any,
    ) -> Answer:
        """Say a request that writes, once; `body` is whole already (`body()` begins it)."""
        return self.voice.write(request, self.words(**words), body, stream=stream, headers=headers, errors=errors)

    @staticmethod
    def body(request: Request, words: Mapping[str, Any]) -> dict[str, Any]:
        """What the request itself puts into its body; what stands for a setting that is not given is left out."""
        found: dict[str, Any] = {}
        for place, template in request.body.items():
            try:
                said = filled(template, words)
            except KeyError:
                continue
            put(found, fill(place, words), said)
        return found

    def account(self) -> Person:
        """Who we are there, asked once."""
        with self._lock:
            if self._account is None:
                self._account = self.quirks.account(self) if self.quirks.account is not None else self._who()
            return self._account

    def _who(self) -> Person:
        shape = self.profile.account
        assert shape is not None, "the profile or its quirks say who we are"
        if shape.read is None:
            key = str(fill(shape.key or "", self.words()))
            return Person(key, key, key if "@" in key else "")
        return self.person(self.read(shape.read).data(), shape.person)

    def is_us(self, person: Person) -> bool:
        """Whether somebody is our account, by what the profile says that both must share."""
        us = self.account()
        for part in self.profile.own_by:
            mine, theirs = getattr(us, part), getattr(person, part)
            if theirs and (mine == theirs or (part == "email" and mine.casefold() == theirs.casefold())):
                return True
        return False

    def key(self, found: Any) -> str:
        """A ticket's key, where it stands alone or inside something longer."""
        said, part = text(found), self.profile.ticket.key_part
        inside = patterns.found(part, said) if part is not None else None
        return said if inside is None else inside[1]

    def person(self, data: Any, shape: PersonShape | None = None) -> Person:
        """Somebody whom an answer names."""
        shape = shape or self.profile.people
        key = text(first(data, shape.key))
        inside = patterns.found(shape.pattern, key) if shape.pattern is not None else None
        key = inside[1] if inside is not None else key
        if shape.table is not None and key:
            key = self.tables.word(shape.table, key) or key
        names = [text(at(data, path)) for path in shape.name]
        return Person(key, " ".join(each for each in names if each) or key, text(at(data, shape.email or "-")))

    def moment(self, value: Any, about: str) -> datetime:
        """A time of an answer, as UTC.  :raises ProtocolError: it is none."""
        until = self.http.server_now() + _ASKEW
        return moment(value, about, self.profile.times.forms, self._zone, until)

    def local(self, value: Any) -> datetime:
        """A time of ours as it stands in the product's own zone.  :raises ProtocolError: it is none."""
        return moment(value, "what was to be written", zone=self._zone).astimezone(self._zone)

    def told(self, value: Any) -> str | int:
        """A time of ours as the product writes it.  :raises ProtocolError: it is none."""
        return told(self.local(value), self.profile.times.forms[0], self._zone)

    @cached_property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(str(fill(self.profile.times.zone, self.words())))

    # -- lists -----------------------------------------------------------------------------------------------------

    def some(self, found: Any) -> list[Any]:
        """What stands where a list may be: one alone may come as it is, and none as nothing."""
        return found if isinstance(found, list) else [] if found in (None, "", {}) else [found]

    def rows(self, data: Any, path: str, about: str) -> list[Any]:
        """A list inside an answer, as strictly as the product keeps to it.  :raises ProtocolError: there is none."""
        return self.some(at(data, path)) if self.profile.lists == "loose" else rows(data, path, about)

    def listed(self, request: Request, shape: Rows | Source, *, optional: bool = False, **more: Any) -> Iterator[Any]:
        """The rows of a list that has a request of its own, page after page. `optional`: there may be no list at all.

        :raises ProtocolError: there is none, or it does not end."""
        pages, page, seen, token, before = shape.pages, 0, 0, "", list[Any]()
        while True:
            asked, known = self._asked(request, shape, page, seen, token, before[-1:])
            answer = self.read(asked, **{**more, **known})
            data = answer.data()
            if optional and at(data, shape.rows) is None:
                return
            some = self.some(at(data, shape.rows)) if shape.keyed else self.rows(data, shape.rows, answer.about)
            found = keyed(some, answer.about) if shape.keyed else some
            if found and found == before:
                raise ProtocolError(f"{answer.about}: its pages are alike: does it know how it is asked for more?")
            yield from found
            if pages is None:
                return
            page, seen, before = page + 1, seen + len(found), found
            if pages.by in ("token", "link", "address"):
                token = onward.told(pages, data, answer.headers)
                goes_on: bool | None = bool(token) and not onward.says_last(pages, data, answer.headers)
            else:
                total = onward.counted(shape.total, data, answer.headers)
                goes_on = onward.says_more(pages, data, answer.headers, page - 1)
                if total is not None and total.isdecimal():
                    goes_on = bool(found) and seen < int(total)
            if goes_on is None:
                goes_on = len(found) >= (1 if pages.until == "empty" else shape.per_page)
            if not goes_on:
                return

    def _asked(
        self, request: Request, shape: Rows | Source, page: int, seen: int, token: str, last: list[Any]
    ) -> tuple[Request, Mapping[str, Any]]:
        """The request for one page of a list, and its words."""
        if shape.pages is None:
            return request, {}
        if token and shape.pages.by in ("link", "address"):
            return onward.linked(str(fill(self.profile.root, self.words())), request, token, "the next page")
        if page and shape.pages.further is not None:
            request = onward.further(request, shape.pages.further)
        paths = (shape.id,) if isinstance(shape.id, str) else shape.id
        after = text(first(last[0], paths)) if last else ""
        known = onward.words(shape.pages, after=after, page=page, rows=seen, token=token, per_page=shape.per_page)
        return onward.without(request, [name for name in ("after", "page_token") if known[name] == ""]), known

    def search_zone(self) -> str:
        """The time zone that times of a search are said in: as the profile has it, or our account's own there.

        :raises ProtocolError: there is no such zone."""
        with self._lock:
            if self._searched_in is None:
                shape = self.profile.listing.moments
                named = str(fill(shape.zone, self.words()))
                account = self.profile.account.read if self.profile.account is not None else None
                if shape.zone_at is not None and account is not None:
                    named = text(at(self.read(account).data(), shape.zone_at)) or named
                try:
                    self._searched_in = ZoneInfo(named).key
                except (ValueError, OSError, ZoneInfoNotFoundError):
                    raise ProtocolError(f"there is no time zone {named!r}: say one such as Europe/Berlin") from None
            return self._searched_in

    def ticket(self, key: str) -> Answer:
        """A ticket's own answer.

        :raises NotFound: it alone is gone or hidden.  :raises AccessError: the whole place is closed to us."""
        try:
            answer = self.read(self.profile.ticket.read, errors=HIDDEN, key=key)
        except NotFound as trouble:
            raise self.gone(key, trouble) from None
        if answer.empty:
            raise self.gone(key, NotFound(f"{answer.about}: there is nothing"))
        return answer

    def place_id(self) -> str:
        """The registered place's own id; asked for once."""
        with self._lock:
            if self._place is None:
                assert self.profile.within is not None
                within = self.profile.within
                if within.place is not None:
                    self._place = str(fill(within.place, self.words()))
                else:
                    self._place = text(at(self.read(self.profile.place).data(), within.place_at or ""))
            return self._place

    def ensure_place(self) -> None:
        """:raises NotFound: the registered place is not there for us.  :raises AccessError: nothing is."""
        place = self.profile.place
        answer = self.read(place)
        if place.rows is not None:
            wanted = fill(place.one, self.words())
            names = [text(at(each, place.name)) for each in self.rows(answer.data(), place.rows, answer.about)]
            if text(wanted) not in names:
                there = ", ".join(names) or "none that we can see"
                raise NotFound(f"{self.profile.product} has no {wanted!r} here; it has: {there}")

    def gone(self, key: str, trouble: NotFound) -> AccessError | NotFound:
        """Why a ticket cannot be had: it alone is out of our sight, or everything is. The place tells."""
        try:
            self.ensure_place()
        except (AccessError, NotFound) as closed:
            return AccessError(f"neither ticket {key} nor the place it is in can be read: {closed}")
        return NotFound(f"{self.profile.product} has no ticket {key} for us: {trouble}")


def _opened(packed: Sequence[str], body: bytes) -> Any:
    return opened(decoded(body), packed)


def keyed(found: list[Any], about: str) -> list[Any]:
    """The rows of objects of id to row, each with its id as `@key`.  :raises ProtocolError: a row is no object."""
    rows = [(key, row) for each in found if isinstance(each, Mapping) for key, row in each.items()]
    if not all(isinstance(row, Mapping) for _, row in rows) or not all(isinstance(each, Mapping) for each in found):
        raise ProtocolError(f"{about}: a list has rows that are no objects", raw=repr(found)[:2000])
    return [{**row, "@key": key} for key, row in rows]
