"""Sends our mails to one helpdesk: each is kept first, so that what became of it can always be told."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from connectors.environment import Environment
from connectors.errors import AccessError, ConnectorError, Refused, Transient, Unknown
from connectors.mail import mailbox, quotes
from connectors.mail.mailbox import Labels, Mailbox
from connectors.mail.post import Post
from connectors.mail.profile import MailProfile
from connectors.mail.reading import MailFile
from connectors.mail.shadow import Entry, EntryKind, Filed, short
from connectors.mail.threads import Numbers, Signer
from connectors.mail.writing import Draft, compose


@dataclass(frozen=True, slots=True)
class Correspondents:
    """Between whom the mails go."""

    ours: str
    theirs: str


class Sending:
    """Sends one mail at a time."""

    def __init__(
        self,
        profile: MailProfile,
        environment: Environment,
        box: Mailbox,
        post: Post,
        between: Correspondents,
        signer: Signer,
        numbers: Numbers,
    ) -> None:
        self._profile, self._here, self._box, self._post = profile, environment, box, post
        self._between, self._signer, self._numbers = between, signer, numbers

    def send(self, entry: Entry, subject: str, text: str, files: Sequence[MailFile], told: Sequence[Filed]) -> None:
        """Keep the mail as pending, send it, and let it be pending no longer. Its answer lost, our own copy tells.

        `told`: the mails of its ticket so far.

        :raises Unknown: it may have been sent.  :raises ConnectorError: by remedy; then it was not."""
        labels = Labels(entry.key, short(entry.id), number="", first=entry.kind is EntryKind.FIRST)
        number = next((each.entry.number for each in reversed(told) if each.entry.number), "")
        marks = " ".join(filter(None, (self._numbers.write(number), self._signer.mark(entry.key))))
        if self._profile.divider:
            text = f"{quotes.DIVIDER}\n\n{text}"
        draft = Draft(
            id=entry.id,
            sender=self._between.ours,
            to=self._between.theirs,
            subject=f"{subject} {marks}",
            text=text,
            files=files,
            answers=[each.entry.id for each in told],
            subtype="xml" if self._profile.body == "xml" else "plain",
        )
        now = self._here.clock()
        mail = compose(draft, self._profile.headers, now)
        earlier = [each for each in self._box.find(mailbox.ID, short(entry.id)) if each.key == entry.key]
        if any(not each.pending for each in earlier):
            return  # it was accepted long ago, at an attempt whose answer was lost
        if self._here.pace is not None:
            self._here.pace()
        entry = replace(entry, to=self._between.theirs.lower())
        slip = earlier[0] if earlier else self._box.keep(labels, entry.plain(), mail, now, pending=True)
        try:
            self._post.send(mail, self._between.ours, self._between.theirs)
        except Unknown:
            raise
        except (Refused, Transient, AccessError):
            with suppress(ConnectorError):
                self._box.forget(slip.uid)
            raise
        try:
            self._box.settle(slip.uid)
        except ConnectorError as trouble:
            raise Unknown(f"the mail was sent, and could not be marked as sent: {trouble}", key=entry.key) from None
