"""How an episode goes on: noticed, told, well again, forgotten. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from central.alert import Alert, Stage
from sync.alerts.ailments import Ailment, Place

QUIET = timedelta(minutes=10)
"""How long a system has to be well before anybody is told so: what comes and goes is one episode."""


@dataclass(frozen=True, slots=True)
class Course:
    """What is to be written down."""

    put: tuple[Alert, ...] = ()
    forget: tuple[Alert, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.put or self.forget)


def course(known: Sequence[Alert], found: Mapping[Place, Ailment], at: datetime) -> Course:
    """What becomes of the episodes that are known, now that this is wrong."""
    open_ = {alert.place: alert for alert in known}
    put = [_begun(place, ailment, at) for place, ailment in found.items() if place not in open_]
    forget = []
    for place, alert in open_.items():
        if place in found:
            if alert.well_at is not None:
                put.append(alert.evolve(well_at=None))  # it was well for a moment only
        elif alert.well_at is not None:
            continue
        elif at < alert.due_at and not alert.told:
            forget.append(alert)  # it was borne
        else:
            put.append(alert.evolve(well_at=at))
    return Course(tuple(put), tuple(forget))


def stage(alert: Alert, at: datetime) -> Stage:
    """What there is to say of it now."""
    if alert.well_at is not None:
        return Stage.OVER if at - alert.well_at >= QUIET else Stage.NOTHING
    return Stage.BEGUN if at >= alert.due_at else Stage.NOTHING


def untold(alert: Alert, recipients: Iterable[str], at: datetime) -> tuple[str, ...]:
    """Who of these does not know yet how it is. One that was never told of its beginning is told of both at its end."""
    now = stage(alert, at)
    if now is Stage.NOTHING:
        return ()
    return tuple(each for each in recipients if alert.told.get(each, Stage.NOTHING) is not now)


def _begun(place: Place, ailment: Ailment, at: datetime) -> Alert:
    since = at if ailment.since is None else min(ailment.since, at)
    return Alert(*place, since, since + ailment.patience, ailment.sentence, ailment.remedy)
