"""A desk and us, on a mailbox in memory."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from connectors.emulators.mail import Desk, MemoryMailbox, MemoryPost
from connectors.environment import Environment
from connectors.mail.connector import MailConnector
from connectors.mail.profile import Hour, MailProfile
from connectors.mail.sending import Correspondents
from connectors.mail.trust import Policy
from connectors.registry import profiles

OURS, THEIRS = "we@near.example", "desk@far.example"


class Clock:
    """Stands still until it is told to move."""

    def __init__(self) -> None:
        self.at = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def passes(self, **units: float) -> None:
        self.at += timedelta(**units)


@dataclass
class Office:
    """Our connector, and what surrounds it."""

    connector: MailConnector
    box: MemoryMailbox
    post: MemoryPost
    desk: Desk
    clock: Clock

    def told(self, key: str) -> list[str]:
        """The texts of a ticket's comments."""
        return [each.text for each in self.connector.fetch(key, known=()).comments or ()]

    @property
    def aside(self) -> list[str]:
        """Why mails were laid aside."""
        return [reason for _, reason in self.box.aside]


Opened = Callable[..., Office]


@pytest.fixture
def opened() -> Opened:
    """(profile="mail-ggus", clock=…, domain="far.example", **policy): an office of its own."""

    def make(
        profile: str = "mail-ggus", clock: Clock | None = None, domain: str = "far.example", **more: object
    ) -> Office:
        kind = profiles()[profile]
        assert isinstance(kind, MailProfile)
        clock, box = clock or Clock(), MemoryMailbox()
        labels = {name: line.label for name, line in kind.fields.items()}
        desk = Desk(f"desk@{domain}", OURS, box.arrive, labels)
        post = MemoryPost(desk.take, box.arrive)
        said = {"senders": (domain,), "authentication": "none", "authserv_id": "", "hour": Hour()} | more
        connector = MailConnector(
            kind,
            Environment(clock=clock, deadline=timedelta(seconds=1)),
            box,
            post,
            between=Correspondents(OURS, f"desk@{domain}"),
            secret="a secret of ours",
            number=kind.number.replace("{tool}", "rt.far.example").replace("{hook}", "Ticket#"),
            policy=Policy(**said),  # type: ignore[arg-type]  # a test's own
        )
        return Office(connector, box, post, desk, clock)

    return make


@pytest.fixture
def office(opened: Opened) -> Office:
    return opened()
