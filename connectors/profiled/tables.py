"""Words and their ids, read live and kept; read again once when a word is not known."""

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from connectors.errors import AccessError, NotFound
from connectors.profiled.values import at, first, text
from connectors.profiled.vocabulary.tickets import Source, Table

if TYPE_CHECKING:
    from connectors.profiled.site import Site


class UnknownWord(LookupError):
    """The product has no such word, or more than one. The sentence says which it has."""


class Tables:
    """The reference tables of one site. Thread-safe."""

    def __init__(self, site: "Site", tables: Mapping[str, Table]) -> None:
        self._site = site
        self._product = site.profile.product
        self._tables = tables
        self._lock = threading.Lock()
        self._known: dict[str, list[tuple[str, str]]] = {}
        self._single: dict[tuple[str, str], str] = {}
        self._strange: set[tuple[str, str]] = set()
        """Ids that nobody knows: not worth reading the table again for each time they are met."""

    def id(self, table: str, word: str) -> str:
        """The id of a word; a word that is itself an id of the table stands for itself.

        :raises UnknownWord: there is none, also not now."""
        pairs: list[tuple[str, str]] = []
        for again in (False, True):
            pairs = self._pairs(table, again=again)
            if again and self._tables[table].find is not None:
                pairs = self._found(table, word)
            found = [each for each, name in pairs if name == word] or [each for each, _ in pairs if each == word]
            if len(found) == 1:
                return found[0]
            if found:
                numbers = ", ".join(found)
                raise UnknownWord(
                    f"{self._site.profile.product} knows {word!r} more than once: say its number ({numbers})"
                )
        if word.isdecimal() and not pairs:
            return word  # a number, and no list to hold it against
        words = ", ".join(dict.fromkeys(name for _, name in pairs)) or "none that we can see"
        raise UnknownWord(f"{self._site.profile.product} has no {word!r} here; it has: {words}")

    def _found(self, table: str, word: str) -> list[tuple[str, str]]:
        """The pairs of one word, looked up now."""
        source = self._tables[table].find
        assert source is not None, "only such tables come here"
        pairs = self._list(source, word=word)
        for number, name in pairs:
            self.learn(table, number, name)
        return pairs

    def word(self, table: str, number: str) -> str | None:
        """The word of an id; None where nobody knows it."""
        if self._tables[table].one is not None:
            return self._single_word(table, number)
        known = dict(self._pairs(table, again=False))
        if number not in known and (table, number) not in self._strange:
            known = dict(self._pairs(table, again=True))
            if number not in known:
                self._strange.add((table, number))
        return known.get(number)

    def _single_word(self, table: str, number: str) -> str | None:
        spec = self._tables[table]
        assert spec.one is not None, "only such tables come here"
        if (table, number) not in self._single:
            try:
                answer = self._site.read(spec.one, id=number)
            except (AccessError, NotFound):
                return None
            self._single[table, number] = text(at(answer.data(), spec.one_name)) or number
        return self._single[table, number]

    def words(self, table: str) -> tuple[str, ...]:
        """Every word, read now."""
        return tuple(dict.fromkeys(name for _, name in self._pairs(table, again=True)))

    def learn(self, table: str, number: str, word: str) -> None:
        """Keep a pair that an answer happened to show."""
        with self._lock:
            pairs = self._known.get(table, [])
            if (number, word) not in pairs:
                self._known[table] = [*(pair for pair in pairs if pair[0] != number), (number, word)]

    def _pairs(self, table: str, *, again: bool) -> list[tuple[str, str]]:
        if fixed := self._tables[table].fixed:
            return list(fixed.items())
        if again or table not in self._known:
            pairs = self._read(self._tables[table])
            with self._lock:
                shown = {each for each, _ in pairs}
                self._known[table] = pairs + [pair for pair in self._known.get(table, ()) if pair[0] not in shown]
        return self._known[table]

    def _read(self, table: Table) -> list[tuple[str, str]]:
        refused: AccessError | NotFound | None = None
        for source in table.sources:
            try:
                found = self._list(source)
            except (AccessError, NotFound) as error:
                refused = error
            else:
                if found:
                    return found
        if refused is not None and len(table.sources) == 1:
            raise refused
        return []

    def _list(self, source: Source, **words: Any) -> list[tuple[str, str]]:
        found = self._site.listed(source, source, optional=True, **words)
        return [(text(first(row, source.id)), text(first(row, source.name))) for row in found]
