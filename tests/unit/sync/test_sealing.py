"""Sealed secrets: opened for whom they were given and where they were given for, by nobody without the key."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from central.store.api import NoSuch
from central.store.memory import MemoryStore
from sync.sealing import Keys, NoKey, NotSealed, Sealing
from sync.secrets import MissingSecret, Secrets, Whose, reference_problem

AT = datetime(2026, 3, 1, tzinfo=UTC)
KEY = "a key that nobody would guess, ever"
CZ = {"url": "https://rt.example.cz/rt", "token": {"secret": "sealed:token"}}
WHOSE = Whose("ngi-cz", "https://rt.example.cz")


class Place:
    """A store, and keys as this test wants them."""

    def __init__(self, folder):
        self.store, self.folder = MemoryStore(), folder

    def sealing(self, key=KEY, *, secrets=None, makes=False):
        environ = {"INTERDESK_SEAL_KEY": key} if key else {}
        return Sealing(self.store, Keys(environ, secrets, self.folder / "var", makes), lambda: AT)


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


def test_a_sealed_secret_is_looked_up_by_its_system_for_its_address(place):
    sealing = place.sealing()
    assert sealing.seal(WHOSE, "token", "t0ken-of-cz", "olga") == ""
    secrets = Secrets({}, None, sealing.open)
    assert secrets.of("ngi-cz", CZ)("sealed:token") == "t0ken-of-cz"
    assert secrets.mask("it said t0ken-of-cz") == "it said •••"


@pytest.mark.parametrize(
    ("system", "settings", "sentence"),
    [
        ("ngi-de", CZ, "the secret is missing: system ngi-de has no sealed:token"),
        ("ngi-cz", {"url": "https://evil.example.org"}, "given for https://rt.example.cz, and not for https://evil"),
        (
            "ngi-cz",
            {"url": "http://rt.example.cz"},
            "given for https://rt.example.cz, and not for http://rt.example.cz",
        ),
        ("ngi-cz", {**CZ, "smtp": "smtp://evil.example.org"}, "and not for https://rt.example.cz smtp://evil"),
        ("ngi-cz", {}, "given for https://rt.example.cz"),
    ],
)
def test_nobody_else_gets_it_and_it_goes_nowhere_else(place, system, settings, sentence):
    sealing = place.sealing()
    sealing.seal(WHOSE, "token", "t0ken-of-cz", "olga")
    with pytest.raises(MissingSecret, match=sentence) as told:
        Secrets({}, None, sealing.open).of(system, settings)("sealed:token")
    assert "t0ken" not in str(told.value)


@pytest.mark.parametrize("moved", [{"system": "ngi-de"}, {"name": "other"}, {"origin": "https://evil.example.org"}])
def test_a_box_that_was_moved_to_another_row_does_not_open(place, moved):
    sealing = place.sealing()
    sealing.seal(WHOSE, "token", "t0ken-of-cz", "olga")
    (seal,) = place.store.read(lambda tx: tx.seals.list())
    stolen = replace(seal, **moved)
    place.store.write(lambda tx: tx.seals.put(stolen))
    sealing.refresh()
    with pytest.raises(MissingSecret, match="under another key"):
        sealing.open(stolen.name, Whose(stolen.system, stolen.origin))


def test_what_is_kept_shows_neither_the_secret_nor_the_same_box_twice(place):
    sealing = place.sealing()
    boxes = set()
    for _ in range(2):
        sealing.seal(WHOSE, "token", "t0ken-of-cz", "olga")
        (seal,) = place.store.read(lambda tx: tx.seals.list())
        boxes.add(seal.box)
    assert len(boxes) == 2
    assert not any("t0ken" in box for box in boxes)
    entries = place.store.read(lambda tx: tx.audit.list())
    assert [(each.by, each.act, each.subject) for each in entries] == [("olga", "seal a secret", "ngi-cz")] * 2
    assert entries[0].data == {"name": "token", "for": "https://rt.example.cz"}


def test_without_its_key_or_with_another_it_says_so(place):
    place.sealing().seal(WHOSE, "token", "t0ken-of-cz", "olga")
    with pytest.raises(MissingSecret, match="its key is gone; bring back INTERDESK_SEAL_KEY, or the file seal"):
        place.sealing(key="").open("token", WHOSE)
    with pytest.raises(MissingSecret, match="sealed under another key"):
        place.sealing(key=KEY[::-1]).open("token", WHOSE)
    with pytest.raises(MissingSecret, match="too short: it is a text of 32 characters or more"):
        place.sealing(key="short").open("token", WHOSE)


def test_where_many_processes_share_a_database_no_key_is_made(place):
    with pytest.raises(NoKey, match=r"there is no key\. Set INTERDESK_SEAL_KEY"):
        place.sealing(key="").seal(WHOSE, "token", "t0ken", "olga")
    assert list(place.store.read(lambda tx: tx.seals.list())) == []
    assert list(place.store.read(lambda tx: tx.audit.list())) == []


def test_the_embedded_default_makes_a_key_that_only_its_owner_reads_and_says_so_once(place):
    sealing = place.sealing(key="", makes=True)
    told = sealing.seal(WHOSE, "token", "t0ken", "olga")
    file = place.folder / "var" / "seal.key"
    assert told.startswith(f"a key for sealed secrets was made in {file}: keep a copy")
    assert file.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in file.parent.iterdir()] == ["seal.key"]
    assert sealing.seal(WHOSE, "signing", "s1gning", "olga") == ""
    assert place.sealing(key="", makes=True).open("token", WHOSE) == "t0ken"


def test_a_key_in_the_secrets_folder_goes_before_the_one_of_the_state_and_no_document_names_it(place):
    folder = place.folder / "secrets"
    folder.mkdir()
    (folder / "seal.key").write_text(f"{KEY}\n")
    place.sealing(key="", secrets=folder, makes=True).seal(WHOSE, "token", "t0ken", "olga")
    assert place.sealing().open("token", WHOSE) == "t0ken"
    for reference in ("file:seal.key", "file:ngi-cz/seal.key"):
        assert "the key of all sealed secrets" in reference_problem(reference)


@pytest.mark.parametrize(
    ("whose", "name", "value", "sentence"),
    [
        (WHOSE, "to/ken", "t0ken", "letters, digits"),
        (WHOSE, "token", "", "a secret has 1 to"),
        (WHOSE, "token", "t\0ken", "a secret has 1 to"),
        (Whose("ngi-cz", ""), "token", "t0ken", "there is none in the system's settings"),
    ],
)
def test_what_cannot_be_kept_is_refused_before_a_key_is_made(place, whose, name, value, sentence):
    with pytest.raises(NotSealed, match=sentence):
        place.sealing(key="", makes=True).seal(whose, name, value, "olga")
    assert not (place.folder / "var").exists()


def test_a_forgotten_secret_is_missing_and_forgetting_it_again_says_so(place):
    sealing = place.sealing()
    sealing.seal(WHOSE, "token", "t0ken", "olga")
    sealing.forget("ngi-cz", "token", "olga")
    assert not sealing.has("ngi-cz", "token")
    with pytest.raises(NoSuch, match="system ngi-cz has no sealed secret 'token'"):
        sealing.forget("ngi-cz", "token", "olga")


def test_a_sealed_secret_is_no_secret_of_the_instance():
    with pytest.raises(MissingSecret, match="is a system's own"):
        Secrets({}).look_up("sealed:token")
