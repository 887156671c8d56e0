"""One link, searched whole: nothing anybody does is lost, and nothing goes on and on. And each rule is needed for it:
take one away, and the search tells the shortest story in which something goes wrong.

Assumed: field values are independent of one another, the tracker has a history, and one trouble comes at a time (a
second kill waits until the first one is accounted for). The centre is an arbitrary environment, so that whatever other
systems do is covered as well.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from central.link import Intent, Link, Pair
from central.model import Value
from mappings.model import Mapping as FieldMappings
from sync.decide import decide
from sync.echo import Entry
from sync.gateway import Gateway
from sync.past import Past
from sync.reading import Reading
from sync.reconcile import Plan
from sync.settle import Settled, settle_update
from tests.unit.sync.one_link import MAPPING, REDMINE, RT, Broken, Engine, OneLink, Tracker

FOLDED = ("on hold", "waiting for reply", "in progress"), ("stalled", "open")
"""Two of our words that are one of theirs, and another pair."""
CLOSING = ("in progress", "solved"), ("open", "resolved")
"""What the workflow of the centre turns into something else: a solved ticket taken up again is reopened."""
STRICT = ("in progress", "unsolved"), ("open", "rejected")
"""What the tracker's lifecycle forbids from here, whoever asks for it in our name."""


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
