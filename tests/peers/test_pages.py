"""The pages in Debian's Chromium, used as a person would: with eyes, a keyboard, a phone, in the dark."""

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest

from central.delivery import Direction
from central.desk.mail.intake import MailDesk
from central.store.api import Transaction
from connectors.emulators.rt import RtEmulator
from tests.desk.house import CZ, principal
from tests.desk.stand import READER, Stand
from tests.desk.test_bench_page import FIXTURE
from tests.desk.test_mail_pages import MAIL
from tests.unit.central.desk.provider import SmallProvider

CHROMIUM = Path("/usr/bin/chromium")
WANTED = "needs Debian's Chromium: on Debian 12, as root, `tests/peers/chromium.sh up`, then run the tests again"
PICTURES = Path(__file__).parents[2] / ".ci" / "artefacts" / "pages"
SIZES = {"desk": (1400, 900), "phone": (390, 844)}
PLACES = {
    "mesh": "/systems",
    "system": "/systems/ngi-cz",
    "proof": "/systems/ngi-cz/proof",
    "register": "/register",
    "register-answers": "/register/ngi-xx?connector=rt",
    "register-steps": "/register/ngi-cz",
    "work": "/work",
    "letter": "/work/letters/2",
    "mails": "/mails",
    "mail": "/mails/1",
    "tickets": "/tickets",
    "ticket": "/tickets/1",
    "why": "/tickets/1/why/priority",
    "new-ticket": "/tickets/new",
    "bench": "/bench?of=rt",
    "people": "/people",
    "person": "/people/olga",
    "audit": "/audit",
    "account": "/account",
    "missing": "/tickets/99",
}
LONG = """\
kind: fixture
name: differs
mapping: rt
inward:
  theirs: {Description: "one\\ntwo\\nthree"}
  becomes: {description: "one\\nzwei\\nthree"}
"""

pytestmark = pytest.mark.peer


@pytest.fixture(scope="module")
def chromium():
    if not CHROMIUM.exists():
        if os.environ.get("CI") == "true":
            pytest.fail(WANTED)
        pytest.skip(WANTED)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def stand(tmp_path) -> Iterator[Stand]:
    with Stand(tmp_path) as it:
        it.house.tickets.change(
            principal("sue"), it.house.ours.id, {"priority": "very urgent", "status": "in progress"}
        )
        it.house.helm.apply(CZ.replace("ops@example.cz", "noc@example.cz"), "carl")
        it.house.store.write(lambda tx: _looked(tx, it.house.interdesk.clock()))
        MailDesk(it.house.store, it.house.tickets, it.house.interdesk.clock).take(READER.read(MAIL))
        yield it


def _looked(tx: Transaction, at: datetime) -> None:
    """What a system's page draws."""
    for number in range(6):
        direction, then = list(Direction)[number % 2], at - timedelta(minutes=7 * number)
        for subject in range(4 + number):
            tx.outbox.owe("ngi-cz", direction, f"{number}{subject}", then, reason="x")
            claim = tx.outbox.claim(
                "ngi-cz", "me", then, ttl=timedelta(minutes=1), lease_name=lambda _, each: each.subject
            )
            if claim is not None and subject == 1:
                tx.outbox.retry(claim, then, not_before=at + timedelta(hours=1), error="no")
            elif claim is not None:
                tx.outbox.done(claim, then)


class Screen:
    """A window in which somebody looks at the pages; what the browser complains of is kept."""

    def __init__(self, chromium, stand: Stand, size: str = "desk", scheme: str = "light") -> None:
        width, height = SIZES[size]
        self.size, self.scheme, self.width, self.stand = size, scheme, width, stand
        self.context = chromium.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
        self.page = self.context.new_page()
        self.page.set_default_timeout(120_000)
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._heard)

    def __enter__(self) -> "Screen":
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()

    def go(self, path: str) -> None:
        self.page.goto(self.stand.address + path)

    def sign_in(self, login: str) -> None:
        self.go("/sign-in")
        self.page.get_by_label("Name").fill(login)
        self.page.get_by_label("Password").fill(f"{login}'s")
        self.page.get_by_role("button", name="Sign in").click()
        self.page.get_by_role("button", name="Sign out").wait_for()

    def look(self, name: str, tmp_path: Path) -> None:
        """Take a picture, and say what is wrong with what is seen."""
        from axe_playwright_python.sync_playwright import Axe

        folder = PICTURES if os.environ.get("CI") == "true" else tmp_path
        folder.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=folder / f"{name}-{self.size}-{self.scheme}.png", full_page=True)
        where = f"{name}, {self.size}, {self.scheme}"
        wide = self.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= self.width, f"{where}: {wide} pixels wide"
        found = Axe().run(self.page).response["violations"]
        serious = [
            (each["id"], [node["html"] for node in each["nodes"]])
            for each in found
            if each["impact"] in ("serious", "critical")
        ]
        assert not serious, f"{where}: {serious}"

    def _heard(self, message) -> None:
        if message.type == "error" and "status of 4" not in message.text:
            self.complaints.append(message.text)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", list(SIZES))
