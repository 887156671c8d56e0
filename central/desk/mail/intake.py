"""What becomes of a mail that came: a ticket, an answer, a quarantine, or nothing. Nobody is ever answered from here.

Anybody can write any address into a mail. Whoever is not proven to be its sender opens nothing and changes nothing: the
mail lies in quarantine until a person has looked at it. A mail only ever opens a ticket or says something on one; it
sets no field.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from central.account import Account, Grant, Role
from central.audit import Entry
from central.desk.mail.arrived import Answered, Arrived
from central.desk.services.errors import NotAllowed
from central.desk.services.tickets import Upload
from central.desk.tickets import TicketDesk
from central.mail import Mail, Verdict
from central.model import FIELDS, Person, Ticket, Value
from central.origin import Origin
from central.rights import Action, Extent, Forbidden, Principal, demand, extent
from central.store.api import NoSuch, Store, TooLarge, Transaction

MAIL = "mail"
"""The origin of a ticket that was opened by mail; its id there is the Message-ID."""
_SUBJECT = FIELDS["subject"].max_length or 255


class Strangers(StrEnum):
    """What may be done by whoever has no account here."""

    OPEN = "open"  # open tickets, and answer their own
    ANSWER = "answer"  # answer tickets of their own


@dataclass(frozen=True, slots=True)
class Rules:
    """How much is taken."""

    strangers: Strangers = Strangers.ANSWER
    most: int = 20
    """Mails of one sender at once."""
    every: timedelta = timedelta(minutes=2)
    """And one more for each of these."""


class _Before(Exception):
    """It was taken in before: nothing is done twice."""


class MailDesk:
    """Takes mail in. A mail is taken in once, by its Message-ID, in the transaction of what becomes of it."""

    def __init__(
        self, store: Store, desk: TicketDesk, clock: Callable[[], datetime], rules: Rules | None = None
    ) -> None:
        self._store, self._desk, self._clock = store, desk, clock
        self._rules = rules or Rules()

    def take(self, arrived: Arrived) -> Verdict:
        """Judge a mail, and do what it asks for. Whatever it is, it need not be kept elsewhere afterwards."""
        known = self._store.read(lambda tx: tx.mails.find(arrived.id))
        if known is not None:
            return known.verdict
        if arrived.ours:
            return Verdict.DROPPED
        if arrived.bounced is not None:
            came_back = arrived.bounced
            why = f"a mail to {came_back.recipient} came back: {came_back.reason}"
            return self._note(arrived, Verdict.DROPPED, why, came_back.ticket_id)
        if arrived.automatic:
            return self._note(arrived, Verdict.DROPPED, f"no person wrote it ({arrived.automatic})")
        reason = arrived.doubt or self._surplus(arrived)
        return self._quarantine(arrived, reason) if reason else self._act(arrived, self._principal(arrived))

    def quarantine(self, principal: Principal, *, before: int | None = None, limit: int = 100) -> Sequence[Mail]:
        """What waits for somebody to look at it, newest first."""
        self._demand(principal, Action.READ_INTERNAL)
        return self._store.read(lambda tx: tx.mails.list(verdict=Verdict.QUARANTINED, before=before, limit=limit))

    def kept(self, principal: Principal, mail_id: int) -> Mail:
        """A mail in quarantine.  :raises NoSuch: it is not there."""
        self._demand(principal, Action.READ_INTERNAL)
        return self._store.read(lambda tx: self._waiting(tx, mail_id))

    def source(self, principal: Principal, mail_id: int) -> bytes:
        """Such a mail as it came.  :raises NoSuch: it is not in quarantine."""
        with self._store.open_blob(self.kept(principal, mail_id).sha256) as chunks:
            return b"".join(chunks)

    def release(self, principal: Principal, mail_id: int, read: Callable[[bytes], Arrived]) -> Verdict:
        """Take a mail out of quarantine and believe it: its sender is whom it names. `read` reads it once more.

        :raises NoSuch: it is not in quarantine.  :raises NotAllowed: even so nothing can become of it."""
        self._demand(principal, Action.CHANGE_TICKET)
        kept = self._store.read(lambda tx: self._waiting(tx, mail_id))
        with self._store.open_blob(kept.sha256) as chunks:
            arrived = replace(read(b"".join(chunks)), doubt="", id=kept.message_id)
        if not arrived.sender:
            raise NotAllowed("it names no sender, so nobody can be the author of what it says")
        return self._act(arrived, self._principal(arrived), released=(kept, principal))

    def discard(self, principal: Principal, mail_id: int, why: str = "") -> None:
        """Look no more at a mail in quarantine.  :raises NoSuch: it is not there."""
        self._demand(principal, Action.CHANGE_TICKET)

        def change(tx: Transaction) -> None:
            kept = self._waiting(tx, mail_id)
            tx.mails.save(replace(kept, verdict=Verdict.DISCARDED, why=why or kept.why))
            tx.audit.record(Entry(self._clock(), principal.person.id, "mail discarded", str(mail_id), {"why": why}))

        self._store.write(change)

    # -- what becomes of it --------------------------------------------------------------------------------------------

    def _act(
        self, arrived: Arrived, principal: Principal | str, *, released: tuple[Mail, Principal] | None = None
    ) -> Verdict:
        try:
            principal = _known(arrived, principal)
            place = self._place(arrived)
            if place is None:
                return self._open(arrived, principal, released)
            return self._say(arrived, principal, place, released)
        except _Before:
            known = self._store.read(lambda tx: tx.mails.find(arrived.id))
            return known.verdict if known else Verdict.DROPPED
        except (NotAllowed, Forbidden, NoSuch, TooLarge) as no:
            if released is not None:
                raise NotAllowed(str(no)) from None
            return self._quarantine(arrived, str(no))

    def _place(self, arrived: Arrived) -> Answered | None:
        """The ticket that it belongs to; None: to none."""
        if arrived.answers:
            return arrived.answers[0]
        return Answered(arrived.number, internal=False) if arrived.number is not None else None

    def _open(self, arrived: Arrived, principal: Principal, released: tuple[Mail, Principal] | None) -> Verdict:
        stranger = not self._store.read(lambda tx: tx.accounts.with_email(arrived.sender))
        if stranger and self._rules.strangers is Strangers.ANSWER and released is None:
            raise NotAllowed(f"{arrived.sender} has no account here, and answers nothing of ours")
        subject = " ".join(arrived.subject.split())
        values: dict[str, Value] = {
            "subject": subject if len(subject) <= _SUBJECT else f"{subject[: _SUBJECT - 1]}…",
            "description": arrived.text or None,
            "submitter": arrived.sender,
        }
        values["subject"] = values["subject"] or "(no subject)"
        given = {name: value for name, value in values.items() if value is not None}
        also = self._also(arrived, Verdict.OPENED, released)
        origin = Origin(principal.person.id, MAIL, arrived.id)  # what they are told afterwards answers it
        self._desk.open(principal, given, files=_uploads(arrived), origin=origin, also=also)
        return Verdict.OPENED

    def _say(
        self, arrived: Arrived, principal: Principal, place: Answered, released: tuple[Mail, Principal] | None
    ) -> Verdict:
        also = self._also(arrived, Verdict.ANSWERED, released)
        self._desk.comment(
            principal,
            place.ticket_id,
            arrived.text or "(see the attached files)",
            internal=place.internal,
            files=_uploads(arrived),
            also=also,
        )
        return Verdict.ANSWERED

    def _also(
        self, arrived: Arrived, verdict: Verdict, released: tuple[Mail, Principal] | None
    ) -> Callable[[Transaction, Ticket], None]:
        """What goes into the same transaction: that this mail is taken in, and how."""

        def also(tx: Transaction, ticket: Ticket) -> None:
            mail = self._mail(arrived, verdict, ticket_id=ticket.id)
            if released is None:
                if not tx.mails.take(mail):
                    raise _Before
                return
            kept, by = released
            if tx.mails.get(kept.id).verdict is not Verdict.QUARANTINED:
                raise _Before
            tx.mails.save(replace(mail, id=kept.id, why=kept.why, sha256=kept.sha256))
            data = {"ticket": ticket.id}
            tx.audit.record(Entry(self._clock(), by.person.id, "mail released", str(kept.id), data))

        return also

    def _quarantine(self, arrived: Arrived, why: str) -> Verdict:
        sha256, _ = self._store.put_blob([arrived.raw], limit=len(arrived.raw))
        return self._note(arrived, Verdict.QUARANTINED, why, sha256=sha256)

    def _note(
        self, arrived: Arrived, verdict: Verdict, why: str, ticket_id: int | None = None, *, sha256: str = ""
    ) -> Verdict:
        mail = self._mail(arrived, verdict, why, ticket_id, sha256)
        self._store.write(lambda tx: tx.mails.take(mail))
        return verdict

    def _mail(
        self, arrived: Arrived, verdict: Verdict, why: str = "", ticket_id: int | None = None, sha256: str = ""
    ) -> Mail:
        return Mail(
            arrived.id, self._clock(), arrived.sender, arrived.subject[:_SUBJECT], verdict, why, ticket_id, sha256
        )

    # -- whose it is ---------------------------------------------------------------------------------------------------

    def _principal(self, arrived: Arrived) -> Principal | str:
        """Whoever sent it, as far as they have rights here; or why nobody has."""
        accounts: Sequence[Account] = self._store.read(lambda tx: tx.accounts.with_email(arrived.sender))
        if any(each.disabled_at is not None for each in accounts):
            return f"the account of {arrived.sender} is disabled"
        if len(accounts) > 1:
            return f"{arrived.sender} belongs to several accounts"
        if accounts:
            return Principal.of(accounts[0])
        person = Person(arrived.sender, arrived.name or arrived.sender, arrived.sender)
        return Principal(person, frozenset({Grant(Role.USER)}))

    def _surplus(self, arrived: Arrived) -> str:
        """Why it is one too many; ''."""
        rules, at = self._rules, self._clock()
        free_at = self._store.write(
            lambda tx: tx.tries.spend(f"mail {arrived.sender}", at, every=rules.every, most=rules.most)
        )
        return "" if free_at is None else f"{arrived.sender} sends more than {rules.most} mails at once"

    def _waiting(self, tx: Transaction, mail_id: int) -> Mail:
        kept = tx.mails.get(mail_id)
        if kept.verdict is not Verdict.QUARANTINED:
            raise NoSuch(f"mail {mail_id} is not in quarantine: it was {kept.verdict}")
        return kept

    @staticmethod
    def _demand(principal: Principal, action: Action) -> None:
        demand(extent(principal, action) is Extent.ALL, principal, action)


def _known(arrived: Arrived, principal: Principal | str) -> Principal:
    """:raises NotAllowed: nothing can become of this mail, whoever sent it."""
    if isinstance(principal, str):
        raise NotAllowed(principal)
    if arrived.cut:
        raise NotAllowed(f"{arrived.cut} bytes of it were too many")
    if arrived.empty and not arrived.files:
        raise NotAllowed("it says nothing that we did not write ourselves")
    return principal


def _uploads(arrived: Arrived) -> list[Upload]:
    return [Upload(each.name, each.media_type, [each.content]) for each in arrived.files]
