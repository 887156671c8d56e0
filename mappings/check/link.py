"""One field of one link, searched whole, against people there and an arbitrary centre, which stands for any number of
other systems. Pushes are not atomic; the process is killed before and after a request; answers are lost; somebody there
writes before we read back; a comment of ours may move the field. The step is the engine's own.

Our own value is no part of a state: at each look it may be any. What commutes is not told twice: an edit of ours while
a request is under way is one after it, and one of theirs before it arrives is one that is overwritten unseen, or one
after it.
"""

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from mappings.check.finding import Proof, Refutation
from mappings.check.subject import Engine, Looked, Side, Subject, Words, Wrote
from mappings.findings import in_words
from mappings.model import Value

_WRITES = 3
_LOOKS = 12
MOST = 100_000
"""More states than any field of the library has by far; a search that meets more says so."""
_ANY: Value = ("any",)
"""Ours, where a step is the same whatever it is."""


class State(NamedTuple):
    """All of the link but our own value, and whether somebody there has set theirs since it was last accounted for."""

    theirs: Value
    base: tuple[Value, Value] | None
    open: Wrote | None = None
    refused: tuple[Value, Value] | None = None
    by_somebody: bool = False

    def facing(self, ours: Value) -> Side:
        """The link while ours is this."""
        return Side(ours, self.theirs, self.base, () if self.open is None else (self.open,), self.refused)


class _Step(NamedTuple):
    """What happened: the value that was ours (or _ANY), what it is since, and how a story tells it."""

    before: State
    ours: Value
    became: Value
    label: str


_Next = tuple[State, Value, Value, str]
"""The state that a step leads to, and the rest of the step."""


class _Outcome(NamedTuple):
    """What a look comes to, and one value of ours for which it does."""

    ours: Value
    became: Value
    base: tuple[Value, Value] | None
    landed: bool
    stands: bool
    write: Wrote | None
    apart: bool
    """No other one leaves the link as this does, what is sent aside."""


class _Broken(Exception):
    """The promise does not hold from here; what happened, in lines."""

    def __init__(self, sentence: str, ours: Value, *lines: str) -> None:
        super().__init__(sentence)
        self.ours, self.lines = ours, lines


