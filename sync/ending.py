"""The end of a look: where its last commit is known for what it is, that commit ends the delivery, too."""

from collections.abc import Callable

from central.store.api import Transaction


class Ending:
    """Gives a delivery back within the commit that records what its look did, so that no other has to follow."""

    def __init__(self, end: Callable[[Transaction], None]) -> None:
        self._end = end
        self.over = False
        """Whether the delivery is known to have been given back."""

    def within(self, tx: Transaction) -> None:
        """Let this commit be the last of the look, which has nothing left to do, nor wants to be done again later.

        :raises LeaseLost: somebody else may have it in hand by now."""
        self._end(tx)
        tx.after_commit(self._known)

    def _known(self) -> None:
        self.over = True
