"""What a ticket is, and whose: its fields, its version, the people and the place, and the words that ids stand for."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, model_validator

from connectors.patterns import Pattern
from connectors.profiled.vocabulary.listing import Paging
from connectors.profiled.vocabulary.parts import NOWHERE, Joined, Part, Paths, Request, Words, _listed


class Times(Part):
    """How moments are written in answers. The first form that fits counts."""

    forms: Annotated[tuple[str, ...], BeforeValidator(_listed)] = ("iso",)
    """`iso`; `epoch`, seconds since 1970; `epoch_ms`, thousandths of them; one of both in braces, with characters
    around it (/Date({epoch_ms})/); else a pattern such as %d.%m.%Y %H:%M."""
    zone: str = "UTC"
    """The zone of a moment that names none: a name such as Europe/Prague, or the setting that holds it."""


class Table(Part):
    """Words and their ids, read live: statuses, people, custom fields. The first source that can be read is taken."""

    sources: tuple["Source", ...] = ()
    find: "Source | None" = None
    """How a single {word} is looked up where the list is too long to be read."""
    one: Request | None = None
    """How a single id is looked up where there is no list; the name is at `one_name`."""
    one_name: str = "name"
    fixed: dict[str, str] = {}
    """Instead of all that: id -> word, where the product's own documentation has them and no request tells."""

    @model_validator(mode="after")
    def _one_way(self) -> "Table":
        if self.fixed and (self.sources or self.find or self.one):
            raise ValueError("fixed words are not asked for: say fixed alone, or sources, find and one")
        return self


class Source(Request):
    """A list of words."""

    rows: str
    keyed: bool = False
    """It is an object of id to row; the id stands in each row as `@key`."""
    id: Paths = ("id",)
    name: Paths = ("name",)
    pages: "Paging | None" = None
    """None: it comes whole."""
    per_page: int = 100
    """How many rows a full page has, where its being full tells that there are more."""
    total: str | None = None
    """Where the answer counts all rows: that tells better."""


class PersonShape(Part):
    """Where a person's parts are inside what names one: an object, or a word by itself ("")."""

    key: Paths
    pattern: Pattern | None = None
    """The key is this one's first group in what is there ("Alice (12)")."""
    name: Joined = ()
    """All that are there, joined by a blank."""
    email: str | None = None
    table: str | None = None
    """The key is an id, and the person goes by the word that this table has for it."""


class Account(Part):
    """Who we are there: an answer tells, or the operator."""

    read: Request | None = None
    person: PersonShape | None = None
    key: str | None = None
    """The person's key, from the settings, where no request tells."""

    @model_validator(mode="after")
    def _one_way(self) -> "Account":
        asked = self.read is not None and self.person is not None
        if asked == (self.key is not None):
            raise ValueError("say either read and person, or key")
        return self


class Version(Part):
    """Where a ticket's version is: a header, a path (several are joined), or a digest over the ticket as answered.
    Nowhere, if none of them is said."""

    header: str | None = None
    exact: bool = False
    """The header goes back as it came, quotes and all."""
    at: Joined | None = None
    digest_without: tuple[str, ...] | None = None
    """Parts that are not content (what the workflow allows now)."""

    @model_validator(mode="after")
    def _one_way(self) -> "Version":
        if sum(each is not None for each in (self.header, self.at, self.digest_without)) > 1:
            raise ValueError("say one of header, at, digest_without, or none of them")
        return self


class Place(Request):
    """What is readable as long as the registered system is there for us."""

    rows: str | None = None
    """Where it lists all such places; ours must be among them."""
    name: str = "name"
    one: str = ""
    """What ours is called in a row."""


class Within(Part):
    """How a ticket shows that it belongs to the registered place: whoever names another place's gains nothing."""

    ticket_at: str
    place_at: str | None = None
    """Dotted places, in the ticket and in the answer of `place`, that hold the same id."""
    place: str | None = None
    """What the ticket shows, where the settings tell it."""

    @model_validator(mode="after")
    def _one_way(self) -> "Within":
        if (self.place_at is None) == (self.place is None):
            raise ValueError("say either place_at or place")
        return self


