"""Claims about jobs and their reports."""

from dataclasses import replace

import pytest

from central.job import Job, JobRow, JobState
from central.store.api import NoSuch, Store
from central.store.testing.samples import NOW, later

FULL = Job(
    id=0,
    kind="backfill",
    system="rt",
    params={"direction": "inward", "since": None, "list": [1]},
    created_at=NOW,
    created_by="ada",
    updated_at=later(1),
    state=JobState.PAUSED,
    position={"at": "7"},
    done=3,
    total=9,
    failed=1,
    not_before=later(2),
    error="503",
    attempts=2,
    paced_from=NOW,
    paced_done=1,
)


def _new(store: Store, job: Job = FULL) -> Job:
    return store.write(lambda tx: tx.jobs.create(job))


class JobClaims:
    """What `Jobs` promises."""

    def test_a_job_comes_back_whole_and_is_replaced_whole(self, store: Store) -> None:
        made = _new(store)
        assert made == replace(FULL, id=made.id)
        assert store.read(lambda tx: tx.jobs.get(made.id)) == made
        after = replace(made, state=JobState.DONE, done=9, position={}, not_before=None)
        store.write(lambda tx: tx.jobs.save(after))
        assert store.read(lambda tx: tx.jobs.get(made.id)) == after

    def test_jobs_are_listed_oldest_first_and_those_that_are_over_apart(self, store: Store) -> None:
        made = [_new(store, replace(FULL, state=state)) for state in JobState]
        assert store.read(lambda tx: list(tx.jobs.list())) == made
        still_open = store.read(lambda tx: [job.state for job in tx.jobs.list(open_only=True)])
        assert still_open == [JobState.RUNNING, JobState.PAUSED]
        assert store.read(lambda tx: list(tx.jobs.list(after=made[0].id, limit=2))) == made[1:3]
        page = store.read(lambda tx: tx.jobs.list(open_only=True, after=made[0].id))
        assert [job.id for job in page] == [job.id for job in made[1:] if job.open]

    def test_a_job_that_is_not_there_is_told(self, store: Store) -> None:
        with pytest.raises(NoSuch, match="no job 7"):
            store.read(lambda tx: tx.jobs.get(7))
        with pytest.raises(NoSuch, match="no job 7"):
            store.write(lambda tx: tx.jobs.save(replace(FULL, id=7)))

    def test_a_report_comes_back_in_order_page_by_page_and_by_verdict(self, store: Store) -> None:
        job, other = _new(store), _new(store)
        rows = [JobRow(str(number), "odd" if number % 2 else "even", {"n": [number]}) for number in range(5)]
        store.write(lambda tx: tx.jobs.add_rows(job.id, rows))
        store.write(lambda tx: tx.jobs.add_rows(other.id, rows[:1]))
        first = store.read(lambda tx: tx.jobs.rows(job.id, limit=3))
        rest = store.read(lambda tx: tx.jobs.rows(job.id, after=first[-1].id))
        assert [(row.subject, row.data) for row in (*first, *rest)] == [(str(n), {"n": [n]}) for n in range(5)]
        assert [row.subject for row in store.read(lambda tx: tx.jobs.rows(job.id, verdict="odd"))] == ["1", "3"]
        assert store.read(lambda tx: dict(tx.jobs.verdicts(job.id))) == {"even": 3, "odd": 2}

    def test_a_row_about_the_same_subject_takes_the_place_of_the_earlier_one(self, store: Store) -> None:
        job = _new(store)
        store.write(lambda tx: tx.jobs.add_rows(job.id, [JobRow("1", "pair"), JobRow("2", "pair")]))
        store.write(lambda tx: tx.jobs.add_rows(job.id, [JobRow("1", "linked", {"by": "key"})]))
        found = store.read(lambda tx: tx.jobs.rows(job.id))
        assert [(row.subject, row.verdict) for row in found] == [("1", "linked"), ("2", "pair")]
