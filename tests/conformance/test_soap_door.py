"""Our own GGUS profile against our own SOAP door: whoever spoke to GGUS speaks to us, wherever a connection breaks."""

import base64
import itertools
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace

import pytest
import requests

from central.desk.services.tickets import Upload
from central.desk.soap.fields import FIELD_OF
from central.model import Person
from connectors.api import CommentDraft, Connector, RemoteTicket, Value
from connectors.errors import ConnectorError
from connectors.registry import open_connector
from connectors.testing import ConnectorConformance, FaultConformance, Stand
from connectors.testing.emulated import Clock, environment
from connectors.testing.troubled import Trouble
from sync.centre import Centre
from tests.conformance.cutting import PLACES, Cut, Wire
from tests.unit.central.desk.soap.hotline import Hotline, envelope, gat, ghd
from tests.unit.sync.world import World

ALICE = Person("alice", "alice", "alice@example.org")


class People:
    """Alice, at work at the centre."""

    def __init__(self, centre: Centre) -> None:
        self._centre = centre

    def open(self, subject: str, description: str) -> str:
        values = {"subject": subject, "description": description, "unit": "NGI_CZ"}
        return str(self._centre.open(values, ALICE).id)

    def change(self, key: str, field: str, value: Value) -> None:
        self._centre.change(int(key), {FIELD_OF[field]: value}, ALICE)

    def say(self, key: str, text: str, *, internal: bool = False, files: Mapping[str, bytes] | None = None) -> None:
        uploads = [Upload(name, "text/plain", [content]) for name, content in (files or {}).items()]
        self._centre.comment(int(key), text, ALICE, internal=internal, files=uploads)

    def reword(self, key: str, comment_id: str, text: str) -> None:
        raise AssertionError("GGUS's diaries are not edited")


class TestOurOwnDoor(ConnectorConformance, FaultConformance):
    @pytest.fixture
    def stand(self) -> Iterator[Stand]:
        clock, world = Clock(), World()
        around = environment(clock)
        trouble = Trouble(2 * around.max_answer)

        def opened(password: str) -> Connector:
            settings = {"url": line.url, "user": "ngi-cz", "unit": "NGI_CZ", "password": password}
            return open_connector("ggus", settings, system="s", environment=replace(around, wire=trouble))

        with Hotline(world, clock=clock) as line:
            connector = opened("ngi-cz")
            yield Stand(
                connector,
                People(line.centre),
                "GHD_Short_Description",
                "GHD_Description",
                refused=("GHD_Status", "verified"),
                stranger=lambda: opened("wrong-secret"),
                secrets=("wrong-secret",),
                many=0,
                settle=clock.step,
                faults=trouble.faults,
            )
            connector.close()


CUTS = [Cut(message, place) for message in ("request", "answer") for place in PLACES]
_NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def line() -> Iterator[Hotline]:
    with Hotline(largest=2_000_000) as line:
        yield line


@pytest.fixture(scope="module")
def wire(line: Hotline) -> Iterator[Wire]:
    with Wire(int(line.url.rpartition(":")[2])) as wire:
        yield wire


@pytest.fixture
def connector(wire: Wire) -> Iterator[Connector]:
    settings = {"url": wire.url, "user": "ngi-cz", "unit": "NGI_CZ", "password": "ngi-cz"}
    connector = open_connector("ggus", settings, system="s", environment=environment(Clock()))
    yield connector
    connector.close()


def say(wire: Wire, cut: Cut, operation: str, body: Mapping[str, str]) -> None:
    """Call an operation as interfaces of old do, with the wire cut there. What is answered, if it is, is lost."""
    wire.next = (operation.encode(), cut)
    with suppress(requests.RequestException):
        requests.post(f"{wire.url}/soap", envelope(operation, body), timeout=120)
    assert wire.next is None, "it was not cut"


def named(cut: Cut) -> str:
    return f"the {cut.message} is cut {cut.place}"


