"""What a system closes or loses in masses: nothing of it is taken in before a person was asked."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime

from central import workflow
from central.events import Event, Kind
from sync.guards.usual import HOUR, hour_of
from sync.simulation.oracle.evidence import Evidence


def asked(evidence: Evidence, excuses: list[str]) -> Iterator[str]:
    """No more than the limit within an hour, or than is usual; who rejects some is asked about as many again."""
    chronicle = evidence.world.chronicle
    taken: dict[tuple[str, str, int, datetime], set[int]] = defaultdict(set)
    for ticket, events in evidence.events.items():
        for event in events:
            what, system = _masses(event), event.system
            if not what or system is None or chronicle.approvals.get(system, event.at) < event.at:
                continue
            decided = sum(at < event.at for at in chronicle.rejections[system])
            taken[system, what, decided, hour_of(event.at)].add(ticket)
    for (system, what, _, hour), tickets in taken.items():
        limits = evidence.world.tempers[system].limits
        before = sum(len(t) for (s, w, _, h), t in taken.items() if (s, w) == (system, what) and h < hour - HOUR)
        least = limits.closings if what == "closed" else limits.losses
        if len(tickets) > max(least, limits.times_usual * before):
            yield f"asked: {system} has {what} {len(tickets)} tickets since {hour:%H:%M}, and nobody was asked"
    del excuses


def _masses(event: Event) -> str:
    if event.kind is Kind.LINK_LOST:
        return "lost"
    closes = event.kind is Kind.FIELD_CHANGED and event.field == "status"
    return "closed" if closes and event.data["from"] in workflow.OPEN and event.data["to"] not in workflow.OPEN else ""
