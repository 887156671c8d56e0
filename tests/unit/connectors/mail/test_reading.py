"""Mails are read whatever is in them."""

import base64
import random
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.mail.profile import MailProfile
from connectors.mail.reading import Bounce, Nature, file_of, read
from connectors.registry import profiles

ALL_SIGNS = ("auto_submitted", "precedence", "suppress", "list", "null_sender")


def mail(text: str = "hello", **headers: str) -> bytes:
    said = {"From": "Alice <alice@far.example>", "Message-ID": "<1@far.example>", "Subject": "jobs"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    return "".join(f"{name}: {value}\r\n" for name, value in said.items()).encode() + b"\r\n" + text.encode()


def test_a_plain_mail_is_told_as_it_is() -> None:
    found = read(mail("two\r\nlines\r\n", References="<a@x> <b@x>", In_Reply_To="<b@x>"))
    assert (found.id, found.sender, found.name, found.subject) == (
        "1@far.example",
        "alice@far.example",
        "Alice",
        "jobs",
    )
    assert found.text == "two\nlines"
    assert found.references == ("b@x", "a@x")
    assert found.nature(ALL_SIGNS) is Nature.PERSON


def test_encoded_words_and_bytes_that_are_no_ascii_are_read() -> None:
    assert read(mail(Subject="=?iso-8859-1?q?Gr=FC=DFe?= =?utf-8?b?4pyT?=")).subject == "Grüße✓"
    assert read(mail().replace(b"jobs", "Grüße".encode())).subject == "Grüße"
    assert read(mail().replace(b"jobs", "Grüße".encode("latin-1"))).subject == "Grüße"
    assert read(mail(Subject="=?no-such-charset?q?a=FC?=")).subject == "aü"


@pytest.mark.parametrize("charset", ["no-such-charset", "us-ascii", "utf-8", "", '"'])
def test_a_charset_that_lies_costs_odd_letters_at_most(charset: str) -> None:
    raw = mail(Content_Type=f"text/plain; charset={charset}") + "Grüße".encode("latin-1")
    assert read(raw).text == "helloGrüße"


@pytest.mark.parametrize(
    "senders", ["a@x.example, b@x.example", "", "no address", "<>", "a@x.example\r\nFrom: b@x.example"]
)
def test_a_mail_of_several_senders_or_of_none_has_none(senders: str) -> None:
    assert read(mail(From=senders)).sender == ""


def test_a_mail_without_an_id_is_known_by_its_bytes() -> None:
    raw = mail(Message_ID="")
    assert read(raw).id == read(raw).id
    assert read(raw).id != read(raw + b"x").id
    assert read(mail(Message_ID="<[x@y]>")).id == "[x@y]"


def test_html_is_read_as_text_where_there_is_nothing_else() -> None:
    made = EmailMessage()
    made.set_content("<p>one</p><script>no</script><p>two</p>", subtype="html")
    assert read(made.as_bytes()).text == "one\n\ntwo"
    made = EmailMessage()
    made.set_content("plain")
    made.add_alternative("<p>rich</p>", subtype="html")
    assert read(made.as_bytes()).text == "plain"
    made = EmailMessage()
    made.set_content(" ")
    made.add_alternative("<p>rich</p>", subtype="html")
    assert read(made.as_bytes()).text == "rich"


def test_case_18_an_image_inside_the_text_becomes_a_file_and_is_mentioned_where_it_stood() -> None:
    made = EmailMessage()
    made.set_content('<p>see <img alt="x" src="cid:abc@x" width=3> there</p>', subtype="html")
    made.add_related(b"PNG", "image", "png", cid="<abc@x>", filename="screen shot.png")
    found = read(made.as_bytes())
    assert found.text == "see [image: screen shot.png] there"
    assert [(each.name, each.media_type, each.content) for each in found.files] == [
        ("screen shot.png", "image/png", b"PNG")
    ]
    assert file_of(made.as_bytes(), 0) == found.files[0]
    assert file_of(made.as_bytes(), 1) is None


def test_case_18_an_image_whose_bytes_stand_in_the_text_becomes_a_file_however_large() -> None:
    content = b"PNG" * 600_000
    digits = base64.b64encode(content).decode()
    made = EmailMessage()
    made.set_content(f'<p>see <img alt="a graph" src="data:image/png;base64,{digits}"> there</p>', subtype="html")
    found = read(made.as_bytes())
    assert found.text == "see [image: a graph.png] there"
    assert [(each.name, each.media_type) for each in found.files] == [("a graph.png", "image/png")]
    assert found.files[0].content == content
    assert file_of(made.as_bytes(), 0) == found.files[0]


def test_case_18_an_image_that_the_plain_text_does_not_show_is_mentioned_at_its_end() -> None:
    made = EmailMessage()
    made.set_content("see there")
    made.add_alternative('<img src="cid:abc@x">', subtype="html")
    html = made.get_payload()[1]
    html.add_related(b"PNG", "image", "png", cid="<abc@x>")
    assert read(made.as_bytes()).text == "see there\n[image: file-1.png]"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\x\\log.txt", "log.txt"),
        ("naïve 日本語.dat", "naïve 日本語.dat"),
        ("..", "file-1.bin"),
    ],
)
def test_a_files_name_leads_nowhere(name: str, shown: str) -> None:
    made = EmailMessage()
    made.set_content("x")
    made.add_attachment(b"1", "application", "octet-stream", filename=name)
    found = read(made.as_bytes()).files
    assert [each.name for each in found] == [shown.replace("file-1.bin", "file-1.octetstr")]


