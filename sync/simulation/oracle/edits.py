"""No loss, of fields: every edit of a person stands, or gave way to one who had seen it, or is kept as a loser.

Judged edit by edit: whatever comes next on that field after somebody's edit must have the right to."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

from central.events import Kind
from central.link import Link, LinkState
from central.model import Ticket
from mappings.model import FieldMapping
from sync.merging import merges
from sync.simulation.mesh import Member
from sync.simulation.oracle.evidence import Edit, Evidence, Told, same, says, value_in
from sync.simulation.wire import DEADLINE

_EFFECT = timedelta(seconds=10)
"""Within this of a comment of ours, the same value by somebody looks like the tracker's own doing."""


def lost_there(evidence: Evidence, excuses: list[str]) -> Iterator[str]:
    """Edits of people in the trackers that interdesk wrote over, though nobody had seen them."""
    for ticket in evidence.tickets:
        for link in evidence.links[ticket.id]:
            if link.key is None or link.state is LinkState.DUPLICATE:
                continue
            member = evidence.world.members[link.system]
            for mapping in member.mapping.fields.values():
                if merges(mapping.rule):
                    continue  # judged member by member
                edits = evidence.edits.get((member.name, link.key, mapping.remote), ())
                for number, edit in enumerate(edits):
                    after = edits[number + 1] if number + 1 < len(edits) else None
                    if edit.human and after is not None and not after.human:
                        wrong = _overwritten(evidence, ticket, link, member, mapping, edits[: number + 1], after)
                        if wrong and after.restored:
                            excuses.append(f"its own restore undid it: {wrong}")
                        elif wrong and (excuse := _excused(evidence, link, member, mapping, edit, after)):
                            excuses.append(f"{excuse}: {wrong}")
                        elif wrong:
                            yield wrong


def _overwritten(
    evidence: Evidence,
    ticket: Ticket,
    link: Link,
    member: Member,
    mapping: FieldMapping,
    edits: Sequence[Edit],
    after: Edit,
) -> str:
    edit, name = edits[-1], mapping.central
    if same(mapping, edit.new, after.new):
        return ""
    ours = max((e.at for e in edits if not e.human), default=None)
    run = [e for e in edits if ours is None or e.at > ours]
    if any(same(mapping, e.old, edit.new) for e in run):
        return ""  # people went back to where they had begun
    if _arrived(evidence, ticket, link, mapping, edit, after.at if after.ours else None):
        return ""
    for kept in evidence.kept[ticket.id]:
        if kept.system == member.name and kept.field == name and same(mapping, kept.theirs, edit.new):
            return ""
    if after.effect:
        later = [e for e in evidence.edits[member.name, link.key or "", mapping.remote] if e.at > after.at]
        if any(same(mapping, e.new, edit.new) for e in later[:2]):
            return ""  # it was put back
        if (
            later
            and later[0].human
            and (_unread(evidence, link, edit, later[0].at) or _left(evidence, link, after.at, later[0].at))
        ):
            return ""  # somebody set it anew: between two looks only the last value counts
    what = "its backup" if after.restored else "the tracker, upon our comment," if after.effect else "interdesk"
    return (
        f"no loss: somebody set {mapping.remote} of {member.name}/{link.key} to {edit.new!r} at {_clock(edit.at)}; "
        f"{what} made it {after.new!r} at {_clock(after.at)}, and it is kept nowhere"
    )


def _arrived(
    evidence: Evidence, ticket: Ticket, link: Link, mapping: FieldMapping, edit: Edit, until: datetime | None
) -> bool:
    """Whether the centre has learnt of this edit (before it was overwritten there)."""
    if ticket.born_in == link.system:
        read_at = evidence.world.chronicle.last_read(link.system, link.key or "", ticket.created_at)
        if read_at is not None and edit.at < read_at:
            return True
    for event in evidence.events[ticket.id]:
        if event.system != link.system or event.field != mapping.central or event.at < edit.at:
            continue
        if until is not None and event.at > until:
            break
        if event.kind in (Kind.FIELD_CHANGED, Kind.FIELD_AGREED) and same(mapping, value_in(event, "theirs"), edit.new):
            return True
    # what says the same as the centre does at that time needs no carrying
    read_at = evidence.world.chronicle.last_read(link.system, link.key or "", until or evidence.world.clock.now)
    if read_at is None or read_at < edit.at:
        return False
    course = evidence.course(ticket, mapping.central)
    return any(
        says(mapping, told.value, edit.new)
        for number, told in enumerate(course)
        if (until is None or told.at < until) and (number + 1 == len(course) or course[number + 1].at > edit.at)
    )


