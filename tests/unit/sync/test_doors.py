"""The doors of a whole interdesk: accounts of its own database, over real HTTP."""

from pathlib import Path

import pytest
import requests

from central.account import Account, Grant, Role
from central.desk.auth import Gate
from sync.bootstrap import Interdesk
from sync.serving import Server
from sync.settings import settings
from tests.unit.central.desk.soap.hotline import envelope, ghd


@pytest.fixture
def desk(tmp_path: Path):  # type: ignore[no-untyped-def]
    said = {"INTERDESK_STATE": str(tmp_path), "INTERDESK_LISTEN": "127.0.0.1:18350"}
    with Interdesk(settings(said), exclusive=True, create=True) as desk:
        yield desk


def test_an_account_calls_the_soap_door_of_a_running_interdesk(desk: Interdesk) -> None:
    password = Gate(desk.store, desk.clock).passwords.hash("correct horse battery")
    account = Account("ngi-cz", "NGI_CZ", "", frozenset({Grant(Role.CENTRAL)}), desk.clock(), password)
    desk.store.write(lambda tx: tx.accounts.create(account))

    def call(word: str, operation: str, **body: str) -> requests.Response:
        said = envelope(operation, ghd(**body), who="ngi-cz", password=word)
        return requests.post(f"{server.address}/soap", data=said, timeout=120)

    with Server(desk) as server:
        made = call(
            "correct horse battery", "OpCreate", Short_Description="s", Last_Modifier="m", Last_Login="l", Origin_ID="7"
        )
        assert "<GHD_Request_ID>1</GHD_Request_ID>" in made.text
        told = call("correct horse battery", "TicketGet", Request_ID="1")
        assert "<GHD_Origin_ID>7</GHD_Origin_ID>" in told.text
        assert "ERROR (623)" in call("wrong horse", "TicketGet", Request_ID="1").text
        assert f'location="{server.address}/soap"' in requests.get(f"{server.address}/soap?wsdl", timeout=120).text
