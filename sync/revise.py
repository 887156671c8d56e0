"""Inward: what people did to comments that were carried already. Edits, hidden and deleted ones, within a look's
transaction; the decisions are `sync.wording`'s."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from central.events import Event, Kind
from central.link import Agreed, Intent, Tie
from central.model import SYSTEM, Comment, Conflict, Person, Visibility
from central.store.api import Transaction
from connectors.api import RemoteComment
from sync import wording
from sync.draft import unsigned
from sync.gateway import Gateway
from sync.means import Means
from sync.past import Past
from sync.policy import Winner
from sync.wording import Lost, Revision, Shown


@dataclass(frozen=True, slots=True)
class Revised:
    """What the comments of one link have become."""

    changed: bool
    """Something is new for others."""
    owed: bool
    """Something of ours is to be told there."""
    standing: Mapping[str, str]
    """`comment ID` -> why it cannot agree now."""
    landed: frozenset[str]
    """The tokens of intents that this reading has settled."""


def name_of(comment_id: int) -> str:
    """What a comment is called among disagreements and conflicts."""
    return f"comment {comment_id}"


def standing_of(disagreements: Mapping[str, str]) -> dict[str, str]:
    """Those disagreements that are about comments."""
    return {name: why for name, why in disagreements.items() if name.startswith("comment ")}


def revise(
    tx: Transaction,
    means: Means,
    gateway: Gateway,
    past: Past,
    shown: Mapping[str, RemoteComment] | None,
    at: datetime,
    events: list[Event],
) -> Revised:
    """Take in what became of the tied comments. `shown`: all that the tracker shows; None: not all were read."""
    standing = standing_of(past.link.disagreements)
    nothing = Revised(False, False, standing, frozenset())
    if not moved(past, shown):
        return nothing
    assert shown is not None, "what was not read has not moved"
    comments = {comment.id: comment for comment in tx.tickets.comments(past.ticket.id)}
    landed: set[str] = set()
    changed = seen = owed = False
    tied = tx.links.tied(past.link.id)
    for comment, tie, revision in revisions(means, gateway, past, shown, comments=comments, tied=tied):
        comment_id, name = comment.id, name_of(comment.id)
        standing.pop(name, None)
        if revision.stands:
            standing[name] = revision.stands
        if revision.landed is not None:
            landed.add(revision.landed.token)
            events.append(amended(past, gateway, revision.landed, at))
        if revision.agreed != tie.agreed:
            tx.links.agree_comment(past.link.id, comment_id, revision.agreed)
        if revision.lost is not None:
            events += _keep(tx, gateway, past, comment, revision.lost, at)
        if revision.comment != comment:
            events += _carry_out(tx, gateway, comment, revision.comment, at)
            changed = True
            seen = seen or not (comment.visibility is revision.comment.visibility is Visibility.INTERNAL)
        undecided = revision.agreed.disputed == wording.ours(revision.comment)
        owed = owed or (wording.ours(revision.comment) != revision.agreed.ours and not undecided)
    if changed:
        tx.tickets.touch(past.ticket.id, at, internal=not seen)
    return Revised(changed, owed, standing, frozenset(landed))


def revisions(
    means: Means,
    gateway: Gateway,
    past: Past,
    shown: Mapping[str, RemoteComment],
    *,
    comments: Mapping[int, Comment],
    tied: Mapping[int, Tie],
) -> Iterator[tuple[Comment, Tie, Revision]]:
    """What is to become of those tied comments whose word there has changed."""
    for comment_id, tie in tied.items():
        revision = _revision(means, gateway, past, comments[comment_id], tie, shown)
        if revision is not None:
            yield comments[comment_id], tie, revision


def amended(past: Past, gateway: Gateway, intent: Intent, at: datetime) -> Event:
    """What we did there about a comment, for the history."""
    data = {"comment": intent.comment_id, "how": intent.kind.value}
    return Event(Kind.COMMENT_AMENDED, past.ticket.id, at, SYSTEM, system=gateway.system, data=data)


def heard(comment: Comment, there: RemoteComment) -> Agreed:
    """What is agreed on for a comment of theirs that was just taken in."""
    return wording.heard(comment, _shown(there, None))


def moved(past: Past, shown: Mapping[str, RemoteComment] | None) -> bool:
    """Whether any word that was carried is another there than was agreed on, or gone."""
    return shown is not None and any(_moved(tie, shown) for tie in past.tied.values())


def _moved(tie: Tie, shown: Mapping[str, RemoteComment]) -> bool:
    if not _is_comment(tie):
        return False
    there = shown.get(tie.remote_id)
    word = wording.theirs(None if there is None else _shown(there, None), tie.agreed)
    return tie.agreed is None or tie.agreed.theirs != word


def _is_comment(tie: Tie) -> bool:
    """Parked ones are not there, and a visible gap stands for a file that hangs on the ticket."""
    return bool(tie.remote_id) and not tie.remote_id.startswith("file:")


def _revision(
    means: Means, gateway: Gateway, past: Past, comment: Comment, tie: Tie, shown: Mapping[str, RemoteComment]
) -> Revision | None:
    if not _is_comment(tie):
        return None
    home = comment.origin_system == gateway.system
    there = shown.get(tie.remote_id)
    seen = None
    if there is not None:
        seen = _shown(there, _heard(gateway, comment, there) if home else _body(means, gateway, past, comment, there))
    return wording.revise(
        comment,
        tie.agreed,
        seen,
        home=home,
        intents=past.link.intents,
        winner=lambda: gateway.policy.winner("comment"),
    )


def _shown(there: RemoteComment, body: str | None) -> Shown:
    return Shown("[too large]" if there.too_large else there.text, there.internal, body)


def _heard(gateway: Gateway, comment: Comment, there: RemoteComment) -> str:
    """A comment of theirs as central keeps it, the notes about files that stayed there with it."""
    if there.too_large:
        return "[this comment is larger than what is carried; read it there]"
    rule = gateway.mapping.comment
    text = rule.inward(there.text)
    if not comment.gap and rule.alike(text, comment.text):
        return comment.text
    return "\n".join([text, comment.gap]).strip() if comment.gap.startswith("[file ") else text


def _body(means: Means, gateway: Gateway, past: Past, comment: Comment, there: RemoteComment) -> str | None:
    """The text of our copy of a comment; None where it cannot be told from what we put around it."""
    if there.too_large:
        return None
    files = [file for file in past.files if file.comment_id == comment.id]
    return unsigned(means, gateway, comment, files, there.text)


def _keep(tx: Transaction, gateway: Gateway, past: Past, comment: Comment, lost: Lost, at: datetime) -> list[Event]:
    """Keep an edit that did not stand, once."""
    system, ticket_id, name = gateway.system, past.ticket.id, name_of(comment.id)
    for kept in tx.tickets.conflicts(ticket_id, open_only=True):
        if (kept.system, kept.field, kept.ours, kept.theirs) == (system, name, lost.ours, lost.theirs):
            return []
    winner = lost.winner.value
    tx.tickets.keep_conflict(
        Conflict(0, ticket_id, system, name, lost.ours, lost.theirs, winner, lost.reason, at, open=True)
    )
    kind = Kind.CONFLICT_KEPT if lost.winner is not Winner.CENTRAL or lost.ours else Kind.EDIT_REJECTED
    data = {"comment": comment.id, "winner": winner}
    return [Event(kind, ticket_id, at, SYSTEM, system=system, data=data, why=lost.reason)]


def _carry_out(tx: Transaction, gateway: Gateway, before: Comment, after: Comment, at: datetime) -> list[Event]:
    who = Person(id=gateway.system, name=f"somebody in {gateway.system}", system=gateway.system)
    return change(tx, before, after, who, at, system=gateway.system)


def change(
    tx: Transaction, before: Comment, after: Comment, who: Person, at: datetime, *, system: str | None = None
) -> list[Event]:
    """Write a comment back as it is to be, and tell what happened to it; the earlier text is kept in the history."""
    if after == before:
        return []
    kinds = []
    if after.deleted_at is not None and before.deleted_at is None:
        after = replace(after, deleted_at=at)
        kinds.append(Kind.COMMENT_DELETED)
    elif after.text != before.text:
        after = replace(after, edited_at=at)
        kinds.append(Kind.COMMENT_EDITED)
    if after.visibility is not before.visibility:
        kinds.append(Kind.COMMENT_HIDDEN if after.visibility is Visibility.INTERNAL else Kind.COMMENT_SHOWN)
    tx.tickets.revise_comment(after)
    data = {"comment": before.id, "before": before.text}
    return [Event(kind, before.ticket_id, at, who, system=system, data=data) for kind in kinds]
