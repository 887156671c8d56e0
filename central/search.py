"""What tickets can be searched by. Pure: every store finds just what `matches` says.

Searched are the words of the subject (whole words, whatever their case; no description and no comment is searched),
the status, the unit, the priority, the system that a ticket was born in, the systems that it is linked to, when it last
changed, and whether it stands in disagreement with a system.
"""

import re
from collections.abc import Iterator, Set
from dataclasses import dataclass
from datetime import datetime

from central.model import Ticket
from central.rights import Sight

_WORD = re.compile(r"\w+")
_MOST_WORDS = 40
_LONGEST = 60
_CHOICES = ("status", "unit", "priority")


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for; what is empty asks nothing. Of several in one attribute any will do, of `words` all must."""

    words: str = ""
    statuses: frozenset[str] = frozenset()
    units: frozenset[str] = frozenset()
    priorities: frozenset[str] = frozenset()
    born_in: frozenset[str] = frozenset()
    systems: frozenset[str] = frozenset()
    """Linked to one of these."""
    disagrees_with: frozenset[str] = frozenset()
    """In standing disagreement with one of these."""
    changed_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A page of what was found, newest (highest id) first."""

    tickets: tuple[Ticket, ...]
    before: int | None
    """Where the next page begins; None: this was the last. A page that is short, or empty, need not be the last: no
    page costs more than looking through so many tickets."""


def words(text: str) -> frozenset[str]:
    """The words of a text, as they are searched."""
    return frozenset(word[:_LONGEST] for word in _WORD.findall(text.casefold())[:_MOST_WORDS])


def marks(ticket: Ticket) -> frozenset[str]:
    """All that this ticket is found by, each as one text."""
    found = {mark("word", word) for word in words(str(ticket["subject"] or ""))}
    found |= {mark(name, str(ticket[name])) for name in _CHOICES if ticket[name] is not None}
    found |= {mark("reader", each) for each in _readers(ticket)}
    if ticket.born_in is not None:
        found.add(mark("born", ticket.born_in))
    return frozenset(found)


def mark(kind: str, value: str) -> str:
    """What a ticket is marked with that has this value."""
    return f"{kind}:{value.casefold() if kind == 'reader' else value}"


def wanted(query: Query) -> list[frozenset[str]] | None:
    """Sets of marks: of each a ticket must have one. None: nothing can be found by these words."""
    sought = words(query.words)
    if query.words.strip() and not sought:
        return None
    choices = {"status": query.statuses, "unit": query.units, "priority": query.priorities, "born": query.born_in}
    each_word = [frozenset({mark("word", word)}) for word in sorted(sought)]
    return each_word + [frozenset(mark(kind, value) for value in values) for kind, values in choices.items() if values]


def sighted(sight: Sight) -> frozenset[str]:
    """The marks that make a ticket one of those that may be seen; links to its systems do, too."""
    units = {mark("unit", each) for each in sight.units} | {mark("born", each) for each in sight.systems}
    return frozenset(units | ({mark("reader", sight.email)} if sight.email else set()))


def matches(query: Query, sight: Sight, ticket: Ticket, linked: Set[str], disagrees: Set[str]) -> bool:
    """Whether this ticket is found, which is linked to these systems (duplicates aside) and disagrees with those."""
    has, needed = marks(ticket), wanted(query)
    return (
        needed is not None
        and all(has & group for group in needed)
        and (not query.systems or not query.systems.isdisjoint(linked))
        and (not query.disagrees_with or not query.disagrees_with.isdisjoint(disagrees))
        and (query.changed_since is None or ticket.changed_at >= query.changed_since)
        and (sight.everything or bool(has & sighted(sight)) or not sight.systems.isdisjoint(linked))
    )


def _readers(ticket: Ticket) -> Iterator[str]:
    cc = ticket["cc"]
    for each in (ticket["submitter"], *(cc if isinstance(cc, tuple) else ())):
        if isinstance(each, str) and each:
            yield each
