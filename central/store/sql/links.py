"""Links, and the comments and files they tie together: in SQL."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, insert, literal_column, select, update
from sqlalchemy.exc import IntegrityError

from central.link import Link, LinkState
from central.store import codec
from central.store.api import AlreadyLinked, NoSuch
from central.store.sql.schema import comment_ties, comments, create_tokens, file_ties, files, links
from central.store.sql.session import Session
from central.store.sql.ties import Ties

_NOT_DUPLICATE = links.c.state != literal_column("'duplicate'")  # literal: see schema.DUE
_LINK = select(links.c.id, links.c.ticket_id, links.c.system, links.c.state, links.c.key, links.c.memory)
_GET = _LINK.where(links.c.id == bindparam("link_id"))
_FIND = _LINK.where(links.c.ticket_id == bindparam("ticket_id"), links.c.system == bindparam("system"), _NOT_DUPLICATE)
_FIND_BY_KEY = _LINK.where(links.c.system == bindparam("system"), links.c.key == bindparam("key"))
_OF = _LINK.where(links.c.ticket_id == bindparam("ticket_id")).order_by(links.c.id)
_OF_SYSTEM = (
    _LINK.where(links.c.system == bindparam("system"), links.c.id > bindparam("after"))
    .order_by(links.c.id)
    .limit(bindparam("most"))
)
_FIND_INTENT = _LINK.join(create_tokens, create_tokens.c.link_id == links.c.id).where(
    create_tokens.c.system == bindparam("system"), create_tokens.c.token == bindparam("token")
)
_CREATE = insert(links)
_BEFORE = select(links.c.ticket_id, links.c.system, links.c.state, links.c.key, links.c.disagrees)
_BEFORE = _BEFORE.where(links.c.id == bindparam("link_id"))
_SAVE = update(links).where(links.c.id == bindparam("link_id"))
_SAVE = _SAVE.values({name: bindparam(name) for name in ("state", "key", "disagrees", "memory")})
_TOKEN = select(create_tokens.c.link_id).where(
    create_tokens.c.system == bindparam("system"), create_tokens.c.token == bindparam("token")
)
_KEEP_TOKEN = insert(create_tokens)

_COMMENT_TIES = Ties("comment", comment_ties, comments)
_FILE_TIES = Ties("file", file_ties, files)


class SqlLinks:
    """`central.store.api.Links` on SQL."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def create(self, link: Link) -> Link:
        self._refuse_a_taken_place(link)
        row = {**_columns(link), "ticket_id": link.ticket_id, "system": link.system}
        try:
            created = replace(link, id=self._session.add(_CREATE, row))
        except IntegrityError as error:  # its place is free, so it can only be the ticket
            raise NoSuch(f"there is no ticket {link.ticket_id}") from error
        self._keep_tokens(created)
        self._session.move(link.system, links=_counts(link.state), disagreements=_disagrees(link))
        return created

    def save(self, link: Link) -> None:
        before = self._session.first(_BEFORE, {"link_id": link.id})
        if before is None:
            raise NoSuch(f"there is no link {link.id}")
        link = replace(link, ticket_id=before.ticket_id, system=before.system)
        if (link.state, link.key) != (before.state, before.key):
            self._refuse_a_taken_place(link)
        self._session.write(_SAVE, {**_columns(link), "link_id": link.id})
        self._keep_tokens(link)
        self._session.move(
            link.system,
            links=_counts(link.state) - _counts(before.state),
            disagreements=_disagrees(link) - (before.disagrees and _counts(before.state)),
        )

    def find(self, ticket_id: int, system: str) -> Link | None:
        return self._found(_FIND, ticket_id=ticket_id, system=system)

    def find_by_key(self, system: str, key: str) -> Link | None:
        return self._found(_FIND_BY_KEY, system=system, key=key)

    def of(self, ticket_id: int) -> Sequence[Link]:
        return [_link(row) for row in self._session.rows(_OF, {"ticket_id": ticket_id})]

    def find_intent(self, system: str, token: str) -> Link | None:
        return self._found(_FIND_INTENT, system=system, token=token)

    def tie_comment(self, link_id: int, comment_id: int, remote_id: str, at: datetime) -> None:
        _COMMENT_TIES.tie(self._session, link_id, comment_id, remote_id, at)

    def ties(self, link_id: int) -> Mapping[int, str]:
        return _COMMENT_TIES.of(self._session, link_id)

    def tie_file(self, link_id: int, file_id: int, remote_id: str) -> None:
        _FILE_TIES.tie(self._session, link_id, file_id, remote_id, None)

    def file_ties(self, link_id: int) -> Mapping[int, str]:
        return _FILE_TIES.of(self._session, link_id)

    def in_state(self, system: str, *, after: int = 0, limit: int = 100) -> Sequence[Link]:
        page = {"system": system, "after": after, "most": limit}
        return [_link(row) for row in self._session.rows(_OF_SYSTEM, page)]

    def _found(self, statement: Any, **params: Any) -> Link | None:
        row = self._session.first(statement, params)
        return None if row is None else _link(row)

    def _refuse_a_taken_place(self, link: Link) -> None:
        """The unique constraints say the same; this says it in a sentence."""
        if link.state is not LinkState.DUPLICATE:
            there = self._session.first(_FIND, {"ticket_id": link.ticket_id, "system": link.system})
            if there is not None and there.id != link.id:
                raise AlreadyLinked(f"ticket {link.ticket_id} has a link to {link.system} already (link {there.id})")
        if link.key is not None:
            holder = self._session.first(_FIND_BY_KEY, {"system": link.system, "key": link.key})
            if holder is not None and holder.id != link.id:
                raise AlreadyLinked(f"{link.key} of {link.system} belongs to link {holder.id} already")

    def _keep_tokens(self, link: Link) -> None:
        for token in codec.create_tokens(link):
            place = {"system": link.system, "token": token}
            if self._session.first(_TOKEN, place) is None:
                self._session.write(_KEEP_TOKEN, {**place, "link_id": link.id})


def _columns(link: Link) -> dict[str, Any]:
    return {
        "state": link.state,
        "key": link.key,
        "disagrees": bool(link.disagreements),
        "memory": codec.link_out(link),
    }


def _link(row: Row[Any]) -> Link:
    searched = {"id": row.id, "ticket_id": row.ticket_id, "system": row.system, "state": row.state, "key": row.key}
    return codec.link_in(searched, row.memory)


def _counts(state: str) -> int:
    """Whether a link in this state is counted at all."""
    return int(state != LinkState.DUPLICATE)


def _disagrees(link: Link) -> int:
    return _counts(link.state) and int(bool(link.disagreements))
