"""The connector of every product that a profile describes, over REST or SOAP."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.api import (
    ChangePage,
    CommentDraft,
    Commented,
    Cursor,
    Finding,
    Lookup,
    RemoteField,
    RemoteFile,
    RemoteTicket,
    Value,
    Written,
)
from connectors.environment import Environment
from connectors.errors import AccessError, NotFound
from connectors.profiled import files
from connectors.profiled.checking import check
from connectors.profiled.commenting import Commenter
from connectors.profiled.comparing import Comparer
from connectors.profiled.following import Follower
from connectors.profiled.pictured import stands_in
from connectors.profiled.polling import Poller, by_key
from connectors.profiled.profile import Profile
from connectors.profiled.proving import Prover
from connectors.profiled.quirks import Quirks
from connectors.profiled.reading import Reader
from connectors.profiled.site import Site
from connectors.profiled.values import at, text
from connectors.profiled.writing import Writer

_FEW = 5
"""As many tickets are read for one that bears our token, where the rows that a search lists do not show it."""
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
_ASKEW = timedelta(minutes=5)
"""How far clocks may differ for all that they tell."""


class ProfiledConnector:
    """Speaks to one registered system by its product's profile. Each call keeps the session's deadline.

    What is created or said with the token `marks.UNMARKED` bears none: as people write."""

    def __init__(
        self, profile: Profile, settings: Mapping[str, str], environment: Environment, quirks: Quirks | None = None
    ) -> None:
        self.site = Site(profile, settings, environment, quirks or Quirks())
        self._reader = Reader(self.site)
        self._poller = poller(self.site, self._reader)
        self._writer = Writer(self.site, self._reader, self.find)
        self._commenter = Commenter(self.site, self._reader, self._writer)
        self._prover = Prover(self.site, self._poller)
        self.capabilities = self.site.capabilities

    def describe(self) -> Sequence[RemoteField]:
        with self.site.http.call():
            return self._prover.describe()

    def changes(self, since: Cursor | None) -> ChangePage:
        with self.site.http.call():
            return self._poller.begin() if since is None else self._poller.changes(since)

    def scan(self, position: str) -> ChangePage:
        with self.site.http.call():
            return self._poller.scan(position)

    def fetch(self, key: str, *, known: Collection[str] | None = None, version: str | None = None) -> RemoteTicket:
        with self.site.http.call():
            self._check(key)
            answer = self.site.ticket(key)
            raw = self._reader.raw(answer, key)
            self._ensure_within(key, raw)
            return self._reader.ticket(raw, answer, known, version)

    def find(self, token: str, since: datetime) -> RemoteTicket | Lookup:
        with self.site.http.call():
            if not self.site.profile.listing.find:
                return self._listed(token, since) or self._absent(since)
            found = self._poller.bearing(token)
            mine = [row.key for row in found if self._reader.token(row.raw) == token]
            if not mine:  # rows may show less than tickets
                mine = [row.key for row in found[:_FEW] if self.fetch(row.key, known=()).token == token]
            if found and not mine:
                raise AccessError(
                    f"{self.site.profile.product} lists tickets without the token that was searched for: "
                    "let the external id field be used as a filter"
                )
            if mine:
                return self.fetch(min(mine, key=by_key), known=())
            return self._absent(since)

    def create(self, fields: Mapping[str, Value], *, token: str) -> RemoteTicket:
        with self.site.http.call():
            return self._writer.create(fields, token)

    def update(self, key: str, patch: Mapping[str, Value], *, held: RemoteTicket | None) -> Written:
        with self.site.http.call():
            self._check(key)
            return self._writer.update(key, patch, held)

    def comment(self, key: str, draft: CommentDraft, *, token: str) -> Commented:
        with self.site.http.call():
            self._check(key)
            return self._commenter.comment(key, draft, token)

    def edit_comment(self, key: str, comment_id: str, draft: CommentDraft, *, token: str) -> None:
        with self.site.http.call():
            self._check(key)
            self._commenter.edit(key, comment_id, draft, token)

    def delete_comment(self, key: str, comment_id: str) -> None:
        with self.site.http.call():
            self._check(key)
            self._commenter.delete(key, comment_id)

    def download(self, file: RemoteFile) -> AbstractContextManager[Iterator[bytes]]:
        where = stands_in(file)
        return files.download(self.site, file) if where is None else self._inside(file, *where)

    @contextmanager
    def _inside(self, file: RemoteFile, key: str, comment: str) -> Iterator[Iterator[bytes]]:
        with self.site.http.call():
            digits = self._reader.inside(file, key, comment)
        yield files.unpacked(digits, self.site.environment.max_file, f"the image {file.name!r}")

    def probe(self) -> Sequence[Finding]:
        with self.site.http.call():
            return self._prover.probe()

    def self_check(self) -> Sequence[Finding]:
        with self.site.http.call():
            return tuple(check(self.site, self._poller))

    def scrub(self, text: str) -> str:
        """The text with every secret blotted out, those included that the tracker gave us."""
        return self.site.http.scrub(text)

    def close(self) -> None:
        self.site.http.close()

    def _listed(self, token: str, since: datetime) -> RemoteTicket | None:
        """The ticket that bears a token no search can find: among all that changed since it was first written."""
        start = max(since, _LONG_AGO) + (self.site.http.offset or timedelta(0)) - _ASKEW
        cursor, more = Cursor(start), True
        while more:
            page = self.changes(cursor)
            for change in page.changes:
                ticket = change.ticket or self.fetch(change.key, known=())
                if ticket.token == token:
                    return ticket
            cursor, more = page.cursor, page.more
        return None

    def _absent(self, since: datetime) -> Lookup:
        """What it means that nothing was found."""
        bound = since + self.capabilities.search_lag + self.site.environment.deadline
        return Lookup.ABSENT if self.site.environment.clock() >= bound else Lookup.UNKNOWN

    def _ensure_within(self, key: str, raw: Mapping[str, Any]) -> None:
        """:raises NotFound: the ticket is in another place, though our account may see it."""
        within = self.site.profile.within
        if within is not None and text(at(raw, within.ticket_at)) != self.site.place_id():
            raise NotFound(f"ticket {key} is not in the place that is registered")

    def _check(self, key: str) -> None:
        """A key that is none is never put into an address.  :raises NotFound: it is none."""
        if not re.fullmatch(self.site.profile.ticket.key_pattern, key):
            raise NotFound(f"{key!r} is no key of {self.site.profile.product}")


def poller(site: Site, reader: Reader) -> Poller:
    """What lists this site's tickets: by time, by the number of a log, or by comparing all."""
    listing = site.profile.listing
    kind = Follower if listing.sequence is not None else Comparer if listing.compare else Poller
    return kind(site, reader)
