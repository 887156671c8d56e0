"""What the desk needs of the rest of the house. `sync.bootstrap` supplies it; the desk never knows who works for it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from fastapi import APIRouter, FastAPI

from central.delivery import Delivery
from central.desk.auth import Gate
from central.desk.cookies import Cookies
from central.desk.pulse import Pulse
from central.erasure import Erasure
from central.events import Event
from central.guard import Hold
from central.job import Job
from central.link import Link, LinkState
from central.model import Attachment, Comment, Conflict, Person, Ticket, Value
from central.origin import Origin
from central.registry import Document
from central.store.api import Store, Transaction
from central.workflow import Actor


@dataclass(frozen=True, slots=True)
class HookAnswer:
    """What became of a webhook: an HTTP status, and a sentence for the sender."""

    status: int
    sentence: str


class Hooks(Protocol):
    """Takes webhooks in."""

    largest: int
    """Bytes of the largest body that is read at all."""

    def receive(self, system: str, headers: Mapping[str, str], body: bytes) -> HookAnswer:
        """Verify the hint and keep it. 202 means that it is kept for good; header names are in small letters."""


class Readiness(Protocol):
    """Tells whether this process can do its work."""

    def problems(self) -> list[str]:
        """What stands in the way, in sentences; empty when all is well."""

    def stalls(self) -> list[str]:
        """What has come to a stop within this process, so that it should be started anew; asks nobody outside."""

    def hindrances(self) -> list[str]:
        """What makes the work slower and does not stop it."""


class NotAllowed(Exception):
    """The workflow or the model says no, whoever asks. The sentence says why."""

    def __init__(self, sentence: str, *, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field
        """The field that it is about, where it is about one."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as somebody hands it in."""

    name: str
    media_type: str
    chunks: Iterable[bytes]


@dataclass(frozen=True, slots=True)
class Note:
    """Something to say on a ticket."""

    text: str
    internal: bool = False


@dataclass(frozen=True, slots=True)
class WebAnswer:
    """What a server outside answered: its HTTP status, and the JSON that it sent; None: something else."""

    status: int
    data: Any


class Web(Protocol):
    """Asks servers outside, where we may go: no redirect is followed, no answer is too large and no call too long.

    Who cannot be asked, or may not, is `OutOfReach`."""

    def get(self, url: str, *, bearer: str = "") -> WebAnswer:
        """Ask, showing this token."""

    def post_form(self, url: str, form: Mapping[str, str], *, basic: tuple[str, str] | None = None) -> WebAnswer:
        """Send a form, showing this name and secret."""


Also = Callable[[Transaction, Ticket], None]
"""What belongs to an act besides, in its own transaction, once it is done. What it raises undoes everything."""


class Erasing(Protocol):
    """Erases people from tickets, so that no system takes it for an edit."""

    def ticket(self, ticket_id: int, erasure: Erasure) -> Sequence[str]:
        """Erase somebody from one ticket; where they are named still, as `SYSTEM/KEY`.

        :raises Busy: it is being looked at this moment."""


