"""The pages over real HTTP, in front of a real house: what they show to whom, and what they refuse."""

import http.client
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from central.account import Account, Grant, Role
from central.desk.services.tickets import Upload
from central.events import Event, Kind
from central.link import LinkState
from central.model import SYSTEM, Conflict, NewComment, NewFile, Person, Visibility
from tests.desk.house import AT, ROLES, SESAME, principal
from tests.desk.stand import CHEAP, Stand

SCRIPT = "<script>alert('x')</script>"
ALICE = Person("alice@example.cz", "Alice", "alice@example.cz", "ngi-cz")
EVERYBODY = list(ROLES)


@pytest.fixture(scope="module")
def stand(tmp_path_factory) -> Iterator[Stand]:
    with Stand(tmp_path_factory.mktemp("house")) as it:
        yield it


@pytest.fixture(scope="module")
def browsers(stand):
    return {login: stand.browser(login) for login in EVERYBODY}


# signing in and out


@pytest.mark.parametrize("path", ["/", "/systems", "/tickets", "/tickets/1", "/tickets/new", "/tickets/1/why/status"])
def test_whoever_is_not_signed_in_is_asked_to_and_then_led_on(stand, path) -> None:
    browser = stand.browser()
    asked = browser.page(path)
    assert "/sign-in" in asked.url
    onward = re.search(r'name="onward" value="(.*?)"', asked.text)[1]
    assert onward == path
    answer = browser.post(
        f"{stand.address}/sign-in", data={"login": "carl", "password": "carl's", "onward": onward}, timeout=120
    )
    assert answer.status_code == 200
    assert answer.url.removeprefix(stand.address) == ("/systems" if path == "/" else path)


