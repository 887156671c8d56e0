"""The tables. Every constraint is named, every type exists on SQLite and PostgreSQL alike.

What is searched for is a column; what is only remembered is one JSON document in a text column (`central.store.codec`).
A change here needs a migration (`central/store/migrations`); a test compares the two.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    TypeDecorator,
    UniqueConstraint,
    literal_column,
)
from sqlalchemy import Text as PlainText
from sqlalchemy.types import TypeEngine

REVISION = "0004"
"""The migration that this program was written for."""

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


_MARK = "\ufdd0"  # a noncharacter: no text has it for a purpose, and one that does comes back as it was


class Text(TypeDecorator[str]):
    """Any text, which comes back as it went in. PostgreSQL takes no NUL: there, two other characters stand for it."""

    impl = PlainText
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Any:
        return _without_nul if dialect.name == "postgresql" else None

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:  # noqa: ARG002 (SQLAlchemy's signature)
        return _with_nul if dialect.name == "postgresql" else None


def _without_nul(text: str | None) -> str | None:
    if text is None or ("\0" not in text and _MARK not in text):
        return text
    return text.replace(_MARK, f"{_MARK}1").replace("\0", f"{_MARK}0")


def _with_nul(text: str | None) -> str | None:
    return text if text is None or _MARK not in text else text.replace(f"{_MARK}0", "\0").replace(f"{_MARK}1", _MARK)


class Moment(TypeDecorator[datetime]):
    """An aware UTC datetime; a naive one is refused. SQLite, which has no such type, keeps sortable ISO text."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return PlainText() if dialect.name == "sqlite" else self.impl_instance

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a moment without a zone cannot be stored: {value!r}")
        value = value.astimezone(UTC)
        return value.isoformat(timespec="microseconds") if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        read: datetime = datetime.fromisoformat(value) if dialect.name == "sqlite" else value
        return read.astimezone(UTC)


_BIG = BigInteger().with_variant(Integer(), "sqlite")  # SQLite gives numbers by itself to INTEGER keys only


def _id() -> Column[int]:
    return Column("id", _BIG, primary_key=True)


def _ticket_id() -> Column[int]:
    return Column("ticket_id", _BIG, ForeignKey("tickets.id"), nullable=False)


def _partial(name: str, *columns: Column[Any], where: str, unique: bool = False) -> Index:
    condition: ColumnElement[bool] = literal_column(where)
    return Index(name, *columns, unique=unique, sqlite_where=condition, postgresql_where=condition)