class Tickets(Protocol):
    """What people do to tickets: the change, its event and the deliveries it owes, in one transaction.

    Rights were asked for already; workflow and model are asked here, and say no by `NotAllowed`. Who looks for what is
    not there gets `NoSuch`; whoever names a `revision` that the ticket has left behind gets `StaleRevision`.
    """

    def open(
        self,
        fields: Mapping[str, Value],
        author: Person,
        *,
        files: Iterable[Upload] = (),
        notes: Sequence[Note] = (),
        origin: Origin | None = None,
        also: Also | None = None,
    ) -> Ticket:
        """A new ticket with its first comments, routed to its unit's system; or, where its account has handed in one
        under the id of this origin before, that one as it is now."""

    def change(
        self,
        ticket_id: int,
        changes: Mapping[str, Value],
        author: Person,
        *,
        actor: Actor = Actor.SUPPORTER,
        revision: int | None = None,
    ) -> Ticket:
        """Set fields; central adds what follows from them."""

    def comment(
        self,
        ticket_id: int,
        text: str,
        author: Person,
        *,
        internal: bool = False,
        files: Iterable[Upload] = (),
        actor: Actor = Actor.SUPPORTER,
        also: Also | None = None,
    ) -> Comment:
        """Say something; internal text stays at the centre."""

    def act(
        self,
        ticket_id: int,
        changes: Mapping[str, Value],
        notes: Sequence[Note],
        author: Person,
        *,
        changes_as: Actor = Actor.SUPPORTER,
        says_as: Actor = Actor.SUPPORTER,
    ) -> Ticket:
        """Say something and set fields: all of it, or nothing."""

    def call(self, ticket_id: int, origin: Origin) -> None:
        """Keep what somebody calls a ticket that is here already; what names another one names that one still."""

    def attach(self, ticket_id: int, upload: Upload, author: Person, *, origin: str = "") -> Attachment:
        """Hang a file on a ticket, for all to see. One that its author hung there already is not hung there again.

        `origin`: where it says that it comes from."""

    def edit_comment(self, ticket_id: int, comment_id: int, text: str, author: Person) -> Comment:
        """Give a comment another text; what it said before stays in the history."""

    def delete_comment(self, ticket_id: int, comment_id: int, author: Person) -> Comment:
        """Take a comment back: a tombstone stays."""

    def hide_comment(self, ticket_id: int, comment_id: int, author: Person) -> Comment:
        """Make a public comment internal, its files with it."""

    def show_comment(self, ticket_id: int, comment_id: int, author: Person) -> Comment:
        """Make an internal comment public, its files with it."""

    def concerned(self, tx: Transaction, ticket: Ticket) -> frozenset[str]:
        """The systems that this ticket is linked to, and the one that its unit routes it to."""


class NotNow(Exception):
    """What is asked for cannot be done as things stand. The sentence says what to do instead."""


class OutOfReach(Exception):
    """The system that had to be asked did not answer, or not well. The sentence has its own words."""


class Wrong(Exception):
    """Documents are wrong: all that is wrong in them, each with its place (`file:line:column`) and a sentence."""

    def __init__(self, problems: Iterable[tuple[str, str]]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(f"{place}: {sentence}" for place, sentence in self.problems))


@dataclass(frozen=True, slots=True)
class Draft:
    """A document as it was handed in, read as far as rights need it."""

    kind: str
    name: str
    units: frozenset[str] = frozenset()
    """The support units that a system claims."""
    secrets: frozenset[str] = frozenset()
    """The references of secrets in it."""


@dataclass(frozen=True, slots=True)
class DocumentChange:
    """What applying one document does, or did."""

    kind: str
    name: str
    verb: str
    """new, changed or unchanged."""
    diff: str
    """As a unified diff of the texts; '' where there is none."""
    pinned: bool = False
    """It comes from the library, because a system names it."""
    revision: int | None = None
    """The one that was made, or found; None: nothing was done."""


Reads = Callable[[Transaction, str, str], bool]
"""Whether whoever asks may read the registered document of this kind and name."""


