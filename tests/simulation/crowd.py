"""Scenarios in which everybody works on one ticket at once: what a big mesh shows once in thousands of seeds, they show
soon."""

import random
from collections.abc import Sequence

from connectors.api import Capabilities
from sync.simulation.scenario import GOING_LIVE, Happening, Kind, Moment, Scenario
from sync.simulation.tempers import TABLES, Temper

BACK = {
    "rt": {"open": "in progress", "stalled": "on hold", "resolved": "solved"},
    "redmine": {"New": "new", "In Progress": "in progress", "Feedback": "waiting for reply", "Closed": "closed"},
}
_MOMENTS = ("update", "fetch", "comment", "commit", "commit")


def tracker(name: str, kind: str, capabilities: Capabilities, *, policy: str = "central", **more: object) -> Temper:
    return Temper(
        name, kind, tuple(TABLES[kind].items()), tuple(BACK[kind].items()), capabilities, policy=policy, **more
    )


def crowd(
    seed: int,
    tempers: Sequence[Temper],
    *,
    acts: Sequence[str] = ("status",),
    count: int = 40,
    pace: float = 5.0,
    between: float = 0.5,
    wrong: Sequence[Kind] = (),
    workers: int = 1,
    webhooks: bool = False,
    places: Sequence[str] | None = None,
) -> Scenario:
    """One ticket, shared by all of these, and `count` acts of people on it, many in the middle of our own work."""
    rng = random.Random(f"{seed}/crowd")
    now = GOING_LIVE
    happenings = [Happening(now, Kind.OPEN, tempers[0].name, value="1")]
    for each in tempers[1:]:
        now += 150
        happenings.append(Happening(now, Kind.REASSIGN, "", 0, value=each.unit))
    now += 150
    at_work = places if places is not None else ("", *(each.name for each in tempers))
    for number in range(count):
        place, what = rng.choice(at_work), rng.choice(acts)
        if what == "comment":
            act = Happening(now, Kind.COMMENT, place, 0, value=f"word {number}!")
        elif what == "status":
            act = Happening(now, Kind.EDIT, place, 0, "status", str(rng.randrange(10)))
        elif what == "priority":
            act = Happening(now, Kind.EDIT, place, 0, what, str(rng.randrange(4)))
        else:
            act = Happening(now, Kind.EDIT, place, 0, what, f"{what} {number}")
        moment = Moment(rng.choice(_MOMENTS), rng.random() < 0.5) if rng.random() < between else None
        happenings.append(Happening(act.at, act.kind, act.system, act.pick, act.field, act.value, moment=moment))
        now += rng.expovariate(1 / pace) if rng.random() < 0.8 else rng.uniform(40, 120)
        if wrong and rng.random() < 0.3:
            kind = rng.choice(wrong)
            operation = rng.choice(("update", "comment", "fetch") if kind is not Kind.KILL else ("update", "commit"))
            where = "" if kind is Kind.KILL else rng.choice(tempers).name
            done = kind is Kind.LOST_ANSWER or (kind is Kind.KILL and rng.random() < 0.7)
            happenings.append(Happening(now, kind, where, seconds=rng.uniform(1, 90), moment=Moment(operation, done)))
    happenings.sort(key=lambda each: each.at)
    return Scenario(seed, tuple(tempers), tuple(happenings), workers=workers, webhooks=webhooks, faults=bool(wrong))


def outage(seed: int, temper: Temper) -> Scenario:
    """While the only worker is down, people edit one ticket after the other, over more time than an overlap; it dies
    again with its first page, as soon as something of it is committed."""
    rng = random.Random(f"{seed}/outage")
    down = GOING_LIVE + 400
    happenings = [Happening(GOING_LIVE + 30 * n, Kind.OPEN, temper.name, value=f"{n + 1}") for n in range(4)]
    happenings.append(Happening(down, Kind.KILL, seconds=900, moment=Moment("commit", True)))
    for number in range(4):
        at = down + 60 + 200 * number + rng.uniform(0, 100)
        happenings.append(Happening(at, Kind.EDIT, temper.name, number, "subject", f"subject {number}"))
    page_read = Moment("changes", True)
    happenings.append(Happening(down + 895, Kind.PAUSE, temper.name, seconds=20, moment=page_read))
    happenings.append(Happening(down + 910, Kind.KILL, seconds=rng.uniform(1, 60), moment=Moment("commit", True)))
    return Scenario(seed, (temper,), tuple(happenings), workers=1)
