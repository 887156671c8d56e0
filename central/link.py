"""Link: our ticket <-> their key, with everything that makes the next decision right.

`base` is a pair per field: (ours, theirs) last agreed on, each in its own vocabulary. An `Intent` is a write we are
about to make, committed before it is sent, so that a crash in between can never turn our own echo into their edit.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from central.model import Value


class LinkState(StrEnum):
    """The life of a link. There is one per (ticket, system), through every state."""

    PENDING = "pending"  # a create is under way; the key is known only where reading the new ticket back failed
    ACTIVE = "active"
    DETACHED = "detached"  # base and ids kept, both directions stopped
    LOST = "lost"  # the remote ticket is gone; nothing is deleted here nor created there
    DUPLICATE = "duplicate"  # a late twin of our own create: shown, never synchronised


@dataclass(frozen=True, slots=True)
class Pair:
    """What both sides last agreed on for one field, each in its own words."""

    ours: Value
    theirs: Value


@dataclass(frozen=True, slots=True)
class Refusal:
    """A write the remote refused: not sent again until either value, the mapping or their workflow changes."""

    wanted: Value
    theirs: Value
    reason: str
    mapping_revision: int
    at: datetime


class IntentKind(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    COMMENT = "comment"
    NOTICE = "notice"  # a comment of interdesk's own, such as the last notice of a detached link
    AMEND = "amend"  # another text for a comment of ours
    CORRECT = "correct"  # a note in the stead of an edit, where the comment itself cannot be edited
    REMOVE = "remove"  # a comment of ours is taken away


SPEAKING = (IntentKind.COMMENT, IntentKind.NOTICE, IntentKind.CORRECT)
"""Those that add a comment there, which bears their token."""


@dataclass(frozen=True, slots=True)
class Agreed:
    """What both sides last agreed on for one comment: a word for each side (see `sync.wording`)."""

    ours: str
    theirs: str
    own: bool = False
    """The comment there was written by our account: it may be edited and taken away."""
    whole: bool = True
    """Each side holds the whole text; else an edit there cannot be taken in."""
    quote: str = ""
    """How the text that they hold begins, in one line."""
    holds: str = ""
    """The digest of our text that stands there, in the comment or in a note of correction; '' for none."""
    noted: bool = False
    """A note of correction holds the text there too."""
    disputed: str = ""
    """Our word in a conflict that waits for a person: not told until it changes."""
    erased: str = ""
    """The digest of our text that stands there, where somebody was erased from ours since; '' for none."""


@dataclass(frozen=True, slots=True)
class Tie:
    """A comment of ours and the one there that it is; '' for a parked one."""

    remote_id: str
    agreed: Agreed | None = None
    """None: tied by a version that did not remember it."""


@dataclass(frozen=True, slots=True)
class Intent:
    """A remote write, recorded first. Settled (removed) by what the read-back shows."""

    kind: IntentKind
    token: str
    at: datetime
    """When it was first sent: `find` searches from here."""
    wrote: Mapping[str, Pair] = field(default_factory=dict)
    """Per written field: ours as sent, theirs as written."""
    before: Mapping[str, Value] = field(default_factory=dict)
    """Their values that the decision was made on."""
    side_effects: Mapping[str, Value] = field(default_factory=dict)
    """Values of fields we do not write that the tracker is known to set by itself upon this write."""
    comment_id: int | None = None
    file_ids: tuple[int, ...] = ()
    """Our files that travel with the comment, in the order they are sent."""
    noted_ids: tuple[int, ...] = ()
    """Our files that the tracker does not take: a visible note in the comment stands for each."""
    text: str = ""
    """What was sent, canonical: the fallback evidence where the token was edited away."""
    version: str = ""
    history_seen: str | None = None
    """The newest entry of their history when it was sent; '' for none, None where the history was not read."""
    epoch: int = 0
    """The lease under which it was sent."""
    done: bool = False
    """Its comment is settled; it is kept only until a reading of the fields has recognised its side effects."""
    landed_at: datetime | None = None
    """When the comment arrived, by their clock."""
    agreed: Agreed | None = None
    """What is agreed on for the comment once this has landed."""


@dataclass(frozen=True, slots=True)
class Link:
    """The whole memory of one link. Immutable: the engine changes it by copy and saves it under its lease."""

    id: int
    ticket_id: int
    system: str
    state: LinkState
    key: str | None = None
    address: str = ""
    version: str = ""
    """The ticket's version as last read, and as a list row would show it."""
    row_version: str = ""
    racy_until: datetime | None = None
    """A weak version first seen before this moment may hide a second change: look once more after it."""
    history_seen: str | None = None
    """The newest entry of their history as last read; '' for none, None where it was never read."""
    written_at: datetime | None = None
    """Our last write there: what was asked for before it may be older than it."""
    read_at: datetime | None = None
    """When the newest reading that was taken in was asked for: an older list row tells nothing new."""
    base: Mapping[str, Pair] = field(default_factory=dict)
    seen: Mapping[str, Value] = field(default_factory=dict)
    """Their mapped fields as last read or written."""
    refusals: Mapping[str, Refusal] = field(default_factory=dict)
    disagreements: Mapping[str, str] = field(default_factory=dict)
    """Standing disagreements: field, or `comment ID`, -> reason in a sentence, true as of the last look."""
    standing_since: Mapping[str, datetime] = field(default_factory=dict)
    """Since when each of them stands; one that an older version found is known from the next look on."""
    intents: tuple[Intent, ...] = ()
    superseded: Mapping[str, tuple[Value, ...]] = field(default_factory=dict)
    """Per field, their values as newest sent by writes that were given up: should one be carried out after all, it is
    a stale write of ours, to be written over and never an edit."""
    ignored: tuple[str, ...] = ()
    """Their comments that are ours but no comment of the ticket's (notices, late duplicates): never read again."""
    mapping_revision: int = 0
    outdated: tuple[str, ...] = ()
    """Fields that disagree though nobody has touched them since (a new mapping revision, a time in shadow, a pairing):
    they stand, unwritten."""
    created_at: datetime | None = None
    agreed_at: datetime | None = None
    """The last look that ended with nothing left to do."""
    last_error: str = ""
    birth: bool = False
    """The ticket was born in this system: the link stays for life."""
    first_key: str = ""
    """The key that it was linked under, where it has another one now: tokens are derived from it."""
    merged_into: str = ""
    """Their ticket that this one was merged into, where that is another one here: the link is lost for good."""

    def evolve(self, **changes: object) -> "Link":
        """A copy with these attributes changed."""
        return replace(self, **changes)  # type: ignore[arg-type]  # the names are checked by dataclasses

    def standing(self, disagreements: Mapping[str, str], at: datetime) -> "Link":
        """A copy with these standing disagreements: those that are new stand since `at`."""
        stood = {name: since for name, since in self.standing_since.items() if name in self.disagreements}
        since = {name: stood.get(name, at) for name in disagreements}
        return self.evolve(disagreements=disagreements, standing_since=since)

    @property
    def disagrees_since(self) -> datetime | None:
        """Since when the oldest of its disagreements stands, as far as that is known; of a duplicate there are none."""
        if self.state is LinkState.DUPLICATE:
            return None
        return min((since for name, since in self.standing_since.items() if name in self.disagreements), default=None)
