"""The SOAP door at work over real HTTP, before a centre with two members; everybody's password is their login."""

import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Self

import requests
import uvicorn
from fastapi import FastAPI

from central.account import Grant, Role, Scope
from central.desk.auth import NotKnown, TooManyTries
from central.desk.soap.acts import SoapDesk
from central.desk.soap.door import SoapDoor
from central.desk.tickets import TicketDesk
from central.model import Limits, Person
from central.rights import Principal
from connectors.emulators.soap import element
from connectors.soap import raw
from connectors.soap.calls import Calls
from sync.centre import Centre
from tests.unit.sync.world import World

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP12 = "http://www.w3.org/2003/05/soap-envelope"
LARGEST = 300_000


def principal(login: str, *grants: Grant) -> Principal:
    return Principal(Person(login, f"{login} interface", f"{login}@example.org"), frozenset(grants))


PEOPLE = {
    each.person.id: each
    for each in (
        principal("ngi-cz", Grant(Role.OPERATOR, "ngi-cz"), Grant(Role.SUPPORTER, "NGI_CZ")),
        principal("ngi-pl", Grant(Role.OPERATOR, "ngi-pl"), Grant(Role.SUPPORTER, "NGI_PL")),
        principal("tess", Grant(Role.CENTRAL)),
        principal("alice", Grant(Role.USER)),
        principal("audit", Grant(Role.AUDITOR)),
    )
}


class _Gate:
    """Everybody's password is their login, and so is their token, after what tokens begin with."""

    def __init__(self, people: Mapping[str, Principal]) -> None:
        self._people = people

    def password(self, login: str, password: str, *, source: str) -> Principal:
        if password == "hurry":
            raise TooManyTries(timedelta(seconds=7))
        if password != login or login not in self._people:
            raise NotKnown
        return self._people[login]

    def bearer(self, token: str, *, source: str = "") -> Principal:
        return replace(self.password(token[4:], token[4:], source=source), scopes=frozenset({Scope.TICKETS_READ}))


class Hotline:
    """Use it in a `with`."""

    def __init__(
        self,
        world: World | None = None,
        *,
        largest: int = LARGEST,
        public_url: str = "",
        clock: Callable[[], datetime] | None = None,
        gate: Any = None,
    ) -> None:
        self.world = world or World()
        self.people = dict(PEOPLE)
        store, means = self.world.store, self.world.mesh.means
        self.centre = Centre(replace(means, limits=Limits(file=largest), clock=clock or means.clock))
        desk = SoapDesk(
            store,
            TicketDesk(store, self.centre),
            lambda number: f"https://desk.example.org/tickets/{number}",
            largest_file=largest,
        )
        calls = Calls("GAT_Attachment_Data")
        door = SoapDoor(desk, calls, gate or _Gate(self.people), largest_file=largest, public_url=public_url)
        self.app = FastAPI()
        self.app.include_router(door.router())
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._server = uvicorn.Server(uvicorn.Config(self.app, log_config=None, lifespan="off", timeout_keep_alive=75))
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()

    def post(self, body: bytes, path: str = "/soap", **headers: str) -> requests.Response:
        return requests.post(f"{self.url}{path}", data=body, headers=headers, timeout=120)

    def ask(self, operation: str, body: Mapping[str, Any], **how: Any) -> requests.Response:
        """Call an operation as raw XML."""
        path = how.pop("path", "/soap")
        headers = how.pop("headers", {"SOAPAction": f'"urn:GGUS/{operation}"'})
        return self.post(envelope(operation, body, **how), path, **headers)

    def call(self, operation: str, body: Mapping[str, Any], **how: Any) -> Any:
        """What it answers, as plain data; a fault as its sentence."""
        answer = self.ask(operation, body, **how)
        said = raw.said(answer.content)
        assert (said.fault is None) == (answer.status_code == 200)
        return said.fault.says if said.fault else said.data

    def create(self, who: str = "ngi-cz", **more: str) -> str:
        """A ticket's number."""
        said = {"Short_Description": "jobs fail", "Last_Modifier": "Alice (via RT)", "Last_Login": who, **more}
        answer = self.call("OpCreate", ghd(**said), who=who)
        return str(answer["GHD_Request_ID"])

    def get(self, number: str, who: str = "ngi-cz") -> Any:
        return self.call("TicketGet", ghd(Request_ID=number), who=who)

    def modify(self, number: str, who: str = "ngi-cz", **more: str | None) -> Any:
        said = {"Request_ID": number, "Last_Modifier": "Alice (via RT)", "Last_Login": who, **more}
        return self.call("TicketModify", ghd(**said), who=who)


def ghd(**fields: Any) -> dict[str, Any]:
    return {f"GHD_{name}": "" if value is None else value for name, value in fields.items()}


def gat(**fields: Any) -> dict[str, Any]:
    return {f"GAT_{name}": value for name, value in fields.items()}


def envelope(
    operation: str,
    body: Mapping[str, Any],
    *,
    who: str | None = "ngi-cz",
    password: str | None = None,
    space: str = "urn:GGUS",
    soap: str = SOAP,
) -> bytes:
    login = element("AuthenticationInfo", {"userName": who, "password": password or who}, f' xmlns="{space}"')
    inside = element(operation, body, f' xmlns="{space}"')
    header = f"<e:Header>{login}</e:Header>" if who is not None else ""
    return f'<?xml version="1.0"?><e:Envelope xmlns:e="{soap}">{header}<e:Body>{inside}</e:Body></e:Envelope>'.encode()
