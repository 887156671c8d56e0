"""Every way of listing that a profile can say, each on a small tracker that lists in that way and in no other."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from connectors.api import Connector, Cursor, Lookup, RemoteTicket
from connectors.emulators.server import Asked, Reply
from connectors.environment import Environment
from connectors.errors import ConnectorError, ProtocolError
from connectors.profiled.profile import Profile
from connectors.registry import open_profile
from connectors.testing import listed
from tests.unit.connectors.conftest import Clock, Scripted

OVERLAP = timedelta(minutes=5)
BASE: dict[str, Any] = {
    "kind": "profile",
    "name": "odd",
    "product": "Odd",
    "family": "rest",
    "settings": {"url": {"kind": "url", "says": "where it is"}, "zone": {"says": "its zone", "default": "UTC"}},
    "root": "{url}/api",
    "credentials": {},
    "capabilities": {"version": "none", "row_version": "none"},
    "notifies": {},
    "account": {"read": {"path": "/me"}, "person": {"key": "login"}},
    "people": {"key": "login"},
    "place": {"path": "/me"},
    "ticket": {
        "read": {"path": "/tickets/{key}"},
        "key_pattern": "[A-Z]+-[0-9]+",
        "version": {"at": "changed"},
        "changed_at": "changed",
        "created_by": "by",
        "address": "{url}/{key}",
    },
    "fields": {"title": {"at": "title"}},
    "token": {"write": "mark", "at": "mark"},
    "create": {"path": "/tickets", "answers": "key"},
    "update": {"path": "/tickets/{key}"},
    "comment": {"path": "/tickets/{key}/notes"},
    "download": {"path": "/files/{id}"},
}


@dataclass
class Ticket:
    key: str
    at: datetime
    title: str = ""

    def row(self) -> dict[str, Any]:
        return {"id": self.key, "changed": self.at.isoformat(), "title": self.title, "by": {"login": "alice"}}


class Odd:
    """A tracker whose list is written in each test. Keys are no numbers."""

    def __init__(self, server: Scripted, clock: Clock, here: Environment) -> None:
        self.tickets: dict[str, Ticket] = {}
        self.log: list[tuple[int, Ticket]] = []
        self.lists: Callable[[Asked], Any] = lambda _: []
        self.asked = 0
        self.between: Callable[[], None] | None = None
        """Happens once, after the next page."""
        self._server, self._clock, self._here = server, clock, here
        server.reply = self._reply

    def touch(self, key: str, at: datetime | None = None) -> str:
        found = self.tickets.setdefault(key, Ticket(key, self._clock()))
        found.at, found.title = at or self._clock(), found.title + "."
        self.log.append((len(self.log) + 1, found))
        return key

    def touched(self, *keys: str) -> None:
        for key in keys:
            self.touch(key)

    def opened(self, lists: str = "loose", token: dict[str, str] | None = None, **listing: Any) -> Connector:
        whole = {"path": "/tickets", "rows": "rows", "shows": ["title"], "per_page": 3, "find": {}, **listing}
        profile = Profile.model_validate({**BASE, "lists": lists, "token": token or BASE["token"], "listing": whole})
        return open_profile(profile, {"url": self._server.url}, system="s", environment=self._here)

    def by_time(self, since: datetime | None = None, *, newest: bool = False) -> list[Ticket]:
        found = [each for each in self.tickets.values() if since is None or each.at >= since]
        return sorted(found, key=lambda each: (each.at, each.key), reverse=newest)

    def _reply(self, asked: Asked) -> Reply:
        if asked.path == "/api/me":
            return Reply(200, {"login": "interdesk", "zone": "Asia/Kolkata"})
        self.asked += 1
        found = self.lists(asked)
        if self.between is not None:
            happens, self.between = self.between, None
            happens()
        return found if isinstance(found, Reply) else Reply(200, found)


@pytest.fixture
def odd(server: Scripted, clock: Clock, here: Environment) -> Odd:
    return Odd(server, clock, here)


def poll(connector: Connector, cursor: Cursor) -> tuple[set[str], Cursor]:
    """A round as the scheduler makes it."""
    changes, after = listed(connector, Cursor(cursor.at - OVERLAP, cursor.position))
    json.dumps([after.position])
    return {each.key for each in changes}, replace(after, at=max(after.at, cursor.at))


def keys_of(connector: Connector) -> list[str]:
    """All that a full scan lists."""
    found: list[str] = []
    position, more = "", True
    while more:
        page = connector.scan(position)
        found += [each.key for each in page.changes]
        position, more = page.cursor.position, page.more
    return found


def since_of(asked: Asked, form: str = "%Y-%m-%d %H:%M:%S", zone: str = "UTC", word: str = "since") -> datetime | None:
    said = asked.word(word)
    return datetime.strptime(said, form).replace(tzinfo=ZoneInfo(zone)) if said else None


SECONDS = {"form": "%Y-%m-%d %H:%M:%S"}


def key_pages(odd: Odd, size: int = 3) -> Callable[[Asked], Any]:
    def answer(asked: Asked) -> Any:
        after = asked.word("after")
        found = sorted((each for each in odd.by_time(since_of(asked)) if each.key > after), key=lambda each: each.key)
        return {"rows": [each.row() for each in found[:size]]}

    return answer


def two_lists(odd: Odd, size: int = 3) -> Callable[[Asked], Any]:
    """Tickets of even and of odd numbers are listed apart, the oldest change first, and no further than a limit."""

    def answer(asked: Asked) -> Any:
        parity = {"even": 0, "odd": 1}[asked.word("which")]
        found = [each for each in odd.by_time(since_of(asked)) if int(each.key.rpartition("-")[2]) % 2 == parity]
        return {"rows": [each.row() for each in found[:size]]}

    return answer


def number_pages(odd: Odd, size: int = 3, first: int = 1) -> Callable[[Asked], Any]:
    def answer(asked: Asked) -> Any:
        begin = (int(asked.word("page", str(first))) - first) * size
        return {"rows": [each.row() for each in odd.by_time(since_of(asked))[begin : begin + size]]}

    return answer


def offset_pages(odd: Odd, size: int = 3, first: int = 0) -> Callable[[Asked], Any]:
    def answer(asked: Asked) -> Any:
        begin = int(asked.word("start", str(first))) - first
        found = odd.by_time(since_of(asked))
        return {"rows": [each.row() for each in found[begin : begin + size]], "total": len(found)}

    return answer


def token_pages(odd: Odd, size: int = 3) -> Callable[[Asked], Any]:
    """Keyset tokens; and the second page is empty, though it is not the last."""

    def answer(asked: Asked) -> Any:
        hollow = asked.word("token").startswith("hollow ")
        after = asked.word("token").removeprefix("hollow ")
        found = sorted((each for each in odd.by_time(since_of(asked)) if each.key > after), key=lambda each: each.key)
        if not after and len(found) > size:
            return {"rows": [each.row() for each in found[:size]], "next": f"hollow {found[size - 1].key}"}
        if hollow:
            return {"rows": [], "next": after}
        return {"rows": [each.row() for each in found[:size]], "next": found[size - 1].key if len(found) > size else ""}

    return answer


def linked_pages(odd: Odd, where: str, size: int = 3) -> Callable[[Asked], Any]:
    def answer(asked: Asked) -> Any:
        page, said = int(asked.word("p", "1")), asked.word("since")
        found = odd.by_time(since_of(asked))
        address = f"{odd._server.url}/api/tickets?p={page + 1}&since={said.replace(' ', '%20')}&q=%7Bx%7D"
        more = page * size < len(found)
        body = {"rows": [each.row() for each in found[(page - 1) * size : page * size]]}
        if where == "header":
            links = f'<{odd._server.url}/api/tickets?p=1>; rel="first"' + (f', <{address}>; rel="next"' if more else "")
            return Reply(200, body, {"Link": links})
        relative = address.removeprefix(odd._server.url)
        return {**body, "next": (relative if where == "relative" else address) if more else None}

    return answer


BY_TIME = {"changes": {"since": "{since}"}, "moments": SECONDS}
PAGINGS: dict[str, tuple[Callable[[Odd], Callable[[Asked], Any]], dict[str, Any]]] = {
    "after the last key, which is no number": (
        key_pages,
        {"query": {"after": "{after}"}, "pages": {"by": "key", "first": ""}},
    ),
    "two lists, each with a limit": (
        two_lists,
        {
            "query": {"which": "{which}"},
            "each": [{"which": "even"}, {"which": "odd"}],
            "pages": {"by": "none"},
            "order": "time",
            "scan": {"since": "{since}"},
        },
    ),
    "by number": (number_pages, {"query": {"page": "{page}"}, "pages": {"by": "number", "first": 1}}),
    "by number, until empty": (
        number_pages,
        {"query": {"page": "{page}"}, "pages": {"by": "number", "first": 1, "until": "empty"}, "per_page": 50},
    ),
    "by number, sorted by time": (
        number_pages,
        {"query": {"page": "{page}"}, "pages": {"by": "number", "first": 1}, "order": "time"},
    ),
    "by offset": (offset_pages, {"query": {"start": "{offset}"}, "pages": {"by": "offset"}}),
    "by start index, with a total": (
        lambda odd: offset_pages(odd, first=1),
        {"query": {"start": "{offset}"}, "pages": {"by": "offset", "first": 1}, "total": "total", "per_page": 50},
    ),
    "by token, with an empty page between": (
        token_pages,
        {"query": {"token": "{page_token}"}, "pages": {"by": "token", "at": "next"}},
    ),
    "by Link": (lambda odd: linked_pages(odd, "header"), {"pages": {"by": "link"}}),
    "by the next address": (lambda odd: linked_pages(odd, "body"), {"pages": {"by": "address", "at": "next"}}),
    "by a relative address": (lambda odd: linked_pages(odd, "relative"), {"pages": {"by": "address", "at": "next"}}),
    "only a limit": (number_pages, {"pages": {"by": "none"}, "order": "time", "scan": {"since": "{since}"}}),
}


@pytest.mark.parametrize("kind", PAGINGS)
def test_every_paging_lists_each_change_once_it_is_there_and_nothing_older(odd: Odd, clock: Clock, kind: str) -> None:
    lists, listing = PAGINGS[kind]
    odd.lists = lists(odd)
    for number in range(4):
        odd.touch(f"OLD-{number}")
        clock.passes(seconds=10)
    connector = odd.opened(**{**BY_TIME, **listing})
    cursor = connector.changes(None).cursor
    assert poll(connector, cursor)[0] == set()
    clock.passes(seconds=10)
    new = {odd.touch(f"NEW-{number}", clock() + timedelta(seconds=number)) for number in range(8)}
    clock.passes(seconds=20)
    keys, cursor = poll(connector, cursor)
    assert keys == new
    clock.passes(minutes=10)
    odd.touch("OLD-2")
    keys, cursor = poll(connector, cursor)
    assert "OLD-2" in keys
    assert keys <= {"OLD-2", *new}
    before = odd.asked
    clock.passes(minutes=10)
    poll(connector, cursor)
    assert odd.asked - before <= (3 if "empty" in kind else 2 if "two" in kind else 1), "however many tickets there are"
    scanned = keys_of(connector)
    assert sorted(scanned) == sorted(odd.tickets)
    assert [each for each in connector.probe() if not each.ok] == []


@pytest.mark.parametrize("kind", PAGINGS)
def test_a_row_that_moves_between_two_pages_makes_no_other_one_slip_through(odd: Odd, clock: Clock, kind: str) -> None:
    lists, listing = PAGINGS[kind]
    odd.lists = lists(odd)
    connector = odd.opened(**{**BY_TIME, **listing})
    cursor = connector.changes(None).cursor
    clock.passes(seconds=10)
    keys = {odd.touch(f"KEY-{number:02}", clock() + timedelta(seconds=number)) for number in range(12)}
    clock.passes(seconds=30)
    odd.between = lambda: odd.touched("KEY-00", "KEY-01")
    found, cursor = listed(connector, cursor)  # without an overlap, which would hide what slipped through
    later, cursor = listed(connector, cursor)
    assert {each.key for each in (*found, *later)} == keys
    clock.passes(minutes=1)
    odd.touch("KEY-05")
    assert "KEY-05" in poll(connector, cursor)[0]


def test_a_list_of_the_newest_first_is_read_no_further_than_it_must(odd: Odd, clock: Clock) -> None:
    def answer(asked: Asked) -> Any:
        begin = int(asked.word("start"))
        return {"rows": [each.row() for each in odd.by_time(newest=True)[begin : begin + 3]]}

    odd.lists = answer
    for number in range(30):
        odd.touch(f"OLD-{number}")
        clock.passes(seconds=10)
    connector = odd.opened(query={"start": "{offset}"}, pages={"by": "offset"}, order="newest")
    cursor = connector.changes(None).cursor
    clock.passes(hours=1)
    new = {odd.touch(f"NEW-{number}", clock() + timedelta(seconds=number)) for number in range(7)}
    clock.passes(seconds=10)
    before = odd.asked
    odd.between = lambda: odd.touched("OLD-0")
    found, cursor = poll(connector, cursor)
    assert found == new
    assert odd.asked - before <= 5
    assert "OLD-0" in poll(connector, cursor)[0]


def test_a_page_full_of_one_time_is_widened_or_told_and_never_asked_for_ever(odd: Odd, clock: Clock) -> None:
    def answer(asked: Asked) -> Any:
        return {"rows": [each.row() for each in odd.by_time(since_of(asked))[: int(asked.word("limit", "3"))]]}

    odd.lists = answer
    narrow = odd.opened(**BY_TIME, pages={"by": "none"}, order="time")
    cursor = narrow.changes(None).cursor
    clock.passes(seconds=10)
    keys = {odd.touch(f"KEY-{number}") for number in range(10)}
    with pytest.raises(ProtocolError, match="more tickets changed at one time"):
        poll(narrow, cursor)
    wide = odd.opened(**BY_TIME, pages={"by": "none", "most": 100}, order="time", query={"limit": "{per_page}"})
    found, cursor = poll(wide, cursor)
    assert found == keys
    clock.passes(seconds=1)
    odd.touch("KEY-11")
    assert "KEY-11" in poll(wide, cursor)[0]


@pytest.mark.parametrize(
    ("listing", "finds"),
    [
        (BY_TIME, "asked for"),
        ({"query": {"from": "{since}"}}, "asked for"),
        ({"sequence": "n", "changes": {"after": "{after}"}}, "asked for"),
        ({"order": "newest", "pages": {"by": "link"}}, "asked for"),
        ({"pages": {"by": "link"}}, "listed"),
        ({"compare": True}, "compared"),
    ],
)
def test_what_a_quiet_system_costs_is_said_of_it(odd: Odd, listing: dict[str, Any], finds: str) -> None:
    assert odd.opened(**listing).capabilities.finds == finds


def test_a_silent_cap_is_gone_round_by_time(odd: Odd, clock: Clock) -> None:
    def answer(asked: Asked) -> Any:
        begin = int(asked.word("start"))
        return {"rows": [each.row() for each in odd.by_time(since_of(asked))[:6][begin : begin + 3]]}

    odd.lists = answer
    listing = {**BY_TIME, "query": {"start": "{offset}"}, "pages": {"by": "offset", "cap": 6}}
    connector = odd.opened(**listing, order="time", scan={"since": "{since}"})
    cursor = connector.changes(None).cursor
    clock.passes(seconds=10)
    keys = {odd.touch(f"KEY-{number}", clock() + timedelta(seconds=number)) for number in range(20)}
    clock.passes(seconds=30)
    assert poll(connector, cursor)[0] == keys
    assert sorted(keys_of(connector)) == sorted(keys)
    with pytest.raises(ConnectorError, match="lists no more"):
        keys_of(odd.opened(**listing))


FILTERS: dict[str, tuple[dict[str, Any], Callable[[Asked], datetime | None]]] = {
    "seconds, naive, in the server's zone": (
        {"form": "%d.%m.%Y %H:%M:%S", "zone": "America/St_Johns"},
        lambda asked: since_of(asked, "%d.%m.%Y %H:%M:%S", "America/St_Johns"),
    ),
    "minutes, in the account's zone": (
        {"form": "%Y/%m/%d %H:%M", "zone_at": "zone", "step": "PT1M"},
        lambda asked: since_of(asked, "%Y/%m/%d %H:%M", "Asia/Kolkata"),
    ),
    "whole days": (
        {"form": "%Y%m%d", "zone": "Pacific/Kiritimati", "step": "P1D"},
        lambda asked: since_of(asked, "%Y%m%d", "Pacific/Kiritimati"),
    ),
    "whole days, only those after": (
        {"form": "%Y%m%d", "step": "P1D", "exclusive": True},
        lambda asked: (since_of(asked, "%Y%m%d") or datetime.min.replace(tzinfo=UTC)) + timedelta(days=1),
    ),
    "seconds, only those after": (
        {**SECONDS, "exclusive": True},
        lambda asked: (since_of(asked) or datetime.min.replace(tzinfo=UTC)) + timedelta(microseconds=1),
    ),
    "a count of seconds": ({"form": "epoch"}, lambda asked: datetime.fromtimestamp(int(asked.word("since")), UTC)),
    "a count of milliseconds": (
        {"form": "epoch_ms"},
        lambda asked: datetime.fromtimestamp(int(asked.word("since")) / 1000, UTC),
    ),
    "minutes ago": (
        {"form": "ago", "unit": "PT1M", "plus": ""},
        lambda asked: CLOCK() + timedelta(minutes=int(asked.word("since"))),
    ),
    "split over two fields": (
        {"parts": {"day": "%Y-%m-%d", "hour": "%H:%M:%S"}},
        lambda asked: datetime.fromisoformat(f"{asked.word('day')}T{asked.word('hour')}+00:00"),
    ),
}
CLOCK = Clock()


@pytest.mark.parametrize("kind", FILTERS)
@pytest.mark.parametrize("around", ["2026-03-01T12:00:00Z", "2026-03-28T23:55:30Z", "2026-10-24T23:40:10Z"])
def test_every_form_of_a_time_finds_all_that_changed_and_the_fine_filter_drops_the_rest(
    odd: Odd, clock: Clock, kind: str, around: str
) -> None:
    moments, read = FILTERS[kind]
    clock.at = CLOCK.at = datetime.fromisoformat(around)

    def answer(asked: Asked) -> Any:
        CLOCK.at = clock.at
        filtered = any(word in asked.query for word in ("since", "day"))
        begin = int(asked.word("start", "0"))
        return {"rows": [each.row() for each in odd.by_time(read(asked) if filtered else None)[begin : begin + 3]]}

    odd.lists = answer
    split = {"day": "{day}", "hour": "{hour}"} if "parts" in moments else {"since": "{since}"}
    connector = odd.opened(changes=split, moments=moments, query={"start": "{offset}"}, pages={"by": "offset"})
    odd.touch("OLD-1")
    clock.passes(seconds=7)
    cursor = connector.changes(None).cursor
    for number in range(30):
        clock.passes(minutes=number * 7, seconds=number)
        for key in (f"KEY-{number}", f"TOO-{number}"):  # the second in the very same moment, and nobody overlaps
            odd.touch(key)
            changes, cursor = listed(connector, cursor)
            assert key in {each.key for each in changes}
            assert "OLD-1" not in {each.key for each in changes}
    assert [each for each in connector.probe() if not each.ok] == []


@pytest.mark.parametrize(
    ("zone", "around"),
    [("Europe/Berlin", "2026-10-24T20:00:00Z"), ("Australia/Lord_Howe", "2026-04-04T10:00:00Z")],
)
@pytest.mark.parametrize("fold", [0, 1])
def test_an_hour_that_the_zone_has_twice_loses_nothing_whichever_the_product_means(
    odd: Odd, clock: Clock, zone: str, around: str, fold: int
) -> None:
    clock.at = datetime.fromisoformat(around)

    def answer(asked: Asked) -> Any:
        since = since_of(asked, zone=zone)
        return {"rows": [each.row() for each in odd.by_time(since.replace(fold=fold) if since else None)]}

    odd.lists = answer
    connector = odd.opened(changes={"since": "{since}"}, moments={**SECONDS, "zone": zone}, per_page=1000)
    cursor = connector.changes(None).cursor
    for number in range(60):
        clock.passes(minutes=7)
        key = odd.touch(f"KEY-{number}")
        found, cursor = poll(connector, cursor)
        assert key in found, f"lost at {clock.at}"


def test_a_log_is_followed_by_its_number(odd: Odd, clock: Clock) -> None:
    def answer(asked: Asked) -> Any:
        if asked.path == "/api/all":
            return {"all": [each.row() for each in odd.by_time()]}
        found = odd.log[::-1] if asked.word("last") else odd.log
        after = int(asked.word("after", "0"))
        rows = [{"n": number, "about": each.key} for number, each in found if number > after]
        return {"rows": rows[:3]}

    odd.lists = answer
    odd.touch("OLD-1")
    listing = {"key": "about", "sequence": "n", "changes": {"after": "{after}"}, "newest": {"last": "1"}}
    connector = odd.opened(**listing, apart={"scan": {"path": "/all", "rows": "all", "key": None, "per_page": 99}})
    cursor = connector.changes(None).cursor
    assert poll(connector, cursor)[0] == set()
    clock.passes(minutes=1)
    for number in range(8):
        odd.touch(f"KEY-{number % 5}")
    found, cursor = poll(connector, cursor)
    assert found == {f"KEY-{number}" for number in range(5)}
    assert poll(connector, cursor)[0] == found, "the caller overlaps"
    clock.passes(hours=1)
    assert poll(connector, poll(connector, cursor)[1])[0] == found, "until something else is the newest"
    odd.touch("OLD-1")
    found, cursor = poll(connector, cursor)
    assert "OLD-1" in found
    before = odd.asked
    clock.passes(hours=1)
    listed(connector, cursor)
    assert odd.asked - before == 1
    assert sorted(keys_of(connector)) == sorted(odd.tickets)
    assert [each for each in connector.probe() if not each.ok] == []


def test_a_list_without_times_is_compared(odd: Odd, clock: Clock) -> None:
    def answer(asked: Asked) -> Any:
        begin = int(asked.word("start"))
        found = sorted(odd.tickets.values(), key=lambda each: each.key)[begin : begin + 3]
        return {"rows": [{"id": each.key, "title": each.title} for each in found]}

    odd.lists = answer
    for number in range(10):
        odd.touch(f"OLD-{number}")
    connector = odd.opened(query={"start": "{offset}"}, pages={"by": "offset"}, key="id", compare=True)
    cursor = connector.changes(None).cursor
    assert poll(connector, cursor)[0] == set()
    clock.passes(minutes=1)
    changed = {odd.touch("OLD-3"), odd.touch("NEW-1")}
    found, cursor = poll(connector, cursor)
    assert found == changed
    assert poll(connector, cursor)[0] == changed, "the caller overlaps"
    clock.passes(hours=1)
    found, cursor = poll(connector, cursor)
    assert poll(connector, cursor)[0] == set()
    assert any("poll it rarely" in each.sentence for each in connector.probe())


def test_bare_ids_are_read_many_at_once(odd: Odd, clock: Clock) -> None:
    def answer(asked: Asked) -> Any:
        if asked.path == "/api/tickets":
            found = [each.key for each in odd.by_time(since_of(asked))]
            return {"ids": found[0] if len(found) == 1 else found} if found else {}
        return {"tickets": [odd.tickets[key].row() for key in asked.path.rpartition("/")[2].split(",") if key != "K-2"]}

    odd.lists = answer
    connector = odd.opened(
        **BY_TIME,
        rows="ids",
        key="",
        per_page=1000,
        batch={"path": "/many/{keys}", "rows": "tickets", "most": 4},
    )
    cursor = connector.changes(None).cursor
    clock.passes(seconds=10)
    assert odd.touch("K-1") in poll(connector, cursor)[0], "one alone is no list there"
    for number in range(9):
        odd.touch(f"K-{number}")
    before = odd.asked
    changes, _ = listed(connector, cursor)
    assert {each.key for each in changes} == {f"K-{number}" for number in range(9)} - {"K-2"}, "K-2 is gone by then"
    assert all(each.fields == {"title": odd.tickets[each.key].title} for each in changes)
    assert odd.asked - before == 4


@pytest.mark.parametrize(
    ("joined", "word", "said"),
    [(",", "{keys}", "K-0,K-1"), ("", "{keys}", ["K-0", "K-1"]), ("", "{keys:number}", ["K-0", "K-1"])],
)
def test_keys_to_be_read_at_once_go_as_a_text_or_as_a_list(
    odd: Odd, clock: Clock, joined: str, word: str, said: Any
) -> None:
    heard: list[Any] = []

    def answer(asked: Asked) -> Any:
        if asked.method == "GET":
            return {"rows": sorted(odd.tickets)}
        heard.append(asked.json()["which"])
        return {"tickets": [each.row() for each in odd.tickets.values()]}

    odd.lists = answer
    odd.touched("K-0", "K-1")
    batch = {"method": "POST", "path": "/many", "body": {"which": word}, "rows": "tickets", "joined": joined}
    assert keys_of(odd.opened(**BY_TIME, key="", per_page=1000, batch=batch)) == ["K-0", "K-1"]
    assert heard == [said]


def test_what_a_header_tells_of_pages_counts_and_rows_are_asked_for_by_their_range(odd: Odd, clock: Clock) -> None:
    def answer(asked: Asked) -> Any:
        begin, end = (int(each) for each in asked.headers["range"].removeprefix("items=").split("-"))
        found = odd.by_time(since_of(asked))
        return Reply(206, {"rows": [each.row() for each in found[begin : end + 1]]}, {"X-Total": str(len(found))})

    odd.lists = answer
    headers = {"Range": "items={offset}-{upto}"}
    connector = odd.opened(**BY_TIME, headers=headers, pages={"by": "offset"}, total="header:X-Total")
    keys = {odd.touch(f"KEY-{number}") for number in range(9)}
    assert sorted(keys_of(connector)) == sorted(keys)


def test_rows_of_other_places_are_none_of_ours_and_rows_may_stand_in_an_object(odd: Odd, clock: Clock) -> None:
    def answer(asked: Asked) -> Any:
        rows = [{**each.row(), "zone": "UTC" if each.key < "KEY-5" else "CET"} for each in odd.by_time(since_of(asked))]
        return {"rows": {row["id"]: row for row in rows}}

    odd.lists = answer
    connector = odd.opened(**BY_TIME, per_page=99, where={"zone": "{zone}"})
    cursor = connector.changes(None).cursor
    clock.passes(seconds=1)
    for number in range(9):
        odd.touch(f"KEY-{number}")
    assert poll(connector, cursor)[0] == {f"KEY-{number}" for number in range(5)}


def test_a_search_that_shows_less_than_the_ticket_finds_our_token_all_the_same(odd: Odd, clock: Clock) -> None:
    key, other = odd.touch("KEY-1"), odd.touch("KEY-2")
    odd.tickets[key].title = "jobs fail [interdesk T-1234]"

    def answer(asked: Asked) -> Any:
        if asked.path.startswith("/api/tickets/"):
            return odd.tickets[asked.path.rpartition("/")[2]].row()
        return {"rows": [other, key] if "T-1234" in asked.word("q") else []}

    odd.lists = answer
    apart = {"find": {"key": "", "query": {"q": "{token}"}}}
    connector = odd.opened(**BY_TIME, apart=apart, find={"exact": "0"}, token={"title": "title"})
    found = connector.find("T-1234", clock())
    assert isinstance(found, RemoteTicket)
    assert (found.key, found.fields["title"]) == (key, "jobs fail")
    assert connector.find("T-9999", clock() - timedelta(days=1)) is Lookup.ABSENT


def test_a_page_of_other_places_tickets_is_no_end_and_no_news(odd: Odd, clock: Clock) -> None:
    def answer(asked: Asked) -> Any:
        found = odd.by_time(since_of(asked))[:3]
        return {"rows": [{**each.row(), "zone": "CET" if each.key < "KEY-7" else "UTC"} for each in found]}

    odd.lists = answer
    connector = odd.opened(**BY_TIME, where={"zone": "{zone}"}, pages={"by": "none"}, order="time")
    cursor = connector.changes(None).cursor
    clock.passes(minutes=1)
    for number in range(9):
        odd.touch(f"KEY-{number}", clock() + timedelta(seconds=number))
    clock.passes(seconds=20)
    assert poll(connector, cursor)[0] == {"KEY-7", "KEY-8"}


def test_a_clock_of_whole_days_loses_nothing_that_rows_show(odd: Odd, clock: Clock) -> None:
    def answer(asked: Asked) -> Any:
        since = since_of(asked, "%Y-%m-%d")
        rows = [{**each.row(), "changed": f"{each.at:%Y-%m-%d}"} for each in odd.by_time()]
        return {"rows": [row for row in rows if since is None or row["changed"] >= f"{since:%Y-%m-%d}"]}

    odd.lists = answer
    odd.touch("OLD-1")
    odd.touch("OLD-2")
    powers = {**BASE["capabilities"], "granularity": "P1D"}
    listing = {"path": "/tickets", "rows": "rows", "shows": ["title"], "per_page": 99, "find": {}, **BY_TIME}
    listing["moments"] = {"form": "%Y-%m-%d", "step": "P1D"}
    profile = Profile.model_validate({**BASE, "capabilities": powers, "listing": listing})
    connector = open_profile(profile, {"url": odd._server.url}, system="s", environment=odd._here)
    cursor = connector.changes(None).cursor
    assert poll(connector, cursor)[0] == set()
    for number in range(20):
        clock.passes(hours=5)
        key = odd.touch("OLD-1" if number % 3 else f"NEW-{number}")
        found, cursor = poll(connector, cursor)
        assert key in found
        assert "OLD-2" not in found


@pytest.mark.parametrize(
    ("nothing", "reply"),
    [
        ({"lists": "loose"}, Reply(200, {})),
        ({"lists": "loose"}, Reply(200, {"rows": None})),
        ({"lists": "loose"}, Reply(200, {"rows": {}})),
        ({"errors": {"signs": [{"status": 404, "means": "empty"}]}}, Reply(404, {"error": "no"})),
        (
            {"errors": {"signs": [{"at": "error", "equals": "No records found", "means": "empty"}]}},
            Reply(400, {"error": "No records found"}),
        ),
    ],
)
def test_nothing_comes_in_many_ways_and_is_an_error_where_the_profile_does_not_say_so(
    odd: Odd, clock: Clock, nothing: dict[str, Any], reply: Reply
) -> None:
    odd.lists = lambda asked: {"rows": found} if (found := [e.row() for e in odd.by_time(since_of(asked))]) else reply
    listing = {"path": "/tickets", "rows": "rows", "shows": ["title"], "per_page": 9, "find": {}, **BY_TIME}
    settings = {"url": odd._server.url}
    connector = open_profile(
        Profile.model_validate({**BASE, **nothing, "listing": listing}),
        settings,
        system="s",
        environment=odd._here,
    )
    cursor = connector.changes(None).cursor
    assert poll(connector, cursor)[0] == set()
    clock.passes(seconds=1)
    odd.touch("KEY-1")
    assert poll(connector, cursor)[0] == {"KEY-1"}
    odd.tickets.clear()
    strict = Profile.model_validate({**BASE, "listing": listing})
    with pytest.raises(ConnectorError):
        open_profile(strict, settings, system="s", environment=odd._here).changes(cursor)


def test_an_address_at_another_origin_is_not_followed(odd: Odd, clock: Clock) -> None:
    odd.lists = lambda _: {
        "rows": [each.row() for each in odd.by_time()],
        "next": "http://evil.example.org/api/tickets",
    }
    connector = odd.opened(**BY_TIME, pages={"by": "address", "at": "next"})
    odd.touch("KEY-1")
    with pytest.raises(ProtocolError, match="another place"):
        keys_of(connector)


def test_a_list_that_leads_in_a_circle_is_told(odd: Odd, clock: Clock) -> None:
    odd.lists = lambda _: {"rows": [each.row() for each in odd.by_time()], "next": "again"}
    connector = odd.opened(query={"t": "{page_token}"}, pages={"by": "token", "at": "next"})
    odd.touch("KEY-1")
    with pytest.raises(ProtocolError, match="circle"):
        keys_of(connector)


@pytest.mark.parametrize(
    "listing",
    [
        {"query": {"p": "{page}"}, "pages": {"by": "number", "first": 1}},
        {"query": {"p": "{offset}"}, "pages": {"by": "offset"}},
        {"query": {"p": "{after}"}, "pages": {"by": "key", "first": ""}},
    ],
)
def test_a_product_that_does_not_know_the_word_for_the_next_page_is_told(odd: Odd, listing: dict[str, Any]) -> None:
    odd.lists = lambda _: {"rows": [each.row() for each in odd.by_time()[:3]]}
    for number in range(5):
        odd.touch(f"KEY-{number}")
    with pytest.raises(ProtocolError, match="alike"):
        keys_of(odd.opened(**listing))


@pytest.mark.parametrize(
    ("listing", "trouble"),
    [
        ({"pages": {"by": "number"}}, "the word {page}"),
        ({"pages": {"by": "offset"}, "changes": {"start": "{offset}"}}, "scan does not say it"),
        ({"pages": {"by": "token"}}, "need `at`"),
        ({"pages": {"by": "none"}}, "must be sorted by time"),
        ({"pages": {"by": "link"}, "sequence": "n"}, "continued after its last number"),
        ({"moments": {"form": "rfc2822"}}, "form is iso"),
    ],
)
def test_a_listing_that_cannot_work_is_refuted_when_it_is_read(odd: Odd, listing: dict[str, Any], trouble: str) -> None:
    with pytest.raises(ValueError, match=re.escape(trouble)):
        odd.opened(**listing)


def test_a_search_that_lags_is_asked_again_even_if_the_caller_does_not_overlap(odd: Odd, clock: Clock) -> None:
    hidden = {"KEY-1"}
    odd.lists = lambda asked: {"rows": [e.row() for e in odd.by_time(since_of(asked)) if e.key not in hidden]}
    whole = {"path": "/tickets", "rows": "rows", "shows": ["title"], "per_page": 90, "find": {}, **BY_TIME}
    powers = {**BASE["capabilities"], "search_lag": "PT30S"}
    profile = Profile.model_validate({**BASE, "capabilities": powers, "listing": whole})
    connector = open_profile(profile, {"url": odd._server.url}, system="s", environment=odd._here)
    cursor = connector.changes(None).cursor
    clock.passes(seconds=40)
    odd.touch("KEY-1")
    clock.passes(seconds=5)
    odd.touch("KEY-2")
    changes, cursor = listed(connector, cursor)
    assert [each.key for each in changes] == ["KEY-2"]
    hidden.clear()
    changes, cursor = listed(connector, cursor)
    assert {each.key for each in changes} == {"KEY-1", "KEY-2"}


# -- the self-check ----------------------------------------------------------------------------------------------------


def troubles(connector: Connector) -> str:
    return " ".join(f"{each.sentence} {each.remedy}" for each in connector.probe() if not each.ok)


def test_the_probe_tells_of_a_filter_that_is_ignored(odd: Odd, clock: Clock) -> None:
    odd.touch("KEY-1")
    odd.lists = lambda _: {"rows": [each.row() for each in odd.by_time()]}
    assert "ignores the time in a search" in troubles(odd.opened(**BY_TIME))


def test_the_probe_tells_of_a_filter_that_finds_nothing(odd: Odd, clock: Clock) -> None:
    odd.touch("KEY-1")
    odd.lists = lambda asked: {"rows": [] if "since" in asked.query else [each.row() for each in odd.by_time()]}
    assert "misreads the time in a search: it finds nothing since 2026-02-28" in troubles(odd.opened(**BY_TIME))


def test_the_probe_tells_of_a_zone_that_is_another_one(odd: Odd, clock: Clock) -> None:
    odd.touch("KEY-1")
    odd.lists = lambda asked: {"rows": [e.row() for e in odd.by_time(since_of(asked, zone="America/New_York"))]}
    assert "reads the time in a search later than it is meant" in troubles(odd.opened(**BY_TIME))


def test_the_probe_tells_of_a_list_that_is_not_sorted_as_it_was_said(odd: Odd, clock: Clock) -> None:
    for number in range(3):
        odd.touch(f"KEY-{number}")
        clock.passes(seconds=1)
    odd.lists = lambda asked: {"rows": [each.row() for each in odd.by_time(since_of(asked), newest=True)]}
    assert "does not sort changes" in troubles(odd.opened(**BY_TIME, order="time", pages={"by": "none"}, per_page=9))


def test_the_probe_tells_of_pages_that_are_smaller_than_asked_for(odd: Odd, clock: Clock) -> None:
    for number in range(5):
        odd.touch(f"KEY-{number}")
    odd.lists = offset_pages(odd, size=2)
    listing = {"query": {"start": "{offset}"}, "pages": {"by": "offset"}}
    assert "gives 2 rows a page, not 3 as asked, and has more" in troubles(odd.opened(**BY_TIME, **listing))


def test_the_probe_tells_of_a_log_that_ignores_the_number(odd: Odd, clock: Clock) -> None:
    odd.touch("KEY-1")
    odd.lists = lambda _: {"rows": [{"n": number, "about": each.key} for number, each in odd.log]}
    assert "ignores the number" in troubles(odd.opened(key="about", sequence="n", changes={"after": "{after}"}))
