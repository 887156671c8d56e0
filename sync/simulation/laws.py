"""The five laws of the running mesh, judged from the trackers' own logs and the store, never from the engine's word.

Each function returns sentences about what is broken; an empty list means the law holds.
"""

from collections import Counter
from collections.abc import Sequence

from central.events import Kind
from central.link import Link, LinkState
from central.model import Visibility, plain
from connectors.emulators.tracker import AUTOMAT, Deed
from sync.echo import comparable
from sync.reconcile import corresponds
from sync.simulation.mesh import Member, Mesh


def broken(mesh: Mesh, *, canaries: Sequence[str] = ()) -> list[str]:
    """Everything that is wrong with a mesh at rest. `canaries`: texts that people wrote as internal."""
    return [
        *convergence(mesh),
        *silence(mesh),
        *no_loss(mesh),
        *no_twins(mesh),
        *no_trespass(mesh, canaries),
        *no_dead_letters(mesh),
    ]


def convergence(mesh: Mesh) -> list[str]:
    """Every mapped field agrees modulo the mapping, or carries a standing disagreement with its reason."""
    wrong = []
    for member, link in _links(mesh):
        issue = member.tracker.issues.get(link.key or "")
        if issue is None or issue.hidden:
            continue
        ticket = mesh.store.read(lambda tx, link=link: tx.tickets.get(link.ticket_id))  # type: ignore[misc]  # bound now
        for field in member.mapping.fields.values():
            ours, theirs = ticket[field.central], issue.fields.get(field.remote)
            if field.central not in link.disagreements and not corresponds(field.rule, ours, theirs):
                wrong.append(
                    f"convergence: ticket {ticket.id} {field.central} is {ours!r} here and {theirs!r} "
                    f"in {member.name} {link.key}"
                )
    return wrong


def silence(mesh: Mesh) -> list[str]:
    """Another few rounds write nothing anywhere, events and revisions included."""
    before = _footprint(mesh)
    for _ in range(3):
        mesh.round()
    after = _footprint(mesh)
    return [
        f"silence: {name} grew from {before[name]} to {after[name]}" for name in after if after[name] != before[name]
    ]


def no_loss(mesh: Mesh) -> list[str]:
    """Every human edit stands, was overwritten by a person, arrived, or is a kept loser; every comment arrived."""
    wrong = []
    for member, link in _links(mesh):
        deeds = [d for d in member.tracker.log if d.key == link.key]
        wrong += _lost_edits(mesh, member, link, deeds)
        wrong += _lost_comments(mesh, member, link)
        wrong += _comment_edits(mesh, member, link)
    return wrong


def no_twins(mesh: Mesh) -> list[str]:
    """One ticket there for one here; every comment and file once."""
    wrong = []
    for member in mesh.members.values():
        tokens = Counter(
            str(i.fields.get("external_id"))
            for i in member.tracker.issues.values()
            if i.author == member.connector.account
        )
        wrong += [f"no twins: {n} tickets in {member.name} bear the token {t}" for t, n in tokens.items() if n > 1]
    for member, link in _links(mesh):
        issue = member.tracker.issues.get(link.key or "")
        sent = (
            Counter(
                n.text.rsplit("\n", 1)[0]
                for n in issue.notes
                if n.author == member.connector.account and "no longer synchronised" not in n.text
            )
            if issue
            else {}
        )
        wrong += [f"no twins: {n} times in {member.name} {link.key}: {t!r}" for t, n in sent.items() if n > 1]
        said = Counter(
            c.origin_id
            for c in mesh.store.read(lambda tx, link=link: tx.tickets.comments(link.ticket_id))  # type: ignore[misc]  # bound now
            if c.origin_system == member.name
        )
        wrong += [f"no twins: comment {i} of {member.name} is here {n} times" for i, n in said.items() if n > 1]
    return wrong


def no_trespass(mesh: Mesh, canaries: Sequence[str]) -> list[str]:
    """Nothing we did not write is removed; nothing internal leaves its system."""
    wrong = []
    for member in mesh.members.values():
        ours = member.connector.account
        wrong += [
            f"no trespass: we did {d.kind} on {member.name} {d.key}"
            for d in member.tracker.log
            if d.who == ours and d.kind in ("delete", "move")
        ]
        authors = {d.note: d.who for d in member.tracker.log if d.kind == "comment"}
        wrong += [
            f"no trespass: we did {d.kind} on comment {d.note} of {authors[d.note]} in {member.name} {d.key}"
            for d in member.tracker.log
            if d.who == ours and d.kind in ("reword", "unsay", "hide", "show") and authors[d.note] != ours
        ]
        for issue in member.tracker.issues.values():
            public = [str(v) for v in issue.fields.values()] + [n.text for n in issue.notes if n.author == ours]
            public += [f.name for n in issue.notes if n.author == ours for f in n.files]
            wrong += [
                f"no trespass: {c!r} reached {member.name}" for c in canaries if any(c in text for text in public)
            ]
    return wrong


def no_dead_letters(mesh: Mesh) -> list[str]:
    """A quiet mesh has no dead letters, unless a test means it to."""
    return [f"dead letter: {d.error}" for d in mesh.store.read(lambda tx: tx.outbox.dead())]


