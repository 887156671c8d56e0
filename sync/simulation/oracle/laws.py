"""Convergence, no twins, no trespass, and the words of people: what each law asks of a mesh at rest."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime

from central.events import Kind as EventKind
from central.link import LinkState
from central.model import Visibility
from connectors.emulators.tracker import Issue
from mappings.model import FieldMapping
from sync.guards.breaker import PATIENCE
from sync.plan import Verdict
from sync.policy import admit
from sync.reconcile import corresponds, reconcile
from sync.simulation.chronicle import Chronicle
from sync.simulation.oracle.evidence import Edit, Evidence, Place, same
from sync.simulation.scenario import Kind
from sync.simulation.wire import DEADLINE
from sync.simulation.world import ROBOT

_NOTICE = "no longer synchronised"
_KNOWN_ERRORS = (
    "Transient:",
    "TryLater:",
    "Unknown:",
    "VersionConflict:",
    "NotFound:",
    "Refused:",
    "AccessError:",
    "ProtocolError:",
    "LeaseLost:",
    "StaleRevision:",
    "AlreadyLinked:",
)


def convergence(evidence: Evidence, excuses: list[str]) -> Iterator[str]:
    """Every mapped field agrees on all sides, or carries a standing disagreement that is true and has a cause."""
    for place in evidence.places:
        for field in place.member.mapping.fields.values():
            ours, theirs = place.ticket[field.central], place.issue.fields.get(field.remote)
            agree, said = corresponds(field.rule, ours, theirs), place.link.disagreements.get(field.central)
            where = f"{field.central} of ticket {place.ticket.id} is {ours!r} here and {theirs!r} in {_name(place)}"
            if agree and said is None:
                continue
            if agree:
                yield f"convergence: {where}: they agree, and yet it is said: {said}"
            elif said is None:
                yield f"convergence: {where}"
            elif cause := _cause(evidence, place, field.central, said):
                excuses.append(f"{cause}: {where}")
            else:
                yield f"convergence: {where}, for a reason that nothing shows: {said}"


def _cause(evidence: Evidence, place: Place, name: str, said: str) -> str:
    """What in the trackers bears out this standing disagreement; '' when nothing does."""
    member, field = place.member, place.member.mapping.fields[name]
    theirs = place.issue.fields.get(field.remote)
    if "has rejected it" in said:
        rejected = evidence.world.chronicle.rejections[member.name]
        edits = evidence.edits.get((member.name, place.link.key or "", field.remote), ())
        known = rejected and edits and edits[-1].human and edits[-1].at < rejected[-1]
        return "an operator rejected what they did in masses" if known else ""
    if said.startswith("refused: "):
        plan = reconcile(
            place.link.evolve(refusals={}, intents=()),
            place.ticket.fields,
            {field.remote: theirs},
            mapping=member.mapping,
            policy=member.policy,
            admit=admit,
        )
        wanted = [step.sends.theirs for step in plan.outward if step.name == name]
        tracker = member.tracker
        if wanted and tracker.objection(member.connector.account, field.remote, theirs, wanted[0]):
            return "the tracker's workflow refuses it"
        edits = evidence.edits.get((member.name, place.link.key or "", field.remote), ())
        if not member.connector.capabilities.history and _gone_back(evidence, place, field, edits):
            return "without a history, who goes back to what stood before our write looks like a refusal"
        return ""
    if said.startswith("held by a guard"):
        answers = sum(
            (did.system, did.deed.key, did.deed.field, did.deed.who)
            == (member.name, place.link.key, field.remote, ROBOT)
            for did in evidence.world.chronicle.dids
        )
        return "an automation there answers every write of ours" if answers >= PATIENCE.reflex else ""
    if "a person decides" in said:
        edits = evidence.edits.get((member.name, place.link.key or "", field.remote), ())
        changed_here = len(evidence.course(place.ticket, name)) > 1
        return "policy ask" if any(e.human for e in edits) or changed_here else ""
    return ""


def _gone_back(evidence: Evidence, place: Place, field: FieldMapping, edits: Sequence[Edit]) -> bool:
    """Whether people, after a write of ours and before it was read back, brought back what had been read before it."""
    write = next((n for n, edit in reversed([*enumerate(edits)]) if not edit.human), None)
    if write is None or write + 1 == len(edits):
        return False
    reads = evidence.world.chronicle
    read_back = reads.last_read(place.member.name, place.link.key or "", edits[-1].at)
    if read_back is not None and edits[write].at < read_back < edits[-1].at:
        return False
    read_at = reads.last_read(place.member.name, place.link.key or "", edits[write].at)
    stood = edits[write].old
    for edit in reversed(edits[:write]):
        if read_at is None or edit.at < read_at:  # at the very moment of the reading, it may have come after it
            break
        stood = edit.old
    return same(field, stood, edits[-1].new)


def no_twins(evidence: Evidence, excuses: list[str]) -> Iterator[str]:
    """One ticket there for one case, and one here; every comment and every file once. By the trackers' own logs."""
    overdue = {did.system for did in evidence.world.chronicle.dids if did.overdue}
    for name, member in evidence.world.members.items():
        cases = Counter(_case(issue) for issue in member.tracker.issues.values())
        for case, count in cases.items():
            if count > 1:
                wrong = f"no twins: {case!r} is there {count} times in {name}"
                if name in overdue:
                    excuses.append(f"a request executed later than any request may: {wrong}")
                elif count - _deleted_unsettled(evidence, name, case) <= 1:
                    excuses.append(f"the first was deleted while the answer to its create was lost: {wrong}")
                else:
                    yield wrong
        for issue in member.tracker.issues.values():
            ours = [n for n in issue.notes if n.author == member.connector.account]
            words = Counter(_word(n.text) for n in ours if _NOTICE not in n.text)
            files = Counter(f.name for n in issue.notes for f in n.files)
            files.update(f.name for f in issue.files)
            for what, count in (words + files).items():
                if count > 1:
                    wrong = f"no twins: {what!r} is there {count} times on {name}/{issue.key}"
                    if name in overdue:
                        excuses.append(f"a request executed later than any request may: {wrong}")
                    else:
                        yield wrong
    here = Counter(str(ticket["description"]).split(":", 1)[0].strip() for ticket in evidence.tickets)
    yield from (f"no twins: {case!r} is here {count} times" for case, count in here.items() if count > 1)
    for ticket in evidence.tickets:
        said = Counter(comment.text for comment in evidence.comments[ticket.id])
        yield from (f"no twins: {t!r} is {n} times on ticket {ticket.id}" for t, n in said.items() if n > 1)


