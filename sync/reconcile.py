"""(base, ours, theirs) -> Plan, field by field. Pure: no clock, no network, no randomness.

"They changed" is theirs != base.theirs, "we changed" is ours != base.ours; the rule only translates. Both changed and
still corresponding is an agreement, not a conflict. An open intent whose value theirs shows means "ours, and it
landed": it moves the base and is never taken for an edit.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from central.link import Intent, Link, Pair
from central.model import Value
from mappings import model as mapping_model
from mappings.model import Carries, FieldMapping, Untranslatable
from sync.policy import Admission, Policy, Times, Winner

Admit = Callable[[str, Value, Value], Admission]


UNDECIDED = "both sides changed it; a person decides"
AGREED_NEVER = "both sides hold a value and never agreed; a person decides"
MEANING_CHANGED = "the mapping changed its meaning; nobody has touched the field since"
LEFT_IN_SHADOW = "it differed while the system was in shadow; nobody has touched the field since"
LEFT_BY_PAIRING = "it differed when the tickets were paired; nobody has touched the field since"
UNTOUCHED = frozenset({MEANING_CHANGED, LEFT_IN_SHADOW, LEFT_BY_PAIRING})
"""Why a field may stand unwritten until either side moves."""


class Verdict(StrEnum):
    """What is to be done about one field; every look gives one per mapped field."""

    AGREED = "already agreed"
    SETTLE = "agrees now"  # only the base moves
    INWARD = "take theirs"
    OUTWARD = "write ours"
    STANDING = "standing disagreement"


@dataclass(frozen=True, slots=True)
class Loser:
    """An edit that did not stand; it is kept, shown and restorable."""

    ours: Value
    theirs: Value
    winner: Winner
    reason: str
    rejected: bool = False
    """Central's workflow or model forbade it, rather than a policy."""


@dataclass(frozen=True, slots=True)
class Step:
    """The decision on one field, with its reason."""

    name: str
    verdict: Verdict
    why: str
    ours: Value
    theirs: Value
    base: Pair | None
    """What the base is once the central part of the plan is committed (an outward write moves it on settling)."""
    become: Value = None
    """INWARD: our new value. OUTWARD: theirs, to be written."""
    loser: Loser | None = None
    landed: bool = False
    """One of our own writes was found in place: an echo."""


@dataclass(frozen=True, slots=True)
class Plan:
    """All steps, in the order of the mapping. It can be printed, previewed and tested."""

    steps: tuple[Step, ...]

    @property
    def inward(self) -> Mapping[str, Value]:
        """Our field -> the new value taken from theirs."""
        return {s.name: s.become for s in self.steps if s.verdict is Verdict.INWARD}

    @property
    def outward(self) -> tuple[Step, ...]:
        """The steps that write to the remote."""
        return tuple(s for s in self.steps if s.verdict is Verdict.OUTWARD)

    @property
    def standing(self) -> Mapping[str, str]:
        """Our field -> why it cannot agree now."""
        return {s.name: s.why for s in self.steps if s.verdict is Verdict.STANDING}

    @property
    def base(self) -> Mapping[str, Pair]:
        """The base after the central part."""
        return {s.name: s.base for s in self.steps if s.base is not None}

    @property
    def quiet(self) -> bool:
        """Nothing is to be changed on either side."""
        return not self.inward and not self.outward


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known beyond the present values, by our field name."""

    landed: Mapping[str, Pair] = field(default_factory=dict)
    """Writes of ours that their history proves to have arrived, though a later edit may hide them."""
    by_people: frozenset[str] = frozenset()
    """Fields whose present value, by the same history, is not ours: there an intent's value proves nothing."""
    times: Mapping[str, Times] = field(default_factory=dict)
    """When each side changed a field, for the policy `newest`."""
    stale: frozenset[str] = frozenset()
    """Fields that a write of ours, given up long ago, was the last to set."""


NO_EVIDENCE = Evidence()


