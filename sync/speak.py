"""Send one comment: intent first, then the write, then the settling. The only place that posts text to a remote."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from central.delivery import Lease
from central.events import Event, Kind
from central.link import Agreed, Intent, IntentKind, Link, LinkState
from central.model import SYSTEM, Attachment, Comment
from central.store.api import StaleRevision, Transaction
from connectors.api import CommentDraft, Commented, FileDraft, RemoteComment, RemoteTicket
from connectors.errors import Refused, Transient, Unknown, VersionConflict
from mappings.model import Spill
from sync import draft as drafts
from sync import wording
from sync.absorb import tie_sent
from sync.discussion import Item, token_of
from sync.echo import expected_effects, set_by_people
from sync.gateway import Gateway
from sync.means import Means
from sync.past import Past, reread
from sync.permit import ensure_permitted
from sync.reading import LONGEST_REQUEST, Reading, reading
from sync.settle import settle_effects, without

_GONE = "this file is kept no longer"


@dataclass(frozen=True, slots=True)
class Spoken:
    """What became of an item, and the ticket where sending it revealed the ticket's state."""

    sentence: str
    ticket: RemoteTicket | None = None
    asked_at: datetime | None = None


def say(means: Means, gateway: Gateway, past: Past, item: Item, lease: Lease) -> Spoken:
    """Send a comment (or a file that hangs on the ticket) to the remote.

    A refusal for good parks it with a visible gap, and the later ones follow.

    :raises StaleRevision: the comment has changed since it was read; nothing was sent.
    :raises ConnectorError: by remedy; the intent stays open where the write may have happened."""
    draft, carried, whole = drafts.draft(means, gateway, item)
    token = token_of(means.tokens, item)
    intent = _intent(means, gateway, past, draft, IntentKind.COMMENT, token, lease, item, carried)
    if item.comment is not None:
        comment = next(each for each in past.comments if each.id == item.comment.id)
        intent = replace(intent, agreed=wording.sent(comment, draft.text, whole=whole))
    try:
        done = _send(means, gateway, past, intent, draft, lease)
    except Refused as refusal:
        if refusal.field == "files" and draft.files:
            return _say_without_files(means, gateway, past, item, lease, refusal)
        _park(means, gateway, past, item, intent, lease, refusal.reason)
        return Spoken(f"{item.label} is parked: {refusal.reason}")

    def settle(tx: Transaction) -> None:
        at = means.clock()
        link = _own_link(tx, past, lease, at)
        files = tuple((f.id, f.name) for f in done.comment.files)
        tie_sent(tx, link.id, intent, done.comment.id, files, past.files, at)
        left_out = [f for f in item.files if f.id in intent.noted_ids]
        ignored = (*link.ignored, done.comment.id) if item.comment is None else link.ignored
        tx.links.save(
            link.evolve(
                intents=closed(gateway, link, intent, done.comment.created_at),
                ignored=ignored,
                written_at=at,
                last_error="",
            )
        )
        data = {"comment": intent.comment_id, "files": [f.name for f in item.files], "remote": done.comment.id}
        events = [Event(Kind.COMMENT_SENT, past.ticket.id, at, SYSTEM, system=gateway.system, data=data)]
        events += [
            Event(
                Kind.FILE_NOTED,
                past.ticket.id,
                at,
                SYSTEM,
                system=gateway.system,
                data={"file": f.name},
                why=f"{_GONE if f.gone_at else 'the tracker does not take this file'}; a visible note stands for it",
            )
            for f in left_out
        ]
        tx.tickets.record(events)

    means.store.write(settle, durable=False)
    return Spoken(f"{item.label} sent as {done.comment.id}", done.ticket, intent.at)


def notify(
    means: Means,
    gateway: Gateway,
    past: Past,
    text: str,
    lease: Lease,
    *,
    about: str,
    file: FileDraft | None = None,
    stands_for: Sequence[Attachment] = (),
    begin: Callable[[Transaction, Link], Link] | None = None,
) -> Spoken:
    """Post a notice of interdesk's own; it triggers no rule and is never read back as a comment.

    `about`: what tells it from other notices of the same text; `stands_for`: files that were refused, of which
    it tells, so that they need no other sending; `begin` changes the link in the very transaction that commits the
    notice's intent."""
    draft = CommentDraft(text, files=(file,) if file else ())
    token = means.tokens.notice(past.words, gateway.system, text, about)
    intent = _intent(means, gateway, past, draft, IntentKind.NOTICE, token, lease, carried=tuple(stands_for))
    done = _send(means, gateway, past, intent, draft, lease, begin=begin)
    settle_notice(means, gateway, past, intent, done.comment, lease, shown=done.ticket)
    return Spoken("notice sent", done.ticket)


