"""`mapping check`: what is sound is proven, and what is defective refuted at its place, by a story."""

import json
import re
from pathlib import Path

import pytest

from mappings import library
from mappings.check import Proof, Report
from mappings.formats import FORMATS
from mappings.loader import DocumentError, read
from sync import proving
from sync.cli.program import run

DEFECTS = sorted((Path(__file__).parents[2] / "mappings" / "defects").glob("*.defect.yaml"))
SOUND = sorted((Path(__file__).parents[2] / "mappings" / "sound").glob("*.yaml"))
WORDS = "{new: new, assigned: open, in progress: open, reopened: open, waiting for reply: open, on hold: stalled,"
TABLE = (
    f"{WORDS} solved: done, unsolved: done, verified: done, closed: done}}, back: {{open: in progress, done: solved}}"
)


def proven(*texts: str) -> tuple[Report, ...]:
    return proving.prove([each for text in texts for each in read(text, "m.yaml")])


def mapping(status: str = f"table: {TABLE}", rest: str = "", name: str = "m") -> str:
    return f"kind: mapping\nname: {name}\nconnector: {name}\nfields:\n  status: {{remote: Status, {status}}}\n{rest}"


def vocabulary(status: str = "", rest: str = "", name: str = "m") -> str:
    return f"kind: vocabulary\nname: {name}\nfields:\n  Status: {{values: [new, open, stalled, done]{status}}}\n{rest}"


def test_there_are_defects() -> None:
    assert len(DEFECTS) >= 160


