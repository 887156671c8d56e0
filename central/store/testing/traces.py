"""Claims about what people have left, and how it is written over."""

from dataclasses import replace
from functools import partial

import pytest

from central.audit import Entry
from central.delivery import Claim, Direction
from central.events import Event
from central.mail import Mail, Verdict
from central.model import Attachment, Comment, Person
from central.origin import Origin
from central.shadow import Shadow, Side
from central.store.api import NoSuch, Store
from central.store.testing.samples import (
    ADA,
    NOW,
    claimed,
    conflict,
    event,
    later,
    new_comment,
    new_file,
    new_ticket,
    owe,
    say,
)

NOBODY = Person("erased-1", system="rt")
MUCH_LATER = later(10**9)


def _bury(store: Store, taken: Claim) -> None:
    store.write(lambda tx: tx.outbox.bury(taken, taken.delivery.owed_since, error="refused\nby eve@x.org"))


class TraceClaims:
    """What `Traces` promises."""

    def test_tickets_are_found_by_whoever_is_named_on_them(self, store: Store) -> None:
        by_field = store.write(lambda tx: tx.tickets.create({"subject": "x", "cc": ("A%_@x.org", "bob@x.org")}, NOW))
        spoken, told, lost = new_ticket(store), new_ticket(store), new_ticket(store)
        new_ticket(store)
        say(store, spoken, new_comment(author=Person("7", "Eve", "eve@x.org", "rt")))
        store.write(lambda tx: tx.tickets.record([event(told, "cc", data={"to": ["eve@x.org"]})]))
        store.write(lambda tx: tx.tickets.keep_conflict(conflict(lost, theirs=("Eve@x.org",))))

        def find(*words: str) -> list[int]:
            return list(store.read(lambda tx: tx.traces.tickets(words)))

        assert find("EVE@X.org") == [spoken.id, told.id, lost.id]
        assert find("a%_@x.org") == [by_field.id], "signs of patterns mean themselves"
        assert find("a%__x.org", "nobody@x.org", "") == []
        assert find("bob@x.org", "eve@x.org") == [by_field.id, spoken.id, told.id, lost.id]

    def test_tickets_are_found_by_whoever_is_spoken_of_on_them(self, store: Store) -> None:
        sha256, size = store.put_blob([b"abc"], limit=10)
        by_field = store.write(lambda tx: tx.tickets.create({"subject": "x", "description": "ask\nÉva\nNémeth"}, NOW))
        said, gap, told, why, called, _ = [new_ticket(store) for _ in range(6)]
        say(store, said, new_comment("for Éva  Németh and eve_1@x.org"))
        say(store, gap, new_comment("x", gap="[éva németh.pdf] stays there"))
        facts = [event(told, "subject", data={"from": "ÉVA NÉMETH"}), event(why, why="éva németh said so")]
        store.write(lambda tx: tx.tickets.record(facts))
        file = new_file(sha256, "Éva_Németh.pdf", size=size)
        store.write(lambda tx: tx.tickets.add_file(called.id, None, file, NOW))

        def find(*words: str) -> list[int]:
            return list(store.read(lambda tx: tx.traces.spoken_of(words)))

        assert find("éva németh", "") == [each.id for each in (by_field, said, gap, told, why, called)]
        assert find("EVE_1@x.org") == [said.id]
        assert find("eve%1@x.org", "evex1@x.org", "bob németh") == [], "signs of patterns mean themselves"

    def test_files_get_other_names_and_keep_all_else(self, store: Store) -> None:
        sha256, size = store.put_blob([b"abc"], limit=10)
        ticket, other = new_ticket(store), new_ticket(store)
        for each in (ticket, other):
            file = new_file(sha256, "eve.txt", size=size)
            store.write(lambda tx, at=each.id, file=file: tx.tickets.add_file(at, None, file, NOW))  # type: ignore[misc]
        (before,) = store.read(lambda tx: tx.tickets.files(ticket.id))
        store.write(lambda tx: tx.traces.files(ticket.id, lambda f: replace(f, name="erased-1.txt", size=7)))
        assert list(store.read(lambda tx: tx.tickets.files(ticket.id))) == [replace(before, name="erased-1.txt")]
        assert store.read(lambda tx: tx.tickets.files(other.id))[0].name == "eve.txt"

    def test_a_comment_gets_another_author_and_keeps_all_else(self, store: Store) -> None:
        ticket = new_ticket(store)
        said = say(store, ticket)
        new = replace(said, author=NOBODY, token="token", text="not written back")  # noqa: S106
        store.write(lambda tx: tx.traces.comment(new))
        (now,) = store.read(lambda tx: tx.tickets.comments(ticket.id))
        assert now == replace(said, author=NOBODY, token="token")  # noqa: S106
        with pytest.raises(NoSuch):
            store.write(lambda tx: tx.traces.comment(replace(new, id=99)))

    def test_a_comment_has_no_token_of_its_own_at_first_and_keeps_the_one_it_has(self, store: Store) -> None:
        ticket = new_ticket(store)
        said = say(store, ticket)
        assert said.token is None
        store.write(lambda tx: tx.traces.comment(replace(said, token="token")))  # noqa: S106
        store.write(lambda tx: tx.tickets.revise_comment(replace(said, text="edited")))
        told: Comment = store.read(lambda tx: tx.tickets.comments(ticket.id))[0]
        assert (told.text, told.token) == ("edited", "token")

    def test_the_history_of_one_ticket_is_written_over(self, store: Store) -> None:
        def written_over(fact: Event) -> Event:
            return replace(fact, actor=NOBODY, data={"to": [None]}, why="so")

        ticket, other = new_ticket(store), new_ticket(store)
        store.write(lambda tx: tx.tickets.record([event(ticket, "cc", data={"to": "x"}), event(other)]))
        store.write(lambda tx: tx.traces.events(ticket.id, written_over))
        (now,) = store.read(lambda tx: tx.tickets.events(ticket.id))
        assert (now.actor, now.data, now.why, now.field, now.at) == (NOBODY, {"to": [None]}, "so", "cc", NOW)
        assert store.read(lambda tx: tx.tickets.events(other.id))[0].actor == ADA

    def test_who_handed_a_ticket_in_is_written_over_and_the_ticket_is_found_by_it(self, store: Store) -> None:
        ticket = new_ticket(store)
        store.write(lambda tx: tx.origins.add(ticket.id, Origin("eve", "RT", "7", "Eve E.", "CN=Eve")))
        find = store.read(lambda tx: [list(tx.traces.tickets([word])) for word in ("cn=eve", "EVE e.", "7")])
        assert find == [[ticket.id], [ticket.id], []]
        store.write(lambda tx: tx.traces.origins(ticket.id, lambda _: Origin("erased-1", "x", "y", "", "erased-1")))
        assert list(store.read(lambda tx: tx.origins.of(ticket.id))) == [Origin("erased-1", "RT", "7", "", "erased-1")]

    def test_bytes_that_no_file_bears_are_let_go_of(self, store: Store) -> None:
        ticket = new_ticket(store)
        loose, _ = store.put_blob([b"a mail"], limit=100)
        borne, size = store.put_blob([b"abc"], limit=100)
        store.write(lambda tx: tx.tickets.add_file(ticket.id, None, new_file(borne, size=size), NOW))
        for sha256 in (loose, loose, borne):
            store.write(lambda tx, sha256=sha256: tx.traces.drop_bytes(sha256))  # type: ignore[misc]  # bound now
        with store.open_blob(borne) as chunks:
            assert b"".join(chunks) == b"abc"
        with pytest.raises(NoSuch), store.open_blob(loose):
            pass

    def test_what_would_have_been_written_is_written_over(self, store: Store) -> None:
        for system, would in (("rt", "by Eve"), ("redmine", ("eve@x.org", "ada@x.org")), ("rt", None)):
            made = Shadow(
                0, system, Side.SYSTEM, None, (would and "1") or "2", "field cc", would, None, "Eve said so", NOW
            )
            store.write(lambda tx, made=made: tx.shadow.record(made))  # type: ignore[misc]  # bound now

        def changed(old: Shadow) -> Shadow:
            return replace(old, would="nobody" if old.would else None, did="else", why="somebody said so")

        store.write(lambda tx: tx.traces.shadows(changed))
        found = [each for name in ("rt", "redmine") for each in store.read(lambda tx, of=name: tx.shadow.list(of))]  # type: ignore[misc]  # bound now
        assert [each.would for each in found] == [None, "nobody", "nobody"]
        assert {(each.did, each.why, each.item, each.at) for each in found} == {
            ("else", "somebody said so", "field cc", NOW)
        }

    def test_what_a_request_was_answered_is_written_over_and_stays_answered(self, store: Store) -> None:
        for key in ("one", "two", "under way"):
            store.write(lambda tx, key=key: tx.replies.begin(key, "digest", NOW))  # type: ignore[misc]  # bound now
        store.write(lambda tx: tx.replies.settle("one", {"status": 200, "body": "Eve"}))
        store.write(lambda tx: tx.replies.settle("two", {"status": 200, "body": "Ada"}))
        store.write(lambda tx: tx.traces.replies(lambda a: {**a, "body": "x"} if a["body"] == "Eve" else a))
        kept = [
            store.write(partial(lambda key, tx: tx.replies.begin(key, "other", NOW), key))
            for key in ("one", "two", "under way")
        ]
        assert [each and each.answer for each in kept] == [
            {"status": 200, "body": "x"},
            {"status": 200, "body": "Ada"},
            None,
        ]

    def test_a_file_whose_bytes_are_gone_keeps_its_name_and_hash(self, store: Store) -> None:
        ticket, other = new_ticket(store), new_ticket(store)
        sha256, size = store.put_blob([b"abc"], limit=10)
        first, second = (
            store.write(lambda tx, at=each.id: tx.tickets.add_file(at, None, new_file(sha256, size=size), NOW))  # type: ignore[misc]  # bound now
            for each in (ticket, other)
        )

        def let_go(file: Attachment) -> bool:
            return store.write(lambda tx: tx.traces.let_go(file, MUCH_LATER))

        def there() -> bytes:
            with store.open_blob(sha256) as chunks:
                return b"".join(chunks)

        assert let_go(first)
        assert let_go(first), "a repeat is nothing"
        assert list(store.read(lambda tx: tx.tickets.files(ticket.id))) == [replace(first, gone_at=MUCH_LATER)]
        assert there() == b"abc", "another file bears them"
        assert let_go(second)
        with pytest.raises(NoSuch):
            there()
        assert store.put_blob([b"abc"], limit=10) == (sha256, size)
        third = store.write(lambda tx: tx.tickets.add_file(ticket.id, None, new_file(sha256, size=size), NOW))
        assert (there(), third.gone_at) == (b"abc", None)
        assert [each.gone_at for each in store.read(lambda tx: tx.tickets.files(ticket.id))] == [MUCH_LATER, None]
        with pytest.raises(NoSuch):
            let_go(replace(first, id=99))

    def test_bytes_that_a_mail_in_quarantine_waits_with_stay_with_it(self, store: Store) -> None:
        ticket = new_ticket(store)
        sha256, size = store.put_blob([b"From: eve"], limit=10)
        mail = Mail("<1@x>", NOW, "eve@x.org", "help", Verdict.QUARANTINED, sha256=sha256)
        store.write(lambda tx: tx.mails.take(mail))
        file = store.write(lambda tx: tx.tickets.add_file(ticket.id, None, new_file(sha256, size=size), NOW))
        assert store.write(lambda tx: tx.traces.let_go(file, MUCH_LATER))
        with store.open_blob(sha256) as chunks:
            assert b"".join(chunks) == b"From: eve"

    def test_what_is_old_in_the_audit_log_is_forgotten(self, store: Store) -> None:
        for seconds in (0, 10):
            entry = Entry(later(seconds), "eve", "pause", "rt")
            store.write(lambda tx, entry=entry: tx.audit.record(entry))  # type: ignore[misc]  # bound now
        store.write(lambda tx: tx.traces.prune_audit(later(10)))
        assert [entry.at for entry in store.read(lambda tx: tx.audit.list())] == [later(10)]

    def test_letters_that_nobody_reads_any_more_keep_their_first_line(self, store: Store) -> None:
        for subject, seconds in (("old", 0), ("new", 10), ("due", 0)):
            owe(store, subject=subject, at=later(seconds), hint={"from": "eve@x.org"})
            if subject != "due":
                _bury(store, claimed(store, at=later(seconds)))
        store.write(lambda tx: tx.traces.blunt_letters(later(10)))
        old, new = store.read(lambda tx: tx.outbox.dead())
        assert (old.error, old.hint) == ("refused", None)
        assert (new.error, new.hint) == ("refused\nby eve@x.org", {"from": "eve@x.org"})
        (due,) = [store.read(lambda tx: tx.outbox.find("rt", Direction.OUTWARD, "due"))]
        assert due is not None
        assert due.hint == {"from": "eve@x.org"}

    def test_tickets_are_gone_through_by_their_numbers(self, store: Store) -> None:
        made = [new_ticket(store).id for _ in range(5)]
        page = store.read(lambda tx: tx.traces.page(after=0, limit=3))
        rest = store.read(lambda tx: tx.traces.page(after=page[-1].id, limit=3))
        assert [each.id for each in (*page, *rest)] == made

    def test_conflicts_and_the_audit_log_are_written_over(self, store: Store) -> None:
        ticket = new_ticket(store)
        kept = store.write(lambda tx: tx.tickets.keep_conflict(conflict(ticket, author="Eve", ours=("eve@x.org",))))
        store.write(lambda tx: tx.traces.conflicts(ticket.id, lambda c: replace(c, author="erased-1", ours=None)))
        assert store.read(lambda tx: tx.tickets.conflicts()) == [replace(kept, author="erased-1", ours=None)]
        for by in ("eve", "ada"):
            store.write(lambda tx, by=by: tx.audit.record(Entry(NOW, by, "pause", "rt")))  # type: ignore[misc]
        store.write(lambda tx: tx.traces.audit(lambda e: replace(e, by="erased-1") if e.by == "eve" else e))
        assert [entry.by for entry in store.read(lambda tx: tx.audit.list())] == ["ada", "erased-1"]
