"""Secrets by reference: what leads to one, what does not, and that none is ever shown."""

from pathlib import Path

import pytest

from sync.secrets import MASK, MissingSecret, Secrets, reference_problem


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "secrets" / "ngi").mkdir(parents=True)
    (tmp_path / "secrets" / "ngi" / "token").write_text("from-a-file\n")
    (tmp_path / "outside").write_text("not for documents")
    return tmp_path / "secrets"


def test_a_variable_is_looked_up() -> None:
    assert Secrets({"INTERDESK_SECRET_CZ": "t0ken"}).look_up("env:INTERDESK_SECRET_CZ") == "t0ken"


def test_a_file_is_looked_up_without_its_last_line_end(folder: Path) -> None:
    assert Secrets({}, folder).look_up("file:ngi/token") == "from-a-file"


@pytest.mark.parametrize("environ", [{}, {"INTERDESK_SECRET_CZ": ""}])
def test_a_missing_variable_is_named(environ: dict[str, str]) -> None:
    with pytest.raises(MissingSecret, match="set the environment variable INTERDESK_SECRET_CZ"):
        Secrets(environ).look_up("env:INTERDESK_SECRET_CZ")


def test_a_missing_file_is_named(folder: Path) -> None:
    with pytest.raises(MissingSecret, match=r"secrets/nobody cannot be read \(No such file"):
        Secrets({}, folder).look_up("file:nobody")


def test_without_a_folder_there_are_no_files() -> None:
    with pytest.raises(MissingSecret, match="no secrets folder for file:x"):
        Secrets({}).look_up("file:x")


def test_a_link_that_leads_out_of_the_folder_is_not_followed(folder: Path) -> None:
    (folder / "sly").symlink_to(folder.parent / "outside")
    with pytest.raises(MissingSecret, match="leads out of the secrets folder"):
        Secrets({}, folder).look_up("file:sly")


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe\x00", b"x" * 70_000])
def test_a_file_that_cannot_be_a_secret_is_refused(folder: Path, content: bytes) -> None:
    (folder / "odd").write_bytes(content)
    with pytest.raises(MissingSecret, match="odd"):
        Secrets({}, folder).look_up("file:odd")


def test_any_other_variable_of_the_machine_stays_out_of_reach() -> None:
    with pytest.raises(MissingSecret):
        Secrets({"PATH": "/bin"}).look_up("env:PATH")


def test_what_was_looked_up_is_masked_the_longest_first() -> None:
    secrets = Secrets({"INTERDESK_SECRET_A": "abcd", "INTERDESK_SECRET_B": "abcdefgh"})
    secrets.look_up("env:INTERDESK_SECRET_A")
    secrets.look_up("env:INTERDESK_SECRET_B")
    assert secrets.mask("sent abcdefgh, then abcd!") == f"sent {MASK}, then {MASK}!"


@pytest.mark.parametrize("value", [None, 7, ["env:INTERDESK_SECRET_A"], {"secret": "x"}])
def test_only_text_is_a_reference(value: object) -> None:
    assert "named by a reference" in reference_problem(value)
