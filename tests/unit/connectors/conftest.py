"""A scripted HTTP server and a clock that stands still, for the tests of this folder."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any

import pytest

from connectors.emulators.server import Asked, Emulator, Reply
from connectors.emulators.tracker import Deed, Tracker
from connectors.environment import Environment

LOOPBACK = (ip_network("127.0.0.0/8"),)


class Clock:
    """Stands still until it is told to move."""

    def __init__(self, at: datetime = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def passes(self, **units: float) -> None:
        self.at += timedelta(**units)


class Scripted(Emulator):
    """Answers every request with whatever `reply` says."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(Tracker(clock, name="scripted"))
        self.reply: Callable[[Asked], Reply] = lambda _: Reply(200, {})

    def account(self, asked: Asked) -> str:
        return asked.headers.get("authorization", "")

    def kind(self, asked: Asked) -> str:
        return asked.method

    def answer(self, asked: Asked) -> Reply:
        return self.reply(asked)

    def hint(self, deed: Deed) -> Mapping[str, Any]:
        return {"key": deed.key}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server(clock: Clock) -> Iterator[Scripted]:
    with Scripted(clock) as running:
        yield running


@pytest.fixture
def here(clock: Clock) -> Environment:
    """Loopback may be spoken to, and nobody waits between two tries."""
    return Environment(
        clock=clock,
        sleep=lambda _: None,
        allowed_networks=LOOPBACK,
        deadline=timedelta(seconds=60),
        max_answer=100_000,
        max_file=50_000,
    )


@pytest.fixture
def hurried(here: Environment) -> Environment:
    """The same, with a deadline that is there to be missed."""
    return replace(here, deadline=timedelta(seconds=1))
