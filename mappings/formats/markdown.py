"""Markdown: CommonMark, with tables and struck-out text read as they come. HTML inside it is only text."""

import re
from collections.abc import Callable, Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token

from mappings.formats.blocks import (
    Block,
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
    listing_of,
    paragraphs,
)
from mappings.formats.ours import spelled

_NESTING = 100  # beyond it the parser drops what it finds; such a text is not read as Markdown at all
_LONGEST = 20_000
"""A paragraph of more characters is no prose: only its escapes are read, since the parser's time is not linear. Its
other marks are ours as well."""
_PLAIN = re.compile(r"(`[^`]*`)|<((?:https?|ftp)://[^<>\s]+)>|\\([!-/:-@\[-`{-~])")

_LISTS = ("bullet_list_open", "ordered_list_open")


class _Parser(MarkdownIt):
    """Addresses stay as they are written."""

    def normalizeLink(self, url: str) -> str:  # noqa: N802  # the library's name
        return url

    def normalizeLinkText(self, link: str) -> str:  # noqa: N802  # the library's name
        return link


_parser = _Parser("commonmark", {"maxNesting": _NESTING, "html": False}).enable(["table", "strikethrough"])
_parser.disable(["reference", "html_block", "html_inline"])  # a definition would vanish from the text


def read(text: str) -> Blocks:
    """The blocks of a text in Markdown."""
    tokens: list[Token] = []
    env: dict[str, object] = {}
    _parser.block.parse(text.replace("\0", "\ufffd"), _parser, env, tokens)
    if any(token.level >= _NESTING - 2 for token in tokens):
        return tuple(paragraphs(line_of([Span(line)]) for line in text.split("\n")))
    return tuple(_Reader(tokens).blocks(lambda _: False))


def write(blocks: Blocks) -> str:
    """The Markdown for these blocks."""
    return "\n\n".join(_written(blocks))


# -- reading -----------------------------------------------------------------------------------------------------------


