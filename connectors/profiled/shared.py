"""What a profile says once for every request, put into each of them; and what its settings say for it. Pure."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from connectors.profiled.values import fill, filled, names, word
from connectors.profiled.vocabulary.parts import Request

if TYPE_CHECKING:
    from connectors.profiled.profile import Profile

_PARTIAL = {"internal", "to", "apart"}
"""Requests that only say what is otherwise than in another, which is whole."""


def whole(profile: "Profile") -> "Profile":
    """The profile, each of its requests saying all that it says."""
    return profile if not profile.every.model_fields_set else profile.model_copy(update=_filled(profile, profile.every))


def settled(profile: "Profile", settings: Mapping[str, Any]) -> "Profile":
    """The profile with settings filled into the words that mean nothing: each site has its own for nobody."""
    fields = {
        name: shape.model_copy(
            update={
                "empty_words": tuple(word(fill(each, settings)) for each in shape.empty_words),
                "empty_value": filled(shape.empty_value, settings),
            }
        )
        for name, shape in profile.fields.items()
        if names([shape.empty_words, shape.empty_value])
    }
    return profile.model_copy(update={"fields": {**profile.fields, **fields}}) if fields else profile


def _whole(part: Any, every: Request, *, partial: bool) -> Any:
    if isinstance(part, BaseModel):
        said = _said(part, every, partial=partial) if isinstance(part, Request) else {}
        return part.model_copy(update=_filled(part, every) | said)
    if isinstance(part, Mapping):
        return {name: _whole(each, every, partial=partial) for name, each in part.items()}
    return tuple(_whole(each, every, partial=partial) for each in part) if isinstance(part, tuple) else part


def _filled(part: BaseModel, every: Request) -> dict[str, Any]:
    names = part.model_fields_set - {"every"}
    return {name: _whole(getattr(part, name), every, partial=name in _PARTIAL) for name in names}


def _said(request: Request, every: Request, *, partial: bool) -> dict[str, Any]:
    """What all requests say, as far as this one does not: words of a query, of headers and of a body are added."""
    found: dict[str, Any] = {}
    for name in every.model_fields_set:
        common, said = getattr(every, name), name in request.model_fields_set
        if isinstance(common, Mapping):
            if said or not partial:
                found[name] = {**common, **getattr(request, name)}
        elif not said and not partial:
            found[name] = common
    return found
