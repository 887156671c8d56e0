"""The permit: whatever may stop writing is asked in the intent's own transaction; reading goes on, nothing is lost."""

from dataclasses import replace
from datetime import timedelta

import pytest

from central.delivery import Direction
from central.guard import Hold, HoldKind, HoldState
from central.registry import Maintenance, SystemState
from sync import live
from sync.permit import Held, ensure_permitted
from tests.unit.sync.world import TPM, World


def _stop(world: World) -> None:
    world.store.write(lambda tx: live.stop_all(tx, world.clock(), "ada", "a storm of mails"))


def _go_on(world: World) -> None:
    world.store.write(lambda tx: live.let_go(tx, world.clock(), "ada"))


def _hold(world: World, ticket_id: int | None) -> Hold:
    hold = Hold(0, HoldKind.PING_PONG, "ngi-pl", "to and fro", world.clock(), ticket_id=ticket_id)
    return world.store.write(lambda tx: tx.guards.hold(hold))


def _writes(world: World) -> int:
    return sum(deed.who == "interdesk" for member in (world.rt, world.redmine) for deed in member.tracker.log)


def test_the_stop_button_stops_every_write_and_no_reading() -> None:
    world = World()
    key, _ = world.shared()
    _stop(world)
    before = _writes(world)
    world.alice.edit(key, subject="edited there")
    world.centre.comment(1, "a word from the centre", TPM)
    for _ in range(3):
        world.mesh.round()
    assert world.ticket()["subject"] == "edited there"
    assert _writes(world) == before
    _go_on(world)
    assert world.end() == []
    assert world.issue(world.redmine).fields["subject"] == "edited there"
    assert len(world.said(world.redmine, "a word from the centre")) == 1


def test_in_a_window_nothing_is_written_to_that_system_and_it_is_read_and_it_ends_by_itself() -> None:
    world = World()
    _, other = world.shared()
    window = Maintenance(world.clock(), world.clock() + timedelta(hours=8), "olga", "new disks")
    world.store.write(lambda tx: live.announce_maintenance(tx, "ngi-pl", window, world.clock()))
    world.bob.edit(other, subject="edited there")
    world.centre.comment(1, "a word from the centre", TPM)
    for _ in range(3):
        world.mesh.round()
    assert world.clock() < window.ends_at
    assert world.ticket()["subject"] == "edited there", "it is read"
    assert world.issue(world.rt).fields["subject"] == "edited there", "the others are told"
    assert len(world.said(world.rt, "a word from the centre")) == 1
    assert not world.said(world.redmine, "a word from the centre")
    assert world.dead() == []
    with pytest.raises(Held, match="ngi-pl is in maintenance until"):
        world.store.read(lambda tx: ensure_permitted(tx, "ngi-pl", 1, world.clock()))
    while world.clock() < window.ends_at:
        world.mesh.round(timedelta(hours=1))
    assert world.end() == []
    assert len(world.said(world.redmine, "a word from the centre")) == 1


def test_a_lane_asks_again_when_the_window_ends() -> None:
    world = World()
    world.shared()
    window = Maintenance(world.clock(), world.clock() + timedelta(hours=8), "olga")
    world.store.write(lambda tx: live.announce_maintenance(tx, "ngi-pl", window, world.clock()))
    world.centre.comment(1, "a word from the centre", TPM)
    lane = world.mesh._lanes["ngi-pl"]
    world.clock.advance(timedelta(minutes=1))
    assert lane.take() is None
    assert lane.next_due_at() == window.ends_at


def test_a_window_is_ended_early_or_called_off_and_both_are_in_the_audit_log() -> None:
    world = World()
    now, hour = world.clock(), timedelta(hours=1)

    def announce(begins, ends) -> None:
        window = Maintenance(begins, ends, "olga", "new disks")
        world.store.write(lambda tx: live.announce_maintenance(tx, "ngi-pl", window, now))

    def end() -> Maintenance | None:
        world.store.write(lambda tx: live.end_maintenance(tx, "ngi-pl", now, "olga"))
        return world.store.read(lambda tx: tx.registry.system("ngi-pl")).maintenance

    announce(now + hour, now + 2 * hour)
    assert end() is None, "it was called off"
    announce(now - hour, now + hour)
    ended = end()
    assert ended is not None
    assert (ended.begins_at, ended.ends_at) == (now - hour, now)
    with pytest.raises(live.NotNow, match="no maintenance of system ngi-pl"):
        end()
    for begins, ends in ((now, now), (now + hour, now), (now - 2 * hour, now - hour), (now, now + 500 * hour)):
        with pytest.raises(live.NotNow, match="a maintenance window"):
            announce(begins, ends)
    acts = world.store.read(lambda tx: tx.audit.list())
    assert [(each.by, each.act, each.subject) for each in acts[:2]] == [
        ("olga", "end maintenance", "ngi-pl"),
        ("olga", "announce maintenance", "ngi-pl"),
    ]


