"""The same as `reconcile` for comments and files: what is new there, what is still to be sent. Pure.

A comment's identity is (origin system, origin id); ids tied to a link are never read or sent again. Everything goes
in central order, one at a time; internal text never leaves unless the policy says so *and* the remote can hide it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from central.link import SPEAKING, Intent, Link
from central.model import Attachment, Comment, Visibility
from sync.echo import Mark, own_comment, unmarked_comment
from sync.tokens import Tokens

NOTHING_UNSENT: Mapping[str, Intent] = {}


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What the comments that we did not know turn out to be, by their ids."""

    new: tuple[str, ...]
    """Written by people there: to be taken in."""
    landed: Mapping[str, Intent]
    """Our own, of an open intent: to be tied."""
    duplicates: tuple[str, ...]
    """Our own, arrived once more (late or repeated): shown, never taken in."""
    doubtful: tuple[str, ...] = ()
    """Of our account, without a mark, while we wait to learn what became of a comment of ours: a person decides."""


def arrivals(
    link: Link, marks: Sequence[Mark], known: frozenset[str], unsent: Mapping[str, Intent] = NOTHING_UNSENT
) -> Arrivals:
    """Sort the comments there that no tie explains. `unsent`: by its token, what would be sent next: where it is
    there already, it is known as sent."""
    unknown, expected = [m for m in marks if m.id not in known], [i for i in link.intents if not i.done]
    found: dict[str, Intent] = {}
    duplicates: list[str] = []
    new: list[str] = []
    for mark in unknown:
        intent = own_comment(mark, expected)
        if intent is not None and intent not in found.values():
            found[mark.id] = intent
        elif mark.own and mark.token and mark.token in unsent and unsent[mark.token] not in found.values():
            found[mark.id] = unsent[mark.token]
        elif mark.own and mark.token is not None:
            duplicates.append(mark.id)
    for intent in expected:
        if intent in found.values():
            continue
        candidate = unmarked_comment([m for m in unknown if m.id not in found], intent)
        if candidate is not None:
            found[candidate.id] = intent
    waiting = any(i.kind in SPEAKING and i not in found.values() for i in expected)
    doubtful: list[str] = []
    for mark in unknown:
        if mark.id not in found and mark.id not in duplicates:
            (doubtful if waiting and mark.own else new).append(mark.id)
    return Arrivals(tuple(new), found, tuple(duplicates), tuple(doubtful))


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to send: a comment with its files, or a file that hangs on the ticket itself (comment None)."""

    comment: Comment | None
    files: tuple[Attachment, ...]

    @property
    def label(self) -> str:
        """How it is called in a sentence."""
        return f"comment {self.comment.id}" if self.comment else f"file {self.files[0].name!r}"


def token_of(tokens: Tokens, item: Item) -> str:
    """The token that this item bears in every system."""
    return tokens.file(item.files) if item.comment is None else tokens.comment(item.comment)


def unsent(
    system: str,
    comments: Sequence[Comment],
    files: Sequence[Attachment],
    ties: Mapping[int, str],
    file_ties: Mapping[int, str],
    *,
    share_internal: bool,
) -> tuple[Item, ...]:
    """What this system has not been sent yet, in central order. `share_internal`: policy and remote both allow it."""

    def may_leave(visibility: Visibility) -> bool:
        return visibility is Visibility.PUBLIC or share_internal

    items = [
        Item(None, (file,))
        for file in files
        if file.comment_id is None
        and file.id not in file_ties
        and file.origin_system != system
        and may_leave(file.visibility)
    ]
    for comment in comments:
        if comment.id in ties or comment.origin_system == system or not may_leave(comment.visibility):
            continue
        if comment.deleted_at is not None:
            continue
        own = tuple(f for f in files if f.comment_id == comment.id and may_leave(f.visibility))
        items.append(Item(comment, own))
    return tuple(items)


@dataclass(frozen=True, slots=True)
class Fit:
    """Which files of an item the remote takes, and the visible note that stands for each it does not."""

    accepted: tuple[Attachment, ...]
    notes: tuple[str, ...]


def fit(files: Sequence[Attachment], *, empty_files: bool, max_file: int | None, any_files: bool, where: str) -> Fit:
    """Sort files by what the remote is known to take. `where` tells the reader how to find the original."""
    accepted: list[Attachment] = []
    notes: list[str] = []
    for file in files:
        if not any_files:
            notes.append(f"[file {file.name!r} ({file.size} bytes) cannot be carried to this system; {where}]")
        elif file.size == 0 and not empty_files:
            notes.append(f"[file {file.name!r} is empty (0 bytes) and this system takes no empty files; {where}]")
        elif max_file is not None and file.size > max_file:
            notes.append(
                f"[file {file.name!r} ({file.size} bytes) is larger than this system takes ({max_file} bytes); {where}]"
            )
        else:
            accepted.append(file)
    return Fit(tuple(accepted), tuple(notes))
