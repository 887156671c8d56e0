"""Transitions in a mapping: how a value of theirs is reached, and what cannot be meant."""

import pytest

from mappings import laws
from mappings.document import compile_mapping
from mappings.loader import DocumentError, read
from mappings.losses import loss_statement
from mappings.model import Mapping

HEAD = """kind: mapping
name: m
connector: m
fields:
  status:
    remote: Status
    table: {new: New, in progress: [Open, Begun], solved: Done}
    lost_when: [deleted]
    transitions: %s
  solution: {remote: Resolution, text: {}}
  category: {remote: Kind, table: {Test: test}}
  phone: {remote: Phone, only_on_create: true}
"""


def compiled(transitions: str) -> Mapping:
    return compile_mapping(read(HEAD % transitions, "m.yaml")[0], revision=1)


def told(transitions: str) -> list[str]:
    with pytest.raises(DocumentError) as caught:
        compiled(transitions)
    return [str(problem).removeprefix("m.yaml:9:") for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("via", "ways"),
    [
        ("[]", {"New": ()}),
        ("[Open]", {"New": ("Open",), "Open": (), "Begun": ("Open",), "anything": ("Open",)}),
        ("[Seen, Open]", {"New": ("Seen", "Open"), "Seen": ("Open",), "Open": ()}),
        ("{New: [Seen, Open]}", {"New": ("Seen", "Open"), "Seen": ("Open",), "Open": (), "Begun": ()}),
        ("{New: [A, B], Open: [A, C], A: [B]}", {"New": ("A", "B"), "Open": ("A", "B"), "C": (), "B": ()}),
        ("{New: [Open], Open: []}", {"New": ("Open",), "Open": ()}),
    ],
)
def test_a_way_is_walked_from_where_theirs_stands(via: str, ways: dict[str, tuple[str, ...]]) -> None:
    status = compiled(f"{{Done: {{via: {via}, with: {{Outcome: ok}}}}}}").fields["status"]
    assert {start: status.way(start, "Done") for start in ways} == ways
    assert status.way("New", "Open") == ()
    assert status.walks("Done") == any(ways.values())


@pytest.mark.parametrize(
    ("transitions", "sentence"),
    [
        ("{Doen: {via: [Open]}}", "19: fields.status.transitions.Doen: 'Doen' is never written: no line of the table"),
        ("{Begun: {via: [New]}}", "'Begun' is never written"),
        ("{Done: {}}", "19: fields.status.transitions.Done: a transition says what goes 'with' it"),
        ("{Done: {via: [Open, Done]}}", "38: fields.status.transitions.Done.via.1: 'Done' is what is to be reached"),
        ("{Done: {via: {Done: [Open]}}}", "'Done' is there already"),
        ("{Done: {via: {Open: [Open]}}}", "'Open' is where this way begins"),
        ("{Done: {via: [deleted]}}", "'deleted' means that the ticket is gone"),
        ("{Done: {via: {New: [A, B], Open: [A, C]}}}", "from 'A' two ways lead on, to 'B' and to 'C'"),
        ("{Done: {via: {New: [Open], Open: [New]}}}", "this goes round and round, and never comes to 'Done'"),
        ("{Done: {with: {Status: x}}}", "this is the field that is to reach the value"),
        ("{Done: {with: {Outcome: ''}}}", "nothing at all fills no field"),
        ("{Done: {with: {Resolution: x}}}", "their 'Resolution' is our 'solution' already: say {from: solution}"),
        ("{Done: {with: {Resolution: {from: soluton}}}}", "our 'soluton' is not mapped here; did you mean 'solution'?"),
        (
            "{Done: {with: {Notes: {from: solution}}}}",
            "our 'solution' is written to their 'Resolution', not to 'Notes'",
        ),
        ("{Done: {with: {Phone: {from: phone}}}}", "our 'phone' is not written after the create"),
        ("{Done: {with: {Kind: {from: category, otherwise: x}}}}", "only a text can stand in for nothing"),
        ("{Done: {with: {Resolution: {from: solution, otherwise: ' '}}}}", "blanks fill no field"),
        ("{Done: {with: {Resolution: {form: solution}}}}", "there is no key 'form'"),
    ],
)
def test_what_cannot_be_meant_is_told_at_its_place(transitions: str, sentence: str) -> None:
    assert any(sentence in each for each in told(transitions)), told(transitions)


@pytest.mark.parametrize("keys", ["carries: inward", "only_on_create: true"])
def test_nothing_is_reached_in_a_field_that_is_not_written(keys: str) -> None:
    text = HEAD.replace("remote: Status", f"remote: Status\n    {keys}") % "{Done: {via: [Open]}}"
    with pytest.raises(DocumentError, match="not written after the create"):
        compile_mapping(read(text, "m.yaml")[0], revision=1)


def test_what_stands_in_for_nothing_keeps_the_laws() -> None:
    rule = compiled("{Done: {with: {Resolution: {from: solution, otherwise: see below}}}}").fields["solution"].rule
    values = (None, "", "see below", "see below\n", "a new disk")
    assert list(laws.breaches(rule, ours=values, theirs=values)) == []
    assert rule.inward("see below", held=None) is None
    assert rule.outward(None, held="see below") == "see below"
    assert rule.outward(None, held="a new disk") is None
    assert rule.outward("a new disk", held="see below") == "a new disk"
    assert rule.inward("a new disk", held=None) == "a new disk"


def test_the_loss_statement_tells_what_people_see_of_it() -> None:
    mapping = compiled(
        "{Done: {via: {New: [Open]}, with: {Outcome: ok, Resolution: {from: solution, otherwise: see below}}}}"
    )
    losses = loss_statement(mapping, {})
    assert "status: to 'Done' it passes through 'Open' there, and whoever watches sees it" in losses.outward
    assert "status: with 'Done', their Outcome becomes 'ok', whatever it was" in losses.outward
    assert "status: with 'Done', an empty Resolution there becomes 'see below'" in losses.outward
    assert "solution: 'see below' stands in for nothing there, and is read as nothing" in losses.inward
