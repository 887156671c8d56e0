"""Who may come in, what comes in by SOAP and by mail, what tickets are found by, and what watches over all of it.

Only additions: a program of revision 0002 goes on working beside one of this revision.
"""

import json
import re
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
    _add_search()
    _add_replies()
    _add_seals()
    op.create_index("ix_audit_subject_act_id", "audit", ["subject", "act", "id"])
    _add_origins()
    _add_mails()
    op.add_column("comments", sa.Column("token", sa.Text()))
    served = sa.table("served_revisions", sa.column("revision", sa.Text()))
    op.bulk_insert(served, [{"revision": "0002"}])


def downgrade() -> None:
    op.execute("DELETE FROM served_revisions WHERE revision = '0002'")
    op.drop_column("deliveries", "trail")
    op.drop_column("comments", "token")
    op.drop_index("ix_audit_subject_act_id", "audit")
    op.drop_index("ix_links_disagreeing", "links")
    op.drop_index("ix_links_system_ticket_id", "links")
    for index in ("ix_tickets_strayed", "ix_tickets_changed_at"):
        op.drop_index(index, "tickets")
    op.drop_column("tickets", "marked")
    for table in (
        "seals",
        "replies",
        "ticket_marks",
        "mail_told",
        "mails",
        "origins",
        "heartbeats",
        "alerts",
        "tries",
        "passes",
        "sessions",
        "access_tokens",
        "accounts",
    ):
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


def _add_search() -> None:
    """Every ticket is marked by what it is found by."""
    op.add_column("tickets", sa.Column("marked", sa.Integer(), nullable=False, server_default="0"))
    op.create_table(
        "ticket_marks",
        column("mark", sa.Text()),
        column("ticket_id", BIG),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name="fk_ticket_marks_ticket_id"),
        sa.PrimaryKeyConstraint("mark", "ticket_id", name="pk_ticket_marks"),
        sqlite_with_rowid=False,
    )
    _mark_all(op.get_bind())
    op.create_index("ix_ticket_marks_ticket_id", "ticket_marks", ["ticket_id"])
    op.create_index("ix_tickets_changed_at", "tickets", ["changed_at"])
    op.create_index("ix_tickets_strayed", "tickets", ["id"], **where("marked != revision"))
    op.create_index("ix_links_system_ticket_id", "links", ["system", "ticket_id"])
    op.create_index("ix_links_disagreeing", "links", ["system", "ticket_id"], **where("disagrees"))


def _mark_all(bound: sa.Connection) -> None:
    tickets = sa.table("tickets", *map(sa.column, ("id", "revision", "fields", "born_in", "marked")))
    marked = sa.table("ticket_marks", sa.column("mark"), sa.column("ticket_id"))
    after = 0
    while True:
        page = bound.execute(
            sa.select(tickets.c.id, tickets.c.fields, tickets.c.born_in)
            .where(tickets.c.id > after)
            .order_by(tickets.c.id)
            .limit(1000)
        ).all()
        if not page:
            break
        rows = [
            {"mark": mark, "ticket_id": row.id}
            for row in page
            for mark in _marks(json.loads(row.fields), row.born_in)
            if "\0" not in mark
        ]
        if rows:
            bound.execute(sa.insert(marked), rows)
        after = page[-1].id
    bound.execute(sa.update(tickets).values(marked=tickets.c.revision))


def _marks(fields: dict[str, Any], born_in: str | None) -> set[str]:
    """As `central.search.marks` had it at this revision."""
    words = re.findall(r"\w+", str(fields.get("subject") or "").casefold())[:40]
    found = {f"word:{word[:60]}" for word in words}
    found |= {f"{name}:{fields[name]}" for name in ("status", "unit", "priority") if fields.get(name) is not None}
    readers = [fields.get("submitter"), *(fields["cc"] if isinstance(fields.get("cc"), list) else ())]
    found |= {f"reader:{each.casefold()}" for each in readers if isinstance(each, str) and each}
    return found | ({f"born:{born_in}"} if born_in is not None else set())


def _add_replies() -> None:
    op.create_table(
        "replies",
        column("key", sa.Text()),
        column("digest", sa.Text()),
        column("begun_at", MOMENT),
        column("answer", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("key", name="pk_replies"),
    )
    op.create_index("ix_replies_begun_at", "replies", ["begun_at"])


def _add_seals() -> None:
    op.create_table(
        "seals",
        column("system", sa.Text()),
        column("name", sa.Text()),
        column("origin", sa.Text()),
        column("box", sa.Text()),
        column("sealed_at", MOMENT),
        sa.PrimaryKeyConstraint("system", "name", "origin", name="pk_seals"),
    )


def _add_origins() -> None:
    op.create_table(
        "origins",
        column("id", BIG),
        column("ticket_id", BIG),
        column("account", sa.Text()),
        column("system", sa.Text()),
        column("name", sa.Text()),
        column("submitter_name", sa.Text()),
        column("submitter_login", sa.Text()),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name="fk_origins_ticket_id"),
        sa.PrimaryKeyConstraint("id", name="pk_origins"),
    )
    op.create_index("ix_origins_ticket_id", "origins", ["ticket_id"])
    op.create_index("ix_origins_name", "origins", ["name"])
    named = ["account", "system", "name"]
    op.create_index("uq_origins_one_ticket", "origins", named, unique=True, **where("name != ''"))


def _add_mails() -> None:
    op.create_table(
        "mails",
        column("id", BIG),
        column("message_id", sa.Text()),
        column("verdict", sa.Text()),
        column("memory", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_mails"),
        sa.UniqueConstraint("message_id", name="uq_mails_message_id"),
    )
    op.create_index("ix_mails_verdict_id", "mails", ["verdict", "id"])
    op.create_table(
        "mail_told",
        column("ticket_id", BIG),
        column("event_id", BIG),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name="fk_mail_told_ticket_id"),
        sa.PrimaryKeyConstraint("ticket_id", name="pk_mail_told"),
    )
