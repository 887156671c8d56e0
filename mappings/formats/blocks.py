"""What a text is made of, whatever it is written in: blocks, their lines, and the spans of a line.

Readers give these and writers take them; nothing here knows a syntax.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

_BLANKS = re.compile("[ \t\r\n]+")


class Style(StrEnum):
    """How a span stands out. One style each: what is bold and italic there is bold here."""

    PLAIN = "plain"
    BOLD = "bold"
    ITALIC = "italic"
    CODE = "code"


class Span(NamedTuple):
    """A piece of a line. `link`: the address that it leads to; such a span is plain."""

    text: str
    style: Style = Style.PLAIN
    link: str = ""


Line = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Lines of prose. A line's end is where people put it."""

    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Code:
    """Logs, traces, listings: every character as it is."""

    text: str


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a list; `depth` 0 is the outermost."""

    line: Line
    depth: int = 0
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """A list, its inner lists included."""

    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Quote:
    """What somebody else said."""

    blocks: "tuple[Block, ...]"


Block = Paragraph | Code | Listing | Quote
Blocks = tuple[Block, ...]

DEEPEST = 8
"""Lists and quotes are told apart down to here; what lies deeper is shown at this depth."""


def line_of(spans: Iterable[Span]) -> Line:
    """The spans as one line: blanks folded to one, none of them at an end or at the edge of a style."""
    merged = _merged(spans)
    if any(style is not Style.PLAIN or link for _, style, link in merged):
        merged = _merged(_pieces(merged))
    line = [Span(_BLANKS.sub(" ", text), style, link) for text, style, link in merged]
    while line and not line[0].text.lstrip():
        line.pop(0)
    while line and not line[-1].text.rstrip():
        line.pop()
    if line:
        line[0] = line[0]._replace(text=line[0].text.lstrip())
        line[-1] = line[-1]._replace(text=line[-1].text.rstrip())
    return tuple(line)


def _merged(spans: Iterable[Span]) -> list[Span]:
    """Neighbours of one style as one, and nothing empty."""
    groups: list[tuple[list[str], Style, str]] = []
    for text, style, link in spans:
        if text and groups and groups[-1][1:] == (style, link):
            groups[-1][0].append(text)
        elif text:
            groups.append(([text], style, link))
    return [Span("".join(texts), style, link) for texts, style, link in groups]


def _pieces(spans: Iterable[Span]) -> Iterator[Span]:
    """Blanks at the edge of a style belong to nobody's style."""
    for span in spans:
        text, style, link = span
        core = text.strip(" \t\r\n")
        if (style is Style.PLAIN and not link) or not core:
            yield Span(text)
        elif core == text:
            yield span
        else:
            begin = text.index(core)
            yield Span(text[:begin])
            yield Span(core, style, link)
            yield Span(text[begin + len(core) :])


def paragraphs(lines: Iterable[Line]) -> Iterator[Paragraph]:
    """Lines as paragraphs: an empty one ends a paragraph."""
    kept: list[Line] = []
    for line in (*lines, ()):
        if line:
            kept.append(line)
        elif kept:
            yield Paragraph(tuple(kept))
            kept = []


def listing_of(items: Iterable[Item]) -> tuple[Listing, ...]:
    """The items as a list that begins at the outermost depth and goes inward step by step; none for none."""
    kept: list[Item] = []
    for item in items:
        if item.line:
            deepest = min(kept[-1].depth + 1, DEEPEST - 1) if kept else 0
            kept.append(replace(item, depth=min(item.depth, deepest)))
    return (Listing(tuple(kept)),) if kept else ()


def code_of(text: str) -> Code | None:
    """A listing without blank lines around it; None: there is nothing in it."""
    lines = [line.rstrip(" \t") for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    filled = [number for number, line in enumerate(lines) if line]
    return Code("\n".join(lines[filled[0] : filled[-1] + 1])) if filled else None


def spoken(blocks: Blocks, change: Callable[[str], str]) -> Blocks:
    """The blocks with every piece of prose changed; code and addresses stay as they are."""

    def line(spans: Line) -> Line:
        return tuple(
            span if span.style is Style.CODE or span.text == span.link else span._replace(text=change(span.text))
            for span in spans
        )

    def block(each: Block) -> Block:
        match each:
            case Paragraph(lines):
                return Paragraph(tuple(map(line, lines)))
            case Listing(items):
                return Listing(tuple(replace(item, line=line(item.line)) for item in items))
            case Quote(inner):
                return Quote(tuple(map(block, inner)))
        return each

    return tuple(map(block, blocks))
