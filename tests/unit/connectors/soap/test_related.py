"""Answers in parts (MTOM): an envelope with its files beside it, in whatever pieces the network cuts them."""

import base64
from collections.abc import Iterator

import pytest

from connectors.errors import ProtocolError
from connectors.soap.parser import Unreadable
from connectors.soap.voice import _decoded, unwrapped

BYTES = bytes(range(256)) * 3 + b"\r\n--uuid:1x\r\n--uuid:\n\n"
HEAD = b"Content-Type: application/xop+xml\r\nContent-ID: <root@x>\r\n\r\n"
XML = (
    b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><r><Name>a.bin</Name><Content>'
    b'<xop:Include xmlns:xop="http://www.w3.org/2004/08/xop/include" href="cid:1%40x"/>'
    b"</Content></r></e:Body></e:Envelope>"
)


def answered(*parts: bytes, end: bytes = b"\r\n--uuid:1--\r\n") -> bytes:
    return b"\r\n--uuid:1\r\n".join((b"--uuid:1\r\n" + HEAD + XML, *parts)) + end


def beside(content: bytes, name: bytes = b"1@x", coding: bytes = b"binary") -> bytes:
    return b"Content-ID: <" + name + b">\r\nContent-Transfer-Encoding: " + coding + b"\r\n\r\n" + content


def cut(body: bytes, size: int) -> Iterator[bytes]:
    return (body[at : at + size] for at in range(0, len(body), size))


@pytest.mark.parametrize("size", [1, 2, 7, 64, 100_000])
def test_a_file_beside_its_envelope_comes_byte_for_byte_however_the_answer_is_cut(size: int) -> None:
    whole = answered(beside(b"another's", b"0@x"), beside(BYTES), beside(b"more", b"2@x"))
    assert b"".join(unwrapped(cut(whole, size), "Content", "the file")) == BYTES


def test_an_empty_file_and_one_that_is_packed_again_are_read_too() -> None:
    assert b"".join(unwrapped(cut(answered(beside(b"")), 5), "Content", "it")) == b""
    packed = base64.encodebytes(BYTES)
    assert b"".join(unwrapped(cut(answered(beside(packed, coding=b"base64")), 5), "Content", "it")) == BYTES


def test_a_file_in_the_envelope_of_an_answer_in_parts_is_read_where_it_is() -> None:
    inline = XML.replace(b"<xop:Include", b"<!--").replace(b'href="cid:1%40x"/>', b"-->") + b""
    inline = inline.replace(b"<!--", b"YWJj<!--")
    whole = b"--uuid:1\r\n" + HEAD + inline + b"\r\n--uuid:1--"
    assert b"".join(unwrapped(cut(whole, 11), "Content", "it")) == b"abc"


def test_data_in_parts_reads_as_if_nothing_had_ever_been_taken_out() -> None:
    assert _decoded(answered(beside(BYTES))) == {"Name": "a.bin", "Content": base64.b64encode(BYTES).decode()}


@pytest.mark.parametrize(
    ("whole", "says"),
    [
        (answered(), "no part '1@x'"),
        (answered(beside(BYTES), end=b""), "ends in the middle"),
        (answered(beside(BYTES, coding=b"uuencode")), "packed as uuencode"),
        (answered(beside(b"!", coding=b"base64")), "not the base64"),
        (b"--" + b"x" * 500, "names no boundary"),
    ],
)
def test_what_cannot_be_told_is_said_and_never_read_as_a_file(whole: bytes, says: str) -> None:
    with pytest.raises(ProtocolError, match=says):
        list(unwrapped(cut(whole, 16), "Content", "it"))


def test_entities_are_refused_in_the_envelope_of_parts_as_anywhere() -> None:
    bomb = b'--b\r\n\r\n<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>\r\n--b--'
    with pytest.raises(Unreadable, match="document type"):
        _decoded(bomb)
