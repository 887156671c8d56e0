"""What an OpenID provider says of itself, and whether it has signed something."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from central.desk.auth import NotKnown
from central.desk.services.errors import OutOfReach
from central.desk.services.web import Web

FRESH = timedelta(hours=1)
"""So long what it says of itself is believed to be so still."""
AGAIN = timedelta(minutes=1)
"""For a key that is not known its keys are read anew, no more often than this."""
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
"""Signatures that only the provider can make: not `none`, and none by a secret that we know as well."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """Where the provider is asked what."""

    authorization: str
    token: str
    keys: str
    userinfo: str
    """'': it cannot be asked."""
    takes_basic: bool
    names_itself: bool
    """Whether it says with every answer who it is."""


class Discovery:
    """Reads what a provider says of itself, and remembers it for a while. Thread-safe."""

    def __init__(self, web: Web, clock: Callable[[], datetime], issuer: str) -> None:
        self._web, self._clock, self._issuer = web, clock, issuer
        self._lock = Lock()
        self._metadata: tuple[datetime, Metadata] | None = None
        self._keys: tuple[datetime, KeySet] | None = None

    def metadata(self) -> Metadata:
        """:raises OutOfReach: it does not answer, or not as this provider."""
        with self._lock:
            known, at = self._metadata, self._clock()
            if known is None or at - known[0] >= FRESH:
                self._metadata = known = (at, self._read())
            return known[1]

    def check_sender(self, sender: str | None) -> None:
        """:raises NotKnown: an answer was sent by another provider, where this one says who it is."""
        if sender is None and not self.metadata().names_itself:
            return
        if sender != self._issuer:
            raise NotKnown("the answer came from another provider: begin anew")

    def signed(self, token: str) -> Mapping[str, Any]:
        """What the provider has signed.  :raises NotKnown: it has not.  :raises OutOfReach: its keys cannot be read."""
        for newest in (False, True):
            try:
                return jwt.decode(token, self._known_keys(anew=newest), algorithms=list(ALGORITHMS)).claims
            except (JoseError, ValueError, TypeError) as problem:
                wrong = problem
        raise NotKnown(f"the provider's token is not believed: {type(wrong).__name__}")

    def _known_keys(self, *, anew: bool) -> KeySet:
        url = self.metadata().keys
        with self._lock:
            known, at = self._keys, self._clock()
            if known is None or at - known[0] >= (AGAIN if anew else FRESH):
                self._keys = known = (at, self._read_keys(url))
            return known[1]

    def _read(self) -> Metadata:
        told = self._object(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
        if told.get("issuer") != self._issuer:
            raise OutOfReach(f"{self._issuer} calls itself otherwise: write the issuer as it does")
        methods = told.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        return Metadata(
            self._address(told, "authorization_endpoint"),
            self._address(told, "token_endpoint"),
            self._address(told, "jwks_uri"),
            self._address(told, "userinfo_endpoint") if told.get("userinfo_endpoint") else "",
            "client_secret_basic" in methods,
            told.get("authorization_response_iss_parameter_supported") is True,
        )

    def _read_keys(self, url: str) -> KeySet:
        told = self._object(url)
        listed = told.get("keys")
        usable = [
            key
            for key in (listed if isinstance(listed, list) else [])
            if isinstance(key, Mapping) and key.get("kty") in ("RSA", "EC", "OKP") and key.get("use", "sig") == "sig"
        ]
        keys = []
        for key in usable:
            try:
                keys += KeySet.import_key_set({"keys": [dict(key)]}).keys
            except (JoseError, ValueError, TypeError):  # a kind that we do not know is no reason to believe none
                continue
        return KeySet(keys)

    def _object(self, url: str) -> Mapping[str, Any]:
        answer = self._web.get(url)
        if answer.status != 200 or not isinstance(answer.data, Mapping):
            raise OutOfReach(f"{urlsplit(url).hostname} does not answer as an OpenID provider: {answer.status}")
        return answer.data

    def _address(self, told: Mapping[str, Any], name: str) -> str:
        """An address that is as safe as the issuer's own."""
        address = told.get(name)
        if not isinstance(address, str) or urlsplit(address).scheme != urlsplit(self._issuer).scheme:
            raise OutOfReach(f"{self._issuer} names no {name} that can be trusted")
        return address
