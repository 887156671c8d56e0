"""The documents that only `sync` understands: *system* (what an operator registers) and *instance* (this interdesk).

Each is read with its positions, so that every problem is told at once as `file:line:column: sentence`. What depends on
other documents, on connectors or on the mapping is checked in `registration`.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from central import model
from central.account import Grant
from central.desk.mail.intake import Strangers
from connectors.mail.server import server_of
from connectors.registry import AnyProfile, model_of
from mappings.loader import Document, DocumentError, Problem, check_model, suggestion
from sync import secrets
from sync.policy import POLICIES

_DURATION = re.compile(r"([1-9][0-9]{0,5})(s|m|h|d)")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_SIZE = re.compile(r"([1-9][0-9]{0,11})( ?(kB|KB|MB|GB))?")
_SIZES = {"": 1, "kB": 1024, "KB": 1024, "MB": 1024**2, "GB": 1024**3}
_SWITCHES = {"internal_comments": ("never", "share"), "comment_deletes": ("never", "follow")}
"""What stands in a policy beside fields, and what it may say."""
_ADDRESS = re.compile(r"[^@\s<>]+@[^@\s<>]+")
_HEADER = re.compile(r"[A-Za-z0-9-]{1,60}")


def duration(value: object) -> timedelta:
    """A length of time as people write it: 60s, 5m, 24h or 7d.  :raises ValueError: it is none."""
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("a duration is a number and its unit: 60s, 5m, 24h or 7d")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def _size(value: object) -> int:
    match = None if isinstance(value, bool) else _SIZE.fullmatch(str(value))
    if match is None:
        raise ValueError("a size is a number of bytes, or a number and kB, MB or GB")
    return int(match[1]) * _SIZES[match[3] or ""]


def _web(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("a web address begins with https:// or http://")
    return url


def _addresses(contacts: tuple[str, ...]) -> tuple[str, ...]:
    if any(not _ADDRESS.fullmatch(each) for each in contacts):
        raise ValueError("a contact is an e-mail address such as ops@example.org")
    return contacts


def _network(value: object) -> IPv4Network | IPv6Network:
    try:
        return ip_network(str(value))
    except ValueError:
        raise ValueError("a network is written as 10.1.0.0/16 or 192.0.2.7/32") from None


Duration = Annotated[timedelta, BeforeValidator(duration)]
Size = Annotated[int, BeforeValidator(_size)]
Network = Annotated[IPv4Network | IPv6Network, BeforeValidator(_network)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SecretReference(_Part):
    """Where a secret is kept: `{secret: "env:INTERDESK_SECRET_NAME"}`, `"file:NAME"` or `"sealed:NAME"`."""

    secret: str


class Poll(_Part):
    """How the system is asked what changed."""

    every: Duration = timedelta(seconds=60)
    """How often it is asked what changed."""
    overlap: Duration = timedelta(minutes=5)
    """How far each question reaches back before the newest change seen, for late and equal timestamps."""
    full_scan: Duration = timedelta(hours=24)
    """How often the contents of all its tickets are compared."""


class Limits(_Part):
    """How gently the system is treated."""

    in_flight: int = Field(2, ge=1, le=16)
    """How many tickets are worked on at once."""
    per_minute: int | None = Field(None, ge=1)
    """How many requests it gets per minute at most; none: no limit."""


class Guard(_Part):
    """How much the system may close, lose or change before somebody is asked."""

    closings: int = Field(20, ge=1)
    """How many tickets it may close within an hour, however quiet it was before."""
    losses: int = Field(20, ge=1)
    """How many tickets may be gone there within an hour, or missing in one listing."""
    changes: int = Field(200, ge=1)
    """How many tickets it may change within an hour."""
    times_usual: int = Field(5, ge=1)
    """More is fine up to so many times the busiest hour of the last two weeks."""


class MarkerSpot(_Part):
    """Where interdesk keeps its mark, by which it knows a copy or a restored system."""

    ticket: str = Field(min_length=1)
    """The key of a ticket there that is used for nothing else."""
    field: str = Field(min_length=1)
    """A free text field of it, by the tracker's name."""


class Webhook(_Part):
    """What the system posts to `/hooks/NAME` when a ticket moved. It is a hint only: the ticket is fetched."""

    secret: SecretReference
    """The key of the signature: an HMAC over the raw body."""
    header: str = "X-Hub-Signature-256"
    """The header that carries the signature as `sha256=HEX`. Not said: as the product's profile has it."""
    key: str = "ticket"
    """The field of the JSON body that holds the ticket's key; points lead inside: `issue.id`. Likewise."""
    timestamp: str | None = None
    """The header that says when it was sent, in seconds since 1970 or as ISO 8601. What is signed is then that, a
    point, and the body; and a hint is believed once, and for five minutes. Likewise."""

    @field_validator("header", "timestamp")
    @classmethod
    def _is_header(cls, value: str | None) -> str | None:
        if value is not None and not _HEADER.fullmatch(value):
            raise ValueError("a header's name is letters, digits and dashes")
        return value


