"""What people say to what waits for them: dead letters, conflicts, holds, jobs.

The command line and the desk both come through here.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from central.audit import Entry
from central.delivery import Delivery
from central.desk.services.errors import NotNow
from central.desk.services.tickets import Also
from central.guard import Hold
from central.job import Job, JobState
from central.model import Conflict
from central.store.api import Transaction
from sync import conflicts, deadletters, doubt, live
from sync.gateway import Gateways
from sync.guards import holds
from sync.helm import told
from sync.jobs.wanted import checked
from sync.means import Means


class Clerk:
    """Carries out what people decide. Fulfils `central.desk.services.queues.Queues`."""

    def __init__(self, means: Means, gateways: Gateways) -> None:
        self._means, self._gateways = means, gateways

    def about(self, tx: Transaction, letter: Delivery) -> int | None:
        """Our number of the ticket that a dead letter is about; None: it is not known here yet."""
        return deadletters.about(tx, letter)

    def letter(self, tx: Transaction, number: int) -> Delivery:
        """One dead or discarded letter.  :raises NoSuch: there is none of this number."""
        return deadletters.letter(tx, number)

    def retry(self, numbers: Sequence[int], by: str) -> None:
        """Have these dead letters tried again.  :raises NoSuch: one is no letter."""
        deadletters.retry(self._means, numbers, by)

    def edited(self, letters: Sequence[Delivery], fields: Iterable[str], by: str) -> Also:
        """What belongs to a change of the ticket that these letters are about: that they are tried again."""
        again = deadletters.edited(self._means, letters, fields, by)
        return lambda tx, _: again(tx)

    def discard(self, numbers: Sequence[int], by: str, why: str) -> None:
        """Give these dead letters up.  :raises NoSuch: one is no letter."""
        deadletters.discard(self._means, numbers, by, why)

    def awaited(self, tx: Transaction, letter: Delivery) -> str | None:
        """What the comment of ours says of which it waits to be told what became of it; None: of none."""
        return doubt.awaited(tx, letter)

    def settle(self, number: int, by: str, *, there: str | None) -> None:
        """Our comment that a letter waits for is this one `there`; None: it never got through, and is sent once more.

        :raises NoSuch, NotNow, Busy: it cannot be.  :raises OutOfReach: the comments there cannot be read."""
        with told():
            doubt.settle(self._means, self._gateways, number, by, there=there)

    def conflicts(self, tx: Transaction, *, after: int = 0) -> Iterator[Conflict]:
        """Those that wait for a person, oldest first, after the one with this id."""
        return conflicts.waiting(tx, after=after)

    def conflict(self, tx: Transaction, number: int) -> Conflict | None:
        """The one of this number, if it waits."""
        return conflicts.find(tx, number)

    def resolve(self, number: int, take: str, by: str) -> Conflict:
        """Let `ours` or `theirs` stand.  :raises NoSuch: it does not wait.  :raises Busy: say it again."""
        return conflicts.resolve(self._means, number, take, by)

    def approve(self, hold: int, by: str) -> Hold:
        """What a guard held is right.  :raises NoSuch: there is no such open hold."""
        return holds.approve(self._means, hold, by)

    def reject(self, hold: int, by: str, *, write_back: bool = False) -> Hold:
        """It is wrong.  :raises NoSuch: there is no such open hold."""
        return holds.reject(self._means, hold, by, write_back=write_back)

    def start_job(self, kind: str, system: str, params: Mapping[str, Any], by: str) -> Job:
        """Begin a job.  :raises NoSuch: there is no such system.  :raises NotAllowed: with all that is wrong."""

        def change(tx: Transaction) -> Job:
            at = self._means.clock()
            live.registered(tx, system)
            wanted = checked(tx, kind, system, params)
            job = tx.jobs.create(Job(0, kind, system, wanted, at, by, at))
            tx.audit.record(Entry(at, by, f"start {kind}", system, {"job": job.id, **wanted}))
            return job

        return self._means.store.write(change)

    def pause_job(self, number: int, by: str) -> Job:
        """Let a job rest where it is.  :raises NotNow: it is not running."""
        return self._turn(number, by, JobState.RUNNING, JobState.PAUSED)

    def resume_job(self, number: int, by: str) -> Job:
        """Let a paused job go on.  :raises NotNow: it is not paused."""
        return self._turn(number, by, JobState.PAUSED, JobState.RUNNING)

    def _turn(self, number: int, by: str, before: JobState, after: JobState) -> Job:
        def change(tx: Transaction) -> Job:
            at = self._means.clock()
            job = tx.jobs.get(number)
            if job.state is not before:
                raise NotNow(f"job {number} is {job.state}, not {before}")
            paced_from = at if after is JobState.RUNNING else None
            turned = replace(
                job,
                state=after,
                updated_at=at,
                not_before=None,
                error="",
                paced_from=paced_from,
                paced_done=job.done,
            )
            tx.jobs.save(turned)
            tx.audit.record(Entry(at, by, f"job {after}", job.system, {"job": number}))
            return turned

        return self._means.store.write(change)