@pytest.mark.parametrize("file", DEFECTS, ids=lambda file: file.name.partition(".")[0])
def test_a_defective_mapping_is_refuted_at_its_place(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    expected = re.match(r"# (.+?) at (\d+):(\d+): (.+)\n(?:# story: (.+)\n)?", text)
    assert expected is not None
    proof, line, column, sentence, story = expected.groups()
    found = [
        each
        for report in proving.prove(proving.documents([str(file)]))
        for each in report.refuted
        if (each.proof, each.place.line, each.place.column) == (proof, int(line), int(column))
    ]
    assert any(sentence in each.sentence for each in found)
    assert story is None or any(story in line for each in found for line in each.story)


@pytest.mark.parametrize("file", SOUND, ids=lambda file: file.stem)
def test_a_sound_mapping_is_proven_however_unusual(file: Path) -> None:
    reports = proving.prove(proving.documents([str(file)]))
    assert [each for report in reports for each in report.refuted] == []


@pytest.mark.parametrize("name", library.names())
def test_the_library_is_proven_against_what_each_product_says_and_does(name: str) -> None:
    (report,) = proving.prove(library.with_vocabulary(name))
    assert not any("no vocabulary" in each for each in report.assumed)
    assert (report.refuted, {shown.proof for shown in report.shown}) == ((), set(Proof))


def test_a_timer_of_theirs_that_leads_one_way_is_quiet() -> None:
    (report,) = proven(mapping(), vocabulary(", automatic: [{from: open, to: stalled, when: a week has passed}]"))
    assert report.proven
    assert any("no cycle" in shown.how for shown in report.shown)


def test_a_cycle_that_is_suspected_and_does_not_happen_is_proven_by_search() -> None:
    """Round and round, if b could be told to hold; but its workflow lets nobody but its own people say so."""
    a = vocabulary(", automatic: [{from: open, to: stalled, when: a week has passed}]", name="a")
    ways = "workflow: {new: [open, done], open: [done], stalled: [open, done], done: [open]}"
    b = vocabulary(f", {ways}, automatic: [{{from: stalled, to: open, when: a day has passed}}]", name="b")
    no_hold = "stuck: {new: held by people only, open: held by people only, done: held by people only}"
    reports = proven(mapping(name="a"), mapping(f"table: {TABLE}, {no_hold}", name="b"), a, b)
    assert all(report.proven for report in reports)
    assert all(any("proven by search" in shown.how for shown in report.shown) for report in reports)


def test_two_systems_that_are_quiet_alone_may_go_round_together() -> None:
    a = vocabulary(", automatic: [{from: open, to: stalled, when: a week has passed}]", name="a")
    b = vocabulary(", automatic: [{from: stalled, to: open, when: a day has passed}]", name="b")
    assert proven(mapping(name="a"), a)[0].proven
    assert proven(mapping(name="b"), b)[0].proven
    together = proven(mapping(name="a"), mapping(name="b"), a, b)
    refuted, again = [each for report in together for each in report.refuted]
    assert (refuted.proof, refuted.story) == (Proof.QUIET, again.story)
    assert refuted.story[-1] == "and so on, though nobody touches it"


def test_a_way_that_is_closed_is_lived_with_once_it_is_declared() -> None:
    closed = vocabulary(
        ", workflow: {new: [open, stalled, done], open: [stalled, done], stalled: [open, done], done: []}"
    )
    assert {each.proof for each in proven(mapping(), closed)[0].refuted} == {Proof.REACHABLE}
    declared = mapping(f"table: {TABLE}, stuck: {{done: they reopen nothing}}")
    (report,) = proven(declared, closed)
    assert report.proven
    assert any("they reopen nothing" in loss and "'in progress'" in loss for loss in report.losses.outward)


STEPS = ", workflow: {new: [open], open: [new, stalled, done], stalled: [open], done: [open]}"
WAYS = """transitions: {new: {via: {stalled: [open], done: [open]}}, stalled: {via: {new: [open], done: [open]}},
    done: {via: {new: [open], stalled: [open]}}}"""


@pytest.mark.parametrize("policy", ["central", "remote"])
def test_a_way_that_is_walked_step_by_step_is_proven_wherever_it_is_interrupted(policy: str) -> None:
    (report,) = proven(mapping(f"table: {TABLE}, policy: {policy}, {WAYS}"), vocabulary(STEPS))
    assert report.proven
    assert "status: to 'done' it passes through 'open' there, and whoever watches sees it" in report.losses.outward


def test_where_there_is_no_way_the_answer_says_how_to_write_one() -> None:
    refuted = proven(mapping(), vocabulary(STEPS))[0].refuted
    assert {each.proof for each in refuted} == {Proof.REACHABLE}
    assert any("say what lies between (transitions: {done: {via: {new: [...]}}})" in str(each) for each in refuted)


def test_what_a_comment_moves_in_the_middle_of_a_way_goes_on_from_there() -> None:
    ways = f"table: {TABLE}, {WAYS}"
    assert proven(mapping(ways), vocabulary(f"{STEPS}, after_comment: {{open: stalled}}"))[0].proven
    stuck = STEPS.replace("stalled: [open]", "stalled: [new]")
    refuted = proven(mapping(ways), vocabulary(f"{stuck}, after_comment: {{open: stalled}}"))[0].refuted
    assert {each.proof for each in refuted} >= {Proof.REACHABLE, Proof.STABLE}


def test_a_word_that_nobody_there_may_say_is_told_as_a_loss() -> None:
    (jira,) = proving.prove(library.with_vocabulary("jira"))
    lost = "status: who sets their 'Open' is written over: no supporter may set 'new' or 'assigned'"
    assert [each for each in jira.losses.inward if "written over: no" in each] == [lost]


def test_a_ticket_that_their_timer_takes_away_is_told_as_a_loss() -> None:
    gone = ", automatic: [{from: stalled, to: gone, when: a year has passed}]"
    (report,) = proven(mapping(f"table: {TABLE}, lost_when: [gone]"), vocabulary(gone).replace("done]", "done, gone]"))
    assert report.proven
    (told,) = [each for each in report.losses.inward if "a year has passed" in each]
    assert told.startswith("status: their 'stalled' becomes 'gone' by itself, which means that the ticket is gone")


def test_a_form_is_filled_for_sure_by_a_constant_or_by_what_stands_in() -> None:
    needs = vocabulary(", needs: {done: [Kind, Resolution]}", "  Resolution: {}\n  Kind: {}\n")
    solution = "  solution: {remote: Resolution}\n"
    filled = "transitions: {done: {with: {Kind: fixed, Resolution: {from: solution, otherwise: see below}}}}"
    assert proven(mapping(f"table: {TABLE}, {filled}", solution), needs)[0].proven
    for bent in (filled.replace("Kind: fixed, ", ""), filled.replace(", otherwise: see below", "")):
        (refuted,) = proven(mapping(f"table: {TABLE}, {bent}", solution), needs)[0].refuted
        assert refuted.proof is Proof.REACHABLE


def test_what_somebody_has_chosen_beforehand_may_end_in_a_status_that_our_timer_closes() -> None:
    held = TABLE.replace("on hold: stalled", "on hold: [stalled, closing]")
    words = "kind: vocabulary\nname: m\nfields:\n  Status:\n    values: [new, open, stalled, closing, done]\n"
    words += "    automatic: "
    chosen = "{from: closing, to: done, when: its time has come, chosen: true}"
    assert proven(mapping(f"table: {held}"), f"{words}[{chosen}]\n")[0].proven
    unchosen = chosen.replace(", chosen: true", "")
    (refuted,) = proven(mapping(f"table: {held}"), f"{words}[{unchosen}]\n")[0].refuted
    assert (refuted.proof, len(refuted.story)) == (Proof.NO_TRAP, 5)
    final = held.replace("solved: done", "solved: [shut]").replace("done: solved", "done: closed, shut: solved")
    told = proven(mapping(f"table: {final}"), f"{words.replace('done]', 'done, shut]')}[{chosen}]\n")[0].refuted
    assert any(each.proof is Proof.NO_TRAP and "by itself" in each.sentence for each in told)


@pytest.mark.parametrize(
    ("fields", "theirs"),
    [
        ("problem_at: {remote: D, moment: {format: '%Y-%m-%d'}}", "D: {kind: moment, granularity: day}"),
        ('vo_specific: {remote: D, table: {"No": null, "Yes": checked}}', "D: {values: [checked]}"),
        ('vo_specific: {remote: D, table: {"No": [null, "off"], "Yes": "on"}}', 'D: {values: ["on", "off"]}'),
        ('vo_specific: {remote: D, table: {"No": false, "Yes": true}}', "D: {values: [true, false]}"),
        ("priority: {remote: D, carries: inward, table: {urgent: high}}", "D: {values: [high], writable: false}"),
        (
            "priority: {remote: D, scale: {less urgent: 4, urgent: 3, very urgent: 2, top priority: 1}}",
            "D: {kind: number}",
        ),
        (
            "priority: {remote: D, scale: {less urgent: 1, urgent: 2, very urgent: 3, top priority: 4}}",
            'D: {values: ["1", "2", "3", "4"], automatic: [{from: "1", to: "2", when: a day has passed}]}',
        ),
        ("status: {remote: D, carries: inward, table: {in progress: open, solved: done}}", "D: {values: [open, done]}"),
        ("cc: {remote: D, set: {separator: ' '}}", "D: {max_length: 254}"),
        ("involve: {remote: D, carries: inward, set: {}}", "D: {kind: set}"),
        ("unit: {remote: D, only_on_create: true}", "D: {writable: false}"),
        ("solution: {remote: D, text: {max_bytes: 200}}", "D: {max_length: 200}"),
        ("affected_site: {remote: D, carries: inward}\n  affected_vo: {remote: D, carries: inward}", "D: {}"),
    ],
)
def test_what_is_unusual_and_right_is_proven(fields: str, theirs: str) -> None:
    text = f"kind: mapping\nname: m\nconnector: m\nfields:\n  {fields}\n"
    (report,) = proven(text, f"kind: vocabulary\nname: m\nfields:\n  {theirs}\n")
    assert report.refuted == ()


def test_a_constant_fills_what_a_transition_needs() -> None:
    needs = vocabulary(", needs: {done: [Resolution]}", "  Resolution: {}\n")
    assert {each.proof for each in proven(mapping(), needs)[0].refuted} == {Proof.REACHABLE}
    assert proven(mapping(rest="constants: {Resolution: done}\n"), needs)[0].proven


def test_without_a_vocabulary_the_answer_says_what_it_assumes() -> None:
    (report,) = proven(mapping())
    assert report.proven
    assert any("no vocabulary is declared" in each for each in report.assumed)


def test_what_several_edits_between_two_looks_come_to_is_walked_to_or_told_as_a_loss() -> None:
    one_by_one = TABLE.replace("verified: done, closed: done", "verified: shut, closed: shut").replace(
        "}, back: {", "}, back: {shut: closed, "
    )
    steps = "new: [open, stalled, done], open: [stalled, done], stalled: [open, done], done: [open, stalled, shut]"
    words = vocabulary(f", workflow: {{{steps}, shut: []}}").replace("stalled, done],", "stalled, done, shut],", 1)
    refuted = proven(mapping(f"table: {one_by_one}"), words)[0].refuted
    assert [(each.proof, each.story[1]) for each in refuted] == [
        (Proof.REACHABLE, "it becomes 'verified' here, step by step, before m is told of any")
    ] * 3
    via = "transitions: {shut: {via: {new: [done], open: [done], stalled: [done]}}}"
    assert proven(mapping(f"table: {one_by_one}, {via}"), words)[0].proven
    (jira,) = proving.prove(library.with_vocabulary("jira"))
    assert any("'reopened' here cannot follow at their 'Open', 'In Progress'" in each for each in jira.losses.outward)


def test_words_that_mean_nothing_much_hide_nothing() -> None:
    """A field of too many values to be searched is judged case by case all the same."""
    idle = ", ".join(f"w{number}" for number in range(60))
    many = mapping(f"table: {TABLE.replace('on hold: stalled', f'on hold: [stalled, {idle}]')}")
    words = vocabulary(", automatic: [{from: open, to: done, when: a week has passed}]").replace(
        "new,", f"new, {idle},"
    )
    (report,) = proven(many, words)
    assert {each.proof for each in report.refuted} == {Proof.NO_TRAP}
    assert any("every case of it was judged, and its link was not searched" in each for each in report.assumed)


def test_a_field_of_too_many_values_is_not_searched_and_the_answer_says_so() -> None:
    words = ", ".join(f"w{number}" for number in range(700))
    many = f"kind: vocabulary\nname: m\nfields: {{Status: {{values: [{words}]}}}}\n"
    (report,) = proven(mapping("carries: outward, table: {new: w1}"), many)
    assert any("too many values" in each for each in report.assumed)


def test_a_table_of_thousands_of_words_is_proven_in_pairs_that_grow_no_further() -> None:
    words = ", ".join(f"x{number}" for number in range(3000))
    (report,) = proven(mapping(f"carries: inward, table: {{in progress: [{words}], solved: done}}"))
    assert report.proven
    (laws,) = [each.how for each in report.shown if each.proof is Proof.LENS]
    assert int(laws.split()[0]) <= 40_000


def test_a_name_that_nobody_knows_is_told_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("check", "replay", "coverage"):
        assert run(["mapping", command, "redmin"]) == 2
        assert "no mapping of this name comes along; did you mean 'redmine'?" in capsys.readouterr().err


def test_what_a_vocabulary_says_wrongly_is_told_at_once_with_the_nearest_name() -> None:
    wrong = vocabulary(", workflow: {nwe: [opne]}, needs: {done: [Reslution]}", "  Resolution: {}\n")
    with pytest.raises(DocumentError) as error:
        proven(mapping(), wrong)
    told = str(error.value)
    assert all(near in told for near in ("did you mean 'new'", "did you mean 'open'", "did you mean 'Resolution'"))


def test_everything_that_is_wrong_in_several_documents_is_told_at_once() -> None:
    with pytest.raises(DocumentError) as error:
        proven(mapping(), mapping(), mapping("tabel: {}", name="other"), vocabulary(", workflow: {nwe: []}"))
    assert len(error.value.problems) == 3
    assert "the mapping m stands here twice" in str(error.value)


def test_a_system_beside_no_mapping_is_nothing_to_prove() -> None:
    with pytest.raises(DocumentError, match="no mapping here"):
        proven(vocabulary())


def test_a_mapping_that_extends_another_is_proven_as_a_whole() -> None:
    bent = "kind: mapping\nname: bent\nextends: m\nfields: {status: {table: {on hold: open}}}\n"
    whole, _ = proven(bent, mapping())
    assert whole.mapping == "bent"
    assert whole.proven
    (ours,) = proven("kind: mapping\nname: ours\nextends: rt\nfields: {priority: null}\n")
    assert ours.proven


def test_a_way_back_that_was_taken_away_is_told_where_the_words_are() -> None:
    bent = "kind: mapping\nname: bent\nextends: m\nfields: {status: {back: {open: null}}}\n"
    refuted, _ = proven(bent, mapping())
    assert (Proof.LENS, "m.yaml") in [(each.proof, each.place.file) for each in refuted.refuted]


def test_what_extends_one_of_the_library_is_held_against_what_that_product_says() -> None:
    (ours,) = proven("kind: mapping\nname: ours\nextends: rt\nfields: {status: {table: {on hold: parked}}}\n")
    assert any("'parked' is not a Status of theirs" in each.sentence for each in ours.refuted)


def test_a_site_with_statuses_of_its_own_bends_the_vocabulary_as_well() -> None:
    bent = "kind: mapping\nname: ours\nextends: rt\nfields: {status: {table: {waiting for reply: feedback}}}\n"
    (report,) = proven(bent)
    assert any("'feedback' is not a Status of theirs" in each.sentence for each in report.refuted)
    words = (
        "kind: vocabulary\nname: ours\nextends: rt\nfields:\n  Status:\n"
        "    values: [new, open, feedback, stalled, resolved, rejected, deleted]\n"
        "    workflow: {open: [new, feedback, stalled, resolved, rejected],\n"
        "               new: [feedback, open, stalled, resolved, rejected],\n"
        "               stalled: [open, feedback, resolved, rejected], resolved: [open, feedback, stalled, rejected],\n"
        "               rejected: [open, feedback, stalled, resolved], feedback: [open, stalled, resolved, rejected]}\n"
    )
    (report,) = proven(bent, words)
    assert report.refuted == ()
    with pytest.raises(DocumentError, match="there is no vocabulary 'redmin'; did you mean 'redmine'"):
        proven(bent, "kind: vocabulary\nname: ours\nextends: redmin\n")


def test_what_extends_nothing_known_is_no_mapping() -> None:
    with pytest.raises(DocumentError, match="there is no mapping 'redmin'; did you mean 'redmine'"):
        proven("kind: mapping\nname: ours\nextends: redmin\n")


def test_the_command_answers_by_its_exit_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad, none = tmp_path / "good.yaml", DEFECTS[0], tmp_path / "none.yaml"
    good.write_text(mapping(), encoding="utf-8")
    none.write_text("kind: mapping\nname: m\nfields: 3\n", encoding="utf-8")
    assert [run(["mapping", "check", str(file)]) for file in (good, bad, none)] == [0, 1, 2]
    assert "holds   no ping-pong" in capsys.readouterr().out
    assert run(["mapping", "check", str(bad), "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert not answer["proven"]
    assert {"proof", "file", "line", "column", "sentence", "story"} == set(answer["mappings"][0]["refuted"][0])


def test_a_file_that_is_not_there_is_the_users_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["mapping", "check", "nowhere.yaml"]) == 2
    assert "cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["mapping", "vocabulary"])
def test_editors_get_a_schema(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["mapping", "schema", kind]) == 0
    assert json.loads(capsys.readouterr().out)["properties"]["kind"]["const"] == kind


@pytest.mark.parametrize("theirs", FORMATS)
@pytest.mark.parametrize("ours", FORMATS)
@pytest.mark.parametrize("carries", ["outward", "inward"])
def test_a_mapping_speaks_the_format_of_its_field_and_of_its_comments_or_is_refuted(
    ours: str, theirs: str, carries: str
) -> None:
    fields = f"  description: {{remote: D, text: {{format: {ours}}}, carries: {carries}}}\n"
    text = f"kind: mapping\nname: m\nconnector: m\nfields:\n{fields}comments: {{format: {ours}}}\n"
    speaks = f"kind: vocabulary\nname: m\nfields:\n  D: {{format: {theirs}}}\ncomments: {{format: {theirs}}}\n"
    (report,) = proven(text, speaks)
    places = [str(each.place) for each in report.refuted if each.proof is Proof.STABLE and len(each.story) == 3]
    assert places == ([] if ours == theirs else ["m.yaml:5:43", "m.yaml:6:20"])
    (silent,) = proven(text, speaks.replace(f"format: {theirs}", ""))
    assert not [each for each in silent.refuted if each.proof is Proof.STABLE]


@pytest.mark.parametrize("ours", FORMATS)
def test_a_format_that_each_site_sets_is_assumed_to_be_the_mappings_or_is_refuted(ours: str) -> None:
    fields = f"  description: {{remote: D, text: {{format: {ours}}}, carries: outward}}\n"
    text = f"kind: mapping\nname: m\nconnector: m\nfields:\n{fields}comments: {{format: {ours}}}\n"
    set_ = "format: [textile, plain]"
    (report,) = proven(text, f"kind: vocabulary\nname: m\nfields:\n  D: {{{set_}}}\ncomments: {{{set_}}}\n")
    told = [each for each in report.assumed if "a site may also be set to" in each]
    if ours in ("textile", "plain"):
        other = "plain" if ours == "textile" else "textile"
        assert report.proven
        assert told[0] == f"their D is written in {ours}, where a site may also be set to {other}"
        assert told[1].startswith("their comments are written")
    else:
        assert [each.sentence.partition(",")[0] for each in report.refuted] == [
            "their 'D' is written in textile (or plain",
            "their comments are written in textile (or plain",
        ]


def test_a_redmine_that_shows_textile_is_proven_by_five_lines() -> None:
    text = "kind: mapping\nname: ours\nextends: redmine\nfields: {description: {text: {format: textile}}}\n"
    assert proven(f"{text}comments: {{format: textile}}\n")[0].proven


def test_only_a_text_has_a_format() -> None:
    with pytest.raises(DocumentError, match="a moment has no format: only a text has one"):
        proven(mapping(), vocabulary(rest="  Due: {kind: moment, format: html}\n"))


FORM = "transitions: {done: {with: {Solution: {from: solution, otherwise: see there}}}}"
ASKS = vocabulary(", needs: {done: [Solution]}", "  Solution: {}\n")


@pytest.mark.parametrize("never", ["carries: inward", "only_on_create: true"])
def test_a_form_whose_source_does_not_travel_is_refuted_and_no_unreadable_document(never: str) -> None:
    source = f"  solution: {{remote: Solution, text: {{}}, {never}}}\n"
    (report,) = proven(mapping(f"table: {TABLE}, {FORM}", source), ASKS)
    (found,) = report.refuted
    assert (found.proof, found.place.line) == (Proof.REACHABLE, 5)
    assert "our 'solution' is not written after the create" in found.sentence
    assert found.story[-1] == "'done' is refused: Solution is missing"
    assert report.shown == ()


def test_what_cannot_work_is_judged_beside_what_can_and_tells_its_broken_laws_too() -> None:
    twice = mapping(rest="  unit: {remote: Status}\n", name="twice")
    lawless = mapping(status="table: {new: new, on hold: new}", rest="constants: {Status: new}\n", name="lawless")
    reports = proven(twice, mapping(), vocabulary(), lawless)
    assert [(each.mapping, each.proven) for each in reports] == [("twice", False), ("m", True), ("lawless", False)]
    assert [each.proof for each in reports[2].refuted] == [Proof.LENS, Proof.STABLE]


def test_a_needless_exception_is_refuted_where_it_is_written_and_told_where_it_is_taken_over() -> None:
    free = ", workflow: {new: [open, stalled, done], open: [new, stalled, done], stalled: [new, open, done],"
    words = vocabulary(f"{free} done: [new, open, stalled]}}")
    (found,) = proven(mapping(f"table: {TABLE}, stuck: {{done: nobody reopens}}"), words)[0].refuted
    assert found.sentence.endswith("take it out of 'stuck'")
    assert not proven(mapping(f"table: {TABLE}, stuck: {{done: nobody reopens}}"))[0].refuted, "who may what is unknown"
    base = read(mapping(f"table: {TABLE}, stuck: {{done: nobody reopens}}"), "theirs.yaml")
    bent = read("kind: mapping\nname: bent\nextends: m\n", "ours.yaml")
    ours, _ = proving.prove([*bent, *base, *read(words, "words.yaml")])
    assert ours.proven
    (told,) = [each for each in ours.assumed if "is said to be stuck" in each]
    assert told == "status: 'done' is said to be stuck (theirs.yaml:5:250), and never is here"


def test_one_system_may_answer_by_itself_and_a_second_one_may_not() -> None:
    answers = "comments: {answers: a bot thanks for it}\n"
    one, other = mapping(), mapping(name="n")
    alone, _ = proven(one, vocabulary(rest=answers), other, vocabulary(name="n"))
    assert alone.proven
    assert any(each.startswith("comments: a bot thanks for it; beside another") for each in alone.assumed)
    both = proven(one, vocabulary(rest=answers), other, vocabulary(rest=answers, name="n"))
    assert [[each.proof for each in report.refuted] for report in both] == [[Proof.QUIET], [Proof.QUIET]]


def test_a_ring_is_told_to_each_of_those_by_whose_words_it_goes_round() -> None:
    file = next(each for each in DEFECTS if each.name.startswith("three-that-fold-and-raise."))
    reports = proving.prove(proving.documents([str(file)]))
    assert [len(each.refuted) for each in reports] == [1, 0, 1]
    assert reports[0].refuted[0].story == reports[2].refuted[0].story


def test_what_extends_one_product_for_another_connector_is_held_against_that_ones() -> None:
    (report,) = proven("kind: mapping\nname: ours\nextends: rt\nconnector: redmine\n")
    assert any("they have no field 'Subject'; did you mean 'subject'?" in each.sentence for each in report.refuted)
