"""What an HTTP answer means: success, or one error per remedy. Statuses and words in, errors out; sends nothing.

The question that runs through all of it: was it a *write*, and may it have been done? Then it is `Unknown`.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
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
    VersionConflict,
)

DEFAULT_ERRORS: Mapping[int, str] = {
    400: "refused",
    401: "access",
    403: "access",
    404: "missing",
    405: "refused",
    409: "conflict",
    410: "missing",
    412: "conflict",
    413: "refused",
    422: "refused",
    429: "busy",
    503: "busy",
}
"""What a status means, unless the profile says otherwise. Other 5xx: the server failed, and we do not know."""

OPEN = "whether it was done is open"


def same(text: str) -> str:
    """Nothing to blot out."""
    return text


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that came in whole and means success."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    about: str
    """The request, for errors: method and path."""
    writes: bool
    scrub: Callable[[str], str] = same
    decode: Callable[[bytes], Any] = json.loads
    """Turns the body into plain data.  :raises ValueError: it cannot."""

    @property
    def at(self) -> datetime | None:
        """The server's own clock when it answered."""
        return moment(self.headers.get("Date"))

    def data(self) -> Any:
        """The body as plain data.

        :raises ProtocolError: it cannot be read.  :raises Unknown: so it is, and the request was a write."""
        try:
            return self.decode(self.body)
        except (ValueError, RecursionError):
            raw = self.scrub(self.body[:2000].decode("utf-8", "replace"))
        what = "is a web page where data was expected (a log-in page?)" if raw.lstrip()[:1] == "<" else "is not JSON"
        raise unreadable(self.about, what, writes=self.writes, raw=raw)


@dataclass(frozen=True, slots=True)
class Judge:
    """Turns answers that are no success into errors, with the tracker's own words."""

    errors: Mapping[int, str]
    """Status -> access, missing, conflict, refused or busy."""
    reason: Callable[[Any], str]
    """Finds the tracker's own words in an error's body."""
    scrub: Callable[[str], str]
    clock: Callable[[], datetime]
    wordless: Mapping[int, str] = field(default_factory=dict)
    """What a status means where the body bears no words at all."""

    def trouble(
        self, about: str, response: requests.Response, raw: str, errors: Mapping[int, str] | None, *, writes: bool
    ) -> ConnectorError:
        """The error for this answer. `raw` is the beginning of its body, `errors` what this operation knows better."""
        status, headers = response.status_code, response.headers
        if 300 <= status < 400:
            return redirected(about, self.scrub(headers.get("Location", "").partition("?")[0]))
        reason = self._own_words(raw)
        told = f"{about}: {reason} (status {status})" if reason else f"{about}: status {status}"
        table = {**self.errors, **(errors or {}), **({} if reason else self.wordless)}
        match table.get(status, "failed" if status >= 500 or status == 408 else "strange"):
            case "access":
                return AccessError(f"{told}: the credentials are wrong, expired or too weak for this")
            case "missing":
                return NotFound(told)
            case "busy":
                return Transient(told, retry_after=patience(headers, self.clock()))
            case "conflict" if writes:
                return VersionConflict(told)
            case "refused" if writes:
                return Refused(reason or f"status {status} without a word")
            case "failed" if writes:
                return Unknown(f"{told}: the server failed on a write; {OPEN}")
            case "failed":
                return Transient(told, retry_after=patience(headers, self.clock()))
            case _:
                return ProtocolError(told, raw=raw)

    def _own_words(self, raw: str) -> str:
        try:
            words = self.reason(json.loads(raw))
        except (ValueError, RecursionError):
            words = ""
        return " ".join(words.split())[:500]


def redirected(about: str, target: str) -> ConnectorError:
    """Redirects are not followed: they would carry a write, or our credentials, to who knows where."""
    if re.search(r"log-?in|sign-?in|sso|auth|cas\b", target, re.IGNORECASE):
        return AccessError(f"{about}: redirected to {target}, a log-in page by its name: are the credentials right?")
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
    if "CERTIFICATE_VERIFY_FAILED" in detail:
        found = re.search(r"certificate verify failed: ([^(\]']*)", detail)
        why = found[1].strip() if found else "not trusted"
        return AccessError(f"{about}: the certificate is refused ({why}); a private authority is named by ca_file")
    return Unknown(f"{about}: TLS failed on a write; {OPEN}") if writes else Transient(f"{about}: TLS failed")


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