def _ids(files: Sequence[Attachment]) -> str:
    return " ".join(f"{file.id} {file.created_at.isoformat()}" for file in files)


def correct(
    means: Means, gateway: Gateway, past: Past, comment: Comment, draft: CommentDraft, agreed: Agreed, lease: Lease
) -> None:
    """Post a note about what became of a comment. `agreed`: what holds for it once the note is there.

    :raises StaleRevision: the comment has changed since it was read; nothing was sent."""
    about = f"comment {comment.id} {comment.edited_at or comment.created_at} {comment.deleted_at}"
    token = means.tokens.notice(past.words, gateway.system, draft.text, about)
    intent = _intent(means, gateway, past, draft, IntentKind.CORRECT, token, lease)
    intent = replace(intent, comment_id=comment.id, agreed=agreed)

    def begin(_: Transaction, link: Link) -> Link:
        standing = {name: why for name, why in link.disagreements.items() if name != f"comment {comment.id}"}
        return link.evolve(disagreements=standing)

    done = _send(means, gateway, past, intent, draft, lease, begin=begin)
    settle_notice(means, gateway, past, intent, done.comment, lease)


def settle_notice(
    means: Means,
    gateway: Gateway,
    past: Past,
    intent: Intent,
    arrived: RemoteComment,
    lease: Lease,
    *,
    shown: RemoteTicket | None = None,
) -> None:
    """The notice is there, as this comment. `shown`: the ticket after it, where that was read."""

    def settle(tx: Transaction) -> None:
        at = means.clock()
        link = _own_link(tx, past, lease, at)
        tie_sent(tx, link.id, intent, arrived.id, (), past.files, at)
        ignored = (*link.ignored, arrived.id)
        if shown is not None and link.state is LinkState.DETACHED:  # no other reading tells what it did there
            link = _with_effects(gateway, link, intent, arrived, reading(gateway, shown, intent.at))
        tx.links.save(
            link.evolve(intents=closed(gateway, link, intent, arrived.created_at), ignored=ignored, written_at=at)
        )

    means.store.write(settle, durable=False)


def _with_effects(gateway: Gateway, link: Link, intent: Intent, arrived: RemoteComment, theirs: Reading) -> Link:
    """The link with what the notice did there as its base; not where people may have done the same before."""
    link = link.evolve(
        intents=tuple(_as_found(i, theirs.ticket) if i.token == intent.token else i for i in link.intents)
    )
    if theirs.history is None and gateway.connector.capabilities.history:
        return link
    came = (arrived.created_at,)
    by_people = set_by_people(link, theirs.history or (), came, LONGEST_REQUEST, gateway.mapping)
    return settle_effects(link, intent, theirs.ticket.fields, gateway.mapping, by_people)


def _as_found(intent: Intent, shown: RemoteTicket) -> Intent:
    """The intent without what it cannot have done: what stands there is neither what it was to change nor to make."""
    may = {n: made for n, made in intent.side_effects.items() if shown.fields.get(n) in (made, intent.before.get(n))}
    return replace(intent, side_effects=may)


def closed(gateway: Gateway, link: Link, intent: Intent, landed_at: datetime) -> tuple[Intent, ...]:
    """The intents once this comment is there. Where comments have side effects its own stays until a reading has told
    what they did."""
    if not gateway.comment_effects:
        return without(link.intents, intent)
    return tuple(replace(i, done=True, landed_at=landed_at) if i.token == intent.token else i for i in link.intents)


def _own_link(tx: Transaction, past: Past, lease: Lease, at: datetime) -> Link:
    tx.outbox.check(lease, at)
    link = tx.links.find(past.link.ticket_id, past.link.system)
    assert link is not None, "links are never deleted"
    return link


def _intent(
    means: Means,
    gateway: Gateway,
    past: Past,
    draft: CommentDraft,
    kind: IntentKind,
    token: str,
    lease: Lease,
    item: Item | None = None,
    carried: tuple[Attachment, ...] = (),
) -> Intent:
    before, expected = expected_effects(gateway.comment_effects, past.link.seen)
    return Intent(
        kind=kind,
        token=token,
        at=means.clock(),
        before=before,
        side_effects=expected,
        comment_id=item.comment.id if item and item.comment else None,
        file_ids=tuple(file.id for file in carried),
        noted_ids=tuple(file.id for file in item.files if file not in carried) if item else (),
        text=draft.text,
        version=past.link.version,
        epoch=lease.epoch,
    )


