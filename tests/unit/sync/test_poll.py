"""Whom to look at: pages, cursors, overlaps, and the full scan that trusts contents alone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from central.delivery import Direction, Lane
from central.link import LinkState
from central.store.api import CommitFailed
from central.store.memory import MemoryStore
from connectors.api import Capabilities, Change, ChangePage, Cursor
from connectors.errors import Transient
from connectors.memory import WELL_BEHAVED, Call, MemoryConnector
from sync.bus.inprocess import InProcessBus
from sync.gateway import Gateway
from sync.poll import cursor_of, plain_cursor, poll, scan
from sync.relay import Relay
from sync.simulation.members import RT_LIKE
from tests.unit.sync.world import TPM, World, failing, once

AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


class Pages:
    """A connector that answers with these pages, one after the other, and remembers what it was asked."""

    capabilities = RT_LIKE

    def __init__(self, *pages: ChangePage) -> None:
        self.pages = list(pages)
        self.asked: list[Cursor | None] = []

    def changes(self, since: Cursor | None) -> ChangePage:
        self.asked.append(since)
        page = self.pages.pop(0)
        if isinstance(page, Exception):
            raise page
        return page


def page(minute: int, *keys: str, more: bool = False) -> ChangePage:
    """A page of rows changed `minute` minutes after `AT`."""
    at = AT + timedelta(minutes=minute)
    rows = tuple(Change(key, f"v{minute}", at) for key in keys)
    return ChangePage(rows, Cursor(at, f"after {minute}" if more else ""), more)


def asking(world: World, *pages: ChangePage | Exception) -> tuple[Gateway, Pages]:
    connector = Pages(*pages)  # type: ignore[arg-type]  # an error stands for a failing request
    gateway = replace(world.mesh.gateways.get("ngi-cz"), connector=connector)  # type: ignore[arg-type]  # it only lists
    world.store.write(
        lambda tx: tx.registry.put_system(replace(tx.registry.system("ngi-cz"), cursor=plain_cursor(Cursor(AT))))
    )
    return gateway, connector


def cursor(world: World) -> Cursor | None:
    return cursor_of(world.store.read(lambda tx: tx.registry.system("ngi-cz")).cursor)


def owed(world: World) -> list[str]:
    """The keys that `ngi-cz` is owed an inward look at."""
    found = []
    while claim := world.store.write(
        lambda tx: tx.outbox.claim(
            "ngi-cz", "t", world.clock(), ttl=timedelta(hours=1), lease_name=lambda _, d: d.subject
        )
    ):
        found.append(claim.delivery.subject)
    return found


# -- pages and cursors ---------------------------------------------------------------------------------------------


def test_a_page_becomes_a_look_per_row_and_the_cursor() -> None:
    world = World()
    gateway, _ = asking(world, page(3, "7", "8"))
    assert (poll(world.mesh.means, gateway).owed, cursor(world)) == (2, Cursor(AT + timedelta(minutes=3)))
    assert owed(world) == ["7", "8"]


def test_each_round_begins_before_the_newest_change_that_was_seen_however_many_pages_there_were() -> None:
    world = World()
    gateway, connector = asking(world, page(1, "1", more=True), page(2, "2", more=True), page(3, "3"), page(3))
    poll(world.mesh.means, gateway)
    poll(world.mesh.means, gateway)
    assert connector.asked[0] == Cursor(AT - gateway.overlap)
    assert connector.asked[3] == Cursor(AT + timedelta(minutes=3) - gateway.overlap)
    assert cursor(world) == Cursor(AT + timedelta(minutes=3))


def test_the_cursor_never_goes_back() -> None:
    world = World()
    gateway, _ = asking(world, page(-4, "1"))
    poll(world.mesh.means, gateway)
    assert cursor(world) == Cursor(AT)


def test_pages_that_were_read_before_a_failure_are_kept() -> None:
    world = World()
    gateway, connector = asking(world, page(1, "1", more=True), Transient("down"), page(2, "2"))
    with pytest.raises(Transient):
        poll(world.mesh.means, gateway)
    assert owed(world) == ["1"]
    poll(world.mesh.means, gateway)
    assert connector.asked[-1] is not None
    assert connector.asked[-1].position == "after 1"


def test_a_first_round_takes_nothing_that_was_there_before() -> None:
    world = World()
    world.rt.tracker.person("alice").open(subject="from before")
    gateway = replace(world.mesh.gateways.get("ngi-cz"), system="ngi-cz")
    world.store.write(lambda tx: tx.registry.put_system(replace(tx.registry.system("ngi-cz"), cursor=None)))
    assert poll(world.mesh.means, gateway).rows == 0


def test_three_hundred_changes_within_one_second_are_seen_once_each_over_three_pages() -> None:
    world = World()
    for number in range(300):
        world.alice.open(subject=f"ticket {number}")
    world.clock.advance(timedelta(seconds=5))
    assert poll(world.mesh.means, world.mesh.gateways.get("ngi-cz")).pages == 3
    world.mesh.work()
    assert world.store.read(lambda tx: tx.tickets.count()) == 300


def test_case_12_what_moves_between_two_pages_is_neither_missed_nor_doubled() -> None:
    world = World()
    keys = [world.alice.open(subject=f"ticket {number}") for number in range(300)]
    moved: list[str] = []

    def meanwhile(call: Call) -> None:
        if call.operation == "changes" and call.done and len(moved) < 4:
            moved.append(keys[70 * len(moved)])  # of a page before, of this one, and of one to come
            world.alice.edit(moved[-1], subject=f"moved {len(moved)}")
            keys.append(world.alice.open(subject="opened between two pages"))

    world.rt.connector.intruder = meanwhile
    assert poll(world.mesh.means, world.mesh.gateways.get("ngi-cz")).pages >= 3
    world.mesh.settle()
    assert len(moved) == 4
    subjects = [ticket["subject"] for ticket in world.store.read(lambda tx: tx.tickets.list(limit=1000))]
    assert len(subjects) == len(keys) == 304
    assert {f"moved {number}" for number in range(1, 5)} <= set(subjects)


def test_a_change_that_the_search_shows_late_is_seen_by_the_overlap() -> None:
    slow = replace(RT_LIKE, search_lag=timedelta(seconds=90))
    world = World(rt=slow)
    key = world.alice.open(subject="seen late")
    world.clock.advance(timedelta(minutes=2))
    world.alice.open(subject="seen at once")
    for _ in range(6):
        world.mesh.round()
    assert world.store.read(lambda tx: tx.links.find_by_key("ngi-cz", key)) is not None
    assert world.store.read(lambda tx: tx.tickets.count()) == 2


# -- which rows deserve a look -------------------------------------------------------------------------------------


def test_a_row_that_was_read_already_is_not_read_again() -> None:
    world = World()
    world.shared()
    world.mesh.round()
    fetches = world.rt.connector.calls["fetch"]
    for _ in range(10):
        world.mesh.round()
    assert world.rt.connector.calls["fetch"] == fetches


def test_a_row_of_this_very_second_is_looked_at_once_more_and_then_believed() -> None:
    world = World()
    key = world.alice.open(subject="q")
    world.mesh.settle()
    world.alice.edit(key, subject="now")
    world.mesh.poll()
    world.mesh.work()
    first = world.rt.connector.calls["fetch"]
    for _ in range(5):
        world.mesh.round()
    assert world.rt.connector.calls["fetch"] == first + 1


def test_detached_and_duplicate_links_are_owed_nothing() -> None:
    world = World()
    _, other = world.shared()
    world.centre.change(1, {"unit": "TPM"}, TPM)
    world.mesh.settle()
    world.bob.edit(other, subject="alone")
    fetches = world.redmine.connector.calls["fetch"]
    world.mesh.round()
    assert world.redmine.connector.calls["fetch"] == fetches
    assert world.link("ngi-pl").state is LinkState.DETACHED


def test_a_hint_for_a_detached_ticket_is_not_followed() -> None:
    world = World()
    _, other = world.shared()
    world.centre.change(1, {"unit": "TPM"}, TPM)
    world.mesh.settle()
    world.bob.edit(other, subject="alone")
    fetches, now = world.redmine.connector.calls["fetch"], world.clock()
    world.store.write(lambda tx: world.mesh.means.relay.owe_inward(tx, "ngi-pl", other, now, reason="a webhook"))
    world.mesh.work()
    assert world.redmine.connector.calls["fetch"] == fetches
    assert (world.ticket()["subject"], world.link("ngi-pl").state) == ("CE refuses jobs", LinkState.DETACHED)


# -- the full scan -------------------------------------------------------------------------------------------------


def test_the_scan_finds_what_moved_without_moving_its_version() -> None:
    world = World()
    key, _ = world.shared()
    world.mesh.round(timedelta(minutes=10))
    world.issue(world.rt, key).fields["subject"] = "changed in the database by hand"
    world.mesh.round()
    assert world.ticket()["subject"] == "CE refuses jobs"
    world.mesh.scan()
    assert world.end() == []
    assert world.ticket()["subject"] == "changed in the database by hand"


@pytest.mark.parametrize("rt", [RT_LIKE, WELL_BEHAVED], ids=["weak", "strong"])
def test_the_scan_finds_a_comment_whose_row_no_list_has_ever_shown(rt: Capabilities) -> None:
    world = World(rt=rt)
    key, _ = world.shared()
    world.mesh.round(timedelta(minutes=10))
    world.alice.comment(key, "their index was late by an hour")
    world.clock.advance(timedelta(hours=1))
    passed = plain_cursor(Cursor(world.clock(), ""))
    world.store.write(lambda tx: tx.registry.put_system(replace(tx.registry.system("ngi-cz"), cursor=passed)))
    world.mesh.round()
    assert not world.comments()
    world.mesh.scan()
    assert world.end() == []
    assert [c.text for c in world.comments()] == ["their index was late by an hour"]
    assert scan(world.mesh.means, world.mesh.gateways.get("ngi-cz")).owed == 0


def test_the_scan_of_an_unchanged_system_owes_nothing() -> None:
    world = World()
    world.shared()
    world.mesh.settle()
    assert scan(world.mesh.means, world.mesh.gateways.get("ngi-cz")).owed == 0
    assert scan(world.mesh.means, world.mesh.gateways.get("ngi-pl")).owed == 0


def test_what_a_cut_list_does_not_show_is_looked_at_and_not_given_up() -> None:
    world = World()
    keys = [world.alice.open(subject=f"ticket {number}") for number in range(3)]
    world.mesh.settle()

    class Cut(MemoryConnector):
        def scan(self, position: str) -> ChangePage:
            whole = super().scan(position)
            return ChangePage(whole.changes[:1], whole.cursor, more=False)

    cut = Cut(world.rt.tracker, capabilities=RT_LIKE, clock=world.clock)
    gateway = replace(world.mesh.gateways.get("ngi-cz"), connector=cut)
    assert scan(world.mesh.means, gateway).owed == 2
    assert world.end() == []
    states = [world.store.read(lambda tx, k=key: tx.links.find_by_key("ngi-cz", k)).state for key in keys]
    assert states == [LinkState.ACTIVE] * 3


def test_what_the_scan_finds_waits_behind_live_work() -> None:
    world = World()
    key, _ = world.shared()
    world.mesh.round(timedelta(minutes=10))
    world.issue(world.rt, key).fields["subject"] = "by hand"
    scan(world.mesh.means, world.mesh.gateways.get("ngi-cz"))
    claim = world.store.write(
        lambda tx: tx.outbox.claim(
            "ngi-cz", "t", world.clock(), ttl=timedelta(hours=1), lease_name=lambda _, d: d.subject
        )
    )
    assert claim is not None
    assert (claim.delivery.lane, claim.delivery.direction) == (Lane.BACKFILL, Direction.INWARD)


def test_the_scan_takes_in_what_nobody_announced_but_nothing_from_before_going_live() -> None:
    world = World()
    world.mesh.settle()
    old = world.alice.open(subject="from before")
    new = world.alice.open(subject="from after")
    world.issue(world.rt, old).changed_at = world.clock() - timedelta(days=30)
    world.mesh.scan()
    world.mesh.work()
    found = [world.store.read(lambda tx, k=key: tx.links.find_by_key("ngi-cz", k)) for key in (old, new)]
    assert (found[0], found[1] is not None) == (None, True)


# -- silence -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("well_behaved", [False, True])
def test_sixty_idle_polls_are_sixty_cheap_questions_and_nothing_else(well_behaved: bool) -> None:
    world = World(rt=WELL_BEHAVED) if well_behaved else World()
    world.shared()
    world.centre.comment(1, "word", TPM)
    world.mesh.settle()
    world.mesh.round(timedelta(minutes=10))
    before = [dict(m.connector.calls) for m in (world.rt, world.redmine)]
    logs = [len(m.tracker.log) for m in (world.rt, world.redmine)]
    assert [world.mesh.round() for _ in range(60)] == [0] * 60
    for member, calls, log in zip((world.rt, world.redmine), before, logs, strict=True):
        spent = {name: count - calls.get(name, 0) for name, count in member.connector.calls.items()}
        assert {name: count for name, count in spent.items() if count} == {"changes": 60}
        assert len(member.tracker.log) == log


def test_a_page_that_could_not_be_kept_whole_moves_no_cursor() -> None:
    class Full(Relay):
        def owe_inward(self, tx, system, key, at, **more) -> None:
            super().owe_inward(tx, system, key, at, **more)
            if key == "8":
                raise CommitFailed("no space left on device")

    world = World()
    gateway, _ = asking(world, page(3, "7", "8"))
    before = cursor(world)
    with pytest.raises(CommitFailed):
        poll(replace(world.mesh.means, relay=Full(InProcessBus())), gateway)
    assert (cursor(world), owed(world)) == (before, [])


def test_an_unreachable_list_moves_no_cursor() -> None:
    world = World()
    world.mesh.settle()
    before = cursor(world)
    once(world.rt.connector, "changes", failing(Transient("down")), done=False)
    world.alice.open(subject="meanwhile")
    world.mesh.round()
    assert cursor(world) == before
    assert world.end() == []
    assert world.store.read(lambda tx: tx.tickets.count()) == 1


def test_an_idle_poll_writes_nothing_but_a_note_every_five_minutes() -> None:
    store = Counting()
    world = World(store=store)
    world.shared()
    world.mesh.round(timedelta(hours=1))
    before = store.writes
    for _ in range(20):
        world.clock.advance(timedelta(seconds=60))
        world.mesh.poll(["ngi-cz"])
    assert store.writes - before == 4


def test_the_first_poll_after_a_failure_says_that_all_is_well_again() -> None:
    world = World()

    def failed(tx) -> None:
        tx.registry.put_system(replace(tx.registry.system("ngi-cz"), last_error="503", succeeded_at=world.clock()))

    world.store.write(failed)
    world.mesh.poll(["ngi-cz"])
    assert world.store.read(lambda tx: tx.registry.system("ngi-cz")).last_error == ""


class Counting(MemoryStore):
    """Counts the transactions that write."""

    writes = 0

    def write(self, change, *, durable=True):
        self.writes += 1
        return super().write(change, durable=durable)
