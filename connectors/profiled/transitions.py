"""The way to a value that only a transition leads to: asked of the ticket itself, each time."""

from collections.abc import Collection
from typing import Any

from connectors.errors import Refused
from connectors.profiled.site import HIDDEN, Site
from connectors.profiled.values import at, first, rows, text
from connectors.profiled.vocabulary.writing import Ways


def way(site: Site, shape: Ways, key: str, name: str, wanted: Collection[str]) -> tuple[str, Collection[str] | None]:
    """The id of the transition that leads there, and the fields that its form takes (None: it does not tell).

    `wanted` are the words that mean where to.  :raises Refused: none leads there now."""
    answer = site.read(shape, errors=HIDDEN, key=key)
    found = rows(answer.data(), shape.rows, answer.about)
    for row in found:
        if text(first(row, shape.to)) in wanted:
            return text(first(row, shape.id)), _names(at(row, shape.takes)) if shape.takes else None
    there = ", ".join(dict.fromkeys(text(first(row, shape.to)) for row in found)) or "nothing"
    raise Refused(f"{site.profile.product} does not let {name} become {next(iter(wanted))!r} now; it allows: {there}")


def _names(form: Any) -> Collection[str]:
    if isinstance(form, dict):
        return tuple(form)
    listed = form if isinstance(form, list) else []
    return tuple(each if isinstance(each, str) else text(first(each, ("name", "id", "key"))) for each in listed)
