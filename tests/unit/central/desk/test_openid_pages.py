"""Over real HTTP, a browser goes to the provider and comes back signed in."""

import socket
import threading
from collections.abc import Iterator

import pytest
import requests
import uvicorn
from fastapi import FastAPI

from central.account import Grant, Role
from central.desk.auth import Gate
from central.desk.cookies import FORM_FIELD, Cookies
from central.desk.people import of_the_machine
from central.desk.web import openid
from central.desk.web.pages import Pages
from central.rights import Principal
from tests.unit.central.desk.provider import SmallProvider
from tests.unit.central.desk.test_auth import Clock
from tests.unit.central.desk.test_openid import Desk


@pytest.fixture
def desk() -> Iterator[Desk]:
    clock = Clock()
    with SmallProvider(lambda: clock.now.timestamp()) as provider:
        yield Desk(provider, clock)


@pytest.fixture
def address(desk: Desk) -> Iterator[str]:
    app = FastAPI()
    app.include_router(openid.router(desk.openid, desk.gate, Cookies(), Pages("GGUS")))
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", timeout_keep_alive=75))
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join()
    listening.close()


class Browser:
    def __init__(self, address: str, provider: SmallProvider) -> None:
        self.address, self.provider, self.session = address, provider, requests.Session()

    def get(self, path: str, **query: str) -> requests.Response:
        return self.session.get(f"{self.address}{path}", params=query, allow_redirects=False, timeout=120)

    def post(self, path: str, headers: dict[str, str] | None = None, **form: str) -> requests.Response:
        return self.session.post(
            f"{self.address}{path}", data=form, headers=headers, allow_redirects=False, timeout=120
        )

    def come_back(self, gone: requests.Response) -> requests.Response:
        where = gone.headers.get("Location") or gone.headers["Refresh"].partition("url=")[2]
        return self.get("/sign-in/back", **self.provider.visit(where))

    def who(self, gate: Gate) -> Principal | None:
        return gate.session(self.session.cookies.get("interdesk") or "")


@pytest.fixture
def browser(desk: Desk, address: str) -> Iterator[Browser]:
    made = Browser(address, desk.provider)
    with made.session:
        yield made


def test_a_browser_goes_comes_back_and_is_signed_in_where_it_wanted_to_go(desk: Desk, browser: Browser) -> None:
    gone = browser.get("/sign-in/openid", next="/tickets/7?x=1")
    assert "HttpOnly; SameSite=Lax" in gone.headers["Set-Cookie"]
    back = browser.come_back(gone)
    assert (back.status_code, back.headers["Location"]) == (303, "/tickets/7?x=1")
    principal = browser.who(desk.gate)
    assert principal is not None
    assert principal.person.email == "alice@example.org"
    assert "interdesk-openid" not in browser.session.cookies


@pytest.mark.parametrize("onward", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:x", "/\n"])
def test_nobody_is_sent_on_to_another_site(browser: Browser, onward: str) -> None:
    assert browser.come_back(browser.get("/sign-in/openid", next=onward)).headers["Location"] == "/"


def test_an_answer_that_another_browser_fetched_signs_nobody_in(desk: Desk, browser: Browser, address: str) -> None:
    answer = desk.provider.visit(browser.get("/sign-in/openid").headers["Location"])
    with requests.Session() as session:
        victim = Browser(address, desk.provider)
        victim.session = session
        said = victim.get("/sign-in/back", **answer)
        assert said.headers["Location"] == "/sign-in?said=failed"
        assert victim.who(desk.gate) is None


def test_what_went_wrong_is_told_where_one_signs_in(desk: Desk, browser: Browser) -> None:
    gone = browser.get("/sign-in/openid")
    desk.provider.sign = desk.provider.unsigned
    assert browser.come_back(gone).headers["Location"] == "/sign-in?said=failed"
    assert browser.get("/sign-in/back", code="x" * 5000, state="").headers["Location"] == "/sign-in?said=failed"
    desk.provider.metadata = {"issuer": "https://evil.example"}
    desk.clock.pass_(hours=2)
    assert browser.get("/sign-in/openid").headers["Location"] == "/sign-in?said=unreachable"
    desk.provider.metadata = {}
    answers = [browser.get("/sign-in/openid") for _ in range(61)]
    assert (answers[-1].headers["Location"], answers[-1].headers["Retry-After"]) == ("/sign-in?said=busy", "3")


def test_only_a_form_of_ours_ties_an_account(desk: Desk, browser: Browser) -> None:
    bob = desk.people.create(of_the_machine("root"), "bob", grants=[Grant(Role.AUDITOR)])
    assert browser.post("/account/openid").headers["Location"] == "/sign-in"
    cookie, _ = desk.gate.admit(bob)
    browser.session.cookies.set("interdesk", cookie, domain="127.0.0.1")
    token = desk.gate.form_token(cookie)
    assert browser.post("/account/openid").headers["Location"] == "/"
    foreign = browser.post("/account/openid", {"Sec-Fetch-Site": "cross-site"}, **{FORM_FIELD: token})
    assert foreign.headers["Location"] == "/sign-in"
    gone = browser.post("/account/openid", **{FORM_FIELD: token})
    assert gone.status_code == 200  # a redirect to another site would be stopped by form-action 'self'
    assert "interdesk-openid" in gone.headers["Set-Cookie"]
    assert f'href="{desk.provider.issuer}' in gone.text
    assert browser.come_back(gone).headers["Location"] == "/account?said=tied"
    assert desk.account().login == "bob"
    browser.come_back(browser.get("/sign-in/openid"))
    principal = browser.who(desk.gate)
    assert principal is not None
    assert principal.person.id == "bob"


def test_an_account_that_is_tied_elsewhere_is_told(desk: Desk, browser: Browser) -> None:
    desk.sign_in()
    carl = desk.people.create(of_the_machine("root"), "carl")
    cookie, _ = desk.gate.admit(carl)
    browser.session.cookies.set("interdesk", cookie, domain="127.0.0.1")
    back = browser.come_back(browser.post("/account/openid", **{FORM_FIELD: desk.gate.form_token(cookie)}))
    assert back.headers["Location"] == "/sign-in?said=tied"
