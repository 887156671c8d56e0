"""The profile: how one product's interface is spoken, as data. `connectors/README.md` explains every key.

Paths into answers are dotted ("user.name", "custom_fields.0"), "" is the whole answer. Words in braces are filled in:
settings by their name, and what an operation knows (key, token, since, ...); `{name:sql}` escapes for a quoted query.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Literal

from pydantic import Field, model_validator

from connectors.api import Audience, Capabilities, Mail, VersionStrength, WriteKind
from connectors.credentials import Credentials
from connectors.patterns import Pattern
from connectors.profiled.coherence import contradictions
from connectors.profiled.vocabulary.comments import CommentWrite
from connectors.profiled.vocabulary.conversation import Conversation, Download
from connectors.profiled.vocabulary.listing import Listing
from connectors.profiled.vocabulary.parts import Part, Paths, Request, Setting, Words
from connectors.profiled.vocabulary.rights import Rights
from connectors.profiled.vocabulary.tickets import (
    Account,
    CustomFields,
    FieldShape,
    PersonShape,
    Place,
    Table,
    TicketShape,
    Times,
    Within,
)
from connectors.profiled.vocabulary.writing import Create, TokenShape, Transition, Update
from connectors.remedies import Errors


class Soap(Part):
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


class Powers(Part):
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


class MailShape(Part):
    """Who gets mail of one kind of write."""

    to: tuple[Audience, ...]
    says: str


class Hooks(Part):
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
    """The header that says when it was sent; where it does, a hint is believed once."""
    window: timedelta = timedelta(minutes=5)
    """How far from now that may be."""
    rows: str | None = None
    """Where the body lists several tickets; None: it is about one."""
    key: Paths = ("ticket",)
    """Where the key is in the JSON body, or in each row."""
    key_part: Pattern | None = None
    """What stands there is more than the key (an address), which is this pattern's first group."""

    @model_validator(mode="after")
    def _time_is_signed(self) -> "Hooks":
        if self.timestamp is not None and (self.algorithm == "token" or "{timestamp}" not in self.signs):
            raise ValueError("a time that is not signed proves nothing: have signs hold {timestamp}, or say none")
        return self


class Profile(Part):
    """One product."""

    kind: Literal["profile"]
    name: str = Field(pattern=r"^[a-z][a-z0-9_-]*$")
    extends: str | None = None
    """The profile whose words are taken, save where this one says otherwise. Laid under it before this is read."""
    product: str
    proven: str = "nothing yet"
    """What its claims were held against: a real one and its version, or an emulator."""
    family: Literal["rest", "soap"]
    words: str = ""
    """The connector whose mappings translate for it too, where its words are the same (jira-cloud: jira)."""
    soap: Soap | None = None
    """How SOAP is spoken: said for that family, and only there."""
    settings: dict[str, Setting]
    root: str
    credentials: Credentials = Credentials()
    errors: Errors = Errors()
    """What went wrong, by what an answer shows."""
    every: Request = Request()
    """What every request says that does not say otherwise itself: one address for all, a form, a header."""
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
    packed: Paths = ()
    """Where an answer's text is itself a document, XML or JSON: it is read in its place."""
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
    download: Download = Download()
    rights: Rights | None = None
    """What our account may do, where a request tells."""
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
        if self.extends is not None:
            raise ValueError("what it extends has to be laid under it first")
        if problems := list(contradictions(self)):
            raise ValueError("; ".join(problems))
        return self
