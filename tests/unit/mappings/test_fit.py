"""A mapping against both sides' vocabularies, and the loss statement."""

from datetime import timedelta
from typing import Any

import pytest

from mappings.check.fit import fit
from mappings.document import compile_mapping
from mappings.library import shipped
from mappings.loader import Document, DocumentError, Problem, read
from mappings.losses import loss_statement

CENTRAL: dict[str, dict[str, Any]] = {
    "subject": {"max_length": 255},
    "status": {"values": ("new", "in progress", "solved")},
    "priority": {"values": ("less urgent", "urgent")},
    "unit": {},
}
REMOTE: list[dict[str, Any]] = [
    {"name": "Subject", "kind": "text", "max_length": 255},
    {"name": "Status", "kind": "choice", "values": ("new", "open", "resolved", "deleted")},
    {"name": "Created", "kind": "moment", "writable": False},
]


def document(fields: str, rest: str = "") -> Document:
    (found,) = read(f"kind: mapping\nname: m\nconnector: c\nfields:\n{fields}{rest}", "m.yaml")
    return found


def fitted(mapping: Document, **sides: Any) -> tuple[Problem, ...]:
    return fit(mapping, compile_mapping(mapping, revision=0), **sides)


def told(fields: str, rest: str = "", **sides: Any) -> list[str]:
    return [
        str(problem) for problem in fitted(document(fields, rest), **(sides or {"central": CENTRAL, "remote": REMOTE}))
    ]


GOOD = "  status: {remote: Status, table: {new: new, in progress: open, solved: resolved}, lost_when: [deleted]}\n"


def test_a_mapping_that_fits_has_no_problem() -> None:
    assert told(GOOD + "  subject: {remote: Subject, text: {max_length: 200}}\n") == []


def test_a_side_that_is_not_known_is_not_judged() -> None:
    assert told("  anything: {remote: Whatever}\n", central=None, remote=None) == []


def test_unknown_fields_of_either_side_are_told_with_the_nearest() -> None:
    assert told("  statsu: {remote: Statuz}\n", "constants: {Quueue: x}\n") == [
        (
            "m.yaml:5:3: there is no field 'statsu' on our tickets; did you mean 'status'? "
            "there are: subject, status, priority, unit"
        ),
        "m.yaml:5:20: they have no field 'Statuz'; did you mean 'Status'? there are: Subject, Status, Created",
        "m.yaml:6:13: they have no field 'Quueue'; there are: Subject, Status, Created",
    ]


def test_words_that_one_side_does_not_have_are_told_where_they_stand() -> None:
    status = "  status: {remote: Status, table: {new: new, in progres: opn, solved: resolved}, lost_when: [delted]}\n"
    assert told(status) == [
        (
            "m.yaml:5:46: 'in progres' is not a status of ours; did you mean 'in progress'? "
            "there are: new, in progress, solved"
        ),
        "m.yaml:5:3: there is no word for our 'in progress' in the table of status (m.yaml:5:3): give it one there",
        "m.yaml:5:58: 'opn' is not a Status of theirs; did you mean 'open'? there are: new, open, resolved, deleted",
        (
            "m.yaml:5:94: 'delted' is not a Status of theirs; did you mean 'deleted'? "
            "there are: new, open, resolved, deleted"
        ),
        "m.yaml:5:3: their 'open' is in no line of the table of status (m.yaml:5:3): say there what it means",
        "m.yaml:5:3: their 'deleted' is in no line of the table of status (m.yaml:5:3): say there what it means",
    ]


def test_only_the_ways_that_a_field_travels_must_be_total() -> None:
    partial = "{new: new, solved: resolved}"
    assert told(f"  status: {{remote: Status, carries: inward, table: {partial}}}\n") == [
        "m.yaml:5:3: their 'open' is in no line of the table of status (m.yaml:5:3): say there what it means",
        "m.yaml:5:3: their 'deleted' is in no line of the table of status (m.yaml:5:3): say there what it means",
    ]
    assert told(f"  status: {{remote: Status, carries: outward, table: {partial}}}\n") == [
        "m.yaml:5:3: there is no word for our 'in progress' in the table of status (m.yaml:5:3): give it one there",
    ]


