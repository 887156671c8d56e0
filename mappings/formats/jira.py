"""Jira's wiki markup. What would be a mark has a backslash before it; {noformat} keeps every character.

Jira's {quote} does not nest: a quote within one is written as in mails, and read so everywhere.
"""

import html
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

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
_INNER = re.compile(rf"(\{{{_INVISIBLE}*)(?=noformat\}})")
_MACRO = re.compile(r"\\[\\{]|\{(?P<name>noformat|code|quote|panel)(?::(?P<settings>[^{}\n]{0,300}))?\}")
_TITLE = re.compile(r"(?:^|\|)title=([^|]+)")
_BLOCK = re.compile(r"(?:h(?P<heading>[1-6])|(?P<quote>bq))\. +(?=\S)")
_BREAK = r"\\"
_ITEM = re.compile(r"([*#-]{1,20}) +(\S.*)")
_NOTHING, _BETWEEN = (Span("-"),), (Span(" | "),)
_CELL = re.compile(r"(\|\|?)((?:\\.|\[[^\[\]\n]*\]|[^|])*)")
_ESCAPABLE = r"[!\[\]^~+?%{}()*_|@-]"  # what a backslash makes literal there; before anything else it is itself
_ADDRESS = r"""(?:https?|ftp)://[^\W_][^\s<>"`|\[\]{}\\^]*"""
_TARGET = rf"""(?:{_ADDRESS}|mailto:\w[^\s<>"`|\[\]{{}}\\^]*)"""
_SPAN = re.compile(
    rf"""\\{_ESCAPABLE}
    |(?P<bare>(?<!\w){_ADDRESS})
    |\[(?:(?P<named>[^|\[\]\n]{{1,300}})\|)?(?P<address>{_TARGET})(?:\|[^\[\]\n]{{0,300}})?\]
    |(?<!\w)!(?P<image>[^\s!|][^!|\n]{{0,300}}\.\w{{1,5}})(?:\|[^!\n]{{0,300}})?!(?!\w)
    |\{{\{{(?P<code>(?:\\.|[^\\{{}}\n])+)\}}\}}
    |\{{\*\}}(?P<bolder>[^{{}}\n]+)\{{\*\}}
    |\{{_\}}(?P<slanted>[^{{}}\n]+)\{{_\}}
    |(?<!\w)(?:
       \*(?P<bold>(?=[^\s*])(?:\\.|[^\\*\n])+(?<!\s))\*
      |_(?P<italic>(?=[^\s_])(?:\\.|[^\\_\n])+(?<!\s))_
      |\?\?(?P<cited>(?=[^\s?])(?:\\.|[^\\?\n])+(?<!\s))\?\?
    )(?!\w)""",
    re.VERBOSE,
)
_MARKED = re.compile(r"[\\\[!{*_?&]|://")
"""Without any of these a line is but its characters: most are."""
_STYLES = {
    **dict.fromkeys(("bold", "bolder"), Style.BOLD),
    **dict.fromkeys(("italic", "slanted", "cited"), Style.ITALIC),
    "code": Style.CODE,
}
_NUMBERED = r"&(?:\#\d{1,7}|\#[xX][0-9a-fA-F]{1,6}|[a-zA-Z]\w{1,30});"
_LITERAL = re.compile(rf"\\({_ESCAPABLE})|{_NUMBERED}|\{{color(?::[^{{}}\n]{{0,50}})?\}}")


class _Macro(NamedTuple):
    start: int
    end: int
    name: str
    within: str
    """A listing's text, a panel's title."""


def read(text: str) -> Blocks:
    """The blocks of a text in Jira's markup."""
    return tuple(blocks_of(list(_sources(text)), _said_by, _is_quote))


