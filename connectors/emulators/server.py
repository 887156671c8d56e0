"""What every emulator stands on: a small HTTP/1.1 server on loopback, its request log, its faults and its webhook.

Real sockets, real HTTP, one thread per connection. Made for speed: the bench measures what stands in front of it.
"""

import gzip
import hashlib
import hmac
import http.client
import json
import queue
import socket
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from email.utils import format_datetime
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

from connectors.emulators.tracker import Deed, Tracker

_REMEMBERED = 20_000
_LONGEST_BODY = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came in."""

    number: int
    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes
    kind: str = ""
    """What it was for: list, find, read, history, texts, create, update, comment, upload, file or schema."""
    who: str = ""
    """The account whose credentials it bore; "" for nobody's."""

    def word(self, name: str, otherwise: str = "") -> str:
        """A query word."""
        return self.query.get(name, [otherwise])[0]

    def json(self) -> Any:
        """The body as data.  :raises ValueError: it is none."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: `body` is bytes, or data that goes as JSON; None is no body at all."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with one request.

    `how`: *refuse* (a status, nothing done), *lose* (done, the connection cut before the answer), *status* (done, and
    another status answered), *page* (HTML with 200, nothing done), *page after* (the same, after the work), *cut* (half
    of the body, done), *cut head* (half of the head, done), *bomb* (a gzip that swells to `size` bytes), *redirect* (to
    `where`, nothing done), *drip* (one byte of the answer every `pause` seconds), *drip head* (of its head), *stall*
    (nothing, for `pause` seconds)."""

    how: str
    status: int = 500
    headers: Mapping[str, str] = field(default_factory=dict)
    where: str = "/login"
    size: int = 1 << 30
    pause: float = 0.05
    body: tuple[str, bytes] = ("text/html", b"<html><title>Log in</title>")
    """What a page is: its media type, and the bytes."""


Faults = Callable[[Asked], Fault | None]
Routes = Callable[[Asked], Reply]


