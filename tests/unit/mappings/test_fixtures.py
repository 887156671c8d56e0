"""Fixtures: read with places, replayed both ways, and everything that becomes of a record is judged."""

from pathlib import Path
from xml.etree.ElementTree import fromstring

import pytest

from mappings.fixtures.document import compile_fixture, schema
from mappings.fixtures.junit import junit
from mappings.fixtures.replay import Replayed, gather, replay_all, suite
from mappings.loader import DocumentError, read

MAPPING = """\
kind: mapping
name: m
connector: c
fields:
  subject: {remote: Subject, text: {one_line: true, max_length: 100}}
  status: {remote: Status, table: {new: N, old: [O, A], older: O}, back: {O: old}, final: true, lost_when: [gone]}
  level: {remote: Level, only_on_create: true}
  owner: {remote: Owner, carries: inward}
  team: {remote: Team, carries: outward}
constants: {Queue: ggus}
---
"""

SIGNED = (
    '{text: t, author: Alice, system: s, at: 2026-11-22T18:45:07Z, becomes: "Alice (s, 2026-11-22 18:45 UTC):\\n\\nt"}'
)


def replayed(body: str, mapping: str = MAPPING) -> Replayed:
    (found,) = replay_all(suite(read(f"{mapping}kind: fixture\nname: f\nmapping: m\n{body}", "f.yaml")))
    return found


def differences(body: str) -> list[str]:
    return [str(each) for each in replayed(body).differences]


def problems(body: str) -> list[str]:
    with pytest.raises(DocumentError) as caught:
        suite(read(f"{MAPPING}kind: fixture\nname: f\nmapping: m\n{body}", "f.yaml"))
    return [str(each) for each in caught.value.problems]


@pytest.mark.parametrize(
    "body",
    [
        "inward: {theirs: {Status: N, Else: x}, becomes: {status: new}}",
        "inward: {theirs: {Status: O}, held: {status: older}, becomes: {status: older}}",
        "inward: {theirs: {Status: O, Owner: 7}, held: {status: new}, becomes: {status: old, owner: 7}}",
        "inward: {theirs: {Status: X, Team: t}, no_word: [status]}",
        "inward: {theirs: {Status: gone, Subject: s}, gone: true}",
        'inward: {comments: [{text: "a \\r\\nb", becomes: "a\\nb"}]}',
        "outward: {ours: {status: old, level: 3}, held: {Status: A}, becomes: {Status: A}}",
        "outward: {ours: {status: old, level: 3}, becomes: {Status: O, Level: 3, Queue: ggus}}",
        "outward: {ours: {status: x}, held: {}, no_word: [Status], last: []}",
        "outward: {ours: {status: new, subject: s, owner: o}, held: {}, becomes: {Status: N, Subject: s}}",
        "outward: {ours: {team: [a, b]}, held: {}, becomes: {Team: [a, b]}}",
        f"outward: {{held: {{}}, comments: [{SIGNED}]}}",
        "inward: {theirs: {Owner: true}, becomes: {owner: true}}\noutward: {ours: {level: null}, held: {}}",
    ],
)
def test_what_becomes_of_a_record_is_as_the_example_says(body: str) -> None:
    assert differences(body) == []


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (
            "inward: {theirs: {Status: O}, becomes: {status: new}}",
            "f.yaml:15:49: inward.becomes.status: expected 'new', became 'old'",
        ),
        ("inward: {theirs: {Status: N}}", "f.yaml:15:1: inward.becomes.status: expected not there, became 'new'"),
        ("inward: {theirs: {Status: X}, becomes: {status: new}}", "expected 'new', became no word"),
        ("inward: {theirs: {Status: gone}, becomes: {status: new}}", "inward.gone: expected not there, became True"),
        ("inward: {theirs: {Status: N}, becomes: {status: new}, gone: true}", "expected True, became not there"),
        ("inward: {theirs: {Owner: 1}, becomes: {owner: true}}", "expected True, became 1"),
        ("inward: {theirs: {Owner: null}, becomes: {owner: ''}}", "expected '', became nothing"),
        ("outward: {ours: {level: 3}, held: {}, becomes: {Level: 3}}", "expected 3, became not there"),
        ("outward: {ours: {status: new}, held: {}, becomes: {Status: N}, last: []}", "expected [], became ['Status']"),
        ("outward: {ours: {status: new}, becomes: {Status: N}}", "expected not there, became 'ggus'"),
        ('inward: {comments: [{text: "a ", becomes: b}]}', "inward.comments.0.becomes: expected 'b', became 'a'"),
    ],
)
def test_whatever_else_becomes_of_it_is_told_at_its_place(body: str, told: str) -> None:
    assert any(told in each for each in differences(body))


WALKED = """\
kind: mapping
name: m
connector: c
fields:
  solution: {remote: Solution, text: {}}
  status:
    remote: Status
    table: {new: N, open: O, solved: D}
    transitions: {D: {via: [O, R], with: {Reason: done, Solution: {from: solution, otherwise: none given}}}}
---
"""


@pytest.mark.parametrize(
    "body",
    [
        "held: {Status: N}, becomes: {Status: D, Reason: done, Solution: none given}, via: {Status: [O, R]}",
        "held: {Status: O}, becomes: {Status: D, Reason: done, Solution: none given}, via: {Status: [R]}",
        "held: {Status: O, Solution: s}, becomes: {Status: D, Reason: done}, via: {Status: [R]}",
        "held: {Status: D}, becomes: {Status: D}",
    ],
)
def test_the_values_on_the_way_and_what_travels_with_them_are_judged(body: str) -> None:
    assert replayed(f"outward: {{ours: {{status: solved}}, {body}}}", WALKED).differences == ()


