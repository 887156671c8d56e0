"""The lens laws, one function each: '' where the law is kept, else a sentence that tells how it was broken.

A law says nothing about a value that the rule has no word for; but what a rule has said, it must be able to take back.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from itertools import product

from mappings.model import Rule, Untranslatable, Value


class _NoWord(Exception):
    """The law has nothing to say here."""


def _law(law: Callable[..., str]) -> Callable[..., str]:
    """Tells a value without a word, which is no breach, from a word that cannot be taken back, which is one."""

    @wraps(law)
    def told(rule: Rule, *values: Value) -> str:
        try:
            return law(rule, *values)
        except _NoWord:
            return ""
        except Untranslatable as problem:
            return f"{', '.join(map(repr, values))}: what was said cannot be taken back: {problem}"

    return told


def _first(step: Callable[..., Value], value: Value, *, held: Value) -> Value:
    try:
        return step(value, held=held)
    except Untranslatable:
        raise _NoWord from None


@_law
def ours_survives(rule: Rule, ours: Value, held: Value) -> str:
    """Ours survives the trip: `inward(outward(ours, held=theirs), held=ours) == ours`."""
    theirs = _first(rule.outward, ours, held=held)
    back = rule.inward(theirs, held=ours)
    if back == ours:
        return ""
    return f"ours {ours!r} goes out as {theirs!r} (they held {held!r}), and its echo makes it {back!r}"


@_law
def agreed_is_left_alone(rule: Rule, theirs: Value, held: Value) -> str:
    """What agrees is left alone: `outward(inward(theirs, held=ours), held=theirs) == theirs`."""
    ours = _first(rule.inward, theirs, held=held)
    written = rule.outward(ours, held=theirs)
    if written == theirs:
        return ""
    return f"their {theirs!r} is read as {ours!r} (we held {held!r}), and our next write makes it {written!r}"


@_law
def sayable_survives(rule: Rule, theirs: Value, held: Value) -> str:
    """What they can say survives, whatever is held there: `inward(outward(inward(theirs))) == inward(theirs)`."""
    ours = _first(rule.inward, theirs, held=None)
    written = rule.outward(ours, held=held)
    back = rule.inward(written, held=None)
    if rule.canonical_ours(back) == rule.canonical_ours(ours):
        return ""
    return f"their {theirs!r} is read as {ours!r}, which goes out as {written!r} and comes back as {back!r}"


@_law
def trip_settles(rule: Rule, ours: Value, held: Value) -> str:
    """A trip settles: twice out and in is once."""
    theirs = _first(rule.outward, ours, held=held)
    once = rule.inward(theirs, held=ours)
    again = rule.outward(once, held=theirs)
    twice = rule.inward(again, held=once)
    if (twice, again) == (once, theirs):
        return ""
    return f"after one trip ours is {once!r} and theirs {theirs!r}; after another {twice!r} and {again!r}"


@_law
def alike_is_read_alike(rule: Rule, theirs: Value, held: Value) -> str:
    """A canonical form is another form of the same value: stable, and read as the value itself is."""
    canonical = rule.canonical_theirs(theirs)
    if rule.canonical_theirs(canonical) != canonical:
        return f"their {theirs!r} is canonically {canonical!r}, which is canonically something else again"
    ours = rule.canonical_ours(_first(rule.inward, theirs, held=held))
    if rule.canonical_ours(ours) != ours:
        return f"ours {ours!r} is a canonical form, and yet has another"
    alike = rule.canonical_ours(rule.inward(canonical, held=held))
    if alike == ours:
        return ""
    return f"their {theirs!r} is read as {ours!r}, but its canonical form {canonical!r} as {alike!r}"


def breaches(rule: Rule, ours: Iterable[Value], theirs: Iterable[Value]) -> Iterator[str]:
    """How this rule breaks the laws, over all of these values and all of them held, None included."""
    our_values, their_values = [*dict.fromkeys((None, *ours))], [*dict.fromkeys((None, *theirs))]
    for one, other in product(our_values, their_values):
        told = (
            ours_survives(rule, one, other),
            agreed_is_left_alone(rule, other, one),
            trip_settles(rule, one, other),
            alike_is_read_alike(rule, other, one),
        )
        yield from filter(None, told)
    for one, other in product(their_values, their_values):
        yield from filter(None, [sayable_survives(rule, one, other)])
