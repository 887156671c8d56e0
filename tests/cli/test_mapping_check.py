"""`mapping check --system` and `mapping show`, typed by an operator whose tracker is not quite as the product comes."""

import pytest

from connectors.api import Capabilities, RemoteField
from mappings.library import with_vocabulary
from mappings.vocabulary import TheirField, Vocabulary, compile_vocabulary
from sync.spoken import Spoken


@pytest.fixture
def cz(desk):
    desk.type("apply", desk.write(desk.cz))
    return desk


def test_a_mapping_is_held_against_what_the_system_says_now_by_reading_only(cz) -> None:
    log = cz.rt.tracker.log[:]
    said = cz.type("mapping", "check", "--system", "ngi-cz")
    assert said.code == 0, said.out
    assert "against the vocabulary ngi-cz" in said.out
    bent = "kind: mapping\nname: mine\nextends: rt\nfields: {status: {table: {on hold: parked}}}\n"
    refuted = cz.type("mapping", "check", cz.write(bent, name="m.yaml"), "--system", "ngi-cz")
    assert refuted.code == 1
    assert "'parked' is not a Status of theirs" in refuted.out
    assert cz.rt.tracker.log == log


def test_it_is_judged_by_the_policies_that_the_system_is_registered_with(cz) -> None:
    """A timer of theirs goes before what a person here says meanwhile, by the registration and not by the mapping."""
    site = (
        "kind: mapping\nname: site\nextends: rt\n---\nkind: vocabulary\nname: site\nextends: rt\nfields:\n"
        "  Status: {automatic: [{from: rejected, to: resolved, when: a week has passed}]}\n"
    )
    mapping = cz.write(site, name="site.yaml")
    by_mapping = cz.type("mapping", "check", mapping, "--system", "ngi-cz").out
    cz.type("apply", cz.write(f"{cz.cz}policy: {{status: remote}}\n"))
    by_system = cz.type("mapping", "check", mapping, "--system", "ngi-cz").out
    assert "'remote' lets" not in by_mapping
    assert "'remote' lets" in by_system


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "name a FILE or more, or a --system"),
        (("--system", "ngi-cx"), "no system 'ngi-cx' is registered; did you mean 'ngi-cz'"),
    ],
)
def test_what_cannot_be_meant_is_told(cz, words: tuple[str, ...], sentence: str) -> None:
    said = cz.type("mapping", "check", *words)
    assert (said.code, sentence in said.err) == (2, True), said.err


def test_what_no_tracker_tells_stays_as_it_was_declared_for_the_words_that_are_there() -> None:
    known = compile_vocabulary(with_vocabulary("rt")[1])
    fields = (RemoteField("Status", "choice", values=("new", "open", "resolved", "parked")),)
    effects = {"comment": {"Status": {"resolved": "open", "stalled": "open"}}}
    status = Spoken("s", "rt", fields, Capabilities(side_effects=effects)).over(known).fields["Status"]
    assert status.values == ("new", "open", "resolved", "parked")
    assert status.after_comment == {"new": "open", "resolved": "open"}
    assert status.workflow is None or "stalled" not in {word for to in status.workflow.values() for word in to}
    jira = compile_vocabulary(with_vocabulary("jira")[1])
    live = Spoken("s", "jira", (RemoteField("description", "text"),), Capabilities()).over(jira)
    assert (live.fields["description"].formats, live.comments_formats) == (("jira",), ("jira",))
    nothing = Vocabulary("x", {"Status": TheirField("Status", writable=False)}, {}, declared=False)
    assert Spoken("s", "x", fields, Capabilities()).over(nothing).fields["Status"].writable


def test_all_that_a_mapping_says_is_shown_with_the_place_where_it_is_written(desk) -> None:
    file = desk.write(
        "kind: mapping\nname: mine\nextends: rt\nfields: {priority: null, status: {table: {on hold: open}}}\n"
    )
    shown = desk.type("mapping", "show", file, "--json").data
    assert shown["extends"] == ["rt"]
    assert "priority" not in shown["mapping"]["fields"]
    assert shown["places"]["fields.status.table.on hold"] == f"{file}:4:52"
    assert shown["places"]["fields.status.table.new"].startswith("mappings/library/rt.yaml:")
    assert "fields.status.table.on hold" in desk.type("mapping", "show", file).out
