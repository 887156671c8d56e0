"""Hostile and sloppy XML becomes plain data, or an error that says why; never something that was not there."""

import base64
import tracemalloc

import pytest

from connectors.soap import files, raw

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
ENC = "http://schemas.xmlsoap.org/soap/encoding/"
XSI = "http://www.w3.org/2001/XMLSchema-instance"


def envelope(inside: str, before: str = "") -> bytes:
    return (
        f'{before}<soapenv:Envelope xmlns:soapenv="{SOAP}" xmlns:soapenc="{ENC}" xmlns:xsi="{XSI}" '
        f'xmlns:xsd="http://www.w3.org/2001/XMLSchema"><soapenv:Header/><soapenv:Body>{inside}</soapenv:Body>'
        "</soapenv:Envelope>"
    ).encode()


def data(inside: str) -> object:
    answer = raw.said(envelope(inside))
    assert answer.fault is None
    return answer.data


def test_children_are_a_dict_by_local_name_and_what_is_repeated_is_a_list() -> None:
    found = data('<x:R xmlns:x="urn:x"><x:Id>7</x:Id><Tag>a</Tag><Tag>b</Tag><Tag/><P><Q> x\n</Q></P></x:R>')
    assert found == {"Id": "7", "Tag": ["a", "b", ""], "P": {"Q": " x\n"}}


def test_the_children_of_znuny_come_in_any_order_with_any_others_between_them() -> None:
    found = data(
        '<TicketCreateResponse xmlns="http://www.otrs.org/TicketConnector/"><ArticleID>16</ArticleID>'
        "<Unheard>of</Unheard><TicketID>8</TicketID><TicketNumber>2026112910000017</TicketNumber>"
        "</TicketCreateResponse>"
    )
    assert found == {"ArticleID": "16", "Unheard": "of", "TicketID": "8", "TicketNumber": "2026112910000017"}


def test_nil_is_none_and_an_empty_element_is_an_empty_text() -> None:
    found = data('<R><A xsi:nil="true"/><B xsi:nil="1" xsi:type="xsd:string"/><C/><D xsi:nil="false">x</D></R>')
    assert found == {"A": None, "B": None, "C": "", "D": "x"}


def test_an_answer_that_is_nil_or_empty_altogether() -> None:
    assert data('<TicketSearchResponse xsi:nil="true"/>') is None
    assert data("") is None


def test_attributes_stand_beside_the_text_and_those_of_the_protocol_are_none() -> None:
    found = data(f'<R soapenv:encodingStyle="{ENC}"><A lang="en" xsi:type="xsd:string">x</A><B id="7"/></R>')
    assert found == {"A": {"@lang": "en", "#text": "x"}, "B": {"@id": "7"}}


@pytest.mark.parametrize(
    ("array", "wanted"),
    [
        ('<L soapenc:arrayType="xsd:string[2]" xsi:type="soapenc:Array"><i>a</i><i>b</i></L>', ["a", "b"]),
        ('<L soapenc:arrayType="xsd:string[1]" xsi:type="soapenc:Array"><i>a</i></L>', ["a"]),
        ('<L soapenc:arrayType="xsd:string[0]" xsi:type="soapenc:Array"/>', []),
        ('<L xsi:type="soapenc:Array"><one>a</one><other xsi:nil="true"/></L>', ["a", None]),
    ],
)
def test_a_soap_array_is_a_list_however_many_are_in_it(array: str, wanted: list[object]) -> None:
    assert data(f"<R>{array}</R>") == {"L": wanted}


def test_a_map_as_php_and_axis_make_it_is_a_dict() -> None:
    items = "<item><key>a</key><value>1</value></item><item><key>b</key><value><c>2</c></value></item>"
    assert data(f'<R><M xsi:type="ns2:Map">{items}</M></R>') == {"M": {"a": "1", "b": {"c": "2"}}}