def _links(mesh: Mesh) -> list[tuple[Member, Link]]:
    found = []
    for member in mesh.members.values():
        after = 0
        while links := mesh.store.read(lambda tx, m=member, a=after: tx.links.of_system(m.name, after=a)):  # type: ignore[misc]  # bound now
            found += [(member, link) for link in links if link.state is LinkState.ACTIVE]
            after = links[-1].id
    return found


def _footprint(mesh: Mesh) -> dict[str, int]:
    counts = {f"the log of {m.name}": len(m.tracker.log) for m in mesh.members.values()}
    tickets = mesh.store.read(lambda tx: tx.tickets.list(limit=10_000))
    counts["the revisions at the centre"] = sum(t.revision for t in tickets)
    counts["the events at the centre"] = mesh.store.read(lambda tx: sum(len(tx.tickets.events(t.id)) for t in tickets))
    return counts


def _lost_edits(mesh: Mesh, member: Member, link: Link, deeds: Sequence[Deed]) -> list[str]:
    wrong = []
    people = [d for d in deeds if d.kind == "set" and d.who not in (member.connector.account, AUTOMAT)]
    events = mesh.store.read(lambda tx: tx.tickets.events(link.ticket_id))
    kept = mesh.store.read(lambda tx: tx.tickets.conflicts(link.ticket_id))
    ticket = mesh.store.read(lambda tx: tx.tickets.get(link.ticket_id))
    for deed in people:
        field = next((f for f in member.mapping.fields.values() if f.remote == deed.field), None)
        if field is None:
            continue
        later = any(d.field == deed.field and d.id > deed.id for d in (*people, *_by_people(deeds, member)))
        later = later or _back_again(deed, people, deeds)
        stands = corresponds(field.rule, ticket[field.central], deed.new)
        arrived = any(
            e.kind in (Kind.FIELD_CHANGED, Kind.FIELD_AGREED)
            and e.system == member.name
            and e.field == field.central
            and e.data.get("theirs") == plain(deed.new)
            for e in events
        )
        lost = any(c.system == member.name and c.field == field.central and c.theirs == deed.new for c in kept)
        if not (later or stands or arrived or lost):
            wrong.append(
                f"no loss: {deed.who} set {deed.field} to {deed.new!r} in {member.name} {deed.key}: nowhere to be found"
            )
    return wrong


def _by_people(deeds: Sequence[Deed], member: Member) -> list[Deed]:
    """What the tracker set by itself because of what a person did: as good as set by that person."""
    causes = {d.id: d.who for d in deeds}
    return [d for d in deeds if d.cause and causes.get(d.cause) != member.connector.account]


def _back_again(deed: Deed, people: Sequence[Deed], deeds: Sequence[Deed]) -> bool:
    """Whether people only went back to where they had begun, with no write of ours between: nothing was changed."""
    ours = max((d.id for d in deeds if d not in people and d.field == deed.field and d.id < deed.id), default=0)
    run = [d for d in people if d.field == deed.field and ours < d.id <= deed.id]
    return any(d.old == deed.new for d in run)


def _comment_edits(mesh: Mesh, member: Member, link: Link) -> list[str]:
    """The last text that people gave a comment there stands here, or is kept as a loser, or in the history."""
    wrong = []
    issue = member.tracker.issues.get(link.key or "")
    for note in issue.notes if issue and member.connector.capabilities.whole_conversation else ():
        edits = [d for d in member.tracker.log if d.kind == "reword" and d.note == note.id]
        if not edits or edits[-1].who == member.connector.account or note.internal:
            continue
        comments, conflicts, events = mesh.store.read(
            lambda tx: (
                tx.tickets.comments(link.ticket_id),
                tx.tickets.conflicts(link.ticket_id),
                tx.tickets.events(link.ticket_id),
            )
        )
        text = comparable(str(edits[-1].new))
        places = [c.text for c in comments] + [str(c.theirs) for c in conflicts]
        places += [str(e.data.get("before", "")) for e in events]
        if not any(place and comparable(place) in text for place in places):
            wrong.append(f"no loss: comment {note.id} of {member.name} {link.key} was edited: {text!r} is nowhere")
    return wrong


def _lost_comments(mesh: Mesh, member: Member, link: Link) -> list[str]:
    wrong = []
    comments = mesh.store.read(lambda tx: tx.tickets.comments(link.ticket_id))
    issue = member.tracker.issues.get(link.key or "")
    if issue is None or issue.hidden:
        return []
    here = {c.origin_id for c in comments if c.origin_system == member.name}
    wrong += [
        f"no loss: comment {n.id} of {member.name} {link.key} is not here"
        for n in issue.notes
        if n.author != member.connector.account and not n.internal and n.id not in here
    ]
    ties = mesh.store.read(lambda tx: tx.links.ties(link.id))
    there = {n.id for n in issue.notes}
    wrong += [
        f"no loss: comment {c.id} is not in {member.name} {link.key}"
        for c in comments
        if c.visibility is Visibility.PUBLIC
        and c.deleted_at is None
        and f"comment {c.id}" not in link.disagreements
        and c.origin_system != member.name
        and ties.get(c.id) not in there
        and ties.get(c.id) != ""
    ]
    return wrong