@pytest.mark.parametrize(
    "onward", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
def test_signing_in_leads_nowhere_else(stand, onward) -> None:
    data = {"login": "carl", "password": "carl's", "onward": onward}
    answer = stand.browser().post(f"{stand.address}/sign-in", data=data, timeout=120, allow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_a_wrong_password_and_an_unknown_name_are_told_the_same(stand) -> None:
    answers = [
        stand.browser().post(f"{stand.address}/sign-in", data={"login": login, "password": "wrong"}, timeout=120)
        for login in ("carl", "nobody")
    ]
    assert [each.status_code for each in answers] == [403, 403]
    assert answers[0].text.replace("carl", "nobody") == answers[1].text


def test_too_many_tries_are_told_how_long_to_wait(stand) -> None:
    for _ in range(40):
        data = {"login": "patient", "password": "wrong"}
        answer = stand.browser().post(f"{stand.address}/sign-in", data=data, timeout=120)
        if answer.status_code == 429:
            break
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    stand.house.store.write(lambda tx: tx.tries.prune(stand.house.interdesk.clock() + timedelta(days=1)))


def test_a_one_time_link_signs_in_once_and_only_when_a_person_presses(stand) -> None:
    sue = stand.house.store.read(lambda tx: tx.accounts.find("sue"))
    key = stand.gate.invite("sue")
    browser = stand.browser()
    for _ in range(2):  # a robot that follows links uses nothing up
        assert "Sign in with this link" in browser.page(f"/sign-in/once?key={key}").text
    came = browser.post(f"{stand.address}/sign-in/once", data={"key": key}, timeout=120)
    assert "Sue" in came.text
    again = stand.browser().post(f"{stand.address}/sign-in/once", data={"key": key}, timeout=120)
    assert again.status_code == 403
    assert "used before" in again.text
    stand.house.store.write(lambda tx: tx.accounts.save(sue))  # with her password, which the link has made void


def test_signing_out_ends_the_session_and_not_only_the_cookie(stand) -> None:
    browser = stand.browser("aude")
    kept = dict(browser.cookies)
    browser.submit("/sign-out", form="/tickets")
    browser.cookies.update(kept)
    assert "/sign-in" in browser.page("/tickets").url


def test_a_cookie_that_somebody_planted_before_is_no_session_after_signing_in(stand) -> None:
    browser = stand.browser()
    browser.cookies.set("interdesk", "planted", domain="127.0.0.1", path="/")
    answer = browser.post(
        f"{stand.address}/sign-in", data={"login": "carl", "password": "carl's"}, allow_redirects=False, timeout=60
    )
    given = answer.headers["Set-Cookie"].partition(";")[0].removeprefix("interdesk=")
    assert stand.gate.session(given) is not None
    assert given != "planted"
    assert stand.gate.session("planted") is None


def test_the_cookie_is_for_no_script_and_no_other_site(stand) -> None:
    data = {"login": "carl", "password": "carl's"}
    answer = stand.browser().post(f"{stand.address}/sign-in", data=data, timeout=120, allow_redirects=False)
    assert {"HttpOnly", "SameSite=Lax"} <= set(answer.headers["set-cookie"].split("; "))


# who sees what


@pytest.mark.parametrize(
    ("login", "ways"),
    [
        ("alice", {"/tickets"}),
        ("sue", {"/tickets"}),
        ("olga", {"/systems", "/tickets"}),
        ("tess", {"/systems"}),
        ("carl", {"/systems", "/tickets"}),
        ("aude", {"/systems", "/tickets"}),
    ],
)
def test_the_way_around_shows_what_somebody_may_go_to_and_the_rest_is_refused(browsers, login, ways) -> None:
    browser = browsers[login]
    page = browser.page(next(iter(ways)))
    shown = set(re.findall(r'<a href="(/\w+)"', re.search(r"<nav.*?</nav>", page.text, re.DOTALL)[0]))
    assert shown & {"/systems", "/tickets"} == ways
    for path in ("/systems", "/tickets"):
        assert browser.page(path).status_code == (200 if path in ways else 403)


def test_nobody_sees_another_ngis_system(browsers) -> None:
    assert "ngi-de" not in browsers["olga"].page("/systems").text
    assert "ngi-de" not in browsers["tess"].page("/systems").text
    assert "ngi-de" in browsers["carl"].page("/systems").text
    assert [each["name"] for each in browsers["olga"].page("/api/status.json").json()["systems"]] == ["ngi-cz"]


@pytest.mark.parametrize("login", EVERYBODY)
def test_a_ticket_is_there_for_who_may_read_it_and_for_nobody_else(stand, browsers, login) -> None:
    reads = {
        "alice": {1, 2, 3},
        "sue": {1, 2, 3},
        "olga": {1, 3},
        "tess": set(),
        "carl": {1, 2, 3},
        "aude": {1, 2, 3},
    }[login]
    missing = 403 if login == "tess" else 404
    for number in (1, 2, 3):
        for path in (
            f"/tickets/{number}",
            f"/tickets/{number}/why/status",
            f"/tickets/{number}/files/{2 * number - 1}",
        ):
            assert browsers[login].page(path).status_code == (200 if number in reads else missing)


@pytest.mark.parametrize("login", EVERYBODY)
def test_nothing_internal_is_shown_without_the_right(stand, browsers, login) -> None:
    reads = {"sue": {1, 3}, "olga": {1, 3}, "carl": {1, 2, 3}, "aude": {1, 2, 3}}.get(login, set())
    for number in (1, 2, 3):
        text = browsers[login].page(f"/tickets/{number}").text
        assert ("secret.txt" in text) == (number in reads)
        assert (f'class="text">{SESAME}' in text) == (number in reads)
        assert browsers[login].page(f"/tickets/{number}/files/{2 * number}").status_code in (
            (200,) if number in reads else (403, 404)
        )


def test_internal_files_leave_no_trace_in_the_history(stand, browsers) -> None:
    store = stand.house.store
    digest, size = store.put_blob(iter((b"key",)), limit=10)

    def change(tx):
        files = (NewFile("secret-key.pem", "text/plain", size, digest),)
        tx.tickets.add_comment(1, NewComment(ALICE, "see file", Visibility.INTERNAL, AT, files=files))
        noted = Event(Kind.FILE_NOTED, 1, AT, SYSTEM, system="ngi-cz", data={"file": "secret-key.pem"})
        tx.tickets.record([noted])

    store.write(change)
    assert "secret-key.pem" not in browsers["alice"].page("/tickets/1").text
    assert "secret-key.pem" in browsers["sue"].page("/tickets/1").text


def test_an_edited_comment_says_so_and_one_that_was_hidden_or_deleted_leaves_no_word(stand, browsers) -> None:
    def change(tx):
        said = [NewComment(ALICE, f"word-{name}", Visibility.PUBLIC, AT) for name in ("edited", "deleted", "hidden")]
        edited, deleted, hidden = (tx.tickets.add_comment(1, each) for each in said)
        tx.tickets.revise_comment(replace(edited, text="better", edited_at=AT))
        tx.tickets.revise_comment(replace(deleted, text="", deleted_at=AT))
        tx.tickets.revise_comment(replace(hidden, visibility=Visibility.INTERNAL))
        for each in (edited, deleted, hidden):
            lost = Conflict(
                0, 1, "ngi-cz", f"comment {each.id}", each.text, "their word", "central", "", AT, open=False
            )
            tx.tickets.keep_conflict(lost)
            data = {"comment": each.id, "before": each.text}
            tx.tickets.record([Event(Kind.COMMENT_EDITED, 1, AT, ALICE, data=data)])

    stand.house.store.write(change)
    for login, lost in (("alice", 0), ("carl", 1)):  # the edit that lost is of a system that alice may not see
        page = browsers[login].page("/tickets/1").text
        assert "better" in page
        assert ", edited " in page
        assert "taken back" in page
        assert page.partition("History")[0].count("word-edited") == lost
        assert "word-deleted" not in page
        assert ("word-hidden" in page) == (login == "carl")


# what people do


def test_a_ticket_is_opened_answered_and_changed(stand, browsers) -> None:
    alice, sue = browsers["alice"], browsers["sue"]
    files = [("files", ("trace.log", b"it broke", "text/plain"))]
    data = {"subject": "No proxy is accepted", "description": "since noon\r\nevery one"}
    opened = alice.submit("/tickets/new", data, form="/tickets/new", files=files)
    assert "No proxy is accepted" in opened.text
    path = re.match(r".*?(/tickets/\d+)", opened.url)[1]
    assert "trace.log" in opened.text
    assert browsers["sue"].page(path).status_code == 200
    carl = browsers["carl"]
    carl.submit(f"{path}/change", {"revision": "1", "unit": "NGI_CZ", "status": "new"}, form=path)
    answered = sue.submit(f"{path}/answer", {"text": "Which CA is it?"}, form=path)
    assert "Your answer is on the ticket" in answered.text
    noted = sue.submit(f"{path}/answer", {"text": "It is ours, I fear", "internal": "true"}, form=path)
    assert "The internal note is on the ticket" in noted.text
    seen = alice.page(path).text
    assert "Which CA is it?" in seen
    assert "I fear" not in seen


def test_statuses_that_are_offered_are_those_that_the_workflow_grants(stand, browsers) -> None:
    def offered(login: str) -> set[str]:
        page = browsers[login].page(f"/tickets/{number}").text
        found = re.search(r'<select id="c-status".*?</select>', page, re.DOTALL)
        return set(re.findall(r"<option>(.*?)</option>", found[0])) if found else set()

    number = stand.house.tickets.open(principal("alice"), {"subject": "Slow", "unit": "NGI_CZ"}).id
    assert offered("alice") == set()
    assert offered("aude") == set()
    assert "solved" in offered("sue")
    ticket = stand.house.tickets.change(principal("sue"), number, {"status": "solved", "solution": "restarted"})
    assert offered("alice") == {"reopened", "verified"}
    assert "verified" not in offered("sue")
    verified = {"revision": str(ticket.revision), "status": "verified"}
    refused = browsers["sue"].submit(f"/tickets/{number}/change", verified, form=f"/tickets/{number}")
    assert refused.status_code == 409
    assert "Only the submitter verifies" in refused.text
    done = browsers["alice"].submit(f"/tickets/{number}/change", verified, form=f"/tickets/{number}")
    assert "The ticket is changed" in done.text


def test_a_submitter_says_when_they_are_told_by_mail_on_opening_and_later(stand, browsers) -> None:
    def mode() -> str:
        return stand.house.store.read(lambda tx: tx.tickets.get(number)["notification"])

    alice = browsers["alice"]
    assert '<option value="on solution" selected>' in alice.page("/tickets/new").text
    opened = alice.submit("/tickets/new", {"subject": "Slow", "notification": "never"}, form="/tickets/new")
    number = int(re.search(r"Ticket (\d+)", opened.text)[1])
    assert mode() == "never"
    form = re.search(r'<details class="sheet change".*?</details>', opened.text, re.DOTALL)[0]
    assert re.findall(r'id="c-(\w+)"', form) == ["cc", "notification"]
    later = {"revision": "1", "notification": "on every change"}
    assert "The ticket is changed" in alice.submit(f"/tickets/{number}/change", later, form=f"/tickets/{number}").text
    assert mode() == "on every change"


def test_who_was_overtaken_is_told_and_nothing_is_overwritten(stand, browsers) -> None:
    number = stand.house.tickets.open(principal("alice"), {"subject": "Slow", "unit": "NGI_CZ"}).id
    stand.house.tickets.change(principal("sue"), number, {"priority": "urgent"})
    late = {"revision": "1", "priority": "top priority"}
    answer = browsers["sue"].submit(f"/tickets/{number}/change", late, form=f"/tickets/{number}")
    assert answer.status_code == 409
    assert "Somebody has changed this ticket" in answer.text
    assert stand.house.store.read(lambda tx: tx.tickets.get(number)["priority"]) == "urgent"


def test_a_form_that_changes_nothing_changes_nothing(stand, browsers) -> None:
    before = stand.house.store.read(lambda tx: tx.tickets.get(1))
    same = {"revision": str(before.revision), "subject": str(before["subject"]), "cc": ""}
    answer = browsers["sue"].submit("/tickets/1/change", same, form="/tickets/1")
    assert "nothing was changed" in answer.text
    assert stand.house.store.read(lambda tx: tx.tickets.get(1)).revision == before.revision


def test_an_empty_answer_is_refused_with_a_sentence(browsers) -> None:
    answer = browsers["sue"].submit("/tickets/1/answer", {"text": "   "}, form="/tickets/1")
    assert answer.status_code == 400
    assert "Write something first" in answer.text


def test_a_comment_is_hidden_shown_and_taken_back(stand, browsers) -> None:
    number = stand.house.tickets.open(principal("alice"), {"subject": "Slow", "unit": "NGI_CZ"}).id
    said = stand.house.tickets.comment(principal("alice"), number, "my password is hunter2")
    path, sue, alice = f"/tickets/{number}", browsers["sue"], browsers["alice"]
    assert "internal now" in sue.submit(f"{path}/comments/{said.id}/hide", form=path).text
    assert "hunter2" not in alice.page(path).text
    assert "public now" in sue.submit(f"{path}/comments/{said.id}/show", form=path).text
    assert "hunter2" in alice.page(path).text
    assert alice.submit(f"{path}/comments/{said.id}/hide", form=path).status_code == 403
    assert "taken back" in alice.submit(f"{path}/comments/{said.id}/delete", form=path).text
    assert "hunter2" not in sue.page(path).text.partition("History")[0]


@pytest.mark.parametrize(
    ("login", "act", "data"),
    [
        ("aude", "answer", {"text": "hello"}),
        ("aude", "change", {"revision": "1", "priority": "urgent"}),
        ("alice", "answer", {"text": "hello", "internal": "true"}),
        ("alice", "change", {"revision": "1", "priority": "top priority"}),
    ],
)
def test_what_somebody_may_read_and_not_do_is_refused(stand, browsers, login, act, data) -> None:
    count = len(stand.house.store.read(lambda tx: tx.tickets.events(1)))
    assert browsers[login].submit(f"/tickets/1/{act}", data, form="/tickets/1").status_code == 403
    assert len(stand.house.store.read(lambda tx: tx.tickets.events(1))) == count


def test_why_tells_who_set_a_field_and_what_carried_it(stand, browsers) -> None:
    stand.house.tickets.change(principal("sue"), 1, {"priority": "very urgent"})
    for login in ("alice", "olga"):
        page = browsers[login].page("/tickets/1/why/priority").text
        for words in ("very urgent", "Sue", "at the centre", "before that"):
            assert words in page
        assert ("ngi-cz" in page) == (login == "olga")
    part = browsers["alice"].page("/tickets/1/why/priority", headers={"HX-Request": "true"}).text
    assert "very urgent" in part
    assert "<html" not in part
    assert browsers["alice"].page("/tickets/1/why/phone").status_code == 404
    assert browsers["alice"].page("/tickets/1/why/nothing").status_code == 404


def test_filters_live_in_the_address(stand, browsers) -> None:
    carl = browsers["carl"]
    assert "The CE refuses jobs" in carl.page("/tickets?q=refuses").text
    assert "The SE is full" not in carl.page("/tickets?q=refuses").text
    assert "The SE is full" in carl.page("/tickets?system=ngi-de").text
    assert "The CE refuses jobs" not in carl.page("/tickets?system=ngi-de").text
    assert "The CE refuses jobs" not in carl.page("/tickets?status=closed").text
    assert "The CE refuses jobs" in carl.page("/tickets?unit=ngi_cz&status=open").text
    part = carl.page("/tickets?q=refuses", headers={"HX-Request": "true"}).text
    assert "The CE refuses jobs" in part
    assert "<html" not in part


@pytest.mark.parametrize(
    ("login", "q", "subjects"),
    [
        ("carl", "2", {"The SE is full"}),
        ("carl", "#2", {"The SE is full"}),
        ("carl", "815", {"The SE is full"}),
        ("carl", "NGI-DE/815", {"The SE is full"}),
        ("carl", "ngi-cz/815", set()),
        ("olga", "815", set()),
        ("olga", "2", set()),
        ("olga", "816", {"Both are slow"}),
        ("carl", "CE refuses", {"The CE refuses jobs"}),
    ],
)
def test_a_ticket_is_found_by_anybodys_number_and_by_words(browsers, login, q, subjects) -> None:
    found = browsers[login].page("/tickets", params={"q": q}).text
    shown = {each for each in ("The SE is full", "Both are slow", "The CE refuses jobs") if each in found}
    assert shown == subjects


def test_what_disagrees_is_found(browsers) -> None:
    found = browsers["carl"].page("/tickets?disagrees=1&system=ngi-de").text
    assert "The SE is full" in found
    assert "The CE refuses jobs" not in found


# what is hostile


@pytest.fixture(scope="module")
def hostile(stand) -> int:
    """A ticket that is all scripts."""
    house, carl = stand.house, principal("carl", None, Grant(Role.CENTRAL))
    fields = {"subject": f"CE {SCRIPT}", "description": SCRIPT, "unit": "NGI_CZ", "affected_site": f'"{SCRIPT}'}
    number = house.tickets.open(carl, fields).id
    svg = Upload(f"{SCRIPT}.svg", "image/svg+xml", [b"<svg onload='alert(1)' xmlns='http://www.w3.org/2000/svg'/>"])
    house.tickets.comment(carl, number, f"<img src=x onerror=alert(1)>{SCRIPT}", files=[svg])

    def evil(tx):
        link = tx.links.find(1, "ngi-cz").evolve(
            id=0, ticket_id=number, key=f"17{SCRIPT}", address="javascript:alert(1)", state=LinkState.ACTIVE,
            disagreements={"status": f"refused: {SCRIPT}"}, last_error=SCRIPT,
        )  # fmt: skip
        tx.links.create(link)
        tx.tickets.keep_conflict(
            Conflict(0, number, "ngi-cz", "subject", "x", SCRIPT, "central", SCRIPT, AT, open=False)
        )
        tx.tickets.add_comment(
            number, NewComment(replace(ALICE, name=SCRIPT), "hi", Visibility.PUBLIC, AT, "ngi-cz", "7")
        )
        changed = Event(
            Kind.FIELD_CHANGED, number, AT, ALICE, field="subject", data={"from": "b", "to": SCRIPT}, why=SCRIPT
        )
        tx.tickets.record([changed])
        tx.registry.put_system(replace(tx.registry.system("ngi-de"), last_error=f"HTTP 500 {SCRIPT}", error_at=AT))

    house.store.write(evil)
    return number


@pytest.mark.parametrize("path", ["/tickets", "/tickets/{}", "/tickets/{}/why/subject", "/systems", "/tickets?q={}"])
def test_whatever_people_and_trackers_wrote_is_escaped(browsers, hostile, path) -> None:
    asked = path.format(f"CE {SCRIPT}" if "?" in path else hostile)
    page = browsers["carl"].page(asked).text
    assert SCRIPT not in page
    assert "&lt;script&gt;" in page
    assert "javascript:" not in page
    assert "<img" not in page


def test_a_file_is_kept_by_the_browser_whatever_it_says_it_is(stand, browsers, hostile) -> None:
    [file] = stand.house.store.read(lambda tx: tx.tickets.files(hostile))
    answer = browsers["carl"].page(f"/tickets/{hostile}/files/{file.id}")
    assert answer.content.startswith(b"<svg")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment; filename*=UTF-8''%3Cscript%3E")
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_file_whose_bytes_were_let_go_of_is_named_and_not_offered(stand, browsers) -> None:
    house = stand.house
    upload = Upload("old.log", "text/plain", [b"old"])
    file = house.interdesk.centre.attach(house.ours.id, upload, ALICE)
    at = house.interdesk.clock() + timedelta(days=400)
    assert house.store.write(lambda tx: tx.traces.let_go(file, at))
    page = browsers["carl"].page(f"/tickets/{house.ours.id}").text
    assert "old.log" in page
    assert "its bytes are here no more" in page
    assert f"/files/{file.id}" not in page
    answer = browsers["carl"].page(f"/tickets/{house.ours.id}/files/{file.id}")
    assert answer.status_code == 410
    assert "are here no more" in answer.text


FORMS = ["/sign-out", "/tickets/new", "/tickets/1/answer", "/tickets/1/change", "/tickets/1/comments/1/hide"]


@pytest.mark.parametrize("path", FORMS)
def test_a_form_without_its_token_is_refused(stand, path) -> None:
    browser = stand.browser("carl")
    data = {"text": "forged", "subject": "forged", "revision": "1"}
    for token in ("", "0" * 64, stand.gate.form_token("another cookie")):
        answer = browser.post(f"{stand.address}{path}", data={**data, "form_token": token}, timeout=120)
        assert answer.status_code == 403
    assert "forged" not in browser.page("/tickets").text + browser.page("/tickets/1").text


@pytest.mark.parametrize("path", [*FORMS, "/sign-in", "/sign-in/once"])
@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}]
)
def test_a_form_from_another_site_is_refused(stand, path, headers) -> None:
    browser = stand.browser("carl")
    data = {"text": "forged", "login": "carl", "password": "carl's", "revision": "1"}
    assert browser.submit(path, data, form="/tickets", headers=headers).status_code == 403


