"""A system that an AccessError stopped tries again by itself once its credentials are others. What a person paused
never does.

What is kept of credentials that failed is a slow hash under this instance's own salt: enough to tell that they changed,
and nothing that anybody could log in with.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import structlog

from central.audit import Entry
from central.registry import System, SystemState
from central.store.api import Store, Transaction
from sync.gateway import Gateway, Gateways

log = structlog.get_logger("interdesk.access")


def digest(settings: Mapping[str, Any], look_up: Callable[[str], str], *surroundings: object) -> str:
    """What tells these credentials, and where they are shown, from all others. It is for memory alone, never kept.

    :raises MissingSecret: one leads nowhere."""

    def resolved(data: Any) -> Any:
        if isinstance(data, Mapping):
            if set(data) == {"secret"} and isinstance(data["secret"], str):
                return look_up(data["secret"])
            return {key: resolved(value) for key, value in data.items()}
        return [resolved(each) for each in data] if isinstance(data, list | tuple) else data

    whole = json.dumps([resolved(settings), *map(str, surroundings)], sort_keys=True, default=str)
    return hashlib.sha256(whole.encode()).hexdigest()


def kept(store: Store, gateway: Gateway) -> str:
    """The credentials of this gateway as they may be kept; '' where it has none."""
    if not gateway.credentials:
        return ""
    salt = f"{store.read(lambda tx: tx.instance.get().id)}/{gateway.system}"
    return hashlib.scrypt(gateway.credentials.encode(), salt=salt.encode(), n=2**14, r=8, p=1).hex()


def lock_out(system: System, reason: str, at: datetime, *, turned_away: str) -> System:
    """The system is to be stopped because it does not let us in. One that rests already stays as it is: a person's word
    stands."""
    noted = replace(system, last_error=reason, error_at=at, outage=None)
    if not system.reads:
        return noted
    return replace(
        noted.stopped(reason),
        open_problem=True,
        turned_away=turned_away,
        lockouts=system.lockouts + 1,
    )


def is_outdated(gateway: Gateway, system: System) -> bool:
    """Whether this gateway spoke with credentials of before: then its being turned away says nothing."""
    return gateway.lockouts is not None and (gateway.lockouts < system.lockouts or gateway.revision < system.revision)


def recovered(system: System) -> System:
    """The system live again, with nothing against it."""
    well = replace(system, last_error="", error_at=None, open_problem=False, turned_away="", outage=None)
    return replace(well, state=SystemState.LIVE, reason="")


def readmit(store: Store, gateways: Gateways, at: datetime, by: str) -> tuple[str, ...]:
    """Let every system try again that was stopped for its credentials, and has others now. Returns their names.

    Asked at the start of a process and after documents were applied, so that nobody has to remember to say `resume`."""
    names = []
    for system in store.read(lambda tx: tx.registry.systems()):
        if not _is_locked_out(system):
            continue
        try:
            now = kept(store, gateways.get(system.name))
        except LookupError:  # it cannot even be put together; why was said already
            continue
        if now != system.turned_away and store.write(lambda tx, was=system: _resume(tx, was, at, by)):  # type: ignore[misc]  # bound now
            names.append(system.name)
            log.info("tries again with other credentials", system=system.name, it_was=system.reason)
    return tuple(names)


def _is_locked_out(system: System) -> bool:
    stopped = system.state in (SystemState.PAUSED, SystemState.SHADOW) and not system.reads
    forgotten = system.restored_at is not None  # what is to be found again first
    return stopped and system.open_problem and system.cursor is not None and not forgotten


def _resume(tx: Transaction, was: System, at: datetime, by: str) -> bool:
    system = tx.registry.system(was.name)
    if not _is_locked_out(system) or system.lockouts != was.lockouts:
        return False
    well = recovered(system)
    tx.registry.put_system(replace(well, state=system.state) if system.state is SystemState.SHADOW else well)
    tx.audit.record(Entry(at, by, "try again with other credentials", system.name, {"it was": system.reason}))
    return True
