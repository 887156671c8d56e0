"""The mass-change guard: what a partner suddenly closes, loses or changes in masses is held, none of it taken in."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from central.guard import Hold, HoldKind, HoldState
from central.job import Job, JobState
from central.link import LinkState
from central.registry import SystemState
from connectors.errors import ProtocolError, Transient
from connectors.memory import Call
from sync.guards import holds
from sync.guards.masschange import may_be_missing
from sync.guards.usual import HOUR, Limits, hour_of, lately, most, usual
from sync.jobs.runner import Runner
from sync.means import Means
from sync.poll import scan
from sync.simulation.laws import convergence, silence
from sync.simulation.mesh import ALL_GUARDS, Mesh
from tests.unit.sync.world import TPM, World

MANY = 40


def crowded(number: int = MANY, *, guards: frozenset[HoldKind] = ALL_GUARDS) -> World:
    """Tickets of RT, all of them with NGI_PL too."""
    world = World()
    if guards != ALL_GUARDS:
        world.mesh = Mesh(world.store, [world.rt, world.redmine], world.clock, guards=guards)
        world.centre = world.mesh.centre
    for count in range(number):
        world.alice.open(subject=f"ticket {count}", status="open")
    world.mesh.settle()
    for ticket_id in range(1, number + 1):
        world.centre.change(ticket_id, {"unit": "NGI_PL"}, TPM)
    world.mesh.settle()
    for key in world.redmine.tracker.issues:
        world.bob.edit(key, status="In Progress")
    world.mesh.settle()
    world.clock.advance(timedelta(hours=3))
    world.mesh.settle()
    return world


def closed_here(world: World) -> int:
    return sum(ticket["status"] in ("solved", "unsolved") for ticket in world.store.read(lambda tx: tx.tickets.list()))


def closed_in_redmine(world: World) -> int:
    return sum(issue.fields["status"] in ("Resolved", "Closed") for issue in world.redmine.tracker.issues.values())


def lost(world: World, system: str = "ngi-cz") -> int:
    links = world.store.read(lambda tx: tx.links.of_system(system, limit=1000))
    return sum(link.state is LinkState.LOST for link in links)


def open_holds(world: World) -> list[Hold]:
    return list(world.store.read(lambda tx: tx.guards.list(open_only=True)))


def play(world: World, rounds: int = 15) -> None:
    for _ in range(rounds):
        world.mesh.round()


def close_everything(world: World) -> None:
    for key in world.rt.tracker.issues:
        world.alice.edit(key, status="resolved")


def test_a_partner_that_closes_everything_at_once_is_held_and_nothing_of_it_is_taken_in() -> None:
    world = crowded()
    close_everything(world)
    play(world)
    [hold] = open_holds(world)
    assert (hold.kind, hold.system, hold.ticket_id) == (HoldKind.CLOSING, "ngi-cz", None)
    assert (closed_here(world), closed_in_redmine(world)) == (0, 0)


def test_meanwhile_the_others_go_on() -> None:
    world = crowded()
    close_everything(world)
    play(world)
    other = world.link("ngi-pl").key
    world.bob.edit(other, subject="still at it")
    world.centre.change(2, {"priority": "urgent"}, TPM)
    play(world, 3)
    assert world.ticket(1)["subject"] == "still at it"
    assert world.issue(world.redmine, world.link("ngi-pl", 2).key).fields["priority"] == "normal"
    assert closed_here(world) == 0


def test_once_approved_it_is_all_taken_in() -> None:
    world = crowded()
    close_everything(world)
    play(world)
    holds.approve(world.mesh.means, open_holds(world)[0].id, "ada")
    play(world, 20)
    assert (closed_here(world), closed_in_redmine(world)) == (MANY, MANY)
    assert open_holds(world) == []
    assert convergence(world.mesh) == []
    assert silence(world.mesh) == []


@pytest.mark.parametrize("write_back", [False, True])
def test_once_rejected_it_is_kept_and_shown_and_written_over_only_if_that_was_said(write_back: bool) -> None:
    world = crowded()
    close_everything(world)
    play(world)
    holds.reject(world.mesh.means, open_holds(world)[0].id, "ada", write_back=write_back)
    play(world, 20)
    assert (closed_here(world), closed_in_redmine(world)) == (0, 0)
    kept = [c for c in world.conflicts() if (c.system, c.theirs) == ("ngi-cz", "resolved")]
    assert len(kept) == MANY
    assert all("ada has rejected it" in conflict.reason for conflict in kept)
    there = {issue.fields["status"] for issue in world.rt.tracker.issues.values()}
    assert there == ({"open"} if write_back else {"resolved"})
    assert convergence(world.mesh) == []
    assert silence(world.mesh) == []


def test_after_a_rejection_a_new_edit_of_a_person_counts_again() -> None:
    world = crowded()
    close_everything(world)
    play(world)
    holds.reject(world.mesh.means, open_holds(world)[0].id, "ada")
    play(world, 20)
    world.alice.edit("1", status="open")
    play(world, 3)
    world.alice.edit("1", status="resolved")
    play(world, 3)
    assert closed_here(world) == 1


@pytest.mark.parametrize("write_back", [False, True])
def test_who_closes_a_ticket_another_way_after_the_rejection_is_not_rejected_with_the_rest(write_back: bool) -> None:
    world = crowded()
    close_everything(world)
    play(world, 2)  # the looks that are owed anew are so many that it is waited until it is known how many close
    holds.reject(world.mesh.means, open_holds(world)[0].id, "ada", write_back=write_back)
    world.alice.edit("1", status="rejected")
    play(world, 20)
    assert world.ticket(1)["status"] == "unsolved"
    assert not [c for c in world.conflicts() if c.theirs == "rejected"]
    assert convergence(world.mesh) == []
    assert silence(world.mesh) == []


def test_what_was_taken_in_before_a_rejection_may_be_done_again_after_it() -> None:
    world = crowded()
    world.alice.edit("1", status="resolved")
    play(world, 3)
    assert closed_here(world) == 1
    close_everything(world)
    play(world)
    holds.reject(world.mesh.means, open_holds(world)[0].id, "ada")
    world.alice.edit("1", status="open")
    play(world, 3)
    assert closed_here(world) == 0
    world.alice.edit("1", status="resolved")
    play(world, 3)
    assert closed_here(world) == 1


def test_who_takes_a_closing_back_before_the_rejection_may_close_the_ticket_after_it() -> None:
    world = crowded()
    close_everything(world)
    play(world)
    world.alice.edit("1", status="open")
    play(world, 3)
    holds.reject(world.mesh.means, open_holds(world)[0].id, "ada")
    play(world, 20)
    world.alice.edit("1", status="resolved")
    play(world, 3)
    assert closed_here(world) == 1


def test_who_closes_a_ticket_twice_while_it_is_held_is_rejected_with_the_rest() -> None:
    world = crowded()
    close_everything(world)
    play(world)
    world.alice.edit("1", status="open")
    play(world, 3)
    world.alice.edit("1", status="resolved")
    play(world, 3)
    holds.reject(world.mesh.means, open_holds(world)[0].id, "ada")
    play(world, 20)
    assert closed_here(world) == 0


def test_what_our_comment_makes_of_a_rejected_closing_is_nobodys_edit() -> None:
    world = crowded()
    world.alice.edit("1", status="stalled")
    play(world, 3)
    close_everything(world)
    play(world)
    world.centre.comment(1, "why is it closed?", TPM)
    play(world, 1)
    holds.reject(world.mesh.means, open_holds(world)[0].id, "ada")
    play(world, 20)
    assert world.said(world.rt, "why is it closed?", "1")
    assert world.ticket(1)["status"] == "on hold"
    assert world.rt.tracker.issues["1"].fields["status"] == "stalled"
    assert convergence(world.mesh) == []
    assert silence(world.mesh) == []


def test_a_handful_of_closings_is_nobodys_business() -> None:
    world = crowded()
    for key in list(world.rt.tracker.issues)[: Limits().closings]:
        world.alice.edit(key, status="resolved")
    play(world)
    assert closed_here(world) == Limits().closings
    assert world.store.read(lambda tx: tx.guards.list()) == []


def test_without_the_guard_everything_is_closed() -> None:
    world = crowded(guards=ALL_GUARDS - {HoldKind.CLOSING})
    close_everything(world)
    play(world)
    assert closed_here(world) == MANY


def test_tickets_that_are_suddenly_gone_are_held_and_lost_only_once_that_is_approved() -> None:
    world = crowded()
    for key in list(world.rt.tracker.issues):
        world.rt.tracker.delete("root", key)
    world.mesh.scan()
    play(world)
    [hold] = open_holds(world)
    assert hold.kind is HoldKind.LOSS
    assert lost(world) == 0
    holds.approve(world.mesh.means, hold.id, "ada")
    world.mesh.scan()
    play(world, 20)
    assert lost(world) == MANY
    assert len(world.redmine.tracker.issues) == MANY
    assert not any(issue.hidden for issue in world.redmine.tracker.issues.values())


class Broken:
    """A tracker that fails in one of the ways that were mistaken for an answer."""

    def __init__(self, world: World, how: str) -> None:
        self.connector, self.how = world.rt.connector, how
        self.scan = self.connector.scan
        if how in ("empty list", "first page only"):
            self.connector.scan = self._short  # type: ignore[method-assign]  # the fault is injected here
        else:
            self.connector.intruder = self._fail

    def _short(self, position: str):
        page = self.scan(position)
        return replace(page, changes=page.changes[:5] if self.how == "first page only" else (), more=False)

    def _fail(self, call: Call) -> None:
        if self.how == "500":
            raise Transient("500 Internal Server Error")
        raise ProtocolError("200 with <html>, a log-in page, where JSON was expected")


@pytest.mark.parametrize("how", ["500", "empty list", "first page only", "a log-in page with 200"])
def test_case_9_an_outage_in_any_form_closes_nothing_and_is_told_once(how: str) -> None:
    world = crowded()
    Broken(world, how)
    before = len(world.redmine.tracker.log)
    for _ in range(4):
        with suppress(Transient, ProtocolError):
            scan(world.mesh.means, world.mesh.gateways.get("ngi-cz"))
        play(world, 3)
    assert (closed_here(world), lost(world), len(world.redmine.tracker.log)) == (0, 0, before)
    alarms = open_holds(world)
    assert len(alarms) == (1 if how in ("empty list", "first page only") else 0)
    assert world.store.read(lambda tx: tx.registry.system("ngi-cz")).state is SystemState.LIVE


def test_without_the_guard_a_short_list_makes_it_ask_for_every_ticket() -> None:
    world = crowded(guards=ALL_GUARDS - {HoldKind.LOSS})
    Broken(world, "empty list")
    scan(world.mesh.means, world.mesh.gateways.get("ngi-cz"))
    assert world.store.read(lambda tx: tx.outbox.counts())["ngi-cz"].due == MANY


# -- a listing that was cut, and the next one ----------------------------------------------------------------------

FEW = 24
"""More than may be lost unasked, and few enough to be quick."""


class Listing:
    """The listing of RT, `without` some keys; with those that are gone there, where it is behind."""

    def __init__(self, world: World) -> None:
        self.world, self.without = world, set[str]()
        self.whole = world.rt.connector.scan
        world.rt.connector.scan = self._cut  # type: ignore[method-assign]  # the fault is injected here

    def _cut(self, position: str):
        page = self.whole(position)
        return replace(page, changes=tuple(each for each in page.changes if each.key not in self.without))

    def read(self, *, without: Iterable[str] = ()) -> None:
        """The full scan of a later day."""
        self.world.clock.advance(timedelta(hours=1))
        self.without = set(without)
        scan(self.world.mesh.means, self.world.mesh.gateways.get("ngi-cz"))


def keys(world: World) -> list[str]:
    return list(world.rt.tracker.issues)


def hold_of(world: World) -> Hold:
    [hold] = world.store.read(lambda tx: tx.guards.list())
    return hold


def look_at(world: World, gone: Iterable[str]) -> None:
    """They are deleted there, and somebody says so."""
    for key in gone:
        world.rt.tracker.delete("root", key)
        world.store.write(
            lambda tx, key=key: world.mesh.means.relay.owe_inward(tx, "ngi-cz", key, world.clock(), reason="deleted")
        )


def test_a_cut_listing_is_held_until_a_later_one_has_them_all_and_what_waited_goes_on() -> None:
    world = crowded(FEW)
    listing = Listing(world)
    listing.read(without=keys(world))
    world.centre.change(1, {"priority": "urgent"}, TPM)
    key = world.link("ngi-cz").key
    world.alice.edit(key, subject="still at it")
    play(world, 3)
    assert world.issue(world.rt, key).fields["priority"] == "low"
    assert "held by a guard" in world.link("ngi-cz").disagreements["priority"]
    listing.read()
    play(world, 3)
    withdrawn = hold_of(world)
    assert (withdrawn.state, withdrawn.decided_by) == (HoldState.WITHDRAWN, "interdesk")
    assert withdrawn.reason.endswith(f"{FEW} that we know are not among them; withdrawn: a later one has them all")
    assert world.issue(world.rt, key).fields["priority"] == "normal"
    assert world.link("ngi-cz").disagreements == {}
    assert (convergence(world.mesh), silence(world.mesh)) == ([], [])
    assert world.store.read(lambda tx: tx.outbox.counts())["ngi-cz"].held == 0


def test_who_withdrew_a_hold_and_why_is_in_the_audit_log() -> None:
    world = crowded(FEW)
    listing = Listing(world)
    listing.read(without=keys(world))
    listing.read(without=keys(world)[:1])
    [entry] = world.store.read(lambda tx: tx.audit.list())
    assert (entry.act, entry.by, entry.subject) == ("guard withdrawn", "interdesk", "ngi-cz")
    assert entry.data["reason"].endswith("withdrawn: a later one is without 1 of those that we know")


def test_what_the_believed_listing_is_without_is_looked_at_as_ever() -> None:
    world = crowded(FEW)
    listing = Listing(world)
    listing.read(without=keys(world))
    world.rt.tracker.delete("root", "3")
    listing.read()
    play(world, 3)
    assert hold_of(world).state is HoldState.WITHDRAWN
    assert lost(world) == 1


@pytest.mark.parametrize("decide", [holds.approve, holds.reject])
def test_what_a_person_has_decided_stays_decided(decide: Callable[[Means, int, str], Hold]) -> None:
    world = crowded(FEW)
    listing = Listing(world)
    listing.read(without=keys(world))
    decided = decide(world.mesh.means, hold_of(world).id, "ada")
    listing.read()
    assert hold_of(world) == decided


def test_a_listing_that_is_cut_elsewhere_makes_the_hold_speak_of_that_and_is_told_once() -> None:
    world = crowded(FEW + 10)
    listing = Listing(world)
    with capture_logs() as logs:
        listing.read(without=keys(world)[:FEW])
        first = hold_of(world)
        listing.read(without=keys(world)[10:])
        listing.read(without=keys(world)[10:])
    second = hold_of(world)
    assert (second.id, second.opened_at, second.state) == (first.id, first.opened_at, HoldState.OPEN)
    assert second.evidence["keys"] == sorted(keys(world)[10:])
    assert second.reason == f"ngi-cz lists 10 tickets, and {FEW} that we know are not among them"
    assert sum("needs a person" in line["event"] for line in logs) == 1


def test_a_listing_that_was_begun_before_the_cut_one_says_nothing_against_it() -> None:
    world = crowded(FEW)
    begun = world.clock()
    Listing(world).read(without=keys(world))
    assert may_be_missing(world.mesh.means, world.mesh.gateways.get("ngi-cz"), (), FEW, begun)
    assert hold_of(world).state is HoldState.OPEN


def start_scan(world: World) -> int:
    at = world.clock()
    return world.store.write(lambda tx: tx.jobs.create(Job(0, "scan", "ngi-cz", {}, at, "ada", at))).id


def end_scan(world: World, job: int) -> None:
    runner = Runner(world.mesh.means, world.mesh.gateways, submit=lambda step: step())
    for _ in range(10):
        runner.step()
    assert world.store.read(lambda tx: tx.jobs.get(job)).state is JobState.DONE


def test_a_scan_that_a_person_asks_for_withdraws_it_at_once() -> None:
    world = crowded(FEW)
    listing = Listing(world)
    listing.read(without=keys(world))
    listing.without = set()
    end_scan(world, start_scan(world))
    assert hold_of(world).state is HoldState.WITHDRAWN


def test_a_scan_that_a_person_had_asked_for_before_it_withdraws_nothing() -> None:
    world = crowded(FEW)
    listing = Listing(world)
    job = start_scan(world)
    listing.read(without=keys(world))
    listing.without = set()
    end_scan(world, job)
    assert hold_of(world).state is HoldState.OPEN


def test_what_was_seen_to_be_gone_ticket_by_ticket_is_for_a_person_whatever_is_listed() -> None:
    world = crowded(FEW)
    look_at(world, keys(world))
    play(world)
    assert may_be_missing(world.mesh.means, world.mesh.gateways.get("ngi-cz"), (), FEW, world.clock())
    assert (hold_of(world).state, hold_of(world).evidence["number"]) == (HoldState.OPEN, 21)


def test_what_is_seen_to_be_gone_meanwhile_makes_the_same_listing_no_more_usual() -> None:
    world = crowded(FEW)
    listing = Listing(world)
    listing.read(without=keys(world))
    look_at(world, keys(world)[:15])
    play(world, 3)
    world.clock.advance(timedelta(hours=3))
    listing.read(without=keys(world))
    assert hold_of(world).state is HoldState.OPEN


def test_what_waited_for_a_hold_is_looked_at_as_soon_as_it_is_withdrawn() -> None:
    world = crowded(FEW)
    Listing(world).read(without=keys(world))
    look_at(world, keys(world)[:15])
    play(world, 3)
    assert may_be_missing(world.mesh.means, world.mesh.gateways.get("ngi-cz"), (), FEW, world.clock())
    world.mesh.work()
    assert lost(world) == 15


def test_after_a_hold_was_withdrawn_nobody_is_suspected_for_ever() -> None:
    world = crowded(FEW)
    listing = Listing(world)
    listing.read(without=keys(world))
    listing.read()
    for key in ("1", "2"):
        look_at(world, [key])
        world.clock.advance(timedelta(hours=5))
        play(world, 1)
    [suspect] = world.store.read(lambda tx: tx.guards.suspects("ngi-cz", HoldKind.LOSS))
    assert suspect.ticket_id == world.store.read(lambda tx: tx.links.find_by_key("ngi-cz", "2")).ticket_id


def test_what_is_truly_gone_meanwhile_is_counted_once_and_lost_once_the_hold_is_withdrawn() -> None:
    world = crowded(FEW)
    listing = Listing(world)
    listing.read(without=keys(world))
    look_at(world, keys(world)[:15])
    play(world, 3)
    assert lost(world) == 0
    listing.read()
    play(world)
    assert (lost(world), open_holds(world)) == (15, [])


def test_a_true_mass_loss_that_waited_behind_it_however_long_is_asked_about_anew() -> None:
    world = crowded(FEW)
    gateway = world.mesh.gateways.get("ngi-cz")
    Listing(world).read(without=keys(world))
    look_at(world, keys(world))
    play(world, 3)
    world.clock.advance(timedelta(hours=5))
    assert may_be_missing(world.mesh.means, gateway, (), FEW, world.clock())  # an index there that is behind
    play(world)
    [asked] = open_holds(world)
    assert (asked.kind, asked.evidence["number"], lost(world)) == (HoldKind.LOSS, 21, 0)


# -- how much is usual ---------------------------------------------------------------------------------------------

NOON = datetime.fromisoformat("2026-03-02T12:30:00+00:00")
rates = st.lists(st.tuples(st.integers(0, 300), st.integers(1, 500)), unique_by=lambda pair: pair[0]).map(
    lambda pairs: sorted((hour_of(NOON) - HOUR * back, number) for back, number in pairs)
)


@given(rates=rates)
def test_what_was_usual_before_is_still_ordinary_five_times_over(rates: list[tuple[datetime, int]]) -> None:
    limits = Limits()
    ordinary = most(rates, NOON, HoldKind.CLOSING, limits)
    assert ordinary >= limits.closings
    before = [number for hour, number in rates if hour < hour_of(NOON) - HOUR]
    assert ordinary >= 5 * max(before, default=0)


@given(rates=rates)
def test_the_present_two_hours_never_make_themselves_usual(rates: list[tuple[datetime, int]]) -> None:
    older = [(hour, number) for hour, number in rates if hour < hour_of(NOON) - HOUR]
    assert usual(rates, NOON) == usual(older, NOON)
    assert lately(rates, NOON) == sum(number for _, number in rates) - sum(number for _, number in older)
