"""Sending: one mail, once. The only place that speaks SMTP."""

import re
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from connectors.errors import AccessError, Refused, Transient, Unknown
from connectors.mail.server import Server, smtp
from connectors.network import AddressRefused, Deadline, NotConnected, Reach


class Post(Protocol):
    """Sends mail."""

    def send(self, mail: bytes, sender: str, to: str) -> None:
        """Hand a mail over to the server, for the helpdesk and, as proof, for our own mailbox. Once per call.

        :raises Refused: with the server's words.  :raises Transient: surely nothing was accepted.
        :raises Unknown: its last answer was lost.  :raises AccessError: it does not let us in."""

    def check(self) -> None:
        """Log in and out again. Raises as `send` does."""


class SmtpPost:
    """`Post` over SMTP; a connection for each mail."""

    def __init__(
        self,
        server: Server,
        reach: Reach,
        context: ssl.SSLContext,
        account: tuple[str, str],
        deadline: Deadline,
        *,
        copies: bool = True,
    ) -> None:
        """`deadline`: of the present call. `copies`: each mail goes to our own mailbox, too."""
        self._copies = copies
        self._server, self._reach, self._context = server, reach, context
        self._user, self._password = account
        self._deadline = deadline

    def send(self, mail: bytes, sender: str, to: str) -> None:
        with self._connected() as client:
            _accepted(client.mail(sender), "the sender")
            _accepted(client.rcpt(to), to)
            if self._copies and sender.lower() != to.lower():
                client.rcpt(sender)  # our own copy proves what became of it; without, only the answer does
            _accepted(client.docmd("DATA"), "the mail", right=354)
            body = re.sub(rb"(?m)^\.", b"..", re.sub(rb"\r?\n|\r", b"\r\n", mail))
            try:
                client.send(body + (b"" if body.endswith(b"\r\n") else b"\r\n") + b".\r\n")
                answer = client.getreply()
            except (smtplib.SMTPException, OSError) as lost:
                raise Unknown(f"{self._server} took the mail and its answer was lost: {_words(lost)}") from None
            _accepted(answer, "the mail")

    def check(self) -> None:
        with self._connected():
            pass

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        try:
            client = smtp(self._server, self._reach, self._deadline, self._context)
        except ssl.SSLCertVerificationError as wrong:
            raise AccessError(f"the certificate of {self._server} does not hold: {wrong.verify_message}") from None
        except AddressRefused as wrong:
            raise AccessError(str(wrong)) from None
        except smtplib.SMTPNotSupportedError:
            raise AccessError(f"{self._server} offers no STARTTLS: nothing is sent unprotected") from None
        except (smtplib.SMTPException, NotConnected, OSError) as away:
            raise Transient(f"{self._server} is out of reach: {_words(away)}") from None
        try:
            self._log_in(client)
            yield client
        except (smtplib.SMTPException, OSError) as broken:
            raise Transient(f"{self._server} broke off before it took the mail: {_words(broken)}") from None
        finally:
            _leave(client)

    def _log_in(self, client: smtplib.SMTP) -> None:
        """A server that asks for nobody's name is a relay of our own."""
        if not client.has_extn("auth"):
            return
        try:
            client.login(self._user, self._password)
        except smtplib.SMTPAuthenticationError as wrong:
            raise AccessError(f"{self._server} does not let {self._user} in: {_said(wrong.smtp_error)}") from None


def _accepted(answer: tuple[int, bytes], what: str, right: int = 250) -> None:
    """:raises Refused: for good.  :raises Transient: for now."""
    code, said = answer
    if code == right or (right == 250 and code == 251):
        return
    words = f"{what} was not accepted: {code} {_said(said)}"
    raise Refused(words) if 500 <= code < 600 else Transient(words)


def _said(answer: object) -> str:
    return " ".join((answer.decode("utf-8", "replace") if isinstance(answer, bytes) else str(answer)).split())[:500]


def _words(error: BaseException) -> str:
    return _said(getattr(error, "smtp_error", None) or getattr(error, "strerror", None) or error)


def _leave(client: smtplib.SMTP) -> None:
    try:
        client.quit()
    except (smtplib.SMTPException, OSError):
        client.close()
