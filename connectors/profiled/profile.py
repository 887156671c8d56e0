"""The profile: how one product's interface is spoken, as data. `connectors/README.md` explains every key.

Paths into answers are dotted ("user.name", "custom_fields.0"), "" is the whole answer. Words in braces are filled in:
settings by their name, and what an operation knows (key, token, since, ...); `{name:sql}` escapes for a quoted query.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from connectors.api import Audience, Capabilities, Finds, Mail, VersionStrength, WriteKind
from connectors.credentials import Credentials
from connectors.patterns import Pattern
from connectors.profiled.coherence import contradictions
from connectors.profiled.values import word
from connectors.remedies import Errors


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _worded(value: Any) -> Any:
    return tuple(word(each) for each in (value if isinstance(value, list | tuple) else [value]))


Paths = Annotated[tuple[str, ...], BeforeValidator(_listed)]
"""One path, or several: the first that leads somewhere counts."""

Joined = Annotated[tuple[str, ...], BeforeValidator(_listed)]
"""One path, or several: what they lead to is joined."""

Words = Annotated[tuple[str, ...], BeforeValidator(_worded)]
"""Values as answers show them, compared as words: 1 and "1", true and "True" are one."""


NOWHERE = "-"
"""A path that leads nowhere."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Setting(_Part):
    """One thing the operator says when registering a system."""

    kind: Literal["url", "text", "secret", "path", "zone"] = "text"
    says: str
    """What it is, for the one who fills it in."""
    required: bool = True
    default: str | None = None


Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


class Request(_Part):
    """One request, in its family's words: REST says method, path, query and headers, SOAP the operation."""

    method: Method = "GET"
    path: str = ""
    query: dict[str, str] = {}
    headers: dict[str, str] = {}
    operation: str = ""
    body: dict[str, Any] = {}
    """Dotted place -> what goes there; left out where its setting is not given."""
    format: Literal["json", "form", "multipart", "xml"] = "json"
    """How REST writes the body: `form` and `multipart` name what is nested as issue[subject]."""
    root: str = ""
    """The name of the outermost element of XML."""

    def adding(self, more: Mapping[str, Any]) -> "Request":
        """With these words too: in the query of a GET, else in the body."""
        if not more:
            return self
        if self.method == "GET" and not self.operation:
            return self.model_copy(update={"query": {**self.query, **more}})
        return self.model_copy(update={"body": {**self.body, **more}})


class Times(_Part):
    """How moments are written in answers. The first form that fits counts."""

    forms: Annotated[tuple[str, ...], BeforeValidator(_listed)] = ("iso",)
    """`iso`; `epoch`, seconds since 1970; `epoch_ms`, thousandths of them; else a pattern such as %d.%m.%Y %H:%M."""
    zone: str = "UTC"
    """The zone of a moment that names none: a name such as Europe/Prague, or the setting that holds it."""


class Table(_Part):
    """Words and their ids, read live: statuses, people, custom fields. The first source that can be read is taken."""

    sources: tuple["Source", ...] = ()
    find: "Source | None" = None
    """How a single {word} is looked up where the list is too long to be read."""
    one: Request | None = None
    """How a single id is looked up where there is no list; the name is at `one_name`."""
    one_name: str = "name"


class Source(Request):
    """A list of words."""

    rows: str
    id: Paths = ("id",)
    name: Paths = ("name",)
    pages: "Paging | None" = None
    """None: it comes whole."""
    full: int = 100
    """How many rows a full page has, where its being full tells that there are more."""
    total: str | None = None
    """Where the answer counts all rows: that tells better."""


class PersonShape(_Part):
    """Where a person's parts are inside what names one: an object, or a word by itself ("")."""

    key: Paths
    name: Joined = ()
    """All that are there, joined by a blank."""
    email: str | None = None
    table: str | None = None
    """The key is an id, and the person goes by the word that this table has for it."""


