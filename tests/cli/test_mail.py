"""`mail …`: what was not believed, until somebody has looked at it."""

import pytest

from central.desk.mail.intake import MailDesk
from central.desk.tickets import TicketDesk
from connectors.mail.profile import Hour
from connectors.mail.threads import Signer
from connectors.mail.trust import Policy
from sync.bootstrap import Interdesk
from sync.mailroom import Reader
from sync.settings import settings

SECRET = "a secret for tests alone"
DOCUMENT = """kind: instance
name: help
mail: {address: help@desk.example, secret: {secret: "env:INTERDESK_SECRET_MARKS"}}
"""
FORGED = b"From: <alice@example.org>\r\nMessage-ID: <1@x>\r\nSubject: \x1b[2Jjobs fail\r\n\r\nsince noon\r\n"


@pytest.fixture
def quarantined(desk, monkeypatch):
    """A desk with one mail in quarantine."""
    (desk.folder / "interdesk.yaml").write_text(DOCUMENT)
    monkeypatch.setenv("INTERDESK_SECRET_MARKS", SECRET)
    assert desk.type("db", "upgrade").code == 0
    with Interdesk(settings({"INTERDESK_STATE": str(desk.folder / "var")})) as inside:
        door = MailDesk(inside.store, TicketDesk(inside.store, inside.centre), inside.clock)
        reader = Reader(Signer(SECRET, "desk.example"), Policy((), "results", "mx", Hour()), "GGUS")
        door.take(reader.read(FORGED))
    return desk


def test_a_mail_is_shown_without_steering_the_terminal_and_released_once(quarantined) -> None:
    (waiting,) = quarantined.type("mail", "list", "--json").data
    assert (waiting["sender"], waiting["verdict"]) == ("alice@example.org", "quarantined")
    shown = quarantined.type("mail", "show", "1")
    assert "since noon" in shown.out
    assert "\x1b" not in shown.out
    released = quarantined.type("mail", "release", "1")
    assert (released.code, "opened, ticket 1" in released.out) == (0, True)
    again = quarantined.type("mail", "release", "1")
    assert (again.code, "is not in quarantine" in again.err) == (2, True)
    assert quarantined.type("mail", "list", "--json").data == []


def test_a_mail_is_discarded(quarantined) -> None:
    assert quarantined.type("mail", "discard", "1", "--why", "spam").code == 0
    (gone,) = quarantined.type("mail", "list", "--all", "--json").data
    assert (gone["verdict"], gone["why"]) == ("discarded", "spam")
    assert quarantined.type("mail", "discard", "99").code == 2


def test_without_mail_nothing_is_released(quarantined) -> None:
    (quarantined.folder / "interdesk.yaml").write_text("kind: instance\nname: help\n")
    told = quarantined.type("mail", "release", "1")
    assert (told.code, "this desk has no mail" in told.err) == (2, True)
