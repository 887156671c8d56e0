"""An interdesk on its embedded default, with emulated trackers around it: what the benchmarks measure."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

from mappings import loader
from sync import registration
from sync.bench.progress import Pace, tell
from sync.bench.sides import Address
from sync.bootstrap import Interdesk
from sync.live import go_live
from sync.settings import Settings

PATIENCE = 120.0
"""Seconds that what is awaited may take."""
HOOK_KEY = "webhook-key"
OVERLAP = "5m"
"""How far each poll reaches back, unless said otherwise."""
_SYSTEM = """\
kind: system
name: {name}
connector: plain
settings: {{url: "{url}", key: {{secret: "env:INTERDESK_SECRET_{upper}"}}}}
mapping: plain
support_units: [{upper}]
birth_unit: {birth}
poll: {{every: "{every}", overlap: "{overlap}"}}
limits: {{in_flight: {in_flight}}}
guard: {{changes: 10000000, closings: 10000000, losses: 10000000}}
webhook: {{secret: {{secret: "env:INTERDESK_SECRET_{upper}_WEBHOOK"}}}}
"""


def unit_of(system: str) -> str:
    """The support unit whose tickets live there."""
    return system.upper()


def own_settings(settings: Settings, folder: Path, addresses: Mapping[str, Address]) -> Settings:
    """The settings of an interdesk of its own in this folder, with the keys of these trackers."""
    environ = {f"INTERDESK_SECRET_{name.upper()}": address.key for name, address in addresses.items()}
    environ |= {f"INTERDESK_SECRET_{name.upper()}_WEBHOOK": HOOK_KEY for name in addresses}
    instance = settings.instance.model_copy(update={"allowed_networks": (ip_network("127.0.0.0/8"),)})
    return replace(
        settings,
        state=folder,
        database=f"sqlite:///{folder / 'interdesk.db'}",
        port=0,
        instance=instance,
        environ=environ,
    )


def documents_of(
    addresses: Mapping[str, Address],
    *,
    every: str,
    overlap: str = OVERLAP,
    in_flight: int,
    births: Mapping[str, str] | None = None,
) -> str:
    """The documents that register these trackers."""
    kept = births or {}
    return "---\n".join(
        _SYSTEM.format(
            name=name,
            upper=unit_of(name),
            url=address.url,
            birth=unit_of(kept[name]) if name in kept else "TPM",
            every=every,
            overlap=overlap,
            in_flight=in_flight,
        )
        for name, address in addresses.items()
    )


@contextmanager
def opened(
    settings: Settings,
    folder: Path,
    addresses: Mapping[str, Address],
    *,
    every: str = "1h",
    overlap: str = OVERLAP,
    in_flight: int = 2,
    births: Mapping[str, str] | None = None,
    before_live: Callable[[Interdesk], None] | None = None,
) -> Iterator[Interdesk]:
    """An interdesk with these systems registered and live; `before_live` may fill its store first.

    `births`: the system that keeps what is born in another one."""
    text = documents_of(addresses, every=every, overlap=overlap, in_flight=in_flight, births=births)
    with Interdesk(own_settings(settings, folder, addresses), exclusive=True) as desk:
        bring_to_life(desk, text, addresses, before_live)
        yield desk


def bring_to_life(
    desk: Interdesk, text: str, systems: Iterable[str], before_live: Callable[[Interdesk], None] | None
) -> None:
    """Register these systems by their documents, and let them go live."""
    tell("the systems are registered")
    documents = loader.read(text, "bench.yaml")
    desk.store.write(lambda tx: registration.apply(tx, documents, desk.connectors, desk.clock(), by="bench"))
    desk.gateways.refresh()
    if before_live is not None:
        before_live(desk)
    pace = Pace("the systems go live")
    for name in systems:
        go_live(desk, name)
        pace.tell()


def until(
    condition: Callable[[], bool],
    what: str,
    *,
    patience: float = PATIENCE,
    so_far: Callable[[], float] | None = None,
) -> None:
    """Wait for it. `so_far`: which part of it has come to be.  :raises TimeoutError: it does not come to be."""
    deadline, pace = time.monotonic() + patience, Pace(what)
    while not condition():
        pace.tell(so_far)
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {patience:.0f} s")
        time.sleep(0.01)
