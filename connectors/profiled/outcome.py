"""What became of a written field: arrived, refused, swallowed, and why. Pure."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from connectors import patterns
from connectors.api import RemoteTicket, Value
from connectors.profiled.profile import Profile
from connectors.profiled.values import at, same, text


def arrived(profile: Profile, name: str, value: Value, after: RemoteTicket, held: RemoteTicket | None) -> bool:
    """Whether a field was written. A third value means that somebody wrote after us: ours had arrived."""
    shape, stands = profile.fields.get(name), after.fields.get(name)
    if shape is not None and not shape.told:
        return True
    if same(stands, None if shape is not None and value in shape.empty_words else value):
        return True
    if shape is not None and shape.kind == "moment" and _at_once(stands, value):
        return True
    if swallowed(profile, name, value, after):
        return False
    return held is not None and name in held.fields and not same(stands, held.fields[name])


def _at_once(one: Value, other: Value) -> bool:
    """Whether two moments are one, however they are written."""
    try:
        return datetime.fromisoformat(str(one)) == datetime.fromisoformat(str(other))
    except (ValueError, TypeError):  # one of them is none, or names no zone
        return False


def swallowed(profile: Profile, name: str, value: Value, after: RemoteTicket) -> bool:
    """Whether the product made nothing of a word, and did not say so."""
    shape, stands = profile.fields.get(name), after.fields.get(name)
    return shape is not None and not same(stands, value) and any(same(stands, each) for each in shape.swallowed)


def why(
    profile: Profile,
    name: str,
    wanted: Value,
    after: RemoteTicket,
    raw: Mapping[str, Any],
    sentences: Sequence[str] = (),
) -> str:
    """Why a field is not as it was written: in the product's words, or by what it allows."""
    about = [each for each in sentences if speaks_of(profile, name, each)] or sentences
    if about:
        return " ".join(about)
    shape, stands = profile.fields.get(name), after.fields.get(name)
    if swallowed(profile, name, wanted, after):
        return f"{profile.product} does not know {wanted!r} for {name}: it made {stands!r} of it"
    stays = f"{profile.product} left {name} at {stands!r} instead of {wanted!r}"
    ways = at(raw, shape.allowed) if shape is not None and shape.allowed else None
    if isinstance(ways, list) and shape is not None:
        words = [text(at(each, shape.allowed_name)) for each in ways]
        others = ", ".join(each for each in words if each != stands) or "nothing else"
        return f"{stays}; from there it allows: {others}"
    return f"{stays} without a word"


def speaks_of(profile: Profile, name: str, sentence: str) -> bool:
    """Whether one of the product's sentences is about a field."""
    shape = profile.fields.get(name)
    pattern = shape.said if shape is not None and shape.said else re.escape(name.rpartition(".")[2])
    return patterns.found(pattern, sentence, ignore_case=True) is not None
