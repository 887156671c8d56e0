"""Tokens: the same thing has the same one for ever, different things never share one."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from central.model import Attachment, Comment, Person, Ticket, Visibility
from connectors import marks
from sync.tokens import LENGTH, Stands, Tokens, stands_for, ticket_words

AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
TICKET = Ticket(7, 1, {"subject": "disk full"}, AT, AT)
COMMENT = Comment(3, 7, Person("ada", "Ada"), "still full", Visibility.PUBLIC, AT)
FILE = Attachment(5, 7, None, "log.txt", "text/plain", 3, "aa", Visibility.PUBLIC, AT)
TOKENS = Tokens("one")
WORDS = ticket_words(TICKET, None)


def test_a_token_is_the_same_whenever_it_is_asked_for() -> None:
    assert TOKENS.ticket(WORDS) == Tokens("one").ticket(ticket_words(TICKET, None))
    assert TOKENS.comment(COMMENT) == TOKENS.comment(replace(COMMENT, text="reworded"))


def test_another_instance_derives_other_tokens() -> None:
    assert Tokens("two").ticket(WORDS) != TOKENS.ticket(WORDS)


def test_a_ticket_born_in_a_system_is_known_by_its_key_whatever_number_it_has_here() -> None:
    born = replace(TICKET, born_in="rt")
    assert ticket_words(born, "12") == ticket_words(replace(born, id=99, created_at=AT + timedelta(days=1)), "12")
    assert ticket_words(born, "12") != ticket_words(born, "13")


def test_a_number_that_is_given_again_after_a_restore_is_another_ticket() -> None:
    again = replace(TICKET, created_at=AT + timedelta(microseconds=1))
    assert TOKENS.ticket(ticket_words(again, None)) != TOKENS.ticket(WORDS)


def test_a_comment_from_a_system_is_known_by_its_id_there() -> None:
    there = replace(COMMENT, origin_system="rt", origin_id="12")
    assert TOKENS.comment(there) == TOKENS.comment(replace(there, id=88, created_at=AT + timedelta(1)))
    assert TOKENS.comment(there) != TOKENS.comment(replace(there, origin_system="redmine"))


def test_a_comment_that_is_known_by_its_token_alone_keeps_it() -> None:
    assert TOKENS.comment(replace(COMMENT, origin_id="CABCDEFGHIJK")) == "CABCDEFGHIJK"


def test_different_things_never_share_a_token_and_each_tells_its_kind() -> None:
    made = {
        TOKENS.ticket(WORDS): Stands.TICKET,
        TOKENS.comment(COMMENT): Stands.COMMENT,
        TOKENS.comment(replace(COMMENT, id=4)): Stands.COMMENT,
        TOKENS.file([FILE]): Stands.FILE,
        TOKENS.notice(WORDS, "rt", "given away", "monday"): Stands.NOTICE,
        TOKENS.notice(WORDS, "rt", "given away", "tuesday"): Stands.NOTICE,
        TOKENS.notice(WORDS, "redmine", "given away", "monday"): Stands.NOTICE,
        TOKENS.write(WORDS, "rt", {}, AT, 1): Stands.WRITE,
        TOKENS.write(WORDS, "rt", {}, AT, 2): Stands.WRITE,
    }
    assert len(made) == 9
    assert {token: stands_for(token) for token in made} == made


@given(st.lists(st.text(), max_size=4), st.lists(st.text(), max_size=4))
def test_no_two_ways_of_cutting_words_give_one_token(one: list[str], other: list[str]) -> None:
    assert (TOKENS.ticket(tuple(one)) == TOKENS.ticket(tuple(other))) == (one == other)


@given(st.lists(st.text(), max_size=4))
def test_a_token_fits_a_mark(words: list[str]) -> None:
    token = TOKENS.ticket(tuple(words))
    assert len(token) == LENGTH
    assert marks.read(marks.stamp("text", token)) == ("text", token)


def test_what_is_no_token_of_ours_stands_for_nothing() -> None:
    assert stands_for(None) is None
    assert stands_for("ABCDEF-GHIJKL") is None
    assert stands_for("XBCDEFGHIJKL") is None
    assert stands_for("tbcdefghijkl") is None
