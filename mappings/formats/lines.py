"""Markup in which each line says by itself what it is: Textile's and Jira's are gone through by one walk."""

from collections.abc import Callable, Iterator, Sequence

from mappings.formats.blocks import DEEPEST, Block, Code, Item, Line, Paragraph, Quote, listing_of

Source = str | tuple[str, Code]
"""A line, or what stands before a listing and the listing."""
Said = tuple[Line, ...] | Item | Paragraph | Quote
"""What a line is: lines of prose (none: it parts two paragraphs), an item of a list, or a block of its own."""


def blocks_of(
    sources: Sequence[Source], read: Callable[[str], Said], is_quote: Callable[[str], bool], depth: int = 0
) -> Iterator[Block]:
    """The blocks that these lines make; those that are quoted as in a mail are walked once more without their mark."""
    lines: list[Line] = []
    items: list[Item] = []
    at = 0

    def ended() -> Iterator[Block]:
        yield from (Paragraph(tuple(lines)),) if lines else ()
        yield from listing_of(items)
        lines.clear()
        items.clear()

    def quoted(source: Source) -> bool:
        return depth < DEEPEST and is_quote(source if isinstance(source, str) else source[0])

    while at < len(sources):
        source = sources[at]
        begins = at
        while at < len(sources) and quoted(sources[at]):
            at += 1
        if at > begins:
            yield from ended()
            inner = tuple(blocks_of([_unquoted(each) for each in sources[begins:at]], read, is_quote, depth + 1))
            yield from (Quote(inner),) if inner else ()
            continue
        at += 1
        if isinstance(source, tuple):
            yield from ended()
            yield source[1]
            continue
        said = read(source)
        if not said or isinstance(said, Paragraph | Quote) or isinstance(said, Item) != bool(items):
            yield from ended()
        if isinstance(said, Item):
            items.append(said)
        elif isinstance(said, tuple):
            lines += filter(None, said)
        else:
            yield said
    yield from ended()


def _unquoted(source: Source) -> Source:
    if isinstance(source, str):
        return source[1:].removeprefix(" ")
    return source[0][1:].removeprefix(" "), source[1]
