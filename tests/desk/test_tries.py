"""Tries to come in are limited at every door, from one budget, and whoever has to wait is told for how long."""

from collections.abc import Callable, Iterator

import pytest
import requests

from tests.desk.served import Served
from tests.unit.central.desk.soap.hotline import envelope, ghd

Try = Callable[[Served, str], requests.Response]


def by_rest(served: Served, guess: str) -> requests.Response:
    shown = {"Authorization": f"Bearer idk_{guess}"}
    return requests.get(f"{served.address}/api/v1/me", headers=shown, timeout=60)


def by_soap(served: Served, guess: str) -> requests.Response:
    call = envelope("TicketGet", ghd(Request_ID="1"), who="carl", password=guess)
    return requests.post(f"{served.address}/soap", data=call, timeout=60)


def by_soap_with_a_token(served: Served, guess: str) -> requests.Response:
    return by_soap(served, f"idk_{guess}")


def on_the_pages(served: Served, guess: str) -> requests.Response:
    said = {"login": "carl", "password": guess}
    return requests.post(f"{served.address}/sign-in", data=said, timeout=60)


def by_a_link(served: Served, guess: str) -> requests.Response:
    return requests.post(f"{served.address}/sign-in/once", data={"key": guess}, timeout=60)


DOORS: dict[Try, tuple[int, int, int]] = {
    by_rest: (401, 429, 30),
    by_soap: (500, 503, 5),
    by_soap_with_a_token: (500, 503, 30),
    on_the_pages: (403, 429, 5),
    by_a_link: (403, 429, 30),
}
"""Door -> what a wrong guess is answered, what one too many is, and how many are heard: of one login, or one source."""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    made = Served(tmp_path_factory.mktemp("tries"), furnished=False)
    made.house.token("carl")
    made.house.clock.stands_still = True
    yield made
    made.close()


@pytest.fixture
def served(house: Served) -> Served:
    """Nobody has tried anything yet."""
    house.house.store.write(lambda tx: tx.tries.prune(house.house.interdesk.clock().replace(year=2099)))
    return house


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
def test_who_guesses_is_soon_not_heard_any_more_and_told_how_long_to_wait(served: Served, door: Try) -> None:
    wrong, held_back, most = DOORS[door]
    for number in range(most):
        assert door(served, f"guess {number}").status_code == wrong, number
    answer = door(served, "one more")
    assert answer.status_code == held_back
    assert int(answer.headers["Retry-After"]) >= 1


def test_who_has_used_up_their_tries_at_one_door_is_heard_at_no_other(served: Served) -> None:
    while by_rest(served, "guess").status_code == 401:
        pass
    for door, (_, held_back, _) in DOORS.items():
        assert door(served, "guess").status_code == held_back, door.__name__
