"""Signing in with an OpenID provider: the code flow with PKCE, by which nobody comes in as somebody else.

Somebody is who the provider says by issuer and subject, and by nothing else: an account of ours is never found by its
address or login. Whoever has an account here already ties it to the provider while they are signed in. An address
counts only where the provider has verified it, because tickets that carry it are their own.
"""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import inf
from typing import Any
from urllib.parse import urlencode, urlsplit

from central.account import Account, Grant, Pass, PassKind, Session
from central.audit import Entry
from central.desk import tries
from central.desk.auth import Gate, NotKnown, digest, opaque
from central.desk.provider import Discovery
from central.desk.services.errors import NotAllowed
from central.desk.services.web import Web
from central.rights import Principal
from central.store.api import Store, Taken, Transaction

LASTS = timedelta(minutes=10)
"""Whoever went to the provider is back within this time, or begins anew."""
LEEWAY = timedelta(minutes=1)
"""So much may the provider's clock differ from ours."""
ENTITLEMENTS = ("entitlements", "eduperson_entitlement")
"""The claims that say what somebody is entitled to, as EGI Check-in sends them, today's and yesterday's."""
EVERYBODY = "*"


class NotBelieved(NotKnown):
    """What came back does not prove who it is. The sentence says what is wrong with it, for whoever runs this."""


@dataclass(frozen=True, slots=True)
class Provider:
    """The provider, and what we are to it."""

    issuer: str
    client_id: str
    back: str
    """Where it sends people back to: an address of ours that it knows."""
    secret: Callable[[], str] | None = field(default=None, repr=False)
    """What we show it; None: a public client."""
    scopes: tuple[str, ...] = ("openid", "email", "profile")
    grants: Mapping[str, frozenset[Grant]] = field(default_factory=dict)
    """Entitlement -> what those who have it are here; `*`: all who sign in there."""


