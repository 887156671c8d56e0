"""Our text: what people wrote, with the few marks that they mean by themselves.

    Paragraphs, **bold**, *italic*, `code`, https://example.org and [a name](https://example.org).

    - lists, with two blanks before an inner one
    1. and numbered ones that count from 1

    > quotes, as in mails

    ```
    fences around what must stay as it is
    ```

Each has one spelling; everything else is literal, and nothing is ever escaped. Lines that machines wrote (they begin
with a blank, a time, "Traceback", "at x(y)", ">>>", or hold a tab or columns) are kept as they are without a fence,
with the whole run of lines that they stand in.
"""

import re
from bisect import bisect_right
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
)

_FENCE = re.compile("(`{3,})[A-Za-z0-9_+#.-]{0,30}")
_FENCES = re.compile("^`{3,}", re.MULTILINE)
_ITEM = re.compile(rf"((?:  ){{0,{DEEPEST - 1}}})(?:-|([1-9][0-9]{{0,3}})\.) +(\S.*)")
_MACHINE = re.compile(
    r"""\s|.*(?:\t|[ ]{3})|>>>|Traceback\ \(most|Caused\ by:\ |at\ [\w.$<>/]+\(|<\d{1,3}>
    |\[?(?:\w{3}\ )?(?:\d{4}[-/.]\d\d[-/.]\d\d|\d\d/\w{3}/\d{4}|\w{3}\ [ \d]\d)[T :]\d\d:\d\d|\[?\d\d:\d\d:\d\d""",
    re.VERBOSE,
)
_BEFORE, _AFTER = r"""(?<![^ (\["'{])""", r"""(?![^ )\]"'}.,;:!?])"""
_ADDRESS = r"""(?:https?|ftp)://[^\W_][^\s<>"`|\[\]{}\\^]*"""
_TARGET = r"""(?:(?:https?|ftp)://[^\W_]|mailto:\w)[^\s<>()"`|\[\]{}\\^]*"""
_SPAN = re.compile(
    rf"""(?P<bare>(?<!\w){_ADDRESS})
    |{_BEFORE}(?:
      \[(?P<named>[^\s\[\]](?:[^\[\]\n]{{0,300}}[^\s\[\]])?)\]\((?P<address>{_TARGET})\)
      |(?:\*\*(?P<bold>[^\s*](?:[^*\n]*[^\s*])?)\*\*
         |\*(?P<italic>[^\s*](?:[^*\n]*[^\s*])?)\*
         |`(?P<code>[^\s`](?:[^`\n]*[^\s`])?)`){_AFTER})""",
    re.VERBOSE,
)
_MARKED = re.compile(r"[*`\[]|://")
"""Without any of these a line is but its characters: most are."""
_MARKS = {Style.PLAIN: "", Style.BOLD: "**", Style.ITALIC: "*", Style.CODE: "`"}


def read(text: str) -> Blocks:
    """The blocks of a text of ours, which has LF line ends and no trailing blanks."""
    return tuple(_blocks([line.rstrip() for line in text.split("\n")], 0))


def write(blocks: Blocks) -> str:
    """The text of ours for these blocks."""
    fence = "`" * max(3, _loose(blocks) + 1)
    pieces: list[str] = []
    before: Block | None = None
    bare = False
    for block in blocks:
        if pieces:
            pieces.append("\n" if _introduces(before, block) else "\n\n")
        bare = isinstance(block, Code) and not bare and fence == "```" and read(block.text) == (block,)
        pieces.append(_written(block, "" if bare else f"{fence}\n"))
        before = block
    return "".join(pieces)


def spelled(span: Span) -> str:
    """A span as we write it, wherever it stands."""
    if span.link:
        return span.link if span.text == span.link and _is_bare(span.link) else f"[{span.text}]({span.link})"
    return f"{_MARKS[span.style]}{span.text}{_MARKS[span.style]}"


# -- reading -----------------------------------------------------------------------------------------------------------


def _blocks(lines: Sequence[str], depth: int) -> Iterator[Block]:
    fences = _closed_fences(lines)
    machine: tuple[int, int] | None = None  # where the last thing read is a bare listing: its lines
    at = 0
    while at < len(lines):
        if not lines[at]:
            at += 1
            continue
        if at in fences:
            if machine:
                yield Code("\n".join(lines[slice(*machine)]))
                machine = None
            code = code_of("\n".join(lines[at + 1 : fences[at]]))
            yield from (code,) if code else ()
            at = fences[at] + 1
            continue
        end = at + 1
        quoted = _is_quote(lines[at], depth)
        while end < len(lines) and lines[end] and end not in fences and _is_quote(lines[end], depth) == quoted:
            end += 1
        listed = end if quoted else _list_start(lines, at, end)
        is_machine = not quoted and any(_MACHINE.match(line) for line in lines[at:listed])
        if is_machine:
            machine = (machine[0] if machine else at, listed)
        if machine and (not is_machine or listed < end):
            yield Code("\n".join(lines[slice(*machine)]))
            machine = None
        if quoted:
            inner = tuple(_blocks([_unquoted(line) for line in lines[at:end]], depth + 1))
            yield Quote(inner) if inner else Paragraph(tuple(map(_line, lines[at:end])))
        elif listed > at and not is_machine:
            yield Paragraph(tuple(map(_line, lines[at:listed])))
        if listed < end:
            yield Listing(tuple(_item(line) for line in lines[listed:end]))
        at = end
    if machine:
        yield Code("\n".join(lines[slice(*machine)]))


