"""How the story is told: each beat as it happens, in the terminal."""

import time
from collections.abc import Callable

from rich.console import Console
from rich.table import Table
from rich.text import Text

WAIT = 60.0
"""Seconds that a beat may take before the story is given up."""

_STYLES = {"RT": "cyan", "Redmine": "magenta", "centre": "green", "": "dim"}


class Stuck(Exception):
    """Something did not happen in time. The sentence says what."""


class Teller:
    """Tells beats, and waits for what they promise."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._beat = 0

    def beat(self, title: str) -> None:
        """Begin a part of the story."""
        self._beat += 1
        self._console.print()
        self._console.print(Text(f"{self._beat}. {title}", style="bold"))

    def tell(self, where: str, what: str) -> None:
        """Something that somebody does, or that happens, there."""
        self._console.print(Text.assemble("   ", (f"{where:9}", _STYLES[where]), what), soft_wrap=True)

    def wait(self, where: str, what: str, condition: Callable[[], bool]) -> None:
        """Wait until it is so, and tell it with the time it took.  :raises Stuck: it did not come about."""
        began = time.monotonic()
        while not condition():
            if time.monotonic() - began > WAIT:
                raise Stuck(f"{where}: in {WAIT:.0f} s it did not happen that {what}")
            time.sleep(0.01)
        took = time.monotonic() - began
        line = Text.assemble("   ", (f"{where:9}", _STYLES[where]), what, (f"  ({took:.2f} s)", "dim"))
        self._console.print(line, soft_wrap=True)

    def table(self, title: str, columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
        """A table."""
        drawn = Table(*columns, title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
        for row in rows:
            drawn.add_row(*(Text(cell) for cell in row))
        self._console.print()
        self._console.print(drawn)
