"""The mesh: what it says of each system, in which order, and what it costs."""

import asyncio
import threading
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from central import traffic
from central.delivery import Counts
from central.desk import views
from central.desk.pulse import Beat, Pulse, TooMany
from central.desk.views.mesh import Need, Overview, SystemView, by_need, part
from central.registry import Maintenance, Outage, System, SystemState
from central.store.sql import SqlStore
from central.traffic import STEP, Minute
from tests.unit.central.desk.growing import AT, grow, statements

LIVE = System("ngi-cz", SystemState.LIVE, 1, succeeded_at=AT)


def view(system: System = LIVE, **counts) -> SystemView:
    return views.system_view(system, Counts(**counts), AT)


@pytest.mark.parametrize(
    ("seen", "need"),
    [
        (view(), Need.NOTHING),
        (view(replace(LIVE, state=SystemState.SHADOW)), Need.NOTHING),
        (view(dead=1), Need.PERSON),
        (view(held=1), Need.PERSON),
        (view(replace(LIVE, state=SystemState.QUARANTINED, reason="a copy answers")), Need.PERSON),
        (view(replace(LIVE, state=SystemState.PAUSED, reason="refused", last_error="HTTP 401")), Need.PERSON),
        (view(replace(LIVE, state=SystemState.PAUSED, reason="paused by olga")), Need.ASIDE),
        (view(replace(LIVE, state=SystemState.DRAFT)), Need.ASIDE),
        (view(replace(LIVE, outage=Outage(AT, "no answer", AT))), Need.EYE),
        (view(due=1, oldest_due_at=AT - timedelta(minutes=16)), Need.EYE),
        (view(due=1, oldest_due_at=AT - timedelta(minutes=14)), Need.NOTHING),
    ],
)
def test_what_a_system_needs(seen: SystemView, need: Need) -> None:
    assert seen.need is need


def test_what_needs_a_person_comes_first_and_of_those_what_waits_for_most() -> None:
    names = {
        "b-well": view(replace(LIVE, name="b-well")),
        "a-well": view(replace(LIVE, name="a-well")),
        "draft": view(replace(LIVE, name="draft", state=SystemState.DRAFT)),
        "late": view(replace(LIVE, name="late"), due=1, oldest_due_at=AT - timedelta(hours=1)),
        "one": view(replace(LIVE, name="one"), dead=1),
        "many": view(replace(LIVE, name="many"), dead=5),
    }
    assert [each.name for each in by_need(tuple(names.values()))] == [
        "many",
        "one",
        "late",
        "a-well",
        "b-well",
        "draft",
    ]


@pytest.mark.parametrize(
    ("some", "whole", "told"),
    [
        (0, 0, "—"),
        (3, 3, "100 %"),
        (9_999, 10_000, "99.99 %"),
        (999_999, 1_000_000, "99.99 %"),
        (1, 3, "33.33 %"),
        (0, 5, "0 %"),
    ],
)
def test_a_part_is_never_rounded_up(some: int, whole: int, told: str) -> None:
    assert part(some, whole) == told


def test_troubles_are_sentences() -> None:
    out = replace(LIVE, outage=Outage(AT, "no answer", AT + timedelta(minutes=2)), last_error="HTTP 503")
    told = " / ".join(view(out, dead=2, held=1, discarded=1).troubles)
    for words in (
        "1 thing until",
        "2 dead letters wait",
        "does not answer since 2026-03-02 08:00",
        "HTTP 503",
        "discarded",
    ):
        assert words in told
    assert view(replace(LIVE, state=SystemState.PAUSED, reason="paused by olga")).troubles == ("paused by olga",)


def test_a_window_excuses_what_it_held_and_nothing_else() -> None:
    hour = timedelta(hours=1)

    def seen(begins: timedelta, ends: timedelta, owed_for: timedelta) -> SystemView:
        window = Maintenance(AT + begins, AT + ends, "olga", "new disks")
        return view(replace(LIVE, maintenance=window), due=1, dead=1, oldest_due_at=AT - owed_for)

    during = seen(-hour, hour, 5 * hour)
    assert (during.health, during.need, during.mark) == (views.Health.MAINTENANCE, Need.ASIDE, "maintenance")
    assert "in maintenance until 2026-03-02 09:00:00 UTC, by olga: new disks" in during.troubles[0]
    after = seen(-3 * hour, timedelta(minutes=-10), 5 * hour)
    assert (after.lag, after.overdue, after.maintenance) == (5 * hour, timedelta(minutes=10), None)
    assert seen(-3 * hour, -hour, 5 * hour).overdue == hour
    assert seen(hour, 2 * hour, 5 * hour).overdue == 5 * hour, "one that is to come excuses nothing"
    assert seen(-3 * hour, -2 * hour, hour).overdue == hour, "nor one that was over before"


def test_the_mesh_asks_the_same_few_questions_however_many_systems_and_tickets_there_are(sql: SqlStore) -> None:
    def look() -> Overview:
        return views.overview(sql, lambda: AT)

    sql.write(lambda tx: grow(tx, 0, 2))
    few = statements(sql, look)
    sql.write(lambda tx: grow(tx, 2, 60))
    many = statements(sql, look)
    assert len(many) == len(few) <= 7
    assert not [asked for asked in many if "count(" in asked.lower()], "what is kept is not counted"
    assert len(look().systems) == 60


