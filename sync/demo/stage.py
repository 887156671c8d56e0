"""The stage: an RT and a Redmine that speak real HTTP on loopback, and an interdesk between them."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from ipaddress import ip_network
from pathlib import Path
from secrets import token_hex

from central.store.sql import sqlite
from connectors.emulators.redmine import RedmineEmulator
from connectors.emulators.rt import RtEmulator
from connectors.emulators.server import Emulator
from mappings import loader
from sync import registration
from sync.bootstrap import Interdesk
from sync.live import go_live
from sync.serving import Server
from sync.settings import Settings, utc_now

RT, REDMINE = "ngi-cz", "ngi-pl"
ACCOUNT = "ggus-sync"
"""Who we are in both trackers."""

_SYSTEMS = """\
kind: system
name: ngi-cz
connector: rt
settings: {{url: "{rt.url}", queue: {rt.queue}, token: {{secret: "env:INTERDESK_SECRET_NGI_CZ"}}}}
mapping: rt
support_units: [NGI_CZ]
poll: {{every: 1s}}
webhook: {{secret: {{secret: "env:INTERDESK_SECRET_NGI_CZ_WEBHOOK"}}, key: ticket}}
contacts: [ops@example.cz]
---
kind: system
name: ngi-pl
connector: redmine
settings: {{url: "{redmine.url}", project: {redmine.project}, api_key: {{secret: "env:INTERDESK_SECRET_NGI_PL"}}}}
mapping: redmine
support_units: [NGI_PL]
poll: {{every: 1s}}
webhook: {{secret: {{secret: "env:INTERDESK_SECRET_NGI_PL_WEBHOOK"}}, key: issue}}
contacts: [ops@example.pl]
"""


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that plays."""

    desk: Interdesk
    rt: RtEmulator
    redmine: RedmineEmulator
    address: str
    """The status page."""

    @property
    def trackers(self) -> dict[str, Emulator]:
        """The emulators, by the name of their system."""
        return {RT: self.rt, REDMINE: self.redmine}


@contextmanager
def stage(settings: Settings, prepared: Callable[[Interdesk], None]) -> Iterator[Stage]:
    """Set up afresh in a `demo` folder of the state, and begin to synchronise. `prepared` is told before that.

    :raises Busy: another demo is on."""
    settings = _own(settings)
    _clear(settings.database)
    secrets = {name: token_hex(16) for name in (RT, REDMINE)}
    rt = RtEmulator(utc_now, people={"alice": "Alice Nováková"})
    redmine = RedmineEmulator(utc_now, people=("Bob Nowak",))
    with (
        rt,
        redmine,
        Interdesk(replace(settings, environ=_environ(rt, redmine, secrets)), exclusive=True) as desk,
        Server(desk) as server,
    ):
        prepared(desk)
        # going live leaves alone what is there already
        redmine.tracker.person("Bob Nowak").open(subject="Replace the switch in rack 7")
        documents = loader.read(_SYSTEMS.format(rt=rt, redmine=redmine), "demo.yaml")
        desk.store.write(lambda tx: registration.apply(tx, documents, desk.connectors, desk.clock(), by="demo"))
        desk.gateways.refresh()
        on_stage = Stage(desk, rt, redmine, server.address)
        for name, tracker in on_stage.trackers.items():
            go_live(desk, name)
            tracker.webhook(f"{server.address}/hooks/{name}", secrets[name])
        desk.start()
        yield on_stage


def _own(settings: Settings) -> Settings:
    """The same settings on a state of the demo's own, with loopback allowed."""
    state = settings.state / "demo"
    instance = settings.instance.model_copy(update={"allowed_networks": (ip_network("127.0.0.0/8"),)})
    return replace(
        settings, state=state, database=f"sqlite:///{(state / 'interdesk.db').absolute()}", instance=instance
    )


def _clear(database: str) -> None:
    """Forget the last demo.  :raises Busy: it is still on."""
    file = sqlite.file_of(database)
    file.parent.mkdir(parents=True, exist_ok=True)
    lock = sqlite.lock(file)
    for name in ("", "-wal", "-shm"):
        Path(f"{file}{name}").unlink(missing_ok=True)
    os.close(lock)


def _environ(rt: RtEmulator, redmine: RedmineEmulator, webhooks: dict[str, str]) -> dict[str, str]:
    return {
        "INTERDESK_SECRET_NGI_CZ": rt.token,
        "INTERDESK_SECRET_NGI_PL": redmine.api_key,
        "INTERDESK_SECRET_NGI_CZ_WEBHOOK": webhooks[RT],
        "INTERDESK_SECRET_NGI_PL_WEBHOOK": webhooks[REDMINE],
    }
