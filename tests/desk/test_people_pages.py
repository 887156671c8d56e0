"""The pages of people and of the audit log, and the access tokens of one's own account."""

import html
import re
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from central.account import Grant, Role
from central.audit import Entry
from central.desk.auth import NotKnown
from tests.desk.house import AT
from tests.desk.stand import Browser, Stand
from tests.unit.central.desk.provider import SmallProvider

SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def stand(tmp_path) -> Iterator[Stand]:
    with Stand(tmp_path) as stand:
        yield stand


def account(stand: Stand, login: str):
    return stand.house.store.read(lambda tx: tx.accounts.find(login))


def shown(page: str) -> str:
    """What is shown once."""
    (found,) = re.findall(r'<code class="shown">([^<]+)</code>', page)
    return found


def ways(browser: Browser) -> set[str]:
    """Where the navigation leads."""
    page = browser.page("/account").text
    return set(re.findall(r'href="([^"]+)"', page[page.index("<nav") : page.index("</nav>")]))


@pytest.mark.parametrize("login", ["alice", "sue", "olga", "tess"])
def test_people_and_the_audit_log_are_for_nobody_else(stand, login) -> None:
    browser = stand.browser(login)
    for path in ("/people", "/people/carl", "/people/nobody", f"/people/{login}", "/audit"):
        assert browser.page(path).status_code == 403
    assert not ways(browser) & {"/people", "/audit"}
    for act in ("", "/carl/invite", "/carl/disable", "/carl/grant", "/carl/revoke", "/carl/enable"):
        said = {"login": "new", "role": "central"}
        assert browser.submit(f"/people{act}", said, form="/account").status_code == 403
    assert account(stand, "new") is None
    assert account(stand, "carl").grants == {Grant(Role.CENTRAL)}


def test_an_auditor_sees_people_and_changes_none(stand) -> None:
    browser = stand.browser("aude")
    assert {"/people", "/audit"} <= ways(browser)
    every, one = browser.page("/people").text, browser.page("/people/olga").text
    assert "operator:ngi-cz" in every
    assert 'action="/people' not in every + one
    for act in ("invite", "disable", "grant", "revoke", "enable"):
        assert browser.submit(f"/people/olga/{act}", {"role": "user"}, form="/people").status_code == 403
    assert browser.submit("/people", {"login": "new"}, form="/people").status_code == 403
    assert browser.page("/people/nobody").status_code == 404


def test_an_account_is_created_with_a_link_that_is_shown_once_and_lets_somebody_in(stand) -> None:
    carl = stand.browser("carl")
    said = {"login": "Ota", "name": f"Ota {SCRIPT}", "email": "ota@example.org", "role": "operator", "of": "ngi-de"}
    page = carl.submit("/people", said, form="/people").text
    assert SCRIPT not in page
    assert account(stand, "ota").grants == {Grant(Role.OPERATOR, "ngi-de")}
    link = shown(page)
    assert link.startswith(f"{stand.address}/sign-in/once?key=")
    assert "/sign-in/once" not in carl.page("/people/ota").text
    key = link.partition("key=")[2]
    with stand.browser() as ota:
        ota.submit("/sign-in/once", {"key": key}, form="/sign-in")
        assert "operator:ngi-de" in ota.page("/account").text
    with stand.browser() as late:
        assert late.submit("/sign-in/once", {"key": key}, form="/sign-in").status_code == 403


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"login": "alice"}, "There is an account &#39;alice&#39; already."),
        ({"login": "a b"}, "A login is small letters"),
        ({"login": "new", "email": "nowhere"}, "is no e-mail address"),
        ({"login": "new", "role": "operator"}, "write operator:NAME"),
        ({"login": "new", "role": "central", "of": "ngi-cz"}, "write central alone"),
        ({"login": "new", "role": "king"}, "There is no role"),
    ],
)
def test_what_is_wrong_with_a_new_account_is_told_beside_what_was_typed(stand, said, sentence) -> None:
    answer = stand.browser("carl").submit("/people", said, form="/people")
    assert (answer.status_code, sentence in answer.text) == (409, True)
    assert f'name="login" value="{said["login"]}"' in answer.text
    assert account(stand, "new") is None


def test_roles_are_granted_and_revoked(stand) -> None:
    carl = stand.browser("carl")
    said = carl.submit("/people/tess/grant", {"role": "tester", "of": "ngi-de"}, form="/people/tess").text
    assert "It is granted." in said
    assert account(stand, "tess").grants == {Grant(Role.TESTER, "ngi-cz"), Grant(Role.TESTER, "ngi-de")}
    carl.submit("/people/tess/revoke", {"role": "tester", "of": "ngi-cz"}, form="/people/tess")
    assert account(stand, "tess").grants == {Grant(Role.TESTER, "ngi-de")}
    assert carl.submit("/people/tess/grant", {"role": "tester"}, form="/people/tess").status_code == 409
    assert carl.submit("/people/tess/dance", form="/people/tess").status_code == 404
    assert carl.submit("/people/nobody/grant", {"role": "user"}, form="/people").status_code == 404


