"""The program: its commands, and what an error means for whoever typed the command."""

import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from mappings.loader import DocumentError
from sync import logs
from sync.cli.lazily import Lazily
from sync.cli.output import complain
from sync.cli.session import Session

DONE, NO, MISTAKE, UNREACHABLE, BUG, INTERRUPTED = 0, 1, 2, 3, 70, 130

_COMMANDS = Lazily(
    {
        **dict.fromkeys(("run", "worker", "demo", "bench"), "running"),
        **dict.fromkeys(("apply", "diff", "rollback", "export"), "documents"),
        **dict.fromkeys(("system", "pause", "resume"), "systems"),
        "mapping": "mappings",
        "connector": "connectors",
        "secret": "secrets",
        "ticket": "tickets",
        **dict.fromkeys(("user", "token", "person"), "people"),
        "guard": "guards",
        "deadletter": "deadletters",
        "conflict": "conflicts",
        "job": "jobs",
        "status": "health",
        "watch": "watch",
        "mail": "mail",
        "db": "database",
        "simulate": "simulate",
    }
)


@click.group(commands=_COMMANDS, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder that holds everything remembered.  [default: INTERDESK_STATE or ./var]",
)
@click.version_option(package_name="interdesk", prog_name="interdesk")
@click.pass_obj
def interdesk(session: Session, state: Path | None) -> None:
    """Keeps one ticket true in many helpdesks: once, translated, in order, nothing leaked and nothing lost."""
    session.state = state


def main() -> None:
    """Run the command that was typed, and end with its exit code."""
    logs.quiet()
    sys.exit(run(sys.argv[1:]))


def run(words: list[str]) -> int:
    """Carry out these words; returns the exit code. No traceback for a user's mistake; no bug is swallowed."""
    session = Session()
    try:
        answer: Any = interdesk.main(words, prog_name="interdesk", standalone_mode=False, obj=session)
    except click.ClickException as mistake:
        mistake.show()
        return MISTAKE
    except (click.Abort, KeyboardInterrupt):
        complain("Interrupted.")
        return INTERRUPTED
    except DocumentError as mistake:
        complain(str(mistake))
        return MISTAKE
    except Exception as problem:  # noqa: BLE001  # whatever it is, it is ours, unless it is told otherwise
        from sync.cli import errors  # it knows the whole house, and is asked when something went wrong

        if isinstance(problem, errors.UNREACHABLE):
            complain(str(problem))
            return UNREACHABLE
        if isinstance(problem, errors.MISTAKES):
            complain(str(problem))
            return MISTAKE
        return _bug(session.log_folder)
    return answer if isinstance(answer, int) else DONE


def _bug(folder: Path) -> int:
    """Say that it is our fault, and keep the traceback where it can be sent from."""
    trace = traceback.format_exc()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"bug-{datetime.now(UTC):%Y%m%dT%H%M%S}.txt"
        file.write_text(trace, encoding="utf-8")
        complain("This is a bug of interdesk, not a mistake of yours.", f"Please report it with {file}.")
    except OSError:
        complain("This is a bug of interdesk, not a mistake of yours. Please report it with this:", trace)
    return BUG
