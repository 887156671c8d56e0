"""The desk's own mailbox: what waits in it is read and handed to the desk, which decides what becomes of it."""

import re
from collections.abc import Callable

import structlog
from structlog.contextvars import bound_contextvars

from central.desk.mail.arrived import Answered, Arrived, Bounced, Enclosed
from central.desk.mail.intake import MailDesk
from connectors.mail import quotes
from connectors.mail.mailbox import Mailbox
from connectors.mail.reading import Mail, read
from connectors.mail.threads import Numbers, Signer, bare_subject
from connectors.mail.trust import Policy, unproven

log = structlog.get_logger("interdesk.mail")

AT_ONCE = 50
"""How many mails are looked at in one round."""
SIGNS = ("auto_submitted", "precedence", "suppress", "list", "null_sender")
"""What makes a mail an automatic one: any of these."""
_KEY = re.compile(r"tkt(\d{1,15})")
INTERNAL = "-internal"
"""A mail whose token ends so told of something internal."""


def key_of(ticket_id: int) -> str:
    """A ticket as our signed marks name it."""
    return f"tkt{ticket_id}"


class Reader:
    """Reads a mail for the desk. Nothing is ever raised: of rubbish, what could be read comes back."""

    def __init__(self, signer: Signer, policy: Policy, centre: str) -> None:
        """`centre`: what it is called in subjects: `NAME-Ticket-ID: #42`. GGUS always is."""
        self._signer, self._policy = signer, policy
        names = dict.fromkeys((centre, "GGUS"))
        self._numbers = [Numbers(f"{name}-Ticket-ID: #{{number}}") for name in names]

    def read(self, raw: bytes, cut: int = 0) -> Arrived:
        """The mail in these bytes; `cut`: how many of it are not here."""
        mail = read(raw)
        signs = sorted(mail.signs & set(SIGNS))
        subject = mail.subject
        for numbers in self._numbers:
            subject = bare_subject(subject, numbers)
        return Arrived(
            id=mail.id,
            sender=mail.sender,
            name=mail.name,
            subject=subject,
            text=mail.text,
            raw=raw,
            files=tuple(Enclosed(each.name, each.media_type, each.content) for each in mail.files),
            answers=self._answers(mail),
            number=self._number(mail.subject),
            doubt=unproven(mail, raw, self._policy),
            ours=self._signer.of_id(mail.id) is not None,
            automatic="it bears our loop header" if mail.loop else ", ".join(signs),
            bounced=self._bounced(mail),
            empty=_says_nothing(mail),
            cut=cut,
        )

    def _answers(self, mail: Mail) -> tuple[Answered, ...]:
        found = [self._answered(reference) for reference in mail.references]
        key = self._signer.of_subject(mail.subject)
        return tuple(each for each in (*found, _ticket(key, internal=False)) if each is not None)

    def _answered(self, message_id: str) -> Answered | None:
        key = self._signer.of_id(message_id)
        return _ticket(key, internal=message_id.partition("+")[0].endswith(INTERNAL))

    def _number(self, subject: str) -> int | None:
        said = next((number for numbers in self._numbers if (number := numbers.read(subject))), "")
        return int(said) if said.isascii() and said.isdigit() and len(said) <= 15 else None

    def _bounced(self, mail: Mail) -> Bounced | None:
        if mail.bounce is None:
            return None
        about = next((found for each in mail.bounce.about if (found := self._answered(each)) is not None), None)
        reason = f"{mail.bounce.status} {mail.bounce.reason}".strip()
        return Bounced(about.ticket_id if about else None, mail.bounce.recipient, reason)


class Mailroom:
    """Empties the mailbox, a mail at a time; one that trouble meets is taken up again the next time."""

    def __init__(self, box: Mailbox, reader: Reader, desk: MailDesk, begin: Callable[[], None]) -> None:
        """`begin`: a deadline begins anew with each mail."""
        self._box, self._reader, self._desk, self._begin = box, reader, desk, begin

    def empty(self) -> bool:
        """Look at what waits, the oldest first; whether more may wait.

        :raises Transient, AccessError: the server does not answer as it should.  :raises StoreError: ours does not."""
        self._begin()
        waiting = self._box.arrivals(AT_ONCE)
        for arrival in waiting:
            self._begin()
            with bound_contextvars(door="mail"):
                verdict = self._desk.take(self._reader.read(arrival.raw, arrival.cut))
                log.info("mail taken in", verdict=str(verdict), bytes=len(arrival.raw))
            if arrival.cut:  # the whole of it is nowhere else
                self._box.lay_aside(arrival, "it is too large")
            else:
                self._box.drop(arrival.uid)
        return len(waiting) == AT_ONCE


def _ticket(key: str | None, *, internal: bool) -> Answered | None:
    found = _KEY.fullmatch(key or "")
    return Answered(int(found[1]), internal) if found else None


def _says_nothing(mail: Mail) -> bool:
    """Whether all that it says is what it answers: an unchanged reply, an echo."""
    text = mail.text.strip()
    return not text or (text == mail.whole.strip() and quotes.DIVIDER in text)
