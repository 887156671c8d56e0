"""Three-way per comment, as `reconcile` is per field: what was agreed on, what we say, what they show. Pure.

Each side of a comment is one *word*: the digest of its text where it is public, and else why it is not. A word that
differs from the agreed one is a change. Text, visibility and existence travel together:

| there | becomes of a comment of theirs | becomes of our copy of a comment |
|---|---|---|
| edited | an edit here; a conflict where we edited too | the same, as far as our signature is left alone |
| made internal | internal here, and withdrawn elsewhere | a standing disagreement |
| deleted | a tombstone here | a standing disagreement; it is not sent again |
"""

import hashlib
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from enum import StrEnum

from central.link import Agreed, Intent, IntentKind
from central.model import Comment, Visibility
from sync.echo import comparable
from sync.policy import Winner

DELETED = "deleted"
GONE = "gone"
HIDDEN = "hidden"
_INTERNAL = "internal "
_QUOTED = 60


@dataclass(frozen=True, slots=True)
class Shown:
    """A comment as they show it now. `body`: its text as central would keep it, None where that cannot be told."""

    text: str
    internal: bool
    body: str | None


def digest(text: str) -> str:
    """Equal for texts that differ by line ends and blanks alone."""
    return hashlib.sha256(comparable(text).encode()).hexdigest()[:32]


def ours(comment: Comment) -> str:
    """Our word for a comment."""
    word = digest(comment.text) if comment.deleted_at is None else DELETED
    return f"{_INTERNAL if comment.visibility is Visibility.INTERNAL else ''}{word}"


def theirs(shown: Shown | None, agreed: Agreed | None = None) -> str:
    """Their word for a comment; None: the whole conversation was read, and it is not there.

    Where we took its text away and files keep it in place, an empty comment is as good as gone."""
    if shown is None or (agreed is not None and agreed.theirs == GONE and not shown.text.strip()):
        return GONE
    return HIDDEN if shown.internal else digest(shown.text)


def quote(text: str) -> str:
    """How a text begins, in one line."""
    line = next((each.strip() for each in text.splitlines() if each.strip()), "")
    return line if len(line) <= _QUOTED else f"{line[: _QUOTED - 1].rstrip()}…"


def sent(comment: Comment, text: str, *, whole: bool) -> Agreed:
    """What is agreed on once we have sent a comment as this text."""
    internal = comment.visibility is Visibility.INTERNAL
    word = HIDDEN if internal else digest(text)
    said = digest(comment.text)
    return Agreed(ours(comment), word, own=True, whole=whole, quote=quote(comment.text), holds=said)


def heard(comment: Comment, shown: Shown) -> Agreed:
    """What is agreed on once a comment of theirs was taken in; or once one that was tied without memory is met."""
    whole = not comment.gap
    said = digest(comment.text)
    return Agreed(ours(comment), theirs(shown), whole=whole, quote=quote(comment.text), holds=said)


def reworded(agreed: Agreed, before: Comment, after: Comment, quoted: str) -> Agreed:
    """What is agreed on once our text is another one and nobody is to be told of it: what was told counts as told, and
    what stands there still is no edit."""

    def word(said: str) -> str:
        text = _text_word(said)
        return said.removesuffix(text) + digest(after.text) if text == digest(before.text) else said

    erased = agreed.erased or agreed.holds
    return replace(agreed, ours=word(agreed.ours), disputed=word(agreed.disputed), quote=quoted, erased=erased)


@dataclass(frozen=True, slots=True)
class Lost:
    """An edit that did not stand."""

    ours: str
    theirs: str
    winner: Winner
    reason: str


@dataclass(frozen=True, slots=True)
class Revision:
    """What a look makes of a comment whose word there has changed."""

    agreed: Agreed
    comment: Comment
    """As it is to be here; the moments are set by whoever carries it out."""
    lost: Lost | None = None
    stands: str = ""
    """Why both sides cannot agree now; '' where they do, or will once we have written."""
    landed: Intent | None = None


