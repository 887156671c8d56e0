"""Tickets found again: by anybody's number, by words, by filters that live in the address."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

from central import workflow
from central.desk.tickets import TicketDesk
from central.model import Ticket
from central.rights import Action, Principal, may_on_system, sight
from central.search import Query
from central.store.api import NoSuch, Transaction

PAGE = 50
LOOKS = 10
"""A page that is still short after so many looks is shown as it is: more may follow."""
_NUMBER = re.compile(r"#?(\d{1,15})")
_KEY = re.compile(r"([\w.-]+)/(.+)")


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked for, as it was typed."""

    q: str = ""
    status: str = ""
    unit: str = ""
    system: str = ""
    disagrees: bool = False

    @property
    def anything(self) -> bool:
        """Whether it asks for anything but all."""
        return bool(self.q or self.status or self.unit or self.system or self.disagrees)

    def address(self, before: int) -> str:
        """Where the next page is."""
        pairs = {"q": self.q, "status": self.status, "unit": self.unit, "system": self.system}
        told = {name: value for name, value in pairs.items() if value}
        return "/tickets?" + urlencode(told | ({"disagrees": "1"} if self.disagrees else {}) | {"before": str(before)})


@dataclass(frozen=True, slots=True)
class Found:
    """A page of tickets, and where the next one begins; None: this was the last."""

    tickets: tuple[Ticket, ...]
    before: int | None


def find(tx: Transaction, desk: TicketDesk, principal: Principal, asked: Asked, before: int | None = None) -> Found:
    """What they may read of what is asked for: what bears the number first, then what holds the words, newest first."""
    numbered = list(_numbered(tx, desk, principal, asked.q)) if before is None and asked.q else []
    names = frozenset(each.name for each in tx.registry.systems() if _sees(principal, each.name))
    if (asked.system and asked.system not in names) or (asked.disagrees and not names):
        return Found((), None)  # whether there is such a system is not told either
    query = Query(
        words="" if _KEY.fullmatch(asked.q) else asked.q,
        statuses=frozenset(workflow.OPEN) if asked.status == "open" else _some(asked.status),
        units=_some(asked.unit) | _some(asked.unit.upper()),
        systems=_some(asked.system),
        disagrees_with=(_some(asked.system) or names) if asked.disagrees else frozenset(),
    )
    if asked.q and not query.words:  # only one ticket is called so
        return Found(tuple(numbered), None)
    found: list[Ticket] = []
    seen = sight(principal)
    for _ in range(LOOKS):
        page = tx.tickets.search(query, seen, limit=PAGE - len(found), before=before)
        found += page.tickets
        before = page.before
        if before is None or len(found) >= PAGE:
            break
    first = {each.id for each in numbered}
    return Found((*numbered, *(each for each in found if each.id not in first)), before)


def _numbered(tx: Transaction, desk: TicketDesk, principal: Principal, words: str) -> Iterator[Ticket]:
    """The tickets that bear this number, here (`17`, `#17`) or in a system (`4711`, `ngi-cz/4711`)."""
    named = _KEY.fullmatch(words)
    ids = {int(number[1])} if (number := _NUMBER.fullmatch(words)) else set()
    key = named[2] if named else words
    if " " not in key:
        systems = [each.name for each in tx.registry.systems() if named is None or _is(principal, each.name, named[1])]
        links = (tx.links.find_by_key(system, key) for system in systems)
        ids |= {link.ticket_id for link in links if link is not None}
    for ticket_id in sorted(ids):
        try:
            ticket = tx.tickets.get(ticket_id)
        except NoSuch:
            continue
        if desk.may(tx, principal, Action.READ_TICKET, ticket):
            yield ticket


def _is(principal: Principal, system: str, called: str) -> bool:
    """Whether they call it so, and may."""
    return system == called.lower() and _sees(principal, system)


def _sees(principal: Principal, system: str) -> bool:
    return may_on_system(principal, Action.SEE_SYSTEM, system)


def _some(value: str) -> frozenset[str]:
    return frozenset({value}) if value else frozenset()
