"""`user …`, `token …` and `person …`: who may come in, and what is kept of people."""

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import click

from central.account import Account, Grant, Scope, Token
from central.desk.auth import once_address
from central.desk.people import LONGEST_TOKEN, of_the_machine
from central.desk.persons import Preview
from central.rights import Principal
from sync.cli.output import as_json, document, say, table
from sync.cli.session import Session, who


def _granted(text: str) -> Grant:
    try:
        return Grant.read(text)
    except ValueError as problem:
        raise click.BadParameter(str(problem)) from None


@click.group()
def user() -> None:
    """The accounts of people and programs, and what each may do."""


@user.command()
@click.argument("login")
@click.option("--name", default="", help="Their full name.")
@click.option("--email", default="", help="Their address: tickets that carry it are their own.")
@click.option(
    "--grant",
    "grants",
    type=_granted,
    metavar="ROLE[:OF]",
    multiple=True,
    help="What they are; may be given several times.",
)
@click.pass_obj
def add(session: Session, login: str, name: str, email: str, grants: tuple[Grant, ...]) -> None:
    """Make an account, and print a link by which they sign in, once.

    A grant is user, supporter:UNIT, operator:SYSTEM, tester:SYSTEM, central or auditor."""
    with session.interdesk() as desk:
        account = desk.people.create(_operator(), login, name=name, email=email, grants=grants)
        _tell_link(session, account.login, desk.people.invite(_operator(), account.login))


@user.command("list")
@as_json
@click.pass_obj
def list_users(session: Session, as_json: bool) -> None:
    """Every account, by login."""
    with session.interdesk() as desk:
        found: list[Account] = []
        while page := desk.people.list(_operator(), after=found[-1].login if found else ""):
            found += page
    if as_json:
        document([_plain(account) for account in found])
        return
    table(
        ("Login", "Name", "E-mail", "Is", "Signs in", "Since"),
        [
            (
                each.login,
                each.name,
                each.email,
                ", ".join(sorted(map(str, each.grants))),
                _way_in(each),
                each.created_at,
            )
            for each in found
        ],
    )


@user.command()
@click.argument("login")
@click.argument("granted", type=_granted, metavar="ROLE[:OF]")
@click.pass_obj
def grant(session: Session, login: str, granted: Grant) -> None:
    """Let somebody be this, too: user, supporter:UNIT, operator:SYSTEM, tester:SYSTEM, central or auditor."""
    with session.interdesk() as desk:
        _tell_grants(desk.people.grant(_operator(), login, granted))


@user.command()
@click.argument("login")
@click.argument("granted", type=_granted, metavar="ROLE[:OF]")
@click.pass_obj
def revoke(session: Session, login: str, granted: Grant) -> None:
    """Let somebody be this no more."""
    with session.interdesk() as desk:
        _tell_grants(desk.people.revoke(_operator(), login, granted))


@user.command()
@click.argument("login")
@click.pass_obj
def disable(session: Session, login: str) -> None:
    """Keep somebody out from now on, whatever they show."""
    with session.interdesk() as desk:
        account = desk.people.disable(_operator(), login)
    say(f"{account.login} is out.")


@user.command()
@click.argument("login")
@click.pass_obj
def enable(session: Session, login: str) -> None:
    """Let somebody in again who was disabled."""
    with session.interdesk() as desk:
        account = desk.people.enable(_operator(), login)
    say(f"{account.login} may come in again.")


@user.command()
@click.argument("login")
@click.pass_obj
def password(session: Session, login: str) -> None:
    """Give somebody a password: it is asked for, or read from the standard input. All their sessions end."""
    with session.interdesk() as desk:
        desk.people.show(_operator(), login)
        if sys.stdin.isatty():
            given = click.prompt("Password", hide_input=True, confirmation_prompt=True)
        else:
            given = sys.stdin.readline().rstrip("\r\n")
        desk.people.set_password(_operator(), login, given)
    say(f"{login} has a new password, and is signed out everywhere.")


@user.command()
@click.argument("login")
@click.pass_obj
def invite(session: Session, login: str) -> None:
    """Print a link by which somebody signs in, once; then their password of before is forgotten."""
    with session.interdesk() as desk:
        _tell_link(session, login, desk.people.invite(_operator(), login))


@click.group()
def token() -> None:
    """Access tokens, which stand in for an account in programs."""


@token.command("add")
@click.argument("login")
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice([scope.value for scope in Scope]),
    multiple=True,
    required=True,
    help="What it may be used for.",
)
@click.option("--days", type=click.IntRange(1, LONGEST_TOKEN.days), default=90, show_default=True, help="It lasts.")
@click.pass_obj
def add_token(session: Session, login: str, name: str, scopes: tuple[str, ...], days: int) -> None:
    """Make a token for an account, and print it: it is shown only now. NAME says what it is for."""
    with session.interdesk() as desk:
        text, made = desk.people.add_token(_operator(), login, name, map(Scope, scopes), lasts=timedelta(days=days))
    say(text, f"Token {made.id} of {login}, until {made.expires_at:%Y-%m-%d}. It is not shown again.")


