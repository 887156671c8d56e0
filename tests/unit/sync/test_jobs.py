"""Jobs: what going live left alone is carried deliberately, behind live work, and goes on where it was after a kill."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from central.delivery import Counts, Direction, Lane
from central.job import Job, JobState
from central.link import LinkState
from central.model import DEFAULTS
from central.registry import SystemState
from central.store.memory import MemoryStore
from connectors.api import Audience, Cursor, Mail, WriteKind
from connectors.errors import Transient
from connectors.memory import Call
from sync import live
from sync.jobs.api import QUEUE
from sync.jobs.runner import Runner
from sync.poll import plain_cursor
from tests.unit.sync.world import TPM, World, failing, once


def start(world: World, kind: str, system: str, params: Mapping[str, Any]) -> int:
    at = world.clock()
    return world.store.write(lambda tx: tx.jobs.create(Job(0, kind, system, params, at, "ada", at))).id


def job(world: World, number: int) -> Job:
    return world.store.read(lambda tx: tx.jobs.get(number))


def run(world: World, number: int, *, steps: int = 60) -> Job:
    """Let the runner and the lanes take turns until the job is over."""
    runner = Runner(world.mesh.means, world.mesh.gateways, submit=lambda step: step())
    for _ in range(steps):
        if not job(world, number).open:
            break
        runner.step()
        world.mesh.work()
        world.clock.advance(timedelta(seconds=5))
    return job(world, number)


INWARD = {"direction": "inward"}


def test_a_backfill_takes_in_every_old_ticket_once_and_says_how_many() -> None:
    world = World()
    keys = [world.alice.open(subject=f"old {number}") for number in range(7)]
    number = start(world, "backfill", "ngi-cz", INWARD)
    done = run(world, number)
    assert (done.state, done.done, done.total, done.failed) == (JobState.DONE, 7, 7, 0)
    assert world.store.read(lambda tx: tx.tickets.count()) == 7
    again = run(world, start(world, "backfill", "ngi-cz", INWARD))
    assert (again.state, again.total) == (JobState.DONE, 0)
    assert world.store.read(lambda tx: tx.tickets.count()) == len(keys)
    assert world.end() == []


def test_a_window_leaves_older_and_newer_ones_alone() -> None:
    world = World()
    moments = []
    for number in range(3):
        world.alice.open(subject=f"old {number}")
        moments.append(world.clock())
        world.clock.advance(timedelta(days=1))
    window = {"since": moments[1].isoformat(), "until": moments[2].isoformat()}
    done = run(world, start(world, "backfill", "ngi-cz", {**INWARD, **window}))
    assert done.total == 1
    assert [t["subject"] for t in world.store.read(lambda tx: tx.tickets.list())] == ["old 1"]


def test_a_dry_run_counts_and_does_nothing() -> None:
    world = World()
    world.alice.open(subject="old")
    done = run(world, start(world, "backfill", "ngi-cz", {**INWARD, "dry_run": True}))
    rows = world.store.read(lambda tx: tx.jobs.rows(done.id))
    assert (done.state, [(row.subject, row.data) for row in rows]) == (JobState.DONE, [("inward", {"tickets": 1})])
    assert world.store.read(lambda tx: tx.tickets.count()) == 0


def test_an_outage_delays_a_backfill_and_costs_it_nothing() -> None:
    world = World()
    world.alice.open(subject="old")
    once(world.rt.connector, "scan", failing(Transient("down")), done=False)
    number = start(world, "backfill", "ngi-cz", INWARD)
    Runner(world.mesh.means, world.mesh.gateways, submit=lambda step: step()).step()
    assert (job(world, number).state, "down" in job(world, number).error) == (JobState.RUNNING, True)
    assert run(world, number).state is JobState.DONE


def test_a_backfill_rests_while_everything_is_stopped_or_its_system_is_paused() -> None:
    world = World()
    world.alice.open(subject="old")
    world.store.write(lambda tx: live.stop_all(tx, world.clock(), "ada", "storm"))
    number = start(world, "backfill", "ngi-cz", INWARD)
    assert run(world, number, steps=3).state is JobState.RUNNING
    assert "storm" in job(world, number).error
    world.store.write(lambda tx: live.let_go(tx, world.clock(), "ada"))

    def pause(tx) -> None:
        tx.registry.put_system(replace(tx.registry.system("ngi-cz"), state=SystemState.PAUSED))

    world.store.write(pause)
    run(world, number, steps=3)
    assert "is paused" in job(world, number).error
    assert world.store.read(lambda tx: tx.tickets.count()) == 0


def test_a_paused_job_is_not_taken_further_though_a_step_of_it_was_under_way() -> None:
    world = World()
    world.alice.open(subject="old")
    number = start(world, "backfill", "ngi-cz", INWARD)
    steps = []
    Runner(world.mesh.means, world.mesh.gateways, submit=steps.append).step()
    world.store.write(lambda tx: tx.jobs.save(replace(tx.jobs.get(number), state=JobState.PAUSED)))
    [under_way] = steps
    under_way()
    assert (job(world, number).state, job(world, number).position) == (JobState.PAUSED, {})


def test_what_follows_from_a_backfill_goes_behind_live_work() -> None:
    world = World()
    for number in range(3):
        world.centre.open({"subject": f"live {number}", "unit": "NGI_PL"}, TPM)
    world.alice.open(subject="old")
    number = start(world, "backfill", "ngi-cz", INWARD)
    runner = Runner(world.mesh.means, world.mesh.gateways, submit=lambda step: step())
    while job(world, number).position.get("stage") != "drain":
        runner.step()
    owed = world.store.read(lambda tx: tx.outbox.find("ngi-cz", Direction.INWARD, "1"))
    assert owed is not None
    assert owed.lane is Lane.BACKFILL


def test_case_23_under_a_quota_a_backfill_delays_no_live_change_beyond_the_next_minute() -> None:
    world = World()
    _, other = world.shared()
    for number in range(400):
        world.alice.open(subject=f"old {number}")
    world.clock.advance(timedelta(minutes=10))
    cursor = plain_cursor(Cursor(world.clock()))
    world.store.write(lambda tx: tx.registry.put_system(replace(tx.registry.system("ngi-cz"), cursor=cursor)))
    answered = Counter[datetime]()

    def quota(call: Call) -> None:
        if not call.done:
            minute = world.clock().replace(second=0)
            if answered[minute] >= 60:
                raise Transient("429", retry_after=minute + timedelta(minutes=1) - world.clock())
            answered[minute] += 1

    world.rt.connector.intruder = quota
    number = start(world, "backfill", "ngi-cz", INWARD)
    runner = Runner(world.mesh.means, world.mesh.gateways, submit=lambda step: step())
    busy = waited = 0
    while job(world, number).open:
        busy += 1
        world.bob.edit(other, subject=f"live {busy}")
        for _ in range(4):
            runner.step()
            world.mesh.poll()
            world.mesh.work()
            world.clock.advance(timedelta(seconds=15))
        assert world.ticket()["subject"] == f"live {busy}", "the other partner has its own pace"
        late = busy - int(str(world.issue(world.rt, "1").fields["subject"]).removeprefix("live ") or 0)
        waited = max(waited, late)
    assert busy >= 6, "the quota made the backfill last"
    assert waited <= 1
    assert max(answered.values()) <= 60
    assert world.store.read(lambda tx: tx.tickets.count()) == 401


def test_never_more_than_a_queueful_waits_however_many_tickets_there_are() -> None:
    world = World()
    for number in range(QUEUE * 2 + 10):
        world.alice.open(subject=f"old {number}")
    number = start(world, "backfill", "ngi-cz", INWARD)
    runner = Runner(world.mesh.means, world.mesh.gateways, submit=lambda step: step())
    most = 0
    for _ in range(400):
        runner.step()
        most = max(most, world.store.read(lambda tx: tx.outbox.counts()).get("ngi-cz", Counts()).due)
        world.mesh.work(limit=5000)
        world.clock.advance(timedelta(seconds=5))
        if not job(world, number).open:
            break
    assert job(world, number).done == QUEUE * 2 + 10
    assert most <= QUEUE + 100  # one page of theirs beyond it


@pytest.mark.parametrize("after", [0, 1, 2, 3])
def test_killed_between_two_steps_it_goes_on_where_it_was(after: int) -> None:
    store = MemoryStore()
    world = World(store=store)
    for number in range(5):
        world.alice.open(subject=f"old {number}")
    number = start(world, "backfill", "ngi-cz", INWARD)
    runner = Runner(world.mesh.means, world.mesh.gateways, submit=lambda step: step())
    for _ in range(after):
        runner.step()
    store.lose_power()
    world.mesh.restart()
    assert run(world, number).done == 5
    assert world.store.read(lambda tx: tx.tickets.count()) == 5


def test_an_outward_backfill_that_would_send_mails_asks_first() -> None:
    world = World()
    told = {WriteKind.CREATE: Mail((Audience.WATCHERS,), "the watchers of the project")}
    world.redmine.connector.capabilities = replace(world.redmine.connector.capabilities, notifies=told)
    fields = {**DEFAULTS, "subject": "central", "status": "assigned", "unit": "NGI_PL"}
    world.store.write(lambda tx: tx.tickets.create(fields, world.clock()))
    outward = {"direction": "outward"}
    refused = run(world, start(world, "backfill", "ngi-pl", outward))
    assert (refused.state, "say --notify" in refused.error) == (JobState.FAILED, True)
    assert world.redmine.tracker.issues == {}
    done = run(world, start(world, "backfill", "ngi-pl", {**outward, "notify": True}))
    assert done.state is JobState.DONE
    assert len(world.redmine.tracker.issues) == 1


def test_resync_looks_anew_both_ways() -> None:
    world = World()
    _, other = world.shared()
    world.redmine.tracker.issues[other].fields["subject"] = "changed behind every history"
    done = run(world, start(world, "resync", "ngi-pl", {"ticket": 1}))
    assert done.state is JobState.DONE
    assert world.ticket()["subject"] == "changed behind every history"


def test_a_person_has_what_was_refused_tried_again_once_their_workflow_allows_it() -> None:
    world = World()
    key, _ = world.shared()
    world.centre.change(1, {"status": "unsolved"}, TPM)
    world.mesh.settle()
    tracker = world.rt.tracker
    tracker.rules = replace(tracker.rules, workflow={})
    world.mesh.settle()
    assert tracker.issue(key).fields["status"] == "open", "nobody tells us of it, and asking on and on is no answer"
    run(world, start(world, "resync", "ngi-cz", {"ticket": 1}))
    assert tracker.issue(key).fields["status"] == "rejected"


def _scanning(world: World) -> tuple[str, str]:
    """A linked ticket that nobody announced a change of, and one that the list does not show any more."""
    _, changed = world.shared()
    second = world.centre.open({"subject": "to be hidden", "unit": "NGI_PL"}, TPM)
    world.mesh.settle()
    world.redmine.tracker.issues[changed].fields["subject"] = "changed behind every history"
    hidden = world.link("ngi-pl", second.id).key
    assert hidden is not None
    world.redmine.tracker.issues[hidden].hidden = "deleted"
    return changed, hidden


@pytest.mark.parametrize("after", range(4))
def test_a_scan_finds_what_nobody_announced_and_goes_on_where_it_was_after_a_kill(after: int) -> None:
    store = MemoryStore()
    world = World(store=store)
    _scanning(world)
    number = start(world, "scan", "ngi-pl", {})
    runner = Runner(world.mesh.means, world.mesh.gateways, submit=lambda step: step())
    for _ in range(after):
        runner.step()
    store.lose_power()
    world.mesh.restart()
    done = run(world, number)
    assert (done.state, done.done, done.total) == (JobState.DONE, 1, 1)
    world.mesh.work()
    assert world.ticket()["subject"] == "changed behind every history"
    assert world.link("ngi-pl", 2).state is LinkState.LOST


def test_a_scan_goes_on_while_everything_is_stopped_and_rests_while_its_system_is_paused() -> None:
    world = World()
    world.shared()
    world.store.write(lambda tx: live.stop_all(tx, world.clock(), "ada", "storm"))
    assert run(world, start(world, "scan", "ngi-pl", {})).state is JobState.DONE
    pause = replace(world.store.read(lambda tx: tx.registry.system("ngi-pl")), state=SystemState.PAUSED)
    world.store.write(lambda tx: tx.registry.put_system(pause))
    resting = run(world, start(world, "scan", "ngi-pl", {}), steps=3)
    assert (resting.state, "is paused" in resting.error) == (JobState.RUNNING, True)


def test_a_listing_without_very_many_is_held_and_asked_about() -> None:
    world = World()
    for number in range(25):
        world.centre.open({"subject": f"number {number}", "unit": "NGI_PL"}, TPM)
    world.mesh.settle()
    for issue in world.redmine.tracker.issues.values():
        issue.hidden = "deleted"
    done = run(world, start(world, "scan", "ngi-pl", {}))
    verdicts = world.store.read(lambda tx: tx.jobs.verdicts(done.id))
    assert (done.state, dict(verdicts)) == (JobState.DONE, {"listed": 1, "held by a guard": 1})
    assert {world.link("ngi-pl", n + 1).state for n in range(25)} == {LinkState.ACTIVE}
