"""Whose a file is that hangs on nothing but its ticket: the comment's that its mark names, or that its author wrote at
about the same time. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from connectors import marks
from connectors.api import RemoteComment, RemoteFile


@dataclass(frozen=True, slots=True)
class Hung:
    """A file on a ticket, who sent it, and when."""

    file: RemoteFile
    author: str
    at: datetime | None


def settled(
    comments: Sequence[RemoteComment], hung: Sequence[Hung], window: timedelta
) -> tuple[dict[str, tuple[RemoteFile, ...]], list[RemoteFile]]:
    """The files of each comment by its id, and those of none. What belongs to a hidden comment, or to a comment of ours
    that is not written yet, is in neither."""
    found: dict[str, list[tuple[int, RemoteFile]]] = {}
    loose: list[RemoteFile] = []
    for each in hung:
        name, token, number = marks.read_name(each.file.name)
        owner = _marked(comments, token) if token is not None else _near(comments, each, window)
        if owner is not None and not owner.internal:
            found.setdefault(owner.id, []).append((number, replace(each.file, name=name)))
        elif owner is None and token is None:
            loose.append(each.file)
    ordered = {key: sorted(files, key=lambda each: each[0]) for key, files in found.items()}
    return {key: tuple(file for _, file in files) for key, files in ordered.items()}, loose


def _marked(comments: Sequence[RemoteComment], token: str) -> RemoteComment | None:
    return next((each for each in comments if each.token == token), None)


def _near(comments: Sequence[RemoteComment], hung: Hung, window: timedelta) -> RemoteComment | None:
    """The comment that its author wrote next (anybody, where nobody tells), or else wrote last; of two at one moment
    the hidden one."""
    sent = hung.at
    if sent is None:
        return None
    near = [each for each in comments if abs(each.created_at - sent) <= window]
    theirs = [each for each in near if hung.author in ("", each.author.key)]  # nobody tells: it may be anybody's

    def order(comment: RemoteComment) -> tuple[bool, timedelta, bool]:
        return comment.created_at < sent, abs(comment.created_at - sent), not comment.internal

    return min(theirs, key=order, default=None)
