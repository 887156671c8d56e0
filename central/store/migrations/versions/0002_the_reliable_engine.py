"""What the reliable engine remembers beside tickets and links.

Only additions, each with a default: a program of revision 0001 goes on working beside one of this revision.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
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
    _add_jobs()
    _add_shadows()
    _add_revised_comments_and_old_keys()
    _add_guards()
    _add_instance_and_audit()
    _add_writers()
    _add_letters_and_quotas()
    _serve("0001")


def downgrade() -> None:
    op.drop_table("served_revisions")
    op.drop_table("quotas")
    op.drop_index("ix_deliveries_discarded", "deliveries")
    op.drop_column("counters", "discarded")
    op.drop_table("writers")
    for table in ("audit", "instance", "markers", "rates", "suspects", "holds"):
        op.drop_table(table)
    op.drop_index("ix_events_ticket_id_field_id", "events")
    op.drop_column("counters", "held")
    for table in ("old_keys", "shadows", "job_rows", "jobs"):
        op.drop_table(table)
    op.drop_column("comment_ties", "agreed")
    op.drop_column("comments", "deleted_at")
    op.drop_column("comments", "edited_at")


def _add_jobs() -> None:
    op.create_table(
        "jobs",
        column("id", BIG),
        column("state", sa.Text()),
        column("memory", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
    )
    op.create_index("ix_jobs_open", "jobs", ["id"], **where("state IN ('running', 'paused')"))
    op.create_table(
        "job_rows",
        column("id", BIG),
        column("job_id", BIG),
        column("subject", sa.Text()),
        column("verdict", sa.Text()),
        column("data", sa.Text()),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_job_rows_job_id"),
        sa.PrimaryKeyConstraint("id", name="pk_job_rows"),
        sa.UniqueConstraint("job_id", "subject", name="uq_job_rows_job_id_subject"),
    )
    op.create_index("ix_job_rows_job_id_id", "job_rows", ["job_id", "id"])


def _add_shadows() -> None:
    op.create_table(
        "shadows",
        column("id", BIG),
        column("system", sa.Text()),
        column("side", sa.Text()),
        column("ticket_id", BIG, nullable=True),
        column("key", sa.Text()),
        column("item", sa.Text()),
        column("would", sa.Text()),
        column("before", sa.Text()),
        column("why", sa.Text()),
        column("at", MOMENT),
        column("seen", sa.Text()),
        column("did", sa.Text()),
        column("seen_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_shadows"),
    )
    op.create_index("ix_shadows_system_id", "shadows", ["system", "id"])
    op.create_index("ix_shadows_missing", "shadows", ["system", "ticket_id", "key"], **where("seen = 'missing'"))


def _add_revised_comments_and_old_keys() -> None:
    op.add_column("comments", sa.Column("edited_at", MOMENT))
    op.add_column("comments", sa.Column("deleted_at", MOMENT))
    op.add_column("comment_ties", sa.Column("agreed", sa.Text()))
    op.create_table(
        "old_keys",
        column("system", sa.Text()),
        column("key", sa.Text()),
        column("link_id", BIG),
        sa.ForeignKeyConstraint(["link_id"], ["links.id"], name="fk_old_keys_link_id"),
        sa.PrimaryKeyConstraint("system", "key", name="pk_old_keys"),
    )


def _add_instance_and_audit() -> None:
    op.create_table(
        "instance",
        column("name", sa.Text()),
        column("memory", sa.Text()),
        sa.PrimaryKeyConstraint("name", name="pk_instance"),
    )
    op.create_table(
        "audit",
        column("id", BIG),
        column("at", MOMENT),
        column("by", sa.Text()),
        column("act", sa.Text()),
        column("subject", sa.Text()),
        column("data", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )


def _add_guards() -> None:
    op.create_table(
        "holds",
        column("id", BIG),
        column("kind", sa.Text()),
        column("system", sa.Text()),
        column("ticket_id", BIG),
        column("state", sa.Text()),
        column("memory", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_holds"),
    )
    op.create_index("ix_holds_kind_system_ticket_id_id", "holds", ["kind", "system", "ticket_id", "id"])
    op.create_index(
        "uq_holds_one_open", "holds", ["system", "ticket_id", "kind"], unique=True, **where("state = 'open'")
    )
    op.create_table(
        "suspects",
        column("system", sa.Text()),
        column("kind", sa.Text()),
        column("ticket_id", BIG),
        column("at", MOMENT),
        column("data", sa.Text()),
        sa.PrimaryKeyConstraint("system", "kind", "ticket_id", name="pk_suspects"),
    )
    op.create_index("ix_suspects_system_kind_at", "suspects", ["system", "kind", "at"])
    op.create_table(
        "rates",
        column("system", sa.Text()),
        column("kind", sa.Text()),
        column("hour", MOMENT),
        column("number", sa.Integer()),
        sa.PrimaryKeyConstraint("system", "kind", "hour", name="pk_rates"),
    )
    op.create_table(
        "markers",
        column("system", sa.Text()),
        column("memory", sa.Text()),
        sa.PrimaryKeyConstraint("system", name="pk_markers"),
    )
    op.create_index("ix_events_ticket_id_field_id", "events", ["ticket_id", "field", "id"])
    op.add_column("counters", sa.Column("held", sa.Integer(), nullable=False, server_default="0"))


def _add_writers() -> None:
    op.create_table(
        "writers",
        column("id", BIG),
        column("commits", sa.BigInteger()),
        column("written_at", MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_writers"),
    )


def _add_letters_and_quotas() -> None:
    op.add_column("counters", sa.Column("discarded", sa.Integer(), nullable=False, server_default="0"))
    op.create_index("ix_deliveries_discarded", "deliveries", ["owed_since"], **where("state = 'discarded'"))
    op.create_table(
        "quotas",
        column("system", sa.Text()),
        column("next_at", MOMENT),
        sa.PrimaryKeyConstraint("system", name="pk_quotas"),
    )


def _serve(*revisions: str) -> None:
    """Programs of these older revisions may go on: they find all that they need, because this one only adds."""
    served = op.create_table(
        "served_revisions",
        column("revision", sa.Text()),
        sa.PrimaryKeyConstraint("revision", name="pk_served_revisions"),
    )
    assert served is not None
    op.bulk_insert(served, [{"revision": revision} for revision in revisions])
