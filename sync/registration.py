"""Documents on their way into the registry: checked against each other and against what is registered, shown as a diff,
taken in all or not at all.

A mapping of the library that a system names becomes a document of the registry as soon as it is used, and a mapping or
profile that extends another takes that along as it is now (`sync.stored`): what words mean then changes only when
somebody applies a change, never by an upgrade.
"""

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from central import registry
from central.desk.services.systems import OURSELVES, Applicant
from central.registry import System, SystemState
from central.store.api import NoSuch, Transaction
from connectors.errors import SettingsError
from connectors.registry import AnyProfile
from mappings import document as mapping_document
from mappings import library, loader
from mappings.loader import DocumentError, Problem, suggestion
from mappings.model import Place
from sync import extended, secrets, stored
from sync.config import SystemDocument, profile_document, references, system_document
from sync.sites import addresses, site

KINDS = ("system", "mapping", "profile")
"""What can be applied, each resting on those after it."""


class Connectors(Protocol):
    """What registration asks about connectors."""

    def names(self) -> Sequence[str]:
        """Every connector and profile there is."""

    def words(self, name: str, profile: AnyProfile | None = None) -> str:
        """Whose words this connector uses, as mappings name them."""

    def check(self, name: str, settings: Mapping[str, Any], system: str, profile: AnyProfile | None = None) -> None:
        """A `profile` that is registered under this name, or is about to be, goes before what is shipped.

        :raises SettingsError: with all that is wrong in these settings, secrets that are missing included."""


@dataclass(frozen=True, slots=True)
class Change:
    """What applying one document does."""

    document: loader.Document
    before: registry.Document | None
    pinned: bool = False
    """It comes from the library, because a system names it."""

    @property
    def verb(self) -> str:
        """new, changed or unchanged."""
        if self.before is None:
            return "new"
        return "unchanged" if self.before.source == stored.source(self.document) else "changed"

    @property
    def label(self) -> str:
        """Kind and name, as the commands take them."""
        return f"{self.document.kind} {self.document.name}"

    def diff(self) -> str:
        """The change as a unified diff of the texts; '' where there is none."""
        old = self.before.source if self.before else ""
        revision = f"revision {self.before.revision}" if self.before else "not registered"
        lines = difflib.unified_diff(
            old.splitlines(), stored.source(self.document).splitlines(), revision, self.document.file, lineterm=""
        )
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Applied:
    """A change that was made, with the revision it made (or found)."""

    change: Change
    revision: int


def plan(
    tx: Transaction,
    documents: Sequence[loader.Document],
    connectors: Connectors,
    applicant: Applicant = OURSELVES,
) -> tuple[Change, ...]:
    """What applying these documents together would do.

    :raises DocumentError: with all that is wrong in any of them."""
    return _Plan(tx, documents, connectors, applicant).changes()


def apply(
    tx: Transaction,
    documents: Sequence[loader.Document],
    connectors: Connectors,
    at: datetime,
    by: str,
    applicant: Applicant = OURSELVES,
) -> tuple[Applied, ...]:
    """Take these documents in, all of them; a new system begins as a draft.

    :raises DocumentError: with all that is wrong; nothing was changed."""
    applied = []
    for change in plan(tx, documents, connectors, applicant):
        document = change.document
        source, origin = stored.source(document), stored.origin(document)
        made = tx.registry.apply(document.kind, document.name, source, document.data, at, by=by, origin=origin)
        if document.kind == "system":
            tx.registry.put_system(_system(tx, document.name, made.revision))
        applied.append(Applied(change, made.revision))
    return tuple(applied)


def _system(tx: Transaction, name: str, revision: int) -> System:
    try:
        return replace(tx.registry.system(name), revision=revision)
    except NoSuch:
        return System(name, SystemState.DRAFT, revision)


