"""One link, searched whole: nothing anybody does is lost, and nothing goes on and on. And each rule is needed for it:
take one away, and the search tells the shortest story in which something goes wrong.

Assumed: field values are independent of one another, the tracker has a history, and one trouble comes at a time (a
second kill waits until the first one is accounted for). The centre is an arbitrary environment, so that whatever other
systems do is covered as well.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from central.delivery import Claim
from central.link import Intent, Link, Pair
from central.model import Value
from central.store.api import Transaction
from central.store.memory import MemoryStore
from connectors.api import Capabilities, RemoteComment, VersionStrength
from connectors.emulators.tracker import Issue, Note
from connectors.errors import Unknown
from connectors.memory import Call, MemoryConnector
from mappings.model import Mapping as FieldMappings
from sync.decide import decide
from sync.echo import Entry
from sync.gateway import Gateway
from sync.past import Past
from sync.plan import Plan
from sync.reading import Reading
from sync.settle import Settled, settle_update
from sync.simulation.members import REDMINE_LIKE
from sync.simulation.mesh import Mesh
from tests.unit.sync.one_link import MAPPING, REDMINE, RT, Broken, Engine, OneLink, Tracker
from tests.unit.sync.world import TPM, World, failing, once

FOLDED = ("on hold", "waiting for reply", "in progress"), ("stalled", "open")
"""Two of our words that are one of theirs, and another pair."""
CLOSING = ("in progress", "solved"), ("open", "resolved")
"""What the workflow of the centre turns into something else: a solved ticket taken up again is reopened."""
STRICT = ("in progress", "unsolved"), ("open", "rejected")
"""What the tracker's lifecycle forbids from here, whoever asks for it in our name."""

REJECTED = ("assigned", "in progress"), ("open", "rejected", "new")
"""What people there may set and the centre does not take: new is set by the system only."""


@pytest.mark.parametrize("words", [FOLDED, CLOSING, STRICT], ids=["folded", "closing", "strict"])
@pytest.mark.parametrize(
    ("tracker", "policy"),
    [(RT, "central"), (RT, "remote"), (RT, "ask"), (REDMINE, "central"), (REDMINE, "remote")],
    ids=["rt-central", "rt-remote", "rt-ask", "redmine-central", "redmine-remote"],
)
def test_no_edit_is_lost_and_nothing_goes_on_and_on(
    tracker: Tracker, policy: str, words: tuple[tuple[str, ...], tuple[str, ...]]
) -> None:
    ours, theirs = words
    assert OneLink(tracker, ours, theirs, policy=policy).explore(limit=20_000) > 50


def test_an_edit_that_the_centre_rejects_takes_no_edit_of_the_centre_with_it() -> None:
    ours, theirs = REJECTED
    assert OneLink(RT, ours, theirs, policy="remote").explore(limit=20_000) > 50


# -- engines with one rule less ------------------------------------------------------------------------------------


def _with(past: Past, **changes: object) -> Past:
    return replace(past, link=past.link.evolve(**changes))


def one_value_as_base(gateway: Gateway, past: Past, theirs: Reading) -> Plan:
    """The base in their words alone: ours has changed where it no longer means the same."""
    rule, base, ours = MAPPING.fields["status"].rule, past.link.base["status"], past.ticket["status"]
    if rule.outward(ours, held=base.theirs) == base.theirs:
        past = _with(past, base={"status": Pair(ours, base.theirs)})
    return decide(gateway, past, theirs)


def blind_to_intents(gateway: Gateway, past: Past, theirs: Reading) -> Plan:
    return decide(gateway, _with(past, intents=()), theirs)


def blind_to_history(gateway: Gateway, past: Past, theirs: Reading) -> Plan:
    return decide(gateway, past, replace(theirs, history=None))


def any_entry_of_ours_proves(gateway: Gateway, past: Past, theirs: Reading) -> Plan:
    """However old the entry is."""
    return decide(gateway, _with(past, intents=tuple(replace(i, history_seen="") for i in past.link.intents)), theirs)


def forgetting_refusals(gateway: Gateway, past: Past, theirs: Reading) -> Plan:
    return decide(gateway, _with(past, refusals={}), theirs)


def settling_what_was_read(
    link: Link,
    intent: Intent,
    after: Mapping[str, Value],
    reasons: Mapping[str, str],
    history: Sequence[Entry] | None,
    mapping: FieldMappings,
    at: datetime,
) -> Settled:
    settled = settle_update(link, intent, after, reasons, history, mapping, at)
    read = {"status": Pair(intent.wrote["status"].ours, after["status"])}
    return replace(settled, link=settled.link.evolve(base=read))


def taking_silence_for_consent(
    link: Link,
    intent: Intent,
    after: Mapping[str, Value],
    reasons: Mapping[str, str],
    history: Sequence[Entry] | None,
    mapping: FieldMappings,
    at: datetime,
) -> Settled:
    """What the tracker reports is believed without reading back: it reports nothing."""
    return settle_update(link, intent, {"status": intent.wrote["status"].theirs}, {}, history, mapping, at)


def nothing(*_: Any) -> Any:
    return ()


def no_losers(*_: Any) -> dict[str, Any]:
    return {}


Case = tuple[Engine, Tracker, tuple[tuple[str, ...], tuple[str, ...]], str]

