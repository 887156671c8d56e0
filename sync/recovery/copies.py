"""Is this database at home here, and is it the one that was left? What it holds itself back for, else.

A copied or restored database that wrote would tell the systems what is out of date. So it holds itself: it neither
reads nor writes until a person says what it is.
"""

from dataclasses import dataclass
from datetime import datetime

from central.audit import Entry
from central.store.api import Transaction
from sync.identity import Host, fresh

COPIED = "this database is a copy"
RESTORED = "this database was restored from a backup"
UNREAD = "what a restored database has forgotten of it is still to be found again: interdesk db plan"
"""Why a system stays paused after a restore."""

_AHEAD = 1_000_000
"""Every host counts for itself how far their database had come: no count of any is as far ahead as that."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """Who this is: what the state folder is to remember."""

    instance: str
    beats: int
    """How often it has been said: a database that counts less than the state folder went back in time."""


def recognise(tx: Transaction, host: Host, beats: int, at: datetime) -> Recognised:
    """Name a database that has no id yet; hold one that belongs elsewhere or went back in time.

    `beats`: what the state folder remembers; 0 where it remembers nothing."""
    instance = tx.instance.get()
    held = instance.held
    if not instance.id:
        instance = instance.evolve(id=host.id or fresh())
    elif held.startswith(COPIED):
        pass  # until a person says where it is at home
    elif host.moved:
        held = f"{COPIED}: {host.moved}"
    elif host.id != instance.id:
        held = f"{COPIED}: it is of instance {instance.id}, and this host is {host.id or 'none yet'}"
    elif instance.beats < beats:
        return Recognised(instance.id, mark_restored(tx, at, "it knows less than the state folder beside it", beats))
    if held != instance.held:
        instance = instance.evolve(held=held)
    beat = max(instance.beats, beats) + 1
    tx.instance.put(instance.evolve(beats=beat))
    return Recognised(instance.id, beat)


def beat(tx: Transaction) -> int:
    """The database was seen alive; how often, with this time."""
    instance = tx.instance.get()
    tx.instance.put(instance.evolve(beats=instance.beats + 1))
    return instance.beats + 1


def mark_restored(tx: Transaction, at: datetime, why: str, beats: int = 0) -> int:
    """Hold a database that went back in time, until a plan is approved; its beats from now on, which are ahead of what
    any host beside this one remembers: one restore is noticed once."""
    instance = tx.instance.get()
    beat = max(instance.beats, beats) + _AHEAD
    held = instance.held if instance.held.startswith(COPIED) else f"{RESTORED}: {why}"
    tx.instance.put(instance.evolve(held=held, restored_at=instance.restored_at or at, plan="", beats=beat))
    return beat


def adopt(tx: Transaction, at: datetime, by: str, *, beats: int) -> Recognised:
    """This host is from now on where this database is at home, and it may write again.

    Only for a database that has forgotten nothing: what was sent after it was copied would be sent again."""
    instance = tx.instance.get()
    beat = max(instance.beats, beats) + 1
    tx.instance.put(instance.evolve(held="", restored_at=None, plan="", beats=beat))
    tx.audit.record(Entry(at, by, "adopt the database", instance.id, {"held": instance.held}))
    return Recognised(instance.id, beat)


def adopt_restored(tx: Transaction, at: datetime, by: str, *, beats: int) -> Recognised:
    """The same for one that was restored from a backup: at home here, it writes once a plan is approved."""
    adopt(tx, at, by, beats=beats)
    return Recognised(tx.instance.get().id, mark_restored(tx, at, "it was put in place on this host", beats))


def at_rest(tx: Transaction) -> str:
    """Why nothing is even read, so that a copy spends nobody's quota; '' where all is well."""
    held = tx.instance.get().held
    return held if held.startswith((COPIED, RESTORED)) else ""


def remedy(held: str) -> str:
    """What a person does about a database that holds itself back for this reason."""
    if held.startswith(RESTORED):
        return (
            "find again what it has forgotten, by reading only: interdesk db plan; "
            "then let it write what the plan shows: interdesk db approve"
        )
    return (
        "if it is the newest there is, and is to write here and nowhere else: interdesk db adopt --newest; "
        "if this host is its home after a restore from a backup: interdesk db adopt --restored; "
        "if neither, leave it: it reads and writes nothing"
    )
