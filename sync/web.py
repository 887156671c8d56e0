"""The desk's own calls to servers outside, as guarded as those of connectors."""

import json
import ssl
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import requests

from central.desk.services.errors import OutOfReach
from central.desk.services.web import Web, WebAnswer
from connectors.environment import Network
from connectors.network import AddressRefused, Deadline, NotConnected, Reach, adapter, tls_context
from connectors.wire import place_of

DEADLINE = timedelta(seconds=10)
LARGEST = 1024 * 1024


class GuardedWeb:
    """Fulfils `central.desk.services.web.Web`. Each call has a connection of its own: they are few."""

    def __init__(self, allowed: tuple[Network, ...], *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._reach, self._monotonic = Reach(allowed), monotonic
        self._context: ssl.SSLContext | None = None

    def get(self, url: str, *, bearer: str = "") -> WebAnswer:
        return self._ask("GET", url, {"Authorization": f"Bearer {bearer}"} if bearer else {})

    def post_form(self, url: str, form: Mapping[str, str], *, basic: tuple[str, str] | None = None) -> WebAnswer:
        # RFC 6749 2.3.1: both are encoded as in a form before they are joined
        shown = (quote(basic[0], safe=""), quote(basic[1], safe="")) if basic else None
        return self._ask("POST", url, {}, data=dict(form), auth=shown)

    def _ask(self, method: str, url: str, headers: Mapping[str, str], **more: Any) -> WebAnswer:
        self._context = self._context or tls_context(None)
        deadline = Deadline(self._monotonic)
        deadline.begin(DEADLINE.total_seconds())
        session = requests.Session()
        session.trust_env = False  # a proxy would look up the name, where we cannot see what it leads to
        for scheme in ("http://", "https://"):
            session.mount(scheme, adapter(self._reach, deadline, self._context))
        try:
            with (
                closing(session),
                session.request(
                    method,
                    url,
                    headers={"Accept": "application/json", **headers},
                    allow_redirects=False,
                    stream=True,
                    timeout=DEADLINE.total_seconds(),
                    **more,
                ) as response,
            ):
                body = bytearray()
                for chunk in response.iter_content(16 * 1024):
                    body += chunk
                    if len(body) > LARGEST:
                        raise OutOfReach(f"{place_of(url)} sent more than {LARGEST} bytes")
        except (AddressRefused, NotConnected) as problem:
            raise OutOfReach(str(problem)) from None
        except (requests.RequestException, OSError, ValueError) as problem:
            raise OutOfReach(f"{place_of(url)} does not answer ({type(problem).__name__})") from None
        try:
            return WebAnswer(response.status_code, json.loads(body))
        except ValueError:
            return WebAnswer(response.status_code, None)


_: type[Web] = GuardedWeb
