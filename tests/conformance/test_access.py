"""Every way of being let in and of being told no, by a profile alone: the awkward tracker keeps the contract."""

from collections.abc import Iterator
from importlib.resources import files

import pytest
import yaml

from connectors.emulators.gnarly import GnarlyEmulator, Switches
from connectors.profiled.profile import Profile
from connectors.registry import open_profile
from connectors.testing import ConnectorConformance, FaultConformance, Stand
from connectors.testing.emulated import Clock, environment, stand_on

BY_STATUS = "errors: {words: error}"
NESTED = """
errors:
  words: error.message
  signs:
    - {at: error.code, equals: [AUTH.REQUIRED, AUTH.FORGED], means: access}
    - {at: error.code, equals: TICKET.MISSING, means: missing}
    - {at: error.code, equals: TICKET.MOVED, means: conflict}
    - {at: error.code, begins: INPUT., means: refused}
    - {at: error.code, equals: LIST.EMPTY, means: empty}
    - {at: error, means: failed}
"""
FLAG = """
errors:
  words: message
  signs:
    - {at: code, equals: TICKET.MISSING, means: missing}
    - {at: code, equals: TICKET.MOVED, means: conflict}
    - {says: who are you, means: access}
    - {says: 'may be forged$', means: access}
    - {says: nothing was found, means: empty}
    - {at: status, differs: ok, means: refused}
ticket: {at: result}
listing: {rows: result.tickets}
account: {person: {key: result.login, name: result.name}}
"""

PROFILES = {
    "bearer": (Switches(errors="nested"), 'credentials: {Authorization: "Bearer {key}"}', NESTED),
    "basic": (
        Switches(door="basic", errors="flag"),
        'credentials: {basic: {user: interdesk, password: "{password}"}}',
        FLAG,
    ),
    "query": (
        Switches(door="query", nothing=True, errors="nested"),
        'credentials: {query: {api_key: "{key}"}}',
        NESTED,
    ),
    "fields": (
        Switches(door="fields"),
        """
credentials:
  query: {user: interdesk, password: "{password}"}
  body: {user: interdesk, password: "{password}"}
""",
        BY_STATUS,
    ),
    "session": (
        Switches(door="session", lasts=5, errors="flag"),
        """
credentials:
  headers: {X-Session: "{session}"}
  log_in: {path: /login, body: {user: interdesk, password: "{password}"}, gives: {session: session}}
""",
        FLAG,
    ),
    "cookie": (
        Switches(door="cookie", lasts=7, closed="redirect", forged=True, errors="nested", nothing=True),
        """
credentials:
  cookies: {GNARLY: "{session}"}
  on_writes: {X-CSRF-Token: "{csrf}", X-Requested-With: interdesk, Origin: "{url}"}
  log_in:
    - path: /login
      form: true
      body: {user: interdesk, password: "{password}"}
      gives: {session: {cookie: GNARLY}}
    - {method: GET, path: /csrf, gives: {csrf: csrf}}
""",
        NESTED,
    ),
    "page": (
        Switches(door="session", lasts=6, closed="page"),
        """
credentials:
  headers: {X-Session: "{session}"}
  log_in: {path: /login, body: {user: interdesk, password: "{password}"}, gives: {session: session}, lasts: PT1H}
""",
        """
errors:
  words: error
  signs: [{body: '<input name="password"', undone: true, means: access}]
""",
    ),
    "oauth2": (
        Switches(door="oauth2", lasts=9),
        'credentials: {oauth2: {path: /oauth/token, client_id: interdesk, client_secret: "{key}"}}',
        BY_STATUS,
    ),
}


def awkward(credentials: str, errors: str, **settings: object) -> Profile:
    """The plain tracker's profile with another way in, and another way of being told no."""
    data = yaml.safe_load(files("connectors.profiles").joinpath("plain.yaml").read_text("utf-8"))
    data["settings"]["password"] = {"kind": "secret", "says": "the account's password"}
    data["settings"] |= settings
    for part in (yaml.safe_load(credentials), yaml.safe_load(errors)):
        for key, value in part.items():
            deeper = key in ("ticket", "listing", "account")
            data[key] = {**data[key], **value} if deeper else value
    return Profile.model_validate(data)


class _Access(ConnectorConformance):
    way: str
    many = 0
    """Walking long lists is tried where logging in and walking may get into each other's way."""

    @pytest.fixture
    def stand(self) -> Iterator[Stand]:
        clock = Clock()
        switches, credentials, errors = PROFILES[self.way]
        profile = awkward(credentials, errors)
        with GnarlyEmulator(clock, switches) as emulator:

            def opened(key: str, password: str):  # type: ignore[no-untyped-def]
                settings = {"url": emulator.url, "key": key, "password": password}
                return open_profile(profile, settings, system="s", environment=environment(clock))

            connector = opened(emulator.key, emulator.password)
            yield stand_on(
                emulator,
                clock,
                "subject",
                "description",
                connector=connector,
                owner=("assigned_to", "bob"),
                stranger=lambda: opened("wrong-secret", "wrong-secret"),
                secrets=(emulator.key, emulator.password, "wrong-secret"),
                many=self.many,
                expire=emulator.forget if profile.credentials.steps else None,
            )
            connector.close()


class TestBearer(_Access):
    way = "bearer"


class TestBasic(_Access):
    way = "basic"


class TestQuery(_Access):
    way = "query"


class TestFields(_Access):
    way = "fields"


class TestSession(_Access):
    way = "session"


class TestCookie(_Access, FaultConformance):
    way = "cookie"
    many = 150


class TestPage(_Access):
    way = "page"


class TestOAuth2(_Access, FaultConformance):
    way = "oauth2"
