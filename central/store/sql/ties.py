"""Ties: our ids and their ids, one to one within a link. Comments and files are tied alike."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import BindParameter, Table, bindparam, or_, select, update

from central.store.api import AlreadyLinked, NoSuch
from central.store.sql.prepared import Prepared, adding
from central.store.sql.schema import links
from central.store.sql.session import Session


class Ties:
    """The statements of one table of ties, and their rules."""

    def __init__(self, noun: str, ties: Table, ours: Table) -> None:
        self._noun = noun
        here = ties.c.link_id == bindparam("of_link")
        our_id: BindParameter[int] = bindparam("ours")
        remote_id: BindParameter[str] = bindparam("theirs")
        of = select(ties.c.our_id, ties.c.remote_id).where(here)
        self._of = Prepared(of)
        self._near = Prepared(
            of.where(or_(ties.c.our_id == our_id, (ties.c.remote_id == remote_id) & (ties.c.remote_id != "")))
        )
        self._place = Prepared(
            select(links.c.id)
            .join(ours, ours.c.ticket_id == links.c.ticket_id)
            .where(links.c.id == bindparam("of_link"), ours.c.id == our_id)
        )
        self._tie = adding(ties)
        self._blank = dict.fromkeys(ties.c.keys())
        self._complete = Prepared(
            update(ties)
            .where(here, ties.c.our_id == our_id)
            .values(remote_id=bindparam("theirs"), tied_at=bindparam("at"))
        )

    def of(self, session: Session, link_id: int) -> Mapping[int, str]:
        return {row.our_id: row.remote_id for row in session.rows(self._of, {"of_link": link_id})}

    def tie(self, session: Session, link_id: int, our_id: int, remote_id: str, at: datetime | None) -> None:
        """:raises AlreadyLinked: either is tied to another.  :raises NoSuch: no such link, or nothing of this id."""
        place = {"of_link": link_id, "ours": our_id}
        near = session.rows(self._near, {**place, "theirs": remote_id})
        before = next((row.remote_id for row in near if row.our_id == our_id), None)
        if before == remote_id:
            return
        if before:
            raise AlreadyLinked(
                f"{self._noun} {our_id} is tied to {before} on link {link_id} already, not to {remote_id}"
            )
        if any(row.our_id != our_id for row in near):
            raise AlreadyLinked(
                f"their {self._noun} {remote_id} is tied to another {self._noun} on link {link_id} already"
            )
        if before is not None:
            session.write(self._complete, {**place, "theirs": remote_id, "at": at})
        elif session.first(self._place, place) is None:
            raise NoSuch(f"there is no link {link_id}, or no {self._noun} {our_id} on its ticket")
        else:
            row = {**self._blank, "link_id": link_id, "our_id": our_id, "remote_id": remote_id, "tied_at": at}
            session.write(self._tie, row)