def test_a_stop_that_comes_while_a_look_is_under_way_stops_its_next_write() -> None:
    world = World()
    world.shared()
    world.centre.comment(1, "said before the stop", TPM)
    world.centre.change(1, {"subject": "changed before the stop"}, TPM)

    def stop(call: object) -> None:
        world.redmine.connector.intruder = None
        _stop(world)

    world.redmine.connector.intruder = stop
    world.mesh.work()
    assert len(world.said(world.redmine, "said before the stop")) <= 1
    assert world.issue(world.redmine).fields["subject"] != "changed before the stop"
    [waiting] = [d for d in [world.store.read(lambda tx: tx.outbox.find("ngi-pl", Direction.OUTWARD, "1"))] if d]
    assert (waiting.attempts, "everything is stopped, by ada" in waiting.error) == (0, True)
    _go_on(world)
    assert world.end() == []
    assert len(world.said(world.redmine, "said before the stop")) == 1


def test_the_stop_and_its_end_are_in_the_audit_log() -> None:
    world = World()
    _stop(world)
    _go_on(world)
    acts = world.store.read(lambda tx: tx.audit.list())
    assert [(entry.by, entry.act) for entry in acts] == [("ada", "go on"), ("ada", "stop everything")]
    with pytest.raises(live.NotNow, match="nothing is stopped"):
        _go_on(world)


def test_a_hold_on_one_ticket_lets_the_others_pass() -> None:
    world = World()
    world.shared()
    hold = _hold(world, 1)
    world.centre.change(1, {"subject": "held"}, TPM)
    second = world.centre.open({"subject": "not held", "unit": "NGI_PL"}, TPM)
    world.mesh.work()
    assert world.issue(world.redmine).fields["subject"] != "held"
    assert world.link("ngi-pl", second.id).key

    def approve() -> None:
        def change(tx) -> None:
            tx.guards.decide(hold.id, HoldState.APPROVED, world.clock(), by="ada")
            world.mesh.means.relay.owe_outward(tx, ("ngi-pl",), 1, world.clock(), reason="approved")

        world.store.write(change)

    approve()
    world.mesh.work()
    assert world.issue(world.redmine).fields["subject"] == "held"


@pytest.mark.parametrize("state", [s for s in SystemState if s is not SystemState.LIVE])
def test_only_a_live_system_is_written_to(state: SystemState) -> None:
    world = World()

    def ask(tx) -> None:
        tx.registry.put_system(replace(tx.registry.system("ngi-pl"), state=state, reason="why not"))
        ensure_permitted(tx, "ngi-pl", 1, world.clock())

    with pytest.raises(Held, match=f"is {state}: why not"):
        world.store.write(ask)


def test_a_held_database_and_a_held_system_are_not_written_from() -> None:
    world = World()
    world.store.write(lambda tx: tx.instance.put(tx.instance.get().evolve(held="restored from a backup")))
    with pytest.raises(Held, match="restored from a backup"):
        world.store.read(lambda tx: ensure_permitted(tx, "ngi-pl", 1, world.clock()))
    world.store.write(lambda tx: tx.instance.put(tx.instance.get().evolve(held="")))
    _hold(world, None)
    with pytest.raises(Held, match="held by a guard"):
        world.store.read(lambda tx: ensure_permitted(tx, "ngi-pl", 1, world.clock()))
    world.store.read(lambda tx: ensure_permitted(tx, "ngi-cz", 1, world.clock()))


def test_what_is_held_is_looked_at_again_and_again_without_being_counted() -> None:
    world = World()
    world.shared()
    _hold(world, 1)
    world.centre.change(1, {"subject": "held"}, TPM)
    for _ in range(5):
        world.mesh.round(timedelta(minutes=20))
    owed = world.store.read(lambda tx: tx.outbox.find("ngi-pl", Direction.OUTWARD, "1"))
    assert owed is not None
    assert owed.attempts == 0
    assert world.dead() == []
