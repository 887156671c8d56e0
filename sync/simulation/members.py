"""Ready-made members for a simulated mesh: how Request Tracker and Redmine behave where it matters to the engine."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from connectors.api import Capabilities, RemoteField, VersionStrength
from connectors.emulators.tracker import Rules, Tracker
from connectors.memory import WELL_BEHAVED, MemoryConnector
from mappings import model as mapping_model
from mappings.model import Carried, Carries, FieldMapping, Place, Rule, Value
from mappings.remembering import Remembering
from mappings.rules.copy import Copy
from mappings.rules.table import Table, Word
from sync.policy import Policy
from sync.simulation.mesh import Member, VirtualClock

RT_LIKE = replace(
    WELL_BEHAVED,
    row_version=VersionStrength.WEAK,
    full_rows=False,
    complete_answers=False,
    empty_files=False,
    search_lag=timedelta(0),
)
"""A strong version and a precondition; rows of whole seconds; answers that tell nothing."""

REDMINE_LIKE = Capabilities(
    version=VersionStrength.WEAK,
    row_version=VersionStrength.WEAK,
    history=True,
    internal_comments=True,
    files=True,
)
"""No lock of any kind, whole seconds, but a history that tells who wrote what over what."""

_RT_STATUSES = ("new", "open", "stalled", "resolved", "rejected", "deleted")
_RT_LIFECYCLE = {
    "new": ("open", "rejected", "deleted"),
    "open": ("stalled", "resolved"),
    "stalled": ("open",),
    "resolved": ("open",),
    "rejected": (),
    "deleted": (),
}
_REDMINE_STATUSES = ("New", "In Progress", "Resolved", "Feedback", "Closed", "Rejected")
_REDMINE_WORKFLOW = {
    "New": ("In Progress", "Rejected"),
    "In Progress": ("Feedback", "Resolved"),
    "Feedback": ("In Progress",),
    "Resolved": ("In Progress", "Closed"),
}

_RT_WORDS = {
    "new": "new",
    "assigned": "open",
    "in progress": "open",
    "waiting for reply": "stalled",
    "on hold": "stalled",
    "reopened": "open",
    "solved": "resolved",
    "unsolved": "rejected",
    "verified": "resolved",
    "closed": "resolved",
}
_RT_BACK: Mapping[Word, Word] = {
    "new": "new",
    "open": "in progress",
    "stalled": "on hold",
    "resolved": "solved",
    "rejected": "unsolved",
}
_REDMINE_WORDS = {
    "new": "New",
    "assigned": "New",
    "in progress": "In Progress",
    "waiting for reply": "Feedback",
    "on hold": "Feedback",
    "reopened": "In Progress",
    "solved": "Resolved",
    "unsolved": "Rejected",
    "verified": "Closed",
    "closed": "Closed",
}
_REDMINE_BACK: Mapping[Word, Word] = {
    "New": "new",
    "In Progress": "in progress",
    "Feedback": "waiting for reply",
    "Resolved": "solved",
    "Rejected": "unsolved",
    "Closed": "closed",
}
_PRIORITIES = {"less urgent": "low", "urgent": "normal", "very urgent": "high", "top priority": "high"}


def rt_like(
    clock: VirtualClock,
    name: str,
    units: frozenset[str],
    *,
    policy: str = "central",
    capabilities: Capabilities = RT_LIKE,
) -> Member:
    """A member whose tracker keeps RT's strict lifecycle, and opens or reopens on a public comment."""
    rules = _rules(
        _RT_STATUSES,
        {"status": _RT_LIFECYCLE},
        {"status": "new"},
        reopens={"status": {"new": "open", "resolved": "open"}},
    )
    return _member(clock, name, units, rules, capabilities, _RT_WORDS, _RT_BACK, policy)


def redmine_like(
    clock: VirtualClock,
    name: str,
    units: frozenset[str],
    *,
    policy: str = "central",
    capabilities: Capabilities = REDMINE_LIKE,
) -> Member:
    """A member whose tracker knows no lock, answers with CRLF, and silently refuses what its workflow forbids."""
    rules = _rules(_REDMINE_STATUSES, {"status": _REDMINE_WORKFLOW}, {"status": "New"})
    return _member(clock, name, units, rules, capabilities, _REDMINE_WORDS, _REDMINE_BACK, policy, crlf=True)


def _rules(
    statuses: tuple[str, ...],
    workflow: Mapping[str, Mapping[str, tuple[str, ...]]],
    start: Mapping[str, str],
    *,
    reopens: Mapping[str, Mapping[str, str]] | None = None,
) -> Rules:
    return Rules(
        fields=(
            RemoteField("subject", "text", max_length=255),
            RemoteField("description", "text"),
            RemoteField("status", "choice", values=statuses),
            RemoteField("priority", "choice", values=("low", "normal", "high")),
            RemoteField("external_id", "text"),
        ),
        defaults={"status": start["status"], "priority": "low"},
        workflow=workflow,
        reopens=reopens or {},
    )


def _member(
    clock: VirtualClock,
    name: str,
    units: frozenset[str],
    rules: Rules,
    capabilities: Capabilities,
    words: Mapping[str, str],
    back: Mapping[Word, Word],
    policy: str,
    *,
    crlf: bool = False,
) -> Member:
    tracker = Tracker(clock, rules, name=name)
    connector = MemoryConnector(tracker, capabilities=capabilities, clock=clock, crlf=crlf)
    return Member(name, connector, _mapping(name, words, back), units, Policy(policy))


def _mapping(name: str, words: Mapping[str, str], back: Mapping[Word, Word]) -> mapping_model.Mapping:
    priorities_back: Mapping[Word, Word] = {"low": "less urgent", "normal": "urgent", "high": "very urgent"}
    rules: dict[str, Rule] = {
        "subject": Remembering(Copy()),
        "description": Remembering(_Lines()),
        "priority": Remembering(Table({k: (v,) for k, v in _PRIORITIES.items()}, priorities_back)),
        "status": Remembering(Table({k: (v,) for k, v in words.items()}, back)),
    }
    place = Place(f"{name}.yaml", 1, 1)
    fields = {
        field: FieldMapping(field, field, rule, Carries.BOTH, None, False, field == "status", place)
        for field, rule in rules.items()
    }
    lost = {"status": frozenset({"deleted"})}
    return mapping_model.Mapping(name, 1, fields, _Signed(), lost, {}, "central")


class _Lines:
    """Text whose line ends differ (a stand-in until the mapping language compiles these members' documents)."""

    def say(self, ours: Value) -> Value:
        return ours

    def read(self, theirs: Value) -> Value:
        return self.canonical_theirs(theirs)

    def agrees(self, ours: Value, theirs: Value) -> bool:
        return self.canonical_ours(ours) == self.canonical_theirs(theirs)

    def canonical_ours(self, ours: Value) -> Value:
        return _lf(ours)

    def canonical_theirs(self, theirs: Value) -> Value:
        return _lf(theirs)

    def losses(self) -> tuple[str, ...]:
        return ()


class _Signed:
    def outward(self, text: str, *, author: str, system: str, at: datetime) -> Carried:
        return Carried(f"{author} ({system}, {at:%Y-%m-%d %H:%M}):\n{text}")

    def inward(self, text: str) -> str:
        return str(_lf(text))


def _lf(value: Value) -> Value:
    return value.replace("\r\n", "\n").rstrip() or None if isinstance(value, str) else value
