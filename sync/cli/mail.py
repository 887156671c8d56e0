"""`mail …`: what came by mail and was not believed, until somebody has looked at it."""

from collections.abc import Sequence

import click

from central.desk.mail.intake import MailDesk
from central.desk.people import of_the_machine
from central.desk.tickets import TicketDesk
from central.mail import Mail, Verdict
from central.rights import Principal
from central.store.api import NoSuch
from sync.bootstrap import Interdesk
from sync.cli.output import as_json, document, printable, say, table
from sync.cli.session import Session, who
from sync.mailroom import Reader
from sync.post_office import UnusableMail, reader_of, signer_of
from sync.settings import BadSetting


@click.group()
def mail() -> None:
    """Mail that was not believed: what to do about it."""


@mail.command("list")
@click.option("--all", "everything", is_flag=True, help="Every mail that came, whatever became of it.")
@as_json
@click.pass_obj
def list_mails(session: Session, everything: bool, as_json: bool) -> None:
    """The mails in quarantine, newest first."""
    with session.interdesk() as desk:
        verdict = None if everything else Verdict.QUARANTINED
        found: Sequence[Mail] = desk.store.read(lambda tx: tx.mails.list(verdict=verdict))
    if as_json:
        document([_plain(each) for each in found])
        return
    table(
        ("Mail", "Came at", "From", "Subject", "Became", "Ticket", "Why"),
        [(each.id, each.at, each.sender, each.subject, each.verdict, each.ticket_id, each.why) for each in found],
    )


@mail.command()
@click.argument("number", type=int)
@click.pass_obj
def show(session: Session, number: int) -> None:
    """A mail in quarantine as it came."""
    with session.interdesk() as desk:
        kept = desk.store.read(lambda tx: tx.mails.get(number))
        if not kept.sha256:
            raise NoSuch(f"nothing of mail {number} was kept: it was {kept.verdict}")
        with desk.store.open_blob(kept.sha256) as chunks:
            say(printable(b"".join(chunks).decode("utf-8", "replace")))


@mail.command()
@click.argument("number", type=int)
@click.pass_obj
def release(session: Session, number: int) -> None:
    """Believe a mail: its sender is whom it names. It opens its ticket, or answers it."""
    with session.interdesk() as desk:
        verdict = _door(desk).release(_operator(), number, _reader(desk).read)
        ticket = desk.store.read(lambda tx: tx.mails.get(number)).ticket_id
    say(f"mail {number}: {verdict}, ticket {ticket}")


@mail.command()
@click.argument("number", type=int)
@click.option("--why", default="", help="For whoever asks later.")
@click.pass_obj
def discard(session: Session, number: int, why: str) -> None:
    """Look no more at a mail."""
    with session.interdesk() as desk:
        _door(desk).discard(_operator(), number, why)
    say(f"mail {number} is discarded")


def _door(desk: Interdesk) -> MailDesk:
    return MailDesk(desk.store, TicketDesk(desk.store, desk.centre), desk.clock)


def _reader(desk: Interdesk) -> Reader:
    document = desk.settings.instance.mail
    if document is None:
        raise BadSetting("this desk has no mail: the instance's document has no key mail")
    try:
        signer = signer_of(document, desk.secrets.look_up)
    except UnusableMail as problem:
        raise BadSetting(str(problem)) from None
    return reader_of(document, signer, desk.means.centre)


def _operator() -> Principal:
    return of_the_machine(who())


def _plain(each: Mail) -> dict[str, object]:
    return {
        "mail": each.id,
        "message_id": each.message_id,
        "at": each.at.isoformat(),
        "sender": each.sender,
        "subject": each.subject,
        "verdict": each.verdict,
        "why": each.why,
        "ticket": each.ticket_id,
    }


COMMANDS = (mail,)
