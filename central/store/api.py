"""The contract of the store: one transaction holds a change, its events, the deliveries it owes and the counters.

Work is passed in as a function of a transaction. The store may run several such functions in one group and commit
them together (each in a savepoint, so that one bad change does not take the others with it); `write` returns only
after the group's commit, so whatever it returned is durable. Never call a remote from inside one.

A *delivery* is a look that a system is owed: one row per (system, direction, subject), where the subject is their
key (inward) or our ticket id (outward). `generation` rises with every new reason; a delivery is done only if its
generation is still the one that was claimed, so no wake-up is lost. A *lease* says who works on a subject now; its
epoch fences late writers.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Any, Protocol, TypeVar, runtime_checkable

from central.account import Account, Pass, PassKind, Session, Token
from central.alert import Alert, AlertKind
from central.audit import Entry
from central.events import Event
from central.guard import Hold, HoldKind, HoldState, Marker, Suspect
from central.heartbeat import Heartbeat
from central.instance import Instance
from central.job import Job, JobRow
from central.link import Agreed, Link, Tie
from central.mail import Mail, Verdict
from central.model import Attachment, Comment, Conflict, NewComment, NewFile, Ticket, Value
from central.origin import Origin
from central.registry import Document, System
from central.rights import Sight
from central.seal import Seal
from central.search import Page, Query
from central.shadow import Seen, Shadow

T = TypeVar("T")


class StoreError(Exception):
    """The root of what a store may raise on purpose."""


class NoSuch(StoreError, LookupError):
    """A lookup by id or name found nothing. The sentence says what was looked for."""


class StaleRevision(StoreError):
    """The ticket has moved since it was read: read it again and decide again."""


class LeaseLost(StoreError):
    """Somebody else works on this now. Stop at once; nothing of this transaction was written."""


class AlreadyLinked(StoreError):
    """The key belongs to another ticket, or the ticket has a link to this system already."""


class Taken(StoreError):
    """Somebody else has this login, or signs in as this subject, already."""


class Busy(StoreError):
    """Another process holds what this one needs. The sentence says who and what to do."""


class CommitFailed(StoreError):
    """The database could not commit; nothing of this transaction was written. Try again once it is well."""


class CommitUnknown(StoreError):
    """The database was lost in the middle of a commit and did not come back: whether this transaction was written is
    not known. Look before you repeat it."""


class Unreachable(StoreError):
    """The database's server does not answer. The sentence has its own words."""


class WrongSchema(StoreError):
    """The database is not at the revision this program was written for. The sentence says what to run."""


class ReadOnly(StoreError):
    """A question tried to write. That is a bug: use `Store.write`."""


class TooLarge(StoreError):
    """More bytes than the limit allows."""


class Direction(StrEnum):
    INWARD = "inward"
    OUTWARD = "outward"


class Lane(IntEnum):
    """Live goes before backfill."""

    LIVE = 0
    BACKFILL = 1


class DeliveryState(StrEnum):
    DUE = "due"
    DEAD = "dead"  # a dead letter: needs a person
    DISCARDED = "discarded"  # a person gave it up: owed no more, until there is a new reason


@dataclass(frozen=True, slots=True)
class Delivery:
    """A look that a system is owed."""

    id: int
    system: str
    direction: Direction
    subject: str
    generation: int
    lane: Lane
    state: DeliveryState
    not_before: datetime
    owed_since: datetime
    """Since when no look that finished has answered for it: the lag of the system shows here."""
    attempts: int
    reason: str
    """Why it is owed (the latest reason)."""
    error: str = ""
    hint: Mapping[str, Any] | None = None
    """What the latest hint itself carried (a full row), plain; never believed where the ticket can be fetched."""
    trail: str = ""
    """Of the latest reason: all looks that follow from one change bear the same."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on one subject until `expires_at`. Every transaction of the work checks it."""

    name: str
    owner: str
    epoch: int
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery taken up under a lease."""

    delivery: Delivery
    lease: Lease
    more: bool = False
    """Whether others were due behind it; somebody else may hold their leases."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Kept counters of one system: what the status page shows without counting."""

    links: int = 0
    """Links in every state, duplicates aside."""
    disagreements: int = 0
    """Those of them that carry at least one standing disagreement."""
    due: int = 0
    dead: int = 0
    oldest_due_at: datetime | None = None
    """The earliest `owed_since` of what is due."""
    held: int = 0
    """Open holds of the guards, those on single tickets included."""
    discarded: int = 0
    """Looks that a person gave up, and that nothing has made owed again: each is a loss that must show."""


