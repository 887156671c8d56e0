"""A connector tried out, operation by operation: what was asked, what was understood, and what that leaves to mend.

It knows the contract only, so it tries any connector. Without leave to write it reads, and nothing else.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from connectors.api import (
    Change,
    CommentDraft,
    Connector,
    FileDraft,
    Finding,
    Lookup,
    RemoteField,
    RemoteTicket,
    Value,
)
from connectors.errors import AccessError, ConnectorError, NotFound, OutOfBounds, ProtocolError, Refused, Transient

_LOOKED_AT = 5
"""Tickets that are read: enough to tell a wrong path from a field that happens to be empty."""
_SHOWN = 60
_NOBODYS = "7Q-INTERDESK-TRIAL"
"""A token that no ticket bears."""


@dataclass(frozen=True, slots=True)
class Tried:
    """One operation, and what came of it."""

    operation: str
    finding: Finding


class Trial:
    """One way through all that a connector does. `token` makes a fresh token; `clock` tells the time."""

    def __init__(self, connector: Connector, clock: Callable[[], datetime], token: Callable[[], str]) -> None:
        self._connector = connector
        self._clock, self._token = clock, token
        self.tickets: list[RemoteTicket] = []
        """Those that were read."""
        self.fields: tuple[RemoteField, ...] = ()
        """As it describes them."""
        self._barred = False
        """It lives where we do not go: one sentence is enough."""

    def reading(self) -> Iterator[Tried]:
        """Everything that reads: who we are, the fields, the list, some tickets, the search, a file."""
        yield from (Tried("probe", each) for each in self._ask("probe", self._connector.probe))
        yield from self._say("describe", self._described)
        yield from self._say("changes", self._newest)
        rows: list[Change] = []
        yield from self._say("scan", lambda: self._listed(rows))
        for row in rows[:_LOOKED_AT]:
            yield from self._say("fetch", lambda row=row: self._read(row))  # type: ignore[misc]  # bound now
        yield from self._empty(self.tickets)
        yield from self._say("find", self._nobodys)
        yield from self._say("download", lambda: self._file(self.tickets))

    def writing(self, fields: Mapping[str, Value]) -> Iterator[Tried]:
        """Everything that writes, on one new ticket of these fields, which stays: the first is changed afterwards."""
        token = self._token()
        made: list[RemoteTicket] = []
        yield from self._say("create", lambda: self._create(fields, token, made))
        if not made:
            return
        key = made[0].key
        yield from self._say("find", lambda: self._found(token, key))
        yield from self._say("update", lambda: self._change(made[0], fields))
        yield from self._say("comment", lambda: self._comment(key, internal=False))
        if self._connector.capabilities.internal_comments:
            yield from self._say("comment", lambda: self._comment(key, internal=True))
        if self._connector.capabilities.files:
            yield from self._say("comment", lambda: self._attach(key))
        where = made[0].address or f"ticket {key}"
        yield Tried("create", Finding(True, f"what was made stays there: {where}; close it when you have looked at it"))

    # -- reading ---------------------------------------------------------------------------------------------------

    def _described(self) -> Iterator[Finding]:
        self.fields = fields = tuple(self._connector.describe())
        for field in fields:
            values = f": {', '.join(field.values[:8])}{', …' if len(field.values) > 8 else ''}" if field.values else ""
            written = "" if field.writable else ", which cannot be written"
            yield Finding(True, f"field {field.name} is a {field.kind}{written}{values}")
        if not fields:
            yield Finding(False, "it describes no field", "name the product's fields in the profile")

    def _newest(self) -> Iterator[Finding]:
        cursor = self._connector.changes(None).cursor
        yield Finding(True, f"polling begins at its newest change, of {cursor.at:%Y-%m-%d %H:%M:%S} UTC")
        page = self._connector.changes(cursor)
        yield Finding(True, f"asked again from there, it lists {len(page.changes)} changes")

    def _listed(self, rows: list[Change]) -> Iterator[Finding]:
        page = self._connector.scan("")
        rows += page.changes
        more = ", and there are more" if page.more else ""
        keys = ", ".join(each.key for each in rows[:_LOOKED_AT])
        yield Finding(True, f"the first page of its list has {len(rows)} tickets{more}: {keys or 'none'}")

    def _read(self, row: Change) -> Iterator[Finding]:
        ticket = self._connector.fetch(row.key, known=())
        self.tickets.append(ticket)
        comments = ticket.comments or ()
        hidden = sum(each.internal for each in comments)
        values = "; ".join(f"{name} {_short(value)}" for name, value in ticket.fields.items() if value is not None)
        changed = f", changed {ticket.changed_at:%Y-%m-%d %H:%M:%S} UTC" if ticket.changed_at else ""
        told = f"ticket {ticket.key}, version {ticket.version}{changed}: {values}"
        yield Finding(True, f"{told}; {len(comments)} comments ({hidden} hidden), {len(ticket.files)} files of its own")
        if row.version != (ticket.row_version or ticket.version):
            told = f"the list shows ticket {row.key} at version {row.version}, and the ticket says {ticket.row_version}"
            yield Finding(False, told, "unless it was changed just now, let both be read from the same place")
        for each in comments:
            if not each.author.key:
                told = f"comment {each.id} of ticket {ticket.key} has no author"
                yield Finding(False, told, "see where the answer names who wrote it")

    def _empty(self, tickets: Sequence[RemoteTicket]) -> Iterator[Tried]:
        fields = tickets[0].fields if tickets else ()
        names = [name for name in fields if all(each.fields.get(name) is None for each in tickets)]
        if names:
            told = f"no ticket of these {len(tickets)} has a value for {', '.join(names)}: are their paths right?"
            yield Tried("fetch", Finding(True, told))

    def _nobodys(self) -> Iterator[Finding]:
        found = self._connector.find(_NOBODYS, datetime.min.replace(tzinfo=self._clock().tzinfo))
        if isinstance(found, RemoteTicket):
            told = f"a search for a token that nobody has finds ticket {found.key}"
            yield Finding(False, told, "the search ignores or misreads what it is asked")
        else:
            how = "nothing" if found is Lookup.ABSENT else "nothing yet: its search lags"
            yield Finding(True, f"a search for a token that nobody has finds {how}")

    def _file(self, tickets: Sequence[RemoteTicket]) -> Iterator[Finding]:
        comments = [each for ticket in tickets for each in ticket.comments or ()]
        files = [file for ticket in tickets for file in ticket.files]
        files += [file for comment in comments for file in comment.files]
        if not files:
            yield Finding(True, "none of these tickets has a file to try")
            return
        with self._connector.download(files[0]) as chunks:
            size = sum(map(len, chunks))
        if files[0].size not in (None, size):
            told = f"file {files[0].name!r} has {size:,} bytes, and was said to have {files[0].size:,}"
            yield Finding(False, told, "see that its bytes are read from the right place, and how they are packed")
        else:
            yield Finding(True, f"file {files[0].name!r} comes down with {size:,} bytes")

    # -- writing ---------------------------------------------------------------------------------------------------

    def _create(self, fields: Mapping[str, Value], token: str, made: list[RemoteTicket]) -> Iterator[Finding]:
        ticket = self._connector.create(fields, token=token)
        made.append(ticket)
        maker = ticket.created_by.key if ticket.created_by else "nobody"
        yield Finding(True, f"ticket {ticket.key} was made, by {maker}")
        for name, value in fields.items():
            if ticket.fields.get(name) != value:
                told = f"field {name} was given {_short(value)} and is {_short(ticket.fields.get(name))}"
                yield Finding(False, told, "see how it is written, and what the workflow does to a new ticket")
        if ticket.token != token:
            told = "the new ticket does not show our token"
            yield Finding(False, told, "name a place for it that the search finds, or a lost answer makes a twin")

    def _found(self, token: str, key: str) -> Iterator[Finding]:
        found = self._connector.find(token, self._clock())
        if isinstance(found, RemoteTicket) and found.key == key:
            yield Finding(True, f"ticket {key} is found by its token")
        elif found is Lookup.UNKNOWN:
            yield Finding(True, f"ticket {key} is not found by its token yet: the search may lag")
        else:
            yield Finding(False, f"ticket {key} is not found by its token", "a lost answer would make a twin")

    def _change(self, ticket: RemoteTicket, fields: Mapping[str, Value]) -> Iterator[Finding]:
        name, value = next(iter(fields.items()))
        held = self._connector.fetch(ticket.key)
        written = self._connector.update(ticket.key, {name: f"{value} (changed)"}, held=held)
        if name in written.refused:
            yield Finding(False, f"field {name} cannot be changed: {written.refused[name]}")
            return
        yield Finding(True, f"field {name} was changed to {_short(written.after.fields[name])}")
        if written.after.version == held.version:
            told = f"the version stays {held.version} through a change"
            yield Finding(False, told, "our own writes and those of others cannot be told by it: name another")

    def _comment(self, key: str, *, internal: bool) -> Iterator[Finding]:
        token, kind = self._token(), "hidden" if internal else "public"
        self._connector.comment(key, CommentDraft(f"A {kind} line for trial.", internal=internal), token=token)
        mine = [each for each in self._connector.fetch(key, known=()).comments or () if each.token == token]
        shown = [each for each in self._connector.fetch(key, known=()).comments or () if each.internal]
        if internal:
            yield (
                Finding(True, "a hidden comment is read back as hidden")
                if shown
                else Finding(
                    False, "a hidden comment is not read back as hidden", "it may be public: see where the flag is"
                )
            )
        elif len(mine) == 1 and not mine[0].internal:
            yield Finding(True, f"a public comment is read back once, as {mine[0].id}, by its mark")
        else:
            yield Finding(False, f"a public comment is read back {len(mine)} times", "see where comments are read")

    def _attach(self, key: str) -> Iterator[Finding]:
        content = bytes(range(256))

        @contextmanager
        def opened() -> Iterator[Iterator[bytes]]:
            yield iter([content])

        draft = FileDraft("trial.bin", "application/octet-stream", len(content), opened)
        token = self._token()
        self._connector.comment(key, CommentDraft("A file for trial.", files=(draft,)), token=token)
        ticket = self._connector.fetch(key, known=())
        files = [*ticket.files, *(file for each in ticket.comments or () for file in each.files)]
        mine = [each for each in files if each.name == "trial.bin"]
        if len(mine) != 1:
            yield Finding(False, f"a file that was sent is listed {len(mine)} times", "see where files are listed")
            return
        with self._connector.download(mine[0]) as chunks:
            same = b"".join(chunks) == content
        yield Finding(same, "a file comes back byte for byte" if same else "a file comes back with other bytes")

    # -- what trouble says -----------------------------------------------------------------------------------------

    def _say(self, operation: str, what: Callable[[], Iterator[Finding]]) -> Iterator[Tried]:
        yield from (Tried(operation, each) for each in self._ask(operation, what))

    def _ask(self, operation: str, what: Callable[[], Iterator[Finding] | Sequence[Finding]]) -> list[Finding]:
        found: list[Finding] = []
        if self._barred:
            return found
        try:
            found += what()
        except ConnectorError as trouble:
            self._barred = isinstance(trouble, OutOfBounds)
            found.append(Finding(False, f"{operation}: {trouble}", _remedy(trouble)))
        return found


def _remedy(trouble: ConnectorError) -> str:
    match trouble:
        case AccessError():
            return trouble.remedy
        case NotFound():
            return "see that the path of this request is right"
        case Refused():
            return "see what it demands: a field that is missing, a word it does not know"
        case Transient():
            return "see that the address is right and the system is up"
        case ProtocolError():
            return "see what it answered, and where the profile looks for it"
        case _:
            return ""


def _short(value: Value) -> str:
    said = ", ".join(value) if isinstance(value, tuple) else str(value)
    said = " ".join(said.split())
    return repr(said if len(said) <= _SHOWN else f"{said[:_SHOWN]}…") if value is not None else "empty"
