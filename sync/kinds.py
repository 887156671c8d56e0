"""The kinds of connectors, as this process opens them: with its secrets, and at the pace of each system."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from central.store.api import Store, StoreError
from central.store.memory import MemoryStore
from connectors import registry
from connectors.api import Connector
from connectors.environment import Environment, Wire
from connectors.errors import QuotaSpent
from connectors.pace import Pace
from connectors.registry import AnyProfile
from sync import access
from sync.secrets import Secrets

_AGAIN = timedelta(seconds=1)
"""When a place in a quota is asked for again that could not be had."""


class ConnectorKinds:
    """Fulfils `sync.registration.Connectors`."""

    def __init__(self, environment: Environment, secrets: Secrets, store: Store | None = None) -> None:
        """`store`: where the quotas are kept that all processes spend together; without one, this one has its own."""
        self._environment, self._secrets = environment, secrets
        self._store = store or MemoryStore()

    def names(self) -> Sequence[str]:
        """Every connector there is."""
        return registry.names()

    def open(
        self,
        name: str,
        settings: Mapping[str, Any],
        system: str,
        *,
        profile: AnyProfile | None = None,
        per_minute: int | None = None,
        wire: Wire | None = None,
    ) -> Connector:
        """The connector of these settings, asking `per_minute` times at most. It asks nobody anything yet.
        A registered `profile` of that name goes before what is shipped; a `wire` listens to what is said.

        :raises SettingsError: with all that is wrong.  :raises LookupError: there is no such connector."""
        environment = replace(self._environment, wire=wire)
        if per_minute is not None:
            places = partial(_reserve, self._store, system)
            pace = Pace(per_minute, places, clock=environment.clock, sleep=environment.sleep)
            environment = replace(environment, pace=pace)
        return registry.open_connector(
            name,
            settings,
            system=system,
            environment=environment,
            secrets=self._secrets.of(system, settings),
            profile=profile,
        )

    def words(self, name: str, profile: AnyProfile | None = None) -> str:
        """Whose words this connector uses, as mappings name them."""
        return registry.words(name, profile)

    def credentials(self, settings: Mapping[str, Any], system: str) -> str:
        """What tells these credentials from others, and the networks that may be spoken to.

        :raises MissingSecret: one is not there."""
        return access.digest(settings, self._secrets.of(system, settings), self._environment.allowed_networks)

    def check(self, name: str, settings: Mapping[str, Any], system: str, profile: AnyProfile | None = None) -> None:
        """:raises SettingsError: with all that is wrong in these settings, secrets that are missing included."""
        self.open(name, settings, system, profile=profile).close()


def _reserve(store: Store, system: str, at: datetime, places: int, *, every: timedelta, burst: timedelta) -> datetime:
    """Places in the quota of a system.  :raises QuotaSpent: the store cannot give any now."""
    try:
        return store.write(lambda tx: tx.quotas.reserve(system, at, places, every=every, burst=burst), durable=False)
    except StoreError as problem:
        raise QuotaSpent(f"no place in the quota could be had: {problem}", retry_after=_AGAIN) from None