@pytest.mark.parametrize("cut", CUTS, ids=named)
def test_a_ticket_that_is_handed_in_again_after_a_cut_is_one_ticket(line: Hotline, wire: Wire, cut: Cut) -> None:
    origin = f"RT-{next(_NUMBERS)}"
    body = ghd(Short_Description="jobs fail", Last_Modifier="m", Last_Login="l", Origin_SG="NGI_XX", Origin_ID=origin)
    say(wire, cut, "OpCreate", body)
    number = line.call("OpCreate", body)["GHD_Request_ID"]
    assert line.call("OpCreate", body)["GHD_Request_ID"] == number
    assert line.world.store.read(lambda tx: list(tx.origins.tickets(origin, "NGI_XX"))) == [int(number)]
    assert line.get(number)["GHD_Short_Description"] == "jobs fail"


@pytest.mark.parametrize("cut", CUTS, ids=named)
def test_a_change_that_is_said_again_after_a_cut_is_made_once(line: Hotline, wire: Wire, cut: Cut) -> None:
    number = line.create(Responsible_Unit="NGI_CZ")
    first = line.world.ticket(int(number)).revision
    said = ghd(Request_ID=number, Last_Modifier="m", Last_Login="l", Affected_Site="prague", Status="in progress")
    say(wire, cut, "TicketModify", said)
    line.modify(number, Affected_Site="prague", Status="in progress")
    ticket = line.world.ticket(int(number))
    assert (ticket["affected_site"], ticket["status"]) == ("prague", "in progress")
    assert ticket.revision == first + 1


@pytest.mark.parametrize("cut", CUTS, ids=named)
def test_a_file_whose_call_is_cut_is_there_whole_or_not_at_all_and_is_hung_once(
    line: Hotline, wire: Wire, cut: Cut
) -> None:
    number, content = line.create(Responsible_Unit="NGI_CZ"), bytes(range(256)) * 6000  # too large to lie in memory
    body = gat(
        Request_ID=number,
        Last_Modifier="m",
        Last_Login="l",
        Attachment_Name="log",
        Attachment_Orig_Size=str(len(content)),
        Attachment_Data=base64.b64encode(content).decode(),
    )
    say(wire, cut, "AddAttachment", body)
    files = line.world.store.read(lambda tx: list(tx.tickets.files(int(number))))
    whole = cut.message == "answer" or cut.place == "behind its last byte"
    assert [each.size for each in files] == [len(content)] * whole
    assert "GAT_Attachment_ID" in line.call("AddAttachment", body)
    assert len(line.world.store.read(lambda tx: list(tx.tickets.files(int(number))))) == 1


@pytest.mark.parametrize("cut", CUTS, ids=named)
def test_a_connector_that_looks_before_it_writes_again_makes_one_ticket_with_one_comment(
    wire: Wire, connector: Connector, cut: Cut
) -> None:
    token, mark = (f"7Q-{next(_NUMBERS):012X}" for _ in range(2))
    fields = {"GHD_Short_Description": f"once {token}", "GHD_Description": "since noon"}
    wire.next = (b"OpCreate", cut)
    with suppress(ConnectorError):
        connector.create(fields, token=token)
    assert wire.next is None
    found = connector.find(token, Clock()())
    ticket = found if isinstance(found, RemoteTicket) else connector.create(fields, token=token)

    def comments() -> list[str | None]:
        return [each.token for each in connector.fetch(ticket.key, known=()).comments or ()]

    wire.next = (b"GHD_Public_Diary", cut)
    with suppress(ConnectorError):
        connector.comment(ticket.key, CommentDraft("once"), token=mark)
    assert wire.next is None
    if mark not in comments():
        connector.comment(ticket.key, CommentDraft("once"), token=mark)
    assert comments() == [mark]
    subjects = [(each.fields or {}).get("GHD_Short_Description") for each in connector.scan("").changes]
    assert subjects.count(f"once {token}") == 1