class _Reader:
    """Goes over the tokens once."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self._at = 0

    def blocks(self, ends: Callable[[Token], bool]) -> Iterator[Block]:
        """Everything up to the token that ends it, which is taken too."""
        while self._at < len(self._tokens):
            token = self._tokens[self._at]
            self._at += 1
            if ends(token):
                return
            yield from self._block(token)

    def _block(self, token: Token) -> Iterator[Block]:
        match token.type:
            case "inline":
                yield from paragraphs(_lines(token.content))
            case "heading_open":
                lines = _lines(self._tokens[self._at].content)
                self._at += 1
                yield from paragraphs(line_of(Span(s.text, Style.BOLD, s.link) for s in line) for line in lines)
            case "fence" | "code_block":
                code = code_of(token.content)
                yield from (code,) if code else ()
            case "hr":
                yield Paragraph(((Span("---"),),))
            case "blockquote_open":
                inner = tuple(self.blocks(lambda t: t.type == "blockquote_close" and t.level == token.level))
                yield from (Quote(inner),) if inner else ()
            case "bullet_list_open" | "ordered_list_open":
                items: list[Item] = []
                yield from self._list(token, 0, items)
                yield from _gathered(items)
            case "table_open":
                yield from paragraphs(self._rows(token))

    def _list(self, opening: Token, depth: int, items: list[Item]) -> Iterator[Block]:
        """Gathers the items; yields them as soon as something stands in one that is no line of it."""
        ordered = opening.type == "ordered_list_open"
        closing = opening.type.replace("open", "close")
        fresh = False
        while self._at < len(self._tokens):
            token = self._tokens[self._at]
            self._at += 1
            if token.level == opening.level and token.type == closing:
                return
            if token.type == "list_item_open":
                fresh = True
            elif token.type == "inline" and fresh:
                fresh = False
                items.append(
                    Item(line_of(s for line in _lines(token.content) for s in (*line, Span(" "))), depth, ordered)
                )
            elif token.type in _LISTS:
                yield from self._list(token, depth + 1, items)
            else:
                for block in self._block(token):
                    yield from _gathered(items)
                    yield block

    def _rows(self, opening: Token) -> Iterator[Line]:
        cells: list[Span] = []
        while self._at < len(self._tokens):
            token = self._tokens[self._at]
            self._at += 1
            if token.type == "table_close" and token.level == opening.level:
                return
            if token.type == "inline":
                cells += [Span(" | ")] if cells else []
                cells += [span for line in _lines(token.content) for span in line] or [Span("-")]
            elif token.type == "tr_close":
                yield line_of(cells)
                cells = []


def _gathered(items: list[Item]) -> tuple[Listing, ...]:
    """What has been gathered; nothing of it is left."""
    listing = listing_of(items)
    items.clear()
    return listing


def _lines(content: str) -> list[Line]:
    if len(content) > _LONGEST:
        return [line_of([Span(line)]) for line in _PLAIN.sub(r"\1\2\3", content).split("\n")]
    tokens: list[Token] = []
    _parser.inline.parse(content, _parser, {}, tokens)
    lines: list[list[Span]] = [[]]
    styles: list[Style] = []
    link = ""
    for token in tokens:
        match token.type:
            case "softbreak" | "hardbreak":
                lines.append([])
            case "strong_open" | "em_open":
                styles.append(Style.BOLD if token.type == "strong_open" else Style.ITALIC)
            case "strong_close" | "em_close":
                styles.pop()
            case "link_open":
                link = str(token.attrs["href"])
            case "link_close":
                link = ""
            case "code_inline":
                lines[-1].append(Span(token.content, Style.PLAIN if link else Style.CODE, link))
            case "image":
                lines[-1].append(Span(f"[image: {token.content or token.attrs['src']}]"))
            case _:
                style = Style.BOLD if Style.BOLD in styles else styles[-1] if styles else Style.PLAIN
                lines[-1].append(Span(token.content, Style.PLAIN if link else style, link))
    return [line_of(line) for line in lines]


# -- writing -----------------------------------------------------------------------------------------------------------

_SPECIAL = re.compile(r"""[*`\[\]<~]|\\(?=[!-/:-@\[-`{-~]|$)|(?<![^\W_])_|_(?![^\W_])|&(?=\#?\w{1,40};)""", re.VERBOSE)
_OPENING = re.compile(r"[>|]|#{1,6}(?=\s|$)|[-+](?=[\s-]|$)|=(?==|$)|:(?=-)")
_NUMBER = re.compile(r"(\d{1,9})([.)])(?=\s|$)")


def _written(blocks: Blocks) -> Iterator[str]:
    other = False
    before: Block | None = None
    for block in blocks:
        match block:
            case Paragraph(lines):
                yield "  \n".join(map(_line, lines))
            case Code(text):
                longest = max(map(len, re.findall("`{3,}", text)), default=2)
                yield f"{'`' * (longest + 1)}\n{text}\n{'`' * (longest + 1)}"
            case Quote(inner):
                yield "\n".join(f"> {line}" for line in write(inner).split("\n"))
            case Listing(items):
                # Another mark for the item begins another list.
                other = not other if isinstance(before, Listing) else False
                yield "\n".join(_items(items, "*)" if other else "-."))
        before = block


def _items(items: Sequence[Item], marks: str) -> Iterator[str]:
    counts: list[int] = []
    indents = [0]
    for item in items:
        del counts[item.depth + 1 :], indents[item.depth + 1 :]
        counts += [0] * (item.depth + 1 - len(counts))
        counts[item.depth] += 1
        bullet = f"{counts[item.depth]}{marks[1]} " if item.ordered else f"{marks[0]} "
        yield " " * indents[-1] + bullet + _line(item.line)
        indents.append(indents[-1] + len(bullet))


def _line(spans: Line) -> str:
    first, *others = map(_span, spans)
    if spans[0].style is Style.PLAIN and not spans[0].link:
        first = _NUMBER.sub(r"\1\\\2", first, count=1) if _NUMBER.match(first) else first
        first = f"\\{first}" if _OPENING.match(first) else first
    return first + "".join(others)


def _span(span: Span) -> str:
    if span.link:
        if spelled(span) == span.link:
            return f"<{span.link}>"
        return f"[{_escaped(span.text)}]({span.link.replace('&', '&amp;')})"
    match span.style:
        case Style.CODE:
            return f"`{span.text}`"
        case Style.BOLD:
            return f"**{_escaped(span.text)}**"
        case Style.ITALIC:
            return f"*{_escaped(span.text)}*"
        case _:
            return _escaped(span.text)


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\g<0>", text)
