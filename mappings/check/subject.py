"""What is checked: a mapping, the vocabulary on either side of it, and the engine's own step, given as an argument.

Everything about our side comes as plain data too: this package knows no ticket and no workflow of ours.
"""

from collections import deque
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple, Protocol

from mappings.loader import Document
from mappings.model import Carries, FieldMapping, Place, Untranslatable, Value
from mappings.model import Mapping as CompiledMapping
from mappings.remembering import Remembering
from mappings.rules import Copy, Scale, Table, Text
from mappings.rules.table import line_of
from mappings.transitions import bare
from mappings.vocabulary import Move, TheirField, Vocabulary

STATUS = "status"
MOST_PAIRS = 600
"""A field with more pairs of values than this is not searched: nobody chose its words one by one."""
_MOST_CASES = 10_000
"""Nor is one with more than these judged case by case."""
_ANOTHER = "a word of their own"
"""One that no table names, where their words are not declared."""


@dataclass(frozen=True, slots=True)
class Centre:
    """Our own side: fields as `{"values", "max_length", "required"}`, and how its statuses move."""

    fields: Mapping[str, Mapping[str, Any]]
    final: frozenset[Value] = frozenset()
    """Statuses that nothing leaves: only a person, or the centre by its own timer, may set them."""
    steps: Mapping[Value, frozenset[Value]] = field(default_factory=dict)
    """From -> every status that anybody, the centre itself included, may set."""
    moves: tuple[Move, ...] = ()
    """What the centre sets by itself."""
    settable: Mapping[Value, frozenset[Value]] = field(default_factory=dict)
    """From -> statuses that whoever works there may set; empty: not known."""
    internal: frozenset[str] = frozenset()
    """Fields that only supporters may read."""

    def unseen(self, status: Value) -> frozenset[Value]:
        """Statuses that may stand here at the next look, and no single step leads to: the last edit alone is told."""
        found, queue = set[Value](), [status]
        while queue:
            following = self.steps.get(queue.pop(), frozenset()) - found
            found |= following
            queue += following
        return frozenset(found) - self.steps.get(status, frozenset()) - {status}

    def values(self, name: str) -> tuple[Value, ...]:
        """The words of one of our fields; empty: any."""
        return tuple(self.fields.get(name, {}).get("values") or ())

    def required(self, name: str) -> bool:
        """Whether one of our fields is never empty."""
        return bool(self.fields.get(name, {}).get("required"))