@token.command("list")
@click.argument("login")
@as_json
@click.pass_obj
def list_tokens(session: Session, login: str, as_json: bool) -> None:
    """Every token that an account ever had."""
    with session.interdesk() as desk:
        found, now = desk.people.tokens(_operator(), login), desk.clock()
    if as_json:
        document(
            [
                {
                    "id": each.id,
                    "name": each.name,
                    "scopes": sorted(each.scopes),
                    "created_at": each.created_at,
                    "expires_at": each.expires_at,
                    "used_at": each.used_at,
                    "revoked_at": each.revoked_at,
                }
                for each in found
            ]
        )
        return

    def state(each: Token) -> str:
        return "revoked" if each.revoked_at else "expired" if each.expires_at <= now else "good"

    table(
        ("Token", "Name", "Scopes", "State", "Until", "Last used"),
        [
            (each.id, each.name, ", ".join(sorted(each.scopes)), state(each), each.expires_at, each.used_at or "never")
            for each in found
        ],
    )


@token.command("revoke")
@click.argument("login")
@click.argument("number", type=int, metavar="TOKEN")
@click.pass_obj
def revoke_token(session: Session, login: str, number: int) -> None:
    """Let a token stand for nobody any more."""
    with session.interdesk() as desk:
        desk.people.revoke_token(_operator(), login, number)
    say(f"Token {number} of {login} is good for nothing any more.")


@click.group()
def person() -> None:
    """What is kept of one person: named by address, login, or SYSTEM/ID where they write without an address."""


@person.command()
@click.argument("who")
@click.pass_obj
def export(session: Session, who: str) -> None:
    """Print all that is kept of somebody, as one JSON document."""
    with session.interdesk() as desk:
        document(desk.persons.export(_operator(), who))


@person.command()
@click.argument("who")
@click.option(
    "--preview", is_flag=True, help="Change nothing: show every place that names them, and what it would say."
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@as_json
@click.pass_obj
def erase(session: Session, who: str, preview: bool, yes: bool, as_json: bool) -> int:
    """Forget somebody everywhere: what they said stays, by nobody in particular. It cannot be undone.

    Out of the words of comments, descriptions, solutions and files' names go their address and their full name.
    Exit code 1 where something is left: say it again."""
    with session.interdesk() as desk:
        if preview:
            _show_preview(desk.persons.preview(_operator(), who), as_json=as_json)
            return 0
        if not yes:
            found = desk.persons.preview(_operator(), who)
            click.confirm(f"{_counted(found)} name {who}; --preview shows them. Erase?", abort=True)
        erased = desk.persons.erase(_operator(), who)
    if as_json:
        document(asdict(erased))
    else:
        say(f"{erased.accounts} accounts and {erased.tickets - len(erased.busy)} tickets name {erased.alias} now.")
        for place in erased.still:
            say(f"{place} names them still: that is for whoever runs that system.")
        for number in erased.busy:
            say(f"Ticket {number} was being looked at: say it again.")
    return 1 if erased.busy else 0


def _show_preview(found: Preview, *, as_json: bool) -> None:
    if as_json:
        document(asdict(found))
        return
    rows = [(each.ticket, f"{each.place} {each.which}", each.says, each.becomes) for each in found.mentions]
    table(("Ticket", "Where", "Says", "Would say"), rows)
    say(f"{_counted(found)} would name {found.alias} instead, or nobody.")
    if found.copies:
        number, some = len(found.copies), _some(found.copies)
        say(f"They are {number} tickets in other systems, too, and those keep what they say: {some}.")


def _counted(found: Preview) -> str:
    places = Counter(each.place for each in found.mentions)
    numbers = {"accounts": found.accounts, "tickets": found.tickets, "mails": found.mails, "audit entries": found.audit}
    told = ", ".join(f"{number} {what}" for what, number in numbers.items())
    where = ", ".join(f"{number} x {place}" for place, number in sorted(places.items()))
    return f"{told}{f' ({where})' if where else ''}"


def _some(places: Sequence[str]) -> str:
    return ", ".join(places[:_SHOWN]) + (f" and {len(places) - _SHOWN} more" if len(places) > _SHOWN else "")


_SHOWN = 10


def _operator() -> Principal:
    return of_the_machine(who())


def _tell_link(session: Session, login: str, text: str) -> None:
    say(f"Sign in as {login}, once and within a day:", once_address(session.settings.address, text))


def _tell_grants(account: Account) -> None:
    say(f"{account.login} is {', '.join(sorted(map(str, account.grants))) or 'nothing'}.")


def _way_in(account: Account) -> str:
    if account.disabled_at is not None:
        return "not at all: disabled"
    ways = ["with a password"] * bool(account.password) + ["with their organisation"] * bool(account.subject)
    return " or ".join(ways) or "by link"


def _plain(account: Account) -> dict[str, Any]:
    return {
        "login": account.login,
        "name": account.name,
        "email": account.email,
        "grants": sorted(map(str, account.grants)),
        "signs_in": _way_in(account),
        "created_at": account.created_at,
        "disabled_at": account.disabled_at,
    }


COMMANDS = (user, token, person)