def test_every_page_can_be_read_by_everybody(chromium, stand, tmp_path, size, scheme) -> None:
    with Screen(chromium, stand, size, scheme) as screen:
        screen.go("/sign-in")
        screen.look("sign-in", tmp_path)
        screen.sign_in("carl")
        for name, path in PLACES.items():
            screen.go(path)
            screen.look(name, tmp_path)
        screen.go("/tickets/1")
        for summary in screen.page.locator("summary").all():
            summary.click()
        screen.look("ticket-unfolded", tmp_path)
        screen.go("/systems/ngi-cz")
        for summary in screen.page.locator("summary").all():
            summary.click()
        screen.look("system-unfolded", tmp_path)
        assert screen.complaints == []


def test_all_of_it_is_reached_by_the_keyboard(chromium, stand) -> None:
    with Screen(chromium, stand) as screen:
        page = screen.page
        screen.go("/sign-in")
        page.keyboard.type("sue")
        page.keyboard.press("Tab")
        page.keyboard.type("sue's")
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Tickets").wait_for()
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Open a ticket"
        page.get_by_role("link", name="The CE refuses jobs").focus()
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="The CE refuses jobs").wait_for()
        page.get_by_label("Answer", exact=True).focus()
        page.keyboard.type("Which queue is it?")
        page.keyboard.press("Tab")
        page.keyboard.press("ArrowDown")  # from public to internal
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.get_by_text("The internal note is on the ticket").wait_for()
        note = page.locator("article.internal", has_text="Which queue is it?")
        assert note.count() == 1
        assert screen.complaints == []


def test_the_mesh_goes_on_under_the_eyes_and_keeps_the_place_of_the_keyboard(chromium, stand) -> None:
    with Screen(chromium, stand) as screen:
        screen.sign_in("carl")
        page = screen.page
        page.get_by_text("live", exact=True).wait_for()
        page.get_by_role("link", name="ngi-de").focus()

        def fail(tx):
            tx.registry.put_system(replace(tx.registry.system("ngi-de"), last_error="HTTP 500: out of memory"))

        stand.house.store.write(fail)
        page.get_by_text("HTTP 500: out of memory").wait_for()
        assert page.evaluate("document.activeElement.textContent") == "ngi-de"
        stand.house.systems.stop_all(principal("carl"), "a storm of mails")
        page.get_by_text("a storm of mails").wait_for()
        assert screen.complaints == []


def test_a_search_is_in_the_address_and_can_be_gone_back_from(chromium, stand) -> None:
    with Screen(chromium, stand) as screen:
        screen.sign_in("carl")
        screen.go("/tickets")
        page = screen.page
        page.get_by_label("Words, or anybody's number").fill("full")
        page.get_by_text("The CE refuses jobs").wait_for(state="detached")
        assert "q=full" in page.url
        assert page.get_by_text("The SE is full").is_visible()
        page.get_by_label("Status").select_option("closed")
        page.get_by_text("No ticket that you may read is like that.").wait_for()
        page.reload()
        assert page.get_by_label("Status").input_value() == "closed"
        page.go_back()
        page.get_by_text("The SE is full").wait_for()
        assert screen.complaints == []


def test_why_opens_beside_the_field(chromium, stand) -> None:
    with Screen(chromium, stand) as screen:
        screen.sign_in("alice")
        screen.go("/tickets/1")
        screen.page.get_by_label("Why: Priority").click()
        screen.page.locator("#why-priority").get_by_text("Sue at the centre").wait_for()
        assert screen.page.url.endswith("/tickets/1")
        assert screen.complaints == []


