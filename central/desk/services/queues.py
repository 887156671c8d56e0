"""What waits for people, for whoever decides it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from central.delivery import Delivery
from central.desk.services.tickets import Also
from central.guard import Hold
from central.job import Job
from central.model import Conflict
from central.store.api import Transaction


class Queues(Protocol):
    """What people say to what waits for them, by the same rules as `Systems`."""

    def about(self, tx: Transaction, letter: Delivery) -> int | None:
        """Our number of the ticket that a dead letter is about; None: it is not known here yet."""

    def letter(self, tx: Transaction, number: int) -> Delivery:
        """One dead or discarded letter."""

    def retry(self, numbers: Sequence[int], by: str) -> None:
        """Have these dead letters tried again."""

    def edited(self, letters: Sequence[Delivery], fields: Iterable[str], by: str) -> Also:
        """What belongs to a change of these fields of the ticket that these letters are about: they are tried again,
        with an entry in the audit log for each."""

    def discard(self, numbers: Sequence[int], by: str, why: str) -> None:
        """Give these dead letters up."""

    def awaited(self, tx: Transaction, letter: Delivery) -> str | None:
        """What our comment says whose answer was lost, where the letter waits to be told what became of it."""

    def settle(self, number: int, by: str, *, there: str | None) -> None:
        """That comment is the one with this id `there`; None: it never got through, and is sent once more."""

    def conflicts(self, tx: Transaction, *, after: int = 0) -> Iterator[Conflict]:
        """Those that wait for a person, oldest first, after the one with this id; read as far as they are wanted."""

    def conflict(self, tx: Transaction, number: int) -> Conflict | None:
        """The one of this number, if it waits."""

    def resolve(self, number: int, take: str, by: str) -> Conflict:
        """Let `ours` or `theirs` stand.  :raises Busy: the ticket is being looked at this moment; say it again."""

    def approve(self, hold: int, by: str) -> Hold:
        """What a guard held is right: it goes on."""

    def reject(self, hold: int, by: str, *, write_back: bool = False) -> Hold:
        """It is wrong. `write_back`: our values go back over the edits that are rejected."""

    def start_job(self, kind: str, system: str, params: Mapping[str, Any], by: str) -> Job:
        """Begin deliberate work over many tickets; the process that runs the mesh carries it out."""

    def pause_job(self, number: int, by: str) -> Job:
        """Let it rest where it is."""

    def resume_job(self, number: int, by: str) -> Job:
        """Let it go on."""
