"""The program: its commands, and what an error means for whoever typed the command."""

import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from central.desk.passwords import BadPassword
from central.desk.services import NotAllowed, NotNow
from central.store.api import Busy, CommitUnknown, StoreError, Unreachable
from connectors.errors import AccessError, NotFound, ProtocolError, Refused, Transient
from mappings.loader import DocumentError
from sync import logs
from sync.bootstrap import BadSetting
from sync.bus.api import BrokerAway, BrokerRefuses
from sync.cli import (
    conflicts,
    connectors,
    database,
    deadletters,
    documents,
    guards,
    health,
    jobs,
    mappings,
    people,
    running,
    simulate,
    systems,
    tapes,
    tickets,
)
from sync.cli.output import complain
from sync.cli.session import Session
from sync.gateways import Unusable
from sync.identity import BadIdentity
from sync.recovery.search import StillWorking
from sync.secrets import MissingSecret
from sync.taping import BadTape

DONE, NO, MISTAKE, UNREACHABLE, BUG, INTERRUPTED = 0, 1, 2, 3, 70, 130

_MISTAKES = (
    BadTape,
    DocumentError,
    BadSetting,
    BadIdentity,
    MissingSecret,
    Unusable,
    NotNow,
    NotAllowed,
    BadPassword,
    StoreError,
    AccessError,
    Refused,
    NotFound,
    BrokerRefuses,
    StillWorking,
)
_UNREACHABLE = (Transient, ProtocolError, Busy, Unreachable, CommitUnknown, BrokerAway)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
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


for _command in (
    *running.COMMANDS,
    *documents.COMMANDS,
    *systems.COMMANDS,
    *mappings.COMMANDS,
    *connectors.COMMANDS,
    *tickets.COMMANDS,
    *guards.COMMANDS,
    *deadletters.COMMANDS,
    *conflicts.COMMANDS,
    *people.COMMANDS,
    *jobs.COMMANDS,
    *health.COMMANDS,
    *database.COMMANDS,
    *simulate.COMMANDS,
):
    interdesk.add_command(_command)
for _command in tapes.COMMANDS:
    connectors.group.add_command(_command)


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
    except _UNREACHABLE as problem:
        complain(str(problem))
        return UNREACHABLE
    except _MISTAKES as mistake:
        complain(str(mistake))
        return MISTAKE
    except Exception:  # noqa: BLE001  # whatever it is, it is ours
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
