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
    return with_vocabulary(name)[0]


def with_vocabulary(name: str) -> tuple[Document, ...]:
    """A shipped mapping, and the vocabulary that it is proven against where one is known.

    :raises LookupError: there is none of this name; the sentence lists what there is."""
    if name not in names():
        raise LookupError(f"there is no shipped mapping {name!r}{suggestion(name, names())}")
    file = f"{name}.yaml"
    text = resources.files(__package__).joinpath(file).read_text(encoding="utf-8")
    return read(text, f"mappings/library/{file}")
