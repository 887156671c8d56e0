"""What tickets can be searched by. Pure: every store finds just what `matches` says.

Searched are words, whatever their case: of the subject, whole or by their first three letters or more; whole ones of
the description and of the comments, of internal notes for those only who may read them on that ticket. And the status,
the unit, the priority, the system that a ticket was born in, the systems that it is linked to, when it last changed
(for whoever asks), and whether it stands in disagreement with a system.
"""

import re
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
from datetime import datetime

from central.model import Comment, Ticket, Visibility
from central.rights import Sight

_WORD = re.compile(r"\w+")
_MOST_WORDS = 40
"""Of a subject, and of what is looked for."""
_MOST_OF_A_TEXT = 100
"""Different words of a description or a comment: the first ones."""
_LONGEST = 60
_BEGINNINGS = range(3, 21)
"""How many letters of a word are a beginning by which it is found."""
WORDINGS = frozenset({"start", "text"})
"""Kinds of marks by what is written in the fields."""
SPOKEN = frozenset({"said", "note"})
"""Kinds of marks by what was said, and what was noted internally."""
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
    """What this ticket is found by, each as one text; what is long stands in `wordings`."""
    found = {mark("word", word) for word in words(str(ticket["subject"] or ""))}
    found |= {mark(name, str(ticket[name])) for name in _CHOICES if ticket[name] is not None}
    found |= {mark("reader", each) for each in _readers(ticket)}
    if ticket.born_in is not None:
        found.add(mark("born", ticket.born_in))
    return frozenset(found)


def wordings(ticket: Ticket) -> frozenset[str]:
    """How the words of its subject begin, and the words of its description, in the same way."""
    beginnings = (
        mark("start", word[:letters])
        for word in words(str(ticket["subject"] or ""))
        for letters in _BEGINNINGS
        if letters < len(word)
    )
    text = (mark("text", word) for word in _words_of(str(ticket["description"] or "")))
    return frozenset((*beginnings, *text))


def spoken(comments: Iterable[Comment]) -> frozenset[str]:
    """The words of these comments, in the same way; what is internal apart."""
    return frozenset(
        mark("note" if each.visibility is Visibility.INTERNAL else "said", word)
        for each in comments
        if each.deleted_at is None
        for word in _words_of(each.text)
    )


def mark(kind: str, value: str) -> str:
    """What a ticket is marked with that has this value."""
    return f"{kind}:{value.casefold() if kind == 'reader' else value}"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Marks of which a ticket must have one."""

    marks: frozenset[str]
    note: str = ""
    """One that does where internal notes on the ticket may be read."""


def wanted(query: Query) -> list[Wanted] | None:
    """All that a ticket must have. None: nothing can be found by these words."""
    sought = words(query.words)
    if query.words.strip() and not sought:
        return None
    choices = {"status": query.statuses, "unit": query.units, "priority": query.priorities, "born": query.born_in}
    each_word = [_word(word) for word in sorted(sought)]
    chosen = (frozenset(mark(kind, value) for value in values) for kind, values in choices.items() if values)
    return each_word + [Wanted(each) for each in chosen]


def sighted(sight: Sight) -> frozenset[str]:
    """The marks that make a ticket one of those that may be seen; links to its systems do, too."""
    units = {mark("unit", each) for each in sight.units} | {mark("born", each) for each in sight.systems}
    return frozenset(units | ({mark("reader", sight.email)} if sight.email else set()))


def noted(notes: Sight) -> frozenset[str]:
    """The marks that make a ticket one whose internal notes may be read; links to its systems do, too. Where it was
    born does not."""
    return frozenset(mark("unit", each) for each in notes.units)


def matches(
    query: Query,
    sight: Sight,
    ticket: Ticket,
    linked: Set[str],
    disagrees: Set[str],
    comments: Iterable[Comment] = (),
) -> bool:
    """Whether this ticket is found, which is linked to these systems (duplicates aside) and disagrees with those, and
    on which this was said."""
    has, needed = marks(ticket) | wordings(ticket) | spoken(comments), wanted(query)
    notes = sight.notes is not None and _seen(sight.notes, has, linked, noted(sight.notes))
    changed_at = ticket.changed_at if notes else ticket.shown_at or ticket.changed_at
    return (
        needed is not None
        and all(has & each.marks or (notes and each.note in has) for each in needed)
        and (not query.systems or not query.systems.isdisjoint(linked))
        and (not query.disagrees_with or not query.disagrees_with.isdisjoint(disagrees))
        and (query.changed_since is None or changed_at >= query.changed_since)
        and _seen(sight, has, linked, sighted(sight))
    )


def _seen(sight: Sight, has: Set[str], linked: Set[str], by: frozenset[str]) -> bool:
    return sight.everything or bool(has & by) or not sight.systems.isdisjoint(linked)


def _word(word: str) -> Wanted:
    """What a ticket bears in which this word stands."""
    whole = frozenset(mark(kind, word) for kind in ("word", "text", "said"))
    begun = {mark("start", word)} if len(word) in _BEGINNINGS else set()
    return Wanted(whole | begun, note=mark("note", word))


def _words_of(text: str) -> Iterable[str]:
    """The first words of a text, each once."""
    found: dict[str, None] = {}
    for match in _WORD.finditer(text.casefold()):
        found[match[0][:_LONGEST]] = None
        if len(found) == _MOST_OF_A_TEXT:
            break
    return found


def _readers(ticket: Ticket) -> Iterator[str]:
    cc = ticket["cc"]
    for each in (ticket["submitter"], *(cc if isinstance(cc, tuple) else ())):
        if isinstance(each, str) and each:
            yield each
