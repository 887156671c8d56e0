"""Documents that extend others, with what they extend: what comes along, what is registered, or what interdesk ships.

Mappings and profiles keep the same rules (`mappings.extending`): word by word, the later one wins, null removes.
"""

from collections.abc import Callable, Iterable
from functools import cache
from importlib.resources import files

from central.store.api import NoSuch, Transaction
from mappings import extending, library, loader
from mappings.loader import Document
from sync.stored import read_again

KINDS = ("mapping", "profile")
"""What may extend another of its kind."""


def everything(tx: Transaction, kind: str, name: str) -> bool:  # noqa: ARG001  # whatever it is
    """Whoever asks may read every document."""
    return True


def whole(
    document: Document,
    beside: Iterable[Document],
    tx: Transaction | None = None,
    reads: Callable[[Transaction, str, str], bool] = everything,
) -> Document:
    """The document with all that it extends: found among those `beside` it, in the registry, or shipped.

    `reads`: which registered documents may be taken; no other is there.

    :raises DocumentError: it extends what is not there, itself, or in a circle; or it removes what is not there."""
    kind = document.kind
    if kind not in KINDS:
        return document
    given = {each.name: each for each in beside if each.kind == kind}
    names = [each.name for each in tx.registry.documents(kind)] if tx is not None else []
    registered = {name for name in names if tx is not None and reads(tx, kind, name)}

    def find(name: str) -> Document | None:
        return (
            given.get(name) or (_registered(kind, name, tx) if name in registered else None) or find_shipped(kind, name)
        )

    return extending.whole(document, find, {*given, *registered, *_names(kind)})


def _registered(kind: str, name: str, tx: Transaction | None) -> Document | None:
    if tx is None:
        return None
    try:
        return read_again(tx.registry.document(kind, name))
    except NoSuch:
        return None


def _names(kind: str) -> Iterable[str]:
    return library.names() if kind == "mapping" else _profiles()


def find_shipped(kind: str, name: str) -> Document | None:
    """A document that comes with interdesk, as it is written; None: there is none of this name."""
    if kind == "mapping":
        return library.shipped(name) if name in library.names() else None
    return _profiles().get(name)


@cache
def _profiles() -> dict[str, Document]:
    """The shipped profiles as documents: with places, and still extending what they extend."""
    found: dict[str, Document] = {}
    for each in files("connectors.profiles").iterdir():
        if each.name.endswith(".yaml"):
            (document,) = loader.read(each.read_text("utf-8"), f"connectors/profiles/{each.name}")
            found[document.name] = document
    return found
