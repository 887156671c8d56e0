"""A desk with a mailbox of its own on the real mail servers."""

import smtplib
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from email import message_from_bytes

from imap_tools import MailBoxUnencrypted

from connectors.emulators.mail import Desk
from tests.peers.sites import MailSite

PATIENCE = timedelta(seconds=120)


def wait_until(holds: Callable[[], bool], what: str) -> None:
    """Ask until it does; a test's failure where it never does."""
    until = time.monotonic() + PATIENCE.total_seconds()
    while not holds():
        assert time.monotonic() < until, f"waited in vain until {what}"
        time.sleep(0.02)


class RealDesk(Desk):
    """Writes by SMTP and reads its mailbox by IMAP; whoever wrote with it may count on the mail having arrived."""

    def __init__(self, site: MailSite, labels: Mapping[str, str]) -> None:
        super().__init__(site.theirs, site.ours, self._send, labels)
        self._site = site

    def say(self, key: str, text: str, *, internal: bool = False, files: Mapping[str, bytes] | None = None) -> None:
        wait_until(lambda: self.knows(key), f"the desk got a mail of {key}")
        super().say(key, text, internal=internal, files=files)

    def knows(self, key: str) -> bool:
        """Whether a mail of that ticket has arrived. Looks into the mailbox."""
        self.look()
        return key in self._threads

    def look(self) -> int:
        """Take what has arrived; how many mails there are by now."""
        with MailBoxUnencrypted("127.0.0.1", self._site.imap).login(*self._account(self._site.theirs)) as box:
            for each in box.fetch(mark_seen=True, criteria="UNSEEN"):
                self.take(bytes(each.obj))
        return len(self.received)

    def arrived(self) -> set[str]:
        """The Message-IDs in our inbox."""
        with MailBoxUnencrypted("127.0.0.1", self._site.imap).login(*self._account(self._site.ours)) as box:
            return {
                str(each.headers.get("message-id", ("",))[0]) for each in box.fetch(mark_seen=False, headers_only=True)
            }

    def _send(self, raw: bytes) -> None:
        with smtplib.SMTP("127.0.0.1", self._site.smtp) as server:
            server.sendmail(self.address, [self.ours], raw)
        message_id = str(message_from_bytes(raw)["Message-ID"])
        wait_until(lambda: message_id in self.arrived(), "the desk's mail arrived")

    def _account(self, address: str) -> tuple[str, str]:
        return address.partition("@")[0], self._site.password