def test_somebody_who_is_disabled_is_out_until_they_are_let_in_again(stand) -> None:
    carl, alice = stand.browser("carl"), stand.browser("alice")
    assert "void" in carl.submit("/people/alice/disable", form="/people/alice").text
    assert "/sign-in" in alice.page("/account").url
    assert carl.submit("/people/alice/invite", form="/people/alice").status_code == 404
    carl.submit("/people/alice/enable", form="/people/alice")
    assert stand.gate.password("alice", "alice's", source="here")


def test_the_last_of_the_central_team_stays(stand) -> None:
    carl = stand.browser("carl")
    for act, said in (("revoke", {"role": "central"}), ("disable", {})):
        answer = carl.submit(f"/people/carl/{act}", said, form="/people/carl")
        assert (answer.status_code, "nobody would be left" in answer.text) == (409, True)


def test_whoever_gives_up_their_own_right_is_led_to_what_they_may_see(stand) -> None:
    carl = stand.browser("carl")
    carl.submit("/people/sue/grant", {"role": "central"}, form="/people/sue")
    answer = carl.submit("/people/carl/disable", form="/people/carl")
    assert (answer.status_code, "/sign-in" in answer.url) == (200, True)


def test_the_audit_log_tells_who_did_what_page_by_page(stand) -> None:
    carl, aude = stand.browser("carl"), stand.browser("aude")
    carl.submit("/people/tess/grant", {"role": "tester", "of": f"x{SCRIPT}"}, form="/people/tess")
    newest = aude.page("/audit").text
    assert "tester:x&lt;script&gt;" in newest
    assert SCRIPT not in newest
    entries = [Entry(AT, "carl", "invite", "alice")] * 101

    def record(tx):
        for each in entries:
            tx.audit.record(each)

    stand.house.store.write(record)
    first = aude.page("/audit").text
    assert "grant" not in first[first.index("<tbody>") :]
    (onward,) = re.findall(r'href="(/audit\?before=\d+)"', first)
    assert "tester:x&lt;script&gt;" in aude.page(onward).text
    assert aude.page("/audit?before=1").status_code == 200
    assert aude.page("/audit?before=x").status_code == 404


def test_people_are_told_page_by_page(stand) -> None:
    carl = stand.browser("carl")
    page = carl.page("/people?after=carl").text
    assert ("olga@example.org" in page, "alice@example.org" in page) == (True, False)


def test_an_access_token_is_shown_once_and_revoked(stand) -> None:
    alice = stand.browser("alice")
    said = {"name": f"mine {SCRIPT}", "scope": ["tickets:read", "tickets:write"], "days": "90"}
    page = alice.submit("/account/tokens", said, form="/account").text
    text = shown(page)
    assert SCRIPT not in page
    assert stand.gate.bearer(text).person.id == "alice"
    again = alice.page("/account").text
    assert ("tickets:read, tickets:write" in again, text in again) == (True, False)
    assert "tickets:read" in stand.browser("carl").page("/people/alice").text
    (number,) = re.findall(r"/account/tokens/(\d+)/revoke", again)
    assert stand.browser("sue").submit(f"/account/tokens/{number}/revoke", form="/account").status_code == 404
    assert "The token is revoked" in alice.submit(f"/account/tokens/{number}/revoke", form="/account").text
    with pytest.raises(NotKnown):
        stand.gate.bearer(text)


def test_the_central_team_revokes_anybodys_token(stand) -> None:
    text, carl = stand.house.token("alice"), stand.browser("carl")
    (path,) = re.findall(r'action="(/people/alice/tokens/\d+/revoke)"', carl.page("/people/alice").text)
    assert stand.browser("aude").submit(path, form="/people").status_code == 403
    carl.submit(path, form="/people/alice")
    with pytest.raises(NotKnown):
        stand.gate.bearer(text)


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"name": "mine"}, 409),
        ({"name": " ", "scope": "people"}, 409),
        ({"name": "mine", "scope": "everything"}, 400),
        ({"name": "mine", "scope": "people", "days": "9999"}, 400),
    ],
)
def test_a_token_that_cannot_be_is_not_made(stand, said, status) -> None:
    alice = stand.browser("alice")
    assert alice.submit("/account/tokens", said, form="/account").status_code == status
    assert "/account/tokens/" not in alice.page("/account").text


def test_an_account_is_tied_with_an_institution_where_there_is_a_provider(stand, tmp_path) -> None:
    assert "/account/openid" not in stand.browser("alice").page("/account").text
    with (
        SmallProvider(lambda: other.house.interdesk.clock().timestamp()) as provider,
        Stand(tmp_path / "another", provider=provider) as other,
    ):
        alice = other.browser("alice")
        gone = alice.submit("/account/openid", form="/account")
        where = html.unescape(re.findall(r'href="([^"]+)">go there now', gone.text)[0])
        assert gone.headers["Refresh"] == f"0; url={where}"
        assert "is tied with your institution" in alice.page(f"/sign-in/back?{urlencode(provider.visit(where))}").text
        assert "/account/openid" not in alice.page("/account").text


def test_a_form_without_its_token_changes_nobody(stand) -> None:
    carl = stand.browser("carl")
    for path in ("/people", "/people/alice/disable", "/people/alice/grant", "/account/tokens"):
        said = {"login": "new", "role": "central", "name": "mine", "scope": "people"}
        assert carl.post(f"{stand.address}{path}", data=said, timeout=120).status_code == 403
    assert account(stand, "new") is None
    assert account(stand, "alice").disabled_at is None
