"""The one place where concrete things meet: settings in, a whole interdesk out."""

import gc
import os
import random
import secrets as entropy
import socket
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Self

from central.desk.auth import Gate
from central.desk.people import PeopleDesk
from central.desk.persons import PersonDesk
from central.desk.retention import Retention, Terms
from central.store.api import Store, Transaction, WrongSchema
from central.store.sql import SqlStore
from central.store.sql.database import database_of
from central.store.sql.schema import REVISION
from connectors.emulators.tracker import Tracker
from connectors.environment import Environment
from connectors.errors import SettingsError
from mappings.loader import DocumentError
from sync import access, identity, openid
from sync.bus.api import Bus
from sync.bus.inprocess import InProcessBus
from sync.centre import Centre
from sync.engine import SyncEngine
from sync.erasing import Erasing
from sync.gateway import Gateway
from sync.gateways import LiveGateways, Registration, Unusable
from sync.guards.mark import Spot
from sync.guards.usual import Limits as GuardLimits
from sync.inbox import Inbox
from sync.kinds import ConnectorKinds
from sync.lane import Lane
from sync.lives import Lives
from sync.means import Means
from sync.outgoing import Outgoing
from sync.oversight import oversee
from sync.policy import Policy
from sync.post_office import PostOffice, UnusableMail
from sync.recovery import copies
from sync.relay import Relay
from sync.scheduler import Clockwork, Rivals, Scheduler
from sync.sealing import Keys, Sealing
from sync.secrets import MissingSecret, Secrets
from sync.settings import BadSetting, Settings, utc_now
from sync.tokens import Tokens
from sync.worker import Worker

DEADLINE = timedelta(seconds=30)
"""The longest that one call of a connector may take."""
SLACK = timedelta(seconds=10)
"""The longest that may pass between announcing a request and sending it."""


BEAT_EVERY = timedelta(minutes=5)
"""How often a database that somebody works on is seen alive: a copy that is put back tells itself by it."""
STILL_FOR = timedelta(seconds=60)
"""The scheduler steps several times a second; one that has not for so long will not go on by itself."""
REFRESH_EVERY = timedelta(seconds=1)
"""How often a process beside others takes in what was registered."""


