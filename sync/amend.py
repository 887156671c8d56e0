"""Outward: what people did here to comments that a system holds already. An edit where it can be edited, one note of
correction else; a text that became internal is withdrawn, and where it cannot be, that stands as a disagreement.

Nothing is decided here (`sync.wording`), and nothing that we did not write is edited or taken away.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from central.delivery import Lease
from central.link import Agreed, Intent, IntentKind
from central.model import Comment
from central.store.api import StaleRevision, Transaction
from connectors.api import CommentDraft
from connectors.errors import NotFound, Refused, Transient, Unknown, VersionConflict
from sync import draft as drafts
from sync import wording
from sync.gateway import Gateway
from sync.intents import TryLater, drop
from sync.means import Means, Outcome, said
from sync.past import Past, reread
from sync.permit import ensure_permitted
from sync.pull import look
from sync.reading import read
from sync.revise import amended, name_of
from sync.settle import without
from sync.speak import correct
from sync.wording import Act, Amendment

_EDITING = (IntentKind.AMEND, IntentKind.REMOVE)


@dataclass(frozen=True, slots=True)
class _Due:
    """A comment that is owed an amendment, as it was read."""

    comment: Comment
    remote_id: str
    agreed: Agreed
    what: Amendment


def amend(means: Means, gateway: Gateway, past: Past, lease: Lease) -> tuple[Past, Outcome]:
    """Tell a system what became of comments that it holds; with the past as it is afterwards.

    :raises Held: nothing may be written there now.
    :raises ConnectorError: by remedy; the intent stays open where the write may have happened."""
    open_intents = [intent for intent in past.link.intents if intent.kind in _EDITING]
    if not open_intents and not _due(gateway, past):
        return past, said()
    marks: Mapping[str, str | None] = {}
    if gateway.connector.capabilities.whole_conversation:
        theirs = read(means, gateway, past, conversation=True, lease=lease)
        marks = {each.id: each.token for each in theirs.ticket.known_comments or ()}
        look(means, gateway, past, theirs, lease, telling=True)
        past = reread(means.store, past)
    past = _account_for(means, past, lease)
    outcome = said()
    for due in _due(gateway, past):
        try:
            sentence = _carry_out(means, gateway, past, due, marks.get(due.remote_id), lease)
        except StaleRevision:
            sentence = f"{name_of(due.comment.id)} has changed again: it is decided anew"
        outcome = outcome.also(said(sentence))
        past = reread(means.store, past)
    return past, outcome


def _due(gateway: Gateway, past: Past) -> list[_Due]:
    can = gateway.connector.capabilities
    ways = wording.Ways(can.edit_comments, can.delete_comments, gateway.follow_deletes)
    found = []
    for comment in past.comments:
        tie = past.tied.get(comment.id)
        if tie is None or not tie.remote_id or tie.agreed is None:
            continue
        files = any(past.file_ties.get(file.id) for file in past.files if file.comment_id == comment.id)
        what = wording.amend(comment, tie.agreed, ways, files=files)
        if what is not None:
            found.append(_Due(comment, tie.remote_id, tie.agreed, what))
    return found


@dataclass(frozen=True, slots=True)
class Told:
    """What would stand there in a comment's stead, or in a note about it; None: it would be taken away."""

    comment: Comment
    act: Act
    draft: CommentDraft | None


def owed(means: Means, gateway: Gateway, past: Past) -> list[Told]:
    """What a system is owed about comments that it holds, as far as it is to be written there."""
    return [
        Told(due.comment, due.what.act, _words(means, gateway, past, due))
        for due in _due(gateway, past)
        if due.what.act is not Act.NOTE
    ]


def _account_for(means: Means, past: Past, lease: Lease) -> Past:
    """An edit whose answer was lost and that no reading has shown: it may still be carried out for a while."""
    waiting = [intent for intent in past.link.intents if intent.kind in _EDITING]
    at = means.clock()
    for intent in waiting:
        certain_at = intent.at + means.request_deadline
        if at < certain_at:
            raise TryLater("an earlier edit of a comment may still be carried out there", certain_at, at)
        drop(means, past, intent, lease)
    return reread(means.store, past) if waiting else past


def _carry_out(means: Means, gateway: Gateway, past: Past, due: _Due, mark: str | None, lease: Lease) -> str:
    what, name = due.what, name_of(due.comment.id)
    match what.act:
        case Act.NOTE:
            _note(means, past, due, what.agreed, what.stands, lease)
            return f"{name}: {what.stands or 'nothing is to be told'}"
        case Act.CORRECT:
            return _correct(means, gateway, past, due, lease)
        case Act.RETRACT:
            draft = drafts.retraction(means, gateway, due.comment, due.agreed.quote)
            correct(means, gateway, past, due.comment, draft, what.agreed, lease)
            return f"{name}: a note tells that it was withdrawn"
    try:
        _write(means, gateway, past, due, mark, lease)
    except Refused as refusal:
        if what.act is Act.EDIT:
            return _correct(means, gateway, past, due, lease)
        agreed = replace(due.agreed, ours=wording.ours(due.comment))
        stands = "" if due.comment.deleted_at else wording.still_there(refusal.reason)
        _note(means, past, due, agreed, stands, lease)
        return f"{name} could not be withdrawn: {refusal.reason}"
    except NotFound:
        read(means, gateway, past, conversation=False, lease=lease)  # or the whole ticket is gone
        gone = replace(what.agreed, theirs=wording.GONE, holds="")
        _note(means, past, due, gone, "it was deleted there", lease)
        return f"{name} is no longer there"
    return f"{name}: {what.act} there"


