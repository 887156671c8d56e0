"""The mail family keeps the contract of connectors too, on a mailbox in memory; the real one is in tests/peers."""

from datetime import UTC, datetime, timedelta

import pytest

from connectors.emulators.mail import Desk, MemoryMailbox, MemoryPost
from connectors.environment import Environment
from connectors.mail.connector import MailConnector
from connectors.mail.profile import Hour, MailProfile
from connectors.mail.sending import Correspondents
from connectors.mail.trust import Policy
from connectors.registry import profiles
from connectors.testing import ConnectorConformance, Stand


class Clock:
    """A clock that stands still until it is told to move."""

    def __init__(self) -> None:
        self.at = datetime.now(UTC).replace(microsecond=0)

    def __call__(self) -> datetime:
        return self.at

    def step(self) -> None:
        self.at += timedelta(seconds=1)


class TestMail(ConnectorConformance):
    """A helpdesk that is reached by mail alone, on a mailbox in memory; the real one is in tests/peers."""

    @pytest.fixture(params=["mail", "mail-ggus", "mail-rt", "mail-otrs"])
    def stand(self, request: pytest.FixtureRequest) -> Stand:
        clock = Clock()
        profile = profiles()[request.param]
        assert isinstance(profile, MailProfile)
        box = MemoryMailbox()
        labels = {name: line.label for name, line in profile.fields.items()}
        desk = Desk("desk@far.example", "we@near.example", box.arrive, labels)
        post = MemoryPost(desk.take, box.arrive)
        connector = MailConnector(
            profile,
            Environment(clock=clock, deadline=timedelta(seconds=1)),
            box,
            post,
            between=Correspondents("we@near.example", "desk@far.example"),
            secret="a secret for tests",
            number=profile.number.replace("{tool}", "rt.far.example").replace("{hook}", "Ticket#"),
            policy=Policy(("far.example",), "none", "", Hour(sender=1000, thread=1000)),
        )
        return Stand(
            connector,
            desk,
            subject="subject",
            description="description",
            owner=("assigned_to", "bob"),
            settle=clock.step,
            writes=lambda: post.sent,
        )
