"""`run`, `demo`, `bench`: the commands that keep a whole interdesk at work."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import click

from central.desk.auth import once_address
from central.desk.people import ADMINISTRATOR
from sync import logs
from sync.bench import BENCHES
from sync.bench import bench as measuring
from sync.bench.progress import telling
from sync.bootstrap import Interdesk
from sync.cli.output import as_json, console, document, say, table
from sync.cli.session import Session
from sync.settings import BadSetting


@click.command()
@click.pass_obj
def run(session: Session) -> None:
    """Synchronise: web pages, webhooks, polling and work in this one process, until Ctrl-C."""
    from sync.serving import Server  # FastAPI is slow to load, and no other command needs it

    with Interdesk(session.settings, exclusive=True) as desk:
        logs.configure(sys.stderr, desk.secrets.mask, form=session.settings.log)
        with until_told() as told, Server(desk) as server:
            say(server.address)
            invitation = desk.people.ensure_administrator()
            if invitation is not None:
                say(
                    f"Nobody has an account yet. Sign in as {ADMINISTRATOR}, once and within a day "
                    f"(afterwards: interdesk user invite {ADMINISTRATOR}):",
                    once_address(session.settings.instance.public_url or server.address, invitation),
                )
            desk.start(mail=True)
            told.wait()


@click.command()
@click.pass_obj
def worker(session: Session) -> None:
    """Poll and work beside other workers, without pages, until Ctrl-C. They meet in a PostgreSQL database.

    One of them polls for all; a broker (INTERDESK_BROKER) wakes them at once, and without one they look around."""
    if not session.settings.database.startswith("postgres"):
        raise BadSetting(
            "a worker works beside others, and SQLite is for one process: set INTERDESK_DATABASE=postgresql://..., "
            "or say interdesk run"
        )
    with Interdesk(session.settings, exclusive=True) as desk:
        logs.configure(sys.stderr, desk.secrets.mask, form=session.settings.log)
        with until_told() as told:
            desk.start(mail=True)
            say("at work")
            told.wait()


@click.command()
@click.option("--once", is_flag=True, help="End after the story instead of staying up.  [also: ONCE=1]", envvar="ONCE")
@click.pass_obj
def demo(session: Session, once: bool) -> int:
    """Play a ticket's story between an emulated RT and an emulated Redmine, then stay up with the status page.

    Exit code 1 where one of the five laws was broken.
    """
    from sync.demo.show import show  # it loads the server

    def linger(link: str) -> None:
        if once:
            return
        state = session.settings.state / "demo"
        say(f"Sign in as {ADMINISTRATOR}, once: {link}")
        say(f"Look around: interdesk --state {state} ticket show 1", "Ctrl-C ends the demo.")
        with until_told() as told:
            told.wait()

    return 0 if show(session.settings, console(), linger) else 1


@click.command(
    help="Measure interdesk beside the least that any program could do, in one run. Exit code 1 where it is too slow."
    "\n\n" + "\n\n".join(f"{name}: {about}." for name, about in BENCHES.items())
)
@click.argument("name", type=click.Choice(list(BENCHES), case_sensitive=False))
@click.option("--size", type=click.Choice(["small", "full"]), default="small", show_default=True)
@as_json
@click.pass_obj
def bench(session: Session, name: str, size: str, as_json: bool) -> int:
    with telling(lambda sentence: click.echo(f"{name} {size}: {sentence}", err=True)):
        report = measuring(name)(session.settings, size)
    if as_json:
        document(report.plain())
    else:
        figures = list(report.metrics)
        rows = [(who, *(row.get(figure, "") for figure in figures)) for who, row in report.rows()]
        table((name, *(figure.replace("_", " ") for figure in figures)), rows)
        say(*report.wrong, *report.told())
    return 0 if report.met else 1


@contextmanager
def until_told() -> Iterator[threading.Event]:
    """An event that Ctrl-C and a polite kill set, so that everything ends in order."""
    told = threading.Event()

    def tell(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        told.set()

    before = {number: signal.signal(number, tell) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


COMMANDS = (run, worker, demo, bench)
