"""A small OpenID provider over a real socket. `lies` bend what it says, one at a time."""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey

CLIENT, SECRET = "interdesk", "s3cret of the client"
ENTITLED = "urn:mace:egi.eu:group:ngi.cz:role=operator#aai.egi.eu"


class SmallProvider:
    """Lets `person` in whenever somebody comes."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        self.person: dict[str, Any] = {
            "sub": "a1b2@egi.eu",
            "name": "Alice Nováková",
            "email": "alice@example.org",
            "email_verified": True,
            "eduperson_entitlement": [ENTITLED],
        }
        self.keys = [ECKey.generate_key("P-256", {"kid": "one", "use": "sig"}, private=True)]
        self.bend: Callable[[dict[str, Any]], Any] = lambda claims: None
        """Changes what is signed."""
        self.metadata: dict[str, Any] = {}
        """Said instead."""
        self.told: dict[str, Any] | None = None
        """What the userinfo endpoint says instead."""
        self.sign: Callable[[dict[str, Any]], str] = self._sign
        self.asked: list[str] = []
        self._codes: dict[str, dict[str, str]] = {}
        provider = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                provider._get(self)

            def do_POST(self) -> None:
                provider._post(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self._server.server_port}/auth"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def visit(self, address: str) -> dict[str, str]:
        """Somebody comes with this address and signs in; with what they are sent back."""
        parts = urlsplit(address)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        assert asked["client_id"] == CLIENT
        code = f"code-{len(self._codes)}"
        self._codes[code] = asked
        return {"code": code, "state": asked["state"]}

    def rotate(self) -> None:
        """From now on another key signs."""
        self.keys = [ECKey.generate_key("P-256", {"kid": f"key{time.monotonic_ns()}", "use": "sig"}, private=True)]

    def _sign(self, claims: dict[str, Any]) -> str:
        return jwt.encode({"alg": "ES256", "kid": self.keys[0].kid}, claims, self.keys[0])

    def signed_by_a_secret(self, claims: dict[str, Any]) -> str:
        """With what everybody can read: our public key, taken for a secret."""
        public = json.dumps(self.keys[0].as_dict(private=False)).encode()
        return jwt.encode({"alg": "HS256", "kid": "one"}, claims, OctKey.import_key(public), algorithms=["HS256"])

    @staticmethod
    def unsigned(claims: dict[str, Any]) -> str:
        """By nobody."""
        return f"{_part({'alg': 'none'})}.{_part(claims)}."

    def signed_by_a_stranger(self, claims: dict[str, Any]) -> str:
        """With another key under the same name."""
        return jwt.encode({"alg": "ES256", "kid": "one"}, claims, ECKey.generate_key("P-256", private=True))

    def _get(self, handler: BaseHTTPRequestHandler) -> None:
        self.asked.append(handler.path)
        match handler.path:
            case "/auth/.well-known/openid-configuration":
                said = {name: f"{self.issuer}/{name}" for name in ("authorization_endpoint", "token_endpoint")}
                more = {"issuer": self.issuer, "jwks_uri": f"{self.issuer}/keys"}
                more["userinfo_endpoint"] = f"{self.issuer}/userinfo"
                _answer(handler, said | more | self.metadata)
            case "/auth/keys":
                odd = {"kty": "mystery", "kid": "odd"}
                _answer(handler, {"keys": [odd, *KeySet(self.keys).as_dict(private=False)["keys"]]})
            case "/auth/userinfo" if handler.headers["Authorization"] == "Bearer access":
                _answer(handler, self.told if self.told is not None else self.person)
            case "/auth/away":
                handler.send_response(302)
                handler.send_header("Location", f"{self.issuer}/keys")
                handler.send_header("Content-Length", "0")
                handler.end_headers()
            case "/auth/endless":
                handler.send_response(200)
                handler.end_headers()
                try:
                    while True:
                        handler.wfile.write(b" " * 65536)
                except OSError:
                    handler.close_connection = True
            case _:
                _answer(handler, {"error": "unknown"}, 404)

    def _post(self, handler: BaseHTTPRequestHandler) -> None:
        form = parse_qs(handler.rfile.read(int(handler.headers["Content-Length"])).decode())
        given = {name: values[0] for name, values in form.items()}
        code = self._codes.pop(given.get("code", ""), None)
        verifier = hashlib.sha256(given.get("code_verifier", "").encode()).digest()
        shown = base64.b64decode(handler.headers.get("Authorization", "").removeprefix("Basic ")).decode()
        right = "interdesk:s3cret%20of%20the%20client"
        if shown != right and (given.get("client_id"), given.get("client_secret")) != (CLIENT, SECRET):
            _answer(handler, {"error": "invalid_client"}, 401)
        elif code is None or code["code_challenge"] != base64.urlsafe_b64encode(verifier).decode().rstrip("="):
            _answer(handler, {"error": "invalid_grant"}, 400)
        else:
            claims = {"iss": self.issuer, "aud": CLIENT, "sub": self.person["sub"], "nonce": code["nonce"]}
            claims |= {"iat": int(self.now()), "exp": int(self.now()) + 300}
            self.bend(claims)
            _answer(handler, {"access_token": "access", "token_type": "Bearer", "id_token": self.sign(claims)})


def _part(data: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(data).encode()).decode().rstrip("=")


def _answer(handler: BaseHTTPRequestHandler, data: object, status: int = 200) -> None:
    body = json.dumps(data).encode()
    handler.send_response(status)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)
