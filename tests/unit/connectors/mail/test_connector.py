"""What the shadow makes of mails, lost answers, machines, floods and mails that come back."""

from datetime import timedelta
from email.message import EmailMessage

import pytest

from connectors.api import CommentDraft, Cursor, Lookup, RemoteTicket
from connectors.errors import AccessError, NotFound, Refused, Transient, Unknown
from connectors.mail.profile import Hour
from connectors.testing.stand import draft
from tests.unit.connectors.mail.conftest import OURS, Clock, Office, Opened


def answer(office: Office, about: str, text: str = "x", **headers: str) -> None:
    """A mail that answers the one of this id, with these headers."""
    mail = office.desk.mail("Re: x", text)
    mail["References"] = f"<{about}>"
    for name, value in headers.items():
        del mail[name.replace("_", "-")]
        mail[name.replace("_", "-")] = value
    office.box.arrive(mail.as_bytes())


def id_of(office: Office, number: int = -1) -> str:
    """The Message-ID of a mail that the desk got."""
    return str(office.desk.received[number]["Message-ID"]).strip("<>")


# -- what is told ------------------------------------------------------------------------------------------------------


def test_the_first_mail_bears_text_fields_and_our_marks(office: Office) -> None:
    office.connector.create({"subject": "jobs fail", "description": "since noon", "status": "new"}, token="T1-KEY")
    (mail,) = office.desk.received
    assert mail.get_payload(decode=True).decode().replace("\r\n", "\n").rstrip() == "since noon\n\nSTATUS: new"
    assert str(mail["Subject"]).startswith("jobs fail [interdesk T1-KEY-")
    assert (mail["From"], mail["To"], mail["Auto-Submitted"]) == (OURS, "desk@far.example", "auto-generated")
    assert str(mail["Message-ID"]).startswith("<T1-KEY+T1-KEY+")


def test_later_mails_hold_the_thread_together_and_bear_their_number(opened: Opened) -> None:
    office = opened("mail-rt")
    office.connector.create({"subject": "jobs fail"}, token="T1-KEY")
    first = id_of(office)
    mail = office.desk.mail(
        f"[rt.far.example #42] jobs fail {office.desk.received[0]['Subject'].split(' ', 2)[2]}", "ok"
    )
    office.box.arrive(mail.as_bytes())
    assert office.told("T1-KEY") == ["ok"]
    office.connector.comment("T1-KEY", CommentDraft("thanks"), token="C1-TOKEN")
    sent = office.desk.received[-1]
    assert "[rt.far.example #42]" in str(sent["Subject"])
    assert str(sent["References"]).split()[0] == f"<{first}>"
    office.box.arrive(office.desk.mail("[rt.far.example #42] from nowhere else", "and more").as_bytes())
    assert office.told("T1-KEY") == ["ok", "thanks", "and more"]


def test_no_header_can_be_smuggled_in(office: Office) -> None:
    office.connector.create({"subject": "x\r\nBcc: eve@evil.example\r\n\r\nbody"}, token="T1-KEY")
    (mail,) = office.desk.received
    assert mail["Bcc"] is None
    assert "x Bcc: eve@evil.example body" in str(mail["Subject"])


def test_what_is_internal_is_never_sent(office: Office) -> None:
    ticket = office.connector.create({"subject": "x"}, token="T1-KEY")
    with pytest.raises(Refused, match="never sent"):
        office.connector.comment(ticket.key, CommentDraft("CANARY", internal=True), token="C1-TOKEN")
    assert len(office.desk.received) == 1


def test_what_we_told_is_assumed_until_they_say_otherwise(office: Office) -> None:
    held = office.connector.create({"subject": "x", "status": "new"}, token="T1-KEY")
    assert office.connector.update(held.key, {"status": "assigned"}, held=held).after.fields["status"] == "assigned"
    office.desk.say(held.key, "we are at it\n\nSTATUS: in progress")
    after = office.connector.fetch(held.key, known=())
    assert after.fields["status"] == "in progress"
    assert [each.text for each in after.comments or ()] == ["we are at it"]


