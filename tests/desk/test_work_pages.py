"""The pages of systems and of what waits for people: who sees what, and what each button does."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from central.delivery import Direction
from central.desk.web.work import MOST
from central.guard import Hold, HoldKind
from central.registry import SystemState
from central.store.api import Transaction
from sync.dictionaries import Dictionaries
from tests.desk.house import AT, CZ, SESAME
from tests.desk.stand import Stand

SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def stand(tmp_path) -> Iterator[Stand]:
    with Stand(tmp_path) as it:
        yield it


def state(stand: Stand, name: str = "ngi-cz") -> SystemState:
    return stand.house.store.read(lambda tx: tx.registry.system(name)).state


def test_a_system_is_there_for_who_may_see_it_and_for_nobody_else(stand) -> None:
    answers = {
        "alice": (403, 403),
        "sue": (403, 403),
        "olga": (200, 404),
        "tess": (200, 404),
        "carl": (200, 200),
        "aude": (200, 200),
    }
    for login, expected in answers.items():
        browser = stand.browser(login)
        for path in ("/systems/{}", "/systems/{}/proof"):
            assert tuple(browser.page(path.format(name)).status_code for name in ("ngi-cz", "ngi-de")) == expected
        assert browser.page("/systems/nothing").status_code in (403, 404)
    olga = stand.browser("olga")
    assert olga.page("/systems/ngi-de").text.replace("ngi-de", "nothing") == olga.page("/systems/nothing").text


def test_only_who_runs_a_system_is_offered_its_buttons_and_nobody_elses_work(stand) -> None:
    assert "Pause" in stand.browser("olga").page("/systems/ngi-cz").text
    for login in ("tess", "aude"):
        browser = stand.browser(login)
        assert "Pause" not in browser.page("/systems/ngi-cz").text
        for act in ("pause", "resume", "live", "shadow", "release", "check", "maintenance", "maintained"):
            assert browser.submit(f"/systems/ngi-cz/{act}", form="/systems/ngi-cz").status_code == 403
    assert stand.browser("olga").submit("/systems/ngi-de/pause", form="/systems").status_code == 404
    assert state(stand) is state(stand, "ngi-de") is SystemState.LIVE


def test_a_system_is_paused_with_a_reason_and_resumed(stand) -> None:
    olga = stand.browser("olga")
    said = olga.submit("/systems/ngi-cz/pause", {"why": f"upgrade {SCRIPT}"}, form="/systems/ngi-cz").text
    assert state(stand) is SystemState.PAUSED
    assert "paused by olga: upgrade &lt;script&gt;" in said
    assert SCRIPT not in said + olga.page("/systems").text
    assert "goes on where it was left" in olga.submit("/systems/ngi-cz/resume", form="/systems/ngi-cz").text
    assert state(stand) is SystemState.LIVE


def test_maintenance_is_announced_on_the_page_and_is_over_when_it_is_said_to_be(stand) -> None:
    olga, path = stand.browser("olga"), "/systems/ngi-cz"
    window = {
        "ends_at": f"{stand.house.interdesk.clock() + timedelta(hours=2):%Y-%m-%dT%H:%M}",
        "why": f"disks {SCRIPT}",
    }
    said = olga.submit(f"{path}/maintenance", window, form=path).text
    assert "in maintenance until" in said
    assert "by olga: disks &lt;script&gt;" in said
    assert "The maintenance is over" in said
    assert SCRIPT not in said + olga.page("/systems").text
    assert "what it is owed is written" in olga.submit(f"{path}/maintained", form=path).text
    assert "The maintenance is over" not in olga.page(path).text
    for wrong, sentence in (
        ({}, "Say when the maintenance ends."),
        ({"ends_at": "tomorrow"}, "A moment is written like"),
        ({"ends_at": "2020-01-01T00:00"}, "A maintenance window ends after it begins"),
    ):
        assert sentence in olga.submit(f"{path}/maintenance", wrong, form=path).text
    assert "No maintenance of system ngi-cz is announced" in olga.submit(f"{path}/maintained", form=path).text


def test_the_last_hour_of_a_system_is_drawn_and_said(stand) -> None:
    browser, house = stand.browser("olga"), stand.house

    def look(tx) -> None:
        at = house.interdesk.clock()
        for subject in ("a", "b", "c"):
            tx.outbox.owe("ngi-cz", Direction.INWARD, subject, at, reason="x")
        claim = tx.outbox.claim("ngi-cz", "me", at, ttl=timedelta(minutes=1), lease_name=lambda _, each: each.subject)
        tx.outbox.done(claim, at)

    before = _looks(browser)
    house.store.write(look)
    assert _looks(browser) == before + 1
    assert 'role="img" aria-label="Looks in each minute of the last hour' in browser.page("/systems/ngi-cz").text


def _looks(browser) -> int:
    found = re.search(r"(\d+) looks? ended", browser.page("/systems/ngi-cz").text)
    return int(found[1])


def test_what_cannot_be_done_now_is_a_sentence_on_its_page(stand) -> None:
    answer = stand.browser("olga").submit("/systems/ngi-cz/release", form="/systems/ngi-cz")
    assert answer.status_code == 409
    assert 'role="alert"' in answer.text
    assert stand.browser("olga").submit("/systems/ngi-cz/dance", form="/systems/ngi-cz").status_code == 404


def test_revisions_are_shown_as_diffs_and_rolled_back_by_number(stand) -> None:
    stand.house.helm.apply(CZ.replace("ops@example.cz", "noc@example.cz"), "carl")
    olga = stand.browser("olga")
    page = olga.page("/systems/ngi-cz").text
    assert '<span class="added">+contacts: [noc@example.cz]</span>' in page
    assert '<span class="taken">-contacts: [ops@example.cz]</span>' in page
    assert "Roll back to 2" not in page
    assert "newest one now" in olga.submit("/systems/ngi-cz/rollback", {"revision": "1"}, form="/systems/ngi-cz").text
    document = stand.house.store.read(lambda tx: tx.registry.document("system", "ngi-cz"))
    assert (document.revision, document.data["contacts"]) == (3, ["ops@example.cz"])
    assert (
        stand.browser("tess").submit("/systems/ngi-cz/rollback", {"revision": "1"}, form="/systems").status_code == 403
    )


def test_the_table_of_states_is_drawn_and_told(stand) -> None:
    page = stand.browser("olga").page("/systems/ngi-cz").text
    drawn = page[page.index("<svg viewBox") : page.index("</figure>")]
    assert "waiting for reply" in drawn
    assert re.search(r"stalled.*?×2", drawn, re.DOTALL)
    assert drawn.count('class="line said"') == 10
    assert drawn.count('class="line read"') == 5
    shown = stand.house.store.read(lambda tx: Dictionaries().shown(tx, "ngi-cz"))
    assert ("waiting for reply", "stalled") in shown.states.said
    assert ("stalled", "on hold") in shown.states.read


def test_a_mapping_is_proven_on_the_page(stand) -> None:
    page = stand.browser("tess").page("/systems/ngi-cz/proof", headers={"HX-Request": "true"}).text
    assert "Proven: every promise holds" in page
    assert "what goes out and comes back is what it was" in page
    assert "What is lost on the way there" in page
    assert "<html" not in page


def test_a_long_list_is_shown_a_page_at_a_time_and_everything_is_on_some_page(stand) -> None:
    house = stand.house
    many = MOST + 3
    for number in range(many):
        house.disagree("ngi-cz", house.ours, field=f"comment {1000 + number}")
        house.bury("ngi-cz", house.ours, subject=f"key-{1000 + number}")
    conflicts = [f"comment {1000 + number}" for number in range(many)]
    letters = [each.subject for each in house.store.read(lambda tx: tx.outbox.dead()) if "key-" in each.subject]
    assert len(letters) > MOST
    carl = stand.browser("carl")
    for kind, one, wanted in (
        ("conflicts", r"<strong>(comment \d{4})</strong>", conflicts),
        ("letters", r"(key-\d+) there", letters),
    ):
        page, seen = carl.page("/work").text, []
        while True:
            found = re.findall(one, page)
            assert 0 < len(found) <= MOST
            seen += found
            onward = re.search(rf'href="(/work\?{kind}=[^"]+)"', page)
            if onward is None:
                break
            page = carl.page(onward[1]).text
            assert "From the beginning" in page
        assert seen == wanted
    for odd in ("letters=x", "conflicts=-1", "holds=x"):
        assert carl.page(f"/work?{odd}").status_code == 404


def test_work_is_for_who_may_see_it(stand) -> None:
    for login in ("alice", "sue", "tess"):
        assert stand.browser(login).page("/work").status_code == 403
    olga = stand.browser("olga").page("/work").text
    assert "ngi-de" not in olga
    assert "ngi-cz looks odd" in olga
    aude = stand.browser("aude").page("/work").text
    assert "ngi-de looks odd" in aude
    assert "<button" not in aude[aude.index("<main") :]
    assert stand.browser("olga").page("/work?system=ngi-de").status_code == 404


def test_what_letters_carry_is_changed_in_bulk_and_they_are_tried_again(stand) -> None:
    carl, house = stand.browser("carl"), stand.house
    data = {"act": "edit", "letter": [str(each) for each in house.letters], "field": "priority", "value": "urgent"}
    assert "they are tried again" in carl.submit("/work/letters", data, form="/work").text
    assert house.store.read(lambda tx: tx.outbox.dead()) == []
    for ticket in (house.ours, house.theirs):
        assert house.store.read(lambda tx, ticket=ticket: tx.tickets.get(ticket.id))["priority"] == "urgent"
    acts = house.store.read(lambda tx: tx.audit.list(limit=2))
    assert {(each.by, each.act, each.data["fields"]) for each in acts} == {("carl", "edit and retry", "priority")}
    event = house.store.read(lambda tx: tx.tickets.events(house.ours.id, field="priority"))[-1]
    assert event.actor.id == "carl"


def test_a_letter_is_read_and_edited_on_a_page_of_its_own(stand) -> None:
    carl, house = stand.browser("carl"), stand.house
    path = f"/work/letters/{house.letters[0]}"
    page = carl.page(path).text
    assert "ngi-cz refuses it" in page
    assert 'value="The CE refuses jobs"' in page
    data = {"act": "edit", "letter": str(house.letters[0]), "alone": "true"}
    fields = {"field": ["subject", "priority"], "value": [f"Short {SCRIPT}", ""]}
    assert "they are tried again" in carl.submit("/work/letters", data | fields, form=path).text
    assert house.store.read(lambda tx: tx.tickets.get(house.ours.id))["subject"] == f"Short {SCRIPT}"
    assert [each.id for each in house.store.read(lambda tx: tx.outbox.dead())] == [house.letters[1]]
    path, data = f"/work/letters/{house.letters[1]}", data | {"letter": str(house.letters[1])}
    told = carl.submit("/work/letters", data | {"field": ["status"], "value": ["verified"]}, form=path)
    assert told.status_code == 409
    assert 'role="alert"' in told.text
    assert f"Letter {house.letters[1]}" in told.text
    assert carl.submit("/work/letters", data, form=path).status_code == 400, "nothing is to be changed"
    assert [each.id for each in house.store.read(lambda tx: tx.outbox.dead())] == [house.letters[1]]


def test_a_letter_is_edited_by_whoever_may_run_its_system_and_change_its_ticket(stand) -> None:
    house = stand.house
    for login, number, answer in (
        ("olga", house.letters[1], 404),
        ("aude", house.letters[0], 200),
        ("sue", house.letters[0], 403),
        ("tess", house.letters[0], 403),
    ):
        assert stand.browser(login).page(f"/work/letters/{number}").status_code == answer, login
    assert "What it carries" not in stand.browser("aude").page(f"/work/letters/{house.letters[0]}").text
    data = {"act": "edit", "field": "priority", "value": "urgent"}
    for login, number, answer in (
        ("olga", house.letters[1], 404),
        ("aude", house.letters[0], 403),
        ("sue", house.letters[0], 403),
    ):
        told = stand.browser(login).submit("/work/letters", {**data, "letter": str(number)}, form="/account")
        assert told.status_code == answer, login
    assert len(house.store.read(lambda tx: tx.outbox.dead())) == 2


def test_letters_are_retried_and_discarded_in_bulk_with_a_reason(stand) -> None:
    carl = stand.browser("carl")
    dead = {each.id for each in stand.house.store.read(lambda tx: tx.outbox.dead())}
    assert dead
    for data in ({"act": "retry"}, {"act": "discard", "letter": str(min(dead))}):
        assert carl.submit("/work/letters", data, form="/work").status_code == 400
    data = {"act": "discard", "why": "the ticket is closed", "letter": sorted(dead)}
    told = carl.submit("/work/letters", data, form="/work")
    assert "given up" in told.text
    assert stand.house.store.read(lambda tx: tx.outbox.dead()) == []
    assert "the ticket is closed" in carl.page("/work").text


def test_a_letter_is_tried_again(stand) -> None:
    first, second = stand.house.letters
    answer = stand.browser("carl").submit("/work/letters", {"act": "retry", "letter": str(first)}, form="/work")
    assert "tried again" in answer.text
    assert [each.id for each in stand.house.store.read(lambda tx: tx.outbox.dead())] == [second]


def test_an_operator_cannot_touch_what_waits_elsewhere(stand) -> None:
    olga = stand.browser("olga")
    letters = stand.house.letters
    olga.submit("/work/letters", {"act": "discard", "why": "x", "letter": str(letters[1])}, form="/work")
    assert {each.id for each in stand.house.store.read(lambda tx: tx.outbox.dead())} == set(letters)
    other = stand.house.conflicts[1]
    assert olga.submit(f"/work/conflicts/{other}", {"take": "theirs"}, form="/work").status_code == 404
    assert olga.submit(f"/work/holds/{stand.house.holds[1]}", {"verdict": "approve"}, form="/work").status_code == 404
    assert olga.submit("/work/stop", form="/work").status_code == 403
    assert stand.browser("aude").submit("/work/stop", form="/work").status_code == 403
    assert stand.house.store.read(lambda tx: tx.instance.get()).stopped is None


def test_a_conflict_shows_both_values_and_is_decided_by_one_click(stand) -> None:
    carl, number = stand.browser("carl"), stand.house.conflicts[0]
    page = carl.page("/work").text
    item = page[page.index(f'action="/work/conflicts/{number}"') :]
    assert item.index("urgent") < item.index(SESAME)
    answer = carl.submit(f"/work/conflicts/{number}", {"take": "ours"}, form="/work")
    assert answer.status_code == 200
    assert f'action="/work/conflicts/{number}"' not in answer.text
    assert carl.submit(f"/work/conflicts/{number}", {"take": "ours"}, form="/work").status_code == 404


def test_what_stands_in_disagreement_is_shown_with_both_values(stand) -> None:
    def refuse(tx):
        link = tx.links.find(1, "ngi-cz")
        refused = {**link.disagreements, "status": "refused there: Resolution is required"}
        tx.links.save(link.evolve(disagreements=refused, seen={"status": f"stalled {SCRIPT}"}))
        link = tx.links.find(2, "ngi-de")
        tx.links.save(link.evolve(disagreements={**link.disagreements, "status": "refused in Germany"}))

    stand.house.store.write(refuse)
    page = stand.browser("olga").page("/work").text
    table = page[page.index('id="standing"') : page.index("All tickets that disagree")]
    for words in ("The CE refuses jobs", "Resolution is required", "stalled &lt;script&gt;", "assigned"):
        assert words in table
    assert "priority" not in table  # it is a conflict, and stands above
    assert "Germany" not in page
    assert "refused in Germany" in stand.browser("aude").page("/work").text


def test_a_hold_is_approved(stand) -> None:
    number = stand.house.holds[1]
    answer = stand.browser("carl").submit(f"/work/holds/{number}", {"verdict": "approve"}, form="/work")
    assert answer.status_code == 200
    assert stand.house.store.read(lambda tx: tx.guards.get(number)).decided_by == "carl"


def test_a_quarantine_is_shown_with_its_plan_decided_and_then_released(stand) -> None:
    number = stand.house.store.write(quarantine)
    olga = stand.browser("olga")
    page = olga.page("/work").text
    plan = page[page.index('id="quarantine-ngi-cz"') : page.index('id="holds"')]
    assert "2 linked tickets were compared, by reading only" in plan
    assert '<a href="/tickets/1">1</a>' in plan
    assert '<td data-label="theirs">open &lt;b&gt;</td>' in plan
    assert "Release it" not in plan, "nobody has decided yet"
    assert "mass" not in plan
    assert "/work?system=ngi-cz#quarantine-ngi-cz" in olga.page("/systems/ngi-cz").text
    aude = stand.browser("aude").page("/work").text
    assert "2 linked tickets were compared" in aude
    assert "<button" not in aude[aude.index("<main") :]
    told = olga.submit(f"/work/holds/{number}", {"verdict": "approve"}, form="/work").text
    assert "Nothing is written there before it is released" in told
    assert "olga said that it is the right one" in told
    assert "Release it, and write ours" in told
    assert "Release it, and take theirs" in told


def test_of_a_quarantine_that_was_a_mistake_nothing_is_compared_again(stand) -> None:
    number = stand.house.store.write(quarantine)
    told = stand.browser("olga").submit(f"/work/holds/{number}", {"verdict": "reject"}, form="/work").text
    assert "olga said that another system had answered" in told
    assert "Release it</button>" in told
    assert "take theirs" not in told


def quarantine(tx: Transaction) -> int:
    """The mark of ngi-cz is not the one we left; the number of the hold."""
    row = {"ticket": 1, "key": "4711", "what": "field", "name": "status", "ours": "solved", "theirs": "open <b>"}
    evidence = {"shown": "x", "known": 3, "compared": 2, "plan": [row], "not_shown": 0}
    hold = tx.guards.hold(Hold(0, HoldKind.COPY, "ngi-cz", "its mark is gone", AT, evidence=evidence))
    system = replace(tx.registry.system("ngi-cz"), state=SystemState.QUARANTINED, reason="its mark is gone")
    tx.registry.put_system(system)
    return hold.id


def test_the_stop_button_stops_says_so_everywhere_and_is_let_go(stand) -> None:
    carl = stand.browser("carl")
    assert "Stop all writing" in carl.page("/work").text
    assert "storm" in carl.submit("/work/stop", {"why": "a storm of mails"}, form="/work").text
    for path in ("/work", "/systems"):
        page = carl.page(path).text
        assert "Nothing is written to any system" in page
        assert "a storm of mails" in page
    assert "Writing goes on" in carl.submit("/work/go", form="/work").text
    assert stand.house.store.read(lambda tx: tx.instance.get()).stopped is None
    assert carl.submit("/work/go", form="/work").status_code == 409


@pytest.mark.parametrize(
    "path",
    [
        "/systems/ngi-cz/pause",
        "/systems/ngi-cz/live",
        "/systems/ngi-cz/maintenance",
        "/systems/ngi-cz/rollback",
        "/work/stop",
        "/work/letters",
        "/work/conflicts/1",
    ],
)
def test_a_form_without_its_token_is_refused(stand, path) -> None:
    data = {"revision": "1", "act": "retry", "take": "ours", "letter": "1", "form_token": "0" * 64}
    assert stand.browser("carl").post(f"{stand.address}{path}", data=data, timeout=120).status_code == 403
    assert stand.browser().post(f"{stand.address}{path}", data=data, timeout=120).status_code == 401


def test_what_became_of_a_comment_whose_answer_was_lost_is_said_on_its_letters_page(stand) -> None:
    house, olga = stand.house, stand.browser("olga")
    number, plain = house.lose("ngi-cz", house.shared, f"we look {SCRIPT}"), house.bury("ngi-cz", house.ours)
    path = f"/work/letters/{number}"
    page = olga.page(path).text
    assert "What became of our comment" in page
    assert "we look &lt;script&gt;" in page
    assert "What became of our comment" not in olga.page(f"/work/letters/{plain}").text
    assert "What became of our comment" not in stand.browser("aude").page(path).text, "she may only read"
    assert stand.browser("aude").submit(f"{path}/settle", {"became": "never"}, form="/").status_code == 403
    nameless = olga.submit(f"{path}/settle", {"became": "there", "there": " "}, form=path)
    assert (nameless.status_code, "Say which comment there it is" in nameless.text) == (400, True)
    assert olga.submit(f"{path}/settle", {"became": "there", "there": "7"}, form=path).status_code == 409
    assert len(house.store.read(lambda tx: tx.links.find(house.shared.id, "ngi-cz").intents)) == 1
    said = olga.submit(f"{path}/settle", {"became": "never"}, form=path)
    assert "its letter is tried again" in said.text
    assert house.store.read(lambda tx: tx.links.find(house.shared.id, "ngi-cz").intents) == ()
    other = olga.submit(f"/work/letters/{plain}/settle", {"became": "never"}, form=f"/work/letters/{plain}")
    assert (other.status_code, "no lost answer to a comment" in other.text) == (409, True)
