"""What hangs on a ticket: comments, files and history, in its own answer or asked for apart.

What is apart is asked for only when it is wanted, and texts of single comments only where they are new to us and
public: an internal comment is listed, and neither its text nor its files are ever read.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import zip_longest
from typing import Any

from connectors import marks
from connectors.api import FieldChange, Person, RemoteComment, RemoteFile, Value
from connectors.errors import NotFound, ProtocolError
from connectors.markup import Picture
from connectors.profiled import belonging
from connectors.profiled.belonging import Hung
from connectors.profiled.fields import Fields
from connectors.profiled.kept import Opening
from connectors.profiled.pictured import pictured
from connectors.profiled.quirks import Talk
from connectors.profiled.rows import fallen, identity, is_internal, is_meant, meets, read_text, remote_file
from connectors.profiled.site import Site, keyed
from connectors.profiled.values import at, first, plain, spread, text, word
from connectors.profiled.vocabulary.comments import AttachedFiles
from connectors.profiled.vocabulary.conversation import (
    CommentRows,
    Conversation,
    HistoryRows,
    Mentions,
    Rows,
)


class Look:
    """One look at one ticket: each list that hangs on it, asked for once."""

    def __init__(self, site: Site, key: str, raw: Mapping[str, Any]) -> None:
        self._site, self.key, self.raw = site, key, raw
        self._asked: dict[str, list[Any]] = {}

    def rows(self, shape: Rows, *, optional: bool = False) -> Iterator[Any]:
        """The rows of a list that are meant, wherever it is.  :raises ProtocolError: there is none."""
        if shape.read is not None:
            asked = repr((shape.read, shape.pages, shape.rows))
            if asked not in self._asked:
                self._asked[asked] = list(self._site.listed(shape.read, shape, key=self.key))
            found = self._asked[asked]
        elif shape.log is not None:
            found = list(fallen(text(plain(at(self.raw, shape.rows))), shape.log))
        elif optional or shape.keyed:
            found = self._site.some(at(self.raw, shape.rows))
        else:
            found = self._site.rows(self.raw, shape.rows, f"ticket {self.key}")
        if shape.keyed and shape.read is None:
            found = keyed(found, f"ticket {self.key}")
        if shape.id == "#":
            found = [self._with(row, "#", place) for place, row in enumerate(found, start=1)]
        return (each for each in found if is_meant(each, shape))

    def _with(self, row: Any, *more: Any) -> Mapping[str, Any]:
        """A row, and a member more.  :raises ProtocolError: it is no object."""
        if not isinstance(row, Mapping):
            raise ProtocolError(f"ticket {self.key}: a list on it has rows that are no objects", raw=repr(row))
        return {**row, more[0]: more[1]} if more else row


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of a list of comments, as far as it can be understood without its text."""

    id: str
    number: str
    """Its id as the list has it."""
    row: Any
    shape: CommentRows
    author: Person
    own: bool
    at: datetime
    internal: bool


