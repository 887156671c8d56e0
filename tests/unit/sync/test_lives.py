"""The processes of one state folder: who is dead is known at once, and who lives is left alone."""

from pathlib import Path

import pytest

from sync.lives import FOLDER, Lives
from tests.unit.sync.another_life import another


def freed(lives: Lives) -> list[str]:
    names: list[str] = []
    lives.bury(names.append)
    return names


def test_a_process_that_was_killed_is_found_dead_once_and_not_before(tmp_path: Path) -> None:
    lives = Lives(tmp_path)
    with another(tmp_path) as (name, process):
        assert freed(lives) == []
        process.kill()
        process.wait()
        assert freed(lives) == [name]
        assert freed(lives) == []
    lives.end()


def test_a_dead_process_whose_leases_could_not_be_freed_is_found_again(tmp_path: Path) -> None:
    def fail(_: str) -> None:
        raise OSError("the store is away")

    lives = Lives(tmp_path)
    with another(tmp_path) as (name, process):
        process.kill()
        process.wait()
        with pytest.raises(OSError, match="away"):
            lives.bury(fail)
        assert freed(lives) == [name]
    lives.end()


def test_who_ends_in_order_leaves_nothing_and_no_two_lives_have_one_name(tmp_path: Path) -> None:
    first, second = Lives(tmp_path), Lives(tmp_path)
    assert first.name != second.name
    assert freed(first) == freed(second) == []
    first.end()
    assert freed(second) == []
    second.end()
    assert list((tmp_path / FOLDER).iterdir()) == []
