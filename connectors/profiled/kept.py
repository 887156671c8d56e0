"""What can never change on a remote ticket, kept so that it is asked for once. Bounded, thread-safe."""

import threading
from collections import OrderedDict
from dataclasses import dataclass

from connectors.api import RemoteFile

_MOST_CHARACTERS = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Opening:
    """How a ticket began: its first text, and the files that came with it."""

    text: str
    files: tuple[RemoteFile, ...]


class Openings:
    """The openings of tickets read lately, by key."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Opening] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def get(self, key: str) -> Opening | None:
        """The opening, if it is still known."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
            return found

    def keep(self, key: str, opening: Opening) -> None:
        """Remember it, and forget those longest unused where it gets too much."""
        with self._lock:
            self._size += _weight(opening) - (_weight(self._kept[key]) if key in self._kept else 0)
            self._kept[key] = opening
            self._kept.move_to_end(key)
            while self._size > _MOST_CHARACTERS and len(self._kept) > 1:
                self._size -= _weight(self._kept.popitem(last=False)[1])


def _weight(opening: Opening) -> int:
    return len(opening.text) + 500 * (1 + len(opening.files))
