"""HTML, as trackers keep it: read by a scanner that takes every step once, whatever it is fed; nothing is executed.

What is no markup is text. Every tag that is not closed is closed at the end of what it stands in.
"""

import html
import re
from collections.abc import Iterator, Sequence

from mappings.formats.blocks import (
    DEEPEST,
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

_TAG = re.compile(
    r"""<(?P<end>/?)(?P<name>[a-zA-Z][a-zA-Z0-9:-]{0,40})(?P<rest>(?:[^<>"']|"[^"<>]{0,2000}"|'[^'<>]{0,2000}'){0,500})>"""
)
_ATTRIBUTE = re.compile(r"""(?<![\w-])(href|alt|src|title)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)
_SAFE = re.compile("(?:https?|ftp)://|mailto:", re.IGNORECASE)
_UNSEEN = frozenset({"head", "script", "style", "title", "template", "noscript", "object", "iframe", "svg"})
_STYLES = {
    **dict.fromkeys(("b", "strong", "th"), Style.BOLD),
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), Style.BOLD),
    **dict.fromkeys(("i", "em", "cite", "var"), Style.ITALIC),
    **dict.fromkeys(("code", "tt", "kbd", "samp"), Style.CODE),
}
_PROSE = frozenset(
    {
        *(
            "address",
            "article",
            "aside",
            "body",
            "center",
            "dd",
            "details",
            "div",
            "dl",
            "dt",
            "fieldset",
            "figcaption",
        ),
        *(
            "figure",
            "footer",
            "form",
            "h1",
            "h2",
            "h3",
            "h4",
            "h5",
            "h6",
            "header",
            "html",
            "legend",
            "main",
            "nav",
            "p",
        ),
        *("section", "summary", "table", "caption", "tbody", "thead", "tfoot"),
    }
)


def read(text: str) -> Blocks:
    """The blocks of a text in HTML."""
    reader = _Reader()
    at = 0
    while (start := text.find("<", at)) >= 0:
        reader.text(text[at:start])
        at = _step(text, start, reader)
    reader.text(text[at:])
    return reader.result()


def _step(text: str, start: int, reader: "_Reader") -> int:
    """Take in what begins with this "<"; where the next begins."""
    if text.startswith(("<!", "<?"), start):
        closing = "-->" if text.startswith("<!--", start) else ">"
        end = text.find(closing, start)
        return end + len(closing) if end >= 0 else len(text)
    tag = _TAG.match(text, start)
    if tag is None:
        reader.text("<")
        return start + 1
    name = tag["name"].lower()
    if name in _UNSEEN and not tag["end"]:
        ending = re.compile(rf"</{name}\b[^<>]{{0,100}}>", re.IGNORECASE).search(text, tag.end())
        return ending.end() if ending else len(text)
    reader.tag(name, tag["rest"], closing=bool(tag["end"]))
    return tag.end()


class _Reader:
    """Builds the blocks as the tags come by. Quotes that are open are kept on a stack of their own."""

    def __init__(self) -> None:
        self._quotes: list[list[Block]] = [[]]
        self._lines: list[list[Span]] = [[]]
        self._styles: list[str] = []
        self._link = ""
        self._lists: list[bool] = []
        self._items: list[Item] = []
        self._in_item = False
        self._code: list[str] | None = None
        self._deeper = 0

    def text(self, said: str) -> None:
        if not said:
            return
        said = html.unescape(said)
        if self._code is not None:
            self._code.append(said)
        else:
            self._lines[-1].append(Span(said, Style.PLAIN if self._link else self._style(), self._link))

    def tag(self, name: str, rest: str, *, closing: bool) -> None:
        if name == "br":
            self._break()
        elif self._code is not None and name != "pre":
            return
        elif name == "pre":
            self._preformatted(closing=closing)
        elif name == "blockquote":
            self._quote(closing=closing)
        elif name in ("ul", "ol"):
            self._list(name == "ol", closing=closing)
        elif name == "li":
            self._flush()
            self._in_item = not closing and bool(self._lists)
        elif name == "hr":
            self._flush()
            self._lines[-1].append(Span("---"))
            self._flush()
        elif name == "img" and not closing:
            self._image(rest)
        elif name in ("td", "th") and not closing and any(span.text.strip() for span in self._lines[-1]):
            self._lines[-1].append(Span(" | "))
        elif name == "tr" and any(span.text.strip() for span in self._lines[-1]):
            self._break()
        elif name == "a":
            address = "" if closing else _attribute(rest, "href")
            self._link = address if _SAFE.match(address) else ""
        if name in _PROSE:
            self._flush()
        if name in _STYLES:
            self._styled(name, closing=closing)

    def result(self) -> Blocks:
        if self._code is not None:
            self._preformatted(closing=True)
        self._flush()
        self._end_list()
        while len(self._quotes) > 1:
            self._close_quote()
        return tuple(self._quotes[0])

    def _style(self) -> Style:
        styles = {_STYLES[name] for name in self._styles[:3]}
        return next((s for s in (Style.CODE, Style.BOLD, Style.ITALIC) if s in styles), Style.PLAIN)

    def _styled(self, name: str, *, closing: bool) -> None:
        if not closing:
            self._styles.append(name)
        elif self._styles and name in self._styles[-3:]:
            while self._styles.pop() != name:
                pass

    def _break(self) -> None:
        if self._code is not None:
            self._code.append("\n")
        elif self._in_item:
            self._lines[-1].append(Span(" "))
        else:
            self._lines.append([])

    def _flush(self) -> None:
        """What stood until here is a block of its own, or the line of an item."""
        lines = [line_of(line) for line in self._lines]
        self._lines = [[]]
        if self._in_item and any(lines):
            self._items.append(Item(lines[-1], max(0, len(self._lists) - 1), self._lists[-1]))
            self._in_item = False
        elif any(lines):
            self._end_list()
            self._quotes[-1] += paragraphs(lines)

    def _image(self, rest: str) -> None:
        source = _attribute(rest, "src")
        name = "" if source.startswith("data:") else source.rsplit("/", 1)[-1][:100]
        name = _attribute(rest, "alt") or _attribute(rest, "title") or name
        self._lines[-1].append(Span(f"[image: {name}]" if name else "[image]", self._style()))

    def _preformatted(self, *, closing: bool) -> None:
        if self._code is None and not closing:
            self._flush()
            self._code = []
        elif self._code is not None and closing:
            code = code_of("".join(self._code))
            self._code = None
            if code:
                self._end_list()
                self._quotes[-1].append(code)

    def _quote(self, *, closing: bool) -> None:
        self._flush()
        self._end_list()
        if not closing and len(self._quotes) <= DEEPEST:
            self._quotes.append([])
        elif not closing:
            self._deeper += 1
        elif self._deeper:
            self._deeper -= 1
        elif len(self._quotes) > 1:
            self._close_quote()

    def _close_quote(self) -> None:
        inner = tuple(self._quotes.pop())
        self._quotes[-1] += (Quote(inner),) if inner else ()

    def _list(self, ordered: bool, *, closing: bool) -> None:
        self._flush()
        if not closing:
            if not self._lists:
                self._end_list()
            self._lists.append(ordered)
        elif self._lists:
            self._lists.pop()
            self._in_item = False
            if not self._lists:
                self._end_list()

    def _end_list(self) -> None:
        self._quotes[-1] += listing_of(self._items)
        self._items = []


def _attribute(rest: str, name: str) -> str:
    for found in _ATTRIBUTE.finditer(rest):
        if found[1].lower() == name:
            return html.unescape(found[2] or found[3] or found[4] or "").strip()
    return ""


# -- writing -----------------------------------------------------------------------------------------------------------

_ELEMENTS = {Style.BOLD: "strong", Style.ITALIC: "em", Style.CODE: "code"}


def write(blocks: Blocks) -> str:
    """The HTML for these blocks."""
    return "\n".join(map(_written, blocks))


def _written(block: Block) -> str:
    match block:
        case Paragraph(lines):
            return f"<p>{'<br>'.join(map(_line, lines))}</p>"
        case Code(text):
            return f"<pre>{html.escape(text, quote=False)}</pre>"
        case Quote(inner):
            return f"<blockquote>{write(inner)}</blockquote>"
        case Listing(items):
            return "".join(_listed(items))


def _listed(items: Sequence[Item]) -> Iterator[str]:
    open_lists: list[str] = []
    for item in items:
        name = "ol" if item.ordered else "ul"
        if len(open_lists) > item.depth:
            while len(open_lists) > item.depth + 1:
                yield f"</li></{open_lists.pop()}>"
            yield "</li>"
        else:
            open_lists.append(name)
            yield f"<{name}>"
        yield f"<li>{_line(item.line)}"
    while open_lists:
        yield f"</li></{open_lists.pop()}>"


def _line(spans: Line) -> str:
    return "".join(map(_span, spans))


def _span(span: Span) -> str:
    text = html.escape(span.text, quote=False)
    if span.link:
        return f'<a href="{html.escape(span.link)}">{text}</a>'
    element = _ELEMENTS.get(span.style)
    return f"<{element}>{text}</{element}>" if element else text
