"""The table of rights, row by row, at every door alike: REST, SOAP, mail and the pages of a running interdesk."""

import itertools
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from typing import Any

import pytest
import requests

from central.account import Grant
from central.desk.cookies import FORM_FIELD, Cookies
from central.desk.mail.intake import MailDesk
from central.mail import Verdict
from central.model import Visibility
from central.rights import MATRIX, Action, Extent
from connectors.mail.profile import Hour
from connectors.mail.threads import Signer
from connectors.mail.trust import Policy
from connectors.soap import raw
from sync.mailroom import Reader, key_of
from tests.desk.house import CZ, DE, ROLES, principal
from tests.desk.served import Served
from tests.unit.central.desk.soap.hotline import envelope, ghd

OWN = {"ours": {"alice", "sue", "olga"}, "theirs": {"alice"}, "ngi-cz": {"olga", "tess"}, "ngi-de": set()}
"""Whose own each thing is: Alice has submitted both tickets."""

CANARY = "for supporters alone"


def may(login: str, action: Action, thing: str) -> bool:
    """What the table says."""
    grant: Grant = ROLES[login]
    far = MATRIX[action][grant.role]
    return far is Extent.ALL or (far is Extent.OWN and login in OWN.get(thing, ()))


class Rest:
    """By an access token."""

    def __init__(self, served: Served, login: str) -> None:
        self._api = served.api(login)

    def _did(self, method: str, path: str, **more: Any) -> bool:
        return self._api.ask(method, path, **more).status_code < 300

    def read(self, ticket: int) -> bool:
        return self._did("GET", f"/tickets/{ticket}")

    def read_internal(self, ticket: int) -> bool:
        return CANARY in self._api.ask("GET", f"/tickets/{ticket}/comments").text

    def answer(self, ticket: int, *, internal: bool = False) -> bool:
        return self._did("POST", f"/tickets/{ticket}/comments", json={"text": "by REST", "internal": internal})

    def change(self, ticket: int) -> bool:
        return self._did("PATCH", f"/tickets/{ticket}", json={"affected_site": "REST"}, headers={"If-Match": "*"})

    def open(self) -> bool:
        return self._did("POST", "/tickets", json={"subject": "by REST"})

    def see(self, system: str) -> bool:
        return self._did("GET", f"/systems/{system}")

    def register(self, system: str) -> bool:
        return self._did("POST", "/documents", json={"text": DOCUMENTS[system], "dry_run": True})

    def run(self, system: str) -> bool:
        return self._did("POST", f"/systems/{system}/acts", json={"act": "resume"})

    def stop(self) -> bool:
        return self._did("POST", "/status/stop", json={"act": "stop"})

    def see_people(self) -> bool:
        return self._did("GET", "/tokens")

    def manage_people(self) -> bool:
        return self._did("POST", "/tokens", json={"name": "x", "scopes": ["people"]})

    def see_audit(self) -> bool:
        return self._did("GET", "/audit")


class Soap:
    """By a login, and an access token as its password."""

    def __init__(self, served: Served, login: str) -> None:
        self._url, self._login, self._token = f"{served.address}/soap", login, served.house.token(login)

    def _said(self, operation: str, **fields: Any) -> Any:
        body = envelope(operation, ghd(**fields), who=self._login, password=self._token)
        answer = requests.post(self._url, data=body, headers={"SOAPAction": f"urn:GGUS/{operation}"}, timeout=120)
        said = raw.said(answer.content)
        assert said.fault is None or "Authentication" not in said.fault.says
        return None if said.fault else said.data

    def _modify(self, ticket: int, **fields: Any) -> bool:
        more = {"Request_ID": str(ticket), "Last_Modifier": self._login, "Last_Login": self._login}
        return self._said("TicketModify", **more, **fields) is not None

    def read(self, ticket: int) -> bool:
        return self._said("TicketGet", Request_ID=str(ticket)) is not None

    def read_internal(self, ticket: int) -> bool:
        return CANARY in repr(self._said("OpGetTicketHist", Request_ID=str(ticket)))

    def answer(self, ticket: int, *, internal: bool = False) -> bool:
        return self._modify(ticket, **{"Internal_Diary" if internal else "Public_Diary": "by SOAP"})

    def change(self, ticket: int) -> bool:
        return self._modify(ticket, Affected_Site="SOAP")

    def open(self) -> bool:
        more = {"Last_Modifier": self._login, "Last_Login": self._login}
        return self._said("OpCreate", Short_Description="by SOAP", **more) is not None


