"""Servers outside, for whoever has to ask one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class WebAnswer:
    """What a server outside answered: its HTTP status, and the JSON that it sent; None: something else."""

    status: int
    data: Any


class Web(Protocol):
    """Asks servers outside, where we may go: no redirect is followed, no answer is too large and no call too long.

    Who cannot be asked, or may not, is `OutOfReach`."""

    def get(self, url: str, *, bearer: str = "") -> WebAnswer:
        """Ask, showing this token."""

    def post_form(self, url: str, form: Mapping[str, str], *, basic: tuple[str, str] | None = None) -> WebAnswer:
        """Send a form, showing this name and secret."""
