"""A ServiceNow watch list is our CC, member by member, through the whole engine: both sides add and remove, and who is
none of ours stays where they put them."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from central.model import Person, Ticket
from connectors.emulators.server import Fault
from connectors.emulators.servicenow import Quirks, ServiceNowEmulator
from connectors.emulators.servicenow_rows import sys_id
from mappings.loader import read
from sync import live, registration
from sync.bootstrap import Interdesk
from sync.engine import SyncEngine
from sync.lane import Lane
from sync.poll import poll, scan
from sync.settings import settings
from tests.unit.sync.test_zammad_member import Time

TPM = Person("tpm", "Tess from TPM")
DAVE = sys_id("user", "dave")
"""Somebody who was picked on the form: no mail address, and no word of ours."""
DOCUMENTS = """
kind: system
name: ngi-ch
connector: servicenow
settings:
  url: "{url}"
  group: Grid
  account: "{account}"
  client_id: "{client}"
  client_secret: {{secret: "env:INTERDESK_SECRET_CH"}}
mapping: watched
support_units: [NGI_CH]
---
kind: mapping
name: watched
extends: servicenow
fields: {{cc: {{set: {{words: {words}}}}}}}
"""
THE_SAME, OURS = "{}", "{alice@x.org: Alice@x.org, bob@x.org: bob@x.org}"


class Watched:
    """One ticket that both have, stepped by hand."""

    def __init__(self, folder: Path, now: ServiceNowEmulator, time: Time, words: str) -> None:
        self.now, self.time = now, time
        config = folder / "interdesk.yaml"
        config.write_text("kind: instance\nname: here\nallowed_networks: [127.0.0.0/8]\n")
        environ = {"INTERDESK_CONFIG": str(config), "INTERDESK_SECRET_CH": now.client_secret}
        text = DOCUMENTS.format(url=now.url, account=now.login, client=now.client_id, words=words)
        self.desk = desk = Interdesk(settings(environ, state=folder), create=True, clock=time)
        documents = read(text, "test.yaml")
        desk.store.write(lambda tx: registration.apply(tx, documents, desk.connectors, time(), by="test"))
        desk.gateways.refresh()
        self.lane = Lane(desk.means, SyncEngine(desk.means), desk.gateways, "ngi-ch", owner="test", spread=lambda: 0.5)
        live.go_live(desk, "ngi-ch")
        self.bob = now.tracker.person("bob")
        self.key = self.bob.open(short_description="CE refuses jobs", description="since noon", assignment_group="Grid")
        self.settle()

    def settle(self) -> None:
        for _ in range(20):
            self.time.now += timedelta(minutes=2)
            poll(self.desk.means, self.desk.gateways.get("ngi-ch"))
            steps = 0
            while self.lane.step() is not None:
                steps += 1
                assert steps < 100, "something ping-pongs"
            if steps == 0 and self.lane.next_due_at() is None:
                return
        raise AssertionError("not quiet after twenty rounds")

    def ticket(self) -> Ticket:
        link = self.desk.store.read(lambda tx: tx.links.find_by_key("ngi-ch", self.key))
        assert link is not None
        return self.desk.store.read(lambda tx: tx.tickets.get(link.ticket_id))

    def set_here(self, *members: str) -> None:
        self.desk.centre.change(self.ticket().id, {"cc": members}, TPM)

    def set_there(self, *members: str) -> None:
        self.bob.edit(self.key, watch_list=",".join(members))

    @property
    def here(self) -> set[str]:
        return set(self.ticket()["cc"] or ())

    @property
    def there(self) -> set[str]:
        return set(str(self.now.tracker.issue(self.key).fields.get("watch_list") or "").split(",")) - {""}


@pytest.fixture
def watched(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Watched]:
    time = Time()
    with ServiceNowEmulator(time, people=["alice", "bob", "dave"]) as now:
        made = Watched(tmp_path, now, time, getattr(request, "param", THE_SAME))
        yield made
        made.desk.close()


ONLY_OURS = pytest.mark.parametrize("watched", [OURS], indirect=True, ids=["with words"])


def test_whom_either_side_adds_and_removes_is_added_and_removed_on_the_other(watched: Watched) -> None:
    watched.set_here("alice@x.org", "bob@x.org")
    watched.settle()
    assert watched.there == {"alice@x.org", "bob@x.org"}
    watched.set_there("alice@x.org", "bob@x.org", "carol@x.org")
    watched.settle()
    assert watched.here == {"alice@x.org", "bob@x.org", "carol@x.org"}
    watched.set_here("alice@x.org", "carol@x.org")
    watched.settle()
    assert watched.there == {"alice@x.org", "carol@x.org"}
    watched.set_there("carol@x.org")
    watched.settle()
    assert watched.here == watched.there == {"carol@x.org"}
    watched.set_here()
    watched.settle()
    assert watched.here == watched.there == set()


def test_what_both_do_between_two_looks_is_done_on_both(watched: Watched) -> None:
    watched.set_here("alice@x.org", "bob@x.org")
    watched.settle()
    watched.set_here("bob@x.org", "carol@x.org")
    watched.set_there("alice@x.org", "bob@x.org", "erin@x.org")
    watched.settle()
    assert watched.here == watched.there == {"bob@x.org", "carol@x.org", "erin@x.org"}


@ONLY_OURS
def test_who_is_none_of_ours_stays_there_and_stays_out_of_ours(watched: Watched) -> None:
    watched.set_there(DAVE, "zoe@x.org")
    watched.settle()
    watched.set_here("alice@x.org", "guest@x.org")
    watched.settle()
    assert (watched.here, watched.there) == ({"alice@x.org", "guest@x.org"}, {DAVE, "zoe@x.org", "Alice@x.org"})
    watched.set_there(DAVE, "bob@x.org")
    watched.settle()
    assert (watched.here, watched.there) == ({"bob@x.org", "guest@x.org"}, {DAVE, "bob@x.org"})
    watched.set_here()
    watched.settle()
    assert (watched.here, watched.there) == (set(), {DAVE})


@pytest.mark.parametrize("tells_audit", [True, False], ids=["by its audit", "by its list alone"])
def test_a_lost_answer_brings_nobody_back_though_somebody_has_added_another(
    watched: Watched, tells_audit: bool
) -> None:
    watched.now.quirks = Quirks(tells_audit=tells_audit)
    watched.set_here("alice@x.org")
    watched.settle()
    lost = iter([True])

    watched.now.fault = lambda asked: Fault("lose") if asked.kind == "update" and next(lost, False) else None
    watched.set_here("alice@x.org", "bob@x.org")
    while watched.there == {"alice@x.org"}:
        assert watched.lane.step() is not None
    watched.set_here("alice@x.org")
    watched.set_there("alice@x.org", "bob@x.org", "erin@x.org")
    watched.settle()
    assert watched.here == watched.there == {"alice@x.org", "erin@x.org"}


def test_it_is_quiet_when_people_are_in_whatever_order_and_capitals_they_wrote(watched: Watched) -> None:
    watched.set_here("alice@x.org", "bob@x.org")
    watched.settle()
    watched.set_there("Bob@x.org", "ALICE@x.org")
    watched.settle()
    before = watched.now.counts["update"]
    for _ in range(3):
        scan(watched.desk.means, watched.desk.gateways.get("ngi-ch"))
        watched.settle()
    assert (watched.now.counts["update"], watched.here) == (before, {"alice@x.org", "bob@x.org"})
    assert watched.there == {"Bob@x.org", "ALICE@x.org"}
