"""Patches and comments on their way out, and what became of them."""

import re
from collections.abc import Collection, Mapping, MutableMapping
from typing import Any

from connectors import marks, patterns
from connectors.answers import Answer
from connectors.api import CommentDraft, Commented, RemoteComment, RemoteTicket, Value, Written
from connectors.errors import AccessError, ConnectorError, NotFound, Refused, Unknown
from connectors.profiled import files
from connectors.profiled.profile import CommentChange, FieldShape
from connectors.profiled.reading import Reader
from connectors.profiled.site import HIDDEN, Site
from connectors.profiled.tables import UnknownWord
from connectors.profiled.values import at, fill, joined, plain, put, same, text
from connectors.session import Made


class Unwritable(Exception):
    """This value cannot be written to this field. The sentence says why; nothing was sent."""


class Writer:
    """Writes to one site, and reads back what an answer does not tell."""

    def __init__(self, site: Site, reader: Reader) -> None:
        self._site = site
        self._reader = reader
        self._profile = site.profile

    def create(self, fields: Mapping[str, Value], token: str) -> RemoteTicket:
        """Make a ticket bearing the token.

        :raises Refused: with the product's words.  :raises Unknown: it may have been made."""
        shape, site = self._profile.create, self._site
        body = site.body(shape, site.words())
        wanted = {name: self._said(template) for name, template in shape.defaults.items()} | dict(fields)
        for name, value in wanted.items():
            if value is not None:
                try:
                    self._place(body, shape.at, name, value, creating=True)
                except Unwritable as problem:
                    raise Refused(str(problem), field=name) from None
        self._place_token(body, shape.at, token)
        answer = site.write(shape, body)
        if shape.answers == "ticket":
            return self._shown(answer, None, known=())[1]
        key = text(at(answer.data(), shape.key))
        if not re.fullmatch(self._profile.ticket.key_pattern, key):
            raise Unknown(f"{answer.about}: the answer to the create names no ticket; whether it was made is open")
        return self._back(key, known=())[1]

    def update(self, key: str, patch: Mapping[str, Value], held: RemoteTicket | None) -> Written:
        """Write, read back, and tell what became of each field.

        Where the product refuses a whole write because of one field, the rest is written without it."""
        refused: dict[str, str] = {}
        sentences: list[str] = []
        left = dict(patch)
        answer: Answer | None = None
        while left and answer is None:
            body = self._body(left, refused)
            if not body:
                break
            try:
                answer = self._put(key, body, held)
            except Refused as said:
                # nothing of such a write is stored
                for name in [each for each in left if self._speaks_of(each, said.reason)] or list(left):
                    refused[name] = said.reason
                    del left[name]
        shape = self._profile.update
        if answer is not None and shape.answers == "ticket":
            # the whole state, conversation included, or the fields only
            known = () if self._site.capabilities.complete_answers else None
            raw, after = self._shown(answer, key, known=known)
        else:
            raw, after = self._back(key, known=None, wrote=answer is not None)
            if answer is not None and shape.sentences is not None:
                sentences = [str(each) for each in at(answer.data(), shape.sentences) or ()]
        for name, value in left.items():
            if not self._arrived(name, value, after, held):
                refused[name] = self._why(name, value, after, raw, sentences)
        return Written(after, frozenset(patch) - frozenset(refused), refused)

    def comment(self, key: str, draft: CommentDraft, token: str) -> Commented:
        """Add a comment bearing the token.

        :raises Refused: with the product's words; nothing was written.  :raises Unknown: it may be there."""
        shape, site = self._profile.comment, self._site
        limit = site.capabilities.max_comment
        if draft.internal and not site.capabilities.internal_comments:
            raise Refused(f"{site.profile.product} cannot hide comments", field="internal")
        if limit is not None and len(draft.text) > limit:
            raise Refused(f"the comment is longer than {limit:,} characters", field="text")
        files.check(site, draft.files, internal=draft.internal)
        words = {"key": key, "text": marks.stamp(draft.text, token), "internal": draft.internal}
        request = shape.hidden if draft.internal else shape
        body = site.body(request, site.words(**words))
        stream: Made | None = None
        try:
            if draft.files and shape.uploaded is not None:
                for file in draft.files:
                    files.upload(site, shape.uploaded, file, body)
            elif draft.files and shape.inline is not None:
                stream = files.inline(body, shape.inline, draft.files, site)
            headers = {"Content-Type": "application/json"} if stream is not None else {}
            answer = site.write(request, body, stream=stream, headers=headers, errors=HIDDEN, **words)
        except NotFound as trouble:
            raise self._denied(key, trouble) from None
        except Refused:
            site.ticket(key)  # RT denies a comment on a ticket out of our sight as if a right were missing
            raise
        if shape.id_header is not None:
            return Commented(self._told(answer, draft, token))
        return self._found(key, token)

    def edit_comment(self, comment_id: str, draft: CommentDraft, token: str) -> None:
        """Give a comment of ours another text, its mark with it.

        :raises Refused: it cannot, or may not.  :raises NotFound: the comment is gone."""
        shape, site = self._profile.comment.edit, self._site
        limit = site.capabilities.max_comment
        if shape is None or not site.capabilities.edit_comments:
            raise Refused(f"{site.profile.product} cannot edit comments")
        if draft.internal and not site.capabilities.internal_comments:
            raise Refused(f"{site.profile.product} cannot hide comments", field="internal")
        if limit is not None and len(draft.text) > limit:
            raise Refused(f"the comment is longer than {limit:,} characters", field="text")
        self._change_comment(shape, comment_id, text=marks.stamp(draft.text, token), internal=draft.internal)

    def delete_comment(self, comment_id: str) -> None:
        """Take a comment of ours away; one that is gone is as wanted.  :raises Refused: it cannot, or may not."""
        shape = self._profile.comment.delete
        if shape is None or not self._site.capabilities.delete_comments:
            raise Refused(f"{self._profile.product} cannot take comments away")
        try:
            self._change_comment(shape, comment_id)
        except NotFound:
            return

    def _change_comment(self, shape: CommentChange, comment_id: str, **words: Any) -> None:
        if not re.fullmatch(r"\w+", comment_id, re.ASCII):
            raise NotFound(f"{comment_id!r} is no comment's id")
        site = self._site
        known = {"comment": comment_id, **words}
        body = site.body(shape, site.words(**known)) or None
        site.write(shape, body, errors={403: "refused"}, **known)

    # -- bodies ----------------------------------------------------------------------------------------------------

    def _body(self, patch: dict[str, Value], refused: dict[str, str]) -> dict[str, Any]:
        """The body of an update; what cannot be written moves from the patch to the refused."""
        body: dict[str, Any] = {}
        for name, value in list(patch.items()):
            try:
                self._place(body, self._profile.update.at, name, value, creating=False)
            except Unwritable as problem:
                refused[name] = str(problem)
                del patch[name]
        return body

    def _put(self, key: str, body: Mapping[str, Any], held: RemoteTicket | None) -> Answer:
        shape, site = self._profile.update, self._site
        guard = shape.guard if held is not None and held.version else {}
        headers = {name: fill(value, {"version": held.version if held else ""}) for name, value in guard.items()}
        try:
            return site.write(shape, body, headers=headers, errors=HIDDEN, key=key)
        except NotFound as trouble:
            raise self._denied(key, trouble) from None

    def _place(self, body: MutableMapping[str, Any], below: str, name: str, value: Value, *, creating: bool) -> None:
        """Put one field into a body.  :raises Unwritable: it has no place there."""
        customs = self._profile.custom_fields
        if customs is not None and name.startswith(customs.prefix) and name not in self._profile.fields:
            self._place_custom(body, below, name.removeprefix(customs.prefix), value)
            return
        shape = self._profile.fields.get(name)
        if shape is None:
            raise Unwritable(f"there is no field {name!r}; there are: {', '.join(self._profile.fields)}")
        place = (shape.create if creating else None) or shape.write
        if place is None:
            raise Unwritable(f"{self._profile.product} cannot change {name}")
        if shape.max_bytes is not None and isinstance(value, str) and len(value.encode()) > shape.max_bytes:
            raise Unwritable(f"{name} holds {shape.max_bytes} bytes of UTF-8; this is {len(value.encode())} long")
        put(body, joined(below, place), self._theirs(shape, value))

    def _theirs(self, shape: FieldShape, value: Value) -> Any:
        if value is None or value == () or value in shape.empty_words:
            return shape.empty_value
        if shape.table is not None:
            try:
                return _number(self._site.tables.id(shape.table, str(value)))
            except UnknownWord as problem:
                raise Unwritable(str(problem)) from None
        return list(value) if isinstance(value, tuple) else value

    def _place_token(self, body: MutableMapping[str, Any], below: str, token: str) -> None:
        """The external id field bears the token.  :raises AccessError: there is no such field that we can see."""
        customs = self._profile.custom_fields
        if customs is None:
            return
        name = fill(customs.token, self._site.words())
        try:
            self._place_custom(body, below, name, token)
        except Unwritable as problem:
            raise AccessError(f"the field for our token cannot be found: {problem}") from None

    def _place_custom(self, body: MutableMapping[str, Any], below: str, name: str, value: Value) -> None:
        customs = self._profile.custom_fields
        assert customs is not None, "only products with custom fields come here"
        said = customs.empty_value if value is None else list(value) if isinstance(value, tuple) else value
        place = joined(below, customs.write)
        if customs.shape == "names":
            held = at(body, place) if place else body
            if isinstance(held, MutableMapping):
                held[name] = said
            else:
                put(body, place, {name: said})
            return
        try:
            number = self._site.tables.id(customs.table, name) if customs.table else name
        except UnknownWord as problem:
            raise Unwritable(str(problem)) from None
        put(body, place, [*(at(body, place) or ()), {"id": _number(number), "value": said}])

    def _said(self, template: Any) -> Any:
        """A template of settings; None where one of them is not given."""
        try:
            return fill(template, self._site.words()) if isinstance(template, str) else template
        except KeyError:
            return None

    # -- what became of it -----------------------------------------------------------------------------------------

    def _shown(
        self, answer: Answer, key: str | None, known: Collection[str] | None
    ) -> tuple[Mapping[str, Any], RemoteTicket]:
        """The ticket that the answer to a write bears, with what has to be asked for besides.

        :raises Unknown: that failed; the write was done."""
        raw = self._reader.raw(answer, key)
        try:
            return raw, self._reader.ticket(raw, answer, known)
        except ConnectorError as error:
            key = text(at(raw, self._profile.ticket.key))
            raise Unknown(f"ticket {key} was written, and reading the rest of it failed: {error}", key=key) from None

    def _back(
        self, key: str, *, known: Collection[str] | None, wrote: bool = True
    ) -> tuple[Mapping[str, Any], RemoteTicket]:
        """The ticket as it is after a write."""
        try:
            answer = self._site.ticket(key)
            raw = self._reader.raw(answer, key)
            return raw, self._reader.ticket(raw, answer, known)
        except ConnectorError as error:
            if not wrote:
                raise
            raise Unknown(f"ticket {key} was written, and reading it back failed: {error}", key=key) from None

    def _denied(self, key: str, trouble: NotFound) -> AccessError | NotFound:
        """Why a ticket could not be written: a right is missing, or it is out of our sight."""
        try:
            self._site.ticket(key)
        except (AccessError, NotFound) as worse:
            return worse
        return AccessError(f"ticket {key} can be read and not be written, a right is missing: {trouble}")

    def _arrived(self, name: str, value: Value, after: RemoteTicket, held: RemoteTicket | None) -> bool:
        """Whether a field was written. A third value means that somebody wrote after us: ours had arrived."""
        shape, stands = self._profile.fields.get(name), after.fields.get(name)
        if same(stands, None if shape is not None and value in shape.empty_words else value):
            return True
        return held is not None and name in held.fields and not same(stands, held.fields[name])

    def _why(self, name: str, wanted: Value, after: RemoteTicket, raw: Mapping[str, Any], sentences: list[str]) -> str:
        """Why a field stays as it was: in the product's words, or by what it allows."""
        about = [each for each in sentences if self._speaks_of(name, each)] or sentences
        if about:
            return " ".join(about)
        shape = self._profile.fields.get(name)
        stays = f"{self._profile.product} left {name} at {after.fields.get(name)!r} instead of {wanted!r}"
        ways = at(raw, shape.allowed) if shape is not None and shape.allowed else None
        if isinstance(ways, list) and shape is not None:
            words = [text(at(each, shape.allowed_name)) for each in ways]
            others = ", ".join(each for each in words if each != after.fields.get(name)) or "nothing else"
            return f"{stays}; from there it allows: {others}"
        return f"{stays} without a word"

    def _speaks_of(self, name: str, sentence: str) -> bool:
        shape = self._profile.fields.get(name)
        pattern = shape.said if shape is not None and shape.said else re.escape(name.rpartition(".")[2])
        return patterns.found(pattern, sentence, ignore_case=True) is not None

    def _told(self, answer: Answer, draft: CommentDraft, token: str) -> RemoteComment:
        """The comment whose id the answer names. Its files have ids too, but only a later look shows them."""
        shape = self._profile.comment
        found = patterns.found(shape.id_pattern, answer.headers.get(shape.id_header or "", ""))
        if found is None:
            raise Unknown(f"{answer.about}: the answer names no comment; whether it was written is open")
        return RemoteComment(
            id=found[1],
            author=self._site.account(),
            own=True,
            created_at=answer.at or self._site.environment.clock(),
            text="" if draft.internal else text(plain(draft.text)),
            internal=draft.internal,
            token=token,
        )

    def _found(self, key: str, token: str) -> Commented:
        """The comment as reading back shows it, found by its mark."""
        _, ticket = self._back(key, known=())
        mine = [each for each in ticket.comments or () if each.token == token]
        if not mine:
            raise Refused(
                f"{self._profile.product} took the comment without a word and does not show it: "
                "is the account allowed to write comments?"
            )
        return Commented(mine[0], ticket)


def _number(word: str) -> int | str:
    return int(word) if word.isdecimal() else word
