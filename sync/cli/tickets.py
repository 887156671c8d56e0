"""`ticket …`: find a ticket by anybody's id, read it, learn why a field has its value."""

from dataclasses import asdict
from typing import Any

import click

from central.desk.views import Letter, letters, shown
from central.link import Link
from central.model import FIELDS, Attachment, Comment, Conflict, Ticket, Visibility
from central.store.api import Transaction
from sync import why as reasons
from sync.cli.output import as_json, document, moment, pairs, say, table
from sync.cli.session import Session, ticket_id


@click.group("ticket")
def group() -> None:
    """Tickets: by our number, or by SYSTEM/KEY as a system calls them."""


@group.command("list")
@click.argument("words", nargs=-1)
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="How many.")
@click.option("--before", type=int, help="Continue below this number.")
@as_json
@click.pass_obj
def list_(session: Session, words: tuple[str, ...], limit: int, before: int | None, as_json: bool) -> None:
    """The latest tickets; with WORDS, those whose subject holds them all."""

    def question(tx: Transaction) -> list[tuple[Ticket, list[str]]]:
        found = tx.tickets.list(words=" ".join(words), limit=limit, before=before)
        return [(each, [f"{link.system}/{link.key or '…'}" for link in tx.links.of(each.id)]) for each in found]

    with session.interdesk() as desk:
        found = desk.store.read(question)
    if as_json:
        document([{**_plain(ticket), "links": links} for ticket, links in found])
        return
    table(
        ("Ticket", "Subject", "Status", "Unit", "Linked to", "Changed"),
        [(t.id, shown(t["subject"]), shown(t["status"]), shown(t["unit"]), links, t.changed_at) for t, links in found],
    )


@group.command()
@click.argument("ticket")
@as_json
@click.pass_obj
def show(session: Session, ticket: str, as_json: bool) -> None:
    """One ticket: fields, conversation (internal parts too), links, disagreements, edits that lost."""

    def question(
        tx: Transaction,
    ) -> tuple[Ticket, Any, Any, Any, Any, Any]:
        number = ticket_id(tx, ticket)
        tickets = tx.tickets
        return (
            tickets.get(number),
            tickets.comments(number),
            tickets.files(number),
            tx.links.of(number),
            tickets.conflicts(number),
            letters(tx, number),
        )

    with session.interdesk() as desk:
        found, comments, files, links, conflicts, stuck = desk.store.read(question)
    if as_json:
        document(
            {
                **_plain(found),
                "comments": [asdict(each) for each in comments],
                "files": [asdict(each) for each in files],
                "links": [_plain_link(each) for each in links],
                "conflicts": [asdict(each) for each in conflicts],
                "letters": [asdict(each) for each in stuck],
            }
        )
        return
    say(f"ticket {found.id}, revision {found.revision}: {shown(found['subject'])}", "")
    pairs([(spec.label, shown(found[name])) for name, spec in FIELDS.items() if found[name] is not None])
    _show_links(links)
    _show_letters(stuck)
    _show_conflicts(conflicts)
    _show_conversation(comments, files)


@group.command()
@click.argument("ticket")
@click.argument("field")
@as_json
@click.pass_obj
def why(session: Session, ticket: str, field: str, as_json: bool) -> None:
    """Why FIELD has its value: who set it where, what carried it, what lost, which echoes were dropped."""

    def question(tx: Transaction) -> reasons.Why:
        number = ticket_id(tx, ticket)
        return reasons.explain(
            tx.tickets.get(number),
            field,
            tx.tickets.events(number),
            tx.links.of(number),
            tx.tickets.conflicts(number),
        )

    with session.interdesk() as desk:
        try:
            answer = desk.store.read(question)
        except reasons.NoField as mistake:
            raise click.UsageError(str(mistake)) from None
    if as_json:
        document(asdict(answer))
    else:
        say(*reasons.told(answer))


def _plain(ticket: Ticket) -> dict[str, Any]:
    return {
        "id": ticket.id,
        "revision": ticket.revision,
        "fields": dict(ticket.fields),
        "born_in": ticket.born_in,
        "created_at": ticket.created_at,
        "changed_at": ticket.changed_at,
    }


def _plain_link(link: Link) -> dict[str, Any]:
    return {
        "system": link.system,
        "key": link.key,
        "state": link.state.value,
        "address": link.address,
        "born_there": link.birth,
        "disagreements": dict(link.disagreements),
        "agreed_at": link.agreed_at,
        "last_error": link.last_error,
    }


def _show_links(links: list[Link]) -> None:
    say("", "Links" if links else "Not linked to any system.")
    for link in links:
        born = ", born there" if link.birth else ""
        say(f"  {link.system}/{link.key or '…'}: {link.state}{born}, all agreed {moment(link.agreed_at)}")
        for field, reason in link.disagreements.items():
            say(f"    {field} disagrees: {reason}")
        if link.last_error:
            say(f"    last error: {link.last_error}")


def _show_letters(stuck: tuple[Letter, ...]) -> None:
    if stuck:
        say("", "Waiting for a person: interdesk deadletter show LETTER")
    for each in stuck:
        say(f"  letter {each.number}, {each.system}: {each.sentence}")


def _show_conflicts(conflicts: list[Conflict]) -> None:
    if conflicts:
        say("", "Edits that lost")
    for each in conflicts:
        say(
            f"  {moment(each.at)} {each.field} with {each.system}: ours {shown(each.ours)!r}, theirs "
            f"{shown(each.theirs)!r}; {each.winner} stands ({each.reason})"
        )


def _show_conversation(comments: list[Comment], files: list[Attachment]) -> None:
    say("", "Conversation" if comments or files else "Nothing was said yet.")
    loose = [file for file in files if file.comment_id is None]
    for file in loose:
        say(f"  file {file.name} ({file.size} bytes)")
    for comment in comments:
        internal = " [internal]" if comment.visibility is Visibility.INTERNAL else ""
        where = f" in {comment.author.system}" if comment.author.system else ""
        say(f"  {comment.author.label}{where}, {moment(comment.created_at)}{internal}")
        say(*(f"    {line}" for line in comment.text.splitlines()))
        for file in files:
            if file.comment_id == comment.id:
                say(f"    file {file.name} ({file.size} bytes)")


COMMANDS = (group,)