def test_no_page_asks_for_anything_from_elsewhere_or_runs_what_stands_in_it(browsers, hostile) -> None:
    for path in ("/systems", "/tickets", f"/tickets/{hostile}", "/tickets/new"):
        page = browsers["carl"].page(path)
        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert not re.search(r"<(script|style)(?![^>]*src=)[^>]*>|\sstyle=|\son\w+=\"", page.text)
        assert not re.findall(r'(?:src|href)="(?!/|#|https://rt)[^"]*"', page.text)


def test_what_is_shipped_is_served_and_kept(browsers) -> None:
    page = browsers["carl"].page("/systems").text
    for name in re.findall(r'(?:src|href)="(/static/[^"]+)"', page):
        answer = browsers["carl"].page(name)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
    assert browsers["carl"].page("/static/README.md").status_code == 404


@pytest.mark.parametrize(
    "path", ["/tickets/999", "/tickets/0", "/tickets/99999999999999999999", "/tickets/one", "/nowhere"]
)
def test_what_is_not_there_is_404_in_a_page_of_ours(browsers, path) -> None:
    answer = browsers["carl"].page(path)
    assert answer.status_code == 404
    assert "There is no" in answer.text
    assert "<nav" in answer.text


def test_a_mistake_of_ours_is_a_page_that_says_what_to_do_and_is_guarded_as_every_other(tmp_path) -> None:
    with Stand(tmp_path) as stand:
        carl = stand.browser("carl")
        stand.house.store.close()
        answer = carl.page("/tickets")
    assert answer.status_code == 500
    assert "the mistake is ours" in answer.text
    assert "look before you send it again" in answer.text
    assert "Traceback" not in answer.text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_whoever_has_been_granted_nothing_yet_comes_to_their_account_which_says_so(stand) -> None:
    kept = CHEAP.hash("norman's")
    norman = Account("norman", "Norman", "norman@example.org", frozenset(), AT, password=kept)
    stand.house.store.write(lambda tx: tx.accounts.create(norman))
    answer = stand.browser("norman").page("/")
    assert answer.url.endswith("/account")
    assert "ask the central team" in answer.text


