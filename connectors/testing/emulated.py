"""Where each shipped profile stands for the suite: its product's emulator, somebody at work there, trouble on demand.

`interdesk connector test NAME` and our own tests stand here, so that whoever bends a profile can hold it to the same.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any

from connectors.api import Connector, Value
from connectors.emulators.bugzilla import BugzillaEmulator
from connectors.emulators.ggus import GgusEmulator
from connectors.emulators.jira import JiraEmulator
from connectors.emulators.jira import Quirks as JiraQuirks
from connectors.emulators.plain import PlainEmulator
from connectors.emulators.redmine import RedmineEmulator
from connectors.emulators.rt import RtEmulator
from connectors.emulators.server import Asked, Emulator, Fault
from connectors.emulators.servicenow import ServiceNowEmulator
from connectors.emulators.tracker import Person, Tracker
from connectors.emulators.zammad import ZammadEmulator
from connectors.emulators.znuny import ZnunyEmulator
from connectors.environment import Environment
from connectors.profiled.profile import Profile
from connectors.registry import open_connector, open_profile
from connectors.testing import hostile
from connectors.testing.stand import Stand

WRONG = "wrong-secret"
FAULTS = {
    "lost": Fault("lose"),
    "page": Fault("page after"),
    "dropped": Fault("stall", pause=0),
    "head": Fault("cut head"),
    "cut": Fault("cut"),
    "failed": Fault("status", status=500),
    "busy": Fault("refuse", status=429, headers={"Retry-After": "7"}),
    "slow": Fault("drip head", pause=0.2),
    "bomb": Fault("bomb", size=4 << 20),
    "redirect": Fault("redirect"),
    **{name: Fault("page after", body=body) for name, body in hostile.ANSWERS.items()},
}
WRITES = ("create", "update", "comment", "amend", "upload")


class Clock:
    """A clock that stands still until it is told to move."""

    def __init__(self) -> None:
        self.at = datetime.now(UTC).replace(microsecond=0)

    def __call__(self) -> datetime:
        return self.at

    def step(self) -> None:
        """One second later."""
        self.at += timedelta(seconds=1)


class TrackerPeople:
    """Alice, at work in a tracker in memory. `note` makes the tracker's own id of a comment of what the connector
    calls it; `opening` is what her tickets bear besides."""

    def __init__(
        self,
        tracker: Tracker,
        subject: str,
        description: str,
        note: Callable[[str], str] = str,
        opening: Mapping[str, Value] | None = None,
    ) -> None:
        self._person = Person(tracker, "alice")
        self._names = (subject, description)
        self._note, self._opening = note, dict(opening or {})

    def open(self, subject: str, description: str) -> str:
        return self._person.open({self._names[0]: subject, self._names[1]: description, **self._opening})

    def change(self, key: str, field: str, value: Value) -> None:
        self._person.edit(key, {field: value})

    def say(self, key: str, text: str, *, internal: bool = False, files: Mapping[str, bytes] | None = None) -> None:
        self._person.comment(key, text, internal=internal, files=files or {})

    def reword(self, key: str, comment_id: str, text: str) -> None:
        if text:
            self._person.reword(key, self._note(comment_id), text)
        else:
            self._person.unsay(key, self._note(comment_id))


@dataclass(frozen=True)
class Emulated:
    """How one profile stands on its product's emulator."""

    make: Callable[[Clock], Any]
    settings: Callable[[Any], Mapping[str, Any]]
    """The operator's settings for this emulator, but the secret."""
    secret: tuple[str, str]
    """The setting that is the secret, and the emulator's attribute that has it."""
    subject: str
    description: str
    refused: tuple[str, Value] | None = None
    owner: tuple[str, str] | None = None
    wrong: str = WRONG
    opening: Callable[[Any], Mapping[str, Value]] = field(default=lambda _: {})
    """What tickets of people must bear, to be seen by us."""
    more: Callable[[Any], Mapping[str, Any]] = field(default=lambda _: {})
    """Further words of the `Stand`."""


