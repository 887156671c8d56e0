"""What went on with each system in the last hour, since when links disagree, and what tickets are found by besides: how
the words of a subject begin, the words of descriptions and of comments; and when the bytes of a file were let go of.

Only additions: a program of revision 0003 goes on working beside one of this revision. By the words of a comment that
such a program adds meanwhile its ticket is not found. When a ticket last changed tells everybody of its internal notes
of before, until it changes again.
"""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")


def column(name: str, kind: Any, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=nullable)


def where(condition: str) -> dict[str, Any]:
    """The condition of a partial index, for either dialect."""
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def upgrade() -> None:
    _add_traffic()
    _add_words()
    _tell_a_systems_tickets_by_an_index()
    op.add_column("tickets", sa.Column("shown_at", MOMENT))
    op.add_column("files", sa.Column("gone_at", MOMENT))
    served = sa.table("served_revisions", sa.column("revision", sa.Text()))
    op.bulk_insert(served, [{"revision": "0003"}])


def downgrade() -> None:
    op.execute("DELETE FROM served_revisions WHERE revision = '0003'")
    op.drop_column("files", "gone_at")
    op.drop_column("tickets", "shown_at")
    op.create_index("ix_links_system_ticket_id", "links", ["system", "ticket_id"])
    op.drop_index("ix_links_system_ticket_id_state", "links")
    op.drop_table("ticket_words")
    op.drop_index("ix_tickets_unworded", "tickets")
    op.drop_column("tickets", "worded")
    op.drop_index("ix_links_disagrees_since", "links")
    op.drop_column("links", "disagrees_since")
    op.drop_table("traffic")


def _add_traffic() -> None:
    """A disagreement that stands already counts from its next look on: nobody has kept since when it stands."""
    op.add_column("links", sa.Column("disagrees_since", MOMENT))
    condition = where("disagrees_since IS NOT NULL")
    op.create_index("ix_links_disagrees_since", "links", ["system", "disagrees_since"], **condition)
    op.create_table(
        "traffic",
        column("system", sa.Text()),
        column("slot", sa.Integer()),
        column("at", MOMENT),
        *(column(name, sa.Integer()) for name in ("inward", "outward", "failed", "most_due", "due")),
        sa.PrimaryKeyConstraint("system", "slot", name="pk_traffic"),
        sqlite_with_rowid=False,
    )


def _tell_a_systems_tickets_by_an_index() -> None:
    """Where it holds the state, too, no link has to be read to tell that it is no duplicate."""
    op.create_index("ix_links_system_ticket_id_state", "links", ["system", "ticket_id", "state"])
    op.drop_index("ix_links_system_ticket_id", "links")


def _add_words() -> None:
    op.add_column("tickets", sa.Column("worded", sa.Integer(), nullable=False, server_default="0"))
    op.create_table(
        "ticket_words",
        column("mark", sa.Text()),
        column("ticket_id", BIG),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name="fk_ticket_words_ticket_id"),
        sa.PrimaryKeyConstraint("mark", "ticket_id", name="pk_ticket_words"),
        sqlite_with_rowid=False,
    )
    bound = op.get_bind()
    after = 0
    while page := _page(bound, after):
        if rows := [{"mark": mark, "ticket_id": ticket} for ticket, mark in _marks(bound, page)]:
            bound.execute(sa.insert(_WORDS), rows)
        after = page[-1].id
    bound.execute(sa.update(_TICKETS).values(worded=_TICKETS.c.revision))
    op.create_index("ix_ticket_words_ticket_id", "ticket_words", ["ticket_id"])
    op.create_index("ix_tickets_unworded", "tickets", ["id"], **where("worded != revision"))


_TICKETS = sa.table("tickets", *map(sa.column, ("id", "revision", "fields", "worded")))
_COMMENTS = sa.table("comments", *map(sa.column, ("ticket_id", "text", "visibility", "deleted_at")))
_WORDS = sa.table("ticket_words", sa.column("mark"), sa.column("ticket_id"))


def _page(bound: sa.Connection, after: int) -> list[Any]:
    newer = sa.select(_TICKETS.c.id, _TICKETS.c.fields).where(_TICKETS.c.id > after)
    return list(bound.execute(newer.order_by(_TICKETS.c.id).limit(500)).all())


def _marks(bound: sa.Connection, page: list[Any]) -> Iterable[tuple[int, str]]:
    """As `central.search.wordings` and `spoken` had it at this revision."""
    found = {(row.id, mark) for row in page for mark in _of_fields(json.loads(row.fields))}
    some = _COMMENTS.c.ticket_id.between(page[0].id, page[-1].id)
    for said in bound.execute(sa.select(_COMMENTS).where(some, _COMMENTS.c.deleted_at.is_(None))):
        kind = "note" if said.visibility == "internal" else "said"
        found |= {(said.ticket_id, f"{kind}:{word}") for word in _words(said.text)}
    return sorted(found)


def _of_fields(fields: dict[str, Any]) -> Iterator[str]:
    for word in re.findall(r"\w+", str(fields.get("subject") or "").casefold())[:40]:
        for letters in range(3, min(len(word[:60]), 21)):
            yield f"start:{word[:letters]}"
    for word in _words(str(fields.get("description") or "")):
        yield f"text:{word}"


def _words(text: str) -> Iterable[str]:
    found: dict[str, None] = {}
    for match in re.finditer(r"\w+", text.casefold()):
        found[match[0][:60]] = None
        if len(found) == 100:
            break
    return found
