"""What an operator has a hand in goes live by no door before both sides have signed what is lost in its translation."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from central.account import Grant, Role
from connectors.emulators.rt import RtEmulator
from mappings import library
from tests.desk.served import Served

BOB = (Grant(Role.OPERATOR, "ngi-xx"), Grant(Role.SUPPORTER, "NGI_XX"))


@pytest.fixture
def rt() -> Iterator[RtEmulator]:
    with RtEmulator(lambda: datetime.now(UTC)) as emulator:
        yield emulator


@pytest.fixture
def served(tmp_path, rt) -> Iterator[Served]:
    (tmp_path / "interdesk.yaml").write_text("kind: instance\nname: ggus\nallowed_networks: [127.0.0.0/8]\n")
    made = Served(tmp_path, furnished=False)
    made.house.token("bob", grants=BOB)
    for name in ("ngi-xx", "ngi-yy"):
        made.house.helm.seal(name, "token", rt.token, "carl", settings={"url": rt.url})
    yield made
    made.close()


def document(rt: RtEmulator, name: str) -> dict[str, object]:
    text = f"""\
kind: system
name: {name}
connector: rt
settings: {{url: "{rt.url}", queue: {rt.queue}, external_id: ExternalId, token: {{secret: "sealed:token"}}}}
mapping: rt
support_units: [{name.upper().replace("-", "_")}]
contacts: [ops@example.org]
"""
    return {"json": {"text": text}}


def test_a_document_that_an_operator_applied_over_rest_goes_live_when_both_sides_have_signed_there(served, rt) -> None:
    bob, carl, live = served.api("bob"), served.api("carl"), {"json": {"act": "live"}}
    assert bob.ask("POST", "/documents", **document(rt, "ngi-xx")).status_code == 200
    for api in (bob, carl):
        told = api.refused("POST", "/systems/ngi-xx/acts", **live)
        assert told == (409, "what is lost is still to be signed for the system and the centre")
    stated = bob.get("/systems/ngi-xx/losses")
    assert (bool(stated["outward"]), stated["signed"]) == (True, [])

    def sign(side: str, digest: str) -> dict[str, object]:
        return {"json": {"side": side, "digest": digest}}

    path, digest = "/systems/ngi-xx/losses/signatures", stated["digest"]
    assert "the central team's" in bob.refused("POST", path, **sign("centre", digest))[1]
    assert "another one by now" in bob.refused("POST", path, **sign("system", "0" * 64))[1]
    assert bob.ask("POST", path, **sign("system", digest)).status_code == 201
    assert "for the centre" in bob.refused("POST", "/systems/ngi-xx/acts", **live)[1]
    signed = carl.ask("POST", path, **sign("centre", digest)).json()["signed"]
    assert {each["side"]: each["by"] for each in signed} == {"system": "bob", "centre": "carl"}
    assert bob.ask("POST", "/systems/ngi-xx/acts", **live).json()["state"] == "live"


def test_the_central_team_answers_itself_for_what_it_applies_by_hand(served, rt) -> None:
    carl = served.api("carl")
    assert carl.ask("POST", "/documents", **document(rt, "ngi-yy")).status_code == 200
    assert carl.ask("POST", "/systems/ngi-yy/acts", json={"act": "live"}).json()["state"] == "live"


def test_an_operator_who_changes_what_is_not_live_yet_has_a_hand_in_it_by_whichever_act(served, rt) -> None:
    bob, carl, live = served.api("bob"), served.api("carl"), {"json": {"act": "live"}}
    carl.ask("POST", "/documents", **document(rt, "ngi-xx"))
    assert bob.ask("POST", "/documents", **document(rt, "ngi-xx")).json()["items"][0]["change"] == "unchanged"
    other = document(rt, "ngi-xx")["json"]["text"].replace("ops@", "noc@")
    assert carl.ask("POST", "/documents", json={"text": other}).status_code == 200
    assert bob.ask("POST", "/documents/system/ngi-xx/revisions/1/rollback", json={}).status_code == 200
    assert "still to be signed" in carl.refused("POST", "/systems/ngi-xx/acts", **live)[1]


def test_an_operator_who_changes_the_mapping_of_what_is_not_live_yet_has_a_hand_in_it_too(served, rt) -> None:
    bob, carl = served.api("bob"), served.api("carl")
    mapping = library.shipped("rt").source.replace("name: rt\n", "name: rt-xx\n", 1)
    system = document(rt, "ngi-xx")["json"]["text"].replace("mapping: rt\n", "mapping: rt-xx\n")
    assert carl.ask("POST", "/documents", json={"text": f"{mapping}\n---\n{system}"}).status_code == 200
    changed = mapping.replace("name: rt-xx\n", "name: rt-xx\n# as we use them\n", 1)
    assert bob.ask("POST", "/documents", json={"text": changed}).json()["items"][0]["change"] == "changed"
    assert "still to be signed" in carl.refused("POST", "/systems/ngi-xx/acts", json={"act": "live"})[1]
