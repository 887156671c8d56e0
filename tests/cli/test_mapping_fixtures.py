"""`mapping replay`, typed as whoever changes a mapping types it."""

import pytest

GREEN = "kind: fixture\nname: green\nmapping: rt\ninward: {theirs: {Status: new}, becomes: {status: new}}\n"
RED = GREEN.replace("green", "red").replace("status: new}}", "status: solved}}")


def test_fixtures_are_replayed_and_what_differs_is_shown_with_its_place(desk) -> None:
    file = desk.write(GREEN, RED, name="f.yaml")
    said = desk.type("mapping", "replay", file)
    assert said.code == 1
    assert "differs" in said.out
    assert "    - 'solved'\n    + 'new'\n2 fixtures: 1 differ" in said.out
    told = desk.type("mapping", "replay", file, "--json").data
    assert (told["green"], [each["green"] for each in told["fixtures"]]) == (False, [True, False])
    assert told["fixtures"][1]["differences"][0] | {"file": ""} == {
        "item": "inward.becomes.status",
        "file": "",
        "line": 9,
        "column": 51,
        "expected": "solved",
        "became": "new",
    }


def test_green_fixtures_answer_with_zero_and_leave_a_file_for_ci(desk) -> None:
    desk.write(GREEN, name="f.yaml")
    said = desk.type("mapping", "replay", str(desk.folder), "--junit", str(desk.folder / "junit.xml"))
    assert (said.code, said.out) == (0, "1 fixtures: all green\n")
    assert 'failures="0"' in (desk.folder / "junit.xml").read_text()


def test_a_file_that_cannot_be_written_is_the_users_mistake(desk) -> None:
    nowhere, file = str(desk.folder / "nowhere" / "x"), desk.write(GREEN, name="f.yaml")
    for words in (("replay", file, "--junit", nowhere), ("coverage", "plain", "--suggest", nowhere)):
        said = desk.type("mapping", *words)
        assert said.code == 2
        assert "nowhere/x cannot be written: No such file or directory" in said.err


def test_texts_are_compared_line_by_line(desk) -> None:
    text = "kind: fixture\nname: t\nmapping: rt\n"
    text += 'inward: {theirs: {Description: "a\\nb"}, becomes: {description: "a\\nc"}}\n'
    said = desk.type("mapping", "replay", desk.write(text, name="f.yaml"))
    assert "      a\n    - c\n    + b\n" in said.out


@pytest.mark.parametrize(
    "text", ["kind: mapping\nname: x\n", "kind: fixture\nname: x\nmapping: rt\n", "x: [", RED[:40]]
)
def test_what_cannot_be_replayed_is_the_users_mistake(desk, text: str) -> None:
    assert desk.type("mapping", "replay", desk.write(text, name="f.yaml")).code == 2


def test_coverage_measures_a_file_with_its_fixtures_and_says_what_is_missing(desk) -> None:
    mapping = "kind: mapping\nname: m\nconnector: c\nfields:\n  a: {remote: A, table: {x: X, y: Y}}\n"
    fixture = "kind: fixture\nname: f\nmapping: m\ninward: {theirs: {A: X}, becomes: {a: x}}\n"
    file = desk.write(mapping, fixture, name="m.yaml")
    said = desk.type("mapping", "coverage", file)
    assert said.code == 0
    assert "m, not shown:\n" in said.out
    assert f"  {file}:5:35: a: inward, 'Y' becomes 'y'\n" in said.out
    assert "m, would not be noticed:\n" in said.out
    assert desk.type("mapping", "coverage", file, "--fail-under", "50").code == 1
    (figures,) = desk.type("mapping", "coverage", file, "--json").data["mappings"]
    assert (figures["fixtures"], figures["coverage"] < 50, figures["not_judged"]["name"] != "") == (1, True, True)


def test_what_coverage_suggests_closes_the_gap(desk) -> None:
    mapping = "kind: mapping\nname: m\nconnector: c\nfields:\n  a: {remote: A, table: {x: X, y: Y}}\n"
    file, more = desk.write(mapping, name="m.yaml"), str(desk.folder / "more.fixture.yaml")
    assert desk.type("mapping", "coverage", file, "--suggest", more).code == 0
    assert desk.type("mapping", "replay", str(desk.folder)).code == 0
    said = desk.type("mapping", "coverage", file, "--fixtures", str(desk.folder), "--fail-under", "100")
    assert (said.code, said.out.count("100.0 %")) == (0, 2)
    assert desk.type("mapping", "coverage", file, "--suggest", "-").out == (desk.folder / more).read_text()


def test_coverage_of_fixtures_that_differ_or_of_no_mapping_is_told(desk) -> None:
    assert desk.type("mapping", "coverage", "rt", "--fixtures", desk.write(RED, name="f.yaml")).code == 1
    assert desk.type("mapping", "coverage", str(desk.folder / "f.yaml")).code == 2


def test_a_live_ticket_is_captured_by_reading_only_and_is_green(desk) -> None:
    desk.type("apply", desk.write(desk.cz))
    key = desk.rt.tracker.person("alice").open(Subject="CE refuses jobs", Description="as root says")
    log = desk.rt.tracker.log[:]
    said = desk.type("mapping", "capture", "ngi-cz", key)
    assert (said.code, said.err) == (0, "")
    assert "mapping: rt" in said.out
    assert "refuses" not in said.out
    assert desk.rt.token not in said.out
    assert desk.type("mapping", "replay", desk.write(said.out, name="captured.fixture.yaml")).code == 0
    assert desk.rt.tracker.log == log
    assert desk.type("mapping", "capture", "ngi-cz", "4711").code == 2
    assert desk.type("mapping", "capture", "ngi-xx", key).code == 2
