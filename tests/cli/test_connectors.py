"""`connector …` as an operator types it: the kinds there are, and a new one tried out against a live system."""

from datetime import UTC, datetime
from importlib.resources import files

import pytest

from connectors.emulators.plain import PlainEmulator

OURS = (files("connectors.profiles") / "plain.yaml").read_text("utf-8").replace("name: plain", "name: ours")
MAPPING = "kind: mapping\nname: ours\nextends: plain\nconnector: ours\n"
SYSTEM = """\
kind: system
name: ngi-de
connector: ours
settings: {{url: "{url}", key: {{secret: "env:INTERDESK_SECRET_NGI_DE"}}}}
mapping: ours
support_units: [NGI_DE]
"""


@pytest.fixture
def theirs(monkeypatch: pytest.MonkeyPatch):
    with PlainEmulator(lambda: datetime.now(UTC)) as emulator:
        monkeypatch.setenv("INTERDESK_SECRET_NGI_DE", emulator.key)
        yield emulator


def test_every_kind_of_tracker_is_listed_those_that_were_registered_too(desk) -> None:
    names = {each["name"]: each["comes"] for each in desk.type("connector", "list", "--json").data}
    assert names["rt"] == "with interdesk"
    assert "ours" not in names
    desk.type("apply", desk.write(OURS))
    assert {each["name"]: each["comes"] for each in desk.type("connector", "list", "--json").data}[
        "ours"
    ] == "registered, revision 1"
    assert "registered, revision 1" in desk.type("connector", "list").out


def test_one_kind_tells_its_settings_its_powers_and_its_mails(desk) -> None:
    said = desk.type("connector", "show", "rt").out
    assert "the queue's name" in said
    assert "an automatic reply to the requestor" in said
    assert desk.type("connector", "show", desk.write(OURS)).out.startswith("ours: Plain, over rest")
    assert desk.type("connector", "show", "redmin").err.count("did you mean 'redmine'?") == 1


def test_the_schema_of_profiles_is_printed_for_editors(desk) -> None:
    assert "listing" in desk.type("connector", "schema").data["properties"]


def test_a_system_that_is_not_registered_is_tried_out_by_reading_only(desk, theirs: PlainEmulator) -> None:
    key = theirs.tracker.person("alice").open(subject="jobs fail", description="since noon")
    said = desk.type("connector", "probe", desk.write(SYSTEM.format(url=theirs.url), OURS))
    assert said.code == 0
    assert f"ticket {key}, version" in said.out
    assert "subject 'jobs fail'" in said.out
    assert said.out.rstrip().endswith("all was understood")
    assert desk.type("system", "list", "--json").data == []
    assert sum(theirs.counts[kind] for kind in ("create", "update", "comment")) == 0


def test_what_a_profile_reads_from_the_wrong_place_is_told(desk, theirs: PlainEmulator) -> None:
    theirs.tracker.person("alice").open(subject="jobs fail", description="since noon")
    wrong = OURS.replace("subject: {at: subject", "subject: {at: title")
    said = desk.type("connector", "probe", desk.write(SYSTEM.format(url=theirs.url), wrong))
    assert "no ticket of these 1 has a value for subject" in said.out
    lost = OURS.replace('path: "/tickets/{key}"}\n  version', 'path: "/ticket/{key}"}\n  version')
    said = desk.type("connector", "probe", desk.write(SYSTEM.format(url=theirs.url), lost))
    assert said.code == 1
    assert "see that the path of this request is right" in said.out


def test_with_leave_to_write_one_ticket_goes_through_everything(desk, theirs: PlainEmulator) -> None:
    documents = desk.write(SYSTEM.format(url=theirs.url), OURS)
    said = desk.type("connector", "probe", documents, "--write", "--set", "subject=interdesk on trial")
    assert said.code == 0, said.out
    assert "is found by its token" in said.out
    assert "a hidden comment is read back as hidden" in said.out
    assert "a file comes back byte for byte" in said.out
    assert theirs.counts["create"] == 1


def test_leave_to_write_without_saying_what_is_a_mistake(desk, theirs: PlainEmulator) -> None:
    documents = desk.write(SYSTEM.format(url=theirs.url), OURS)
    assert desk.type("connector", "probe", documents, "--write").code == 2
    assert desk.type("connector", "probe", documents, "--set", "subject=x").code == 2
    assert desk.type("connector", "probe", documents, "--write", "--set", "subject").code == 2


def test_a_registered_system_is_tried_out_by_its_name(desk, theirs: PlainEmulator) -> None:
    assert desk.type("apply", desk.write(SYSTEM.format(url=theirs.url), MAPPING, OURS)).code == 0
    assert desk.type("connector", "probe", "ngi-de").code == 0
    assert desk.type("connector", "probe", "ngi-fr").code == 2


def test_a_profile_is_sketched_from_what_the_product_publishes(desk) -> None:
    said = desk.type("connector", "new", "hub", "--openapi", "tests/unit/connectors/hub.openapi.yaml")
    assert said.code == 0
    assert desk.type("connector", "show", desk.write(said.out)).out.startswith("hub: Help Hub, over rest")
    assert desk.type("connector", "new", "hub").code == 2
    assert desk.type("connector", "new", "Hub", "--openapi", "x").code == 2
    assert "cannot be read" in desk.type("connector", "new", "hub", "--openapi", "no-such-file").err
    assert "it is neither JSON nor YAML" in desk.type("connector", "new", "hub", "--openapi", desk.write("a: [")).err
