"""What can go wrong out there: one error per remedy, never one per cause.

| error | remedy |
|---|---|
| `Transient` | wait (at least `retry_after`) and try again |
| `QuotaSpent` | our own quota for it is spent: it was not asked at all; wait |
| `Unknown` | the write may have happened: look under its `key`, or for its token, before trying again |
| `VersionConflict` | read again, decide again |
| `NotFound` | mark the link lost; never delete here, never create anew there |
| `Became` | a `NotFound` that says under which key the ticket goes on: follow it |
| `Refused` | a dead letter or a standing disagreement with the tracker's own words |
| `AccessError` | stop this system only, and alarm its contacts |
| `Forged` | a hint that nobody can vouch for: drop it |
| `ProtocolError` | an answer we cannot read: a dead letter with the raw answer |
"""

from datetime import timedelta


class ConnectorError(Exception):
    """The root of everything a connector may raise; anything else is a bug in the connector."""


class Transient(ConnectorError):
    """The tracker is busy, down or out of reach, and nothing was written. Wait and try again."""

    def __init__(self, message: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class QuotaSpent(Transient):
    """The tracker was not asked: our own quota of requests to it is spent for now. That says nothing about it."""


class Unknown(Transient):
    """A write was sent and its answer was lost: it may have happened. Find its token before sending it again.

    `key`: the answer did name a ticket, and only reading that one back failed: it is there, or was."""

    def __init__(self, message: str, *, key: str | None = None) -> None:
        super().__init__(message)
        self.key = key


class VersionConflict(ConnectorError):
    """The ticket is no longer at the expected version. Nothing was written; read again and decide again."""


class NotFound(ConnectorError):
    """The tracker has no ticket (comment, file) under this key, or hides it from us. Mark the link lost."""


class Became(NotFound):
    """The ticket answers under another key now: follow it. `merged`: that one is another ticket, which has taken
    this one in; else it is this very ticket, moved or given another key."""

    def __init__(self, key: str, *, was: str, merged: bool) -> None:
        how = "was merged into ticket" if merged else "is now ticket"
        super().__init__(f"ticket {was} {how} {key} there")
        self.key = key
        self.merged = merged


class Refused(ConnectorError):
    """The tracker understood and said no. `reason` holds its own words; writing the same again is useless."""

    def __init__(self, reason: str, *, field: str | None = None) -> None:
        super().__init__(f"{field}: {reason}" if field else reason)
        self.field = field
        self.reason = reason


class AccessError(ConnectorError):
    """The credentials are wrong, expired or too weak for this call. Stop the system and tell its contacts.

    `remedy` is what whoever tries the system out is told to do."""

    remedy = "check the credentials, and what they may reach"


class OutOfBounds(AccessError):
    """It lives in a network that this instance does not go to: nothing was sent."""

    remedy = "whoever runs this interdesk decides whether it goes there"


class Untrusted(AccessError):
    """One of the two sides does not believe the other's certificate: nothing was sent."""

    remedy = (
        "its certificate must be valid today, made out for the name in the address, and signed by an authority that is "
        "known here: a private one is named by ca_file"
    )


class Forged(ConnectorError):
    """A webhook whose signature is wrong or missing, or that is too old. Nothing of it is believed."""


class ProtocolError(ConnectorError):
    """An answer that does not keep to the protocol (HTML with 200, cut JSON, too large). `raw` is its beginning."""

    def __init__(self, message: str, *, raw: str = "") -> None:
        super().__init__(message)
        self.raw = raw[:2000]


class SettingsError(Exception):
    """The operator's settings for a connector are wrong. `problems` pairs a path inside `settings` with a sentence."""

    def __init__(self, problems: list[tuple[tuple[str | int, ...], str]]) -> None:
        super().__init__("; ".join(sentence for _, sentence in problems))
        self.problems = problems
