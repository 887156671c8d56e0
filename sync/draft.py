"""What leaves for a remote, as it will stand there: a comment's text with its signature, its files, notes in their
stead; and a text of ours that stands there, without all that."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from central.model import Attachment, Comment, Visibility
from connectors.api import CommentDraft, FileDraft
from mappings.model import Carried, Spill
from sync.discussion import Fit, Item, fit
from sync.gateway import Gateway
from sync.means import Means

WITHDRAWN = "[withdrawn]"
WITHDRAWN_BY_AUTHOR = "[withdrawn by its author]"


def draft(means: Means, gateway: Gateway, item: Item) -> tuple[CommentDraft, tuple[Attachment, ...], bool]:
    """The text and files as they will be sent, which of the item's files travel, and whether the text is whole."""
    sorted_files = _fit(means, gateway, item.files)
    if item.comment is None:
        names = ", ".join(repr(file.name) for file in item.files)
        text, spill, internal = gateway.mapping.comment.noted("", [f"File from {means.centre}: {names}"]), None, False
    else:
        carried = signed(means, gateway, item.comment, item.comment.text)
        text, spill = carried.text, carried.spill
        internal = item.comment.visibility is Visibility.INTERNAL
    kept = tuple(file for file in sorted_files.accepted if file.gone_at is None)
    gone = [gone_note(file) for file in sorted_files.accepted if file.gone_at is not None]
    text = gateway.mapping.comment.noted(text, [*sorted_files.notes, *gone]).strip()
    drafts = [_file_draft(means, file) for file in kept]
    if spill is not None:
        drafts.append(text_file(spill))
    return CommentDraft(text, internal, tuple(drafts)), kept, spill is None


def gone_note(file: Attachment) -> str:
    """What stands for a file that was kept for long enough, before anybody was owed it."""
    return f"[file {file.name!r} ({file.size} bytes) is kept no longer]"


def edited(means: Means, gateway: Gateway, comment: Comment, files: Sequence[Attachment]) -> tuple[CommentDraft, bool]:
    """The text of a comment that is there already, and whether it is whole; its files stay as they are."""
    carried = signed(means, gateway, comment, comment.text)
    text = gateway.mapping.comment.noted(carried.text, _fit(means, gateway, files).notes).strip()
    return CommentDraft(text, comment.visibility is Visibility.INTERNAL), carried.spill is None


def correction(means: Means, gateway: Gateway, comment: Comment, quote: str) -> CommentDraft:
    """A note that gives a comment's new text in the stead of an edit; `quote`: how the old one began."""
    words = f'corrected, in the stead of "{quote}":\n\n{comment.text}' if quote else comment.text
    carried = signed(means, gateway, comment, words)
    drafts = () if carried.spill is None else (text_file(carried.spill),)
    return CommentDraft(carried.text, comment.visibility is Visibility.INTERNAL, drafts)


def retraction(means: Means, gateway: Gateway, comment: Comment, quote: str) -> CommentDraft:
    """A note that a comment was withdrawn by its author."""
    return CommentDraft(signed(means, gateway, comment, f'withdrawn by its author: "{quote}"').text)


def unsigned(means: Means, gateway: Gateway, comment: Comment, files: Sequence[Attachment], text: str) -> str | None:
    """The body of our copy of a comment, as it stands there; None where its signature is no longer what we wrote.

    A body that says what we say is ours as we have it."""
    rule = gateway.mapping.comment
    signature = rule.inward(signed(means, gateway, comment, "").text)
    text = rule.inward(text)
    if not text.startswith(signature):
        return None
    body = text.removeprefix(signature).strip("\n")
    notes = rule.inward(rule.noted("", _fit(means, gateway, files).notes))
    body = body.removesuffix(notes).rstrip("\n") if notes else body
    return comment.text if rule.alike(body, comment.text) else body


def signed(means: Means, gateway: Gateway, comment: Comment, text: str) -> Carried:
    """A text in the name of a comment's author."""
    author = comment.author
    return gateway.mapping.comment.outward(
        text, author=author.label, system=author.system or means.centre, at=comment.created_at
    )


def text_file(spill: Spill) -> FileDraft:
    """A text that did not fit, as a file beside."""
    data = spill.text.encode()

    @contextmanager
    def chunks() -> Iterator[Iterator[bytes]]:
        yield iter((data,))

    return FileDraft(spill.name, "text/plain", len(data), chunks)


def _fit(means: Means, gateway: Gateway, files: Sequence[Attachment]) -> Fit:
    capabilities = gateway.connector.capabilities
    return fit(
        files,
        empty_files=capabilities.empty_files,
        max_file=capabilities.max_file,
        any_files=capabilities.files,
        where=f"see {means.centre}",
    )


def _file_draft(means: Means, file: Attachment) -> FileDraft:
    return FileDraft(file.name, file.media_type, file.size, lambda: means.store.open_blob(file.sha256))
