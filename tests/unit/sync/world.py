"""The small world of the stories: Request Tracker at NGI_CZ, Redmine at NGI_PL, the centre between them, and people."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from central.delivery import Delivery
from central.events import Event
from central.link import Link
from central.model import Comment, Conflict, Person, Ticket
from central.store.api import Store
from central.store.memory import MemoryStore
from connectors.api import Capabilities
from connectors.emulators.tracker import Issue, Note
from connectors.memory import Call, MemoryConnector
from sync.simulation.laws import broken
from sync.simulation.members import REDMINE_LIKE, RT_LIKE, redmine_like, rt_like
from sync.simulation.mesh import Member, Mesh, VirtualClock

TPM = Person("tpm", "Tess from TPM")
NOTICE = "no longer synchronised"


class World:
    """Two members as they are in the wild, unless a story wants them otherwise."""

    def __init__(
        self,
        *,
        rt: Capabilities = RT_LIKE,
        redmine: Capabilities = REDMINE_LIKE,
        rt_policy: str = "central",
        redmine_policy: str = "central",
        rt_follows_deletes: bool = False,
        store: Store | None = None,
    ) -> None:
        self.clock = VirtualClock()
        self.rt = rt_like(self.clock, "ngi-cz", frozenset({"NGI_CZ"}), policy=rt_policy, capabilities=rt)
        self.rt = replace(self.rt, follow_deletes=rt_follows_deletes)
        self.redmine = redmine_like(
            self.clock, "ngi-pl", frozenset({"NGI_PL"}), policy=redmine_policy, capabilities=redmine
        )
        self.store: Store = store or MemoryStore()
        self.mesh = Mesh(self.store, [self.rt, self.redmine], self.clock)
        self.centre = self.mesh.centre
        self.alice = self.rt.tracker.person("alice")
        self.bob = self.redmine.tracker.person("bob")
        self.canaries: list[str] = []

    # -- what stands where ---------------------------------------------------------------------------------------------

    def ticket(self, ticket_id: int = 1) -> Ticket:
        return self.store.read(lambda tx: tx.tickets.get(ticket_id))

    def link(self, system: str, ticket_id: int = 1) -> Link:
        link = self.store.read(lambda tx: tx.links.find(ticket_id, system))
        assert link is not None, f"ticket {ticket_id} has no link to {system}"
        return link

    def conflicts(self) -> Sequence[Conflict]:
        return self.store.read(lambda tx: tx.tickets.conflicts())

    def comments(self, ticket_id: int = 1) -> Sequence[Comment]:
        return self.store.read(lambda tx: tx.tickets.comments(ticket_id))

    def events(self, ticket_id: int = 1) -> Sequence[Event]:
        return self.store.read(lambda tx: tx.tickets.events(ticket_id))

    def dead(self) -> Sequence[Delivery]:
        return self.store.read(lambda tx: tx.outbox.dead())

    def issue(self, member: Member, key: str | None = None) -> Issue:
        """Their ticket, hidden or not; the first one where no key is given."""
        return member.tracker.issues[key or min(member.tracker.issues)]

    def said(self, member: Member, words: str, key: str | None = None) -> list[Note]:
        """Their comments that hold these words."""
        return [note for note in self.issue(member, key).notes if words in note.text]

    # -- what happens --------------------------------------------------------------------------------------------------

    def shared(self) -> tuple[str, str]:
        """A ticket born in RT and given to NGI_PL; its keys there."""
        key = self.alice.open(subject="CE refuses jobs", description="since this morning\nsecond line")
        self.mesh.round()
        self.centre.change(1, {"unit": "NGI_PL"}, TPM)
        self.mesh.settle()
        other = self.link("ngi-pl").key
        assert other is not None
        return key, other

    def end(self, rounds: int = 30) -> list[str]:
        """Let the mesh come to rest; what is broken then."""
        self.mesh.settle(rounds)
        return broken(self.mesh, canaries=self.canaries)


def once(connector: MemoryConnector, operation: str, act: Callable[[Call], None], *, done: bool) -> None:
    """Stand in the middle of the next call of this kind: before the tracker works, or before its answer arrives."""

    def intrude(call: Call) -> None:
        if call.operation == operation and call.done == done:
            connector.intruder = None
            act(call)

    connector.intruder = intrude


def failing(error: BaseException) -> Callable[[Call], None]:
    """What to do in the middle: fail like this."""

    def fail(_: Call) -> None:
        raise error

    return fail
