"""How often somebody may try to sign in, at every door together.

Three budgets, kept in the database: of one login from one source, of one source, and of one login from wherever. Only
tries that fail are spent. Whoever tries another's login until nobody may try it any more keeps out those who come from
where that login never signed in, and for as long as one try takes to come back; its owner, from where they signed in
before, is asked for the first two budgets only.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network

from central.store.api import Transaction

REMEMBERED = timedelta(days=30)
"""So long a source counts as one that a login has signed in from."""


class TooManyTries(Exception):
    """Nothing was tried: there were too many tries already. Again after `retry_after`."""

    def __init__(self, retry_after: timedelta) -> None:
        self.retry_after = retry_after
        seconds = max(1, round(retry_after.total_seconds()))
        super().__init__(f"there were too many tries to sign in: try again in {seconds} seconds")


@dataclass(frozen=True, slots=True)
class Budget:
    """So many tries at once, and one more for each interval."""

    most: int
    every: timedelta


@dataclass(frozen=True, slots=True)
class Limits:
    """The budgets of one door. What is spent at one is spent at all."""

    pair: Budget = Budget(5, timedelta(minutes=1))
    """Of one login from one source."""
    source: Budget = Budget(30, timedelta(seconds=10))
    """Of one source, whichever logins it tries."""
    login: Budget = Budget(20, timedelta(seconds=30))
    """Of one login, from wherever it never signed in before."""


_DEPARTURES = Budget(60, timedelta(seconds=2))
"""So often may be gone from one source to the OpenID provider, whether anybody comes back or not."""


def spend(tx: Transaction, limits: Limits, login: str, source: str, at: datetime) -> None:
    """One more try.  :raises TooManyTries: it may not be made; nothing is spent then, and nothing else committed."""
    budgets = {_source(source): limits.source}
    if login:
        budgets[_pair(login, source)] = limits.pair
        if not tx.tries.noted(_known(login, source), at):
            budgets[_login(login)] = limits.login
    for key, budget in budgets.items():
        free_at = tx.tries.spend(key, at, every=budget.every, most=budget.most)
        if free_at is not None:
            raise TooManyTries(free_at - at)


def succeed(tx: Transaction, limits: Limits, login: str, source: str, at: datetime) -> None:
    """The try that was just spent was a good one: it costs nothing, and its source is known from now on."""
    tx.tries.give_back(_source(source), at, every=limits.source.every)
    if login:
        tx.tries.forget(_pair(login, source))
        if not tx.tries.noted(_known(login, source), at):
            tx.tries.give_back(_login(login), at, every=limits.login.every)
        tx.tries.note(_known(login, source), at + REMEMBERED)


def spend_departure(tx: Transaction, source: str, at: datetime) -> None:
    """Somebody goes to the OpenID provider.  :raises TooManyTries: as `spend`."""
    key = _key("departure", _neighbourhood(source))
    free_at = tx.tries.spend(key, at, every=_DEPARTURES.every, most=_DEPARTURES.most)
    if free_at is not None:
        raise TooManyTries(free_at - at)


def _source(source: str) -> str:
    return _key("source", _neighbourhood(source))


def _pair(login: str, source: str) -> str:
    return _key("pair", login, _neighbourhood(source))


def _known(login: str, source: str) -> str:
    return _key("known", login, _neighbourhood(source))


def _login(login: str) -> str:
    return _key("login", login)


def _key(*parts: str) -> str:
    """Short, and tells nobody who tried from where."""
    return hashlib.sha256("\0".join(parts).encode(errors="surrogatepass")).hexdigest()


def _neighbourhood(source: str) -> str:
    """Whoever has one address of IPv6 has the 2^64 around it, too."""
    try:
        address = ip_address(source.partition("%")[0])
    except ValueError:
        return source
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ip_network((address, 64), strict=False))
    return str(address)