class Account(_Part):
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


class Version(_Part):
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


class Within(_Part):
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


class TicketShape(_Part):
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
    changed_at: str = NOWHERE
    """Where the time of the last change is, if it is told."""
    created_by: str = NOWHERE
    address: str = ""
    address_at: str | None = None
    """Where the answer has the address that people open it by."""


class FieldShape(_Part):
    """One field: where it is read, what it is called when written."""

    kind: Literal["text", "choice", "person", "moment", "number", "set"] = "text"
    at: Paths | None = None
    """None: the conversation's opening has it, or the quirks read it."""
    told: bool = True
    """No: it is written, and no answer tells it, so that it is taken for arrived."""
    item: str = ""
    """For a set: where the word is in each row."""
    split: str | None = None
    """For a set that comes as one text: what stands between two words."""
    format: Literal["plain", "html"] = "plain"
    """HTML is read as the text that people see."""
    write: str | None = None
    """Dotted place in the body, below the operation's `at`; None: it cannot be written."""
    create: str | None = None
    """The same for a create, where it differs."""
    table: str | None = None
    """Written as the id that this table has for the word."""
    resolve: str | None = None
    """Read as the word that this table has for the id."""
    empty_words: Words = ()
    """Words that mean None when read (RT's owner Nobody)."""
    empty_value: Any = None
    """What is written for None."""
    write_item: str = ""
    """For a set: it is written as rows, each with its word there."""
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


class CustomFields(_Part):
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


class Moments(_Part):
    """How a time is said in a search."""

    form: str = "iso"
    """`iso`: UTC, to the second. `epoch`, `epoch_ms`: a count since 1970. `ago`: a count of `unit` from the server's
    present time ("-300"), free of time zones. Anything with a % in it is a pattern: "%d.%m.%Y %H:%M"."""
    zone: str = "UTC"
    """The zone that a pattern is said in; a word of the settings in braces."""
    zone_at: str | None = None
    """Where the answer of `account` names that zone, where it is our account's own."""
    parts: dict[str, str] = {}
    """More words, each a pattern, for a time that is split over several fields."""
    step: timedelta = timedelta(seconds=1)
    """What a pattern is cut to: whole seconds, minutes, days."""
    unit: timedelta = timedelta(seconds=1)
    """What `ago` counts."""
    plus: str = "+"
    """What `ago` writes before a time to come."""
    exclusive: bool = False
    """The product finds what changed after the time, not at it."""
    slack: timedelta = timedelta(0)
    """How much earlier than needed is asked for."""
    doubt: timedelta = timedelta(0)
    """How far the product may misread the time (a change of summer time); a row known to be there bears witness."""

    @model_validator(mode="after")
    def _readable(self) -> "Moments":
        if "%" not in self.form and self.form not in ("iso", "epoch", "epoch_ms", "ago"):
            raise ValueError("form is iso, epoch, epoch_ms, ago, or a pattern such as %Y-%m-%d %H:%M:%S")
        return self


class Paging(_Part):
    """How a list goes on after a page, and how its end shows.

    `key`: after the last key ({after}, {next}). `number`: {page}. `offset`: {offset}, and {upto}, that of its last row.
    `token`: {page_token}, which the answer bears. `link`: the header Link. `address`: the answer bears the next page's.
    `none`: it does not."""

    by: Literal["key", "number", "offset", "token", "link", "address", "none"] = "key"
    first: int | str = 0
    """The first page's number, the first row's offset, or the key before all; "": the word is left out at first."""
    at: str | None = None
    """Where the answer has the token or the address of the next page. This, `last`, `more`, `pages` and `total` may
    be in a header: "header:X-Next-Page"."""
    last: str | None = None
    """Where it says that this page is the last one."""
    more: str | None = None
    """Where it says that there are more."""
    pages: str | None = None
    """Where it counts the pages."""
    until: Literal["short", "empty"] = "short"
    """What ends a list that says nothing of its end: a page that is not full, or only one without rows."""
    steady: bool | None = None
    """No row moves between pages, whatever changes; None: so it is with `key` and `token` alone."""
    cap: int | None = None
    """How many rows a list ends after without a word, on all its pages together."""
    most: int | None = None
    """How large a page may be asked for ({size}), where more changed at one time than fits a page."""


