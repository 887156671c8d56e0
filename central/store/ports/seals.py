"""Sealed secrets, as a transaction keeps them."""

from collections.abc import Sequence
from typing import Protocol

from central.seal import Seal


class Seals(Protocol):
    """Secrets that were typed in. What is in their boxes the store does not know."""

    def put(self, seal: Seal) -> None:
        """Keep it, in the place of the one of this name, system and origin."""

    def list(self, system: str = "") -> Sequence[Seal]:
        """By system, name and origin; `system`: only its own."""

    def drop(self, system: str, name: str) -> int:
        """Forget a secret, whatever origins it is for; how many boxes those were."""