tickets = Table(
    "tickets",
    metadata,
    _id(),
    Column("revision", Integer, nullable=False),
    Column("subject_folded", Text, nullable=False),
    Column("fields", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    Column("born_in", Text),
    Column("marked", Integer, nullable=False, server_default="0"),  # the revision whose marks it bears
    Column("worded", Integer, nullable=False, server_default="0"),  # the one whose words it is found by
    Column("shown_at", Moment),  # when it last changed for those who read nothing internal; NULL: at changed_at
    Index(None, "changed_at"),
)
STRAYED: ColumnElement[bool] = literal_column("marked != revision")  # literal: see DUE
_partial("ix_tickets_strayed", tickets.c.id, where="marked != revision")
UNWORDED: ColumnElement[bool] = literal_column("worded != revision")
_partial("ix_tickets_unworded", tickets.c.id, where="worded != revision")


def _marked(name: str) -> Table:
    return Table(
        name,
        metadata,
        Column("mark", Text, primary_key=True),
        Column("ticket_id", _BIG, ForeignKey("tickets.id"), primary_key=True, autoincrement=False),
        Index(None, "ticket_id"),
        sqlite_with_rowid=False,
    )


ticket_marks = _marked("ticket_marks")
ticket_words = _marked("ticket_words")

comments = Table(
    "comments",
    metadata,
    _id(),
    _ticket_id(),
    Column("author", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("visibility", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("origin_system", Text),
    Column("origin_id", Text),
    Column("gap", Text, nullable=False),
    Column("edited_at", Moment),
    Column("deleted_at", Moment),
    Column("token", Text),
    UniqueConstraint("ticket_id", "origin_system", "origin_id"),
)

blobs = Table(
    "blobs",
    metadata,
    _id(),
    Column("sha256", Text, unique=True),  # empty while its bytes are still arriving
    Column("size", BigInteger, nullable=False),
    Column("started_at", Moment, nullable=False),
    sqlite_autoincrement=True,  # or a late piece could land in another upload
)

GONE = "gone:"
"""Before the hash of bytes that were let go of: a file without its bytes bears an entry that has none."""

blob_pieces = Table(
    "blob_pieces",
    metadata,
    Column("blob_id", _BIG, ForeignKey("blobs.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("data", LargeBinary, nullable=False),
)

files = Table(
    "files",
    metadata,
    _id(),
    _ticket_id(),
    Column("comment_id", _BIG, ForeignKey("comments.id")),
    Column("name", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", Text, ForeignKey("blobs.sha256"), nullable=False, index=True),
    Column("visibility", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("origin_system", Text),
    Column("origin_id", Text),
    Column("gone_at", Moment),
    UniqueConstraint("ticket_id", "origin_system", "origin_id"),
)

events = Table(
    "events",
    metadata,
    _id(),
    _ticket_id(),
    Column("kind", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("actor", Text, nullable=False),
    Column("system", Text),
    Column("field", Text),
    Column("data", Text, nullable=False),
    Column("why", Text, nullable=False),
    Index(None, "ticket_id", "id"),
    Index(None, "ticket_id", "field", "id"),
)

conflicts = Table(
    "conflicts",
    metadata,
    _id(),
    _ticket_id(),
    Column("system", Text, nullable=False),
    Column("field", Text, nullable=False),
    Column("ours", Text, nullable=False),
    Column("theirs", Text, nullable=False),
    Column("winner", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("open", Boolean(create_constraint=False), nullable=False),
    Column("author", Text, nullable=False),
    Index(None, "ticket_id", "id"),
)
OPEN: ColumnElement[bool] = literal_column("open")  # literal, so that any planner sees that the partial index applies
_partial("ix_conflicts_open", conflicts.c.id, where="open")

links = Table(
    "links",
    metadata,
    _id(),
    _ticket_id(),
    Column("system", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("key", Text),
    Column("disagrees", Boolean(create_constraint=False), nullable=False),
    Column("memory", Text, nullable=False),
    Column("disagrees_since", Moment),
    UniqueConstraint("system", "key"),
    Index(None, "ticket_id", "id"),
    Index(None, "system", "id"),
    Index(None, "system", "ticket_id", "state"),  # with it, a system's tickets are told without reading a link
)
DISAGREES: ColumnElement[bool] = literal_column("disagrees")  # literal: see DUE
_partial("ix_links_disagreeing", links.c.system, links.c.ticket_id, where="disagrees")
_partial("ix_links_disagrees_since", links.c.system, links.c.disagrees_since, where="disagrees_since IS NOT NULL")
_partial("uq_links_one_per_system", links.c.ticket_id, links.c.system, where="state != 'duplicate'", unique=True)

create_tokens = Table(
    "create_tokens",
    metadata,
    Column("system", Text, primary_key=True),
    Column("token", Text, primary_key=True),
    Column("link_id", _BIG, ForeignKey("links.id"), nullable=False),
)


old_keys = Table(
    "old_keys",
    metadata,
    Column("system", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("link_id", _BIG, ForeignKey("links.id"), nullable=False),
)


def _ties(noun: str, *more: Column[Any]) -> Table:
    ties = Table(
        f"{noun}_ties",
        metadata,
        Column("link_id", _BIG, ForeignKey("links.id"), primary_key=True),
        Column("our_id", _BIG, ForeignKey(f"{noun}s.id"), primary_key=True),
        Column("remote_id", Text, nullable=False),
        Column("tied_at", Moment),
        *more,
    )
    _partial(f"uq_{noun}_ties_remote", ties.c.link_id, ties.c.remote_id, where="remote_id != ''", unique=True)
    return ties


comment_ties = _ties("comment", Column("agreed", Text))
file_ties = _ties("file")

deliveries = Table(
    "deliveries",
    metadata,
    _id(),
    Column("system", Text, nullable=False),
    Column("direction", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("generation", BigInteger, nullable=False),
    Column("lane", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("not_before", Moment, nullable=False),
    Column("owed_since", Moment, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("error", Text, nullable=False),
    Column("hint", Text),
    Column("trail", Text, nullable=False, server_default=""),
    UniqueConstraint("system", "direction", "subject"),
    sqlite_autoincrement=True,  # an id that came again would let a late `done` finish another delivery
)
DUE = deliveries.c.state == literal_column("'due'")  # literal, so that any planner sees that the partial indexes apply
DEAD = deliveries.c.state == literal_column("'dead'")
DISCARDED = deliveries.c.state == literal_column("'discarded'")
_partial(
    "ix_deliveries_due",
    deliveries.c.system,
    deliveries.c.lane,
    deliveries.c.not_before,
    deliveries.c.id,
    where="state = 'due'",
)
_partial("ix_deliveries_oldest", deliveries.c.system, deliveries.c.owed_since, where="state = 'due'")
_partial("ix_deliveries_dead", deliveries.c.owed_since, where="state = 'dead'")
_partial("ix_deliveries_discarded", deliveries.c.owed_since, where="state = 'discarded'")

leases = Table(
    "leases",
    metadata,
    Column("epoch", _BIG, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("owner", Text, nullable=False),
    Column("expires_at", Moment, nullable=False),
    sqlite_autoincrement=True,  # an epoch never comes again
)

counters = Table(
    "counters",
    metadata,
    Column("system", Text, primary_key=True),
    Column("links", Integer, nullable=False),
    Column("disagreements", Integer, nullable=False),
    Column("due", Integer, nullable=False),
    Column("dead", Integer, nullable=False),
    Column("held", Integer, nullable=False, server_default="0"),
    Column("discarded", Integer, nullable=False, server_default="0"),
)

traffic = Table(
    "traffic",
    metadata,
    Column("system", Text, primary_key=True),
    Column("slot", Integer, primary_key=True, autoincrement=False),  # of its minute in the ring of an hour
    Column("at", Moment, nullable=False),
    Column("inward", Integer, nullable=False),
    Column("outward", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("most_due", Integer, nullable=False),
    Column("due", Integer, nullable=False),
    sqlite_with_rowid=False,
)

quotas = Table(
    "quotas",
    metadata,
    Column("system", Text, primary_key=True),
    Column("next_at", Moment, nullable=False),  # the first place that nobody has
)

totals = Table(
    "totals",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
)

documents = Table(
    "documents",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    Column("source", Text, nullable=False),
    Column("data", Text, nullable=False),
    Column("applied_at", Moment, nullable=False),
    Column("applied_by", Text, nullable=False),
    Column("origin", Text, nullable=False),
)

systems = Table(
    "systems",
    metadata,
    Column("name", Text, primary_key=True),
    Column("memory", Text, nullable=False),
)

jobs = Table(
    "jobs",
    metadata,
    _id(),
    Column("state", Text, nullable=False),
    Column("memory", Text, nullable=False),
)
OPEN_JOB: ColumnElement[bool] = literal_column("state IN ('running', 'paused')")
_partial("ix_jobs_open", jobs.c.id, where="state IN ('running', 'paused')")

job_rows = Table(
    "job_rows",
    metadata,
    _id(),
    Column("job_id", _BIG, ForeignKey("jobs.id"), nullable=False),
    Column("subject", Text, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("data", Text, nullable=False),
    UniqueConstraint("job_id", "subject"),
    Index(None, "job_id", "id"),
)

shadows = Table(
    "shadows",
    metadata,
    _id(),
    Column("system", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("ticket_id", _BIG),
    Column("key", Text, nullable=False),
    Column("item", Text, nullable=False),
    Column("would", Text, nullable=False),
    Column("before", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("seen", Text, nullable=False),
    Column("did", Text, nullable=False),
    Column("seen_at", Moment),
    Index(None, "system", "id"),
)
MISSING: ColumnElement[bool] = literal_column("seen = 'missing'")
_partial("ix_shadows_missing", shadows.c.system, shadows.c.ticket_id, shadows.c.key, where="seen = 'missing'")

instance = Table(
    "instance",
    metadata,
    Column("name", Text, primary_key=True),  # one row, "this"
    Column("memory", Text, nullable=False),
)

replies = Table(
    "replies",
    metadata,
    Column("key", Text, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("begun_at", Moment, nullable=False, index=True),
    Column("answer", Text),  # none while its request is under way
)

seals = Table(
    "seals",
    metadata,
    Column("system", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("origin", Text, primary_key=True),
    Column("box", Text, nullable=False),
    Column("sealed_at", Moment, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    _id(),
    Column("at", Moment, nullable=False),
    Column("by", Text, nullable=False),
    Column("act", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("data", Text, nullable=False),
    Index(None, "subject", "act", "id"),
)

accounts = Table(
    "accounts",
    metadata,
    _id(),
    Column("login", Text, nullable=False, unique=True),
    Column("email_folded", Text, nullable=False, index=True),
    Column("subject", Text, nullable=False),
    Column("memory", Text, nullable=False),
)
_partial("uq_accounts_subject", accounts.c.subject, where="subject != ''", unique=True)


def _account_id(*, nullable: bool = False) -> Column[int]:
    return Column("account_id", _BIG, ForeignKey("accounts.id"), nullable=nullable, index=True)


access_tokens = Table(
    "access_tokens",
    metadata,
    _id(),
    _account_id(),
    Column("digest", Text, nullable=False, unique=True),
    Column("memory", Text, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("digest", Text, primary_key=True),
    _account_id(),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
)

passes = Table(
    "passes",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    _account_id(nullable=True),
    Column("expires_at", Moment, nullable=False),
    Column("data", Text, nullable=False),
)

tries = Table(
    "tries",
    metadata,
    Column("key", Text, primary_key=True),
    Column("until", Moment, nullable=False, index=True),
)

origins = Table(
    "origins",
    metadata,
    _id(),
    _ticket_id(),
    Column("account", Text, nullable=False),
    Column("system", Text, nullable=False),
    Column("name", Text, nullable=False),  # their id of it; '': they did not say
    Column("submitter_name", Text, nullable=False),
    Column("submitter_login", Text, nullable=False),
    Index(None, "ticket_id"),
    Index(None, "name"),
)
_partial("uq_origins_one_ticket", origins.c.account, origins.c.system, origins.c.name, where="name != ''", unique=True)

mails = Table(
    "mails",
    metadata,
    _id(),
    Column("message_id", Text, nullable=False, unique=True),
    Column("verdict", Text, nullable=False),
    Column("memory", Text, nullable=False),
    Index(None, "verdict", "id"),
)

mail_told = Table(
    "mail_told",
    metadata,
    Column("ticket_id", _BIG, ForeignKey("tickets.id"), primary_key=True, autoincrement=False),
    Column("event_id", _BIG, nullable=False),
)

holds = Table(
    "holds",
    metadata,
    _id(),
    Column("kind", Text, nullable=False),
    Column("system", Text, nullable=False),
    Column("ticket_id", _BIG, nullable=False),  # 0: the system as a whole
    Column("state", Text, nullable=False),
    Column("memory", Text, nullable=False),
    Index(None, "kind", "system", "ticket_id", "id"),
)
OPEN_HOLD: ColumnElement[bool] = literal_column("state = 'open'")
_partial("uq_holds_one_open", holds.c.system, holds.c.ticket_id, holds.c.kind, where="state = 'open'", unique=True)

suspects = Table(
    "suspects",
    metadata,
    Column("system", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("ticket_id", _BIG, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
    Column("data", Text, nullable=False),
    Index(None, "system", "kind", "at"),
)

rates = Table(
    "rates",
    metadata,
    Column("system", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("hour", Moment, primary_key=True),
    Column("number", Integer, nullable=False),
)

markers = Table(
    "markers",
    metadata,
    Column("system", Text, primary_key=True),
    Column("memory", Text, nullable=False),
)

alerts = Table(
    "alerts",
    metadata,
    Column("system", Text, primary_key=True),  # '': interdesk itself
    Column("kind", Text, primary_key=True),
    Column("memory", Text, nullable=False),
)

heartbeats = Table(
    "heartbeats",
    metadata,
    Column("process", Text, primary_key=True),
    Column("at", Moment, nullable=False),
)

served_revisions = Table(
    "served_revisions",
    metadata,
    Column("revision", Text, primary_key=True),  # older programs that may use this database as well
)

writers = Table(
    "writers",
    metadata,
    _id(),
    Column("commits", BigInteger, nullable=False),
    Column("written_at", Moment, nullable=False),
)
