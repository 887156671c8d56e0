"""A mail out of its bytes. Pure, and hardened: what could be read comes back, and nothing is ever raised.

Depth, parts and sizes are bounded. Identity headers are read raw, since the standard library's own reading of them
stumbles over rubbish; charsets and encodings that lie are read as what they are.
"""

import re
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from email.policy import compat32
from enum import StrEnum
from hashlib import sha256

from connectors.mail import parts, quotes
from connectors.mail.parts import CUT, MAX_DEPTH, MAX_FILES, MAX_HEADER, MAX_PARTS, MAX_TEXT

_ID = re.compile(r"<([^<>\s]{1,400})>")
_CID_MENTION = re.compile(r"\[cid:([^\]\s]{1,400})\]")


class Nature(StrEnum):
    """Who wrote a mail."""

    PERSON = "person"
    AUTOMATIC = "automatic"
    BOUNCE = "bounce"


@dataclass(frozen=True, slots=True)
class MailFile:
    """A file in a mail, an image inside its text included."""

    name: str
    media_type: str
    content: bytes
    cid: str = ""


@dataclass(frozen=True, slots=True)
class Bounce:
    """What a mail server says of a mail that it could not deliver."""

    about: tuple[str, ...]
    """The Message-IDs it names."""
    recipient: str
    status: str
    reason: str

    @property
    def final(self) -> bool:
        """Whether it gave up."""
        return not self.status.startswith("4")


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as far as it could be read."""

    id: str
    """Its Message-ID without brackets; a digest of its bytes where it has none."""
    references: tuple[str, ...]
    """What it answers, the nearest first."""
    sender: str
    """The one address that it says it is from, in lower case; '' where it says none, or several."""
    name: str
    subject: str
    text: str
    """What its author wrote: quoted text and signature are cut."""
    whole: str
    """All of its text."""
    files: tuple[MailFile, ...]
    signs: frozenset[str] = frozenset()
    """What marks it as automatic: names of `connectors.mail.profile.Sign`."""
    bounce: Bounce | None = None
    results: tuple[str, ...] = ()
    """Its Authentication-Results headers, the latest first."""
    loop: str = ""
    """Our own loop header."""

    def nature(self, counted: Sequence[str]) -> Nature:
        """Who wrote it, where only these signs count."""
        if self.bounce is not None:
            return Nature.BOUNCE
        return Nature.AUTOMATIC if self.signs & set(counted) else Nature.PERSON


def read(raw: bytes) -> Mail:
    """The mail in these bytes."""
    message = _parsed(raw)
    headers = _Headers(message)
    reader = _Reader()
    parts.safely(lambda: reader.take(message, 0), None)
    text = reader.text()
    senders = [(name, address) for name, address in parts.addresses(headers.all("from")) if address]
    name, sender = senders[0] if len(senders) == 1 and len(headers.all("from")) == 1 else ("", "")
    ids = _ID.findall(headers.first("message-id"))
    answered = [*_ID.findall(headers.first("in-reply-to")), *reversed(_ID.findall(headers.first("references"))[-50:])]
    bounce = _bounce(message, headers, reader)
    return Mail(
        id=ids[0] if ids else f"none-{sha256(raw).hexdigest()[:32]}",
        references=tuple(dict.fromkeys(answered)),
        sender=sender.lower(),
        name=name,
        subject=" ".join(headers.words("subject").split())[:1000],
        text=quotes.cut(text),
        whole=text,
        files=reader.named_files(),
        signs=_signs(headers),
        bounce=bounce,
        results=tuple(headers.all("authentication-results")[:20]),
        loop=headers.first("x-interdesk-loop").strip(),
    )


def file_of(raw: bytes, number: int) -> MailFile | None:
    """The file of this number in a mail, as `read` counts them."""
    files = read(raw).files
    return files[number] if number < len(files) else None


class _Headers:
    """Headers as they are, bounded; odd bytes are read as UTF-8, else as Latin-1."""

    def __init__(self, message: Message) -> None:
        self._all: dict[str, list[str]] = {}
        for name, value in message.raw_items():
            plain = parts.plain(str(value)[:MAX_HEADER])
            self._all.setdefault(str(name).lower(), []).append(re.sub(r"\r?\n[ \t]*", " ", plain))

    def all(self, name: str) -> list[str]:
        return self._all.get(name, [])

    def first(self, name: str) -> str:
        return next(iter(self.all(name)), "")

    def words(self, name: str) -> str:
        return parts.words(self.first(name))


class _Reader:
    """Walks the parts and collects text and files."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._files: list[MailFile] = []
        self._parts = 0

    def take(self, part: Message, depth: int) -> None:
        self._parts += 1
        if self._parts > MAX_PARTS or depth > MAX_DEPTH:
            return
        kind = part.get_content_type()
        inner = part.get_payload()
        if kind == "multipart/alternative" and isinstance(inner, list):
            self._alternative([each for each in inner if isinstance(each, Message)], depth)
        elif kind.startswith("multipart/") and isinstance(inner, list):
            for each in inner[:MAX_PARTS]:
                if isinstance(each, Message):
                    parts.safely(lambda each=each: self.take(each, depth + 1), None)  # type: ignore[misc]  # bound now
        elif kind == "message/delivery-status":
            return
        elif parts.is_text(part, kind):
            said, pictures = parts.text(part, kind)
            self._texts.append(said)
            for each in pictures[: MAX_FILES - len(self._files)]:
                content = parts.safely(lambda digits=each.digits: b64decode(digits), b"")  # type: ignore[misc]  # bound now
                self._files.append(MailFile(each.name, each.media_type, content))
        else:
            self._file(part, kind)

    def _alternative(self, among: Sequence[Message], depth: int) -> None:
        """One text, plain where it says anything; the files of all."""
        before = len(self._texts)
        found: list[tuple[int, list[str]]] = []
        for each in among[:MAX_PARTS]:
            parts.safely(lambda each=each: self.take(each, depth + 1), None)  # type: ignore[misc]  # bound now
            said = self._texts[before:]
            del self._texts[before:]
            if any(text.strip() for text in said):
                found.append((0 if each.get_content_type() == "text/plain" else 1, said))
        if found:
            self._texts += min(found, key=lambda each: each[0])[1]

    def _file(self, part: Message, kind: str) -> None:
        if len(self._files) >= MAX_FILES:
            return
        content = parts.content(part)
        cid = parts.plain(str(part.get("content-id", ""))).strip().strip("<>")
        self._files.append(MailFile(parts.file_name(part), kind, content, cid))

    def named_files(self) -> tuple[MailFile, ...]:
        """The files, each with a name."""
        return tuple(
            MailFile(each.name or parts.made_up(number, each.media_type), each.media_type, each.content, each.cid)
            for number, each in enumerate(self._files)
        )

    def text(self) -> str:
        """All text, an image mentioned where it stood."""
        files = self.named_files()
        names = {each.cid: each.name for each in files if each.cid}
        text = "\n\n".join(filter(None, (each.strip("\n") for each in self._texts)))[:CUT]
        text = _CID_MENTION.sub(lambda found: f"[image: {names.get(found[1], found[1])}]", text)
        unseen = [name for name in names.values() if f"[image: {name}]" not in text]
        return "\n".join([text, *(f"[image: {name}]" for name in unseen)]).strip("\n") if unseen else text


