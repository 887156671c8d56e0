"""The smallest set of fixtures that closes the gap: by each step the most, and the steps of all fields side by side."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count

from mappings.coverage import Report, Words, show
from mappings.coverage.exercise import Duty
from mappings.coverage.mutants import Mutant
from mappings.coverage.steps import GONE, Step, candidates, general, steps, together
from mappings.fixtures.document import Case, Outcome, Way, conflicts
from mappings.fixtures.replay import judged, outcome
from mappings.fixtures.written import written
from mappings.model import Mapping as CompiledMapping
from mappings.model import Stands, Value


def suggestions(report: Report, ours: Words) -> tuple[str, ...]:
    """YAML documents, one fixture each, that are green and show what is missing, as far as any example can."""
    taken, found = {fixture.name for fixture in (*report.fixtures, *(each.fixture for each in report.red))}, []
    for case in _cases(list(_steps(report, ours)), report.mapping):
        title = _title(case, report.mapping)
        name = next(each for n in count(1) if (each := title if n == 1 else f"{title}-{n}") not in taken)
        taken.add(name)
        found.append(written(name, report.mapping.name, [replace(case, expected=judged(report.mapping, case))]))
    if who := _conflicts(report):
        name = next(each for n in count(1) if (each := f"{_WHO}-{n}" if n > 1 else _WHO) not in taken)
        found.append(written(name, report.mapping.name, [conflicts(who)]))
    return tuple(found)


def _conflicts(report: Report) -> Mapping[str, Stands]:
    """Fields of which it ought to be said who wins: the fewest that tell all that is not noticed so far."""
    mapping, left, found = report.mapping, list(report.alive), dict[str, Stands]()
    for name in mapping.fields:
        told = [mutant for mutant in left if _stands(mutant.mapping, name) is not mapping.stands(name)]
        if told:
            found[name] = mapping.stands(name)
            left = [mutant for mutant in left if mutant not in told]
    return found


def _stands(mapping: CompiledMapping, name: str) -> Stands | None:
    return mapping.stands(name) if name in mapping.fields else None


_WHO = "who-wins"


def _title(case: Case, mapping: CompiledMapping) -> str:
    """A name that tells what travels: the first field that says a word, else the first field there is."""
    travels = "comes-in" if case.way is Way.INWARD else "is-made" if case.held is None else "goes-out"
    told = [(step.field, _slug(step.value)) for step in steps(case, mapping)]
    field, word = next((each for each in told if each[1]), told[0] if told else ("comment" * bool(case.comments), ""))
    return "-".join(filter(None, (_slug(field), word, travels)))


def _slug(value: Value) -> str:
    """A short word as part of a name; '' for what is none."""
    text = str(value) if isinstance(value, str | int) else ""
    slug = _APART.sub("-", text.lower()).strip("-")
    return slug if len(text) <= _SHORT else ""


_APART = re.compile("[^a-z0-9]+")
_SHORT = 24


def _steps(report: Report, ours: Words) -> Iterator[Step]:
    mapping, alive = report.mapping, list(report.alive)
    for field in mapping.fields.values():
        tried = candidates(report.document, field, ours.get(field.central, ()))
        mine = [mutant for mutant in alive if mutant.path[:2] == ("fields", field.central)]
        owed = [duty for duty in report.missing if duty.field == field.central]
        yield from _fewest(tried, mapping, mine, owed)
    rest = [mutant for mutant in alive if mutant.path[0] != "fields"]
    yield from _fewest(general(report.document), mapping, rest, ())


def _fewest(
    tried: Sequence[Step], mapping: CompiledMapping, alive: Sequence[Mutant], owed: Sequence[Duty]
) -> Iterator[Step]:
    """The fewest of these steps that show all that any of them can show: always the next that shows most."""
    shows = [_shows(step, mapping, alive, owed) if alive or owed else frozenset() for step in tried]
    left = frozenset().union(*shows)
    while left:
        best = max(range(len(tried)), key=lambda number: len(shows[number] & left))
        left -= shows[best]
        yield tried[best]


def _shows(step: Step, mapping: CompiledMapping, alive: Sequence[Mutant], owed: Sequence[Duty]) -> frozenset[object]:
    case = step.case(mapping)
    became = judged(mapping, case)
    found: set[object] = {n for n, mutant in enumerate(alive) if _differs(judged(mutant.mapping, case), became)}
    if step.field and owed:
        shown = show(step, mapping)
        found |= {(n, "owed") for n, duty in enumerate(owed) if duty.shows(shown)}
    return frozenset(found)


def _differs(one: Outcome, other: Outcome) -> bool:
    return one != other or any(type(one[path]) is not type(other[path]) for path in one)


def _cases(steps: Sequence[Step], mapping: CompiledMapping) -> Iterator[Case]:
    """The steps of all fields side by side: as many cases as the field with the most steps needs."""
    for alike in (
        [step for step in steps if step.way is Way.INWARD],
        [step for step in steps if step.way is Way.OUTWARD and not step.create],
        [step for step in steps if step.create],
    ):
        rows: list[list[Step]] = []
        for step in alike:
            row = next((row for row in rows if _fits(step, row, mapping)), None)
            if row is None:
                rows.append([step])
            else:
                row.append(step)
        yield from (together(row, mapping) for row in rows)


def _fits(step: Step, row: Sequence[Step], mapping: CompiledMapping) -> bool:
    """Whether a step hides nothing of the others, nor they of it."""
    alone = [outcome(mapping, each.case(mapping)) for each in (step, *row)]
    if any(GONE in each for each in alone):
        return False
    if step.field and any(each.field and _meet(step.field, each.field, mapping) for each in row):
        return False
    joint = outcome(mapping, together((*row, step), mapping))
    return all(joint.get(path) == value for each in alone for path, value in each.items() if path[0] in _OWN)


_OWN = ("becomes", "via")
"""What a step says of its own field, and of those that travel with it."""


def _meet(one: str, other: str, mapping: CompiledMapping) -> bool:
    return one == other or mapping.fields[one].remote == mapping.fields[other].remote
