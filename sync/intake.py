"""Read what is new in a remote conversation, files included, before any transaction is opened."""

from dataclasses import replace

from central.delivery import Lease
from central.link import Intent, IntentKind, LinkState
from central.model import NewComment, NewFile, Visibility
from central.store.api import TooLarge
from connectors.api import RemoteComment, RemoteFile
from connectors.errors import NotFound, ProtocolError
from sync import discussion
from sync.absorb import Intake
from sync.gateway import Gateway
from sync.means import Means
from sync.past import Past
from sync.reading import Reading
from sync.recording import person


def read_intake(means: Means, gateway: Gateway, past: Past | None, theirs: Reading, lease: Lease) -> Intake:
    """Sort their unknown comments and download the files that come with the new ones, and those that could not be
    fetched before, should the ticket have been gone meanwhile.

    :raises Transient: a download did not get through; the whole look is tried again."""
    ticket = theirs.ticket
    comments = {c.id: c for c in ticket.comments or () if not c.internal}
    if past is None:
        arrivals = discussion.Arrivals(tuple(comments), {}, ())
        tied: frozenset[str] = frozenset()
    else:
        arrivals = arrivals_of(means, gateway, past, theirs)
        tied = frozenset(past.file_ties.values())
    new = {i: comment_of(means, gateway, comments[i], tied, lease) for i in arrivals.new}
    files: list[NewFile] = []
    wanting = past.wanting if past is not None and past.link.state is LinkState.LOST else frozenset()
    missing = [file for comment in comments.values() if comment.id in wanting for file in comment.files]
    for file in (*ticket.files, *missing):
        note = f"file:{file.id}"
        again = file in missing or note in wanting
        if file.id in tied or (past is not None and note in past.known and not again):
            continue
        stored, gap = _download(means, gateway, file, lease)
        if stored is not None:
            files.append(stored)
        elif not again:
            arrivals = replace(arrivals, new=(*arrivals.new, note))
            new[note] = NewComment(
                person(ticket.created_by, gateway.system),
                gap,
                Visibility.PUBLIC,
                means.clock(),
                gateway.system,
                note,
                gap=gap,
            )
    remote_files = {i: tuple((f.id, f.name) for f in comments[i].files) for i in arrivals.landed}
    return Intake(arrivals, new, tuple(files), remote_files, comments, theirs.shown)


def arrivals_of(means: Means, gateway: Gateway, past: Past, theirs: Reading) -> discussion.Arrivals:
    """What the comments there that we do not know turn out to be."""
    return discussion.arrivals(past.link, theirs.marks, past.known, _unsent(means, gateway, past, theirs))


def _unsent(means: Means, gateway: Gateway, past: Past, theirs: Reading) -> dict[str, Intent]:
    """By its token, what would be sent next, where a mark there may be one of them."""
    open_tokens = {intent.token for intent in past.link.intents}
    if not any(m.own and m.token and m.id not in past.known and m.token not in open_tokens for m in theirs.marks):
        return {}
    return tokens_of_unsent(means, gateway, past)


def tokens_of_unsent(means: Means, gateway: Gateway, past: Past) -> dict[str, Intent]:
    """By its token, what this system has not been sent yet, as the intent that would send it."""
    items = discussion.unsent(
        gateway.system, past.comments, past.files, past.ties, past.file_ties, share_internal=gateway.share_internal
    )
    found: dict[str, Intent] = {}
    for item in items:
        token = discussion.token_of(means.tokens, item)
        files = tuple(file.id for file in item.files)
        comment_id = item.comment.id if item.comment else None
        found[token] = Intent(IntentKind.COMMENT, token, means.clock(), comment_id=comment_id, file_ids=files)
    return found


def comment_of(
    means: Means, gateway: Gateway, comment: RemoteComment, tied: frozenset[str], lease: Lease
) -> NewComment:
    """A comment of theirs as one to add, its files' bytes in the store."""
    author = person(comment.author, gateway.system)
    text, gap = gateway.mapping.comment.inward(comment.text), ""
    files: list[NewFile] = []
    if comment.too_large:
        gap = f"this comment is larger than the {means.limits.comment} characters that are carried; read it there"
        text = f"[{gap}]"
    elif len(text) > means.limits.comment:
        name = f"comment-{comment.id}.txt"
        digest, size = means.store.put_blob(iter((text.encode(),)), limit=means.limits.file)
        files.append(NewFile(name, "text/plain", size, digest))
        text = f"{text[: means.limits.comment - 200]}\n[the whole comment is in the attached file {name}]"
    notes: list[str] = []
    for file in comment.files:
        if file.id in tied:
            continue
        stored, note = _download(means, gateway, file, lease)
        if stored is not None:
            files.append(stored)
        else:
            notes.append(note)
    if notes:
        text = "\n".join([text, *notes]).strip()
        gap = gap or "; ".join(notes)
    return NewComment(
        author, text, Visibility.PUBLIC, comment.created_at, gateway.system, comment.id, tuple(files), gap
    )


def _download(means: Means, gateway: Gateway, file: RemoteFile, lease: Lease) -> tuple[NewFile | None, str]:
    limit = means.limits.file
    if file.size is not None and file.size > limit:
        return None, _left_behind(file, gateway, f"it is larger than the {limit} bytes that are carried")
    means.ensure_time(lease)
    try:
        with gateway.connector.download(file) as chunks:
            digest, size = means.store.put_blob(chunks, limit=limit)
    except TooLarge:
        return None, _left_behind(file, gateway, f"it is larger than the {limit} bytes that are carried")
    except (NotFound, ProtocolError) as problem:
        return None, _left_behind(file, gateway, str(problem))
    return NewFile(file.name, file.media_type, size, digest, file.id), ""


def _left_behind(file: RemoteFile, gateway: Gateway, reason: str) -> str:
    return f"[file {file.name!r} stays in {gateway.system}: {reason}]"
