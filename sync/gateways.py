"""The registered systems as they run: a gateway per system, built anew when its document or its mapping moves on,
or when the system has turned it away."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from central.registry import Document, System, SystemState
from central.store.api import NoSuch, Store, Transaction
from connectors import registry
from connectors.api import Capabilities
from connectors.profiled.profile import Hooks, Profile
from connectors.registry import AnyProfile
from mappings import model as mapping_model
from mappings.document import compile_mapping
from mappings.loader import DocumentError
from sync.config import SystemDocument, profile_document, system_document
from sync.gateway import Gateway
from sync.secrets import Whose
from sync.stored import read_again


class Unusable(LookupError):
    """A registered system cannot be used as it stands. The sentence says what to mend."""


@dataclass(frozen=True, slots=True)
class Registration:
    """Everything that a gateway is built from."""

    system: System
    document: SystemDocument
    revision: int
    mapping: Document
    profile: Document | None = None
    """How its connector is spoken, where an operator registered that; None: it comes with interdesk."""
    sealed: tuple[datetime, ...] = ()
    """When its secrets were sealed."""

    @property
    def spoken(self) -> AnyProfile | None:
        """The profile that its connector is spoken by; None: it is no profile's.

        :raises DocumentError: the registered one cannot be read any more."""
        if self.profile is not None:
            return profile_document(read_again(self.profile))
        return registry.profiles().get(self.document.connector)

    @property
    def powers(self) -> Capabilities | None:
        """What its connector can, as it is known before it is opened; None: it tells only then.

        :raises DocumentError: as `spoken`."""
        return registry.find_powers(self.document.connector, self.spoken)

    def translated(self) -> mapping_model.Mapping:
        """Its mapping, compiled.  :raises DocumentError: it cannot be read any more."""
        read = read_again(self.mapping)
        return compile_mapping(read, revision=self.mapping.revision, overrides=self.document.overrides)

    @property
    def revisions(self) -> "Revisions":
        """What tells this registration from an earlier one. Credentials are read anew after those of before were not
        accepted, and when another one was sealed."""
        profile = self.profile.revision if self.profile else 0
        return (self.revision, self.mapping.revision, profile, self.system.lockouts), self.sealed


Revisions = tuple[tuple[int, ...], tuple[datetime, ...]]


@dataclass(frozen=True, slots=True)
class Hook:
    """How a system's webhooks are verified and read."""

    secret: str
    """The reference of the key of their signature."""
    whose: Whose
    shape: Hooks


Build = Callable[[Registration], Gateway]
"""Opens the connector and compiles the mapping.  :raises Unusable: with the sentence to show."""


@dataclass(slots=True)
class _Entry:
    revisions: Revisions
    gateway: Gateway


