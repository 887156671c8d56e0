"""What an HTTP answer means: success, or one error per remedy. Statuses and words in, errors out; sends nothing.

The question that runs through all of it: was it a *write*, and may it have been done? Then it is `Unknown`.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import requests
from urllib3.exceptions import ReadTimeoutError

from connectors.errors import (
    AccessError,
    ConnectorError,
    NotFound,
    ProtocolError,
    Refused,
    Transient,
    Unknown,
    Untrusted,
    VersionConflict,
)
from connectors.remedies import BY_STATUS, Errors, Sign
from connectors.soap.raw import Unreadable

OPEN = "whether it was done is open"
_BEGINNING = 65536
"""Bytes of a body in which signs that are no data are looked for."""


def same(text: str) -> str:
    """Nothing to blot out."""
    return text


class TurnedAway(AccessError):
    """Our credentials were not accepted. A session that is over looks the same: whoever can log in again tries once.

    `undone`: a write that was answered so was surely not done."""

    def __init__(self, message: str, *, undone: bool = True) -> None:
        super().__init__(message)
        self.undone = undone


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that came in whole and means success."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    about: str
    """The request, for errors: method and path."""
    writes: bool
    scrub: Callable[[str], str] = same
    decode: Callable[[bytes], Any] = json.loads
    """Turns the body into plain data.  :raises ValueError: it cannot."""
    cookies: Sequence[str] = field(default=(), repr=False)
    """What it sets, as the headers say it."""
    empty: bool = False
    """It came as an error that means "nothing there": a list has no rows, and `data()` is None."""

    @property
    def at(self) -> datetime | None:
        """The server's own clock when it answered."""
        return moment(self.headers.get("Date"))

    @property
    def is_page(self) -> bool:
        """Whether it is a web page, which is never data: a log-in page perhaps."""
        return "html" in self.headers.get("Content-Type", "").lower() and self.body.lstrip()[:1] == b"<"

    def data(self) -> Any:
        """The body as plain data.

        :raises ProtocolError: it cannot be read.  :raises Unknown: so it is, and the request was a write."""
        try:
            return None if self.empty else self.decode(self.body)
        except Unreadable as trouble:
            raw = self.scrub(self.body[:2000].decode("utf-8", "replace"))
            raise unreadable(self.about, str(trouble), writes=self.writes, raw=raw) from None
        except (ValueError, RecursionError):
            raw = self.scrub(self.body[:2000].decode("utf-8", "replace"))
        what = "is a web page where data was expected (a log-in page?)" if raw.lstrip()[:1] == "<" else "is not JSON"
        raise unreadable(self.about, what, writes=self.writes, raw=raw)


@dataclass(frozen=True, slots=True)
class Judge:
    """Says what an answer means: success, or one error per remedy with the tracker's own words."""

    errors: Errors
    scrub: Callable[[str], str]
    clock: Callable[[], datetime]
    decode: Callable[[bytes], Any] = json.loads

    def verdict(self, answer: Answer, known: Mapping[int, str] | None = None) -> Answer:
        """The answer, if it is a success or an empty list. `known` is what this operation knows better of a status.

        Of an answer that is an error by its status, the beginning of the body is enough.

        :raises ConnectorError: by remedy."""
        status = answer.status
        success = 200 <= status < 300
        if success and not self.errors.of_success:
            return answer
        raw = answer.body[:_BEGINNING].decode("utf-8", "replace")
        data = self._data(answer.body)
        sign = self.errors.sign(status, data, raw)
        if sign is None and success:
            return replace(answer, decode=lambda _: data) if data is not None else answer
        if sign is not None and sign.means == "empty" and not answer.writes:
            return replace(answer, empty=True)
        if sign is None and 300 <= status < 400:
            raise redirected(answer.about, self.scrub(answer.headers.get("Location", "").partition("?")[0]))
        raise self._trouble(answer, sign, data, self.scrub(raw), known or {})

    def _trouble(
        self, answer: Answer, sign: Sign | None, data: Any, raw: str, known: Mapping[int, str]
    ) -> ConnectorError:
        status, writes = answer.status, answer.writes
        words = self.errors.said(data, sign) if data is not None else _plain_words(raw)
        reason = self.scrub(words)
        told = f"{answer.about}: {reason} (status {status})" if reason else f"{answer.about}: status {status}"
        means = sign.means if sign is not None else known.get(status) or BY_STATUS.get(status)
        if means == "denied":
            means = known.get(403, "denied")
        match means or ("failed" if status >= 500 else "strange"):
            case "access":
                undone = sign is None or sign.proves_undone(status)
                return TurnedAway(f"{told}: the credentials are wrong, expired or too weak for this", undone=undone)
            case "denied":
                return AccessError(f"{told}: the credentials are wrong, expired or too weak for this")
            case _ if sign is not None and writes and not sign.proves_undone(status):
                return Unknown(f"{told}: a page that says so may stand after the work too; {OPEN}")
            case "missing" | "empty":
                return NotFound(told)
            case "busy":
                return Transient(told, retry_after=patience(answer.headers, self.clock()))
            case "conflict" if writes:
                return VersionConflict(told)
            case "refused" if writes:
                return Refused(reason or f"status {status} without a word")
            case "failed" if writes:
                return Unknown(f"{told}: the server failed on a write; {OPEN}")
            case "failed":
                return Transient(told, retry_after=patience(answer.headers, self.clock()))
            case _:
                return ProtocolError(told, raw=raw)

    def _data(self, body: bytes) -> Any:
        try:
            return self.decode(body)
        except (ValueError, RecursionError):
            return None


