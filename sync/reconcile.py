"""(base, ours, theirs) -> Plan, field by field. Pure: no clock, no network, no randomness.

"They changed" is theirs != base.theirs, "we changed" is ours != base.ours; the rule only translates. Both changed and
still corresponding is an agreement, not a conflict; a set is merged member by member. An open intent whose value theirs
shows means "ours, and it landed": it moves the base and is never taken for an edit.
"""

from collections.abc import Callable, Mapping, Sequence

from central.link import Intent, Link, Pair
from central.model import Value
from mappings import model as mapping_model
from mappings.model import Carries, FieldMapping, Merging, Untranslatable
from sync import merging
from sync.plan import (
    AGREED_NEVER,
    MEANING_CHANGED,
    NO_EVIDENCE,
    UNDECIDED,
    UNTOUCHED,
    Evidence,
    Loser,
    Plan,
    Step,
    Verdict,
)
from sync.policy import Admission, Policy, Winner

Admit = Callable[[str, Value, Value], Admission]

_MOVING = frozenset({Verdict.SETTLE, Verdict.INWARD, Verdict.OUTWARD})


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
    look = _Look(link, mapping.revision, policy, admit, evidence)
    steps = tuple(
        look.decided(each, ours.get(each.central), theirs[each.remote])
        for each in mapping.fields.values()
        if each.remote in theirs
    )
    if link.refusals and (moved := _asked_anew(steps, link, mapping)):
        # what travels with it is not what was refused: it is another write
        told = link.evolve(refusals={name: each for name, each in link.refusals.items() if name not in moved})
        return reconcile(told, ours, theirs, mapping=mapping, policy=policy, admit=admit, evidence=evidence)
    return Plan(steps)


def _asked_anew(steps: Sequence[Step], link: Link, mapping: mapping_model.Mapping) -> frozenset[str]:
    """The refused fields of which something moves now that travels with them."""
    moving = {step.name for step in steps if step.verdict in _MOVING}
    return frozenset(name for name in link.refusals if name in mapping.fields and mapping.fields[name].beside & moving)


def corresponds(rule: mapping_model.Rule, ours: Value, theirs: Value) -> bool:
    """Whether the two values say the same, as far as the rule's vocabulary can tell them apart."""
    try:
        read = rule.inward(theirs, held=ours)
        if read == ours or rule.canonical_ours(read) == rule.canonical_ours(ours):
            return True
    except Untranslatable:
        pass
    try:
        return rule.canonical_theirs(rule.outward(ours, held=theirs)) == rule.canonical_theirs(theirs)
    except Untranslatable:
        return False


class _Look:
    """What all fields of one link share."""

    __slots__ = ("admit", "evidence", "link", "policy", "revision")

    def __init__(self, link: Link, revision: int, policy: Policy, admit: Admit, evidence: Evidence) -> None:
        self.link, self.revision, self.policy, self.admit, self.evidence = link, revision, policy, admit, evidence

    def decided(self, field: FieldMapping, ours: Value, theirs: Value) -> Step:
        """Most fields of most looks are as they were, letter by letter: that is told without more ado."""
        rule = field.rule
        base, echo = self._base(field, theirs)
        they_changed = we_changed = False
        if base is not None:
            they_changed = theirs != base.theirs and rule.canonical_theirs(theirs) != rule.canonical_theirs(base.theirs)
            we_changed = ours != base.ours and rule.canonical_ours(ours) != rule.canonical_ours(base.ours)
            if not they_changed and not we_changed and corresponds(rule, ours, theirs):
                verdict = Verdict.SETTLE if echo else Verdict.AGREED
                return Step(field.central, verdict, "already agreed", ours, theirs, base, None, None, echo)
        field_look = _FieldLook(self, field, Pair(ours, theirs), base, echo)
        if base is None:
            return field_look.first_contact()
        return field_look.decided(base, they_changed, we_changed)

    def _base(self, field: FieldMapping, theirs: Value) -> tuple[Pair | None, bool]:
        """The base, moved by what our own writes explain; and whether one of them did."""
        base = self.link.base.get(field.central)
        if self.evidence is NO_EVIDENCE and not self.link.intents:
            return base, False
        name, evidence = field.central, self.evidence
        base, echo = self._explained(field, base, theirs) if name not in evidence.by_people else (base, False)
        if not echo and name in evidence.landed:
            base, echo = evidence.landed[name], True
        if name in evidence.stale and base is not None:
            base = Pair(base.ours, theirs)
        elif name in evidence.taken_back and base is not None and not echo:
            base = Pair(base.ours, evidence.taken_back[name])
        return base, echo

    def _explained(self, field: FieldMapping, base: Pair | None, theirs: Value) -> tuple[Pair | None, bool]:
        """The base, moved by an open intent whose value theirs shows."""
        for intent in reversed(self.link.intents):
            wrote, before = intent.wrote.get(field.central), intent.before.get(field.remote)
            if wrote is not None and _shows(field.rule, wrote.theirs, before, theirs):
                return wrote, True
            if wrote is not None and base is not None and merging.merges(field.rule):
                base = merging.explained(field.rule, base, wrote.theirs, before, theirs)
            if base is not None and _is_side_effect(intent, field, base, theirs):
                return Pair(base.ours, theirs), True
        return base, False