def test_a_stranger_cannot_have_much_read(stand) -> None:
    answer = stand.browser().post(f"{stand.address}/sign-in", data={"login": "x" * 70_000}, timeout=120)
    assert answer.status_code == 413


def test_a_file_that_is_too_large_is_refused(stand, browsers) -> None:
    files = [("files", ("big.bin", b"x" * 40_000_000))]
    answer = browsers["sue"].submit("/tickets/1/answer", {"text": "see"}, form="/tickets/1", files=files)
    assert answer.status_code == 413


# beside the pages


def test_health_says_alive_and_readiness_says_why_not(stand) -> None:
    browser = stand.browser()
    assert browser.page("/healthz").status_code == 200
    assert browser.page("/readyz").status_code == 200
    stand.ill.append("the database does not answer")
    try:
        answer = browser.page("/readyz")
        assert (answer.status_code, answer.json()["problems"]) == (503, ["the database does not answer"])
        assert browser.page("/healthz").status_code == 200
    finally:
        stand.ill.clear()


def test_a_hindrance_is_told_and_does_not_make_it_unready(stand) -> None:
    answer = stand.browser().page("/readyz")
    assert (answer.status_code, answer.json()["hindrances"]) == (200, ["the broker is away"])


def test_a_process_that_has_come_to_a_stop_is_not_alive(stand) -> None:
    stand.stalled.append("the scheduler has stood still for 75 seconds")
    try:
        answer = stand.browser().page("/healthz")
        assert (answer.status_code, answer.json()["problems"]) == (503, stand.stalled)
    finally:
        stand.stalled.clear()


