"""Whether the kept counters say what a recount says."""

from collections import defaultdict

from sqlalchemy import func, select

from central.link import LinkState
from central.store.sql.prepared import Prepared
from central.store.sql.schema import OPEN_HOLD, counters, deliveries, holds, links, tickets, totals
from central.store.sql.session import Session

_COUNTED = ("links", "disagreements", "due", "dead", "held", "discarded")
_KEPT = Prepared(select(counters))
_LINKS = Prepared(
    select(links.c.system, links.c.disagrees, func.count().label("number"))
    .where(links.c.state != LinkState.DUPLICATE.value)
    .group_by(links.c.system, links.c.disagrees)
)
_DELIVERIES = Prepared(
    select(deliveries.c.system, deliveries.c.state, func.count().label("number")).group_by(
        deliveries.c.system, deliveries.c.state
    )
)
_HOLDS = Prepared(select(holds.c.system, func.count().label("number")).where(OPEN_HOLD).group_by(holds.c.system))
_TICKETS = Prepared(select(func.count().label("number")).select_from(tickets))
_TOTAL = Prepared(select(totals.c.value).where(totals.c.name == "tickets"))


def miscounts(session: Session) -> list[str]:
    """A sentence for every counter that is wrong."""
    kept = {row.system: row for row in session.rows(_KEPT, {})}
    counted: defaultdict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(_COUNTED, 0))
    for row in session.rows(_LINKS, {}):
        counted[row.system]["links"] += row.number
        counted[row.system]["disagreements"] += row.number if row.disagrees else 0
    for row in session.rows(_DELIVERIES, {}):
        counted[row.system][row.state] = row.number
    for row in session.rows(_HOLDS, {}):
        counted[row.system]["held"] = row.number
    problems = [
        f"the counter says {system} has {said} {noun}, a recount says {counted[system][noun]}"
        for system in sorted(counted.keys() | kept.keys())
        for noun in _COUNTED
        if (said := getattr(kept.get(system), noun, 0)) != counted[system][noun]
    ]
    there = session.first(_TICKETS, {}).number
    total = session.first(_TOTAL, {})
    said = 0 if total is None else total.value
    if said != there:
        problems.append(f"the counter says there are {said} tickets, a recount says {there}")
    return problems
