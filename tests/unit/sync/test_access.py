"""Systems that were stopped for their credentials: they try again with others, and by themselves only then."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from central.instance import Instance
from central.registry import System, SystemState
from central.store.memory import MemoryStore
from connectors.errors import AccessError
from sync import access, live
from sync.access import digest, is_outdated, kept, lock_out, readmit
from sync.gateway import Gateway
from sync.gateways import Unusable
from sync.secrets import MissingSecret, Secrets
from tests.unit.sync.world import TPM, World, failing, once

AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
CZ = {"url": "https://rt.example.cz", "token": {"secret": "env:INTERDESK_SECRET_CZ"}}
LIVE = System("ngi-cz", SystemState.LIVE, 1, cursor={"at": "x"})


def credentials(settings=CZ, token: str = "one", networks: tuple[str, ...] = ()) -> str:
    return digest(settings, Secrets({"INTERDESK_SECRET_CZ": token, "INTERDESK_SECRET_B": token}).look_up, networks)


def test_credentials_are_others_when_the_value_the_place_or_the_networks_are() -> None:
    assert credentials() == credentials()
    others = [
        credentials(token="two"),
        credentials({**CZ, "url": "https://rt2.example.cz"}),
        credentials(networks=("x",)),
    ]
    assert len({credentials(), *others}) == 4


def test_another_reference_to_the_same_secret_is_the_same_credential() -> None:
    assert credentials() == credentials({**CZ, "token": {"secret": "env:INTERDESK_SECRET_B"}})


def test_a_missing_secret_is_told() -> None:
    with pytest.raises(MissingSecret):
        digest(CZ, Secrets({}).look_up)


class Desks:
    """Gateways whose credentials are what they are said to be; '' for a system that cannot be used."""

    def __init__(self, now: str) -> None:
        self.now = now

    def get(self, system: str) -> Gateway:
        if not self.now:
            raise Unusable("the secret is missing")
        whole = World().mesh.gateways.get("ngi-cz")
        return replace(whole, credentials=self.now, lockouts=0)

    def names(self):
        return ("ngi-cz",)

    def units(self):
        return {}


class Office:
    """A store with one system that was turned away with the credentials `old`."""

    def __init__(self, **changes) -> None:
        self.store = MemoryStore()
        self.store.write(lambda tx: tx.instance.put(Instance("id-1")))
        turned_away = kept(self.store, Desks("old").get("ngi-cz"))
        stopped = replace(lock_out(LIVE, "AccessError: 401", AT, turned_away=turned_away), **changes)
        self.store.write(lambda tx: tx.registry.put_system(stopped))

    def readmit(self, now: str) -> tuple[str, ...]:
        return readmit(self.store, Desks(now), AT, "ada")

    @property
    def system(self) -> System:
        return self.store.read(lambda tx: tx.registry.system("ngi-cz"))


def test_what_was_turned_away_tries_again_with_other_credentials_and_the_act_is_on_record() -> None:
    office = Office()
    assert office.readmit("old") == ()
    assert office.system.state is SystemState.PAUSED
    assert office.readmit("new") == ("ngi-cz",)
    assert (office.system.state, office.system.reason, office.system.open_problem) == (SystemState.LIVE, "", False)
    (entry,) = office.store.read(lambda tx: tx.audit.list())
    assert (entry.by, entry.act, entry.subject) == ("ada", "try again with other credentials", "ngi-cz")
    assert office.readmit("newer") == (), "it is live"


def test_what_cannot_be_put_together_stays_as_it_is_and_is_tried_once_it_can() -> None:
    office = Office(turned_away="")  # it was stopped because its secret was missing
    assert office.readmit("") == ()
    assert office.readmit("found") == ("ngi-cz",)


def test_what_a_person_paused_is_never_set_going() -> None:
    for office in (Office(), Office(state=SystemState.LIVE)):
        office.store.write(lambda tx: live.pause(tx, "ngi-cz", "paused by ada"))
        assert office.readmit("new") == ()
        assert office.system.reason == "paused by ada"


def test_a_look_under_way_does_not_turn_a_persons_pause_into_a_lockout() -> None:
    paused = replace(LIVE, state=SystemState.PAUSED, reason="paused by ada")
    after = lock_out(paused, "AccessError: 401", AT, turned_away="x")
    assert (after.reason, after.open_problem, after.last_error) == ("paused by ada", False, "AccessError: 401")


def test_nothing_that_is_kept_is_the_secret_or_a_plain_hash_of_it() -> None:
    office = Office()
    assert office.system.turned_away
    assert office.system.turned_away not in ("old", digest({}, lambda _: "old"))
    assert "credentials" not in repr(Desks("old").get("ngi-cz"))


def test_two_instances_keep_different_hashes_of_the_same_credentials() -> None:
    office = Office()
    office.store.write(lambda tx: tx.instance.put(Instance("id-2")))
    assert kept(office.store, Desks("old").get("ngi-cz")) != office.system.turned_away


def test_a_connection_that_is_older_than_the_last_lockout_says_nothing() -> None:
    gateway = Desks("old").get("ngi-cz")
    assert not is_outdated(gateway, LIVE)
    assert is_outdated(gateway, replace(LIVE, lockouts=1))
    assert is_outdated(gateway, replace(LIVE, revision=2))
    assert not is_outdated(replace(gateway, lockouts=None), replace(LIVE, lockouts=1))


def test_a_lane_with_credentials_of_before_puts_its_look_back_and_stops_nobody() -> None:
    world = World()
    world.shared()
    gateways, lane = world.mesh.gateways, world.mesh._lanes["ngi-pl"]
    gateways._gateways["ngi-pl"] = replace(gateways.get("ngi-pl"), lockouts=0)
    world.store.write(lambda tx: tx.registry.put_system(replace(tx.registry.system("ngi-pl"), lockouts=1)))
    once(world.redmine.connector, "fetch", failing(AccessError("401")), done=False)
    world.centre.change(1, {"subject": "B"}, TPM)
    lane.step()
    assert world.store.read(lambda tx: tx.registry.system("ngi-pl")).state is SystemState.LIVE
    assert world.end() == []
    assert world.issue(world.redmine).fields["subject"] == "B"


def test_the_words_of_recovery_take_everything_back() -> None:
    assert access.recovered(lock_out(LIVE, "AccessError: 401", AT, turned_away="x")) == replace(LIVE, lockouts=1)
