"""Who is told what and when: once per episode and once that it is over, whatever breaks in between."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from central.alert import Alert, AlertKind, Stage
from central.delivery import Direction
from central.guard import Hold, HoldKind
from central.instance import Stop
from central.registry import Maintenance, Outage, System, SystemState
from central.store.api import Store, Transaction
from central.store.memory import MemoryStore
from connectors.errors import AccessError, Refused, Transient
from sync.alerts.ailments import Limits
from sync.alerts.episodes import QUIET
from sync.alerts.herald import LEASE, Concern, Herald
from sync.recovery import copies

AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
CENTRE = "noc@ggus.eu"
OPS = "ops@example.cz"


@dataclass
class Letter:
    to: str
    subject: str
    text: str
    mark: str


@dataclass
class Post:
    """A courier whose letters a test reads, and whose ways a test blocks."""

    letters: list[Letter] = field(default_factory=list)
    posted: list[Mapping[str, object]] = field(default_factory=list)
    fails: dict[str, Exception] = field(default_factory=dict)
    """By address, `mail` or `webhook`."""
    tried: int = 0
    webhook: bool = False
    meanwhile: Callable[[], None] = lambda: None

    def ways(self) -> frozenset[str]:
        return frozenset({"mail", "webhook"} if self.webhook else {"mail"})

    def mail(self, to: str, subject: str, text: str, mark: str, at: datetime) -> None:
        self.tried += 1
        self.meanwhile()
        for what in ("mail", to):
            if what in self.fails:
                raise self.fails[what]
        self.letters.append(Letter(to, subject, text, mark))

    def post(self, news: Mapping[str, object], mark: str) -> None:
        if "webhook" in self.fails:
            raise self.fails["webhook"]
        self.posted.append(news)

    def take(self, to: str = OPS) -> list[str]:
        """The subjects of the letters that somebody got since the last time."""
        mine = [each.subject for each in self.letters if each.to == to]
        self.letters = [each for each in self.letters if each.to != to]
        return mine


class Watched:
    """One system, the herald, and a clock."""

    def __init__(self) -> None:
        self.store: Store = MemoryStore()
        self.at, self.post = AT, Post()
        self.concerns = {"ngi-cz": Concern(Limits(), (OPS,)), "ngi-pl": Concern()}
        self.herald = self.another()
        for name in self.concerns:
            self.put(System(name, SystemState.LIVE, 1))

    def another(self, name: str = "one") -> Herald:
        """A herald of another process, or of this one after a restart."""
        clock = lambda: self.at  # noqa: E731
        return Herald(
            self.store, self.post, lambda: self.concerns, clock=clock, name=name, contacts=(CENTRE,), centre="GGUS"
        )

    def put(self, system: System) -> None:
        self.store.write(lambda tx: tx.registry.put_system(system))

    def change(self, name: str = "ngi-cz", **changes: object) -> None:
        self.put(replace(self.store.read(lambda tx: tx.registry.system(name)), **changes))  # type: ignore[arg-type]

    def out(self, name: str = "ngi-cz") -> None:
        self.change(name, outage=Outage(self.at, "Transient: connection refused", self.at))

    def well(self, name: str = "ngi-cz") -> None:
        self.change(name, outage=None)

    def run(self, length: timedelta = timedelta(0), step: timedelta = MINUTE) -> None:
        end = self.at + length
        while True:
            self.herald.round()
            if self.at >= end:
                return
            self.at = min(end, self.at + step)

    def alerts(self) -> list[Alert]:
        return list(self.store.read(lambda tx: tx.alerts.list()))

    @contextmanager
    def nothing_written(self) -> Iterator[None]:
        before = self.store._tables  # type: ignore[attr-defined]
        yield
        assert self.store._tables is before  # type: ignore[attr-defined]


@pytest.fixture
def watched() -> Iterator[Watched]:
    with capture_logs():
        yield Watched()


def test_while_all_is_well_nobody_is_told_and_nothing_is_written(watched: Watched) -> None:
    with watched.nothing_written():
        watched.run(60 * MINUTE)
    assert watched.post.letters == []


def test_an_outage_is_told_once_when_it_has_lasted_and_once_when_it_is_over(watched: Watched) -> None:
    watched.out()
    watched.run(9 * MINUTE)
    assert watched.post.letters == [], "it is borne for ten minutes"
    watched.run(60 * MINUTE)
    assert watched.post.take(OPS) == ["[interdesk] ngi-cz does not answer"]
    assert watched.post.take(CENTRE) == ["[interdesk] ngi-cz does not answer"]
    watched.well()
    watched.run(QUIET - MINUTE)
    assert watched.post.letters == []
    watched.run(60 * MINUTE)
    assert (watched.post.take(OPS), watched.post.take(CENTRE)) == (["[interdesk] ngi-cz is well again"] * 1,) * 2
    assert watched.alerts() == []


def test_an_outage_that_was_borne_is_never_told(watched: Watched) -> None:
    watched.out()
    watched.run(9 * MINUTE)
    watched.well()
    watched.run(60 * MINUTE)
    assert (watched.post.letters, watched.alerts()) == ([], [])


def test_what_comes_and_goes_is_one_episode(watched: Watched) -> None:
    for _ in range(6):
        watched.out()
        watched.run(15 * MINUTE)
        watched.well()
        watched.run(QUIET - 2 * MINUTE)
    watched.run(60 * MINUTE)
    assert watched.post.take() == ["[interdesk] ngi-cz does not answer", "[interdesk] ngi-cz is well again"]


def test_in_a_window_nobody_is_told_and_after_it_what_still_is_counts_from_its_end(watched: Watched) -> None:
    watched.change(maintenance=Maintenance(AT, AT + 120 * MINUTE, "olga", "new disks"))
    watched.store.write(_owed)
    watched.out()
    watched.run(119 * MINUTE)
    assert (watched.post.letters, watched.alerts()) == ([], []), "nobody is alarmed"
    watched.run(10 * MINUTE)
    assert watched.post.letters == [], "it is borne for ten minutes, as ever"
    watched.run(2 * MINUTE)
    assert watched.post.take() == ["[interdesk] ngi-cz does not answer"]


def test_an_episode_that_was_told_of_stands_still_through_a_window(watched: Watched) -> None:
    watched.out()
    watched.run(15 * MINUTE)
    assert watched.post.take() == ["[interdesk] ngi-cz does not answer"]
    watched.change(maintenance=Maintenance(watched.at, watched.at + 60 * MINUTE, "olga"))
    watched.well()
    watched.run(59 * MINUTE)
    assert watched.post.take() == [], "not even that it is over"
    watched.run(QUIET + 5 * MINUTE)
    assert watched.post.take() == ["[interdesk] ngi-cz is well again"]


def test_the_next_episode_is_told_anew(watched: Watched) -> None:
    for _ in range(2):
        watched.out()
        watched.run(15 * MINUTE)
        watched.well()
        watched.run(15 * MINUTE)
    assert watched.post.take() == ["[interdesk] ngi-cz does not answer", "[interdesk] ngi-cz is well again"] * 2


def test_a_letter_says_what_is_wrong_since_when_and_what_to_do(watched: Watched) -> None:
    watched.out()
    watched.run(15 * MINUTE)
    letter = next(each for each in watched.post.letters if each.to == OPS)
    assert "ngi-cz does not answer: Transient: connection refused." in letter.text
    assert "Since: 2026-03-02 08:00:00 UTC" in letter.text
    assert "interdesk system maintenance ngi-cz --until WHEN" in letter.text


def test_each_system_tells_its_own_contacts_and_the_centre_hears_of_all_in_one_letter(watched: Watched) -> None:
    watched.concerns["ngi-pl"] = Concern(Limits(), ("ops@example.pl",))
    watched.out("ngi-cz")
    watched.out("ngi-pl")
    watched.run(15 * MINUTE)
    assert watched.post.take(OPS) == ["[interdesk] ngi-cz does not answer"]
    assert watched.post.take("ops@example.pl") == ["[interdesk] ngi-pl does not answer"]
    assert watched.post.take(CENTRE) == ["[interdesk] ngi-cz does not answer, and 1 more"]


def _dead(tx: Transaction) -> None:
    tx.outbox.owe("ngi-cz", Direction.INWARD, "7", AT, reason="x")
    claim = tx.outbox.claim("ngi-cz", "me", AT, ttl=MINUTE, lease_name=lambda _, d: d.subject)
    assert claim is not None
    tx.outbox.bury(claim, AT, error="Refused: the password of Alice is hunter2")


def _owed(tx: Transaction) -> None:
    tx.outbox.owe("ngi-cz", Direction.INWARD, "7", AT - timedelta(minutes=31), reason="x")


def _held(tx: Transaction) -> None:
    tx.guards.hold(Hold(0, HoldKind.PING_PONG, "ngi-cz", "the password of Alice is hunter2", AT, ticket_id=1))


def _system(**changes: object) -> Callable[[Transaction], None]:
    return lambda tx: tx.registry.put_system(replace(tx.registry.system("ngi-cz"), **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wrong", "headline", "step"),
    [
        (_dead, "has dead letters, 1 in all", "interdesk deadletter list --system ngi-cz"),
        (_owed, "is late", "interdesk status"),
        (_held, "is held by a guard, 1 in all", "interdesk guard list"),
        (
            _system(state=SystemState.PAUSED, open_problem=True, reason="AccessError: 401", error_at=AT),
            "was stopped",
            "interdesk system resume ngi-cz",
        ),
        (_system(state=SystemState.QUARANTINED, reason="a copy"), "was stopped", "interdesk system release ngi-cz"),
        (_system(last_error="ProtocolError: cannot read hunter2"), "fails", "interdesk system check ngi-cz"),
    ],
)
def test_whatever_is_wrong_is_told_with_its_next_step_and_no_word_of_a_ticket(
    watched: Watched, wrong: Callable[[Transaction], None], headline: str, step: str
) -> None:
    watched.store.write(wrong)
    watched.run(11 * MINUTE)
    (letter,) = [each for each in watched.post.letters if each.to == OPS]
    assert letter.subject == f"[interdesk] ngi-cz {headline}"
    assert step in letter.text
    assert ("hunter2" in letter.text, "Alice" in letter.text) == (False, False)


@pytest.mark.parametrize(
    "fine",
    [
        _system(state=SystemState.PAUSED, reason="they move house"),
        _system(state=SystemState.DRAFT, last_error="x"),
        _system(outage=Outage(AT - 60 * MINUTE, "x", AT, suspected_by="look")),
    ],
)
def test_what_a_person_did_on_purpose_and_a_mere_suspicion_are_told_to_nobody(
    watched: Watched, fine: Callable[[Transaction], None]
) -> None:
    watched.store.write(fine)
    watched.store.write(lambda tx: tx.instance.put(tx.instance.get().evolve(stopped=Stop(AT, "ada"))))
    watched.store.write(_owed)
    watched.run(60 * MINUTE)
    assert watched.post.letters == []


def test_a_system_that_is_out_is_not_told_to_be_late_as_well(watched: Watched) -> None:
    watched.out()
    watched.store.write(_owed)
    watched.run(60 * MINUTE)
    assert watched.post.take() == ["[interdesk] ngi-cz does not answer"]


def test_a_system_has_limits_of_its_own(watched: Watched) -> None:
    watched.concerns["ngi-cz"] = Concern(Limits(errors=60 * MINUTE, dead_letters=2), (OPS,))
    watched.out()
    watched.store.write(_dead)
    watched.run(59 * MINUTE)
    assert watched.post.letters == []
    watched.run(2 * MINUTE)
    assert watched.post.take() == ["[interdesk] ngi-cz does not answer"]


def test_a_process_that_is_not_heard_of_any_more_is_told_to_the_centre_alone(watched: Watched) -> None:
    watched.store.write(lambda tx: tx.heartbeats.beat("web.17", AT))
    watched.run(MINUTE)
    assert watched.post.letters == []
    watched.run(2 * MINUTE)
    (letter,) = watched.post.letters
    assert (letter.to, letter.subject) == (CENTRE, "[interdesk] a process of interdesk has fallen silent")
    assert "a process of interdesk has fallen silent: web.17." in letter.text


# -- what breaks -------------------------------------------------------------------------------------------------------


def test_a_mail_server_that_is_away_loses_no_alert_and_is_left_alone_longer_and_longer(watched: Watched) -> None:
    watched.post.fails["mail"] = Transient("mail.example.org does not answer")
    watched.out()
    watched.run(5 * 60 * MINUTE)
    assert watched.post.tried < 25, "two recipients, and it was not asked every minute"
    del watched.post.fails["mail"]
    watched.run(31 * MINUTE)
    assert (watched.post.take(OPS), watched.post.take(CENTRE)) == (["[interdesk] ngi-cz does not answer"],) * 2


def test_an_episode_that_passes_while_the_mail_server_is_away_is_told_once_with_its_end(watched: Watched) -> None:
    watched.post.fails["mail"] = Transient("away")
    watched.out()
    watched.run(30 * MINUTE)
    watched.well()
    watched.run(60 * MINUTE)
    del watched.post.fails["mail"]
    watched.run(31 * MINUTE)
    (letter,) = [each for each in watched.post.letters if each.to == OPS]
    assert letter.subject == "[interdesk] ngi-cz is well again"
    assert "It began at 2026-03-02 08:00:00 UTC: ngi-cz does not answer" in letter.text
    assert watched.alerts() == []


def test_one_address_that_is_refused_keeps_nobody_else_from_being_told(watched: Watched) -> None:
    watched.post.fails[OPS] = Refused("550 no such user")
    watched.out()
    watched.run(20 * MINUTE)
    assert watched.post.take(CENTRE) == ["[interdesk] ngi-cz does not answer"]
    del watched.post.fails[OPS]
    watched.run(31 * MINUTE)
    assert watched.post.take(OPS) == ["[interdesk] ngi-cz does not answer"]


def test_a_log_in_that_fails_is_one_try_a_round_and_not_one_per_recipient(watched: Watched) -> None:
    watched.post.fails["mail"] = AccessError("535 wrong password")
    watched.out()
    watched.run(10 * MINUTE)
    assert watched.post.tried == 1


def test_the_webhook_is_told_the_same_beside_the_letters(watched: Watched) -> None:
    watched.post.webhook = True
    watched.post.fails["webhook"] = Transient("away")
    watched.out()
    watched.run(12 * MINUTE)
    assert watched.post.take() == ["[interdesk] ngi-cz does not answer"]
    del watched.post.fails["webhook"]
    watched.run(5 * MINUTE)
    (news,) = watched.post.posted
    assert news["alerts"][0]["system"] == "ngi-cz"  # type: ignore[index]
    assert (news["alerts"][0]["stage"], news["alerts"][0]["kind"]) == ("begun", "out")  # type: ignore[index]


def test_a_restart_in_the_middle_of_an_episode_tells_nothing_twice(watched: Watched) -> None:
    watched.out()
    for _ in range(40):
        watched.herald = watched.another("one")
        watched.run(MINUTE)
    watched.well()
    for _ in range(40):
        watched.herald = watched.another("one")
        watched.run(MINUTE)
    assert watched.post.take() == ["[interdesk] ngi-cz does not answer", "[interdesk] ngi-cz is well again"]


def test_two_processes_tell_it_once_even_while_one_is_telling(watched: Watched) -> None:
    other = watched.another("two")
    watched.post.meanwhile = lambda: None if watched.post.tried > 8 else other.round()
    watched.out()
    for _ in range(40):
        watched.run(MINUTE)
        other.round()
    assert watched.post.take() == ["[interdesk] ngi-cz does not answer"]
    assert watched.post.take(CENTRE) == ["[interdesk] ngi-cz does not answer"]


def test_a_process_that_dies_while_telling_holds_nobody_up_for_long(watched: Watched) -> None:
    def die() -> None:
        raise KeyboardInterrupt

    watched.out()
    watched.run(9 * MINUTE)
    watched.post.meanwhile = die
    with pytest.raises(KeyboardInterrupt):
        watched.run(3 * MINUTE)
    watched.post.meanwhile = lambda: None
    watched.herald = watched.another("two")
    watched.run(5 * MINUTE)
    assert watched.post.take() == ["[interdesk] ngi-cz does not answer"]
    assert watched.store.read(lambda tx: tx.outbox.counts()) == {}
    assert watched.store.write(lambda tx: tx.outbox.take(LEASE, "x", watched.at, ttl=SECOND)) is not None


def test_a_letter_that_is_sent_again_after_a_death_bears_the_same_mark(watched: Watched) -> None:
    watched.out()
    watched.run(9 * MINUTE)
    state = watched.store._tables  # type: ignore[attr-defined]
    watched.run(2 * MINUTE)
    watched.store._tables = state  # type: ignore[attr-defined]
    watched.store._reading = None  # type: ignore[attr-defined]
    watched.herald = watched.another()
    watched.run(MINUTE)
    marks = [each.mark for each in watched.post.letters if each.to == OPS]
    assert len(marks) == 2
    assert len(set(marks)) == 1


def test_what_another_process_told_a_moment_ago_is_not_told_again(watched: Watched) -> None:
    watched.out()
    watched.run(11 * MINUTE)
    before = list(watched.post.letters)
    watched.herald._tell(OPS, watched.concerns)
    assert watched.post.letters == before


def test_an_episode_that_nobody_was_there_to_tell_is_told_at_its_end(watched: Watched) -> None:
    watched.out()
    watched.run(5 * MINUTE)
    watched.at += 30 * MINUTE  # no process runs
    watched.well()
    watched.run(30 * MINUTE)
    assert watched.post.take() == ["[interdesk] ngi-cz is well again"]


def test_who_heard_that_it_is_over_hears_that_it_is_not(watched: Watched) -> None:
    watched.out()
    watched.run(15 * MINUTE)
    watched.well()
    watched.post.fails[CENTRE] = Refused("451 later")
    watched.run(QUIET)
    watched.run(MINUTE)
    watched.out()
    watched.run(15 * MINUTE)
    assert watched.post.take() == [
        "[interdesk] ngi-cz does not answer",
        "[interdesk] ngi-cz is well again",
        "[interdesk] ngi-cz does not answer",
    ]


def test_an_episode_that_began_while_another_was_told_is_not_taken_for_told(watched: Watched) -> None:
    def begins_anew() -> None:
        watched.post.meanwhile = lambda: None
        (alert,) = watched.alerts()
        watched.store.write(lambda tx: tx.alerts.put(alert.evolve(since=AT + MINUTE, told={})))

    watched.out()
    watched.run(9 * MINUTE)
    watched.post.meanwhile = begins_anew
    watched.run(MINUTE)
    (alert,) = watched.alerts()
    assert OPS not in alert.told


def test_a_database_that_was_copied_tells_nobody_anything(watched: Watched) -> None:
    watched.out()
    watched.run(5 * MINUTE)
    held = f"{copies.COPIED}: it is of another host"
    watched.store.write(lambda tx: tx.instance.put(tx.instance.get().evolve(held=held)))
    watched.out("ngi-pl")
    watched.run(60 * MINUTE)
    assert (watched.post.letters, len(watched.alerts())) == ([], 1)


def test_without_a_mail_server_the_log_says_it_once(watched: Watched) -> None:
    watched.post.ways = lambda: frozenset()  # type: ignore[method-assign]
    with capture_logs() as logged:
        watched.out()
        watched.run(60 * MINUTE)
        watched.well()
        watched.run(60 * MINUTE)
    assert [line["event"] for line in logged] == ["alert", "well again"]
    assert watched.alerts() == []


def test_what_is_told_stays_told_when_it_comes_back_within_the_quiet_time(watched: Watched) -> None:
    watched.out()
    watched.run(15 * MINUTE)
    watched.well()
    watched.run(5 * MINUTE)
    watched.out()
    watched.run(5 * MINUTE)
    (alert,) = watched.alerts()
    assert (alert.kind, alert.since, alert.told[OPS]) == (AlertKind.OUT, AT, Stage.BEGUN)