class _Plan:
    """One pass over the documents: finds what is wrong, and what is to be done."""

    def __init__(
        self,
        tx: Transaction,
        documents: Sequence[loader.Document],
        connectors: Connectors,
        applicant: Applicant,
    ) -> None:
        self._tx, self._documents, self._connectors, self._applicant = tx, documents, connectors, applicant
        self._problems: list[Problem] = []
        self._mappings: dict[str, mapping_document.MappingDocument | None] = {}
        self._profiles: dict[str, AnyProfile | None] = {}
        """Those of these documents; None where one is broken."""
        self._systems: dict[str, tuple[loader.Document, SystemDocument]] = {}
        self._pinned: dict[str, loader.Document] = {}

    def changes(self) -> tuple[Change, ...]:
        self._check_kinds()
        self._lay_under()
        for document in self._of_kind("profile"):
            if document.name not in self._profiles:
                self._profiles[document.name] = self._attempt(partial(profile_document, document))
        for document in self._of_kind("mapping"):
            if document.name not in self._mappings:
                self._mappings[document.name] = self._attempt(partial(mapping_document.parse, document))
        for document in self._of_kind("system"):
            system = self._attempt(lambda document=document: system_document(document))  # type: ignore[misc]  # bound now
            if system is not None:
                self._systems[document.name] = (document, system)
        others = dict(self._registered_systems())
        for document, system in self._systems.values():
            self._check_connector(document, system)
            self._check_mapping(document, system)
            self._check_address(document)
        given = {each.name: each for each in self._of_kind("mapping")}
        for document, system in others.values():
            if system.mapping in given:
                place = given[system.mapping].place(("connector",))
                self._check_fit(document, system, self._mappings[system.mapping], place)
            if system.connector in self._profiles:
                self._check_settings_kept(document, system)
        self._check_alone({**others, **self._systems})
        if self._problems:
            raise DocumentError(dict.fromkeys(self._problems))
        ordered = sorted(self._documents, key=lambda document: KINDS[::-1].index(document.kind))
        pinned = [Change(document, None, pinned=True) for document in self._pinned.values()]
        return (*pinned, *(Change(document, self._registered(document)) for document in ordered))

    def _of_kind(self, kind: str) -> list[loader.Document]:
        return [document for document in self._documents if document.kind == kind]

    def _lay_under(self) -> None:
        """Every document with what it extends: one of these, a registered one, or one that is shipped."""
        laid = []
        for document in self._documents:
            whole = self._attempt(partial(extended.whole, document, self._documents, self._tx, self._applicant.reads))
            if whole is None:  # what is wrong with it is said, and no more
                broken: dict[str, Any] = self._mappings if document.kind == "mapping" else self._profiles
                broken[document.name] = None
            laid.append(whole or document)
        self._documents = laid

    def _attempt(self, check: Callable[[], Any]) -> Any:
        try:
            return check()
        except DocumentError as error:
            self._problems += error.problems
            return None

    def _check_kinds(self) -> None:
        seen: dict[tuple[str, str], loader.Document] = {}
        for document in self._documents:
            place = document.place(("kind",))
            if document.kind == "instance":
                sentence = "the instance's document is not applied: name its file in INTERDESK_CONFIG"
                self._problems.append(Problem(place, sentence))
            elif document.kind == "vocabulary":
                sentence = (
                    "a vocabulary is what `mapping check` proves by, and is not applied: keep it in a file of its own"
                )
                self._problems.append(Problem(place, sentence))
            elif document.kind not in KINDS:
                sentence = f"there is no kind {document.kind!r}{suggestion(document.kind, KINDS)}"
                self._problems.append(Problem(place, sentence))
            first = seen.setdefault((document.kind, document.name), document)
            if first is not document:
                sentence = f"{document.kind} {document.name} is here twice; the first is at {first.place()}"
                self._problems.append(Problem(document.place(("name",)), sentence))

    def _is_open(self, kind: str, name: str) -> bool:
        """Whether a system may rest on this registered document: its operator may read it, or it is what is shipped."""
        shipped = extended.find_shipped(kind, name)
        if shipped is not None:
            origin = stored.origin(shipped)
            if all(each.origin == origin for each in self._tx.registry.revisions(kind, name)):
                return True
        return self._applicant.reads(self._tx, kind, name)

    def _registered(self, document: loader.Document) -> registry.Document | None:
        return self._find(document.kind, document.name)

    def _find(self, kind: str, name: str) -> registry.Document | None:
        try:
            return self._tx.registry.document(kind, name)
        except NoSuch:
            return None

    def _registered_systems(self) -> Iterator[tuple[str, tuple[loader.Document, SystemDocument]]]:
        """Those that stay as they are; one that this program no longer understands counts for nothing."""
        for registered in self._tx.registry.documents("system"):
            if not any(each.name == registered.name for each in self._of_kind("system")):
                try:
                    document = stored.read_again(registered)
                    yield registered.name, (document, system_document(document))
                except DocumentError:
                    continue

    def _check_connector(self, document: loader.Document, system: SystemDocument) -> None:
        taught = {each.name for each in self._tx.registry.documents("profile")}
        hidden = {each for each in taught - set(self._profiles) if not self._is_open("profile", each)}
        names = sorted({*self._connectors.names(), *taught, *self._profiles} - hidden)
        if system.connector not in names:
            sentence = f"there is no connector {system.connector!r}{suggestion(system.connector, names)}"
            self._problems.append(Problem(document.place(("connector",)), sentence))
            return
        for path, sentence in self._wrong_settings(system):
            whole = ("settings", *path)
            place = document.place(whole) if whole in document.places else document.key_place(("settings",))
            self._problems.append(Problem(place, sentence))

    def _check_settings_kept(self, document: loader.Document, system: SystemDocument) -> None:
        """A profile that changes must still understand the systems that are registered with it."""
        for _, sentence in self._wrong_settings(system):
            profile = next(each for each in self._of_kind("profile") if each.name == system.connector)
            told = f"system {system.name}, as it is registered ({document.place()}): {sentence}"
            self._problems.append(Problem(profile.place(("settings",)), told))

    def _wrong_settings(self, system: SystemDocument) -> Sequence[tuple[tuple[str | int, ...], str]]:
        """What is wrong in a system's settings. Of a broken profile enough was said already."""
        name = system.connector
        if name in self._profiles and self._profiles[name] is None:
            return ()
        try:
            self._connectors.check(name, system.settings, system.name, self._profile(name))
        except SettingsError as error:
            return error.problems
        return ()

    def _profile(self, name: str) -> AnyProfile | None:
        """The profile of this name, as it is about to be or is registered; None: it is broken, or not an operator's."""
        registered = self._find("profile", name)
        if name in self._profiles or registered is None:
            return self._profiles.get(name)
        return profile_document(stored.read_again(registered))

    def _check_mapping(self, document: loader.Document, system: SystemDocument) -> None:
        name, place = system.mapping, document.place(("mapping",))
        if name not in self._mappings:
            registered = self._find("mapping", name)
            hidden = registered is not None and not self._is_open("mapping", name)
            if registered is not None and not hidden:
                self._mappings[name] = self._attempt(lambda: mapping_document.parse(stored.read_again(registered)))
            elif name in library.names() and not hidden:
                self._pinned[name] = library.shipped(name)
                self._mappings[name] = mapping_document.parse(self._pinned[name])
            else:
                there = {each.name for each in self._tx.registry.documents("mapping")}
                known = {each for each in there if self._is_open("mapping", each)} | set(self._mappings)
                known |= set(library.names()) - there
                sentence = f"there is no mapping {name!r}{suggestion(name, sorted(known))}"
                self._problems.append(Problem(place, sentence))
                return
        self._check_fit(document, system, self._mappings[name], place)

    def _check_fit(
        self,
        document: loader.Document,
        system: SystemDocument,
        mapping: mapping_document.MappingDocument | None,
        place: Place,
    ) -> None:
        """Whether mapping and system go together; what is wrong with a broken mapping was said already."""
        if mapping is None:
            return
        spoken = self._connectors.words(system.connector, self._profile(system.connector))
        if mapping.connector not in (system.connector, spoken):
            sentence = (
                f"mapping {mapping.name} translates for connector {mapping.connector}, "
                f"and system {system.name} uses {system.connector}"
            )
            self._problems.append(Problem(place, sentence))
        for name in system.overrides:
            if name != "otherwise" and name not in mapping.fields:
                sentence = (
                    f"a policy is given for {name!r}, which mapping {mapping.name} does not carry"
                    f"{suggestion(name, mapping.fields)}"
                )
                self._problems.append(Problem(document.key_place(("policy", name)), sentence))

    def _check_alone(self, systems: Mapping[str, tuple[loader.Document, SystemDocument]]) -> None:
        """A unit and a secret belong to one system each."""
        units: dict[str, str] = {}
        owners: dict[str, str] = {}
        for name, (document, system) in sorted(systems.items(), key=lambda item: item[0] in self._systems):
            for number, unit in enumerate(system.support_units):
                owner = units.setdefault(unit, name)
                if owner != name:
                    sentence = f"support unit {unit} belongs to {self._called(owner)} already; a unit has one system"
                    self._problems.append(Problem(document.place(("support_units", number)), sentence))
            for path, reference in _valid_references(document.data):
                owner = name if secrets.is_sealed(reference) else owners.setdefault(reference, name)
                if owner != name:
                    sentence = f"this secret is {self._called(owner)}'s; each system has its own"
                    self._problems.append(Problem(document.place((*path, "secret")), sentence))

    def _called(self, system: str) -> str:
        return f"system {system}" if self._applicant.sees(system) else "another system"

    def _check_address(self, document: loader.Document) -> None:
        """A secret that was given for one address is not taken to another unasked. A sealed one cannot be."""
        registered = self._registered(document)
        if registered is None or self._applicant.same_secret:
            return
        before = {reference for _, reference in _valid_references(registered.data.get("settings"))}
        kept = before & {reference for _, reference in _valid_references(document.data.get("settings"))}
        kept = {reference for reference in kept if not secrets.is_sealed(reference)}
        origins = {site(value) for _, value in addresses(registered.data.get("settings"))}
        for path, value in addresses(document.data.get("settings")):
            if kept and origins and site(value) not in origins:
                sentence = (
                    f"the system moves to {site(value)} and its secret would be sent there: name a new secret, "
                    "or say --same-secret if the old one is meant"
                )
                self._problems.append(Problem(document.place(("settings", *path)), sentence))


def _valid_references(data: object) -> Iterator[tuple[tuple[str | int, ...], str]]:
    for path, reference in references(data):
        if isinstance(reference, str) and not secrets.reference_problem(reference):
            yield path, reference