class Tickets(Protocol):
    """Tickets, their comments and files, their history."""

    def create(self, fields: Mapping[str, Value], at: datetime, *, born_in: str | None = None) -> Ticket:
        """A new ticket at revision 1."""

    def get(self, ticket_id: int) -> Ticket:
        """:raises NoSuch: no ticket has this id."""

    def change(self, ticket: Ticket, changes: Mapping[str, Value], at: datetime) -> Ticket:
        """Compare and set: the ticket as given must still be the current revision.

        :raises StaleRevision: it is not."""

    def touch(self, ticket_id: int, at: datetime) -> None:
        """The conversation moved: `changed_at` rises, the revision of the fields does not."""

    def list(self, *, words: str = "", limit: int = 50, before: int | None = None) -> Sequence[Ticket]:
        """Newest (highest id) first; each of `words` is looked for in the subject, whatever its case; `before` is
        the last id of the page before."""

    def search(self, query: Query, sight: Sight, *, limit: int = 50, before: int | None = None) -> Page:
        """Those that `central.search.matches` finds, newest (highest id) first; `before` is that of the page before.

        No page costs more than looking through so many tickets, however many there are."""

    def count(self) -> int:
        """How many there are (a kept counter)."""

    def add_comment(self, ticket_id: int, comment: NewComment) -> Comment:
        """Append a comment and its files. Its (origin_system, origin_id) is added once per ticket: a second call
        returns it as it is.

        :raises NoSuch: no such ticket, or the bytes of a file are not in the store."""

    def comments(self, ticket_id: int) -> Sequence[Comment]:
        """In central order (the order they arrived)."""

    def revise_comment(self, comment: Comment) -> Comment:
        """Write back its text, gap, visibility, `edited_at` and `deleted_at`; its files get its visibility.

        :raises NoSuch: no such comment on this ticket."""

    def add_file(
        self,
        ticket_id: int,
        comment_id: int | None,
        file: NewFile,
        at: datetime,
        *,
        internal: bool = False,
        origin_system: str | None = None,
    ) -> Attachment:
        """Hang a stored file on a ticket or comment; the same (origin_system, origin_id) is added once per ticket.

        :raises NoSuch: no such ticket or comment, or its bytes are not in the store."""

    def files(self, ticket_id: int) -> Sequence[Attachment]:
        """Every file of the ticket, in order of arrival."""

    def record(self, events: Iterable[Event]) -> None:
        """Append to the history."""

    def events(self, ticket_id: int, *, field: str | None = None, last: int | None = None) -> Sequence[Event]:
        """The history, oldest first; `last`: only that many of the newest, at a cost that does not grow with it."""

    def happened(self, *, after: int, limit: int = 100) -> Sequence[Event]:
        """What happened to any ticket, by id. Of several processes that write at once, one may show its events a little
        after those that bear higher ids."""

    def newest_event(self) -> int:
        """The id of the newest event; 0: nothing ever happened. Cheap."""

    def keep_conflict(self, conflict: Conflict) -> Conflict:
        """Keep an edit that lost (its `id` is given here)."""

    def decide_conflict(self, conflict_id: int, *, winner: str, reason: str) -> None:
        """A person has decided it: it is open no more.  :raises NoSuch: there is none with this id."""

    def conflicts(self, ticket_id: int | None = None, *, open_only: bool = False) -> Sequence[Conflict]:
        """Of one ticket, or of all, oldest first."""


