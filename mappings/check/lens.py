"""The lens laws, for every rule, every value and every value held; where values cannot be listed, for specimens."""

from collections.abc import Callable, Iterator
from itertools import product

from mappings import laws
from mappings.check.finding import Proof, Refutation
from mappings.check.subject import Centre, Subject
from mappings.document import unlawful
from mappings.findings import in_words
from mappings.model import FieldMapping, Untranslatable, Value
from mappings.transitions import stand_ins

_MOST = 40_000
"""How many pairs of values of one field are tried for one law: whoever has more did not choose them word by word."""
SPECIMENS: tuple[Value, ...] = (
    None,
    "",
    "a",
    "A\r\nb ",
    "caf\u00e9",
    "cafe\u0301",
    "@alice",
    "alice@example.org",
    "nobody",
    "2026-11-22T18:45:07Z",
    "2026-11-22 18:45",
    'Traceback (most recent call last):\n  File "x.py", line 1\n    a * b_c * d\n',
    "0",
    7,
    True,
    ("a", "b"),
)


def refutations(subject: Subject, centre: Centre) -> Iterator[Refutation]:
    """Each law that a field breaks, by its shortest story."""
    told = list(unlawful(subject.document))
    yield from (Refutation(Proof.LENS, problem.place, problem.sentence, _why(subject, centre)) for problem in told)
    if told:
        return  # the same in other words
    for each in subject.mapping.fields.values():
        yield from _of_field(subject, centre, each)


def how(subject: Subject, centre: Centre) -> str:
    """How far the laws were tried."""
    values = [(_ours(centre, each), _theirs(subject, each)) for each in subject.mapping.fields.values()]
    pairs = sum(min(len(ours) * len(theirs), max(_MOST, len(ours))) for ours, theirs in values)
    free = [e.central for e in subject.mapping.fields.values() if not (centre.values(e.central) and subject.words(e))]
    return f"{pairs} pairs of values" + (f"; by specimens: {', '.join(free)}" if free else "")


def _of_field(subject: Subject, centre: Centre, each: FieldMapping) -> Iterator[Refutation]:
    ours, theirs = _ours(centre, each), _theirs(subject, each)
    for law, first, second, told in _LAWS:
        found = next(
            (
                (one, other)
                for one, other in _pairs(ours if first == "ours" else theirs, ours if second == "ours" else theirs)
                if law(each.rule, one, other)
            ),
            None,
        )
        if found is not None:
            sentence = f"{each.central}: {law(each.rule, *found)}"
            yield Refutation(Proof.LENS, subject.place(each), sentence, told(subject, each, *found))


def _pairs(values: tuple[Value, ...], held: tuple[Value, ...]) -> Iterator[tuple[Value, Value]]:
    """Each value with each that may be held, the first of these only where there are very many."""
    return product(values, held[: max(1, _MOST // len(values))])


def _ours(centre: Centre, each: FieldMapping) -> tuple[Value, ...]:
    return (None, *centre.values(each.central)) if centre.values(each.central) else SPECIMENS


def _theirs(subject: Subject, each: FieldMapping) -> tuple[Value, ...]:
    return (None, *words) if (words := subject.words(each)) else (*SPECIMENS, *stand_ins(each.rule))


def _why(subject: Subject, centre: Centre) -> tuple[str, ...]:
    """The story of the first law that breaks anywhere, of those that people notice first."""
    for each in subject.mapping.fields.values():
        for found in _of_field(subject, centre, each):
            return found.story
    return ()


# -- stories ---------------------------------------------------------------------------------------------------------


def _echo(subject: Subject, each: FieldMapping, ours: Value, held: Value) -> tuple[str, ...]:
    theirs = _said(each.rule.outward, ours, held)
    back = _said(each.rule.inward, theirs, ours)
    return (
        f"somebody sets {each.central} {in_words(ours)} here"
        + (f", where {subject.name} shows {held!r}" if held else ""),
        f"{subject.name} shows {in_words(theirs)}",
        f"its echo makes it {in_words(back)} here",
        "nobody touched it",
    )


def _moved(subject: Subject, each: FieldMapping, theirs: Value, held: Value) -> tuple[str, ...]:
    ours = _said(each.rule.inward, theirs, held)
    written = _said(each.rule.outward, ours, theirs)
    return (
        f"somebody sets {in_words(theirs)} in {subject.name}" + (f", where {held!r} is held here" if held else ""),
        f"it becomes {in_words(ours)} here",
        f"our next write makes it {in_words(written)} there",
        "nobody touched it",
    )


def _forgotten(subject: Subject, each: FieldMapping, theirs: Value, held: Value) -> tuple[str, ...]:
    ours = _said(each.rule.inward, theirs, None)
    written = _said(each.rule.outward, ours, held)
    back = _said(each.rule.inward, written, None)
    return (
        f"{subject.name} shows {in_words(theirs)}: {in_words(ours)} here",
        f"it goes out to where {in_words(held)} stands, as {in_words(written)}",
        f"somebody who reads it afresh takes it for {in_words(back)}",
    )


def _said(step: Callable[..., Value], value: Value, held: Value) -> Value:
    try:
        return step(value, held=held)
    except Untranslatable:
        return "nothing it has a word for"


_LAWS = (
    (laws.ours_survives, "ours", "theirs", _echo),
    (laws.agreed_is_left_alone, "theirs", "ours", _moved),
    (laws.sayable_survives, "theirs", "theirs", _forgotten),
    (laws.trip_settles, "ours", "theirs", _echo),
    (laws.alike_is_read_alike, "theirs", "ours", _moved),
)
