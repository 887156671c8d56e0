"""What befalls a whole tracker: it goes back to a backup, or a script closes or deletes nearly everything in it.

The god's log tells what a restore undid."""

import random
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from central import workflow
from central.store.api import Transaction
from connectors.api import Value
from connectors.emulators.tracker import Backup, Deed, Tracker
from mappings.model import FieldMapping
from sync.guards.mark import Spot, doubt
from sync.simulation.chronicle import BACKUP, Did, Restore
from sync.simulation.mesh import Member
from sync.simulation.scenario import Happening, Kind

if TYPE_CHECKING:
    from sync.simulation.world import World

SCRIPT = "a script"
"""Who closes or deletes nearly everything."""
_LATER = timedelta(seconds=60)


class Disasters:
    """Carries out what the scenario says of trackers as a whole."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._backups: dict[str, Backup] = {}

    def strike(self, happening: Happening) -> None:
        """It happens now."""
        member = self._world.members[happening.system]
        match happening.kind:
            case Kind.BACKUP:
                self._world.tell(f"{member.name} is backed up", act=True)
                self._backups[member.name] = member.tracker.backup()
            case Kind.RESTORE:
                self._restore(member)
            case Kind.CLOSE_ALL:
                self._close_all(member, random.Random(happening.pick))
            case Kind.DELETE_ALL:
                self._delete_all(member, random.Random(happening.pick))

    def _close_all(self, member: Member, rng: random.Random) -> None:
        status = member.mapping.fields["status"]
        spec = member.tracker.field(status.remote)
        closed = [word for word in (spec.values if spec else ()) if _closes(status, word)]
        if not closed:
            return
        for key in _most(member, rng):
            self._act(lambda key=key: member.tracker.edit(SCRIPT, key, {status.remote: closed[0]}))  # type: ignore[misc]  # bound now
        self._world.tell(f"a script sets nearly everything in {member.name} to {closed[0]!r}", act=True)

    def _delete_all(self, member: Member, rng: random.Random) -> None:
        for key in _most(member, rng):
            self._act(lambda key=key: member.tracker.delete(SCRIPT, key))  # type: ignore[misc]  # bound now
        self._world.tell(f"a script deletes nearly everything in {member.name}", act=True)

    def bring_back(self, system: str) -> None:
        """What a script has deleted there is brought back."""
        tracker = self._world.members[system].tracker
        deleted = {deed.key for deed in tracker.log if (deed.who, deed.kind) == (SCRIPT, "delete")}
        for key, issue in tracker.issues.items():
            if issue.hidden and key in deleted:
                self._act(lambda key=key: tracker.bring_back(SCRIPT, key))  # type: ignore[misc]  # bound now
        self._world.tell(f"what a script has deleted in {system} is brought back", act=True)

    def _act(self, act: Callable[[], object]) -> None:
        act()
        self._world.chronicle.human_acts += 1

    def _restore(self, member: Member) -> None:
        """Go back, once our mark has moved since: nobody notices a restore within the hour that leaves it as it is."""
        world, backup = self._world, self._backups.get(member.name)
        if backup is None or world.healing:
            return
        if not _tells(member, backup):
            world.later(world.clock.now + _LATER, lambda: self._restore(member))
            return
        world.tell(f"{member.name} is restored from its backup of {backup.at:%H:%M:%S}", act=True)
        before = {key: dict(issue.fields) for key, issue in member.tracker.issues.items()}
        told = world.raw_store.read(lambda tx: _doubted(tx, member, backup))
        member.tracker.restore(backup)
        at = world.clock.now
        world.chronicle.restores.append(Restore(member.name, backup.at, at, told))
        world.chronicle.dids += _brought_back(member.name, before, member.tracker, at)


def _most(member: Member, rng: random.Random) -> list[str]:
    marked = member.marker.ticket if member.marker else None
    visible = [key for key, issue in member.tracker.issues.items() if not issue.hidden and key != marked]
    return [key for key in visible if rng.random() < 0.9]


def _closes(status: FieldMapping, word: str) -> bool:
    return status.rule.inward(word, held=None) not in workflow.OPEN


def _tells(member: Member, backup: Backup) -> bool:
    spot = member.marker
    return spot is not None and _mark(backup, spot) != _mark(member.tracker, spot)


def _doubted(tx: Transaction, member: Member, backup: Backup) -> bool:
    """Whether the mark in the backup is none that may stand there, as far as we know."""
    assert member.marker is not None, "who is restored bears our mark"
    return bool(doubt(tx.guards.marker(member.name), tx.instance.get().id, _mark(backup, member.marker)))


def _mark(where: Backup | Tracker, spot: Spot) -> Value:
    return where.issues[spot.ticket].fields[spot.field]


def _brought_back(system: str, before: dict[str, dict[str, Value]], tracker: Tracker, at: datetime) -> Iterator[Did]:
    """Every value that has changed by it; a ticket that is not there any more holds nothing."""
    for key, fields in before.items():
        issue = tracker.issues.get(key)
        for name, old in fields.items():
            new = issue.fields[name] if issue is not None else None
            if new != old:
                yield Did(system, at, Deed(0, at, BACKUP, "set", key, name, old, new))