class Systems(Protocol):
    """What people do to registered systems, each act with its entry in the audit log, in the act's own transaction.

    Rights were asked for already. What is not there raises `NoSuch`, what cannot be done as things stand `NotNow`, and
    where a system must be asked that does not answer, `OutOfReach`. `by` is the login of whoever does it.
    """

    def drafts(self, text: str) -> Sequence[Draft]:
        """The documents in this text.  :raises Wrong: it is no YAML, or holds no documents."""

    def users(self, tx: Transaction, kind: str, name: str) -> frozenset[str]:
        """The registered systems that this mapping or profile is used by."""

    def plan(
        self, text: str, *, same_secret: bool, sees: Callable[[str], bool], reads: Reads
    ) -> Sequence[DocumentChange]:
        """What applying these documents together would do. Systems that `sees` says no to are not named in what is
        wrong; mappings and profiles that `reads` says no to are not there, neither to be used nor to be extended.

        :raises Wrong: with all that is wrong."""

    def apply(
        self, text: str, by: str, *, same_secret: bool, sees: Callable[[str], bool], reads: Reads
    ) -> Sequence[DocumentChange]:
        """Take these documents in, all of them or none.  :raises Wrong: as `plan`."""

    def roll_back(
        self,
        kind: str,
        name: str,
        revision: int,
        by: str,
        *,
        same_secret: bool,
        sees: Callable[[str], bool],
        reads: Reads,
    ) -> Sequence[DocumentChange]:
        """An earlier revision becomes the newest one.  :raises Wrong: as `plan`."""

    def check(self, name: str) -> Mapping[str, Any]:
        """Prove a registration against the live system, by reading only: findings, mails, losses, as plain data."""

    def go_live(self, name: str, by: str) -> None:
        """Let it take part: only what changes from now on travels."""

    def go_into_shadow(self, name: str, by: str) -> None:
        """Compute every write to and from it, and make none."""

    def pause(self, name: str, by: str, why: str) -> None:
        """Stop its traffic both ways; what is owed waits."""

    def resume(self, name: str, by: str) -> None:
        """Take up its traffic where it was left."""

    def release(self, name: str, by: str, *, take_theirs: bool = False) -> str:
        """Take up a quarantined system again; answers what was done, in a sentence."""

    def stop_all(self, by: str, why: str) -> None:
        """Nothing is written to any system from now on."""

    def let_go(self, by: str) -> None:
        """Let go of the stop button."""


class Queues(Protocol):
    """What people say to what waits for them, by the same rules as `Systems`."""

    def about(self, tx: Transaction, letter: Delivery) -> int | None:
        """Our number of the ticket that a dead letter is about; None: it is not known here yet."""

    def letter(self, tx: Transaction, number: int) -> Delivery:
        """One dead or discarded letter."""

    def retry(self, numbers: Sequence[int], by: str) -> None:
        """Have these dead letters tried again."""

    def discard(self, numbers: Sequence[int], by: str, why: str) -> None:
        """Give these dead letters up."""

    def conflicts(self, tx: Transaction) -> Sequence[Conflict]:
        """Those that wait for a person, oldest first."""

    def resolve(self, number: int, take: str, by: str) -> Conflict:
        """Let `ours` or `theirs` stand.  :raises Busy: the ticket is being looked at this moment; say it again."""

    def approve(self, hold: int, by: str) -> Hold:
        """What a guard held is right: it goes on."""

    def reject(self, hold: int, by: str, *, write_back: bool = False) -> Hold:
        """It is wrong. `write_back`: our values go back over the edits that are rejected."""

    def start_job(self, kind: str, system: str, params: Mapping[str, Any], by: str) -> Job:
        """Begin deliberate work over many tickets; the process that runs the mesh carries it out."""

    def pause_job(self, number: int, by: str) -> Job:
        """Let it rest where it is."""

    def resume_job(self, number: int, by: str) -> Job:
        """Let it go on."""


class Cause(Protocol):
    """Who set a value, where and when, and what carried it here."""

    @property
    def value(self) -> Any: ...
    @property
    def who(self) -> Person | None: ...
    @property
    def system(self) -> str | None: ...
    @property
    def at(self) -> datetime: ...
    @property
    def because(self) -> str: ...


class There(Protocol):
    """A field in one linked system."""

    @property
    def system(self) -> str: ...
    @property
    def key(self) -> str | None: ...
    @property
    def state(self) -> LinkState: ...
    @property
    def theirs(self) -> Value: ...
    @property
    def carried(self) -> bool: ...
    @property
    def disagreement(self) -> str: ...
    @property
    def written(self) -> Sequence[Any]: ...
    @property
    def echoes(self) -> Sequence[Any]: ...


