"""A house with its pages open: a real server on a free port, and browsers in which somebody is signed in."""

import re
import socket
import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import requests
import uvicorn
from argon2 import PasswordHasher
from fastapi import APIRouter

from central.account import Account
from central.desk import views
from central.desk.auth import Gate
from central.desk.cookies import Cookies
from central.desk.openid import OpenId, Provider
from central.desk.pulse import Pulse
from central.desk.services import Services
from central.desk.services.hooks import HookAnswer
from central.desk.web import openid
from central.desk.web.app import create_app
from central.desk.web.pages import Pages
from central.store.api import Transaction
from connectors.environment import Environment
from connectors.mail.profile import Hour
from connectors.mail.threads import Signer
from connectors.mail.trust import Policy
from sync import why
from sync.dictionaries import Dictionaries
from sync.examples import Examples
from sync.gateway import Gateway
from sync.mailroom import Reader
from sync.registering import Registrar
from sync.web import GuardedWeb
from tests.desk.house import AT, ROLES, House
from tests.unit.central.desk.provider import CLIENT, SECRET, SmallProvider

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class Hooks:
    """Takes every hook, and remembers it."""

    largest = 1000

    def __init__(self) -> None:
        self.got: list[tuple[str, str, bytes]] = []

    def receive(self, system: str, headers: Mapping[str, str], body: bytes) -> HookAnswer:
        self.got.append((system, headers.get("x-signature", ""), body))
        return HookAnswer(202, "kept")


class Browser(requests.Session):
    """Asks one server, and sends its forms as a browser would."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self.address = address
        self.headers["Accept"] = "text/html"

    def page(self, path: str, **more) -> requests.Response:
        return self.get(f"{self.address}{path}", timeout=120, **more)

    def submit(self, path: str, data: Mapping[str, str] | None = None, *, form: str = "", **more) -> requests.Response:
        """A form with its token; `form`: the page that it stands on."""
        found = re.search(r'name="(form_token)" value="(\w+)"', self.page(form or "/").text)
        token = {found[1]: found[2]} if found else {}
        return self.post(f"{self.address}{path}", data={**token, **(data or {})}, timeout=120, **more)


READER = Reader(Signer("a secret of the tests alone", "desk.example"), Policy((), "results", "mx", Hour()), "GGUS")
"""How the desk reads mail here: it believes what nobody says."""


class Stand:
    """The application at work over a real house."""

    def __init__(
        self,
        folder: Path,
        *,
        provider: SmallProvider | None = None,
        gateway: Callable[[str], Gateway] | None = None,
    ) -> None:
        """`provider`: of OpenID; `gateway`: the way to a system that is captured from."""
        self.house, self.hooks, self.ill, self.stalled = House(folder), Hooks(), list[str](), list[str]()
        desk = self.house.interdesk
        self.pulse = Pulse(
            lambda: views.overview(desk.store, lambda: self.house.clock.now),
            lambda since: desk.store.read(lambda tx: tx.traffic.minutes(since)),
            every=timedelta(milliseconds=50),
        )
        self.gate = Gate(desk.store, desk.clock, hasher=CHEAP)
        desk.store.write(self._people)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        services = Services(
            store=desk.store,
            clock=desk.clock,
            centre="GGUS",
            hooks=self.hooks,
            readiness=self,
            gate=self.gate,
            cookies=Cookies(),
            tickets=desk.centre,
            systems=self.house.helm,
            queues=self.house.clerk,
            reasons=why.explain,
            dictionaries=Dictionaries(),
            examples=Examples(desk.store, gateway or desk.gateways.get, desk.secrets, "GGUS"),
            registrations=Registrar(desk, self.house.helm),
            pulse=self.pulse,
            largest_file=desk.means.limits.file,
            reads_mail=READER.read,
            openid=provider is not None,
            doors=self._doors(provider) if provider else (),
        )
        self.server = uvicorn.Server(
            uvicorn.Config(create_app(services), log_config=None, lifespan="off", timeout_keep_alive=75)
        )
        self.thread = threading.Thread(target=self.server.run, args=([self.socket],))

    def __enter__(self) -> "Stand":
        self.pulse.__enter__()
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.should_exit = True
        self.pulse.__exit__(None, None, None)
        self.thread.join()
        self.socket.close()
        self.house.close()

    def problems(self) -> list[str]:
        return self.ill

    def stalls(self) -> list[str]:
        return self.stalled

    def hindrances(self) -> list[str]:
        return ["the broker is away"]

    def browser(self, login: str = "") -> Browser:
        """A browser; with a login, one in which they have signed in."""
        browser = Browser(self.address)
        if login:
            answer = browser.post(
                f"{self.address}/sign-in", data={"login": login, "password": f"{login}'s"}, timeout=120
            )
            assert answer.status_code == 200, answer.text
        return browser

    def _doors(self, provider: SmallProvider) -> tuple[APIRouter, ...]:
        ours = Provider(provider.issuer, CLIENT, f"{self.address}/sign-in/back", lambda: SECRET)
        desk = self.house.interdesk
        door = OpenId(
            desk.store,
            self.gate,
            desk.clock,
            GuardedWeb(Environment(desk.clock, allowed_networks=(ip_network("127.0.0.0/8"),))),
            ours,
        )
        return (openid.router(door, self.gate, Cookies(), Pages("GGUS")),)

    def _people(self, tx: Transaction) -> None:
        """One of every role; their password is their name with 's behind it."""
        for login, grant in ROLES.items():
            kept = CHEAP.hash(f"{login}'s")
            account = Account(login, login.title(), f"{login}@example.org", frozenset({grant}), AT, password=kept)
            tx.accounts.create(account)
