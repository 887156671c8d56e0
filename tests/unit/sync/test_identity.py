"""A database that was copied or went back in time holds itself, and says so."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from central.store.api import Store
from central.store.memory import MemoryStore
from sync import identity
from sync.identity import BadIdentity, Host
from sync.recovery import copies

HOME = Host("prod")
AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def held(store: Store) -> str:
    return store.read(lambda tx: tx.instance.get()).held


def named(store: Store, host: Host = HOME, beats: int = 0) -> copies.Recognised:
    return store.write(lambda tx: copies.recognise(tx, host, beats, AT))


def test_a_new_database_takes_the_id_of_its_host_and_writes() -> None:
    store = MemoryStore()
    assert named(store).instance == "prod"
    assert named(store, Host("prod"), beats=1).beats == 2
    assert held(store) == ""


@pytest.mark.parametrize("host", [Host("test"), Host(""), Host("prod", moved="it was written on another host")])
def test_a_database_on_another_host_neither_reads_nor_writes(host: Host) -> None:
    store = MemoryStore()
    named(store)
    named(store, host)
    assert held(store).startswith(copies.COPIED)
    assert store.read(copies.at_rest)


def test_a_copy_that_goes_home_again_is_held_until_a_person_says_so() -> None:
    store = MemoryStore()
    named(store)
    named(store, Host("test"))
    named(store)
    assert held(store).startswith(copies.COPIED)
    adopted = store.write(lambda tx: copies.adopt(tx, AT, "ada", beats=0))
    assert held(store) == ""
    assert named(store, beats=adopted.beats).instance == "prod"
    assert held(store) == ""
    assert [entry.by for entry in store.read(lambda tx: tx.audit.list())] == ["ada"]


def test_a_database_that_went_back_in_time_is_held() -> None:
    store = MemoryStore()
    named(store)
    after = named(store, beats=7)
    assert held(store).startswith(copies.RESTORED)
    assert after.beats > 7
    assert store.read(lambda tx: tx.instance.get()).restored_at == AT


def test_one_restore_is_noticed_once_however_far_each_host_remembers_that_it_had_come() -> None:
    store = MemoryStore()
    named(store)
    after = store.write(lambda tx: copies.mark_restored(tx, AT, "somebody said so"))
    store.write(lambda tx: tx.instance.put(tx.instance.get().evolve(held="", restored_at=None)))  # a plan is approved
    named(store, beats=90_000)
    assert held(store) == ""
    store.write(lambda tx: tx.instance.put(tx.instance.get().evolve(beats=5)))
    named(store, beats=after)
    assert held(store).startswith(copies.RESTORED), "the next one is noticed, too"


def test_the_state_folder_remembers_the_id_and_how_far_the_database_had_come(tmp_path: Path) -> None:
    state = tmp_path / "state"
    assert identity.read(state) == Host("")
    assert identity.beats(state) == 0
    identity.write(state, "prod", machine="m1")
    identity.keep_beats(state, 12)
    assert identity.read(state, machine="m1") == Host("prod")
    assert identity.read(state, machine="") == Host("prod")
    assert identity.read(state, machine="m2").moved
    assert identity.beats(state) == 12


def test_a_setting_goes_before_the_file_and_must_be_an_id(tmp_path: Path) -> None:
    identity.write(tmp_path, "prod", machine="m1")
    assert identity.read(tmp_path, named="pg-1", machine="m2") == Host("pg-1")
    with pytest.raises(BadIdentity, match="letters"):
        identity.read(tmp_path, named="no id")
