"""Benchmarks: each measures interdesk beside the least that any program could do on the same work, in one run."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

BENCHES = {
    "P1": "the idle poll: processor time per system, however many tickets are linked",
    "P2": "the cost of a change: requests, however many tickets there are",
    "P3": "webhook latency: from a hint to the other side's write done, 20 changes a second, both directions",
    "P4": "poll latency: what is added to the interval where only the poll finds a change",
    "P5": "sustained work: everybody edits at once, in few systems and in many",
    "P6": "isolation: one bad system among many, felt by nobody else",
    "P7": "a backfill from one tracker to another, killed half-way: time per ticket, and what is done again",
    "P8": "recovery: a queue whose process is killed half-way, until the next one writes",
    "P9": "flat memory: the same tickets change again and again, and of the store only their history may grow",
    "P10": "translating: 18 fields with tables, both ways and merged, from an answer as it came",
    "P11": "the pages: the mesh, a search and a list, however many tickets there are",
    "P12": "scale-out: two workers on PostgreSQL and RabbitMQ instead of one, and one of them killed",
    "P13": "the engine of profiles: processor time of a REST comment and of a SOAP ticket",
}


def bench(name: str) -> Callable[..., Any]:
    """`run(settings, size) -> Report` of this benchmark."""
    run: Callable[..., Any] = import_module(f"sync.bench.{name.lower()}").run
    return run