def _sources(text: str) -> Iterator[Source]:
    """The lines, where those within {quote} have the mark of a quote in a mail."""
    at, mark = 0, ""
    for macro in _macros(text):
        before = text[at : macro.start].split("\n")
        at = macro.end
        prefix = before.pop() if not before[-1].strip("> ") else ""
        yield from (mark + line for line in before)
        if macro.name == "quote":
            yield ""
            mark = "" if mark else "> "
        elif macro.name == "panel":
            yield from (mark, f"{mark}*{macro.within}*" if macro.within else mark, mark)
        else:
            code = code_of(_INNER.sub(lambda found: found[1].removesuffix(_INVISIBLE), macro.within))
            yield from ((mark + prefix, code),) if code else ()
            at += text.startswith("\n", at)
    yield from (mark + line for line in text[at:].split("\n"))


def _macros(text: str) -> list[_Macro]:
    """What stands in braces and makes blocks. What is opened and never closed is only text."""
    found: list[_Macro] = []
    endless: set[str] = set()
    at = 0
    while macro := _MACRO.search(text, at):
        at = macro.end()
        name = macro["name"] or ""
        if name in ("noformat", "code") and name not in endless:
            end = text.find(f"{{{name}}}", at)
            if end < 0:
                endless.add(name)
                continue
            within, at = text[at:end], end + len(name) + len("{}")
            found.append(_Macro(macro.start(), at, name, within))
        elif name in ("quote", "panel"):
            title = _TITLE.search(macro["settings"] or "")
            found.append(_Macro(macro.start(), at, name, title[1].strip() if title else ""))
    quotes = [number for number, each in enumerate(found) if each.name == "quote"]
    if len(quotes) % 2:
        del found[quotes[-1]]
    return found


def _said_by(source: str) -> Said:
    source = source.strip(" \t")
    item, block = _ITEM.fullmatch(source), _BLOCK.match(source)
    if not source:
        return ()
    if item:
        return Item(_line(item[2].replace(_BREAK, " ")), len(item[1]) - 1, item[1].endswith("#"))
    if block:
        return _titled(_line(source[block.end() :].replace(_BREAK, " ")), block)
    if source.startswith("|") and "|" in source[1:]:
        return (_row(source.replace(_BREAK, " ")) or _line(source),)
    return tuple(map(_line, source.split(_BREAK)))


def _titled(line: Line, block: re.Match[str]) -> Said:
    """A heading or a quote of one line."""
    paragraph = Paragraph((_bold(line) if block["heading"] else line,))
    if not line:
        return ()
    return Quote((paragraph,)) if block["quote"] else paragraph


def _row(text: str) -> Line:
    """A row of a table as a line."""
    cells = _CELL.findall(text)
    spans: list[Span] = []
    for bars, cell in cells if cells[-1][1] else cells[:-1]:
        line = (_line(cell) if cell.strip() else ()) or _NOTHING
        spans += _BETWEEN if spans else ()
        spans += _bold(line) if len(bars) > 1 else line
    return line_of(spans)


def _bold(line: Line) -> Line:
    return line_of(Span(each.text, Style.BOLD, each.link) for each in line)


def _is_quote(line: str) -> bool:
    return line.startswith(">") and not line.startswith(">>>")


def _line(text: str) -> Line:
    return line_of(_spans(text) if _MARKED.search(text) else (Span(text),))


def _spans(text: str) -> Iterator[Span]:
    at = 0
    for found in _SPAN.finditer(text):
        kind = found.lastgroup or ""
        yield Span(_literal(text[at : found.start()]))
        at = found.end()
        if kind == "address":
            address = _literal(found["address"])
            yield Span(_literal(found["named"] or address.removeprefix("mailto:")), link=address)
        elif kind == "image":
            yield Span(f"[image: {found['image'].rsplit('/', 1)[-1]}]")
        elif kind in _STYLES:
            yield Span(_literal(found[kind]), _STYLES[kind])
        else:
            yield Span(_literal(found[0]))
    yield Span(_literal(text[at:]))