class Batch(Request):
    """How many tickets are read at once, where rows are bare keys or tell too little: {keys}."""

    rows: str
    joined: str | None = ","
    """What stands between the keys; null: they go as a list."""
    most: int = 50


_PAGE_WORDS = {"number": ("page",), "offset": ("offset", "upto"), "token": ("page_token",)}
"""The words that ask for a page, by the way that pages are told apart."""

Purpose = Literal["scan", "changes", "newest", "find"]


class Apart(Request):
    """What one of the lists says otherwise than the others: its request, and the shape of its answer."""

    rows: str | None = None
    key: str | None = None
    changed_at: str | None = None
    order: Literal["key", "time", "newest", "none"] | None = None
    pages: Paging | None = None
    batch: Batch | None = None
    where: dict[str, Words] = {}
    size: int | None = None
    total: str | None = None


class Listing(Request):
    """How tickets are listed. The best is by ascending key, each page continuing after the last one.

    The request is common to all four; what each adds goes into the query of a GET, else into the body."""

    rows: str
    key: str | None = None
    """Where a row has the ticket's key, if not where the ticket has it; "": the row is the key."""
    changed_at: str | None = None
    """Where a row has the time of the change, if not where the ticket has it."""
    sequence: str | None = None
    """Where the rows of a log have their ascending number: polling goes by it ({after}) instead of time."""
    compare: bool = False
    """Rows tell neither time nor number: all are listed each time, and those are taken that look different."""
    order: Literal["key", "time", "newest", "none"] | None = None
    """How `changes` are sorted: by key, the oldest change first, the newest first, or anyhow.
    None: by key where pages go by it, else anyhow."""
    pages: Paging = Paging()
    batch: Batch | None = None
    where: dict[str, Words] = {}
    """Paths and the values there, settings in braces: other rows are none of this system's tickets."""
    shows: tuple[str, ...]
    """The fields that a row shows."""
    size: int
    total: str | None = None
    """Where the answer counts all rows; null there means that even a page that is not full may not be the last."""
    moments: Moments = Moments()
    scan: dict[str, Any] = {}
    """Every ticket of this system."""
    changes: dict[str, Any] = {}
    """Those changed at or after {since}; {until} is a time to come."""
    newest: dict[str, Any] | None = None
    """The last changed first: where polling begins. None: it begins at the server's present time."""
    find: dict[str, Any] = {}
    """Those that bear {token}. None: no search knows it, and what changed since it was written is looked through."""
    each: tuple[dict[str, str], ...] = ()
    """Where no single list has all: the words of each of several, which are read one after the other."""
    apart: dict[Purpose, Apart] = {}
    """Where one of the four is asked for elsewhere, or answered otherwise."""

    def of(self, purpose: Purpose) -> "Listing":
        """The list as it is asked for this: with what is said of it alone, and its words added."""
        said = self.apart.get(purpose)
        found = self if said is None else self.model_copy(update={n: getattr(said, n) for n in said.model_fields_set})
        if purpose in ("scan", "find"):  # these list tickets, and no log
            found = found.model_copy(update={"sequence": None})
        whole = found.adding(getattr(self, purpose) or {})
        assert isinstance(whole, Listing), "a copy is of the same kind"
        return whole

    @property
    def finds(self) -> Finds:
        """How changes are found in it."""
        if self.compare:
            return Finds.COMPARED
        asked = self.of("changes")
        words = ("after",) if self.sequence is not None else ("since", *self.moments.parts)
        newest = self.sorting == "newest"  # read no further than news go
        return Finds.ASKED if newest or any(asked.says(word) for word in words) else Finds.LISTED

    def says(self, word: str) -> bool:
        """Whether the request has a word in braces anywhere."""
        return f"{{{word}}}" in repr((self.path, self.query, self.headers, self.body))

    @property
    def sorting(self) -> str:
        """`order`, whether it was said or not."""
        return self.order or ("key" if self.pages.by == "key" else "none")

    @model_validator(mode="after")
    def _walkable(self) -> "Listing":
        if self.pages.by in ("token", "address") and self.pages.at is None:
            raise ValueError(f"pages by {self.pages.by} need `at`: where the answer has it")
        if self.pages.by == "none" and self.sorting != "time":
            raise ValueError("a list without pages must be sorted by time (order: time): only so it can be continued")
        for purpose in ("scan", "changes"):
            found = self.of(purpose)
            words = _PAGE_WORDS.get(found.pages.by, ())
            if words and not any(found.says(word) for word in words):
                said = " or ".join(f"{{{word}}}" for word in words)
                raise ValueError(
                    f"pages by {found.pages.by} are asked for by the word {said}: {purpose} does not say it"
                )
        if self.sequence is not None and self.pages.by != "key":
            raise ValueError("a log is continued after its last number: pages by key, with the word {after}")
        return self


