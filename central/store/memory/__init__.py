"""The reference store: everything in dictionaries, with real snapshots and real rollback."""

from central.store.memory.store import MemoryStore

__all__ = ["MemoryStore"]
