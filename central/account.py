"""Whoever may come in: accounts, what they were granted, and what stands in for a password.

Nothing here is secret: passwords, tokens and sessions are kept as hashes, and shown to nobody again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from central.model import Person


class Role(StrEnum):
    """What somebody is to this helpdesk. One may be several things."""

    USER = "user"
    SUPPORTER = "supporter"  # of a support unit
    OPERATOR = "operator"  # of a registered system: an NGI's own
    TESTER = "tester"  # proves mappings and upgrades, with the records of a system
    CENTRAL = "central"  # the central team
    AUDITOR = "auditor"  # sees, and changes nothing


SCOPED: Mapping[Role, str] = {
    Role.SUPPORTER: "support unit",
    Role.OPERATOR: "system",
    Role.TESTER: "system",
}
"""The roles that somebody has for one thing only, and what that is."""


class Scope(StrEnum):
    """What a token may be used for; never more than its account may."""

    TICKETS_READ = "tickets:read"
    TICKETS_WRITE = "tickets:write"
    SYSTEMS_READ = "systems:read"
    SYSTEMS_WRITE = "systems:write"
    PEOPLE = "people"


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """A role, and what for: the name of a support unit or of a system; '' for roles that are not for one thing."""

    role: Role
    of: str = ""

    def __str__(self) -> str:
        return f"{self.role}:{self.of}" if self.of else str(self.role)

    @classmethod
    def read(cls, text: str) -> "Grant":
        """The grant that is written so: `central`, `operator:ngi-cz`.  :raises ValueError: it is none."""
        role, _, of = text.partition(":")
        if role not in tuple(Role):
            raise ValueError(f"there is no role {role!r}; there are: {', '.join(Role)}")
        thing = SCOPED.get(Role(role))
        if thing and not of:
            raise ValueError(f"somebody is {role} of one {thing}: write {role}:NAME")
        if of and not thing:
            raise ValueError(f"{role} is for everything: write {role} alone")
        return cls(Role(role), of)


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may sign in."""

    login: str
    """Unique, in small letters; for ever."""
    name: str
    email: str
    """Tickets that carry it as submitter or in CC are this account's own; '' owns none."""
    grants: frozenset[Grant]
    created_at: datetime
    password: str = ""
    """An argon2 hash; '': they sign in elsewhere, or not at all."""
    subject: str = ""
    """Who they are to the OpenID provider: `issuer subject`; '': they do not sign in there."""
    disabled_at: datetime | None = None
    vouched: frozenset[Grant] = frozenset()
    """Those of its grants that the OpenID provider vouches for: they are gone when it does not any more."""
    id: int = 0
    """Given by the store."""

    @property
    def person(self) -> Person:
        """This account as the author of what it writes."""
        return Person(id=self.login, name=self.name, email=self.email)

    def evolve(self, **changes: object) -> "Account":
        """A copy with these attributes changed."""
        return replace(self, **changes)  # type: ignore[arg-type]  # the names are checked by dataclasses


@dataclass(frozen=True, slots=True)
class Token:
    """Stands in for an account in programs. Its text is shown once, when it is made."""

    account_id: int
    name: str
    digest: str
    """SHA-256 of its text, which is random and long: that needs no argon2."""
    scopes: frozenset[Scope]
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None
    revoked_at: datetime | None = None
    id: int = 0
    """Given by the store."""


@dataclass(frozen=True, slots=True)
class Session:
    """A browser in which somebody signed in."""

    digest: str
    """SHA-256 of what its cookie holds."""
    account_id: int
    created_at: datetime
    expires_at: datetime
    seen_at: datetime


class PassKind(StrEnum):
    """What somebody is let through for, once."""

    INVITE = "invite"  # to sign in as this account, by a link
    ERRAND = "errand"  # to come back from the OpenID provider


@dataclass(frozen=True, slots=True)
class Pass:
    """Lets somebody through once. Whoever takes it has used it up."""

    digest: str
    """SHA-256 of what its holder shows."""
    kind: PassKind
    expires_at: datetime
    account_id: int | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    """What has to be known when they come: plain data."""
