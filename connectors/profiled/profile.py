"""The profile: how one product's interface is spoken, as data. `connectors/README.md` explains every key.

Paths into answers are dotted ("user.name", "custom_fields.0"), "" is the whole answer. Words in braces are filled in:
settings by their name, and what an operation knows (key, token, since, ...); `{name:sql}` escapes for a quoted query.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from connectors.api import Audience, Capabilities, Mail, VersionStrength, WriteKind
from connectors.credentials import Credentials
from connectors.patterns import Pattern
from connectors.remedies import Errors


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Paths = Annotated[tuple[str, ...], BeforeValidator(_listed)]
"""One path, or several: the first that leads somewhere counts."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Setting(_Part):
    """One thing the operator says when registering a system."""

    kind: Literal["url", "text", "secret", "path"] = "text"
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

    def adding(self, more: Mapping[str, str]) -> "Request":
        """With these words too: in the query of a GET, else in the body."""
        if not more:
            return self
        if self.method == "GET" and not self.operation:
            return self.model_copy(update={"query": {**self.query, **more}})
        return self.model_copy(update={"body": {**self.body, **more}})


class Table(_Part):
    """Words and their ids, read live: statuses, people, custom fields. The first source that can be read is taken."""

    sources: tuple["Source", ...]
    one: Request | None = None
    """How a single id is looked up where there is no list; the name is at `one_name`."""
    one_name: str = "name"


class Source(Request):
    """A list of words."""

    rows: str
    id: Paths = ("id",)
    name: Paths = ("name",)
    offset: str | None = None
    """The query word that pages through a long list; its pages hold `size` rows."""
    size: int = 100


class PersonShape(_Part):
    """Where a person's parts are inside an object that names one."""

    key: str
    name: Paths = ()
    """All that are there, joined by a blank."""
    email: str | None = None


class Account(_Part):
    """Who we are there."""

    read: Request
    person: PersonShape


class Version(_Part):
    """Where a ticket's version is: a header, a path, or a digest over the ticket as answered."""

    header: str | None = None
    at: str | None = None
    digest_without: tuple[str, ...] | None = None
    """Parts that are not content (what the workflow allows now)."""

    @model_validator(mode="after")
    def _one_way(self) -> "Version":
        if sum(each is not None for each in (self.header, self.at, self.digest_without)) != 1:
            raise ValueError("say exactly one of header, at, digest_without")
        return self


class Within(_Part):
    """How a ticket shows that it belongs to the registered place: whoever names another place's gains nothing."""

    ticket_at: str
    place_at: str
    """Dotted places, in the ticket and in the answer of `place`, that hold the same id."""


class TicketShape(_Part):
    """How a ticket is read, and where its parts are. List rows are read by the same paths, as far as they go."""

    read: Request
    at: str = ""
    key: str = "id"
    key_pattern: Pattern = "[0-9]+"
    """What a key looks like: anything else is no ticket of this product, and is never put into an address."""
    version: Version
    changed_at: str
    created_by: str
    address: str


class FieldShape(_Part):
    """One field: where it is read, what it is called when written."""

    kind: Literal["text", "choice", "person", "moment", "number", "set"] = "text"
    at: str | None = None
    """None: the quirks read it (RT's description lives in its first transaction)."""
    item: str = ""
    """For a set: where the word is in each row."""
    write: str | None = None
    """Dotted place in the body, below the operation's `at`; None: it cannot be written."""
    create: str | None = None
    """The same for a create, where it differs."""
    table: str | None = None
    """Written as the id that this table has for the word."""
    resolve: str | None = None
    """Read as the word that this table has for the id."""
    empty_words: tuple[str, ...] = ()
    """Words that mean None when read (RT's owner Nobody)."""
    empty_value: Any = None
    """What is written for None."""
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


class CustomFields(_Part):
    """Fields that each site invents. They appear as `prefix` + their name."""

    prefix: str
    rows: str
    name: str = "name"
    value: str
    table: str | None = None
    """Where their ids are, if they are written by id."""
    write: str
    shape: Literal["rows", "names"]
    """Written as a list of {id, value}, or as an object of name to value."""
    empty_value: Any = None
    token: str = "{external_id}"  # noqa: S105 (the field that holds our mark)
    """The custom field that holds our token: its name, or its id where the setting is a number."""