def test_a_field_that_cannot_be_written_is_not_carried_outward() -> None:
    (problem,) = told("  unit: {remote: Created}\n")
    assert problem == ("m.yaml:5:18: their 'Created' cannot be written: say carries: inward, or only_on_create: true")
    assert told("  unit: {remote: Created, carries: inward}\n") == []
    assert told("  unit: {remote: Created, only_on_create: true}\n") == []


def test_a_text_longer_than_theirs_is_told() -> None:
    assert told("  subject: {remote: Subject, text: {}}\n") == [
        "m.yaml:5:30: their 'Subject' takes 255 characters at most"
    ]
    assert told("  subject: {remote: Subject, text: {max_length: 256}}\n") != []
    assert told("  subject: {remote: Subject, text: {max_bytes: 200}}\n") == []


def test_a_text_that_is_copied_may_not_be_longer_than_theirs() -> None:
    assert told("  solution: {remote: Subject}\n")[-1] == "m.yaml:5:3: their 'Subject' takes 255 characters at most"
    assert [each for each in told("  subject: {remote: Subject}\n") if "at most" in each] == []


def test_a_constant_is_a_word_of_theirs() -> None:
    assert told("  subject: {remote: Subject, text: {max_bytes: 200}}\nconstants: {Status: opne}\n") == [
        "m.yaml:6:21: 'opne' is not a Status of theirs; did you mean 'open'? there are: new, open, resolved, deleted"
    ]


def test_choices_that_differ_need_a_table() -> None:
    (problem,) = told("  status: {remote: Status}\n")
    assert problem.endswith(
        "only one side has 'open', 'resolved', 'deleted', 'in progress', 'solved': a table must translate"
    )


def test_what_is_no_mapping_is_refused_before_it_is_checked() -> None:
    with pytest.raises(DocumentError):
        fitted(document("  status: 5\n"))


STATUSES = (
    "new",
    "assigned",
    "in progress",
    "waiting for reply",
    "on hold",
    "reopened",
    "solved",
    "unsolved",
    "verified",
    "closed",
)
PRIORITIES = ("less urgent", "urgent", "very urgent", "top priority")
LIVE = {
    "rt": [
        {"name": "Subject"},
        {"name": "Description", "writable": False},
        {"name": "Status", "values": ("new", "open", "stalled", "resolved", "rejected", "deleted")},
        {"name": "Priority"},
        {"name": "Owner"},
    ],
    "redmine": [
        {"name": "subject", "max_length": 255},
        {"name": "description"},
        {"name": "status", "values": ("New", "In Progress", "Resolved", "Feedback", "Closed", "Rejected")},
        {"name": "priority", "values": ("Low", "Normal", "High", "Urgent", "Immediate")},
        {"name": "assigned_to"},
    ],
}


@pytest.mark.parametrize("name", LIVE)
def test_the_library_fits_a_stock_tracker_and_every_status_and_priority_of_ours(name: str) -> None:
    central = {"subject": {}, "description": {}, "assigned_to": {}}
    central |= {"status": {"values": STATUSES}, "priority": {"values": PRIORITIES}}  # type: ignore[dict-item]
    assert fitted(shipped(name), central=central, remote=LIVE[name]) == ()


# -- losses ----------------------------------------------------------------------------------------------------------