def test_free_text_changes_no_field(opened: Opened) -> None:
    office = opened("mail")
    ticket = office.connector.create({"subject": "x", "status": "new"}, token="T1-KEY")
    office.desk.say(ticket.key, "it is done\n\nStatus: solved")
    assert office.connector.fetch(ticket.key).fields["status"] == "new"
    assert office.told(ticket.key) == ["it is done\n\nStatus: solved"]


def test_a_mail_of_fields_alone_is_no_comment(office: Office) -> None:
    ticket = office.connector.create({"subject": "x"}, token="T1-KEY")
    office.desk.say(ticket.key, "STATUS: solved")
    assert office.told(ticket.key) == []
    assert office.connector.fetch(ticket.key).fields["status"] == "solved"


def test_a_quoted_mail_of_ours_is_cut_below_our_line(opened: Opened) -> None:
    office = opened("mail")
    ticket = office.connector.create({"subject": "x", "description": "secret of ours"}, token="T1-KEY")
    said = office.desk.received[0].get_payload(decode=True).decode()
    office.desk.say(ticket.key, f"yes\n\nsomebody wrote, in words nobody knows\n{said}")
    assert office.told(ticket.key) == ["yes\n\nsomebody wrote, in words nobody knows"]


def test_a_mail_counts_once_however_often_it_comes(office: Office) -> None:
    ticket = office.connector.create({"subject": "x"}, token="T1-KEY")
    mail = office.desk.mail("Re: x", "hello")
    mail["References"] = f"<{id_of(office)}>"
    for _ in range(3):
        office.box.arrive(mail.as_bytes())
        assert office.told(ticket.key) == ["hello"]


# -- answers that are lost --------------------------------------------------------------------------------------------


def test_a_mail_whose_answer_was_lost_is_found_once_our_own_copy_has_arrived(office: Office) -> None:
    copies: list[bytes] = []
    office.post.copy, office.post.after = copies.append, Unknown("lost")
    with pytest.raises(Unknown):
        office.connector.create({"subject": "x"}, token="T1-KEY")
    since = office.clock()
    assert office.connector.find("T1-KEY", since) is Lookup.UNKNOWN
    office.box.arrive(copies[0])
    found = office.connector.find("T1-KEY", since)
    assert isinstance(found, RemoteTicket)
    assert (found.token, found.own, office.box.waiting) == ("T1-KEY", True, {})


def test_a_mail_whose_copy_never_arrives_is_absent_after_a_while_and_is_sent_again_as_the_same(office: Office) -> None:
    office.post.copy, office.post.after = lambda _: None, Unknown("lost")
    with pytest.raises(Unknown):
        office.connector.create({"subject": "x"}, token="T1-KEY")
    since = office.clock()
    office.clock.passes(minutes=10)
    assert office.connector.find("T1-KEY", since) is Lookup.ABSENT
    office.post.after = None
    office.connector.create({"subject": "x"}, token="T1-KEY")
    assert id_of(office, 0) == id_of(office, 1), "whoever keeps to one mail per Message-ID makes no twin"


def test_a_comment_whose_answer_was_lost_is_none_until_its_copy_arrives(office: Office) -> None:
    ticket = office.connector.create({"subject": "x"}, token="T1-KEY")
    copies: list[bytes] = []
    office.post.copy, office.post.after = copies.append, Unknown("lost")
    with pytest.raises(Unknown):
        office.connector.comment(ticket.key, CommentDraft("hello"), token="C1-TOKEN")
    assert office.told(ticket.key) == []
    office.box.arrive(copies[0])
    assert office.told(ticket.key) == ["hello"]


@pytest.mark.parametrize("problem", [Refused("no"), Transient("away"), AccessError("who are you")])
def test_what_was_surely_not_sent_leaves_no_trace(office: Office, problem: Exception) -> None:
    office.post.before = problem  # type: ignore[assignment]  # one of them
    with pytest.raises(type(problem)):
        office.connector.create({"subject": "x"}, token="T1-KEY")
    assert office.box.newest() == 0


def test_a_copy_that_others_forge_changes_nothing(office: Office) -> None:
    ticket = office.connector.create({"subject": "x"}, token="T1-KEY")
    forged = EmailMessage()
    forged["From"], forged["Message-ID"] = OURS, f"<{id_of(office)}>"
    forged.set_content("STATUS: solved")
    office.box.arrive(forged.as_bytes())
    assert office.connector.fetch(ticket.key, known=()) == ticket or office.told(ticket.key) == []
    assert office.connector.fetch(ticket.key).fields["status"] is None


