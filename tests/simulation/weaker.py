"""Parts with one rule less, to be handed to a simulated world: what an engine without that rule would do."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from central.delivery import Claim, Direction
from central.guard import HoldKind
from central.link import IntentKind, Link, Pair
from central.model import Conflict, Value
from central.registry import System
from connectors.api import Lookup, RemoteTicket
from mappings.model import Untranslatable
from sync.absorb import WRITTEN_BETWEEN
from sync.gateway import Gateway
from sync.means import Means
from sync.simulation.tempers import MARK


class Instead:
    """Something as it is, but for what is defined here."""

    def __init__(self, real: Any) -> None:
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


class _Store(Instead):
    """A store whose transactions are seen through `part`: the name of a repository, and what stands in for it."""

    def __init__(self, real: Any, name: str, part: Callable[[Any], Any]) -> None:
        super().__init__(real)
        self._name, self._part = name, part

    def write(self, change: Callable[[Any], Any], *, durable: bool = True) -> Any:
        return self._real.write(lambda tx: change(self._seen(tx)), durable=durable)

    def read(self, question: Callable[[Any], Any]) -> Any:
        return self._real.read(lambda tx: question(self._seen(tx)))

    def _seen(self, tx: Any) -> Any:
        seen = Instead(tx)
        setattr(seen, self._name, self._part(tx))
        return seen


def storing(name: str, part: Callable[[Any], Any]) -> Callable[[Means], Means]:
    return lambda means: replace(means, store=_Store(means.store, name, part))


def stored(kind: Callable[[Any], Any]) -> Callable[[Means], Means]:
    return lambda means: replace(means, store=kind(means.store))


def without(*guards: HoldKind) -> Callable[[Means], Means]:
    return lambda means: replace(means, guards=means.guards - {*guards})


def scanned_rarely(gateway: Gateway) -> Gateway:
    """As in the wild, where a full scan is due long after all of a scenario."""
    return replace(gateway, full_scan=timedelta(days=1))


# -- what the store keeps ------------------------------------------------------------------------------------------


class _Links(Instead):
    def __init__(self, tx: Any) -> None:
        super().__init__(tx.links)

    def find(self, ticket_id: int, system: str) -> Link | None:
        return self._shown(self._real.find(ticket_id, system))

    def find_by_key(self, system: str, key: str) -> Link | None:
        return self._shown(self._real.find_by_key(system, key))

    def save(self, link: Link) -> None:
        self._real.save(self._kept(link))

    def _shown(self, link: Link | None) -> Link | None:
        return link

    def _kept(self, link: Link) -> Link:
        return link


class NoIntents(_Links):
    """Nobody remembers what was about to be written."""

    def _shown(self, link: Link | None) -> Link | None:
        return link and link.evolve(intents=tuple(i for i in link.intents if i.kind is not IntentKind.UPDATE))


class NeverRacy(_Links):
    """A version of whole seconds is believed at once."""

    def _kept(self, link: Link) -> Link:
        return link.evolve(racy_until=None)


class Unversioned(_Links):
    """Nobody remembers which version was read."""

    def _kept(self, link: Link) -> Link:
        return link.evolve(version="", row_version="", racy_until=None)


class WhatWasRead(_Links):
    """Whatever stands there after a write of ours is what was agreed on."""

    def _kept(self, link: Link) -> Link:
        before = self._real.find(link.ticket_id, link.system)
        if before is None or link.written_at == before.written_at:
            return link
        open_still = {intent.token for intent in link.intents}
        base = dict(link.base)
        for intent in before.intents:
            if intent.kind is IntentKind.UPDATE and intent.token not in open_still:
                for name, pair in intent.wrote.items():
                    if name in link.seen:  # fields bear the same name on both sides of a simulated mesh
                        base[name] = Pair(pair.ours, link.seen[name])
        return link.evolve(base=base)


class NothingOverwritten(Instead):
    """What a write of ours replaced unread is not kept."""

    def __init__(self, tx: Any) -> None:
        super().__init__(tx.tickets)

    def keep_conflict(self, conflict: Conflict) -> Conflict:
        return conflict if conflict.reason == WRITTEN_BETWEEN else self._real.keep_conflict(conflict)


class Impatient(Instead):
    """A delivery is done whatever came in since it was claimed."""

    def __init__(self, tx: Any) -> None:
        super().__init__(tx.outbox)

    def done(self, claim: Claim, at: datetime) -> bool:
        newest = self._real.done(claim, at)
        if not newest:
            late = self._real.claim(
                claim.delivery.system, "late", at, ttl=timedelta(hours=1), lease_name=lambda _, d: f"drop {d.id}"
            )
            if late is not None:
                self._real.done(late, at)
        return newest


class CursorFirst(Instead):
    """A store in which a page of a poll is two transactions: its cursor, and after it the looks that it owes."""

    def write(self, change: Callable[[Any], Any], *, durable: bool = True) -> Any:
        later: list[Callable[[Any], None]] = []

        def first(tx: Any) -> Any:
            seen = Instead(tx)
            seen.outbox, seen.registry = _Withholding(tx), _Moving(tx)
            done = change(seen)
            later[:] = seen.outbox.withheld
            if not seen.registry.moved:
                _owe_all(later, tx)
            return done

        done = self._real.write(first, durable=durable)
        if later:
            self._real.write(lambda tx: _owe_all(later, tx), durable=durable)
        return done


def _owe_all(looks: list[Callable[[Any], None]], tx: Any) -> None:
    while looks:
        looks.pop(0)(tx)


class _Withholding(Instead):
    """Keeps looks at their tickets back."""

    def __init__(self, tx: Any) -> None:
        super().__init__(tx.outbox)
        self.withheld: list[Callable[[Any], None]] = []

    def owe(self, system: str, direction: Direction, key: str, at: datetime, **more: Any) -> None:
        if direction is Direction.INWARD:
            self.withheld.append(lambda tx: tx.outbox.owe(system, direction, key, at, **more))
        else:
            self._real.owe(system, direction, key, at, **more)


class _Moving(Instead):
    """Knows whether a cursor moved."""

    def __init__(self, tx: Any) -> None:
        super().__init__(tx.registry)
        self.moved = False

    def put_system(self, system: System) -> None:
        self.moved |= system.cursor != self._real.system(system.name).cursor
        self._real.put_system(system)


# -- what the mapping's rules are -----------------------------------------------------------------------------------


def mapped(rule: Callable[[Any], Any], *names: str) -> Callable[[Gateway], Gateway]:
    """Gateways whose rules for these fields (all: none named) are seen through `rule`."""

    def other(gateway: Gateway) -> Gateway:
        fields = {
            name: replace(field, rule=rule(field.rule)) if not names or name in names else field
            for name, field in gateway.mapping.fields.items()
        }
        return replace(gateway, mapping=replace(gateway.mapping, fields=fields))

    return other


class OneValue(Instead):
    """What was last agreed on is one value, in their words: ours has changed where it no longer means the same."""

    def canonical_ours(self, ours: Value) -> Value:
        return self._real.outward(ours, held=None)


class Forgetful(Instead):
    """A lens without memory: whatever is held here, a word of theirs means the same."""

    def inward(self, theirs: Value, *, held: Value) -> Value:  # that is the point
        return self._real.inward(theirs, held=None)


def by_meaning(name: str, lens: Callable[[Any], Any] = lambda rule: rule) -> Callable[[Gateway], Gateway]:
    """Gateways in which a word that stands there is known as the one that we said by the first lens law alone: it is
    read, with what we meant as the value held, and must be what we meant.

    The engine knows it by its letters (the base has both, and an intent what it wrote), and what corresponds outward
    corresponds: with those, a lens may forget, and no seed notices. This takes them away, in the world that has the law
    as in the one that is without it."""

    def other(gateway: Gateway) -> Gateway:
        return through(_Plainly)(mapped(lambda rule: _ByMeaning(lens(rule)), name)(gateway))

    return other


class _Said(str):
    """A word of theirs as we say it."""

    __slots__ = ("meant",)

    def __new__(cls, word: str, meant: Value) -> "_Said":
        said = super().__new__(cls, word)
        said.meant = meant
        return said


class _ByMeaning(Instead):
    def outward(self, ours: Value, *, held: Value) -> Value:
        word = self._real.outward(ours, held=held)
        return word if word is None else _Said(word, ours)

    def canonical_theirs(self, theirs: Value) -> Any:
        return _Compared(self._real, theirs)


@dataclass(frozen=True, eq=False)
class _Compared:
    rule: Any
    word: Value

    def __eq__(self, other: object) -> bool:
        assert isinstance(other, _Compared)
        said = [each.word for each in (self, other) if isinstance(each.word, _Said)]
        stands = [each.word for each in (self, other) if not isinstance(each.word, _Said)]
        if len(said) != 1:
            return self.word == other.word
        try:
            return self.rule.inward(stands[0], held=said[0].meant) == said[0].meant
        except Untranslatable:
            return False


class _Plainly(Instead):
    """What arrives there are words."""

    def create(self, fields: Mapping[str, Value], **more: Any) -> Any:
        return self._real.create(_plain(fields), **more)

    def update(self, key: str, patch: Mapping[str, Value], **more: Any) -> Any:
        return self._real.update(key, _plain(patch), **more)


def _plain(fields: Mapping[str, Value]) -> dict[str, Value]:
    return {name: str(value) if isinstance(value, _Said) else value for name, value in fields.items()}


# -- what the connector says ----------------------------------------------------------------------------------------


def through(kind: Callable[[Any], Any]) -> Callable[[Gateway], Gateway]:
    return lambda gateway: replace(gateway, connector=kind(gateway.connector))


class FindsNothing(Instead):
    """Nobody asks whether an earlier attempt got through."""

    def find(self, token: str, since: datetime) -> Lookup:  # that is the point
        return Lookup.ABSENT


class OurMarkAlways(Instead):
    """Whatever stands there, our mark is believed to be the one that we left."""

    _left: Value = None

    def update(self, key: str, patch: Any, **more: Any) -> Any:
        self._left = patch.get(MARK, self._left)
        return self._real.update(key, patch, **more)

    def fetch(self, key: str, **more: Any) -> RemoteTicket:
        ticket = self._real.fetch(key, **more)
        return replace(ticket, fields={**ticket.fields, MARK: self._left}) if MARK in ticket.fields else ticket


class Unmarked(Instead):
    """Comments come back without our mark, and as anybody's."""

    def fetch(self, key: str, *, known: Collection[str] | None = None, version: str | None = None) -> RemoteTicket:
        return _unmarked(self._real.fetch(key, known=known, version=version))

    def update(self, *args: Any, **more: Any) -> Any:
        written = self._real.update(*args, **more)
        return replace(written, after=_unmarked(written.after))

    def comment(self, *args: Any, **more: Any) -> Any:
        return self._real.comment(*args, **more)


def _unmarked(ticket: RemoteTicket) -> RemoteTicket:
    if ticket.comments is None:
        return ticket
    return replace(ticket, comments=tuple(replace(c, token=None, own=False) for c in ticket.comments))


class NoHistory(Instead):
    """Nobody reads the history."""

    @property
    def capabilities(self) -> Any:
        return replace(self._real.capabilities, history=False)
