"""How tickets are made and changed, and where they bear our token."""

from typing import Any, Literal

from pydantic import model_validator

from connectors.patterns import Pattern
from connectors.profiled.vocabulary.parts import Keeping, Kept, Method, Part, Paths, Request


class Earlier(Request):
    """How what an earlier attempt made, and did not get to use, is found again: one row bears our token."""

    rows: str
    token_at: str
    """Where a row has it: alone, or as the mark of a text."""
    keep: Keeping = {}


class Step(Request):
    """A request before the one that counts, or after it. Words are as there, and all that was kept so far."""

    method: Method = "POST"
    keep: Keeping = {}
    again: Earlier | None = None
    """None: nothing finds it again, and what was made for nothing stays unused."""


class Create(Request):
    method: Method = "POST"
    at: str = ""
    """Where in the body the fields go."""
    row: Any = None
    """Fields go as rows of a list there, each like this: words {field}, what it is called when written, and {value}.
    A list says several rows for each."""
    defaults: dict[str, str] = {}
    """Fields and their values where the caller has none."""
    apart: tuple[str, ...] = ()
    """Fields that a create does not take: they are written right after it."""
    answers: Literal["ticket", "key", "nothing"]
    """What the answer bears: the whole ticket, only its key, or neither: then it is searched by its token."""
    key: Paths = ("id",)
    key_header: str | None = None
    key_pattern: Pattern = r"([^/]+)/?$"
    """Where the answer has the key: in its body, or in a header as the first group of a pattern."""
    first: tuple[Step, ...] = ()
    then: tuple[Step, ...] = ()
    """What goes before and after it. Word, after it: {key}."""

    @property
    def keeps(self) -> Kept:
        """Where the answer has the key."""
        return Kept(at=() if self.key_header else self.key, header=self.key_header, pattern=self.key_pattern)


class Update(Request):
    """How fields are written. Words: {key}, and {version} as far as it is known."""

    method: Method = "PUT"
    at: str = ""
    row: Any = None
    """As for a create."""
    first: tuple[Step, ...] = ()
    then: tuple[Step, ...] = ()
    """What goes before it and after it (a ticket is checked out, and in again), also where it was refused."""
    each: bool = False
    """One request per field. Words: {field}, what it is called when written, and {value}."""
    guard: dict[str, str] = {}
    """Headers that make the server refuse if the ticket is not at {version} any more."""
    compare: bool = False
    """The ticket is read right before it is written, and one that has moved is left alone: where nothing guards."""
    companions: tuple[str, ...] = ()
    """Fields that every write must bear, changed or not."""
    carry: dict[str, str] = {}
    """Dotted place -> path in the ticket's answer: what else must be sent along as it stands. It is read before."""
    answers: Literal["ticket", "nothing"] = "nothing"
    sentences: str | None = None
    """Where the answer lists what became of each field, in the product's words."""


class Ways(Request):
    """How the ticket itself lists the transitions that it may take now."""

    rows: str
    id: Paths = ("id",)
    to: Paths = ("to",)
    """Where a row says what the field becomes."""
    takes: str | None = None
    """Where a row has the fields of its form: an object by their names, or a list of them."""


class Transition(Request):
    """How one field is written that has a request of its own: a status with its workflow above all.

    Words: {key}, {to} (its word, or its id where it has a table), {way}, the transition's id, and {version}."""

    method: Method = "POST"
    at: str = ""
    """Where in the body the fields go that come with it."""
    fields: tuple[str, ...] = ()
    """Fields that go with it where it happens."""
    ways: Ways | None = None
    """None: it is named by where it leads."""
    to: dict[str, Request] = {}
    """What the request says otherwise for one value (close, reopen)."""
    guard: dict[str, str] = {}

    def saying(self, value: str) -> "Transition":
        """As it is said for this value."""
        other = self.to.get(value)
        return self if other is None else self.model_copy(update=_said(other))


def _said(other: Request) -> dict[str, Any]:
    return {name: getattr(other, name) for name in other.model_fields_set}


class TokenShape(Part):
    """What our token looks like on a ticket, where no custom field bears it. Exactly one of these."""

    write: str | None = None
    """A place of its own in the body of a create, below its `at`: an external reference, a correlation id."""
    at: Paths = ()
    """And where it is read."""
    mark: str | None = None
    """A text field: our mark is its last line."""
    title: str | None = None
    """A field of one line: our mark ends it."""
    label: str | None = None
    """A set: one of its words is `prefix` and the token."""
    prefix: str = "interdesk-"

    @model_validator(mode="after")
    def _one_way(self) -> "TokenShape":
        if sum(each is not None for each in (self.write, self.mark, self.title, self.label)) != 1:
            raise ValueError("say exactly one of write, mark, title, label")
        if (self.write is not None) != bool(self.at):
            raise ValueError("say at, where the token is read, with write and only there")
        return self
