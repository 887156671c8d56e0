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
