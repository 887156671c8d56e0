"""Webhooks: a hint says "look at this key" and nothing more. It is kept before it is answered.

Whoever holds the key of the signature can cost us one read per hint and never more: the ticket is fetched, and nothing
of what the hint says about it is believed. One whose signature covers the time is believed once, whichever process
hears it: whoever repeats it costs nothing.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from central.desk.services.hooks import HookAnswer
from central.registry import SystemState
from central.reply import KEPT
from central.store.api import NoSuch, Transaction
from connectors.errors import Forged, ProtocolError
from connectors.profiled.hooks import once, read_hook
from sync.gateways import LiveGateways
from sync.means import Means
from sync.secrets import MissingSecret, Secrets

log = structlog.get_logger("interdesk.inbox")

LARGEST = 1024 * 1024
SAME_MOMENT = timedelta(seconds=2)
"""Two changes within a second are told by hints that are the same to the last byte: so soon, one is no repetition."""


class Inbox:
    """Fulfils `central.desk.services.hooks.Hooks`."""

    largest = LARGEST

    def __init__(self, means: Means, gateways: LiveGateways, secrets: Secrets) -> None:
        self._means, self._gateways, self._secrets = means, gateways, secrets

    def receive(self, system: str, headers: Mapping[str, str], body: bytes) -> HookAnswer:
        """Verify the hint by its signature, then keep an inward look at each ticket it names, then answer 202."""
        webhook = self._gateways.webhook(system)
        if webhook is None:
            return _refused(system, 404, "there is no webhook here", "no such system, or its document has no webhook")
        try:
            secret = self._secrets.look_up(webhook.secret, webhook.whose)
            keys = read_hook(webhook.shape, secret, headers, body, self._means.clock())
        except MissingSecret as missing:
            return _refused(system, 403, "this webhook cannot be verified", str(missing))
        except Forged as forged:
            return _refused(system, 403, "the signature is wrong or missing", str(forged))
        except ProtocolError as unclear:
            return _refused(system, 400, str(unclear), "adapt the webhook, or webhook.key in the system's document")
        return self._keep(system, keys, once(webhook.shape, headers))

    def _keep(self, system: str, keys: Sequence[str], mark: str | None) -> HookAnswer:
        trails: dict[str, str] = {}

        def change(tx: Transaction) -> bool:
            trails.clear()
            try:
                state = tx.registry.system(system).state
            except NoSuch:
                return False
            if state is SystemState.DRAFT:
                return False
            at = self._means.clock()
            if mark is not None and _heard(tx, system, mark, at):
                return True
            for key in keys:
                trails[key] = self._means.relay.owe_inward(tx, system, key, at, reason="a webhook named it")
            return True

        if not self._means.store.write(change):
            return _refused(system, 403, "this system is not live yet", f"interdesk system live {system}")
        if not trails:
            log.info("a hint was heard before", system=system)
        for key, trail in trails.items():
            log.info("a hint was kept", system=system, direction="inward", subject=key, trail=trail)
        return HookAnswer(202, "kept")


def _heard(tx: Transaction, system: str, mark: str, at: datetime) -> bool:
    """Whether this hint came before, to any process; if not, it has by now."""
    tx.replies.prune(before=at - KEPT)
    digest = hashlib.sha256(f"{system} {mark}".encode()).hexdigest()
    before = tx.replies.begin(f"hint {digest}", digest, at)
    return before is not None and at - before.begun_at >= SAME_MOMENT


def _refused(system: str, status: int, sentence: str, detail: str) -> HookAnswer:
    log.warning("a webhook was refused", system=system, said=sentence, detail=detail)
    return HookAnswer(status, sentence)
