"""The pytest plugin, as whoever owns a mapping meets it once interdesk is installed."""

import pytest

pytest_plugins = ["pytester"]

MAPPING = "kind: mapping\nname: ours\nconnector: rt\nfields:\n  status: {remote: Status, table: {new: N, old: O}}\n"
GREEN = "kind: fixture\nname: green\nmapping: ours\ninward: {theirs: {Status: N}, becomes: {status: new}}\n"
RED = (
    GREEN.replace("green", "red")
    .replace("ours\n", "ours\nabout: It is old.\n")
    .replace("status: new}}", "status: old}}")
)


def written(pytester: pytest.Pytester, **files: str) -> None:
    for name, text in files.items():
        (pytester.path / name.replace("_", ".")).write_text(text)


def test_fixtures_are_collected_and_what_differs_is_shown_at_its_place(pytester: pytest.Pytester) -> None:
    written(pytester, m_yaml=MAPPING, a_fixture_yaml=f"{GREEN}---\n{RED}", other_yaml="x: [")
    pytester.makeini("[pytest]\ninterdesk_mappings = m.yaml")
    said = pytester.runpytest("-v")
    said.assert_outcomes(passed=1, failed=1)
    said.stdout.fnmatch_lines(
        ["*a.fixture.yaml::green PASSED*", "*ours: red*", "It is old.", "*a.fixture.yaml:10:49: inward.becomes.status"]
    )
    said.stdout.fnmatch_lines(["    - 'old'", "    + 'new'"])
    said.stdout.no_fnmatch_line("*Traceback*")


def test_a_mapping_may_stand_beside_its_fixtures_or_be_the_librarys(pytester: pytest.Pytester) -> None:
    written(pytester, a_fixture_yaml=f"{MAPPING}---\n{GREEN}", b_fixture_yaml=GREEN.replace("ours", "plain"))
    pytester.runpytest().assert_outcomes(passed=1, failed=1)  # plain says N as it is


def test_a_file_that_cannot_be_read_is_told_in_sentences(pytester: pytest.Pytester) -> None:
    written(pytester, a_fixture_yaml=GREEN)
    said = pytester.runpytest()
    said.assert_outcomes(errors=1)
    said.stdout.fnmatch_lines(["*a.fixture.yaml:3:10: the mapping 'ours' is in none of these files*"])
    said.stdout.no_fnmatch_line("*Traceback*")


def test_where_there_is_no_fixture_nothing_is_imported(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        "import sys\n\ndef test_it():\n    assert 'mappings.fixtures.plugin' in sys.modules\n"
        "    assert 'mappings.loader' not in sys.modules\n"
    )
    pytester.runpytest_subprocess().assert_outcomes(passed=1)
