"""Several systems around one centre: does anything go round and round once people have stopped?

1. A graph of our own values: an edge where something that nobody does (a timer, an automatic reply, a rule of a
   tracker) leads from one to another. Without a cycle the mesh is quiet, however many systems there are.
2. Only where there is a cycle, which is a suspicion and no more, the systems are searched together: every state that
   timers and looks lead to.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, product
from typing import NamedTuple

from mappings.check.finding import Proof, Refutation
from mappings.check.subject import STATUS, Centre, Engine, Side, Subject, Words
from mappings.findings import in_words
from mappings.model import Place, Value

MOST = 60_000
"""How many states a suspicion is searched for; the answer says so."""


@dataclass(frozen=True, slots=True)
class Quiet:
    """What was found of one field: a cycle, or how it is known that there is none."""

    field: str
    how: str
    refuted: tuple[tuple[Subject, Refutation], ...] = ()


class _State(NamedTuple):
    ours: Value
    sides: tuple[tuple[Value, tuple[Value, Value] | None, tuple[Value, Value] | None], ...]
    """Per system: their value, what was last agreed on, what was refused."""


class _Step(NamedTuple):
    label: str
    after: _State
    by: int | None
    """The system whose link did it; None where it was no doing of ours."""
    place: Place | None = None
    """Where the mapping says so."""


def quiet(subjects: Sequence[Subject], centre: Centre, engine: Engine) -> Iterator[Quiet]:
    """Every field of ours that these systems share, judged."""
    by_field: dict[str, list[tuple[Subject, Words]]] = {}
    for subject in subjects:
        for words in subject.finite(centre):
            by_field.setdefault(words.field.central, []).append((subject, words))
    for name, several in by_field.items():
        yield _Mesh(name, several, centre, engine).judged()


def endless(subjects: Sequence[Subject]) -> Iterator[tuple[Subject, Refutation]]:
    """Systems that answer each comment of ours by themselves, and face each other: every answer is a comment."""
    several = [subject for subject in subjects if subject.vocabulary.answers]
    for subject in several if len(several) > 1 else ():
        other = next(each for each in several if each is not subject)
        sentence = (
            f"comments: {subject.name} and {other.name} answer each other's answers, and nobody writes: let one of "
            "them answer nothing that our account writes"
        )
        story = (
            "somebody writes a comment here",
            f"it is carried to {subject.name}, which answers it: {subject.vocabulary.answers}",
            f"the answer comes in, and is carried to {other.name}, which answers it: {other.vocabulary.answers}",
            f"that answer comes in, and is carried to {subject.name}, which answers it",
            "and so on, though nobody writes anything",
        )
        yield subject, Refutation(Proof.QUIET, subject.document.place(("comments",)), sentence, story)


class _Mesh:
    def __init__(self, name: str, several: Sequence[tuple[Subject, Words]], centre: Centre, engine: Engine) -> None:
        self._name, self._several, self._centre, self._engine = name, several, centre, engine
        self._moves = centre.moves if name == STATUS else ()

    def judged(self) -> Quiet:
        edges = self._edges()
        if not _has_cycle(edges):
            return Quiet(self._name, f"no cycle among {len(edges)} values of ours that move by themselves")
        found, states, whole = self._search()
        if found is not None:
            return Quiet(self._name, "", found)
        bound = f"every one of {states} states" if whole else f"search up to {states} states"
        return Quiet(self._name, f"proven by search: a cycle was suspected, and {bound} is without")

    # -- the graph of our values -------------------------------------------------------------------------------------

    def _edges(self) -> dict[Value, set[Value]]:
        edges: dict[Value, set[Value]] = {}
        for move in self._moves:
            edges.setdefault(move.frm, set()).add(move.to)
        for subject, words in self._several:
            moves = words.theirs_field.moves
            stands = [(ours, (ours, theirs)) for ours, theirs in words.agreeing()] if moves else []
            stands += words.under_way(self._centre) if moves else ()
            for ours, base in stands:
                for to in {move.to for move in moves if move.frm == base[1]}:
                    looked = self._engine.look(subject, words.field, Side(ours, to, base))
                    if looked.took or looked.write is not None:  # written back is a way back to where it began
                        edges.setdefault(ours, set()).add(looked.side.ours)
        return edges

    # -- the concrete search -----------------------------------------------------------------------------------------

    def _search(self) -> tuple[tuple[tuple[Subject, Refutation], ...] | None, int, bool]:
        came: dict[_State, tuple[_State, _Step] | None] = {}
        following: dict[_State, list[_Step]] = {}
        written = list(self._written())
        begun = (state for start in written for state in self._begun(start))
        for starts in (chain(written, begun), self._meant()):  # the simplest stories first
            for state in self._reached(starts, came, following):  # the shortest beginning first
                for step in following[state]:
                    if step.by is not None and (round_ := _way(following, step.after, state)) is not None:
                        return self._told(came, state, [step, *round_]), len(came), True
        return None, len(came), len(came) < MOST

    def _reached(
        self,
        starts: Iterable[_State],
        came: dict[_State, tuple[_State, _Step] | None],
        following: dict[_State, list[_Step]],
    ) -> list[_State]:
        """Every state that timers and looks lead to from these, as far as none has come there yet."""
        reached, queue = [], deque[_State]()
        for start in starts:
            if len(came) >= MOST:
                break
            if start not in came:
                came[start] = None
                queue.append(start)
        while queue and len(came) < MOST:
            state = queue.popleft()
            reached.append(state)
            following[state] = list(self._steps(state))
            for step in following[state]:
                if step.after not in came:
                    came[step.after] = (state, step)
                    queue.append(step.after)
        return reached

    def _written(self) -> Iterator[_State]:
        """All agree, and theirs is the word that we write."""
        for ours in self._values():
            stands = [words.say(ours) for _, words in self._several]
            if ours is None or None not in stands:
                yield _state(ours, stands)

    def _meant(self) -> Iterator[_State]:
        """All agree, and theirs is any word that means ours; where we only listen, any word at all."""
        for ours in self._values():
            yield from (
                _state(ours, stands) for stands in product(*(_meaning(words, ours) for _, words in self._several))
            )

    def _values(self) -> Iterable[Value]:
        """Ours, nothing among them where some system has words for it."""
        return dict.fromkeys(ours for _, words in self._several for ours in words.ours)

    def _begun(self, start: _State) -> Iterator[_State]:
        """Somebody has just set another value of ours, which somewhere is reached step by step, or not at all."""
        anything = self._centre.values(self._name)
        for after in self._centre.steps.get(start.ours, ()) if self._name == STATUS else anything:
            for (_, words), (theirs, *_) in zip(self._several, start.sides, strict=True):
                wanted = words.say(after, theirs)
                if wanted is not None and (words.field.way(theirs, wanted) or words.barred(theirs, wanted)):
                    yield start._replace(ours=after)

    def _steps(self, state: _State) -> Iterator[_Step]:
        for move in self._moves:
            if move.frm == state.ours:
                yield _Step(f"{move.when}: it becomes {move.to!r} here", state._replace(ours=move.to), None)
        for number, (subject, words) in enumerate(self._several):
            theirs, base, refused = state.sides[number]
            for move in words.theirs_field.moves:
                if move.frm == theirs:
                    label = f"{move.when}: {subject.name} makes it {move.to!r}"
                    yield _Step(label, _with(state, number, (move.to, base, refused)), None)
            yield from self._look(state, number, subject, words)

    def _look(self, state: _State, number: int, subject: Subject, words: Words) -> Iterator[_Step]:
        theirs, base, refused = state.sides[number]
        looked = self._engine.look(subject, words.field, Side(state.ours, theirs, base, (), refused))
        side = looked.side
        label, place = "", None
        if looked.took:
            label = f"it comes in as {in_words(side.ours)}"
            place = subject.place_read(words.field, words.read(theirs), theirs)
        if looked.write is not None:
            label = f"{in_words(looked.write.theirs)} is sent to {subject.name}"
            to = looked.write.theirs
            reason = "" if words.theirs_field.may_move(theirs, to) else "it is not allowed from there"
            sent = side._replace(theirs=theirs if reason else to, open=(looked.write,))
            side = self._engine.settle(subject, words.field, sent, looked.write, reason)
            label += ", which refuses it" if reason else ""
        after = _with(state._replace(ours=side.ours), number, (side.theirs, side.base, side.refused))
        if after != state:
            yield _Step(label or f"{subject.name} agrees", after, number if label else None, place)

    # -- the story ---------------------------------------------------------------------------------------------------

    def _told(
        self, came: dict[_State, tuple[_State, _Step] | None], state: _State, round_: list[_Step]
    ) -> tuple[tuple[Subject, Refutation], ...]:
        """Told to each of the systems by whose words it goes round."""
        lines: list[str] = []
        here = state
        while (step := came[here]) is not None:
            here = step[0]
            lines.append(step[1].label)
        shown = ", ".join(
            f"{subject.name} shows {in_words(side[0])}"
            for (subject, _), side in zip(self._several, here.sides, strict=True)
        )
        written = [words.say(here.ours) for _, words in self._several] == [side[0] for side in here.sides]
        ours = in_words(here.ours)
        first = f"{f'somebody sets {self._name} {ours}' if written else f'{self._name} is {ours}'} here"
        again = "and so on, though nobody touches it"
        story = [f"{first}; {shown}", *lines[::-1], *(step.label for step in round_), again]
        blamed = {s.by: s.place for s in reversed(round_) if s.by is not None and s.place is not None}
        by = next(s.by for s in round_ if s.by is not None)
        blamed = blamed or {by: self._several[by][0].place(self._several[by][1].field)}
        values = list(dict.fromkeys(in_words(step.after.ours) for step in round_))
        kept = tuple(line for line in story if not line.endswith(" agrees"))
        found = []
        for number, place in blamed.items():
            subject, _ = self._several[number]
            between = " and ".join(values) if len(values) > 1 else f"{values[0]} and what {subject.name} makes of it"
            sentence = f"{self._name} goes round and round between {between}, and nobody touches it"
            found.append((subject, Refutation(Proof.QUIET, place, sentence, kept)))
        return tuple(found)


def _state(ours: Value, stands: Sequence[Value]) -> _State:
    return _State(ours, tuple((theirs, (ours, theirs), None) for theirs in stands))


def _meaning(words: Words, ours: Value) -> list[Value]:
    """What theirs may be at rest, while ours is this."""
    return [theirs for one, theirs in words.agreeing() if one == ours] if words.outward else list(words.theirs)


def _with(
    state: _State, number: int, side: tuple[Value, tuple[Value, Value] | None, tuple[Value, Value] | None]
) -> _State:
    sides = list(state.sides)
    sides[number] = side
    return state._replace(sides=tuple(sides))


def _has_cycle(edges: dict[Value, set[Value]]) -> bool:
    done: set[Value] = set()

    def meets(value: Value, above: frozenset[Value]) -> bool:
        if value in above:
            return True
        if value in done:
            return False
        found = any(meets(after, above | {value}) for after in edges.get(value, ()))
        done.add(value)
        return found

    return any(meets(value, frozenset()) for value in edges)


def _way(following: dict[_State, list[_Step]], frm: _State, to: _State) -> list[_Step] | None:
    """The shortest way between two states; None: there is none."""
    came: dict[_State, tuple[_State, _Step] | None] = {frm: None}
    queue = deque([frm])
    while queue:
        state = queue.popleft()
        if state == to:
            steps: list[_Step] = []
            while (step := came[state]) is not None:
                state = step[0]
                steps.append(step[1])
            return steps[::-1]
        for each in following.get(state, ()):
            if each.after not in came:
                came[each.after] = (state, each)
                queue.append(each.after)
    return None
