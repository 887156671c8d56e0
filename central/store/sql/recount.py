"""Whether the kept counters say what a recount says."""

from collections import defaultdict

from sqlalchemy import Connection, func, select

from central.link import LinkState
from central.store.sql.schema import counters, deliveries, links, tickets, totals

_COUNTED = ("links", "disagreements", "due", "dead")


def miscounts(connection: Connection) -> list[str]:
    """A sentence for every counter that is wrong."""
    kept = {row.system: row for row in connection.execute(select(counters))}
    counted: defaultdict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(_COUNTED, 0))
    of_links = select(links.c.system, func.count().label("links"), func.sum(links.c.disagrees).label("disagreements"))
    for row in connection.execute(of_links.where(links.c.state != LinkState.DUPLICATE).group_by(links.c.system)):
        counted[row.system] |= {"links": row.links, "disagreements": row.disagreements}
    of_deliveries = select(deliveries.c.system, deliveries.c.state, func.count().label("number"))
    for row in connection.execute(of_deliveries.group_by(deliveries.c.system, deliveries.c.state)):
        counted[row.system][row.state] = row.number
    problems = [
        f"the counter says {system} has {said} {noun}, a recount says {counted[system][noun]}"
        for system in sorted(counted.keys() | kept.keys())
        for noun in _COUNTED
        if (said := getattr(kept.get(system), noun, 0)) != counted[system][noun]
    ]
    there = connection.execute(select(func.count()).select_from(tickets)).scalar_one()
    said = connection.execute(select(totals.c.value).where(totals.c.name == "tickets")).scalar_one_or_none() or 0
    if said != there:
        problems.append(f"the counter says there are {said} tickets, a recount says {there}")
    return problems
