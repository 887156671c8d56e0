"""Many processes, one baton: threads of which exactly one runs, and which hand over only where they say so.

Whoever holds the baton decides alone when to give it back; so a run is the same each time, whatever the machine does.
"""

import threading
from collections.abc import Callable


class Killed(BaseException):
    """kill -9: nothing is caught, nothing is cleaned up."""


class Player:
    """Somebody who plays turns, on a thread of their own so that a turn can stop in its middle.

    All methods but `rest` are the director's."""

    def __init__(self, name: str, turn: Callable[[], None]) -> None:
        self.name = name
        self.midway = False
        """Whether a turn is under way that has given the baton back."""
        self._turn = turn
        self._ended = False
        self._problem: BaseException | None = None
        self._go, self._back = threading.Lock(), threading.Lock()
        self._go.acquire()
        self._back.acquire()
        self._thread: threading.Thread | None = None

    def play(self, *, rests: bool = True) -> bool:
        """Go on with the turn, or begin one; True once it is over. A turn that `rests` nowhere needs no thread.

        :raises Killed: it ended that way.  Whatever else the turn raises comes out here too."""
        if not rests and not self.midway:
            self._turn()
            return True
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
            self._thread.start()
        self._go.release()
        self._back.acquire()
        problem, self._problem = self._problem, None
        if problem is not None:
            raise problem
        return not self.midway

    def rest(self) -> None:
        """Called in the middle of a turn, by the one who plays it: let others play until the director says go."""
        self.midway = True
        self._back.release()
        self._go.acquire()
        self.midway = False
        if self._ended:
            raise Killed

    def end(self) -> None:
        """Play no more; a turn under way dies where it stands."""
        self._ended = True
        if self._thread is not None and self._thread.is_alive():
            self._go.release()
            self._thread.join()

    def _run(self) -> None:
        while True:
            self._go.acquire()
            if self._ended:
                return
            try:
                self._turn()
            except BaseException as problem:  # noqa: BLE001  # the director is to raise it
                self._problem = problem
            if self._ended:
                return
            self._back.release()
