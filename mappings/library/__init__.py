"""The mappings that come with interdesk: one per product, ready to be copied and bent."""

from importlib import resources
from pathlib import Path

from mappings.loader import Document, DocumentError, Place, Problem, read, suggestion


def names() -> tuple[str, ...]:
    """Every shipped mapping, by name."""
    files = resources.files(__package__).iterdir()
    return tuple(sorted(file.name.removesuffix(".yaml") for file in files if file.name.endswith(".yaml")))


def shipped(name: str) -> Document:
    """A shipped mapping's document.

    :raises LookupError: there is none of this name; the sentence lists what there is."""
    if name not in names():
        raise LookupError(f"there is no shipped mapping {name!r}{suggestion(name, names())}")
    return _read(f"{name}.yaml")


def with_vocabulary(name: str) -> tuple[Document, Document]:
    """A shipped mapping, and the vocabulary that it is proven against: what the product says and does as it comes.

    :raises LookupError: there is none of this name; the sentence lists what there is."""
    return shipped(name), _read(f"vocabularies/{name}.yaml")


def ensure_there(name: str) -> None:
    """What looks like the name of a mapping is a file, or one that is shipped.

    :raises DocumentError: it is neither; the sentence has the nearest name."""
    if "/" in name or "." in name or not name or name in names() or Path(name).exists():
        return
    sentence = f"there is no such file, and no mapping of this name comes along{suggestion(name, names())}"
    raise DocumentError([Problem(Place(name, 1, 1), sentence)])


def _read(file: str) -> Document:
    text = resources.files(__package__).joinpath(file).read_text(encoding="utf-8")
    (document,) = read(text, f"mappings/library/{file}")
    return document


def fixtures(name: str) -> tuple[Document, ...]:
    """The fixtures of a shipped mapping; none where it has none."""
    file = resources.files(__package__).joinpath("fixtures", f"{name}.fixture.yaml")
    return read(file.read_text(encoding="utf-8"), f"mappings/library/fixtures/{file.name}") if file.is_file() else ()
