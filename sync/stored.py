"""Documents as the registry keeps them: the text as it was applied and, behind it, the text of all that it extends.

What a registered mapping means is thereby written in one place, and changes only when somebody applies a change: not
with the mapping that it extends, and not with the library of a newer interdesk.
"""

from central import registry
from mappings import extending, loader
from mappings.loader import Document

_DIVIDED = "---\n"


def source(document: Document) -> str:
    """Its own text, and those of what it extends as further documents."""
    return _DIVIDED.join(_texts(document))


def origin(document: Document) -> str:
    """Its file and where it begins there; with what it extends, a line for each, and where it begins in the source."""
    if not document.bases:
        return f"{document.file}#{document.first_line}"
    lines, begins = [], 0
    for each, text in zip((document, *document.bases), _texts(document), strict=True):
        lines.append(f"{each.file}#{each.first_line}#{begins}")
        begins += text.count("\n") + 1
    return "\n".join(lines)


def read_again(stored: registry.Document) -> Document:
    """A registered document with its places, as it was when it was applied.

    :raises DocumentError: this program no longer understands its text."""
    read = [loader.read(text, file, first_line=line)[0] for file, line, text in _parts(stored)]
    whole = read[-1]
    for each in read[-2::-1]:
        whole = extending.upon(each, whole)
    return whole


def as_applied(stored: registry.Document) -> str:
    """The text that was applied, without what it extends."""
    return _parts(stored)[0][2].removeprefix(_DIVIDED).rstrip() + "\n"


def _texts(document: Document) -> list[str]:
    several = [each.source for each in (document, *document.bases)]
    return [text if text.endswith("\n") else f"{text}\n" for text in several[:-1]] + several[-1:]


def _parts(stored: registry.Document) -> list[tuple[str, int, str]]:
    """File, first line and text of each document in the source."""
    if "\n" not in stored.origin:
        file, _, line = stored.origin.rpartition("#")
        return [(file, int(line), stored.source)]
    origins = [line.rsplit("#", 2) for line in stored.origin.split("\n")]
    lines = stored.source.split("\n")
    begins = [int(begin) for _, _, begin in origins]
    ends = [*(following - 1 for following in begins[1:]), len(lines)]
    return [
        (file, int(line), "\n".join(lines[begin:end]))
        for (file, line, _), begin, end in zip(origins, begins, ends, strict=True)
    ]
