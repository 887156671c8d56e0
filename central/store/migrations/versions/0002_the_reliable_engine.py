"""What the reliable engine remembers beside tickets and links.

Only additions, each with a default: a program of revision 0001 goes on working beside one of this revision.
"""

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
