"""From a name and settings to a connector: the shipped profiles, other packages' entry points, and `memory`."""

import difflib
from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import entry_points
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import yaml

from connectors.api import Capabilities, Connector
from connectors.environment import Environment
from connectors.errors import SettingsError
from connectors.mail.opening import open_mail
from connectors.mail.profile import MailProfile
from connectors.memory import WELL_BEHAVED, MemoryConnector
from connectors.profiled.connector import ProfiledConnector
from connectors.profiled.profile import Profile
from connectors.profiled.vocabulary.parts import Setting
from connectors.profiles import QUIRKS

ENTRY_POINTS = "interdesk.connectors"
"""Other packages' connectors: each entry point is an `Opener`."""

Secrets = Callable[[str], str]
"""Gives the value of a reference such as `env:INTERDESK_SECRET_NGI_CZ`.

:raises LookupError: there is none; its text is shown to the operator."""

Opener = Callable[[Mapping[str, Any], str, Environment], Connector]
"""Makes a connector of resolved settings, the system's name and the environment."""

Problem = tuple[tuple[str | int, ...], str]

AnyProfile = Profile | MailProfile
"""A profile of any family."""


def names() -> tuple[str, ...]:
    """Every connector there is."""
    return tuple(sorted({"memory", *profiles(), *(point.name for point in entry_points(group=ENTRY_POINTS))}))


def model_of(data: Any) -> type[Profile] | type[MailProfile]:
    """The vocabulary that a profile is written in: what it says of its family tells."""
    return MailProfile if isinstance(data, Mapping) and data.get("family") == "mail" else Profile


@cache
def profiles() -> Mapping[str, AnyProfile]:
    """The shipped profiles, by name."""
    found = sorted(files("connectors.profiles").iterdir(), key=lambda each: each.name)
    read = [yaml.safe_load(each.read_text("utf-8")) for each in found if each.name.endswith(".yaml")]
    shipped: dict[str, Any] = {data["name"]: data for data in read}

    def whole(data: Mapping[str, Any]) -> Mapping[str, Any]:
        base = data.get("extends")
        return laid({**data, "extends": None}, {**whole(shipped[base]), "extends": ""}) if base else data

    return {name: model_of(data).model_validate(whole(data)) for name, data in shipped.items()}


def laid(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, Any]:
    """What a profile says, laid over what it extends: word by word, and null removes. What operators bring is laid by
    the same rule where their documents are read, with the place of each word."""
    found = {**theirs, **ours}
    for key, value in ours.items():
        if isinstance(value, Mapping) and isinstance(theirs.get(key), Mapping):
            found[key] = laid(value, theirs[key])
    return {key: value for key, value in found.items() if key not in ours or ours[key] is not None}


def words(name: str, profile: AnyProfile | None = None) -> str:
    """Whose words a connector uses, as mappings name them: its own, unless its profile names another's."""
    found = profile or profiles().get(name)
    return (found.words if found is not None else "") or name


def find_powers(name: str, profile: AnyProfile | None = None) -> Capabilities | None:
    """What this connector can, as it is known before one is opened; None: another package's, which tells only then."""
    found = profile or profiles().get(name)
    return found.powers if found is not None else WELL_BEHAVED if name == "memory" else None


def open_connector(
    name: str,
    settings: Mapping[str, Any],
    *,
    system: str,
    environment: Environment,
    secrets: Secrets | None = None,
    profile: AnyProfile | None = None,
) -> Connector:
    """The connector of a registered system; a `profile` that an operator brought goes before what is shipped.

    Secrets in the settings are references ({secret: "env:…"}) that `secrets` resolves; without `secrets` the
    settings hold plain values already.

    :raises SettingsError: all that is wrong with the settings, at once.
    :raises LookupError: there is no connector of that name; the text names the nearest."""
    if profile is not None:
        return open_profile(profile, settings, system=system, environment=environment, secrets=secrets)
    if name == "memory":
        return _memory(settings, environment)
    if name in profiles():
        return open_profile(profiles()[name], settings, system=system, environment=environment, secrets=secrets)
    for point in entry_points(group=ENTRY_POINTS, name=name):
        opener: Opener = point.load()
        return opener(_resolved(settings, secrets), system, environment)
    raise LookupError(f"there is no connector {name!r}{_nearest(name, names())}; there are: {', '.join(names())}")