class Emulator:
    """A tracker behind HTTP. A product says what it answers (`answer`) and who somebody is (`account`).

    Use it in a `with`, or `start` and `stop` it. `fault` is asked about every request before it is worked on."""

    def __init__(self, tracker: Tracker, *, port: int = 0) -> None:
        self.tracker = tracker
        self.fault: Faults | None = None
        self.asked: deque[Asked] = deque(maxlen=_REMEMBERED)
        """The latest requests, bodies and all."""
        self.counts: Counter[str] = Counter()
        """How many there were, by kind."""
        self.connections = 0
        """How many were made to it."""
        self.delay = 0.0
        """Seconds that every answer takes."""
        self.host = "127.0.0.1"
        """The address that it listens on."""
        self._lock = threading.Lock()
        self._port = port
        self._listener: socket.socket | None = None
        self._place: socket.socket | None = None
        self._open: set[socket.socket] = set()
        self._hints: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._webhook: tuple[str, str] | None = None

    # -- what a product says ---------------------------------------------------------------------------------------

    def account(self, asked: Asked) -> str:
        """Whose credentials these are; "" for nobody's."""
        raise NotImplementedError

    def answer(self, asked: Asked) -> Reply:
        """Do what is asked, and answer."""
        raise NotImplementedError

    def kind(self, asked: Asked) -> str:
        """What a request is for, in the words of `Asked.kind`."""
        raise NotImplementedError

    def hint(self, deed: Deed) -> Mapping[str, Any]:
        """What the webhook says of a deed."""
        raise NotImplementedError

    def signed(self, secret: str, body: bytes) -> Mapping[str, str]:
        """The headers that bear the webhook's signature."""
        return {"X-Hub-Signature-256": f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"}

    # -- life ------------------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{self.host}:{self._port}"

    def start(self) -> None:
        """Listen. After a `stop`, on the same port again."""
        listener = socket.create_server((self.host, self._port), backlog=256)
        self._listener, self._port = listener, listener.getsockname()[1]
        self._leave()
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def stop(self) -> None:
        """Close every connection and listen no more: connections are refused from now on. The port stays ours, for a
        `start` or until the `with` ends."""
        with self._lock:
            listener, self._listener = self._listener, None
            still, self._open = self._open, set()
        if listener is not None:
            # closing alone does not wake a thread that waits in accept
            _shut(listener)
            self._place = _held(self.host, self._port)
        for each in still:
            _shut(each)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._leave()
        self.webhook(None)

    def _leave(self) -> None:
        """Let go of the port that was held."""
        if self._place is not None:
            self._place.close()
            self._place = None

    def webhook(self, url: str | None, secret: str = "") -> None:
        """From now on post a hint of every deed there, signed if there is a secret; None: no more."""
        if self._webhook is not None:
            self.tracker.watch.remove(self._told)
            self._hints.put(None)
        self._webhook = (url, secret) if url else None
        if url:
            self._hints = queue.SimpleQueue()
            self.tracker.watch.append(self._told)
            threading.Thread(target=self._post, args=(url, secret, self._hints), daemon=True).start()

    # -- serving ---------------------------------------------------------------------------------------------------

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                made, _ = listener.accept()
            except OSError:
                return
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                if self._listener is not listener:
                    _shut(made)
                    return
                self._open.add(made)
                self.connections += 1
            threading.Thread(target=self._serve, args=(made,), daemon=True).start()

    def _serve(self, made: socket.socket) -> None:
        try:
            with made, made.makefile("rb") as stream:
                while (asked := self._read(stream)) is not None:
                    if not self._respond(made, asked):
                        return
        except (OSError, ValueError):
            return  # the other side is gone, or speaks no HTTP
        finally:
            with self._lock:
                self._open.discard(made)

    def _read(self, stream: Any) -> Asked | None:
        line = stream.readline(65536)
        if not line.strip():
            return None
        method, target, _ = line.decode("latin-1").split(" ", 2)
        headers: dict[str, str] = {}
        while (line := stream.readline(65536)).strip():
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.strip().lower()] = value.strip()
        length = int(headers.get("content-length", "0"))
        if length > _LONGEST_BODY:
            raise ValueError("too long")
        body = stream.read(length) if length else b""
        if len(body) < length:
            return None
        parts = urlsplit(target)
        with self._lock:
            asked = Asked(self.counts.total() + 1, method, unquote(parts.path), parse_qs(parts.query), headers, body)
            asked = replace(asked, kind=self.kind(asked), who=self.account(asked))
            self.asked.append(asked)
            self.counts[asked.kind] += 1
        return asked

    def _respond(self, made: socket.socket, asked: Asked) -> bool:
        """Answer; whether the connection goes on."""
        fault = self.fault(asked) if self.fault is not None else None
        if self.delay:
            time.sleep(self.delay)
        if fault is not None:
            return self._misbehave(made, asked, fault)
        made.sendall(self._wire(self.answer(asked)))
        return True

    def _misbehave(self, made: socket.socket, asked: Asked, fault: Fault) -> bool:
        page = Reply(200, fault.body[1], {"Content-Type": fault.body[0]})
        match fault.how:
            case "refuse":
                made.sendall(self._wire(Reply(fault.status, b"{}", fault.headers)))
            case "page":
                made.sendall(self._wire(page))
            case "redirect":
                made.sendall(self._wire(Reply(302, b"", {"Location": fault.where})))
            case "bomb":
                packed = gzip.compress(b" " * fault.size, compresslevel=1)
                made.sendall(self._wire(Reply(200, packed, {"Content-Encoding": "gzip", **fault.headers})))
            case "stall":
                time.sleep(fault.pause)
                return False
            case "lose":
                self.answer(asked)
                return False
            case "status":
                self.answer(asked)
                made.sendall(self._wire(Reply(fault.status, b"{}", fault.headers)))
            case "page after":
                self.answer(asked)
                made.sendall(self._wire(page))
            case "cut":
                whole = self._wire(self.answer(asked))
                head, _, body = whole.partition(b"\r\n\r\n")
                # without a length, an answer that was cut looks like a whole one
                lines = [each for each in head.split(b"\r\n") if not each.startswith(b"Content-Length")]
                made.sendall(b"\r\n".join([*lines, b"Connection: close"]) + b"\r\n\r\n" + body[: len(body) // 2])
                return False
            case "cut head":
                whole = self._wire(self.answer(asked))
                made.sendall(whole[: whole.index(b"\r\n\r\n") // 2])
                return False
            case "drip" | "drip head":
                whole = self._wire(self.answer(asked))
                at = whole.index(b"\r\n\r\n") + 4 if fault.how == "drip" else 20
                made.sendall(whole[:at])
                for byte in whole[at:]:
                    made.sendall(bytes([byte]))
                    time.sleep(fault.pause)
            case _:
                raise ValueError(f"there is no fault {fault.how!r}")
        return True

    def _wire(self, reply: Reply) -> bytes:
        body = reply.body
        if body is None:
            body = b""
        elif not isinstance(body, bytes):
            body = json.dumps(body).encode()
        headers = {
            "Date": format_datetime(self.tracker.now().replace(microsecond=0), usegmt=True),
            "Content-Type": "application/json; charset=utf-8",
            **reply.headers,
            "Content-Length": str(len(body)),
        }
        reason = http.client.responses.get(reply.status, "")
        lines = [f"HTTP/1.1 {reply.status} {reason}", *(f"{n}: {v}" for n, v in headers.items() if v)]
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body

    # -- the webhook -----------------------------------------------------------------------------------------------

    def _told(self, deed: Deed) -> None:
        self._hints.put(json.dumps(self.hint(deed)).encode())

    def _post(self, url: str, secret: str, hints: "queue.SimpleQueue[bytes | None]") -> None:
        """Post hints one after the other. One that fails is gone: it was a hint."""
        parts = urlsplit(url)
        made = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        while (body := hints.get()) is not None:
            headers = {"Content-Type": "application/json", **(self.signed(secret, body) if secret else {})}
            try:
                made.request("POST", target, body, headers)
                made.getresponse().read()
            except (OSError, http.client.HTTPException):
                made.close()
        made.close()


def _held(host: str, port: int) -> socket.socket:
    """Nobody listens there, and nobody else is given the port."""
    place = socket.socket()
    place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    with suppress(OSError):  # somebody was quicker
        place.bind((host, port))
    return place


def _shut(made: socket.socket) -> None:
    with suppress(OSError):  # it may not be connected any more
        made.shutdown(socket.SHUT_RDWR)
    made.close()
