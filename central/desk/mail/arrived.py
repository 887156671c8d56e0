"""A mail as whoever reads mail hands it over: plain data, nothing of it believed yet."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Enclosed:
    """A file in a mail."""

    name: str
    media_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answered:
    """A mail of ours that this one answers: what we signed ourselves, so that nobody else can have made it up."""

    ticket_id: int
    internal: bool
    """It told of something internal: so does whatever answers it."""


@dataclass(frozen=True, slots=True)
class Bounced:
    """A mail of ours that came back."""

    ticket_id: int | None
    recipient: str
    reason: str


@dataclass(frozen=True, slots=True)
class Arrived:
    """A mail that came."""

    id: str
    """Its Message-ID."""
    sender: str
    """The one address that it says it is from; '' where it says none, or several."""
    name: str
    subject: str
    """Without "Re:", marks and numbers."""
    text: str
    """What its author wrote."""
    raw: bytes = field(repr=False)
    files: tuple[Enclosed, ...] = ()
    answers: tuple[Answered, ...] = ()
    number: int | None = None
    """The ticket that its subject names, which anybody can write there."""
    doubt: str = ""
    """Why it is not proven that its sender sent it; '': it is."""
    ours: bool = False
    """It is a copy of one of our own."""
    automatic: str = ""
    """By what it shows that no person wrote it."""
    bounced: Bounced | None = None
    empty: bool = False
    """It says nothing but what it answers."""
    cut: int = 0
    """How many bytes of it were too many, and were not read."""
