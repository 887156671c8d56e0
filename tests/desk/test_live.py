"""The mesh as it goes on: events over real HTTP, each for who may see it."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
import requests

from central.account import Grant, Role
from tests.desk.stand import Browser, Stand


@pytest.fixture
def stand(tmp_path) -> Iterator[Stand]:
    with Stand(tmp_path) as it:
        yield it


def events(browser: Browser, path: str = "/mesh/live") -> Iterator[tuple[str, str]]:
    """(event, its data), as they come."""
    with browser.get(f"{browser.address}{path}", stream=True, timeout=120) as answer:
        yield from _read(answer)


def _read(answer: requests.Response) -> Iterator[tuple[str, str]]:
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    name, data = "", []
    for line in answer.iter_lines(decode_unicode=True):
        field, _, value = line.partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            data.append(value)
        elif not line and name:
            yield name, "\n".join(data)
            name, data = "", []


def change(stand: Stand, name: str, **changes) -> None:
    stand.house.store.write(lambda tx: tx.registry.put_system(replace(tx.registry.system(name), **changes)))


def test_what_becomes_different_is_told_and_nothing_else(stand) -> None:
    coming = events(stand.browser("carl"))
    first, tiles = next(coming)
    assert first == "all"
    assert "ngi-cz" in tiles
    assert "ngi-de" in tiles
    change(stand, "ngi-de", last_error="HTTP 500: out of memory")
    name, told = next((name, told) for name, told in coming if "out of memory" in told)
    assert name == "some"
    assert 'hx-swap-oob="true" class="tile' in told
    assert "<h2>" not in told
    coming.close()


def test_nobody_is_told_of_another_ngis_system(stand) -> None:
    coming = events(stand.browser("olga"))
    assert "ngi-de" not in next(coming)[1]
    change(stand, "ngi-de", last_error="HTTP 500: out of memory")
    change(stand, "ngi-cz", last_error="HTTP 502: bad gateway")
    for _, told in coming:
        assert "ngi-de" not in told
        assert "out of memory" not in told
        if "bad gateway" in told:
            break
    coming.close()


def test_only_what_was_looked_for_is_told(stand) -> None:
    coming = events(stand.browser("carl"), "/mesh/live?q=CZ")
    assert 'id="system-ngi-de"' not in next(coming)[1]
    coming.close()


def test_whoever_may_see_no_system_and_whoever_is_not_signed_in_gets_no_stream(stand) -> None:
    assert stand.browser("alice").page("/mesh/live").status_code == 403
    stranger = stand.browser()
    stranger.headers["Accept"] = "text/event-stream"
    assert stranger.page("/mesh/live").status_code == 401


def ends_within_seconds(coming: Iterator[tuple[str, str]], stand: Stand) -> bool:
    """Whether the stream is at an end; it is told of changes all the while."""
    for number in range(200):
        change(stand, "ngi-cz", last_error=f"HTTP {500 + number}")
        if next(coming, None) is None:
            return True
    return False


def test_a_stream_ends_with_its_session(stand) -> None:
    browser = stand.browser("olga")
    coming = events(browser)
    next(coming)
    stand.house.store.write(lambda tx: tx.accounts.end_sessions(tx.accounts.find("olga").id))
    assert ends_within_seconds(coming, stand)


def test_a_stream_ends_once_no_system_may_be_seen_any_more(stand) -> None:
    coming = events(stand.browser("olga"))
    next(coming)
    stand.house.store.write(lambda tx: tx.accounts.save(tx.accounts.find("olga").evolve(grants=frozenset())))
    assert ends_within_seconds(coming, stand)


def test_a_stream_tells_only_what_may_still_be_seen(stand) -> None:
    coming = events(stand.browser("carl"))
    assert "ngi-de" in next(coming)[1]
    mine = frozenset({Grant(Role.OPERATOR, "ngi-cz")})
    stand.house.store.write(lambda tx: tx.accounts.save(tx.accounts.find("carl").evolve(grants=mine)))
    assert "ngi-de" not in next(told for name, told in coming if name == "all")
    coming.close()