def _send(
    means: Means,
    gateway: Gateway,
    past: Past,
    intent: Intent,
    draft: CommentDraft,
    lease: Lease,
    *,
    begin: Callable[[Transaction, Link], Link] | None = None,
) -> Commented:
    """Commit the intent, then write. Where surely nothing was written the intent is taken back."""

    def commit(tx: Transaction) -> str:
        ensure_permitted(tx, gateway.system, past.ticket.id, means.clock())
        link = _own_link(tx, past, lease, means.clock())
        _ensure_unchanged(tx, intent, past)
        link = begin(tx, link) if begin else link
        tx.links.save(link.evolve(intents=(*link.intents, intent)))
        return link.key or ""

    means.ensure_time(lease)
    key = means.store.write(commit)
    try:
        means.ensure_prompt(intent)
        return gateway.connector.comment(key, draft, token=intent.token)
    except Unknown:
        raise
    except (Refused, Transient, VersionConflict):
        _withdraw(means, past, intent, lease)
        raise


def _ensure_unchanged(tx: Transaction, intent: Intent, past: Past) -> None:
    """What was hidden, edited or deleted since it was read is not sent as it was.

    :raises StaleRevision: it was; decide again."""
    if intent.comment_id is None or intent.agreed is None:
        return
    comment = next(each for each in tx.tickets.comments(past.ticket.id) if each.id == intent.comment_id)
    if wording.ours(comment) != intent.agreed.ours:
        raise StaleRevision(f"comment {comment.id} has changed since it was read")


def _withdraw(means: Means, past: Past, intent: Intent, lease: Lease) -> None:
    def change(tx: Transaction) -> None:
        link = _own_link(tx, past, lease, means.clock())
        tx.links.save(link.evolve(intents=without(link.intents, intent)))

    means.store.write(change, durable=False)


def _say_without_files(
    means: Means, gateway: Gateway, past: Past, item: Item, lease: Lease, refusal: Refused
) -> Spoken:
    notes = "\n".join(
        f"[file {f.name!r} ({f.size} bytes) was not accepted by this system: {refusal.reason}]" for f in item.files
    )
    if item.comment is not None:
        bare = Item(replace(item.comment, text=f"{item.comment.text}\n{notes}".strip()), ())
        spoken = say(means, gateway, past, bare, lease)
    else:
        spoken = notify(means, gateway, past, notes, lease, about=f"files {_ids(item.files)}", stands_for=item.files)

    def tell(tx: Transaction) -> None:
        at = means.clock()
        _own_link(tx, past, lease, at)
        ticket_id, system = past.ticket.id, gateway.system
        tx.tickets.record(
            Event(Kind.FILE_NOTED, ticket_id, at, SYSTEM, system=system, data={"file": f.name}, why=refusal.reason)
            for f in item.files
        )

    means.store.write(tell, durable=False)
    return spoken


def _park(means: Means, gateway: Gateway, past: Past, item: Item, intent: Intent, lease: Lease, reason: str) -> None:
    def change(tx: Transaction) -> None:
        at = means.clock()
        link = _own_link(tx, past, lease, at)
        if item.comment is not None:
            tx.links.tie_comment(link.id, item.comment.id, "", at)
        for file in item.files:
            tx.links.tie_file(link.id, file.id, "")
        tx.links.save(link.evolve(intents=without(link.intents, intent)))
        tx.tickets.record(
            [
                Event(
                    Kind.COMMENT_PARKED,
                    past.ticket.id,
                    at,
                    SYSTEM,
                    system=gateway.system,
                    data={"comment": intent.comment_id},
                    why=reason,
                )
            ]
        )

    means.store.write(change, durable=False)


def spill(means: Means, gateway: Gateway, past: Past, whole: Spill, lease: Lease, *, wrote_at: datetime) -> Past:
    """A text that did not fit travels as a file beside. `wrote_at`: when the write that did not hold it was sent."""
    text = f"The whole text is in the attached file {whole.name}."
    about = f"{wrote_at.isoformat()} {whole.text}"
    notify(means, gateway, past, text, lease, about=about, file=drafts.text_file(whole))
    return reread(means.store, past)
