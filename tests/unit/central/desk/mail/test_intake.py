"""What becomes of mail: tickets, answers, a quarantine; nothing that a forger could use, and nobody is answered."""

import pytest

from central.account import Grant, Role
from central.desk.mail.intake import Rules, Strangers
from central.desk.services.errors import NotAllowed
from central.mail import Verdict
from central.model import Person, Visibility
from central.rights import Forbidden, Principal
from central.store.api import NoSuch
from tests.unit.central.desk.mail.letterbox import Letterbox

TESS = Principal(Person("tess", "Tess", "tess@example.org"), frozenset({Grant(Role.CENTRAL)}))
SUE = Principal(Person("sue", "Sue", "sue@example.org"), frozenset({Grant(Role.SUPPORTER, "NGI_CZ")}))


@pytest.fixture
def box() -> Letterbox:
    return Letterbox()


def ticket(box: Letterbox, **more: str) -> int:
    fields = {"subject": "s", "unit": "NGI_CZ", "submitter": "alice@example.org", **more}
    return box.centre.open(fields, Person("tess", "Tess", "tess@example.org")).id


def test_a_mail_of_somebody_with_an_account_opens_a_ticket(box: Letterbox) -> None:
    mail = box.take("since noon\n", files=[("log.txt", b"line")])
    assert (mail.verdict, mail.ticket_id) == (Verdict.OPENED, 1)
    opened = box.world.ticket()
    assert (opened["subject"], opened["description"]) == ("jobs fail", "since noon")
    assert opened["submitter"] == "alice@example.org"
    assert box.world.events()[0].actor.id == "alice"
    assert [each.name for each in box.store.read(lambda tx: tx.tickets.files(1))] == ["log.txt"]
    assert [(each.system, each.id) for each in box.store.read(lambda tx: tx.origins.of(1))] == [
        ("mail", "1@example.org")
    ]


def test_the_same_mail_is_taken_in_once(box: Letterbox) -> None:
    raw = box.write()
    box.room.empty()
    box.box.arrive(raw)
    box.room.empty()
    assert box.store.read(lambda tx: tx.tickets.count()) == 1
    box.write("an answer", subject="GGUS-Ticket-ID: #1", message_id="<again@example.org>")
    box.write("an answer", subject="GGUS-Ticket-ID: #1", message_id="<again@example.org>")
    box.room.empty()
    assert box.said() == ["an answer"]


@pytest.mark.parametrize("subject", ["Re: GGUS-Ticket-ID: #1 s", "HELP-Ticket-ID: #1", "AW: [x] ggus-ticket-id: #1 y"])
def test_a_subject_names_the_ticket_that_a_mail_answers(box: Letterbox, subject: str) -> None:
    assert ticket(box) == 1
    assert box.take("here it is", subject=subject).verdict is Verdict.ANSWERED
    assert box.said() == ["here it is"]


def test_an_answer_to_a_mail_of_ours_finds_its_ticket_whatever_its_subject_says(box: Letterbox) -> None:
    first, second = ticket(box), ticket(box)
    answer = {"answers": ["other@example.org", box.signed(first)], "subject": f"Re: GGUS-Ticket-ID: #{second}"}
    assert box.take("here it is", **answer).ticket_id == first


def test_a_token_that_we_did_not_sign_leads_nowhere(box: Letterbox) -> None:
    ticket(box)
    forged = box.signed(1).replace("tkt1", "tkt2")
    assert box.take("x", answers=[forged]).verdict is Verdict.OPENED
    assert box.said() == []


def test_the_submitters_reply_ends_the_wait_for_it(box: Letterbox) -> None:
    number = ticket(box)
    box.centre.change(number, {"status": "waiting for reply"}, SUE.person)
    box.take("here it is", answers=[box.signed(number)])
    assert box.world.ticket(number)["status"] == "in progress"


