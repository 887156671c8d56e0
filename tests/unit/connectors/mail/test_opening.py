"""What an operator says is checked at once, with what is wrong in sentences."""

from datetime import UTC, datetime

import pytest

from connectors.environment import Environment
from connectors.errors import SettingsError
from connectors.mail.connector import MailConnector
from connectors.mail.profile import MailProfile
from connectors.mail.server import Server, server_of
from connectors.registry import model_of, open_connector, profiles

SAID = {
    "imap": "imaps://imap.near.example",
    "smtp": "smtp://mail.near.example",
    "user": "we",
    "password": "secret",
    "address": "we@near.example",
    "to": "desk@far.example",
    "secret": "a secret to sign with",
    "authserv_id": "mx.near.example",
}


def problems(name: str = "mail", **more: str) -> dict[str, str]:
    here = Environment(clock=lambda: datetime(2026, 3, 1, tzinfo=UTC))
    try:
        open_connector(name, SAID | more, system="s", environment=here).close()
    except SettingsError as wrong:
        return {str(path[0]): sentence for path, sentence in wrong.problems}
    return {}


def test_what_is_said_rightly_opens_a_connector_that_asks_nobody_yet() -> None:
    assert problems() == {}
    assert problems("mail-rt", tool="rt.far.example") == {}
    assert set(problems("mail-rt")) == {"tool"}


@pytest.mark.parametrize(
    ("more", "wrong"),
    [
        ({"imap": "https://imap.near.example"}, "imap"),
        ({"imap": "imap.near.example"}, "imap"),
        ({"smtp": "imaps://mail.near.example"}, "smtp"),
        ({"smtp": "smtps://user:password@mail.near.example"}, "smtp"),
        ({"address": "we"}, "address"),
        ({"to": "Desk <desk@far.example>"}, "to"),
        ({"to": "We@near.example"}, "to"),
        ({"authentication": "hope"}, "authentication"),
        ({"secret": "short"}, "secret"),
        ({"ca_file": "/no/such/file"}, "ca_file"),
        ({"pasword": "x"}, "pasword"),
    ],
)
def test_what_is_said_wrongly_is_told_at_its_place(more: dict[str, str], wrong: str) -> None:
    assert set(problems(**more)) == {wrong}


def test_results_of_nobody_are_not_believed() -> None:
    said = {name: value for name, value in SAID.items() if name != "authserv_id"}
    here = Environment(clock=lambda: datetime(2026, 3, 1, tzinfo=UTC))
    with pytest.raises(SettingsError, match="authserv_id is missing"):
        open_connector("mail", said, system="s", environment=here)


@pytest.mark.parametrize(
    ("said", "server"),
    [
        ("imaps://a.example", Server("imaps", "a.example", 993)),
        ("imap://a.example:1143", Server("imap", "a.example", 1143)),
        ("smtp+plain://localhost", Server("smtp+plain", "localhost", 25)),
    ],
)
def test_an_address_says_how_it_is_protected(said: str, server: Server) -> None:
    found = server_of(said, said[:4])
    assert found == server
    assert (found.at_once, found.later) == (said.startswith("imaps"), said.startswith("imap:"))


def test_a_profile_of_the_family_is_known_by_it_and_checked() -> None:
    data = profiles()["mail"].model_dump(mode="json")
    assert model_of(data) is MailProfile
    assert MailProfile.model_validate(data) == profiles()["mail"]
    with pytest.raises(ValueError, match="number"):
        MailProfile.model_validate(data | {"number": "[Ticket]"})
    with pytest.raises(ValueError, match="missing: description"):
        MailProfile.model_validate(data | {"fields": {"subject": {"label": "Subject"}}})


def test_the_shipped_profiles_speak_of_the_fields_that_the_mapping_speaks_of() -> None:
    names = {tuple(profile.fields) for profile in profiles().values() if isinstance(profile, MailProfile)}
    assert len(names) == 1
    here = Environment(clock=lambda: datetime(2026, 3, 1, tzinfo=UTC))
    opened = open_connector("mail", SAID, system="s", environment=here)
    assert isinstance(opened, MailConnector)
    opened.close()
