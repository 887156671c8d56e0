"""Dead letters: tried again or discarded, and never lost from sight."""

import pytest

from central.delivery import Delivery, Direction
from central.desk import views
from central.link import Refusal
from central.store.api import NoSuch
from central.store.testing.samples import later
from connectors.errors import ProtocolError, Refused
from connectors.memory import Call
from sync import deadletters
from sync.remedies import UNREADABLE_TRIES
from tests.unit.sync.world import TPM, World


def unreadable(world: World, key: str):
    """One ticket of RT answers what nobody can read."""

    def poison(call: Call) -> None:
        if call.operation == "fetch" and call.key == key and not call.done:
            raise ProtocolError("an answer that cannot be read", raw="<html>maintenance")

    world.rt.connector.intruder = poison


def refusing(world: World) -> None:
    """Nobody can read what Redmine says to a write."""

    def refuse(call: Call) -> None:
        if call.operation == "update" and not call.done:
            raise ProtocolError("it answers in riddles")

    world.redmine.connector.intruder = refuse


def rounds(world: World, number: int = 8) -> None:
    for _ in range(number):
        world.mesh.round()


WORDS = "ProtocolError: it answers in riddles"


def told_nothing() -> tuple[World, Delivery]:
    """A change at the centre that NGI_PL could not be told of."""
    world = World()
    world.shared()
    refusing(world)
    world.centre.change(1, {"subject": "B"}, TPM)
    rounds(world)
    (letter,) = world.dead()
    return world, letter


def test_a_look_that_reads_before_it_fails_brings_itself_back_no_more_than_any_other() -> None:
    world, letter = told_nothing()
    assert (letter.error, letter.attempts) == (WORDS, UNREADABLE_TRIES)
    rounds(world)
    assert world.dead() == [letter]


def test_a_retry_carries_what_the_letter_was_to_carry() -> None:
    world, letter = told_nothing()
    world.redmine.connector.intruder = None
    (before,) = deadletters.retry(world.mesh.means, [letter.id], "ada")
    assert before == letter
    assert world.end() == []
    assert world.issue(world.redmine).fields["subject"] == "B"
    (entry,) = world.store.read(lambda tx: tx.audit.list())
    assert (entry.by, entry.act, entry.subject) == ("ada", "retry", f"dead letter {letter.id}")


def test_a_retry_begins_with_the_first_try_and_reads_anew() -> None:
    world = World()
    key = world.alice.open(subject="A")
    unreadable(world, key)
    rounds(world)
    (letter,) = world.dead()
    assert letter.error.splitlines() == [
        "ProtocolError: an answer that cannot be read",
        "the answer began: <html>maintenance",
    ]
    deadletters.retry(world.mesh.means, [letter.id], "ada")
    found = world.store.read(lambda tx: tx.outbox.get(letter.id))
    assert (found.attempts, found.hint, found.reason) == (0, None, letter.reason)
    rounds(world)
    assert [each.id for each in world.dead()] == [letter.id], "the same row is no reason to try again by itself"
    world.rt.connector.intruder = None
    deadletters.retry(world.mesh.means, [letter.id], "ada")
    assert world.end() == []
    assert world.ticket()["subject"] == "A"


def test_what_was_refused_is_sent_again_by_a_retry() -> None:
    world, letter = told_nothing()
    world.redmine.connector.intruder = None
    link = world.link("ngi-pl")
    kept = {"subject": Refusal("B", "A", "closed", 1, world.clock())}
    world.store.write(lambda tx: tx.links.save(link.evolve(refusals=kept)))
    deadletters.retry(world.mesh.means, [letter.id], "ada")
    assert world.link("ngi-pl").refusals == {}


def test_a_letter_that_is_edited_carries_the_new_value_and_is_tried_from_the_first_try_on() -> None:
    world, letter = told_nothing()
    link = world.link("ngi-pl")
    refusal = Refusal("High", "Low", "no such value", 1, world.clock())
    world.store.write(lambda tx: tx.links.save(link.evolve(refusals={"priority": refusal})))
    world.redmine.connector.intruder = None
    again = deadletters.edited(world.mesh.means, [letter], ("subject",), "ada")
    world.centre.change(1, {"subject": "C"}, TPM, also=lambda tx, _: again(tx))
    assert world.dead() == []
    assert world.link("ngi-pl").refusals == {}
    owed = world.store.read(lambda tx: tx.outbox.get(letter.id))
    assert owed.attempts == 0
    (entry, *_) = world.store.read(lambda tx: tx.audit.list())
    assert (entry.by, entry.act, entry.subject) == ("ada", "edit and retry", f"dead letter {letter.id}")
    assert (entry.data["fields"], entry.data["error"]) == ("subject", WORDS)
    assert world.end() == []
    assert world.issue(world.redmine).fields["subject"] == "C"


