"""Where a live system stands for the suite: two accounts of it, the one that is ours and one that acts as people."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

import pytest

from connectors.api import CommentDraft, Connector, Value
from connectors.marks import UNMARKED
from connectors.testing.stand import Stand, draft
from connectors.testing.troubled import Trouble

_LEAST = timedelta(seconds=1)


class AccountPeople:
    """Somebody at work in a live system, through an account of theirs that a profile speaks for as well as for ours."""

    def __init__(self, connector: Connector, subject: str, description: str, extra: Mapping[str, Value]) -> None:
        self._connector = connector
        self._names, self._extra = (subject, description), dict(extra)

    def open(self, subject: str, description: str) -> str:
        said = {**self._extra, self._names[0]: subject, self._names[1]: description}
        return self._connector.create(said, token=UNMARKED).key

    def change(self, key: str, field: str, value: Value) -> None:
        written = self._connector.update(key, {field: value}, held=None)
        assert not written.refused, f"the account that acts as people may not set {field}: {written.refused[field]}"

    def say(self, key: str, text: str, *, internal: bool = False, files: Mapping[str, bytes] | None = None) -> None:
        sent = tuple(draft(name, content) for name, content in (files or {}).items())
        self._connector.comment(key, CommentDraft(text, internal=internal, files=sent), token=UNMARKED)

    def reword(self, key: str, comment_id: str, text: str) -> None:
        can = self._connector.capabilities
        if not (can.edit_comments and can.delete_comments):
            pytest.skip("no profile tells how people edit their comments here")
        if text:
            self._connector.edit_comment(key, comment_id, CommentDraft(text), token=UNMARKED)
        else:
            self._connector.delete_comment(key, comment_id)


@dataclass(frozen=True, slots=True)
class Words:
    """What the suite must know of a system's language."""

    subject: str
    description: str
    extra: Mapping[str, Value]
    """Fields that every new ticket needs besides."""
    refused: tuple[str, Value] | None = None
    owner: tuple[str, str] | None = None


def live(
    ours: Connector,
    theirs: Connector,
    words: Words,
    trouble: Trouble,
    *,
    secrets: tuple[str, ...] = (),
    sleep: Callable[[float], None] = time.sleep,
) -> Stand:
    """A stand on a live system. `trouble` is the wire of `ours`; `theirs` is the account that acts as people.

    Wrong credentials are not tried, since accounts are locked for that, nor are hundreds of tickets opened at once."""
    step = max(ours.capabilities.granularity, _LEAST).total_seconds()
    return Stand(
        connector=ours,
        people=AccountPeople(theirs, words.subject, words.description, words.extra),
        subject=words.subject,
        description=words.description,
        refused=words.refused,
        owner=words.owner,
        secrets=secrets,
        many=0,
        large=False,
        settle=lambda: sleep(step),
        faults=trouble.faults,
        extra=words.extra,
    )
