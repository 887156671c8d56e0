"""After a restore: what was forgotten is found again in the trackers, and nothing is written before that."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from central.desk.services.tickets import Upload
from central.link import LinkState
from tests.unit.sync.saved import Saved
from tests.unit.sync.world import TPM


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Saved]:
    made = Saved(tmp_path)
    yield made
    made.opened.close()


def test_a_forgotten_comment_of_the_centre_is_found_in_its_copies_and_is_one(world: Saved) -> None:
    world.shared()
    world.save()
    world.centre.comment(1, "restart the CE", TPM, files=[Upload("ce.log", "text/plain", iter([b"log"]))])
    world.mesh.settle()
    found = world.restore()
    comments = world.comments()
    assert [(c.text, c.author.name) for c in comments] == [("restart the CE", "Tess from TPM")]
    assert found.comments == 1
    assert world.end() == []
    assert len(world.said(world.rt, "restart the CE")) == len(world.said(world.redmine, "restart the CE")) == 1


def test_a_forgotten_ticket_of_the_centre_is_one_again_whatever_systems_hold_it(world: Saved) -> None:
    world.shared()
    world.save()
    opened = world.centre.open({"subject": "new disk", "description": "please", "unit": "NGI_PL"}, TPM)
    world.mesh.settle()
    world.centre.comment(opened.id, "it is urgent", TPM)
    world.centre.change(opened.id, {"unit": "NGI_CZ"}, TPM)
    world.mesh.settle()
    found = world.restore()
    assert (found.tickets, found.linked) == (1, 1)
    again = world.ticket(2)
    assert (again["subject"], again["unit"]) == ("new disk", "NGI_CZ")
    assert world.link("ngi-pl", 2).state is LinkState.DETACHED
    assert world.end() == []
    assert [len(member.tracker.issues) for member in (world.rt, world.redmine)] == [2, 2]


def test_a_ticket_born_after_the_backup_is_tied_to_its_copy_elsewhere(world: Saved) -> None:
    world.shared()
    world.save()
    key = world.alice.open(subject="late one", description="after the backup")
    world.mesh.round()
    world.centre.change(2, {"unit": "NGI_PL"}, TPM)
    world.mesh.settle()
    world.alice.comment(key, "any news?")
    world.mesh.settle()
    found = world.restore()
    assert (found.tickets, found.linked) == (0, 1)
    assert world.end() == []
    assert world.ticket(2)["unit"] == "NGI_PL"
    assert [len(member.tracker.issues) for member in (world.rt, world.redmine)] == [2, 2]
    assert len(world.said(world.redmine, "any news?", world.link("ngi-pl", 2).key)) == 1


def test_an_edit_of_the_centre_that_was_sent_comes_back_and_a_later_one_there_stands(world: Saved) -> None:
    key, _ = world.shared()
    world.save()
    world.centre.change(1, {"subject": "said by the centre"}, TPM)
    world.centre.change(1, {"priority": "top priority"}, TPM)
    world.mesh.settle()
    world.alice.edit(key, subject="said by alice, unread")
    world.restore()
    assert world.ticket()["subject"] == "said by alice, unread"
    assert world.ticket()["priority"] in ("top priority", "very urgent")
    assert world.end() == []


@pytest.mark.parametrize("seed", range(6))
def test_a_hundred_changes_on_each_side_survive_a_restore(world: Saved, seed: int) -> None:
    chance = random.Random(seed)
    world.shared()
    world.save()
    people = ((world.rt, world.alice), (world.redmine, world.bob))
    for number in range(100):
        ids = [t.id for t in world.store.read(lambda tx: tx.tickets.list(limit=500))]
        match chance.randrange(6):
            case 0:
                unit = chance.choice(["NGI_CZ", "NGI_PL", "TPM"])
                world.centre.open({"subject": f"centre {number}", "description": "d", "unit": unit}, TPM)
            case 1:
                world.centre.comment(chance.choice(ids), f"words of the centre {number}", TPM)
            case 2:
                world.centre.change(chance.choice(ids), {"subject": f"subject {number}"}, TPM)
            case 3:
                world.centre.change(chance.choice(ids), {"unit": chance.choice(["NGI_CZ", "NGI_PL"])}, TPM)
            case 4:
                file = Upload(f"c{number}.txt", "text/plain", iter([f"c{number}".encode()]))
                world.centre.comment(chance.choice(ids), f"a file of the centre {number}", TPM, files=[file])
            case _:
                world.centre.change(chance.choice(ids), {"priority": "top priority"}, TPM)
        for member, who in people:
            keys = list(member.tracker.issues)
            match chance.randrange(6):
                case 0:
                    who.open(subject=f"{who.name} {number}", description="d")
                case 1:
                    who.edit(chance.choice(keys), subject=f"{who.name} says {number}")
                case 2:
                    file = {f"{who.name}{number}.txt": f"{number}".encode()}
                    who.comment(chance.choice(keys), f"a file of {who.name} {number}", files=file)
                case _:
                    who.comment(chance.choice(keys), f"words of {who.name} {number}")
        if chance.random() < 0.5:
            world.mesh.round()
    world.mesh.settle(40)
    world.restore()
    assert world.end(40) == []
