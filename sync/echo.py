"""Is this our own write coming back? Evidence, strongest first. Pure.

1. The row shows the version we have read already (and that version is not racy).
2. A field shows the value of an open intent (`reconcile` asks that itself).
3. Their history holds an entry of our account with the value we wrote, though a later edit hides it.
4. A comment bears the token of an open intent; or, where the token was edited away: our account, not older than the
   intent, the same text, and only one candidate.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from central.link import Intent, IntentKind, Link, Pair
from central.model import Value
from mappings import model as mapping_model


@dataclass(frozen=True, slots=True)
class Entry:
    """One change of one field in their history, as plain data (their field name)."""

    field: str
    old: Value
    new: Value
    own: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class Mark:
    """What a comment there shows of its origin."""

    id: str
    token: str | None
    own: bool
    text: str
    created_at: datetime


def seen_already(link: Link, row_version: str, at: datetime) -> tuple[bool, datetime | None]:
    """Whether a list row shows nothing new; if it may hide a second change, when to look once more."""
    if not row_version or link.row_version != row_version:
        return False, None
    if link.racy_until is None:
        return True, None
    return False, max(at, link.racy_until)


def landed(intents: Sequence[Intent], history: Sequence[Entry], mapping: mapping_model.Mapping) -> dict[str, Pair]:
    """Writes of open intents that their history proves: our field -> the pair we wrote."""
    found: dict[str, Pair] = {}
    for intent in intents:
        for name, pair in intent.wrote.items():
            field = mapping.fields.get(name)
            if field is None:
                continue
            written = field.rule.canonical_theirs(pair.theirs)
            for entry in history:
                if entry.own and entry.field == field.remote and field.rule.canonical_theirs(entry.new) == written:
                    found[name] = pair
    return found


def overwritten(
    pair: Pair, before: Value, field: mapping_model.FieldMapping, history: Sequence[Entry], known: int
) -> tuple[Value, bool]:
    """The value our write replaced, if it is not the one we had read: an edit made between our read and our write.

    `history` is their whole history after the write, of which we had read the first `known` entries before."""
    canonical = field.rule.canonical_theirs
    for entry in reversed(history[known:]):
        if entry.own and entry.field == field.remote and canonical(entry.new) == canonical(pair.theirs):
            return entry.old, canonical(entry.old) != canonical(before)
    return None, False


def own_comment(mark: Mark, intents: Sequence[Intent]) -> Intent | None:
    """The open intent that this comment carries out, by its token."""
    if not mark.own or mark.token is None:
        return None
    return next((i for i in intents if i.token == mark.token), None)


def unmarked_comment(marks: Sequence[Mark], intent: Intent) -> Mark | None:
    """The one comment of our account that says what the intent said, though its token was edited away."""
    if intent.kind not in (IntentKind.COMMENT, IntentKind.NOTICE):
        return None
    fitting = [m for m in marks if m.own and m.token is None and m.text == intent.text and m.created_at >= intent.at]
    return fitting[0] if len(fitting) == 1 else None