class Links(Protocol):
    """Links and the comments and files that they tie together."""

    def create(self, link: Link) -> Link:
        """Store a new link (its `id` is given here).

        :raises AlreadyLinked: the pair or the key is taken."""

    def save(self, link: Link) -> None:
        """Write the whole link back (its ticket and system stay as they are).

        :raises NoSuch: there is none with this id.  :raises AlreadyLinked: its key belongs to another ticket."""

    def find(self, ticket_id: int, system: str) -> Link | None:
        """The link of this ticket to this system (never a duplicate's)."""

    def find_by_key(self, system: str, key: str) -> Link | None:
        """The link that holds this key, or held it once; a duplicate's included."""

    def remember_key(self, link_id: int, key: str) -> None:
        """Their ticket was called this before: `find_by_key` goes on finding its link, until another link holds the
        key itself. A repeat is nothing."""

    def of(self, ticket_id: int) -> Sequence[Link]:
        """All links of a ticket, duplicates included, oldest first."""

    def find_intent(self, system: str, token: str) -> Link | None:
        """The link of this system that has, or ever had, an intent to create with this token."""

    def tie_comment(
        self, link_id: int, comment_id: int, remote_id: str, at: datetime, agreed: Agreed | None = None
    ) -> None:
        """This comment of ours is that comment of theirs. Both are unique within the link; a repeat is nothing.

        A parked one ('') may get its id later.  :raises AlreadyLinked: either is tied to another.
        :raises NoSuch: no such link, or no such comment on its ticket."""

    def agree_comment(self, link_id: int, comment_id: int, agreed: Agreed) -> None:
        """Both sides agree anew on a tied comment.  :raises NoSuch: it is not tied."""

    def untie_comment(self, link_id: int, comment_id: int) -> None:
        """This comment is not there any more. One of ours is to be sent anew; the id that one of theirs had there (its
        origin id) may be given to another one. Nothing happens where it is not tied."""

    def ties(self, link_id: int) -> Mapping[int, str]:
        """Comment id -> their comment id ('' for a parked one)."""

    def tied(self, link_id: int) -> Mapping[int, Tie]:
        """The same, with what both sides last agreed on."""

    def tie_file(self, link_id: int, file_id: int, remote_id: str) -> None:
        """This file of ours is that file of theirs, by the same rules."""

    def untie_file(self, link_id: int, file_id: int) -> None:
        """The same for a file."""

    def file_ties(self, link_id: int) -> Mapping[int, str]:
        """File id -> their file id ('' for one that a note stands in for)."""

    def of_system(self, system: str, *, after: int = 0, limit: int = 100) -> Sequence[Link]:
        """Links of one system in every state, by id, for the full scan."""


