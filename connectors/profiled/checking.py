"""Whether a list is what its profile says: trackers ignore or misread a filter without an error.

A time to come must find nothing, an old one something, and the newest change is found by its own time.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from connectors.api import Change, Finding
from connectors.errors import ProtocolError
from connectors.profiled.comparing import Comparer
from connectors.profiled.following import Follower
from connectors.profiled.paging import Place
from connectors.profiled.polling import Poller
from connectors.profiled.rounds import EPOCH
from connectors.profiled.site import Site

_FAR = 1_000_000_000
_DAY = timedelta(days=1)


def check(site: Site, poller: Poller) -> Iterator[Finding]:
    """What the list makes of its filters, by reading alone: a sentence and a remedy each."""
    if isinstance(poller, Comparer):
        yield Finding(
            True,
            "the list tells nothing of changes: all of it is read in each round and compared. What its rows do not "
            "show is not noticed; poll it rarely",
        )
    elif isinstance(poller, Follower):
        yield from _numbers(site, poller)
    else:
        yield from _times(site, poller)
    yield from _pages(site, poller)


def _numbers(site: Site, poller: Follower) -> Iterator[Finding]:
    if poller.numbered(_FAR):
        yield Finding(
            False,
            f"{site.profile.product} ignores the number in a search: it lists changes that are still to come",
            "look at the word with {after} in listing.changes of the profile",
        )
    elif not poller.numbered(0):
        yield Finding(True, "its log of changes is empty: whether it is found by number shows later")
    else:
        yield Finding(True, "following its log of changes by number works")


def _times(site: Site, poller: Poller) -> Iterator[Finding]:
    product, moments = site.profile.product, site.profile.listing.moments
    if not poller.filters:
        yield Finding(True, "the list cannot be asked by time: all of it is read in each round, so poll it rarely")
        return
    if poller.after(site.http.server_now() + 2 * _DAY):
        yield Finding(
            False,
            f"{product} ignores the time in a search: it lists changes of tomorrow",
            "look at the word with {since} in listing.changes of the profile, and at the form of listing.moments; "
            "another version of the product may call it otherwise",
        )
        return
    some = sorted(poller.some(), key=_when)
    if not some:
        yield Finding(True, "there is no ticket yet: whether searching by time works shows later")
        return
    found = poller.after(_when(some[0]) - _DAY)
    if not found:
        yield Finding(
            False,
            f"{product} misreads the time in a search: it finds nothing since {_when(some[0]) - _DAY:%Y-%m-%d}, "
            f"and ticket {some[0].key} changed after that",
            "say the form that it reads in listing.moments of the profile",
        )
    elif not moments.doubt and not poller.after(_when(some[-1])):
        yield Finding(
            False,
            f"{product} reads the time in a search later than it is meant: ticket {some[-1].key} is not found by the "
            "time of its own change",
            "say in listing.moments of the profile in which zone it reads times, to what step, and whether it finds "
            "what changed at the time itself",
        )
    elif not _sorted(site, found):
        yield Finding(
            False,
            f"{product} does not sort changes as the profile says ({site.profile.listing.sorting})",
            "look at the word for sorting in listing.changes, or say order: none",
        )
    else:
        yield Finding(True, "searching by the time of the last change works")


def _pages(site: Site, poller: Poller) -> Iterator[Finding]:
    """A page that is smaller than asked looks like the last one."""
    listing = site.profile.listing
    if listing.pages.by not in ("number", "offset") or listing.pages.until == "empty":
        return
    page = poller.page(Place())
    keys = {row.key for row in page.rows}
    if page.next is not None or not 0 < len(keys) < listing.per_page:
        return
    try:
        beyond = poller.page(Place(pages=1, rows=len(page.rows)))
    except ProtocolError:
        return  # there is no such page, and it says so
    if {row.key for row in beyond.rows} - keys:
        yield Finding(
            False,
            f"{site.profile.product} gives {len(page.rows)} rows a page, not {listing.per_page} as asked, and has more",
            f"say per_page: {len(page.rows)} in the listing of the profile, and ask for as many",
        )


def _sorted(site: Site, found: list[Change]) -> bool:
    times = [_when(each) for each in found]
    match site.profile.listing.sorting:
        case "time":
            return times == sorted(times)
        case "newest":
            return times == sorted(times, reverse=True)
        case _:
            return True


def _when(change: Change) -> datetime:
    return change.changed_at or EPOCH
