"""What a profile says in one place and denies in another. Pure."""

import difflib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from connectors.profiled.values import names

if TYPE_CHECKING:
    from connectors.profiled.profile import Profile
    from connectors.profiled.vocabulary.conversation import Conversation


def contradictions(profile: "Profile") -> Iterator[str]:
    """Each in a sentence that says what to change."""
    yield from _origin(profile)
    yield from _family(profile)
    yield from _tables(profile)
    yield from _credentials(profile)
    yield from _writing(profile)
    yield from _words(profile)
    talk, powers = profile.conversation, profile.capabilities
    if powers.files and "download" not in profile.model_fields_set:
        yield "capabilities.files: download does not say how their bytes are had; say it, or false"
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
    unknown = [name for name in talk.history.shows if name not in profile.fields] if talk.history is not None else []
    for name in unknown:
        yield f"conversation.history.shows: there is no field {name!r}; there are: {', '.join(profile.fields)}"
    if talk.opening is not None and talk.opening.field not in profile.fields:
        yield f"conversation.opening: there is no field {talk.opening.field!r}; there are: {', '.join(profile.fields)}"


_PARTIAL = {"internal", "to", "every"}
"""Requests that only say what is otherwise than in another."""


def _origin(profile: "Profile") -> Iterator[str]:
    """Credentials go to the registered address, and to no other: an operator sees it in the system's document."""
    if getattr(profile.settings.get("url"), "kind", "") != "url":
        yield "settings: there is no `url` of kind url; it is the address that an operator registers"
    if profile.root != "{url}" and not profile.root.startswith("{url}/"):
        yield "root: it must begin with {url}, the registered address: our credentials are sent nowhere else"


def _family(profile: "Profile") -> Iterator[str]:
    """Words of the other family."""
    if profile.family == "rest" and profile.soap is not None:
        yield "soap: the family is rest; say family: soap, or leave it out"
    if profile.family == "soap" and profile.soap is None:
        yield "soap: missing, and the family is soap; say where its WSDL is: soap: {wsdl: ...}"
    for place, operation in _operations(profile, ""):
        if operation and profile.family == "rest":
            yield f"{place}.operation: only SOAP has operations; say method and path, or family: soap"
        if not (operation or profile.every.operation) and profile.family == "soap":
            yield f"{place}: say which operation of the WSDL it is"


def _operations(part: Any, place: str) -> Iterator[tuple[str, str]]:
    """Every whole request in a part of a profile: where it is, and its operation."""
    for where, each in _parts(part, place):
        if not _PARTIAL.isdisjoint(where.split(".")):
            continue
        if hasattr(each, "operation") and "path" in type(each).model_fields and not hasattr(each, "gives"):
            yield where, each.operation


def _credentials(profile: "Profile") -> Iterator[str]:
    """Words of the credentials that nothing fills: what they stand in would never be sent, without a word."""
    who, known = profile.credentials, {"url", *profile.settings}
    for number, step in enumerate(who.steps):
        if step.operation and profile.soap is None:
            yield f"credentials.log_in.{number}: only the SOAP family has operations; say method and path"
        if step.elsewhere is not None and getattr(profile.settings.get(step.elsewhere), "kind", "") != "url":
            yield f"credentials: elsewhere is the name of a setting of kind url, and {step.elsewhere!r} is none"
        for word in sorted(names(step.model_dump()) - known):
            yield f"credentials: nothing gives {{{word}}} by then; there are: {', '.join(sorted(known))}"
        known |= set(step.gives)
    for word in sorted(names(who.model_dump(exclude={"log_in", "oauth2", "certificate"})) - known):
        yield f"credentials: nothing gives {{{word}}}; there are: {', '.join(sorted(known))}"
    if who.certificate is not None:
        for setting in who.certificate.model_dump(exclude_none=True).values():
            if setting not in profile.settings:
                yield f"credentials.certificate names settings, and {setting!r} is none"