@dataclass(frozen=True, slots=True)
class Departure:
    """Somebody is on their way to the provider."""

    address: str
    """Where their browser is sent."""
    binding: str
    """What a cookie of theirs has to hold when they come back: no other browser can finish what this one began."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """Somebody came back and is in."""

    cookie: str
    session: Session
    onward: str


class OpenId:
    """Sends people to the provider, and takes them in when they come back. Thread-safe."""

    def __init__(
        self,
        store: Store,
        gate: Gate,
        clock: Callable[[], datetime],
        web: Web,
        provider: Provider,
        *,
        entropy: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._store, self._gate, self._clock, self._entropy = store, gate, clock, entropy
        self._web, self._provider = web, provider
        self._discovery = Discovery(web, clock, provider.issuer)

    def begin(self, *, source: str, onward: str = "/", principal: Principal | None = None) -> Departure:
        """Send somebody to the provider; `principal`: to tie the account that they are signed in with.

        :raises OutOfReach: the provider does not answer, or not as one.  :raises TooManyTries: too many were sent."""
        at, metadata = self._clock(), self._discovery.metadata()
        state, nonce, verifier, binding = (opaque(self._entropy) for _ in range(4))
        data = {
            "nonce": nonce,
            "verifier": verifier,
            "binding": digest(binding),
            "onward": onward,
            "ties": principal.person.id if principal else "",
        }

        def remember(tx: Transaction) -> None:
            tries.spend_departure(tx, source, at)
            tx.accounts.give_pass(Pass(digest(state), PassKind.ERRAND, at + LASTS, data=data))

        self._store.write(remember)
        query = {
            "response_type": "code",
            "client_id": self._provider.client_id,
            "redirect_uri": self._provider.back,
            "scope": " ".join(self._provider.scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": _challenge(verifier),
            "code_challenge_method": "S256",
        }
        endpoint = metadata.authorization
        return Departure(f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}", binding)

    def finish(self, answer: Mapping[str, str], binding: str, principal: Principal | None = None) -> Arrival:
        """Take in whoever comes back with this answer, in the browser whose cookie holds this. `principal`: who is
        signed in there now.

        :raises NotKnown: they did not begin here, or were not let in there.  :raises NotBelieved: the provider lies, or
        somebody in between.  :raises NotAllowed: the account is tied to somebody else.  :raises OutOfReach: as
        `begin`."""
        at = self._clock()
        errand = self._store.write(
            lambda tx: tx.accounts.take_pass(digest(answer.get("state", "")), PassKind.ERRAND, at)
        )
        if errand is None or not binding or not hmac.compare_digest(errand.data["binding"], digest(binding)):
            raise NotKnown("this sign-in was not begun here, or too long ago: begin anew")
        self._discovery.check_sender(answer.get("iss"))
        if "code" not in answer:
            raise NotKnown("your organisation did not let you in")
        if errand.data["ties"] != (principal.person.id if principal and errand.data["ties"] else ""):
            raise NotKnown("somebody else is signed in now: begin anew")
        claims = self._claims(answer["code"], errand)
        account = self._store.write(lambda tx: self._account(tx, claims, errand.data["ties"], at))
        cookie, session = self._gate.admit(account)
        return Arrival(cookie, session, str(errand.data["onward"]))

    def _claims(self, code: str, errand: Pass) -> Mapping[str, Any]:
        """What the provider says of whoever bears this code, checked."""
        provider, metadata = self._provider, self._discovery.metadata()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": provider.back,
            "code_verifier": str(errand.data["verifier"]),
        }
        secret = provider.secret() if provider.secret else None
        if secret is None or not metadata.takes_basic:
            form |= {"client_id": provider.client_id} | ({"client_secret": secret} if secret else {})
        basic = (provider.client_id, secret) if secret is not None and metadata.takes_basic else None
        given = self._web.post_form(metadata.token, form, basic=basic)
        tokens = given.data if isinstance(given.data, Mapping) else {}
        if given.status != 200 or not isinstance(tokens.get("id_token"), str):
            said = str(tokens.get("error"))[:80]
            raise NotBelieved(f"the provider gave no token for the code: {given.status} {said}")
        claims = self._discovery.signed(tokens["id_token"])
        self._check(claims, str(errand.data["nonce"]))
        return {**self._told(metadata.userinfo, tokens.get("access_token"), claims["sub"]), **claims}

    def _check(self, claims: Mapping[str, Any], nonce: str) -> None:
        """:raises NotBelieved: what was signed is not for us, not from them, not now, or not about this sign-in."""
        now, client = self._clock(), self._provider.client_id
        audience = claims.get("aud")
        audiences = [audience] if isinstance(audience, str) else audience if isinstance(audience, list) else []
        wrong = ""
        if claims.get("iss") != self._provider.issuer:
            wrong = "it is another issuer's"
        elif client not in audiences or claims.get("azp", client if len(audiences) == 1 else None) != client:
            wrong = "it is meant for another client"
        elif _seconds(claims.get("exp"), 0) <= (now - LEEWAY).timestamp():
            wrong = "it has expired"
        elif _seconds(claims.get("iat"), inf) > (now + LEEWAY).timestamp():
            wrong = "it was made in the future"
        elif not hmac.compare_digest(str(claims.get("nonce", "")).encode(errors="replace"), nonce.encode()):
            wrong = "it belongs to another sign-in"
        elif not isinstance(claims.get("sub"), str) or not 0 < len(claims["sub"]) <= 255:
            wrong = "it names nobody"
        if wrong:
            raise NotBelieved(f"the provider's token is not believed: {wrong}")

    def _told(self, endpoint: str, access: object, subject: str) -> Mapping[str, Any]:
        """What else the provider tells about this subject, where it can be asked."""
        if not endpoint or not isinstance(access, str):
            return {}
        told = self._web.get(endpoint, bearer=access)
        if told.status != 200 or not isinstance(told.data, Mapping):
            return {}
        if told.data.get("sub") != subject:
            raise NotBelieved("the provider tells of somebody else than it signed for")
        return told.data

    def _account(self, tx: Transaction, claims: Mapping[str, Any], ties: str, at: datetime) -> Account:
        subject = f"{self._provider.issuer} {claims['sub']}"
        account = tx.accounts.find_subject(subject)
        if ties:
            account = self._tied(tx, account, subject, ties, at)
        if account is None:
            account = self._newcomer(tx, claims, subject, at)
        if account.disabled_at is not None:
            raise NotKnown
        vouched = self._granted(claims)
        now = account.evolve(
            name=_text(claims.get("name")) or account.name,
            email=_verified(claims) or account.email,
            grants=(account.grants - account.vouched) | vouched,
            vouched=vouched,
        )
        if now != account:
            tx.accounts.save(now)
        if now.grants != account.grants:
            data = {"grants": sorted(map(str, now.grants)), "by": self._provider.issuer}
            tx.audit.record(Entry(at, account.login, "come with other entitlements", account.login, data))
        return now

    def _tied(self, tx: Transaction, known: Account | None, subject: str, login: str, at: datetime) -> Account:
        account = tx.accounts.find(login)
        if account is None or (known is not None and known.id != account.id) or account.subject not in ("", subject):
            raise NotAllowed("this account, or this sign-in of your organisation, is tied to another already")
        tied = account.evolve(subject=subject)
        if tied != account:
            tx.accounts.save(tied)
            tx.audit.record(Entry(at, login, "tie an account to the provider", login, {"by": self._provider.issuer}))
        return tied

    def _newcomer(self, tx: Transaction, claims: Mapping[str, Any], subject: str, at: datetime) -> Account:
        """A new account. Its login is a verified address that nobody goes by, or one that nobody could have chosen."""
        host = urlsplit(self._provider.issuer).hostname or "provider"
        short = f"{hashlib.sha256(subject.encode()).hexdigest()[:12]}@{host}"
        login = _verified(claims).casefold()
        if not login or tx.accounts.find(login) is not None:
            login = short
        made = Account(login, _text(claims.get("name")) or login, _verified(claims), frozenset(), at, subject=subject)
        try:
            account = tx.accounts.create(made)
        except Taken:
            raise NotAllowed("you have just signed in elsewhere for the first time: begin anew") from None
        tx.audit.record(Entry(at, login, "come for the first time", login, {"by": self._provider.issuer}))
        return account

    def _granted(self, claims: Mapping[str, Any]) -> frozenset[Grant]:
        entitled = {EVERYBODY}
        for claim in ENTITLEMENTS:
            told = claims.get(claim)
            entitled |= {each for each in (told if isinstance(told, list) else [told]) if isinstance(each, str)}
        mapped = self._provider.grants
        return frozenset().union(*(grants for entitlement, grants in mapped.items() if entitlement in entitled))


def _challenge(verifier: str) -> str:
    return urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def _seconds(value: object, otherwise: float) -> float:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else otherwise


def _text(value: object) -> str:
    return value.strip()[:200] if isinstance(value, str) else ""


def _verified(claims: Mapping[str, Any]) -> str:
    """Their address, where the provider has verified it."""
    address = claims.get("email")
    good = claims.get("email_verified") is True and isinstance(address, str) and 2 < len(address) <= 254
    return str(address) if good and str(address).count("@") == 1 and not set(str(address)) & set("<> \r\n\t\0") else ""