class Kept(_Part):
    """Where an answer tells something: in its body, or in a header, as the first group of a pattern."""

    at: Paths = ()
    header: str | None = None
    pattern: Pattern = r"([^/]+)/?$"


def _kept(value: Any) -> Any:
    return {"at": value} if isinstance(value, str | list) else value


Keeping = dict[str, Annotated[Kept, BeforeValidator(_kept)]]
"""Word -> where the answer tells it: a path, or how it is found in a header. Later requests know the word."""


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


class TokenShape(_Part):
    """What our token looks like on a ticket, where no custom field bears it. Exactly one of these."""

    write: str | None = None
    """A place of its own in the body of a create: an external reference, a correlation id."""
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


class InlineFiles(_Part):
    """Files go inside the comment's body, as base64."""

    at: str
    name: str
    media_type: str
    content: str
    empty: str = ""
    """What stands for no bytes."""
    encoded_names: bool = False
    """Names go as an RFC 2047 word."""


class UploadedFiles(Request):
    """Files are uploaded first, each answered with a ticket for the cloakroom, which the comment then names."""

    method: Method = "POST"
    part: str | None = None
    """The file's part in a multipart body; None: the body is the file."""
    claim: str
    """Where the answer has that ticket."""
    at: str
    key: str
    name: str
    media_type: str


class AttachedFiles(Request):
    """Files hang on the ticket, never on a comment: each is sent there before the comment it belongs to, and its name
    bears our mark until it is read. Words: {key}, {name}, {media_type}, {size}, and {content} for base64 in a body."""

    method: Method = "POST"
    part: str | None = None
    """The file's part in a multipart body; None: the body is the file, unless {content} stands in it."""
    within: timedelta = timedelta(minutes=2)
    """A file of a person belongs to the comment that they write within this time."""


class PartFiles(_Part):
    """Files go as parts of the comment's own request, which is multipart."""

    part: str
    """The name of a file's part. Word: {number}, from 1."""


class CommentChange(Request):
    """How a comment of ours is edited, taken away or hidden. Words: {key}, {comment}, its id; for an edit {text} and
    {internal}."""

    method: Method = "PUT"
    looks: bool = False
    """The product lets us change anybody's comment: we look first whose it is."""


