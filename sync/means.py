"""What every part of the engine works with; injected once, so that a seed replays a run."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from central.delivery import Lease
from central.guard import HoldKind
from central.link import Intent
from central.model import Limits
from central.store.api import Store
from connectors.errors import Transient
from sync.relay import Relay
from sync.terms import MARGIN, Terms
from sync.tokens import Tokens

log = structlog.get_logger("interdesk.engine")


@dataclass(frozen=True, slots=True)
class Means:
    """Store, relay, clock, tokens and limits."""

    store: Store
    relay: Relay
    clock: Callable[[], datetime]
    tokens: Tokens
    units: Callable[[], Mapping[str, str]]
    """Support unit -> system, as registered now."""
    limits: Limits = field(default_factory=Limits)
    request_deadline: timedelta = timedelta(seconds=30)
    """What an intent announces may still be carried out over there for this long after the moment it bears."""
    slack: timedelta = timedelta(seconds=10)
    """The part of it that may pass before the request is sent: a commit takes its time, and processes are paused."""
    centre: str = "GGUS"
    """What the centre is called in texts that people read elsewhere."""
    ticket_address: str = ""
    """Where people open a ticket at the centre: a template with {id}; '' where there are no pages."""

    guards: frozenset[HoldKind] = frozenset(HoldKind)
    """The guards that are on duty: all of them, but where a test shows what one is good for."""
    terms: Terms = field(default_factory=Terms)

    @property
    def term(self) -> timedelta:
        """How long whoever takes something up has for it, before it must be prolonged: one request and a margin."""
        return self.request_deadline + MARGIN

    def ensure_time(self, lease: Lease) -> None:
        """Before each request, in no transaction: enough of the lease is left for it to end within it.

        :raises LeaseLost: it is over; the successor takes over."""
        at = self.clock()
        if at + self.request_deadline > self.terms.ends_at(lease):
            self.terms.prolong(self.store, lease, at, self.term)

    def ensure_prompt(self, intent: Intent) -> None:
        """Right before each send: whoever waits for what became of this intent still waits long enough.

        :raises Transient: too much time went by since it was committed, or the clock was set back; nothing was sent."""
        if not timedelta(0) <= self.clock() - intent.at <= self.slack:
            raise Transient("this process stood still between announcing a request and sending it; nothing was sent")
        log.info("writes", what=intent.kind.value, fields=sorted(intent.wrote))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a look did, or why it did nothing, in sentences; and when to look again, if it must."""

    said: tuple[str, ...]
    look_again_at: datetime | None = None

    def also(self, other: "Outcome") -> "Outcome":
        """Both, one after the other; the earlier second look counts."""
        moments = [m for m in (self.look_again_at, other.look_again_at) if m is not None]
        return Outcome(self.said + other.said, min(moments) if moments else None)


def said(*sentences: str, look_again_at: datetime | None = None) -> Outcome:
    """An outcome of these sentences."""
    return Outcome(sentences, look_again_at)