class Pages:
    """By a browser, in which they have signed in."""

    def __init__(self, served: Served, login: str) -> None:
        gate, self._login = served.house.interdesk.gate, login
        account = served.house.store.read(lambda tx: tx.accounts.find(login))
        assert account is not None
        cookie, _ = gate.admit(account)
        self._address, self._token = served.address, gate.form_token(cookie)
        self._headers = {"Cookie": f"{Cookies().name}={cookie}", "Accept": "text/html"}
        self._revision = lambda ticket: served.house.store.read(lambda tx: tx.tickets.get(ticket).revision)

    def _get(self, path: str) -> requests.Response:
        return requests.get(f"{self._address}{path}", headers=self._headers, allow_redirects=False, timeout=120)

    def _sent(self, path: str, **form: Any) -> bool:
        data = {FORM_FIELD: self._token, **form}
        answer = requests.post(
            f"{self._address}{path}", data=data, headers=self._headers, allow_redirects=False, timeout=120
        )
        assert answer.status_code in (200, 303, 403, 404, 409), answer.text
        return answer.status_code not in (403, 404)  # what cannot be done as things stand, or is not there, was allowed

    def read(self, ticket: int) -> bool:
        return self._get(f"/tickets/{ticket}").status_code == 200

    def read_internal(self, ticket: int) -> bool:
        return CANARY in self._get(f"/tickets/{ticket}").text

    def answer(self, ticket: int, *, internal: bool = False) -> bool:
        return self._sent(f"/tickets/{ticket}/answer", text="by hand", internal=str(internal).lower())

    def change(self, ticket: int) -> bool:
        changed = {"revision": self._revision(ticket), "affected_site": f"by {self._login}'s hand"}
        return self._sent(f"/tickets/{ticket}/change", **changed)

    def open(self) -> bool:
        return self._sent("/tickets/new", subject="by hand")

    def see(self, system: str) -> bool:
        return self._get(f"/systems/{system}").status_code == 200

    def register(self, system: str) -> bool:
        return self._get(f"/register/{system}").status_code == 200

    def run(self, system: str) -> bool:
        return self._sent(f"/systems/{system}/resume")

    def capture(self, system: str) -> bool:
        return self._sent("/bench/capture", system=system, key="1")

    def prove(self) -> bool:
        return self._get("/bench").status_code == 200

    def stop(self) -> bool:
        return self._sent("/work/stop")

    def see_people(self) -> bool:
        return self._get("/people").status_code == 200

    def manage_people(self) -> bool:
        return self._sent("/people", login=f"by-{self._login}")

    def see_audit(self) -> bool:
        return self._get("/audit").status_code == 200