def test_a_text_that_was_attached_is_a_file_byte_by_byte() -> None:
    made = EmailMessage()
    made.set_content("x")
    made.add_attachment("Grüße\r\n".encode("latin-1"), "text", "plain", filename="a.txt")
    assert [each.content for each in read(made.as_bytes()).files] == ["Grüße\r\n".encode("latin-1")]


def test_flowed_text_flows() -> None:
    raw = mail("one \r\ntwo\r\nthree\r\n", Content_Type="text/plain; format=flowed")
    assert read(raw).text == "one two\nthree"


@pytest.mark.parametrize(
    ("name", "value", "sign"),
    [
        ("Auto_Submitted", "auto-replied", "auto_submitted"),
        ("Auto_Submitted", "auto-generated; x=y", "auto_submitted"),
        ("Precedence", "bulk", "precedence"),
        ("Precedence", "auto_reply", "precedence"),
        ("X_Auto_Response_Suppress", "All", "suppress"),
        ("List_Id", "<all.far.example>", "list"),
        ("Return_Path", "<>", "null_sender"),
    ],
)
def test_case_24_a_machine_is_known_by_its_headers(name: str, value: str, sign: str) -> None:
    found = read(mail(**{name: value}))
    assert found.signs == {sign}
    assert found.nature(ALL_SIGNS) is Nature.AUTOMATIC
    assert found.nature([each for each in ALL_SIGNS if each != sign]) is Nature.PERSON


def test_no_sign_is_made_out_of_what_people_send() -> None:
    assert read(mail(Auto_Submitted="no", Precedence="first-class", Return_Path="<a@x>")).signs == frozenset()


def test_rt_marks_the_mails_of_people_as_bulk_and_is_read_all_the_same() -> None:
    profile = profiles()["mail-rt"]
    assert isinstance(profile, MailProfile)
    assert read(mail(Precedence="bulk")).nature(profile.automatic) is Nature.PERSON
    assert read(mail(Precedence="bulk", Auto_Submitted="auto-replied")).nature(profile.automatic) is Nature.AUTOMATIC


REPORT = b"""From: Mailer <mailer-daemon@mx.example>\r
Subject: failed\r
Content-Type: multipart/report; report-type=delivery-status; boundary=b\r
\r
--b\r
\r
it failed\r
--b\r
Content-Type: message/delivery-status\r
\r
Reporting-MTA: dns; mx.example\r
\r
Action: ACTION\r
Final-Recipient: rfc822;desk@far.example\r
Status: 5.1.1\r
Diagnostic-Code: smtp; 550 nobody\r
\r
--b\r
Content-Type: message/rfc822\r
\r
Message-ID: <T1+T1+abc@near.example>\r
Subject: x\r
\r
--b--\r
"""


def test_a_delivery_report_says_which_mail_failed_and_why() -> None:
    found = read(REPORT.replace(b"ACTION", b"failed"))
    assert found.bounce == Bounce(("T1+T1+abc@near.example",), "desk@far.example", "5.1.1", "550 nobody")
    assert found.nature(()) is Nature.BOUNCE
    assert read(REPORT.replace(b"ACTION", b"delivered")).bounce is None


def nested(depth: int) -> bytes:
    parts = [f'Content-Type: multipart/mixed; boundary="{n}"\r\n\r\n--{n}\r\n' for n in range(depth)]
    return ("From: a@x.example\r\n" + "".join(parts) + "\r\ndeep").encode()


@pytest.mark.parametrize("depth", [5, 50, 199, 5000])
def test_no_nesting_is_too_deep(depth: int) -> None:
    assert read(nested(depth)).sender == "a@x.example"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\r\n",
        b"\x00\xff" * 1000,
        b"From: " + b"(" * 100_000,
        b"Subject: " + b"=?utf-8?q?" * 20_000,
        b"Message-ID: " + b"<" * 100_000,
        b"A: b\r\n" * 50_000,
        b"Content-Type: multipart/mixed\r\n\r\n--\r\n",
        b"Content-Type: text/plain; charset*=utf-8''%FF; charset=\"\r\n\r\nx",
        b"Content-Transfer-Encoding: base64\r\n\r\n\xff\xff=",
        b"Content-Transfer-Encoding: x-uuencode\r\n\r\nbegin 644 \r\n\xff",
        b"Content-Type: message/rfc822\r\n\r\n" * 300,
        b"Content-Type: text/html\r\n\r\n" + b"<img src=cid:" * 50_000,
        b"Content-Disposition: attachment; filename*=bad'x'%%%\r\n\r\nx",
    ],
)
def test_rubbish_is_read_as_what_it_is(raw: bytes) -> None:
    assert isinstance(read(raw).text, str)


SAMPLES = (mail("hello"), REPORT, nested(4))


@settings(max_examples=100)
@given(st.sampled_from(SAMPLES), st.integers(0, 10_000), st.binary(max_size=40))
def test_a_mail_that_was_broken_anywhere_raises_nothing(raw: bytes, at: int, noise: bytes) -> None:
    spot = at % (len(raw) + 1)
    assert isinstance(read(raw[:spot] + noise + raw[spot:]).text, str)
    assert isinstance(read(raw[:spot] + noise).text, str)


def test_shuffled_bytes_raise_nothing() -> None:
    dice = random.Random(7)
    for raw in SAMPLES:
        pieces = list(raw)
        for _ in range(50):
            dice.shuffle(pieces)
            read(bytes(pieces))
