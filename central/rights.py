"""Who may do what. Pure: the table is the specification, and every door asks here.

*own* tickets are those that somebody wrote or is in CC of (user), that lie with their support unit or with themselves
(supporter), or that are in their system or routed to it (operator). *own* systems are those that a grant names.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum

from central.account import Account, Grant, Role, Scope
from central.model import Person, Ticket


class Extent(IntEnum):
    """How far a right goes."""

    NO = 0
    OWN = 1
    ALL = 2


class Action(StrEnum):
    """What somebody may be allowed to do."""

    OPEN_TICKET = "open a ticket"
    READ_TICKET = "read a ticket"
    READ_INTERNAL = "read internal notes"
    ANSWER_TICKET = "answer a ticket"
    WRITE_INTERNAL = "write internal notes"
    CHANGE_TICKET = "change a ticket"
    SEE_SYSTEM = "see a system"
    REGISTER_SYSTEM = "register a system"
    RUN_SYSTEM = "run a system"
    CAPTURE_RECORDS = "capture records of a system"
    PROVE_MAPPINGS = "prove mappings"
    STOP_EVERYTHING = "stop every write"
    SEE_PEOPLE = "see accounts"
    MANAGE_PEOPLE = "manage accounts"
    SEE_AUDIT = "see the audit log"


SCOPES: Mapping[Action, Scope] = {
    Action.OPEN_TICKET: Scope.TICKETS_WRITE,
    Action.READ_TICKET: Scope.TICKETS_READ,
    Action.READ_INTERNAL: Scope.TICKETS_READ,
    Action.ANSWER_TICKET: Scope.TICKETS_WRITE,
    Action.WRITE_INTERNAL: Scope.TICKETS_WRITE,
    Action.CHANGE_TICKET: Scope.TICKETS_WRITE,
    Action.SEE_SYSTEM: Scope.SYSTEMS_READ,
    Action.REGISTER_SYSTEM: Scope.SYSTEMS_WRITE,
    Action.RUN_SYSTEM: Scope.SYSTEMS_WRITE,
    Action.CAPTURE_RECORDS: Scope.SYSTEMS_READ,
    Action.PROVE_MAPPINGS: Scope.SYSTEMS_READ,
    Action.STOP_EVERYTHING: Scope.SYSTEMS_WRITE,
    Action.SEE_PEOPLE: Scope.PEOPLE,
    Action.MANAGE_PEOPLE: Scope.PEOPLE,
    Action.SEE_AUDIT: Scope.PEOPLE,
}
"""The scope that a token needs for it."""

_COLUMNS = (Role.USER, Role.SUPPORTER, Role.OPERATOR, Role.TESTER, Role.CENTRAL, Role.AUDITOR)
_WORDS = {"-": Extent.NO, "own": Extent.OWN, "all": Extent.ALL}
_TABLE = {
    #                        user   supporter operator tester central auditor
    Action.OPEN_TICKET: "    all    all       all      -      all     -",
    Action.READ_TICKET: "    own    all       own      -      all     all",
    Action.READ_INTERNAL: "  -      own       own      -      all     all",
    Action.ANSWER_TICKET: "  own    own       own      -      all     -",
    Action.WRITE_INTERNAL: " -      own       own      -      all     -",
    Action.CHANGE_TICKET: "  -      own       own      -      all     -",
    Action.SEE_SYSTEM: "     -      -         own      own    all     all",
    Action.REGISTER_SYSTEM: "-      -         own      -      all     -",
    Action.RUN_SYSTEM: "     -      -         own      -      all     -",
    Action.CAPTURE_RECORDS: "-      -         own      own    all     -",
    Action.PROVE_MAPPINGS: " -      -         all      all    all     -",
    Action.STOP_EVERYTHING: "-      -         -        -      all     -",
    Action.SEE_PEOPLE: "     -      -         -        -      all     all",
    Action.MANAGE_PEOPLE: "  -      -         -        -      all     -",
    Action.SEE_AUDIT: "      -      -         -        -      all     all",
}
MATRIX: Mapping[Action, Mapping[Role, Extent]] = {
    action: {role: _WORDS[word] for role, word in zip(_COLUMNS, row.split(), strict=True)}
    for action, row in _TABLE.items()
}
"""Action -> role -> how far."""
ON_TICKETS = frozenset(
    {
        Action.READ_TICKET,
        Action.READ_INTERNAL,
        Action.ANSWER_TICKET,
        Action.WRITE_INTERNAL,
        Action.CHANGE_TICKET,
    }
)
"""The actions of which *own* means a ticket; of all others it means a system."""


class Forbidden(Exception):
    """Whoever asks may not do this. The sentence says what, and to whom it can be said."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks, whichever door they came through: an account as it is now, less what a token leaves out."""

    person: Person
    grants: frozenset[Grant]
    scopes: frozenset[Scope] | None = None
    """Of the token they came with; None: they signed in themselves, and may all that they may."""

    @classmethod
    def of(cls, account: Account, scopes: Iterable[Scope] | None = None) -> "Principal":
        """This account, narrowed to these scopes where a token stands in for it."""
        return cls(account.person, account.grants, None if scopes is None else frozenset(scopes))

    def roles(self) -> frozenset[Role]:
        """Every role it has in any respect."""
        return frozenset(grant.role for grant in self.grants)

    def names(self, role: Role) -> frozenset[str]:
        """What it has this role for."""
        return frozenset(grant.of for grant in self.grants if grant.role is role)