def test_the_figures_are_told_as_prometheus_reads_them(stand) -> None:
    answer = stand.browser().page("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert "interdesk_tickets " in answer.text
    refused = stand.browser().page("/metrics", headers={"X-Forwarded-For": "192.0.2.7"})
    assert (refused.status_code, refused.headers["content-type"]) == (403, "text/plain; charset=utf-8")


def test_a_hook_is_passed_on_raw_with_its_headers(stand) -> None:
    body = b'{"ticket": 17}  \n'
    answer = stand.browser().post(
        f"{stand.address}/hooks/ngi-cz", data=body, headers={"X-Signature": "abc"}, timeout=120
    )
    assert (answer.status_code, answer.json()) == (202, {"said": "kept"})
    assert stand.hooks.got[-1] == ("ngi-cz", "abc", body)


def test_a_hook_that_is_too_long_is_not_read_to_its_end(stand) -> None:
    before = len(stand.hooks.got)
    url = f"{stand.address}/hooks/ngi-cz"
    assert stand.browser().post(url, data=b"x" * 1001, timeout=120).status_code == 413

    def endless():
        for _ in range(10_000):
            yield b"x" * 100

    made = http.client.HTTPConnection(stand.address.removeprefix("http://"), timeout=120)
    try:
        made.request("POST", "/hooks/ngi-cz", endless(), {"Transfer-Encoding": "chunked"}, encode_chunked=True)
        assert made.getresponse().status == 413
    except (BrokenPipeError, ConnectionResetError):
        pass  # cut off while we were still talking
    finally:
        made.close()
    assert len(stand.hooks.got) == before
