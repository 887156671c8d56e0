"""No trap: nothing becomes final by an echo, a side effect or an automatic reply, but by a person's word alone.

Our own timer closes what somebody has solved. Where nobody has, a status that it ends is as good as the final one that
it ends in, so that nothing may lead there but a person's word.
"""

from collections.abc import Iterator

from mappings.check.finding import Proof, Refutation
from mappings.check.subject import STATUS, Centre, Subject, Words
from mappings.model import Place, Value
from mappings.vocabulary import Move


def refutations(subject: Subject, centre: Centre) -> Iterator[Refutation]:
    """Whatever moves by itself there and is read as a final status here; and what our own words make of theirs."""
    for words in subject.finite(centre):
        if words.field.central == STATUS:
            trap = _Trap(subject, centre, words)
            if words.inward:
                yield from trap.by_itself()
                yield from trap.overtaken()
            if words.outward and words.inward:
                yield from trap.written()
                yield from trap.led_by()


class _Trap:
    def __init__(self, subject: Subject, centre: Centre, words: Words) -> None:
        self._subject, self._centre, self._words = subject, centre, words
        self._timers: dict[Value, Move] = {}
        while found := [move for move in centre.moves if move.frm not in self._timers and self._ends(move.to)]:
            self._timers |= {move.frm: move for move in found}

    def by_itself(self) -> Iterator[Refutation]:
        """What becomes so there without anybody's word."""
        words, effects = self._words, self._effects()
        agreeing = list(words.agreeing())
        for move in (*words.theirs_field.moves, *effects):
            for ours, theirs in agreeing:
                read = words.read(move.to, ours)
                if theirs != move.frm or not self._trapped(ours, read):
                    continue
                begins = self._begins(move, ours, effects)
                if begins is None:
                    continue
                sentence = f"their {move.to!r} is read as {read!r}, which {self._why(read)}, and {move.frm!r} becomes "
                story = (
                    *begins,
                    self._moves(move),
                    *self._told("it comes in as", read),
                )
                if move.chosen and words.outward and words.say(ours) == theirs:  # by our own table, and by nobody there
                    place = self._subject.place_said(words.field, ours)
                else:
                    place = self._subject.place_read(words.field, read, move.to)
                yield self._refuted(place, f"{sentence}{move.to!r} by itself", *story, "nobody said so")
                break

    def overtaken(self) -> Iterator[Refutation]:
        """What becomes so there while a person's word is on its way to them, where theirs goes before it."""
        field, words = self._words.field, self._words
        policy = self._subject.policy_of(field)
        if not words.outward or policy not in ("remote", "newest"):
            return
        place = self._subject.document.place(("fields", field.central, "policy") if field.policy else ("policy",))
        for move in words.theirs_field.moves:
            for ours, theirs in words.agreeing():
                if theirs != move.frm or self._trapped(ours, words.read(move.to, ours)):
                    continue  # told without anybody's word on its way
                following = self._centre.settable.get(ours) or self._centre.steps.get(ours, frozenset())
                for after in [each for each in words.ours if each in following]:
                    read = words.read(move.to, after)
                    if not self._trapped(after, read) or words.say(after, theirs) in (None, theirs):
                        continue
                    sentence = (
                        f"{policy!r} lets {move.frm!r}, which becomes {move.to!r} by itself, go before our {after!r}: "
                        f"it is read as {read!r}, which {self._why(read)}"
                    )
                    story = (
                        f"{field.central} is {ours!r} here and {theirs!r} in {self._name}",
                        f"somebody sets {after!r} here",
                        f"before that arrives, {self._moves(move)}",
                        *self._told("it comes in as", read),
                    )
                    yield self._refuted(place, sentence, *story, "nobody said so")
                    return

    def written(self) -> Iterator[Refutation]:
        """An open ticket of ours whose word there is read, by whoever sees it first, as one that ends."""
        words = self._words
        for ours in words.ours:
            theirs = words.say(ours)
            read = None if theirs is None else words.read(theirs)
            if self._trapped(ours, read):
                sentence = f"our {ours!r} is written as {theirs!r}, which is read as {read!r}, and {self._that(read)}"
                story = (
                    f"somebody sets {words.field.central} {ours!r} here",
                    f"{self._name} shows {theirs!r}",
                    *self._told("read afresh, after a restore or a pairing, it is", read),
                )
                yield self._refuted(self._subject.place_read(words.field, ours, theirs), sentence, *story)

    def led_by(self) -> Iterator[Refutation]:
        """Values on the way to others that end a ticket, or become such by themselves, where it is interrupted."""
        words = self._words
        for ours, between, wanted in words.between(self._centre):
            trap = f"on the way to their {wanted!r} lies {between!r}"
            stands = (
                f"somebody sets {words.field.central} {ours!r} here",
                f"{between!r} is sent to {self._name}, on the way to {wanted!r}, and the next step fails",
            )
            place = words.field.transitions[wanted].at
            if self._trapped(ours, read := words.read(between)):
                lost = self._told("read afresh, after a restore or a pairing, it is", read)
                yield self._refuted(place, f"{trap}, which is read as {read!r}, and {self._that(read)}", *stands, *lost)
            for move in words.theirs_field.moves:
                read = words.read(move.to, ours)
                if move.frm == between and self._trapped(ours, read):
                    moved = self._moves(move)
                    sentence = f"{trap}, which becomes {move.to!r} by itself: that is read as {read!r}, which "
                    lost = self._told("it comes in as", read)
                    yield self._refuted(place, f"{sentence}{self._why(read)}", *stands, moved, *lost, "nobody said so")

    @property
    def _name(self) -> str:
        return self._subject.name

    def _moves(self, move: Move) -> str:
        return f"{move.when}: {self._name} makes it {move.to!r}"

    def _refuted(self, place: Place, sentence: str, *story: str) -> Refutation:
        return Refutation(Proof.NO_TRAP, place, sentence, story)

    def _effects(self) -> list[Move]:
        field = self._words.field
        after = self._words.theirs_field.after_comment.items()
        return [Move(frm, to, "a comment of ours is carried there", field.at) for frm, to in after]

    def _begins(self, move: Move, ours: Value, effects: list[Move]) -> tuple[str, ...] | None:
        """How it comes to stand where the move begins, if nobody there has chosen the move by setting that."""
        name, stands = self._words.field.central, move.frm
        if not move.chosen or self._words.read(move.to, ours) in self._centre.final:
            return (f"{name} is {ours!r} here and {stands!r} in {self._name}",)
        if self._words.outward and self._words.say(ours) == stands:
            return (f"somebody sets {name} {ours!r} here", f"{stands!r} is sent to {self._name}")
        for before in (*self._words.theirs_field.moves, *effects):
            if before.to == stands and before.frm != stands and not before.chosen:
                return (f"{name} is {ours!r} here and {before.frm!r} in {self._name}", self._moves(before))
        return None

    # -- what ends a ticket of ours ----------------------------------------------------------------------------------

    def _ends(self, ours: Value) -> bool:
        return ours in self._centre.final or ours in self._timers

    def _trapped(self, ours: Value, read: Value) -> bool:
        """Whether a ticket that did not end so far does, once it is read as this."""
        if ours in self._centre.final or not self._ends(read):
            return False
        return read in self._centre.final or not self._ends(ours)

    def _why(self, ours: Value) -> str:
        final = ours in self._centre.final
        return "is final" if final else f"our own timer makes {self._timers[ours].to!r}"

    def _that(self, ours: Value) -> str:
        final = ours in self._centre.final
        return "that is final" if final else f"our own timer makes that {self._timers[ours].to!r}"

    def _told(self, how: str, ours: Value) -> tuple[str, ...]:
        lines = [f"{how} {ours!r}"]
        while ours not in self._centre.final:
            timer = self._timers[ours]
            ours = timer.to
            lines.append(f"{timer.when}: it becomes {ours!r} here")
        return (*lines[:-1], f"{lines[-1]}, and nobody can reopen it")
