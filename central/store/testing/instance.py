"""Claims about the instance's own row and the audit log."""

from dataclasses import replace

from central.audit import Entry
from central.instance import Instance, Stop
from central.store.api import Store
from central.store.testing.samples import NOW, later


class InstanceClaims:
    """What `Instances` and `Audit` promise."""

    def test_a_fresh_database_knows_nothing_of_itself(self, store: Store) -> None:
        assert store.read(lambda tx: tx.instance.get()) == Instance()

    def test_what_it_was_told_comes_back_and_is_replaced(self, store: Store) -> None:
        stopped = Instance("one", Stop(NOW, "ada", "a storm of mails"), "restored")
        store.write(lambda tx: tx.instance.put(stopped))
        assert store.read(lambda tx: tx.instance.get()) == stopped
        store.write(lambda tx: tx.instance.put(stopped.evolve(stopped=None, held="")))
        assert store.read(lambda tx: tx.instance.get()) == Instance("one")

    def test_the_audit_log_tells_the_newest_first_page_by_page(self, store: Store) -> None:
        entries = [Entry(later(n), "ada", "pause", f"rt{n}", {"n": [n, None]}) for n in range(5)]
        for entry in entries:
            store.write(lambda tx, entry=entry: tx.audit.record(entry))  # type: ignore[misc]  # bound now
        page = store.read(lambda tx: tx.audit.list(limit=3))
        rest = store.read(lambda tx: tx.audit.list(before=page[-1].id, limit=3))
        assert [replace(each, id=0) for each in (*page, *rest)] == entries[::-1]

    def test_the_audit_log_tells_what_was_done_to_one_subject_newest_first(self, store: Store) -> None:
        for number, (act, subject) in enumerate([("sign", "rt"), ("pause", "rt"), ("sign", "cz"), ("prove", "rt")]):
            entry = Entry(later(number), "ada", act, subject)
            store.write(lambda tx, entry=entry: tx.audit.record(entry))  # type: ignore[misc]  # bound now
        found = store.read(lambda tx: tx.audit.about("rt", ("sign", "prove")))
        assert [(each.act, each.subject) for each in found] == [("prove", "rt"), ("sign", "rt")]
        assert len(store.read(lambda tx: tx.audit.about("rt", ("sign", "prove"), limit=1))) == 1