def _excused(evidence: Evidence, link: Link, member: Member, mapping: FieldMapping, edit: Edit, after: Edit) -> str:
    """Why this loss cannot be prevented, with its cause; '' when it can."""
    capabilities = member.connector.capabilities
    if after.ours and not capabilities.preconditions and not capabilities.history:
        if _unread(evidence, link, edit, after.at):
            return "neither lock nor history, between our reading and our write"
        if _looked_ours(evidence, link, mapping, edit):
            return "neither lock nor history, and our write said the same as they right after them"
    if after.ours and capabilities.preconditions and _unread_since_a_restore(evidence, link, edit, after.at):
        return "its own restore had it give anew the version that we held, so that our precondition was met"
    if _set_back_after_a_restore(evidence, link, mapping, edit):
        return "who sets back what its own restore took away, before that was taken in, has changed nothing"
    issue = member.tracker.issues.get(link.key or "")  # a restore may have taken it away
    if (
        issue is not None
        and issue.hidden
        and (
            _unread(evidence, link, edit, evidence.world.clock.now)
            or (after.effect and _left(evidence, link, after.at, _deleted_at(evidence, link)))
        )
    ):
        return "the ticket was deleted before anybody could read it"
    if after.ours and not capabilities.history and _right_after_our_create(evidence, link, member, edit):
        return "no history tells an edit from what the tracker made of our new ticket"
    own = [e for e in evidence.edits[member.name, link.key or "", mapping.remote] if e.ours and e.at < edit.at]
    if after.ours and not capabilities.history and own and same(mapping, own[-1].old, edit.new):
        return "without a history, who goes back to what stood before our write looks like a write that never arrived"
    effects = [e for e in evidence.edits[member.name, link.key or "", mapping.remote] if e.effect and e.at < edit.at]
    took_back = effects and same(mapping, effects[-1].old, edit.new) and _unread(evidence, link, effects[-1], edit.at)
    if after.ours and not capabilities.history and took_back:
        return "without a history, who takes back at once what our comment did looks like nobody at all"
    if after.effect and _undone_unread(evidence, link, edit, after):
        return "its own restore undid it, and what our comment had made of it, before anybody could read it"
    if after.effect and link.state is LinkState.DETACHED:
        return "the last notice of a detached link hid it"
    if after.effect and not capabilities.history:
        return "no history tells what our comment hid"
    if after.ours and after.overdue and not capabilities.preconditions and not capabilities.history:
        return "a request executed later than any request may, and there is neither lock nor history"
    comments = [
        d.at
        for d in evidence.world.chronicle.dids
        if d.system == member.name
        and d.deed.key == link.key
        and d.deed.kind == "comment"
        and d.deed.who == evidence.account(member.name)
    ]
    table = member.connector.capabilities.side_effects.get("comment", {}).get(mapping.remote, {})
    if table.get(str(edit.old)) == edit.new and any(abs(at - edit.at) <= _EFFECT + DEADLINE for at in comments):
        return "it looked like what our comment does there"
    return ""


def _unread(evidence: Evidence, link: Link, edit: Edit, until: datetime) -> bool:
    """Whether interdesk has not read the ticket between this edit and that moment."""
    read_at = evidence.world.chronicle.last_read(link.system, link.key or "", until)
    return read_at is None or edit.at > read_at


