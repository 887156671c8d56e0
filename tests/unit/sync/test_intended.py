"""What the engine would write is what it then writes: one decision, asked first and carried out afterwards."""

from collections.abc import Callable

import pytest

from central.shadow import Side
from connectors.api import WriteKind
from sync import intended
from sync.simulation.mesh import Member
from tests.unit.sync.world import TPM, World


def _reading_only(world: World, member: Member) -> list[str]:
    """The operations that were asked of this tracker since, by name."""
    asked: list[str] = []
    member.connector.intruder = lambda call: None if call.done else asked.append(call.operation)
    return asked


def _written(world: World, member: Member, begin: int) -> set[tuple[str, object]]:
    """What our account did there since: the field or comment, and what it became."""
    found: set[tuple[str, object]] = set()
    for deed in member.tracker.log[begin:]:
        if deed.who != "interdesk" or deed.cause:
            continue
        if deed.kind == "set":
            found.add((f"field {deed.field}", deed.new))
        elif deed.kind in ("comment", "reword"):  # without the mark at its end
            note = next(n for n in member.tracker.issues[deed.key].notes if n.id == deed.note)
            found.add(("comment", note.text.replace("\r\n", "\n").split("\n[")[0].strip()))
    return found


def _status(world: World) -> None:
    world.centre.change(1, {"status": "in progress"}, TPM)


def _several(world: World) -> None:
    world.centre.change(1, {"subject": "told otherwise", "priority": "urgent"}, TPM)
    world.centre.comment(1, "a word", TPM)


def _reworded(world: World) -> None:
    comment = world.centre.comment(1, "a word too much", TPM)
    world.mesh.settle()
    world.centre.edit_comment(1, comment.id, "a better word", TPM)


@pytest.mark.parametrize("act", [_status, _several, _reworded])
def test_what_would_be_written_outward_is_what_a_push_writes(act: Callable[[World], None]) -> None:
    world = World()
    world.shared()
    act(world)
    gateway = world.mesh.gateways.get("ngi-pl")
    before = world.redmine.tracker.log[:]
    asked = _reading_only(world, world.redmine)
    found = intended.of_ticket(world.mesh.means, gateway, 1)
    assert set(asked) <= {"fetch"}
    assert world.redmine.tracker.log == before
    world.mesh.work()
    would = {
        ("comment" if "comment" in w.item else w.item, w.would if w.would is None else str(w.would))
        for w in found.on(Side.SYSTEM)
    }
    assert would
    assert would == _written(world, world.redmine, len(before))
    again = intended.of_ticket(world.mesh.means, gateway, 1)
    assert (again.writes, again.why) == ((), "")


def test_a_ticket_that_would_be_made_there_is_told_with_its_conversation() -> None:
    world = World()
    ticket = world.centre.open({"subject": "from the centre", "unit": "NGI_PL"}, TPM)
    world.centre.comment(ticket.id, "a first word", TPM)
    found = intended.of_ticket(world.mesh.means, world.mesh.gateways.get("ngi-pl"), ticket.id)
    made, said = found.writes
    assert (made.item, made.side, made.kind) == ("create", Side.SYSTEM, WriteKind.CREATE)
    assert "subject: from the centre" in made.would
    assert "a first word" in str(said.would)
    assert intended.kinds(found.writes) == {WriteKind.CREATE: 1, WriteKind.COMMENT: 1}
    assert world.redmine.tracker.issues == {}


def test_what_people_did_there_would_be_taken_in_and_told_back_where_the_centre_makes_something_of_it() -> None:
    world = World()
    key, _ = world.shared()
    world.alice.edit(key, subject="edited there", status="open")
    world.alice.comment(key, "said there")
    found = intended.of_key(world.mesh.means, world.mesh.gateways.get("ngi-cz"), key)
    taken = {write.item: write.would for write in found.on(Side.CENTRE)}
    assert taken["field subject"] == "edited there"
    assert "said there" in taken.values()
    before = world.ticket()
    world.mesh.round()
    after = world.ticket()
    changed = {name: after[name] for name in after.fields if after[name] != before[name]}
    assert {n.removeprefix("field "): v for n, v in taken.items() if n.startswith("field")} == changed


def test_a_ticket_that_nobody_knows_here_would_be_taken_in() -> None:
    world = World()
    key = world.alice.open(subject="born there")
    [write] = intended.of_key(world.mesh.means, world.mesh.gateways.get("ngi-cz"), key).writes
    assert (write.side, write.item, "subject: born there" in write.would) == (Side.CENTRE, "create", True)
    assert world.store.read(lambda tx: tx.tickets.count()) == 0


def test_a_ticket_given_away_would_get_its_last_notice() -> None:
    world = World()
    world.shared()
    world.centre.change(1, {"unit": "TPM"}, TPM)
    [write] = intended.of_ticket(world.mesh.means, world.mesh.gateways.get("ngi-pl"), 1).writes
    assert (write.item, write.kind) == ("notice", WriteKind.COMMENT)
    world.mesh.work()
    assert world.said(world.redmine, str(write.would))


def test_all_fields_of_a_ticket_travel_in_one_write() -> None:
    world = World()
    world.shared()
    world.centre.change(1, {"subject": "told otherwise", "priority": "urgent", "status": "in progress"}, TPM)
    found = intended.of_ticket(world.mesh.means, world.mesh.gateways.get("ngi-pl"), 1)
    assert len(found.on(Side.SYSTEM)) == 3
    assert intended.kinds(found.writes) == {WriteKind.TRANSITION: 1}
    assert intended.kinds([each for each in found.writes if "status" not in each.item]) == {WriteKind.UPDATE: 1}
