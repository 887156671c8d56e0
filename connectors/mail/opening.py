"""A mail connector out of a profile and settings."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, get_args

from connectors.environment import Environment
from connectors.errors import SettingsError
from connectors.mail.connector import MailConnector
from connectors.mail.imap import ImapMailbox
from connectors.mail.post import SmtpPost
from connectors.mail.profile import NUMBER, MailProfile
from connectors.mail.sending import Correspondents
from connectors.mail.server import Server, server_of
from connectors.mail.trust import Dns, Policy
from connectors.network import Deadline, Reach, tls_context

Authentication = Literal["results", "dkim", "none"]
LARGEST_MAIL = 40 * 1024 * 1024
"""Bytes of a mail that are read; files travel a third larger than they are."""


def open_mail(
    profile: MailProfile, settings: Mapping[str, str], environment: Environment, *, dns: Dns | None = None
) -> MailConnector:
    """The connector of a registered system; its settings hold plain values and nothing is missing.

    :raises SettingsError: with all that is wrong with them."""
    problems: list[tuple[tuple[str | int, ...], str]] = []
    imap, smtp = (_server(settings, name, problems) for name in ("imap", "smtp"))
    for name in ("address", "to"):
        if settings[name].count("@") != 1 or any(each in settings[name] for each in " <>,;\r\n"):
            problems.append(((name,), f"{name} must be one address alone, not {settings[name]!r}"))
    if settings["address"].lower() == settings["to"].lower():
        problems.append((("to",), "to must be another address than ours: else we would answer ourselves"))
    authentication = settings["authentication"]
    if authentication not in get_args(Authentication):
        known = ", ".join(get_args(Authentication))
        problems.append((("authentication",), f"authentication is one of {known}, not {authentication!r}"))
    if authentication == "results" and not settings.get("authserv_id"):
        sentence = "authserv_id is missing: the name that our mail server gives in its Authentication-Results headers"
        problems.append((("authserv_id",), sentence))
    if len(settings["secret"]) < 16:
        problems.append((("secret",), "secret is too short to sign with: give it 16 characters or more"))
    try:
        ca_file = settings.get("ca_file")
        context = tls_context(Path(ca_file) if ca_file else environment.ca_file)
    except OSError as error:
        problems.append((("ca_file",), f"the certificates cannot be read: {error}"))
    if problems or imap is None or smtp is None:
        raise SettingsError(problems)
    reach, account = Reach(environment.allowed_networks), (settings["user"], settings["password"])
    folders = (settings["inbox"], settings["archive"], settings["aside"])
    deadline = Deadline(environment.monotonic)
    box = ImapMailbox(imap, reach, context, account, folders, deadline, largest=LARGEST_MAIL)
    senders = settings.get("senders") or settings["to"]
    return MailConnector(
        profile,
        environment,
        box,
        SmtpPost(smtp, reach, context, account, deadline),
        between=Correspondents(settings["address"].lower(), settings["to"]),
        secret=settings["secret"],
        number=_filled(profile, settings),
        policy=Policy(
            senders=tuple(each.strip().lower() for each in senders.split(",") if each.strip()),
            authentication=authentication,  # type: ignore[arg-type]  # checked above
            authserv_id=settings.get("authserv_id", ""),
            hour=profile.hour,
            dns=dns,
        ),
        deadline=deadline,
    )


def _server(settings: Mapping[str, str], name: str, problems: list[tuple[tuple[str | int, ...], str]]) -> Server | None:
    try:
        return server_of(settings[name], name)
    except ValueError as wrong:
        problems.append(((name,), f"{name} {wrong}"))
        return None


def _filled(profile: MailProfile, settings: Mapping[str, str]) -> str:
    """The template of their number, with the settings that it names."""
    template = profile.number
    for name in profile.settings:
        template = template.replace(f"{{{name}}}", settings.get(name, ""))
    return template if NUMBER in template else ""