_ZNUNY = Emulated(
    lambda clock: ZnunyEmulator(clock, people=["bob"]),
    lambda it: {
        "url": f"{it.url}/otrs",
        "queue": "ggus",
        "login": "ggus-sync",
        "customer": "customer",
        "zone": it.quirks.zone,
    },
    ("password", "password"),
    "Title",
    "Description",
    refused=("State", "no such state"),
    owner=("Owner", "bob"),
    more=lambda it: {"expire": it.sessions.clear},
)
EMULATED: Mapping[str, Emulated] = {
    "bugzilla": Emulated(
        lambda clock: BugzillaEmulator(clock, people=["alice", "bob"]),
        lambda it: {"url": it.url, "product": it.product, "component": "Middleware"},
        ("key", "key"),
        "summary",
        "description",
        refused=("status", "VERIFIED"),
        owner=("assigned_to", "bob"),
    ),
    "ggus": Emulated(
        GgusEmulator,
        lambda it: {"url": it.url, "user": it.username, "unit": it.unit},
        ("password", "password"),
        "GHD_Short_Description",
        "GHD_Description",
        refused=("GHD_Status", "verified"),
        opening=lambda it: {"GHD_Responsible_Unit": it.unit},
        more=lambda _: {"many": 0},  # one answer lists everything: no page has an edge
    ),
    "jira": Emulated(
        lambda clock: JiraEmulator(clock, people=["alice", "bob"], quirks=JiraQuirks(zone="Asia/Kolkata")),
        lambda it: {"url": it.url, "project": "GGUS"},
        ("token", "token"),
        "summary",
        "description",
        refused=("status", "Closed"),
        owner=("assignee", "bob"),
    ),
    "jira-cloud": Emulated(
        lambda clock: JiraEmulator(
            clock, people=["alice", "bob"], quirks=JiraQuirks(cloud=True, zone="America/St_Johns")
        ),
        lambda it: {"url": it.url, "project": "GGUS", "account": "ggus-sync"},
        ("token", "token"),
        "summary",
        "description",
        refused=("status", "Closed"),
        owner=("assignee", "712020:bob"),
    ),
    "plain": Emulated(
        PlainEmulator,
        lambda it: {"url": it.url},
        ("key", "key"),
        "subject",
        "description",
        owner=("assigned_to", "bob"),
    ),
    "redmine": Emulated(
        lambda clock: RedmineEmulator(clock, people=["alice", "bob"]),
        lambda it: {"url": it.url, "project": "ggus", "external_id": 1},
        ("api_key", "api_key"),
        "subject",
        "description",
        refused=("status", "Closed"),
        owner=("assigned_to", "bob"),
    ),
    "rt": Emulated(
        RtEmulator,
        lambda it: {"url": it.url, "queue": "ggus"},
        ("token", "token"),
        "Subject",
        "Description",
        refused=("Status", "resolved"),
        owner=("Owner", "bob"),
        wrong="1-99-wrong-secret",
    ),
    "servicenow": Emulated(
        lambda clock: ServiceNowEmulator(clock, people=["alice", "bob"]),
        lambda it: {"url": it.url, "group": "Grid", "account": it.login, "client_id": it.client_id},
        ("client_secret", "client_secret"),
        "short_description",
        "description",
        refused=("state", "6"),
        owner=("assigned_to", "bob"),
    ),
    "zammad": Emulated(
        lambda clock: ZammadEmulator(clock, agents=["alice", "bob"]),
        lambda it: {"url": it.url, "group": "ggus", "customer": "ggus-sync"},
        ("token", "token"),
        "title",
        "description",
        refused=("state", "pending reminder"),
        owner=("owner", "bob"),
    ),
    "znuny": _ZNUNY,
    "znuny-soap": _ZNUNY,
}


@contextmanager
def emulated(name: str, profile: Profile | None = None) -> Iterator[Stand]:
    """A stand for the shipped profile of this name, or for another one on its product's emulator.

    :raises LookupError: there is no emulator for it."""
    if name not in EMULATED:
        raise LookupError(f"there is no emulator for {name!r}; there are: {', '.join(sorted(EMULATED))}")
    clock = Clock()
    with EMULATED[name].make(clock) as emulator:
        stand = stand_for(name, emulator, clock, profile)
        yield stand
        stand.connector.close()


def stand_for(name: str, emulator: Any, clock: Clock, profile: Profile | None = None) -> Stand:
    """The same on an emulator that runs already."""
    shape = EMULATED[name]
    setting, attribute = shape.secret

    def opened(secret: str) -> Connector:
        said = {**shape.settings(emulator), setting: secret}
        if profile is not None:
            return open_profile(profile, said, system="s", environment=environment(clock))
        return open_connector(name, said, system="s", environment=environment(clock))

    right = getattr(emulator, attribute)
    return stand_on(
        emulator,
        clock,
        shape.subject,
        shape.description,
        getattr(emulator, "note", str),
        opening=shape.opening(emulator),
        connector=opened(right),
        refused=shape.refused,
        owner=shape.owner,
        stranger=lambda: opened(shape.wrong),
        secrets=(right, shape.wrong),
        **shape.more(emulator),
    )


def stand_on(
    emulator: Emulator,
    clock: Clock,
    subject: str,
    description: str,
    note: Callable[[str], str] = str,
    *,
    opening: Mapping[str, Value] | None = None,
    **more: Any,
) -> Stand:
    """A stand on any emulator; `more` are the stand's own words."""
    return Stand(
        people=TrackerPeople(emulator.tracker, subject, description, note, opening),
        subject=subject,
        description=description,
        settle=clock.step,
        faults=faults_of(emulator),
        writes=lambda: sum(emulator.counts[kind] for kind in WRITES),
        **more,
    )


def environment(clock: Clock) -> Environment:
    """Loopback may be spoken to, nobody waits, and answers are small, but where a claim is about large ones. Only where
    one drips is the deadline short."""
    claim = os.environ.get("PYTEST_CURRENT_TEST", "")
    drips, large = "slow" in claim, "megabytes" in claim
    return Environment(
        clock=clock,
        sleep=lambda _: None,
        allowed_networks=(ip_network("127.0.0.0/8"),),
        deadline=timedelta(seconds=2 if drips else 60),
        max_answer=1 << (25 if large else 21),
    )


def faults_of(emulator: Emulator) -> Callable[[str, str], AbstractContextManager[None]]:
    """Trouble with one kind of requests, for as long as it lasts."""

    @contextmanager
    def faults(how: str, operation: str) -> Iterator[None]:
        if how == "down":
            emulator.stop()
            yield
            emulator.start()
            return

        def fault(asked: Asked) -> Fault | None:
            return FAULTS[how] if asked.kind == operation else None

        emulator.fault = fault
        yield
        emulator.fault = None

    return faults