@dataclass(frozen=True, slots=True)
class Subject:
    """One mapping to be judged."""

    document: Document
    mapping: CompiledMapping
    vocabulary: Vocabulary
    policy: str = ""
    """The one that a search tries for every field; '': each field's own."""

    @property
    def name(self) -> str:
        """What stories call their system."""
        return self.mapping.name

    def policy_of(self, each: FieldMapping) -> str:
        """Who wins a conflict on this field."""
        return self.policy or each.policy or self.mapping.policy

    def theirs(self, each: FieldMapping) -> TheirField:
        """Their field, as far as it is known. The words of one that a scale reads are numbers, as it says them."""
        theirs = self.vocabulary.fields.get(each.remote) or TheirField(each.remote)
        scaled = isinstance(each.rule, Remembering) and isinstance(each.rule.translation, Scale)
        return theirs.renamed(each.rule.canonical_theirs) if scaled else theirs

    def place(self, each: FieldMapping, *path: str) -> Place:
        """Where this is said of a field."""
        return self.document.place(("fields", each.central, *path))

    def place_read(self, each: FieldMapping, ours: Value, theirs: Value) -> Place:
        """Where it is said that theirs is read as ours."""
        back = self.document.data["fields"][each.central].get("back", {})
        if str(theirs) in back:
            return self.place(each, "back", str(theirs))
        translation = _translation(each)
        other = isinstance(translation, Table) and translation.others == ours and theirs not in translation.back
        return self.place(each, "others") if other else self.place_said(each, ours)

    def place_said(self, each: FieldMapping, ours: Value) -> Place:
        """Where it is said what ours is written as."""
        return self.document.place(("fields", each.central, *line_of(ours)))

    def searchable(self, centre: Centre) -> Iterator["Words"]:
        """The fields that can be searched whole."""
        return (words for words in self.finite(centre) if len(words.ours) * len(words.theirs) <= MOST_PAIRS)

    def finite(self, centre: Centre) -> Iterator["Words"]:
        """The fields that can be judged case by case, with every value of either side."""
        for each in self.mapping.fields.values():
            ours = self.ours(each, centre)
            theirs = self.words(each) or (ours if self._same_words(each) else ())
            if ours and theirs and len(ours) * len(theirs) <= _MOST_CASES:
                gone = self.mapping.lost_when.get(each.remote, frozenset())
                yield Words(each, self.theirs(each), ours, tuple(word for word in theirs if word not in gone))

    def ours(self, each: FieldMapping, centre: Centre) -> tuple[Value, ...]:
        """Our values, nothing included where it may be so and has words of theirs; empty: any."""
        values, translation = centre.values(each.central), _translation(each)
        says = (isinstance(translation, Table) and None in translation.words) or (
            isinstance(translation, Scale) and bool(translation.unset)
        )
        return (*values, None) if says and values and not centre.required(each.central) else values

    def words(self, each: FieldMapping) -> tuple[Value, ...]:
        """Their values: declared, else named by the rule, else none, which means any. A table may name nothing, too."""
        translation = _translation(each)
        nothing = (isinstance(translation, Table) and None in translation.back) or (
            isinstance(translation, Scale) and None in translation.unset
        )
        if declared := self.theirs(each).values:
            return (*declared, None) if nothing and None not in declared else declared
        if isinstance(translation, Table):
            return (*translation.back, *(() if translation.others is None else (_ANOTHER,)))
        if isinstance(translation, Scale):  # at, below and above every step, and what means nothing
            named = (*(number for number, _ in translation.steps), *(n for n in translation.unset if n is not None))
            numbers = {number + off for number in named for off in (-1, 0, 1)}
            return (*sorted(numbers), *((None,) if nothing else ()))
        return ()

    def too_many(self, centre: Centre) -> Iterator[str]:
        """The fields that have too many values to be searched, and what was done instead."""
        for each in self.mapping.fields.values():
            pairs = len(self.ours(each, centre)) * len(self.words(each))
            if pairs > MOST_PAIRS:
                tried = "its laws were tried, and nothing else"
                if pairs <= _MOST_CASES:
                    tried = "every case of it was judged, and its link was not searched"
                yield f"{each.central}: too many values to be searched; {tried}"

    def as_it_is(self, each: FieldMapping) -> bool:
        """Whether its words travel as they are, shortened and marked up at most: no table knows them."""
        return isinstance(bare(each.rule), Text) or self._same_words(each)

    def _same_words(self, each: FieldMapping) -> bool:
        """Whether both sides speak alike: what we can say is all that is known of what they can."""
        rule = bare(each.rule)
        return isinstance(rule, Remembering) and isinstance(rule.translation, Copy)


def _translation(each: FieldMapping) -> object:
    return each.rule.translation if isinstance(each.rule, Remembering) else None


class Asked(NamedTuple):
    """What our next value asks of them."""

    ours: Value
    theirs: Value
    after: Value
    wanted: Value
    under_way: bool
    """Theirs lies on the way to ours, and was left there."""
    unseen: bool = False
    """Ours came to it by several steps, none of which was told."""


