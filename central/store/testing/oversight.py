"""Claims about alerts and heartbeats."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

from central.alert import Alert, AlertKind, Stage
from central.heartbeat import Heartbeat
from central.store.api import Store, Transaction
from central.store.testing.samples import NOW, later

OUT = Alert("rt", AlertKind.OUT, NOW, later(600), "does not answer", "wait")


def _beat(process: str, second: int, tx: Transaction) -> None:
    tx.heartbeats.beat(process, later(second))


class OversightClaims:
    """What `Alerts` and `Heartbeats` promise."""

    def test_an_alert_comes_back_as_it_was_told_and_is_replaced_by_its_place(self, store: Store) -> None:
        told = OUT.evolve(well_at=later(900), told={"ops@example.org": Stage.BEGUN, "log": Stage.OVER})
        store.write(lambda tx: tx.alerts.put(OUT))
        store.write(lambda tx: tx.alerts.put(told))
        assert list(store.read(lambda tx: tx.alerts.list())) == [told]

    def test_alerts_stand_by_system_and_kind_and_each_is_forgotten_alone(self, store: Store) -> None:
        others = [
            OUT.evolve(system="", kind=AlertKind.SILENT),
            OUT.evolve(kind=AlertKind.LATE),
            OUT.evolve(system="a"),
        ]
        for alert in (OUT, *others):
            store.write(lambda tx, alert=alert: tx.alerts.put(alert))  # type: ignore[misc]  # bound now
        store.write(lambda tx: tx.alerts.forget("rt", AlertKind.OUT))
        store.write(lambda tx: tx.alerts.forget("nobody", AlertKind.OUT))
        assert list(store.read(lambda tx: tx.alerts.list())) == sorted(others, key=lambda each: each.place)

    def test_a_heartbeat_is_the_newest_of_its_process(self, store: Store) -> None:
        store.write(lambda tx: tx.heartbeats.beat("one", NOW))
        store.write(lambda tx: tx.heartbeats.beat("two", NOW))
        store.write(lambda tx: tx.heartbeats.beat("one", later(15)))
        expected = [Heartbeat("one", later(15)), Heartbeat("two", NOW)]
        assert list(store.read(lambda tx: tx.heartbeats.list())) == expected

    def test_a_process_that_ended_and_one_that_is_long_gone_are_heard_of_no_more(self, store: Store) -> None:
        for number in range(3):
            store.write(lambda tx, n=number: tx.heartbeats.beat(f"p{n}", later(60 * n)))  # type: ignore[misc]  # bound now
        store.write(lambda tx: tx.heartbeats.end("p2"))
        store.write(lambda tx: tx.heartbeats.end_old(later(60)))
        assert [each.process for each in store.read(lambda tx: tx.heartbeats.list())] == ["p1"]

    def test_processes_beat_beside_each_other(self, store: Store) -> None:
        def beat(number: int) -> None:
            for second in range(3):
                store.write(partial(_beat, f"p{number}", second), durable=False)

        with ThreadPoolExecutor(4) as processes:
            list(processes.map(beat, range(8)))
        beats = store.read(lambda tx: tx.heartbeats.list())
        assert [(each.process, each.at) for each in beats] == [(f"p{n}", later(2)) for n in range(8)]
