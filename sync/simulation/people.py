"""People at work, in every tracker and at the centre. What they do is told as it happens."""

from typing import TYPE_CHECKING

from central.desk.services.errors import NotAllowed
from central.desk.services.tickets import Upload
from central.model import Person, Priority, Value
from central.workflow import Actor, Status
from sync.simulation.mesh import Member
from sync.simulation.scenario import Happening, Kind

if TYPE_CHECKING:
    from sync.simulation.world import World

TESS = Person("tess", "Tess from TPM")
_PRIORITIES = ("low", "normal", "high")
_STATUSES = tuple(each.value for each in Status)


class People:
    """Carries out what the scenario says people do."""

    def __init__(self, world: "World") -> None:
        self._world = world

    def act(self, happening: Happening) -> None:
        """One act; where there is nothing to act upon yet, nobody does anything."""
        done = self._at_the_centre(happening) if not happening.system else self._there(happening)
        if done:
            self._world.chronicle.human_acts += 1

    def _tell(self, text: str) -> bool:
        self._world.tell(text, act=True)
        return True

    def _there(self, act: Happening) -> bool:
        member: Member = self._world.members[act.system]
        tracker, bob = member.tracker, member.tracker.person("bob")
        if act.kind is Kind.OPEN:
            key = tracker.person("carol").open(
                subject=f"ticket {act.value}", description=f"case {act.system}.{act.value}: begun"
            )
            self._tell(f"carol opens {act.system}/{key}")
            return True
        gone = act.kind is Kind.RETURN
        marked = member.marker.ticket if member.marker else None
        keys = [key for key, issue in tracker.issues.items() if bool(issue.hidden) == gone and key != marked]
        if not keys:
            return False
        key = keys[act.pick % len(keys)]
        place = f"{act.system}/{key}"
        match act.kind:
            case Kind.EDIT:
                value = self._value(act, member, key)
                if tracker.issues[key].fields[act.field] != value:
                    self._tell(f"bob sets {place} {act.field} to {value!r}")
                    bob.edit(key, {act.field: value})
            case Kind.WATCH | Kind.UNWATCH:
                before = tracker.issues[key].fields.get("watchers")
                now = _watching(act, members(before))
                self._tell(f"bob sets {place} watchers to {', '.join(now)!r}")
                spec = tracker.field("watchers")
                bob.edit(key, watchers=(", ".join(now) or None) if spec and spec.kind == "text" else tuple(now))
            case Kind.COMMENT:
                files = {f"{act.value}.txt": b"what was said"} if act.seconds else {}
                self._tell(f"bob comments on {place}: {act.value!r}{' with a file' if files else ''}")
                bob.comment(key, act.value, files=files)
            case Kind.INTERNAL:
                files = {f"{act.value}.txt": act.value.encode()} if act.seconds else {}
                self._tell(f"bob comments internally on {place}: {act.value!r}")
                bob.comment(key, act.value, internal=True, files=files)
            case Kind.ATTACH:
                self._tell(f"bob attaches {act.value!r} to {place}")
                bob.attach(key, act.value, b"bytes of " + act.value.encode())
            case Kind.DELETE:
                self._tell(f"bob deletes {place}")
                bob.delete(key)
            case Kind.RETURN:
                self._tell(f"bob brings {place} back")
                tracker.issues[key].hidden = ""
                bob.edit(key, subject=f"back {act.pick} {act.at:.0f}")
        return True

    def _value(self, act: Happening, member: Member, key: str) -> str:
        if act.field == "status":
            spec = member.tracker.field("status")
            words = spec.values if spec else ()
            return words[int(act.value) % len(words)]
        if act.field == "priority":
            return _PRIORITIES[int(act.value) % 3]
        if act.field == "description":
            return _same_case(str(member.tracker.issues[key].fields["description"]), act.value)
        return act.value

    def _at_the_centre(self, act: Happening) -> bool:
        world = self._world
        count = world.raw_store.read(lambda tx: tx.tickets.count())
        if act.kind is Kind.OPEN:
            self._tell(f"Tess opens ticket {count + 1} at the centre")
            fields = {"subject": f"ticket {act.value}", "description": f"case centre.{act.value}: begun"}
            world.centre.open(fields, TESS)
            return True
        if not count:
            return False
        ticket = act.pick % count + 1
        match act.kind:
            case Kind.EDIT:
                return self._change(ticket, act.field, self._central(act, ticket))
            case Kind.REASSIGN:
                return self._change(ticket, "unit", act.value)
            case Kind.WATCH | Kind.UNWATCH:
                held = world.raw_store.read(lambda tx: tx.tickets.get(ticket))
                return self._change(ticket, "cc", _watching(act, members(held["cc"])))
            case Kind.COMMENT | Kind.INTERNAL:
                hidden = act.kind is Kind.INTERNAL
                name = f"{act.value}.txt"
                files = [Upload(name, "text/plain", iter((act.value.encode(),)))] if act.seconds else []
                self._tell(f"Tess comments {'internally ' if hidden else ''}on ticket {ticket}: {act.value!r}")
                world.centre.comment(ticket, act.value, TESS, internal=hidden, files=files)
                return True
        return False

    def _central(self, act: Happening, ticket: int) -> str:
        if act.field == "status":
            return _STATUSES[int(act.value)]
        if act.field == "priority":
            return tuple(Priority)[int(act.value) % 4].value
        if act.field == "description":
            held = self._world.raw_store.read(lambda tx: tx.tickets.get(ticket))
            return _same_case(str(held["description"]), act.value)
        return act.value

    def _change(self, ticket: int, field: str, value: Value) -> bool:
        held = self._world.raw_store.read(lambda tx: tx.tickets.get(ticket))
        if held[field] == value:
            return False
        actor = Actor.SUBMITTER if value == Status.VERIFIED else Actor.SUPPORTER
        try:
            self._world.centre.change(ticket, {field: value}, TESS, actor=actor)
        except NotAllowed:
            return False
        return self._tell(f"Tess sets ticket {ticket} {field} to {value!r}")


def members(value: Value) -> set[str]:
    """The members of a set, as a tuple or in one text."""
    return set(value) if isinstance(value, tuple) else {each for each in str(value or "").split(", ") if each}


def _watching(act: Happening, before: set[str]) -> tuple[str, ...]:
    """Whoever joins is new to every ticket; whoever leaves is one of those who are there."""
    if act.kind is Kind.WATCH:
        return tuple(sorted({*before, act.value}))
    several = sorted(before)
    gone = act.value if act.value in before else several[act.pick % len(several)] if several else ""
    return tuple(each for each in several if each != gone)


def _same_case(before: str, value: str) -> str:
    """Another description that still says which case it is: by that the judges know a twin."""
    return f"{before.split(':', 1)[0]}: {value}"
