"""What the oracle excuses, each in the smallest story that has it; and the same where the tracker tells enough."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from central.link import LinkState
from central.store.memory import MemoryStore
from connectors.api import Capabilities, VersionStrength
from connectors.memory import WELL_BEHAVED
from sync.guards.usual import Limits
from sync.simulation.members import RT_LIKE
from sync.simulation.oracle import Verdict, judge
from sync.simulation.scenario import GOING_LIVE, Happening, Kind, Moment, Scenario
from sync.simulation.tempers import Temper
from sync.simulation.world import World
from tests.simulation.crowd import tracker

SILENT = Capabilities(version=VersionStrength.WEAK, row_version=VersionStrength.WEAK)
"""Neither lock nor history."""
CANDID = replace(SILENT, history=True)
BEFORE_UPDATE, AFTER_UPDATE, AFTER_CREATE = Moment("update", False), Moment("update", True), Moment("create", True)
BORN_THERE = (Happening(GOING_LIVE, Kind.OPEN, "ngi-1", value="1"),)
BORN_HERE = (
    Happening(GOING_LIVE, Kind.OPEN, "", value="1"),
    Happening(100, Kind.REASSIGN, "", value="unit of ngi-1"),
)


COMMENT_HERE = Happening(250, Kind.COMMENT, "", 0, value="word 1!")


def redmine(capabilities: Capabilities) -> Temper:
    return tracker("ngi-1", "redmine", capabilities)


def rt(capabilities: Capabilities) -> Temper:
    return tracker("ngi-1", "rt", capabilities, reopens=True)


def there(at: float, field: str, value: str, moment: Moment | None = None) -> Happening:
    return Happening(at, Kind.EDIT, "ngi-1", 0, field, value, moment=moment)


def here(at: float, field: str, value: str) -> Happening:
    return Happening(at, Kind.EDIT, "", 0, field, value)


def fault(at: float, kind: Kind, moment: Moment, seconds: float = 0) -> Happening:
    return Happening(at, kind, "ngi-1", seconds=seconds, moment=moment)


def says(temper: Temper, *acts: Happening, workers: int = 1) -> Verdict:
    """What the oracle says of one ticket on one tracker."""
    scenario = Scenario(1, (temper,), tuple(sorted(acts, key=lambda act: act.at)), workers=workers)
    return judge(World(scenario, MemoryStore()))


def excused(temper: Temper, *acts: Happening, workers: int = 1) -> Sequence[str]:
    verdict = says(temper, *acts, workers=workers)
    assert verdict.broken == ()
    return [each.split(":", 1)[0] for each in verdict.excused]


def test_who_writes_between_our_reading_and_our_write_is_lost_where_there_is_neither_lock_nor_history() -> None:
    acts = (*BORN_THERE, here(200, "subject", "ours"), there(199, "subject", "theirs", BEFORE_UPDATE))
    assert excused(redmine(SILENT), *acts) == ["neither lock nor history, between our reading and our write"]
    assert excused(redmine(CANDID), *acts) == []


def test_who_edits_our_new_ticket_before_it_was_read_back_looks_like_the_tracker_where_no_history_tells() -> None:
    acts = (*BORN_HERE, there(99, "subject", "theirs", AFTER_CREATE))
    assert excused(redmine(SILENT), *acts) == ["no history tells an edit from what the tracker made of our new ticket"]
    assert excused(redmine(CANDID), *acts) == []


def test_who_goes_back_while_our_answer_is_lost_looks_like_a_write_that_never_arrived_where_no_history_tells() -> None:
    acts = (
        *BORN_THERE,
        there(198, "subject", "ticket 1", AFTER_UPDATE),
        fault(199, Kind.LOST_ANSWER, AFTER_UPDATE),
        here(200, "subject", "ours"),
    )
    why = "without a history, who goes back to what stood before our write looks like a write that never arrived"
    assert excused(redmine(SILENT), *acts) == [why]
    assert excused(redmine(CANDID), *acts) == []


def test_who_goes_back_before_our_write_was_read_back_looks_like_a_refusal_where_no_history_tells() -> None:
    acts = (*BORN_THERE, there(199, "subject", "ticket 1", AFTER_UPDATE), here(200, "subject", "ours"))
    why = "without a history, who goes back to what stood before our write looks like a refusal"
    assert excused(redmine(SILENT), *acts) == [why]
    assert excused(redmine(CANDID), *acts) == []


def test_who_goes_back_to_what_we_had_read_over_an_edit_that_our_write_hid_looks_like_a_refusal_too() -> None:
    hidden = there(198, "subject", "theirs", BEFORE_UPDATE)
    acts = (*BORN_THERE, hidden, there(199, "subject", "ticket 1", AFTER_UPDATE), here(200, "subject", "ours"))
    assert "without a history, who goes back to what stood before our write looks like a refusal" in excused(
        redmine(SILENT), *acts
    )
    assert excused(redmine(CANDID), *acts) == []


def test_what_our_comment_hid_is_lost_where_no_history_tells() -> None:
    acts = (*BORN_THERE, there(249.5, "status", "3", Moment("comment", False)), COMMENT_HERE)
    assert excused(rt(replace(RT_LIKE, history=False)), *acts) == ["no history tells what our comment hid"]
    assert excused(rt(RT_LIKE), *acts) == []


def test_who_takes_back_at_once_what_our_comment_did_is_seen_by_nobody_where_no_history_tells() -> None:
    reopened = replace(here(249.5, "status", "5"), moment=Moment("comment", False))
    back = there(249.5, "status", "3", Moment("comment", True))
    acts = (*BORN_THERE, there(200, "status", "3"), reopened, back, COMMENT_HERE)
    why = "without a history, who takes back at once what our comment did looks like nobody at all"
    assert excused(rt(replace(RT_LIKE, history=False)), *acts) == [why]
    assert excused(rt(RT_LIKE), *acts) == []


def test_what_our_comment_hid_on_a_ticket_that_was_deleted_at_once_can_be_read_by_nobody() -> None:
    acts = (*BORN_THERE, there(249.5, "status", "3"), COMMENT_HERE)
    gone = Happening(249, Kind.DELETE, "ngi-1", moment=Moment("comment", True))
    assert excused(rt(RT_LIKE), *acts, gone) == ["the ticket was deleted before anybody could read it"]
    assert excused(rt(RT_LIKE), *acts) == []


def test_what_the_last_notice_hid_on_a_ticket_that_was_deleted_while_it_was_away_can_be_read_by_nobody() -> None:
    away, back = (Happening(at, Kind.REASSIGN, "", value=unit) for at, unit in ((250, "TPM"), (400, "unit of ngi-1")))
    moves = (*BORN_HERE, there(249.5, "status", "3"), away, back)
    why = "the ticket was deleted before anybody could read it"
    assert excused(rt(RT_LIKE), *moves, Happening(300, Kind.DELETE, "ngi-1")) == [why]
    assert excused(rt(RT_LIKE), *moves) == []


def test_what_the_last_notice_of_a_detached_link_hid_is_lost() -> None:
    leaving = Happening(250, Kind.REASSIGN, "", value="TPM")
    assert excused(rt(RT_LIKE), *BORN_HERE, there(249.5, "status", "3"), leaving) == [
        "the last notice of a detached link hid it"
    ]


def test_what_the_last_notice_hid_is_no_loss_once_somebody_has_set_it_anew_while_the_ticket_was_away() -> None:
    away, back = (Happening(at, Kind.REASSIGN, "", value=unit) for at, unit in ((250, "TPM"), (400, "unit of ngi-1")))
    moves = (*BORN_HERE, there(249.5, "status", "3"), away, back)
    assert excused(rt(RT_LIKE), *moves, there(300, "status", "2")) == []
    assert excused(rt(RT_LIKE), *moves, there(500, "status", "2")) == []  # its history tells it to who comes back


def test_a_new_ticket_that_is_deleted_while_the_answer_to_its_create_is_lost_is_opened_once_more() -> None:
    deleted = Happening(98, Kind.DELETE, "ngi-1", moment=AFTER_CREATE)
    lost = fault(99, Kind.LOST_ANSWER, AFTER_CREATE)
    why = "the first was deleted while the answer to its create was lost"
    assert excused(redmine(SILENT), *BORN_HERE, deleted, lost) == [why]
    assert excused(redmine(SILENT), *BORN_HERE, deleted) == []


def test_what_waits_for_a_person_by_policy_stands() -> None:
    acts = (*BORN_THERE, here(200, "subject", "ours"), there(199, "subject", "theirs"))
    assert excused(replace(redmine(CANDID), policy="ask"), *acts) == ["policy ask"]
    assert excused(redmine(CANDID), *acts) == []


def test_a_file_that_went_with_its_ticket_before_we_fetched_it_leaves_its_comment_with_a_note_everywhere() -> None:
    said = Happening(249, Kind.COMMENT, "ngi-2", 0, value="word 1!", seconds=1)
    gone = Happening(249.2, Kind.DELETE, "ngi-2", moment=Moment("download", False))
    born = (Happening(GOING_LIVE, Kind.OPEN, "ngi-2", value="1"), *BORN_HERE[1:])
    there = tracker("ngi-2", "redmine", replace(CANDID, files=True))
    scenario = Scenario(1, (redmine(CANDID), there), (*born, said, gone), workers=1)
    world = World(scenario, MemoryStore())
    assert judge(world).broken == ()
    texts = [note.text for issue in world.members["ngi-1"].tracker.issues.values() for note in issue.notes]
    assert [("word 1!" in text, "stays in ngi-2" in text) for text in texts] == [(True, True)]


@pytest.mark.parametrize(
    ("back", "excuses"),
    [
        (Happening(900, Kind.RETURN, "ngi-2"), []),
        (Happening(301.56, Kind.RETURN, "ngi-2"), ["its ticket was away as it was fetched, as a note says"]),
    ],
    ids=["after we noticed", "before we noticed"],
)
def test_a_file_that_could_not_be_fetched_comes_with_its_ticket_unless_nobody_noticed_that_it_was_gone(
    back: Happening, excuses: list[str]
) -> None:
    said = Happening(249, Kind.COMMENT, "ngi-2", 0, value="word 1!", seconds=1)
    gone = Happening(249.2, Kind.DELETE, "ngi-2", moment=Moment("download", False))
    born = (Happening(GOING_LIVE, Kind.OPEN, "ngi-2", value="1"), *BORN_HERE[1:])
    there = tracker("ngi-2", "redmine", replace(CANDID, files=True))
    here_too = redmine(replace(CANDID, files=True))
    scenario = Scenario(1, (here_too, there), (*born, said, gone, back), workers=1)
    verdict = judge(World(scenario, MemoryStore()))
    assert verdict.broken == ()
    assert [each.split(":", 1)[0] for each in verdict.excused] == excuses


def test_what_a_worker_writes_who_was_paused_past_its_lease_looks_like_an_edit_where_no_history_tells() -> None:
    acts = (
        *BORN_THERE,
        fault(199, Kind.PAUSE, BEFORE_UPDATE, 400),
        here(200, "subject", "ours"),
        here(204, "subject", "ours, once more"),
        here(900, "priority", "1"),
    )
    assert excused(redmine(SILENT), *acts, workers=2) == ["without a history nobody knows whose value it is"]
    assert excused(redmine(CANDID), *acts, workers=2) == []


def test_the_mesh_is_not_at_rest_before_the_full_scan_that_finds_what_is_still_missing_after_a_rejection() -> None:
    temper = replace(redmine(CANDID), limits=Limits(losses=2))
    opened = (Happening(GOING_LIVE + number, Kind.OPEN, "ngi-1", value=str(number)) for number in range(4))
    gone = Happening(1250, Kind.DELETE_ALL, "ngi-1", 11), Happening(1300, Kind.DELETE, "ngi-1", 2)
    world = World(Scenario(1, (temper,), (*opened, *gone)), MemoryStore())
    assert judge(world).broken == ()
    assert len(world.chronicle.rejections["ngi-1"]) == 1
    assert [link.state for link in world.raw_store.read(lambda tx: tx.links.of(3))] == [LinkState.LOST]


def test_a_version_that_a_restored_tracker_gives_anew_meets_the_precondition_of_who_has_not_read_it_since() -> None:
    temper = replace(redmine(replace(WELL_BEHAVED, search_lag=timedelta(seconds=45))), marked=True)
    story = (
        *BORN_THERE,
        Happening(1250, Kind.BACKUP, "ngi-1"),
        Happening(1300, Kind.COMMENT, "", 0, value="word 1!"),
        Happening(4990, Kind.RESTORE, "ngi-1"),
        there(5010, "status", "4"),
        here(5030, "status", "2"),
    )
    why = "its own restore had it give anew the version that we held, so that our precondition was met"
    assert excused(temper, *story) == [why]
    assert excused(temper, *story, there(5005, "priority", "1")) == []


def test_who_sets_back_what_a_restore_took_away_before_that_was_taken_in_has_changed_nothing() -> None:
    temper = replace(redmine(WELL_BEHAVED), marked=True)
    story = (
        *BORN_THERE,
        Happening(1250, Kind.BACKUP, "ngi-1"),
        here(1300, "status", "2"),
        Happening(4990, Kind.RESTORE, "ngi-1"),
        here(5005, "status", "4"),
    )
    why = "who sets back what its own restore took away, before that was taken in, has changed nothing"
    assert excused(temper, *story, there(5010, "status", "1")) == [why]
    assert excused(temper, *story, there(5010, "status", "3")) == []


def test_what_a_restore_undoes_while_nobody_knows_where_our_mark_stands_is_told_by_nothing() -> None:
    temper = replace(redmine(WELL_BEHAVED), marked=True)
    story = (
        *BORN_HERE,
        Happening(1250, Kind.BACKUP, "ngi-1"),
        replace(COMMENT_HERE, at=5000),
        Happening(5020, Kind.RESTORE, "ngi-1"),
    )
    late = fault(4990, Kind.LATE, BEFORE_UPDATE, seconds=5)
    assert excused(temper, *story, late) == ["its own restore undid it, and our mark could not tell"]
    assert excused(temper, *story) == []


def test_what_a_restore_brings_back_while_nobody_knows_where_our_mark_stands_is_taken_for_an_edit() -> None:
    temper = replace(redmine(SILENT), marked=True)
    story = (
        *BORN_HERE,
        there(1100, "subject", "one"),
        Happening(1250, Kind.BACKUP, "ngi-1"),
        there(1400, "subject", "two"),
        replace(COMMENT_HERE, at=5000),
        Happening(5020, Kind.RESTORE, "ngi-1"),
    )
    late = fault(4990, Kind.LATE, BEFORE_UPDATE, seconds=5)
    assert "its own restore brought it back, and our mark could not tell" in excused(temper, *story, late)
    assert excused(temper, *story) == []


def test_what_our_comment_hid_and_a_restore_undid_at_once_can_be_read_by_nobody() -> None:
    story = (
        *BORN_THERE,
        Happening(1250, Kind.BACKUP, "ngi-1"),
        here(4000, "subject", "ours"),
        there(4999.5, "status", "3", Moment("comment", False)),
        replace(COMMENT_HERE, at=5000),
        fault(4999, Kind.PAUSE, Moment("comment", True), seconds=60),
    )
    temper = replace(rt(RT_LIKE), marked=True)
    why = "its own restore undid it, and what our comment had made of it, before anybody could read it"
    assert excused(temper, *story, Happening(5020, Kind.RESTORE, "ngi-1")) == [why]
    assert excused(temper, *story) == []