def test_a_file_goes_up_and_comes_down_as_a_file(chromium, stand, tmp_path) -> None:
    picture = tmp_path / "evil.svg"
    picture.write_text("<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", encoding="utf-8")
    with Screen(chromium, stand) as screen:
        screen.sign_in("alice")
        screen.go("/tickets/1")
        screen.page.get_by_label("Answer", exact=True).fill("see the picture")
        screen.page.get_by_label("Files").set_input_files(picture)
        screen.page.get_by_role("button", name="Send").click()
        with screen.page.expect_download() as coming:
            screen.page.get_by_role("link", name="evil.svg").click()
        assert Path(coming.value.path()).read_bytes() == picture.read_bytes()
        assert screen.complaints == []


def test_what_is_hostile_does_not_run(chromium, stand) -> None:
    evil = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
    stand.house.tickets.comment(principal("alice"), 1, evil)
    stand.house.tickets.change(principal("sue"), 1, {"subject": evil})
    with Screen(chromium, stand) as screen:
        screen.sign_in("carl")
        for path in ("/tickets", "/tickets/1", "/work", "/tickets/1/why/subject"):
            screen.go(path)
            assert screen.page.title() != "owned"
            assert screen.page.locator("main img, main script").count() == 0
        screen.go("/tickets/1")
        screen.page.evaluate("document.querySelector('main').insertAdjacentHTML('beforeend', `<b onclick=\"0\">x</b>`)")
        assert screen.page.evaluate("document.querySelector('main > b').onclick") is None, "what is inline is not run"


def test_letters_are_ticked_all_at_once_and_tried_again(chromium, stand) -> None:
    with Screen(chromium, stand) as screen:
        screen.sign_in("carl")
        screen.go("/work")
        screen.page.get_by_label("Tick all").check()
        assert screen.page.locator("input[name=letter]:not(:checked)").count() == 0
        screen.page.get_by_role("button", name="Try those again").click()
        screen.page.get_by_text("They are tried again").wait_for()
        assert screen.page.locator("input[name=letter]").count() == 0


def test_a_system_is_proven_paused_and_rolled_back(chromium, stand) -> None:
    with Screen(chromium, stand, "phone") as screen:
        screen.sign_in("olga")
        page = screen.page
        page.get_by_role("link", name="ngi-cz").click()
        page.get_by_role("link", name="Prove it").click()
        page.get_by_text("Proven: every promise holds").wait_for()
        page.get_by_label("Why it is paused").fill("upgrade")
        page.get_by_role("button", name="Pause").click()
        page.get_by_text(re.compile("paused by olga: upgrade")).first.wait_for()
        page.get_by_role("button", name="Roll back to 1").click()
        page.get_by_text("The earlier revision is the newest one now").wait_for()
        assert screen.complaints == []


def test_maintenance_is_announced_by_the_keyboard_on_a_phone(chromium, stand) -> None:
    until = stand.house.interdesk.clock() + timedelta(days=1)
    with Screen(chromium, stand, "phone") as screen:
        screen.sign_in("olga")
        page = screen.page
        screen.go("/systems/ngi-cz")
        page.get_by_text("Announce maintenance").focus()
        page.keyboard.press("Enter")
        page.get_by_label("To (UTC)").fill(f"{until:%Y-%m-%dT%H:%M}")
        page.get_by_label("Why", exact=True).fill("new disks")
        page.get_by_role("button", name="Announce").focus()
        page.keyboard.press("Enter")
        page.get_by_text("The maintenance is announced").wait_for()
        page.get_by_text(re.compile("by olga: new disks")).first.wait_for()
        page.get_by_role("button", name="The maintenance is over").click()
        page.get_by_text("No maintenance is announced any more").wait_for()
        assert screen.complaints == []


def test_fixtures_are_dropped_on_the_bench_and_what_became_of_them_is_seen(chromium, stand, tmp_path) -> None:
    file = tmp_path / "comes-in.yaml"
    file.write_text(f"{FIXTURE}---\n{LONG}", encoding="utf-8")
    for size in SIZES:
        with Screen(chromium, stand, size) as screen:
            page = screen.page
            screen.sign_in("tess")
            page.get_by_role("link", name="Bench").click()
            page.get_by_label("Or drop files here").set_input_files(file)
            page.get_by_label("Translated by").select_option("rt@1")
            page.get_by_label("Compared with").select_option("redmine")
            page.get_by_role("button", name="Replay").click()
            page.get_by_role("heading", name="1 of 2 differ").wait_for()
            assert page.get_by_label("Translated by").input_value() == "rt@1"
            assert page.locator(".diff .added").inner_text() == "+two"
            screen.look("bench-replayed", tmp_path)
            page.get_by_label("Paste them").fill("kind: fixture\nname: x\n")
            page.get_by_role("button", name="Replay").click()
            page.get_by_text("pasted:1:1").first.wait_for()
            screen.look("bench-wrong", tmp_path)
            assert screen.complaints == []