class Outbox(Protocol):
    """Deliveries and leases."""

    def owe(
        self,
        system: str,
        direction: Direction,
        subject: str,
        at: datetime,
        *,
        reason: str,
        lane: Lane = Lane.LIVE,
        not_before: datetime | None = None,
        hint: Mapping[str, Any] | None = None,
        trail: str = "",
    ) -> None:
        """A system is owed a look: a new row, or a higher generation of the one that is there.

        A live reason promotes a backfill row; an earlier `not_before` wins (None: at once); a dead letter, and one
        that was discarded, comes alive again, with its attempts forgotten; the latest reason, trail and hint are kept,
        even where the hint is None (what an older one carried is out of date)."""

    def claim(
        self,
        system: str,
        owner: str,
        at: datetime,
        *,
        ttl: timedelta,
        lease_name: Callable[["Transaction", Delivery], str],
        only: Direction | None = None,
    ) -> Claim | None:
        """Take up the next due delivery whose subject nobody holds a live lease on: live before backfill, then
        oldest `not_before` first; `only` those of this direction. `lease_name` maps a delivery to what must not
        be worked on twice at once."""

    def next_due_at(self, system: str, *, after: datetime | None = None) -> datetime | None:
        """When the earliest delivery of this system falls due; None: there is none.

        Whoever sleeps after a fruitless `claim(at)` asks with `after=at`: what was due then is held under a lease,
        and its release wakes."""

    def check(self, lease: Lease, at: datetime) -> None:
        """:raises LeaseLost: expired, or of an older epoch."""

    def release(self, lease: Lease) -> None:
        """Give the lease back; nothing happens where it is lost already."""

    def prolong(self, lease: Lease, at: datetime, *, ttl: timedelta) -> Lease:
        """The same lease for a new term that begins now.  :raises LeaseLost: as `check`."""

    def release_all(self, owner: str | None = None) -> None:
        """Take back every lease, or all of this owner: for whoever knows that those who held them are dead."""

    def done(self, claim: Claim, at: datetime) -> bool:
        """The look is finished and its lease released. False: a newer generation waits, and stays due.

        :raises LeaseLost: as `check`; so do `retry` and `bury`."""

    def retry(self, claim: Claim, at: datetime, *, not_before: datetime, error: str) -> None:
        """Not now: keep it, count the attempt, release the lease. Even a newer generation waits until then."""

    def put_back(self, claim: Claim, at: datetime, *, not_before: datetime, error: str) -> None:
        """As `retry`, but it was not tried: no attempt is counted, and a newer generation is not delayed."""

    def bury(self, claim: Claim, at: datetime, *, error: str) -> None:
        """Make it a dead letter with the tracker's own words, and release the lease.

        Where a newer generation waits, that one has not been tried yet: it stays due."""

    def discard(self, delivery_id: int, *, error: str) -> None:
        """Give a dead letter up, for ever unless a new reason comes. `error` says who did, why, and what it said.

        :raises NoSuch: no dead letter has this id."""

    def get(self, delivery_id: int) -> Delivery:
        """:raises NoSuch: no delivery has this id (any more)."""

    def find(self, system: str, direction: Direction, subject: str) -> Delivery | None:
        """The delivery of this subject, dead and discarded ones included; None: nothing is owed."""

    def dead(self, system: str | None = None) -> Sequence[Delivery]:
        """Dead letters, oldest first."""

    def discarded(self, system: str | None = None) -> Sequence[Delivery]:
        """Those that were given up, oldest first."""

    def counts(self) -> Mapping[str, Counts]:
        """The kept counters of every system that has any."""

    def waiting(self, system: str, lane: Lane, *, most: int) -> int:
        """How many deliveries of this lane are due or will be, counted up to `most`."""

    def take(self, name: str, owner: str, at: datetime, *, ttl: timedelta) -> Lease | None:
        """A lease on what is no delivery, such as `job/7`; None: somebody else holds it.

        Whoever holds it gets it again for a new term, at the epoch it has."""


class Quotas(Protocol):
    """Places in time for the requests to a system: whoever asks it, however many ask, they spend one quota."""

    def reserve(self, system: str, at: datetime, places: int, *, every: timedelta, burst: timedelta) -> datetime:
        """The next so many places, `every` apart, are the caller's; when the first of them is.

        No place is given twice, and none lies further back than `burst`: what was not asked for so long may be asked
        at once. A place may be used from its time on, and is void when that is longer ago than `burst`."""


class Registry(Protocol):
    """Documents with their revisions, and the systems they describe."""

    def apply(
        self, kind: str, name: str, source: str, data: Mapping[str, Any], at: datetime, *, by: str, origin: str = ""
    ) -> Document:
        """A new revision, or the current one where neither source nor data differ."""

    def document(self, kind: str, name: str, revision: int | None = None) -> Document:
        """The current (or that) revision.  :raises NoSuch: there is none; the sentence lists the names there are."""

    def documents(self, kind: str | None = None) -> Sequence[Document]:
        """Current revisions, by kind and name."""

    def revisions(self, kind: str, name: str) -> Sequence[Document]:
        """All revisions, oldest first."""

    def put_system(self, system: System) -> None:
        """Create or replace the running state of a system."""

    def system(self, name: str) -> System:
        """:raises NoSuch: not registered."""

    def systems(self) -> Sequence[System]:
        """By name."""