def revise(
    comment: Comment,
    agreed: Agreed | None,
    shown: Shown | None,
    *,
    home: bool,
    intents: Collection[Intent],
    winner: Callable[[], tuple[Winner, str]],
) -> Revision | None:
    """What becomes of a comment by what they show; None: nothing. `home`: it was written there."""
    if agreed is None:
        if shown is None:  # nothing is known of what they held: only that it is gone
            agreed = Agreed(ours(comment), "", own=not home, quote=quote(comment.text))
        else:
            return Revision(replace(heard(comment, shown), own=not home), comment)
    now = theirs(shown, agreed)
    if now == agreed.theirs:
        return None
    for intent in intents:
        ours_there = intent.kind in (IntentKind.AMEND, IntentKind.REMOVE) and intent.comment_id == comment.id
        if ours_there and intent.agreed is not None and intent.agreed.theirs == now:
            return Revision(intent.agreed, comment, landed=intent)
    if shown is None or now == GONE:
        return _gone(comment, agreed) if home else _away(comment, agreed, GONE, "it was deleted there")
    if now == HIDDEN:
        return _hidden(comment, agreed) if home else _away(comment, agreed, HIDDEN, "it was made internal there")
    return _edited(comment, agreed, shown, now, home=home, winner=winner)


def _gone(comment: Comment, agreed: Agreed) -> Revision:
    lost = None
    if comment.deleted_at is None and digest(comment.text) != _text_word(agreed.ours):
        reason = "its author's side deleted it while it was edited here"
        lost = Lost(comment.text, "", Winner.REMOTE, reason)
    tombstone = _deleted(comment)
    return Revision(replace(agreed, ours=ours(tombstone), theirs=GONE), tombstone, lost)


def _hidden(comment: Comment, agreed: Agreed) -> Revision:
    hidden = replace(comment, visibility=Visibility.INTERNAL)
    stands = still_there("it stands in a note of correction") if agreed.noted else ""
    return Revision(replace(agreed, ours=ours(hidden), theirs=HIDDEN), hidden, stands=stands)


def _away(comment: Comment, agreed: Agreed, now: str, why: str) -> Revision:
    return Revision(replace(agreed, theirs=now), comment, stands=why)


def _edited(
    comment: Comment,
    agreed: Agreed,
    shown: Shown,
    now: str,
    *,
    home: bool,
    winner: Callable[[], tuple[Winner, str]],
) -> Revision:
    seen = replace(agreed, theirs=now)
    restored = home and comment.deleted_at is not None and agreed.theirs == GONE
    if comment.deleted_at is not None and not restored:
        return Revision(seen, comment, Lost("", shown.text, Winner.CENTRAL, "the comment is deleted here"))
    moved_here = ours(comment) != agreed.ours
    if home and agreed.theirs in (HIDDEN, GONE) and not moved_here:
        comment = replace(comment, deleted_at=None, visibility=Visibility.PUBLIC)
    body = shown.body
    if body is not None and digest(body) == digest(comment.text):
        return Revision(_settled(seen, comment), comment)
    if body is not None and digest(body) == agreed.erased and not moved_here and not restored:
        return Revision(replace(seen, ours=ours(comment)), comment)
    if body is None or (not home and (not agreed.whole or comment.visibility is Visibility.INTERNAL)):
        reason = "what was edited there is not the whole comment, or no longer bears its signature"
        stays = replace(seen, ours="" if not moved_here else agreed.ours)
        return Revision(stays, comment, Lost(comment.text, shown.text, Winner.CENTRAL, reason))
    edited = replace(comment, text=body)
    if restored or digest(comment.text) == _text_word(agreed.ours):
        return Revision(_settled(seen, edited), edited)
    who, why = winner()
    lost = Lost(comment.text, body, who, why)
    if who is Winner.REMOTE:
        return Revision(_settled(seen, edited), edited, lost)
    if who is Winner.UNDECIDED:
        if agreed.disputed == ours(comment):
            return Revision(agreed, comment, stands=why)
        return Revision(replace(agreed, disputed=ours(comment)), comment, lost, stands=why)
    return Revision(replace(seen, quote=quote(body), holds=digest(body)), comment, lost)


def _settled(seen: Agreed, comment: Comment) -> Agreed:
    said = digest(comment.text)
    return replace(seen, ours=ours(comment), quote=quote(comment.text), holds=said, disputed="", erased="")


def _deleted(comment: Comment) -> Comment:
    return replace(comment, text="", deleted_at=comment.deleted_at or comment.created_at)


def _text_word(word: str) -> str:
    return word.removeprefix(_INTERNAL)


