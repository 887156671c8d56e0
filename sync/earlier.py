"""What became of what was sent before and never answered: known before anything is sent again."""

from central.delivery import Lease
from central.link import IntentKind
from connectors.errors import Refused
from sync import discussion
from sync.gateway import Gateway
from sync.intents import TryLater, drop
from sync.means import Means
from sync.past import Past, reread
from sync.pull import look
from sync.reading import Reading, read


def account_for_earlier_comments(
    means: Means, gateway: Gateway, past: Past, lease: Lease
) -> tuple[Past, Reading | None]:
    """Find out what became of comments whose answer was lost, before anything is sent again.

    :raises Refused: a person must say whether a comment there is the one that was sent."""
    # where nobody knows how far the history was read, or there is none, an edit that our comment hides could not be
    # told from its doing
    untold = past.link.history_seen is None or not gateway.connector.capabilities.history
    unread = bool(gateway.comment_effects) and untold and bool(past.unsent(gateway.share_internal))
    if not past.awaited() and not unread:
        return past, None
    theirs = read(means, gateway, past, conversation=True, lease=lease)
    doubtful = discussion.arrivals(past.link, theirs.marks, past.known).doubtful
    look(means, gateway, past, theirs, lease, telling=True)
    past = reread(means.store, past)
    waiting = past.awaited()
    if waiting and doubtful:
        raise Refused(
            f"a comment of ours has lost its answer, and {len(doubtful)} of our account there bear no mark "
            f"({', '.join(doubtful)}): say which of them it is (interdesk deadletter settle LETTER --there ID), "
            "or that it is none of them and is to be sent once more (--never)"
        )
    for intent in waiting:
        certain_at = intent.at + means.request_deadline
        if theirs.asked_at is None or theirs.asked_at < certain_at:
            raise TryLater("an earlier comment may still appear there", certain_at, means.clock())
        drop(means, past, intent, lease)
    return (reread(means.store, past) if waiting else past), theirs


def account_for_earlier_writes(
    means: Means, gateway: Gateway, past: Past, theirs: Reading | None, lease: Lease
) -> tuple[Past, Reading | None]:
    """Find out what became of an update whose answer was lost, before another one may cross it."""
    if not any(intent.kind is IntentKind.UPDATE for intent in past.link.intents):
        return past, theirs
    if theirs is None or theirs.ticket.comments is None:
        theirs = read(means, gateway, past, conversation=True, lease=lease)
        look(means, gateway, past, theirs, lease, telling=True)
        past = reread(means.store, past)
    for intent in past.link.intents:
        if intent.kind is IntentKind.UPDATE:
            certain_at = intent.at + means.request_deadline
            raise TryLater("an earlier write may still be carried out there", certain_at, means.clock())
    return past, theirs