@dataclass(frozen=True, slots=True)
class Sight:
    """Which tickets somebody may read: all, or those that any of these makes theirs. For searching."""

    everything: bool = False
    email: str = ""
    units: frozenset[str] = frozenset()
    systems: frozenset[str] = frozenset()
    notes: "Sight | None" = None
    """On which tickets they may read internal notes; None: on none."""


def extent(principal: Principal, action: Action) -> Extent:
    """How far this goes at most, over all that they were granted."""
    if principal.scopes is not None and SCOPES[action] not in principal.scopes:
        return Extent.NO
    return max((MATRIX[action][grant.role] for grant in principal.grants), default=Extent.NO)


def may(principal: Principal, action: Action) -> bool:
    """Whether they may do it to anything at all."""
    return extent(principal, action) > Extent.NO


def may_on_system(principal: Principal, action: Action, system: str) -> bool:
    """Whether they may do it to this system."""
    if extent(principal, action) is Extent.ALL:
        return True
    return may(principal, action) and any(
        grant.of == system and MATRIX[action][grant.role] is Extent.OWN
        for grant in principal.grants
        if grant.role in (Role.OPERATOR, Role.TESTER)
    )


def may_on_ticket(principal: Principal, action: Action, ticket: Ticket, systems: Iterable[str]) -> bool:
    """Whether they may do it to this ticket. `systems`: where it is linked, and where its unit routes it."""
    far = extent(principal, action)
    if far is not Extent.OWN:
        return far is Extent.ALL
    reached = frozenset(systems)
    return any(
        _own(grant, principal.person, ticket, reached)
        for grant in principal.grants
        if MATRIX[action][grant.role] is Extent.OWN
    )


def is_submitter(principal: Principal, ticket: Ticket) -> bool:
    """Whether it is they who submitted it."""
    return bool(principal.person.email) and _same(ticket["submitter"], principal.person.email)


def sight(principal: Principal) -> Sight:
    """Which tickets they may read. By internal notes a supporter finds those of their units, not what is assigned to
    them in another one."""
    notes = _sight(principal, Action.READ_INTERNAL) if may(principal, Action.READ_INTERNAL) else None
    return replace(_sight(principal, Action.READ_TICKET), notes=notes)


def _sight(principal: Principal, action: Action) -> Sight:
    far = extent(principal, action)
    if far is not Extent.OWN:
        return Sight(everything=far is Extent.ALL)
    own = {grant for grant in principal.grants if MATRIX[action][grant.role] is Extent.OWN}
    return Sight(
        email=principal.person.email if any(grant.role is Role.USER for grant in own) else "",
        units=frozenset(grant.of for grant in own if grant.role is Role.SUPPORTER),
        systems=frozenset(grant.of for grant in own if grant.role is Role.OPERATOR),
    )


def demand(allowed: bool, principal: Principal, action: Action) -> None:
    """:raises Forbidden: it is not allowed."""
    if allowed:
        return
    if principal.scopes is not None and SCOPES[action] not in principal.scopes:
        raise Forbidden(f"this token may not {action}: it needs the scope {SCOPES[action]}")
    raise Forbidden(f"{principal.person.id} may not {action} here; the central team grants that")


def _own(grant: Grant, person: Person, ticket: Ticket, systems: frozenset[str]) -> bool:
    match grant.role:
        case Role.USER:
            return bool(person.email) and any(_same(each, person.email) for each in _readers(ticket))
        case Role.SUPPORTER:
            return ticket["unit"] == grant.of or (bool(person.email) and _same(ticket["assigned_to"], person.email))
        case Role.OPERATOR:
            return grant.of in systems
        case _:
            return False


def _readers(ticket: Ticket) -> tuple[object, ...]:
    cc = ticket["cc"]
    return (ticket["submitter"], *(cc if isinstance(cc, tuple) else ()))


def _same(value: object, email: str) -> bool:
    return isinstance(value, str) and value.casefold() == email.casefold()
