"""The desk's mail, in and out, on two threads. Whatever a mail server does, nothing else waits for it."""

import threading
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import structlog

from central.desk.mail.intake import MailDesk, Rules
from central.desk.mail.notices import Letterhead
from central.desk.tickets import TicketDesk
from central.store.api import StoreError
from connectors.environment import Environment
from connectors.errors import AccessError, ConnectorError
from connectors.mail import quotes
from connectors.mail.imap import ImapMailbox
from connectors.mail.mailbox import Mailbox
from connectors.mail.opening import LARGEST_MAIL
from connectors.mail.post import SmtpPost
from connectors.mail.profile import Hour
from connectors.mail.server import server_of
from connectors.mail.threads import Signer
from connectors.mail.trust import Policy
from connectors.network import Deadline, Reach, tls_context
from sync.centre import Centre
from sync.config import MailDocument, MailIn, MailOut
from sync.mailroom import Mailroom, Reader
from sync.means import Means
from sync.postman import Postman

log = structlog.get_logger("interdesk.mail")

WAITS = 60.0
"""Seconds that the mailbox is listened to before it is looked into again."""
LOOKS = 1.0
"""Seconds between two looks for what is owed by mail."""
AFTER_TROUBLE = 30.0
SHORTEST_SECRET = 16
_FIXED = "archive"  # nothing is kept there: what a mail became is in our own database


class UnusableMail(ValueError):
    """The mail of the instance's document cannot be used. The sentence says what to write instead."""


def signer_of(document: MailDocument, look_up: Callable[[str], str]) -> Signer:
    """What signs our marks.  :raises UnusableMail: with this secret, nothing can.  :raises MissingSecret: or none."""
    secret = look_up(document.secret.secret)
    if len(secret) < SHORTEST_SECRET:
        raise UnusableMail(f"mail.secret is too short to sign with: give it {SHORTEST_SECRET} characters or more")
    return Signer(secret, document.address.rpartition("@")[2])


def reader_of(document: MailDocument, signer: Signer, centre: str) -> Reader:
    """Reads a mail as this desk believes it."""
    said = document.incoming
    policy = Policy((), said.authentication, said.authserv_id, Hour()) if said else Policy((), "none", "", Hour())
    return Reader(signer, policy, centre)


class PostOffice:
    """Mail of this desk, as its document says. `start` begins; `stop` ends it in the middle of nothing."""

    def __init__(
        self,
        document: MailDocument,
        means: Means,
        environment: Environment,
        look_up: Callable[[str], str],
        *,
        beside: Path,
        owner: str,
    ) -> None:
        """:raises UnusableMail: it cannot be used as it is written.  :raises MissingSecret: one is not there."""
        self._document, self._means, self._environment, self._look_up = document, means, environment, look_up
        self._signer = signer_of(document, look_up)
        try:
            self._context = tls_context(beside / document.ca_file if document.ca_file else environment.ca_file)
        except OSError as error:
            raise UnusableMail(f"mail.ca_file: the certificates cannot be read: {error}") from None
        self._stopping = threading.Event()
        self._box: Mailbox | None = None
        self._rounds: dict[str, Callable[[], float]] = {}
        if document.incoming is not None:
            self._rounds["mail-in"] = self._reading(document.incoming)
        if document.out is not None:
            self._rounds["mail-out"] = self._writing(document.out, owner)
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Begin to read and to tell."""
        for name, turn in self._rounds.items():
            thread = threading.Thread(target=self._run, args=(turn,), name=name, daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self, timeout: float = 10.0) -> None:
        """End after the mail that is in hand."""
        self._stopping.set()
        if self._box is not None:
            self._box.close()  # whoever listens is woken
        for thread in self._threads:
            thread.join(timeout)

    def _run(self, turn: Callable[[], float]) -> None:
        """Take turns; each says how many seconds may pass before the next."""
        while not self._stopping.is_set():
            try:
                pause = turn()
            except AccessError as no:
                log.warning("the mail server does not let us in", error=str(no))
                pause = AFTER_TROUBLE
            except (ConnectorError, StoreError) as trouble:
                log.warning("mail waits", error=str(trouble))
                pause = AFTER_TROUBLE
            except Exception:
                log.exception("mail stumbled over a bug of interdesk; please report it")
                pause = AFTER_TROUBLE
            self._stopping.wait(pause)

    def _reading(self, said: MailIn) -> Callable[[], float]:
        deadline = Deadline(self._environment.monotonic)
        box = ImapMailbox(
            server_of(said.imap, "imap"),
            Reach(self._environment.allowed_networks),
            self._context,
            (said.user, self._look_up(said.password.secret)),
            (said.inbox, _FIXED, said.aside),
            deadline,
            largest=LARGEST_MAIL,
        )
        means = self._means
        desk = MailDesk(means.store, TicketDesk(means.store, Centre(means)), means.clock, Rules(said.strangers))
        reader = reader_of(self._document, self._signer, means.centre)
        room = Mailroom(box, reader, desk, partial(deadline.begin, self._environment.deadline.total_seconds()))
        self._box = box

        def turn() -> float:
            if not room.empty():
                box.wait(WAITS)
            return 0.0

        return turn

    def _writing(self, said: MailOut, owner: str) -> Callable[[], float]:
        deadline = Deadline(self._environment.monotonic)
        password = self._look_up(said.password.secret) if said.password else ""
        reach = Reach(self._environment.allowed_networks)
        post = SmtpPost(
            server_of(said.smtp, "smtp"), reach, self._context, (said.user, password), deadline, copies=False
        )
        postman = Postman(
            self._means.store,
            post,
            self._signer,
            self._letterhead(said.units),
            self._document.address,
            self._means.clock,
            owner=f"{owner}/mail",
            begin=partial(deadline.begin, self._environment.deadline.total_seconds()),
        )
        return lambda: 0.0 if postman.deliver() else LOOKS

    def _letterhead(self, units: Mapping[str, str]) -> Letterhead:
        ours = frozenset({self._document.address.casefold()})
        return Letterhead(self._means.centre, quotes.DIVIDER, self._means.ticket_address, dict(units), ours)