class Jobs(Protocol):
    """Jobs and what they report."""

    def create(self, job: Job) -> Job:
        """Store a new job (its `id` is given here)."""

    def save(self, job: Job) -> None:
        """Write the whole job back.  :raises NoSuch: there is none with this id."""

    def get(self, job_id: int) -> Job:
        """:raises NoSuch: no job has this id."""

    def list(self, *, open_only: bool = False) -> Sequence[Job]:
        """Oldest first; `open_only`: those of which something may still come."""

    def add_rows(self, job_id: int, rows: Iterable[JobRow]) -> None:
        """Append to its report; a row about the same subject takes the place of the earlier one."""

    def rows(self, job_id: int, *, verdict: str | None = None, after: int = 0, limit: int = 1000) -> Sequence[JobRow]:
        """Its report, in order; `after` is the last row's id of the page before."""

    def verdicts(self, job_id: int) -> Mapping[str, int]:
        """How many rows of its report have which verdict."""


class Shadows(Protocol):
    """Writes that were computed for a system in shadow, and not made."""

    def record(self, shadow: Shadow) -> None:
        """Keep it (its `id` is given here). One that is still missing, about the same item, is superseded."""

    def judge(self, shadow_id: int, seen: Seen, at: datetime, *, did: Value = None) -> None:
        """Say what people did about it.  :raises NoSuch: there is none with this id."""

    def missing(self, system: str, *, ticket_id: int | None = None, key: str = "") -> Sequence[Shadow]:
        """Those of one ticket, by either name, that nobody has done yet, oldest first."""

    def list(self, system: str, *, seen: Seen | None = None, limit: int = 100) -> Sequence[Shadow]:
        """Newest first."""

    def counts(self, system: str) -> Mapping[Seen, int]:
        """How many became of which."""

    def prune(self, system: str, *, keep: int) -> None:
        """Forget all but the newest `keep`."""


class Guards(Protocol):
    """Holds, and what the guards judge by."""

    def hold(self, hold: Hold) -> Hold:
        """Open a hold (its `id` is given here). Where one of its kind is open there, that one, as it is."""

    def get(self, hold_id: int) -> Hold:
        """:raises NoSuch: no hold has this id."""

    def list(
        self, *, open_only: bool = False, system: str | None = None, after: int = 0, limit: int = 100
    ) -> Sequence[Hold]:
        """Holds by id, `limit` of them after the one with the id `after`."""

    def holding(self, system: str, ticket_id: int | None = None) -> Hold | None:
        """An open hold on the system as a whole, or on this ticket there; None: nothing is held. Cheap."""

    def latest(self, kind: HoldKind, system: str, ticket_id: int | None = None) -> Hold | None:
        """The newest hold of this kind on exactly this system and ticket, whatever became of it."""

    def note(self, hold_id: int, evidence: Mapping[str, Any]) -> None:
        """Replace the evidence of a hold.  :raises NoSuch: no hold has this id."""

    def decide(self, hold_id: int, state: HoldState, at: datetime, *, by: str) -> Hold:
        """Approve or reject an open hold.  :raises NoSuch: no hold has this id, or it was decided before."""

    def suspect(self, suspect: Suspect) -> bool:
        """Remember a ticket; False: it was remembered already, and only its data is renewed."""

    def find_suspect(self, system: str, kind: HoldKind, ticket_id: int) -> Suspect | None:
        """What is remembered of this ticket."""

    def suspects(self, system: str, kind: HoldKind, *, after: int = 0, limit: int = 100) -> Sequence[Suspect]:
        """Those of one kind by ticket id, `limit` of them after that of the ticket `after`."""

    def acquit(self, system: str, kind: HoldKind, *, ticket_id: int | None = None, before: datetime) -> None:
        """Forget what was remembered before this moment: of one ticket, or of all."""

    def add_to_rate(self, system: str, kind: HoldKind, hour: datetime) -> None:
        """One more in the hour that begins then."""

    def rates(self, system: str, kind: HoldKind, since: datetime) -> Sequence[tuple[datetime, int]]:
        """(hour, number), oldest first, of the hours from `since` on in which there was any."""

    def drop_rates(self, system: str, kind: HoldKind, *, before: datetime, since: datetime | None = None) -> None:
        """Forget the hours before this moment; `since`: but not those before that one."""

    def marker(self, system: str) -> Marker:
        """What is known of our mark there; a new one where nothing is."""

    def put_marker(self, marker: Marker) -> None:
        """Create or replace it."""


