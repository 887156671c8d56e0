"""`simulate`: the whole mesh attacked from seeds, and judged by the oracle."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from sync.cli.output import as_json, console, document, say

T = TypeVar("T")


@click.command()
@click.option("--seeds", type=click.IntRange(1), default=100, show_default=True, help="How many seeds to run.")
@click.option("--from", "first", type=click.IntRange(0), default=1, show_default=True, help="The first seed.")
@click.option(
    "--systems", type=click.IntRange(1, 20), default=5, show_default=True, help="Ticketing systems in the mesh."
)
@click.option("--store", type=click.Choice(["memory", "sqlite"]), default="memory", show_default=True)
@click.option("--faults/--no-faults", default=None, help="With faults, or without.  [default: the seed decides]")
@click.option("--jobs", type=click.IntRange(1), help="Processes at once.  [default: one per core]")
@as_json
def simulate(
    seeds: int, first: int, systems: int, store: str, faults: bool | None, jobs: int | None, as_json: bool
) -> int:
    """Attack the whole mesh from seeds, on a virtual clock, and judge it by the five laws.

    Tells how many writes of ours made a tracker send mail for each act of a person, too.

    Exit code 1 where a law is broken: the story of the first such seed is printed, the command that replays it, and the
    shortest story that breaks the same law.
    """
    from sync.simulation import runner  # no other command needs it

    tasks = [runner.Task(seed, systems, store, faults) for seed in range(first, first + seeds)]
    runs, broken = [], []
    for run in _shown(runner.run_all(tasks, jobs or len(os.sched_getaffinity(0))), seeds, hidden=as_json):
        runs.append(run)
        if run.verdict.broken:
            broken.append(run)
    acts, writes = sum(r.verdict.acts for r in runs), sum(r.verdict.writes for r in runs)
    notifying, mails = sum(r.verdict.post.notifying for r in runs), sum(r.verdict.post.mails for r in runs)
    if as_json:
        document(
            {
                "seeds": seeds,
                "from": first,
                "systems": systems,
                "acts": acts,
                "writes": writes,
                "notifying_writes": notifying,
                "mails": mails,
                "notifying_writes_per_act": round(notifying / acts, 2) if acts else 0,
                "excused": sum(len(r.verdict.excused) for r in runs),
                "broken": [{"seed": r.seed, "laws": list(r.verdict.broken)} for r in broken],
            }
        )
        return 1 if broken else 0
    if broken:
        task, worst = tasks[broken[0].seed - first], broken[0]
        with runner.hushed():
            say(f"Seed {worst.seed} breaks a law. Its story:", *runner.story(runner.play(task.scenario, store)[1]))
            smallest = runner.shrink(task.scenario, worst.verdict.law, store)
            verdict, lines = runner.play(smallest, store)
        say("", "The shortest story found that breaks the same law:", *runner.story(lines), "", *verdict.broken, "")
        say(f"Seed {worst.seed}:", *worst.verdict.broken, f"Replay: {task.command}")
        say(f"{len(broken)} of {seeds} seeds break a law: {', '.join(str(r.seed) for r in broken[:40])}")
        return 1
    excused = sum(len(r.verdict.excused) for r in runs)
    say(
        f"All laws hold on {seeds} seeds: {acts} acts of people, {writes} writes of ours, "
        f"{excused} excuses, each with its cause.",
        f"{notifying} writes made a tracker send mail ({notifying / max(acts, 1):.2f} per act of a person), "
        f"{mails} mails at most.",
    )
    return 0


@contextmanager
def _bar(total: int, hidden: bool) -> Iterator[Progress]:
    columns = ("simulating", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console(), transient=True, disable=hidden) as progress:
        progress.add_task("", total=total)
        yield progress


def _shown(items: Iterable[T], total: int, *, hidden: bool) -> Iterator[T]:
    """The items as they come, with a bar for people who watch."""
    with _bar(total, hidden or not console().is_terminal) as progress:
        for item in items:
            progress.advance(progress.task_ids[0])
            yield item


COMMANDS = (simulate,)