@pytest.mark.parametrize(
    "results",
    [
        None,
        "mx.desk.example; dmarc=fail header.from=example.org",
        "mx.desk.example; dmarc=pass header.from=evil.example",
        "mx.evil.example; dmarc=pass header.from=example.org",
    ],
)
def test_a_forged_sender_opens_and_changes_nothing(box: Letterbox, results: str | None) -> None:
    number = ticket(box)
    before = box.store.read(lambda tx: tx.tickets.count())
    for subject in ("jobs fail", f"GGUS-Ticket-ID: #{number}"):
        mail = box.take("I am Alice", subject=subject, results=results)
        assert mail.verdict is Verdict.QUARANTINED
        assert mail.why
    assert box.take("I am Alice", answers=[box.signed(number)], results=results).verdict is Verdict.QUARANTINED
    assert box.said(number) == []
    assert box.store.read(lambda tx: tx.tickets.count()) == before


def test_a_reply_of_somebody_without_a_right_to_the_ticket_is_quarantined(box: Letterbox) -> None:
    number = ticket(box, submitter="bob@example.org")
    mail = box.take("let me in", subject=f"GGUS-Ticket-ID: #{number}")
    assert (mail.verdict, mail.why) == (Verdict.QUARANTINED, f"there is no ticket {number}")
    assert box.said(number) == []


def test_somebody_without_an_account_answers_what_is_theirs_and_opens_nothing_unless_it_is_allowed(
    box: Letterbox,
) -> None:
    number = ticket(box, submitter="bob@example.org")
    mine = {"sender": "bob@example.org"}
    assert box.take("hello", subject=f"GGUS-Ticket-ID: #{number}", **mine).verdict is Verdict.ANSWERED
    assert box.take("hello", **mine).verdict is Verdict.QUARANTINED
    open_to_all = Letterbox(Rules(strangers=Strangers.OPEN))
    assert open_to_all.take("hello", **mine).verdict is Verdict.OPENED


def test_the_address_of_a_disabled_account_opens_nothing(box: Letterbox) -> None:
    box.account("eve@example.org", Role.CENTRAL, disabled_at=box.world.clock())
    assert box.take("hello", sender="eve@example.org").why == "the account of eve@example.org is disabled"


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Precedence": "bulk"},
        {"X_Auto_Response_Suppress": "All"},
        {"List_Id": "<grid.example.org>"},
        {"Return_Path": "<>"},
        {"X_Interdesk_Loop": "desk.example"},
    ],
)
def test_what_no_person_wrote_is_dropped(box: Letterbox, headers: dict[str, str]) -> None:
    number = ticket(box)
    mail = box.take("I am on holiday", answers=[box.signed(number)], **headers)
    assert mail.verdict is Verdict.DROPPED
    assert box.said(number) == []


def test_a_copy_of_our_own_mail_is_nothing(box: Letterbox) -> None:
    number = ticket(box)
    box.write("what we wrote", message_id=f"<{box.signed(number)}>")
    box.room.empty()
    assert (box.said(number), box.mails()) == ([], [])


def test_a_mail_of_ours_that_came_back_is_told_of_and_answered_by_nothing(box: Letterbox) -> None:
    number = ticket(box)
    bounce = (
        f"From: MAILER-DAEMON@example.org\r\nMessage-ID: <b@example.org>\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; boundary="b"\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n'
        "Reporting-MTA: dns; x\r\n\r\nFinal-Recipient: rfc822; gone@example.org\r\nAction: failed\r\nStatus: 5.1.1\r\n"
        "Diagnostic-Code: smtp; no such user\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n"
        f"Message-ID: <{box.signed(number)}>\r\nSubject: x\r\n\r\nx\r\n--b--\r\n"
    )
    box.box.arrive(bounce.encode())
    box.room.empty()
    [mail] = box.mails()
    assert (mail.verdict, mail.ticket_id) == (Verdict.DROPPED, number)
    assert "gone@example.org came back: 5.1.1" in mail.why
    assert box.said(number) == []


