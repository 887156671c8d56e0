"""The figures for Prometheus: what they say of each system, what they never say, and what they cost."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from central.alert import Alert, AlertKind
from central.delivery import Direction
from central.desk import metrics
from central.guard import Hold, HoldKind
from central.instance import Stop
from central.link import Link, LinkState
from central.registry import Outage, System, SystemState
from central.store.api import Store, Transaction
from central.store.memory import MemoryStore
from central.store.sql import SqlStore
from tests.unit.central.desk.growing import AT, grow, statements

MINUTE = timedelta(minutes=1)


def read(store: Store, at: datetime = AT) -> dict[tuple[str, str], float]:
    """Name and system -> value, by Prometheus' own parser."""
    text = metrics.exposition(store, lambda: at).decode()
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    assert all(set(sample.labels) <= {"system"} for sample in samples)
    return {(sample.name, sample.labels.get("system", "")): sample.value for sample in samples}


@pytest.fixture
def store() -> Store:
    store = MemoryStore()
    well = System("ngi-cz", SystemState.LIVE, 1, polled_at=AT - MINUTE)
    store.write(lambda tx: tx.registry.put_system(well))
    return store


def change(store: Store, **changes: object) -> None:
    store.write(lambda tx: tx.registry.put_system(replace(tx.registry.system("ngi-cz"), **changes)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("client", "headers", "told"),
    [
        ("127.0.0.1", {}, True),
        ("::1", {}, True),
        ("192.0.2.7", {}, False),
        ("", {}, False),
        ("testclient", {}, False),
        ("127.0.0.1", {"x-forwarded-for": "192.0.2.7"}, False),
        ("192.0.2.7", {"authorization": "Bearer open sesame"}, True),
        ("192.0.2.7", {"authorization": "Bearer open"}, False),
        ("192.0.2.7", {"authorization": "Basic open sesame"}, False),
        ("127.0.0.1", {"authorization": "Bearer wrong"}, False),
    ],
)
def test_the_figures_are_told_on_this_machine_or_to_whoever_shows_the_token(
    client: str, headers: dict[str, str], told: bool
) -> None:
    assert metrics.Readers(token=lambda: "open sesame").let_in(client, headers) is told
    assert metrics.Readers(open=True).let_in(client, headers)
    assert not metrics.Readers().let_in("192.0.2.7", {"authorization": "Bearer "})


def test_a_well_system_is_well_and_owes_nothing(store: Store) -> None:
    told = read(store)
    for name in ("lag_seconds", "oldest_delivery_age_seconds", "outage_seconds", "dead_letters", "held", "links"):
        assert told[f"interdesk_{name}", "ngi-cz"] == 0, name
    assert (told["interdesk_system_well", "ngi-cz"], told["interdesk_system_live", "ngi-cz"]) == (1, 1)
    assert (told["interdesk_poll_age_seconds", "ngi-cz"], told["interdesk_stopped", ""]) == (60, 0)


def test_what_is_owed_and_what_needs_a_person_is_counted(store: Store) -> None:
    def fill(tx: Transaction) -> None:
        ticket = tx.tickets.create({"subject": "a secret subject"}, AT)
        link = Link(0, ticket.id, "ngi-cz", LinkState.ACTIVE, key="17")
        tx.links.create(link.standing({"status": "a secret reason"}, AT - 3 * MINUTE))
        tx.guards.hold(Hold(0, HoldKind.PING_PONG, "ngi-cz", "a secret fight", AT, ticket_id=ticket.id))
        for number in range(3):
            tx.outbox.owe("ngi-cz", Direction.INWARD, str(number), AT - 2 * MINUTE, reason="a secret reason")
        claim = tx.outbox.claim("ngi-cz", "me", AT, ttl=MINUTE, lease_name=lambda _, d: d.subject)
        assert claim is not None
        tx.outbox.bury(claim, AT, error="secret words")

    store.write(fill)
    told = read(store)
    expected = {"deliveries_due": 2, "dead_letters": 1, "held": 1, "links": 1, "disagreements": 1}
    assert {name: told[f"interdesk_{name}", "ngi-cz"] for name in expected} == expected
    assert told["interdesk_oldest_delivery_age_seconds", "ngi-cz"] == 120
    assert told["interdesk_oldest_disagreement_age_seconds", "ngi-cz"] == 180
    assert (told["interdesk_tickets", ""], told["interdesk_system_well", "ngi-cz"]) == (1, 0)
    assert "secret" not in metrics.exposition(store, lambda: AT).decode()


def test_a_system_that_does_not_answer_lags_since_then_though_nothing_is_owed(store: Store) -> None:
    change(store, outage=Outage(AT - 7 * MINUTE, "refused", AT))
    told = read(store)
    assert (told["interdesk_outage_seconds", "ngi-cz"], told["interdesk_lag_seconds", "ngi-cz"]) == (420, 420)
    change(store, outage=Outage(AT - 7 * MINUTE, "refused", AT, suspected_by="look"))
    assert read(store)["interdesk_outage_seconds", "ngi-cz"] == 0


def test_one_that_takes_no_part_has_no_poll_to_be_late(store: Store) -> None:
    change(store, state=SystemState.PAUSED)
    told = read(store)
    assert (told["interdesk_system_paused", "ngi-cz"], told["interdesk_system_live", "ngi-cz"]) == (1, 0)
    assert ("interdesk_poll_age_seconds", "ngi-cz") not in told


@pytest.mark.parametrize("changes", [{"stopped": Stop(AT, "ada", "a storm")}, {"held": "this database is a copy"}])
def test_the_stop_button_and_a_copy_show(store: Store, changes: dict[str, object]) -> None:
    store.write(lambda tx: tx.instance.put(tx.instance.get().evolve(**changes)))
    assert read(store)["interdesk_stopped", ""] == 1


def test_the_processes_that_are_heard_of_and_open_alerts_show(store: Store) -> None:
    assert ("interdesk_heartbeat_age_seconds", "") not in read(store)

    def fill(tx: Transaction) -> None:
        tx.heartbeats.beat("one", AT - MINUTE)
        tx.heartbeats.beat("two", AT - 3 * MINUTE)
        for system, kind in (("ngi-cz", AlertKind.OUT), ("", AlertKind.SILENT)):
            tx.alerts.put(Alert(system, kind, AT, AT, "a secret sentence", "a secret step"))
        tx.alerts.put(Alert("ngi-cz", AlertKind.LATE, AT, AT, "x", "y", well_at=AT))

    store.write(fill)
    told = read(store)
    assert (told["interdesk_processes", ""], told["interdesk_heartbeat_age_seconds", ""]) == (2, 60)
    assert told["interdesk_oldest_heartbeat_age_seconds", ""] == 180
    assert (told["interdesk_alerts", ""], told["interdesk_alerts", "ngi-cz"]) == (1, 1)


def test_the_figures_cost_the_same_few_questions_however_many_systems_and_tickets_there_are(sql: SqlStore) -> None:
    sql.write(lambda tx: grow(tx, 0, 2))
    few = statements(sql, lambda: read(sql))
    sql.write(lambda tx: grow(tx, 2, 60))
    many = statements(sql, lambda: read(sql))
    assert len(many) == len(few) <= 10
    assert not [asked for asked in many if "count(" in asked.lower()], "what is kept is not counted"
    assert read(sql)["interdesk_deliveries_due", "s59"] == 1
