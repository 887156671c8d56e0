"""A model of one link, small enough to be searched whole: people edit on both sides, pushes are not atomic, answers are
lost, the process is killed anywhere, requests execute late. The decisions are the engine's own pure functions.

What people did is remembered beside the engine, by the model alone: `told_there` and `told_here` are the values of
either side that the engine has accounted for (taken in, written, or kept as the loser of a conflict). A value that is
not among them is an edit which nobody has heard of yet: it must never be overwritten silently.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from central.link import Intent, IntentKind, Link, LinkState, Pair, Refusal
from central.model import Ticket, Value
from connectors.api import RemoteTicket
from connectors.emulators.tracker import Tracker as Memory
from connectors.memory import WELL_BEHAVED, MemoryConnector
from mappings.document import compile_mapping
from mappings.loader import read
from sync import echo
from sync.absorb import NOTHING_NEW, still_open, unread_edits
from sync.decide import decide
from sync.gateway import Gateway
from sync.past import Past
from sync.plan import Plan, Verdict
from sync.policy import Policy, Winner
from sync.reading import Reading
from sync.reconcile import corresponds
from sync.settle import settle_update

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
DEADLINE = timedelta(seconds=30)
MAPPING = compile_mapping(
    read(
        """
kind: mapping
name: one-link
connector: memory
fields:
  status:
    remote: status
    table:
      {new: new, assigned: open, in progress: open, waiting for reply: stalled, on hold: stalled, reopened: open,
       solved: resolved, unsolved: rejected, verified: resolved, closed: resolved}
    back: {open: in progress, stalled: on hold, resolved: solved}