def _unread_since_a_restore(evidence: Evidence, link: Link, edit: Edit, until: datetime) -> bool:
    """Whether the tracker went back to a backup before this edit, and interdesk has not read the ticket since: what it
    knew of the version was told before that."""
    restores = [each.at for each in evidence.world.chronicle.restores if each.system == link.system]
    read_at = evidence.world.chronicle.last_read(link.system, link.key or "", until)
    return any(at < edit.at and (read_at is None or read_at < at) for at in restores)


def _undone_unread(evidence: Evidence, link: Link, edit: Edit, after: Edit) -> bool:
    """Whether the tracker went back behind this edit before anybody had read what came after it."""
    return any(
        restore.system == link.system
        and restore.since < edit.at
        and after.at < restore.at
        and _unread(evidence, link, after, restore.at)
        for restore in evidence.world.chronicle.restores
    )


def _set_back_after_a_restore(evidence: Evidence, link: Link, mapping: FieldMapping, edit: Edit) -> bool:
    """Whether the value that this edit brings back stood there until a restore, and nothing of that was taken in."""
    edits = evidence.edits[link.system, link.key or "", mapping.remote]
    restored = [e for e in edits if e.restored and e.at < edit.at][-1:]
    return any(
        same(mapping, each.old, edit.new)
        and not any(
            (event.system, event.field) == (link.system, mapping.central) and each.at <= event.at <= edit.at
            for event in evidence.events[link.ticket_id]
        )
        for each in restored
    )


def _left(evidence: Evidence, link: Link, since: datetime, until: datetime) -> bool:
    """Whether the ticket had left this system by then and was not taken up again in between: nobody looked, though the
    answer to the last notice showed it."""
    moves = [e for e in evidence.events[link.ticket_id] if e.system == link.system and e.at < until]
    before = [e.kind for e in moves if e.kind in (Kind.DETACHED, Kind.RESUMED) and e.at <= since]
    back = any(e.kind is Kind.RESUMED and e.at > since for e in moves)
    return before[-1:] == [Kind.DETACHED] and not back


def _deleted_at(evidence: Evidence, link: Link) -> datetime:
    """When a ticket that is gone there was deleted."""
    dids = evidence.world.chronicle.dids
    return max(d.at for d in dids if (d.system, d.deed.key, d.deed.kind) == (link.system, link.key, "delete"))


def _looked_ours(evidence: Evidence, link: Link, mapping: FieldMapping, edit: Edit) -> bool:
    """Whether a write of ours said the same right after this edit, with no reading of ours between: it did nothing, and
    what stood there looked like its doing."""
    return any(
        (wrote.system, wrote.key) == (link.system, link.key)
        and mapping.remote in wrote.patch
        and same(mapping, wrote.patch[mapping.remote], edit.new)
        and edit.at <= wrote.at
        and _unread(evidence, link, edit, wrote.at)
        for wrote in evidence.world.chronicle.writes
    )


def _right_after_our_create(evidence: Evidence, link: Link, member: Member, edit: Edit) -> bool:
    """Whether we opened the ticket, and had not read it yet before this edit."""
    dids = evidence.world.chronicle.dids  # a restore may have taken the ticket away since
    opened = [
        d for d in dids if (d.system, d.deed.key, d.deed.kind) == (member.name, link.key, "open") and d.at < edit.at
    ]
    reads = evidence.world.chronicle.reads.get((member.name, link.key or ""), [])
    return opened[-1].deed.who == member.connector.account and (not reads or edit.at <= reads[0])


def lost_here(evidence: Evidence, excuses: list[str]) -> Iterator[str]:  # noqa: ARG001  # the judges are called alike
    """Values at the centre that a system's edit replaced, though the one who made it had not seen them."""
    for ticket in evidence.tickets:
        for name in ("subject", "description", "priority", "status"):
            course = evidence.course(ticket, name)
            for number, (before, told) in enumerate(pairwise(course)):
                if told.system is None or told.system == before.system:
                    continue
                # who went back to what the others knew already has changed nothing for them
                since = next(each.at for each in course[: number + 1] if each.value == before.value)
                wrong = _taken_over(evidence, ticket, name, replace(before, at=since), told)
                if wrong:
                    yield wrong