class Mail:
    """By mail from the address of the account, which is proven. Nothing is read that way."""

    _numbers = itertools.count(1)
    _signer = Signer("a secret for tests alone", "desk.example")
    _reader = Reader(_signer, Policy((), "results", "mx.desk.example", Hour()), "GGUS")

    def __init__(self, served: Served, login: str) -> None:
        house = served.house
        self._store, self._login = house.store, login
        self._desk = MailDesk(house.store, house.tickets, house.interdesk.clock)

    def _became(self, subject: str, text: str, answers: str = "") -> Verdict:
        message = EmailMessage()
        message["Authentication-Results"] = "mx.desk.example; dmarc=pass header.from=example.org"
        message["From"], message["To"] = f"{self._login}@example.org", "helpdesk@desk.example"
        message["Subject"], message["Message-ID"] = subject, f"<{next(self._numbers)}@example.org>"
        if answers:
            message["References"] = f"<{answers}>"
        message.set_content(text)
        verdict = self._desk.take(self._reader.read(message.as_bytes()))
        assert verdict in (Verdict.OPENED, Verdict.ANSWERED, Verdict.QUARANTINED)
        return verdict

    def answer(self, ticket: int, *, internal: bool = False) -> bool:
        ours = self._signer.id("note1-internal" if internal else "note1", key_of(ticket))
        answered = self._became("Re: it", "by mail", ours) is Verdict.ANSWERED
        if answered:
            last = self._store.read(lambda tx: tx.tickets.comments(ticket)[-1])
            assert (last.text, last.visibility is Visibility.INTERNAL) == ("by mail", internal)
        return answered

    def answer_by_number(self, ticket: int) -> bool:
        return self._became(f"GGUS-Ticket-ID: #{ticket}", "by mail") is Verdict.ANSWERED

    def solve(self, ticket: int) -> bool:
        def stands() -> list[object]:
            found = self._store.read(lambda tx: tx.tickets.get(ticket))
            return [found[name] for name in ("status", "solution")]

        before = stands()
        self._became(f"GGUS-Ticket-ID: #{ticket} solved", "Status: solved\nSolution: it was rebooted")
        return stands() != before

    def open(self) -> bool:
        return self._became("jobs fail", "by mail") is Verdict.OPENED


DOORS: dict[str, Callable[[Served, str], Any]] = {"REST": Rest, "SOAP": Soap, "pages": Pages}
ON_TICKETS: dict[Action, Callable[[Any, int], bool]] = {
    Action.READ_TICKET: lambda door, ticket: door.read(ticket),
    Action.READ_INTERNAL: lambda door, ticket: door.read_internal(ticket),
    Action.ANSWER_TICKET: lambda door, ticket: door.answer(ticket),
    Action.WRITE_INTERNAL: lambda door, ticket: door.answer(ticket, internal=True),
    Action.CHANGE_TICKET: lambda door, ticket: door.change(ticket),
}
ON_SYSTEMS: dict[Action, Callable[[Any, str], bool]] = {
    Action.SEE_SYSTEM: lambda door, system: door.see(system),
    Action.REGISTER_SYSTEM: lambda door, system: door.register(system),
    Action.RUN_SYSTEM: lambda door, system: door.run(system),
}
"""Over SOAP and by mail nobody has to do with a system."""
ON_ALL: dict[Action, Callable[[Any], bool]] = {
    Action.STOP_EVERYTHING: lambda door: door.stop(),
    Action.SEE_PEOPLE: lambda door: door.see_people(),
    Action.MANAGE_PEOPLE: lambda door: door.manage_people(),
    Action.SEE_AUDIT: lambda door: door.see_audit(),
}
DOCUMENTS = {"ngi-cz": CZ, "ngi-de": DE}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    made = Served(tmp_path_factory.mktemp("matrix"))
    for login in ROLES:
        made.house.token(login)
    for ticket in (made.house.ours, made.house.theirs):
        made.house.tickets.comment(principal("carl"), ticket.id, CANARY, internal=True)
    yield made
    made.close()


@pytest.mark.parametrize("action", ON_TICKETS)
@pytest.mark.parametrize("thing", ["ours", "theirs"])
@pytest.mark.parametrize("door", DOORS)
def test_what_is_done_to_a_ticket_follows_the_table(served: Served, door: str, thing: str, action: Action) -> None:
    ticket = getattr(served.house, thing).id
    did = {login: ON_TICKETS[action](DOORS[door](served, login), ticket) for login in ROLES}
    assert did == {login: may(login, action, thing) for login in ROLES}


