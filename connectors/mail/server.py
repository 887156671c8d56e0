"""Where a mail server is, and connections to it that keep the deadline, verify certificates and go where we may."""

import imaplib
import smtplib
import socket
import ssl
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from imap_tools import BaseMailBox

from connectors.network import Deadline, Reach

_PORTS = {
    "imaps": 993,
    "imap": 143,
    "imap+plain": 143,
    "smtps": 465,
    "smtp": 587,
    "smtp+plain": 25,
}


@dataclass(frozen=True, slots=True)
class Server:
    """The address of a mail server. `imaps` and `smtps` speak TLS at once, `imap` and `smtp` begin with STARTTLS and
    never go on without; only `…+plain` is not protected, for a server on this very machine."""

    scheme: str
    host: str
    port: int

    @property
    def at_once(self) -> bool:
        """Whether TLS begins with the connection."""
        return self.scheme.endswith("s")

    @property
    def later(self) -> bool:
        """Whether STARTTLS must follow."""
        return self.scheme in ("imap", "smtp")

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def server_of(said: str, kind: str) -> Server:
    """The server of a setting such as `imaps://imap.example.org`.  :raises ValueError: with what is wrong."""
    parts = urlsplit(said)
    allowed = [scheme for scheme in _PORTS if scheme.startswith(kind)]
    if parts.scheme not in allowed or not parts.hostname:
        raise ValueError(f"must begin with {', '.join(f'{each}://' for each in allowed)} and a host, not {said!r}")
    if parts.username is not None or parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("must be host and port alone: no user, path or question mark in it")
    return Server(parts.scheme, parts.hostname, parts.port or _PORTS[parts.scheme])


def _opened(server: Server, reach: Reach, deadline: Deadline, context: ssl.SSLContext) -> socket.socket:
    plain = reach.connect(server.host, server.port, deadline)
    return _protected(plain, server.host, deadline, context) if server.at_once else plain


def _protected(plain: socket.socket, host: str, deadline: Deadline, context: ssl.SSLContext) -> socket.socket:
    plain.settimeout(deadline.left())
    made: Any = context.wrap_socket(plain, server_hostname=host)
    made.deadline = deadline
    return made  # type: ignore[no-any-return]  # a socket of the context's own class


class ImapBox(BaseMailBox):
    """imap-tools' mailbox over our sockets."""

    def __init__(self, server: Server, reach: Reach, deadline: Deadline, context: ssl.SSLContext) -> None:
        self._place = (server, reach, deadline, context)
        super().__init__()
        if server.later:
            self.client.starttls(context)

    def _get_mailbox_client(self) -> imaplib.IMAP4:
        server, reach, deadline, context = self._place

        class Client(imaplib.IMAP4):
            def _create_socket(self, _: float | None = None) -> socket.socket:
                return _opened(server, reach, deadline, context)

            def starttls(self, ssl_context: ssl.SSLContext | None = None) -> Any:
                done = super().starttls(ssl_context)
                self.sock.deadline = deadline  # type: ignore[attr-defined]  # a socket of the context's own class
                return done

        return Client(server.host, server.port)


def smtp(server: Server, reach: Reach, deadline: Deadline, context: ssl.SSLContext) -> smtplib.SMTP:
    """A connection that has said EHLO, protected where the address says so.

    :raises smtplib.SMTPException, OSError: it did not come about."""

    class Client(smtplib.SMTP):
        def __init__(self) -> None:
            super().__init__(local_hostname="localhost")
            self._host = server.host  # whose certificate it must be

        def _get_socket(self, *_: Any) -> socket.socket:
            return _opened(server, reach, deadline, context)

    client = Client()
    client.timeout = 60.0  # smtplib refuses to connect without; the deadline decides
    try:
        code, said = client.connect(server.host, server.port)
        _ensure_ready(code, said)
        client.ehlo()
        if server.later:
            client.starttls(context=context)
            client.sock.deadline = deadline  # type: ignore[union-attr]  # a socket of the context's own class
            client.ehlo()
    except BaseException:
        client.close()
        raise
    return client


def _ensure_ready(code: int, said: bytes) -> None:
    """:raises smtplib.SMTPConnectError: it does not want to talk now."""
    if code != 220:
        raise smtplib.SMTPConnectError(code, said)