def conversation(evidence: Evidence, excuses: list[str]) -> Iterator[str]:
    """Every public word and file is at the centre and on every active side, in the order in which each side spoke."""
    for place in evidence.places:
        member = place.member
        ours = member.connector.account
        theirs = [n for n in place.issue.notes if n.author != ours and not n.internal]
        comments = evidence.comments[place.ticket.id]
        here = {(c.origin_id, _word(c.text)) for c in comments if c.origin_system == member.name}
        yield from (
            f"no loss: {n.text!r} of {_name(place)} is not here" for n in theirs if (n.id, _word(n.text)) not in here
        )
        there = [_word(n.text) for n in place.issue.notes if n.author == ours]
        sent: dict[str, list[str]] = {}
        for comment in comments:
            if comment.visibility is not Visibility.PUBLIC or comment.origin_system == member.name:
                continue
            word = _word(comment.text)
            if not word.startswith("word"):
                continue
            if word not in there:
                missing = f"{word!r} of ticket {place.ticket.id} is not in {_name(place)}"
                if _undone_unseen(evidence, place, word):
                    excuses.append(f"its own restore undid it, and our mark could not tell: {missing}")
                else:
                    yield f"no loss: {missing}"
                continue
            sent.setdefault(comment.origin_system or "", []).append(word)
        for origin, words in sent.items():
            order = [word for word in there if word in words]
            if order != words and _undone(evidence, member.name):
                excuses.append(f"its own restore undid some of them: {order} stand in {_name(place)}, not {words}")
            elif order != words and list(dict.fromkeys(order)) != words:
                yield f"no loss: the words of {origin or 'the centre'} stand as {order} in {_name(place)}, not {words}"
        if member.connector.capabilities.files:
            names = {f.name for n in place.issue.notes for f in n.files} | {f.name for f in place.issue.files}
            for other in evidence.places:
                if other.ticket.id == place.ticket.id and other is not place:
                    public = [f for n in other.issue.notes if not n.internal and n.author == "bob" for f in n.files]
                    for file in (*public, *(f for f in other.issue.files if f.author == "bob")):
                        if file.name in names:
                            continue
                        missing = f"file {file.name!r} of {_name(other)} is not in {_name(place)}"
                        if _noted(place, other, file.name) and _gone_unnoticed(evidence, other):
                            excuses.append(f"its ticket was away as it was fetched, as a note says: {missing}")
                        else:
                            yield f"no loss: {missing}"


def _noted(place: Place, origin: Place, name: str) -> bool:
    """Whether a note stands here for a file that could not be fetched there."""
    return any(f"[file {name!r} stays in {origin.member.name}: " in note.text for note in place.issue.notes)