class TicketShape(Part):
    """How a ticket is read, and where its parts are. List rows are read by the same paths, as far as they go."""

    read: Request
    at: str = ""
    more: dict[str, Request] = {}
    """Further requests that complete it: their answers stand in the ticket under these names."""
    key: str = "id"
    key_pattern: Pattern = "[0-9]+"
    """What a key looks like: anything else is no ticket of this product, and is never put into an address."""
    number: str | None = None
    """Where the number is that people call it by, if that is another one: a word of `address`."""
    aliases: str | None = None
    """Where keys are listed that this very ticket bore before."""
    version: Version = Version()
    key_part: Pattern | None = None
    """What stands at `key` is more than the key (an address), which is this pattern's first group."""
    changed_at: Joined = (NOWHERE,)
    """Where the time of the last change is, if it is told; a date and a time apart are joined by a blank."""
    created_by: str = NOWHERE
    address: str = ""
    address_at: str | None = None
    """Where the answer has the address that people open it by."""


class FieldShape(Part):
    """One field: where it is read, what it is called when written."""

    kind: Literal["text", "choice", "person", "moment", "number", "set"] = "text"
    at: Paths | None = None
    """None: the conversation's opening has it, or the quirks read it."""
    told: bool = True
    """No: it is written, and no answer tells it, so that it is taken for arrived."""
    item: str = ""
    """For a set: where the word is in each row."""
    split: str | None = None
    """For a set that comes and goes as one text: what stands between two words."""
    format: Literal["plain", "html", "escaped"] = "plain"
    """HTML is read as the text that people see; `escaped` is HTML whose marks come escaped once more (&lt;p&gt;)."""
    write: str | None = None
    """Dotted place in the body, below the operation's `at`; None: it cannot be written."""
    create: str | None = None
    """The same for a create, where it differs."""
    table: str | None = None
    """Written as the id that this table has for the word."""
    resolve: str | None = None
    """Read as the word that this table has for the id."""
    empty_words: Words = ()
    """Words that mean None when read (RT's owner Nobody), or settings in braces that hold one."""
    empty_value: Any = None
    """What is written for None: likewise."""
    wrapped: Any = None
    """What is written is this, with {value} in it ({type: user, id: "{value}"}); of a set each word. Nothing is
    `empty_value` alone."""
    swallowed: tuple[str | int | None, ...] = ()
    """What the product makes in silence of a word that it does not know (0, null): a refusal, and put right again."""
    parts: dict[str, str] = {}
    """A moment is written as an object of numbers: each one's name and pattern (Year: "%Y"), in the zone of `times`."""
    values: tuple[str, ...] = ()
    max_length: int | None = None
    max_bytes: int | None = None
    """Where the product counts bytes of UTF-8, and cuts without a word."""
    allowed: str | None = None
    """Where the ticket's answer lists the values this field may take next."""
    allowed_name: str = "name"
    said: Pattern | None = None
    """A pattern that recognises the product's sentences about this field."""
    history: str | None = None
    """Its name in the ticket's history, where that is not its `write` name."""
    history_table: str | None = None
    """Its values in the history are ids, and this table has the words for them."""


class CustomFields(Part):
    """Fields that each site invents. They appear as `prefix` + their name."""

    prefix: str
    rows: str
    """A list of them, or an object of name to value."""
    only: str | None = None
    """Of such an object, the names that are custom fields, from the settings; the one that bears our token is too."""
    name: str = "name"
    value: str = "value"
    table: str | None = None
    """Where their ids are, if they are written by id."""
    write: str
    shape: Literal["rows", "names"]
    """Written as a list of {id, value}, or as an object of name to value."""
    write_name: str = "id"
    write_value: str = "value"
    """What both are called in such a list."""
    empty_value: Any = None
    token: str = "{external_id}"  # noqa: S105 (the field that holds our mark)
    """The custom field that holds our token: its name, or its id where the setting is a number."""
