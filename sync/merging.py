"""Where the two sides of a set are going: what each did to it since the base, member by member. Pure.

The base is the ledger: a member on one side only was agreed on, so that the other side has removed it, or it was never
agreed on, so that this side has added it. Nobody loses, whoever would win another field, and what neither side has
agreed to is removed from neither.
"""

from typing import TypeGuard

from central.link import Pair
from central.model import Value
from mappings.model import Carries, Merging, Rule


def merges(rule: Rule) -> TypeGuard[Merging]:
    """Whether this is a rule of sets. Every field that moved asks: `isinstance` would look at all of the protocol."""
    return hasattr(rule, "merged")


def merged(rule: Merging, now: Pair, base: Pair | None, carries: Carries) -> Pair:
    """What ours is to be, and theirs once ours is that."""
    agreed = (None, None) if base is None else (base.ours, base.theirs)
    if carries is Carries.OUTWARD:  # ours is there whatever they did to it, beside what they added
        both = rule.outward(rule.merged(now.ours, now.theirs, agreed=(None, None)), held=now.theirs)
        told = rule.merged(now.ours, both, agreed=agreed)
        return Pair(now.ours, rule.outward(told, held=now.theirs))
    ours = rule.merged(now.ours, now.theirs, agreed=agreed)
    return Pair(ours, rule.outward(ours, held=now.theirs))


def shown(rule: Merging, now: Pair) -> Pair:
    """The base as theirs alone would have it: against it, all that ours has otherwise was done here."""
    return Pair(rule.inward(now.theirs, held=now.ours), now.theirs)


def explained(rule: Merging, base: Pair, wrote: Value, before: Value, theirs: Value) -> Pair:
    """The base with as much of an open write as theirs shows: of several members, a tracker may have taken some."""
    landed = rule.landed(wrote, before=before, theirs=theirs, agreed=base.theirs)
    return base if landed == base.theirs else shown(rule, Pair(base.ours, landed))