def _plain_words(raw: str) -> str:
    """A short text that is no data and no page is the tracker's own words."""
    return "" if raw.lstrip()[:1] in ("<", "{", "[") else " ".join(raw.split())[:200]


def redirected(about: str, target: str) -> ConnectorError:
    """Redirects are not followed: they would carry a write, or our credentials, to who knows where."""
    if re.search(r"log-?in|sign-?in|sso|auth|cas\b", target, re.IGNORECASE):
        return TurnedAway(f"{about}: redirected to {target}, a log-in page by its name: are the credentials right?")
    return ProtocolError(f"{about}: redirected to {target}; register the final address, redirects are not followed")


def unreadable(about: str, what: str, *, writes: bool, raw: str = "") -> ConnectorError:
    """The answer came, and cannot be read. `what` continues "the answer …"."""
    if writes:
        return Unknown(f"{about}: the answer {what}; it was a write, and {OPEN}")
    return ProtocolError(f"{about}: the answer {what}", raw=raw)


def broken(about: str, error: Exception, *, writes: bool) -> Transient:
    """The connection broke after it was made, or the time was over."""
    late = isinstance(error, TimeoutError | requests.Timeout | ReadTimeoutError) or "timed out" in str(error)
    what = "no whole answer within the deadline" if late else "the connection broke"
    if writes:
        return Unknown(f"{about}: {what} after a write was sent; {OPEN}")
    return Transient(f"{about}: {what}")


def tls_trouble(about: str, detail: str, *, writes: bool) -> ConnectorError:
    """Certificates are for people to mend; everything else about TLS passes or not."""
    if re.search("ALERT_[A-Z_]*(CERTIFICATE|UNKNOWN_CA|HANDSHAKE_FAILURE)", detail):
        return Untrusted(
            f"{about}: the server does not accept our client certificate, or wants one that we do not show"
        )
    if "CERTIFICATE_VERIFY_FAILED" in detail:
        found = re.search(r"certificate verify failed: ([^(\]']*)", detail)
        why = found[1].strip() if found else "not trusted"
        return Untrusted(f"{about}: the certificate is refused ({why}); a private authority is named by ca_file")
    if writes:
        return Unknown(f"{about}: TLS failed on a write; {OPEN}")
    plain = "; what answers there does not speak TLS: is it http://, or another port?"
    return Transient(f"{about}: TLS failed{plain if 'WRONG_VERSION_NUMBER' in detail else ''}")


def moment(text: str | None) -> datetime | None:
    """An HTTP date; None where there is none that can be read."""
    try:
        found = parsedate_to_datetime(text) if text else None
    except ValueError:
        return None
    return found.astimezone(UTC) if found is not None and found.tzinfo else None


def patience(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """Retry-After, in seconds or as a date by the server's own clock."""
    text = headers.get("Retry-After", "").strip()
    if text.isdecimal():
        return timedelta(seconds=min(int(text[:9]), 86400))
    until = moment(text)
    if until is None:
        return None
    return max(until - (moment(headers.get("Date")) or now), timedelta(0))