class SystemAlerts(_Part):
    """What is borne of the system before somebody is told; what is not said is as in the instance's document."""

    lag: Duration | None = None
    """How long something may be owed."""
    errors: Duration | None = None
    """How long it may not answer, or fail."""
    dead_letters: int | None = Field(None, ge=1)
    """How many dead letters it takes."""


class SystemDocument(_Part):
    """One registered ticketing system."""

    kind: Literal["system"]
    name: str
    connector: str
    """The kind of tracker: a connector's or profile's name, such as rt or redmine."""
    settings: dict[str, Any]
    """What the connector needs to reach it, secrets as references."""
    mapping: str
    """The mapping that translates it; those of the library are ready for use."""
    support_units: tuple[str, ...] = ()
    """Tickets assigned to these are created and kept there. A unit belongs to at most one system."""
    birth_unit: str = "TPM"
    """The unit that a ticket born there gets, unless the mapping carries one inward."""
    poll: Poll = Poll()
    limits: Limits = Limits()
    policy: dict[str, str] = {}
    """Who wins when both sides changed a field: central, remote, newest or ask. Beside field names: `otherwise` for
    all others, `internal_comments` (never or share) and `comment_deletes` (never or follow)."""
    guard: Guard = Guard()
    marker: MarkerSpot | None = None
    contacts: tuple[str, ...] = ()
    """Who gets mail when something is wrong with the system."""
    alerts: SystemAlerts = SystemAlerts()
    webhook: Webhook | None = None

    @field_validator("support_units")
    @classmethod
    def _are_units(cls, units: tuple[str, ...]) -> tuple[str, ...]:
        longest = model.FIELDS["unit"].max_length or 0
        for unit in units:
            if not unit or len(unit) > longest:
                raise ValueError(f"a support unit has 1 to {longest} characters")
        if len(set(units)) != len(units):
            raise ValueError("a unit stands here twice")
        return units

    @field_validator("birth_unit")
    @classmethod
    def _is_unit(cls, unit: str) -> str:
        return cls._are_units((unit,))[0]

    @field_validator("contacts")
    @classmethod
    def _are_addresses(cls, contacts: tuple[str, ...]) -> tuple[str, ...]:
        return _addresses(contacts)

    @property
    def share_internal(self) -> bool:
        """Internal comments may be sent there, as internal ones."""
        return self.policy.get("internal_comments", "never") == "share"

    @property
    def follow_deletes(self) -> bool:
        """A deleted comment is taken away there too."""
        return self.policy.get("comment_deletes", "never") == "follow"

    @property
    def overrides(self) -> Mapping[str, str]:
        """The policies that go before the mapping's own: field -> policy, and `otherwise`."""
        return {name: who for name, who in self.policy.items() if name not in _SWITCHES}


class InstanceLimits(_Part):
    """The sizes this centre accepts."""

    file: Size = model.Limits().file
    """The largest file, in bytes."""
    comment: Size = model.Limits().comment
    """The longest comment, in characters."""
    answer: Size = model.Limits().answer
    """The largest answer of a tracker that is read, in bytes."""


class InstanceAlerts(_Part):
    """Who is told of everything, and what is borne where a system's document does not say otherwise."""

    contacts: tuple[str, ...] = ()
    """Who gets mail whatever is wrong, and with whatever system."""
    webhook: str | SecretReference | None = None
    """An address that everything is posted to as JSON; a secret where whoever knows it may post."""
    ping: str | SecretReference | None = None
    """An address that is asked for as long as the engine moves: a dead-man's switch."""
    ping_every: Duration = timedelta(minutes=1)
    lag: Duration = timedelta(minutes=30)
    errors: Duration = timedelta(minutes=10)
    dead_letters: int = Field(1, ge=1)

    @field_validator("contacts")
    @classmethod
    def _are_addresses(cls, contacts: tuple[str, ...]) -> tuple[str, ...]:
        return _addresses(contacts)

    @field_validator("webhook", "ping")
    @classmethod
    def _are_web_addresses(cls, address: str | SecretReference | None) -> str | SecretReference | None:
        return _web(address) if isinstance(address, str) else address