def test_the_loss_statement_tells_what_is_folded_left_out_and_not_seen() -> None:
    capabilities = {
        "internal_comments": False,
        "files": True,
        "empty_files": False,
        "max_file": 1000,
        "max_comment": 5000,
        "preconditions": False,
        "history": False,
        "row_version": "weak",
        "granularity": timedelta(seconds=1),
    }
    losses = loss_statement(
        compile_mapping(shipped("rt"), revision=1),
        capabilities,
        central={"subject": {}, "unit": {}},
        remote=[{"name": "Subject", "writable": False}, {"name": "Due"}],
    )
    outward, inward = "\n".join(losses.outward), "\n".join(losses.inward)
    for part in (
        "status: 'waiting for reply' and 'on hold' are both 'stalled' there",
        "description: written when their ticket is created; our later edits stay here",
        "subject: what exceeds 200 bytes is shown there by a mark that names a file with the whole",
        "assigned_to: anybody of ours becomes nobody there",
        "internal comments are never sent",
        "empty files cannot be sent",
        "files of more than 1000 bytes",
        "comments of more than 5000 characters",
        "is written over, unseen",
        "subject: cannot be changed there",
        "our unit: not carried",
    ):
        assert part in outward
    for part in (
        "status: 'stalled' is read as 'on hold', unless the value held here agrees",
        "priority: is a number there",
        "assigned_to: anybody of theirs becomes nobody here",
        "a second change within one is found by a second look",
        "their Due: not carried",
    ):
        assert part in inward


def test_a_tracker_that_can_everything_loses_little() -> None:
    everything = {
        "internal_comments": True,
        "files": True,
        "preconditions": True,
        "row_version": "strong",
    }
    losses = loss_statement(compile_mapping(shipped("plain"), revision=1), everything)
    assert losses.outward == (
        "subject: line breaks become blanks",
        "every comment there is written by our account; its first line says who wrote it where and when",
    )
    assert losses.inward == (
        "subject: line breaks become blanks",
        "of several edits of one field between two looks, the last one arrives",
        "who sets there what stands there already says nothing: it holds up no change of ours that is on its way",
    )


def test_what_is_longer_there_than_ours_may_be_is_told_for_every_way_that_it_can_come_in() -> None:
    fields = "  a: {remote: A}\n  b: {remote: B, carries: inward}\n  c: {remote: C, carries: outward}\n"
    mapping = compile_mapping(document(fields), revision=1)
    central = {name: {"max_length": 50} for name in "abc"}

    def told(theirs: int | None) -> list[str]:
        remote = [{"name": name, "max_length": theirs} for name in "ABC"]
        inward = loss_statement(mapping, {}, central=central, remote=remote).inward
        return [each for each in inward if "more than 50 characters" in each]

    assert told(50) == []
    assert told(51) == told(None)
    both, inward = told(51)
    assert both == "a: more than 50 characters there is written over by ours; it is kept and shown as an edit that lost"
    assert inward.startswith("b: more than 50 characters there stays there, and is not taken in")


def test_what_a_moment_cannot_say_there_is_told() -> None:
    moment = "moment: {format: '%Y-%m-%d %H:%M', zone: Europe/Prague, unset: ['1970-01-01 01:00', never]}"
    losses = loss_statement(compile_mapping(document(f"  a: {{remote: A, {moment}}}\n"), revision=1), {})
    assert losses.outward[:2] == (
        "a: is kept to the minute there",
        "a: '1970-01-01 01:00' there means no time at all: one of ours that is written so is not told",
    )
    assert losses.inward[0] == "a: of an hour that their clock shows twice, when it is set back, the first is meant"


def test_a_tracker_that_cannot_be_asked_what_changed_says_what_that_costs() -> None:
    mapping = compile_mapping(shipped("plain"), revision=1)
    listed = loss_statement(mapping, {"finds": "listed"}).inward
    compared = loss_statement(mapping, {"finds": "compared"}).inward
    assert any("cannot be asked what changed" in each for each in listed)
    assert any("its rows do not show" in each for each in compared)


def test_a_field_that_travels_one_way_says_so_on_the_other() -> None:
    mapping = compile_mapping(
        document("  a: {remote: A, carries: inward}\n  b: {remote: B, carries: outward}\n"), revision=1
    )
    losses = loss_statement(mapping, {})
    assert "a: our edits are never sent" in losses.outward
    assert "b: their edits are written over" in losses.inward
