"""What travels with a write because their workflow asks for it there: the required fields of a transition. Pure.

What stands there already is said again, never written over; a text that stands in for nothing is written only where
both sides hold nothing.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from central.link import Pair
from central.model import Value
from mappings import model as mapping_model
from mappings.model import Fill, Rule, Untranslatable
from mappings.transitions import EMPTY, says_nothing
from sync.plan import Plan, Step, Verdict


@dataclass(frozen=True, slots=True)
class Company:
    """What goes in the same request."""

    wrote: Mapping[str, Pair]
    """By our field: what is recorded and settled like any write."""
    said: Mapping[str, Value]
    """By their field: constants, and what stands there already."""


def company(plan: Plan, mapping: mapping_model.Mapping, refused: Collection[str]) -> Company:
    """What goes with the values that this plan sends now. `refused`: our fields whose last write was refused."""
    steps = {step.name: step for step in plan.steps}
    wrote: dict[str, Pair] = {}
    said: dict[str, Value] = {}
    for fill in _fills(plan, mapping):
        step = steps.get(fill.central)
        if not fill.central:
            said[fill.remote] = fill.value
        elif step is not None:
            rule = mapping.fields[fill.central].rule
            pair = _filled(fill, step, rule, again=fill.central in refused)
            if pair is not None:
                wrote[fill.central] = pair
            elif step.verdict is not Verdict.OUTWARD and rule.canonical_theirs(step.theirs) not in EMPTY:
                said[fill.remote] = step.theirs
    return Company(wrote, said)


def born_with(wrote: Mapping[str, Pair], mapping: mapping_model.Mapping) -> Company:
    """What goes with a create that gives these values."""
    filled: dict[str, Pair] = {}
    said: dict[str, Value] = {}
    for name, pair in wrote.items():
        field = mapping.fields[name]
        for fill in () if field.walks(pair.theirs) else field.fills(pair.theirs):
            given = wrote.get(fill.central)
            if not fill.central:
                said[fill.remote] = fill.value
            elif given is not None and given.theirs in EMPTY and fill.value is not None:
                filled[fill.central] = Pair(given.ours, fill.value)
    return Company(filled, said)


def in_their_words(refused: Mapping[str, str], plan: Plan, mapping: mapping_model.Mapping) -> dict[str, str]:
    """Why each field was refused, with what was refused of its company: the one is often the reason for the other."""
    told = dict(refused)
    for step in plan.outward:
        field = mapping.fields[step.name]
        if field.remote in refused:
            with_it = [f.remote for f in field.fills(step.sends.theirs) if f.remote in refused]
            reasons = [refused[field.remote], *(f"{name}: {refused[name]}" for name in with_it)]
            told[field.remote] = "; ".join(reasons)
    return told


def _fills(plan: Plan, mapping: mapping_model.Mapping) -> Iterator[Fill]:
    for step in plan.outward:
        yield from mapping.fields[step.name].fills(step.sends.theirs)


def _filled(fill: Fill, step: Step, rule: Rule, *, again: bool) -> Pair | None:
    """What is written for it, where the plan itself writes nothing there; None: nothing is."""
    ours = step.become if step.verdict is Verdict.INWARD else step.ours
    if step.verdict is Verdict.OUTWARD:
        cleared = rule.canonical_theirs(step.become) in EMPTY
        return Pair(ours, fill.value) if cleared and fill.value is not None else None
    if rule.canonical_theirs(step.theirs) not in EMPTY:
        return None
    if again and not says_nothing(rule, ours):  # some trackers take it only together with what asks for it
        try:
            return Pair(ours, rule.outward(ours, held=step.theirs))
        except Untranslatable:
            return None
    if fill.value is None:
        return None
    return Pair(ours if step.base is None else step.base.ours, fill.value)