class Looks:
    """A mesh that is looked at, and how often it was."""

    def __init__(self) -> None:
        self.number, self.at, self.due = 0, AT, 0
        self.minutes: dict[datetime, Minute] = {}

    def __call__(self) -> Overview:
        self.number += 1
        return Overview(self.at, (view(due=self.due),), 0, "")

    def traffic(self, since: datetime) -> list[Minute]:
        return [each for at, each in sorted(self.minutes.items()) if at >= since]


def nothing(_: datetime) -> list[Minute]:
    return []


def test_the_store_is_looked_at_once_for_all_who_watch() -> None:
    looks = Looks()
    pulse = Pulse(looks, looks.traffic)

    async def watch(seen: list[Beat]) -> None:
        async for beat in pulse.beats(lasting=timedelta(seconds=30)):
            if beat is not None:
                seen.append(beat)
                if len(seen) == 3:
                    return

    async def everybody() -> list[list[Beat]]:
        seen: list[list[Beat]] = [[] for _ in range(50)]
        watching = [asyncio.create_task(watch(each)) for each in seen]
        while not all(task.done() for task in watching):
            pulse.beat()
            await asyncio.sleep(0)
            # each has taken the beat, or has ended
            while any(
                not task.done() and (not each or each[-1].number < looks.number)
                for task, each in zip(watching, seen, strict=True)
            ):
                await asyncio.sleep(0)
        return seen

    seen = asyncio.run(everybody())
    assert looks.number == 3
    assert all(len(each) == 3 for each in seen)


def test_no_more_watch_than_a_process_bears() -> None:
    pulse = Pulse(Looks(), nothing, watchers=1)
    pulse.beat()

    async def two() -> None:
        first, second = (pulse.beats(lasting=timedelta(seconds=5)) for _ in range(2))
        await anext(first)
        assert pulse.full
        with pytest.raises(TooMany):
            await anext(second)
        await first.aclose()
        assert not pulse.full

    asyncio.run(two())


def test_whoever_watches_is_let_go_when_the_process_ends() -> None:
    pulse = Pulse(Looks(), nothing, every=timedelta(milliseconds=1))
    told = threading.Event()

    async def watch() -> None:
        async for _ in pulse.beats(lasting=timedelta(hours=1)):
            told.set()

    watching = threading.Thread(target=lambda: asyncio.run(watch()))
    with pulse:
        watching.start()
        assert told.wait(120)
    watching.join(120)
    assert not watching.is_alive()


def test_a_look_that_fails_is_followed_by_the_next() -> None:
    looks, again = Looks(), threading.Event()

    def look() -> Overview:
        if looks.number == 0:
            looks.number += 1
            raise OSError("the database is away")
        again.set()
        return looks()

    with Pulse(look, nothing, every=timedelta(milliseconds=1)):
        assert again.wait(120)


def test_a_trail_holds_the_most_that_was_owed_in_each_minute_of_the_last_hour_whoever_made_it() -> None:
    looks = Looks()

    def happen(minute: int, most: int, due: int) -> None:
        at = AT + minute * STEP
        looks.minutes[at] = Minute("ngi-cz", at, most_due=most, due=due)

    happen(-200, 9, 7)
    happen(-2, 8, 3)
    looks.due = 4
    pulse, another = Pulse(looks, looks.traffic), Pulse(looks, looks.traffic)
    assert pulse.beat().trails == {"ngi-cz": (*[7] * 57, 8, 3, 4)}
    happen(-1, 2, 2)
    assert pulse.beat().trails == {"ngi-cz": (*[7] * 57, 8, 2, 4)}, "within a minute, what is told anew is drawn anew"
    looks.due = 9
    assert pulse.beat().trails == {"ngi-cz": (*[7] * 57, 8, 2, 9)}, "what is owed now is, without a look that ended"
    happen(-1, 3, 3)
    looks.at = AT + STEP
    happen(0, 6, 5)
    happen(1, 5, 0)
    looks.due = 0
    assert pulse.beat().trails == {"ngi-cz": (*[7] * 56, 8, 3, 6, 5)}
    assert another.beat().trails == pulse.beat().trails
    looks.at = AT + 90 * STEP
    assert pulse.beat().trails == {"ngi-cz": (0,) * 60}


def test_of_a_system_that_was_never_looked_at_there_is_no_trail() -> None:
    assert Pulse(Looks(), nothing).beat().trails == {}


@pytest.mark.parametrize(
    ("ended", "failed", "told"),
    [(10, 0, "0 %"), (9, 1, "10 %"), (999_999, 1, "0.01 %"), (0, 3, "100 %"), (2, 1, "33.33 %")],
)
def test_an_error_rate_is_never_rounded_down_to_none(ended: int, failed: int, told: str) -> None:
    assert views.system_view(LIVE, Counts(), AT, traffic.Looks(ended, failed)).errors == told
    assert view().errors == "—"