def test_our_text_goes_before_what_stands_in_for_it_and_another_way_is_told() -> None:
    becomes = "{Status: D, Solution: s, Reason: done}"
    body = f"outward: {{ours: {{status: solved, solution: s}}, held: {{Status: N}}, becomes: {becomes}}}"
    (other,) = replayed(body, WALKED).differences
    assert str(other).endswith("outward.via.Status: expected not there, became ['O', 'R']")


def test_a_text_that_does_not_fit_goes_beside_as_a_file_that_is_judged_too() -> None:
    long = "word " * 50
    (one, other) = differences(f"outward: {{ours: {{subject: {long}}}, held: {{}}}}")
    assert "outward.becomes.Subject: expected not there, became 'word" in one
    assert "outward.files: expected not there, became ['subject-" in other


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("", "f.yaml:12:1: an example says what comes in, under inward, what goes out, under outward, or"),
        ("conflicts: {status: our}", "f.yaml:15:21: conflicts.status:"),
        ("inward: {their: {}}", "f.yaml:15:10: there is no key 'their' in inward; did you mean 'theirs'?"),
        ("inward: {theirs: {A: 1.5}}", "f.yaml:15:22: inward.theirs.A: must be text, a number, true, false, null,"),
        ("inward: {becomes: {status: new}, no_word: [status]}", "f.yaml:15:44: inward.no_word.0: 'status' becomes"),
        (
            "outward: {comments: [{text: t, author: a, system: s, at: 2026-11-22, becomes: t}]}",
            "f.yaml:15:58: outward.comments.0.at: must be a moment with its zone",
        ),
        ("inward: {}\n---\nkind: fixture\nname: f\nmapping: m\ninward: {}", "f.yaml:18:7: the fixture f stands here"),
        ("inward: {}\n---\nkind: fixture\nname: g\nmapping: rtt\ninward: {}", "f.yaml:19:10: the mapping 'rtt' is in"),
        ("inward: {}\n---\n" + MAPPING.removesuffix("---\n"), "f.yaml:18:7: the mapping m stands here twice"),
    ],
)
def test_a_fixture_that_cannot_be_meant_so_is_refused_at_its_place(body: str, told: str) -> None:
    assert problems(body)[0].startswith(told)


def test_a_fixture_without_a_mapping_in_the_same_files_takes_the_librarys() -> None:
    text = "kind: fixture\nname: f\nmapping: redmine\ninward: {theirs: {status: New}, becomes: {status: new}}\n"
    assert all(each.green for each in replay_all(suite(read(text, "f.yaml"))))


def test_a_mapping_that_extends_another_is_held_whole_against_its_fixtures() -> None:
    mine = "kind: mapping\nname: mine\nextends: rt\nfields: {status: {table: {on hold: [stalled, frozen]}}}\n---\n"
    fixture = "kind: fixture\nname: f\nmapping: mine\ninward: {theirs: {Status: frozen, Priority: 25}, "
    text = f"{mine}{fixture}becomes: {{status: on hold, priority: less urgent}}}}\n"
    assert [each.differences for each in replay_all(suite(read(text, "f.yaml")))] == [()]
    with pytest.raises(DocumentError, match="there is no mapping 'rtt'; did you mean 'rt'"):
        suite(read(text.replace("extends: rt", "extends: rtt"), "f.yaml"))


def test_a_folder_gives_the_fixtures_and_mappings_below_it_and_leaves_other_files_alone(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "m.yml").write_text(MAPPING.removesuffix("---\n"))
    (tmp_path / "below" / "f.yaml").write_text("# an example\nkind: fixture\nname: f\nmapping: m\ninward: {}\n")
    (tmp_path / "compose.yaml").write_text("services: &x {}\n")
    (tmp_path / "system.yaml").write_text("kind: system\nname: s\n")
    assert [each.name for each in gather([str(tmp_path)])] == ["f", "m"]
    with pytest.raises(DocumentError, match="a 'system' is no example, and no mapping"):
        gather([str(tmp_path / "system.yaml")])
    with pytest.raises(DocumentError, match=r"services|missing"):
        gather([str(tmp_path / "compose.yaml"), str(tmp_path / "absent.yaml")])


def test_a_name_of_the_library_gives_its_mapping_and_its_fixtures() -> None:
    assert ("mapping", "rt") in [(each.kind, each.name) for each in gather(["rt"])]


def test_ci_servers_get_one_case_per_fixture_with_what_differs() -> None:
    green, red = replayed("inward: {}"), replayed('inward: {becomes: {"<\\x07>": 1}}')
    root = fromstring(junit([green, red]))
    assert (root.get("tests"), root.get("failures")) == ("2", "1")
    assert [case.get("line") for case in root] == ["13", "13"]
    assert "inward.becomes.<\\x07>: expected 1" in (root[1][0].text or "")


def test_editors_get_a_schema() -> None:
    described = schema()
    assert described["additionalProperties"] is False
    assert described["properties"]["mapping"]["description"]


def test_a_fixture_knows_its_name_its_mapping_and_its_ways() -> None:
    (document,) = read("kind: fixture\nname: f\nmapping: m\nabout: both\ninward: {}\noutward: {}\n", "f.yaml")
    fixture = compile_fixture(document)
    assert (fixture.name, fixture.mapping, [case.way for case in fixture.cases]) == ("f", "m", ["inward", "outward"])