class Interdesk:
    """Everything of one process, put together. Use it in a `with`; `start` begins to synchronise."""

    def __init__(
        self,
        settings: Settings,
        *,
        exclusive: bool = False,
        create: bool = False,
        clock: Callable[[], datetime] = utc_now,
        trackers: Mapping[str, Tracker] | None = None,
    ) -> None:
        """Open the database of these settings.

        `exclusive`: this process is to run the mesh; it brings the database up to date first. `create`: make the
        database where there is none.

        :raises StoreError, BadSetting: the database cannot be used; the sentence says what to do."""
        self.settings, self.clock = settings, clock
        instance = settings.instance
        if create and not database_of(settings.database, clock).exists():
            _upgrade(settings.database)
        try:
            store = self._store(exclusive=exclusive)
        except WrongSchema:
            if not exclusive:
                raise
            _upgrade(settings.database)
            store = self._store(exclusive=exclusive)
        self.store: Store = store
        if exclusive or not store.read(lambda tx: tx.instance.get()).id:
            self._know_itself()
        self._exclusive, self._beaten_at = exclusive, clock()
        self._alone = store.alone
        self._refreshed_at = datetime.min.replace(tzinfo=UTC)
        self._lives = _begin_life(settings.state) if exclusive and not store.alone else None
        if store.alone:  # whoever held a lease on this file is dead
            store.write(lambda tx: tx.outbox.release_all())
        self._bury_the_dead()
        folder = instance.secrets_folder(settings.beside)
        embedded = settings.database.startswith("sqlite")
        self.sealing = Sealing(store, Keys(settings.environ, folder, settings.state, makes=embedded), clock)
        self.secrets = Secrets(settings.environ, folder, self.sealing.open)
        self.environment = Environment(
            clock=clock,
            allowed_networks=instance.allowed_networks,
            deadline=DEADLINE,
            max_answer=instance.limits.answer,
            max_file=instance.limits.file,
            max_comment=instance.limits.comment,
            trackers=trackers or {},
        )
        self.bus: Bus = _bus(settings.broker) if exclusive else InProcessBus()
        self.gateways = LiveGateways(self.store, self._gateway)
        self.means = Means(
            store=self.store,
            relay=Relay(self.bus, mails=instance.mail is not None and instance.mail.out is not None),
            clock=clock,
            tokens=Tokens(self.store.read(lambda tx: tx.instance.get()).id),
            units=self.gateways.units,
            limits=instance.central_limits,
            request_deadline=DEADLINE + SLACK,
            slack=SLACK,
            centre=instance.centre,
            ticket_address=instance.where_tickets_open,
        )
        self.centre = Centre(self.means)
        self.gate = Gate(self.store, clock)
        self.people = PeopleDesk(self.store, self.gate, clock)
        kept = Terms(**instance.retention.model_dump())
        self.retention = Retention(self.store, clock, kept, self.gate, owner=self._name())
        self.persons = PersonDesk(self.store, Erasing(self.means), clock)
        self.openid = openid.desk(instance, self.store, self.gate, self.environment, self.secrets)
        self._post_office: PostOffice | None = None
        self.inbox = Inbox(self.means, self.gateways, self.secrets)
        self.connectors = ConnectorKinds(self.environment, self.secrets, self.store)
        self._worker = Worker(self._lane, self.bus, self.gateways, clock)
        self._clockwork = Clockwork(clock)
        self.outgoing = Outgoing(instance, self.environment, self.secrets.look_up, settings.beside)
        self._oversight = (
            oversee(
                store,
                self.outgoing,
                instance,
                self.gateways.documents,
                name=self._name(),
                clock=clock,
                submit=self._clockwork.submit,
                stalls=self.stalls,
            )
            if exclusive
            else None
        )
        self._engine = SyncEngine(self.means)
        self.gateways.refresh()

    def _store(self, *, exclusive: bool) -> SqlStore:
        """The store of these settings."""
        return SqlStore.open(self.settings.database, clock=self.clock, exclusive=exclusive)

    def _know_itself(self) -> None:
        """Give a database that was just made its id, and hold one that is not at home here."""
        here, state = identity.fingerprint(), self.settings.state
        host = identity.read(state, named=self.settings.identity, machine=here)
        nameless = not self.store.read(lambda tx: tx.instance.get()).id
        mine = self.store.write(lambda tx: copies.recognise(tx, host, identity.beats(state), self.clock()))
        if nameless and not self.settings.identity:
            identity.write(state, mine.instance, machine=here)
        state.mkdir(parents=True, exist_ok=True)
        identity.keep_beats(state, mine.beats)

    def start(self, *, mail: bool = False) -> None:
        """Begin to poll and to work; `mail`: and to read and send the desk's own mail.

        :raises BadSetting: its mail cannot be used as its document says."""
        self._post_office = self._open_post_office() if mail else None
        if access.readmit(self.store, self.gateways, self.clock(), "interdesk"):
            self.gateways.refresh()
        scheduler = Scheduler(
            self.means,
            self.gateways,
            submit=self._clockwork.submit,
            moved=self.catch_up,
            sweep=self.sweep,
            rivals=None if self._alone else Rivals(self.store, self._name()),
        )
        gc.collect()
        gc.freeze()  # what is here by now stays: to look through it once more stops every thread for 0.15 s
        self._clockwork.start(scheduler)
        if self._post_office is not None:
            self._post_office.start()

    def catch_up(self) -> None:
        """Take in what was registered, paused or owed elsewhere."""
        now = self.clock()
        if self._alone or now - self._refreshed_at >= REFRESH_EVERY:  # beside others, something has always changed
            self._refreshed_at = now
            self.sealing.refresh()
            self.gateways.refresh()
            self._worker.ensure_lanes()
        self.sweep()

    def sweep(self) -> None:
        """Wake the lanes of whoever is owed a look."""
        if self._exclusive and self.clock() - self._beaten_at >= BEAT_EVERY:
            self.beat()
            self.retention.sweep()
        self._bury_the_dead()
        if self._oversight is not None:
            self._oversight.step()
        self.means.relay.sweep(self.store)

    def _bury_the_dead(self) -> None:
        """What processes beside this one had in hand when they died is free, and nobody waits to hear of them."""

        def free(name: str, tx: Transaction) -> None:
            tx.outbox.release_all(name)
            tx.heartbeats.end(name)

        if self._lives is not None:
            self._lives.bury(lambda name: self.store.write(partial(free, name)))

    def beat(self) -> None:
        """Remember, in the database and beside it, that it has come this far."""
        self._beaten_at = self.clock()
        identity.keep_beats(self.settings.state, self.store.write(copies.beat))

    def problems(self) -> list[str]:
        """Fulfils `central.desk.services.readiness.Readiness`."""
        found = self.stalls()
        try:
            held = self.store.read(copies.at_rest)
            database_of(self.settings.database, self.clock).check_revision(REVISION)
        except WrongSchema:
            return [*found, "the database is not at the revision that this program wants: interdesk db upgrade"]
        except Exception as problem:  # noqa: BLE001  # whatever it is, this process is not ready
            return [*found, f"the database does not answer: {type(problem).__name__}"]
        return [*found, f"nothing is read or written: {held}"] if held else found

    def stalls(self) -> list[str]:
        """Fulfils `central.desk.services.readiness.Readiness`: the engine's own pulse."""
        found, stepped_at = [], self._clockwork.stepped_at
        if stepped_at is not None and (still := self.clock() - stepped_at) > STILL_FOR:
            found.append(f"the scheduler has stood still for {still.total_seconds():.0f} seconds: start interdesk anew")
        if dead := self._worker.dead_lanes():
            found.append(f"lanes have ended by a bug of interdesk ({', '.join(sorted(dead))}): start interdesk anew")
        return found

    def hindrances(self) -> list[str]:
        """Fulfils `central.desk.services.readiness.Readiness`."""
        away = self.bus.away()
        return [away] if away else []

    def _open_post_office(self) -> PostOffice | None:
        """The desk's mail, where it has any.  :raises BadSetting: it cannot be used as its document says."""
        if self.settings.instance.mail is None:
            return None
        try:
            return PostOffice(
                self.settings.instance.mail,
                self.means,
                self.environment,
                self.secrets.look_up,
                beside=self.settings.beside,
                owner=self._name(),
            )
        except (UnusableMail, MissingSecret) as problem:
            raise BadSetting(f"the mail of {self.settings.instance.name}: {problem}") from None

    def stop(self) -> None:
        """Finish what is under way; nothing is polled and nothing is looked at any more. The store stays open."""
        if self._post_office is not None:
            self._post_office.stop()
        self._clockwork.stop()
        self._worker.stop()
        gc.unfreeze()

    def close(self) -> None:
        """Stop, and let go of everything."""
        self.stop()
        if self._oversight is not None:
            self._oversight.end()
        self.bus.close()
        self.gateways.close()
        self.store.close()
        if self._lives is not None:
            self._lives.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _name(self) -> str:
        """A name for whoever holds a lease: no other process has it."""
        if self._lives is not None:
            return self._lives.name
        return f"{socket.gethostname()}/{os.getpid()}/{entropy.token_hex(4)}"

    def _lane(self, system: str) -> Lane:
        return Lane(self.means, self._engine, self.gateways, system, owner=self._name(), spread=random.random)

    def _gateway(self, registration: Registration) -> Gateway:
        """The gateway of a registration.  :raises Unusable: its documents do not work as they stand."""
        document = registration.document
        try:
            compiled = registration.translated()
            connector = self.connectors.open(
                document.connector,
                document.settings,
                document.name,
                profile=registration.spoken,
                per_minute=document.limits.per_minute,
            )
            credentials = self.connectors.credentials(document.settings, document.name)
        except (DocumentError, SettingsError, LookupError) as problem:
            raise Unusable(f"{document.name}: {problem}") from None
        return Gateway(
            system=document.name,
            revision=registration.revision,
            connector=connector,
            mapping=compiled,
            policy=Policy(compiled.policy, {n: f.policy for n, f in compiled.fields.items() if f.policy}),
            birth_unit=document.birth_unit,
            units=frozenset(document.support_units),
            share_internal=document.share_internal and connector.capabilities.internal_comments,
            follow_deletes=document.follow_deletes,
            poll_every=document.poll.every,
            overlap=document.poll.overlap,
            full_scan=document.poll.full_scan,
            in_flight=document.limits.in_flight,
            contacts=document.contacts,
            marker=Spot(document.marker.ticket, document.marker.field) if document.marker else None,
            guard=GuardLimits(**document.guard.model_dump()),
            credentials=credentials,
            lockouts=registration.system.lockouts,
        )


def _bus(broker: str) -> Bus:
    """:raises BrokerAway, BrokerRefuses: the broker cannot be used; the sentence says what to mend."""
    if not broker:
        return InProcessBus()
    from sync.bus import amqp  # kombu is slow to load

    connections = amqp.broker(broker)
    amqp.prove(connections)
    return amqp.AmqpBus(connections)


def _begin_life(state: Path) -> Lives:
    """:raises BadSetting: the state folder cannot be written."""
    try:
        return Lives(state)
    except OSError as error:
        raise BadSetting(
            f"the state folder {state} cannot be written: {error.strerror}; choose another --state"
        ) from None


def _upgrade(database: str) -> None:
    """Bring a database up to date, or make it.  :raises BadSetting: its folder cannot be made."""
    from central.store import migrations  # Alembic is slow to load, and most commands never migrate

    try:
        migrations.upgrade(database)
    except OSError as error:
        raise BadSetting(
            f"the state folder {error.filename} cannot be made: {error.strerror}; choose another --state"
        ) from None
