"""What a write leaves behind on the link, by what the read-back shows."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from central.link import Intent, IntentKind, Link, LinkState, Pair, Refusal
from central.model import Value
from mappings.document import compile_mapping
from mappings.loader import read
from sync.echo import Entry
from sync.settle import Settled, mapped, settle_create, settle_look, settle_update, without

AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
MAPPING = compile_mapping(
    read(
        """
kind: mapping
name: small
connector: memory
fields:
  subject: {remote: summary}
  description: {remote: text, text: {}}
""",
        "small.yaml",
    )[0],
    revision=7,
)
BASE = {"subject": Pair("old", "old"), "description": Pair("text", "text")}
INTENT = Intent(
    IntentKind.UPDATE,
    "T1",
    AT,
    wrote={"subject": Pair("new", "new")},
    before={"summary": "old", "text": "text"},
    history_seen="",
)
OTHER = Intent(IntentKind.COMMENT, "T2", AT)


def link(**changes: object) -> Link:
    return Link(1, 1, "rt", LinkState.ACTIVE, key="7", base=BASE, intents=(INTENT, OTHER)).evolve(**changes)


def entry(old: Value, new: Value, *, own: bool, field: str = "summary") -> Entry:
    return Entry("1", field, old, new, own, AT)


def settled(
    after: Value,
    *,
    text: Value = "text",
    reasons: Mapping[str, str] | None = None,
    history: Sequence[Entry] | None = None,
    **changes: object,
) -> Settled:
    shown = {"summary": after, "text": text, "unmapped": "x"}
    return settle_update(link(**changes), INTENT, shown, reasons or {}, history, MAPPING, AT)


def test_what_was_written_and_read_is_the_base_as_it_was_sent() -> None:
    result = settled("new")
    assert result.link.base == {**BASE, "subject": Pair("new", "new")}
    assert (result.arrived, result.refused, result.look_again) == ({"subject": Pair("new", "new")}, {}, False)


def test_what_comes_back_in_another_form_of_its_text_has_arrived() -> None:
    intent = Intent(
        IntentKind.UPDATE,
        "T1",
        AT,
        wrote={"description": Pair("a\nb", "a\nb")},
        before={"text": "text"},
        history_seen="",
    )
    result = settle_update(link(intents=(intent,)), intent, {"text": "a\r\nb\r\n"}, {}, None, MAPPING, AT)
    assert (result.arrived, result.look_again) == ({"description": Pair("a\nb", "a\nb")}, False)


def test_only_this_intent_is_closed_and_the_state_there_is_remembered() -> None:
    result = settled("new")
    assert result.link.intents == (OTHER,)
    assert result.link.seen == {"summary": "new", "text": "text"}
    assert (result.link.written_at, result.link.mapping_revision, result.link.last_error) == (AT, 7, "")


def test_an_earlier_refusal_and_disagreement_end_with_the_write_that_arrives() -> None:
    refusal = Refusal("new", "old", "no", 7, AT)
    result = settled("new", refusals={"subject": refusal}, disagreements={"subject": "refused: no", "status": "other"})
    assert (result.link.refusals, result.link.disagreements) == ({}, {"status": "other"})


@pytest.mark.parametrize(
    ("reasons", "told"),
    [({"summary": "Subject is locked"}, "Subject is locked"), ({}, "the tracker left it at 'old' without saying why")],
)
def test_what_still_shows_the_value_before_was_refused(reasons: dict[str, str], told: str) -> None:
    result = settled("old", reasons=reasons)
    assert result.link.base == BASE
    assert result.refused == {"subject": told}
    assert result.link.refusals["subject"] == Refusal("new", "old", told, 7, AT)
    assert result.link.disagreements == {"subject": f"refused: {told}"}
    assert result.link.standing_since == {"subject": AT}


def test_what_is_refused_again_stands_since_it_was_refused_first() -> None:
    earlier = AT - timedelta(hours=1)
    stood = {"disagreements": {"subject": "refused: no"}, "standing_since": {"subject": earlier, "status": earlier}}
    assert settled("old", **stood).link.standing_since == {"subject": earlier}
    assert settled("new", **stood).link.disagrees_since is None


def test_what_shows_a_third_value_is_somebodys_edit_of_what_we_wrote() -> None:
    result = settled("third")
    assert (result.link.base["subject"], result.look_again) == (Pair("new", "new"), True)
    assert result.link.refusals == {}


@pytest.mark.parametrize(
    ("reasons", "history"),
    [({"summary": "no"}, None), ({}, [entry("old", "third", own=False)]), ({}, [])],
    ids=["the tracker says so", "history shows their entry alone", "history shows nothing"],
)
def test_a_third_value_over_a_write_that_never_landed_leaves_the_base(
    reasons: dict[str, str], history: list[Entry] | None
) -> None:
    result = settled("third", reasons=reasons, history=history)
    assert (result.link.base, result.look_again, result.arrived) == (BASE, True, {})


@pytest.mark.parametrize("after", ["third", "old"])
def test_a_write_that_history_shows_is_the_base_whatever_was_made_of_it_since(after: str) -> None:
    history = [entry("old", "new", own=True), entry("new", after, own=False)]
    result = settled(after, history=history)
    assert (result.link.base["subject"], result.look_again, result.refused) == (Pair("new", "new"), True, {})


def test_a_field_that_somebody_else_moved_meanwhile_deserves_a_look() -> None:
    result = settled("new", text="edited by somebody")
    assert (result.look_again, result.link.base["description"]) == (True, BASE["description"])


def test_another_form_of_the_same_text_is_no_edit() -> None:
    assert not settled("new", text="text\r\n").look_again


# -- a create ------------------------------------------------------------------------------------------------------

CREATE = Intent(IntentKind.CREATE, "T1", AT, wrote={"subject": Pair("new", "new"), "gone": Pair("x", "x")})


def bound(shown: Value, *, edits: Sequence[Entry] | None = ()) -> Link:
    pending = link(state=LinkState.PENDING, key=None, base={}, intents=(CREATE, OTHER))
    return settle_create(pending, CREATE, "9", "https://rt/9", {"summary": shown}, MAPPING, AT, edits=edits)


def test_a_create_binds_the_key_and_closes_its_intent() -> None:
    link_now = bound("new")
    assert (link_now.state, link_now.key, link_now.address, link_now.intents) == (
        LinkState.ACTIVE,
        "9",
        "https://rt/9",
        (OTHER,),
    )
    assert link_now.base == {"subject": Pair("new", "new")}


def test_what_the_tracker_made_of_a_value_was_set_by_nobody() -> None:
    assert bound("NEW").base == {"subject": Pair("new", "NEW")}


def test_what_somebody_made_of_it_before_it_was_found_is_their_edit() -> None:
    edited = bound("theirs", edits=[entry("NEW", "theirs", own=False)])
    assert edited.base == {"subject": Pair("new", "NEW")}


def test_where_no_history_tells_every_difference_is_an_edit() -> None:
    assert bound("theirs", edits=None).base == {"subject": Pair("new", "new")}


# -- a look --------------------------------------------------------------------------------------------------------

WINDOW = timedelta(seconds=1)


def test_a_strong_version_is_believed_at_once() -> None:
    looked = settle_look(link(racy_until=AT), "v2", "r2", AT, window=None)
    assert (looked.version, looked.row_version, looked.racy_until) == ("v2", "r2", None)


def test_a_weak_version_is_believed_once_its_window_is_over() -> None:
    first = settle_look(link(), "v2", "r2", AT, window=WINDOW)
    assert first.racy_until == AT + WINDOW
    too_early = settle_look(first, "v2", "r2", AT + WINDOW / 2, window=WINDOW)
    assert too_early.racy_until == AT + WINDOW
    late = settle_look(too_early, "v2", "r2", AT + WINDOW, window=WINDOW)
    assert late.racy_until is None
    assert settle_look(late, "v2", "r2", AT + WINDOW * 2, window=WINDOW).racy_until is None
    assert settle_look(late, "v3", "r3", AT + WINDOW * 2, window=WINDOW).racy_until == AT + WINDOW * 3


def test_only_mapped_fields_are_remembered() -> None:
    assert mapped({"summary": "s", "unmapped": 1}, MAPPING) == {"summary": "s"}


def test_intents_are_told_apart_by_their_tokens() -> None:
    assert without((INTENT, OTHER), INTENT) == (OTHER,)
    assert without((INTENT, OTHER)) == (INTENT, OTHER)