def _closed_fences(lines: Sequence[str]) -> dict[int, int]:
    """Where a fence opens: where it closes. One that never closes is only text."""
    found = {number: fence for number, line in enumerate(lines) if (fence := _FENCE.fullmatch(line))}
    closing: dict[int, list[int]] = {}
    for number, fence in found.items():
        if fence[0] == fence[1]:
            closing.setdefault(len(fence[1]), []).append(number)
    fences: dict[int, int] = {}
    at = -1
    for number, fence in found.items():
        ends = closing.get(len(fence[1]), [])
        later = bisect_right(ends, number)
        if number <= at or later == len(ends):
            continue
        fences[number] = at = ends[later]
    return fences


def _is_quote(line: str, depth: int) -> bool:
    return depth < DEEPEST and line.startswith(">") and not line.startswith(">>>")


def _unquoted(line: str) -> str:
    return line[1:].removeprefix(" ")


def _list_start(lines: Sequence[str], begin: int, end: int) -> int:
    """Where the list begins with which these lines end; `end`: with none."""
    start, items = end, list[re.Match[str]]()
    while start > begin and (item := _ITEM.fullmatch(lines[start - 1])):
        items.append(item)
        start -= 1
    counts: list[int | None] = []  # per depth: the last number, None for a bullet
    for item in reversed(items):
        depth, number = len(item[1]) // 2, int(item[2]) if item[2] else None
        if depth > len(counts):
            return end
        before = counts[depth] if depth < len(counts) else 0
        if number != (None if before is None else before + 1) and not (depth == len(counts) and number is None):
            return end
        counts[depth:] = [number]
    return start


def _item(line: str) -> Item:
    item = _ITEM.fullmatch(line)
    assert item is not None
    return Item(_line(item[3]), len(item[1]) // 2, ordered=item[2] is not None)


def _line(text: str) -> Line:
    return line_of(_spans(text) if _MARKED.search(text) else (Span(text),))


def _spans(text: str) -> Iterator[Span]:
    at = 0
    while found := _SPAN.search(text, at):
        start, end = found.span()
        kind = found.lastgroup or ""
        if kind == "bare":
            address = _trimmed(found["bare"])
            span, end = Span(address, link=address), start + len(address)
        elif kind == "address":
            span = Span(found["named"], link=found["address"])
        else:
            span = Span(found[kind], Style(kind))
        yield Span(text[at:start])
        yield span
        at = end
    yield Span(text[at:])


def _trimmed(address: str) -> str:
    """Without what ends the sentence around it."""
    return address.rstrip(".,;:!?'*_~" if "(" in address else ".,;:!?'*_~)")


def _is_bare(address: str) -> bool:
    found = _SPAN.match(address)
    return found is not None and found["bare"] == address == _trimmed(address)


# -- writing -----------------------------------------------------------------------------------------------------------


def _introduces(before: Block | None, block: Block) -> bool:
    """A line that ends in a colon stands right above the list or quote that it announces."""
    if not isinstance(before, Paragraph) or not isinstance(block, Listing | Quote):
        return False
    line = _spelled(before.lines[-1])
    return line.endswith(":") and not _ITEM.fullmatch(line)


def _loose(blocks: Blocks) -> int:
    """The longest fence that stands in a text and is none: ours must not pair with it. 0: there is none."""
    found = [0]
    for block in blocks:
        text = block.text if isinstance(block, Code) else "\n".join(map(_spelled, getattr(block, "lines", ())))
        found += map(len, _FENCES.findall(text))
    return max(found)


def _written(block: Block, fence: str) -> str:
    match block:
        case Paragraph(lines):
            return "\n".join(map(_spelled, lines))
        case Code(text):
            return f"{fence}{text}\n{fence}".strip("\n") if fence else text
        case Quote(inner):
            return "\n".join(f"> {line}".rstrip(" ") for line in write(inner).split("\n"))
        case Listing(items):
            return "\n".join(_listed(items))


def _listed(items: Sequence[Item]) -> Iterator[str]:
    counts: list[int] = []
    for item in items:
        del counts[item.depth + 1 :]
        counts += [0] * (item.depth + 1 - len(counts))
        counts[item.depth] += 1
        bullet = f"{counts[item.depth]}." if item.ordered else "-"
        yield f"{'  ' * item.depth}{bullet} {_spelled(item.line)}"


def _spelled(line: Line) -> str:
    """The line, with marks only where they would be read as such."""
    written = ""
    for number, span in enumerate(line):
        marked = spelled(span)
        after = line[number + 1].text[:1] if number + 1 < len(line) else ""
        found = (
            _SPAN.match(written[-1:] + marked + after, len(written[-1:])) if marked != span.text or span.link else None
        )
        written += marked if found and found.end() - len(written[-1:]) >= len(marked) else _stated(span)
    return written


def _stated(span: Span) -> str:
    """A span without its marks; an address is never lost."""
    return f"{span.text} <{span.link}>" if span.link and span.link != span.text else span.text