def _shows(rule: mapping_model.Rule, wrote: Value, before: Value, theirs: Value) -> bool:
    """Whether a write of ours is in place: as it was written, or, of a set, all that it changed, whatever else others
    have changed since."""
    if rule.canonical_theirs(wrote) == rule.canonical_theirs(theirs):
        return True
    return merging.merges(rule) and rule.shows(wrote, before=before, theirs=theirs)


def _is_side_effect(intent: Intent, field: FieldMapping, base: Pair, theirs: Value) -> bool:
    expected = intent.side_effects.get(field.remote)
    return expected is not None and expected == theirs and intent.before.get(field.remote) == base.theirs


class _FieldLook:
    """One field that is not simply as it was."""

    __slots__ = ("base", "echo", "field", "look", "now", "rule", "seen")

    def __init__(self, look: _Look, field: FieldMapping, now: Pair, base: Pair | None, echo: bool) -> None:
        self.look, self.field, self.rule = look, field, field.rule
        self.now, self.base, self.echo = now, base, echo
        self.seen = now if base is None else Pair(base.ours, now.theirs)
        """The base once their edit is judged; whether we changed is not."""

    def decided(self, base: Pair, they_changed: bool, we_changed: bool) -> Step:
        """There is a base, and somebody has moved away from it or the two never said the same."""
        link, name, ours, theirs = self.look.link, self.field.central, self.now.ours, self.now.theirs
        if link.disagreements.get(name) == UNDECIDED and (they_changed or we_changed):
            they_changed = we_changed = True  # whoever sets back what was agreed on has said something, too
        untouched = not they_changed and not we_changed
        if untouched and (link.mapping_revision != self.look.revision or name in link.outdated):
            stood = link.disagreements.get(name)
            return self._step(Verdict.STANDING, stood if stood in UNTOUCHED else MEANING_CHANGED, base)
        if merging.merges(self.rule):
            return self._merged(self.rule)
        if untouched:
            return self._outward("theirs was not set by a person; ours stands", base)
        if they_changed and we_changed:
            if corresponds(self.rule, ours, theirs):
                return self._same("both changed, and still say the same")
            return self._conflict()
        if we_changed:
            return self._outward("changed here", base)
        if self.field.carries is Carries.OUTWARD:
            lost = Loser(ours, theirs, Winner.CENTRAL, "the mapping does not carry this field inward", rejected=True)
            return self._outward("their edit is not carried inward; ours is written back", self.now, lost)
        return self._inward("changed there")

    def first_contact(self) -> Step:
        """Nothing was ever agreed on."""
        field, ours, theirs = self.field, self.now.ours, self.now.theirs
        if corresponds(self.rule, ours, theirs):
            return self._same("first look: both say the same")
        if theirs is not None:
            try:
                self.rule.inward(theirs, held=None)
            except Untranslatable as problem:  # what nobody can read, nobody may overwrite
                return self._step(Verdict.STANDING, str(problem), None)
        if merging.merges(self.rule):
            return self._merged(self.rule)
        if field.carries is Carries.OUTWARD:
            return self._outward("first look: ours is carried outward", None)
        if field.carries is Carries.INWARD or ours is None:
            return self._inward("first look: we hold nothing yet")
        if theirs is None:
            return self._outward("first look: they hold nothing yet", None)
        winner, why = self._winner()
        loser = Loser(ours, theirs, winner, why)
        if winner is Winner.UNDECIDED:
            return self._step(Verdict.STANDING, AGREED_NEVER, None, loser)
        if winner is Winner.REMOTE:
            return self._inward(f"first look: {why}", loser)
        return self._outward(f"first look: {why}", None, loser)

    def _merged(self, rule: Merging) -> Step:
        """A set: ours becomes what both have made of it first; what theirs lacks then is found changed here."""
        name, ours, theirs = self.field.central, self.now.ours, self.now.theirs
        if corresponds(rule, ours, theirs):
            return self._same("both have the same members")
        seen, carries, base = merging.shown(rule, self.now), self.field.carries, self.base
        if name in self.look.evidence.stale and carries is not Carries.OUTWARD:
            base = seen  # nobody there has added what that write put back
        goal = merging.merged(rule, self.now, base, carries)
        if rule.canonical_ours(goal.ours) != rule.canonical_ours(ours):
            admission = self.look.admit(name, ours, goal.ours)
            if admission.refusal:
                return self._step(Verdict.STANDING, admission.refusal, self.base)
            return self._step(Verdict.INWARD, "members changed there", seen, None, admission.value)
        if carries is not Carries.OUTWARD:
            return self._outward("members changed here", seen)
        if rule.canonical_theirs(goal.theirs) == rule.canonical_theirs(theirs):
            return self._step(Verdict.STANDING, "the mapping does not carry inward what they added", self.now)
        return self._outward("ours, beside what they added", self.seen, wanted=goal.theirs)

    def _conflict(self) -> Step:
        winner, why = self._winner()
        if self.field.carries is Carries.OUTWARD:
            winner, why = Winner.CENTRAL, "the mapping does not carry this field inward"
        elif self.field.carries is Carries.INWARD:
            winner, why = Winner.REMOTE, "the mapping does not carry this field outward"
        loser = Loser(self.now.ours, self.now.theirs, winner, why)
        if winner is Winner.UNDECIDED:
            return self._step(Verdict.STANDING, UNDECIDED, self.base, loser)
        if winner is Winner.REMOTE:
            return self._inward(f"both sides changed it; {why}", loser)
        # their edit is seen and has lost: the base takes it in, so that it is not judged a second time
        return self._outward(f"both sides changed it; {why}", self.seen, loser)

    def _winner(self) -> tuple[Winner, str]:
        name = self.field.central
        return self.look.policy.winner(name, self.look.evidence.times.get(name))

    def _outward(self, why: str, new_base: Pair | None, loser: Loser | None = None, wanted: Value = None) -> Step:
        """`wanted`: theirs, to be reached; None: what ours is there."""
        field, rule, theirs = self.field, self.rule, self.now.theirs
        if field.carries is Carries.INWARD:
            return self._step(Verdict.STANDING, "the mapping does not carry this field outward", new_base, loser)
        if field.only_on_create and self.base is not None:
            only = "the mapping carries this field outward only on create"
            return self._step(Verdict.STANDING, only, new_base, loser)
        try:
            wanted = rule.outward(self.now.ours, held=theirs) if wanted is None else wanted
        except Untranslatable as problem:
            return self._step(Verdict.STANDING, str(problem), new_base, loser)
        if rule.canonical_theirs(wanted) == rule.canonical_theirs(theirs):
            return self._same("their value says the same already")
        going = self._step(Verdict.OUTWARD, why, new_base, loser, wanted, field.way(theirs, wanted))
        refusal = self.look.link.refusals.get(field.central)
        if (
            refusal is not None
            and refusal.mapping_revision == self.look.revision
            and (refusal.wanted, refusal.theirs) == (going.sends.theirs, theirs)
        ):
            return self._step(Verdict.STANDING, f"refused: {refusal.reason}", new_base, loser)
        return going

    def _inward(self, why: str, loser: Loser | None = None) -> Step:
        rule, (ours, theirs) = self.rule, (self.now.ours, self.now.theirs)
        try:
            wanted = rule.inward(theirs, held=ours)
        except Untranslatable as problem:
            return self._step(Verdict.STANDING, str(problem), self.base, loser)
        if rule.canonical_ours(wanted) == rule.canonical_ours(ours):
            return self._step(Verdict.SETTLE, "it corresponds to the value we hold", self.now)
        admission = self.look.admit(self.field.central, ours, wanted)
        if admission.refusal:
            lost = Loser(ours, theirs, Winner.CENTRAL, admission.refusal, rejected=True)
            return self._outward(f"their edit is rejected ({admission.refusal}); ours is written back", self.seen, lost)
        return self._step(Verdict.INWARD, why, Pair(admission.value, theirs), loser, admission.value)

    def _same(self, why: str) -> Step:
        """Both say the same, and ours is agreed on from now: whoever moves theirs after that has seen it. Who moved it
        before ours was set has not: that would be taken for an answer to it."""
        if self.look.evidence.overtaken:
            return self._step(Verdict.UNSURE, "ours was set after they were asked", self.base)
        return self._step(Verdict.SETTLE, why, self.now)

    def _step(
        self,
        verdict: Verdict,
        why: str,
        new_base: Pair | None,
        loser: Loser | None = None,
        become: Value = None,
        way: tuple[Value, ...] = (),
    ) -> Step:
        now = self.now
        return Step(self.field.central, verdict, why, now.ours, now.theirs, new_base, become, loser, self.echo, way)