def open_profile(
    profile: AnyProfile,
    settings: Mapping[str, Any],
    *,
    system: str,
    environment: Environment,
    secrets: Secrets | None = None,
) -> Connector:
    """The same for a profile that an operator brings (`model_of(data).model_validate(data)`).

    :raises SettingsError: all that is wrong with the settings, at once."""
    resolved, problems = _said(profile.product, profile.settings, settings, secrets)
    if isinstance(profile, MailProfile):
        if problems:
            raise SettingsError(problems)
        return open_mail(profile, resolved, environment)
    if profile.quirks is not None and profile.quirks not in QUIRKS:
        there = ", ".join(sorted(QUIRKS))
        problems.append((("quirks",), f"there are no quirks {profile.quirks!r}; there are: {there}"))
    if problems:
        raise SettingsError(problems)
    try:
        return ProfiledConnector(profile, resolved, environment, QUIRKS[profile.quirks] if profile.quirks else None)
    except OSError as error:
        raise SettingsError([(("ca_file",), f"the certificates of {system} cannot be read: {error}")]) from None


def _said(
    product: str,
    known: Mapping[str, Setting],
    settings: Mapping[str, Any],
    secrets: Secrets | None,
) -> tuple[dict[str, str], list[Problem]]:
    """What the operator says, defaults and secrets filled in; and all that is wrong with it."""
    problems: list[Problem] = []
    resolved: dict[str, str] = {}
    for name in settings:
        if name not in known:
            near = _nearest(str(name), known)
            problems.append(((str(name),), f"{product} has no setting {name!r}{near}; it has: {', '.join(known)}"))
    for name, setting in known.items():
        value = settings.get(name, setting.default)
        if value is None:
            if setting.required:
                problems.append(((name,), f"{name} is missing: {setting.says}"))
            continue
        said = _secret(name, value, secrets) if setting.kind == "secret" else _plain(name, value, setting)
        if isinstance(said, str):
            resolved[name] = said
        else:
            problems.append(said)
    return resolved, problems


def _resolved(settings: Mapping[str, Any], secrets: Secrets | None) -> dict[str, Any]:
    """Settings of a connector that declares none here: whatever is written as a secret's reference is resolved."""
    resolved, problems = dict(settings), list[Problem]()
    for name, value in settings.items():
        if secrets is not None and isinstance(value, Mapping) and set(value) == {"secret"}:
            said = _secret(name, value, secrets)
            if isinstance(said, str):
                resolved[name] = said
            else:
                problems.append(said)
    if problems:
        raise SettingsError(problems)
    return resolved


def _memory(settings: Mapping[str, Any], environment: Environment) -> Connector:
    tracker = settings.get("tracker")
    unknown = [str(name) for name in settings if name != "tracker"]
    wrong: list[Problem] = [((name,), f"memory has no setting {name!r}; it has: tracker") for name in unknown]
    if tracker not in environment.trackers:
        there = ", ".join(environment.trackers) or "none"
        wrong.append((("tracker",), f"there is no tracker {tracker!r} in memory; there are: {there}"))
    if wrong:
        raise SettingsError(wrong)
    return MemoryConnector(environment.trackers[str(tracker)], clock=environment.clock)


def _secret(name: str, value: Any, secrets: Secrets | None) -> str | Problem:
    if secrets is None:
        return value if isinstance(value, str) and value else ((name,), f"{name} must be a text that is not empty")
    if not isinstance(value, Mapping) or set(value) != {"secret"} or not isinstance(value["secret"], str):
        example = '{secret: "env:INTERDESK_SECRET_…"}'
        return (name,), f"{name} is a secret: write a reference such as {example}, not the value"
    try:
        return secrets(value["secret"])
    except LookupError as absent:
        return (name, "secret"), str(absent.args[0]) if absent.args else f"there is no secret {value['secret']!r}"


def _plain(name: str, value: Any, setting: Setting) -> str | Problem:
    said = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if not said:
        return (name,), f"{name} must be a text that is not empty, not {value!r}"
    if setting.kind == "url":
        if "@" in said:  # it may hold a password, so it is not said again
            return (name,), f"{name} must be an address alone: no name or password in it"
        try:
            parts = urlsplit(said)
            port = parts.port
        except ValueError:
            return (name,), f"{name} is no address: {value!r}"
        if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
            return (name,), f"{name} must begin with https:// (or http://) and a host, not {value!r}"
        if parts.query or parts.fragment:
            return (name,), f"{name} must be an address alone: no question mark or hash in it"
    if setting.kind == "zone":
        try:
            ZoneInfo(said)
        except (KeyError, ValueError, OSError):
            return (name,), f"{name} must be a time zone such as Europe/Prague or UTC, not {value!r}"
    return said


def _nearest(name: str, known: Any) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""
