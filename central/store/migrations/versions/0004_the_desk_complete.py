"""What went on with each system in the last hour, and since when links disagree.

Only additions: a program of revision 0003 goes on working beside one of this revision.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")


def column(name: str, kind: Any, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=nullable)


def where(condition: str) -> dict[str, Any]:
    """The condition of a partial index, for either dialect."""
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def upgrade() -> None:
    _add_traffic()
    served = sa.table("served_revisions", sa.column("revision", sa.Text()))
    op.bulk_insert(served, [{"revision": "0003"}])


def downgrade() -> None:
    op.execute("DELETE FROM served_revisions WHERE revision = '0003'")
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
