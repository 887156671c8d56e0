"""Three systems of any temper and any policy, people and faults everywhere, tickets that vanish and come back.

Beside the five laws two more things are judged here: what people did at the centre is lost no more than what they did
elsewhere, and a standing disagreement is believed only where the two sides really differ.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from central.desk.services.errors import NotAllowed
from central.events import Event, Kind
from central.link import LinkState
from central.model import SYSTEM, Person
from connectors.api import Capabilities, CommentDraft, Commented, RemoteTicket, Value, Written
from connectors.errors import ConnectorError, Transient, Unknown
from connectors.memory import WELL_BEHAVED, Call, MemoryConnector
from sync.reconcile import corresponds
from sync.simulation.laws import broken
from sync.simulation.members import REDMINE_LIKE, RT_LIKE, redmine_like, rt_like
from sync.simulation.mesh import Member, Mesh, VirtualClock
from tests.stateful.test_mesh import CENTRAL_STATUSES, REDMINE_STATUSES, RT_STATUSES, CrashingStore, Killed

TPM = Person("tpm", "Tess from TPM")
UNITS = ("NGI_CZ", "NGI_PL", "NGI_FR")
LAG = timedelta(seconds=45)
DEADLINE = timedelta(seconds=30)
T = TypeVar("T")
POLICIES = st.sampled_from(["central", "remote", "ask", "newest"])
RT_TEMPERS: Sequence[Capabilities] = (RT_LIKE, WELL_BEHAVED, replace(RT_LIKE, search_lag=LAG))
REDMINE_TEMPERS: Sequence[Capabilities] = (
    REDMINE_LIKE,
    WELL_BEHAVED,
    replace(REDMINE_LIKE, search_lag=LAG),
    replace(WELL_BEHAVED, row_version=REDMINE_LIKE.row_version),
)


class Late(MemoryConnector):
    """May lose a write on the way and let it execute later, as long as a request can take."""

    postpones = ""
    """The operation whose next call is lost on the way."""

    def __init__(self, member: Member, clock: VirtualClock) -> None:
        known = member.connector
        super().__init__(known.tracker, capabilities=known.capabilities, clock=clock, crlf=member.name == "ngi-pl")
        self._now = clock
        self._on_the_way: list[tuple[datetime, Callable[[], object]]] = []

    def create(self, fields: Mapping[str, Value], *, token: str) -> RemoteTicket:
        return self._sent("create", lambda: super(Late, self).create(fields, token=token))

    def update(self, key: str, patch: Mapping[str, Value], *, held: RemoteTicket | None) -> Written:
        return self._sent("update", lambda: super(Late, self).update(key, patch, held=held))

    def comment(self, key: str, draft: CommentDraft, *, token: str) -> Commented:
        return self._sent("comment", lambda: super(Late, self).comment(key, draft, token=token))

    def arrive(self) -> None:
        """What is on the way executes now; nobody hears the answer."""
        arriving, self._on_the_way = self._on_the_way, []
        for sent_at, act in arriving:
            if self._now() < sent_at + DEADLINE:
                with suppress(ConnectorError):
                    act()

    def _sent(self, operation: str, act: Callable[[], T]) -> T:
        if self.postpones != operation:
            return act()
        self.postpones = ""
        self._on_the_way.append((self._now(), act))
        raise Unknown("no answer came")


def lost_at_the_centre(mesh: Mesh) -> list[str]:
    """Edits of people at the centre that an edit from elsewhere replaced, though nobody there had seen them."""
    wrong = []
    for ticket in mesh.store.read(lambda tx: tx.tickets.list(limit=1000)):
        events = mesh.store.read(lambda tx, t=ticket: tx.tickets.events(t.id))
        kept = mesh.store.read(lambda tx, t=ticket: tx.tickets.conflicts(t.id))
        for number, edit in enumerate(events):
            if edit.kind is not Kind.FIELD_CHANGED or edit.system is not None or edit.actor.id == SYSTEM.id:
                continue
            after = events[number + 1 :]
            over = next((e for e in after if e.kind is Kind.FIELD_CHANGED and e.field == edit.field), None)
            if over is None or over.system is None:
                continue
            meanwhile = [e for e in after[: after.index(over)] if e.system == over.system]
            told = any(
                e.kind is Kind.LINKED or (e.kind in (Kind.WRITTEN, Kind.ECHO_DROPPED) and e.field == edit.field)
                for e in meanwhile
            )
            lost = any(c.field == edit.field and c.ours == edit.data["to"] for c in kept)
            if not (told or lost or _said_already(mesh.members[over.system], edit, over, ticket.id, mesh)):
                wrong.append(
                    f"ticket {ticket.id}: the centre's {edit.field} {edit.data['to']!r} was lost to {over.system}"
                )
    return wrong


def _said_already(member: Member, edit: Event, over: Event, ticket_id: int, mesh: Mesh) -> bool:
    """Whether their value, before they changed it, said the same as ours."""
    link = mesh.store.read(lambda tx: tx.links.find(ticket_id, member.name))
    field = member.mapping.fields[str(edit.field)]
    deeds = [
        d for d in member.tracker.log if link and d.key == link.key and d.kind == "set" and d.field == field.remote
    ]
    return any(corresponds(field.rule, edit.data["to"], d.old) for d in deeds if d.new == over.data["theirs"])


def false_disagreements(mesh: Mesh) -> list[str]:
    """Standing disagreements of fields that say the same on both sides."""
    wrong = []
    for ticket in mesh.store.read(lambda tx: tx.tickets.list(limit=1000)):
        for link in mesh.store.read(lambda tx, t=ticket: tx.links.of(t.id)):
            member = mesh.members[link.system]
            issue = member.tracker.issues.get(link.key or "")
            if link.state is not LinkState.ACTIVE or issue is None or issue.hidden:
                continue
            for name, why in link.disagreements.items():
                field = member.mapping.fields[name]
                if corresponds(field.rule, ticket[name], issue.fields[field.remote]):
                    wrong.append(f"ticket {ticket.id}: {name} agrees with {link.system}, and yet it is said: {why}")
    return wrong


class WildMachine(RuleBasedStateMachine):
    @initialize(
        tempers=st.tuples(st.sampled_from(RT_TEMPERS), st.sampled_from(REDMINE_TEMPERS), st.sampled_from(RT_TEMPERS)),
        policies=st.tuples(POLICIES, POLICIES, POLICIES),
        offset=st.sampled_from([0, 300, 700]),
    )
    def begin(self, tempers: tuple[Capabilities, ...], policies: tuple[str, ...], offset: int) -> None:
        self.clock = VirtualClock()
        self.clock.advance(timedelta(milliseconds=offset))
        self.members: list[Member] = [
            rt_like(self.clock, "ngi-cz", frozenset({UNITS[0]}), policy=policies[0], capabilities=tempers[0]),
            redmine_like(self.clock, "ngi-pl", frozenset({UNITS[1]}), policy=policies[1], capabilities=tempers[1]),
            rt_like(self.clock, "ngi-fr", frozenset({UNITS[2]}), policy=policies[2], capabilities=tempers[2]),
        ]
        self.members = [replace(member, connector=Late(member, self.clock)) for member in self.members]
        self.store = CrashingStore()
        self.mesh = Mesh(self.store, self.members, self.clock)
        self.canaries: list[str] = []
        self.said = 0
        self.clock.advance(timedelta(seconds=2))
        self.members[0].tracker.person("alice").open(subject="first")
        self.mesh.settle(30)
        self.mesh.centre.change(1, {"unit": UNITS[1]}, TPM)
        self.mesh.settle(30)

    def _issue(self, which: int, pick: int) -> str | None:
        keys = sorted(key for key, issue in self.members[which].tracker.issues.items() if not issue.hidden)
        return keys[pick % len(keys)] if keys else None

    def _alive(self, act) -> None:
        try:
            act()
        except Killed:
            self.store.die()
            self.mesh.restart()

    def _there(self, which: int, key: str) -> bool:
        issue = self.members[which].tracker.issues.get(key)
        return issue is not None and not issue.hidden

    def _a_second_passes(self) -> None:
        """Within one second nobody can tell an edit from the side effect that a comment of ours has."""
        self.clock.advance(timedelta(seconds=1))

    @rule(which=st.integers(0, 2))
    def somebody_opens_a_ticket(self, which: int) -> None:
        if len(self.members[which].tracker.issues) < 2:
            self.said += 1
            self.members[which].tracker.person("carol").open(subject=f"ticket {self.said}")
            self._alive(self.mesh.round)  # so that nobody edits what is not known yet: that arrives with the birth
            self._alive(self.mesh.round)

    @rule(which=st.integers(0, 2), pick=st.integers(0, 1), status=st.integers(0, 5))
    def somebody_sets_a_status(self, which: int, pick: int, status: int) -> None:
        key = self._issue(which, pick)
        words = REDMINE_STATUSES if which == 1 else RT_STATUSES
        if key:
            self.members[which].tracker.person("bob").edit(key, status=words[status % len(words)])
            self._a_second_passes()

    @rule(
        which=st.integers(0, 2),
        pick=st.integers(0, 1),
        field=st.sampled_from(["subject", "priority"]),
        back=st.booleans(),
    )
    def somebody_edits_a_field(self, which: int, pick: int, field: str, back: bool) -> None:
        key = self._issue(which, pick)
        if key:
            self.said += not back
            value = ("low", "normal", "high")[self.said % 3] if field == "priority" else f"{field} {self.said % 4}"
            self.members[which].tracker.person("bob").edit(key, {field: value})

    @rule(which=st.integers(0, 2), pick=st.integers(0, 1), internal=st.booleans())
    def somebody_comments(self, which: int, pick: int, internal: bool) -> None:
        key = self._issue(which, pick)
        if key:
            self.said += 1
            text = f"CANARY {self.said}!" if internal else f"word {self.said}!"
            self.canaries += [text] if internal else []
            self.members[which].tracker.person("bob").comment(key, text, internal=internal)

    @rule(which=st.integers(0, 2), pick=st.integers(0, 1))
    def a_ticket_vanishes_or_comes_back(self, which: int, pick: int) -> None:
        issues = sorted(self.members[which].tracker.issues.items())
        if issues:
            _, issue = issues[pick % len(issues)]
            issue.hidden = not issue.hidden

    @rule(ticket=st.integers(1, 2), changes=st.sampled_from([{"status": s} for s in CENTRAL_STATUSES] + [{}] * 3))
    def the_centre_changes_something(self, ticket: int, changes: dict[str, str]) -> None:
        self.said += 1

        def change() -> None:
            with suppress(NotAllowed):
                if ticket <= self.store.read(lambda tx: tx.tickets.count()):
                    self.mesh.centre.change(ticket, changes or {"subject": f"subject {self.said % 4}"}, TPM)

        self._alive(change)

    @rule(unit=st.sampled_from(["TPM", *UNITS]))
    def the_centre_reassigns(self, unit: str) -> None:
        self._alive(lambda: self.mesh.centre.change(1, {"unit": unit}, TPM))

    @rule()
    def the_centre_comments(self) -> None:
        self.said += 1
        text = f"central word {self.said}!"
        self._alive(lambda: self.mesh.centre.comment(1, text, TPM))

    @rule(seconds=st.sampled_from([0, 0.4, 1, 20, 90, 400]))
    def time_passes_and_the_mesh_works(self, seconds: float) -> None:
        self._alive(lambda: self.mesh.round(timedelta(seconds=seconds)))

    @rule(seconds=st.sampled_from([0, 3]))
    def the_mesh_works_without_polling(self, seconds: float) -> None:
        self.clock.advance(timedelta(seconds=seconds))
        self._alive(self.mesh.work)

    @rule(
        which=st.integers(0, 2),
        operation=st.sampled_from(["create", "update", "comment", "fetch", "changes", "find"]),
        done=st.booleans(),
        error=st.sampled_from([Killed(), Transient("the connection broke"), Unknown("the answer was lost")]),
        edits=st.booleans(),
    )
    def the_next_call_goes_wrong(
        self, which: int, operation: str, done: bool, error: BaseException, edits: bool
    ) -> None:
        connector = self.members[which].connector

        def intrude(call: Call) -> None:
            if edits and call.operation == operation and not call.done and self._there(which, call.key):
                self.said += 1
                connector.tracker.person("dave").edit(call.key, subject=f"subject {self.said % 4}")
            if call.operation == operation and call.done == done:
                connector.intruder = None
                raise error

        connector.intruder = intrude

    @rule(
        which=st.integers(0, 2),
        operation=st.sampled_from(["update", "comment", "fetch"]),
        done=st.booleans(),
        status=st.integers(0, 5),
    )
    def somebody_sets_a_status_in_the_middle(self, which: int, operation: str, done: bool, status: int) -> None:
        connector = self.members[which].connector
        words = REDMINE_STATUSES if which == 1 else RT_STATUSES

        def intrude(call: Call) -> None:
            if call.operation == operation and call.done == done and self._there(which, call.key):
                connector.intruder = None
                connector.tracker.person("erin").edit(call.key, status=words[status % len(words)])
                self._a_second_passes()

        connector.intruder = intrude

    @rule(which=st.integers(0, 2), operation=st.sampled_from(["create", "update", "comment"]))
    def the_next_write_is_lost_on_the_way(self, which: int, operation: str) -> None:
        self.members[which].connector.postpones = operation

    @rule(which=st.integers(0, 2))
    def what_is_on_the_way_arrives(self, which: int) -> None:
        self.members[which].connector.intruder = None
        self.members[which].connector.arrive()

    @rule(fuse=st.integers(0, 8), after=st.booleans())
    def interdesk_will_be_killed_at_a_commit(self, fuse: int, after: bool) -> None:
        self.store.fuse, self.store.after = fuse, after

    @rule(fails=st.booleans())
    def the_next_kill_is_a_power_cut(self, fails: bool) -> None:
        self.store.power_fails = fails

    @rule()
    def a_full_scan_runs(self) -> None:
        def scan() -> None:
            with suppress(Transient):
                self.mesh.scan()

        self._alive(scan)

    def teardown(self) -> None:
        if not hasattr(self, "mesh"):
            return
        self.store.fuse = None
        for member in self.members:
            member.connector.intruder, member.connector.postpones = None, ""
            for issue in member.tracker.issues.values():
                issue.hidden = False
        self.mesh.settle(60)
        self.mesh.scan()
        self.mesh.settle(60)
        wrong = broken(self.mesh, canaries=self.canaries)
        wrong += lost_at_the_centre(self.mesh) + false_disagreements(self.mesh)
        assert not wrong, wrong


TestWild = WildMachine.TestCase
TestWild.settings = settings(
    max_examples=40, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
