"""Text out of HTML: what a person reads, and nothing that a machine would run."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.markup import html_of, text_of


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>Hello <b>wörld</b> &amp; more</p>", "Hello wörld & more"),
        ("one<br>two<br/>three", "one\ntwo\nthree"),
        ("<ul><li>one</li><li>two</li></ul>", "- one\n\n- two"),
        ("<p>a</p>\n\n\n<p>b</p>", "a\n\nb"),
        ("  many   blanks\n and lines ", "many blanks and lines"),
        ("<pre>kept\n  as it is</pre>", "kept\n  as it is"),
        ("<script>alert(1)</script><style>x{}</style><title>t</title>seen", "seen"),
        ('<a href="https://example.org/x">here</a>', "here <https://example.org/x>"),
        ('<a href="https://example.org/x">https://example.org/x</a>', "https://example.org/x"),
        ('<a href="javascript:alert(1)">here</a>', "here"),
        ("<td>a</td><td>b</td>", "a b"),
        ("1 &lt; 2 &#8364; &nosuch;", "1 < 2 € &nosuch;"),
        ("<unclosed <b>", "<unclosed"),
        ('<img src="/b.png" data-src="/a.png">', "[image: b.png]"),
        ("see <img src='/x/graph.png?v=2' alt=''> there", "see [image: graph.png] there"),
        (
            '<img alt="a [graph]" src="data:image/png;base64,QUJD"><img src="cid:7">',
            "[image: a _graph_.png][image: image-2]",
        ),
        ('<img width="1" height="1" src="/t.gif"><img src="data:9" width=0>seen', "seen"),
        ("", ""),
    ],
)
def test_html_becomes_what_is_read(html: str, text: str) -> None:
    assert text_of(html) == text


@given(st.text(max_size=300))
def test_any_input_gives_some_text(html: str) -> None:
    assert isinstance(text_of(html), str)


@pytest.mark.parametrize(
    "piece",
    ["<div>", "<p", "&amp;", "<!--", "<![CDATA[", "<a href='x'>", "<b></b> ", "</p>", '<img src="data:image/a;base64,'],
)
def test_hostile_input_takes_no_more_than_its_length_deserves(piece: str) -> None:
    begun = time.process_time()
    text_of(piece * (200_000 // len(piece)))
    assert time.process_time() - begun < 3


@pytest.mark.parametrize(
    "text",
    [
        "one line",
        "two\nlines\n\n  and an indented one",
        "a   b",
        "> quoted\n> [interdesk 7Q-OTHER]\nand <b>no</b> markup & such &amp; &nbsp;",
        "Grüße 日本語 🚑 \" ' `",
    ],
)
def test_a_text_that_goes_as_html_is_read_as_it_was(text: str) -> None:
    assert text_of(html_of(text)) == text


@given(st.text(st.characters(exclude_categories=("Cc", "Cs", "Zs", "Zl", "Zp")), max_size=80))
def test_no_text_becomes_markup(text: str) -> None:
    assert text_of(html_of(text)) == text
