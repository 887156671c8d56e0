"""`guard …`: what is held because it looked wrong, and what a person says to it."""

import json
from dataclasses import asdict
from typing import Any

import click

from central.guard import Hold, HoldState
from central.store.api import Transaction
from sync.cli.output import as_json, document, moment, pairs, say, table
from sync.cli.session import Session, who
from sync.guards import holds

_PAGE = 500


@click.group("guard")
def group() -> None:
    """What is held because it looked wrong: it waits for a person."""


@group.command("list")
@click.option("--all", "everything", is_flag=True, help="Those that were decided, too.")
@as_json
@click.pass_obj
def list_(session: Session, everything: bool, as_json: bool) -> None:
    """What is held, and why."""
    with session.interdesk() as desk:
        found = desk.store.read(lambda tx: _all(tx, open_only=not everything))
    if as_json:
        document([_plain(hold) for hold in found])
        return
    table(
        ("Hold", "Guard", "System", "Ticket", "State", "Since", "Reason"),
        [(h.id, h.kind, h.system, h.ticket_id, h.state, h.opened_at, h.reason) for h in found],
    )
    if any(hold.state is HoldState.OPEN for hold in found):
        say("look closer with: interdesk guard show HOLD")


@group.command()
@click.argument("hold", type=click.IntRange(min=1))
@as_json
@click.pass_obj
def show(session: Session, hold: int, as_json: bool) -> None:
    """One hold: why, and everything it was judged by."""
    with session.interdesk() as desk:
        found = desk.store.read(lambda tx: tx.guards.get(hold))
    if as_json:
        document(_plain(found))
        return
    pairs(
        [
            ("hold", found.id),
            ("guard", found.kind),
            ("system", found.system),
            ("ticket", found.ticket_id),
            ("state", f"{found.state} by {found.decided_by}" if found.decided_by else found.state),
            ("opened", found.opened_at),
            ("decided", moment(found.decided_at)),
            ("reason", found.reason),
        ]
    )
    _show_evidence(found.evidence)


@group.command()
@click.argument("hold", type=click.IntRange(min=1))
@click.pass_obj
def approve(session: Session, hold: int) -> None:
    """It is right: let it go on as if nobody had asked."""
    with session.interdesk() as desk:
        decided = holds.approve(desk.means, hold, who())
    say(f"hold {decided.id} is approved: {decided.reason}", *_next(decided))


@group.command()
@click.argument("hold", type=click.IntRange(min=1))
@click.option("--write-back", is_flag=True, help="Write our values over the edits that are rejected.")
@click.pass_obj
def reject(session: Session, hold: int, write_back: bool) -> None:
    """It is wrong: keep our values. Rejected edits are kept and shown; theirs stay unless --write-back is given."""
    with session.interdesk() as desk:
        decided = holds.reject(desk.means, hold, who(), write_back=write_back)
    say(f"hold {decided.id} is rejected: {decided.reason}", *_next(decided))


def _all(tx: Transaction, *, open_only: bool) -> list[Hold]:
    found: list[Hold] = []
    while page := tx.guards.list(open_only=open_only, after=found[-1].id if found else 0, limit=_PAGE):
        found += page
    return found


def _next(hold: Hold) -> list[str]:
    return [f"go on with: interdesk system release {hold.system}"] if holds.needs_release(hold) else []


def _plain(hold: Hold) -> dict[str, Any]:
    return {**asdict(hold), "evidence": dict(hold.evidence)}


def _show_evidence(evidence: Any) -> None:
    for name, value in evidence.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            say(f"{name}:")
            columns = list(value[0])
            table(tuple(columns), [tuple(row.get(column) for column in columns) for row in value])
        else:
            say(f"{name}: {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}")


COMMANDS = (group,)