class CommentWrite(Request):
    method: Method = "POST"
    internal: Request | None = None
    """What a hidden comment's request says otherwise. None: nothing, its body says that it is hidden."""
    id_at: Paths = ()
    id_header: str | None = None
    id_pattern: Pattern = r"(\d+)$"
    """Where the answer names the new comment, in its body or in a header. Neither: it is read back and found by its
    mark."""
    internal_files: bool = True
    """Whether a hidden comment's files are hidden too. No: none are sent."""
    inline: InlineFiles | None = None
    uploaded: UploadedFiles | None = None
    attached: AttachedFiles | None = None
    parts: PartFiles | None = None
    first: tuple[Step, ...] = ()
    """What goes before it: the message is made, and this request links it. Words are as here, and what was kept."""
    at: str = ""
    """Where in the body the companions go."""
    companions: tuple[str, ...] = ()
    carry: dict[str, str] = {}
    """As for an update: what must be sent along as it stands. The ticket is read before."""
    edit: CommentChange | None = None
    """None: comments cannot be edited."""
    hide: CommentChange | None = None
    show: CommentChange | None = None
    """Where an edit itself cannot hide a comment, or show it again: sent after it."""
    delete: CommentChange | None = None
    """None: comments cannot be taken away."""

    @property
    def hidden(self) -> Request:
        """The request of a hidden comment."""
        return self if self.internal is None else self.model_copy(update=_said(self.internal))


class Log(_Part):
    """Entries one after the other in one text, each below a line of its own. Whoever writes there can write such a
    line, too: nothing tells an entry from one that is made up."""

    head: Pattern
    """What such a line is, from end to end; its groups say what it tells."""
    tells: tuple[str, ...]
    """What each group is called in the row; what is below is `text`."""


class Rows(_Part):
    """A list that hangs on a ticket: in the ticket's own answer, or asked for apart."""

    read: Request | None = None
    """None: it is in the ticket's own answer."""
    pages: Paging | None = None
    """None: it comes whole."""
    full: int = 100
    """How many rows a full page has, where its being full tells that there are more."""
    total: str | None = None
    """Where the answer counts all rows: that tells better."""
    rows: str = ""
    keyed: bool = False
    """It is an object of id to row; the id stands in each row as `@key`."""
    log: Log | None = None
    """It is no list but one text, and this is how it falls into rows."""
    where: dict[str, Words] = {}
    """Paths and the values there: other rows are none of these."""
    having: str | None = None
    """Rows that have nothing there are none of these."""
    id: str = "id"
    """`#` is the row's place in the list, for lists that only ever grow."""
    id_from: Joined = ()
    """Where rows bear no ids: the paths that together tell one from another."""


class Hidden(_Part):
    """How a comment shows that it is internal. Say the words for one side: all others, and none, mean the other."""

    at: str
    internal: Words = ()
    public: Words = ()

    @model_validator(mode="after")
    def _one_side(self) -> "Hidden":
        if bool(self.internal) == bool(self.public):
            raise ValueError("say either internal or public, and the values that mean it")
        return self


class Format(_Part):
    """Which field says what a text is written in; the values there that mean HTML. All others are plain."""

    at: str
    html: Words


class FileRows(Rows):
    """A list of files: the ticket's, or within a comment's row."""

    name: str
    media_type: Paths = ()
    size: str | None = None
    comment: str | None = None
    """Where a file of the ticket's list names the comment that it came with."""
    link: str | None = None
    """Where the address of its bytes is. One outside the registered origin is refused."""
    author: str | None = None
    at: str | None = None
    """Who sent it and when: where files hang on nothing but the ticket, these tell whose comment it belongs to."""


class CommentRows(Rows):
    """A list of comments. Their order does not matter: they are put by time."""

    id_prefix: str = ""
    """Put before the ids of this list, where another list counts anew."""
    author: str = ""
    person: PersonShape | None = None
    """How its author is named, where that is not as `people` says."""
    at: str
    text: Paths
    format: Literal["plain", "html"] | Format = "plain"
    internal: bool | str | Hidden | None = None
    """A path to a yes or no; or how else it shows; or the same for all of this list. None: nobody can hide any."""
    body: Request | None = None
    """Asked for each comment that is new to us and public, where the list leaves out texts. Word: {comment}."""
    body_at: str = ""
    """Where that answer has the comment; what is there is laid over the row."""
    files: FileRows | None = None
    """Where a row lists the files that came with it."""