@pytest.mark.parametrize("action", [Action.ANSWER_TICKET, Action.WRITE_INTERNAL])
@pytest.mark.parametrize("thing", ["ours", "theirs"])
def test_what_is_said_on_a_ticket_by_mail_follows_the_table(served: Served, thing: str, action: Action) -> None:
    ticket, internal = getattr(served.house, thing).id, action is Action.WRITE_INTERNAL
    table = {login: may(login, action, thing) for login in ROLES}
    assert {login: Mail(served, login).answer(ticket, internal=internal) for login in ROLES} == table
    if not internal:  # a number in the subject, which anybody can write there, is worth no more and no less
        assert {login: Mail(served, login).answer_by_number(ticket) for login in ROLES} == table


@pytest.mark.parametrize("thing", ["ours", "theirs"])
def test_a_mail_sets_no_field_whoever_sends_it(served: Served, thing: str) -> None:
    ticket = getattr(served.house, thing).id
    assert {login: Mail(served, login).solve(ticket) for login in ROLES} == dict.fromkeys(ROLES, False)


@pytest.mark.parametrize("door", [*DOORS, "mail"])
def test_who_opens_tickets_follows_the_table(served: Served, door: str) -> None:
    make = {**DOORS, "mail": Mail}[door]
    did = {login: make(served, login).open() for login in ROLES}
    assert did == {login: may(login, Action.OPEN_TICKET, "ours") for login in ROLES}


@pytest.mark.parametrize(("door", "action"), [(door, each) for each in ON_SYSTEMS for door in ("REST", "pages")])
@pytest.mark.parametrize("system", ["ngi-cz", "ngi-de"])
def test_what_is_done_to_a_system_follows_the_table(served: Served, door: str, system: str, action: Action) -> None:
    did = {login: ON_SYSTEMS[action](DOORS[door](served, login), system) for login in ROLES}
    assert did == {login: may(login, action, system) for login in ROLES}


@pytest.mark.parametrize("system", ["ngi-cz", "ngi-de"])
def test_who_captures_records_of_a_system_follows_the_table(served: Served, system: str) -> None:
    did = {login: Pages(served, login).capture(system) for login in ROLES}
    assert did == {login: may(login, Action.CAPTURE_RECORDS, system) for login in ROLES}


def test_who_proves_mappings_follows_the_table(served: Served) -> None:
    did = {login: Pages(served, login).prove() for login in ROLES}
    assert did == {login: may(login, Action.PROVE_MAPPINGS, "ngi-cz") for login in ROLES}


@pytest.mark.parametrize(("door", "action"), [(door, each) for each in ON_ALL for door in ("REST", "pages")])
def test_what_is_done_to_the_whole_follows_the_table(served: Served, door: str, action: Action) -> None:
    did = {login: ON_ALL[action](DOORS[door](served, login)) for login in ROLES}
    assert did == {login: may(login, action, "") for login in ROLES}
    if action is Action.STOP_EVERYTHING:
        served.house.helm.let_go("carl")


def test_no_row_of_the_table_is_left_out() -> None:
    tried = {*ON_TICKETS, *ON_SYSTEMS, *ON_ALL, Action.OPEN_TICKET, Action.CAPTURE_RECORDS, Action.PROVE_MAPPINGS}
    assert tried == set(MATRIX)


def test_every_door_keeps_out_whoever_is_disabled(served: Served) -> None:
    house = served.house
    house.token("eve", grants=[ROLES["carl"]])
    doors, mail = {name: make(served, "eve") for name, make in DOORS.items()}, Mail(served, "eve")
    assert all(door.read(house.ours.id) for door in doors.values())
    assert mail.answer(house.ours.id)
    eve = house.store.read(lambda tx: tx.accounts.find("eve"))
    house.store.write(lambda tx: tx.accounts.save(eve.evolve(disabled_at=eve.created_at)))
    assert not doors["REST"].read(house.ours.id)
    assert not doors["pages"].read(house.ours.id)
    assert not mail.answer(house.ours.id)
    with pytest.raises(AssertionError):
        doors["SOAP"].read(house.ours.id)
