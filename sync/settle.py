"""Record what we wrote, never what we read. Pure.

Per written field: read == written: the base is (ours as sent, written). Read == the value before: refused, the base
stays. Anything else: the base is what we wrote, so that the next look sees their edit as theirs.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from central.link import Intent, Link, LinkState, Pair, Refusal
from central.model import Value
from mappings import model as mapping_model
from sync.echo import Entry, own_entry


@dataclass(frozen=True, slots=True)
class Settled:
    """The link after a write, and what became of each field."""

    link: Link
    arrived: Mapping[str, Pair]
    refused: Mapping[str, str]
    look_again: bool
    """They hold a value that neither of us wrote or read before: it deserves a look."""


def settle_update(
    link: Link,
    intent: Intent,
    after: Mapping[str, Value],
    reasons: Mapping[str, str],
    history: Sequence[Entry] | None,
    mapping: mapping_model.Mapping,
    at: datetime,
) -> Settled:
    """Close an update's intent by what the read-back shows.

    `reasons` are the tracker's words by *their* field name; `history` are its entries since the intent, where it was
    read: it tells a refusal under somebody's later edit from a write that was edited afterwards."""
    base, refusals = dict(link.base), dict(link.refusals)
    disagreements = dict(link.disagreements)
    arrived: dict[str, Pair] = {}
    refused: dict[str, str] = {}
    look_again = False
    for name, pair in intent.wrote.items():
        field = mapping.fields[name]
        canonical = field.rule.canonical_theirs
        read, before = after.get(field.remote), intent.before.get(field.remote)
        disagreements.pop(name, None)
        wrote = history is not None and own_entry(history, field, pair) is not None
        if canonical(read) == canonical(pair.theirs) or wrote:
            base[name], arrived[name] = pair, pair
            refusals.pop(name, None)
            look_again = look_again or canonical(read) != canonical(pair.theirs)
        elif canonical(read) == canonical(before):
            reason = reasons.get(field.remote) or f"the tracker left it at {before!r} without saying why"
            refusals[name] = Refusal(pair.theirs, read, reason, mapping.revision, at)
            disagreements[name] = f"refused: {reason}"
            refused[name] = reason
        else:
            look_again = True
            if field.remote not in reasons and history is None:
                base[name], arrived[name] = pair, pair
    for field in mapping.fields.values():
        untouched = field.central not in intent.wrote and field.remote in after and field.remote in intent.before
        if untouched and field.rule.canonical_theirs(after[field.remote]) != field.rule.canonical_theirs(
            intent.before[field.remote]
        ):
            look_again = True
    settled = link.evolve(
        base=base,
        refusals=refusals,
        seen=mapped(after, mapping),
        intents=without(link.intents, intent),
        mapping_revision=mapping.revision,
        written_at=at,
        last_error="",
    ).standing(disagreements, at)
    return Settled(settled, arrived, refused, look_again)


def settle_effects(
    link: Link,
    intent: Intent,
    after: Mapping[str, Value],
    mapping: mapping_model.Mapping,
    by_people: Collection[str],
) -> Link:
    """What a comment of ours made of fields there was set by nobody: it is the base, so that who sets again what it has
    undone has said something. `by_people`: our fields that they had set so before."""
    base, seen = dict(link.base), dict(link.seen)
    for field in mapping.fields.values():
        expected, left = intent.side_effects.get(field.remote), base.get(field.central)
        stood = intent.before.get(field.remote)
        if field.central in by_people or left is None or expected is None:
            continue
        if (stood, expected) == (left.theirs, after.get(field.remote)):
            base[field.central], seen[field.remote] = Pair(left.ours, expected), expected
    return link.evolve(base=base, seen=seen)


def settle_create(
    link: Link,
    intent: Intent,
    key: str,
    address: str,
    after: Mapping[str, Value],
    mapping: mapping_model.Mapping,
    at: datetime,
    *,
    edits: Sequence[Entry] | None = (),
) -> Link:
    """Bind a link to the ticket it created. What the tracker itself made of a value was set by nobody: it is the base.

    `edits`: the history since it was created, where the ticket was found later; None where none can be read, so that
    any difference must be taken for an edit."""
    base: dict[str, Pair] = {}
    for name, pair in intent.wrote.items():
        field = mapping.fields.get(name)
        if field is None:
            continue
        first = next((e for e in edits or () if e.field == field.remote), None)
        began = after.get(field.remote) if first is None else first.old
        if field.walks(pair.theirs):
            base[name] = Pair(None, began)  # it was not said: what somebody sets there meanwhile is no answer to it
        elif edits is None:
            base[name] = pair
        else:
            base[name] = Pair(pair.ours, began)
    return link.evolve(
        state=LinkState.ACTIVE,
        key=key,
        address=address,
        base=base,
        seen=mapped(after, mapping),
        intents=without(link.intents, intent),
        mapping_revision=mapping.revision,
        history_seen="",
        written_at=at,
        last_error="",
    )


def settle_look(link: Link, version: str, row_version: str, at: datetime, *, window: timedelta | None) -> Link:
    """Everything up to this version was read: fields and comments both.

    `window`: how long a weak row version may hide a second change after its first sight; None: it is strong, or the
    server's own clock has passed it."""
    if window is None:
        racy_until = None
    elif row_version != link.row_version:
        racy_until = at + window
    elif link.racy_until is not None and at < link.racy_until:
        racy_until = link.racy_until
    else:
        racy_until = None
    return link.evolve(version=version, row_version=row_version, racy_until=racy_until)


def mapped(theirs: Mapping[str, Value], mapping: mapping_model.Mapping) -> dict[str, Value]:
    """Those of their fields that the mapping knows."""
    return {f.remote: theirs[f.remote] for f in mapping.fields.values() if f.remote in theirs}


def without(intents: tuple[Intent, ...], *closed: Intent) -> tuple[Intent, ...]:
    """The intents that stay open."""
    tokens = {intent.token for intent in closed}
    return tuple(i for i in intents if i.token not in tokens)