class Act(StrEnum):
    """What is to be done there about a change of ours."""

    NOTE = "note"  # nothing can or need be done: what is agreed on moves
    EDIT = "edit"
    WITHDRAW = "withdraw"  # another text in the stead of one that must not be read there any more
    REMOVE = "remove"
    CORRECT = "correct"  # a note with the new text, quoting the old one
    RETRACT = "retract"  # a note that its author has withdrawn it


@dataclass(frozen=True, slots=True)
class Ways:
    """What that system can do, and what its policy allows."""

    edits: bool
    deletes: bool
    follows_deletes: bool


@dataclass(frozen=True, slots=True)
class Amendment:
    """One thing to do there about a comment. `agreed`: what holds afterwards, the new text's word there aside."""

    act: Act
    agreed: Agreed
    stands: str = ""


def amend(comment: Comment, agreed: Agreed, ways: Ways, *, files: bool) -> Amendment | None:
    """What a system is owed about a comment that it holds; None: nothing. `files`: it holds files of it too."""
    if _untouched(comment, agreed):
        return None
    word = ours(comment)
    if word in (agreed.ours, agreed.disputed):
        return None
    seen = replace(agreed, ours=word, disputed="", erased="")
    internal = comment.visibility is Visibility.INTERNAL
    if comment.deleted_at is not None and (not internal or agreed.theirs in (HIDDEN, GONE)):
        return _amend_deleted(seen, ways)
    if internal:
        return _amend_internal(comment, seen, agreed, ways, files=files)
    said = digest(comment.text)
    told = replace(seen, quote=quote(comment.text), holds=said)
    if agreed.theirs == GONE:
        if agreed.ours == DELETED and agreed.own:  # we had taken it away with its original, which is back
            return Amendment(Act.CORRECT, replace(told, quote=""))
        return Amendment(Act.NOTE, seen, "it was deleted there")
    if agreed.theirs == HIDDEN and not agreed.ours.startswith(_INTERNAL):
        return Amendment(Act.NOTE, seen, "it was made internal there")
    if agreed.holds == said and agreed.ours != "" and agreed.theirs != HIDDEN:
        return Amendment(Act.NOTE, seen)
    return Amendment(Act.EDIT if agreed.own and ways.edits else Act.CORRECT, told)


def _untouched(comment: Comment, agreed: Agreed) -> bool:
    """Surely as it was sent or taken in: spares the digests of a whole conversation upon every push."""
    internal = comment.visibility is Visibility.INTERNAL
    moved = comment.edited_at is not None or comment.deleted_at is not None
    return not moved and agreed.ours not in ("", DELETED) and agreed.ours.startswith(_INTERNAL) == internal


def _amend_deleted(seen: Agreed, ways: Ways) -> Amendment:
    if not ways.follows_deletes or not seen.own or seen.theirs in (GONE, HIDDEN):
        return Amendment(Act.NOTE, seen)
    if ways.deletes:
        return Amendment(Act.REMOVE, replace(seen, theirs=GONE, holds=""))
    if ways.edits:
        return Amendment(Act.WITHDRAW, replace(seen, quote="", holds=""))
    return Amendment(Act.RETRACT, seen)


def _amend_internal(comment: Comment, seen: Agreed, before: Agreed, ways: Ways, *, files: bool) -> Amendment:
    if seen.theirs == GONE or (not seen.own and not seen.noted):
        return Amendment(Act.NOTE, seen)
    if seen.theirs == HIDDEN:
        if not before.ours.startswith(_INTERNAL):
            return Amendment(Act.NOTE, seen)
        told = replace(seen, quote=quote(comment.text), holds=digest(comment.text))
        return Amendment(Act.EDIT if ways.edits else Act.CORRECT, told)
    if seen.own and ways.edits:
        left = "files of it are still there" if files else "a note of correction with its text is still there"
        stands = f"it became internal here, and {left}: ask there to remove them" if files or seen.noted else ""
        return Amendment(Act.WITHDRAW, replace(seen, quote="", holds=""), stands)
    return Amendment(Act.NOTE, seen, still_there("that system cannot take it back"))


def still_there(why: str) -> str:
    """The alarm about a text that became internal after it was carried."""
    return f"it became internal here, and its text is still there, because {why}: ask there to remove it"