class Reason(Protocol):
    """Why a field has its value."""

    @property
    def field(self) -> str: ...
    @property
    def value(self) -> Value: ...
    @property
    def origin(self) -> Cause: ...
    @property
    def earlier(self) -> Sequence[Cause]: ...
    @property
    def lost(self) -> Sequence[Conflict]: ...
    @property
    def there(self) -> Sequence[There]: ...


Reasons = Callable[[Ticket, str, Sequence[Event], Sequence[Link], Sequence[Conflict]], Reason]
"""Explains a field of a ticket by what it is given.  Raises LookupError where there is no such field."""


@dataclass(frozen=True, slots=True)
class Said:
    """How one field is carried."""

    ours: str
    theirs: str
    rule: str


@dataclass(frozen=True, slots=True)
class States:
    """A table of statuses: (ours, theirs) as we say it, what of theirs means it too, and (theirs, ours) as we read it
    where nothing is held that agrees."""

    said: tuple[tuple[str, str], ...]
    also: tuple[tuple[str, str], ...]
    read: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Dictionary:
    """A system's mapping."""

    name: str
    revision: int
    fields: tuple[Said, ...]
    states: States | None
    """None: its statuses are no table."""


@dataclass(frozen=True, slots=True)
class Promise:
    """What every mapping promises, and whether this one keeps it."""

    sentence: str
    held: bool
    how: str
    broken: tuple[tuple[str, tuple[str, ...]], ...]
    """(where and how, the shortest story that breaks it); neither held nor broken: not judged, as another is broken."""


@dataclass(frozen=True, slots=True)
class Proven:
    """The proof of a mapping, and what is lost in translation."""

    proven: bool
    promises: tuple[Promise, ...]
    lost_outward: tuple[str, ...]
    lost_inward: tuple[str, ...]
    assumed: tuple[str, ...]


class Dictionaries(Protocol):
    """Mappings, shown and proven. Rights were asked for already."""

    def shown(self, tx: Transaction, system: str) -> Dictionary:
        """The mapping of this system.  :raises NoSuch: there is none.  :raises Wrong: it cannot be read any more."""

    def prove(self, tx: Transaction, system: str) -> Proven:
        """Its promises, judged without asking the system.  :raises NoSuch, Wrong: as `shown`."""


@dataclass(frozen=True, slots=True)
class Handed:
    """A text as somebody hands it in, and what its file is called."""

    file: str
    text: str


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that becomes of an example, its values in words. None: the example, or the mapping, says nothing."""

    item: str
    place: str
    """Where the example says it, as `file:line:column`."""
    expected: str | None
    became: str | None
    agrees: bool
    other: str | None = None
    """What the other mapping makes of it."""
    differs: bool = False
    """Whether the two mappings make something else of it."""
    lines: tuple[str, ...] = ()
    """Of a text of several lines that became another: those that went (`-`), came (`+`) and stayed."""


@dataclass(frozen=True, slots=True)
class Translated:
    """One way of an example, translated."""

    way: str
    given: tuple[tuple[str, str], ...]
    held: tuple[tuple[str, str], ...] | None
    """What the side that it goes to has; None: nothing yet."""
    items: tuple[Item, ...]
    back: tuple[tuple[str, str, str], ...] | None
    """What would not come back as it was: (field, as it was, as it comes back). None: it does not go back."""


@dataclass(frozen=True, slots=True)
class Example:
    """An example of a mapping, held against it."""

    name: str
    mapping: str
    about: str
    place: str
    ways: tuple[Translated, ...]
    green: bool
    other_green: bool | None
    """By the other mapping; None: there is no other."""


Meaning = Document | str | None
"""Which mapping translates: one that is registered; one that comes along, by name; None: the one that each names."""


class Examples(Protocol):
    """Examples of mappings. Rights were asked for already; nothing is kept, and only `capture` asks a system."""

    def shipped(self) -> Sequence[str]:
        """The mappings that come along, by name."""

    def fixtures(self, name: str) -> str:
        """The examples that come along with one of those; '' where there are none."""

    def replay(
        self, handed: Sequence[Handed], registered: Sequence[Document], by: Meaning, against: Meaning
    ) -> Sequence[Example]:
        """Every example in these texts, translated by one mapping and, where `against` names it, by another.

        The one that an example names is in the same texts, else among the `registered`, else comes along.
        :raises Wrong: with all that is wrong in any of them."""

    def capture(self, system: str, key: str) -> str:
        """An example of a live ticket, with people and texts in other words. The system is asked by reading only.

        :raises NoSuch: it has no such ticket.  :raises NotNow, OutOfReach: it cannot be asked."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One thing that an operator is asked about their system."""

    name: str
    kind: str
    """url, text, secret, path or zone."""
    says: str
    required: bool
    default: str


