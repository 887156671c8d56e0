"""Links, and the comments and files they tie together: in SQL."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Text, bindparam, cast, delete, literal_column, select, update

from central.link import Agreed, Link, LinkState, Tie
from central.store import codec
from central.store.api import AlreadyLinked, NoSuch
from central.store.sql.prepared import Lock, Params, Prepared, adding
from central.store.sql.schema import comment_ties, comments, create_tokens, file_ties, files, links, old_keys, tickets
from central.store.sql.session import Session
from central.store.sql.ties import Ties

_NOT_DUPLICATE = links.c.state != literal_column("'duplicate'")  # literal: see schema.DUE
_LINK = select(links.c.id, links.c.ticket_id, links.c.system, links.c.state, links.c.key, links.c.memory)
_FIND = Prepared(
    _LINK.where(links.c.ticket_id == bindparam("ticket"), links.c.system == bindparam("in"), _NOT_DUPLICATE)
)
_FIND_BY_KEY = Prepared(_LINK.where(links.c.system == bindparam("in"), links.c.key == bindparam("key")))
_FIND_BY_OLD_KEY = Prepared(
    _LINK.join(old_keys, old_keys.c.link_id == links.c.id).where(
        old_keys.c.system == bindparam("in"), old_keys.c.key == bindparam("key")
    )
)
_FORGET_KEY = Prepared(delete(old_keys).where(old_keys.c.system == bindparam("in"), old_keys.c.key == bindparam("key")))
_REMEMBER_KEY = adding(old_keys)
_OF = Prepared(_LINK.where(links.c.ticket_id == bindparam("ticket")).order_by(links.c.id))
_OF_SYSTEM = Prepared(
    _LINK.where(links.c.system == bindparam("in"), links.c.id > bindparam("after"))
    .order_by(links.c.id)
    .limit(bindparam("most"))
)
_FIND_INTENT = Prepared(
    _LINK.join(create_tokens, create_tokens.c.link_id == links.c.id).where(
        create_tokens.c.system == bindparam("in"), create_tokens.c.token == bindparam("token")
    )
)
_TICKET = Prepared(select(tickets.c.id).where(tickets.c.id == bindparam("ticket")))
_CREATE = adding(links)
_BEFORE = Prepared(
    select(links).where(links.c.id == bindparam("link")),
    Lock.TO_CHANGE,
)
_SAVE = Prepared(
    update(links)
    .where(links.c.id == bindparam("link"))
    .values({name: bindparam(name) for name in ("state", "key", "disagrees", "disagrees_since", "memory")})
)
_TOKEN = Prepared(
    select(create_tokens.c.link_id).where(
        create_tokens.c.system == bindparam("in"), create_tokens.c.token == bindparam("token")
    )
)
_KEEP_TOKEN = adding(create_tokens)

_TIED = Prepared(
    select(comment_ties.c.our_id, comment_ties.c.remote_id, comment_ties.c.agreed).where(
        comment_ties.c.link_id == bindparam("of_link")
    )
)
_AGREE = Prepared(
    update(comment_ties)
    .where(comment_ties.c.link_id == bindparam("of_link"), comment_ties.c.our_id == bindparam("ours"))
    .values(agreed=bindparam("agreed"))
)

_UNTIE_COMMENT, _UNTIE_FILE = (
    Prepared(delete(ties).where(ties.c.link_id == bindparam("of_link"), ties.c.our_id == bindparam("ours")))
    for ties in (comment_ties, file_ties)
)
_NO_LONGER_COMMENT, _NO_LONGER_FILE = (
    Prepared(
        update(things)
        .where(
            things.c.id == bindparam("ours"),
            things.c.origin_system
            == select(links.c.system).where(links.c.id == bindparam("of_link")).scalar_subquery(),
        )
        .values(origin_id=things.c.origin_id + literal_column("'/'") + cast(things.c.id, Text))
    )
    for things in (comments, files)
)
_COMMENT_TIES = Ties("comment", comment_ties, comments)
_FILE_TIES = Ties("file", file_ties, files)


_KEPT = 500
"""Links as they were read last, by all that they are made of: a look reads the same one again and again."""


class SqlLinks:
    """`central.store.ports.links.Links` on SQL."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def create(self, link: Link) -> Link:
        if self._session.first(_TICKET, {"ticket": link.ticket_id}) is None:
            raise NoSuch(f"there is no ticket {link.ticket_id}")
        self._refuse_a_taken_place(link)
        row = {**_columns(link), "ticket_id": link.ticket_id, "system": link.system}
        created = replace(link, id=self._session.add(_CREATE, row))
        self._keep_tokens(created)
        self._session.move(link.system, links=_counts(link.state), disagreements=_disagrees(link))
        return created

    def save(self, link: Link) -> None:
        before = self._session.first(_BEFORE, {"link": link.id})
        if before is None:
            raise NoSuch(f"there is no link {link.id}")
        link = replace(link, ticket_id=before.ticket_id, system=before.system)
        if (link.state, link.key) != (before.state, before.key):
            self._refuse_a_taken_place(link)
        columns = _columns(link)
        self._session.rewrites(("link", link.id), _content(before._asdict()), _content(columns))
        self._session.write(_SAVE, {**columns, "link": link.id})
        self._keep_tokens(link)
        self._session.move(
            link.system,
            links=_counts(link.state) - _counts(before.state),
            disagreements=_disagrees(link) - (before.disagrees and _counts(before.state)),
        )

    def find(self, ticket_id: int, system: str) -> Link | None:
        return self._found(_FIND, {"ticket": ticket_id, "in": system})

    def find_by_key(self, system: str, key: str) -> Link | None:
        place = {"in": system, "key": key}
        return self._found(_FIND_BY_KEY, place) or self._found(_FIND_BY_OLD_KEY, place)

    def remember_key(self, link_id: int, key: str) -> None:
        link = self._session.first(_BEFORE, {"link": link_id})
        if link is None:
            raise NoSuch(f"there is no link {link_id}")
        self._session.write(_FORGET_KEY, {"in": link.system, "key": key})
        self._session.write(_REMEMBER_KEY, {"system": link.system, "key": key, "link_id": link_id})

    def of(self, ticket_id: int) -> Sequence[Link]:
        return [self._link(row) for row in self._session.rows(_OF, {"ticket": ticket_id})]

    def find_intent(self, system: str, token: str) -> Link | None:
        return self._found(_FIND_INTENT, {"in": system, "token": token})

    def tie_comment(
        self, link_id: int, comment_id: int, remote_id: str, at: datetime, agreed: Agreed | None = None
    ) -> None:
        _COMMENT_TIES.tie(self._session, link_id, comment_id, remote_id, at)
        if agreed is not None:
            self.agree_comment(link_id, comment_id, agreed)

    def agree_comment(self, link_id: int, comment_id: int, agreed: Agreed) -> None:
        row = {"of_link": link_id, "ours": comment_id, "agreed": codec.agreed_out(agreed)}
        if not self._session.write(_AGREE, row):
            raise NoSuch(f"comment {comment_id} is not tied on link {link_id}")

    def untie_comment(self, link_id: int, comment_id: int) -> None:
        for statement in (_UNTIE_COMMENT, _NO_LONGER_COMMENT):
            self._session.write(statement, {"of_link": link_id, "ours": comment_id})

    def ties(self, link_id: int) -> Mapping[int, str]:
        return _COMMENT_TIES.of(self._session, link_id)

    def tied(self, link_id: int) -> Mapping[int, Tie]:
        rows = self._session.rows(_TIED, {"of_link": link_id})
        return {row.our_id: Tie(row.remote_id, codec.agreed_in(row.agreed)) for row in rows}

    def tie_file(self, link_id: int, file_id: int, remote_id: str) -> None:
        _FILE_TIES.tie(self._session, link_id, file_id, remote_id, None)

    def untie_file(self, link_id: int, file_id: int) -> None:
        for statement in (_UNTIE_FILE, _NO_LONGER_FILE):
            self._session.write(statement, {"of_link": link_id, "ours": file_id})

    def file_ties(self, link_id: int) -> Mapping[int, str]:
        return _FILE_TIES.of(self._session, link_id)

    def of_system(self, system: str, *, after: int = 0, limit: int = 100) -> Sequence[Link]:
        page = {"in": system, "after": after, "most": limit}
        return [self._link(row) for row in self._session.rows(_OF_SYSTEM, page)]

    def _found(self, statement: Prepared, params: Params) -> Link | None:
        row = self._session.first(statement, params)
        return None if row is None else self._link(row)

    def _link(self, row: Any) -> Link:
        self._session.saw(("link", row.id), _content(row._asdict()))
        return _link(row)

    def _refuse_a_taken_place(self, link: Link) -> None:
        """The unique constraints say the same; this says it in a sentence."""
        if link.state is not LinkState.DUPLICATE:
            there = self._session.first(_FIND, {"ticket": link.ticket_id, "in": link.system})
            if there is not None and there.id != link.id:
                raise AlreadyLinked(f"ticket {link.ticket_id} has a link to {link.system} already (link {there.id})")
        if link.key is not None:
            holder = self._session.first(_FIND_BY_KEY, {"in": link.system, "key": link.key})
            if holder is not None and holder.id != link.id:
                raise AlreadyLinked(f"{link.key} of {link.system} belongs to link {holder.id} already")

    def _keep_tokens(self, link: Link) -> None:
        for token in codec.create_tokens(link):
            if self._session.first(_TOKEN, {"in": link.system, "token": token}) is None:
                self._session.write(_KEEP_TOKEN, {"system": link.system, "token": token, "link_id": link.id})


def _columns(link: Link) -> dict[str, Any]:
    return {
        "state": link.state,
        "key": link.key,
        "disagrees": bool(link.disagreements),
        "disagrees_since": link.disagrees_since,
        "memory": codec.link_out(link),
    }


def _content(columns: Mapping[str, Any]) -> tuple[Any, ...]:
    """What another process may have changed of a link."""
    return columns["state"], columns["key"], columns["memory"]


def _link(row: Any) -> Link:
    return _read(row.id, row.ticket_id, row.system, row.state, row.key, row.memory)


@lru_cache(maxsize=_KEPT)
def _read(link_id: int, ticket_id: int, system: str, state: str, key: str | None, memory: str) -> Link:
    searched = {"id": link_id, "ticket_id": ticket_id, "system": system, "state": state, "key": key}
    return codec.link_in(searched, memory)


def _counts(state: str) -> int:
    """Whether a link in this state is counted at all."""
    return int(state != LinkState.DUPLICATE)


def _disagrees(link: Link) -> int:
    return _counts(link.state) and int(bool(link.disagreements))
