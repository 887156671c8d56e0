"""Webhooks: the raw bytes are verified, and nothing but the keys of tickets is taken from them. Pure."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from connectors import patterns
from connectors.errors import Forged, ProtocolError
from connectors.profiled.profile import Hooks
from connectors.profiled.values import at, first, moment

_LONGEST_KEY, _LONGEST_ADDRESS = 200, 2000


def read_hook(shape: Hooks, secret: str, headers: Mapping[str, str], body: bytes, now: datetime) -> tuple[str, ...]:
    """The keys of the tickets that deserve a look. Names of headers are in small letters.

    :raises Forged: the signature is wrong or missing, or the hint is too old: nothing of it is believed.
    :raises ProtocolError: it is genuine, and names no ticket."""
    if not secret:
        raise Forged("there is no key to verify it by")
    said = headers.get(shape.header.lower(), "")
    stamp = headers.get(shape.timestamp.lower(), "") if shape.timestamp is not None else ""
    if not hmac.compare_digest(_signature(shape, secret, stamp, body), said.encode("utf-8", "replace")):
        raise Forged(f"the signature in header {shape.header} is wrong or missing")
    if shape.timestamp is not None:
        _ensure_fresh(shape, stamp, now)
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        raise ProtocolError("the body is not JSON") from None
    listed = at(data, shape.rows) if shape.rows is not None else [data]
    keys = [_key(first(each, shape.key), shape.key_part) for each in (listed if isinstance(listed, list) else [listed])]
    if not keys or None in keys:
        raise ProtocolError(f"the body has no ticket's key at {' or '.join(map(repr, shape.key))}")
    return tuple(dict.fromkeys(key for key in keys if key is not None))


def once(shape: Hooks, headers: Mapping[str, str]) -> str | None:
    """What tells a hint that `read_hook` took from every other one, however often it is sent: its signature, where that
    covers the time. None: two that say the same may mean two changes."""
    return None if shape.timestamp is None else headers.get(shape.header.lower(), "")


def _signature(shape: Hooks, secret: str, stamp: str, body: bytes) -> bytes:
    """What the header must hold."""
    if shape.algorithm == "token":
        return (shape.prefix + secret).encode()
    before, _, after = shape.signs.replace("{timestamp}", stamp).partition("{body}")
    mac = hmac.new(secret.encode(), before.encode() + body + after.encode(), getattr(hashlib, shape.algorithm))
    said = mac.hexdigest() if shape.encoding == "hex" else base64.b64encode(mac.digest()).decode()
    return (shape.prefix + said).encode()


def _ensure_fresh(shape: Hooks, stamp: str, now: datetime) -> None:
    """:raises Forged: it was sent too long ago, or in the future, or nobody says when."""
    try:
        sent = moment(stamp, "the hint", ("epoch", "epoch_ms", "iso"), UTC)
    except ProtocolError:
        raise Forged(f"the header {shape.timestamp} says no time") from None
    if abs(now - sent) > shape.window:
        raise Forged(f"it was sent at {sent.isoformat()}, too far from now")


def _key(found: Any, part: str | None) -> str | None:
    """A ticket's key, or that part of what stands there; None: this can be none."""
    if isinstance(found, bool) or not isinstance(found, int | str):
        return None
    try:
        key = str(found)
    except ValueError:  # a number of thousands of digits
        return None
    inside = patterns.found(part, key[:_LONGEST_ADDRESS]) if part is not None else None
    key = key if inside is None else inside[1]
    return key if 0 < len(key) <= _LONGEST_KEY and key.isprintable() else None