class Link:
    """The search for one field."""

    def __init__(self, subject: Subject, words: Words, engine: Engine) -> None:
        self._subject, self._words, self._engine = subject, words, engine
        self._agreeing = frozenset(words.agreeing())
        self._edits = {theirs: f"somebody sets {theirs!r} in {subject.name}" for theirs in words.theirs}
        self._unset: dict[tuple[object, ...], tuple[Value, ...]] = {}
        self._outcomes: dict[State, tuple[_Outcome, ...]] = {}
        self._rested: set[State] = set()
        self._quiet: set[tuple[Value, State]] = set()
        self._sent: set[tuple[State, Wrote]] = set()
        self._writes, self._looks = _WRITES + words.steps, _LOOKS + words.steps
        self.states = 0
        self.whole = False
        """Whether every state was visited."""

    def search(self) -> Refutation | None:
        """Every state, breadth first; the shortest story of one from which it does not come to rest."""
        came: dict[State, _Step | None] = {State(theirs, (ours, theirs)): None for ours, theirs in self._agreeing}
        queue = deque(came)
        refuted = None
        while queue and len(came) < MOST and refuted is None:
            state = queue.popleft()
            try:
                for after, ours, became, label in self._steps(state):
                    if after not in came:
                        came[after] = _Step(state, ours, became, label)
                        queue.append(after)
            except _Broken as broken:
                refuted = self._refuted(came, state, broken)
        self.states, self.whole = len(came), not queue
        return refuted

    def _refuted(self, came: dict[State, _Step | None], state: State, broken: _Broken) -> Refutation:
        steps: list[_Step] = []
        while (step := came[state]) is not None:
            steps.append(step)
            state = step.before
        name, (ours, _) = self._words.field.central, state.base or (broken.ours, None)
        lines = [f"{name} is {in_words(ours)} here and {state.theirs!r} in {self._subject.name}"]
        for each in steps[::-1]:
            if each.ours not in (_ANY, ours):
                lines.append(f"somebody sets {in_words(each.ours)} here")
            lines.append(each.label)
            ours = ours if each.ours == _ANY else each.became
        if broken.ours != ours:
            lines.append(f"somebody sets {in_words(broken.ours)} here")
        place = self._subject.place(self._words.field)
        return Refutation(Proof.QUIET, place, f"{name}: {broken}", (*lines, *broken.lines))

    # -- what can happen ---------------------------------------------------------------------------------------------

    def _steps(self, state: State) -> Iterator[_Next]:
        yield from self._edited(state)
        _, _, opened, refused, _ = state
        moved = self._words.theirs_field.after_comment.get(state.theirs)
        if opened is None and moved is not None:
            after = state._replace(theirs=moved, open=Wrote(None, moved, state.theirs, effect=True))
            yield after, _ANY, _ANY, f"a comment is carried to {self._subject.name}, which makes it {moved!r}"
        told = self._telling(state)
        if opened is None and told not in self._rested:  # else the look at what was sent comes first
            self._rested.add(told)
            for each in self._words.ours:
                self._rests(told, each)
        for ours, became, base, landed, stands, write, apart in self._decided(told):
            if opened is not None and not apart:
                continue
            seen = State(state.theirs, base, None if landed else opened, refused if stands else None)
            if apart:
                yield seen, ours, became, "the two are looked at"
            if opened is not None:  # nothing is forgotten before a reading has shown what became of it
                yield seen._replace(open=None), ours, became, "the deadline of what was sent passes"
            elif write is not None and (seen, write) not in self._sent:
                self._sent.add((seen, write))
                for label, after in self._pushed(seen, became, write):
                    yield after, ours, became, label

    def _edited(self, state: State) -> Iterator[_Next]:
        """Who sets theirs, sets it wherever it stood: told once for all states that differ in it alone."""
        theirs, base, opened, refused, _ = state
        unset = self._unset.get(ledger := (base, opened, refused), self._words.theirs)
        self._unset[ledger] = tuple(each for each in unset if each == theirs)
        for each in unset:
            if each != theirs:
                yield State(each, base, opened, refused, by_somebody=True), _ANY, _ANY, self._edits[each]

    def _telling(self, state: State) -> State:
        """The state without what explains nothing in it: those that tell alike are decided alike."""
        told = self._engine.telling(self._words.field, state.facing(None))
        return State(told.theirs, told.base, next(iter(told.open), None), told.refused, state.by_somebody)

    def _decided(self, told: State) -> tuple[_Outcome, ...]:
        """What a look at this state may come to, whatever ours is."""
        if told not in self._outcomes:
            found: dict[tuple[object, ...], _Outcome] = {}
            left = set()
            for ours in self._words.ours:
                looked = self._looked(told, ours)
                side = looked.side
                leaves = side.base, told.open is not None and not side.open, bool(looked.standing)
                if (*leaves, looked.write) not in found:
                    found[*leaves, looked.write] = _Outcome(ours, side.ours, *leaves, looked.write, leaves not in left)
                    left.add(leaves)
            self._outcomes[told] = tuple(found.values())
        return self._outcomes[told]

    def _pushed(self, seen: State, ours: Value, wrote: Wrote) -> Iterator[tuple[str, State]]:
        """Everything that may become of a write."""
        sent = f"{in_words(wrote.theirs)} is sent to {self._subject.name}"
        opened = seen._replace(open=wrote._replace(before=None))
        arrived, reason = self._executed(seen, wrote)
        yield f"{sent}, and lost on the way", opened
        yield f"{sent}, and the answer is lost", arrived._replace(open=opened.open)
        yield sent + (", and refused" if reason else ""), self._settled(arrived, ours, wrote, reason)
        if not reason:  # read back as another value than before, it is an edit after it was settled
            undone = arrived._replace(theirs=wrote.before, by_somebody=True)
            label = f"{sent}, and somebody sets {wrote.before!r} back before we read it"
            yield label, self._settled(undone, ours, wrote, reason)

    def _executed(self, state: State, wrote: Wrote) -> tuple[State, str]:
        if not self._words.theirs_field.may_move(state.theirs, wrote.theirs):
            return state, f"{self._subject.name} does not let us go from {state.theirs!r} to {wrote.theirs!r}"
        return state._replace(theirs=wrote.theirs, by_somebody=False), ""

    def _settled(self, state: State, ours: Value, wrote: Wrote, reason: str) -> State:
        side = self._engine.settle(self._subject, self._words.field, state.facing(ours), wrote, reason)
        return State(side.theirs, side.base, None, side.refused, state.by_somebody)

    def _looked(self, state: State, ours: Value) -> Looked:
        looked = self._engine.look(self._subject, self._words.field, state.facing(ours))
        if looked.took and not state.by_somebody:
            system = self._subject.name
            raise _Broken(
                f"{state.theirs!r}, which nobody set in {system}, is taken in",
                ours,
                f"{system} shows {state.theirs!r}, which makes it {in_words(looked.side.ours)} here",
                "nobody touched it",
            )
        return looked

    # -- rest --------------------------------------------------------------------------------------------------------

    def _rests(self, state: State, ours: Value) -> None:
        """Left alone it falls silent, and both say the same or it is told why not."""
        began, seen, lines, writes = ours, [], [], 0
        while (ours, state) not in self._quiet:
            seen.append((ours, state))
            looked = self._looked(state, ours)
            side = looked.side
            after = State(side.theirs, side.base, None, side.refused)  # it was read, and every deadline has passed
            if looked.took:
                lines.append(f"it becomes {in_words(side.ours)} here")
            if looked.write is not None:
                writes += 1
                after, reason = self._executed(after, looked.write)
                sent = f"{in_words(looked.write.theirs)} is sent to {self._subject.name}"
                lines.append(sent + ", and refused" * bool(reason))
                after = self._settled(after, side.ours, looked.write, reason)
            if (side.ours, after) == (ours, state):
                if not looked.standing and (ours, state.theirs) not in self._agreeing:
                    apart = f"{in_words(ours)} here and {state.theirs!r} in {self._subject.name} do not say the same"
                    raise _Broken(f"at rest, {apart}", began, *lines)
                break
            if writes > self._writes or len(seen) > self._looks:
                raise _Broken("left alone, it goes on and on", began, *lines, "and so on")
            ours, state = side.ours, after
        self._quiet.update(seen)
