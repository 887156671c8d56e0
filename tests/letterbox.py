"""A mail server and a web server on loopback that keep what they get, for tests of what interdesk itself sends."""

import socket
import socketserver
import threading
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self


@dataclass(frozen=True)
class Got:
    """A letter as it came in."""

    sender: str
    to: tuple[str, ...]
    mail: EmailMessage


class _Server:
    """A server on a thread, for as long as a `with` lasts. Closed and opened again, it listens where it did before:
    nobody else is given its port meanwhile."""

    def __init__(self) -> None:
        self.port = 0
        self._server: Any = None
        self._place: socket.socket | None = None
        """What keeps the port while nobody listens there."""

    def make(self, port: int) -> Any:
        raise NotImplementedError

    def open(self) -> None:
        self._server = self.make(self.port)
        self.port = self._server.server_address[1]
        self._leave()
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
            self._place = taken(self.port)

    def _leave(self) -> None:
        if self._place is not None:
            self._place.close()
            self._place = None

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()
        self._leave()


class LetterBox(_Server):
    """SMTP; addresses in `refuses` are not known."""

    def __init__(self, refuses: tuple[str, ...] = ()) -> None:
        super().__init__()
        self.got: list[Got] = []
        self.refuses = refuses

    @property
    def url(self) -> str:
        return f"smtp+plain://127.0.0.1:{self.port}"

    def make(self, port: int) -> Any:
        box = self

        class Talk(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self.say("220 letterbox")
                sender, to = "", list[str]()
                while line := self.rfile.readline().decode().strip():
                    word, _, rest = line.partition(" ")
                    address = rest[rest.find("<") + 1 : rest.find(">")]
                    match word.upper():
                        case "EHLO" | "HELO" | "RSET":
                            self.say("250 letterbox")
                        case "MAIL":
                            sender = address
                            self.say("250 ok")
                        case "RCPT" if address in box.refuses:
                            self.say("550 no such user")
                        case "RCPT":
                            to.append(address)
                            self.say("250 ok")
                        case "DATA":
                            self.say("354 go on")
                            box.got.append(Got(sender, tuple(to), self.letter()))
                            self.say("250 kept")
                        case "QUIT":
                            self.say("221 bye")
                            return
                        case _:
                            self.say("502 what?")

            def letter(self) -> EmailMessage:
                lines = []
                while (line := self.rfile.readline()) != b".\r\n":
                    lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
                return message_from_bytes(b"".join(lines), policy=default)  # type: ignore[return-value]

            def say(self, line: str) -> None:
                self.wfile.write(f"{line}\r\n".encode())

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = daemon_threads = True

        return Server(("127.0.0.1", port), Talk)


class Door(_Server):
    """HTTP; what was asked is kept as (method, path, headers, body), and the answer is `status`."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []
        self.status, self.headers = 200, dict[str, str]()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def make(self, port: int) -> Any:
        door = self

        class Talk(BaseHTTPRequestHandler):
            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                door.asked.append((self.command, self.path, dict(self.headers), body))
                self.send_response(door.status)
                for name, value in door.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_GET = do_POST = answer  # noqa: N815  # as http.server names them

            def log_message(self, *_: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

        return Server(("127.0.0.1", port), Talk)


def taken(port: int) -> socket.socket:
    """Keeps a port that a server of ours has left, so that nobody else is given it: connections are refused there, and
    whoever asks for just this port may listen."""
    place = socket.socket()
    place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    place.bind(("127.0.0.1", port))
    return place


def nobody() -> int:
    """A port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])
