"""The demo from curtain to curtain: the stage, the story, the judgement."""

import logging
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from central.desk.auth import once_address
from sync import logs
from sync.bootstrap import Interdesk
from sync.demo.stage import Stage, stage
from sync.demo.story import CANARY, Story
from sync.demo.telling import Stuck, Teller
from sync.demo.verdict import Judge, Judgement
from sync.settings import Settings


def show(settings: Settings, console: Console, linger: Callable[[str], None]) -> bool:
    """Play the demo; whether all went as promised. `linger` keeps the stage up after the story,
    and is told where one signs in.

    :raises Busy: another demo is on."""
    log = settings.state / "demo" / "interdesk.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w", encoding="utf-8") as lines:

        def prepared(desk: Interdesk) -> None:
            logs.configure(lines, desk.secrets.mask, level=logging.INFO)

        with stage(settings, prepared) as on_stage:
            console.print(on_stage.address)
            console.print(f"interdesk between an emulated RT ({on_stage.rt.url}) and Redmine ({on_stage.redmine.url}).")
            well = _play(on_stage, Teller(console), console, log)
            console.print()
            linger(once_address(on_stage.address, on_stage.desk.people.ensure_administrator() or ""))
            logs.quiet()
    return well


def _play(on_stage: Stage, teller: Teller, console: Console, log: Path) -> bool:
    story = Story(on_stage, teller)
    try:
        wrote_in_quiet = story.play()
    except Stuck as stuck:
        console.print(f"\n{stuck}\nWhat interdesk did is in {log}")
        return False
    judgements = Judge(on_stage, canary=CANARY, wrote_in_quiet=wrote_in_quiet).judge()
    _summarise(on_stage, story, teller, judgements)
    return not any(judgement.broken for judgement in judgements)


def _summarise(on_stage: Stage, story: Story, teller: Teller, judgements: list[Judgement]) -> None:
    desk = on_stage.desk
    counts, tickets = desk.store.read(lambda tx: (tx.outbox.counts(), tx.tickets.count()))
    written = story.written()
    teller.table(
        f"{tickets} ticket at the centre",
        ("System", "Product", "Linked", "Requests", "of them writing"),
        [
            (
                name,
                desk.gateways.get(name).mapping.name,
                str(counts[name].links),
                str(emulator.counts.total()),
                str(written[name]),
            )
            for name, emulator in on_stage.trackers.items()
        ],
    )
    teller.table(
        "The five laws, by the trackers' own logs",
        ("Law", "It holds", "Promise"),
        [(each.law, "; ".join(each.broken) or "yes", each.promise) for each in judgements],
    )