class InstanceMetrics(_Part):
    """Who reads the figures, which name every system: whoever asks from this machine, and as it says here."""

    token: SecretReference | None = None
    """Whoever shows this as a bearer token, from wherever."""
    open: bool = False
    """Anybody who reaches these pages."""


class Retention(_Part):
    """How long what tells of people is kept: a duration such as 365d, or not said: for ever."""

    history: Duration | None = None
    """Who did what on a ticket, from its last change on, once it is verified or closed."""
    answers: Duration | None = None
    """The whole words of other systems with dead letters."""
    mails: Duration | None = None
    """Who sent a mail, and about what; one that waits in quarantine waits on."""
    audit: Duration | None = None
    """The audit log."""
    files: Duration | None = None
    """The bytes of a ticket's files, from its last change on, once it is verified or closed; all else of them stays."""


class OpenIdProvider(_Part):
    """Where people sign in instead of here, such as EGI Check-in."""

    issuer: str
    """Its address, exactly as it calls itself."""
    client_id: str = Field(min_length=1)
    """What it calls us."""
    client_secret: SecretReference | None = None
    """What we show it; none: it knows us as a public client."""
    scopes: tuple[str, ...] = ("openid", "email", "profile", "entitlements")
    """What it is asked for."""
    grants: dict[str, tuple[str, ...]] = {}
    """What people are here by what they are entitled to there: entitlement -> grants such as operator:NAME. `*`: all
    who sign in there."""

    @field_validator("issuer")
    @classmethod
    def _is_guarded(cls, issuer: str) -> str:
        parts = urlsplit(issuer)
        if parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1"):
            return issuer  # for trying it out: nobody is in between
        if parts.scheme != "https" or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("an issuer is an address that begins with https://")
        return issuer

    @field_validator("scopes")
    @classmethod
    def _asks_who(cls, scopes: tuple[str, ...]) -> tuple[str, ...]:
        if "openid" not in scopes:
            raise ValueError("openid is one of the scopes, or it is no OpenID")
        return scopes

    @field_validator("grants")
    @classmethod
    def _are_grants(cls, grants: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        for each in (grant for granted in grants.values() for grant in granted):
            Grant.read(each)
        return grants

    @property
    def granted(self) -> Mapping[str, frozenset[Grant]]:
        """`grants`, read."""
        return {entitlement: frozenset(map(Grant.read, granted)) for entitlement, granted in self.grants.items()}


class MailIn(_Part):
    """Where mail to this desk is read."""

    imap: str
    """`imaps://host[:port]` (TLS) or `imap://host[:port]` (STARTTLS)."""
    user: str
    password: SecretReference
    authentication: Literal["results", "dkim", "none"] = "results"
    """What proves a sender: our mail server's Authentication-Results, a DKIM signature, or nothing."""
    authserv_id: str = ""
    """The name that our mail server gives in its Authentication-Results."""
    strangers: Strangers = Strangers.ANSWER
    """What those without an account may do."""
    inbox: str = "INBOX"
    aside: str = "interdesk-aside"
    """The folder of what was too large to be taken in."""

    @field_validator("imap")
    @classmethod
    def _is_imap(cls, address: str) -> str:
        server_of(address, "imap")
        return address

    @model_validator(mode="after")
    def _names_who_examined(self) -> Self:
        if self.authentication == "results" and not self.authserv_id:
            raise ValueError(
                "authserv_id is missing: the name that our mail server gives in its Authentication-Results headers"
            )
        return self


class MailOut(_Part):
    """How people are told by mail."""

    smtp: str
    """`smtps://host[:port]` (TLS), `smtp://host[:port]` (STARTTLS); `smtp+plain://` for a relay on this machine."""
    user: str = ""
    password: SecretReference | None = None
    units: Mapping[str, str] = {}
    """Support unit -> its address, of units that are told by mail."""

    @field_validator("smtp")
    @classmethod
    def _is_smtp(cls, address: str) -> str:
        server_of(address, "smtp")
        return address


class MailDocument(_Part):
    """The desk's own mail."""

    address: str = Field(pattern=_ADDRESS.pattern)
    """The one address that people write to, and that writes to them."""
    secret: SecretReference
    """What our marks are signed with: 16 characters or more, and the same for ever."""
    ca_file: str = ""
    """Certificates of a private authority, PEM; from where this document is."""
    incoming: MailIn | None = Field(None, alias="in")
    out: MailOut | None = None


class InstanceDocument(_Part):
    """This interdesk itself: `interdesk.yaml`, named by INTERDESK_CONFIG."""

    kind: Literal["instance"] = "instance"
    name: str = "interdesk"
    instance: str = ""
    """The id of this instance, which INTERDESK_INSTANCE goes before; empty: the one in the state folder."""
    centre: str = "GGUS"
    """What the centre is called in texts that people read elsewhere."""
    public_url: str = ""
    """Where people and webhooks reach these pages."""
    ticket_address: str = ""
    """Where people open a ticket, with {id} in it; empty: the ticket's page below `public_url`."""
    limits: InstanceLimits = InstanceLimits()
    alerts: InstanceAlerts = InstanceAlerts()
    metrics: InstanceMetrics = InstanceMetrics()
    mail: MailDocument | None = None
    """Mail in and out; nothing: this desk has no mail."""
    allowed_networks: tuple[Network, ...] = ()
    """Private networks that outgoing calls may reach; all other private addresses are refused."""
    secrets: str = ""
    """The folder of `file:` secrets, from where this document is."""
    oidc: OpenIdProvider | None = None
    retention: Retention = Retention()

    @field_validator("public_url")
    @classmethod
    def _is_web_address(cls, url: str) -> str:
        return _web(url).rstrip("/") if url else url

    @field_validator("ticket_address")
    @classmethod
    def _holds_id(cls, address: str) -> str:
        if address and ("{id}" not in address or re.sub(r"\{id\}", "", address).count("{")):
            raise ValueError("the ticket's address holds {id}, and no other braces")
        return address

    @property
    def where_tickets_open(self) -> str:
        """The template of a ticket's address; '' where there are no pages for people."""
        if self.ticket_address or not self.public_url:
            return self.ticket_address
        return f"{self.public_url}/tickets/{{id}}"

    @property
    def central_limits(self) -> model.Limits:
        """The limits as central takes them."""
        return model.Limits(file=self.limits.file, comment=self.limits.comment, answer=self.limits.answer)

    def secrets_folder(self, beside: Path) -> Path | None:
        """The folder of `file:` secrets; `beside` is the folder of this document."""
        return beside / self.secrets if self.secrets else None


def system_document(document: Document) -> SystemDocument:
    """A document of kind system, checked as far as it can be by itself.

    :raises DocumentError: with all that is wrong."""
    problems: list[Problem] = []
    system: SystemDocument | None = None
    try:
        system = check_model(SystemDocument, document)
    except DocumentError as error:
        problems += error.problems
    problems += _reference_problems(document)
    problems += _policy_problems(document)
    if problems or system is None:
        raise DocumentError(dict.fromkeys(problems))
    return system


def profile_document(document: Document) -> AnyProfile:
    """A document of kind profile.  :raises DocumentError: with all that is wrong."""
    return check_model(model_of(document.data), document)


def instance_document(document: Document) -> InstanceDocument:
    """A document of kind instance.  :raises DocumentError: with all that is wrong."""
    instance = check_model(InstanceDocument, document)
    problems = list(_reference_problems(document))
    for path, reference in references(document.data):
        if secrets.is_sealed(reference):
            sentence = "sealed secrets are systems' own: name an env: or file: secret here"
            problems.append(Problem(document.place((*path, "secret")), sentence))
    if instance.oidc is not None and not instance.public_url:
        problems.append(Problem(document.key_place(("oidc",)), "oidc needs public_url: people are sent back to it"))
    if problems:
        raise DocumentError(problems)
    return instance


def references(data: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], object]]:
    """Every `{secret: …}` in plain data: where it stands, and the reference."""
    if isinstance(data, Mapping):
        if set(data) == {"secret"} and not isinstance(data["secret"], Mapping):
            yield path, data["secret"]
            return
        for key, value in data.items():
            yield from references(value, (*path, key))
    elif isinstance(data, list | tuple):
        for number, value in enumerate(data):
            yield from references(value, (*path, number))


def _reference_problems(document: Document) -> Iterator[Problem]:
    for path, reference in references(document.data):
        sentence = secrets.reference_problem(reference)
        if sentence:
            yield Problem(document.place((*path, "secret")), sentence)


def _policy_problems(document: Document) -> Iterator[Problem]:
    policy = document.data.get("policy")
    if not isinstance(policy, Mapping):
        return
    known = [*model.FIELDS, "otherwise", *_SWITCHES]
    for name, value in policy.items():
        if name not in known:
            yield Problem(document.key_place(("policy", name)), f"there is no field {name!r}{suggestion(name, known)}")
            continue
        allowed = _SWITCHES.get(name, POLICIES)
        if isinstance(value, str) and value not in allowed:
            sentence = f"policy.{name}: there is no policy {value!r}{suggestion(value, allowed)}"
            yield Problem(document.place(("policy", name)), sentence)