def _gone_unnoticed(evidence: Evidence, place: Place) -> bool:
    """Whether people deleted this ticket, and brought it back before we looked: only who comes back is asked again."""
    deleted = [
        did.at
        for did in evidence.world.chronicle.dids
        if (did.system, did.deed.key, did.deed.kind) == (place.member.name, place.link.key, "delete")
    ]
    resumed = [e.at for e in evidence.events[place.ticket.id] if e.kind is EventKind.RESUMED]
    return bool(deleted) and all(at < deleted[-1] for at in resumed)


def taken_in(evidence: Evidence, excuses: list[str]) -> Iterator[str]:
    """Every ticket that people opened somewhere is at the centre, and a routed one is where it belongs."""
    here = {str(ticket["description"]).split(":", 1)[0].strip() for ticket in evidence.tickets}
    for name, member in evidence.world.members.items():
        for key, issue in member.tracker.issues.items():
            case = _case(issue)
            if member.marker is not None and key == member.marker.ticket:
                continue
            if not issue.hidden and issue.author != member.connector.account and case not in here:
                yield f"no loss: {name}/{issue.key} ({case}) was never taken in"
    units = evidence.world.gateways.units()
    for ticket in evidence.tickets:
        target = units.get(str(ticket["unit"]))
        links = {link.system: link for link in evidence.links[ticket.id] if link.state is not LinkState.DUPLICATE}
        if target is not None and (target not in links or links[target].state is LinkState.PENDING):
            yield f"convergence: ticket {ticket.id} belongs to {target}, and is not there"
        for system, link in links.items():
            there = evidence.world.members[system].tracker.issues.get(link.key or "")
            if link.state is LinkState.LOST and there is None and _undone(evidence, system):
                excuses.append(f"its own restore undid it: ticket {ticket.id} is no longer in {system}")
            elif link.state is LinkState.LOST and (there is None or not there.hidden):
                yield f"convergence: the link of ticket {ticket.id} to {system}/{link.key} is lost, and it is there"


def undone(evidence: Evidence, excuses: list[str]) -> Iterator[str]:
    """What people wrote in a tracker that then went back to a backup, before we knew of it: it is lost there, too."""
    yield from ()
    here = {str(ticket["description"]).split(":", 1)[0].strip() for ticket in evidence.tickets}
    said = {_word(comment.text) for ticket in evidence.tickets for comment in evidence.comments[ticket.id]}
    for did in evidence.world.chronicle.dids:
        if did.deed.who == evidence.account(did.system) or not evidence.world.chronicle.undone(did):
            continue
        case = str(did.opened.get("description")).split(":", 1)[0].strip()
        if did.deed.kind == "open" and case not in here:
            excuses.append(f"its own restore undid it: {did.system}/{did.deed.key} ({case}) was never taken in")
        if did.deed.kind == "comment" and str(did.deed.new).startswith("word") and _word(str(did.deed.new)) not in said:
            excuses.append(f"its own restore undid it: {did.deed.new!r} of {did.system}/{did.deed.key} is not here")


def no_trespass(evidence: Evidence, excuses: list[str]) -> Iterator[str]:
    """Nothing that we did not write is changed or removed; nothing internal is seen anywhere but where it was said."""
    canaries = {h.value: h.system for h in evidence.world.scenario.happenings if h.kind is Kind.INTERNAL}
    for name, member in evidence.world.members.items():
        ours = member.connector.account
        mapped = {field.remote for field in member.mapping.fields.values()} | {"external_id"}
        spot = member.marker
        for did in evidence.world.chronicle.dids:
            deed = did.deed
            if did.system != name or deed.who != ours:
                continue
            if spot is not None and (deed.key, deed.kind, deed.field) == (spot.ticket, "set", spot.field):
                continue
            if spot is not None and deed.key == spot.ticket:
                yield f"no trespass: we did {deed.kind} {deed.field} on the ticket of our mark in {name}"
            if deed.kind not in ("open", "set", "comment", "attach") or (
                deed.kind == "set" and deed.field not in mapped
            ):
                yield f"no trespass: we did {deed.kind} {deed.field} on {name}/{deed.key}"
        for issue in member.tracker.issues.values():
            shown = [str(value) for value in issue.fields.values()]
            for note in issue.notes:
                if note.author == ours:
                    shown += [note.text, *(f.name for f in note.files), *(str(f.content) for f in note.files)]
            shown += [f.name for f in issue.files if f.author == ours]
            for canary, origin in canaries.items():
                if any(canary in text for text in shown):
                    yield f"no trespass: {canary!r}, said internally in {origin or 'the centre'}, is on {name}"
    for ticket in evidence.tickets:
        for comment in evidence.comments[ticket.id]:
            for canary, origin in canaries.items():
                if origin and canary in comment.text:
                    yield f"no trespass: {canary!r}, said internally in {origin}, is at the centre"
    del excuses


