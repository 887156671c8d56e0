"""What a profile says in one place and denies in another. Pure."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from connectors.profiled.profile import Conversation, Profile


def contradictions(profile: "Profile") -> Iterator[str]:
    """Each in a sentence that says what to change."""
    yield from _tables(profile)
    talk, powers = profile.conversation, profile.capabilities
    if talk is None:
        return
    if powers.internal_comments and all(each.internal is None for each in talk.comments):
        yield (
            "capabilities.internal_comments: conversation.comments says no internal, so that what is hidden would be "
            "read as public; say how it shows, or internal_comments: false"
        )
    if powers.whole_conversation and any(each.body is not None for each in talk.comments):
        yield "capabilities.whole_conversation: texts of known comments are not asked for again (body); say false"
    if powers.history and talk.details is None and talk.history is None:
        yield "capabilities.history: the conversation has neither history nor details to read it from; say false"
    if len(talk.comments) > 1 and len({each.id_prefix for each in talk.comments}) < len(talk.comments):
        yield "conversation.comments: give each list but one an id_prefix, or comments of two lists may share an id"
    if talk.opening is not None and talk.opening.field not in profile.fields:
        yield f"conversation.opening: there is no field {talk.opening.field!r}; there are: {', '.join(profile.fields)}"


def _tables(profile: "Profile") -> Iterator[str]:
    """Tables that are named and not there."""
    named: list[tuple[str, str | None]] = [("people.table", profile.people.table)]
    for name, shape in profile.fields.items():
        named += [(f"fields.{name}.{each}", getattr(shape, each)) for each in ("table", "resolve", "history_table")]
    if profile.custom_fields is not None:
        named.append(("custom_fields.table", profile.custom_fields.table))
    if profile.account is not None and profile.account.person is not None:
        named.append(("account.person.table", profile.account.person.table))
    named += _tables_of(profile.conversation) if profile.conversation is not None else []
    there = ", ".join(profile.tables) or "none"
    for place, table in named:
        if table is not None and table not in profile.tables:
            yield f"{place}: there is no table {table!r}; there are: {there}"


def _tables_of(talk: "Conversation") -> list[tuple[str, str | None]]:
    shapes = [("comments", each.person) for each in talk.comments]
    shapes += [("history", talk.history.person)] if talk.history is not None else []
    return [(f"conversation.{name}.person.table", person.table) for name, person in shapes if person is not None]