class Words(NamedTuple):
    """A field whose values can all be listed."""

    field: FieldMapping
    theirs_field: TheirField
    ours: tuple[Value, ...]
    theirs: tuple[Value, ...]

    @property
    def inward(self) -> bool:
        """Whether theirs comes in."""
        return self.field.carries is not Carries.OUTWARD

    @property
    def outward(self) -> bool:
        """Whether ours goes out."""
        return self.field.carries is not Carries.INWARD

    def say(self, ours: Value, held: Value = None) -> Value | None:
        """Their word for ours; None where there is none."""
        try:
            return self.field.rule.outward(ours, held=held)
        except Untranslatable:
            return None

    def read(self, theirs: Value, held: Value = None) -> Value | None:
        """Our word for theirs; None where there is none."""
        try:
            return self.field.rule.inward(theirs, held=held)
        except Untranslatable:
            return None

    @property
    def steps(self) -> int:
        """How many values of theirs may lie before one that is to be reached, at most."""
        return max((len(each.onward) + 1 for each in self.field.transitions.values()), default=0)

    def barred(self, theirs: Value, wanted: Value) -> tuple[Value, Value] | None:
        """The first step of the way to `wanted` that their workflow does not let our account take."""
        walk = pairwise((theirs, *self.field.way(theirs, wanted), wanted))
        return next((step for step in walk if not self.theirs_field.may_move(*step)), None)

    def asked(self, centre: Centre) -> Iterator[Asked]:
        """Everything that our next value may ask of them, from wherever they stand: in the middle of a way, too, where
        it was interrupted, and where theirs has moved by itself to what is not taken in."""
        agreeing = dict.fromkeys(self.agreeing())
        found, queue = set(agreeing), deque((*agreeing, *self._moved(agreeing, centre)))
        while queue:
            ours, theirs = queue.popleft()
            under_way = (ours, theirs) not in agreeing
            following, unseen = self._following(ours, centre)
            for after in self.ours:
                goes_on = under_way and after == ours
                wanted = self.say(after, theirs) if goes_on or after in following | unseen else None
                if wanted is None or wanted == theirs:
                    continue
                yield Asked(ours, theirs, after, wanted, under_way, after in unseen)
                for between in self.field.way(theirs, wanted):
                    moved = self.theirs_field.after_comment.get(between, between)
                    for stands in {(after, between), (after, moved)} - found:
                        found.add(stands)
                        queue.append(stands)

    def _following(self, ours: Value, centre: Centre) -> tuple[frozenset[Value], frozenset[Value]]:
        """What ours may be next; and the final ones that it may have come to by several steps: no later edit of ours
        would ever mend that they were never told."""
        if self.field.central != STATUS:
            return frozenset(self.ours), frozenset()
        return centre.steps.get(ours, frozenset()), centre.unseen(ours) & centre.final

    def _moved(self, agreeing: Collection[tuple[Value, Value]], centre: Centre) -> Iterator[tuple[Value, Value]]:
        """What theirs becomes by itself, where ours stays what it is, so that it is written again."""
        for ours, theirs in agreeing:
            for move in self.theirs_field.moves:
                read = self.read(move.to, ours) if self.inward else None
                taken = self.inward and (self.field.central != STATUS or read in centre.settable.get(ours, ()))
                if move.frm == theirs and not taken and read != ours and (ours, move.to) not in agreeing:
                    yield ours, move.to

    def between(self, centre: Centre) -> Iterator[tuple[Value, Value, Value]]:
        """Every (ours, theirs, wanted): the values by which our account walks to what ours asks for."""
        told = set()
        for each in self.asked(centre):
            for theirs in self.field.way(each.theirs, each.wanted):
                if (met := (each.after, theirs, each.wanted)) not in told:
                    told.add(met)
                    yield met

    def under_way(self, centre: Centre) -> Iterator[tuple[Value, tuple[Value, Value]]]:
        """Every value of ours that is walked to, and what may have been agreed on last in the middle of the way."""
        told = set()
        for each in self.asked(centre):
            for theirs in self.field.way(each.theirs, each.wanted):
                for base in ((each.ours, theirs), (each.after, theirs)):
                    if (stands := (each.after, base)) not in told:
                        told.add(stands)
                        yield stands

    def agreeing(self) -> Iterator[tuple[Value, Value]]:
        """Every pair of values that say the same: what a link at rest may hold."""
        for ours in self.ours:
            for theirs in self.theirs:
                if self.say(ours, theirs) == theirs and self.read(theirs, ours) == ours:
                    yield ours, theirs


class Wrote(NamedTuple):
    """A write of ours that is open: what it says on either side, and what it was written over."""

    ours: Value
    theirs: Value
    before: Value
    effect: bool = False
    """Not a write of the field: what a comment of ours did to it."""


class Side(NamedTuple):
    """One field of one link: both values, what was last agreed on, what is open, and what was refused."""

    ours: Value
    theirs: Value
    base: tuple[Value, Value] | None
    open: tuple[Wrote, ...] = ()
    refused: tuple[Value, Value] | None = None


class Looked(NamedTuple):
    """What one look decides."""

    side: Side
    took: bool
    """Theirs was taken in."""
    write: Wrote | None
    standing: str
    """Why the two cannot agree now."""


class Engine(Protocol):
    """The engine's own step: the functions that decide in production, never a copy."""

    def look(self, subject: Subject, each: FieldMapping, side: Side) -> Looked:
        """Read theirs and decide."""

    def telling(self, each: FieldMapping, side: Side) -> Side:
        """The side without what explains nothing now: sides that tell alike are decided alike, whatever ours is."""

    def settle(self, subject: Subject, each: FieldMapping, side: Side, wrote: Wrote, reason: str) -> Side:
        """Record what became of a write, now that `side.theirs` was read back. `reason`: of a refusal."""
