"""Who we are to a tracker, as data: a profile's `credentials`, and what of them goes with a request. Pure.

Templates hold words in braces: settings, and what logging in has given. One whose words are not all known is left out,
so that each step of logging in shows what the steps before it gave.
"""

import base64
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, Any, Literal
from urllib.parse import quote_plus

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

from connectors.profiled.values import fill, put


def _listed(value: Any) -> Any:
    return [value] if value is not None and not isinstance(value, list | tuple) else value


def _at(value: Any) -> Any:
    return {"at": value} if isinstance(value, str) else value


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Given(_Part):
    """Where the answer to a step has a word for us: exactly one of these. A text alone is a path."""

    at: str | None = None
    header: str | None = None
    cookie: str | None = None

    @model_validator(mode="after")
    def _one_place(self) -> "Given":
        if sum(each is not None for each in (self.at, self.header, self.cookie)) != 1:
            raise ValueError("say exactly one of at, header, cookie")
        return self


class Basic(_Part):
    """HTTP's basic authentication."""

    user: str
    password: str = ""


class Step(_Part):
    """One request of logging in, or for a token. Its answer gives words that credentials may hold."""

    method: Literal["GET", "POST", "PUT"] = "POST"
    path: str = ""
    operation: str = ""
    """SOAP's instead of method and path."""
    elsewhere: str | None = None
    """The setting of kind url that names a whole address, at another server too. Nothing else of ours goes there."""
    query: dict[str, str] = {}
    headers: dict[str, str] = {}
    body: dict[str, Any] = {}
    form: bool = False
    """The body goes as a form, not as JSON."""
    basic: Basic | None = None
    gives: dict[str, Annotated[Given, BeforeValidator(_at)]]
    lasts: timedelta | None = None
    """How long what it gives is good. None: until it is refused."""
    lasts_at: str | None = None
    """Where the answer says so, in seconds."""

    @model_validator(mode="after")
    def _one_place(self) -> "Step":
        if sum(bool(each) for each in (self.path, self.operation, self.elsewhere)) != 1:
            raise ValueError("say exactly one of path, operation, elsewhere")
        return self


class OAuth2(_Part):
    """OAuth 2: a token for our client's own name and secret, sent as `Authorization: Bearer`."""

    path: str = ""
    """Where tokens are given at the registered address."""
    elsewhere: str | None = None
    """The setting of kind url that names the whole address, where it is another."""
    client_id: str
    client_secret: str
    scope: str | None = None
    more: dict[str, str] = {}
    """What else is said: another grant_type, a user's name and password, an audience."""
    shown: Literal["basic", "body"] = "body"
    """How name and secret are said."""

    def step(self) -> Step:
        """The request for a token."""
        said: dict[str, Any] = {"grant_type": "client_credentials"}
        if self.shown == "body":
            said |= {"client_id": self.client_id, "client_secret": self.client_secret}
        if self.scope is not None:
            said["scope"] = self.scope
        basic = Basic(user=self.client_id, password=self.client_secret) if self.shown == "basic" else None
        return Step(
            path=self.path,
            elsewhere=self.elsewhere,
            body={**said, **self.more},
            form=True,
            basic=basic,
            gives={"access_token": Given(at="access_token")},
            lasts_at="expires_in",
        )


class Certificate(_Part):
    """The client certificate we show where the server asks for one: names of settings."""

    file: str
    """PEM; the key may be in it too."""
    key: str | None = None
    password: str | None = None


