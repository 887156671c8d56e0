"""`watch`: a process beside interdesk that notices when the engine itself has stopped, and tells."""

import os
import shlex
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from ipaddress import ip_network

import click

from central.store.sql import SqlStore
from connectors.environment import Environment
from connectors.errors import ConnectorError
from sync.bootstrap import DEADLINE
from sync.cli.output import complain, say
from sync.cli.running import until_told
from sync.cli.session import Session
from sync.config import duration
from sync.outgoing import Outgoing
from sync.secrets import Secrets
from sync.settings import BadSetting, Settings, utc_now
from sync.watching import Bounds, Verdict, Watch

_ANYWHERE = (ip_network("0.0.0.0/0"), ip_network("::/0"))


def _length(_: click.Context, __: click.Parameter, said: str) -> timedelta:
    try:
        return duration(said)
    except ValueError as wrong:
        raise click.BadParameter(str(wrong)) from None


def _period(flag: str, default: str, help: str) -> Callable[[Callable[..., int]], Callable[..., int]]:  # noqa: A002
    return click.option(flag, default=default, show_default=True, metavar="TIME", callback=_length, help=help)


@click.command()
@click.option("--once", is_flag=True, help="Look once, and end: exit code 1 where something is wrong.")
@_period("--every", "30s", "How often to look.")
@_period("--silence", "90s", "How long the engine may not be heard of.")
@_period("--lag", "1h", "How long a system that answers may be owed something.")
@click.option("--web", metavar="URL", help="Where interdesk's own pages are: they have to answer, too.")
@click.option("--command", metavar="WORDS", help="A program to run with each news; it reads them from its input.")
@click.option("--ping", metavar="URL", help="A dead-man's switch: asked with each look that finds all well.")
@click.pass_obj
def watch(
    session: Session,
    once: bool,
    every: timedelta,
    silence: timedelta,
    lag: timedelta,
    web: str | None,
    command: str | None,
    ping: str | None,
) -> int:
    """Watch interdesk from a process of its own, and tell when its engine has stopped.

    It tells by mail to alerts.contacts and by alerts.webhook of the instance's document, by --command, and by not
    asking --ping any more. Where the database is a server, run it on another host: the death of its own it cannot tell.
    """
    settings = session.settings
    for url in (web, ping):
        if url is not None and not url.startswith(("http://", "https://")):
            raise BadSetting(f"a web address begins with https:// or http://, not {url!r}")
    outgoing = _outgoing(settings)
    # our own pages may be anywhere: whoever runs this says where, and nothing but their health is asked
    anywhere = replace(_environment(settings), allowed_networks=_ANYWHERE)
    pages = Outgoing(settings.instance, anywhere, _no_secret, settings.beside)
    ask = partial(pages.ask, "GET", f"{web.rstrip('/')}/healthz", about=f"{web}/healthz") if web else None
    looks = Watch(partial(_opened, settings), ask, utc_now, Bounds(silence, lag))
    if once:
        wrong = looks.look()
        say(*(wrong or ("all is well",)))
        _ping(outgoing, ping if not wrong else None)
        return 1 if wrong else 0
    news, verdict = _News(settings, outgoing, command), Verdict()
    say("watching")
    with until_told() as told:
        while not told.is_set():
            found = looks.look()
            if verdict.take(found):
                news.add(verdict)
            news.deliver()
            _ping(outgoing, ping if not found else None)
            told.wait(every.total_seconds())
    return 1 if verdict.ill else 0


class _News:
    """What there is to tell, until it was told: a way that fails is tried again with the next look."""

    def __init__(self, settings: Settings, outgoing: Outgoing, command: str | None) -> None:
        self._settings, self._outgoing = settings, outgoing
        self._command = shlex.split(command) if command else []
        self._untold: list[tuple[str, Callable[[], None]]] = []

    def add(self, verdict: Verdict) -> None:
        """Tell this on every way."""
        at, instance = utc_now(), self._settings.instance
        headline = "interdesk has stopped" if verdict.ill else "interdesk is well again"
        text = "\n".join([f"{headline} ({at:%Y-%m-%d %H:%M:%S} UTC)", *verdict.wrong])
        say(text)
        letter = f"{text}\n\nNext: look at its host and start it anew: interdesk run, or interdesk worker.\n"
        letter = letter if verdict.ill else f"{text}\n"
        mark = f"watch-{at:%Y%m%dT%H%M%S}-{os.getpid()}"
        ways, self._untold = self._outgoing.ways(), []  # older news are no news any more
        if "mail" in ways:
            for number, to in enumerate(instance.alerts.contacts):
                subject = f"[interdesk] {headline}"
                self._untold.append((to, partial(self._outgoing.mail, to, subject, letter, f"{mark}-{number}", at)))
        if "webhook" in ways:
            self._untold.append(
                ("webhook", partial(self._outgoing.post, _document(verdict, instance.centre, at), mark))
            )
        if self._command:
            self._untold.append(("command", partial(self._run, f"{text}\n", "ill" if verdict.ill else "well")))

    def deliver(self) -> None:
        """Tell what is untold."""
        still = []
        for way, tell in self._untold:
            try:
                tell()
            except (ConnectorError, OSError, subprocess.SubprocessError) as problem:
                complain(f"{way}: not told yet ({problem})")
                still.append((way, tell))
        self._untold = still

    def _run(self, text: str, state: str) -> None:
        environ = {**os.environ, "INTERDESK_WATCH": state}
        subprocess.run(self._command, input=text, text=True, env=environ, timeout=60, check=True)  # noqa: S603  # theirs


def _document(verdict: Verdict, centre: str, at: datetime) -> dict[str, object]:
    stage = "begun" if verdict.ill else "over"
    told = {"system": "", "kind": "engine", "stage": stage, "said": "; ".join(verdict.wrong)}
    return {"at": at.isoformat(), "instance": centre, "alerts": [told]}


def _ping(outgoing: Outgoing, url: str | None) -> None:
    try:
        if url is not None:
            outgoing.ask("GET", url, about="the dead-man's switch")
    except ConnectorError as problem:
        complain(str(problem))


def _opened(settings: Settings) -> SqlStore:
    return SqlStore.open(settings.database, clock=utc_now, exclusive=False)


def _environment(settings: Settings) -> Environment:
    return Environment(clock=utc_now, allowed_networks=settings.instance.allowed_networks, deadline=DEADLINE / 3)


def _outgoing(settings: Settings) -> Outgoing:
    secrets = Secrets(settings.environ, settings.instance.secrets_folder(settings.beside))
    return Outgoing(settings.instance, _environment(settings), secrets.look_up, settings.beside)


def _no_secret(reference: str) -> str:
    raise LookupError(f"nobody asks for {reference} here")


COMMANDS = (watch,)
