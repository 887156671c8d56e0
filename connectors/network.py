"""Sockets that keep two promises: a deadline over the whole call, and no address that was not meant.

The address is checked when the connection is made, on what the name resolved to just then, so a name that changes
its mind between check and use gains nothing. The deadline holds for every byte: a server that drips one now and then,
inside headers or body, is cut off like one that says nothing.
"""

import logging
import socket
import ssl
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from pathlib import Path
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util.retry import Retry

from connectors.environment import Network

_NAT64 = IPv6Network("64:ff9b::/96")


def _without_queries(record: logging.LogRecord) -> bool:
    """urllib3 logs whole addresses, and what only we should know may stand in a query: none is ever logged."""
    if isinstance(record.args, tuple):
        record.args = tuple(each.partition("?")[0] if isinstance(each, str) else each for each in record.args)
    return True


logging.getLogger("urllib3.connectionpool").addFilter(_without_queries)


class AddressRefused(Exception):
    """The name leads to where we do not go."""


class NotConnected(Exception):
    """No connection came about, so nothing was sent."""


class Deadline:
    """The moment by which the present call of one thread must be over."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self.at = monotonic()

    def begin(self, seconds: float) -> None:
        """So much time from now on."""
        self.at = self._monotonic() + seconds

    def another(self, seconds: float) -> "Deadline":
        """One beside this, of so much time from now on."""
        made = Deadline(self._monotonic)
        made.begin(seconds)
        return made

    def left(self) -> float:
        """Seconds left.  :raises TimeoutError: none."""
        left = self.at - self._monotonic()
        if left <= 0:
            raise TimeoutError("the call took longer than its deadline")
        return left


class _Socket(socket.socket):
    """A socket whose every wait ends at the deadline."""

    deadline: Deadline

    def recv_into(self, *args: Any, **options: Any) -> int:
        self.settimeout(self.deadline.left())
        return super().recv_into(*args, **options)

    def sendall(self, *args: Any, **options: Any) -> None:
        self.settimeout(self.deadline.left())
        super().sendall(*args, **options)


class _TlsSocket(ssl.SSLSocket):
    """The same over TLS. Wrapping makes a new object, so the deadline is handed over afterwards."""

    deadline: Deadline | None = None

    def recv_into(self, *args: Any, **options: Any) -> int:
        if self.deadline is not None:
            self.settimeout(self.deadline.left())
        return super().recv_into(*args, **options)

    def sendall(self, *args: Any, **options: Any) -> None:
        if self.deadline is not None:
            self.settimeout(self.deadline.left())
        super().sendall(*args, **options)


class Reach:
    """Where we go: everything public, and what `allowed` names."""

    def __init__(self, allowed: Sequence[Network]) -> None:
        self._allowed = tuple(allowed)

    def permits(self, address: str) -> bool:
        """Whether this resolved address may be spoken to."""
        real = _unwrapped(ip_address(address.partition("%")[0]))
        if any(real.version == network.version and real in network for network in self._allowed):
            return True
        return real.is_global and not real.is_multicast and not real.is_reserved

    def connect(self, host: str, port: int, deadline: Deadline) -> socket.socket:
        """A connection to the first permitted address that answers.

        :raises AddressRefused: none is permitted.  :raises NotConnected: none answers."""
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise NotConnected(f"the name {host} does not resolve ({error.strerror or error})") from None
        places = list(dict.fromkeys((family, place) for family, _, _, _, place in found))
        permitted = [(family, place) for family, place in places if self.permits(str(place[0]))]
        if not permitted:
            addresses = ", ".join(sorted({str(place[0]) for _, place in places}))
            told = host if addresses == host else f"{host} leads to {addresses}, which"
            raise AddressRefused(
                f"{told} is not a public address; name its network in allowed_networks (interdesk.yaml) if it is meant"
            )
        reason = ""
        for family, place in permitted:
            made = _Socket(family, socket.SOCK_STREAM)
            made.deadline = deadline
            try:
                made.settimeout(deadline.left())
                made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                made.connect(place)
            except OSError as error:
                made.close()
                reason = error.strerror or str(error)
            else:
                return made
        raise NotConnected(f"{host}:{port} does not answer ({reason})")


def _unwrapped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that some IPv6 addresses carry inside."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in _NAT64:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return inner
    return address


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """Certificates are always verified: by the usual authorities, and by those of `ca_file`.

    :raises OSError: the file cannot be read, or holds no certificate."""
    context = ssl.create_default_context()
    if ca_file is not None:
        context.load_verify_locations(cafile=ca_file)
    context.sslsocket_class = _TlsSocket
    return context


def adapter(reach: Reach, deadline: Deadline, context: ssl.SSLContext) -> HTTPAdapter:
    """The transport of one thread's session: our sockets, no retries of its own."""

    class Connection(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return reach.connect(self.host, self.port or 80, deadline)

    class TlsConnection(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return reach.connect(self.host, self.port or 443, deadline)

        def connect(self) -> None:
            super().connect()
            if isinstance(self.sock, _TlsSocket):
                self.sock.deadline = deadline

    class Pool(HTTPConnectionPool):
        ConnectionCls = Connection

    class TlsPool(HTTPSConnectionPool):
        ConnectionCls = TlsConnection

    class Adapter(HTTPAdapter):
        def init_poolmanager(self, *args: Any, **options: Any) -> None:
            super().init_poolmanager(*args, ssl_context=context, **options)
            self.poolmanager.pool_classes_by_scheme = {"http": Pool, "https": TlsPool}

    return Adapter(pool_connections=2, pool_maxsize=2, max_retries=Retry(0, read=False))
