"""A wire to a server that is cut where somebody wants it: behind so many bytes of a request, or of its answer."""

import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import NamedTuple, Self

PLACES: Mapping[str, Callable[[bytes], int]] = {
    "before its first byte": lambda _: 0,
    "in its first line": lambda message: message.index(b"\r\n") // 2,
    "in a header": lambda message: message.index(b"\r\n") + 7,
    "between head and body": lambda message: message.index(b"\r\n\r\n") + 4,
    "in its body": lambda message: (message.index(b"\r\n\r\n") + 4 + len(message)) // 2,
    "before its last byte": lambda message: len(message) - 1,
    "behind its last byte": len,
}
"""Every class of places in an HTTP message: how many bytes of it pass."""
_HEAD_ENDS = b"\r\n\r\n"


class Cut(NamedTuple):
    """Where the wire is cut."""

    message: str
    """request, or answer."""
    place: str

    def bytes_of(self, message: bytes) -> bytes:
        """What passes."""
        return message[: PLACES[self.place](message)]


class Wire:
    """Carries one request after the other. Of a request that passes whole the answer is awaited before anything is cut,
    so that what it does is done. Use it in a `with`."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.next: tuple[bytes, Cut] | None = None
        """The next request with these bytes in it is cut so."""
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()

    def _run(self) -> None:
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:  # it is shut down
                return
            with client, suppress(OSError):
                self._carry(client)

    def _carry(self, client: socket.socket) -> None:
        request = _closing(_request(client))
        cut = None
        if self.next is not None and self.next[0] in request:
            (_, cut), self.next = self.next, None
        passes = cut.bytes_of(request) if cut and cut.message == "request" else request
        with socket.create_connection(("127.0.0.1", self._port)) as server:
            server.sendall(passes)
            if passes != request:
                return
            answer = b"".join(iter(lambda: server.recv(1 << 16), b""))
        if cut is None:
            client.sendall(answer)
        elif cut.message == "answer":
            client.sendall(cut.bytes_of(answer))


def _request(client: socket.socket) -> bytes:
    """All of it, or what came before its sender left."""
    request = b""
    while _HEAD_ENDS not in request or len(request) < _length(request):
        chunk = client.recv(1 << 16)
        if not chunk:
            break
        request += chunk
    return request


def _closing(request: bytes) -> bytes:
    """One request to a connection, so that an answer ends with it, and nobody writes to one that ends."""
    head, ends, body = request.partition(_HEAD_ENDS)
    first, *lines = head.split(b"\r\n")
    kept = [line for line in lines if not line.lower().startswith(b"connection:")]
    return b"\r\n".join([first, *kept, b"Connection: close"]) + ends + body


def _length(request: bytes) -> int:
    head, _, _ = request.partition(_HEAD_ENDS)
    named = (line.partition(b":") for line in head.lower().split(b"\r\n"))
    body = next((int(value) for name, _, value in named if name == b"content-length"), 0)
    return len(head) + len(_HEAD_ENDS) + body
