"""Claims about documents and systems."""

import pytest

from central.registry import Document, System
from central.store.api import NoSuch, Store
from central.store.testing.samples import NOW, full_system, later


def _apply(store: Store, source: str = "name: rt", name: str = "rt", kind: str = "system") -> Document:
    data = {"source": source, "list": [1, {"deep": None}]}
    return store.write(
        lambda tx: tx.registry.apply(kind, name, source, data, NOW, by="ada@example.org", origin="rt.yaml")
    )


def _put(store: Store, system: System) -> None:
    store.write(lambda tx: tx.registry.put_system(system))


class RegistryClaims:
    """What `Registry` promises."""

    def test_a_document_comes_back_whole(self, store: Store) -> None:
        made = _apply(store, "# ü\nname: rt\n")
        assert (made.kind, made.name, made.revision) == ("system", "rt", 1)
        assert (made.source, made.applied_at, made.applied_by) == ("# ü\nname: rt\n", NOW, "ada@example.org")
        assert (made.data["list"], made.origin) == ([1, {"deep": None}], "rt.yaml")
        assert store.read(lambda tx: tx.registry.document("system", "rt")) == made

    def test_equal_content_makes_no_revision(self, store: Store) -> None:
        first = _apply(store)
        again = store.write(
            lambda tx: tx.registry.apply("system", "rt", first.source, first.data, later(9), by="bob", origin="b.yaml")
        )
        assert again == first
        assert len(store.read(lambda tx: tx.registry.revisions("system", "rt"))) == 1

    def test_another_text_is_another_revision(self, store: Store) -> None:
        made = [_apply(store, text) for text in ("one", "two", "one")]
        assert [document.revision for document in made] == [1, 2, 3]
        assert store.read(lambda tx: list(tx.registry.revisions("system", "rt"))) == made
        assert store.read(lambda tx: tx.registry.document("system", "rt")) == made[2]
        assert store.read(lambda tx: tx.registry.document("system", "rt", 2)) == made[1]

    def test_documents_come_by_kind_and_name_in_their_current_revision(self, store: Store) -> None:
        _apply(store, "old", "rt")
        for kind, name in (("system", "rt"), ("mapping", "rt"), ("system", "redmine")):
            _apply(store, "new", name, kind)
        current = store.read(lambda tx: tx.registry.documents())
        assert [(one.kind, one.name, one.source) for one in current] == [
            ("mapping", "rt", "new"),
            ("system", "redmine", "new"),
            ("system", "rt", "new"),
        ]
        assert [one.name for one in store.read(lambda tx: tx.registry.documents("system"))] == ["redmine", "rt"]

    def test_documents_and_revisions_come_page_by_page(self, store: Store) -> None:
        for text in ("one", "two", "three"):
            _apply(store, text, "b")
        for name in ("d", "a", "c"):
            _apply(store, "new", name)
        _apply(store, "new", "aa", "mapping")

        def names(after: str, limit: int) -> list[tuple[str, int]]:
            found = store.read(lambda tx: tx.registry.listed("system", after=after, limit=limit))
            return [(each.name, each.revision) for each in found]

        assert names("", 2) == [("a", 1), ("b", 3)]
        assert names("b", 5) == [("c", 1), ("d", 1)]
        assert names("d", 5) == []
        assert store.read(lambda tx: tx.registry.listed("profile", limit=5)) == []

        def revisions(after: int, limit: int) -> list[str]:
            found = store.read(lambda tx: tx.registry.revisions("system", "b", after=after, limit=limit))
            return [each.source for each in found]

        assert revisions(0, 2) == ["one", "two"]
        assert revisions(2, 2) == ["three"]
        assert revisions(3, 2) == []

    def test_a_document_that_is_not_there_is_answered_with_those_that_are(self, store: Store) -> None:
        _apply(store)
        with pytest.raises(NoSuch, match="no system 'rtt'; there are: rt"):
            store.read(lambda tx: tx.registry.document("system", "rtt"))
        with pytest.raises(NoSuch, match="no revision 2; the last is 1"):
            store.read(lambda tx: tx.registry.document("system", "rt", 2))
        assert not store.read(lambda tx: tx.registry.revisions("mapping", "rt"))

    def test_a_system_comes_back_whole_and_is_replaced_whole(self, store: Store) -> None:
        system = full_system("rt")
        _put(store, system)
        assert store.read(lambda tx: tx.registry.system("rt")) == system
        bare = System("rt", system.state, 3)
        _put(store, bare)
        assert store.read(lambda tx: tx.registry.system("rt")) == bare

    def test_systems_come_by_name(self, store: Store) -> None:
        for name in ("zammad", "redmine"):
            _put(store, full_system(name))
        assert [system.name for system in store.read(lambda tx: tx.registry.systems())] == ["redmine", "zammad"]

    def test_a_system_that_is_not_there_is_answered_with_those_that_are(self, store: Store) -> None:
        _put(store, full_system("rt"))
        with pytest.raises(NoSuch, match="no system 'rtt'; there are: rt"):
            store.read(lambda tx: tx.registry.system("rtt"))
