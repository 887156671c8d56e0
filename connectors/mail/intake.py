"""Taking mail in: each that waits is judged once, and then kept for its ticket, laid aside with the reason, or dropped
as the copy of one of ours.

A crash in between judges a mail again; what is kept twice counts once, by its Message-ID.
"""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from connectors.mail import bodies, mailbox, threads, trust
from connectors.mail.mailbox import Arrival, Labels, Mailbox, Slip
from connectors.mail.profile import MailProfile
from connectors.mail.reading import Mail, Nature, read
from connectors.mail.shadow import Entry, EntryKind, Filed, entry_of, short
from connectors.mail.threads import Numbers, Place, Signer
from connectors.mail.trust import Lately, Policy

AT_ONCE = 50
"""How many mails are looked at in one call."""
_HOUR = timedelta(hours=1)


class Intake:
    """Takes in what waits in the mailbox. Thread-safe; two processes may do it at the same time."""

    def __init__(
        self,
        profile: MailProfile,
        box: Mailbox,
        signer: Signer,
        numbers: Numbers,
        policy: Policy,
        clock: Callable[[], datetime],
    ) -> None:
        self._profile, self._box, self._policy = profile, box, policy
        self._signer, self._numbers, self._clock = signer, numbers, clock
        self._lock = threading.Lock()

    def take(self) -> bool:
        """Look at what waits, the oldest first; whether more may wait."""
        with self._lock:
            waiting = self._box.arrivals(AT_ONCE)
            for arrival in waiting:
                reason = self._judge(arrival) or (arrival.cut and f"{arrival.cut} bytes of it were too many")
                if reason:
                    self._box.lay_aside(arrival, reason)
                else:
                    self._box.drop(arrival.uid)
            return len(waiting) == AT_ONCE

    def thread(self, key: str) -> tuple[Filed, ...]:
        """What is kept of a ticket and is not pending, oldest first."""
        return self.filed([each for each in self._box.find(mailbox.KEY, key) if each.key == key and not each.pending])

    def filed(self, slips: list[Slip]) -> tuple[Filed, ...]:
        """The entries of these."""
        entries = self._box.entries([each.uid for each in slips]) if slips else {}
        return tuple(
            Filed(entry_of(entries[each.uid]), each.at, str(each.uid)) for each in slips if each.uid in entries
        )

    def _judge(self, arrival: Arrival) -> str:
        """Keep it, if it is to be kept; else why it is to be laid aside."""
        mail = read(arrival.raw)
        if self._signer.of_id(mail.id) is not None:
            return self._own_copy(mail)
        if mail.loop:
            return f"it comes from a machine like us ({mail.loop})"
        match mail.nature(self._profile.automatic):
            case Nature.BOUNCE:
                return self._bounced(mail, arrival.raw)
            case Nature.AUTOMATIC:
                return f"no person wrote it ({', '.join(sorted(mail.signs))})"
        reason = trust.doubt(mail, arrival.raw, self._policy)
        if reason:
            return reason
        place = threads.place(mail, self._signer, self._numbers, of_mail=self._of_mail, of_number=self._of_number)
        if self._kept(place.key, mail.id):
            return ""
        told = self.thread(place.key)
        entry = self._entry(mail, place, arrival.cut, is_new=not told)
        reason = trust.surplus(self._lately(entry, told), self._policy.hour)
        if reason:
            return reason
        self._keep(entry, arrival.raw, first=entry.kind is EntryKind.FIRST)
        return ""

    def _own_copy(self, mail: Mail) -> str:
        """A mail of ours came back to our own mailbox, as it should: it was accepted."""
        for slip in self._box.find(mailbox.ID, short(mail.id)):
            if slip.pending:
                self._box.settle(slip.uid)
        return ""

    def _bounced(self, mail: Mail, raw: bytes) -> str:
        bounce = mail.bounce
        assert bounce is not None, "asked for bounces alone"
        for about in bounce.about:
            key = self._signer.of_id(about)
            if key is None:
                continue
            if not bounce.final:
                return "a mail of ours is late; the server goes on trying"
            if not self._kept(key, mail.id):
                reason = f"{bounce.status} {bounce.reason}".strip()
                to = bounce.recipient.lower()
                entry = Entry(key, mail.id, EntryKind.BOUNCED, False, mail.sender, to=to, about=about, reason=reason)
                self._keep(entry, raw)
            return ""
        return "it tells of a mail that came back, and names none of ours"

    def _entry(self, mail: Mail, place: Place, cut: int, *, is_new: bool) -> Entry:
        said = bodies.read(self._profile, mail.whole if self._profile.body == "xml" else mail.text)
        text = said.text
        if cut:
            text += f"\n\n[{cut} bytes of this mail were too many and are not here; it was laid aside in our mailbox]"
        fields = dict(said.fields)
        kind = EntryKind.FIRST if is_new else EntryKind.SAID if text.strip() or mail.files else EntryKind.SET
        if is_new:
            subject = threads.bare_subject(mail.subject, self._numbers)
            fields = {"subject": subject or None, "description": text.strip("\n") or None} | fields
            text = ""
        return Entry(
            key=place.key,
            id=mail.id,
            kind=kind,
            ours=False,
            author=mail.sender,
            name=mail.name,
            text=text.strip("\n").rstrip(),
            fields=fields,
            files=tuple((each.name, each.media_type, len(each.content)) for each in mail.files),
            number=self._numbers.read(mail.subject),
        )

    def _lately(self, entry: Entry, told: tuple[Filed, ...]) -> Lately:
        begin = self._clock() - _HOUR
        theirs = [each.entry for each in told if each.at > begin and not each.entry.ours]
        of_sender = [each for each in self._box.find(mailbox.SENDER, entry.author) if each.at > begin]
        same = any((each.author, each.text) == (entry.author, entry.text) for each in theirs if entry.text)
        return Lately(len(of_sender), len(theirs), same and not entry.files and not entry.fields)

    def _keep(self, entry: Entry, raw: bytes, *, first: bool = False) -> None:
        labels = Labels(entry.key, short(entry.id), entry.author, entry.number, first)
        self._box.keep(labels, entry.plain(), raw, self._clock())

    def _kept(self, key: str, message_id: str) -> bool:
        return any(each.key == key for each in self._box.find(mailbox.ID, short(message_id)))

    def _of_mail(self, message_id: str) -> str | None:
        return next((each.key for each in self._box.find(mailbox.ID, short(message_id)) if not each.pending), None)

    def _of_number(self, number: str) -> str | None:
        """The header is searched for a part; the entry tells whether it is the whole."""
        for each in self.filed(list(self._box.find(mailbox.NUMBER, number))):
            if each.entry.number == number:
                return each.entry.key
        return None
