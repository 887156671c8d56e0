"""`deadletter …`: looks that need a person, with the tracker's own words; what a person says to them."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import click

from central.delivery import Delivery, Direction
from central.store.api import Transaction
from sync import deadletters, doubt, live
from sync.cli.output import as_json, document, moment, pairs, say, table
from sync.cli.session import Session, who


@click.group("deadletter")
def group() -> None:
    """Looks that were given up after their last try: each needs a person."""


_of_system = click.option("--system", "system", metavar="NAME", help="Those of this system.")
_letters = click.argument("letters", metavar="[LETTER]...", nargs=-1, type=click.IntRange(min=1))
_everything = click.option("--all", "everything", is_flag=True, help="Those of every system.")


@group.command("list")
@_of_system
@click.option("--discarded", is_flag=True, help="Those that somebody discarded, instead.")
@as_json
@click.pass_obj
def list_(session: Session, system: str | None, discarded: bool, as_json: bool) -> None:
    """Every dead letter, oldest first, with the tracker's own words."""

    def question(tx: Transaction) -> list[tuple[Delivery, int | None]]:
        if system is not None:
            live.registered(tx, system)
        found = tx.outbox.discarded(system) if discarded else tx.outbox.dead(system)
        return [(each, deadletters.about(tx, each)) for each in found]

    with session.interdesk() as desk:
        found = desk.store.read(question)
    if as_json:
        document([_plain(each, ticket) for each, ticket in found])
        return
    table(
        ("Letter", "System", "Look", "Ticket", "Tries", "Owed since", "It said"),
        [
            (each.id, each.system, _look(each), ticket, each.attempts, each.owed_since, _first_line(each.error))
            for each, ticket in found
        ],
    )
    if found and not discarded:
        say("look closer with: interdesk deadletter show LETTER; then retry, or discard with a --reason")


@group.command()
@click.argument("letter", type=click.IntRange(min=1))
@as_json
@click.pass_obj
def show(session: Session, letter: int, as_json: bool) -> None:
    """One dead letter: what was to be looked at, why, how often it was tried, and everything the tracker said."""

    def question(tx: Transaction) -> tuple[Delivery, int | None, str]:
        found = deadletters.letter(tx, letter)
        ticket = deadletters.about(tx, found)
        return found, ticket, str(tx.tickets.get(ticket)["subject"]) if ticket is not None else ""

    with session.interdesk() as desk:
        found, ticket, subject = desk.store.read(question)
    if as_json:
        document(_plain(found, ticket))
        return
    pairs(
        [
            ("letter", found.id),
            ("state", found.state),
            ("system", found.system),
            ("look", _look(found)),
            ("ticket", "not known here yet" if ticket is None else f"{ticket}: {subject}"),
            ("owed since", moment(found.owed_since)),
            ("owed because", found.reason),
            ("tries", found.attempts),
            ("it said", found.error),
        ]
    )


@group.command()
@_letters
@_of_system
@_everything
@as_json
@click.pass_obj
def retry(session: Session, letters: tuple[int, ...], system: str | None, everything: bool, as_json: bool) -> None:
    """Try dead letters again: those of these numbers, of one --system, or --all. A running interdesk begins at once."""
    _act(session, letters, system, everything, as_json, "tried again", deadletters.retry)


@group.command()
@_letters
@_of_system
@_everything
@click.option("--reason", required=True, help="Why, for those who will miss it.")
@as_json
@click.pass_obj
def discard(
    session: Session, letters: tuple[int, ...], system: str | None, everything: bool, reason: str, as_json: bool
) -> None:
    """Give dead letters up: those of these numbers, of one --system, or --all.

    What they were to carry stays untold and is shown as that on the ticket; a new change there makes it owed again.
    """
    if not reason.strip():
        raise click.UsageError("say why with --reason: whoever misses it will read that")
    _act(
        session,
        letters,
        system,
        everything,
        as_json,
        "discarded",
        partial(deadletters.discard, why=reason),
    )


@group.command()
@click.argument("letter", type=click.IntRange(min=1))
@click.option("--there", metavar="ID", help="Their id of the comment that it is.")
@click.option("--never", is_flag=True, help="It never got through: it is sent once more.")
@as_json
@click.pass_obj
def settle(session: Session, letter: int, there: str | None, never: bool, as_json: bool) -> None:
    """Say what became of a comment of ours whose answer was lost, and have its letter tried again.

    Such a letter names the comments of our account there that bear no mark. With --never none of them is it, and they
    are taken in as what somebody wrote there.
    """
    if (there is not None) == never:
        raise click.UsageError("say which: --there ID, or --never")
    with session.interdesk() as desk:
        found = doubt.settle(desk.means, desk.gateways, letter, who(), there=there)
        ticket = desk.store.read(lambda tx: deadletters.about(tx, found))
    if as_json:
        document(_plain(found, ticket))
        return
    became = "is sent once more" if there is None else f"is {there} there"
    say(f"the comment of letter {letter} ({found.system}, {_look(found)}) {became}; it is tried again")


def _act(
    session: Session,
    letters: Sequence[int],
    system: str | None,
    everything: bool,
    as_json: bool,
    done: str,
    act: Callable[..., Sequence[Delivery]],
) -> None:
    if bool(letters) + (system is not None) + everything != 1:
        raise click.UsageError("say which: the numbers of letters, or --system NAME, or --all")

    def question(tx: Transaction) -> list[int]:
        if system is not None:
            live.registered(tx, system)
        return [each.id for each in tx.outbox.dead(system)]

    with session.interdesk() as desk:
        numbers = list(dict.fromkeys(letters)) or desk.store.read(question)
        acted = act(desk.means, numbers, by=who(), named=bool(letters))
        tickets = desk.store.read(lambda tx: [deadletters.about(tx, each) for each in acted])
    if as_json:
        document([_plain(each, ticket) for each, ticket in zip(acted, tickets, strict=True)])
        return
    for each in acted if letters else ():
        say(f"letter {each.id} ({each.system}, {_look(each)}) is {done}")
    if not letters:
        say(f"{len(acted)} letter{'' if len(acted) == 1 else 's'} {'is' if len(acted) == 1 else 'are'} {done}")


def _look(each: Delivery) -> str:
    """What was to be looked at."""
    if each.direction is Direction.INWARD:
        return f"inward, at {each.system}/{each.subject}"
    return f"outward, at ticket {each.subject}"


def _first_line(text: str) -> str:
    return text.splitlines()[0] if text else ""


def _plain(each: Delivery, ticket: int | None) -> dict[str, Any]:
    return {
        "letter": each.id,
        "state": each.state.value,
        "system": each.system,
        "direction": each.direction.value,
        "subject": each.subject,
        "ticket": ticket,
        "attempts": each.attempts,
        "owed_since": each.owed_since,
        "reason": each.reason,
        "error": each.error,
    }


COMMANDS = (group,)
