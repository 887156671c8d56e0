"""One thing at a time, and quiet in between: then every edit reaches everyone, and there is no conflict at all."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from central.desk.services.errors import NotAllowed
from central.events import Kind
from central.link import LinkState
from central.model import Person
from central.store.memory import MemoryStore
from connectors.memory import WELL_BEHAVED
from sync.reconcile import corresponds
from sync.simulation.laws import broken
from sync.simulation.members import redmine_like, rt_like
from sync.simulation.mesh import Member, Mesh, VirtualClock

TPM = Person("tpm", "Tess from TPM")
# with "ask" a value that the centre sets back while a conflict stands is no answer to it: conflict resolve will be
POLICIES = st.sampled_from(["central", "remote"])
CENTRAL_STATUSES = ("in progress", "waiting for reply", "on hold", "solved", "unsolved", "reopened")
STATUSES = {
    "rt": ("new", "open", "stalled", "resolved", "rejected"),
    "redmine": ("New", "In Progress", "Feedback", "Resolved", "Closed", "Rejected"),
}


class QuietMachine(RuleBasedStateMachine):
    @initialize(policies=st.tuples(POLICIES, POLICIES, POLICIES))
    def begin(self, policies: tuple[str, str, str]) -> None:
        self.clock = VirtualClock()
        self.members: list[Member] = [
            rt_like(self.clock, "ngi-cz", frozenset({"NGI_CZ"}), policy=policies[0]),
            redmine_like(self.clock, "ngi-pl", frozenset({"NGI_PL"}), policy=policies[1]),
            rt_like(self.clock, "ngi-fr", frozenset({"NGI_FR"}), policy=policies[2], capabilities=WELL_BEHAVED),
        ]
        self.mesh = Mesh(MemoryStore(), self.members, self.clock)
        self.said = 0
        self.members[0].tracker.person("alice").open(subject="first")
        self.mesh.settle()
        for unit in ("NGI_PL", "NGI_FR"):
            self.mesh.centre.change(1, {"unit": unit}, TPM)
            self.mesh.settle()
        self.seen_conflicts = 0

    def _key(self, which: int) -> str | None:
        link = self.mesh.store.read(lambda tx: tx.links.find(1, self.members[which].name))
        return link.key if link is not None and link.state is LinkState.ACTIVE else None

    def _settled(self) -> None:
        """Nothing that agreed before is in conflict now; what stood disagreed already may well be."""
        standing = {(m.name, field) for m in self.members for field in self._disagreements(m)}
        self.mesh.settle()
        kept = self.mesh.store.read(lambda tx: tx.tickets.conflicts())
        new, self.seen_conflicts = kept[self.seen_conflicts :], len(kept)
        allowed = {e.why for e in self.mesh.store.read(lambda tx: tx.tickets.events(1)) if e.kind is Kind.EDIT_REJECTED}
        assert [c for c in new if c.reason not in allowed and (c.system, c.field) not in standing] == []

    def _disagreements(self, member: Member) -> set[str]:
        link = self.mesh.store.read(lambda tx: tx.links.find(1, member.name))
        return set(link.disagreements) if link is not None else set()

    def _stands(self, field: str) -> None:
        """Every active system holds the centre's value, or says why it does not."""
        ticket = self.mesh.store.read(lambda tx: tx.tickets.get(1))
        for which, member in enumerate(self.members):
            key = self._key(which)
            link = self.mesh.store.read(lambda tx, m=member: tx.links.find(1, m.name))
            if key is None or field in link.disagreements:
                continue
            mapped = member.mapping.fields[field]
            assert corresponds(mapped.rule, ticket[field], member.tracker.issues[key].fields[mapped.remote])

    @rule(which=st.integers(0, 2), pick=st.integers(0, 5))
    def somebody_sets_a_status(self, which: int, pick: int) -> None:
        key, member = self._key(which), self.members[which]
        if key is None:
            return
        words = STATUSES["redmine" if member.name == "ngi-pl" else "rt"]
        status = words[pick % len(words)]
        member.tracker.person("bob").edit(key, status=status)
        self._settled()
        self._stands("status")

    @rule(which=st.integers(0, 2), field=st.sampled_from(["subject", "description", "priority"]))
    def somebody_edits_a_field(self, which: int, field: str) -> None:
        key, member = self._key(which), self.members[which]
        if key is None:
            return
        self.said += 1
        value = ("low", "normal", "high")[self.said % 3] if field == "priority" else f"{field} {self.said}"
        member.tracker.person("bob").edit(key, {field: value})
        self._settled()
        ticket = self.mesh.store.read(lambda tx: tx.tickets.get(1))
        assert corresponds(member.mapping.fields[field].rule, ticket[field], value)
        assert member.tracker.issues[key].fields[field] == value
        self._stands(field)

    @rule(changes=st.sampled_from([{"status": s} for s in CENTRAL_STATUSES] + [{"priority": "urgent"}, {}]))
    def the_centre_changes_something(self, changes: dict[str, str]) -> None:
        self.said += 1
        changes = changes or {"subject": f"central {self.said}"}
        try:
            self.mesh.centre.change(1, changes, TPM)
        except NotAllowed:
            return
        self._settled()
        ticket = self.mesh.store.read(lambda tx: tx.tickets.get(1))
        for field, value in changes.items():
            assert ticket[field] == value or (ticket[field], field) == ("reopened", "status")
            self._stands(field)

    @rule(unit=st.sampled_from(["TPM", "NGI_CZ", "NGI_PL", "NGI_FR"]))
    def the_centre_reassigns(self, unit: str) -> None:
        self.mesh.centre.change(1, {"unit": unit}, TPM)
        self._settled()

    @rule(which=st.integers(0, 3))
    def somebody_comments(self, which: int) -> None:
        self.said += 1
        text = f"word {self.said}!"
        if which == 3:
            self.mesh.centre.comment(1, text, TPM)
        elif (key := self._key(which)) is not None:
            self.members[which].tracker.person("bob").comment(key, text)
        else:
            return
        before = self.mesh.store.read(lambda tx: tx.tickets.get(1))["status"]
        self._settled()
        ticket = self.mesh.store.read(lambda tx: tx.tickets.get(1))
        opened_there = which < 3 and self.members[which].tracker.rules.reopens
        assert ticket["status"] == before or opened_there
        for other, member in enumerate(self.members):
            key = self._key(other)
            if key is not None:
                assert sum(text in note.text for note in member.tracker.issues[key].notes) == 1

    def teardown(self) -> None:
        if hasattr(self, "mesh"):
            wrong = broken(self.mesh)
            assert not wrong, wrong


TestQuiet = QuietMachine.TestCase
TestQuiet.settings = settings(
    max_examples=30, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck)
)
