"""The profile of a helpdesk that is reached by mail: how its mails are told apart and what they can say, as data.

`connectors/README.md` explains every key.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from connectors.api import Audience, Capabilities, VersionStrength, WriteKind
from connectors.profiled.profile import MailShape, Powers
from connectors.profiled.vocabulary.parts import Setting

NUMBER = "{number}"
MAX_FILE = 20 * 1024 * 1024
"""Bytes of one file of ours: mail servers seldom take more than that, packed for the way."""
ARRIVES_WITHIN = timedelta(minutes=5)
"""How long our own copy of a mail may be under way: it proves that the mail was accepted where the answer was lost."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Line(_Part):
    """A field as mails tell it."""

    label: str
    """What stands before the colon, or the name of the element."""
    kind: Literal["text", "choice", "person"] = "text"
    max_length: int | None = None
    reads: bool = False
    """Whether a mail of theirs may change it; else it is told and never read."""


class Hour(_Part):
    """How many mails of theirs count within an hour; what is above is set aside for a person."""

    sender: int = Field(60, ge=1)
    thread: int = Field(10, ge=1)


Sign = Literal["auto_submitted", "precedence", "suppress", "list", "null_sender"]
"""What makes a mail an automatic one."""

SETTINGS: Mapping[str, Setting] = {
    "imap": Setting(says="where our mail is read: imaps://host[:port] (TLS), imap://host[:port] (STARTTLS)"),
    "smtp": Setting(says="where our mail is sent: smtps://host[:port] (TLS), smtp://host[:port] (STARTTLS)"),
    "user": Setting(says="the account of our mailbox, used for sending too where the server asks for one"),
    "password": Setting(kind="secret", says="its password"),
    "address": Setting(says="our address: their answers come to this mailbox"),
    "to": Setting(says="the address of the helpdesk"),
    "secret": Setting(kind="secret", says="what our Message-IDs and subjects are signed with; any long random text"),
    "senders": Setting(
        required=False, says="addresses and domains whose mails count, separated by commas; default: `to`"
    ),
    "authentication": Setting(
        default="results",
        says="how a sender is proven: `results` (what our own mail server found), `dkim` (checked here), `none`",
    ),
    "authserv_id": Setting(required=False, says="the name that our mail server gives in Authentication-Results"),
    "inbox": Setting(default="INBOX", says="the folder where mail arrives"),
    "archive": Setting(default="interdesk", says="the folder of what was taken in and sent; made where it is missing"),
    "aside": Setting(default="interdesk-aside", says="the folder of what was not taken in; made where it is missing"),
    "ca_file": Setting(kind="path", required=False, says="certificates trusted beside the usual ones"),
}
"""What every mail system is registered with."""


class MailProfile(_Part):
    """One kind of helpdesk that is reached by mail."""

    kind: Literal["profile"]
    name: str
    product: str
    proven: str = "nothing yet"
    """What its claims were held against."""
    family: Literal["mail"]
    words: str = ""
    """The connector whose mappings translate for it too."""
    settings: dict[str, Setting] = Field({}, validate_default=True)
    """What an operator says: beside these, what every mail system asks."""
    number: str = ""
    """How their subjects bear their number: a text around {number}; other words in braces are settings."""
    body: Literal["lines", "xml"] = "lines"
    """How fields are told: lines of `LABEL: value` below the text, or one XML document."""
    element: str = "ticket"
    """The outermost element of an XML body, and in it the one that holds the text."""
    text: str = "text"
    fields: dict[str, Line]
    divider: bool = False
    """Our mails begin with a line below which answers quote: for desks where people answer out of mail programs."""
    headers: dict[str, str] = {}
    """What every mail of ours bears beside what all bear."""
    automatic: tuple[Sign, ...] = ("auto_submitted", "precedence", "suppress", "list", "null_sender")
    """Which signs make a mail an automatic one. A desk whose people's mails bear one themselves leaves it out."""
    hour: Hour = Hour()

    @field_validator("number")
    @classmethod
    def _bears_a_number(cls, value: str) -> str:
        if value and value.count(NUMBER) != 1:
            raise ValueError(f"must hold {NUMBER} once, not {value!r}")
        return value

    @field_validator("fields")
    @classmethod
    def _has_the_first_mail(cls, value: dict[str, Line]) -> dict[str, Line]:
        missing = [name for name in ("subject", "description") if name not in value]
        if missing:
            raise ValueError(
                f"must name subject and description, which the first mail is made of; missing: {missing[0]}"
            )
        return value

    @field_validator("settings")
    @classmethod
    def _asks_for_all(cls, value: dict[str, Setting]) -> dict[str, Setting]:
        return {**SETTINGS, **value}

    @property
    def capabilities(self) -> Powers:
        """What any helpdesk can do that is reached by mail: the shadow in our mailbox answers for it."""
        return Powers(
            reads=False,
            version=VersionStrength.STRONG,
            row_version=VersionStrength.STRONG,
            complete_answers=True,
            files=True,
            max_file=MAX_FILE,
            search_lag=ARRIVES_WITHIN,
        )

    @property
    def powers(self) -> Capabilities:
        """What its connector can say of itself."""
        return self.capabilities.capabilities(self.notifies)

    @property
    def notifies(self) -> dict[WriteKind, MailShape]:
        """Every write is a mail."""
        told = MailShape(to=(Audience.REQUESTOR,), says="each of our writes is a mail to the helpdesk's address")
        return {kind: told for kind in WriteKind if kind is not WriteKind.INTERNAL_COMMENT}
