"""The first tables."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")


def column(name: str, kind: Any, *, nullable: bool = False, **more: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=nullable, **more)


def where(condition: str) -> dict[str, Any]:
    """The condition of a partial index, for either dialect."""
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def upgrade() -> None:
    op.create_table(
        "blobs",
        column("id", BIG),
        column("sha256", sa.Text(), nullable=True),
        column("size", sa.BigInteger()),
        column("started_at", MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_blobs"),
        sa.UniqueConstraint("sha256", name="uq_blobs_sha256"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "counters",
        column("system", sa.Text()),
        column("links", sa.Integer()),
        column("disagreements", sa.Integer()),
        column("due", sa.Integer()),
        column("dead", sa.Integer()),
        sa.PrimaryKeyConstraint("system", name="pk_counters"),
    )
    op.create_table(
        "deliveries",
        column("id", BIG),
        column("system", sa.Text()),
        column("direction", sa.Text()),
        column("subject", sa.Text()),
        column("generation", sa.BigInteger()),
        column("lane", sa.Integer()),
        column("state", sa.Text()),
        column("not_before", MOMENT),
        column("owed_since", MOMENT),
        column("attempts", sa.Integer()),
        column("reason", sa.Text()),
        column("error", sa.Text()),
        column("hint", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
        sa.UniqueConstraint("system", "direction", "subject", name="uq_deliveries_system_direction_subject"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_deliveries_dead", "deliveries", ["owed_since"], **where("state = 'dead'"))
    op.create_index("ix_deliveries_due", "deliveries", ["system", "lane", "not_before", "id"], **where("state = 'due'"))
    op.create_index("ix_deliveries_oldest", "deliveries", ["system", "owed_since"], **where("state = 'due'"))
    op.create_table(
        "documents",
        column("kind", sa.Text()),
        column("name", sa.Text()),
        column("revision", sa.Integer(), autoincrement=False),
        column("source", sa.Text()),
        column("data", sa.Text()),
        column("applied_at", MOMENT),
        column("applied_by", sa.Text()),
        column("origin", sa.Text()),
        sa.PrimaryKeyConstraint("kind", "name", "revision", name="pk_documents"),
    )
    op.create_table(
        "leases",
        column("epoch", BIG),
        column("name", sa.Text()),
        column("owner", sa.Text()),
        column("expires_at", MOMENT),
        sa.PrimaryKeyConstraint("epoch", name="pk_leases"),
        sa.UniqueConstraint("name", name="uq_leases_name"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "systems",
        column("name", sa.Text()),
        column("memory", sa.Text()),
        sa.PrimaryKeyConstraint("name", name="pk_systems"),
    )
    op.create_table(
        "tickets",
        column("id", BIG),
        column("revision", sa.Integer()),
        column("subject_folded", sa.Text()),
        column("fields", sa.Text()),
        column("created_at", MOMENT),
        column("changed_at", MOMENT),
        column("born_in", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_tickets"),
    )
    op.create_table(
        "totals",
        column("name", sa.Text()),
        column("value", sa.BigInteger()),
        sa.PrimaryKeyConstraint("name", name="pk_totals"),
    )
    op.create_table(
        "blob_pieces",
        column("blob_id", BIG),
        column("number", sa.Integer()),
        column("data", sa.LargeBinary()),
        sa.ForeignKeyConstraint(["blob_id"], ["blobs.id"], name="fk_blob_pieces_blob_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("blob_id", "number", name="pk_blob_pieces"),
    )
    op.create_table(
        "comments",
        column("id", BIG),
        column("ticket_id", BIG),
        column("author", sa.Text()),
        column("text", sa.Text()),
        column("visibility", sa.Text()),
        column("created_at", MOMENT),
        column("origin_system", sa.Text(), nullable=True),
        column("origin_id", sa.Text(), nullable=True),
        column("gap", sa.Text()),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name="fk_comments_ticket_id"),
        sa.PrimaryKeyConstraint("id", name="pk_comments"),
        sa.UniqueConstraint(
            "ticket_id", "origin_system", "origin_id", name="uq_comments_ticket_id_origin_system_origin_id"
        ),
    )
    op.create_table(
        "conflicts",
        column("id", BIG),
        column("ticket_id", BIG),
        column("system", sa.Text()),
        column("field", sa.Text()),
        column("ours", sa.Text()),
        column("theirs", sa.Text()),
        column("winner", sa.Text()),
        column("reason", sa.Text()),
        column("at", MOMENT),
        column("open", sa.Boolean()),
        column("author", sa.Text()),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name="fk_conflicts_ticket_id"),
        sa.PrimaryKeyConstraint("id", name="pk_conflicts"),
    )
    op.create_index("ix_conflicts_open", "conflicts", ["id"], **where("open"))
    op.create_index("ix_conflicts_ticket_id_id", "conflicts", ["ticket_id", "id"])
    op.create_table(
        "events",
        column("id", BIG),
        column("ticket_id", BIG),
        column("kind", sa.Text()),
        column("at", MOMENT),
        column("actor", sa.Text()),
        column("system", sa.Text(), nullable=True),
        column("field", sa.Text(), nullable=True),
        column("data", sa.Text()),
        column("why", sa.Text()),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name="fk_events_ticket_id"),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
    )
    op.create_index("ix_events_ticket_id_id", "events", ["ticket_id", "id"])
    op.create_table(
        "links",
        column("id", BIG),
        column("ticket_id", BIG),
        column("system", sa.Text()),
        column("state", sa.Text()),
        column("key", sa.Text(), nullable=True),
        column("disagrees", sa.Boolean()),
        column("memory", sa.Text()),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name="fk_links_ticket_id"),
        sa.PrimaryKeyConstraint("id", name="pk_links"),
        sa.UniqueConstraint("system", "key", name="uq_links_system_key"),
    )
    op.create_index("ix_links_system_id", "links", ["system", "id"])
    op.create_index("ix_links_ticket_id_id", "links", ["ticket_id", "id"])
    op.create_index(
        "uq_links_one_per_system", "links", ["ticket_id", "system"], unique=True, **where("state != 'duplicate'")
    )
    op.create_table(
        "comment_ties",
        column("link_id", BIG),
        column("our_id", BIG),
        column("remote_id", sa.Text()),
        column("tied_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["link_id"], ["links.id"], name="fk_comment_ties_link_id"),
        sa.ForeignKeyConstraint(["our_id"], ["comments.id"], name="fk_comment_ties_our_id"),
        sa.PrimaryKeyConstraint("link_id", "our_id", name="pk_comment_ties"),
    )
    op.create_index(
        "uq_comment_ties_remote", "comment_ties", ["link_id", "remote_id"], unique=True, **where("remote_id != ''")
    )
    op.create_table(
        "create_tokens",
        column("system", sa.Text()),
        column("token", sa.Text()),
        column("link_id", BIG),
        sa.ForeignKeyConstraint(["link_id"], ["links.id"], name="fk_create_tokens_link_id"),
        sa.PrimaryKeyConstraint("system", "token", name="pk_create_tokens"),
    )
    op.create_table(
        "files",
        column("id", BIG),
        column("ticket_id", BIG),
        column("comment_id", BIG, nullable=True),
        column("name", sa.Text()),
        column("media_type", sa.Text()),
        column("size", sa.BigInteger()),
        column("sha256", sa.Text()),
        column("visibility", sa.Text()),
        column("created_at", MOMENT),
        column("origin_system", sa.Text(), nullable=True),
        column("origin_id", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["comment_id"], ["comments.id"], name="fk_files_comment_id"),
        sa.ForeignKeyConstraint(["sha256"], ["blobs.sha256"], name="fk_files_sha256"),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name="fk_files_ticket_id"),
        sa.PrimaryKeyConstraint("id", name="pk_files"),
        sa.UniqueConstraint(
            "ticket_id", "origin_system", "origin_id", name="uq_files_ticket_id_origin_system_origin_id"
        ),
    )
    op.create_index("ix_files_sha256", "files", ["sha256"])
    op.create_table(
        "file_ties",
        column("link_id", BIG),
        column("our_id", BIG),
        column("remote_id", sa.Text()),
        column("tied_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["link_id"], ["links.id"], name="fk_file_ties_link_id"),
        sa.ForeignKeyConstraint(["our_id"], ["files.id"], name="fk_file_ties_our_id"),
        sa.PrimaryKeyConstraint("link_id", "our_id", name="pk_file_ties"),
    )
    op.create_index(
        "uq_file_ties_remote", "file_ties", ["link_id", "remote_id"], unique=True, **where("remote_id != ''")
    )


def downgrade() -> None:
    for table in (
        "file_ties",
        "files",
        "create_tokens",
        "comment_ties",
        "links",
        "events",
        "conflicts",
        "comments",
        "blob_pieces",
        "totals",
        "tickets",
        "systems",
        "leases",
        "documents",
        "deliveries",
        "counters",
        "blobs",
    ):
        op.drop_table(table)
