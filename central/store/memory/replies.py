"""Answers that are given again, of the reference store."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from central.reply import Reply
from central.store.api import NoSuch
from central.store.codec import as_json
from central.store.memory.tables import Tables


class MemoryReplies:
    """`central.store.ports.replies.Replies`, in a dictionary."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def begin(self, key: str, digest: str, at: datetime) -> Reply | None:
        there = self._tables.replies.get(key)
        if there is None:
            self._tables.replies.put(key, Reply(digest, at))
        return there

    def settle(self, key: str, answer: Mapping[str, Any]) -> None:
        there = self._tables.replies.get(key)
        if there is None:
            raise NoSuch(f"no request {key!r} was begun")
        self._tables.replies.put(key, replace(there, answer=as_json(dict(answer))))

    def withdraw(self, key: str) -> None:
        self._tables.replies.drop(key)

    def prune(self, *, before: datetime) -> None:
        for key in [key for key, reply in self._tables.replies.items() if reply.begun_at < before]:
            self._tables.replies.drop(key)
