"""Somebody is to be forgotten. Pure: what stands in their stead, wherever they are named.

An alias takes their place where somebody has to be named; where a field names them, nobody is named any more. In what
people have said, their address and their full name go; a login, or a name of one word, may be a word that means
something else.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from central.audit import Entry
from central.events import Event
from central.model import FIELDS, Attachment, Comment, Conflict, Person, Ticket, Value
from central.origin import Origin
from central.shadow import Shadow


@dataclass(frozen=True, slots=True)
class Erasure:
    """Who is to be forgotten, and what they are called from then on."""

    alias: str
    words: frozenset[str] = frozenset()
    """Their logins and addresses, in small letters: each names nobody else."""
    names: frozenset[str] = frozenset()
    """What they are called, in small letters: it proves nothing, and is forgotten where it stands alone."""
    origins: frozenset[tuple[str, str]] = frozenset()
    """(system, id): as whom they write there."""

    def is_them(self, person: Person) -> bool:
        """Whether this is the person."""
        if (person.system, person.id) in self.origins or person.email.casefold() in self.words - {""}:
            return True
        return person.id.casefold() in self.words and (not person.system or "@" in person.id)

    def person(self, person: Person) -> Person:
        """Whoever stands in their stead; anybody else as they are."""
        return Person(self.alias, system=person.system) if self.is_them(person) else person

    def value(self, value: Value) -> Value:
        """A field's value, with them left out."""
        if isinstance(value, tuple):
            kept = tuple(each for each in value if each.casefold() not in self.words)
            return value if kept == value else kept or None
        return None if isinstance(value, str) and value.casefold() in self.words else value

    def field(self, name: str, value: Value) -> Value:
        """What a field of a ticket holds, with them left out of it; the words of a text stay, without them."""
        spec = FIELDS.get(name)
        if spec is None or spec.kind != "text" or not isinstance(value, str):
            return self.value(value)
        return self.spoken(value)[: spec.max_length]

    def fields(self, ticket: Ticket) -> Mapping[str, Value]:
        """The fields of a ticket that name them, and what they hold without them."""
        changed = {name: self.field(name, value) for name, value in ticket.fields.items()}
        named = {name: value for name, value in changed.items() if value != ticket.fields[name]}
        if "submitter" in named and ticket["phone"] is not None:
            named["phone"] = None
        return named

    def data(self, data: Any) -> Any:
        """Plain data, with the alias wherever they are named."""
        if isinstance(data, Mapping):
            return {key: self.data(each) for key, each in data.items()}
        if isinstance(data, list | tuple):
            return [self.data(each) for each in data]
        if not isinstance(data, str):
            return data
        return self.alias if data.casefold() in self.words | self.names else self.spoken(data)

    def text(self, text: str) -> str:
        """What was said, with the alias wherever their name, login or address stands in it."""
        any_of = _any_of(self.words | self.names, r"\s+")
        return re.sub(rf"(?<![\w@.-])(?:{any_of})(?![\w@-]|\.\w)", self.alias, text, flags=_CASE) if any_of else text

    @property
    def plain_words(self) -> frozenset[str]:
        """Of what they are called, what can mean nothing else in a text: addresses and full names."""
        return frozenset(each for each in self.words | self.names if "@" in each or " " in each.strip())

    def spoken(self, text: str) -> str:
        """What people said to one another, with the alias wherever their address or full name stands in it."""
        any_of = _any_of(self.plain_words, r"\s+")
        return re.sub(rf"(?<![\w@.-])(?:{any_of})(?![\w@-]|\.\w)", self.alias, text, flags=_CASE) if any_of else text

    def file(self, file: Attachment) -> Attachment:
        """The file, under a name that does not bear theirs: in one, dots and lines stand for blanks."""
        any_of = _any_of(self.plain_words, r"[\s._-]+")
        name = (
            re.sub(rf"(?<![^\W_])(?:{any_of})(?![^\W_])", self.alias, file.name, flags=_CASE) if any_of else file.name
        )
        return replace(file, name=name)

    def shadow(self, shadow: Shadow) -> Shadow:
        """What would have been written, with nobody in particular in it."""
        would, before, did = (self._said(each) for each in (shadow.would, shadow.before, shadow.did))
        return replace(shadow, would=would, before=before, did=did, why=self.text(shadow.why))

    def reply(self, answer: Mapping[str, Any]) -> Mapping[str, Any]:
        """What a request was answered, with nobody in particular in it."""
        body = answer.get("body")
        return {**answer, "body": self.text(body)} if isinstance(body, str) else answer

    def _said(self, value: Value) -> Value:
        if isinstance(value, tuple):
            return tuple(self.text(each) for each in value)
        return self.text(value) if isinstance(value, str) else value

    def comment(self, comment: Comment, token: str) -> Comment:
        """The comment by nobody in particular, and without them in its words; where it was theirs, it goes on bearing
        this token."""
        said = replace(comment, text=self.spoken(comment.text), gap=self.spoken(comment.gap))
        return replace(said, author=self.person(comment.author), token=token) if self.is_them(comment.author) else said

    def event(self, event: Event) -> Event:
        """The fact, with nobody in particular in it."""
        return replace(event, actor=self.person(event.actor), data=self.data(event.data), why=self.spoken(event.why))

    def conflict(self, conflict: Conflict) -> Conflict:
        """The edit that lost, with nobody in particular in it."""
        author, name = str(self.data(conflict.author)), conflict.field
        ours, theirs = (self._lost(name, each) for each in (conflict.ours, conflict.theirs))
        return replace(conflict, author=author, ours=ours, theirs=theirs)

    def _lost(self, name: str, value: Value) -> Value:
        of_comment = name not in FIELDS and isinstance(value, str)
        return self.spoken(str(value)) if of_comment else self.field(name, value)

    def submitted(self, origin: Origin) -> Origin:
        """Where a ticket of theirs comes from: whoever submitted it there was they, by whatever certificate."""
        return replace(self.origin(origin), submitter_name=self.alias, submitter_login="")

    def origin(self, origin: Origin) -> Origin:
        """Where a ticket comes from, with nobody in particular in it."""
        name, login = self.data(origin.submitter_name), self.data(origin.submitter_login)
        return replace(origin, account=str(self.data(origin.account)), submitter_name=name, submitter_login=login)

    def entry(self, entry: Entry) -> Entry:
        """The entry of the audit log, with nobody in particular in it."""
        return replace(
            entry, by=str(self.data(entry.by)), subject=str(self.data(entry.subject)), data=self.data(entry.data)
        )


_CASE = re.IGNORECASE


def _any_of(called: frozenset[str], blank: str) -> str:
    """A pattern of what they are called, the longest first; '' for nothing. `blank`: what may stand between words."""
    words = sorted((each.split() for each in called), key=lambda each: (-len("".join(each)), each))
    return "|".join(blank.join(map(re.escape, each)) for each in words if each)