def _parsed(raw: bytes) -> Message:
    """The message; where its nesting is meant to hurt, a flat one."""
    if raw.count(b"boundary") <= MAX_PARTS:
        parsed = parts.safely(lambda: message_from_bytes(raw, policy=compat32), None)
        if parsed is not None:
            return parsed
    head, _, body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")
    kept = [line for line in head.split(b"\n") if not line.lower().startswith((b"content-", b" ", b"\t"))]
    return message_from_bytes(b"\n".join(kept) + b"\n\n" + body[:MAX_TEXT], policy=compat32)


def _signs(headers: _Headers) -> frozenset[str]:
    found = {
        "auto_submitted": headers.first("auto-submitted").split(";")[0].strip().lower() not in ("", "no"),
        "precedence": headers.first("precedence").strip().lower() in ("bulk", "junk", "list", "auto_reply"),
        "suppress": bool(headers.first("x-auto-response-suppress").strip())
        or bool(headers.first("x-autoreply").strip()),
        "list": bool(headers.first("list-id").strip()),
        "null_sender": headers.first("return-path").strip() == "<>",
    }
    return frozenset(name for name, there in found.items() if there)


def _bounce(message: Message, headers: _Headers, reader: _Reader) -> Bounce | None:
    """What a delivery report says; None: it is none, or tells of no failure."""
    if message.get_content_type() != "multipart/report" and not headers.first("x-failed-recipients"):
        return None
    facts: dict[str, str] = {}
    about: list[str] = []
    for part in parts.walk(message):
        if part.get_content_type() == "message/delivery-status":
            for block in part.get_payload() if isinstance(part.get_payload(), list) else ():
                if isinstance(block, Message):
                    facts = {str(name).lower(): parts.plain(str(value)) for name, value in block.raw_items()} | facts
        elif part.get_content_type() in ("message/rfc822", "text/rfc822-headers", "message/rfc822-headers"):
            said = parts.content(part)[:65536].decode("latin-1")
            about += re.findall(r"(?im)^message-id:\s*<([^<>\s]{1,400})>", said)
    if facts and facts.get("action", "failed").strip().lower() != "failed":
        return None
    if not facts and not headers.first("x-failed-recipients"):
        return None
    said = facts.get("diagnostic-code", "").partition(";")[2] or facts.get("diagnostic-code", "")
    recipient = facts.get("final-recipient", "").rpartition(";")[2] or headers.first("x-failed-recipients")
    about += _ID.findall(headers.first("in-reply-to")) + _ID.findall(headers.first("references"))
    return Bounce(
        about=tuple(dict.fromkeys(about)),
        recipient=recipient.strip()[:320],
        status=facts.get("status", "5.0.0").strip()[:20],
        reason=" ".join((said or reader.text()).split())[:500],
    )
