"""Whether a mail may change anything. Pure, but for the DNS that DKIM is checked with, which is passed in.

Anybody can write any address into a mail. One counts only where its sender is on the list and is proven to be that
sender, where it comes from no automatic hand of ours or theirs, and where there are not too many of them.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import dkim

from connectors.mail.profile import Hour
from connectors.mail.reading import Mail

Dns = Callable[..., bytes | None]
"""Answers the TXT record of a name, as dkimpy asks for it: (name, timeout=…)."""

_COMMENT = re.compile(r"\([^()]*\)")
_TAG_D = re.compile(rb"(?:^|;)\s*d=\s*([A-Za-z0-9.-]{1,255})\s*(?:;|$)")


@dataclass(frozen=True, slots=True)
class Policy:
    """Whom we believe, and how they are proven."""

    senders: tuple[str, ...]
    """Addresses, and domains (with all below them)."""
    authentication: Literal["results", "dkim", "none"]
    authserv_id: str
    hour: Hour
    dns: Dns | None = None
    """None: dkimpy's own."""


@dataclass(frozen=True, slots=True)
class Lately:
    """What was taken in within the last hour."""

    of_sender: int
    of_thread: int
    same_text: bool
    """The same sender has said the very same in this thread."""


def doubt(mail: Mail, raw: bytes, policy: Policy) -> str:
    """Why this mail is not believed, in words; '' where it is."""
    if not mail.sender:
        return "it names no sender, or several"
    if not any(_is_among(mail.sender, each) for each in policy.senders):
        return f"{mail.sender} is not among the senders of this system"
    return unproven(mail, raw, policy)


def unproven(mail: Mail, raw: bytes, policy: Policy) -> str:
    """Why it is not proven that its sender sent it, whoever that is, in words; '' where it is."""
    if not mail.sender:
        return "it names no sender, or several"
    match policy.authentication:
        case "none":
            return ""
        case "results":
            return _doubt_by_results(mail, policy.authserv_id)
        case "dkim":
            return _doubt_by_dkim(mail, raw, policy.dns)


def surplus(lately: Lately, hour: Hour) -> str:
    """Why this mail is one too many, in words; '' where it is not. It bounds a loop of two desks that answer alone."""
    if lately.of_thread >= hour.thread:
        return f"{lately.of_thread} mails came in for this ticket within an hour"
    if lately.of_sender >= hour.sender:
        return f"{lately.of_sender} mails came from this sender within an hour"
    if lately.same_text:
        return "its sender has said the very same in this ticket within an hour"
    return ""


def _is_among(address: str, listed: str) -> bool:
    domain = address.rpartition("@")[2]
    listed = listed.lower().lstrip("@")
    return address == listed if "@" in listed else domain == listed or domain.endswith(f".{listed}")


def _doubt_by_results(mail: Mail, authserv_id: str) -> str:
    """RFC 8601: our server's own header counts alone, and of those the topmost: whatever stands below may have come
    with the mail."""
    for header in mail.results:
        server, _, said = _COMMENT.sub(" ", header).partition(";")
        if server.split()[:1] != [authserv_id]:
            continue
        if any(_proves(each, mail.sender) for each in said.split(";")):
            return ""
        return f"{authserv_id} did not find that {mail.sender} sent it"
    return f"{authserv_id} has not examined it"


def _proves(result: str, sender: str) -> bool:
    """Whether one method's result proves this sender."""
    words = result.split()
    facts = dict(word.split("=", 1) for word in words if "=" in word)
    method = words[0].split("=")[0].lower() if words else ""
    if facts.get(method, "").lower() != "pass":
        return False
    where = {"dmarc": "header.from", "dkim": "header.d", "spf": "smtp.mailfrom"}.get(method, "")
    shown = facts.get(where, facts.get("header.i", "") if method == "dkim" else "")
    return bool(where) and _aligned(shown.rpartition("@")[2], sender)


def _aligned(domain: str, sender: str) -> bool:
    """Whether a domain speaks for this sender: the same, or one above it that has two labels at least."""
    domain, own = domain.lower().strip('"'), sender.rpartition("@")[2]
    return bool(domain) and (own == domain or (domain.count(".") >= 1 and own.endswith(f".{domain}")))


def _doubt_by_dkim(mail: Mail, raw: bytes, dns: Dns | None) -> str:
    signatures = _signing_domains(raw)
    if not any(_aligned(each, mail.sender) for each in signatures):
        return f"it bears no DKIM signature of the domain of {mail.sender}"
    for number, domain in enumerate(signatures):
        if _aligned(domain, mail.sender) and _verified(raw, number, dns):
            return ""
    return f"no DKIM signature of the domain of {mail.sender} holds"


def _signing_domains(raw: bytes) -> Sequence[str]:
    """The domains of the signatures, in the order of the headers; a few at most."""
    head = raw.replace(b"\r\n", b"\n").partition(b"\n\n")[0][:65536]
    head = re.sub(rb"\n[ \t]+", b" ", head)
    found = [line.partition(b":")[2] for line in head.split(b"\n") if line.lower().startswith(b"dkim-signature:")][:4]
    return [match[1].decode() if (match := _TAG_D.search(each)) else "" for each in found]


def _verified(raw: bytes, number: int, dns: Dns | None) -> bool:
    try:
        message = dkim.DKIM(raw, minkey=1024)
        return bool(message.verify(idx=number, dnsfunc=dns) if dns else message.verify(idx=number))
    except (dkim.DKIMException, ValueError, LookupError, TypeError, OSError):
        return False