class Instances(Protocol):
    """What this installation knows of itself."""

    def get(self) -> Instance:
        """The one row; of a fresh database, one without an id."""

    def put(self, instance: Instance) -> None:
        """Write it down."""


class Alerts(Protocol):
    """The episodes that somebody is told of, or still to be told of."""

    def list(self) -> Sequence[Alert]:
        """All that are not over, by system and kind."""

    def put(self, alert: Alert) -> None:
        """Write it down, in the place of the one of its kind in its system."""

    def forget(self, system: str, kind: AlertKind) -> None:
        """It is over, and nobody is to be told any more. Nothing happens where there is none."""


class Heartbeats(Protocol):
    """Which processes live, and when each was last heard of."""

    def list(self) -> Sequence[Heartbeat]:
        """By the name of their process."""

    def beat(self, process: str, at: datetime) -> None:
        """It lives."""

    def end(self, process: str) -> None:
        """It has ended in order, or is known to be dead: nobody waits for it."""

    def end_old(self, before: datetime) -> None:
        """Forget those that were not heard of since."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a request that bears a key of its own was answered, or that it is under way."""

    digest: str
    """What tells its content from another's."""
    begun_at: datetime
    answer: Mapping[str, Any] | None = None
    """Plain data; None: it is under way, or was cut off."""


class Replies(Protocol):
    """Requests that must be carried out once, however often they come."""

    def begin(self, key: str, digest: str, at: datetime) -> Reply | None:
        """Carry it out; or, instead, what became of the one that had this key first. Of two at once, one is told."""

    def settle(self, key: str, answer: Mapping[str, Any]) -> None:
        """It was carried out, and this is its answer.  :raises NoSuch: nobody began it."""

    def withdraw(self, key: str) -> None:
        """It was not carried out: it may be tried again."""

    def prune(self, *, before: datetime) -> None:
        """Forget those that were begun before then."""


class Seals(Protocol):
    """Secrets that were typed in. What is in their boxes the store does not know."""

    def put(self, seal: Seal) -> None:
        """Keep it, in the place of the one of this name, system and origin."""

    def list(self, system: str = "") -> Sequence[Seal]:
        """By system, name and origin; `system`: only its own."""

    def drop(self, system: str, name: str) -> int:
        """Forget a secret, whatever origins it is for; how many boxes those were."""


class Audit(Protocol):
    """Administrative acts, for ever."""

    def record(self, entry: Entry) -> None:
        """Append it (its `id` is given here)."""

    def list(self, *, before: int | None = None, limit: int = 100) -> Sequence[Entry]:
        """Newest first; `before` is the last id of the page before."""

    def about(self, subject: str, acts: Iterable[str], *, limit: int = 100) -> Sequence[Entry]:
        """What was done to this one, of these acts, newest first."""


class Traces(Protocol):
    """What people have left on tickets and in the audit log: to be looked for, and to be written over."""

    def tickets(self, words: Iterable[str]) -> Sequence[int]:
        """The tickets on which any of these words stands, in whatever case, as or in somebody's name, address or login:
        in their fields, conversation, history or conflicts. It looks at everything there is."""

    def comment(self, comment: Comment) -> None:
        """Write back its author and its token.  :raises NoSuch: no such comment on this ticket."""

    def events(self, ticket_id: int, changed: Callable[[Event], Event]) -> None:
        """Write back the actors and the data of a ticket's history."""

    def conflicts(self, ticket_id: int, changed: Callable[[Conflict], Conflict]) -> None:
        """Write back the authors and the values of a ticket's conflicts."""

    def origins(self, ticket_id: int, changed: Callable[[Origin], Origin]) -> None:
        """Write back who handed a ticket in, and who submitted it there."""

    def drop_bytes(self, sha256: str) -> None:
        """Let go of bytes that no file bears; a repeat is nothing."""

    def audit(self, changed: Callable[[Entry], Entry]) -> None:
        """Write back who did what to whom, over the whole log."""

    def prune_audit(self, before: datetime) -> None:
        """Forget the entries of the audit log that are older."""

    def blunt_letters(self, before: datetime) -> None:
        """Of dead letters, and of those that were discarded, whose look has been owed since before then: keep the first
        line of what was said, and forget what a hint carried."""

    def page(self, *, after: int, limit: int) -> Sequence[Ticket]:
        """Tickets by id, `limit` of them after that one."""