""",
        "one-link.yaml",
    )[0],
    revision=1,
)
"""The NGI_CZ table of Request Tracker, closed rows and the way back completed."""

LIFECYCLE: Mapping[str, tuple[str, ...]] = {
    "new": ("open", "rejected"),
    "open": ("stalled", "resolved"),
    "stalled": ("open",),
    "resolved": ("open",),
    "rejected": (),
}
"""What the sync account may do; people may do anything."""


class Note(NamedTuple):
    """An entry of their history."""

    id: int
    old: str
    new: str
    own: bool


class Open(NamedTuple):
    """An intent: what it wrote over what, the newest entry it had seen, and whether its deadline has passed."""

    ours: str
    theirs: str
    before: str
    seen: int | None
    stale: bool


class Doing(NamedTuple):
    """A push under way. `stage`: sent (the intent is committed) or done (the tracker has worked)."""

    stage: str
    wrote: Open
    moved: bool = False
    """Somebody has edited the ticket since it was read."""
    reason: str = ""


class Flying(NamedTuple):
    """A request of ours whose process is dead, and which may still execute."""

    wrote: Open
    moved: bool


class State(NamedTuple):
    """Both tickets, the link between them, and what is under way."""

    ours: str
    theirs: str
    base: tuple[str, str]
    refusal: tuple[str, str] | None = None
    intents: tuple[Open, ...] = ()
    seen: int | None = 0
    history: tuple[Note, ...] = ()
    doing: Doing | None = None
    flying: Flying | None = None
    told_here: frozenset[str] = frozenset()
    told_there: frozenset[str] = frozenset()
    covered: tuple[str, ...] = ()
    """Edits there that a write of ours replaced unread: each must still be kept."""


Decide = Callable[[Gateway, Past, Reading], Plan]


@dataclass(frozen=True)
class Engine:
    """The functions that decide. A test may take one of them away to see what it is good for."""

    decide: Decide = decide
    settle: Callable[..., Any] = settle_update
    still_open: Callable[..., tuple[Intent, ...]] = still_open
    unread_edits: Callable[..., Mapping[str, Any]] = unread_edits


@dataclass(frozen=True)
class Tracker:
    """What the tracker offers: a lock (a precondition on the version), a history."""

    lock: bool
    history: bool


RT = Tracker(lock=True, history=True)
REDMINE = Tracker(lock=False, history=True)


class Broken(Exception):
    """A law does not hold. The sentence says which."""


class _Means:
    request_deadline = DEADLINE


@dataclass
class OneLink:
    """The transitions of the model, for one tracker, one policy, one engine and these words on either side."""

    tracker: Tracker
    ours: tuple[str, ...]
    theirs: tuple[str, ...]
    policy: str = "central"
    engine: Engine = field(default_factory=Engine)
    hurries: bool = False
    """Whether a field is written again while an earlier write of it may still execute."""
    plans: dict[State, Plan] = field(default_factory=dict)
    quiet: set[State] = field(default_factory=set)

    def __post_init__(self) -> None:
        offered = replace(WELL_BEHAVED, preconditions=self.tracker.lock, history=self.tracker.history)
        self._gateway = Gateway(
            system="there",
            revision=1,
            connector=MemoryConnector(Memory(lambda: NOW), capabilities=offered),
            mapping=MAPPING,
            policy=Policy(self.policy),
            birth_unit="TPM",
            units=frozenset(),
        )

    # -- the search --------------------------------------------------------------------------------------------------

    def start(self) -> State:
        """Both sides agree, and nothing is under way."""
        ours, theirs = self.ours[0], self.theirs[0]
        seen = 0 if self.tracker.history else None
        return State(
            ours, theirs, (ours, theirs), seen=seen, told_here=frozenset({ours}), told_there=frozenset({theirs})
        )

    def explore(self, limit: int = 2_000_000) -> int:
        """Visit every state breadth-first; how many there are.  :raises Broken: with the shortest story."""
        first = self.start()
        came: dict[State, tuple[State, str] | None] = {first: None}
        queue = deque([first])
        while queue:
            state = queue.popleft()
            try:
                for label, after in self.steps(state):
                    if after not in came:
                        came[after] = (state, label)
                        queue.append(after)
                self.comes_to_rest(state)
            except Broken as broken:
                raise Broken("\n".join([*self._story(came, state), str(broken)])) from None
            if len(came) > limit:
                raise AssertionError(f"more than {limit} states")
        return len(came)

    def _story(self, came: Mapping[State, tuple[State, str] | None], state: State) -> list[str]:
        lines = []
        while (step := came[state]) is not None:
            lines.append(f"{step[1]}: {_picture(state)}")
            state = step[0]
        return [_picture(state), *lines[::-1]]

    # -- what can happen ---------------------------------------------------------------------------------------------

    def steps(self, state: State) -> Iterator[tuple[str, State]]:
        """Every next state, with what happened."""
        for value in self.theirs:
            if value != state.theirs:
                yield f"somebody there sets {value}", self._edited(state, value)
        for value in self.ours:
            if value != state.ours:
                yield f"the centre sets {value}", state._replace(ours=value)
        if state.flying is not None and state.doing is None:
            yield "the late request executes", self._late(state)
        if state.doing is None:
            if any(not i.stale for i in state.intents) or state.flying is not None:
                yield "the deadline passes", self._deadline(state)
            yield "they are looked at", self._absorbed(state, pushes=False)
            if not state.intents or all(i.stale for i in state.intents) or self.hurries:
                yield "a push begins", self._absorbed(state, pushes=True)
        elif state.doing.stage == "sent":
            yield "the tracker works", self._executed(state, state.doing)
            yield "killed before sending", state._replace(doing=None)
            yield (
                "killed after sending",
                state._replace(doing=None, flying=Flying(state.doing.wrote, state.doing.moved)),
            )
        else:
            yield "the answer is settled", self._settled(state, state.doing)
            yield "the answer is lost", state._replace(doing=None)

    def _edited(self, state: State, value: str) -> State:
        doing = state.doing._replace(moved=True) if state.doing else None
        flying = state.flying._replace(moved=True) if state.flying else None
        after = self._noted(state, value, own=False)
        return after._replace(theirs=value, doing=doing, flying=flying)

    def _deadline(self, state: State) -> State:
        """Whatever was sent has executed by now, or never will."""
        return _trimmed(state._replace(flying=None, intents=tuple(i._replace(stale=True) for i in state.intents)))

    def _late(self, state: State) -> State:
        assert state.flying is not None
        wrote, moved = state.flying
        state = state._replace(flying=None)
        if self.tracker.lock and moved:
            return state
        return self._written(state, wrote, moved=moved)[0]

    # -- reading and deciding ----------------------------------------------------------------------------------------

    def plan(self, state: State) -> Plan:
        """What the engine decides now."""
        seen = state._replace(doing=None, flying=None, told_here=frozenset(), told_there=frozenset(), covered=())
        if seen not in self.plans:
            self.plans[seen] = self.engine.decide(self._gateway, self._past(state), self._reading(state))
        return self.plans[seen]

    def _absorbed(self, state: State, *, pushes: bool) -> State:
        """Read and commit. In between only other fields of the story can move, so that one step tells both."""
        past, theirs = self._past(state), self._reading(state)
        plan = self.plan(state)
        step = plan.steps[0]
        news = state.theirs not in state.told_there
        ours, here, there = state.ours, state.told_here, state.told_there
        if step.loser is not None and step.loser.winner is Winner.UNDECIDED:
            here, there = here | {state.ours}, there | {state.theirs}  # both are kept, and may still be withdrawn
        elif step.loser is not None:
            if not news and not step.loser.rejected:
                raise Broken(f"their {state.theirs!r}, which nobody set, is the loser of a conflict")
            there = frozenset({state.theirs})
            here = here if step.loser.winner is Winner.CENTRAL else frozenset({state.ours})
        if step.verdict is Verdict.INWARD:
            if not news and self.policy != "ask":
                raise Broken(f"{state.theirs!r} is taken in, though nobody there has set it")
            if state.ours not in here:
                raise Broken(f"the centre's {state.ours!r} gives way to {state.theirs!r}, and is kept nowhere")
            ours = str(step.become)
            here, there = frozenset({ours}), frozenset({state.theirs})
        if step.verdict in (Verdict.AGREED, Verdict.SETTLE):
            here, there = frozenset({state.ours}), frozenset({state.theirs})
        kept = [str(loser.theirs) for loser in self.engine.unread_edits(past, self._gateway, theirs).values()]
        after = state._replace(
            ours=ours,
            base=_values(plan.base.get("status"), state.base),
            refusal=state.refusal if step.verdict is Verdict.STANDING else None,
            intents=_opened(
                self.engine.still_open(_Means, self._gateway, past, plan, NOTHING_NEW, theirs), state.intents
            ),
            seen=_newest(state.history) if self.tracker.history else None,
            doing=None,
            told_here=here,
            told_there=there,
            covered=_without(state.covered, kept),
        )
        if pushes and plan.outward:
            wrote = Open(state.ours, str(step.become), state.theirs, after.seen, stale=False)
            after = after._replace(intents=(*after.intents, wrote), doing=Doing("sent", wrote))
        return _trimmed(after)

    # -- writing and settling ----------------------------------------------------------------------------------------

    def _executed(self, state: State, doing: Doing) -> State:
        if self.tracker.lock and doing.moved:  # a version conflict: nothing was written, the intent is taken back
            return _trimmed(state._replace(doing=None, intents=_without(state.intents, [doing.wrote])))
        after, reason = self._written(state, doing.wrote, moved=doing.moved)
        return after._replace(doing=doing._replace(stage="done", reason=reason))

    def _written(self, state: State, wrote: Open, *, moved: bool) -> tuple[State, str]:
        if wrote.theirs == state.theirs:
            return state, ""
        if wrote.theirs not in LIFECYCLE[state.theirs]:
            return state, "not from here"
        covered = state.covered
        if state.theirs not in state.told_there:
            if not moved:
                raise Broken(f"{state.theirs!r}, set by somebody there, is overwritten by {wrote.theirs!r} knowingly")
            covered = tuple(sorted((*covered, state.theirs)))
        told = {wrote.ours, state.ours} if _agree(state.ours, wrote.theirs) else {wrote.ours}
        flying = state.flying._replace(moved=True) if state.flying else None
        after = self._noted(state, wrote.theirs, own=True)
        after = after._replace(theirs=wrote.theirs, covered=covered)
        after = after._replace(told_here=frozenset(told), told_there=frozenset({wrote.theirs}))
        return after._replace(flying=flying), ""

    def _settled(self, state: State, doing: Doing) -> State:
        past, after = self._past(state), self._reading(state)
        intent = next(i for i, o in zip(past.link.intents, state.intents, strict=True) if o == doing.wrote)
        reasons = {"status": doing.reason} if doing.reason else {}
        entries = None if after.history is None else echo.after(after.history, intent.history_seen)
        settled = self.engine.settle(past.link, intent, {"status": state.theirs}, reasons, entries, MAPPING, NOW)
        kept = [str(loser.theirs) for loser in self.engine.unread_edits(past, self._gateway, after).values()]
        refusal = settled.link.refusals.get("status")
        if settled.arrived and state.theirs == doing.wrote.theirs:
            state = state._replace(told_here=state.told_here | {doing.wrote.ours}, told_there=frozenset({state.theirs}))
        if self.tracker.history and not settled.look_again:
            state = state._replace(seen=_newest(state.history))
        return _trimmed(
            state._replace(
                base=_values(settled.link.base.get("status"), state.base),
                refusal=None if refusal is None else (str(refusal.wanted), str(refusal.theirs)),
                intents=_without(state.intents, [doing.wrote]),
                doing=None,
                covered=_without(state.covered, kept),
            )
        )

    # -- rest --------------------------------------------------------------------------------------------------------

    def comes_to_rest(self, state: State) -> None:
        """Left alone, the engine falls silent within a few looks, and everything is then accounted for.

        :raises Broken: it does not, or it is not."""
        if state.doing is not None or state.flying is not None:
            return
        seen: list[State] = []
        state = self._deadline(state)
        writes = 0
        while state not in self.quiet:
            seen.append(state)
            plan = self.plan(state)
            after = self._absorbed(state, pushes=True)
            if after.doing is not None:
                writes += 1
                if writes > 3:
                    raise Broken("left alone, it writes on and on")
                after = self._settled(executed := self._executed(after, after.doing), _doing(executed))
            if after == state:
                self._judge(state, plan)
                break
            state = after
            if len(seen) > 12:
                raise Broken("left alone, it does not come to rest")
        self.quiet.update(seen)

    def _judge(self, state: State, plan: Plan) -> None:
        standing = plan.steps[0].verdict is Verdict.STANDING
        if state.covered:
            raise Broken(f"at rest, {state.covered} set there was overwritten unread and is kept nowhere")
        if not standing and not _agree(state.ours, state.theirs):
            raise Broken("at rest, the two sides differ and nothing stands in the way")
        if state.theirs not in state.told_there and not standing:
            raise Broken(f"at rest, nobody has heard of their {state.theirs!r}")

    # -- the engine's own values ---------------------------------------------------------------------------------------

    def _past(self, state: State) -> Past:
        intents = tuple(_intent(one, number, self.tracker.history) for number, one in enumerate(state.intents))
        refusals = {"status": Refusal(*state.refusal, "not from here", 1, NOW)} if state.refusal else {}
        link = Link(
            1,
            1,
            "there",
            LinkState.ACTIVE,
            key="7",
            base={"status": Pair(*state.base)},
            refusals=refusals,
            intents=intents,
            mapping_revision=1,
            history_seen=_mark(state.seen),
        )
        ticket = Ticket(1, 1, {"status": state.ours}, NOW, NOW)
        return Past(ticket, link, {}, {}, (), (), ())

    def _reading(self, state: State) -> Reading:
        entries = tuple(echo.Entry(str(n.id), "status", n.old, n.new, n.own, NOW) for n in state.history)
        ticket = RemoteTicket("7", "1", {"status": state.theirs}, ())
        return Reading(ticket, NOW, entries if self.tracker.history else None)

    def _noted(self, state: State, value: str, *, own: bool) -> State:
        """Their history with one entry more."""
        if not self.tracker.history:
            return state
        note = Note(_newest(state.history) + 1, state.theirs, value, own)
        return _trimmed(state._replace(history=(*state.history, note)))


def _trimmed(state: State) -> State:
    """The same state with the history that matters: all that is new to somebody, and one entry of ours from before."""
    if not state.history:
        return state
    marks = [m for m in (state.seen, *(i.seen for i in state.intents)) if m is not None]
    oldest = min(marks, default=0)
    older = [n for n in state.history if n.id <= oldest and n.own][-1:]
    kept = _merged([*older, *(n for n in state.history if n.id > oldest)], {*marks})
    known = {n.id: number for number, n in enumerate(kept, 1)}

    def renamed(mark: int | None) -> int | None:
        return None if mark is None else max((new for old, new in known.items() if old <= mark), default=0)

    return state._replace(
        history=tuple(n._replace(id=known[n.id]) for n in kept),
        seen=renamed(state.seen),
        intents=tuple(i._replace(seen=renamed(i.seen)) for i in state.intents),
        doing=None if state.doing is None else _renamed_doing(state.doing, renamed),
        flying=None if state.flying is None else _renamed_flying(state.flying, renamed),
    )


def _merged(history: list[Note], marks: set[int]) -> list[Note]:
    """What people did one after the other, with nobody reading in between or all of it read, told as one entry."""
    merged: list[Note] = []
    for note in history:
        last = merged[-1] if merged else None
        if last is not None and not last.own and not note.own and last.id not in marks:
            merged[-1] = Note(note.id, last.old, note.new, own=False)
        else:
            merged.append(note)
    return merged


def _renamed_doing(doing: Doing, renamed: Callable[[int | None], int | None]) -> Doing:
    return doing._replace(wrote=doing.wrote._replace(seen=renamed(doing.wrote.seen)))


def _renamed_flying(flying: Flying, renamed: Callable[[int | None], int | None]) -> Flying:
    return flying._replace(wrote=flying.wrote._replace(seen=renamed(flying.wrote.seen)))


def _doing(state: State) -> Doing:
    assert state.doing is not None
    return state.doing


def _intent(one: Open, number: int, history: bool) -> Intent:
    at = NOW - 2 * DEADLINE if one.stale else NOW
    seen = _mark(one.seen) if history else None
    wrote = {"status": Pair(one.ours, one.theirs)}
    return Intent(IntentKind.UPDATE, f"T{number}", at, wrote=wrote, before={"status": one.before}, history_seen=seen)


def _opened(kept: tuple[Intent, ...], before: tuple[Open, ...]) -> tuple[Open, ...]:
    return tuple(before[int(intent.token[1:])] for intent in kept)


def _mark(seen: int | None) -> str | None:
    return None if seen is None else str(seen or "")


def _newest(history: tuple[Note, ...]) -> int:
    return history[-1].id if history else 0


def _values(pair: Pair | None, before: tuple[str, str]) -> tuple[str, str]:
    return before if pair is None else (_word(pair.ours), _word(pair.theirs))


def _word(value: Value) -> str:
    assert isinstance(value, str)
    return str(value)


def _without(items: tuple[Any, ...], gone: list[Any]) -> tuple[Any, ...]:
    left = list(items)
    for one in gone:
        if one in left:
            left.remove(one)
    return tuple(left)


def _agree(ours: str, theirs: str) -> bool:
    return corresponds(MAPPING.fields["status"].rule, ours, theirs)


def _picture(state: State) -> str:
    parts = [f"here {state.ours!r}, there {state.theirs!r}, base {state.base}"]
    if state.intents:
        parts.append("open " + ", ".join(f"{i.theirs!r} over {i.before!r}" for i in state.intents))
    if state.refusal:
        parts.append(f"refused {state.refusal}")
    if state.doing:
        parts.append(f"{state.doing.stage} {state.doing.wrote.theirs!r}")
    if state.flying:
        parts.append(f"in the air {state.flying.wrote.theirs!r}")
    if state.history:
        parts.append("history " + " ".join(f"{'our' if n.own else 'their'} {n.old}>{n.new}" for n in state.history))
    return "; ".join(parts)
