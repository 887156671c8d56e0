"""People edit everywhere while answers are lost and interdesk is killed between two steps; then the laws hold."""

import contextlib
from datetime import timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from central.desk.services.errors import NotAllowed
from central.model import Person
from central.store.memory import MemoryStore
from connectors.errors import Transient
from connectors.memory import Call
from sync.simulation.laws import broken
from sync.simulation.members import redmine_like, rt_like
from sync.simulation.mesh import Mesh, VirtualClock

TPM = Person("tpm", "Tess from TPM")
RT_STATUSES = ("new", "open", "stalled", "resolved", "rejected")
REDMINE_STATUSES = ("New", "In Progress", "Feedback", "Resolved", "Closed", "Rejected")
CENTRAL_STATUSES = ("in progress", "waiting for reply", "on hold", "solved", "unsolved", "reopened", "verified")


class Killed(BaseException):
    """kill -9: nothing is caught, nothing is cleaned up."""


class CrashingStore(MemoryStore):
    """Dies before or after the n-th commit from now; whoever kills it may cut its power, too."""

    fuse: int | None = None
    after = False
    power_fails = False

    def die(self) -> None:
        """What is left when the process is gone."""
        if self.power_fails:
            self.lose_power()

    def write(self, change, *, durable=True):
        if self.fuse is not None:
            self.fuse -= 1
            if self.fuse < 0:
                self.fuse = None
                if self.after:
                    super().write(change, durable=durable)
                raise Killed
        return super().write(change, durable=durable)


class MeshMachine(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.clock = VirtualClock()
        self.rt = rt_like(self.clock, "ngi-cz", frozenset({"NGI_CZ"}))
        self.redmine = redmine_like(self.clock, "ngi-pl", frozenset({"NGI_PL"}))
        self.store = CrashingStore()
        self.mesh = Mesh(self.store, [self.rt, self.redmine], self.clock)
        self.canaries: list[str] = []
        self.said = 0
        key = self.rt.tracker.person("alice").open(subject="first")
        self.mesh.round()
        assert key
        self.mesh.centre.change(1, {"unit": "NGI_PL"}, TPM)
        self.mesh.settle()

    def _member(self, which: bool):
        return self.rt if which else self.redmine

    def _issue(self, which: bool, pick: int) -> str | None:
        keys = sorted(self._member(which).tracker.issues)
        return keys[pick % len(keys)] if keys else None

    @rule(which=st.booleans())
    def somebody_opens_a_ticket(self, which: bool) -> None:
        if len(self._member(which).tracker.issues) < 3:
            self.said += 1
            self._member(which).tracker.person("carol").open(subject=f"ticket {self.said}")

    @rule(which=st.booleans(), pick=st.integers(0, 2), status=st.integers(0, 5))
    def somebody_sets_a_status(self, which: bool, pick: int, status: int) -> None:
        key = self._issue(which, pick)
        names = RT_STATUSES if which else REDMINE_STATUSES
        if key:
            self._member(which).tracker.person("bob").edit(key, status=names[status % len(names)])

    @rule(which=st.booleans(), pick=st.integers(0, 2), field=st.sampled_from(["subject", "description", "priority"]))
    def somebody_edits_a_field(self, which: bool, pick: int, field: str) -> None:
        key = self._issue(which, pick)
        if key:
            self.said += 1
            value = ("low", "normal", "high")[self.said % 3] if field == "priority" else f"{field} {self.said}"
            self._member(which).tracker.person("bob").edit(key, {field: value})

    @rule(which=st.booleans(), pick=st.integers(0, 2), internal=st.booleans(), file=st.booleans())
    def somebody_comments(self, which: bool, pick: int, internal: bool, file: bool) -> None:
        key = self._issue(which, pick)
        if key:
            self.said += 1
            text = f"CANARY {self.said}!" if internal else f"word {self.said}"
            if internal:
                self.canaries.append(text)
            files = {f"{text}.txt": b"bytes"} if file else {}
            self._member(which).tracker.person("bob").comment(key, text, internal=internal, files=files)

    @rule(status=st.sampled_from(CENTRAL_STATUSES))
    def the_centre_sets_a_status(self, status: str) -> None:
        self._at_the_centre({"status": status})

    @rule(unit=st.sampled_from(["TPM", "NGI_CZ", "NGI_PL"]))
    def the_centre_reassigns(self, unit: str) -> None:
        self._at_the_centre({"unit": unit})

    @rule()
    def the_centre_edits_the_subject(self) -> None:
        self.said += 1
        self._at_the_centre({"subject": f"central {self.said}"})

    @rule()
    def the_centre_comments(self) -> None:
        self.said += 1
        self._alive(lambda: self.mesh.centre.comment(1, f"central word {self.said}", TPM))

    def _at_the_centre(self, changes) -> None:
        def change() -> None:
            with contextlib.suppress(NotAllowed):
                self.mesh.centre.change(1, changes, TPM)

        self._alive(change)

    def _alive(self, act) -> None:
        """Do it; if the process is killed meanwhile, a successor takes over."""
        try:
            act()
        except Killed:
            self.store.die()
            self.mesh.restart()

    @rule(seconds=st.sampled_from([0, 1, 20, 90, 400]))
    def time_passes_and_the_mesh_works(self, seconds: int) -> None:
        self._alive(lambda: self.mesh.round(timedelta(seconds=seconds)))

    @rule(
        which=st.booleans(),
        operation=st.sampled_from(["create", "update", "comment", "fetch", "changes"]),
        done=st.booleans(),
        kill=st.booleans(),
    )
    def the_next_call_goes_wrong(self, which: bool, operation: str, done: bool, kill: bool) -> None:
        connector = self._member(which).connector

        def intrude(call: Call) -> None:
            if call.operation == operation and call.done == done:
                connector.intruder = None
                if kill:
                    raise Killed
                raise Transient("the connection broke")

        connector.intruder = intrude

    @rule(which=st.booleans(), operation=st.sampled_from(["update", "comment", "create"]), done=st.booleans())
    def somebody_edits_in_the_middle_of_the_next_call(self, which: bool, operation: str, done: bool) -> None:
        connector = self._member(which).connector

        def intrude(call: Call) -> None:
            if call.operation == operation and call.done == done and call.key:
                connector.intruder = None
                self.said += 1
                person = connector.tracker.person("dave")
                person.edit(call.key, subject=f"middle {self.said}")
                person.comment(call.key, f"middle word {self.said}")

        connector.intruder = intrude

    @rule(fuse=st.integers(0, 6), after=st.booleans())
    def interdesk_will_be_killed_at_a_commit(self, fuse: int, after: bool) -> None:
        self.store.fuse, self.store.after = fuse, after

    @rule(fails=st.booleans())
    def the_next_kill_is_a_power_cut(self, fails: bool) -> None:
        self.store.power_fails = fails

    @rule()
    def a_full_scan_runs(self) -> None:
        def scan() -> None:
            with contextlib.suppress(Transient):
                self.mesh.scan()

        self._alive(scan)

    def teardown(self) -> None:
        if not hasattr(self, "mesh"):
            return
        self.store.fuse = None
        for member in (self.rt, self.redmine):
            member.connector.intruder = None
        self.mesh.settle(60)
        wrong = broken(self.mesh, canaries=self.canaries)
        assert not wrong, wrong


TestMesh = MeshMachine.TestCase
TestMesh.settings = settings(
    max_examples=60, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