def _taken_over(evidence: Evidence, ticket: Ticket, name: str, before: Told, told: Told) -> str:
    link = next(k for k in evidence.links[ticket.id] if k.system == told.system and k.state is not LinkState.DUPLICATE)
    member = evidence.world.members[told.system or ""]
    mapping = member.mapping.fields[name]
    past = [e for e in evidence.edits.get((member.name, link.key or "", mapping.remote), ()) if e.at < told.at]
    edits = [e for e in past if e.human and same(mapping, e.new, told.theirs)]
    if not edits:
        return ""  # another judge asks who invented it
    for edit in (edits[-1], _unread_run(evidence, link, past, edits[-1])[0]):
        if edit.at > before.at and says(mapping, before.value, edit.old):
            return ""  # who set it saw what says the same; between two looks only the last value counts
    for value in evidence.held(member.name, link.key or "", mapping.remote, before.at, edits[-1].at):
        if says(mapping, before.value, value):
            return ""
    if any(k.field == name and k.ours == before.value for k in evidence.kept[ticket.id]):
        return ""
    return (
        f"no loss: {name} {before.value!r} of ticket {ticket.id} (set at {_clock(before.at)} "
        f"{'at the centre' if before.system is None else f'in {before.system}'}) gave way to {told.value!r} from "
        f"{told.system} at {_clock(told.at)}, where nobody had seen it, and it is kept nowhere"
    )


def _unread_run(evidence: Evidence, link: Link, past: Sequence[Edit], last: Edit) -> Sequence[Edit]:
    """What people made of the field, one after the other, up to this edit, while interdesk did not look."""
    read_at = evidence.world.chronicle.last_read(link.system, link.key or "", last.at)
    run = [last]
    for edit in reversed(past[: past.index(last)]):
        if not edit.human or (read_at is not None and edit.at <= read_at):
            break
        run.insert(0, edit)
    return run


def invented(evidence: Evidence, excuses: list[str]) -> Iterator[str]:
    """Changes taken in from a system that nobody there made: our own echo, or the tracker's doing upon our write."""
    for ticket in evidence.tickets:
        for event in evidence.events[ticket.id]:
            if event.kind is not Kind.FIELD_CHANGED or event.system is None or event.field is None:
                continue
            link = next(
                (
                    k
                    for k in evidence.links[ticket.id]
                    if k.system == event.system and k.state is not LinkState.DUPLICATE
                ),
                None,
            )
            member = evidence.world.members[event.system]
            mapping = member.mapping.fields[event.field]
            if link is None or link.key is None or merges(mapping.rule):
                continue
            edits = [
                e
                for e in evidence.edits.get((member.name, link.key, mapping.remote), ())
                if e.at < event.at and same(mapping, e.new, value_in(event, "theirs"))
            ]
            if edits and edits[-1].human:
                continue
            wrong = (
                f"silence: {event.field} of ticket {ticket.id} became {event.data['to']!r} at {_clock(event.at)} "
                f"because {member.name}/{link.key} held {event.data['theirs']!r}, which nobody there had set"
            )
            capabilities = member.connector.capabilities
            all_edits = evidence.edits.get((member.name, link.key, mapping.remote), ())
            people = any(e.human and e.at < event.at for e in all_edits)
            if edits and _untold(evidence, member, edits[-1]):
                excuses.append(f"its own restore brought it back, and our mark could not tell: {wrong}")
            elif edits and not capabilities.history and (people or edits[-1].overdue):
                excuses.append(f"without a history nobody knows whose value it is: {wrong}")
            else:
                yield wrong


def _untold(evidence: Evidence, member: Member, edit: Edit) -> bool:
    """Whether a restore of which our mark does not tell has set this."""
    return edit.restored and any(
        not restore.told and (restore.system, restore.at) == (member.name, edit.at)
        for restore in evidence.world.chronicle.restores
    )


def _clock(at: datetime) -> str:
    return f"{at:%H:%M:%S.%f}"[:-3]
