"""Find again what a restored database has forgotten, by reading only.

Whatever moved in a system since the backup is read again, in four steps, because a later one needs what an earlier
one found: `people`, `our_tickets`, `notices`, `our_words`. Every step can be repeated; nothing is written anywhere but
in our own store.
"""

from connectors.errors import ConnectorError
from sync.recovery.notices import give_back
from sync.recovery.our_tickets import link_copies
from sync.recovery.our_words import read_rest
from sync.recovery.people import read_people
from sync.recovery.search import Rebuilt, Search


def rebuild(search: Search) -> Rebuilt:
    """Read everything that moved.  :raises StillWorking: somebody else works on one of these tickets."""
    try:
        search.index_tickets()
        for name in search.systems:
            _read_system(search, name)
        search.index_tickets()  # with what was born in systems meanwhile
        link_copies(search)
        give_back(search)
        read_rest(search)
        return search.done
    finally:
        search.end()


def _read_system(search: Search, name: str) -> None:
    try:
        gateway = search.gateways.get(name)
    except LookupError as unusable:
        search.unread(name, unusable)
        return
    try:
        search.done.moved[name] = search.moved(gateway)
        for key in search.done.moved[name]:
            read_people(search, gateway, key)
    except ConnectorError as problem:
        search.unread(name, problem)
