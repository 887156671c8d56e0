"""From answers to tickets: fields, comments, files, history, in the shapes that the profile names."""

import hashlib
import json
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from connectors import marks
from connectors.answers import Answer
from connectors.api import Change, FieldChange, RemoteComment, RemoteFile, RemoteTicket, Value, VersionStrength
from connectors.errors import Became, ProtocolError
from connectors.profiled.profile import Conversation, FieldShape
from connectors.profiled.quirks import Talk
from connectors.profiled.site import Site
from connectors.profiled.values import at, fill, joined, moment, plain, rows, text


class Reader:
    """Reads one site's answers."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._profile = site.profile
        self._ours = {
            shape.history or joined(shape.write or name): name for name, shape in self._profile.fields.items()
        }
        """Their name of a field in the history -> its name in the contract."""

    def raw(self, answer: Answer, key: str | None = None) -> Mapping[str, Any]:
        """The ticket inside an answer.

        :raises ProtocolError: there is none.  :raises Became: it is another one than asked for (merged)."""
        shape = self._profile.ticket
        found = at(answer.data(), shape.at)
        if not isinstance(found, Mapping) or at(found, shape.key) in (None, ""):
            raise ProtocolError(f"{answer.about}: the answer bears no ticket", raw=repr(found))
        shown = text(at(found, shape.key))
        if key is not None and shown != key:
            raise Became(shown, was=key, merged=True)
        return found

    def ticket(
        self, raw: Mapping[str, Any], answer: Answer, known: Collection[str] | None, version: str | None = None
    ) -> RemoteTicket:
        """The ticket, with what hangs on it where `known` is given and `version` is not what it still is."""
        shape, site = self._profile.ticket, self._site
        key = text(at(raw, shape.key))
        present = self.version(raw, answer)
        fields = dict(self.fields(raw))
        talk: Talk | None = None
        unmoved = version == present and site.capabilities.version is VersionStrength.STRONG
        if self._profile.conversation is not None:
            talk = self._talk(self._profile.conversation, raw, known or (), empty=answer.writes)
        elif known is not None and not unmoved and site.quirks.talk is not None:
            talk = site.quirks.talk(site, key, raw, present, known)
        if site.quirks.fields is not None:
            fields |= site.quirks.fields(site, key, raw)
        author = at(raw, shape.created_by)
        person = site.person(author) if author is not None else None
        changed = at(raw, shape.changed_at)
        return RemoteTicket(
            key=key,
            version=present,
            fields=fields,
            comments=talk.comments if talk is not None and known is not None else None,
            known_comments=talk.known_comments if talk is not None and known is not None else None,
            files=talk.files if talk is not None else (),
            history=talk.history if talk is not None else (),
            changed_at=moment(changed, f"ticket {key}"),
            created_by=person,
            own=person is not None and person.key == site.account().key,
            token=self.token(raw),
            address=fill(shape.address, site.words(key=key)),
            row_version=self.row_version(raw),
            read_at=answer.at,
        )

    def row(self, raw: Mapping[str, Any], answer: Answer) -> Change:
        """One row of a list."""
        shape = self._profile.ticket
        ticket = self.ticket(raw, answer, known=()) if self._site.capabilities.full_rows else None
        return Change(
            key=text(at(raw, shape.key)),
            version=self.row_version(raw),
            changed_at=self.changed_at(raw, answer),
            ticket=ticket,
            fields=ticket.fields if ticket else self.fields(raw, self._profile.listing.shows),
        )

    def changed_at(self, raw: Mapping[str, Any], answer: Answer) -> datetime:
        """When a row's ticket last changed."""
        return moment(at(raw, self._profile.ticket.changed_at), answer.about)

    def version(self, raw: Mapping[str, Any], answer: Answer) -> str:
        """The ticket's version."""
        shape = self._profile.ticket.version
        if shape.header is not None:
            found = answer.headers.get(shape.header, "").removeprefix("W/").strip('"')
            if not found:
                raise ProtocolError(f"{answer.about}: the answer has no {shape.header} header, its version")
            return found
        if shape.at is not None:
            return text(at(raw, shape.at))
        # the answer to a create leaves out what is still empty
        content = {name: value for name, value in raw.items() if value and name not in (shape.digest_without or ())}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]

    def row_version(self, raw: Mapping[str, Any]) -> str:
        """The version as list rows show it: a change time, unless the version itself is in the row."""
        shape = self._profile.ticket
        return text(at(raw, shape.version.at or shape.changed_at))

    def fields(self, raw: Mapping[str, Any], shown: Collection[str] | None = None) -> dict[str, Value]:
        """The fields of a ticket's answer, or those that a row shows. One that is not in it is None."""
        found: dict[str, Value] = {}
        for name, shape in self._profile.fields.items():
            if shape.at is not None and (shown is None or name in shown):
                found[name] = self._value(shape, at(raw, shape.at))
        customs = self._profile.custom_fields
        for row in (at(raw, customs.rows) or ()) if customs else ():
            assert customs is not None, "there are rows of it"
            found[customs.prefix + text(at(row, customs.name))] = plain(at(row, customs.value))
            if customs.table is not None:
                self._site.tables.learn(customs.table, text(at(row, "id")), text(at(row, customs.name)))
        return found

    def token(self, raw: Mapping[str, Any]) -> str | None:
        """Our token in the external id field."""
        customs = self._profile.custom_fields
        if customs is None:
            return None
        wanted = fill(customs.token, self._site.words())
        for row in at(raw, customs.rows) or ():
            if wanted in (text(at(row, customs.name)), text(at(row, "id"))):
                return text(plain(at(row, customs.value))) or None
        return None

    def _value(self, shape: FieldShape, found: Any) -> Value:
        if shape.kind == "set":
            return tuple(sorted(text(at(each, shape.item)) for each in found or ())) or None
        if shape.resolve is not None and found is not None:
            found = self._site.tables.word(shape.resolve, text(found)) or found
        value = plain(found)
        return None if value in shape.empty_words else value

    # -- what hangs on a ticket, where its own answer lists it -----------------------------------------------------

    def _talk(self, shape: Conversation, raw: Mapping[str, Any], known: Collection[str], *, empty: bool) -> Talk:
        """`empty`: the answer may leave out what is still empty, as that to a create does."""
        hidden = set(self._site.quirks.hidden_files(raw)) if self._site.quirks.hidden_files else set()
        files = {each.id: each for each in self._files(shape, raw)}
        comments: list[RemoteComment] = []
        known_comments: list[RemoteComment] = []
        history: list[FieldChange] = []
        told: set[str] = set()
        left_out = empty and at(raw, shape.comments.rows) is None
        for entry in () if left_out else rows(raw, shape.comments.rows, "the ticket"):
            number = text(at(entry, shape.comments.id))
            author = self._site.person(at(entry, shape.comments.author))
            own = author.key == self._site.account().key
            when = moment(at(entry, shape.comments.at), f"comment {number}")
            mine: list[RemoteFile] = []
            for detail in at(entry, shape.details.rows) or ():
                change = self._detail(shape, detail)
                if isinstance(change, str):
                    told.add(change)
                    mine += [files[change]] if change in files and change not in hidden else []
                elif change is not None:
                    history.append(FieldChange(number, *change, author, own, when))
            internal = bool(at(entry, shape.comments.internal))
            body = text(plain(at(entry, shape.comments.text)))
            if body or mine:
                shown, token, too_large = self._text(body, internal=internal)
                kept = () if internal else tuple(mine)
                comment = RemoteComment(number, author, own, when, shown, internal, kept, token, too_large)
                (known_comments if number in known else comments).append(comment)
        loose = tuple(each for each in files.values() if each.id not in told and each.id not in hidden)
        whole = self._site.capabilities.whole_conversation and not left_out
        return Talk(tuple(comments), loose, tuple(history), tuple(known_comments) if whole else None)

    def _text(self, body: str, *, internal: bool) -> tuple[str, str | None, bool]:
        """A comment's text as the contract shows it, the mark taken out of it, and whether it was too large."""
        body, token = marks.read(body)
        too_large = len(body) > self._site.environment.max_comment
        return "" if internal or too_large else body, token, too_large

    def _files(self, shape: Conversation, raw: Mapping[str, Any]) -> list[RemoteFile]:
        found = at(raw, shape.files.rows) or ()
        return [
            RemoteFile(
                id=text(at(row, shape.files.id)),
                name=text(at(row, shape.files.name)),
                media_type=text(at(row, shape.files.media_type)) or "application/octet-stream",
                size=int(at(row, shape.files.size) or 0),
            )
            for row in found
        ]

    def _detail(self, shape: Conversation, detail: Any) -> tuple[str, Value, Value] | str | None:
        """A field's change, or the id of a file that came, or nothing of interest."""
        kind, name = text(at(detail, shape.details.kind)), text(at(detail, shape.details.name))
        old, new = at(detail, shape.details.old), at(detail, shape.details.new)
        if kind == shape.details.file_kind:
            return name if new is not None else None
        customs = self._profile.custom_fields
        if kind == shape.details.custom_kind and customs is not None:
            word = (self._site.tables.word(customs.table, name) if customs.table else None) or name
            return customs.prefix + word, plain(old), plain(new)
        if kind == shape.details.field_kind and name in self._ours:
            ours = self._ours[name]
            return ours, self._word(ours, old), self._word(ours, new)
        return None

    def _word(self, name: str, value: Any) -> Value:
        table = self._profile.fields[name].table
        if table is not None and value not in (None, ""):
            return self._site.tables.word(table, text(value)) or text(value)
        return plain(value)
