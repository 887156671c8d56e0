"""Is this our own write coming back? Evidence, strongest first. Pure.

1. The row shows the version we have read already (and that version is not racy).
2. A field shows the value of an open intent (`reconcile` asks that itself).
3. Their history holds an entry of our account with the value we wrote, though a later edit hides it.
4. A comment bears the token of an open intent; or, where the token was edited away: our account, not older than the
   intent, the same text, and only one candidate.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from central.link import SPEAKING, Intent, Link, Pair
from central.model import Value
from mappings import model as mapping_model


@dataclass(frozen=True, slots=True)
class Entry:
    """One change of one field in their history, as plain data (their field name)."""

    id: str
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
    at: datetime


def seen_already(link: Link, row_version: str, at: datetime) -> tuple[bool, datetime | None]:
    """Whether a list row shows nothing new; if it may hide a second change, when to look once more."""
    if not row_version or link.row_version != row_version:
        return False, None
    if link.racy_until is None:
        return True, None
    return False, max(at, link.racy_until)


def after(history: Sequence[Entry], seen: str | None) -> Sequence[Entry]:
    """The entries newer than `seen` ('': all). Nothing where the mark is unknown: it proves nothing then."""
    if seen is None:
        return ()
    if seen == "":
        return history
    for index, entry in enumerate(history):
        if entry.id == seen:
            return history[index + 1 :]
    return ()


def landed(link: Link, history: Sequence[Entry], mapping: mapping_model.Mapping) -> dict[str, Pair]:
    """Writes of open intents that entries made after them prove: our field -> the pair we wrote."""
    found: dict[str, Pair] = {}
    for intent in link.intents:
        entries = after(history, _seen(link, intent))
        for name, pair in intent.wrote.items():
            field = mapping.fields.get(name)
            if field is not None and own_entry(entries, field, pair) is not None:
                found[name] = pair
    return found


def _seen(link: Link, intent: Intent) -> str | None:
    """Up to where the history was read before this intent; where it was written without reading, when last it was."""
    return link.history_seen if intent.history_seen is None else intent.history_seen


def own_entry(history: Sequence[Entry], field: mapping_model.FieldMapping, pair: Pair) -> Entry | None:
    """The newest entry of our account that set this field to what we wrote."""
    canonical = field.rule.canonical_theirs
    for entry in reversed(history):
        if entry.own and entry.field == field.remote and canonical(entry.new) == canonical(pair.theirs):
            return entry
    return None


def stale(link: Link, history: Sequence[Entry], mapping: mapping_model.Mapping) -> frozenset[str]:
    """Our fields that a write of ours set last, though it had been given up and another value was written since."""
    found = set()
    unread = after(history, link.history_seen)
    for name, values in link.superseded.items():
        field = mapping.fields.get(name)
        last = next((e for e in reversed(unread) if field and e.field == field.remote), None)
        if field is None or last is None or not last.own:
            continue
        canonical = field.rule.canonical_theirs
        if any(canonical(value) == canonical(last.new) for value in values):
            found.add(name)
    return frozenset(found)


def set_by_people(
    link: Link,
    history: Sequence[Entry],
    arrived: Sequence[datetime],
    longest: timedelta,
    mapping: mapping_model.Mapping,
) -> frozenset[str]:
    """Our fields whose present value there is not ours by their history, though an open intent wrote them, or a comment
    of ours would have done the same: before it arrived, or long after. The rest is as for `swallowed`."""
    found = set()
    for intent in link.intents:
        entries = after(history, _seen(link, intent))
        for name in intent.wrote:
            field = mapping.fields.get(name)
            last = next((e for e in reversed(entries) if field and e.field == field.remote), None)
            if last is not None and not last.own:
                found.add(name)
    for field in mapping.fields.values():
        last = next((e for e in reversed(after(history, link.history_seen)) if e.field == field.remote), None)
        if last is None or last.own or not arrived:
            continue
        if last.at < min(arrived) or all(abs(last.at - at) > longest for at in arrived):
            found.add(field.central)
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class Swallowed:
    """An edit that the tracker overwrote because of our comment, before anybody had read it."""

    said: Value
    """What the person had set."""
    shown: Value
    """What the tracker made of it."""


def landings(link: Link, marks: Sequence[Mark]) -> tuple[datetime, ...]:
    """When comments of ours arrived there since the history was last read, by their clock."""
    known = [intent.landed_at for intent in link.intents if intent.done and intent.landed_at is not None]
    return (*known, *(mark.at for mark in marks if own_comment(mark, link.intents) is not None))


def expected_effects(
    effects: Mapping[str, Mapping[str, str]], seen: Mapping[str, Value]
) -> tuple[dict[str, Value], dict[str, Value]]:
    """What a comment of ours will make of these values, by their field name: the values before and after."""
    after = {
        name: table[str(seen[name])] for name, table in effects.items() if name in seen and str(seen[name]) in table
    }
    return {name: seen[name] for name in after}, dict(after)


def swallowed(
    link: Link,
    history: Sequence[Entry],
    arrived: Sequence[datetime],
    effects: Mapping[str, Mapping[str, str]],
    longest: timedelta,
) -> tuple[dict[str, Swallowed], dict[str, Value]]:
    """By their field name: edits that a declared side effect of a comment of ours hides; and those that a write of
    ours has replaced since, so that they can only be kept.

    `arrived`: when comments of ours did; `effects`: what a comment makes of a field, value before -> value after;
    `longest`: how long a request may take."""
    hidden: dict[str, Swallowed] = {}
    replaced: dict[str, Value] = {}
    unread = after(history, link.history_seen)
    for name, table in effects.items():
        entries = [entry for entry in unread if entry.field == name]
        for index, (edit, effect) in enumerate(pairwise(entries)):
            ours = any(abs(at - effect.at) <= longest for at in arrived)
            hides = effect.old == edit.new and table.get(str(edit.new)) == effect.new
            if not ours or not hides or edit.own or effect.own:
                continue
            if index + 2 == len(entries):
                hidden[name] = Swallowed(edit.new, effect.new)
            elif entries[index + 2].own:
                replaced[name] = edit.new
    return hidden, replaced


def taken_back(
    link: Link,
    history: Sequence[Entry],
    arrived: Sequence[datetime],
    effects: Mapping[str, Mapping[str, str]],
    longest: timedelta,
    mapping: mapping_model.Mapping,
) -> dict[str, Value]:
    """What a comment of ours had made of fields before people set them anew, though nobody had read it: our field ->
    that value. It is what they answered, not what stood there before. The rest is as for `swallowed`."""
    unread = after(history, link.history_seen)
    found: dict[str, Value] = {}
    for name, field in mapping.fields.items():
        table, base, made = effects.get(field.remote, {}), link.base.get(name), None
        entries = [entry for entry in unread if entry.field == field.remote]
        for entry in entries:
            stood = base is not None and entry.old == base.theirs
            ours = stood and not entry.own and any(abs(at - entry.at) <= longest for at in arrived)
            if ours and table.get(str(entry.old)) == entry.new:
                made = entry
            elif entry.own:
                made = None
        if made is not None and made is not entries[-1]:
            found[name] = made.new
    return found


def overwritten(
    link: Link,
    history: Sequence[Entry],
    mapping: mapping_model.Mapping,
    effects: Mapping[str, Mapping[str, str]],
) -> dict[str, Value]:
    """Edits that a write of ours replaced before anybody had read them: our field -> their lost value.

    Of the entries that were not read before, the run of people's edits right before an own one tells: where it does
    not end where it began, its last value was replaced unread. Where it began with what a comment does there
    (`effects`: as for `swallowed`), whoever set that back has said something, too."""
    unread = after(history, link.history_seen)
    found: dict[str, Value] = {}
    for name, field in mapping.fields.items():
        table, canonical = effects.get(field.remote, {}), field.rule.canonical_theirs
        run: list[Entry] = []
        for entry in unread:
            if entry.field != field.remote:
                continue
            if not entry.own:
                run.append(entry)
                continue
            by_comment = bool(run) and table.get(str(run[0].old)) == run[0].new
            if any(canonical(begun.old) != canonical(entry.old) for begun in run[: 1 + by_comment]):
                found[name] = entry.old
            run = []
    return found


def own_comment(mark: Mark, intents: Sequence[Intent]) -> Intent | None:
    """The open intent that this comment carries out, by its token."""
    if not mark.own or mark.token is None:
        return None
    return next((i for i in intents if i.token == mark.token), None)


def arrived(marks: Sequence[Mark], intent: Intent) -> bool:
    """Whether the comment of this intent is among these."""
    return any(own_comment(mark, (intent,)) for mark in marks) or unmarked_comment(marks, intent) is not None


def unmarked_comment(marks: Sequence[Mark], intent: Intent) -> Mark | None:
    """The one comment of our account that says what the intent said, though its token was edited away.

    Times are no evidence (their clock, whole seconds): a comment of ours from before the intent is tied already."""
    if intent.kind not in SPEAKING:
        return None
    said = comparable(intent.text)
    fitting = [m for m in marks if m.own and m.token is None and comparable(m.text) == said]
    return fitting[0] if len(fitting) == 1 else None


def comparable(text: str) -> str:
    """A text without what trackers do to line ends and blanks."""
    return "\n".join(line.rstrip() for line in text.split("\n")).strip()
