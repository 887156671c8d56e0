"""How comments are written, and the files that go with them."""

from datetime import timedelta

from pydantic import model_validator

from connectors.patterns import Pattern
from connectors.profiled.vocabulary.parts import Keeping, Method, Part, Paths, Request
from connectors.profiled.vocabulary.writing import Step, _said


class InlineFiles(Part):
    """Files go inside the comment's body, as base64."""

    at: str
    name: str
    media_type: str
    content: str
    empty: str = ""
    """What stands for no bytes."""
    encoded_names: bool = False
    """Names go as an RFC 2047 word."""
    twice: bool = False
    """What goes as base64 is base64 already: such servers decode it, and people's programs once more."""
    recodes: bool = False
    """The product recodes text that is not UTF-8, and takes messages apart: such files go as mere bytes."""


class UploadedFiles(Request):
    """Files are uploaded first, each answered with a ticket for the cloakroom, which the comment then names."""

    method: Method = "POST"
    part: str | None = None
    """The file's part in a multipart body; None: the body is the file."""
    claim: str
    """Where the answer has that ticket."""
    at: str
    key: str = ""
    """What that ticket is called in the comment's list; "": it stands there alone."""
    name: str = ""
    media_type: str = ""
    """What the file's name and type are called beside it; "": neither is said."""

    @model_validator(mode="after")
    def _beside(self) -> "UploadedFiles":
        if (self.name or self.media_type) and not self.key:
            raise ValueError("say key: name and media_type stand beside it")
        return self


class AttachedFiles(Request):
    """Files hang on the ticket, never on a comment: each is sent there before the comment it belongs to, and its name
    bears our mark until it is read. Words: {key}, {name}, {media_type}, {size}, and {content} for base64 in a body."""

    method: Method = "POST"
    part: str | None = None
    """The file's part in a multipart body; None: the body is the file, unless {content} stands in it."""
    keep: Keeping = {}
    then: tuple[Step, ...] = ()
    """What hangs on the ticket what was only taken in, and the words that its answer told for that."""
    twice: bool = False
    """{content} is base64 once more."""
    window: timedelta = timedelta(minutes=2)
    """A file of a person belongs to the comment that they write within this time."""


class PartFiles(Part):
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
