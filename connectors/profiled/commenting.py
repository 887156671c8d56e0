"""Comments on their way out: written with their files, edited, hidden, taken away."""

import re
from contextlib import suppress
from typing import Any

from connectors import marks
from connectors.answers import Answer
from connectors.api import CommentDraft, Commented, RemoteComment
from connectors.errors import NotFound, Refused, Unknown
from connectors.profiled import files, steps, streams
from connectors.profiled.bodies import Bodies, carried
from connectors.profiled.reading import Reader
from connectors.profiled.site import HIDDEN, Site
from connectors.profiled.values import plain, text
from connectors.profiled.vocabulary.comments import CommentChange
from connectors.profiled.vocabulary.parts import Kept
from connectors.profiled.writing import Writer
from connectors.rest.formats import encoder

_ID = re.compile(r"\w[\w.:-]*", re.ASCII)


class Commenter:
    """Writes comments to one site."""

    def __init__(self, site: Site, reader: Reader, writer: Writer) -> None:
        self._site = site
        self._reader = reader
        self._writer = writer
        self._bodies = Bodies(site)
        self._shape = site.profile.comment
        self._product = site.profile.product

    def comment(self, key: str, draft: CommentDraft, token: str) -> Commented:
        """Add a comment bearing the token.

        :raises Refused: with the product's words; nothing was written.  :raises Unknown: it may be there."""
        shape, site = self._shape, self._site
        self._check(draft)
        files.check(site, draft.files, internal=draft.internal)
        words: dict[str, Any] = {"key": key, "text": marks.stamp(draft.text, token), "internal": draft.internal}
        request = shape.hidden if draft.internal else shape
        streamed: streams.Streamed | None = None
        try:
            raw, ticket = self._writer.look(key) if shape.carry or shape.companions else ({}, None)
            if ticket is not None:
                words["version"] = ticket.version
            words = steps.before(site, shape.first, words, token)
            body = site.body(request, site.words(**words))
            for name in shape.companions:
                if ticket is not None and name in ticket.fields:
                    self._bodies.place(body, shape.at, name, ticket.fields[name], token=ticket.token)
            carried(raw, shape.carry, body)
            if draft.files and shape.attached is not None:
                files.attach(site, shape.attached, key, draft.files, token, self._reader.file_names(key))
            for file in draft.files:
                if shape.uploaded is not None:
                    files.upload(site, shape.uploaded, file, body)
            if draft.files and shape.inline is not None:
                as_written = encoder(request)
                streamed = streams.inline(body, shape.inline, draft.files, request, as_written)
            elif draft.files and shape.parts is not None:
                streamed = streams.parted(body, shape.parts, draft.files, request.as_json)
            headers = {"Content-Type": streamed.media_type} if streamed is not None else {}
            stream = streamed.made if streamed is not None else None
            answer = site.write(request, body or None, stream=stream, headers=headers, errors=HIDDEN, **words)
        except NotFound as trouble:
            raise self._writer.denied(key, trouble) from None
        except Refused:
            site.ticket(key)  # RT denies a comment on a ticket out of our sight as if a right were missing
            raise
        if shape.id_header is not None or shape.id_at:
            return Commented(self._told(answer, draft, token))
        return self._found(key, draft, token)

    def edit(self, key: str, comment_id: str, draft: CommentDraft, token: str) -> None:
        """Give a comment of ours another text, its mark with it.

        :raises Refused: it cannot, or may not.  :raises NotFound: the comment is gone."""
        shape = self._shape
        if shape.edit is None or not self._site.capabilities.edit_comments:
            raise Refused(f"{self._product} cannot edit comments")
        self._check(draft)
        words = {"text": marks.stamp(draft.text, token), "internal": draft.internal}
        self._change(shape.edit, key, comment_id, **words)
        veil = shape.hide if draft.internal else shape.show
        if veil is not None:
            self._change(veil, key, comment_id, **words)

    def delete(self, key: str, comment_id: str) -> None:
        """Take a comment of ours away; one that is gone is as wanted.  :raises Refused: it cannot, or may not."""
        shape = self._shape.delete
        if shape is None or not self._site.capabilities.delete_comments:
            raise Refused(f"{self._product} cannot take comments away")
        with suppress(NotFound):
            self._change(shape, key, comment_id)

    def _check(self, draft: CommentDraft) -> None:
        limit = self._site.capabilities.max_comment
        if draft.internal and not self._site.capabilities.internal_comments:
            raise Refused(f"{self._product} cannot hide comments", field="internal")
        if limit is not None and len(draft.text) > limit:
            raise Refused(f"the comment is longer than {limit:,} characters", field="text")

    def _change(self, shape: CommentChange, key: str, comment_id: str, **words: Any) -> None:
        if not _ID.fullmatch(comment_id):
            raise NotFound(f"{comment_id!r} is no comment's id")
        if shape.looks:
            self._ensure_ours(key, comment_id)
        known = {"key": key, "comment": comment_id, **words}
        body = self._site.body(shape, self._site.words(**known)) or None
        self._site.write(shape, body, errors={403: "refused"}, **known)

    def _ensure_ours(self, key: str, comment_id: str) -> None:
        """:raises NotFound: there is no such comment.  :raises Refused: it is somebody else's."""
        answer = self._site.ticket(key)
        ticket = self._reader.ticket(self._reader.raw(answer, key), answer, known=())
        found = next((each for each in ticket.comments or () if each.id == comment_id), None)
        if found is None:
            raise NotFound(f"ticket {key} has no comment {comment_id}")
        if not found.own:
            raise Refused(f"comment {comment_id} is not ours: {found.author.name or found.author.key} wrote it")

    def _told(self, answer: Answer, draft: CommentDraft, token: str) -> RemoteComment:
        """The comment whose id the answer names. Its files have ids too, but only a later look shows them."""
        shape = self._shape
        kept = Kept(at=() if shape.id_header else shape.id_at, header=shape.id_header, pattern=shape.id_pattern)
        found = steps.told(kept, answer)
        if not found:
            raise Unknown(f"{answer.about}: the answer names no comment; whether it was written is open")
        return RemoteComment(
            id=found,
            author=self._site.account(),
            own=True,
            created_at=answer.at or self._site.environment.clock(),
            text="" if draft.internal else text(plain(draft.text)),
            internal=draft.internal,
            token=token,
        )

    def _found(self, key: str, draft: CommentDraft, token: str) -> Commented:
        """The comment as reading back shows it, found by its mark; one without is the latest of ours that says this."""
        ticket = self._writer.look(key, known=(), wrote=True)[1]
        mine = [each for each in ticket.comments or () if each.token == (None if token == marks.UNMARKED else token)]
        if token == marks.UNMARKED:
            shown = "" if draft.internal else text(plain(draft.text))
            mine = [each for each in mine if each.own and each.text == shown][-1:]
        if not mine:
            raise Refused(
                f"{self._product} took the comment without a word and does not show it: "
                "is the account allowed to write comments?"
            )
        return Commented(mine[0], ticket)