def no_bugs(evidence: Evidence, excuses: list[str]) -> Iterator[str]:
    """No dead letter is left, no system stands still, and no error was a bug of ours."""
    letters = evidence.world.raw_store.read(lambda tx: tx.outbox.dead())
    yield from (f"dead letter: {letter.system} {letter.subject}: {letter.error}" for letter in letters)
    for system in evidence.world.raw_store.read(lambda tx: tx.registry.systems()):
        if system.state != "live":
            yield f"convergence: {system.name} is {system.state}: {system.reason}"
        if system.last_error and not system.last_error.startswith(_KNOWN_ERRORS):
            yield f"a bug: {system.name}: {system.last_error}"
    del excuses


def mails(evidence: Evidence, excuses: list[str]) -> Iterator[str]:
    """What makes trackers send mail is bounded by what people did: no storm."""
    written = Counter(
        did.system
        for did in evidence.world.chronicle.dids
        if did.deed.who == evidence.account(did.system) and did.deed.kind in ("open", "set", "comment")
    )
    bound = 10 + 4 * evidence.world.chronicle.human_acts
    for system, count in written.items():
        if count > bound:
            yield f"silence: {count} writes in {system} for {evidence.world.chronicle.human_acts} acts of people"
    del excuses


def _case(issue: Issue) -> str:
    """Which case it is about: the same for a ticket and for its twin."""
    return str(issue.fields["description"]).split(":", 1)[0].strip()


def _deleted_unsettled(evidence: Evidence, system: str, case: str) -> int:
    """How many of our tickets of this case people deleted while the answer to their create was lost: none is linked,
    but for a late duplicate that was brought back, and no search had shown them."""
    ours, chronicle = evidence.account(system), evidence.world.chronicle
    issues = evidence.world.members[system].tracker.issues.values()
    keys = {issue.key for issue in issues if issue.author == ours and _case(issue) == case}
    links = [link for links in evidence.links.values() for link in links if link.system == system]
    linked = {link.key for link in links if link.state is not LinkState.DUPLICATE}
    gone = {d.deed.key for d in chronicle.dids if d.system == system and d.deed.kind == "delete"}
    opened = {d.deed.key: d.at for d in chronicle.dids if d.system == system and d.deed.kind == "open"}
    return sum(_answer_lost(chronicle, system, opened[key]) for key in keys & gone - linked)


def _answer_lost(chronicle: Chronicle, system: str, opened_at: datetime) -> bool:
    """Whether the answer to the create that opened this ticket did not come, or its reader did not live to keep it."""
    return any(
        abs(strike.at - opened_at) <= DEADLINE
        and (
            (
                strike.kind in (Kind.LOST_ANSWER, Kind.HTML, Kind.LATE)
                and (strike.system, strike.operation) == (system, "create")
            )
            or (strike.kind in (Kind.KILL, Kind.PAUSE) and strike.operation in ("create", "fetch", "commit"))
        )
        for strike in chronicle.strikes
    )


def _undone(evidence: Evidence, system: str) -> bool:
    """Whether this tracker went back to a backup."""
    return any(restore.system == system for restore in evidence.world.chronicle.restores)


def _undone_unseen(evidence: Evidence, place: Place, word: str) -> bool:
    """Whether we had said this there, and the tracker went back behind it while nobody knew where our mark stood."""
    said = [
        did.at
        for did in evidence.world.chronicle.dids
        if (did.system, did.deed.key, did.deed.kind) == (place.member.name, place.link.key, "comment")
        and did.deed.who == place.member.connector.account
        and _word(str(did.deed.new)) == word
    ]
    return any(
        not restore.told and restore.system == place.member.name and restore.since < said[-1] < restore.at
        for restore in evidence.world.chronicle.restores
        if said
    )


def _word(text: str) -> str:
    """What was said, without the signature above, the notes on files, and our mark below."""
    said = next((line for line in text.splitlines() if line.startswith(("word", "CANARY"))), None)
    return said or text.split("\n\n[interdesk", 1)[0]


def _name(place: Place) -> str:
    return f"{place.member.name}/{place.link.key}"


__all__ = [
    "Verdict",
    "convergence",
    "conversation",
    "mails",
    "no_bugs",
    "no_trespass",
    "no_twins",
    "taken_in",
    "undone",
]