def test_somebody_is_created_gets_a_link_and_makes_a_token(chromium, stand, tmp_path) -> None:
    with Screen(chromium, stand) as screen:
        page = screen.page
        screen.sign_in("carl")
        page.get_by_role("link", name="People").click()
        page.get_by_text("Create an account").click()
        page.get_by_label("Login").fill("ota")
        page.get_by_label("Role").select_option("operator")
        page.get_by_label("Of which").fill("ngi-de")
        page.get_by_role("button", name="Create it").click()
        link = page.locator(".shown").inner_text()
        screen.look("person-made", tmp_path)
        assert screen.complaints == []
    with Screen(chromium, stand, "phone") as screen:
        page = screen.page
        page.goto(link)
        page.get_by_role("button", name="Sign in with this link").click()
        page.get_by_role("link", name="ota").click()
        page.get_by_text("Make a token").click()
        page.get_by_label("What it is for").fill("a script")
        page.get_by_label("systems:read").check()
        page.get_by_role("button", name="Make it").click()
        assert stand.gate.bearer(page.locator(".shown").inner_text()).person.id == "ota"
        screen.look("account-token", tmp_path)
        assert screen.complaints == []


def test_an_account_is_tied_by_a_form_that_leads_to_another_site(chromium, tmp_path) -> None:
    with (
        SmallProvider(lambda: stand.house.interdesk.clock().timestamp()) as provider,
        Stand(tmp_path, provider=provider) as stand,
        Screen(chromium, stand) as screen,
    ):
        page = screen.page
        screen.sign_in("alice")
        screen.go("/account")
        page.get_by_role("button", name="Tie it with your institution").click()
        page.wait_for_url(f"{provider.issuer}/**")
        screen.go(f"/sign-in/back?{urlencode(provider.visit(page.url))}")
        page.get_by_text("Your account is tied with your institution").wait_for()


def test_a_system_is_registered_step_by_step_and_found_as_it_was_left(chromium, tmp_path) -> None:
    (tmp_path / "interdesk.yaml").write_text("kind: instance\nname: ggus\nallowed_networks: [127.0.0.0/8]\n")
    with (
        RtEmulator(lambda: datetime.now(UTC)) as rt,
        Stand(tmp_path) as stand,
        Screen(chromium, stand) as screen,
    ):
        rt.tracker.person("Alice").open(Subject="The CE refuses jobs")
        screen.sign_in("carl")
        page = screen.page
        page.get_by_role("link", name="Register a system").click()
        page.get_by_label("A short name").fill("ngi-xx")
        page.get_by_label("RT over its REST interface").check()
        page.get_by_role("button", name="Go on").click()
        for label, said in (("url", rt.url), ("queue", rt.queue), ("token", rt.token), ("Support units", "NGI_XX")):
            page.get_by_label(re.compile(f"^{label}")).fill(said)
        page.get_by_role("button", name="Keep it, and go on").click()
        page.get_by_text("A key for sealed secrets was made").wait_for()
        screen.go("/register")
        page.get_by_role("link", name="ngi-xx").click()
        page.get_by_label("Both sides changed a field").select_option(label="a person is asked")
        page.get_by_role("button", name="Keep who wins").click()
        page.get_by_text("That is in its document now").wait_for()
        page.get_by_role("button", name="Make a webhook").click()
        page.get_by_text("This secret is shown now and never again").wait_for()
        screen.look("register-hints", tmp_path)
        page.get_by_role("button", name="Ask it").click()
        page.get_by_text("Proven: every promise holds.").wait_for()
        screen.look("register-asked", tmp_path)
        page.get_by_role("button", name="Preview 10 tickets").click()
        page.get_by_text("1 ticket looked at").wait_for()
        for side in ("system", "centre"):
            page.get_by_role("button", name=f"Sign for the {side}").click()
            page.get_by_text(f"Signed for the {side} by carl").wait_for()
        page.get_by_role("button", name="Go live").click()
        page.get_by_text("It takes part.").wait_for()
        assert screen.complaints == []
