"""The world of the stories on a database of its own, which can be backed up and restored."""

from datetime import datetime, timedelta
from pathlib import Path

from central.registry import SystemState
from central.store import migrations
from central.store.sql import SqlStore, backup, sqlite
from sync.recovery import approval, copies
from sync.recovery.plan import ResyncPlan
from sync.recovery.search import Rebuilt
from sync.simulation.mesh import Mesh, VirtualClock
from tests.unit.sync.world import World


class Saved(World):
    """The world on a database of its own, which can be saved and restored."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = VirtualClock()
        super().__init__(store=self._opened("live"))

    def _opened(self, name: str) -> SqlStore:
        url = f"sqlite:///{self.folder}/{name}.db"
        migrations.upgrade(url)
        self.opened = SqlStore.open(url, clock=self._now, exclusive=False)
        return self.opened

    def _now(self) -> datetime:
        return self.clock()

    def save(self) -> None:
        backup.copy(sqlite.file_of(f"sqlite:///{self.folder}/live.db"), self.folder / "saved.db")

    def put_back(self) -> None:
        """The backup is in place; nothing was found again yet."""
        self.opened.close()
        self.clock.advance(timedelta(minutes=5))
        self.store = self._opened("saved")
        self.store.write(lambda tx: copies.mark_restored(tx, self.clock(), "it was put in place"))
        self.mesh = Mesh(self.store, [self.rt, self.redmine], self.clock)
        self.centre = self.mesh.centre
        assert self.mesh.work() == 0, "it neither reads nor writes by itself"

    def plan(self) -> ResyncPlan:
        """Find again what was forgotten, by reading only."""
        writes = self.writes()
        plan = approval.look(self.mesh.means, self.mesh.gateways, "test")
        assert self.writes() == writes, "reading again wrote something"
        assert self.mesh.work() == 0, "it is held until somebody approves"
        return plan

    def approve(self) -> tuple[ResyncPlan, bool]:
        return approval.approve(self.mesh.means, self.mesh.gateways, "test", "ada")

    def restore(self) -> Rebuilt:
        """Put the backup in place, read again what moved, and agree to what is to be written."""
        self.put_back()
        plan = self.plan()
        assert self.approve()[1], "nobody did anything meanwhile, and the plan is another one"
        return plan.found

    def state(self, system: str) -> SystemState:
        return self.store.read(lambda tx: tx.registry.system(system)).state

    def writes(self) -> int:
        return sum(len(member.tracker.log) for member in (self.rt, self.redmine))
