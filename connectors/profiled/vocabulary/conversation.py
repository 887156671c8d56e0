"""How a ticket's conversation is read: comments, files, history."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, model_validator

from connectors.patterns import Pattern
from connectors.profiled.vocabulary.listing import Paging
from connectors.profiled.vocabulary.parts import Joined, Part, Paths, Request, Words
from connectors.profiled.vocabulary.tickets import PersonShape


class Log(Part):
    """Entries one after the other in one text, each below a line of its own. Whoever writes there can write such a
    line, too: nothing tells an entry from one that is made up."""

    head: Pattern
    """What such a line is, from end to end; its groups say what it tells."""
    tells: tuple[str, ...]
    """What each group is called in the row; what is below is `text`."""


class Rows(Part):
    """A list that hangs on a ticket: in the ticket's own answer, or asked for apart."""

    read: Request | None = None
    """None: it is in the ticket's own answer."""
    pages: Paging | None = None
    """None: it comes whole."""
    per_page: int = 100
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


class Hidden(Part):
    """How a comment shows that it is internal. Say the words for one side: all others, and none, mean the other."""

    at: str
    internal: Words = ()
    public: Words = ()

    @model_validator(mode="after")
    def _one_side(self) -> "Hidden":
        if bool(self.internal) == bool(self.public):
            raise ValueError("say either internal or public, and the values that mean it")
        return self


class Format(Part):
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
    person: PersonShape | None = None
    """How its author is named, where that is not as `people` says."""
    at: Joined | None = None
    """Who sent it and when: where files hang on nothing but the ticket, these tell whose comment it belongs to."""


class CommentRows(Rows):
    """A list of comments. Their order does not matter: they are put by time."""

    id_prefix: str = ""
    """Put before the ids of this list, where another list counts anew."""
    author: str = ""
    person: PersonShape | None = None
    """How its author is named, where that is not as `people` says."""
    at: Joined
    text: Paths
    noise: Pattern | None = None
    """What the product itself puts into a text ("Created attachment 5"): cut out once. What says nothing then is no
    comment."""
    format: Literal["plain", "html", "escaped"] | Format = "plain"
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
    at: Joined
    items: str = ""
    """Where a row lists several changes; "": it is one."""
    items_keyed: bool = False
    """They are an object of field to change; the field stands in each as `@key`."""
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


class Mentions(Part):
    """How an entry of the journal lists its details: field changes, and files that came with it."""

    rows: str
    kind: str
    field_kind: str
    custom_kind: str
    file_kind: str
    name: str
    old: str
    new: str
    files_ahead: bool = False
    """The files of a hidden entry are named by an entry right before it: without words (null), by the same person, at
    the same moment."""


class OpeningShape(Part):
    """The comment that is no comment, but what the ticket was opened with: it never changes."""

    field: str
    """The field that it is."""
    where: dict[str, Words] = {}
    """How it shows; nothing: it is the oldest."""


def _several(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else [value]


class Conversation(Part):
    """Comments, files and history."""

    comments: Annotated[tuple[CommentRows, ...], BeforeValidator(_several)]
    """One list, or several: public ones and notes apart."""
    opening: OpeningShape | None = None
    files: FileRows | None = None
    embedded: Paths = ()
    """How addresses of images and files begin that stand in texts and in no list ("/uploads/"): they are files of the
    comment, or of the ticket whose field it is. They must lead below `root`."""
    details: Mentions | None = None
    history: HistoryRows | None = None


class Download(Request):
    base64_at: str | None = None
    """The bytes are base64 under this key of a JSON object; None: they are the body."""
    base64_in: str | None = None
    """Or at this path of an answer that holds more: {comment} and {id} choose. Such an answer is read as a whole."""
    twice: bool = False
    """What comes out is base64 once more."""