class Listener:
    """Reads one site's conversations."""

    def __init__(self, site: Site, shape: Conversation, fields: Fields) -> None:
        self._site = site
        self._shape = shape
        self._fields = fields
        self._apart = any(each.read is not None for each in shape.comments)
        self._history_always = site.capabilities.history and not site.capabilities.preconditions

    def hear(
        self, key: str, raw: Mapping[str, Any], known: Collection[str] | None, *, unmoved: bool, made: bool
    ) -> Talk:
        """What hangs on this ticket. `known`: None where nobody asks for comments; `unmoved`: nothing new can be there;
        `made`: the answer is that to a write, and may leave out what is still empty."""
        wanted = known is not None and not unmoved
        look = Look(self._site, key, raw)
        shape, kept = self._shape, self._site.openings.get(key)
        left_out = made and all(
            each.read is None and each.rows and at(raw, each.rows) is None for each in shape.comments
        )
        if left_out or (self._apart and not wanted and (shape.opening is None or kept is not None)):
            files = self._loose(look) if left_out else kept.files if kept else ()
            return Talk(() if left_out else None, files, self._history(look, wanted), None, kept.text if kept else None)
        entries = sorted(self._entries(look), key=lambda each: each.at)
        opening = self._opening(entries, known or ())
        attached, loose = self._files(look, entries)
        if opening is not None:
            entries.remove(opening)
            kept = self._opened(key, opening, attached.get(opening.id, []), kept)
        said = tuple(self._said(key, entries, attached, known or ()))
        if self._site.profile.comment.attached is not None:
            said, loose = self._settled(look, said, self._site.profile.comment.attached)
        files = (*(kept.files if kept else ()), *loose)
        history = (*self._mentioned(entries), *self._history(look, wanted))
        whole = self._site.capabilities.whole_conversation
        return Talk(
            tuple(each for each in said if each.id not in (known or ())),
            files,
            history,
            tuple(each for each in said if each.id in (known or ())) if whole else None,
            kept.text if kept else None,
        )

    # -- comments --------------------------------------------------------------------------------------------------

    def _entries(self, look: Look) -> Iterator[Entry]:
        for shape in self._shape.comments:
            met: Counter[str] = Counter()
            for row in look.rows(shape):
                number = identity(row, shape, met)
                if not number:
                    raise ProtocolError(f"ticket {look.key}: a comment has no id under {shape.id!r}", raw=repr(row))
                author = self._site.person(at(row, shape.author), shape.person)
                when = self._site.moment(spread(row, shape.at), f"comment {number}")
                own, internal = self._site.is_us(author), is_internal(row, shape.internal)
                yield Entry(shape.id_prefix + number, number, row, shape, author, own, when, internal)

    def _said(
        self, key: str, entries: list[Entry], attached: Mapping[str, list[RemoteFile]], known: Collection[str]
    ) -> Iterator[RemoteComment]:
        for each in entries:
            row = each.row
            unread = each.internal and not each.own  # an internal one of ours is known by its mark
            if each.shape.body is not None and not unread:
                if each.id in known:
                    continue
                try:
                    row = self._whole(key, each)
                except NotFound:
                    continue  # it was there a moment ago
            body, pictures = ("", ()) if unread and each.shape.body is not None else read_text(row, each.shape)
            seen = () if each.internal else pictured(self._site, body, pictures, key, each.id)
            files = [*attached.get(each.id, ()), *self._within(key, each, row), *seen]
            if body or files or (unread and each.shape.body is not None):  # else it says nothing
                shown, token, too_large = self._shown(body, internal=each.internal)
                mine = () if each.internal else tuple(files)
                yield RemoteComment(
                    each.id, each.author, each.own, each.at, shown, each.internal, mine, token, too_large
                )

    def _whole(self, key: str, entry: Entry) -> Mapping[str, Any]:
        """The row with what its own answer adds."""
        assert entry.shape.body is not None, "asked for only where it is apart"
        answer = self._site.read(entry.shape.body, key=key, comment=entry.number)
        found = at(answer.data(), entry.shape.body_at)
        if not isinstance(found, Mapping):
            raise ProtocolError(f"{answer.about}: the answer bears no comment", raw=repr(found))
        return {**entry.row, **found}

    def _shown(self, body: str, *, internal: bool) -> tuple[str, str | None, bool]:
        """A comment's text as the contract shows it, the mark taken out of it, and whether it was too large."""
        body, token = marks.read(body)
        too_large = len(body) > self._site.environment.max_comment
        return "" if internal or too_large else body, token, too_large

    def _opening(self, entries: list[Entry], known: Collection[str]) -> Entry | None:
        """What the ticket was opened with. A comment that was taken for one before does not become it, because the
        oldest was taken away."""
        shape = self._shape.opening
        if shape is None:
            return None
        found = next((each for each in entries if meets(each.row, shape.where)), None)
        return None if found is None or found.id in known else found

    def _opened(self, key: str, entry: Entry, attached: list[RemoteFile], kept: Opening | None) -> Opening:
        """What the ticket was opened with; nothing, as long as that is internal."""
        if entry.internal:
            return Opening("", ())
        if kept is None:
            row = self._whole(key, entry) if entry.shape.body is not None else entry.row
            said, pictures = read_text(row, entry.shape)
            seen = pictured(self._site, said, pictures, key, entry.id)
            kept = Opening(said, (*attached, *self._within(key, entry, row), *seen))
            self._site.openings.keep(key, kept)
        return kept

    # -- files -----------------------------------------------------------------------------------------------------

    def _files(self, look: Look, entries: list[Entry]) -> tuple[dict[str, list[RemoteFile]], list[RemoteFile]]:
        """The ticket's own list of files: those of each comment by its id, and those that came with none. What came
        with a comment that is hidden, or that nobody shows us, is in neither."""
        listed = {file.id: (file, owner) for file, owner in self._listed(look)}
        attached: dict[str, list[RemoteFile]] = {}
        told: set[str] = set()
        for each, following in zip_longest(entries, entries[1:]):
            owner_id = following.id if self._is_ahead(each, following) else each.id
            for number in self._files_of(each):
                told.add(number)
                if number in listed:
                    attached.setdefault(owner_id, []).append(listed[number][0])
        public = {each.number: each.id for each in entries if not each.internal}
        loose: list[RemoteFile] = []
        for file, owner in listed.values():
            if owner in public:
                attached.setdefault(public[owner], []).append(file)
            elif not owner and file.id not in told:
                loose.append(file)
        return attached, loose

    def _listed(self, look: Look) -> Iterator[tuple[RemoteFile, str]]:
        """Each file of the ticket's list, and the comment that it names."""
        shape = self._shape.files
        if shape is not None and self._site.profile.comment.attached is None:
            for row in look.rows(shape, optional=True):
                owner = text(at(row, shape.comment)) if shape.comment is not None else ""
                owner = "" if word(owner) in self._site.profile.unset else owner
                yield remote_file(self._site, shape, row, look.key, owner), owner

    def _settled(
        self, look: Look, said: tuple[RemoteComment, ...], shape: AttachedFiles
    ) -> tuple[tuple[RemoteComment, ...], list[RemoteFile]]:
        """The comments with their files, and the files of none, where all files hang on the ticket."""
        owned, loose = belonging.settled(said, list(self._hung(look)), shape.window)
        return tuple(replace(each, files=(*each.files, *owned.get(each.id, ()))) for each in said), loose

    def hung(self, key: str, raw: Mapping[str, Any]) -> Iterator[Hung]:
        """The files that hang on the ticket, under the names that they have there."""
        return self._hung(Look(self._site, key, raw))

    def _hung(self, look: Look) -> Iterator[Hung]:
        shape = self._shape.files
        for row in look.rows(shape, optional=True) if shape is not None else ():
            assert shape is not None, "there are rows of it"
            file = remote_file(self._site, shape, row, look.key, "")
            author = self._site.person(at(row, shape.author), shape.person).key if shape.author is not None else ""
            yield Hung(file, author, self._site.moment(spread(row, shape.at), f"file {file.id}") if shape.at else None)

    def _loose(self, look: Look) -> tuple[RemoteFile, ...]:
        return tuple(file for file, owner in self._listed(look) if not owner)

    def pictures(self, key: str, raw: Mapping[str, Any], comment: str) -> tuple[Picture, ...]:
        """The images in the text of one comment; none where it is hidden or gone."""
        for each in self._entries(Look(self._site, key, raw)):
            if each.id == comment and not each.internal:
                row = self._whole(key, each) if each.shape.body is not None else each.row
                return read_text(row, each.shape)[1]
        return ()

    def _within(self, key: str, entry: Entry, row: Any) -> Iterator[RemoteFile]:
        """Files that the comment's own row lists; those of an internal one are not looked at."""
        shape = entry.shape.files
        if shape is not None and not entry.internal:
            for each in self._site.some(at(row, shape.rows)):
                if is_meant(each, shape):
                    yield remote_file(self._site, shape, each, key, entry.number)

    # -- history ---------------------------------------------------------------------------------------------------

    def _history(self, look: Look, wanted: bool) -> tuple[FieldChange, ...]:
        shape = self._shape.history
        if shape is None or not (wanted or self._history_always or shape.read is None):
            return ()
        met: Counter[str] = Counter()
        about = f"ticket {look.key}'s history"
        rows = [(self._site.moment(spread(row, shape.at), about), row) for row in look.rows(shape)]
        found: list[FieldChange] = []
        before: Mapping[str, Value] = {}
        for when, row in sorted(rows, key=lambda each: each[0]):
            number, author = identity(row, shape, met), self._site.person(at(row, shape.author), shape.person)
            after = self._fields.shown(row, shape.shows)
            moved = [(name, before[name], now) for name, now in after.items() if before and before[name] != now]
            moved += self._items(shape, row) if not shape.shows else ()
            found += [FieldChange(number, *each, author, self._site.is_us(author), when) for each in moved]
            before = after
        return tuple(found)

    def _items(self, shape: HistoryRows, row: Any) -> Iterator[tuple[str, Value, Value]]:
        items = self._site.some(at(row, shape.items))
        for item in keyed(items, "a history") if shape.items_keyed else items:
            old, new = at(item, shape.old), at(item, shape.new)
            ids = at(item, shape.old_id or shape.old), at(item, shape.new_id or shape.new)
            change = self._fields.changed(text(at(item, shape.field)), old, new, ids)
            if change is not None:
                yield change

    def _mentioned(self, entries: list[Entry]) -> Iterator[FieldChange]:
        """Changes that the journal's entries list among their details."""
        shape = self._shape.details
        for each in entries if shape is not None else ():
            assert shape is not None, "there are entries of it"
            for detail in self._site.some(at(each.row, shape.rows)):
                change = self._detail(shape, detail)
                if change is not None:
                    yield FieldChange(each.id, *change, each.author, each.own, each.at)

    def _detail(self, shape: Mentions, detail: Any) -> tuple[str, Value, Value] | None:
        kind, name = text(at(detail, shape.kind)), text(at(detail, shape.name))
        old, new = at(detail, shape.old), at(detail, shape.new)
        if kind == shape.custom_kind:
            return self._fields.changed_custom(name, old, new)
        return self._fields.changed(name, old, new, (old, new)) if kind == shape.field_kind else None

    def _is_ahead(self, entry: Entry, following: Entry | None) -> bool:
        """Whether what an entry names came with the hidden one after it."""
        if self._shape.details is None or not self._shape.details.files_ahead or following is None:
            return False
        same = (entry.author.key, entry.at) == (following.author.key, following.at)
        return same and following.internal and first(entry.row, entry.shape.text) is None

    def _files_of(self, entry: Entry) -> Iterator[str]:
        """Ids of the files that came with an entry of the journal."""
        shape = self._shape.details
        for detail in self._site.some(at(entry.row, shape.rows)) if shape is not None else ():
            assert shape is not None, "there are details of it"
            if text(at(detail, shape.kind)) == shape.file_kind and at(detail, shape.new) is not None:
                yield text(at(detail, shape.name))
