"""What a registered system says of itself, for `mapping check --system`."""

from central.registry import Document as Registered
from central.store.api import Transaction
from mappings.loader import Document
from sync import live
from sync.cli.session import Session
from sync.config import profile_document, system_document
from sync.gateways import profile_of
from sync.spoken import Spoken, listen
from sync.stored import read_again


def hear(session: Session, system: str) -> tuple[Document, Spoken]:
    """The mapping of a registered system, and what that says of itself."""
    with session.interdesk() as desk:
        stored = desk.store.read(lambda tx: _registered(tx, system))
        registered, own = system_document(read_again(stored[0])), read_again(stored[1])
        taught = desk.store.read(lambda tx: profile_of(tx, registered.connector))
        profile = profile_document(read_again(taught)) if taught else None
        connector = desk.connectors.open(registered.connector, registered.settings, system, profile=profile)
        try:
            words = desk.connectors.words(registered.connector, profile)
            return own, listen(system, words, connector, registered.overrides)
        finally:
            connector.close()


def _registered(tx: Transaction, system: str) -> tuple[Registered, Registered]:
    live.registered(tx, system)
    document = tx.registry.document("system", system)
    return document, tx.registry.document("mapping", system_document(read_again(document)).mapping)
