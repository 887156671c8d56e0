"""A scenario: everything that one seed means, as plain data, drawn before anything runs.

What happens carries its moment with it, so that a scenario from which something was taken away is still the same
scenario but for that: this is what makes a failing seed shrinkable. Times are seconds since the start.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from sync.guards.usual import Limits
from sync.simulation.tempers import Temper, temper

GOING_LIVE = 60.0
"""Until then every system is asked for the first time: what was there before belongs to a backfill."""


class Kind(StrEnum):
    """What can happen. People first, then what goes wrong."""

    OPEN = "opens a ticket"
    EDIT = "sets a field"
    COMMENT = "comments"
    INTERNAL = "comments internally"
    ATTACH = "attaches a file"
    REASSIGN = "reassigns"
    DELETE = "deletes a ticket"
    RETURN = "brings a ticket back"
    WATCH = "watches a ticket"
    UNWATCH = "is taken off a ticket's watchers"
    LOST_REQUEST = "a request is lost on the way"
    LOST_ANSWER = "an answer is lost"
    LATE = "a request is lost, and executes late"
    BUSY = "answers 503"
    THROTTLED = "answers 429"
    HTML = "answers HTML with 200"
    EMPTY = "lists nothing"
    CUT = "cuts its list short"
    LOCKED_OUT = "refuses our log-in"
    KILL = "a worker is killed"
    PAUSE = "a worker is paused"
    STEP = "a clock steps"
    SHUFFLED = "lists out of order"
    DOUBLED = "lists everything twice"
    LATE_INDEX = "lists nothing of late, for its index lags"
    BACKUP = "is backed up"
    RESTORE = "is restored from its backup"
    CLOSE_ALL = "a script closes nearly everything"
    DELETE_ALL = "a script deletes nearly everything"


NIGHT = 3700.0
"""So long nobody does anything: the mark that we leave in a partner's system moves once an hour at most."""
RESTORED = 0.12
"""In how many of the seeds in which things go wrong a partner is restored from a backup."""

LISTINGS = frozenset({Kind.EMPTY, Kind.CUT, Kind.SHUFFLED, Kind.DOUBLED, Kind.LATE_INDEX})
"""What is wrong with a list that is answered, rather than with the answering."""
MASSES = 0.08
"""In how many of them a script closes or deletes nearly all of a partner's tickets."""
DISASTERS = frozenset({Kind.BACKUP, Kind.RESTORE, Kind.CLOSE_ALL, Kind.DELETE_ALL})
"""What befalls a whole tracker."""
PEOPLE = frozenset(
    {
        Kind.OPEN,
        Kind.EDIT,
        Kind.COMMENT,
        Kind.INTERNAL,
        Kind.ATTACH,
        Kind.REASSIGN,
        Kind.DELETE,
        Kind.RETURN,
        Kind.WATCH,
        Kind.UNWATCH,
    }
)