# -- whose mail counts -------------------------------------------------------------------------------------------------


def test_case_24_machines_change_nothing_and_are_laid_aside(office: Office) -> None:
    ticket = office.connector.create({"subject": "x"}, token="T1-KEY")
    for headers in (
        {"Auto_Submitted": "auto-replied"},
        {"Precedence": "bulk"},
        {"X_Auto_Response_Suppress": "OOF"},
        {"List_Id": "<x.far.example>"},
        {"Return_Path": "<>"},
        {"X_Interdesk_Loop": "elsewhere.example"},
    ):
        answer(office, id_of(office), "I am away\n\nSTATUS: solved", **headers)
    after = office.connector.fetch(ticket.key, known=())
    assert (after.comments, after.fields["status"], after.version) == ((), None, ticket.version)
    assert len(office.aside) == 6
    assert all(len(reason) > 10 for reason in office.aside)


def test_a_sender_who_is_not_on_the_list_changes_nothing(office: Office) -> None:
    ticket = office.connector.create({"subject": "x"}, token="T1-KEY")
    answer(office, id_of(office), From="Alice <alice@evil.example>")
    answer(office, id_of(office), From="Alice <desk@far.example>, eve@evil.example")
    assert office.told(ticket.key) == []
    assert office.aside == [
        "alice@evil.example is not among the senders of this system",
        "it names no sender, or several",
    ]


def test_what_was_laid_aside_is_judged_again_where_a_person_moves_it_back(opened: Opened) -> None:
    office = opened(hour=Hour(thread=1))
    ticket = office.connector.create({"subject": "x"}, token="T1-KEY")
    office.desk.say(ticket.key, "one")
    office.desk.say(ticket.key, "two")
    assert office.told(ticket.key) == ["one"]
    office.clock.passes(hours=2)
    office.box.arrive(office.box.aside.pop()[0])
    assert office.told(ticket.key) == ["one", "two"]


def test_case_24_a_sender_is_heard_so_often_an_hour_and_again_in_the_next(opened: Opened) -> None:
    office = opened(hour=Hour(sender=5, thread=100))
    for number in range(8):
        office.desk.open(f"ticket {number}", "x")
    assert len(office.connector.scan("").changes) == 5
    office.clock.passes(minutes=61)
    office.desk.open("later", "x")
    assert len(office.connector.scan("").changes) == 6


@pytest.mark.parametrize(("words", "most"), [("We have received your mail.", 3), ("We have received mail {n}.", 12)])
def test_case_24_two_desks_that_acknowledge_everything_are_stopped(opened: Opened, words: str, most: int) -> None:
    """Whatever one desk says is told to the other, and both answer each mail: the mesh between two machines."""
    clock = Clock()
    offices = [opened(clock=clock, domain=domain) for domain in ("far.example", "other.example")]
    keys = [office.connector.create({"subject": "x"}, token=f"T{n}-KEY").key for n, office in enumerate(offices)]
    for n, office in enumerate(offices):
        office.desk.acknowledge = words
        office.desk.say(keys[n], f"hello from {n}")
    known: list[set[str]] = [set(), set()]
    quiet = 0
    for _ in range(100):
        before = sum(len(each.desk.received) for each in offices)
        for n, office in enumerate(offices):
            for comment in office.connector.fetch(keys[n], known=known[n]).comments or ():
                known[n].add(comment.id)
                if not comment.own:
                    offices[1 - n].connector.comment(
                        keys[1 - n], CommentDraft(comment.text), token=f"C-{n}-{comment.id}"
                    )
            clock.passes(seconds=1)
        quiet = quiet + 1 if sum(len(each.desk.received) for each in offices) == before else 0
    assert quiet > 50
    assert all(len(office.desk.received) <= most for office in offices)


# -- mails that come back ----------------------------------------------------------------------------------------------


