"""Texts in the formats of trackers: what goes there comes back as it was, and what machines wrote stays verbatim."""

import re
import sys

import pytest

from mappings.formats import FORMATS, PLAIN, ours
from mappings.formats.blocks import Code, Item, Listing, Paragraph, Quote, Span, Style
from mappings.plaintext import canonical, unquiet
from mappings.rules import Text
from mappings.shortening import Shortening

RICH = [name for name in FORMATS if FORMATS[name] is not PLAIN]

LOG = (
    "2026-11-22 18:45:07,123 ERROR *** job_id=_a_b_ [h1. {code} <pre> #42] -- /DC=org/CN=*x*\n"
    "2026-11-22 18:45:08,001 WARN  C:\\temp\\new ~user ^x^ `ls` {noformat} </pre> &amp; !y! ||a|b||"
)
TRACE = (
    "Traceback (most recent call last):\n"
    '  File "/opt/a_b/x.py", line 3, in <module>\n'
    "    a = b[*c] ** d  # ```\n"
    "KeyError: '_x_'\n"
    "\n"
    "  The above *exception* caused:\n"
    "\tat org.example.Main$1.run(Main.java:12)"
)
LITERAL = (
    "*not closed and bar_baz_qux and 2*3*4 and __init__ and a<b>c</b> &lt; &\n"
    "# no heading, h1. neither\n"
    "+ no list\n"
    "h1. {code}x{code} {{y}} [z] ~~a~~ -b- +c+ ^d^ ??e?? @f@ %g% ==h== !i! |j|\n"
    'bq. said nobody (!) (c) :) ABC(d) "a":b [~carol] --- <pre>x</pre> \\o/ \\\\ [1]\n'
    "| a | b |\n"
    "|---|---|\n"
    "==="
)
MAIL = "On Sunday Alice wrote:\n> the CE *refuses*\n> > which one?\n> - this one"
STRUCTURED = (
    "Steps:\n- submit **many** jobs\n  - or *one*\n- see `glite-ce` and https://example.org/a_b_c?d=_e_\n\n"
    "1. one\n2. two\n\nsee [the page](https://example.org/x_y) or https://example.org.\n\n"
    "```\nplain words, kept\n```"
)
WIDE = "\U0001f600 und Grüße an 東京 *\U0001f680*\n\nnächste Zeile"

SPECIMENS = {
    "log": LOG,
    "trace": TRACE,
    "literal": LITERAL,
    "mail": MAIL,
    "structured": STRUCTURED,
    "wide": WIDE,
    "distinguished name": "/DC=org/DC=example/O=Grid/CN=Alice *Example*",
    "dates": "2026-11-22 18:45:07 -- 2026-11-23",
    "indented": "  indented\n\ttabbed",
    "table": "CE        state\nce1       down\nce2       up",
}


