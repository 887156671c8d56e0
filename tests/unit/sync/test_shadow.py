"""A system in shadow: every write is computed, none is made, and what people do themselves is compared with it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from central.link import LinkState
from central.registry import SystemState
from central.shadow import Seen, Shadow, Side
from central.store.api import LeaseLost, Transaction
from connectors.api import Audience, Mail, WriteKind
from connectors.errors import AccessError, Unknown
from sync import live, shadow
from sync.plan import LEFT_IN_SHADOW
from sync.simulation.mesh import Member, Members
from tests.unit.sync.world import TPM, World, failing, once

READS = {"describe", "changes", "scan", "fetch", "find", "download", "probe"}


def become(world: World, state: SystemState, system: str = "ngi-pl") -> None:
    world.store.write(lambda tx: tx.registry.put_system(replace(tx.registry.system(system), state=state, reason="")))


def records(world: World, system: str = "ngi-pl") -> list[Shadow]:
    return sorted(world.store.read(lambda tx: tx.shadow.list(system, limit=1000)), key=lambda one: one.id)


def brief(world: World, system: str = "ngi-pl") -> list[tuple[Side, str, Any, Seen]]:
    return [(one.side, one.item, one.would, one.seen) for one in records(world, system)]


def seen(world: World) -> dict[str, Seen]:
    return {one.item: one.seen for one in records(world)}


def asked(member: Member) -> list[str]:
    """Everything that this tracker is asked from now on."""
    operations: list[str] = []
    member.connector.intruder = lambda call: None if call.done else operations.append(call.operation)
    return operations


def centre(world: World) -> object:
    """Everything of the centre that anybody can see, but for what the other system was told."""

    def question(tx: Transaction) -> object:
        tickets = tx.tickets.list()
        events = [[e for e in tx.tickets.events(t.id) if e.system != "ngi-cz"] for t in tickets]
        talk = [(tx.tickets.comments(t.id), tx.tickets.files(t.id), tx.tickets.conflicts(t.id)) for t in tickets]
        return tickets, events, talk

    return world.store.read(question)


class _Gateways:
    def __init__(self, members: Members) -> None:
        self.get = members.get

    def refresh(self) -> None:
        """They are what they are."""


def go_live(world: World) -> None:
    """What `system live` does."""
    gateways = _Gateways(world.mesh.gateways)
    desk = SimpleNamespace(store=world.store, clock=world.clock, means=world.mesh.means, gateways=gateways)
    live.go_live(desk, "ngi-pl")


def in_shadow() -> tuple[World, str]:
    """A ticket shared by both, Redmine in shadow since."""
    world = World()
    _, key = world.shared()
    become(world, SystemState.SHADOW)
    return world, key


def test_every_write_to_either_side_is_computed_and_none_is_made() -> None:
    world, key = in_shadow()
    world.bob.edit(key, subject="edited there")
    said = world.bob.comment(key, "said there")
    born = world.bob.open(subject="born there")
    world.centre.change(1, {"status": "in progress"}, TPM)
    world.centre.comment(1, "said here", TPM)
    new = world.centre.open({"subject": "for Poland", "unit": "NGI_PL"}, TPM)
    operations, log = asked(world.redmine), len(world.redmine.tracker.log)
    before = centre(world)
    for _ in range(4):
        world.mesh.round()
    assert set(operations) <= READS
    assert len(world.redmine.tracker.log) == log
    assert centre(world) == before
    found = {(one.side, one.item, one.ticket_id, one.key) for one in records(world)}
    assert found == {
        (Side.CENTRE, "field subject", 1, key),
        (Side.CENTRE, f"comment {said}", 1, key),
        (Side.CENTRE, "create", None, born),
        (Side.SYSTEM, "field status", 1, key),
        (Side.SYSTEM, "comment 1", 1, key),
        (Side.SYSTEM, "create", new.id, ""),
    }
    assert {one.seen for one in records(world)} == {Seen.MISSING}


def test_what_people_do_themselves_is_compared_with_what_would_have_been_written_there() -> None:
    world, key = in_shadow()
    world.centre.change(1, {"subject": "told otherwise", "priority": "urgent", "status": "in progress"}, TPM)
    world.mesh.round()
    world.bob.edit(key, subject="told otherwise", status="Rejected")
    world.mesh.round()
    assert seen(world) | {"field priority": Seen.MISSING} == seen(world)
    assert seen(world)["field subject"] is Seen.AGREED
    [status] = [one for one in records(world) if one.item == "field status" and one.side is Side.SYSTEM]
    assert (status.seen, status.would, status.did) == (Seen.DIFFERS, "In Progress", "Rejected")


def test_what_people_do_at_the_centre_is_compared_with_what_would_have_been_taken_in() -> None:
    world, key = in_shadow()
    world.bob.edit(key, subject="edited there", description="more of it")
    world.mesh.round()
    world.centre.change(1, {"subject": "edited there", "description": "something else"}, TPM)
    world.mesh.round()
    assert brief(world)[:2] == [
        (Side.CENTRE, "field subject", "edited there", Seen.AGREED),
        (Side.CENTRE, "field description", "more of it", Seen.DIFFERS),
    ]
    assert records(world)[1].did == "something else"


def test_what_would_not_be_written_any_more_is_withdrawn() -> None:
    world, key = in_shadow()
    ticket = world.ticket()
    world.centre.change(1, {"subject": "told otherwise"}, TPM)
    comment = world.centre.comment(1, "too fast", TPM)
    new = world.centre.open({"subject": "for Poland", "unit": "NGI_PL"}, TPM)
    world.mesh.round()
    world.centre.change(1, {"subject": ticket["subject"]}, TPM)
    world.centre.delete_comment(1, comment.id, TPM)
    world.centre.change(new.id, {"unit": "TPM"}, TPM)
    world.mesh.round()
    assert seen(world) == {"field subject": Seen.WITHDRAWN, f"comment {comment.id}": Seen.WITHDRAWN} | {
        "create": Seen.WITHDRAWN
    }
    assert key


def test_a_later_value_takes_the_place_of_one_that_nobody_has_written_yet() -> None:
    world, _ = in_shadow()
    world.centre.change(1, {"subject": "first"}, TPM)
    world.mesh.round()
    world.centre.change(1, {"subject": "second"}, TPM)
    world.mesh.round()
    assert brief(world) == [(Side.SYSTEM, "field subject", "second", Seen.MISSING)]


@pytest.mark.parametrize("here_first", [True, False])
def test_a_comment_that_people_carried_themselves_is_one_comment_from_then_on(here_first: bool) -> None:
    world, key = in_shadow()

    def here() -> None:
        world.centre.comment(1, "the same  \nwords", TPM)

    def there() -> None:
        world.bob.comment(key, "the same\nwords")

    for act in (here, there) if here_first else (there, here):
        act()
        world.mesh.round()
    [record] = records(world)
    assert (record.side, record.seen) == (Side.SYSTEM if here_first else Side.CENTRE, Seen.AGREED)
    go_live(world)
    world.mesh.settle()
    assert [c.text for c in world.comments()] == ["the same  \nwords"]
    assert len(world.said(world.redmine, "the same")) == 1


def test_whoever_goes_live_carries_only_what_changes_from_then_on() -> None:
    world, key = in_shadow()
    world.bob.edit(key, subject="edited there in shadow")
    world.bob.comment(key, "said there in shadow")
    world.centre.change(1, {"priority": "top priority", "status": "in progress"}, TPM)
    world.centre.comment(1, "said here in shadow", TPM)
    world.centre.open({"subject": "opened in shadow", "unit": "NGI_PL"}, TPM)
    world.bob.open(subject="born in shadow")
    world.mesh.round()
    log, before = len(world.redmine.tracker.log), centre(world)
    go_live(world)
    for _ in range(3):
        world.mesh.round(timedelta(minutes=10))
    world.mesh.scan()
    world.mesh.settle()
    assert len(world.redmine.tracker.log) == log
    assert centre(world) == before
    assert set(world.link("ngi-pl").disagreements.values()) == {LEFT_IN_SHADOW}
    world.bob.edit(key, subject="edited there, live")
    world.centre.comment(1, "said here, live", TPM)
    world.centre.change(1, {"priority": "less urgent"}, TPM)
    world.mesh.settle()
    assert world.ticket()["subject"] == "edited there, live"
    assert len(world.said(world.redmine, "said here, live")) == 1
    assert world.issue(world.redmine, key).fields["priority"] == "low"
    assert world.said(world.redmine, "said here in shadow") == []
    assert set(world.link("ngi-pl").disagreements) == {"status"}


def test_what_was_recorded_is_forgotten_by_going_live_once_nothing_of_it_is_owed() -> None:
    world, key = in_shadow()
    world.centre.change(1, {"subject": "told otherwise"}, TPM)
    with pytest.raises(live.NotNow, match="is owed 1 looks from its time in shadow"):
        go_live(world)
    world.mesh.work()
    assert records(world) != []
    go_live(world)
    assert records(world) == []
    assert world.issue(world.redmine, key).fields["subject"] != "told otherwise"


def test_a_write_that_was_under_way_before_the_shadow_is_accounted_for_after_it() -> None:
    world = World()
    world.shared()
    world.centre.comment(1, "said before", TPM)
    once(world.redmine.connector, "comment", failing(Unknown("no answer")), done=True)
    world.mesh.work()
    become(world, SystemState.SHADOW)
    for _ in range(3):
        world.mesh.round()
    assert world.link("ngi-pl").intents
    go_live(world)
    assert world.end() == []
    assert len(world.said(world.redmine, "said before")) == 1


def test_what_was_recorded_is_not_read_again_by_every_poll() -> None:
    world, _ = in_shadow()
    world.bob.open(subject="born there")
    for _ in range(3):
        world.mesh.round()
    operations = asked(world.redmine)
    for _ in range(5):
        world.mesh.round()
    assert set(operations) == {"changes"}
    assert [one.item for one in records(world)] == ["create"]


def test_a_look_that_began_live_writes_nothing_once_the_system_is_in_shadow() -> None:
    world = World()
    world.shared()
    world.centre.change(1, {"subject": "changed before"}, TPM)
    once(world.redmine.connector, "fetch", lambda _: become(world, SystemState.SHADOW), done=False)
    log = len(world.redmine.tracker.log)
    world.mesh.work()
    assert len(world.redmine.tracker.log) == log
    assert brief(world) == [(Side.SYSTEM, "field subject", "changed before", Seen.MISSING)]


def test_a_look_that_began_in_shadow_is_begun_anew_once_the_system_is_live() -> None:
    world, _ = in_shadow()
    world.centre.change(1, {"subject": "told live"}, TPM)
    once(world.redmine.connector, "fetch", lambda _: become(world, SystemState.LIVE), done=False)
    world.mesh.work()
    assert records(world) == []
    assert world.issue(world.redmine).fields["subject"] == "told live"
    assert world.end() == []


def test_who_was_taken_over_takes_nothing_down_either() -> None:
    world, _ = in_shadow()
    world.centre.change(1, {"subject": "told otherwise"}, TPM)
    once(world.redmine.connector, "fetch", lambda _: world.store.write(lambda tx: tx.outbox.release_all()), done=True)
    outcome = world.mesh._lanes["ngi-pl"].step()
    assert outcome is not None
    assert outcome.said[0].startswith(LeaseLost.__name__)
    assert records(world) == []
    world.mesh.work()
    assert seen(world) == {"field subject": Seen.MISSING}


def test_a_stop_button_or_a_guard_leaves_the_computing_alone() -> None:
    world, _ = in_shadow()
    world.store.write(lambda tx: live.stop_all(tx, world.clock(), "ada", "a storm"))
    world.centre.change(1, {"subject": "told otherwise"}, TPM)
    world.mesh.round()
    assert [one.item for one in records(world)] == ["field subject"]


def test_a_system_in_shadow_that_lets_us_in_no_more_stops_and_goes_on_in_shadow() -> None:
    world, _ = in_shadow()
    world.centre.change(1, {"subject": "told otherwise"}, TPM)
    once(world.redmine.connector, "fetch", failing(AccessError("who are you?")), done=False)
    world.mesh.work()
    system = world.store.read(lambda tx: tx.registry.system("ngi-pl"))
    assert (system.state, system.reads, "who are you?" in system.reason) == (SystemState.SHADOW, False, True)
    world.store.write(lambda tx: tx.registry.put_system(replace(tx.registry.system("ngi-pl"), cursor={"at": "then"})))
    world.store.write(lambda tx: live.resume(tx, "ngi-pl"))
    system = world.store.read(lambda tx: tx.registry.system("ngi-pl"))
    assert (system.state, system.reads) == (SystemState.SHADOW, True)


def _hide(world: World, key: str) -> None:
    note = world.said(world.redmine, "said there", key)[0]
    world.bob.hide(key, note.id)


def _reword(world: World, key: str) -> None:
    note = world.said(world.redmine, "said there", key)[0]
    world.bob.reword(key, note.id, "said there, and better")


@pytest.mark.parametrize("act", [_hide, _reword])
def test_an_edit_of_a_comment_that_was_carried_before_is_computed_and_not_taken_in(
    act: Callable[[World, str], None],
) -> None:
    world = World()
    _, key = world.shared()
    world.bob.comment(key, "said there")
    world.mesh.settle()
    become(world, SystemState.SHADOW)
    act(world, key)
    before = centre(world)
    world.bob.edit(key, priority="high")  # what moves the ticket in the list
    world.mesh.round()
    assert centre(world) == before
    assert "edit of comment 1" in seen(world)


def test_a_ticket_given_away_in_shadow_keeps_its_link_and_gets_no_notice() -> None:
    world, key = in_shadow()
    world.centre.change(1, {"unit": "TPM"}, TPM)
    world.mesh.round()
    assert seen(world)["notice"] is Seen.MISSING
    assert world.link("ngi-pl").state is LinkState.ACTIVE
    assert world.said(world.redmine, "no longer synchronised", key) == []
    world.centre.change(1, {"unit": "NGI_PL"}, TPM)
    world.mesh.round()
    assert seen(world)["notice"] is Seen.WITHDRAWN


def test_the_report_counts_the_mails_that_the_writes_would_have_sent() -> None:
    world, _ = in_shadow()
    watchers = Mail((Audience.WATCHERS,), "the watchers")
    told = {WriteKind.TRANSITION: watchers, WriteKind.COMMENT: watchers}
    powers = replace(world.redmine.connector.capabilities, notifies=told)
    world.centre.change(1, {"subject": "told otherwise", "status": "in progress"}, TPM)
    world.centre.comment(1, "a word", TPM)
    world.mesh.round()
    mapping = world.mesh.gateways.get("ngi-pl").mapping
    found = shadow.report(world.store, "ngi-pl", mapping, powers, limit=2)
    assert (found.mails.most, len(found.records), dict(found.counts)) == (2, 2, {Seen.MISSING: 3})
    assert shadow.report(world.store, "ngi-pl", mapping, None).mails is None


def test_a_quarantine_ends_by_its_release_alone() -> None:
    world, _ = in_shadow()
    become(world, SystemState.QUARANTINED)
    polled = replace(world.store.read(lambda tx: tx.registry.system("ngi-pl")), cursor={"at": "then"})
    world.store.write(lambda tx: tx.registry.put_system(polled))
    for act in (lambda: go_live(world), lambda: world.store.write(lambda tx: live.resume(tx, "ngi-pl"))):
        with pytest.raises(live.NotNow, match="interdesk system release ngi-pl"):
            act()