def test_references_are_followed_and_what_is_referred_to_is_no_answer_of_its_own() -> None:
    found = data(
        '<getIssueResponse><getIssueReturn href="#id0"/></getIssueResponse>'
        '<multiRef id="id0" xsi:type="ns:Issue"><key>7</key><by href="#id1"/><count href="#id2"/></multiRef>'
        '<multiRef id="id1"><login>alice</login></multiRef><multiRef id="id2" xsi:type="xsd:int">5</multiRef>'
    )
    assert found == {"getIssueReturn": {"key": "7", "by": {"login": "alice"}, "count": "5"}}


@pytest.mark.parametrize(
    ("inside", "why"),
    [
        ('<R><a href="#x"/></R><m id="x"><b href="#x"/></m>', "from within itself"),
        ('<R><a href="#x"/></R><m id="x"><b href="#y"/></m><m id="y"><b href="#x"/></m>', "from within itself"),
        ('<R><a href="#nowhere"/></R>', "not in it"),
        ('<R><a href="#x"/></R><m id="x">1</m><m id="x">2</m>', "more than once"),
    ],
)
def test_references_that_lead_nowhere_or_in_a_circle_are_an_error(inside: str, why: str) -> None:
    with pytest.raises(raw.Unreadable, match=why):
        raw.said(envelope(inside))


def test_references_that_swell_are_an_error_before_they_have_swollen() -> None:
    marks = "".join(f'<m id="i{n}">' + f'<a href="#i{n + 1}"/>' * 10 + "</m>" for n in range(12))
    with pytest.raises(raw.Unreadable, match="once its references are followed"):
        raw.said(envelope(f'<R><a href="#i0"/></R>{marks}<m id="i12">x</m>'))


# -- faults --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        "<soapenv:Fault>{}</soapenv:Fault>",
        "<Fault xmlns='http://wrong.example/'>{}</Fault>",
    ],
)
def test_a_fault_in_whatever_namespace_keeps_code_sentence_and_detail(fault: str) -> None:
    inside = (
        "<faultcode>soapenv:Client</faultcode><faultstring>No\n such  ticket</faultstring>"
        "<detail><code>302</code></detail>"
    )
    answer = raw.said(envelope(fault.format(inside)))
    assert answer.fault == raw.Fault("Client", "No such ticket", {"code": "302"})
    told = {"faultcode": "Client", "faultstring": "No such ticket", "detail": {"code": "302"}}
    assert answer.data == {"Fault": told}


def test_a_fault_of_soap_1_2_is_read_as_well() -> None:
    answer = raw.said(
        b'<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body><e:Fault><e:Code>'
        b"<e:Value>e:Sender</e:Value><e:Subcode><e:Value>m:Expired</e:Value></e:Subcode></e:Code>"
        b'<e:Reason><e:Text xml:lang="en">log in again</e:Text></e:Reason></e:Fault></e:Body></e:Envelope>'
    )
    assert answer.fault == raw.Fault("Sender.Expired", "log in again", None)


def test_a_fault_without_an_envelope_is_one_all_the_same() -> None:
    found = raw.said(b"<Fault><faultcode>x</faultcode><faultstring>y</faultstring></Fault>").fault
    assert found == raw.Fault("x", "y")


# -- what is not read ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "inside"),
    [
        ('<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>', "<R>&e;</R>"),
        ('<!DOCTYPE x SYSTEM "http://127.0.0.1:1/evil.dtd">', "<R/>"),
        ('<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>', '<R at="&b;"/>'),
        ("<!DOCTYPE html>", "<R/>"),
    ],
)
def test_a_document_type_is_refused_and_with_it_every_entity(before: str, inside: str) -> None:
    with pytest.raises(raw.Unreadable, match="document type"):
        raw.said(envelope(inside, before))


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b'{"error": "x"}', "not XML"),
        (b"<html><head><title>Log in</title>", "web page"),
        (b"<!DOCTYPE html><html><p>unclosed<br></html>", "web page"),
        (b"<HTML><BODY>x</BODY></HTML>", "web page"),
        (envelope("<R/>")[:-20], "well-formed"),
        (envelope("<R>\x08</R>"), "well-formed"),
        (envelope("<R>&nbsp;</R>"), "well-formed"),
        (envelope("<R>x</R>").replace(b"x", b"\xff"), "well-formed"),
        (b"<Other/>", "no SOAP envelope"),
        (f'<e:Envelope xmlns:e="{SOAP}"/>'.encode(), "without a body"),
    ],
)
def test_what_is_no_envelope_says_what_it_is(body: bytes, why: str) -> None:
    with pytest.raises(raw.Unreadable, match=why):
        raw.said(body)


