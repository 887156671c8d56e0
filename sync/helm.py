"""What people do to registered systems: the documents they apply, the life they give them, the stop button.

The command line and the desk both come through here, so that an act is one act, with its entry in the audit log.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from central.audit import Entry
from central.desk.services.errors import NotNow, OutOfReach, Wrong
from central.desk.services.systems import OURSELVES, Applicant, DocumentChange, Draft
from central.registry import Maintenance
from central.store.api import NoSuch, Transaction
from connectors.errors import AccessError, ConnectorError
from mappings import loader
from sync import access, checks, live, registration, signing
from sync.bootstrap import Interdesk
from sync.config import references
from sync.gateways import Unusable
from sync.guards import release as quarantine
from sync.registration import Applied, Change
from sync.secrets import Whose
from sync.stored import read_again

HANDED_IN = "document"
"""What a text is called in the places of what is wrong, where it came without a file."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """What became of a secret that was handed in."""

    origin: str
    """Where it may be sent."""
    told: str
    """What to tell of the key, where one was made."""
    readmitted: tuple[str, ...]
    """The systems that are tried again with it."""


class Helm:
    """Steers the registered systems. Fulfils `central.desk.services.systems.Systems`."""

    def __init__(self, interdesk: Interdesk) -> None:
        self._interdesk = interdesk

    def drafts(self, text: str) -> Sequence[Draft]:
        """The documents in this text.  :raises Wrong: it is no YAML, or holds no documents."""
        with told():
            return [_draft(each) for each in loader.read(text, HANDED_IN)]

    def users(self, tx: Transaction, kind: str, name: str) -> frozenset[str]:
        """The registered systems that this mapping or profile is used by."""
        key = {"mapping": "mapping", "profile": "connector"}.get(kind)
        systems = tx.registry.documents("system") if key else ()
        return frozenset(each.name for each in systems if key and each.data.get(key) == name)

    def plan(self, text: str, applicant: Applicant = OURSELVES) -> Sequence[DocumentChange]:
        """What applying these documents together would do.  :raises Wrong: with all that is wrong."""
        with told():
            read = loader.read(text, HANDED_IN)
            desk = self._interdesk
            desk.sealing.refresh()
            changes = desk.store.read(lambda tx: registration.plan(tx, read, desk.connectors, applicant))
        return [_change(each) for each in changes]

    def apply(self, text: str, by: str, applicant: Applicant = OURSELVES) -> Sequence[DocumentChange]:
        """Take these documents in, all of them or none.  :raises Wrong: with all that is wrong."""
        with told():
            read = loader.read(text, HANDED_IN)
            applied, _ = self.take_in(lambda _: read, by, applicant)
        return [_change(each.change, each.revision) for each in applied]

    def roll_back(
        self, kind: str, name: str, revision: int, by: str, applicant: Applicant = OURSELVES
    ) -> Sequence[DocumentChange]:
        """An earlier revision becomes the newest one.  :raises NoSuch: there is none.  :raises Wrong: as `plan`."""
        with told():
            applied, _ = self.take_in(
                lambda tx: [read_again(tx.registry.document(kind, name, revision))], by, applicant
            )
        return [_change(each.change, each.revision) for each in applied]

    def take_in(
        self,
        documents: Callable[[Transaction], Sequence[loader.Document]],
        by: str,
        applicant: Applicant = OURSELVES,
    ) -> tuple[Sequence[Applied], Sequence[str]]:
        """Apply documents, and let those systems try again that had turned us away and have other credentials now.

        Answers what was applied, and who tries again.  :raises DocumentError: with all that is wrong."""
        desk = self._interdesk

        def change(tx: Transaction) -> Sequence[Applied]:
            at = desk.clock()
            applied = registration.apply(tx, documents(tx), desk.connectors, at, by, applicant)
            for each in applied:
                if each.change.verb != "unchanged":
                    kind = each.change.document.kind
                    tx.audit.record(
                        Entry(at, by, f"apply a {kind}", each.change.document.name, {"revision": each.revision})
                    )
            return applied

        desk.sealing.refresh()
        applied = desk.store.write(change)
        desk.gateways.refresh()
        return applied, access.readmit(desk.store, desk.gateways, desk.clock(), by)

    def settings(self, name: str) -> Mapping[str, Any]:
        """What the registered system's document says of how it is reached.  :raises NotNow: there is none yet."""

        def question(tx: Transaction) -> Mapping[str, Any]:
            found: Mapping[str, Any] = tx.registry.document("system", name).data["settings"]
            return found

        try:
            return self._interdesk.store.read(question)
        except NoSuch:
            raise NotNow(f"there is no system {name!r} yet: say with --for where its secret may be sent") from None

    def seal(self, system: str, name: str, value: str, by: str, *, settings: Mapping[str, Any]) -> Sealed:
        """Keep a secret of a system for where these settings lead, and try the system again where it was turned away.

        :raises NotSealed, NoKey: it cannot be kept."""
        desk, whose = self._interdesk, Whose.of(system, settings)
        told = desk.sealing.seal(whose, name, value, by)
        desk.gateways.refresh()
        return Sealed(whose.origin, told, access.readmit(desk.store, desk.gateways, desk.clock(), by))

    def check(self, name: str) -> Mapping[str, Any]:
        """Prove a registration against the live system, by reading only.  :raises NoSuch, Wrong: of its documents."""
        desk = self._interdesk

        def wanted(tx: Transaction) -> Sequence[loader.Document]:
            live.registered(tx, name)
            return (read_again(tx.registry.document("system", name)),)

        with told():
            desk.sealing.refresh()
            return checks.check(desk, desk.store.read(wanted))[0].plain()

    def go_live(self, name: str, by: str) -> None:
        """Let it take part.  :raises NotNow, OutOfReach: it cannot now; somebody is still to sign what is lost, too."""
        with told():
            signing.demand(self._interdesk, name)
            live.go_live(self._interdesk, name, by)

    def unsigned(self, name: str) -> Sequence[str]:
        """The sides that have not signed what is lost in its translation, where it is not live yet.

        :raises NoSuch: it is not registered.  :raises NotNow: its documents do not work as they stand."""
        with told():
            return signing.unsigned(self._interdesk, name)

    def go_into_shadow(self, name: str, by: str) -> None:
        """Compute every write to and from it, and make none.  :raises NotNow, OutOfReach: it cannot now."""
        with told():
            live.go_into_shadow(self._interdesk, name, by)

    def pause(self, name: str, by: str, why: str = "") -> None:
        """Stop its traffic both ways; what is owed waits.  :raises NotNow: it is a draft."""

        def change(tx: Transaction) -> None:
            live.pause(tx, name, f"paused by {by}{f': {why}' if why else ''}")
            tx.audit.record(Entry(self._interdesk.clock(), by, "pause", name, {"why": why}))

        self._interdesk.store.write(change)

    def resume(self, name: str, by: str) -> None:
        """Take up its traffic where it was left.  :raises NotNow: it was never live, or is in quarantine."""

        def change(tx: Transaction) -> None:
            live.resume(tx, name)
            tx.audit.record(Entry(self._interdesk.clock(), by, "resume", name))

        self._interdesk.store.write(change)

    def announce_maintenance(self, name: str, begins_at: datetime | None, ends_at: datetime, by: str, why: str) -> None:
        """Nothing is written to it and nobody is alarmed from then (None: now) to then.

        :raises NotNow: it is a draft, or this is no window."""
        at = self._interdesk.clock()
        window = Maintenance(begins_at or at, ends_at, by, why)
        self._interdesk.store.write(lambda tx: live.announce_maintenance(tx, name, window, at))

    def end_maintenance(self, name: str, by: str) -> None:
        """The work is over early.  :raises NotNow: none is announced or under way."""

        def change(tx: Transaction) -> None:
            live.end_maintenance(tx, name, self._interdesk.clock(), by)
            self._interdesk.means.relay.wake(tx, name)

        self._interdesk.store.write(change)

    def release(self, name: str, by: str, *, take_theirs: bool = False) -> str:
        """Take up a quarantined system again.  :raises NotNow: nobody has decided yet.  :raises OutOfReach: it is."""
        with told():
            return quarantine.release(self._interdesk, name, by, take_theirs=take_theirs)

    def stop_all(self, by: str, why: str = "") -> None:
        """Nothing is written to any system from now on."""
        self._interdesk.store.write(lambda tx: live.stop_all(tx, self._interdesk.clock(), by, why))

    def let_go(self, by: str) -> None:
        """Let go of the stop button.  :raises NotNow: nobody pressed it."""
        self._interdesk.store.write(lambda tx: live.let_go(tx, self._interdesk.clock(), by))


@contextmanager
def told() -> Iterator[None]:
    """Says in the desk's words what went wrong."""
    try:
        yield
    except loader.DocumentError as error:
        raise Wrong((str(each.place), each.sentence) for each in error.problems) from None
    except (Unusable, AccessError) as error:  # it did answer: what it says is to be mended first
        raise NotNow(str(error)) from None
    except ConnectorError as error:
        raise OutOfReach(str(error)) from None


def _draft(document: loader.Document) -> Draft:
    units = document.data.get("support_units")
    named = (reference for _, reference in references(document.data))
    return Draft(document.kind, document.name, _texts(units), _texts(list(named)))


def _texts(given: object) -> frozenset[str]:
    """The texts in this list; what else is in it is said to be wrong elsewhere."""
    return frozenset(each for each in given if isinstance(each, str)) if isinstance(given, Iterable) else frozenset()


def _change(change: Change, revision: int | None = None) -> DocumentChange:
    document = change.document
    return DocumentChange(document.kind, document.name, change.verb, change.diff(), change.pinned, revision)
