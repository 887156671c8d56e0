"""Sets, member by member: whom people put in stands on every side, whom they took out on none, and nobody else.

In the mesh each member is put into a ticket's set once, by one act, so that who takes it out has seen it there."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from central.link import LinkState
from central.model import Ticket, Value
from mappings.model import FieldMapping
from sync.merging import merges
from sync.simulation.oracle.evidence import Evidence
from sync.simulation.people import members


@dataclass
class _Said:
    """What people said of the members of one ticket's set."""

    added: set[str] = field(default_factory=set)
    removed: set[str] = field(default_factory=set)

    def hear(self, before: Value, after: Value) -> None:
        """Somebody made this of that."""
        self.added |= members(after) - members(before)
        self.removed |= members(before) - members(after)


def members_stand(evidence: Evidence, excuses: list[str]) -> Iterator[str]:
    """No loss and no trespass, of every member of every set."""
    names = {
        each.central
        for member in evidence.world.members.values()
        for each in member.mapping.fields.values()
        if merges(each.rule)
    }
    for ticket in evidence.tickets:
        for name in sorted(names):
            yield from _of(evidence, ticket, name, excuses)


def _of(evidence: Evidence, ticket: Ticket, name: str, excuses: list[str]) -> Iterator[str]:
    anywhere, binding, arrived = _Said(), _Said(), _Said()
    for told in evidence.course(ticket, name)[1:]:
        arrived.hear(told.before, told.value)
        if told.person:
            anywhere.hear(told.before, told.value)
            binding.hear(told.before, told.value)
    sides = {"here": members(ticket[name])}
    active = {place.link.id for place in evidence.places}
    hidden, undone = set[str](), set[str]()
    for link in evidence.links[ticket.id]:
        each = evidence.world.members[link.system].mapping.fields[name]
        for edit in evidence.edits.get((link.system, link.key or "", each.remote), ()):
            if edit.human:
                anywhere.hear(edit.old, edit.new)
                if link.id in active:
                    binding.hear(edit.old, edit.new)
            elif edit.restored:
                undone |= members(edit.old) ^ members(edit.new)
            else:
                hidden |= _unseen(evidence, link.system, each, edit.old, edit.new)
        if link.id in active and link.state is LinkState.ACTIVE:
            issue = evidence.world.members[link.system].tracker.issues[link.key or ""]
            sides[link.system] = members(issue.fields.get(each.remote))
    kept = [members(each.theirs) for each in evidence.kept[ticket.id] if each.field == name]
    for side, stands in sides.items():  # an edit that our write has hidden is kept and shown, as of every field
        lost = {who for who in binding.added - anywhere.removed - stands if not any(who in each for each in kept)}
        back = {who for who in binding.removed & stands if all(who in each for each in kept)}
        strange = stands - anywhere.added
        found = [(who, "is missing") for who in sorted(lost)]
        found += [(who, "was taken out, and stands") for who in sorted(back)]
        found += [(who, "was put in by nobody") for who in sorted(strange)]
        for who, what in found:
            wrong = f"no loss: {who} of {name} of ticket {ticket.id} {what} ({side})"
            if who in hidden:
                excuses.append(f"neither lock nor history, between our reading and our write: {wrong}")
            elif who in undone - (arrived.added if who in lost else arrived.removed):
                excuses.append(f"its own restore undid it: {wrong}")
            else:
                yield wrong


def _unseen(evidence: Evidence, system: str, each: FieldMapping, old: Value, new: Value) -> set[str]:
    """Members that a write of ours changed, where nothing keeps a person's edit just before it."""
    capabilities = evidence.world.members[system].connector.capabilities
    blind = not capabilities.preconditions and not capabilities.history and merges(each.rule)
    return members(old) ^ members(new) if blind else set()
