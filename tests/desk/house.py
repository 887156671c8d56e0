"""A centre with two NGIs that know nothing of each other, people of every role, and something waiting everywhere."""

import itertools
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from central.account import Account, Grant, Role, Scope, Token
from central.delivery import Direction
from central.desk.auth import digest
from central.desk.documents import DocumentDesk
from central.desk.queues import QueueDesk
from central.desk.services.tickets import Upload
from central.desk.systems import SystemDesk
from central.desk.tickets import TicketDesk
from central.guard import Hold, HoldKind
from central.link import Intent, IntentKind, Link, LinkState
from central.model import Conflict, Ticket
from central.registry import SystemState
from central.rights import Principal
from sync.bootstrap import Interdesk
from sync.clerk import Clerk
from sync.helm import Helm
from sync.plan import UNDECIDED
from sync.settings import settings

_NUMBERS = itertools.count()
AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
CZ = """\
kind: system
name: ngi-cz
connector: rt
settings: {url: "https://rt.example.cz", queue: ggus, token: {secret: "env:INTERDESK_SECRET_NGI_CZ"}}
mapping: rt
support_units: [NGI_CZ]
contacts: [ops@example.cz]
"""
DE = """\
kind: system
name: ngi-de
connector: redmine
settings: {url: "https://redmine.example.de", project: ggus, api_key: {secret: "env:INTERDESK_SECRET_NGI_DE"}}
mapping: redmine
support_units: [NGI_DE]
contacts: [ops@example.de]
"""
SESAME = "the door code is sesame"
"""What only supporters may read."""
ROLES = {
    "alice": Grant(Role.USER),
    "sue": Grant(Role.SUPPORTER, "NGI_CZ"),
    "olga": Grant(Role.OPERATOR, "ngi-cz"),
    "tess": Grant(Role.TESTER, "ngi-cz"),
    "carl": Grant(Role.CENTRAL),
    "aude": Grant(Role.AUDITOR),
}


def principal(login: str, scopes: Iterable[Scope] | None = None, *grants: Grant) -> Principal:
    """Somebody of the role that goes with the name, or with these grants."""
    held = frozenset(grants or {ROLES[login]})
    return Principal.of(Account(login, login.title(), f"{login}@example.org", held, AT), scopes)


class Clock:
    """Goes a second further whenever somebody looks at it, until it is told to stand still; whoever only watches moves
    no time."""

    def __init__(self) -> None:
        self._seconds = itertools.count()
        self.now = AT
        self.stands_still = False

    def __call__(self) -> datetime:
        if self.stands_still:
            return self.now
        self.now = now = AT + timedelta(seconds=next(self._seconds))
        return now