class Credentials(_Part):
    """A profile's `credentials`. A plain mapping of texts is `headers`."""

    headers: dict[str, str] = {}
    basic: Basic | None = None
    query: dict[str, str] = {}
    """Goes into the address of every request. Addresses in errors and logs bear no query."""
    body: dict[str, str] = {}
    """Dotted place -> what goes there first, in every body: of a request that has one, or is no GET."""
    arguments: tuple[str, ...] = ()
    """The first arguments of every SOAP call, in this order."""
    envelope: dict[str, str] = {}
    """Dotted place -> what goes there in the header of every SOAP envelope."""
    wsse: Basic | None = None
    """WS-Security's UsernameToken, its password as text, in the header of every SOAP envelope."""
    cookies: dict[str, str] = {}
    on_writes: dict[str, str] = {}
    """Further headers of what writes: X-Requested-With, Origin, a token against forged requests."""
    log_in: Annotated[tuple[Step, ...], BeforeValidator(_listed)] = ()
    """What is asked before anything else, and again once when an answer calls for the remedy *access*."""
    oauth2: OAuth2 | None = None
    certificate: Certificate | None = None

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, data: Any) -> Any:
        if isinstance(data, Mapping) and data and not set(data) & set(cls.model_fields):
            return {"headers": data}
        return data

    @property
    def steps(self) -> tuple[Step, ...]:
        """All that is asked before anything else, in order."""
        return (*((self.oauth2.step(),) if self.oauth2 else ()), *self.log_in)

    def shown(self, words: Mapping[str, Any]) -> "Shown":
        """What goes with a request, as far as the words are known."""
        headers = filled(self.headers, words)
        if self.oauth2 is not None:
            headers |= filled({"Authorization": "Bearer {access_token}"}, words)
        if (pair := basic(self.basic, words)) is not None:
            headers["Authorization"] = pair
        if cookies := filled(self.cookies, words):
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        arguments = [value for each in self.arguments if (value := said(each, words)) is not None]
        return Shown(
            headers=headers,
            query=filled(self.query, words),
            body=filled(self.body, words),
            arguments=tuple(arguments),
            envelope=filled(self.envelope, words),
            wsse=_pair(self.wsse, words),
            on_writes=filled(self.on_writes, words),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """What of us goes with one request. It is one thing: two that hold the same are not the same log-in."""

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: Mapping[str, str] = field(default_factory=dict, repr=False)
    arguments: tuple[str, ...] = field(default=(), repr=False)
    envelope: Mapping[str, str] = field(default_factory=dict, repr=False)
    wsse: tuple[str, str] | None = field(default=None, repr=False)
    on_writes: Mapping[str, str] = field(default_factory=dict, repr=False)

    def signed(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """The body, our credentials first in it."""
        if not self.body:
            return body
        found: dict[str, Any] = {}
        for place, value in self.body.items():
            put(found, place, value)
        return _merged(found, body)


NOBODY = Shown()
"""Nothing of us: what goes to other places than the registered one."""


def basic(who: Basic | None, words: Mapping[str, Any], *, escaped: bool = False) -> str | None:
    """The header of basic authentication; None where there is nobody. `escaped`: as OAuth 2 wants name and secret."""
    pair = _pair(who, words)
    if pair is None:
        return None
    joined = ":".join(quote_plus(each) for each in pair) if escaped else ":".join(pair)
    return f"Basic {base64.b64encode(joined.encode()).decode()}"


def filled(templates: Mapping[str, str], words: Mapping[str, Any]) -> dict[str, str]:
    """The templates whose words are all known, filled in."""
    return {name: value for name, each in templates.items() if (value := said(each, words)) is not None}


def said(template: str, words: Mapping[str, Any]) -> str | None:
    """The template filled in; None where a word of it is not known."""
    try:
        return str(fill(template, words))
    except KeyError:
        return None


def _pair(who: Basic | None, words: Mapping[str, Any]) -> tuple[str, str] | None:
    user, password = (said(each, words) for each in (who.user, who.password)) if who is not None else (None, None)
    return (user, password) if user is not None and password is not None else None


def _merged(under: MutableMapping[str, Any], over: Mapping[str, Any]) -> MutableMapping[str, Any]:
    for name, value in over.items():
        inside = under.get(name)
        under[name] = _merged(dict(inside), value) if isinstance(inside, dict) and isinstance(value, Mapping) else value
    return under
