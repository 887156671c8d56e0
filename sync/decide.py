"""The engine's one decision step, given everything that is known; and how far a reading carries."""

from central.link import Link
from sync import echo
from sync.gateway import Gateway
from sync.past import Past
from sync.policy import admit
from sync.reading import Reading, racy_window, row_version
from sync.reconcile import Evidence, Plan, reconcile
from sync.settle import settle_look


def decide(gateway: Gateway, past: Past, theirs: Reading) -> Plan:
    """What is to be done about every mapped field: the pure `reconcile` on this reading."""
    entries = theirs.history or ()
    proven = echo.landed(past.link.intents, entries, gateway.mapping)
    evidence = Evidence(
        landed={name: landing.pair for name, landing in proven.items()},
        by_people=echo.set_by_people(past.link, entries, gateway.mapping),
    )
    return reconcile(
        past.link,
        past.ticket.fields,
        theirs.ticket.fields,
        mapping=gateway.mapping,
        policy=gateway.policy,
        admit=admit,
        evidence=evidence,
    )


def read_up_to(link: Link, gateway: Gateway, theirs: Reading, *, unread: bool) -> Link:
    """Move the version where this reading showed the whole conversation; `unread`: not all of it is accounted for."""
    ticket = theirs.ticket
    if theirs.asked_at is None or unread:
        return link
    if ticket.comments is None and ticket.version != link.version:
        return link
    return settle_look(link, ticket.version, row_version(ticket), theirs.asked_at, window=racy_window(gateway, ticket))
