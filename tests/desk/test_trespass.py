"""No trespass, seen from inside: what the desk tells of systems to whoever may not see them, at every page."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from central.events import Event, Kind
from central.link import LinkState
from central.model import FIELDS, Conflict, NewComment, Person, Visibility
from central.rights import Forbidden
from tests.desk.house import AT, principal
from tests.desk.stand import Browser, Stand

HANS = Person("hans", "Hans", "hans@example.de", "ngi-de")
THEIR_WORDS = "their tracker is on fire"


@pytest.fixture(scope="module")
def stand(tmp_path_factory) -> Iterator[Stand]:
    with Stand(tmp_path_factory.mktemp("house")) as it:
        _let_the_other_ngi_speak(it)
        yield it


@pytest.fixture(scope="module")
def browsers(stand):
    return {login: stand.browser(login) for login in ("alice", "sue", "olga", "tess", "carl")}


def _let_the_other_ngi_speak(stand: Stand) -> None:
    """In tickets 2 and 3 everything that a system leaves in a ticket comes from ngi-de."""

    def speak(tx):
        for number in (2, 3):
            link = tx.links.find(number, "ngi-de")
            tx.links.save(link.evolve(last_error=THEIR_WORDS, disagreements={"status": THEIR_WORDS}, agreed_at=AT))
            said = NewComment(HANS, f"We look into {number}", Visibility.PUBLIC, AT, "ngi-de", f"c{number}")
            comment = tx.tickets.add_comment(number, said)
            tx.links.tie_comment(link.id, comment.id, f"c{number}", AT)
            tx.tickets.keep_conflict(
                Conflict(
                    0, number, "ngi-de", "status", "new", THEIR_WORDS, "central", "policy of ngi-de", AT, open=False
                )
            )
            told = {"comment": comment.id}
            tx.tickets.record(
                [
                    Event(Kind.COMMENT_ADDED, number, AT, HANS, system="ngi-de", data=told, why="ngi-de said so"),
                    Event(
                        Kind.WRITE_REFUSED,
                        number,
                        AT,
                        HANS,
                        system="ngi-de",
                        field="status",
                        data={"wanted": "new", "stays": THEIR_WORDS},
                        why=THEIR_WORDS,
                    ),
                    Event(
                        Kind.FIELD_CHANGED,
                        number,
                        AT,
                        HANS,
                        system="ngi-de",
                        field="status",
                        data={"from": "new", "to": "assigned"},
                        why="rule of ngi-de",
                    ),
                ]
            )
        tx.registry.put_system(replace(tx.registry.system("ngi-de"), last_error=THEIR_WORDS, error_at=AT))

    stand.house.store.write(speak)


def _everything(browser: Browser) -> str:
    paths = ["/", "/systems", "/tickets", "/tickets?disagrees=1", "/tickets?q=full", "/tickets?q=815", "/work"]
    paths += ["/tickets/new", "/account", "/api/status.json", "/tickets?status=open", "/systems/ngi-cz"]
    for number in (1, 2, 3):
        paths += [f"/tickets/{number}", *(f"/tickets/{number}/why/{name}" for name in ("status", "priority", "unit"))]
    return "\n".join(browser.page(path).text for path in paths)


@pytest.mark.parametrize("login", ["alice", "sue", "olga", "tess"])
def test_no_page_tells_of_another_ngis_system(browsers, login) -> None:
    told = _everything(browsers[login])
    at = told.find("ngi-de")
    assert at < 0, told[max(0, at - 400) : at + 100]
    assert THEIR_WORDS not in told


def test_what_was_said_elsewhere_is_read_all_the_same(browsers) -> None:
    assert "We look into 3" in browsers["alice"].page("/tickets/3").text
    assert "another system" in browsers["alice"].page("/tickets/3").text
    told = _everything(browsers["carl"])
    assert told.count(THEIR_WORDS) > 5, "it is there to be seen"
    assert "Hans" in told


@pytest.mark.parametrize("asked", ["system=ngi-de", "q=ngi-de/815", "system=ngi-de&disagrees=1"])
def test_no_search_tells_what_is_in_a_system_that_one_may_not_see(browsers, asked) -> None:
    assert "The SE is full" in browsers["carl"].page(f"/tickets?{asked}").text
    for login in ("alice", "sue", "olga"):
        there = browsers[login].page(f"/tickets?{asked}").text
        assert "The SE is full" not in there
        assert there.replace(asked, "").replace("ngi-de", "ngi-xx") == browsers[login].page(
            f"/tickets?{asked.replace('ngi-de', 'ngi-xx')}"
        ).text.replace(asked.replace("ngi-de", "ngi-xx"), "")


def test_disagreements_are_counted_with_those_systems_only_that_one_may_see(stand, browsers) -> None:
    assert "No ticket" in browsers["alice"].page("/tickets?disagrees=1").text
    stand.house.store.write(
        lambda tx: tx.links.save(tx.links.find(3, "ngi-cz").evolve(disagreements={}, state=LinkState.ACTIVE))
    )
    assert "Both are slow" not in browsers["olga"].page("/tickets?disagrees=1").text
    assert "Both are slow" in browsers["carl"].page("/tickets?disagrees=1").text


@pytest.mark.parametrize("field", ["involve", "assigned_to"])
def test_whoever_is_no_supporter_names_nobody_who_would_be_told_what_is_internal(stand, field) -> None:
    value = ("eve@example.net",) if FIELDS[field].kind == "set" else "eve@example.net"
    tickets = stand.house.tickets
    with pytest.raises(Forbidden):
        tickets.open(principal("alice"), {"subject": "Slow", "unit": "NGI_CZ", field: value})
    assert tickets.open(principal("sue"), {"subject": "Slow", "unit": "NGI_CZ", field: value})[field] == value
    assert tickets.open(principal("alice"), {"subject": "Slow", field: None})[field] is None
