"""`mapping preview`, typed by an operator who is about to apply a mapping."""

import pytest

from mappings.library import shipped


@pytest.fixture
def cz(desk):
    """A desk with RT registered, and a ticket there that nobody knows here."""
    desk.type("apply", desk.write(desk.cz))
    desk.key = desk.rt.tracker.person("alice").open(Subject="CE refuses jobs", Priority="50", Status="open")
    return desk


def test_a_draft_shows_what_it_would_take_in_and_writes_nothing(cz) -> None:
    log = cz.rt.tracker.log[:]
    said = cz.type("mapping", "preview", "--system", "ngi-cz")
    assert said.code == 0
    assert "1 tickets looked at, nothing written\nthis will send no mail\n" in said.out
    assert "status: in progress" in said.out
    told = cz.type("mapping", "preview", "--system", "ngi-cz", "--json").data
    assert (told["tickets"], told["mails"], told["writes"][0]["item"]) == (1, 0, "create")
    assert cz.rt.tracker.log == log
    assert cz.type("ticket", "list", "--json").data == []


def test_a_file_is_held_against_the_registered_mapping_and_two_revisions_against_each_other(cz) -> None:
    bent = shipped("rt").source.replace("open: in progress", "open: assigned")
    file = cz.write(bent, name="rt.yaml")
    (row,) = cz.type("mapping", "preview", file, "--system", "ngi-cz", "--json").data["writes"]
    assert "status: assigned" in row["new"]["would"]
    assert "status: in progress" in row["old"]["would"]
    assert "Instead of" in cz.type("mapping", "preview", file, "--system", "ngi-cz").out
    assert cz.type("mapping", "preview", "rt", "--system", "ngi-cz", "--json").data["writes"] == []
    cz.type("apply", file)
    (row,) = cz.type("mapping", "preview", "rt@1", "rt@2", "--system", "ngi-cz", "--json").data["writes"]
    assert "status: assigned" in row["new"]["would"]


def test_a_mapping_that_extends_the_registered_one_is_previewed_whole(cz) -> None:
    mine = "kind: mapping\nname: mine\nextends: rt\nfields: {priority: {scale: {less urgent: 10, urgent: 60}}}\n"
    (row,) = cz.type("mapping", "preview", cz.write(mine, name="m.yaml"), "--system", "ngi-cz", "--json").data["writes"]
    assert "priority: less urgent" in row["new"]["would"]


def test_the_past_of_a_system_is_asked_for_what_would_have_differed(cz) -> None:
    file = cz.write(shipped("rt").source.replace("open: in progress", "open: assigned"), name="rt.yaml")
    said = cz.type("mapping", "preview", file, "--system", "ngi-cz", "--since", "30d")
    assert (said.code, said.out) == (0, "nothing would have become something else\n")
    assert cz.type("mapping", "preview", file, "--system", "ngi-cz", "--since", "30d", "--json").data == {
        "differences": []
    }


def test_recorded_examples_need_no_system_and_no_database(desk) -> None:
    file = desk.write(shipped("rt").source.replace("open: in progress", "open: assigned"), name="new.yaml")
    old = desk.write(shipped("rt").source, name="old.yaml")
    fixture = "kind: fixture\nname: f\nmapping: rt\ninward: {theirs: {Status: open}, held: {status: new}}\n"
    examples = desk.write(fixture, name="f.fixture.yaml")
    told = desk.type("mapping", "preview", old, file, "--fixtures", examples, "--json").data
    assert told == {
        "fixtures": 1,
        "differences": [
            {"fixture": "f", "way": "inward", "item": "status", "old": "in progress", "new": "assigned"},
        ],
    }
    assert desk.type("mapping", "preview", "rt", file, "--fixtures", examples, "--json").data == told, "the library's"
    assert desk.type("mapping", "preview", "rt@1", file, "--fixtures", examples).code == 2
    said = desk.type("mapping", "preview", file, "--fixtures", examples)
    assert "1 examples, 1 values would be written" in said.out


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("rt",),
        ("--fixtures", "."),
        ("a", "b", "c", "--system", "ngi-cz"),
        ("rt", "--since", "30d", "--fixtures", "."),
        ("--system", "ngi-cz", "--since", "30"),
        ("--system", "ngi-xx"),
        ("rt@9", "--system", "ngi-cz"),
        ("rt@x", "--system", "ngi-cz"),
        ("nothing", "--system", "ngi-cz"),
        ("systems.yaml", "--system", "ngi-cz"),
        ("absent.yaml", "--system", "ngi-cz"),
        ("absent.yaml", "--fixtures", "."),
    ],
)
def test_what_cannot_be_meant_so_is_the_users_mistake(cz, words: tuple[str, ...]) -> None:
    said = cz.type("mapping", "preview", *(str(cz.folder / word) if word.endswith(".yaml") else word for word in words))
    assert said.code == 2
    assert said.err