class Accounts(Protocol):
    """Who may come in, and what stands in for their passwords. Nothing here is checked but what is unique."""

    def create(self, account: Account) -> Account:
        """Store a new account (its `id` is given here).  :raises Taken: its login or subject is another's."""

    def save(self, account: Account) -> None:
        """Write the whole account back.  :raises NoSuch: there is none with this id.  :raises Taken: as `create`."""

    def get(self, account_id: int) -> Account:
        """:raises NoSuch: no account has this id."""

    def find(self, login: str) -> Account | None:
        """Whose login this is, disabled ones included."""

    def find_subject(self, subject: str) -> Account | None:
        """Who is this to the OpenID provider; '' is nobody."""

    def with_email(self, email: str) -> Sequence[Account]:
        """Those who have this address, whatever its case, by login; '' is nobody's."""

    def list(self, *, after: str = "", limit: int = 100) -> Sequence[Account]:
        """By login, `limit` of them after that one."""

    def add_token(self, token: Token) -> Token:
        """Store a new token (its `id` is given here).  :raises NoSuch: there is no such account."""

    def save_token(self, token: Token) -> None:
        """Write it back.  :raises NoSuch: there is none with this id."""

    def find_token(self, digest: str) -> Token | None:
        """The token of this digest, expired and revoked ones included."""

    def tokens(self, account_id: int) -> Sequence[Token]:
        """Every token an account ever had, oldest first."""

    def open_session(self, session: Session) -> None:
        """Store a new session.  :raises NoSuch: there is no such account."""

    def find_session(self, digest: str) -> Session | None:
        """The session of this digest, expired ones included."""

    def see_session(self, digest: str, at: datetime) -> None:
        """Somebody used it; nothing happens where it has ended."""

    def sessions(self, account_id: int) -> Sequence[Session]:
        """Those of one account, oldest first."""

    def end_session(self, digest: str) -> None:
        """Forget it; a repeat is nothing."""

    def end_sessions(self, account_id: int, *, but: str = "") -> int:
        """Forget all of an account, but for the one of this digest; how many those were."""

    def give_pass(self, given: Pass) -> None:
        """Keep a pass until it is taken.  :raises NoSuch: it is for an account, and there is no such account."""

    def take_pass(self, digest: str, kind: PassKind, at: datetime) -> Pass | None:
        """Take it, once: whoever comes second, or too late, gets None."""

    def void_passes(self, account_id: int) -> None:
        """Nobody comes in by a pass for this account any more."""

    def prune(self, at: datetime, *, idle_since: datetime) -> None:
        """Forget the sessions and passes that have expired, and the sessions that nobody used since."""


class Tries(Protocol):
    """How often somebody may still try something: whichever process they ask, they spend one budget."""

    def spend(self, key: str, at: datetime, *, every: timedelta, most: int) -> datetime | None:
        """One more try. None: it may be made, and counts; otherwise nothing is counted, and this is when one may be.

        `most` may be made at once, and one more for each `every` that has passed."""

    def give_back(self, key: str, at: datetime, *, every: timedelta) -> None:
        """The last try does not count after all."""

    def note(self, key: str, until: datetime) -> None:
        """Remember this key until then."""

    def noted(self, key: str, at: datetime) -> bool:
        """Whether it is remembered."""

    def forget(self, key: str) -> None:
        """Neither tries nor a note are left of this key."""

    def prune(self, at: datetime) -> None:
        """Forget what says nothing any more."""


class Origins(Protocol):
    """Where tickets say that they come from, and how those who handed them in find them again."""

    def add(self, ticket_id: int, origin: Origin) -> int:
        """Keep it. The ticket that bears this id already, where one does: nothing is kept then, and whoever has just
        made another one for it undoes that."""

    def find(self, account: str, system: str, origin_id: str) -> int | None:
        """The ticket that this account handed in under this id; never one without an id."""

    def of(self, ticket_id: int) -> Sequence[Origin]:
        """Everything that was said about where it comes from, oldest first."""

    def tickets(self, origin_id: str, system: str = "") -> Sequence[int]:
        """The tickets that anybody handed in under this id, by id; `system`: only as of this one."""