class House:
    """Everything of one process, beside nobody, with a clock of its own."""

    def __init__(self, folder: Path, *, furnished: bool = True) -> None:
        """`furnished`: with tickets in it, and what waits about them."""
        self.clock = Clock()
        environ = {
            "INTERDESK_SECRET_NGI_CZ": "cz-token",
            "INTERDESK_SECRET_NGI_DE": "de-token",
            "INTERDESK_SECRET_SPARE": "x",
            "INTERDESK_LISTEN": "127.0.0.1:0",
        }
        if (folder / "interdesk.yaml").exists():
            environ["INTERDESK_CONFIG"] = str(folder / "interdesk.yaml")
        self.interdesk = Interdesk(settings(environ, state=folder), create=True, clock=self.clock)
        self.store = self.interdesk.store
        self.helm, self.clerk = Helm(self.interdesk), Clerk(self.interdesk.means, self.interdesk.gateways)
        self.tickets = TicketDesk(self.store, self.interdesk.centre)
        self.systems = SystemDesk(self.store, self.helm, self.interdesk.clock)
        self.documents = DocumentDesk(self.store, self.helm, self.systems, self.interdesk.clock)
        self.queues = QueueDesk(self.store, self.clerk, self.systems, self.tickets)
        self.helm.apply(f"{CZ}---\n{DE}", "carl")
        for name in ("ngi-cz", "ngi-de"):
            self._run(name)
        if furnished:
            self._furnish()

    def _furnish(self) -> None:
        self.ours = self._ticket("The CE refuses jobs", "NGI_CZ", "ngi-cz", "4711")
        self.theirs = self._ticket("The SE is full", "NGI_DE", "ngi-de", "815")
        self.shared = self._ticket("Both are slow", "NGI_CZ", "ngi-cz", "4712")
        self._link(self.shared, "ngi-de", "816")
        carl = principal("carl")
        for ticket in (self.ours, self.theirs, self.shared):
            told = Upload("log.txt", "text/plain", [b"all is well"])
            hidden = Upload("secret.txt", "text/plain", [SESAME.encode()])
            self.tickets.comment(carl, ticket.id, "We look into it", files=[told])
            self.tickets.comment(carl, ticket.id, SESAME, internal=True, files=[hidden])
        self.letters = [self.bury("ngi-cz", self.ours), self.bury("ngi-de", self.theirs)]
        self.conflicts = [self.disagree("ngi-cz", self.ours), self.disagree("ngi-de", self.theirs)]
        self.hidden_conflict = self.disagree("ngi-cz", self.shared, field="comment 6")
        self.holds = [self._hold("ngi-cz", self.ours), self._hold("ngi-de", None)]
        self.jobs = [self.clerk.start_job("scan", name, {}, "carl") for name in ("ngi-cz", "ngi-de")]

    def token(self, login: str, *scopes: Scope, grants: Iterable[Grant] = ()) -> str:
        """The text of an access token of this account, which is made where there is none; of every scope, if none is
        named."""
        text = f"idk_{login}-{next(_NUMBERS)}"

        def add(tx):
            account = tx.accounts.find(login)
            if account is None:
                held = frozenset(grants) or frozenset({ROLES[login]})
                account = tx.accounts.create(Account(login, login.title(), f"{login}@example.org", held, AT))
            token = Token(account.id, "t", digest(text), frozenset(scopes or Scope), AT, AT + timedelta(days=30))
            tx.accounts.add_token(token)

        self.store.write(add)
        return text

    def close(self) -> None:
        """Let go of the database."""
        self.interdesk.close()

    def _run(self, name: str) -> None:
        def live(tx):
            tx.registry.put_system(replace(tx.registry.system(name), state=SystemState.LIVE, cursor={"at": "0"}))

        self.store.write(live)
        self.interdesk.gateways.refresh()

    def _ticket(self, subject: str, unit: str, system: str, key: str) -> Ticket:
        opened = self.tickets.open(principal("alice"), {"subject": subject, "unit": unit, "description": "since noon"})
        self._link(opened, system, key)
        return opened

    def _link(self, ticket: Ticket, system: str, key: str) -> None:
        self.store.write(lambda tx: tx.links.create(Link(0, ticket.id, system, LinkState.ACTIVE, key)))

    def bury(self, system: str, ticket: Ticket, *, subject: str = "") -> int:
        """A dead letter about this ticket, or one that brings this key of theirs; its number."""

        def bury(tx):
            at = self.interdesk.clock()
            direction, about = (Direction.INWARD, subject) if subject else (Direction.OUTWARD, str(ticket.id))
            tx.outbox.owe(system, direction, about, at, reason="a change")
            claim = tx.outbox.claim(
                system, "test", at + timedelta(hours=1), ttl=timedelta(minutes=1), lease_name=lambda _, d: f"t/{d.id}"
            )
            tx.outbox.bury(claim, at + timedelta(hours=1), error=f"{system} refuses it")
            return claim.delivery.id

        return self.store.write(bury)

    def lose(self, system: str, ticket: Ticket, text: str) -> int:
        """A dead letter that waits to be told what became of a comment of ours whose answer was lost; its number."""

        def lose(tx):
            link = tx.links.find(ticket.id, system)
            lost = Intent(IntentKind.COMMENT, f"T{next(_NUMBERS)}", AT, comment_id=1, text=text)
            tx.links.save(link.evolve(intents=(*link.intents, lost)))

        self.store.write(lose)
        return self.bury(system, ticket)

    def disagree(self, system: str, ticket: Ticket, field: str = "priority") -> int:
        """A conflict about this field of it, which waits for a person; its number."""

        def disagree(tx):
            link = tx.links.find(ticket.id, system)
            tx.links.save(link.evolve(disagreements={**link.disagreements, field: UNDECIDED}))
            at = self.interdesk.clock()
            kept = Conflict(0, ticket.id, system, field, "urgent", SESAME, "undecided", UNDECIDED, at, True)
            return tx.tickets.keep_conflict(kept).id

        return self.store.write(disagree)

    def _hold(self, system: str, ticket: Ticket | None) -> int:
        kind = HoldKind.PING_PONG if ticket else HoldKind.CLOSING
        hold = Hold(0, kind, system, f"{system} looks odd", AT, ticket.id if ticket else None)
        return self.store.write(lambda tx: tx.guards.hold(hold)).id