def _writing(profile: "Profile") -> Iterator[str]:
    """What is written to nowhere, in two ways, or never."""
    token, comment, update = profile.token, profile.comment, profile.update
    named = {"create.apart": profile.create.apart, "update.companions": update.companions}
    named |= {"comment.companions": comment.companions, "transitions": tuple(profile.transitions)}
    named |= {f"transitions.{name}.fields": each.fields for name, each in profile.transitions.items()}
    for place, mentioned in named.items():
        for name in mentioned:
            if name not in profile.fields:
                yield f"{place}: there is no field {name!r}; there are: {', '.join(profile.fields)}"
    if token is not None and token.label in profile.fields and profile.fields[token.label].kind != "set":
        yield f"token.label: {token.label!r} is no set; say kind: set, or title, where our mark ends a line"
    if token is not None and profile.create.at and (token.write or "").startswith(f"{profile.create.at}."):
        short = (token.write or "").removeprefix(f"{profile.create.at}.")
        yield f"token.write: it stands below create.at ({profile.create.at}) already; say {short}"
    if update.each and "{value}" not in f"{update.path} {update.query} {update.body}":
        yield "update.each: no {value} in its path, query or body, so that nothing would be written"
    for place, row in (("create.row", profile.create.row), ("update.row", update.row)):
        if row is not None and not {"field", "value"} <= names(row):
            yield f"{place}: no {{field}} or no {{value}} in it, so that nothing would be written"
    for name, shape in profile.fields.items():
        if shape.wrapped is not None and "value" not in names(shape.wrapped):
            yield f"fields.{name}.wrapped: no {{value}} in it, so that nothing would be written"
    ways = [name for name in ("inline", "uploaded", "attached", "parts") if getattr(comment, name) is not None]
    if len(ways) > 1:
        yield f"comment: files go in one way, and here in several: {', '.join(ways)}"
    if comment.attached is not None and (profile.conversation is None or profile.conversation.files is None):
        yield "comment.attached: conversation.files does not say how the ticket's files are read; say it, or send none"
    files = profile.conversation.files if profile.conversation is not None else None
    if (
        comment.attached is not None
        and files is not None
        and files.at is None
        and profile.capabilities.internal_comments
    ):
        yield (
            "conversation.files: without `at` (and `author`) nobody can tell which of the ticket's files came with a "
            "hidden comment, and all would be shown; say when a file was sent, or files: false"
        )
    for power, way in (("edit_comments", comment.edit), ("delete_comments", comment.delete)):
        if getattr(profile.capabilities, power) and way is None:
            yield f"capabilities.{power}: comment.{power.partition('_')[0]} does not say how; say it, or false"


_ALWAYS = {
    *("url", "key", "keys", "number", "token", "token_field", "version", "field", "value", "to", "way", "word"),
    *("comment", "text", "internal", "id", "name", "media_type", "size", "content"),
    *("since", "until", "after", "next", "page", "per_page", "offset", "upto", "page_token"),
}
"""What one operation or another knows."""


def _words(profile: "Profile") -> Iterator[str]:
    """Words in braces that nothing fills in: a request with one could never be said."""
    kept = {word for _, each in _parts(profile, "") for word in getattr(each, "keep", {})}
    optional = {name for name, each in profile.settings.items() if not each.required and each.default is None}
    listing = profile.listing
    told = set(listing.moments.parts).union(*listing.each)
    known = _ALWAYS | kept | set(profile.settings) | told
    given = set(profile.settings) - optional
    for name, shape in profile.fields.items():
        for unknown in sorted(names([shape.empty_words, shape.empty_value]) - given):
            yield f"fields.{name}: {{{unknown}}} is no setting that is always given (empty_words, empty_value)"
    for place, part in _parts(profile, ""):
        if "path" not in type(part).model_fields or hasattr(part, "gives"):
            continue
        said = [getattr(part, each, {}) for each in ("path", "query", "headers")]
        for word in sorted(names(said) & optional):
            yield f"{place}: {{{word}}} is a setting that may not be given; require it, or give it a default"
        more = [getattr(part, each, {}) for each in ("body", "guard", "scan", "changes", "newest", "find")]
        for word in sorted(names([said, more]) - known):
            near = difflib.get_close_matches(word, known, 1)
            meant = f"; did you mean {{{near[0]}}}?" if near else ""
            yield f"{place}: nothing fills in {{{word}}}{meant}"


def _parts(part: Any, place: str) -> Iterator[tuple[str, BaseModel]]:
    """Every part of a profile that is said, and where."""
    if isinstance(part, BaseModel):
        yield place, part
        for name in part.model_fields_set:
            yield from _parts(getattr(part, name), f"{place}.{name}" if place else name)
    elif isinstance(part, Mapping):
        for name, each in part.items():
            yield from _parts(each, f"{place}.{name}")
    elif isinstance(part, tuple):
        for number, each in enumerate(part):
            yield from _parts(each, f"{place}.{number}")


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
    shapes += [("files", talk.files.person)] if talk.files is not None else []
    return [(f"conversation.{name}.person.table", person.table) for name, person in shapes if person is not None]
