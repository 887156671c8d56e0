"""Our mailbox over IMAP."""

import base64
import imaplib
import re
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from imap_tools import errors as imap_errors

from connectors.errors import AccessError, Transient
from connectors.mail.mailbox import KEY, Arrival, Labels, Slip
from connectors.mail.server import ImapBox, Server
from connectors.mail.writing import one_line, wrapped
from connectors.network import AddressRefused, Deadline, NotConnected, Reach

_UID = re.compile(rb"\bUID (\d+)")
_DATE = re.compile(rb'INTERNALDATE "([^"]+)"')
_SIZE = re.compile(rb"RFC822\.SIZE (\d+)")
_FLAGS = re.compile(rb"FLAGS \(([^)]*)\)")
_APPENDED = re.compile(rb"APPENDUID (\d+) (\d+)")
_AT_ONCE = 200
CONNECTS_WITHIN = 30
LONGEST_IDLE = 25 * 60
"""Seconds: a server may hang up on one that idles for half an hour."""
_Result = TypeVar("_Result")
_TROUBLE = (imaplib.IMAP4.error, imap_errors.UnexpectedCommandStatusError, OSError, NotConnected)


class ImapMailbox:
    """`connectors.mail.mailbox.Mailbox` over IMAP: one connection, used by one thread at a time; waiting has its own.

    A connection that broke since the last call is made anew once; what is written is written at most once per call."""

    def __init__(
        self,
        server: Server,
        reach: Reach,
        context: ssl.SSLContext,
        account: tuple[str, str],
        folders: tuple[str, str, str],
        deadline: Deadline,
        *,
        largest: int,
    ) -> None:
        """`folders`: those of what waits, of the archive and of what is laid aside. `deadline`: of the present call."""
        self._server, self._reach, self._context = server, reach, context
        self._account, self._largest = account, largest
        self._inbox, self._archive, self._aside = folders
        self._deadline = deadline
        self._lock = threading.RLock()
        self._box: ImapBox | None = None
        self._folder = ""
        self._listening: ImapBox | None = None

    def arrivals(self, limit: int) -> Sequence[Arrival]:
        with self._in(self._inbox) as box:
            uids = box.uids("UNDELETED", charset=None)[:limit]
            sizes = dict(self._sizes(box, uids))
            return [each for uid in uids if (each := self._arrival(box, uid, sizes.get(uid, 0))) is not None]

    def drop(self, uid: str) -> None:
        with self._in(self._inbox) as box:
            self._remove(box, uid)

    def lay_aside(self, arrival: Arrival, reason: str) -> None:
        said = one_line(f"X-Interdesk-Set-Aside: {reason}").encode("ascii", "replace") + b"\r\n"
        with self._in(self._inbox) as box:
            self._ensure(box, self._aside)
            if arrival.cut:  # its whole stays on the server
                _ok(box.client.uid("COPY", arrival.uid, _quoted(self._aside)))
            else:
                _ok(box.client.append(_quoted(self._aside), None, None, said + arrival.raw))
            self._remove(box, arrival.uid)

    def keep(self, labels: Labels, entry: bytes, original: bytes, at: datetime, *, pending: bool = False) -> Slip:
        with self._in(self._archive, make=True) as box:
            message = wrapped(labels, entry, original, at)
            flags = r"(\Seen \Draft)" if pending else r"(\Seen)"
            answer = _ok(box.client.append(_quoted(self._archive), flags, at, message))
            found = _APPENDED.search(b" ".join(each for each in answer if isinstance(each, bytes)))
            if found is not None:
                return Slip(int(found[2]), at, pending, labels.key)
            mine = [each for each in self.find("X-Interdesk-Id", labels.id) if each.key == labels.key]
            if not mine:
                raise Transient(f"{self._server} did not keep what was added to {self._archive}")
            return mine[-1]

    def settle(self, uid: int) -> None:
        with self._in(self._archive) as box:
            _ok(box.client.uid("STORE", str(uid), "-FLAGS", r"(\Draft)"))

    def forget(self, uid: int) -> None:
        with self._in(self._archive) as box:
            self._remove(box, str(uid))

    def find(self, header: str, value: str) -> Sequence[Slip]:
        quoted = one_line(value).encode("ascii", "replace").decode().replace("\\", "\\\\").replace('"', '\\"')
        with self._in(self._archive, make=True) as box:
            return self._slips(box, box.uids(f'UNDELETED HEADER {header} "{quoted}"', charset=None))

    def since(self, floor: int, at: datetime) -> Sequence[Slip]:
        day = (at.astimezone(UTC) - timedelta(days=1)).strftime("%d-%b-%Y")  # the server's days are of its own zone
        with self._in(self._archive, make=True) as box:
            uids = [
                uid for uid in box.uids(f"UNDELETED UID {floor + 1}:* SINCE {day}", charset=None) if int(uid) > floor
            ]
            return [each for each in self._slips(box, uids) if each.at >= at.replace(microsecond=0)]

    def newest(self) -> int:
        with self._in(self._archive, make=True) as box:
            return max((int(uid) for uid in box.uids("ALL", charset=None)), default=0)

    def generation(self) -> str:
        with self._in(self._archive, make=True) as box:
            return str(box.folder.status(self._archive, ["UIDVALIDITY"])["UIDVALIDITY"])

    def entries(self, uids: Sequence[int]) -> Mapping[int, bytes]:
        with self._in(self._archive) as box:
            fetched = self._fetched(box, [str(uid) for uid in uids], "(UID BODY.PEEK[1])")
            return {uid: base64.b64decode(content) for uid, _, content in fetched}

    def original(self, uid: int) -> bytes | None:
        with self._in(self._archive) as box:
            for _, _, content in self._fetched(box, [str(uid)], "(UID BODY.PEEK[2])"):
                return base64.b64decode(content)
            return None

    def wait(self, seconds: float) -> bool:
        deadline = self._deadline.another(CONNECTS_WITHIN)
        with self._translated():
            box = self._opened(deadline)
            self._listening = box
            try:
                box.folder.set(self._inbox)
                box.client.response("EXISTS")  # how many there are; whatever is said of it later is news
                if box.uids("UNDELETED", charset=None):
                    return True
                box.idle.start()
                if box.client.response("EXISTS")[1] != [None]:  # it came before the server had begun to listen
                    return True
                deadline.begin(min(seconds, LONGEST_IDLE))
                return _told_of_mail(box)
            finally:
                self._listening = None
                _hang_up(box)  # whoever idles is not heard saying goodbye

    def check(self) -> Sequence[str]:
        with self._lock, self._translated():
            box = self._connected()
            names = {each.name for each in box.folder.list()}
            return [each for each in (self._inbox, self._archive, self._aside) if each not in names]

    def close(self) -> None:
        listening = self._listening
        if listening is not None:
            with suppress(OSError):
                listening.client.sock.shutdown(socket.SHUT_RDWR)
        with self._lock:
            if self._box is not None:
                _leave(self._box)
                self._box = None

    @contextmanager
    def _in(self, folder: str, *, make: bool = False) -> Iterator[ImapBox]:
        """The connection, with this folder open."""
        with self._lock, self._translated():
            if self._folder == folder and self._box is not None:
                try:
                    self._box.client.noop()  # tells what is new; a connection that broke meanwhile shows here
                except _TROUBLE:
                    self._lose()
            box = self._connected()
            if self._folder != folder:
                self._folder = ""
                if make:
                    self._ensure(box, folder)
                box.folder.set(folder)
                self._folder = folder
            yield box

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except ssl.SSLCertVerificationError as wrong:
            raise AccessError(f"the certificate of {self._server} does not hold: {wrong.verify_message}") from None
        except AddressRefused as wrong:
            raise AccessError(str(wrong)) from None
        except imap_errors.MailboxLoginError as wrong:
            self._lose()
            raise AccessError(f"{self._server} does not let {self._account[0]} in: {_said(wrong)}") from None
        except _TROUBLE as trouble:
            self._lose()
            raise Transient(f"{self._server} did not answer as it should: {_said(trouble)}") from None

    def _lose(self) -> None:
        box, self._box, self._folder = self._box, None, ""
        if box is not None:
            _leave(box)

    def _connected(self) -> ImapBox:
        if self._box is None:
            self._folder = ""
            self._box = self._opened(self._deadline)
        return self._box

    def _opened(self, deadline: Deadline) -> ImapBox:
        box = ImapBox(self._server, self._reach, deadline, self._context)
        try:
            if self._account[0].isascii() and self._account[1].isascii():
                box.login(*self._account, initial_folder=None)
            else:
                box.login_utf8(*self._account, initial_folder=None)
            said = _ok(box.client.capability())  # another list than before the log-in
            box.client.capabilities = tuple(said[-1].decode("ascii", "replace").upper().split())
        except BaseException:
            _leave(box)
            raise
        return box

    def _ensure(self, box: ImapBox, folder: str) -> None:
        if not box.folder.exists(folder):
            box.folder.create(folder)

    def _remove(self, box: ImapBox, uid: str) -> None:
        _ok(box.client.uid("STORE", uid, "+FLAGS.SILENT", r"(\Deleted)"))
        if "UIDPLUS" in box.client.capabilities:
            _ok(box.client.uid("EXPUNGE", uid))
        # without UIDPLUS it stays marked: an expunge would take what others have marked along

    def _sizes(self, box: ImapBox, uids: Sequence[str]) -> Iterator[tuple[str, int]]:
        for row in self._rows(box, uids, "(UID RFC822.SIZE)"):
            head = row[0] if isinstance(row, tuple) else row
            uid, size = _UID.search(head), _SIZE.search(head)
            if uid and size:
                yield uid[1].decode(), int(size[1])

    def _arrival(self, box: ImapBox, uid: str, size: int) -> Arrival | None:
        part = f"BODY.PEEK[]<0.{self._largest}>" if size > self._largest else "BODY.PEEK[]"
        for _, _, raw in self._fetched(box, [uid], f"(UID {part})"):
            return Arrival(uid, raw, max(0, size - len(raw)))
        return None

    def _slips(self, box: ImapBox, uids: Sequence[str]) -> list[Slip]:
        found = []
        for uid, head, content in self._fetched(
            box, uids, f"(UID FLAGS INTERNALDATE BODY.PEEK[HEADER.FIELDS ({KEY})])"
        ):
            date, flags = _DATE.search(head), _FLAGS.search(head)
            at = datetime.strptime(date[1].decode().strip(), "%d-%b-%Y %H:%M:%S %z") if date else datetime.now(UTC)
            key = content.partition(b":")[2].decode("ascii", "replace").strip()
            found.append(Slip(uid, at.astimezone(UTC), b"\\Draft" in (flags[1] if flags else b""), key))
        return sorted(found, key=lambda each: each.uid)

    def _fetched(self, box: ImapBox, uids: Sequence[str], what: str) -> Iterator[tuple[int, bytes, bytes]]:
        """Uid, all that was said beside, and the content, of each that is there."""
        rows = list(self._rows(box, uids, what))
        for number, row in enumerate(rows):
            if isinstance(row, tuple):
                after = rows[number + 1] if number + 1 < len(rows) and isinstance(rows[number + 1], bytes) else b""
                head = bytes(row[0]) + b" " + after
                uid = _UID.search(head)
                if uid:
                    yield int(uid[1]), head, bytes(row[1])

    def _rows(self, box: ImapBox, uids: Sequence[str], what: str) -> Iterator[Any]:
        for begin in range(0, len(uids), _AT_ONCE):
            yield from _ok(box.client.uid("FETCH", ",".join(uids[begin : begin + _AT_ONCE]), what))


def _ok(answer: tuple[str, list[Any]]) -> list[Any]:
    """What an OK holds.  :raises imaplib.IMAP4.error: it was none."""
    status, said = answer
    if status != "OK":
        raise imaplib.IMAP4.error(_said(said))
    return [each for each in said if each is not None]


def _quoted(folder: str) -> str:
    return '"' + folder.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _said(what: object) -> str:
    return " ".join(str(what).split())[:300]


def _told_of_mail(box: ImapBox) -> bool:
    """Listen until the server tells of a mail, or the deadline passes."""
    try:
        while line := box.client.readline():
            if b" EXISTS" in line:
                return True
    except TimeoutError:
        return False
    raise imaplib.IMAP4.abort("it hung up while we listened")


def _leave(box: ImapBox) -> None:
    with suppress(*_TROUBLE):
        box.client.logout()
    _hang_up(box)


def _hang_up(box: ImapBox) -> None:
    with suppress(*_TROUBLE, ValueError):
        box.client.shutdown()
