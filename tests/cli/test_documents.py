"""`apply`, `diff`, `rollback`, `export`, typed as an operator types them."""

import io

import pytest


def test_apply_registers_shows_what_is_new_and_says_what_comes_next(desk) -> None:
    said = desk.type("apply", desk.write(desk.cz, desk.pl))
    assert said.code == 0
    assert "system ngi-cz: new" in said.out
    assert "+mapping: redmine" in said.out
    assert "next: interdesk system check ngi-pl" in said.out
    assert [each["state"] for each in desk.type("system", "list", "--json").data] == ["draft", "draft"]


def test_apply_reads_the_standard_input(desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(desk.cz))
    assert desk.type("apply", "-").code == 0
    monkeypatch.setattr("sys.stdin", io.StringIO("kind: system\nname: x\n"))
    said = desk.type("apply", "-")
    assert (said.code, said.err.split(": ")[0]) == (2, "stdin:1:1")


def test_a_dry_run_and_a_diff_change_nothing_and_diff_answers_with_its_exit_code(desk) -> None:
    file = desk.write(desk.cz)
    assert "would be new" in desk.type("apply", "--dry-run", file).out
    assert desk.type("diff", file).code == 1
    assert desk.type("system", "list", "--json").data == []
    desk.type("apply", file)
    said = desk.type("diff", file)
    assert (said.code, said.out) == (0, "system ngi-cz: unchanged\n")


def test_a_change_is_shown_line_by_line_and_rolled_back_by_its_number(desk) -> None:
    desk.type("apply", desk.write(desk.cz))
    desk.type("apply", desk.write(desk.cz.replace("every: 1s", "every: 5m")))
    said = desk.type("rollback", "system", "ngi-cz", "1")
    assert said.code == 0
    assert "-poll: {every: 5m}\n+poll: {every: 1s}" in said.out
    assert "is at revision 3, with the text of revision 1" in said.out
    assert desk.type("system", "show", "ngi-cz", "--json").data["revisions"] == [1, 2, 3]


def test_what_is_exported_can_be_applied_elsewhere_and_is_the_same(desk) -> None:
    desk.type("apply", desk.write(desk.cz, desk.pl))
    text = desk.type("export").out
    assert desk.type("--state", str(desk.folder / "other"), "apply", desk.write(text, name="all.yaml")).code == 0
    assert desk.type("--state", str(desk.folder / "other"), "export").out == text


def test_one_document_is_exported_as_it_was_written_comments_included(desk) -> None:
    commented = desk.cz + "# asked for by Tess\n"
    desk.type("apply", desk.write(commented))
    assert desk.type("export", "system", "ngi-cz").out == commented
    desk.type("apply", desk.write(desk.cz))
    assert desk.type("export", "system", "ngi-cz", "--revision", "1").out == commented


def test_a_mapping_that_extends_another_is_exported_as_applied_and_as_json_whole(desk) -> None:
    bent = "kind: mapping\nname: ours\nextends: rt\nfields: {priority: null} # theirs has none\n"
    said = desk.type("apply", desk.write(bent))
    assert (said.code, "+extends: rt" in said.out, "+name: rt" in said.out) == (0, True, True)
    assert desk.type("export", "mapping", "ours").out == bent
    (whole,) = desk.type("export", "mapping", "ours", "--json").data
    assert (whole["connector"], "status" in whole["fields"], "priority" in whole["fields"]) == ("rt", True, False)
    assert desk.type("diff", desk.write(bent)).code == 0


def test_what_is_not_there_is_told_by_name(desk) -> None:
    desk.type("apply", desk.write(desk.cz))
    for words in (("export", "system", "ngi-zc"), ("rollback", "system", "ngi-cz", "7"), ("system", "show", "ngi-zc")):
        said = desk.type(*words)
        assert said.code == 2
        assert "ngi-cz" in said.err


def test_apply_live_lets_the_systems_take_part_at_once(desk) -> None:
    assert desk.type("apply", "--live", desk.write(desk.cz, desk.pl)).code == 0
    assert [each["state"] for each in desk.type("system", "list", "--json").data] == ["live", "live"]


def test_going_live_tells_who_has_not_signed_what_is_lost_and_only_the_first_time(desk) -> None:
    assert desk.type("apply", desk.write(desk.cz)).code == 0
    first, again = (desk.type("system", "live", "ngi-cz") for _ in range(2))
    assert (first.code, again.code) == (0, 0)
    assert "nobody has signed for the system and the centre what is lost" in " ".join(first.out.split())
    assert "interdesk system check ngi-cz" in " ".join(first.out.split())
    assert "signed" not in again.out


def test_json_answers_are_one_document_each(desk) -> None:
    file = desk.write(desk.cz)
    assert [each["change"] for each in desk.type("diff", "--json", file).data] == ["new", "new"]
    assert [each["revision"] for each in desk.type("apply", "--json", file).data] == [1, 1]
    assert desk.type("rollback", "system", "ngi-cz", "1", "--json").data[0]["change"] == "unchanged"
    assert [each["kind"] for each in desk.type("export", "--json").data] == ["mapping", "system"]
