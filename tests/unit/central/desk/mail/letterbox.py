"""The mail door without a network: a mailbox in memory, a centre with two members, and people who write to it."""

from collections.abc import Sequence
from dataclasses import replace
from email.message import EmailMessage

from central.account import Account, Grant, Role
from central.desk.mail.intake import MailDesk, Rules
from central.desk.tickets import TicketDesk
from central.mail import Mail, Verdict
from central.model import Limits
from connectors.emulators.mail import MemoryMailbox
from connectors.mail.profile import Hour
from connectors.mail.threads import Signer
from connectors.mail.trust import Policy
from sync.centre import Centre
from sync.mailroom import Mailroom, Reader
from tests.unit.sync.world import World

OURS = "helpdesk@desk.example"
PROVEN = "mx.desk.example; dmarc=pass header.from=example.org"


class Letterbox:
    """`write` puts a mail into our mailbox, `empty` takes in what is there."""

    def __init__(self, rules: Rules | None = None, world: World | None = None) -> None:
        self.world = world or World()
        self.store, means = self.world.store, self.world.mesh.means
        self.centre = Centre(replace(means, limits=Limits(file=100_000)))
        self.desk = MailDesk(self.store, TicketDesk(self.store, self.centre), means.clock, rules)
        self.signer = Signer("a secret for tests alone", "desk.example")
        policy = Policy((), "results", "mx.desk.example", Hour())
        self.reader = Reader(self.signer, policy, "HELP")
        self.box = MemoryMailbox()
        self.room = Mailroom(self.box, self.reader, self.desk, lambda: None)
        self._number = 0
        self.account("alice@example.org", Role.USER)
        self.account("sue@example.org", Role.SUPPORTER, "NGI_CZ")
        self.account("tess@example.org", Role.CENTRAL)

    def account(self, email: str, role: Role, of: str = "", **more: object) -> Account:
        login = email.partition("@")[0]
        made = Account(login, login.title(), email, frozenset({Grant(role, of)}), self.world.clock())
        return self.store.write(lambda tx: tx.accounts.create(made.evolve(**more)))

    def write(
        self,
        text: str = "since noon",
        *,
        sender: str = "alice@example.org",
        subject: str = "jobs fail",
        results: str | None = PROVEN,
        answers: Sequence[str] = (),
        files: Sequence[tuple[str, bytes]] = (),
        message_id: str = "",
        **headers: str,
    ) -> bytes:
        """A mail comes in; its bytes."""
        self._number += 1
        message = EmailMessage()
        if results is not None:
            message["Authentication-Results"] = results
        message["From"], message["To"], message["Subject"] = f"Alice <{sender}>", OURS, subject
        message["Message-ID"] = message_id or f"<{self._number}@example.org>"
        if answers:
            message["References"] = " ".join(f"<{each}>" for each in answers)
        for name, value in headers.items():
            message[name.replace("_", "-")] = value
        message.set_content(text)
        for name, content in files:
            message.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
        raw = message.as_bytes()
        self.box.arrive(raw)
        return raw

    def take(self, text: str = "since noon", **how: object) -> Mail:
        """Write one, take it in; what became of it."""
        before = {each.id for each in self.mails()}
        self.write(text, **how)  # type: ignore[arg-type]
        self.room.empty()
        assert not self.box.waiting
        return next(each for each in self.mails() if each.id not in before)

    def mails(self, verdict: Verdict | None = None) -> Sequence[Mail]:
        return self.store.read(lambda tx: tx.mails.list(verdict=verdict))

    def signed(self, ticket_id: int, *, internal: bool = False) -> str:
        return self.signer.id("note1-internal" if internal else "note1", f"tkt{ticket_id}")

    def said(self, ticket_id: int = 1) -> list[str]:
        return [each.text for each in self.world.comments(ticket_id)]
