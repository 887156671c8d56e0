"""Ready-made members for a simulated mesh: how Request Tracker, Redmine and Jira behave where it matters to the
engine.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from connectors.api import Capabilities, RemoteField, VersionStrength
from connectors.emulators.tracker import Rules, Tracker
from connectors.memory import WELL_BEHAVED, MemoryConnector
from mappings.document import compile_mapping
from mappings.loader import read
from sync.policy import Policy
from sync.simulation.mesh import Member, VirtualClock

RT_LIKE = replace(
    WELL_BEHAVED,
    row_version=VersionStrength.WEAK,
    full_rows=False,
    complete_answers=False,
    whole_conversation=False,
    edit_comments=False,
    delete_comments=False,
    empty_files=False,
    search_lag=timedelta(0),
)
"""A strong version and a precondition; rows of whole seconds; answers that tell nothing."""

REDMINE_LIKE = Capabilities(
    version=VersionStrength.WEAK,
    row_version=VersionStrength.WEAK,
    history=True,
    internal_comments=True,
    whole_conversation=True,
    edit_comments=True,
    delete_comments=True,
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

_RT_MAPPING = """
kind: mapping
name: rt-like
connector: memory
fields:
  subject: {remote: subject}
  description: {remote: description, text: {}}
  priority:
    remote: priority
    table: {less urgent: low, urgent: normal, very urgent: high, top priority: high}
    back: {high: very urgent}
  status:
    remote: status
    final: true
    table:
      {new: new, assigned: open, in progress: open, waiting for reply: stalled, on hold: stalled, reopened: open,
       solved: resolved, unsolved: rejected, verified: resolved, closed: resolved}
    back: {open: in progress, stalled: on hold, resolved: solved}
    lost_when: [deleted]
"""

_REDMINE_MAPPING = """
kind: mapping
name: redmine-like
connector: memory
fields:
  subject: {remote: subject}
  description: {remote: description, text: {}}
  priority:
    remote: priority
    table: {less urgent: low, urgent: normal, very urgent: high, top priority: high}
    back: {high: very urgent}
  status:
    remote: status
    final: true
    table:
      {new: New, assigned: New, in progress: In Progress, waiting for reply: Feedback, on hold: Feedback,
       reopened: In Progress, solved: Resolved, unsolved: Rejected, verified: Closed, closed: Closed}
    back: {New: new, In Progress: in progress, Feedback: waiting for reply, Closed: closed}
"""

JIRA_LIKE = replace(WELL_BEHAVED, row_version=VersionStrength.WEAK, full_rows=False, complete_answers=False)
"""A lock, rows of whole seconds, and answers that tell nothing."""

_JIRA_STATUSES = ("Open", "In Progress", "Waiting", "Review", "Resolved", "Rejected", "Closed")
_JIRA_WORKFLOW = {
    "Open": ("In Progress", "Rejected"),
    "In Progress": ("Open", "Waiting", "Review", "Rejected"),
    "Waiting": ("In Progress", "Rejected"),
    "Review": ("In Progress", "Resolved", "Rejected"),
    "Resolved": ("In Progress", "Closed"),
    "Rejected": ("In Progress", "Closed"),
}
_JIRA_NEEDS = {"Resolved": ("resolution", "outcome"), "Rejected": ("resolution",)}

JIRA_MAPPING = """
kind: mapping
name: jira-like
connector: memory
fields:
  subject: {remote: subject}
  description: {remote: description, text: {}}
  solution: {remote: resolution, text: {}}
  status:
    remote: status
    final: true
    table:
      {new: Open, assigned: Open, in progress: [In Progress, Review], waiting for reply: Waiting, on hold: Waiting,
       reopened: In Progress, solved: Resolved, unsolved: Rejected, verified: Closed, closed: Closed}
    back: {Open: assigned, In Progress: in progress, Waiting: waiting for reply, Closed: closed}
    transitions:
      Waiting: {via: {Open: [In Progress], Review: [In Progress], Resolved: [In Progress], Rejected: [In Progress]}}
      Open: {via: {Waiting: [In Progress], Review: [In Progress], Resolved: [In Progress], Rejected: [In Progress]}}
      Resolved:
        via: {Open: [In Progress, Review], Waiting: [In Progress, Review], Rejected: [In Progress, Review]}
        with: {resolution: {from: solution, otherwise: see the conversation}, outcome: Done}
      Rejected:
        via: {Resolved: [In Progress]}
        with: {resolution: {from: solution, otherwise: see the conversation}}
      Closed:
        via: {Open: [In Progress, Review, Resolved], Waiting: [In Progress, Review, Resolved]}
"""


def jira_like(
    clock: VirtualClock,
    name: str,
    units: frozenset[str],
    *,
    policy: str = "central",
    capabilities: Capabilities = JIRA_LIKE,
) -> Member:
    """A member whose tracker is walked through step by step, with forms that must be filled on the way."""
    rules = _rules(_JIRA_STATUSES, {"status": _JIRA_WORKFLOW}, {"status": "Open"})
    fields = (*rules.fields, RemoteField("resolution", "text"), RemoteField("outcome", "text"))
    rules = replace(rules, fields=fields, needs={"status": _JIRA_NEEDS}, forms=True, opening={"status": "Open"})
    return _member(clock, name, units, rules, capabilities, JIRA_MAPPING, policy)


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
    return _member(clock, name, units, rules, capabilities, _RT_MAPPING, policy)


def redmine_like(
    clock: VirtualClock,
    name: str,
    units: frozenset[str],
    *,
    policy: str = "central",
    capabilities: Capabilities = REDMINE_LIKE,
) -> Member:
    """A member whose tracker knows no lock, answers with CRLF, and silently refuses what its workflow forbids."""
    rules = _rules(_REDMINE_STATUSES, {"status": _REDMINE_WORKFLOW}, {"status": "New"}, silent_edits=True)
    return _member(clock, name, units, rules, capabilities, _REDMINE_MAPPING, policy, crlf=True)


def _rules(
    statuses: tuple[str, ...],
    workflow: Mapping[str, Mapping[str, tuple[str, ...]]],
    start: Mapping[str, str],
    *,
    reopens: Mapping[str, Mapping[str, str]] | None = None,
    silent_edits: bool = False,
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
        silent_edits=silent_edits,
    )


def _member(
    clock: VirtualClock,
    name: str,
    units: frozenset[str],
    rules: Rules,
    capabilities: Capabilities,
    mapping: str,
    policy: str,
    *,
    crlf: bool = False,
) -> Member:
    tracker = Tracker(clock, rules, name=name)
    connector = MemoryConnector(tracker, capabilities=capabilities, clock=clock, crlf=crlf)
    compiled = compile_mapping(read(mapping, f"{name}.yaml")[0], revision=1)
    return Member(name, connector, compiled, units, Policy(policy))
