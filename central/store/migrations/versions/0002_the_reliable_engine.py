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


def downgrade() -> None:
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
