"""Claims about tickets, comments, history and conflicts."""

from dataclasses import replace
from datetime import datetime

import pytest

from central.model import Value, Visibility
from central.store.api import NoSuch, StaleRevision, Store
from central.store.testing.samples import ADA, NOW, conflict, event, later, new_comment, new_file, new_ticket, say


class TicketClaims:
    """What `Tickets` promises, files aside."""

    def test_a_new_ticket_is_at_revision_one(self, store: Store) -> None:
        fields: dict[str, Value] = {"subject": "ü", "cc": ("a@example.org", "b@example.org"), "status": "new"}
        made = store.write(lambda tx: tx.tickets.create(fields, NOW, born_in="rt"))
        assert (made.revision, made.created_at, made.changed_at, made.born_in) == (1, NOW, NOW, "rt")
        assert made.fields == fields
        assert store.read(lambda tx: tx.tickets.get(made.id)) == made

    def test_a_field_set_to_none_is_absent(self, store: Store) -> None:
        made = store.write(lambda tx: tx.tickets.create({"subject": "x", "phone": None}, NOW))
        changed = store.write(lambda tx: tx.tickets.change(made, {"subject": None, "eta": "soon"}, NOW))
        assert made.fields == {"subject": "x"}
        assert changed.fields == {"eta": "soon"}
        assert store.read(lambda tx: tx.tickets.get(made.id)) == changed

    def test_a_ticket_that_is_not_there_is_named(self, store: Store) -> None:
        with pytest.raises(NoSuch, match="no ticket 99"):
            store.read(lambda tx: tx.tickets.get(99))
        with pytest.raises(NoSuch, match="no ticket 99"):
            store.write(lambda tx: tx.tickets.touch(99, NOW))

    def test_a_change_raises_the_revision_and_keeps_the_other_fields(self, store: Store) -> None:
        made = new_ticket(store)
        changed = store.write(lambda tx: tx.tickets.change(made, {"status": "solved"}, later(1)))
        assert (changed.revision, changed.changed_at, changed.created_at) == (2, later(1), NOW)
        assert changed.fields == {"subject": made["subject"], "status": "solved"}
        assert store.read(lambda tx: tx.tickets.get(made.id)) == changed

    def test_a_change_from_an_old_revision_is_refused(self, store: Store) -> None:
        made = new_ticket(store)
        changed = store.write(lambda tx: tx.tickets.change(made, {"status": "solved"}, NOW))
        with pytest.raises(StaleRevision, match="at revision 2, not 1"):
            store.write(lambda tx: tx.tickets.change(made, {"status": "assigned"}, NOW))
        assert store.read(lambda tx: tx.tickets.get(made.id)) == changed

    def test_a_change_of_a_ticket_that_is_not_there_is_refused(self, store: Store) -> None:
        made = new_ticket(store)
        with pytest.raises(NoSuch, match="no ticket 99"):
            store.write(lambda tx: tx.tickets.change(replace(made, id=99), {"status": "solved"}, NOW))

    def test_touching_moves_the_time_and_not_the_revision(self, store: Store) -> None:
        made = new_ticket(store)
        store.write(lambda tx: tx.tickets.touch(made.id, later(5)))
        touched = store.read(lambda tx: tx.tickets.get(made.id))
        assert (touched.revision, touched.changed_at) == (1, later(5))

    def test_what_is_internal_moves_the_time_for_those_alone_who_read_it(self, store: Store) -> None:
        made = new_ticket(store)

        def moments() -> tuple[datetime, datetime | None]:
            now = store.read(lambda tx: tx.tickets.get(made.id))
            return now.changed_at, now.shown_at

        store.write(lambda tx: tx.tickets.touch(made.id, later(5), internal=True))
        store.write(lambda tx: tx.tickets.touch(made.id, later(6), internal=True))
        assert moments() == (later(6), NOW)
        store.write(lambda tx: tx.tickets.touch(made.id, later(7)))
        assert moments() == (later(7), None)
        store.write(lambda tx: tx.tickets.touch(made.id, later(8), internal=True))
        noted = store.read(lambda tx: tx.tickets.get(made.id))
        unmoved = store.write(lambda tx: tx.tickets.change(noted, {"phone": "1"}, None))
        assert (unmoved.revision, *moments()) == (2, later(8), later(7))
        assert store.read(lambda tx: tx.tickets.get(made.id)) == unmoved
        called = store.write(lambda tx: tx.tickets.change(unmoved, {"phone": "2"}, later(9)))
        assert moments() == (later(9), later(7)), "only who reads internal notes reads a phone"
        assert store.read(lambda tx: tx.tickets.get(made.id)) == called
        store.write(lambda tx: tx.tickets.change(called, {"phone": "3", "eta": "soon"}, later(10)))
        assert moments() == (later(10), None)

    def test_lists_come_newest_first_page_by_page(self, store: Store) -> None:
        ids = [new_ticket(store).id for _ in range(5)]
        first = store.read(lambda tx: tx.tickets.list(limit=2))
        second = store.read(lambda tx: tx.tickets.list(limit=2, before=first[-1].id))
        last = store.read(lambda tx: tx.tickets.list(limit=2, before=second[-1].id))
        assert [ticket.id for page in (first, second, last) for ticket in page] == ids[::-1]

    def test_words_are_found_in_the_subject_whatever_their_case(self, store: Store) -> None:
        fire = new_ticket(store, "Überhitzung: the PRINTER is on fire")
        new_ticket(store, "The scanner is on fire")
        assert store.read(lambda tx: tx.tickets.list(words="über printer")) == [fire]

    @pytest.mark.parametrize("words", ["%", "_", "\\", "'"])
    def test_signs_in_a_search_mean_themselves(self, store: Store, words: str) -> None:
        new_ticket(store, "plain")
        odd = new_ticket(store, f"with {words} in it")
        assert store.read(lambda tx: tx.tickets.list(words=words)) == [odd]

    def test_the_number_of_tickets_is_kept(self, store: Store) -> None:
        assert store.read(lambda tx: tx.tickets.count()) == 0
        for _ in range(3):
            new_ticket(store)
        assert store.read(lambda tx: tx.tickets.count()) == 3

    def test_comments_keep_everything_and_the_order_they_came_in(self, store: Store) -> None:
        ticket, other = new_ticket(store), new_ticket(store)
        late = new_comment("ünïcode\r\n\0\ufdd00", visibility=Visibility.INTERNAL, created_at=later(9), gap="too large")
        early = new_comment("early", created_at=later(1), origin_system="rt", origin_id="17")
        say(store, other, new_comment("elsewhere"))
        added = [say(store, ticket, one) for one in (late, early)]
        assert store.read(lambda tx: list(tx.tickets.comments(ticket.id))) == added
        assert [comment.text for comment in added] == ["ünïcode\r\n\0\ufdd00", "early"]
        assert (added[0].author, added[0].visibility, added[0].gap) == (ADA, Visibility.INTERNAL, "too large")
        assert (added[1].origin_system, added[1].origin_id, added[1].created_at) == ("rt", "17", later(1))

    def test_a_comment_is_added_once_per_origin(self, store: Store) -> None:
        ticket = new_ticket(store)
        seen = new_comment("first", origin_system="rt", origin_id="17")
        again = new_comment("edited", origin_system="rt", origin_id="17")
        elsewhere = new_comment("other system", origin_system="redmine", origin_id="17")
        first = say(store, ticket, seen)
        assert say(store, ticket, again) == first
        say(store, ticket, elsewhere)
        texts = [comment.text for comment in store.read(lambda tx: tx.tickets.comments(ticket.id))]
        assert texts == ["first", "other system"]

    def test_the_conversation_comes_in_pages(self, store: Store) -> None:
        ticket, other = new_ticket(store), new_ticket(store)
        first = say(store, ticket, new_comment("one"))
        say(store, other, new_comment("elsewhere"))
        for text in ("two", "three"):
            say(store, ticket, new_comment(text))
        page = store.read(lambda tx: tx.tickets.conversation(ticket.id, after=0, limit=1))
        assert list(page) == [first]
        page = store.read(lambda tx: tx.tickets.conversation(ticket.id, after=first.id, limit=9))
        assert [comment.text for comment in page] == ["two", "three"]

    def test_an_origin_is_one_within_its_ticket_only(self, store: Store) -> None:
        comment = new_comment("numbered per ticket there", origin_system="rt", origin_id="1")
        one, two = new_ticket(store), new_ticket(store)
        first = say(store, one, comment)
        second = say(store, two, comment)
        assert first.id != second.id

    def test_comments_without_origin_are_never_the_same(self, store: Store) -> None:
        ticket = new_ticket(store)
        for _ in range(2):
            say(store, ticket, new_comment("twice"))
        assert len(store.read(lambda tx: tx.tickets.comments(ticket.id))) == 2

    def test_a_comment_is_revised_in_its_place_and_its_files_are_as_visible_as_it(self, store: Store) -> None:
        ticket, other = new_ticket(store), new_ticket(store)
        sha256, _ = store.put_blob([b"abc"], limit=10)
        first = say(store, ticket, replace(new_comment("as it was"), files=(new_file(sha256),)))
        second = say(store, ticket, new_comment("untouched"))
        edited = replace(first, text="better", gap="", visibility=Visibility.INTERNAL, edited_at=later(1))
        assert store.write(lambda tx: tx.tickets.revise_comment(edited)) == edited
        assert store.read(lambda tx: list(tx.tickets.comments(ticket.id))) == [edited, second]
        assert [f.visibility for f in store.read(lambda tx: tx.tickets.files(ticket.id))] == [Visibility.INTERNAL]
        tombstone = replace(edited, text="", deleted_at=later(2))
        store.write(lambda tx: tx.tickets.revise_comment(tombstone))
        assert store.read(lambda tx: tx.tickets.comments(ticket.id))[0] == tombstone
        for nowhere in (replace(second, id=99), replace(second, ticket_id=other.id)):
            with pytest.raises(NoSuch, match="has no comment"):
                store.write(lambda tx, nowhere=nowhere: tx.tickets.revise_comment(nowhere))  # type: ignore[misc]  # bound now

    def test_a_comment_on_a_ticket_that_is_not_there_is_refused(self, store: Store) -> None:
        with pytest.raises(NoSuch, match="no ticket 99"):
            store.write(lambda tx: tx.tickets.add_comment(99, new_comment()))

    def test_history_comes_oldest_first_with_everything_in_it(self, store: Store) -> None:
        ticket, other = new_ticket(store), new_ticket(store)
        told = [
            event(ticket, "status", data={"from": "new", "to": ["a", 1, None]}, why="the mapping", system="rt"),
            event(ticket, "priority", at=later(-5)),
            event(other, "status"),
            event(ticket),
        ]
        store.write(lambda tx: tx.tickets.record(told))
        history = store.read(lambda tx: tx.tickets.events(ticket.id))
        assert [(one.field, one.at, one.why) for one in history] == [
            ("status", NOW, "the mapping"),
            ("priority", later(-5), ""),
            (None, NOW, ""),
        ]
        assert history[0].data == {"from": "new", "to": ["a", 1, None]}
        assert (history[0].actor, history[0].system) == (ADA, "rt")
        assert history[0].id < history[1].id < history[2].id

    def test_the_history_comes_in_pages(self, store: Store) -> None:
        ticket, other = new_ticket(store), new_ticket(store)
        told = [event(each, field) for each, field in ((ticket, "status"), (other, "unit"), (ticket, "priority"))]
        store.write(lambda tx: tx.tickets.record(told))
        (first,) = store.read(lambda tx: tx.tickets.history(ticket.id, after=0, limit=1))
        assert first.field == "status"
        page = store.read(lambda tx: tx.tickets.history(ticket.id, after=first.id, limit=9))
        assert [one.field for one in page] == ["priority"]

    def test_history_can_be_asked_about_one_field(self, store: Store) -> None:
        ticket = new_ticket(store)
        store.write(lambda tx: tx.tickets.record([event(ticket, "status"), event(ticket, "priority"), event(ticket)]))
        assert [one.field for one in store.read(lambda tx: tx.tickets.events(ticket.id, field="status"))] == ["status"]

    def test_what_happened_to_any_ticket_comes_by_its_number(self, store: Store) -> None:
        one, two = new_ticket(store), new_ticket(store)
        assert store.read(lambda tx: tx.tickets.newest_event()) == 0
        store.write(lambda tx: tx.tickets.record([event(one, "status"), event(two), event(one)]))
        told = store.read(lambda tx: tx.tickets.happened(after=0))
        assert [each.ticket_id for each in told] == [one.id, two.id, one.id]
        assert store.read(lambda tx: tx.tickets.newest_event()) == told[-1].id
        assert store.read(lambda tx: list(tx.tickets.happened(after=told[0].id, limit=1))) == list(told[1:2])

    def test_recording_nothing_is_nothing(self, store: Store) -> None:
        store.write(lambda tx: tx.tickets.record([]))

    def test_an_event_of_a_ticket_that_is_not_there_is_refused(self, store: Store) -> None:
        ticket = new_ticket(store)
        with pytest.raises(NoSuch):
            store.write(lambda tx: tx.tickets.record([event(ticket), event(replace(ticket, id=99))]))
        assert not store.read(lambda tx: tx.tickets.events(ticket.id))

    def test_a_conflict_that_was_decided_is_open_no_more(self, store: Store) -> None:
        ticket = new_ticket(store)
        standing = conflict(ticket, open=True, winner="undecided")
        kept = store.write(lambda tx: tx.tickets.keep_conflict(standing))
        store.write(lambda tx: tx.tickets.decide_conflict(kept.id, winner="remote", reason="ada said so"))
        decided = replace(kept, open=False, winner="remote", reason="ada said so")
        assert store.read(lambda tx: list(tx.tickets.conflicts(ticket.id))) == [decided]
        assert not store.read(lambda tx: tx.tickets.conflicts(open_only=True))
        with pytest.raises(NoSuch):
            store.write(lambda tx: tx.tickets.decide_conflict(99, winner="remote", reason=""))

    def test_conflicts_are_kept_whole(self, store: Store) -> None:
        one, two = new_ticket(store), new_ticket(store)
        lost = conflict(one, author="ada")
        standing = conflict(two, open=True, winner="undecided", ours=None, theirs=True)
        kept = store.write(lambda tx: [tx.tickets.keep_conflict(it) for it in (lost, standing)])
        assert (kept[0].ours, kept[0].theirs, kept[0].author) == ("solved", ("open", "new"), "ada")
        assert store.read(lambda tx: list(tx.tickets.conflicts())) == kept
        assert store.read(lambda tx: list(tx.tickets.conflicts(one.id))) == kept[:1]
        assert store.read(lambda tx: list(tx.tickets.conflicts(open_only=True))) == kept[1:]
        assert not store.read(lambda tx: tx.tickets.conflicts(one.id, open_only=True))
        assert store.read(lambda tx: list(tx.tickets.conflicts(limit=1))) == kept[:1]
        assert store.read(lambda tx: list(tx.tickets.conflicts(after=kept[0].id, limit=9))) == kept[1:]

    def test_a_conflict_of_a_ticket_that_is_not_there_is_refused(self, store: Store) -> None:
        ticket = new_ticket(store)
        with pytest.raises(NoSuch, match="no ticket 99"):
            store.write(lambda tx: tx.tickets.keep_conflict(conflict(replace(ticket, id=99))))
