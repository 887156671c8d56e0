"""Case 6: two handlers of one ticket, in every interleaving with up to three changes of turn between them.

A turn may change before and after each commit, and before and after the work of each request."""

from collections.abc import Callable
from itertools import count

import pytest

from central.link import LinkState
from central.store.memory import MemoryStore
from sync.simulation.baton import Player
from tests.unit.sync.world import TPM, World

Act = Callable[[], object]


class StagedStore(MemoryStore):
    """Every commit is a moment at which somebody else may go on."""

    moment: Callable[[], None] | None = None

    def write(self, change, *, durable=True):
        if self.moment is not None:
            self.moment()
        result = super().write(change, durable=durable)
        if self.moment is not None:
            self.moment()
        return result


class Stage:
    """A world with two handlers of what NGI_PL is owed; they take turns."""

    def __init__(self) -> None:
        self.store = StagedStore()
        self.world = World(store=self.store)
        self._now: Player | None = None
        self._over: set[Player] = set()

    def begin(self, first: Act, second: Act) -> tuple[Player, Player]:
        self.store.moment = self._rest
        self.world.redmine.connector.intruder = lambda _: self._rest()
        return Player("first", first), Player("second", second)

    def _rest(self) -> None:
        assert self._now is not None
        self._now.rest()

    def play(self, player: Player, moments: int | None) -> bool:
        """Let one go on for so many moments, or to the end; False where there were not so many."""
        for number in count():
            if player in self._over:
                return moments is None or number >= moments
            if number == moments:
                return True
            self._now = player
            if player.play():
                self._over.add(player)
        raise AssertionError("unreachable: it counts for ever")

    def end(self, *players: Player) -> list[str]:
        for player in players:
            player.end()
        self.store.moment = None
        self.world.redmine.connector.intruder = None
        return self.world.end()

    def lane(self) -> Act:
        return self.world.mesh._open_lanes()["ngi-pl"].step

    def too_early(self) -> Act:
        """A worker for whom every lease is over: its clock is far ahead."""
        step = self.lane()

        def take_over() -> None:
            super(StagedStore, self.store).write(lambda tx: tx.outbox.release_all())
            step()

        return take_over


def a_birth_that_is_taken_over(stage: Stage) -> tuple[Act, Act]:
    stage.world.bob.open(subject="born there")
    stage.world.mesh.poll()
    return stage.lane(), stage.too_early()


def a_create_that_is_taken_over(stage: Stage) -> tuple[Act, Act]:
    stage.world.centre.open({"subject": "born here", "unit": "NGI_PL"}, TPM)
    return stage.lane(), stage.too_early()


def a_create_and_a_webhook_that_names_it(stage: Stage) -> tuple[Act, Act]:
    stage.world.centre.open({"subject": "born here", "unit": "NGI_PL"}, TPM)
    relay, step = stage.world.mesh.means.relay, stage.lane()

    def webhook() -> None:
        super(StagedStore, stage.store).write(
            lambda tx: relay.owe_inward(tx, "ngi-pl", "1", stage.world.clock(), reason="a webhook named it")
        )
        step()

    return stage.lane(), webhook


STORIES = [a_birth_that_is_taken_over, a_create_that_is_taken_over, a_create_and_a_webhook_that_names_it]


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_case_6_whatever_two_workers_do_in_whatever_order_there_is_one_ticket_on_each_side(
    story: Callable[[Stage], tuple[Act, Act]],
) -> None:
    played = 0
    for before in count():
        reached = True
        for between in count():
            stage = Stage()
            first, second = stage.begin(*story(stage))
            reached = stage.play(first, before)
            enough = stage.play(second, between)
            stage.play(first, None)
            stage.play(second, None)
            broken = stage.end(first, second)
            world, told = stage.world, f"after {before} moments of the first and {between} of the second"
            assert broken == [], told
            assert world.store.read(lambda tx: tx.tickets.count()) == 1, told
            assert len(world.redmine.tracker.issues) == 1, told
            states = [link.state for link in world.store.read(lambda tx: tx.links.of(1))]
            assert states == [LinkState.ACTIVE], told
            assert world.dead() == [], told
            played += 1
            if not reached or not enough:
                break
        if not reached:
            break
    assert played > 20
