"""Webhooks, for the door that takes them in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class HookAnswer:
    """What became of a webhook: an HTTP status, and a sentence for the sender."""

    status: int
    sentence: str


class Hooks(Protocol):
    """Takes webhooks in."""

    largest: int
    """Bytes of the largest body that is read at all."""

    def receive(self, system: str, headers: Mapping[str, str], body: bytes) -> HookAnswer:
        """Verify the hint and keep it. 202 means that it is kept for good; header names are in small letters."""