class Mails(Protocol):
    """Mail that came, for a while, and how far people were told by mail."""

    def take(self, mail: Mail) -> bool:
        """Keep it (its `id` is given here). False: one with this Message-ID was taken in before."""

    def find(self, message_id: str) -> Mail | None:
        """The mail with this Message-ID."""

    def get(self, mail_id: int) -> Mail:
        """:raises NoSuch: no mail has this id."""

    def save(self, mail: Mail) -> None:
        """Write the whole mail back.  :raises NoSuch: no mail has this id."""

    def list(self, *, verdict: Verdict | None = None, before: int | None = None, limit: int = 100) -> Sequence[Mail]:
        """Newest first; `before` is the last id of the page before."""

    def told(self, ticket_id: int) -> int:
        """The id of the last event of this ticket that people were told by mail; 0: of none."""

    def tell(self, ticket_id: int, event_id: int) -> None:
        """People were told up to this event."""


@runtime_checkable
class Transaction(Protocol):
    """Everything a change touches, in one transaction."""

    @property
    def tickets(self) -> Tickets: ...
    @property
    def links(self) -> Links: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def quotas(self) -> Quotas: ...
    @property
    def registry(self) -> Registry: ...
    @property
    def jobs(self) -> Jobs: ...
    @property
    def shadow(self) -> Shadows: ...
    @property
    def guards(self) -> Guards: ...
    @property
    def instance(self) -> Instances: ...
    @property
    def alerts(self) -> Alerts: ...
    @property
    def heartbeats(self) -> Heartbeats: ...
    @property
    def audit(self) -> Audit: ...
    @property
    def replies(self) -> Replies: ...
    @property
    def seals(self) -> Seals: ...
    @property
    def accounts(self) -> Accounts: ...
    @property
    def tries(self) -> Tries: ...
    @property
    def traces(self) -> Traces: ...

    @property
    def origins(self) -> Origins: ...
    @property
    def mails(self) -> Mails: ...

    def after_commit(self, action: Callable[[], None]) -> None:
        """Run this in the caller's thread once the group's commit has returned (wake a lane); never on rollback."""


@runtime_checkable
class Store(Protocol):
    """Opens transactions. Thread-safe."""

    def write(self, change: Callable[[Transaction], T], *, durable: bool = True) -> T:
        """Run a change and return its result after it is durable. What `change` raises rolls it back, alone.

        `durable=False`: it is committed and seen by all, and survives a kill; a power cut may forget it, and whatever
        was committed after it. The next durable write makes it last too. For what nobody was told yet, and what is
        only done again when it is forgotten: nothing may leave this process on its account before a durable write.

        `change` may run in another caller's thread, and must not call the store. It may run more than once, where
        another process was faster: only its last run counts, so it must leave no trace but in the transaction and in
        what it returns.

        :raises CommitFailed: nothing was written.  :raises CommitUnknown: nobody knows whether it was."""

    def read(self, question: Callable[[Transaction], T]) -> T:
        """Run a question on one consistent snapshot; writing in it is a bug.

        :raises Unreachable: the server does not answer, or was lost in the middle of it."""

    def put_blob(self, chunks: Iterable[bytes], *, limit: int) -> tuple[str, int]:
        """Stream bytes in, bounded in memory; returns (sha256, size). The same bytes are stored once.

        :raises TooLarge: more than `limit` bytes; nothing is kept."""

    def open_blob(self, sha256: str) -> AbstractContextManager[Iterator[bytes]]:
        """Stream bytes out, in chunks, none of them empty.  :raises NoSuch: no such bytes (upon entering)."""

    def changed_elsewhere(self) -> bool:
        """Whether another process has committed since this was last asked (or since the store was opened). Cheap."""

    def close(self) -> None:
        """Finish what was accepted, then let go of the database. Idempotent; any other call then raises."""