def test_depth_and_number_of_elements_are_bounded() -> None:
    with pytest.raises(raw.Unreadable, match="nested deeper"):
        raw.said(envelope("<a>" * 5000 + "</a>" * 5000))
    with pytest.raises(raw.Unreadable, match="more than"):
        raw.said(envelope("<R>" + "<a/>" * 500_001 + "</R>"))


def test_a_text_of_many_megabytes_is_read_and_costs_little_more_than_itself() -> None:
    text = "Grüße " * 2_000_000
    body = envelope(f"<R><T>{text}</T></R>")
    assert raw.said(body).data == {"T": text}


def test_line_ends_and_all_planes_come_as_they_were() -> None:
    assert data("<R>a&#13;&#10;b\u202e \U0001f691</R>") == "a\r\nb\u202e \U0001f691"


def test_other_encodings_are_read() -> None:
    body = '<?xml version="1.0" encoding="ISO-8859-1"?><R><a>Grüße</a></R>'
    assert raw.plain(body.encode("latin-1")) == {"a": "Grüße"}
    assert raw.plain('<?xml version="1.0" encoding="UTF-16"?><R><a>Grüße</a></R>'.encode("utf-16")) == {"a": "Grüße"}


# -- files ---------------------------------------------------------------------------------------------------------


def pieces(body: bytes, size: int):  # type: ignore[no-untyped-def]
    return (body[start : start + size] for start in range(0, len(body), size))


@pytest.mark.parametrize("size", [1, 7, 65536])
@pytest.mark.parametrize("content", [b"", b"\x00", b"ab", b"bytes \r\n \xff" * 50])
def test_a_file_is_taken_out_of_an_answer_piece_by_piece(content: bytes, size: int) -> None:
    digits = base64.encodebytes(content).decode().replace("\n", "&#13;\n")
    body = envelope(f"<R><Name>x</Name><Data>{digits}</Data><Data>other</Data></R>")
    assert b"".join(files.unwrapped(pieces(body, size), "Data")) == content


def test_a_file_of_twenty_megabytes_needs_no_more_than_a_few() -> None:
    content = bytes(range(256)) * 81920
    body = envelope(f"<R><Data>{base64.b64encode(content).decode()}</Data></R>")
    tracemalloc.start()
    total = sum(len(each) for each in files.unwrapped(pieces(body, 65536), "Data"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert total == len(content)
    assert peak < 4 << 20


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (envelope("<R/>"), "no element Data"),
        (envelope("<R><Data>????</Data></R>"), "not base64"),
        (envelope("<R><Data>abc</Data></R>"), "not base64"),
        (envelope("<R><Data>" + "abcd" * 100)[:-60], "well-formed"),
        (envelope("<Fault><faultcode>x</faultcode><faultstring>it is gone</faultstring></Fault>"), "it is gone"),
        (b"<!DOCTYPE x>" + envelope("<R/>"), "document type"),
    ],
)
def test_a_file_that_is_none_is_an_error_and_never_an_empty_file(body: bytes, why: str) -> None:
    with pytest.raises(raw.Unreadable, match=why):
        list(files.unwrapped(pieces(body, 100), "Data"))


def test_a_tag_that_never_ends_is_given_up() -> None:
    endless = (b'<R a="' if first else b"x" * 65536 for first in (True, *[False] * 1000))
    with pytest.raises(raw.Unreadable, match="longer than any should be"):
        list(files.unwrapped(endless, "Data"))