@dataclass(frozen=True, slots=True)
class Product:
    """A kind of tracker that can be registered."""

    name: str
    title: str
    family: str
    """How it is spoken to: rest, soap or mail."""
    proven: str
    """What it was tried against."""
    asks: tuple[Asked, ...]
    mappings: tuple[str, ...]
    """Those that translate for it, the one to propose first."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What an operator says of their system."""

    connector: str
    mapping: str
    settings: Mapping[str, str]
    secrets: Mapping[str, str]
    """What was typed now, by setting; what is not said again stays as it is."""
    units: tuple[str, ...] = ()
    contacts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TheirField:
    """A field as a live system describes it."""

    name: str
    kind: str
    writable: bool
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explored:
    """What a live system says of itself, and of its registration."""

    conclusion: str
    proven: bool
    findings: tuple[tuple[bool, str, str], ...]
    """(well, the sentence, what to do)."""
    fields: tuple[TheirField, ...]
    mapping: Proven | None
    """Its mapping, held against what it says of itself; None: it did not tell."""
    mails: tuple[tuple[str, str], ...]
    """(which of our writes, whom it mails then)."""
    older: str
    """What carrying our older tickets there would make it send."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What is lost in translation. The digest is other words' as soon as one word is another."""

    outward: tuple[str, ...]
    inward: tuple[str, ...]
    digest: str


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What the first looks at a system's tickets would write, to either side. Nothing was written."""

    tickets: int
    more: bool
    mails: str
    writes: tuple[tuple[str, str, str, Value, Value, str], ...]
    """(ticket, side, item, what stands there, what would, why)."""


class Registrations(Protocol):
    """What registering a system step by step needs, by the same rules as `Systems`."""

    def products(self, profiles: Iterable[str], mappings: Iterable[str]) -> Sequence[Product]:
        """Every kind of tracker that comes with interdesk, and of what is registered these."""

    def compose(self, name: str, answers: Answers) -> str:
        """The document that says this, upon what is registered under this name already: what `apply` takes."""

    def seal(self, name: str, answers: Answers, by: str) -> str:
        """Keep the secrets of these answers for where their settings lead; what to tell of the key, where one was made.

        :raises NotNow: none can be kept here."""

    def explore(self, name: str, by: str) -> Explored:
        """Ask the live system, by reading only; what came of it is in the audit log."""

    def statement(self, name: str) -> Statement:
        """What is lost in translation. Nobody is asked."""

    def foresee(self, name: str, *, limit: int) -> Foreseen:
        """What would be written for so many of its tickets, by reading only."""


@dataclass(frozen=True, slots=True)
class Services:
    """All that the desk stands on."""

    store: Store
    clock: Callable[[], datetime]
    centre: str
    """What the helpdesk is called."""
    hooks: Hooks
    readiness: Readiness
    gate: Gate
    cookies: Cookies
    tickets: Tickets
    systems: Systems
    queues: Queues
    reasons: Reasons
    dictionaries: Dictionaries
    examples: Examples
    registrations: Registrations
    pulse: Pulse
    largest_file: int
    """Bytes."""
    openid: bool = False
    """Whether an OpenID provider lets people in, too: one of the doors."""
    doors: Sequence[APIRouter] = ()
    """For programs: each guards itself."""
    api: FastAPI | None = None
    """The REST door."""
