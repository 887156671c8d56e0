"""The mappings that come with interdesk: one per product, ready to be copied and bent."""

from importlib import resources

from mappings.loader import Document, read, suggestion


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


def _read(file: str) -> Document:
    text = resources.files(__package__).joinpath(file).read_text(encoding="utf-8")
    (document,) = read(text, f"mappings/library/{file}")
    return document


def fixtures(name: str) -> tuple[Document, ...]:
    """The fixtures of a shipped mapping; none where it has none."""
    file = resources.files(__package__).joinpath("fixtures", f"{name}.fixture.yaml")
    return read(file.read_text(encoding="utf-8"), f"mappings/library/fixtures/{file.name}") if file.is_file() else ()
