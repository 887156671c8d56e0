"""Registering a system step by step, for whoever connects one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from central.desk.services.dictionaries import Proven
from central.model import Value


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


@dataclass(frozen=True, slots=True)
class NewHook:
    """A secret that was made for a system's webhook and sealed. It is not told again."""

    reference: str
    """As the document names it."""
    secret: str = field(repr=False)
    told: str
    """What to tell of the key of sealed secrets, where one was made."""


@dataclass(frozen=True, slots=True)
class Hook:
    """What is typed into a tracker so that it posts hints, beside the secret."""

    address: str
    """Where they are posted to."""
    signs: str
    """How a hint is signed, in words."""
    names: str
    """Where it names its ticket, in words."""
    by_itself: bool
    """The product signs and names so by itself: it needs no script."""


class Registrations(Protocol):
    """What registering a system step by step needs, by the same rules as `Systems`."""

    def products(self, profiles: Iterable[str], mappings: Iterable[str]) -> Sequence[Product]:
        """Every kind of tracker that comes with interdesk, and of what is registered these."""

    def compose(self, name: str, answers: Answers) -> str:
        """The document that says this, upon what is registered under this name already: what `apply` takes."""

    def amend(self, name: str, part: str, said: Mapping[str, Any]) -> str:
        """The document that is registered with this part of it said anew; nothing said: without it."""

    def new_hook(self, name: str, by: str) -> NewHook:
        """Make a secret for its webhook, and seal it.  :raises NotNow: none can be kept here."""

    def hook(self, name: str) -> Hook | None:
        """What is typed in there; None: its document has no webhook."""

    def seal(self, name: str, answers: Answers, by: str) -> str:
        """Keep the secrets of these answers for where their settings lead; what to tell of the key, where one was made.

        :raises NotNow: none can be kept here."""

    def explore(self, name: str, by: str) -> Explored:
        """Ask the live system, by reading only; what came of it is in the audit log."""

    def statement(self, name: str) -> Statement:
        """What is lost in translation. Nobody is asked."""

    def foresee(self, name: str, *, limit: int) -> Foreseen:
        """What would be written for so many of its tickets, by reading only."""