class Moments(_Part):
    """How a time is said in a search."""

    form: Literal["iso", "ago"] = "iso"
    """`iso`: UTC, to the second. `ago`: seconds from the server's present time ("-300"), free of time zones."""
    slack: timedelta = timedelta(0)
    """How much earlier than needed is asked for."""
    doubt: timedelta = timedelta(0)
    """How far the product may misread the time (a change of summer time); a row known to be there bears witness."""


class Listing(Request):
    """How tickets are listed: by ascending key, page by page, each page continuing after the last key.

    The request is common to all four; what each adds goes into the query of a GET, else into the body."""

    rows: str
    shows: tuple[str, ...]
    """The fields that a row shows."""
    size: int
    total: str | None = None
    """Where the answer counts all rows; null there means that even a page that is not full may not be the last."""
    moments: Moments = Moments()
    scan: dict[str, str]
    """Every ticket of this system: words {after} and {next} (the key after it)."""
    changes: dict[str, str]
    """Those changed at or after {since}."""
    newest: dict[str, str]
    """The last changed first: where polling begins."""
    find: dict[str, str]
    """Those that bear {token}."""


class Create(Request):
    method: Method = "POST"
    at: str = ""
    """Where in the body the fields go."""
    defaults: dict[str, str] = {}
    """Fields and their values where the caller has none."""
    answers: Literal["ticket", "key"]
    """What the answer bears: the whole ticket, or only its key."""
    key: str = "id"


class Update(Request):
    method: Method = "PUT"
    at: str = ""
    guard: dict[str, str] = {}
    """Headers that make the server refuse if the ticket is not at {version} any more."""
    answers: Literal["ticket", "nothing"] = "nothing"
    sentences: str | None = None
    """Where the answer lists what became of each field, in the product's words."""


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
    claim: str
    """Where the answer has that ticket."""
    at: str
    key: str
    name: str
    media_type: str


class CommentChange(Request):
    """How a comment of ours is edited or taken away. Words: {comment}, its id; {text} and {internal}, for an edit."""

    method: Method = "PUT"


class CommentWrite(Request):
    method: Method = "POST"
    internal: Request | None = None
    """What a hidden comment's request says otherwise. None: nothing, its body says that it is hidden."""
    id_header: str | None = None
    id_pattern: Pattern = r"(\d+)$"
    """Where the answer names the new comment. None: it is read back and found by its mark."""
    internal_files: bool = True
    """Whether a hidden comment's files are hidden too. No: none are sent."""
    inline: InlineFiles | None = None
    uploaded: UploadedFiles | None = None
    edit: CommentChange | None = None
    """None: comments cannot be edited."""
    delete: CommentChange | None = None
    """None: comments cannot be taken away."""

    @property
    def hidden(self) -> Request:
        """The request of a hidden comment."""
        if self.internal is None:
            return self
        return self.model_copy(update={name: getattr(self.internal, name) for name in self.internal.model_fields_set})


class CommentRows(_Part):
    """Where the ticket's answer lists its comments."""

    rows: str
    id: str = "id"
    author: str
    at: str
    text: str
    internal: str


class FileRows(_Part):
    """Where the ticket's answer lists its files."""

    rows: str
    id: str = "id"
    name: str
    media_type: str
    size: str


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


class Conversation(_Part):
    """Comments, files and history inside the ticket's own answer."""

    comments: CommentRows
    files: FileRows
    details: Mentions


class Download(Request):
    base64_at: str | None = None
    """The bytes are base64 under this key of a JSON object; None: they are the body."""


class Powers(_Part):
    """What the connector can say of itself: `connectors.api.Capabilities`, as far as a product decides it."""

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


class Profile(_Part):
    """One product."""

    kind: Literal["profile"]
    name: str = Field(pattern=r"^[a-z][a-z0-9_-]*$")
    product: str
    family: Literal["rest"]
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
    place: Request
    """Readable as long as the registered system is there for us: asked when a ticket is not."""
    within: Within | None = None
    """None: the product has one place only."""
    tables: dict[str, Table] = {}
    ticket: TicketShape
    fields: dict[str, FieldShape]
    custom_fields: CustomFields | None = None
    listing: Listing
    create: Create
    update: Update
    comment: CommentWrite
    conversation: Conversation | None = None
    """None: the quirks read it."""
    download: Download
    quirks: str | None = None
    """The name of the few lines of Python beside this profile."""