ABLATIONS: Mapping[str, Case] = {
    "the base is a pair": (Engine(decide=one_value_as_base), RT, FOLDED, "is kept nowhere"),
    "an intent comes before a write": (Engine(decide=blind_to_intents), RT, FOLDED, "nobody there has set it"),
    "intents are kept until they are accounted for": (
        Engine(still_open=nothing),
        REDMINE,
        FOLDED,
        "nobody there has set it",
    ),
    "history tells their value from ours": (Engine(decide=blind_to_history), RT, FOLDED, "knowingly"),
    "only an entry newer than the intent proves it": (
        Engine(decide=any_entry_of_ours_proves),
        RT,
        FOLDED,
        "nobody there has set it",
    ),
    "settling records what was written": (Engine(settle=settling_what_was_read), RT, FOLDED, "knowingly"),
    "a write is read back": (Engine(settle=taking_silence_for_consent), RT, STRICT, "nobody there has set it"),
    "without a lock the history is asked what was overwritten": (
        Engine(unread_edits=no_losers),
        REDMINE,
        FOLDED,
        "overwritten unread",
    ),
    "a refusal is remembered": (Engine(decide=forgetting_refusals), RT, STRICT, "at rest"),
}


@pytest.mark.parametrize("rule", ABLATIONS)
def test_without_this_rule_something_is_lost(rule: str) -> None:
    engine, tracker, (ours, theirs), sentence = ABLATIONS[rule]
    with pytest.raises(Broken, match=sentence):
        OneLink(tracker, ours, theirs, engine=engine).explore(limit=20_000)


def test_a_field_written_again_while_an_earlier_write_may_still_execute_is_lost() -> None:
    ours, theirs = FOLDED
    with pytest.raises(Broken):
        OneLink(REDMINE, ours, theirs, hurries=True).explore(limit=20_000)


# -- and over the whole mesh ---------------------------------------------------------------------------------------


class Boasting(MemoryConnector):
    """Says that its rows' versions are strong, and shows whole seconds."""

    def _row_version(self, issue: Issue) -> str:
        return issue.changed_at.isoformat()


class Unmarked(MemoryConnector):
    """Reads comments back without our mark, and as anybody's."""

    def _comment(self, note: Note) -> RemoteComment:
        return replace(super()._comment(note), token=None, own=False)


class Impatient(MemoryStore):
    """Finishes a delivery whatever came in since it was claimed."""

    def write(self, change, *, durable=True):
        return super().write(lambda tx: change(_Impatiently(tx)), durable=durable)


class _Impatiently:
    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self.outbox = self

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tx, name, None) or getattr(self._tx.outbox, name)

    def done(self, claim: Claim, at: datetime) -> bool:
        newest = self._tx.outbox.done(claim, at)
        if not newest:
            late = self._tx.outbox.claim(
                claim.delivery.system, "late", at, ttl=timedelta(hours=1), lease_name=lambda _, d: f"drop {d.id}"
            )
            if late is not None:
                self._tx.outbox.done(late, at)
        return newest


def speaking_through(kind: type[MemoryConnector], capabilities: Capabilities) -> World:
    """A world whose Redmine is spoken to by another connector."""
    world = World()
    connector = kind(world.redmine.tracker, capabilities=capabilities, clock=world.clock)
    world.redmine = replace(world.redmine, connector=connector)
    world.mesh = Mesh(MemoryStore(), [world.rt, world.redmine], world.clock)
    world.store, world.centre = world.mesh.store, world.mesh.centre
    return world


def two_edits_in_one_second(world: World) -> list[str]:
    _, other = world.shared()
    world.bob.edit(other, subject="first")
    world.mesh.poll()
    world.mesh.work()
    world.bob.edit(other, subject="second, in the same second")
    return world.end()


def test_a_weak_version_that_is_believed_at_once_loses_an_edit() -> None:
    assert two_edits_in_one_second(speaking_through(MemoryConnector, REDMINE_LIKE)) == []
    boasting = replace(REDMINE_LIKE, row_version=VersionStrength.STRONG)
    assert any(
        "second, in the same second" in wrong for wrong in two_edits_in_one_second(speaking_through(Boasting, boasting))
    )


def test_a_comment_without_our_mark_comes_back_as_somebody_elses() -> None:
    ends = []
    for kind in (MemoryConnector, Unmarked):
        world = speaking_through(kind, REDMINE_LIKE)
        world.shared()
        once(world.redmine.connector, "comment", failing(Unknown("the answer was lost")), done=True)
        world.centre.comment(1, "once only", TPM)
        world.mesh.settle(30)
        ends.append((len(world.said(world.redmine, "once only")), len(world.comments())))
    assert ends[0] == (1, 1)
    assert ends[1] == (2, 2)


def hint(world: World, key: str) -> None:
    relay = world.mesh.means.relay
    world.store.write(lambda tx: relay.owe_inward(tx, "ngi-pl", key, world.clock(), reason="a webhook"))


def test_a_delivery_that_is_done_whatever_came_meanwhile_loses_a_wake_up() -> None:
    heard = []
    for store in (MemoryStore(), Impatient()):
        world = World(store=store)
        _, other = world.shared()

        def meanwhile(_: Call, world: World = world, other: str = other) -> None:
            world.bob.comment(other, "while you were reading")
            hint(world, other)

        once(world.redmine.connector, "fetch", meanwhile, done=True)
        hint(world, other)
        world.mesh.work()
        heard.append(len(world.comments()))
    assert heard == [1, 0]
