"""Secrets, blotted out of whatever is shown to people."""

import html
import json
from collections import deque
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

_SHORTEST = 4
"""Characters that something we were given must have: blotting out less would blot out half of each error."""
_MOST_GIVEN = 64


class Blots:
    """What must never show: secrets of the settings, and what trackers gave us, in every form they come back in."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = frozenset(form for each in secrets if each for form in _forms(each))
        self._given: deque[str] = deque(maxlen=_MOST_GIVEN)

    def learn(self, secret: str) -> None:
        """From now on blot this out too; the latest of such are remembered."""
        if len(secret) >= _SHORTEST:
            self._given.extend(each for each in _forms(secret) if each not in self._given)

    def scrub(self, text: str) -> str:
        """The text with every secret blotted out."""
        for secret in sorted({*self._secrets, *self._given}, key=len, reverse=True):
            text = text.replace(secret, "…")
        return text


def _forms(secret: str) -> set[str]:
    return {secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1], html.escape(secret)}
