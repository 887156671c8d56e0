"""Who may come in: accounts, and what stands in for their passwords. And what watches over all of it.

Only additions: a program of revision 0002 goes on working beside one of this revision.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
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
    _add_accounts()
    _add_tries()
    _add_oversight()
    served = sa.table("served_revisions", sa.column("revision", sa.Text()))
    op.bulk_insert(served, [{"revision": "0002"}])


def downgrade() -> None:
    op.execute("DELETE FROM served_revisions WHERE revision = '0002'")
    op.drop_column("deliveries", "trail")
    for table in ("heartbeats", "alerts", "tries", "passes", "sessions", "access_tokens", "accounts"):
        op.drop_table(table)


def _add_accounts() -> None:
    op.create_table(
        "accounts",
        column("id", BIG),
        column("login", sa.Text()),
        column("email_folded", sa.Text()),
        column("subject", sa.Text()),
        column("memory", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_accounts"),
        sa.UniqueConstraint("login", name="uq_accounts_login"),
    )
    op.create_index("ix_accounts_email_folded", "accounts", ["email_folded"])
    op.create_index("uq_accounts_subject", "accounts", ["subject"], unique=True, **where("subject != ''"))
    op.create_table(
        "access_tokens",
        column("id", BIG),
        column("account_id", BIG),
        column("digest", sa.Text()),
        column("memory", sa.Text()),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_access_tokens_account_id"),
        sa.PrimaryKeyConstraint("id", name="pk_access_tokens"),
        sa.UniqueConstraint("digest", name="uq_access_tokens_digest"),
    )
    op.create_index("ix_access_tokens_account_id", "access_tokens", ["account_id"])
    op.create_table(
        "sessions",
        column("digest", sa.Text()),
        column("account_id", BIG),
        column("created_at", MOMENT),
        column("expires_at", MOMENT),
        column("seen_at", MOMENT),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_sessions_account_id"),
        sa.PrimaryKeyConstraint("digest", name="pk_sessions"),
    )
    op.create_index("ix_sessions_account_id", "sessions", ["account_id"])
    op.create_table(
        "passes",
        column("digest", sa.Text()),
        column("kind", sa.Text()),
        column("account_id", BIG, nullable=True),
        column("expires_at", MOMENT),
        column("data", sa.Text()),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_passes_account_id"),
        sa.PrimaryKeyConstraint("digest", name="pk_passes"),
    )
    op.create_index("ix_passes_account_id", "passes", ["account_id"])


def _add_tries() -> None:
    op.create_table(
        "tries",
        column("key", sa.Text()),
        column("until", MOMENT),
        sa.PrimaryKeyConstraint("key", name="pk_tries"),
    )
    op.create_index("ix_tries_until", "tries", ["until"])


def _add_oversight() -> None:
    op.create_table(
        "alerts",
        column("system", sa.Text()),
        column("kind", sa.Text()),
        column("memory", sa.Text()),
        sa.PrimaryKeyConstraint("system", "kind", name="pk_alerts"),
    )
    op.create_table(
        "heartbeats",
        column("process", sa.Text()),
        column("at", MOMENT),
        sa.PrimaryKeyConstraint("process", name="pk_heartbeats"),
    )
    op.add_column("deliveries", sa.Column("trail", sa.Text(), nullable=False, server_default=""))
