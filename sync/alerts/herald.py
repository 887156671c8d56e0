"""Notices what is wrong and sees to it that everybody concerned is told, whatever else fails.

What was noticed and who was told what stands in the database, so that neither a restart nor a second process tells it
twice; a mail server that is away is tried again for as long as there is something to tell, and holds nobody up.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from central.alert import Alert, Stage
from central.delivery import Counts, Lease
from central.store.api import LeaseLost, Store, Transaction
from connectors.errors import AccessError, ConnectorError, Transient
from sync import logs
from sync.alerts.ailments import Limits, ailments
from sync.alerts.episodes import Course, course, stage, untold
from sync.alerts.letters import News, document, mark, subject, text
from sync.recovery.copies import at_rest

log = structlog.get_logger("interdesk.alerts")

LEASE = "alerts"
TERM = timedelta(minutes=2)
"""How long whoever tells has for one recipient: more than a mail or a post may take."""
AGAIN_FIRST, AGAIN_LAST = timedelta(minutes=1), timedelta(minutes=30)
"""How long a way that failed is left alone."""
LOG, WEBHOOK = "log", "webhook"
"""Recipients beside mail addresses."""


class Courier(Protocol):
    """Carries news out of the house."""

    def ways(self) -> frozenset[str]:
        """Which there are: `mail`, `webhook`."""

    def mail(self, to: str, subject: str, text: str, mark: str, at: datetime) -> None:
        """:raises ConnectorError: by remedy."""

    def post(self, news: Mapping[str, object], mark: str) -> None:
        """Send a document to the webhook.  :raises ConnectorError: by remedy."""


@dataclass(frozen=True, slots=True)
class Concern:
    """What is borne of a system, and who is to be told."""

    limits: Limits = field(default_factory=Limits)
    contacts: tuple[str, ...] = ()


class Herald:
    """Tells of the mesh. `round` is asked again and again; it may be asked in several processes at once."""

    def __init__(
        self,
        store: Store,
        courier: Courier,
        concerns: Callable[[], Mapping[str, Concern]],
        *,
        clock: Callable[[], datetime],
        name: str,
        contacts: Sequence[str] = (),
        centre: str = "",
        page: str = "",
    ) -> None:
        """`concerns`: of each system; `contacts`: who is told of all of them; `name`: this process."""
        self._store, self._courier, self._concerns, self._clock, self._name = store, courier, concerns, clock, name
        self._contacts, self._centre, self._page = tuple(contacts), centre, page
        self._waits: dict[str, tuple[datetime, timedelta]] = {}
        """Ways and recipients that failed: when they are tried again, and how long they waited for that."""

    def round(self) -> None:
        """Notice, and tell what is untold. Writes nothing where nothing is new.

        :raises StoreError: the store could not take it; the next round tells it."""
        concerns = self._concerns()
        if self._store.read(lambda tx: self._course(tx, concerns)):
            self._store.write(lambda tx: self._follow(tx, concerns))
        for recipient in self._store.read(lambda tx: self._untold(tx, concerns)):
            self._tell(recipient, concerns)
        self._forget(concerns)

    def _course(self, tx: Transaction, concerns: Mapping[str, Concern]) -> Course:
        if at_rest(tx):  # a copy tells nobody anything
            return Course()
        at, counts, instance = self._clock(), tx.outbox.counts(), tx.instance.get()
        systems = [(each, counts.get(each.name, Counts())) for each in tx.registry.systems()]
        limits = {name: concern.limits for name, concern in concerns.items()}
        stopped = instance.stopped is not None or bool(instance.held)
        found = ailments(systems, tx.heartbeats.list(), limits, at, stopped=stopped)
        return course(_outside_windows(tx, at), found, at)

    def _follow(self, tx: Transaction, concerns: Mapping[str, Concern]) -> None:
        new = self._course(tx, concerns)
        for alert in new.put:
            tx.alerts.put(alert)
        for alert in new.forget:
            tx.alerts.forget(*alert.place)

    # -- telling -------------------------------------------------------------------------------------------------------

    def _recipients(self, alert: Alert, concerns: Mapping[str, Concern]) -> tuple[str, ...]:
        ways, own = self._courier.ways(), concerns.get(alert.system, Concern()).contacts
        mails = (*own, *self._contacts) if "mail" in ways else ()
        return tuple(dict.fromkeys((LOG, *mails, *((WEBHOOK,) if "webhook" in ways else ()))))

    def _untold(self, tx: Transaction, concerns: Mapping[str, Concern]) -> Mapping[str, list[News]]:
        """What there is to tell, by recipient."""
        at, news = self._clock(), dict[str, list[News]]()
        for alert in () if at_rest(tx) else _outside_windows(tx, at):
            for recipient in untold(alert, self._recipients(alert, concerns), at):
                news.setdefault(recipient, []).append(News(alert, stage(alert, at)))
        return news

    def _waits_for(self, recipient: str, at: datetime) -> bool:
        return any(at < self._waits[what][0] for what in (recipient, _way(recipient)) if what in self._waits)

    def _tell(self, recipient: str, concerns: Mapping[str, Concern]) -> None:
        """Tell one recipient everything there is to tell: one letter, however many systems are ill."""
        at = self._clock()
        if self._waits_for(recipient, at):
            return

        def begin(tx: Transaction) -> tuple[Lease, list[News]] | None:
            lease = tx.outbox.take(LEASE, self._name, at, ttl=TERM)
            news = [] if lease is None else self._untold(tx, concerns).get(recipient, [])
            return None if lease is None or not news else (lease, news)

        begun = self._store.write(begin, durable=False)
        if begun is None:  # another process tells, or has told
            return
        lease, news = begun
        told = self._try(recipient, news, at)

        def end(tx: Transaction) -> None:
            tx.outbox.check(lease, self._clock())
            known = {alert.place: alert for alert in tx.alerts.list()} if told else {}
            for each in news:
                alert = known.get(each.alert.place)
                if alert is not None and alert.since == each.alert.since:
                    tx.alerts.put(alert.evolve(told={**alert.told, recipient: each.stage}))
            tx.outbox.release(lease)

        try:
            self._store.write(end)
        except LeaseLost:
            log.warning("an alert may be told twice: telling it took too long", way=_way(recipient))

    def _try(self, recipient: str, news: Sequence[News], at: datetime) -> bool:
        """Send it; where that fails, how long to wait is remembered."""
        way = _way(recipient)
        try:
            self._send(recipient, news, at)
        except ConnectorError as failure:
            away = isinstance(failure, Transient | AccessError)  # the server, and not this one recipient
            self._wait(way if away else recipient, at, failure)
            return False
        self._waits.pop(way, None)
        self._waits.pop(recipient, None)
        return True

    def _send(self, recipient: str, news: Sequence[News], at: datetime) -> None:
        if recipient == LOG:
            for each in news:
                _say(each)
        elif recipient == WEBHOOK:
            self._courier.post(document(news, instance=self._centre, at=at), mark(news, recipient))
        else:
            letter = text(news, centre=self._centre, page=self._page)
            self._courier.mail(recipient, subject(news), letter, mark(news, recipient), at)

    def _wait(self, what: str, at: datetime, why: ConnectorError) -> None:
        _, before = self._waits.get(what, (at, AGAIN_FIRST / 2))
        wait = min(AGAIN_LAST, before * 2)
        self._waits[what] = (at + wait, wait)
        log.warning("alerts wait", way=_way(what), error=logs.told(why), again_in_seconds=wait.total_seconds())

    def _forget(self, concerns: Mapping[str, Concern]) -> None:
        """Episodes of whose end everybody knows."""

        def over(tx: Transaction) -> list[Alert]:
            at = self._clock()
            ended = [each for each in tx.alerts.list() if stage(each, at) is Stage.OVER]
            return [each for each in ended if not untold(each, self._recipients(each, concerns), at)]

        def change(tx: Transaction) -> None:
            for alert in over(tx):
                tx.alerts.forget(*alert.place)

        if self._store.read(over):
            self._store.write(change)


def _way(recipient: str) -> str:
    return "mail" if "@" in recipient else recipient


def _say(news: News) -> None:
    alert = news.alert
    if news.stage is Stage.OVER:
        log.info("well again", system=alert.system, alert=alert.kind.value, since=alert.since)
    else:
        log.error("alert", system=alert.system, alert=alert.kind.value, since=alert.since, next=alert.remedy)


def _outside_windows(tx: Transaction, at: datetime) -> Sequence[Alert]:
    """The episodes that go on: those of a system that is being worked on stand still, and nobody is told of them."""
    worked_on = {each.name for each in tx.registry.systems() if each.in_maintenance(at)}
    return [alert for alert in tx.alerts.list() if alert.system not in worked_on]
