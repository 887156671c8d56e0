"""The real store: SQLAlchemy Core on SQLite. Portable SQL everywhere but in `sqlite`."""

from central.store.sql.store import SqlStore

__all__ = ["SqlStore"]