def reconcile(
    link: Link,
    ours: Mapping[str, Value],
    theirs: Mapping[str, Value],
    *,
    mapping: mapping_model.Mapping,
    policy: Policy,
    admit: Admit,
    evidence: Evidence = NO_EVIDENCE,
) -> Plan:
    """Decide every mapped field that `theirs` shows."""
    return Plan(
        tuple(
            _decide(each, link, ours.get(each.central), theirs[each.remote], mapping.revision, policy, admit, evidence)
            for each in mapping.fields.values()
            if each.remote in theirs
        )
    )


def corresponds(rule: mapping_model.Rule, ours: Value, theirs: Value) -> bool:
    """Whether the two values say the same, as far as the rule's vocabulary can tell them apart."""
    try:
        if rule.canonical_ours(rule.inward(theirs, held=ours)) == rule.canonical_ours(ours):
            return True
    except Untranslatable:
        pass
    try:
        return rule.canonical_theirs(rule.outward(ours, held=theirs)) == rule.canonical_theirs(theirs)
    except Untranslatable:
        return False


def _decide(
    field: FieldMapping,
    link: Link,
    ours: Value,
    theirs: Value,
    revision: int,
    policy: Policy,
    admit: Admit,
    evidence: Evidence,
) -> Step:
    rule, name = field.rule, field.central
    base, echo = _base(field, link, theirs, believed=name not in evidence.by_people)
    proven, times = evidence.landed.get(name), evidence.times.get(name)
    if proven is not None and not echo:
        base, echo = proven, True
    if name in evidence.stale and base is not None:
        base = Pair(base.ours, theirs)
    now = Pair(ours, theirs)
    seen = now if base is None else Pair(base.ours, theirs)  # their edit is judged; whether we changed is not

    def step(
        verdict: Verdict, why: str, new_base: Pair | None, loser: Loser | None = None, become: Value = None
    ) -> Step:
        return Step(name, verdict, why, ours, theirs, new_base, become, loser, echo)

    def outward(why: str, new_base: Pair | None, loser: Loser | None = None) -> Step:
        if field.carries is Carries.INWARD:
            return step(Verdict.STANDING, "the mapping does not carry this field outward", new_base, loser)
        if field.only_on_create and base is not None:
            return step(Verdict.STANDING, "the mapping carries this field outward only on create", new_base, loser)
        try:
            wanted = rule.outward(ours, held=theirs)
        except Untranslatable as problem:
            return step(Verdict.STANDING, str(problem), new_base, loser)
        if rule.canonical_theirs(wanted) == rule.canonical_theirs(theirs):
            return step(Verdict.SETTLE, "their value says the same already", now)
        refusal = link.refusals.get(name)
        if (
            refusal is not None
            and refusal.mapping_revision == revision
            and (refusal.wanted, refusal.theirs) == (wanted, theirs)
        ):
            return step(Verdict.STANDING, f"refused: {refusal.reason}", new_base, loser)
        return step(Verdict.OUTWARD, why, new_base, loser, wanted)

    def inward(why: str, loser: Loser | None = None) -> Step:
        try:
            wanted = rule.inward(theirs, held=ours)
        except Untranslatable as problem:
            return step(Verdict.STANDING, str(problem), base, loser)
        if rule.canonical_ours(wanted) == rule.canonical_ours(ours):
            return step(Verdict.SETTLE, "it corresponds to the value we hold", now)
        admission = admit(name, ours, wanted)
        if admission.refusal:
            lost = Loser(ours, theirs, Winner.CENTRAL, admission.refusal, rejected=True)
            return outward(f"their edit is rejected ({admission.refusal}); ours is written back", seen, lost)
        return step(Verdict.INWARD, why, Pair(admission.value, theirs), loser, admission.value)

    if base is None:
        return _first_contact(field, now, step, inward, outward, policy, times)

    they_changed = rule.canonical_theirs(theirs) != rule.canonical_theirs(base.theirs)
    we_changed = rule.canonical_ours(ours) != rule.canonical_ours(base.ours)
    if link.disagreements.get(name) == UNDECIDED and (they_changed or we_changed):
        they_changed = we_changed = True  # whoever sets back what was agreed on has said something, too
    if not they_changed and not we_changed:
        if corresponds(rule, ours, theirs):
            return step(Verdict.SETTLE if echo else Verdict.AGREED, "already agreed", base)
        if link.mapping_revision != revision or name in link.outdated:
            stood = link.disagreements.get(name)
            return step(Verdict.STANDING, stood if stood in UNTOUCHED else MEANING_CHANGED, base)
        return outward("theirs was not set by a person; ours stands", base)
    if they_changed and we_changed:
        if corresponds(rule, ours, theirs):
            return step(Verdict.SETTLE, "both changed, and still say the same", now)
        return _conflict(field, now, base, step, inward, outward, policy, times)
    if we_changed:
        return outward("changed here", base)
    if field.carries is Carries.OUTWARD:
        lost = Loser(ours, theirs, Winner.CENTRAL, "the mapping does not carry this field inward", rejected=True)
        return outward("their edit is not carried inward; ours is written back", now, lost)
    return inward("changed there")


