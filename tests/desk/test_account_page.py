"""Whoever is signed in chooses a password, changes it, and ends every other session."""

from collections.abc import Iterator

import pytest

from tests.desk.stand import Browser, Stand

NEW = "another long password"


@pytest.fixture
def stand(tmp_path) -> Iterator[Stand]:
    with Stand(tmp_path) as stand:
        yield stand


def change(browser: Browser, **said: str):
    return browser.submit("/account/password", said, form="/account")


def test_a_password_is_changed_by_who_shows_the_old_one_and_other_browsers_are_out(stand) -> None:
    with stand.browser("alice") as here, stand.browser("alice") as there:
        assert "Your role here: user." in here.page("/account").text
        answer = change(here, old="alice's", new=NEW, again=NEW)
        assert "Your password is the new one" in answer.text
        assert here.page("/account").url.endswith("/account")
        assert "/sign-in" in there.page("/account").url
        assert stand.gate.password("alice", NEW, source="here")


@pytest.mark.parametrize(
    ("said", "status", "sentence"),
    [
        ({"old": "wrong", "new": NEW, "again": NEW}, 403, "not your present password"),
        ({"old": "alice's", "new": NEW, "again": f"{NEW}!"}, 409, "not typed twice alike"),
        ({"old": "alice's", "new": "short", "again": "short"}, 409, "at least 12 characters"),
    ],
)
def test_what_is_wrong_with_it_is_told_and_nothing_changes(stand, said, status, sentence) -> None:
    with stand.browser("alice") as here:
        answer = change(here, **said)
        assert (answer.status_code, sentence in answer.text) == (status, True)
    assert stand.gate.password("alice", "alice's", source="here")


def test_guessing_the_old_password_in_a_browser_that_was_left_open_ends_soon(stand) -> None:
    with stand.browser("alice") as here:
        tried = [change(here, old="wrong", new=NEW, again=NEW) for _ in range(6)]
    assert [answer.status_code for answer in tried] == [403] * 5 + [429]
    assert int(tried[-1].headers["Retry-After"]) > 0


def test_whoever_came_by_a_link_chooses_a_password(stand) -> None:
    with stand.browser() as here:
        key = stand.gate.invite("alice")
        here.submit("/sign-in/once", {"key": key}, form="/sign-in")
        assert "Choose a password" in here.page("/account").text
        assert "Your password is the new one" in change(here, new=NEW, again=NEW).text
    assert stand.gate.password("alice", NEW, source="here")


def test_every_other_session_ends_at_a_press(stand) -> None:
    with stand.browser("alice") as here, stand.browser("alice") as there:
        assert "everywhere but here" in here.submit("/account/sign-out-elsewhere", form="/account").text
        assert "/sign-in" in there.page("/account").url
        assert "Change your password" in here.page("/account").text


def test_a_form_without_its_token_changes_nothing(stand) -> None:
    with stand.browser("alice") as here:
        said = {"old": "alice's", "new": NEW, "again": NEW}
        assert here.post(f"{stand.address}/account/password", data=said, timeout=120).status_code == 403
    assert stand.gate.password("alice", "alice's", source="here")
