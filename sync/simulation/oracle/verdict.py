"""The verdict on one run: what is broken, what is excused and why, and the figures."""

from dataclasses import dataclass

from sync.simulation.oracle import edits, laws, masses, members, quiet
from sync.simulation.oracle.evidence import Evidence
from sync.simulation.oracle.post import NO_POST, Post, post
from sync.simulation.world import Restless, World

_JUDGES = (
    laws.convergence,
    laws.no_twins,
    laws.conversation,
    laws.taken_in,
    laws.undone,
    masses.asked,
    laws.no_trespass,
    laws.no_bugs,
    laws.mails,
    edits.lost_there,
    edits.lost_here,
    edits.invented,
    members.members_stand,
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the oracle says."""

    broken: tuple[str, ...]
    excused: tuple[str, ...]
    acts: int
    """What people did."""
    writes: int
    """What we did in the trackers."""
    post: Post = NO_POST
    """The mail that it made them send."""

    @property
    def law(self) -> str:
        """The first law that is broken, by its name; '' when all hold."""
        return self.broken[0].split(":", 1)[0] if self.broken else ""


def judge(world: World) -> Verdict:
    """Play a world to its end and judge it."""
    excuses: list[str] = []
    broken: list[str] = []
    try:
        try:
            world.play()
        except Restless as restless:
            broken.append(f"silence: {restless}")
        evidence = Evidence(world)
        for ask in _JUDGES:
            broken += ask(evidence, excuses)
        if not broken:
            before, read = quiet.footprint(evidence), quiet.readings(evidence)
            world.rest()
            after = Evidence(world)
            broken += [*quiet.silence(before, quiet.footprint(after)), *quiet.idle(read, quiet.readings(after))]
    finally:
        world.end()
    if world.scenario.well_behaved:
        broken += [f"excuse: nothing went wrong, and yet: {excuse}" for excuse in excuses]
    ours = sum(d.deed.who == world.members[d.system].connector.account for d in world.chronicle.dids)
    return Verdict(tuple(broken), tuple(excuses), world.chronicle.human_acts, ours, post(Evidence(world)))
