"""What a mesh does while nobody does anything: it writes nothing anywhere, and reads no ticket that has not moved."""

from collections.abc import Iterator

from connectors.api import Capabilities, VersionStrength
from sync.simulation.oracle.evidence import Evidence


def silence(before: dict[str, int], after: dict[str, int]) -> Iterator[str]:
    """Nothing was written anywhere while nobody did anything."""
    for name, count in after.items():
        if count != before[name]:
            yield f"silence: {name} grew from {before[name]} to {count} though nobody did anything"


def footprint(evidence: Evidence) -> dict[str, int]:
    """What would grow."""
    counts = {f"the log of {m.name}": len(m.tracker.log) for m in evidence.world.members.values()}
    counts["the revisions at the centre"] = sum(ticket.revision for ticket in evidence.tickets)
    counts["the events at the centre"] = sum(len(events) for events in evidence.events.values())
    return counts


def idle(before: dict[str, int], after: dict[str, int]) -> Iterator[str]:
    """No ticket was read again while nobody did anything: what a poll costs does not grow with the tickets."""
    for name, count in after.items():
        if count != before[name]:
            yield f"idle: {count - before[name]} tickets of {name} were read again though nobody did anything"


def readings(evidence: Evidence) -> dict[str, int]:
    """How often tickets were asked for, by system, where a row tells that nothing has moved; a ticket that is held
    because an automation there fights us is read again by every full scan, and our mark by whoever polls anew."""
    tempers = evidence.world.tempers
    return {
        name: member.connector.calls["fetch"]
        for name, member in evidence.world.members.items()
        if _tells(member.connector.capabilities) and not tempers[name].insists and member.marker is None
    }


def _tells(can: Capabilities) -> bool:
    return can.row_version is not VersionStrength.NONE and can.edits_move
