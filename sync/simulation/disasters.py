"""What befalls a whole tracker: it goes back to a backup. The god's log tells what that undid."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from connectors.api import Value
from connectors.emulators.tracker import Backup, Deed, Tracker
from sync.simulation.chronicle import BACKUP, Did, Restore
from sync.simulation.mesh import Member
from sync.simulation.scenario import Happening, Kind

if TYPE_CHECKING:
    from sync.simulation.world import World

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
        member.tracker.restore(backup)
        at = world.clock.now
        world.chronicle.restores.append(Restore(member.name, backup.at, at))
        world.chronicle.dids += _brought_back(member.name, before, member.tracker, at)


def _tells(member: Member, backup: Backup) -> bool:
    spot = member.marker
    if spot is None:
        return False
    return backup.issues[spot.ticket].fields[spot.field] != member.tracker.issues[spot.ticket].fields[spot.field]


def _brought_back(system: str, before: dict[str, dict[str, Value]], tracker: Tracker, at: datetime) -> Iterator[Did]:
    """Every value that has changed by it; a ticket that is not there any more holds nothing."""
    for key, fields in before.items():
        issue = tracker.issues.get(key)
        for name, old in fields.items():
            new = issue.fields[name] if issue is not None else None
            if new != old:
                yield Did(system, at, Deed(0, at, BACKUP, "set", key, name, old, new))
