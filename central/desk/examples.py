"""Examples of mappings for whoever proves them: rights first, then the act. Nothing is kept and nothing is written."""

import re
from collections.abc import Sequence

from central.desk.documents import DocumentDesk
from central.desk.services.examples import Example, Examples, Handed, Meaning
from central.desk.systems import SystemDesk
from central.registry import Document
from central.rights import Action, Principal, demand, may
from central.store.api import NoSuch, Store

_KEY = re.compile(r"[^\s/\\?#%]{1,200}")
"""A key that could be a path leads nowhere."""


class ExampleDesk:
    """Examples, held against the mappings that whoever asks may read. Errors as of `SystemDesk` and `DocumentDesk`."""

    def __init__(self, store: Store, examples: Examples, documents: DocumentDesk, systems: SystemDesk) -> None:
        self._store, self._examples, self._documents, self._systems = store, examples, documents, systems

    def registered(self, principal: Principal) -> Sequence[Document]:
        """The current revisions of the mappings that they may read, by name."""
        self._demand(principal)
        return self._documents.list(principal, "mapping")

    def shipped(self, principal: Principal) -> Sequence[str]:
        """The mappings that come along, by name."""
        self._demand(principal)
        return self._examples.shipped()

    def fixtures(self, principal: Principal, name: str) -> str:
        """The examples that come along with one of those."""
        if name not in self.shipped(principal):
            raise NoSuch(f"no mapping {name!r} comes along")
        return self._examples.fixtures(name)

    def captured(self, principal: Principal) -> Sequence[str]:
        """The systems whose tickets they may make examples of, by name."""
        self._demand(principal)
        systems = (each.name for each in self._systems.tiles(principal))
        return [name for name in systems if self._systems.may(principal, Action.CAPTURE_RECORDS, name)]

    def replay(
        self, principal: Principal, handed: Sequence[Handed], *, by: str = "", against: str = ""
    ) -> Sequence[Example]:
        """Every example in these texts, by the mapping NAME@REVISION, or NAME as it comes along; '': by the one that
        each names.  :raises Wrong: with all that is wrong in them."""
        registered = self.registered(principal)
        one, other = self._meaning(principal, by), self._meaning(principal, against)
        return self._examples.replay(handed, registered, one, other)

    def capture(self, principal: Principal, system: str, key: str) -> str:
        """An example of a live ticket, people and texts in other words.  :raises NotNow, OutOfReach: it cannot be
        asked."""
        self._demand(principal)
        action = Action.CAPTURE_RECORDS
        self._store.read(lambda tx: self._systems.require(tx, principal, system, action))
        if not _KEY.fullmatch(key) or key in (".", ".."):
            raise NoSuch(f"there is no ticket {key!r} in {system}")
        return self._examples.capture(system, key)

    def _meaning(self, principal: Principal, named: str) -> Meaning:
        name, at, number = named.partition("@")
        if not named:
            return None
        if at and number.isascii() and number.isdigit() and len(number) < 10:
            return self._documents.show(principal, "mapping", name, int(number))
        if at or name not in self._examples.shipped():
            raise NoSuch(f"there is no mapping {named!r}")
        return name

    @staticmethod
    def _demand(principal: Principal) -> None:
        demand(may(principal, Action.PROVE_MAPPINGS), principal, Action.PROVE_MAPPINGS)
