"""What goes before the request that counts, or after it: each step's answer tells words that later requests know."""

from collections.abc import Mapping, Sequence
from typing import Any

from connectors import marks, patterns
from connectors.answers import Answer
from connectors.errors import ProtocolError, Transient, Unknown
from connectors.profiled.site import Site
from connectors.profiled.values import at, first, rows, text
from connectors.profiled.vocabulary.parts import Keeping, Kept
from connectors.profiled.vocabulary.writing import Earlier, Step


def told(kept: Kept, answer: Answer) -> str:
    """What an answer tells in one place; "" where it is silent.

    :raises ProtocolError: its body cannot be read.  :raises Unknown: so it is, and the request was a write."""
    if kept.header is not None:
        found = patterns.found(kept.pattern, answer.headers.get(kept.header, ""))
        return found[1] if found else ""
    return text(first(answer.data(), kept.at)) if kept.at else ""


def before(site: Site, steps: Sequence[Step], words: Mapping[str, Any], token: str) -> dict[str, Any]:
    """Take the steps that go before a request; the words it then knows. What an earlier attempt left is used.

    :raises Transient: an answer was lost, and the next attempt finds what was made, or makes it anew.
    :raises Refused: with the product's words."""
    known = dict(words) | {"token": token}
    for step in steps:
        looks = step.again is not None and token != marks.UNMARKED
        earlier = _earlier(site, step.again, known, token) if looks and step.again is not None else None
        if earlier is not None:
            known |= earlier
            continue
        try:
            known |= kept(step.keep, take(site, step, known))
        except Unknown as lost:
            raise Transient(f"what goes before was not taken, and nothing refers to it yet: {lost}") from None
    return known


def after(site: Site, steps: Sequence[Step], words: Mapping[str, Any]) -> None:
    """Take the steps that go after a request."""
    known = dict(words)
    for step in steps:
        known |= kept(step.keep, take(site, step, known))


def take(site: Site, step: Step, words: Mapping[str, Any]) -> Answer:
    """Say one step."""
    return site.write(step, site.body(step, site.words(**words)) or None, **words)


def kept(keep: Keeping, answer: Answer) -> dict[str, str]:
    """The words that an answer tells for later requests.  :raises ProtocolError: it does not tell one."""
    found = {word: told(where, answer) for word, where in keep.items()}
    for word, value in found.items():
        if not value:
            raise ProtocolError(f"{answer.about}: the answer does not tell {word!r}, which the next request needs")
    return found


def _earlier(site: Site, shape: Earlier, words: Mapping[str, Any], token: str) -> dict[str, str] | None:
    """What the row tells that bears our token; None where there is none."""
    answer = site.read(shape, **words)
    for row in rows(answer.data(), shape.rows, answer.about):
        said = text(at(row, shape.token_at))
        if token in (said, marks.read(said)[1]):
            return {word: text(first(row, where.at)) for word, where in shape.keep.items()}
    return None