def test_a_discarded_letter_is_a_loss_that_shows_on_the_ticket_and_in_the_counts() -> None:
    world, letter = told_nothing()
    deadletters.discard(world.mesh.means, [letter.id], "ada", "they close the project")
    assert world.dead() == []
    rounds(world)
    assert world.issue(world.redmine).fields["subject"] != "B"
    assert world.store.read(lambda tx: tx.outbox.counts())["ngi-pl"].discarded == 1
    (shown,) = world.store.read(lambda tx: views.letters(tx, 1))
    assert (shown.number, shown.system) == (letter.id, "ngi-pl")
    assert shown.sentence == f"what changed is not told, discarded by ada: they close the project; it said: {WORDS}"
    (entry,) = world.store.read(lambda tx: tx.audit.list())
    assert (entry.act, entry.data["why"]) == ("discard", "they close the project")


def test_a_new_change_makes_what_was_discarded_owed_again() -> None:
    world, letter = told_nothing()
    deadletters.discard(world.mesh.means, [letter.id], "ada", "they close the project")
    world.redmine.connector.intruder = None
    world.centre.change(1, {"priority": "urgent"}, TPM)
    assert world.end() == []
    assert world.issue(world.redmine).fields["subject"] == "B"
    assert world.store.read(lambda tx: views.letters(tx, 1)) == ()


def test_an_edit_there_makes_what_was_discarded_owed_again() -> None:
    world, letter = told_nothing()
    deadletters.discard(world.mesh.means, [letter.id], "ada", "they close the project")
    world.redmine.connector.intruder = None
    world.bob.edit(world.link("ngi-pl").key, subject="C")
    assert world.end() == []
    assert world.ticket()["subject"] == world.issue(world.redmine).fields["subject"] == "B", (
        "both changed it; ours wins"
    )


def test_neither_polls_nor_the_full_scan_bring_back_what_was_discarded() -> None:
    world = World()
    key = world.alice.open(subject="A")
    unreadable(world, key)
    rounds(world)
    (letter,) = world.dead()
    deadletters.discard(world.mesh.means, [letter.id], "ada", "a broken ticket")
    rounds(world)
    world.mesh.scan()
    rounds(world)
    assert world.dead() == []
    assert [each.id for each in world.store.read(lambda tx: tx.outbox.discarded())] == [letter.id]
    world.rt.connector.intruder = None
    world.alice.edit(key, subject="B")
    assert world.end() == []
    assert world.ticket()["subject"] == "B"


def test_a_discarded_letter_can_be_brought_back() -> None:
    world, letter = told_nothing()
    deadletters.discard(world.mesh.means, [letter.id], "ada", "a slip")
    world.redmine.connector.intruder = None
    deadletters.retry(world.mesh.means, [letter.id], "ada")
    assert world.end() == []
    assert world.issue(world.redmine).fields["subject"] == "B"


@pytest.mark.parametrize("act", [deadletters.retry, lambda m, n, by: deadletters.discard(m, n, by, "why")])
def test_what_is_no_letter_is_refused_and_the_others_are_left_alone(act) -> None:
    world, letter = told_nothing()
    with pytest.raises(NoSuch, match="no dead letter 99"):
        act(world.mesh.means, [letter.id, 99], "ada")
    assert world.dead() == [letter]
    assert world.store.read(lambda tx: tx.audit.list()) == []


def test_what_is_owed_already_is_no_letter() -> None:
    world, letter = told_nothing()
    deadletters.retry(world.mesh.means, [letter.id], "ada")
    with pytest.raises(NoSuch, match="is owed already"):
        deadletters.retry(world.mesh.means, [letter.id], "ada")


def test_in_bulk_what_is_gone_by_now_is_passed_over() -> None:
    world, letter = told_nothing()
    (done,) = deadletters.retry(world.mesh.means, [letter.id, 99], "ada", named=False)
    assert done.id == letter.id


def test_thousands_are_retried_a_hundred_at_a_time() -> None:
    world = World()
    for number in range(250):
        world.store.write(
            lambda tx, n=number: tx.outbox.owe("ngi-pl", Direction.OUTWARD, str(n), later(0), reason="it changed")
        )
        claim = world.store.write(
            lambda tx: tx.outbox.claim(
                "ngi-pl", "x", later(1), ttl=later(60) - later(0), lease_name=lambda _, each: each.subject
            )
        )
        world.store.write(lambda tx, claim=claim: tx.outbox.bury(claim, later(1), error="no"))
    numbers = [each.id for each in world.dead()]
    assert len(deadletters.retry(world.mesh.means, numbers, "ada", named=False)) == 250
    assert world.dead() == []


def test_a_refused_create_is_a_letter_with_the_trackers_own_words() -> None:
    world = World()
    world.alice.open(subject="CE refuses jobs")
    world.mesh.round()

    def refuse(call: Call) -> None:
        if call.operation == "create" and not call.done:
            raise Refused("Tracker can't be blank")

    world.redmine.connector.intruder = refuse
    world.centre.change(1, {"unit": "NGI_PL"}, TPM)
    world.mesh.work()
    (letter,) = world.dead()
    assert letter.error == "Refused: Tracker can't be blank"
    (shown,) = world.store.read(lambda tx: views.letters(tx, 1))
    assert "a dead letter: Refused: Tracker can't be blank" in shown.sentence