def _write(means: Means, gateway: Gateway, past: Past, due: _Due, mark: str | None, lease: Lease) -> None:
    """Intent, write, settling."""
    draft, agreed = _drafted(means, gateway, past, due)
    at, words = means.clock(), "" if draft is None else draft.text
    intent = Intent(
        kind=IntentKind.REMOVE if draft is None else IntentKind.AMEND,
        token=means.tokens.act(past.words, gateway.system, due.what.act, due.remote_id, words, at),
        at=at,
        comment_id=due.comment.id,
        text=words,
        version=past.link.version,
        epoch=lease.epoch,
        agreed=agreed,
    )

    def commit(tx: Transaction) -> str:
        tx.outbox.check(lease, means.clock())
        link = tx.links.find(past.link.ticket_id, past.link.system)
        assert link is not None, "links are never deleted"
        _ensure_unchanged(tx, past, due)
        ensure_permitted(tx, gateway.system, past.ticket.id, means.clock())
        tx.links.save(link.evolve(intents=(*link.intents, intent)))
        return link.key or ""

    means.ensure_time(lease)
    key = means.store.write(commit)
    try:
        means.ensure_prompt(intent)
        if draft is None:
            gateway.connector.delete_comment(key, due.remote_id)
        else:
            token = mark or means.tokens.comment(due.comment)
            gateway.connector.edit_comment(key, due.remote_id, draft, token=token)
    except Unknown:
        raise
    except (Refused, NotFound, Transient, VersionConflict):
        drop(means, past, intent, lease)
        raise
    _settle(means, gateway, past, intent, due.what.stands, lease)


def _words(means: Means, gateway: Gateway, past: Past, due: _Due) -> CommentDraft | None:
    if due.what.act is Act.CORRECT:
        return _correction(means, gateway, due)
    if due.what.act is Act.RETRACT:
        return drafts.retraction(means, gateway, due.comment, due.agreed.quote)
    return _drafted(means, gateway, past, due)[0]


def _correction(means: Means, gateway: Gateway, due: _Due) -> CommentDraft:
    return drafts.correction(means, gateway, due.comment, due.what.agreed.quote and due.agreed.quote)


def _drafted(means: Means, gateway: Gateway, past: Past, due: _Due) -> tuple[CommentDraft | None, Agreed]:
    """What the comment there becomes (None: it is taken away), and what is agreed on then."""
    comment, agreed = due.comment, due.what.agreed
    if due.what.act is Act.REMOVE:
        return None, agreed
    if due.what.act is Act.WITHDRAW:
        text = drafts.WITHDRAWN if comment.deleted_at is None else drafts.WITHDRAWN_BY_AUTHOR
        return CommentDraft(text), replace(agreed, theirs=wording.digest(text))
    files = [file for file in past.files if file.comment_id == comment.id]
    draft, whole = drafts.edited(means, gateway, comment, files)
    word = wording.HIDDEN if draft.internal else wording.digest(draft.text)
    return draft, replace(agreed, theirs=word, whole=whole)


def _settle(means: Means, gateway: Gateway, past: Past, intent: Intent, stands: str, lease: Lease) -> None:
    def settle(tx: Transaction) -> None:
        at = means.clock()
        tx.outbox.check(lease, at)
        link = tx.links.find(past.link.ticket_id, past.link.system)
        assert link is not None, "links are never deleted"
        assert intent.agreed is not None
        assert intent.comment_id is not None
        tx.links.agree_comment(link.id, intent.comment_id, intent.agreed)
        standing = _standing(link.disagreements, intent.comment_id, stands)
        intents = without(link.intents, intent)
        tx.links.save(link.standing(standing, at).evolve(intents=intents, written_at=at, last_error=""))
        tx.tickets.record([amended(past, gateway, intent, at)])

    means.store.write(settle, durable=False)


def _correct(means: Means, gateway: Gateway, past: Past, due: _Due, lease: Lease) -> str:
    draft = _correction(means, gateway, due)
    agreed = replace(due.what.agreed, noted=True)
    correct(means, gateway, past, due.comment, draft, agreed, lease)
    return f"{name_of(due.comment.id)}: a note of correction was sent"


def _note(means: Means, past: Past, due: _Due, agreed: Agreed, stands: str, lease: Lease) -> None:
    """Nothing is written there: remember what is agreed on, and what stands."""

    def change(tx: Transaction) -> None:
        at = means.clock()
        tx.outbox.check(lease, at)
        link = tx.links.find(past.link.ticket_id, past.link.system)
        assert link is not None, "links are never deleted"
        _ensure_unchanged(tx, past, due)
        tx.links.agree_comment(link.id, due.comment.id, agreed)
        standing = _standing(link.disagreements, due.comment.id, stands)
        if standing != dict(link.disagreements):
            tx.links.save(link.standing(standing, at))

    means.store.write(change, durable=False)


def _standing(disagreements: Mapping[str, str], comment_id: int, stands: str) -> dict[str, str]:
    others = {name: why for name, why in disagreements.items() if name != name_of(comment_id)}
    return {**others, name_of(comment_id): stands} if stands else others


def _ensure_unchanged(tx: Transaction, past: Past, due: _Due) -> None:
    """:raises StaleRevision: the comment is not what was decided on; whoever changed it owes another look."""
    comment = next(each for each in tx.tickets.comments(past.ticket.id) if each.id == due.comment.id)
    if wording.ours(comment) != wording.ours(due.comment):
        raise StaleRevision(f"{name_of(comment.id)} has changed since it was read")
