"""A preview tells what the engine would then do, of one mapping or of the difference between two, and does nothing."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from central.shadow import Side
from connectors.api import Audience, Mail, WriteKind
from mappings.document import compile_mapping
from mappings.fixtures.document import Said, Way
from mappings.loader import read
from mappings.model import Mapping
from sync import preview
from sync.gateway import Gateway
from sync.simulation.members import _REDMINE_MAPPING
from tests.unit.sync.world import TPM, World


def redmine(world: World) -> Gateway:
    return world.mesh.gateways.get("ngi-pl")


def bent(old: str, new: str, revision: int = 2) -> Mapping:
    """The mapping of the world's Redmine, with another word in it."""
    assert old in _REDMINE_MAPPING
    (document,) = read(_REDMINE_MAPPING.replace(old, new), "m.yaml")
    return compile_mapping(document, revision=revision)


def looked(world: World, *, new: Gateway | None = None, old: Gateway | None = None, limit: int = 10) -> preview.Preview:
    asked: list[str] = []
    world.redmine.connector.intruder = lambda call: None if call.done else asked.append(call.operation)
    log, events = world.redmine.tracker.log[:], len(world.events()) if world.redmine.tracker.issues else 0
    told = preview.over_tickets(world.mesh.means, new or redmine(world), old, limit=limit)
    world.redmine.connector.intruder = None
    assert set(asked) <= {"scan", "fetch"}
    assert world.redmine.tracker.log == log
    assert not events or len(world.events()) == events
    return told


def test_at_rest_there_is_nothing_to_write() -> None:
    world = World()
    world.shared()
    told = looked(world)
    assert (told.tickets, told.more, list(told.rows), list(told.stands), told.mails.most) == (1, False, [], [], 0)


def test_what_is_about_to_be_written_is_told_for_either_side_and_then_comes_true() -> None:
    world = World()
    _, key = world.shared()
    world.centre.change(1, {"subject": "told otherwise"}, TPM)
    world.bob.edit(key, priority="high")
    told = looked(world)
    rows = {(row.write.side, row.write.item): row.write.would for row in told.rows}
    assert rows == {(Side.SYSTEM, "field subject"): "told otherwise", (Side.CENTRE, "field priority"): "very urgent"}
    assert {(row.ticket_id, row.key) for row in told.rows} == {(1, key)}
    world.mesh.settle()
    assert world.issue(world.redmine, key).fields["subject"] == "told otherwise"
    assert world.ticket()["priority"] == "very urgent"


def test_a_ticket_of_theirs_that_nobody_knows_here_would_come_in_and_one_that_is_deleted_meanwhile_would_not() -> None:
    world = World()
    world.bob.open(subject="born there")
    gone = world.bob.open(subject="deleted while we look")
    told = looked(world)
    assert [row.write.item for row in told.rows] == ["create", "create"]

    def delete(call: object) -> None:
        if gone in world.redmine.tracker.issues and not world.redmine.tracker.issues[gone].hidden:
            world.bob.delete(gone)

    world.redmine.connector.intruder = delete
    told = preview.over_tickets(world.mesh.means, redmine(world), None, limit=10)
    assert len(told.rows) == 1


def test_a_ticket_of_ours_that_they_do_not_have_yet_would_be_created_and_then_is() -> None:
    world = World()
    ticket = world.mesh.centre.open({"subject": "opened here", "unit": "NGI_PL"}, TPM)
    elsewhere = world.mesh.centre.open({"subject": "nobody else's", "unit": "TPM"}, TPM)
    told = looked(world)
    assert told.tickets == 1
    (row,) = told.rows
    assert (row.ticket_id, row.key, row.write.side, row.write.item) == (ticket.id, "", Side.SYSTEM, "create")
    assert "subject: opened here" in row.write.would
    assert elsewhere.id != ticket.id
    bare = preview.with_mapping(redmine(world), bent("  subject: {remote: subject}\n", ""))
    (differs,) = looked(world, new=bare, old=redmine(world)).rows
    assert differs.new is not None
    assert differs.old is not None
    assert "subject: opened here" not in differs.new.would
    assert looked(world, limit=1).more is False
    world.mesh.settle()
    assert [issue.fields["subject"] for issue in world.redmine.tracker.issues.values()] == ["opened here"]
    assert list(looked(world).rows) == []