@pytest.fixture(params=RICH)
def form(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("name", SPECIMENS)
def test_case_17_a_text_that_went_there_comes_back_as_it_was(form: str, name: str) -> None:
    text = SPECIMENS[name]
    there = FORMATS[form].said(text)
    back = FORMATS[form].heard(there)
    assert back == FORMATS[form].settled(text)
    assert FORMATS[form].said(back) == there
    assert [line for line in back.split("\n") if line.strip(" >")] == [line for line in text.split("\n") if line]


@pytest.mark.parametrize("text", [LOG, TRACE, SPECIMENS["table"], SPECIMENS["indented"]])
def test_case_17_what_machines_wrote_is_verbatim_in_both_places(form: str, text: str) -> None:
    there = FORMATS[form].said(f"It fails:\n\n{text}\n\nWhat now?")
    assert FORMATS[form].heard(there) == f"It fails:\n\n{text}\n\nWhat now?"


def test_other_line_ends_and_trailing_blanks_there_change_nothing(form: str) -> None:
    for text in SPECIMENS.values():
        there = FORMATS[form].said(text)
        assert FORMATS[form].heard(there.replace("\n", "\r\n") + "\r\n\r\n") == FORMATS[form].heard(there)
        assert FORMATS[form].heard("\n".join(line.rstrip() for line in there.split("\n"))) == FORMATS[form].heard(there)


def test_case_16_prose_calls_nobody_and_code_stays_as_it_is(form: str) -> None:
    said = FORMATS[form].said("ask @alice\n\n```\n@staticmethod\n```")
    assert "@alice" not in said
    assert "@staticmethod" in said
    assert "@alice" in unquiet(FORMATS[form].heard(said))


def test_a_rich_text_that_nobody_changed_here_is_never_rewritten(form: str) -> None:
    rule = Text(Shortening("description", "\n\n", format=FORMATS[form]))
    for theirs in (
        WIDE,
        STRUCTURED,
        LITERAL,
        "<p style='color:red'>a <b>b</b></p>",
        "# x\n\n![y](z)",
        "h1. x\n\n|a|b|",
    ):
        held = rule.inward(theirs, held=None)
        assert rule.outward(held, held=theirs) == theirs


@pytest.mark.parametrize("limit", [100, 150, 400])
def test_a_length_is_counted_in_what_is_sent(form: str, limit: int) -> None:
    rule = Text(Shortening("description", "\n\n", limit, format=FORMATS[form]))
    for text in (LITERAL * 3, LOG * 3, STRUCTURED * 3, "*<&_" * 200, "- a\n" * 200, "> b\n" * 200):
        sent = rule.outward(text, held=None)
        spill = rule.spill(text)
        assert isinstance(sent, str)
        assert spill is not None
        assert len(sent) <= limit
        assert rule.inward(sent, held=text) == text


def test_an_edited_head_is_joined_with_the_rest_that_we_hold(form: str) -> None:
    rule = Text(Shortening("description", "\n\n", 300, format=FORMATS[form]))
    text = "\n\n".join(f"line {number}: the CE refuses *every* job" for number in range(100))
    sent = str(rule.outward(text, held=None))
    edited = rule.inward(sent.replace("line 0", "LINE ZERO"), held=text)
    assert edited == text.replace("line 0:", "LINE ZERO:")
    assert rule.outward(edited, held=sent.replace("line 0", "LINE ZERO")) == sent.replace("line 0", "LINE ZERO")


PIECES = ["[", "*a ", "`", "> ", "- ", "_a", "<", "![", "\\", "[a](", "&#", "<div>", "<b>", "<pre>", "<table><tr><td>"]
PIECES += [
    "<script>",
    "<!--",
    "{quote}",
    "{code}",
    "@",
    "[x|",
    "{{",
    "==",
    "a|b\n--|--\n",
    "    - a\n",
    "```\n",
    "**a**",
    "{noformat}",
    "{code:x}\n",
    "{panel:title=a}",
    "{color:red}",
    "\n{quote}\n> ",
    "{*}",
    "?? a",
    "|[a",
    "\\\\",
    "!a.b|",
]


@pytest.mark.parametrize("piece", PIECES)
def test_hostile_text_is_read_without_recursion_and_loses_no_law(form: str, piece: str) -> None:
    text = piece * (40_000 // len(piece))
    back = FORMATS[form].heard(text)
    assert FORMATS[form].heard(FORMATS[form].said(back)) == FORMATS[form].settled(back)
    assert FORMATS[form].heard(FORMATS[form].said(text)) == FORMATS[form].settled(text)


def _calls(form: str, text: str) -> int:
    """How many calls it takes to read a text and to write what was read."""
    counted = 0

    def count(frame: object, event: str, arg: object) -> None:
        nonlocal counted
        counted += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        FORMATS[form].said(FORMATS[form].heard(text))
    finally:
        sys.setprofile(None)
    return counted


@pytest.mark.parametrize("piece", [*PIECES, "a\n", "|", "||", "* a\n", "# a\n", "_a_ ", "[a|", "{_}", '"a":'])
def test_hostile_text_takes_steps_in_proportion_to_its_length(form: str, piece: str) -> None:
    short, long = (_calls(form, piece * (length // len(piece))) for length in (2_000, 8_000))
    assert long < 5 * short + 1_000


def test_our_text_is_read_into_blocks() -> None:
    assert ours.read("See **it**:\n- a\n  - `b`\n\n> c") == (
        Paragraph(((Span("See "), Span("it", Style.BOLD), Span(":")),)),
        Listing((Item((Span("a"),)), Item((Span("b", Style.CODE),), 1))),
        Quote((Paragraph(((Span("c"),),)),)),
    )


@pytest.mark.parametrize("text", ["```\nnever closed", "2. begins at two", "- a\n+ b", "**not*", "[x](javascript:y)"])
def test_what_is_not_quite_a_mark_is_literal(text: str) -> None:
    (block,) = ours.read(text)
    assert isinstance(block, Paragraph)
    assert "\n".join("".join(span.text for span in line) for line in block.lines) == text
    assert all(span.style is Style.PLAIN for line in block.lines for span in line)


@pytest.mark.parametrize("text", [LOG, TRACE, SPECIMENS["table"], ">>> x = 1\n1", "Nov 22 18:45:07 ce1 sshd: *x*"])
def test_what_machines_wrote_needs_no_fence(text: str) -> None:
    assert ours.read(text) == (Code(text),)
    assert ours.write((Code(text),)) == text


def test_an_exact_text_is_written_back_exactly() -> None:
    for text in (LOG, TRACE, LITERAL, STRUCTURED, WIDE):
        assert ours.write(ours.read(text)) == canonical(text)


MARKDOWN = {
    "# Outage\n\nof __ce1__ *today*": "**Outage**\n\nof **ce1** *today*",
    "* a\n* b\n    1. c": "- a\n- b\n  1. c",
    "a\nb  \nc\\\nd": "a\nb\nc\nd",
    "| CE | state |\n|---|---|\n| ce1 | `down` |": "CE | state\nce1 | `down`",
    "![a graph](http://x/g.png) and <http://y/_z>": "[image: a graph] and http://y/_z",
    "~~~python\nx = *y*\n~~~": "```\nx = *y*\n```",
    "<script>alert(1)</script>": "<script>alert(1)</script>",
    "[a](javascript:b)": "[a](javascript:b)",
    "> a\n\n[ref]: http://x": "> a\n\n[ref]: http://x",
    "~~gone~~ &copy; \\*stars\\*": "gone © *stars*",
}


@pytest.mark.parametrize("theirs", MARKDOWN)
def test_markdown_is_read_as_people_there_mean_it(theirs: str) -> None:
    assert FORMATS["markdown"].heard(theirs) == MARKDOWN[theirs]


def test_markdown_that_nests_without_end_loses_no_word() -> None:
    assert FORMATS["markdown"].heard("> " * 200 + "word").endswith("word")


HTML = {
    "<h1>Outage</h1><p>of <b>ce1</b> <i>today</i></p>": "**Outage**\n\nof **ce1** *today*",
    "<div>one</div><div><br></div><div>two<br>three</div>": "one\n\ntwo\nthree",
    "<ul><li>a<ol><li>b</li></ol></li><li>c</li></ul>": "- a\n  1. b\n- c",
    "<ul><li><p>a</p><li>b</ul>rest": "- a\n- b\n\nrest",
    "<table><tr><th>CE</th><th>is</th></tr>\n<tr><td>ce1</td><td>down</td></tr></table>": "**CE** | **is**\nce1 | down",
    "<pre>a\n  b &lt;c&gt; <b>d</b></pre>": "a\n  b <c> d",
    "<script>alert('</p>')</script><style>p{}</style>seen<!-- not -->": "seen",
    '<a href="https://x.org/a_b">there</a> <a href="javascript:steal()">here</a>': ("[there](https://x.org/a_b) here"),
    '<img alt="a graph" src="x.png"><img src="http://x/y/z.png"><img src="data:image/png;base64,AAAA">': (
        "[image: a graph][image: z.png][image]"
    ),
    "<blockquote>a<blockquote>b</blockquote></blockquote>c": "> a\n>\n> > b\n\nc",
    "a &amp;amp; b &lt;c&gt;&nbsp;d 1 < 2": "a &amp; b <c>\xa0d 1 < 2",
    "<p>never <b>closed<p>anywhere": "never **closed**\n\n**anywhere**",
}


@pytest.mark.parametrize("theirs", HTML)
def test_html_is_read_as_people_there_see_it(theirs: str) -> None:
    assert FORMATS["html"].heard(theirs) == HTML[theirs]


def test_html_of_ours_holds_nothing_that_runs() -> None:
    said = FORMATS["html"].said("<script>x</script> [a](https://x/?'onclick=b) <img src=x onerror=y>")
    assert set(re.findall(r"<[^>]*>", said)) == {"<p>", "</p>", "</a>", '<a href="https://x/?&#x27;onclick=b">'}


TEXTILE = {
    "h2. Outage\n\nof *ce1* _today_, @down@": "**Outage**\n\nof **ce1** *today*, `down`",
    '* a\n*# b\n* c "page":https://x.org/a_b.': "- a\n  1. b\n- c [page](https://x.org/a_b).",
    '<pre><code class="python">\nx = *y*\n</code></pre>': "```\nx = *y*\n```",
    "> a\n> > b\nc": "> a\n>\n> > b\n\nc",
    "bq. said\n\n!graphs/g.png! &lt;b&gt; 2*3*4": "> said\n\n[image: g.png] <b> 2*3*4",
    "<pre>never closed": "<pre>never closed",
}


@pytest.mark.parametrize("theirs", TEXTILE)
def test_textile_is_read_as_people_there_mean_it(theirs: str) -> None:
    assert FORMATS["textile"].heard(theirs) == TEXTILE[theirs]


JIRA = {
    "h2. Outage\n\nof *ce1* _today_, {{down}} ??said??": "**Outage**\n\nof **ce1** *today*, `down` *said*",
    "# one\n#* a\n\n----\n * b\n- c [page|https://x.org/a_b|tip].": (
        "1. one\n  - a\n\n----\n\n- b\n- c [page](https://x.org/a_b)."
    ),
    "{code:python|title=x.py}\nx = *y*\n{code}": "```\nx = *y*\n```",
    "a {noformat}b *c*{noformat} d": "a\n\n```\nb *c*\n```\n\nd",
    "{quote}\na\n> b\n{quote}c": "> a\n>\n> > b\n\nc",
    "{quote}a{quote}{quote}b{quote}": "> a\n\n> b",
    "{quote}\n{noformat}\n{quote} x\n\n  y\n{noformat}\n{quote}": "> ```\n> {quote} x\n>\n>   y\n> ```",
    "> > a\n> b": "> > a\n>\n> b",
    "bq. said\n\n!graphs/g.png|thumbnail! &lt;b&gt; 2*3*4": "> said\n\n[image: g.png] <b> 2*3*4",
    "||CE||state||\n|ce1|[down|https://x.org]|\n|a| |b|": "**CE** | **state**\nce1 | [down](https://x.org)\na | - | b",
    "{panel:title=News|borderStyle=solid}\nall {color:red}*red*{color}\n{panel}": "**News**\n\nall **red**",
    "one\\\\two \\*x\\* \\{code} C:\\temp a{*}b{*}": "one\ntwo *x* {code} C:\\temp ab",
    "[~carol] [https://x.org] [mail|mailto:a@x.org] [^f.txt] [GGUS-1]": (
        "[~carol] https://x.org [mail](mailto:a@x.org) [^f.txt] [GGUS-1]"
    ),
    "{noformat}never closed {quote}": "{noformat}never closed {quote}",
}


@pytest.mark.parametrize("theirs", JIRA)
def test_jiras_markup_is_read_as_people_there_mean_it(theirs: str) -> None:
    assert FORMATS["jira"].heard(theirs) == JIRA[theirs]


@pytest.mark.parametrize(
    ("text", "there"),
    [
        ("**# a** b\n**- c**\n**h1. d**", "*&#35; a* b\n*\\- c*\n*h1&#46; d*"),
        ("https://x.org/a_b&#42; and \\\\*x*\\ C:\\temp", "https://x.org/a_b&amp;#42; and &#92;&#92;\\*x*\\ C:\\temp"),
        ("*a_b \\_* `x_{y}` `a*b`", "_a\\_b &#92;\\__ `x_\\{y}` {{a*b}}"),
        ("- # a\n- | b\n\nbq. :) (!) -x- a-b -", "* &#35; a\n* \\| b\n\nbq&#46; &#58;) \\(!) \\-x- a-b \\-"),
        ("> a\n>\n> > b\n> > > c", "{quote}\na\n\n> b\n>\n> > c\n{quote}"),
        ("> > ```\n> > {quote}\n> > ```", "{quote}\n> {noformat}\n{quote}\n{noformat}\n{quote}"),
        ("```\n{noformat}\n{quote}\n```", "{noformat}\n{\u200bnoformat}\n{quote}\n{noformat}"),
        ("{quote} and \\{code}", "\\{quote} and &#92;\\{code}"),
    ],
)
def test_what_jira_would_take_for_a_mark_is_written_so_that_it_does_not(text: str, there: str) -> None:
    assert FORMATS["jira"].said(text) == there
    assert FORMATS["jira"].heard(there) == FORMATS["jira"].settled(text)
