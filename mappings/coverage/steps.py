"""One field of a fixture, and all that could be tried: what the mapping names, what lies beside it, and strangers."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product
from typing import Any

from mappings.document import MappingDocument
from mappings.fixtures.document import Became, Case, Outcome, Remark, Said, Way
from mappings.loader import Document
from mappings.model import FieldMapping, Untranslatable, Value
from mappings.model import Mapping as CompiledMapping
from mappings.rules import FieldPart, SetField
from mappings.rules.part import Part

GONE = ("gone",)
_MARKED = """\
Since *this* morning, **all** of <queue> & `x_y` [see](http://ce.example.org/a_b) {{fail}}:

# h1. one
- two

    Traceback: <b>bold</b> +1 -1 _z_
"""
"""What every format of texts writes in its own way."""
_STRANGERS: tuple[Value, ...] = (
    None,
    "The CE refuses every job",
    "somebody.else@example.org",
    "Since this morning.\nNothing in the log, @alice.",
    "Since this morning.\r\nNothing in the log, @alice.",
    _MARKED,
    "2026-11-22T18:45:07Z",
    "2026-11-22T00:00:00Z",
    7,
    ("a", "b"),
)
_PROSE = "The computing element refuses every job since this morning, and its log says nothing that would explain it. "
_AT = datetime(2026, 11, 22, 18, 45, tzinfo=UTC)
_MOST_PAIRS = 4000
"""Where there are more pairs of values than this, only those are tried that agree."""


@dataclass(frozen=True, slots=True)
class Step:
    """One value that travels. `held`: what the other side has; a `create` has nothing to hold it."""

    field: str
    """Ours; '': a comment, or what every create carries."""
    way: Way
    value: Value
    held: Value
    create: bool = False
    ordered: bool = False
    """Whether what is written last is judged."""
    remark: Remark | None = None

    def case(self, mapping: CompiledMapping) -> Case:
        """The smallest case with this step."""
        return together((self,), mapping)


def together(steps: Sequence[Step], mapping: CompiledMapping) -> Case:
    """The case that these steps make, all of one way, all creating or none. What is expected is left open."""
    way, create = steps[0].way, any(step.create for step in steps)
    given: dict[str, Value] = {}
    held: dict[str, Value] = {}
    for step in steps:
        if step.field:
            field = mapping.fields[step.field]
            ours, theirs = (held, given) if way is Way.INWARD else (given, held)
            ours_value, their_value = (step.held, step.value) if way is Way.INWARD else (step.value, step.held)
            for there, name, value in ((ours, step.field, ours_value), (theirs, field.remote, their_value)):
                if there is given or value is not None:
                    there[name] = value
    remarks = tuple(step.remark for step in steps if step.remark is not None)
    return Case(way, given, None if create else held, remarks, {}, any(step.ordered for step in steps))


def steps(case: Case, mapping: CompiledMapping) -> Iterator[Step]:
    """What travels in this case."""
    for field in mapping.fields.values() if case.way is not Way.CONFLICTS else ():
        name, there = (field.remote, field.central) if case.way is Way.INWARD else (field.central, field.remote)
        if name in case.given:
            held = (case.held or {}).get(there)
            yield Step(field.central, case.way, case.given[name], held, case.way is Way.OUTWARD and case.held is None)


def became(step: Step, mapping: CompiledMapping, outcome: Outcome) -> Became:
    """What became of the step in this outcome."""
    field = mapping.fields[step.field]
    name = field.central if step.way is Way.INWARD else field.remote
    return True if GONE in outcome else outcome.get(("becomes", name), Said.NOT_THERE)


def remembered(step: Step, mapping: CompiledMapping) -> bool:
    """Whether the step keeps what is held, where the translation alone would have said something else."""
    rule = mapping.fields[step.field].rule
    translate = rule.inward if step.way is Way.INWARD else rule.outward
    kept = _said(translate, step.value, step.held)
    if step.held in (None, "", ()) or kept != step.held:
        return False
    return _said(translate, step.value, None) != kept


def candidates(document: Document, field: FieldMapping, ours: Sequence[Value]) -> tuple[Step, ...]:
    """Every step of a field that may show something, the simplest first. `ours`: the words that our field may have."""
    words = list(dict.fromkeys(_words(MappingDocument.model_validate(document.data).fields[field.central])))
    words += _sets(MappingDocument.model_validate(document.data).fields[field.central])
    texts = [word for word in words if isinstance(word, str)]
    others = [*_texts(words), *_STRANGERS, *words]
    here, there = list(dict.fromkeys([*ours, *texts, *others])), list(dict.fromkeys([*texts, *ours, *others]))
    name, found = field.central, list[Step]()
    found += (Step(name, Way.INWARD, theirs, None) for theirs in there)
    found += (Step(name, Way.INWARD, theirs, held) for theirs, held in _pairs(field.rule.inward, there, here))
    found += (Step(name, Way.OUTWARD, value, None) for value in here)
    found += (Step(name, Way.OUTWARD, value, held) for value, held in _pairs(field.rule.outward, here, there))
    found += (Step(name, Way.OUTWARD, value, None, create=True) for value in here)
    first = next(value for value in here if isinstance(value, str))
    found += (Step(name, Way.OUTWARD, first, None, create, ordered=True) for create in (False, True))
    return tuple(found)


def _pairs(
    translate: Callable[..., Value], values: Sequence[Value], held: Sequence[Value]
) -> Iterator[tuple[Value, Value]]:
    some = [each for each in held if each is not None]
    few = len(values) * len(some) <= _MOST_PAIRS
    for value, there in product(values, some):
        if few or _said(translate, value, there) == there:
            yield value, there


def general(document: Document) -> tuple[Step, ...]:
    """Steps of no field: comments either way, and a create of which nothing is said."""
    limits = list(_numbers(document.data.get("comments", {})))
    texts = ["It works again.\r\nThank you, @bob.", _MARKED, *(_of_length(length) for length in limits)]
    remarks = [Remark(text, "Alice", "ngi-pl", _AT) for text in texts]
    return (
        *(Step("", Way.OUTWARD, None, None, remark=remark) for remark in remarks),
        *(Step("", Way.INWARD, None, None, remark=Remark(text)) for text in texts[:1]),
        Step("", Way.OUTWARD, None, None, create=True),
    )


def _words(part: Any) -> Iterator[Value]:
    """Every word and number that a field's rule names, numbers with their neighbours."""
    if isinstance(part, Part):
        for name in type(part).model_fields:
            yield from _words(getattr(part, name)) if name not in _KEYS else ()
    elif isinstance(part, dict):
        for key, value in part.items():
            yield key
            yield from _words(value)
    elif isinstance(part, list):
        for each in part:
            yield from _words(each)
    elif isinstance(part, int) and not isinstance(part, bool):
        yield from (part, part - 1, part + 1)
    elif isinstance(part, str):
        yield part


_KEYS = frozenset(FieldPart.model_fields) - {"lost_when", "transitions"}


def _sets(part: FieldPart) -> Iterator[Value]:
    """Several members at once, as either side has them, and the same in capitals."""
    if isinstance(part, SetField):
        for members in (part.set.words, part.set.words.values(), ("a", "b")):
            for alike in (tuple(members), tuple(member.upper() for member in members)):
                yield from (alike, (part.set.separator or "; ").join(alike))


def _texts(words: Iterable[Value]) -> Iterator[str]:
    """Texts that just fit into the lengths that are named, and such that just do not."""
    for number in words:
        if isinstance(number, int) and not isinstance(number, bool) and 90 <= number <= 20_000:
            yield _of_length(number)


def _numbers(written: Mapping[str, Any]) -> Iterator[int]:
    for value in written.values():
        if isinstance(value, int) and not isinstance(value, bool):
            yield from (value + more for more in (-60, -40, 0, 1))


def _of_length(length: int) -> str:
    return (_PROSE * (length // len(_PROSE) + 1))[: length - 1] + "!"


def _said(translate: Callable[..., Value], value: Value, held: Value) -> Value | Said:
    try:
        return translate(value, held=held)
    except Untranslatable:
        return Said.NO_WORD