@dataclass(frozen=True, slots=True)
class Moment:
    """In the middle of the engine's work: at its next such call of the system, before (`done` False) or after it.

    `operation` is the connector's, or `commit` for a transaction of the store."""

    operation: str
    done: bool


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happens at `at`; with a `moment`, at the first such moment after it.

    `system` "" is the centre. `pick` chooses the ticket (or the worker) among those there are by then."""

    at: float
    kind: Kind
    system: str = ""
    pick: int = 0
    field: str = ""
    value: str = ""
    seconds: float = 0
    moment: Moment | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    """The whole of it."""

    seed: int
    tempers: tuple[Temper, ...]
    happenings: tuple[Happening, ...]
    workers: int = 2
    webhooks: bool = False
    deaf: float = 0.0
    """How many of the wake-ups are lost, of 1."""
    faults: bool = True
    """Whether anything may go wrong at all; without, well-behaved trackers leave no excuse."""

    @property
    def well_behaved(self) -> bool:
        """Nothing goes wrong, and every tracker does what it is told."""
        return not self.faults and all(each.well_behaved for each in self.tempers)

    def without(self, dropped: frozenset[int]) -> "Scenario":
        """The same with those happenings left out, by their place."""
        return replace(self, happenings=tuple(h for i, h in enumerate(self.happenings) if i not in dropped))

    def calmer(self) -> "Scenario":
        """The same without webhooks and lost wake-ups."""
        return replace(self, webhooks=False, deaf=0.0)

    def alone(self) -> "Scenario":
        """The same with one worker process."""
        return replace(self, workers=1)

    def lacking(self, system: str) -> "Scenario":
        """The same without one system."""
        return replace(
            self,
            tempers=tuple(t for t in self.tempers if t.name != system),
            happenings=tuple(h for h in self.happenings if h.system != system and h.value != f"unit of {system}"),
        )


_FIELDS = ("subject", "subject", "priority", "status", "status", "status", "description")
_MOMENTS = ("update", "update", "comment", "comment", "create", "fetch", "fetch", "changes", "find", "commit", "commit")
_FAULTS = (
    Kind.LOST_REQUEST,
    Kind.LOST_ANSWER,
    Kind.LOST_ANSWER,
    Kind.LATE,
    Kind.LATE,
    Kind.BUSY,
    Kind.THROTTLED,
    Kind.HTML,
    Kind.EMPTY,
    Kind.CUT,
    Kind.SHUFFLED,
    Kind.DOUBLED,
    Kind.LATE_INDEX,
    Kind.LATE_INDEX,
    Kind.LOCKED_OUT,
    Kind.KILL,
    Kind.KILL,
    Kind.PAUSE,
    Kind.PAUSE,
    Kind.STEP,
)


def scenario(seed: int, *, systems: int = 5, faults: bool | None = None) -> Scenario:
    """What this seed means. `faults` None: the seed decides (a quarter of them are fault-free)."""
    rng = random.Random(seed)
    calm = rng.random() < 0.25 if faults is None else not faults
    polite = calm and rng.random() < 0.6
    tempers = tuple(temper(rng, f"ngi-{number}", polite=polite) for number in range(1, systems + 1))
    acts = _people(rng, tempers, rng.randint(50, 80))
    wrong = [] if calm else _faults(rng, tempers, acts[-1].at, rng.randint(0, 30))
    what = Scenario(
        seed=seed,
        tempers=tempers,
        happenings=tuple(sorted((*acts, *wrong), key=lambda each: each.at)),
        workers=rng.choice((1, 2, 2, 3)),
        webhooks=rng.random() < 0.5,
        deaf=0.0 if calm else rng.choice((0.0, 0.0, 0.1, 0.5)),
        faults=not calm,
    )
    return what if calm else _perhaps(_perhaps(what, restored, RESTORED), in_masses, MASSES)


def _perhaps(what: Scenario, disaster: Callable[[Scenario, str, random.Random], Scenario], rate: float) -> Scenario:
    """In some seeds a disaster befalls a partner. Drawn from a stream of its own: all other seeds stay as they are."""
    rng = random.Random(f"{what.seed}/{disaster.__name__}")
    name = rng.choice(what.tempers).name
    return disaster(what, name, rng) if rng.random() < rate else what


def restored(what: Scenario, system: str, rng: random.Random) -> Scenario:
    """The same with a partner that bears our mark, and goes back to a backup of before the night after that night."""
    last = what.happenings[-1].at
    dusk = rng.uniform(GOING_LIVE, last)
    backed_up, back = rng.uniform(GOING_LIVE, dusk), rng.uniform(dusk, last) + NIGHT
    acts = [act if act.at <= dusk else replace(act, at=act.at + NIGHT) for act in what.happenings]
    acts += [Happening(backed_up, Kind.BACKUP, system), Happening(back, Kind.RESTORE, system)]
    return replace(
        what,
        tempers=tuple(replace(t, marked=t.marked or t.name == system) for t in what.tempers),
        happenings=tuple(sorted(acts, key=lambda each: each.at)),
    )


def in_masses(what: Scenario, system: str, rng: random.Random) -> Scenario:
    """The same with a partner that has a few tickets more, of which a script closes or deletes nearly all: many more
    than it may without being asked about."""
    last = what.happenings[-1].at
    struck = rng.uniform(GOING_LIVE + 120, last + 120)
    acts = [
        Happening(rng.uniform(GOING_LIVE, struck - 100), Kind.OPEN, system, value=f"{number}")
        for number in range(900, 900 + rng.randint(5, 8))
    ]
    acts.append(Happening(struck, rng.choice((Kind.CLOSE_ALL, Kind.DELETE_ALL)), system, rng.randrange(1000)))
    limits = Limits(closings=3, losses=3)
    return replace(
        what,
        tempers=tuple(replace(t, limits=limits) if t.name == system else t for t in what.tempers),
        happenings=tuple(sorted((*what.happenings, *acts), key=lambda each: each.at)),
    )


def watched(what: Scenario, count: int = 40) -> Scenario:
    """The same with watchers on every ticket, a set that is one text in every second tracker, and people who join and
    leave. No seed draws it, so that none changes: whoever wants to see sets in the mesh asks for them."""
    rng = random.Random(f"{what.seed}/watched")
    last = what.happenings[-1].at
    acts = []
    for number in range(count):
        kind = Kind.WATCH if rng.random() < 0.6 else Kind.UNWATCH
        moment = Moment(rng.choice(_MOMENTS), rng.random() < 0.5) if rng.random() < 0.4 else None
        place = rng.choice(("", *(each.name for each in what.tempers)))
        at, pick = rng.uniform(GOING_LIVE + 30, last), rng.randrange(1000)
        acts.append(Happening(at, kind, place, pick, "cc", f"w{number}@x.org", moment=moment))
        if what.faults and number % 4 == 0:  # cut off as it is written, while both sides move on
            name = rng.choice(what.tempers).name
            acts.append(Happening(at, Kind.KILL, name, seconds=20, moment=Moment("update", True)))
            acts.append(Happening(at + rng.uniform(1, 30), Kind.UNWATCH, "", pick, "cc", f"w{number}@x.org"))
            acts.append(Happening(at + rng.uniform(1, 30), Kind.WATCH, name, pick, "cc", f"v{number}@x.org"))
    return replace(
        what,
        tempers=tuple(replace(t, watchers=("set", "text")[n % 2]) for n, t in enumerate(what.tempers)),
        happenings=tuple(sorted((*what.happenings, *acts), key=lambda each: each.at)),
    )


def _people(rng: random.Random, tempers: Sequence[Temper], count: int) -> list[Happening]:
    """People at work everywhere: a few tickets, then edits and words, in bursts and in quiet."""
    now, acts = GOING_LIVE, list[Happening]()
    pace = rng.choice((0.5, 5.0, 20.0, 40.0))
    focus = rng.choice((1, 2, 4))
    for number in range(count):
        place = rng.choice(("", *(each.name for each in tempers)))
        if number < focus or rng.random() < 0.03:
            act = Happening(now, Kind.OPEN, place, value=f"{number + 1}")
        else:
            act = _act(rng, tempers, place, number, now)
        if number >= focus and rng.random() < 0.25:
            act = replace(act, moment=Moment(rng.choice(_MOMENTS), rng.random() < 0.5))
        acts.append(act)
        now += rng.expovariate(1 / pace) if rng.random() < 0.9 else rng.uniform(60, 400)
        if number == focus:
            now += 30
    return acts


def _act(rng: random.Random, tempers: Sequence[Temper], place: str, number: int, now: float) -> Happening:
    pick, chance = rng.randrange(8), rng.random()
    if chance < 0.55:
        field = rng.choice(_FIELDS)
        return Happening(now, Kind.EDIT, place, pick, field, _value(rng, field, number))
    if chance < 0.70:
        return Happening(now, Kind.COMMENT, place, pick, value=f"word {number}!", seconds=rng.choice((0, 0, 0, 1)))
    if chance < 0.75:
        return Happening(now, Kind.INTERNAL, place, pick, value=f"CANARY {number}!", seconds=rng.choice((0, 1)))
    if chance < 0.79 and place:
        return Happening(now, Kind.ATTACH, place, pick, value=f"file-{number}.txt")
    if chance < 0.82 and place:
        return Happening(now, rng.choice((Kind.DELETE, Kind.RETURN)), place, pick)
    if chance < 0.97:
        unit = rng.choice(tempers).name
        return Happening(now, Kind.REASSIGN, "", pick, value=f"unit of {unit}" if rng.random() < 0.85 else "TPM")
    return Happening(now, Kind.OPEN, place, value=f"{number + 1}")


def _value(rng: random.Random, field: str, number: int) -> str:
    if field == "status":
        return str(rng.randrange(10))  # the people there know their own words
    if field == "priority":
        return str(rng.randrange(4))
    return f"{field} {number if rng.random() < 0.8 else rng.randrange(4)}"


def _faults(rng: random.Random, tempers: Sequence[Temper], until: float, count: int) -> list[Happening]:
    wrong = []
    for _ in range(count):
        kind, system = rng.choice(_FAULTS), rng.choice(tempers).name
        at = rng.uniform(GOING_LIVE, until)
        moment: Moment | None = Moment(rng.choice(_MOMENTS), rng.random() < 0.5)
        seconds = 0.0
        match kind:
            case Kind.LATE:
                moment, seconds = (
                    Moment(rng.choice(("create", "update", "comment", "comment")), False),
                    rng.uniform(0, 29),
                )
            case Kind.LOST_REQUEST | Kind.BUSY | Kind.THROTTLED | Kind.LOCKED_OUT:
                moment = Moment(rng.choice(_MOMENTS[:-2]), False)
                seconds = rng.uniform(1, 120)
            case Kind.LOST_ANSWER | Kind.HTML:
                moment = Moment(rng.choice(_MOMENTS[:-2]), True)
            case Kind.EMPTY | Kind.CUT | Kind.SHUFFLED | Kind.DOUBLED | Kind.LATE_INDEX:
                moment, seconds = Moment(rng.choice(("changes", "changes", "scan")), True), rng.uniform(1, 120)
            case Kind.KILL:
                seconds = rng.uniform(1, 200)
            case Kind.PAUSE:
                seconds = rng.choice((0.5, 3, 20, 60, 140, 200, 400))
            case Kind.STEP:
                moment, seconds = None, rng.choice((-90, -1, -0.4, 1, 30, 90))
        wrong.append(Happening(at, kind, system, seconds=seconds, moment=moment))
    return wrong
