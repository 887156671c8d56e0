"""Which ticket a mail belongs to, and that nobody can say so for us."""

import pytest

from connectors.mail.reading import read
from connectors.mail.threads import Numbers, Place, Signer, bare_subject, new_key, place

OURS = Signer("a secret of ours", "near.example")
OTHERS = Signer("a secret of others", "near.example")
RT = Numbers("[rt.far.example #{number}]")


def found(subject: str = "x", answers: str = "", known: dict[str, str] | None = None, numbers: Numbers = RT) -> Place:
    raw = f"From: a@x.example\r\nMessage-ID: <new@x>\r\nSubject: {subject}\r\nReferences: {answers}\r\n\r\n".encode()
    told = known or {}
    return place(read(raw), OURS, numbers, of_mail=told.get, of_number=lambda number: told.get(f"#{number}"))


def test_our_message_id_goes_before_all() -> None:
    answered = f"<old@x> <{OURS.id('C1-TOKEN', 'T1-KEY')}>"
    subject = f"Re: {OURS.mark('T2-KEY')} [rt.far.example #7]"
    assert found(subject, answered, {"old@x": "T3-KEY", "#7": "T4-KEY"}).key == "T1-KEY"


def test_then_a_mail_that_we_know_then_our_mark_then_their_number() -> None:
    subject = f"Re: {OURS.mark('T2-KEY')} [rt.far.example #7]"
    known = {"old@x": "T3-KEY", "#7": "T4-KEY"}
    assert found(subject, "<old@x>", known).key == "T3-KEY"
    assert found(subject, "<unknown@x>", known).key == "T2-KEY"
    assert found("Re: [rt.far.example #7] x", "", known).key == "T4-KEY"


def test_the_nearest_mail_that_it_answers_counts() -> None:
    assert found("x", "<one@x> <two@x>", {"one@x": "T1-KEY", "two@x": "T2-KEY"}).key == "T2-KEY"


def test_what_others_signed_or_nobody_did_points_nowhere() -> None:
    forged = OTHERS.id("C1-TOKEN", "T1-KEY")
    bent = OURS.id("C1-TOKEN", "T1-KEY").replace("T1-KEY", "T9-KEY")
    assert found(f"Re: {OTHERS.mark('T1-KEY')}", f"<{forged}> <{bent}>").is_new
    assert found(f"Re: {OURS.mark('T1-KEY').replace('T1', 'T9')}").is_new
    assert OURS.of_id(bent) is None


def test_a_mark_of_an_id_is_none_of_a_subject() -> None:
    signature = OURS.id("T1-KEY", "T1-KEY").split("+")[2].split("@")[0]
    assert OURS.of_subject(f"[interdesk T1-KEY-{signature}]") is None


def test_a_new_one_is_called_by_their_number_or_by_its_first_mail() -> None:
    assert found("[rt.far.example #7] x") == Place("no.7", "it is new", is_new=True)
    assert found("x").key == new_key("new@x")
    assert found("x", numbers=Numbers("")).key == new_key("new@x")


@pytest.mark.parametrize(
    ("template", "subject", "number"),
    [
        ("GGUS-Ticket-ID: #{number}", " NOTIFICATION of GGUS-Ticket-ID: #40637    Test Ticket", "40637"),
        ("GGUS-Ticket-ID: #{number}", "Re: ggus-ticket-id: #1", "1"),
        ("[rt.far.example #{number}]", "[rt.near.example #7] x", ""),
        ("[Ticket#{number}]", "Re: [Ticket#2026112710000012] x", "2026112710000012"),
        ("", "Re: [Ticket#1] x", ""),
    ],
)
def test_their_number_is_read_as_the_profile_says(template: str, subject: str, number: str) -> None:
    assert Numbers(template).read(subject) == number
    assert not template or Numbers(template).read(Numbers(template).write("42")) == "42"


@pytest.mark.parametrize(
    ("subject", "bare"),
    [
        ("Re: AW: re[2]: jobs fail", "jobs fail"),
        (f"Re: jobs {OURS.mark('T1-KEY')} fail [rt.far.example #7]", "jobs fail"),
        ("Restart", "Restart"),
        ("", ""),
    ],
)
def test_a_subject_says_what_is_left_of_it(subject: str, bare: str) -> None:
    assert bare_subject(subject, RT) == bare


def test_the_id_of_a_mail_is_the_same_at_every_attempt() -> None:
    assert OURS.id("C1-TOKEN", "T1-KEY") == OURS.id("C1-TOKEN", "T1-KEY")
    assert OURS.of_id(OURS.id("C1-TOKEN", "T1.KEY_x")) == "T1.KEY_x"
