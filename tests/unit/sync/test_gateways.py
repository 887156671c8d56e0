"""The registered systems as they run: built once per revision, never from a draft's units, closed at the end."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from central.registry import SystemState
from central.store.memory import MemoryStore
from connectors.emulators.tracker import SIMPLE, Tracker
from connectors.environment import Environment
from connectors.memory import MemoryConnector
from mappings.document import compile_mapping
from mappings.loader import read
from sync import registration
from sync.gateway import Gateway
from sync.gateways import LiveGateways, Registration, Unusable
from sync.kinds import ConnectorKinds
from sync.policy import Policy
from sync.secrets import Secrets
from sync.stored import read_again

AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
MAPPING = "kind: mapping\nname: simple\nconnector: memory\nfields:\n  subject: {remote: subject}\n"
SYSTEM = """\
kind: system
name: {name}
connector: memory
settings: {{tracker: {name}}}
mapping: simple
support_units: [{unit}]
"""


class Registry:
    """Two registered systems on trackers in memory, and what was built of them."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        trackers = {name: Tracker(lambda: AT, SIMPLE, name=name) for name in ("a", "b")}
        self.connectors = ConnectorKinds(Environment(clock=lambda: AT, trackers=trackers), Secrets({}))
        self.trackers = trackers
        self.built: list[tuple[str, int, int]] = []
        self.gateways = LiveGateways(self.store, self.build)
        self.apply(MAPPING + "---\n" + SYSTEM.format(name="a", unit="A") + "---\n" + SYSTEM.format(name="b", unit="B"))

    def build(self, it: Registration) -> Gateway:
        self.built.append((it.system.name, it.revision, it.mapping.revision))
        return Gateway(
            it.system.name,
            it.revision,
            MemoryConnector(self.trackers[it.system.name]),
            compile_mapping(read_again(it.mapping), revision=it.mapping.revision),
            Policy(),
            "TPM",
            frozenset(it.document.support_units),
        )

    def apply(self, text: str) -> None:
        documents = read(text, "x.yaml")
        self.store.write(lambda tx: registration.apply(tx, documents, self.connectors, AT, by="ops"))
        self.gateways.refresh()

    def state(self, name: str, state: SystemState) -> None:
        self.store.write(lambda tx: tx.registry.put_system(replace(tx.registry.system(name), state=state)))
        self.gateways.refresh()


@pytest.fixture
def registry() -> Registry:
    return Registry()


def test_a_gateway_is_built_once_and_anew_when_its_document_moves_on(registry: Registry) -> None:
    first = registry.gateways.get("a")
    registry.gateways.refresh()
    assert registry.gateways.get("a") is first
    registry.apply(SYSTEM.format(name="a", unit="A2"))
    assert registry.gateways.get("a").units == {"A2"}
    assert registry.built == [("a", 1, 1), ("a", 2, 1)]


def test_a_gateway_is_built_anew_when_its_mapping_moves_on(registry: Registry) -> None:
    registry.gateways.get("a")
    registry.apply(MAPPING + "  description: {remote: description}\n")
    assert set(registry.gateways.get("a").mapping.fields) == {"subject", "description"}
    assert registry.built == [("a", 1, 1), ("a", 1, 2)]


def test_a_drafts_units_get_no_tickets(registry: Registry) -> None:
    assert registry.gateways.units() == {}
    registry.state("a", SystemState.LIVE)
    assert registry.gateways.units() == {"A": "a"}
    registry.state("a", SystemState.PAUSED)
    assert registry.gateways.units() == {"A": "a"}, "what is owed to a paused system waits for it"
    assert registry.gateways.names() == ("a",)


def test_an_unknown_system_is_named(registry: Registry) -> None:
    with pytest.raises(LookupError, match="no system 'c' is registered"):
        registry.gateways.get("c")


def test_a_document_that_is_no_longer_understood_stops_its_system_only(registry: Registry) -> None:
    def spoil(tx) -> None:
        tx.registry.apply("system", "a", "kind: system\nname: a\nnewer: key\n", {}, AT, by="ops", origin="a.yaml#1")

    registry.store.write(spoil)
    registry.gateways.refresh()
    with pytest.raises(Unusable, match=r"a\.yaml:3:1: there is no key 'newer'"):
        registry.gateways.get("a")
    assert registry.gateways.get("b").system == "b"
