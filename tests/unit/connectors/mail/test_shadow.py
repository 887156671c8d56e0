"""A ticket is the fold of its mails."""

from datetime import UTC, datetime, timedelta

import pytest

from connectors.errors import NotFound
from connectors.mail.shadow import Entry, EntryKind, Filed, entry_of, fold

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
NAMES = ("subject", "description", "status")
FIRST = Entry(
    "T1-KEY", "1@x", EntryKind.FIRST, True, "we@x", fields={"subject": "s", "description": "d"}, token="T1-KEY"
)
SAID = Entry(
    "T1-KEY", "2@x", EntryKind.SAID, False, "desk@y", "Alice", text="hello", files=(("a.txt", "text/plain", 3),)
)
SET = Entry("T1-KEY", "3@x", EntryKind.SET, True, "we@x", fields={"status": "solved", "unheard_of": "x"})


def filed(*entries: Entry) -> list[Filed]:
    return [Filed(each, AT + timedelta(seconds=n), str(n)) for n, each in enumerate(entries)]


def told(*entries: Entry):  # type: ignore[no-untyped-def]  # a helper
    return fold(filed(*entries), NAMES, to="desk@y", known=(), bounce_after=AT - timedelta(days=1))


@pytest.mark.parametrize("entry", [FIRST, SAID, SET])
def test_an_entry_is_read_as_it_was_kept(entry: Entry) -> None:
    assert entry_of(entry.plain()) == entry


@pytest.mark.parametrize("plain", [b"", b"[]", b"{}", b'{"kind": "first"}', b"\xff"])
def test_what_is_no_entry_is_said_to_be_none(plain: bytes) -> None:
    with pytest.raises(ValueError):
        entry_of(plain)


def test_later_mails_say_and_set_and_each_counts_once() -> None:
    ticket = told(FIRST, SAID, SET)
    assert ticket.fields == {"subject": "s", "description": "d", "status": "solved"}
    assert [(each.text, each.own, each.author.name) for each in ticket.comments] == [("hello", False, "Alice")]
    assert ticket.changed_at == AT + timedelta(seconds=2)
    doubled = told(FIRST, SAID, SAID, SET, SAID)
    assert (doubled.comments, doubled.fields, doubled.version) == (ticket.comments, ticket.fields, ticket.version)


def test_the_version_moves_with_each_mail_and_with_nothing_else() -> None:
    versions = [told(*(FIRST, SAID, SET)[:n]).version for n in (1, 2, 3)]
    assert len(set(versions)) == 3
    assert told(FIRST, SAID).version == versions[1]


def test_of_nothing_there_is_no_ticket() -> None:
    with pytest.raises(NotFound):
        told()