def _base(field: FieldMapping, link: Link, theirs: Value, *, believed: bool) -> tuple[Pair | None, bool]:
    """The base, moved by what our own open intents explain; and whether one of them did."""
    base = link.base.get(field.central)
    for intent in reversed(link.intents):
        wrote = intent.wrote.get(field.central)
        if (
            believed
            and wrote is not None
            and field.rule.canonical_theirs(wrote.theirs) == field.rule.canonical_theirs(theirs)
        ):
            return wrote, True
        if believed and base is not None and _is_side_effect(intent, field, base, theirs):
            return Pair(base.ours, theirs), True
    return base, False


def _is_side_effect(intent: Intent, field: FieldMapping, base: Pair, theirs: Value) -> bool:
    expected = intent.side_effects.get(field.remote)
    return expected is not None and expected == theirs and intent.before.get(field.remote) == base.theirs


_Stepper = Callable[..., Step]


def _conflict(
    field: FieldMapping,
    now: Pair,
    base: Pair,
    step: _Stepper,
    inward: _Stepper,
    outward: _Stepper,
    policy: Policy,
    times: Times | None,
) -> Step:
    winner, why = policy.winner(field.central, times)
    if field.carries is Carries.OUTWARD:
        winner, why = Winner.CENTRAL, "the mapping does not carry this field inward"
    elif field.carries is Carries.INWARD:
        winner, why = Winner.REMOTE, "the mapping does not carry this field outward"
    loser = Loser(now.ours, now.theirs, winner, why)
    if winner is Winner.UNDECIDED:
        return step(Verdict.STANDING, UNDECIDED, base, loser)
    if winner is Winner.REMOTE:
        return inward(f"both sides changed it; {why}", loser)
    # their edit is seen and has lost: the base takes it in, so that it is not judged a second time
    return outward(f"both sides changed it; {why}", Pair(base.ours, now.theirs), loser)


def _first_contact(
    field: FieldMapping,
    now: Pair,
    step: _Stepper,
    inward: _Stepper,
    outward: _Stepper,
    policy: Policy,
    times: Times | None,
) -> Step:
    if corresponds(field.rule, now.ours, now.theirs):
        return step(Verdict.SETTLE, "first look: both say the same", now)
    if now.theirs is not None:
        try:
            field.rule.inward(now.theirs, held=None)
        except Untranslatable as problem:  # what nobody can read, nobody may overwrite
            return step(Verdict.STANDING, str(problem), None)
    if field.carries is Carries.OUTWARD:
        return outward("first look: ours is carried outward", None)
    if field.carries is Carries.INWARD or now.ours is None:
        return inward("first look: we hold nothing yet")
    if now.theirs is None:
        return outward("first look: they hold nothing yet", None)
    winner, why = policy.winner(field.central, times)
    loser = Loser(now.ours, now.theirs, winner, why)
    if winner is Winner.UNDECIDED:
        return step(Verdict.STANDING, AGREED_NEVER, None, loser)
    if winner is Winner.REMOTE:
        return inward(f"first look: {why}", loser)
    return outward(f"first look: {why}", None, loser)