class HistoryRows(Rows):
    """A list of changes of fields."""

    author: str = ""
    person: PersonShape | None = None
    at: str
    items: str = ""
    """Where a row lists several changes; "": it is one."""
    field: str = ""
    old: str = ""
    new: str = ""
    old_id: str | None = None
    new_id: str | None = None
    """Where the ids of both values are, for fields with a `history_table`; None: at `old` and `new`."""
    shows: dict[str, Paths] = {}
    """Instead: fields, and where a row shows how they stood after it. What differs from the row before is a change."""

    @model_validator(mode="after")
    def _one_way(self) -> "HistoryRows":
        if bool(self.shows) == bool(self.field):
            raise ValueError("say either field, old and new, or shows")
        return self


class Mentions(_Part):
    """How an entry of the journal lists its details: field changes, and files that came with it."""

    rows: str
    kind: str
    field_kind: str
    custom_kind: str
    file_kind: str
    name: str
    old: str
    new: str


class OpeningShape(_Part):
    """The comment that is no comment, but what the ticket was opened with: it never changes."""

    field: str
    """The field that it is."""
    where: dict[str, Words] = {}
    """How it shows; nothing: it is the oldest."""


def _several(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else [value]


class Conversation(_Part):
    """Comments, files and history."""

    comments: Annotated[tuple[CommentRows, ...], BeforeValidator(_several)]
    """One list, or several: public ones and notes apart."""
    opening: OpeningShape | None = None
    files: FileRows | None = None
    details: Mentions | None = None
    history: HistoryRows | None = None


class Download(Request):
    base64_at: str | None = None
    """The bytes are base64 under this key of a JSON object; None: they are the body."""
    base64_in: str | None = None
    """Or at this path of an answer that holds more: {comment} and {id} choose. Such an answer is read as a whole."""


class Soap(_Part):
    """Where the WSDL is, and where and how calls go. Where there is none, how calls look."""

    wsdl: str | None = None
    """A file that is shipped beside the profile, or {a setting}: of kind path a file, of kind url an address, whose
    WSDL is fetched once a process and held against the setting `wsdl_digest`."""
    namespace: str | None = None
    """Instead of a WSDL: the namespace of operations. Elements go in the order of the body."""
    style: Literal["document", "rpc"] = "document"
    encoded: bool = False
    """Without a WSDL: whether each argument bears its type."""
    port: str | None = None
    """None: the first that speaks SOAP over HTTP."""
    path: str = ""
    """The endpoint, below `root`; a request's own `path` goes before it. "": as the WSDL has it."""
    action: str | None = None
    """SOAPAction, instead of the WSDL's: words {namespace} and {operation}; "" for none."""
    header_namespace: str = ""
    """Of the credentials in the envelope's header, where the WSDL does not know them; "": the operation's."""

    @model_validator(mode="after")
    def _one_way(self) -> "Soap":
        if (self.wsdl is None) == (self.namespace is None):
            raise ValueError("say wsdl, or namespace where there is no WSDL, and not both")
        if self.wsdl is None and not self.path:
            raise ValueError("say path: without a WSDL, nothing else tells where the endpoint is")
        if self.wsdl is not None and (self.style != "document" or self.encoded):
            raise ValueError("style and encoded are the WSDL's to say")
        return self


class Powers(_Part):
    """What the connector can say of itself: `connectors.api.Capabilities`, as far as a product decides it."""

    reads: bool = True
    version: VersionStrength
    row_version: VersionStrength
    preconditions: bool = False
    full_rows: bool = False
    complete_answers: bool = False
    history: bool = False
    internal_comments: bool = False
    whole_conversation: bool = False
    edits_move: bool = True
    edit_comments: bool = False
    delete_comments: bool = False
    files: bool = False
    empty_files: bool = True
    max_file: int | None = None
    max_comment: int | None = None
    granularity: timedelta = timedelta(seconds=1)
    search_lag: timedelta = timedelta(0)
    side_effects: dict[str, dict[str, dict[str, str]]] = {}

    def capabilities(self, notifies: Mapping[WriteKind, "MailShape"]) -> Capabilities:
        """As the contract has them."""
        mails = {kind: Mail(shape.to, shape.says) for kind, shape in notifies.items()}
        return Capabilities(**{name: getattr(self, name) for name in type(self).model_fields}, notifies=mails)


class MailShape(_Part):
    """Who gets mail of one kind of write."""

    to: tuple[Audience, ...]
    says: str


class Hooks(_Part):
    """How the product signs the hints that it posts, and where they name the ticket. The key of the signature is in the
    system's document."""

    header: str = "X-Hub-Signature-256"
    """The header that bears the signature."""
    algorithm: Literal["sha1", "sha256", "sha512", "token"] = "sha256"
    """HMAC over the raw body; `token`: the header bears the key itself."""
    encoding: Literal["hex", "base64"] = "hex"
    prefix: str = "sha256="
    signs: str = "{body}"
    """What is signed: words {body} and {timestamp}."""
    timestamp: str | None = None
    """The header that says when it was sent."""
    window: timedelta = timedelta(minutes=5)
    """How far from now that may be."""
    rows: str | None = None
    """Where the body lists several tickets; None: it is about one."""
    key: Paths = ("ticket",)
    """Where the key is in the JSON body, or in each row."""


class Profile(_Part):
    """One product."""

    kind: Literal["profile"]
    name: str = Field(pattern=r"^[a-z][a-z0-9_-]*$")
    product: str
    family: Literal["rest", "soap"]
    soap: Soap | None = None
    """How SOAP is spoken: said for that family, and only there."""
    settings: dict[str, Setting]
    root: str
    credentials: Credentials = Credentials()
    errors: Errors = Errors()
    """What went wrong, by what an answer shows."""
    capabilities: Powers
    notifies: dict[WriteKind, MailShape]
    """Which of our writes make it send mail, and to whom."""
    account: Account | None = None
    """None: the quirks know."""
    people: PersonShape
    own_by: tuple[Literal["key", "name", "email"], ...] = ("key",)
    """What an author must share with our account to be us: one of these."""
    lists: Literal["strict", "loose"] = "strict"
    """Loose: a list of one comes as that one alone, and a list of none does not come at all."""
    unset: Words = ()
    """Words that mean None wherever they are read ("1970-01-01 00:00:00", "-")."""
    times: Times = Times()
    place: Place
    """Asked when a ticket is not there."""
    within: Within | None = None
    """None: the product has one place only."""
    tables: dict[str, Table] = {}
    ticket: TicketShape
    fields: dict[str, FieldShape]
    custom_fields: CustomFields | None = None
    token: TokenShape | None = None
    """None: a custom field bears it."""
    listing: Listing
    create: Create
    update: Update
    transitions: dict[str, Transition] = {}
    """The fields that have a request of their own, and how each is written."""
    comment: CommentWrite
    conversation: Conversation | None = None
    """None: the quirks read it."""
    download: Download
    hooks: Hooks | None = None
    """None: HMAC-SHA256 in `X-Hub-Signature-256`, where the product can be taught to."""
    quirks: str | None = None
    """The name of the few lines of Python beside this profile."""

    @property
    def powers(self) -> Capabilities:
        """What its connector can say of itself."""
        return replace(self.capabilities.capabilities(self.notifies), finds=self.listing.finds)

    @model_validator(mode="after")
    def _holds_together(self) -> "Profile":
        if problems := list(contradictions(self)):
            raise ValueError("; ".join(problems))
        return self