def test_an_answer_to_something_internal_is_internal_and_for_those_with_the_right_alone(box: Letterbox) -> None:
    number = ticket(box)
    box.take("the disk", sender="sue@example.org", answers=[box.signed(number, internal=True)])
    [said] = box.world.comments(number)
    assert said.visibility is Visibility.INTERNAL
    assert box.take("me too", answers=[box.signed(number, internal=True)]).verdict is Verdict.QUARANTINED


def test_an_unchanged_reply_says_nothing_and_verifies_nothing(box: Letterbox) -> None:
    number = ticket(box)
    box.centre.change(number, {"status": "solved", "solution": "rebooted"}, SUE.person)
    mail = box.take("-- please write above this line --\nyour ticket is solved", answers=[box.signed(number)])
    assert (mail.verdict, mail.why) == (Verdict.QUARANTINED, "it says nothing that we did not write ourselves")
    assert box.world.ticket(number)["status"] == "solved"


def test_one_sender_cannot_flood_us() -> None:
    box = Letterbox(Rules(most=3))
    verdicts = [box.take(str(number)).verdict for number in range(5)]
    assert verdicts == [Verdict.OPENED] * 3 + [Verdict.QUARANTINED] * 2


def test_what_is_too_large_lies_aside_whole(box: Letterbox) -> None:
    box.box.largest = 2000
    mail = box.take("x" * 5000)
    assert "were too many" in mail.why
    assert len(box.box.aside) == 1
    box.box.largest = 1 << 20
    assert box.take("see the file", files=[("huge", bytes(100_001))]).verdict is Verdict.QUARANTINED


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00\xff" * 50,
        b"From: a@x.y\nFrom: b@x.y\n\nhello",
        b"Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n" + b"--b\nContent-Type: multipart/mixed\n\n" * 3000,
        b"Message-ID: <[x@y]>\nFrom: <alice@example.org>\nContent-Type: text/plain; charset=klingon\n\n\xff",
    ],
)
def test_hostile_mail_is_harmless(box: Letterbox, raw: bytes) -> None:
    box.box.arrive(raw)
    box.room.empty()
    assert [each.verdict for each in box.mails()] == [Verdict.QUARANTINED]
    assert box.take("the next one").verdict is Verdict.OPENED


def test_a_person_of_the_central_team_releases_a_mail_once_or_discards_it(box: Letterbox) -> None:
    number = ticket(box)
    mail = box.take("it is me", results=None, subject=f"GGUS-Ticket-ID: #{number}")
    for who in (SUE, Principal(Person("alice"), frozenset({Grant(Role.USER)}))):
        with pytest.raises(Forbidden):
            box.desk.quarantine(who)
        with pytest.raises(Forbidden):
            box.desk.release(who, mail.id, box.reader.read)
    assert [each.id for each in box.desk.quarantine(TESS)] == [mail.id]
    assert box.desk.release(TESS, mail.id, box.reader.read) is Verdict.ANSWERED
    assert box.said(number) == ["it is me"]
    with pytest.raises(NoSuch, match="is not in quarantine: it was answered"):
        box.desk.release(TESS, mail.id, box.reader.read)
    other = box.take("spam", results=None)
    box.desk.discard(TESS, other.id, "spam")
    assert [each.verdict for each in box.mails()] == [Verdict.DISCARDED, Verdict.ANSWERED]
    acts = box.store.read(lambda tx: [each.act for each in tx.audit.list()])
    assert acts == ["mail discarded", "mail released"]


def test_a_release_that_cannot_be_says_why_and_the_mail_stays(box: Letterbox) -> None:
    mail = box.take("x", results=None, subject="GGUS-Ticket-ID: #4711")
    with pytest.raises(NotAllowed, match="there is no ticket 4711"):
        box.desk.release(TESS, mail.id, box.reader.read)
    assert [each.id for each in box.desk.quarantine(TESS)] == [mail.id]
