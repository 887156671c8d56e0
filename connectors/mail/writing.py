"""A mail of ours, as bytes. Pure: the same content gives the same mail, at every attempt."""

import re
from base64 import encodebytes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from hashlib import sha256

from connectors.mail.mailbox import Labels
from connectors.mail.reading import MailFile

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
LOOP = "X-Interdesk-Loop"


@dataclass(frozen=True, slots=True)
class Draft:
    """What goes into a mail."""

    id: str
    sender: str
    to: str
    subject: str
    text: str
    files: Sequence[MailFile] = ()
    answers: Sequence[str] = ()
    """The Message-IDs of the thread, oldest first."""
    subtype: str = "plain"


def compose(draft: Draft, headers: Mapping[str, str], at: datetime) -> bytes:
    """The mail. It says that no person wrote it, so that nobody's machine answers, and bears our loop header."""
    message = EmailMessage(policy=SMTP.clone(max_line_length=998 - 20))
    message["From"], message["To"] = draft.sender, draft.to
    message["Subject"] = one_line(draft.subject)
    message["Date"] = format_datetime(at)
    message["Message-ID"] = f"<{draft.id}>"
    if draft.answers:
        message["In-Reply-To"] = f"<{draft.answers[-1]}>"
        message["References"] = " ".join(f"<{each}>" for each in (*draft.answers[:1], *draft.answers[1:][-20:]))
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message[LOOP] = draft.id.rpartition("@")[2]
    for name, value in headers.items():
        del message[name]
        if value:
            message[name] = one_line(value)
    message.set_content(draft.text, subtype=draft.subtype, charset="utf-8", cte="base64" if _odd(draft.text) else None)
    for file in draft.files:
        kind, _, subtype = file.media_type.partition("/")
        plain = kind in ("application", "image", "audio", "video") and re.fullmatch(r"[A-Za-z0-9.+-]+", subtype)
        # a text or a message would be rewritten on the way: lines, charsets, headers
        message.add_attachment(
            file.content,
            maintype=kind if plain else "application",
            subtype=subtype if plain else "octet-stream",
            filename=one_line(file.name),
        )
    return message.as_bytes()


def wrapped(labels: Labels, entry: bytes, original: bytes, at: datetime) -> bytes:
    """A kept mail as one message that mail programs can show: part 1 is the entry, part 2 the original."""
    boundary = f"interdesk-{sha256(entry + original).hexdigest()[:40]}"
    head = [f"{name}: {one_line(value)}" for name, value in labels.headers().items()]
    head += [f"Subject: {one_line(labels.key)}", f"Date: {format_datetime(at)}", "MIME-Version: 1.0"]
    head += [f'Content-Type: multipart/mixed; boundary="{boundary}"', "", ""]
    pieces = ["\r\n".join(head).encode("ascii", "replace")]
    for content, kind in ((entry, "application/json"), (original, "application/octet-stream; name=original.eml")):
        part = f"--{boundary}\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        pieces += [part.encode(), encodebytes(content).replace(b"\n", b"\r\n")]
    return b"".join([*pieces, f"--{boundary}--\r\n".encode()])


def one_line(value: str) -> str:
    """Nothing that would begin another header."""
    return _CONTROL.sub(" ", value).strip()


def _odd(text: str) -> bool:
    """Whether a text would not come through as it is: bare CR, controls, very long lines."""
    return bool(re.search(r"[\x00-\x08\x0b-\x1f\x7f]", text)) or any(len(line) > 900 for line in text.split("\n"))
