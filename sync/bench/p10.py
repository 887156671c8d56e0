"""P10: translating. A ticket of theirs is decoded, and every field is translated and decided by the engine's own step.

The floor does the same work with dictionaries that were turned round beforehand: no memory of what is held, no reasons,
no standing disagreements, no policies. Both are one thread's processor time; the mapping is compiled once.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from central.link import Link, LinkState, Pair
from central.model import Value
from mappings.document import compile_mapping
from mappings.loader import read
from mappings.model import Mapping as CompiledMapping
from sync.bench.report import Law, Report
from sync.plan import Verdict
from sync.policy import Admission, Policy
from sync.reconcile import reconcile
from sync.settings import Settings

TARGET = 5.0
MOST_MICROSECONDS = 50.0
FIELDS = 18
_WORDS = 10
_CHANGED_THERE = frozenset({3, 9, 15})
_CHANGED_HERE = frozenset({5, 11, 17})
_SIZES = {"small": (2_000, 5), "full": (20_000, 9)}
"""Tickets a round; rounds, of which the quickest counts."""


@dataclass(frozen=True, slots=True)
class Case:
    """One ticket as both sides have it, and what was last agreed on."""

    answer: str
    ours: Mapping[str, Value]
    link: Link


Outcome = tuple[dict[str, Value], dict[str, Value]]
"""What is taken in, by our names, and what is written, by theirs."""


def run(settings: Settings, size: str) -> Report:  # noqa: ARG001  # nothing is stored
    """One run: 18 fields, and twice as many for the growth law."""
    tickets, rounds = _SIZES[size]
    mapping, wide = _mapping(FIELDS), _mapping(2 * FIELDS)
    cases, wide_cases = _cases(FIELDS), _cases(2 * FIELDS)
    floor = _Floor(FIELDS)
    wrong = [
        f"ticket {number} came to {ours}, and should come to {least}"
        for number, case in enumerate(cases)
        if (ours := translated(case, mapping)) != (least := floor.translated(case))
    ]
    measured = _microseconds(lambda case: translated(case, mapping), cases, tickets, rounds)
    cheapest = _microseconds(floor.translated, cases, tickets, rounds)
    doubled = _microseconds(lambda case: translated(case, wide), wide_cases, tickets // 2, rounds)
    return Report(
        bench="P10",
        size=size,
        metrics={"us_per_ticket": round(measured, 1), "tickets_per_s": round(1e6 / measured), "fields": FIELDS},
        floor={"us_per_ticket": round(cheapest, 1)},
        limit={},
        ratio=round(measured / cheapest, 2),
        target=TARGET,
        correct=not wrong,
        wrong=tuple(wrong[:5]),
        laws={
            "microseconds per ticket": Law(round(measured, 1), MOST_MICROSECONDS),
            "time of 36 fields / of 18": Law(round(doubled / measured, 2), 2.4),
        },
    )


def translated(case: Case, mapping: CompiledMapping) -> Outcome:
    """One look at a ticket, as the engine takes it."""
    plan = reconcile(
        case.link, case.ours, json.loads(case.answer)["fields"], mapping=mapping, policy=_POLICY, admit=_admitted
    )
    remote = {step.name: mapping.fields[step.name].remote for step in plan.steps if step.verdict is Verdict.OUTWARD}
    return dict(plan.inward), {remote[step.name]: step.become for step in plan.outward}


class _Floor:
    """The least that does it: two dictionaries a field, and a three-way merge in our words."""

    def __init__(self, fields: int) -> None:
        said: dict[Value, Value] = {f"ours {n}": f"Theirs {n}" for n in range(_WORDS)}
        read_as = {theirs: ours for ours, theirs in said.items()}
        self._fields = [(f"field-{n}", f"Field {n}", said, read_as) for n in range(fields)]

    def translated(self, case: Case) -> Outcome:
        """The same from the same."""
        fields = json.loads(case.answer)["fields"]
        came = {name: read_as[fields[remote]] for name, remote, _, read_as in self._fields}
        merged = {
            name: theirs if case.ours[name] == case.link.base[name].ours else case.ours[name]
            for name, theirs in came.items()
        }
        said = {remote: words[merged[name]] for name, remote, words, _ in self._fields}
        return (
            {name: value for name, value in merged.items() if value != case.ours[name]},
            {remote: value for remote, value in said.items() if value != fields[remote]},
        )


_POLICY = Policy("central")


def _admitted(name: str, held: Value, new: Value) -> Admission:  # noqa: ARG001  # the workflow is not what is measured
    return Admission(new)


def _mapping(fields: int) -> CompiledMapping:
    table = {f"ours {n}": f"Theirs {n}" for n in range(_WORDS)}
    data: dict[str, Any] = {f"field-{n}": {"remote": f"Field {n}", "table": table} for n in range(fields)}
    source = json.dumps({"kind": "mapping", "name": "p10", "connector": "plain", "fields": data})
    return compile_mapping(read(source, "p10")[0], revision=1)


def _cases(fields: int) -> Sequence[Case]:
    """Ten tickets of about 2 KB, in which some fields changed there, some here, and most did not."""
    return [_case(fields, shift) for shift in range(_WORDS)]


def _case(fields: int, shift: int) -> Case:
    base = {f"field-{n}": Pair(f"ours {(n + shift) % _WORDS}", f"Theirs {(n + shift) % _WORDS}") for n in range(fields)}
    ours = {name: pair.ours for name, pair in base.items()}
    theirs = {f"Field {n}": base[f"field-{n}"].theirs for n in range(fields)}
    for n in range(fields):
        if n % FIELDS in _CHANGED_THERE:
            theirs[f"Field {n}"] = f"Theirs {(n + shift + 1) % _WORDS}"
        if n % FIELDS in _CHANGED_HERE:
            ours[f"field-{n}"] = f"ours {(n + shift + 1) % _WORDS}"
    answer = json.dumps({"id": shift, "fields": theirs, "description": "The CE refuses every job. " * 50})
    link = Link(1, 1, "there", LinkState.ACTIVE, key=str(shift), base=base, mapping_revision=1)
    return Case(answer, ours, link)


def _microseconds(work: Callable[[Case], Outcome], cases: Sequence[Case], tickets: int, rounds: int) -> float:
    """Per ticket, in the quickest of the rounds."""
    best = float("inf")
    for _ in range(rounds):
        began = time.process_time()
        for number in range(tickets):
            work(cases[number % len(cases)])
        best = min(best, (time.process_time() - began) / tickets)
    return best * 1e6