def test_of_two_mappings_only_what_differs_is_told_with_what_the_other_would_have_done() -> None:
    world = World()
    world.shared()
    world.centre.change(1, {"subject": "told otherwise", "priority": "urgent"}, TPM)
    new = preview.with_mapping(redmine(world), bent("urgent: normal, very", "urgent: medium, very"))
    told = looked(world, new=new, old=redmine(world))
    (row,) = told.rows
    assert row.new is not None
    assert row.old is not None
    assert (row.new.item, row.new.would, row.old.would) == ("field priority", "medium", "normal")
    fewer = preview.with_mapping(redmine(world), bent("  subject: {remote: subject}\n", ""))
    assert [row.new for row in looked(world, new=fewer, old=redmine(world)).rows] == [None]


def test_a_field_that_means_something_else_and_that_nobody_touched_stands_and_says_what_it_would_become() -> None:
    world = World()
    world.shared()
    new = preview.with_mapping(redmine(world), bent("assigned: New,", "assigned: In Progress,"))
    told = looked(world, new=new, old=redmine(world))
    assert list(told.rows) == []
    (stands,) = told.stands
    assert (stands.field, stands.says, stands.reads) == ("status", "In Progress", "new")
    assert "the mapping changed its meaning" in stands.why


def test_a_value_that_has_no_word_any_more_would_be_left_as_it_is_and_says_why() -> None:
    world = World()
    _, key = world.shared()
    world.bob.edit(key, priority="normal")
    new = preview.with_mapping(redmine(world), bent("urgent: normal, very", "very"))
    (stands,) = looked(world, new=new, old=redmine(world)).stands
    assert (stands.field, stands.reads) == ("priority", Said.NO_WORD)
    assert "'normal' is in no line of the table" in stands.why
    assert list(looked(world, new=new, old=new).stands) == []


def test_the_mails_of_all_writes_are_counted_and_the_limit_says_that_there_are_more() -> None:
    world = World()
    world.shared()
    watchers = Mail((Audience.WATCHERS, Audience.OWNER), "the watchers")
    told = {WriteKind.UPDATE: watchers}
    world.redmine.connector.capabilities = replace(world.redmine.connector.capabilities, notifies=told)
    world.centre.change(1, {"subject": "told otherwise"}, TPM)
    assert looked(world).mails.most == 2
    world.bob.open(subject="another one")
    assert (looked(world, limit=1).tickets, looked(world, limit=1).more) == (1, True)


def past(world: World, new: Mapping, days: int = 30) -> dict[preview.Otherwise, preview.Times]:
    since = world.clock() - timedelta(days=days)
    return dict(preview.over_the_past(world.store, "ngi-pl", new, redmine(world).mapping, since=since))


def travelled(act: Callable[[World, str], object]) -> World:
    world = World()
    _, key = world.shared()
    act(world, key)
    world.mesh.settle()
    return world


def test_what_came_in_and_would_have_been_read_otherwise_is_grouped() -> None:
    world = travelled(lambda world, key: world.bob.edit(key, status="In Progress"))
    (what,) = found = past(world, bent("In Progress: in progress", "In Progress: reopened"))
    assert (what.way, what.field, what.value, what.old, what.new) == (
        Way.INWARD,
        "status",
        "In Progress",
        "in progress",
        "reopened",
    )
    assert (found[what].count, found[what].tickets) == (1, [1])
    assert past(world, redmine(world).mapping) == {}
    world.clock.advance(timedelta(days=40))
    assert past(world, bent("In Progress: in progress", "In Progress: reopened")) == {}


def test_what_went_out_and_would_have_been_written_otherwise_or_not_at_all_is_grouped() -> None:
    world = travelled(lambda world, _: world.centre.change(1, {"subject": "a", "priority": "urgent"}, TPM))
    found = past(world, bent("urgent: normal, very", "urgent: medium, very"))
    assert [(what.way, what.value, what.old, what.new) for what in found] == [
        (Way.OUTWARD, "urgent", "normal", "medium")
    ]
    found = past(world, bent("subject: {remote: subject}", "subject: {remote: subject, carries: inward}"))
    assert [(what.field, what.new) for what in found] == [("subject", Said.NOT_THERE)]
