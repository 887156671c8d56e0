"""Sealed secrets of the reference store."""

from collections.abc import Sequence

from central.seal import Seal
from central.store.memory.tables import Tables


class MemorySeals:
    """`central.store.ports.seals.Seals`, in a dictionary."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def put(self, seal: Seal) -> None:
        self._tables.seals.put((seal.system, seal.name, seal.origin), seal)

    def list(self, system: str = "") -> Sequence[Seal]:
        found = [(key, seal) for key, seal in self._tables.seals.items() if system in ("", seal.system)]
        return [seal for _, seal in sorted(found, key=lambda each: each[0])]

    def drop(self, system: str, name: str) -> int:
        found = [key for key in dict(self._tables.seals.items()) if key[:2] == (system, name)]
        for key in found:
            self._tables.seals.drop(key)
        return len(found)