class LiveGateways:
    """Fulfils `sync.gateway.Gateways` from the store. Thread-safe; nothing is read from the store but in `refresh`."""

    def __init__(self, store: Store, build: Build) -> None:
        self._store, self._build = store, build
        self._lock = threading.Lock()
        self._registrations: dict[str, Registration | Unusable] = {}
        self._entries: dict[str, _Entry] = {}
        self._hooks: dict[str, tuple[Revisions, Hook | None]] = {}
        self._retired: list[Gateway] = []
        self._units: Mapping[str, str] = {}

    def refresh(self) -> None:
        """Take in what is registered now."""
        registrations = self._store.read(_registrations)
        units = {
            unit: name
            for name, each in registrations.items()
            if isinstance(each, Registration) and each.system.state is not SystemState.DRAFT
            for unit in each.document.support_units
        }
        with self._lock:
            self._registrations, self._units = registrations, units

    def get(self, system: str) -> Gateway:
        """:raises LookupError: no such system, or (`Unusable`) it cannot be used as it stands."""
        registration = self.registration(system)
        with self._lock:
            entry = self._entries.get(system)
        revisions = registration.revisions
        if entry is not None and entry.revisions == revisions:
            return entry.gateway
        gateway = self._build(registration)
        with self._lock:
            entry = self._entries.get(system)
            if entry is not None and entry.revisions == revisions:  # another thread was faster
                self._retired.append(gateway)
                return entry.gateway
            if entry is not None:
                self._retired.append(entry.gateway)  # a look may still be using it
            self._entries[system] = _Entry(revisions, gateway)
        return gateway

    def registration(self, system: str) -> Registration:
        """What its gateway is built from. Nothing is opened, and no secret is asked for.

        :raises LookupError: as `get`."""
        with self._lock:
            registration = self._registrations.get(system)
        if registration is None:
            raise LookupError(f"no system {system!r} is registered")
        if isinstance(registration, Unusable):
            raise Unusable(str(registration))
        return registration

    def names(self) -> tuple[str, ...]:
        """Every registered system that is past its draft."""
        with self._lock:
            return tuple(
                sorted(
                    name
                    for name, each in self._registrations.items()
                    if isinstance(each, Unusable) or each.system.state is not SystemState.DRAFT
                )
            )

    def documents(self) -> Mapping[str, SystemDocument]:
        """The documents of the systems that can be read."""
        with self._lock:
            return {n: each.document for n, each in self._registrations.items() if isinstance(each, Registration)}

    def units(self) -> Mapping[str, str]:
        """Support unit -> the system it belongs to, drafts aside."""
        return self._units

    def webhook(self, system: str) -> Hook | None:
        """How this system's webhooks are verified; None: it sends none that we take."""
        with self._lock:
            registration = self._registrations.get(system)
            known = self._hooks.get(system)
        if not isinstance(registration, Registration) or registration.document.webhook is None:
            return None
        if known is None or known[0] != registration.revisions:
            known = self._hooks[system] = (registration.revisions, _hook(registration))
        return known[1]

    def close(self) -> None:
        """Release every connection."""
        with self._lock:
            gateways = [*self._retired, *(entry.gateway for entry in self._entries.values())]
            self._retired, self._entries = [], {}
        for gateway in gateways:
            gateway.connector.close()


def _hook(registration: Registration) -> Hook | None:
    """As the product's profile says; what the system's document says otherwise goes before that."""
    webhook = registration.document.webhook
    try:
        profile = registration.spoken
    except DocumentError:
        return None
    if webhook is None:
        return None
    taught = profile.hooks if isinstance(profile, Profile) else None
    shape = taught or Hooks()
    said = webhook.model_fields_set
    if "header" in said:
        shape = Hooks(header=webhook.header, key=shape.key)
    if webhook.timestamp is not None:
        shape = shape.model_copy(update={"timestamp": webhook.timestamp, "signs": "{timestamp}.{body}"})
    if "key" in said:
        shape = shape.model_copy(update={"key": (webhook.key,), "rows": None})
    whose = Whose.of(registration.document.name, registration.document.settings)
    return Hook(webhook.secret.secret, whose, shape)


def _registrations(tx: Transaction) -> dict[str, Registration | Unusable]:
    sealed: dict[str, tuple[datetime, ...]] = {}
    for seal in tx.seals.list():
        sealed[seal.system] = (*sealed.get(seal.system, ()), seal.sealed_at)
    return {each.name: _registration(tx, each, sealed.get(each.name, ())) for each in tx.registry.systems()}


def _registration(tx: Transaction, system: System, sealed: tuple[datetime, ...]) -> Registration | Unusable:
    """What is registered under this name; a document that an upgrade no longer understands stops its system only."""
    try:
        stored = tx.registry.document("system", system.name)
        document = system_document(read_again(stored))
        mapping = tx.registry.document("mapping", document.mapping)
    except (NoSuch, DocumentError) as problem:
        return Unusable(str(problem))
    profile = profile_of(tx, document.connector)
    return Registration(system, document, stored.revision, mapping, profile, sealed)


def profile_of(tx: Transaction, connector: str) -> Document | None:
    """The profile that is registered under this connector's name; None: it comes with interdesk."""
    try:
        return tx.registry.document("profile", connector)
    except NoSuch:
        return None
