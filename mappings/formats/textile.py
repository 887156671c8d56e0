"""Textile, as Redmine speaks it. What would be a mark is written as its number; <pre> keeps every character."""

import html
import re
from collections.abc import Iterator, Sequence

from mappings.formats.blocks import (
    Blocks,
    Code,
    Item,
    Line,
    Listing,
    Paragraph,
    Quote,
    Span,
    Style,
    code_of,
    line_of,
)
from mappings.formats.lines import Said, Source, blocks_of
from mappings.formats.ours import spelled

_INVISIBLE = "\u200b"  # keeps what looks like the end of a listing from being one
_OPENS = re.compile(r"<pre\b[^<>\n]{0,100}>(?:\s{0,10}<code\b[^<>\n]{0,100}>)?")
_INNER = re.compile(rf"(</?{_INVISIBLE}*)(?=pre\b|code\b)")
_BLOCK = re.compile(
    r"(?:h(?P<heading>[1-6])|(?P<quote>bq)|p|div)(?:\([^()\n]{0,50}\)|\{[^{}\n]{0,100}\}|[<>=]{1,2})?\. +(?=\S)"
)
_ITEM = re.compile(r"([*#]{1,20}) +(\S.*)")
_ADDRESS = r"""(?:https?|ftp)://[^\W_][^\s<>"`|\[\]{}\\^]*"""
_SPAN = re.compile(
    rf"""(?P<bare>(?<!\w){_ADDRESS})
    |"(?P<named>[^"\n]+)":(?P<address>(?:{_ADDRESS}|mailto:\w[^\s<>()"]*))
    |(?<!\w)!(?P<image>[^\s!<>"]{{1,300}})!(?!\w)
    |(?<![^ (\["'{{])(?:
       \*(?P<bold>[^\s*](?:[^*\n]*[^\s*])?)\*
      |_(?P<italic>[^\s_](?:[^_\n]*[^\s_])?)_
      |@(?P<code>[^\s@](?:[^@\n]*[^\s@])?)@
    )(?!\w)""",
    re.VERBOSE,
)
_MARKED = re.compile(r'[*_@!"&]|://')
"""Without any of these a line is but its characters: most are."""
_ENDS = ".,;:!?)"
_ENDING = re.compile(r"[.,;:!?)]*(?:\s|$)")


def read(text: str) -> Blocks:
    """The blocks of a text in Textile."""
    return tuple(blocks_of(list(_sources(text)), _said_by, _is_quote))


def _sources(text: str) -> Iterator[Source]:
    at = 0
    while opening := _OPENS.search(text, at):
        end = text.find("</pre>", opening.end())
        if end < 0:
            break
        before = text[at : opening.start()].split("\n")
        prefix = before.pop() if not before[-1].strip("> ") else ""
        yield from before
        inner = text[opening.end() : end]
        if "<code" in opening[0]:
            inner = inner.removesuffix("\n").removesuffix("</code>")
        code = code_of(_INNER.sub(lambda found: found[1].removesuffix(_INVISIBLE), inner))
        yield from ((prefix, code),) if code else ()
        at = end + len("</pre>")
        at += text.startswith("\n", at)
    yield from text[at:].split("\n")


def _said_by(source: str) -> Said:
    item, block = _ITEM.fullmatch(source), _BLOCK.match(source)
    line = _line(item[2] if item else source[block.end() :] if block else source)
    if not line:
        return ()
    if block:
        heading = tuple(Span(each.text, Style.BOLD, each.link) for each in line) if block["heading"] else line
        paragraph = Paragraph((line_of(heading),))
        return Quote((paragraph,)) if block["quote"] else paragraph
    return Item(line, len(item[1]) - 1, item[1].endswith("#")) if item else (line,)


def _is_quote(line: str) -> bool:
    return line.startswith(">")


def _line(text: str) -> Line:
    return line_of(_spans(text) if _MARKED.search(text) else (Span(text),))