def bounce(office: Office, about: str, status: str = "5.1.1", action: str = "failed") -> None:
    report = "\r\n".join(
        [
            "From: mailer-daemon@near.example",
            f"Message-ID: <bounce-{about}>",
            'Content-Type: multipart/report; report-type=delivery-status; boundary="b"',
            "",
            "--b",
            "Content-Type: message/delivery-status",
            "",
            "Reporting-MTA: dns; mx",
            "",
            f"Action: {action}",
            "Final-Recipient: rfc822; desk@far.example",
            f"Status: {status}",
            "Diagnostic-Code: smtp; 550 nobody lives here",
            "",
            "--b",
            "Content-Type: text/rfc822-headers",
            "",
            f"Message-ID: <{about}>",
            "",
            "--b--",
            "",
        ]
    )
    office.box.arrive(report.encode())


def test_a_first_mail_that_came_back_means_that_there_is_no_such_ticket(office: Office) -> None:
    office.connector.create({"subject": "x"}, token="T1-KEY")
    bounce(office, id_of(office))
    with pytest.raises(NotFound, match="nobody lives here"):
        office.connector.fetch("T1-KEY", known=())


def test_a_later_mail_that_came_back_stands_until_they_write_or_a_day_is_over(office: Office) -> None:
    ticket = office.connector.create({"subject": "x"}, token="T1-KEY")
    office.desk.say(ticket.key, "hello")
    cursor = office.connector.changes(None).cursor
    office.clock.passes(seconds=1)
    office.connector.comment(ticket.key, CommentDraft("thanks"), token="C1-TOKEN")
    bounce(office, id_of(office))
    office.clock.passes(seconds=1)
    assert ticket.key in {each.key for each in office.connector.changes(cursor).changes}
    with pytest.raises(Refused, match="nobody lives here"):
        office.connector.fetch(ticket.key, known=())
    office.clock.passes(seconds=1)
    office.desk.say(ticket.key, "here we are again")
    assert office.told(ticket.key) == ["hello", "thanks", "here we are again"]
    office.clock.passes(seconds=1)
    bounce(office, id_of(office, 0))
    with pytest.raises(Refused):
        office.connector.fetch(ticket.key)
    office.clock.passes(hours=25)
    assert office.told(ticket.key) == ["hello", "thanks", "here we are again"]


def test_a_mail_that_is_late_or_a_report_of_somebody_elses_is_nothing(office: Office) -> None:
    office.connector.create({"subject": "x"}, token="T1-KEY")
    bounce(office, id_of(office), action="delayed")
    bounce(office, "T1-KEY+T1-KEY+aaaaaaaaaa@near.example")
    assert isinstance(office.connector.find("T1-KEY", office.clock()), RemoteTicket)
    assert len(office.aside) == 2


def test_a_mail_that_is_too_large_is_cut_visibly_and_laid_aside_whole(office: Office) -> None:
    ticket = office.connector.create({"subject": "x"}, token="T1-KEY")
    office.box.largest = 2000
    office.desk.say(ticket.key, "one\n" + "a line of many\n" * 1000)
    (text,) = office.told(ticket.key)
    assert text.startswith("one\n")
    assert "bytes of this mail were too many" in text.split("\n")[-1]
    ((raw, reason),) = office.box.aside
    assert len(raw) > 15_000
    assert "too many" in reason
    assert office.told(ticket.key) == [text]


# -- going on ----------------------------------------------------------------------------------------------------------


def test_uids_that_are_others_cost_a_second_look_and_no_mail(office: Office) -> None:
    first = office.connector.changes(None).cursor
    office.clock.passes(seconds=1)
    keys = {office.desk.open(f"ticket {n}", "x") for n in range(3)}
    page = office.connector.changes(first)
    office.box.renumber()
    office.clock.passes(seconds=1)
    keys.add(office.desk.open("later", "x"))
    cursor = Cursor(page.cursor.at - timedelta(minutes=5), page.cursor.position)
    assert {each.key for each in office.connector.changes(cursor).changes} == keys


def test_a_file_that_is_too_large_for_a_mail_is_refused_before_anything_is_sent(office: Office) -> None:
    ticket = office.connector.create({"subject": "x"}, token="T1-KEY")
    large = draft("big.bin", b"x" * (21 << 20))
    with pytest.raises(Refused) as refused:
        office.connector.comment(ticket.key, CommentDraft("see", files=(large,)), token="C1-TOKEN")
    assert refused.value.field == "files"
    assert len(office.desk.received) == 1
