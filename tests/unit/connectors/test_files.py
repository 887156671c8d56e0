"""Files inside JSON, up and down, in pieces of any size."""

import base64
import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.credentials import NOBODY
from connectors.errors import ProtocolError
from connectors.profiled import files, streams
from connectors.profiled.vocabulary.comments import InlineFiles
from connectors.profiled.vocabulary.parts import Request
from connectors.rest.formats import decoded, encoder
from connectors.testing import draft

SHAPE = InlineFiles(at="Attachments", name="FileName", media_type="FileType", content="FileContent", empty="=")
JSON = Request()
CONTENTS = st.lists(st.binary(max_size=200), max_size=4)


@given(contents=CONTENTS, text=st.text(max_size=50), name=st.text(min_size=1, max_size=20))
def test_a_body_with_files_is_the_json_it_would_be_and_as_long_as_it_says(
    contents: list[bytes], text: str, name: str
) -> None:
    drafts = tuple(draft(name, content, "application/x-test") for content in contents)
    body = streams.inline({"Content": text}, SHAPE, drafts, JSON, encoder(JSON)).made(NOBODY)
    sent = b"".join(body)
    assert len(sent) == len(body)
    assert json.loads(sent) == {
        "Content": text,
        "Attachments": [
            {
                "FileName": name,
                "FileType": "application/x-test",
                "FileContent": base64.b64encode(content).decode() or "=",
            }
            for content in contents
        ],
    }


@given(contents=CONTENTS, text=st.from_regex(r"[ -~]{0,50}", fullmatch=True))
def test_files_inside_xml_stand_there_as_base64(contents: list[bytes], text: str) -> None:
    request = Request(format="xml", element="note")
    drafts = tuple(draft(f"{number}.log", content) for number, content in enumerate(contents))
    streamed = streams.inline({"Content": text}, SHAPE, drafts, request, encoder(request))
    body = streamed.made(NOBODY)
    sent = b"".join(body)
    assert (len(sent), streamed.media_type) == (len(body), "application/xml; charset=utf-8")
    read = decoded(sent)
    listed = read.get("Attachments", []) if isinstance(read, dict) else []
    found = listed if isinstance(listed, list) else [listed]
    assert [base64.b64decode(each["FileContent"].strip("=") and each["FileContent"]) for each in found] == contents
    assert (read["Content"] if isinstance(read, dict) else read) == text


def test_files_inside_a_form_are_base64_in_a_field_of_it() -> None:
    request = Request(format="form")
    streamed = streams.inline({"text": "x"}, SHAPE, (draft("a", b"\xff\x00"),), request, encoder(request))
    assert streamed.media_type.startswith("multipart/form-data")
    assert b'name="Attachments[0][FileContent]"\r\n\r\n/wA=\r\n' in b"".join(streamed.made(NOBODY))


@pytest.mark.parametrize(
    ("content", "kind", "sent"),
    [
        (b"Gr\xc3\xbc\xc3\x9fe", "text/plain; charset=utf-8", "text/plain"),
        (b"Gr\xfc\xdfe", "text/plain", "application/octet-stream"),
        (b"Subject: x", "message/rfc822", "application/octet-stream"),
        (b"\xff", "image/png", "image/png"),
        (b"", "", "application/octet-stream"),
    ],
)
def test_what_a_product_would_recode_goes_as_bytes(content: bytes, kind: str, sent: str) -> None:
    shape = SHAPE.model_copy(update={"recodes": True})
    streamed = streams.inline({}, shape, (draft("a", content, kind),), JSON, encoder(JSON))
    (told,) = json.loads(b"".join(streamed.made(NOBODY)))["Attachments"]
    assert told["FileType"] == sent


def test_a_large_file_is_never_whole_in_memory() -> None:
    body = streams.inline({}, SHAPE, (draft("big", b"x" * 1_000_000),), JSON, encoder(JSON)).made(NOBODY)
    assert max(map(len, body)) < 100_000


def pieces(whole: bytes, size: int) -> Iterator[bytes]:
    return (whole[start : start + size] for start in range(0, len(whole), size))


@given(
    content=st.binary(max_size=300),
    size=st.integers(1, 40),
    width=st.integers(4, 80),
    escape=st.sampled_from([("\n", "/"), ("\r\n", "\\/")]),
)
def test_a_file_inside_json_comes_out_whatever_the_pieces(
    content: bytes, size: int, width: int, escape: tuple[str, str]
) -> None:
    digits = base64.b64encode(content).decode()
    lines = escape[0].join(digits[start : start + width] for start in range(0, len(digits), width))
    dumped = json.dumps({"id": 1, "Content": lines, "Filename": "x"}, indent=3).replace("/", escape[1])
    assert b"".join(files.unwrapped(pieces(dumped.encode(), size), "Content", "/x")) == content


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_no_content_is_an_empty_file(size: int) -> None:
    dumped = b'{"id": 1, "Content" : null, "Filename" : "x"}'
    assert b"".join(files.unwrapped(pieces(dumped, size), "Content", "/x")) == b""


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize(
    "dumped",
    [
        b"",
        b"<html>",
        b'{"message": "no"}',
        b'{"Content": "QUJ',
        b'{"Content": nul',
        b'{"Content": "Q!JD"}',
        b'{"Content": 5}',
        b'{"Content": "QUI"}',
    ],
)
def test_what_is_no_file_is_an_error(dumped: bytes, size: int) -> None:
    with pytest.raises(ProtocolError):
        list(files.unwrapped(pieces(dumped, size), "Content", "/x"))


def test_names_go_as_one_encoded_word() -> None:
    assert streams.encoded_word("日本.txt") == "=?UTF-8?B?5pel5pysLnR4dA==?="
