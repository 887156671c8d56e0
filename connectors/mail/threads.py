"""Which ticket a mail belongs to. Pure.

Asked in this order: our own signed Message-ID among what it answers; a mail we know among what it answers; our signed
mark in the subject; the desk's own number in the subject. What is not signed is only ever looked up, never believed
for what it says of itself.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass

from connectors.mail.profile import NUMBER
from connectors.mail.reading import Mail

KEY = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{2,79}")
_WORD = r"[0-9A-Za-z._-]{3,80}"
_SIGNATURE = r"[a-z2-7]{10}"
_ID = re.compile(rf"(?P<token>{_WORD})\+(?P<key>{_WORD})\+(?P<signature>{_SIGNATURE})@[^@\s]{{1,255}}")
_MARK = re.compile(rf"\[interdesk (?P<key>{_WORD})-(?P<signature>{_SIGNATURE})\]")
_ANSWERED = re.compile(r"\s*(?:(?:re|aw|wg|sv|vs|fwd?|tr|odp)(?:\[\d{1,3}\])?\s*:\s*)+", re.IGNORECASE)


class Signer:
    """Signs our marks with the system's secret, so that nobody else can point a mail at a ticket with one."""

    def __init__(self, secret: str, domain: str) -> None:
        self._secret, self._domain = secret.encode(), domain

    def id(self, token: str, key: str) -> str:
        """The Message-ID of the mail of ours that bears this token, without brackets: the same at every attempt."""
        return f"{token}+{key}+{self._sign('id', token, key)}@{self._domain}"

    def of_id(self, message_id: str) -> str | None:
        """The ticket's key in a Message-ID of ours; None: it is none, or is not signed by us."""
        found = _ID.fullmatch(message_id)
        if found is None or not self._is(found["signature"], "id", found["token"], found["key"]):
            return None
        return found["key"]

    def mark(self, key: str) -> str:
        """Our mark in the subject of every mail of a ticket."""
        return f"[interdesk {key}-{self._sign('subject', key)}]"

    def of_subject(self, subject: str) -> str | None:
        """The ticket's key in our mark in a subject; None: there is none that we signed."""
        for found in _MARK.finditer(subject):
            if self._is(found["signature"], "subject", found["key"]):
                return found["key"]
        return None

    def _sign(self, *words: str) -> str:
        digest = hmac.new(self._secret, "\0".join(words).encode(), hashlib.sha256).digest()
        return base64.b32encode(digest).decode()[:10].lower()

    def _is(self, signature: str, *words: str) -> bool:
        return hmac.compare_digest(signature, self._sign(*words))


class Numbers:
    """How the desk's own number stands in its subjects."""

    def __init__(self, template: str) -> None:
        """`template`: a text around {number}; '' where the desk gives none."""
        self._template = template
        before, _, after = template.partition(NUMBER)
        pattern = rf"{re.escape(before)}(?P<number>[0-9A-Za-z.-]{{1,40}}){re.escape(after)}"
        self._found = re.compile(pattern, re.IGNORECASE) if template else None

    def read(self, subject: str) -> str:
        """The number in a subject; '' where there is none."""
        found = self._found.search(subject) if self._found else None
        return found["number"] if found else ""

    def write(self, number: str) -> str:
        """The number as their subjects bear it; '' where there is none."""
        return self._template.replace(NUMBER, number) if number and self._template else ""

    def without(self, subject: str) -> str:
        """The subject without it."""
        return self._found.sub(" ", subject) if self._found else subject


@dataclass(frozen=True, slots=True)
class Place:
    """Where a mail belongs, and how that was told."""

    key: str
    how: str
    is_new: bool = False


def place(
    mail: Mail,
    signer: Signer,
    numbers: Numbers,
    *,
    of_mail: Callable[[str], str | None],
    of_number: Callable[[str], str | None],
) -> Place:
    """The ticket that this mail belongs to; a new one where nothing tells.

    `of_mail`: the ticket of a mail that was taken in, by its Message-ID; `of_number`: the one that bears a number."""
    for reference in mail.references:
        key = signer.of_id(reference)
        if key is not None:
            return Place(key, "it answers a mail of ours")
    for reference in mail.references:
        key = of_mail(reference)
        if key is not None:
            return Place(key, "it answers a mail of theirs")
    key = signer.of_subject(mail.subject)
    if key is not None:
        return Place(key, "its subject bears our mark")
    number = numbers.read(mail.subject)
    key = of_number(number) if number else None
    if key is not None:
        return Place(key, "its subject bears their number")
    return Place(f"no.{number}" if number else new_key(mail.id), "it is new", is_new=True)


def new_key(message_id: str) -> str:
    """The key of a ticket that begins with this mail."""
    return "m" + base64.b32encode(hashlib.sha256(message_id.encode()).digest()).decode()[:15].lower()


def bare_subject(subject: str, numbers: Numbers) -> str:
    """What a subject says: no "Re:", no mark of ours, no number of theirs."""
    said = numbers.without(_MARK.sub(" ", subject))
    return " ".join(_ANSWERED.sub("", said, count=1).split())