def _spans(text: str) -> Iterator[Span]:
    at = 0
    for found in _SPAN.finditer(text):
        kind = found.lastgroup or ""
        if found.start() < at:
            continue
        yield Span(html.unescape(text[at : found.start()]))
        at = found.end()
        if kind == "address":
            address = found["address"].rstrip(_ENDS)
            at = found.start("address") + len(address)
            yield Span(html.unescape(found["named"]), link=html.unescape(address))
        elif kind == "image":
            yield Span(f"[image: {found['image'].rsplit('/', 1)[-1]}]")
        elif kind == "bare":
            yield Span(html.unescape(found[0]))
        else:
            yield Span(found[kind] if kind == "code" else html.unescape(found[kind]), Style(kind))
    yield Span(html.unescape(text[at:]))


# -- writing -----------------------------------------------------------------------------------------------------------

_MARK = re.compile(r"""(?<![^\W_])[*_@^~%!?+-](?!\s)|&(?=[\#\w]|$)|<|(?<=")\:|=(?==)|\{(?=\{)|\[(?=\[)""", re.VERBOSE)
_START = re.compile(r">|\||[*#-](?=[*#-]{0,20}(?:\s|$))|-(?=--)")
_SIGN = re.compile(r"((?:h[1-6]|bq|bc|p|pre|div|fn\d+|notextile|table)[^.\s]{0,100})\.")


def write(blocks: Blocks) -> str:
    """The Textile for these blocks."""
    return "\n".join(_pieces(blocks))


def _pieces(blocks: Blocks) -> Iterator[str]:
    """Lines, and listings as one piece each: only its first line bears the marks of a quote."""
    for number, block in enumerate(blocks):
        if number:
            yield ""
        match block:
            case Paragraph(lines):
                yield from map(_said, lines)
            case Code(text):
                kept = _INNER.sub(lambda found: found[1] + _INVISIBLE, text)
                yield f"<pre>\n{kept}\n</pre>"
            case Quote(inner):
                yield from (f"> {piece}" if piece else ">" for piece in _pieces(inner))
            case Listing(items):
                yield from _listed(items)


def _listed(items: Sequence[Item]) -> Iterator[str]:
    marks = ""
    for item in items:
        marks = marks[: item.depth] + ("#" if item.ordered else "*")
        yield f"{marks} {_said(item.line)}"


def _said(line: Line) -> str:
    pieces: list[str] = []
    for span in reversed(line):  # how an address ends depends on what follows
        pieces.append(_span(span, pieces[-1] if pieces else ""))
    pieces.reverse()
    if line[0].style is Style.PLAIN and not line[0].link:
        pieces[0] = _SIGN.sub(r"\1&#46;", pieces[0], count=1) if _SIGN.match(pieces[0]) else pieces[0]
        pieces[0] = _START.sub(_number, pieces[0], count=1) if _START.match(pieces[0]) else pieces[0]
    return "".join(pieces)


def _span(span: Span, after: str) -> str:
    literal = _escaped(spelled(span))
    if span.link:
        address = span.link.replace("&", "&amp;")
        if spelled(span) == span.link:
            return address
        sure = address[-1] not in _ENDS and _ENDING.match(after)
        return f'"{_escaped(span.text).replace(chr(34), "&quot;")}":{address}' if sure else literal
    match span.style:
        case Style.BOLD:
            return f"*{_escaped(span.text)}*"
        case Style.ITALIC:
            return f"_{_escaped(span.text).replace('_', '&#95;')}_"
        case Style.CODE:
            return literal if set(span.text) & set('@<>&"') else f"@{span.text}@"
    return literal


def _escaped(text: str) -> str:
    lone = {mark for mark in "+-" if text.count(mark) == 1}
    return _MARK.sub(lambda found: found[0] if found[0] in lone else _number(found), text)


def _number(found: re.Match[str]) -> str:
    return {"<": "&lt;", ">": "&gt;", "&": "&amp;"}.get(found[0], f"&#{ord(found[0])};")
