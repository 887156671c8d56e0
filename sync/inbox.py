"""Webhooks: a hint says "look at this key" and nothing more. It is kept before it is answered.

Whoever holds the key of the signature can cost us one read per hint and never more: the ticket is fetched, and nothing
of what the hint says about it is believed.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

import structlog

from central.desk.services import HookAnswer
from central.registry import SystemState
from central.store.api import NoSuch, Transaction
from sync.config import Webhook
from sync.gateways import LiveGateways
from sync.means import Means
from sync.secrets import MissingSecret, Secrets

log = structlog.get_logger("interdesk.inbox")

LARGEST = 1024 * 1024
_LONGEST_KEY = 200


class Inbox:
    """Fulfils `central.desk.services.Hooks`."""

    largest = LARGEST

    def __init__(self, means: Means, gateways: LiveGateways, secrets: Secrets) -> None:
        self._means, self._gateways, self._secrets = means, gateways, secrets

    def receive(self, system: str, headers: Mapping[str, str], body: bytes) -> HookAnswer:
        """Verify the hint by its signature, then keep an inward look, then answer 202."""
        webhook = self._gateways.webhook(system)
        if webhook is None:
            return _refused(system, 404, "there is no webhook here", "no such system, or its document has no webhook")
        try:
            secret = self._secrets.look_up(webhook.secret.secret)
        except MissingSecret as missing:
            return _refused(system, 403, "this webhook cannot be verified", str(missing))
        if not _is_signed(headers.get(webhook.header.lower(), ""), secret, body):
            return _refused(system, 403, "the signature is wrong or missing", f"checked header {webhook.header}")
        key = _key(body, webhook)
        if key is None:
            sentence = f"the body is not JSON with a ticket's key at {webhook.key!r}"
            return _refused(system, 400, sentence, "adapt the webhook, or webhook.key in the system's document")
        return self._keep(system, key)

    def _keep(self, system: str, key: str) -> HookAnswer:
        def change(tx: Transaction) -> bool:
            try:
                state = tx.registry.system(system).state
            except NoSuch:
                return False
            if state is SystemState.DRAFT:
                return False
            self._means.relay.owe_inward(tx, system, key, self._means.clock(), reason="a webhook named it")
            return True

        if not self._means.store.write(change):
            return _refused(system, 403, "this system is not live yet", f"interdesk system live {system}")
        return HookAnswer(202, "kept")


def _is_signed(signature: str, secret: str, body: bytes) -> bool:
    expected = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace"))


def _key(body: bytes, webhook: Webhook) -> str | None:
    """The ticket's key that the body names; None: there is none that could be one."""
    try:
        found: Any = json.loads(body)
    except (ValueError, RecursionError):
        return None
    for step in webhook.key.split("."):
        found = found.get(step) if isinstance(found, dict) else None
    if isinstance(found, bool) or not isinstance(found, int | str):
        return None
    try:
        key = str(found)
    except ValueError:  # a number of thousands of digits
        return None
    return key if 0 < len(key) <= _LONGEST_KEY and key.isprintable() else None


def _refused(system: str, status: int, sentence: str, detail: str) -> HookAnswer:
    log.warning("a webhook was refused", system=system, said=sentence, detail=detail)
    return HookAnswer(status, sentence)