def _literal(text: str) -> str:
    """The text that is seen there."""
    return _LITERAL.sub(lambda found: found[1] or html.unescape(found[0]) * found[0].startswith("&"), text)


# -- writing -----------------------------------------------------------------------------------------------------------

_MARK = re.compile(
    rf"""[\[{{]|(?<![^\W_])(?:[*_^~!+]|(?<!-)-)(?!\s)|\?(?=\?)
    |\\(?={_ESCAPABLE}|\\|$)|&(?={_NUMBERED[1:]})
    |[:;](?=-?[()PD](?!\w))|\((?=(?:[/!?xyni+*-]|\*[rgby]|on|off|flag|flagoff)\))""",
    re.VERBOSE,
)
_MEANT = re.compile(f"&(?={_NUMBERED[1:]})")
_START = re.compile(r"^(?:>|\||[*#-](?=[*#-]{0,20}(?:\s|$)))")
_SIGN = re.compile(r"^(h[1-6]|bq)\.")


def write(blocks: Blocks) -> str:
    """The markup for these blocks."""
    return "\n".join(_pieces(blocks, within=False))


def _pieces(blocks: Blocks, *, within: bool) -> Iterator[str]:
    """Lines, and listings as one piece each: only its first line bears the marks of a quote. `within`: a quote."""
    for number, block in enumerate(blocks):
        if number:
            yield ""
        match block:
            case Paragraph(lines):
                yield from map(_said, lines)
            case Code(text):
                kept = _INNER.sub(lambda found: found[1] + _INVISIBLE, text)
                yield f"{{noformat}}\n{kept}\n{{noformat}}"
            case Quote(inner) if within:
                yield from (f"> {piece}" if piece else ">" for piece in _pieces(inner, within=True))
            case Quote(inner):
                yield "\n".join(["{quote}", *_pieces(inner, within=True), "{quote}"])
            case Listing(items):
                yield from _listed(items)


def _listed(items: Sequence[Item]) -> Iterator[str]:
    marks = ""
    for item in items:
        marks = marks[: item.depth] + ("#" if item.ordered else "*")
        yield f"{marks} {_said(item.line)}"


def _said(line: Line) -> str:
    everything = "".join(span.text + span.link for span in line)
    lone = {mark for mark in "+-^~!" if everything.count(mark) == 1}  # it has nothing to pair with
    after = [span.text[:1] for span in line[1:]] + [""]
    first, *others = (_span(span, lone, following) for span, following in zip(line, after, strict=True))
    if not line[0].link and line[0].style in (Style.PLAIN, Style.BOLD):
        mark = "*" if line[0].style is Style.BOLD else ""  # with what follows it may look like an item, too
        first = mark + _START.sub(_escape, _SIGN.sub(r"\1&#46;", first[len(mark) :]))
    return "".join([first, *others])


def _span(span: Span, lone: set[str], following: str) -> str:
    text = _escaped(span.text, lone)
    if span.link:
        address = _MEANT.sub("&amp;", span.link + following).removesuffix(following)
        return address if spelled(span) == span.link else f"[{text.replace('|', '&#124;')}|{address}]"
    match span.style:
        case Style.BOLD:
            return f"*{text}*"
        case Style.ITALIC:
            within = text.replace(r"\_", "_").replace("_", r"\_")
            return f"_{within}_"
        case Style.CODE if not set(span.text) & set("{}"):
            return f"{{{{{text}}}}}"
    return _escaped(spelled(span), lone)


def _escaped(text: str, lone: set[str]) -> str:
    return _MARK.sub(lambda found: found[0] if found[0] in lone else _escape(found), text)


def _escape(found: re.Match[str]) -> str:
    """With a backslash, where Jira knows it to mean the very character, else by its number."""
    return {">": "&gt;", "&": "&amp;"}.get(found[0]) or (
        f"&#{ord(found[0])};" if found[0] in "\\#:;" else f"\\{found[0]}"
    )
