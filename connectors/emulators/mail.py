"""Mail without a network: our mailbox in memory, a post that takes what it is given, and a desk that answers.

The only fake of the mail family; the same suite runs on it and on a real exim with Dovecot.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage, Message
from email.policy import SMTP, compat32

from connectors.api import Value
from connectors.errors import ConnectorError
from connectors.mail.mailbox import Arrival, Labels, Slip
from connectors.mail.threads import new_key
from connectors.mail.writing import one_line


@dataclass
class _Kept:
    slip: Slip
    headers: Mapping[str, str]
    entry: bytes
    original: bytes


class MemoryMailbox:
    """`connectors.mail.mailbox.Mailbox` in memory. `aside` holds what was laid aside, with the reasons; a mail of more
    than `largest` bytes is cut."""

    largest = 40 << 20

    def __init__(self) -> None:
        self.waiting: dict[str, bytes] = {}
        self.aside: list[tuple[bytes, str]] = []
        self.validity = "1"
        self._kept: dict[int, _Kept] = {}
        self._next = 1

    def arrive(self, raw: bytes) -> None:
        """A mail comes in."""
        self.waiting[str(self._number())] = raw

    def arrivals(self, limit: int) -> Sequence[Arrival]:
        return [
            Arrival(uid, raw[: self.largest], max(0, len(raw) - self.largest))
            for uid, raw in list(self.waiting.items())[:limit]
        ]

    def drop(self, uid: str) -> None:
        self.waiting.pop(uid, None)

    def lay_aside(self, arrival: Arrival, reason: str) -> None:
        self.aside.append((self.waiting[arrival.uid], reason))
        self.drop(arrival.uid)

    def keep(self, labels: Labels, entry: bytes, original: bytes, at: datetime, *, pending: bool = False) -> Slip:
        slip = Slip(self._number(), at.replace(microsecond=0), pending, labels.key)
        self._kept[slip.uid] = _Kept(slip, labels.headers(), entry, original)
        return slip

    def settle(self, uid: int) -> None:
        kept = self._kept[uid]
        kept.slip = replace(kept.slip, pending=False)

    def forget(self, uid: int) -> None:
        self._kept.pop(uid, None)

    def find(self, header: str, value: str) -> Sequence[Slip]:
        return [each.slip for each in self._kept.values() if value.lower() in each.headers.get(header, "").lower()]

    def since(self, floor: int, at: datetime) -> Sequence[Slip]:
        begin = at.replace(microsecond=0)
        return [each.slip for uid, each in self._kept.items() if uid > floor and each.slip.at >= begin]

    def newest(self) -> int:
        return max(self._kept, default=0)

    def generation(self) -> str:
        return self.validity

    def entries(self, uids: Sequence[int]) -> Mapping[int, bytes]:
        return {uid: self._kept[uid].entry for uid in uids if uid in self._kept}

    def original(self, uid: int) -> bytes | None:
        return self._kept[uid].original if uid in self._kept else None

    def wait(self, seconds: float) -> bool:  # noqa: ARG002 (mail is there at once, or never)
        return bool(self.waiting)

    def check(self) -> Sequence[str]:
        return ()

    def close(self) -> None:
        """Nothing is held open."""

    def renumber(self) -> None:
        """Every uid is another one now, as after a restore of the mail server."""
        self.validity += "0"
        kept, self._kept, self._next = list(self._kept.values()), {}, 1
        for each in kept:
            each.slip = replace(each.slip, uid=self._number())
            self._kept[each.slip.uid] = each

    def _number(self) -> int:
        self._next += 1
        return self._next - 1


@dataclass
class MemoryPost:
    """`connectors.mail.post.Post` that hands each mail to `take`, and our own copy to our mailbox.

    `before` and `after` raise what goes wrong before the mail is accepted, and after."""

    take: Callable[[bytes], None]
    copy: Callable[[bytes], None]
    before: ConnectorError | None = None
    after: ConnectorError | None = None
    sent: int = 0

    def send(self, mail: bytes, sender: str, to: str) -> None:  # noqa: ARG002 (one desk gets it all)
        if self.before is not None:
            raise self.before
        self.sent += 1
        self.take(mail)
        self.copy(mail)
        if self.after is not None:
            raise self.after

    def check(self) -> None:
        """It always takes mail."""


@dataclass
class Desk:
    """Alice at a helpdesk that is reached by mail: gets our mails, and writes through `write`.

    `acknowledge`: what her machine answers to each mail, if it does, with a counter in it where it has {n}; it says in
    no header that it is a machine."""

    address: str
    ours: str
    write: Callable[[bytes], None]
    labels: Mapping[str, str] = field(default_factory=dict)
    """How fields are called in her mails."""
    acknowledge: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    """What all her mails bear."""
    received: list[Message] = field(default_factory=list)
    written: int = 0
    _threads: dict[str, tuple[str, str]] = field(default_factory=dict)

    def take(self, raw: bytes) -> None:
        """A mail of ours comes in."""
        mail = message_from_bytes(raw, policy=compat32)
        self.received.append(mail)
        message_id, subject = str(mail["Message-ID"]), one_line(str(mail["Subject"]))
        key = message_id.split("+")[1] if message_id.count("+") == 2 else ""
        self._threads.setdefault(key, (message_id, subject))
        if self.acknowledge:
            self.say(key, self.acknowledge.replace("{n}", str(self.written)))

    def open(self, subject: str, description: str) -> str:
        mail = self.mail(subject, description)
        key = new_key(str(mail["Message-ID"]).strip("<>"))
        self._threads[key] = (str(mail["Message-ID"]), subject)
        self.write(mail.as_bytes())
        return key

    def change(self, key: str, field: str, value: Value) -> None:
        self.say(key, f"{self.labels.get(field, field)}: {value}")

    def say(self, key: str, text: str, *, internal: bool = False, files: Mapping[str, bytes] | None = None) -> None:
        assert not internal, "there are no internal mails"
        begun, subject = self._threads[key]
        mail = self.mail(f"Re: {subject}", text, files or {})
        mail["In-Reply-To"] = mail["References"] = begun
        self.write(mail.as_bytes())

    def reword(self, key: str, comment_id: str, text: str) -> None:
        raise NotImplementedError("a mail that was sent stays as it was")

    def mail(self, subject: str, text: str, files: Mapping[str, bytes] | None = None) -> EmailMessage:
        """A mail of hers to us."""
        self.written += 1
        mail = EmailMessage(policy=SMTP)
        mail["From"], mail["To"], mail["Subject"] = f"Alice <{self.address}>", self.ours, subject
        mail["Message-ID"] = f"<{self.written}.{id(self)}@{self.address.rpartition('@')[2]}>"
        for name, value in self.headers.items():
            mail[name] = value
        mail.set_content(text)
        for name, content in (files or {}).items():
            mail.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
        return mail
