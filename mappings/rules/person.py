"""Person: who is meant on the other side. Names are translated by a directory only, never by likeness."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pydantic import Field

from mappings.model import Losses, Place, Rule, Untranslatable, Value
from mappings.remembering import Remembering
from mappings.rules.part import Fault, FieldPart, Part

NOBODY = "nobody"
REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Person:
    """`directory`: our person -> their account; several of ours may share one, and its first is who it is read as.

    `nobody` is how they write that nobody is assigned. `outward` and `inward` tell what becomes of somebody without
    an entry: `nobody`, `refuse`, or a person who has one. The memory keeps both sides' strangers where they are: a
    fallback that comes back never erases the person it stands for."""

    directory: Mapping[str, str]
    nobody: str | None = None
    outward: str = NOBODY
    inward: str = NOBODY
    where: str = ""
    _accounts: Mapping[str, str] = field(init=False, repr=False, compare=False)
    _people: Mapping[str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        people: dict[str, str] = {}
        for ours, theirs in self.directory.items():
            people.setdefault(theirs, ours)
        object.__setattr__(self, "_accounts", {_folded(ours): theirs for ours, theirs in self.directory.items()})
        object.__setattr__(self, "_people", people)

    def say(self, ours: Value) -> Value:
        if not ours:
            return self.nobody
        if (account := self._accounts.get(_folded(ours))) is not None:
            return account
        if self.outward == REFUSE:
            raise Untranslatable(f"{ours!r} has no account in the directory{self.where}: add one there")
        return self.nobody if self.outward == NOBODY else self._accounts[_folded(self.outward)]

    def read(self, theirs: Value) -> Value:
        if self._is_nobody(theirs):
            return None
        if (person := self._people.get(str(theirs))) is not None:
            return person
        if self.inward == REFUSE:
            raise Untranslatable(f"their {theirs!r} is nobody's account in the directory{self.where}: add it there")
        return None if self.inward == NOBODY else self.inward

    def agrees(self, ours: Value, theirs: Value) -> bool:
        account = self._accounts.get(_folded(ours)) if ours else self.nobody
        stranger = not self._is_nobody(theirs) and str(theirs) not in self._people
        if account is None and ours:  # our stranger: nobody's peer, their strangers' peer, or the fallback's
            return stranger or (self.outward != REFUSE and self._same(self.say(ours), theirs))
        if stranger:
            return self.inward != REFUSE and self._same_person(self.read(theirs), ours)
        return self._same(account, theirs)

    def canonical_ours(self, ours: Value) -> Value:
        return ours or None

    def canonical_theirs(self, theirs: Value) -> Value:
        return self.nobody if self._is_nobody(theirs) else theirs

    def losses(self) -> Losses:
        known = f"but the {len(self.directory)} in the directory " if self.directory else ""
        return Losses(
            (f"anybody of ours {known}{self._fate(self.outward)} there",),
            (f"anybody of theirs {known}{self._fate(self.inward)} here",),
        )

    def _fate(self, fallback: str) -> str:
        if fallback == REFUSE:
            return "cannot be named"
        return "becomes nobody" if fallback == NOBODY else f"becomes {fallback!r}"

    def _is_nobody(self, theirs: Value) -> bool:
        return not theirs or theirs == self.nobody

    def _same(self, account: Value, theirs: Value) -> bool:
        return account == theirs or (self._is_nobody(account) and self._is_nobody(theirs))

    def _same_person(self, one: Value, other: Value) -> bool:
        return (not one and not other) or _folded(one) == _folded(other)


def _folded(person: Value) -> str:
    """Mail addresses are written in any case."""
    return str(person or "").casefold()


class Fallback(Part):
    """What becomes of a person who is not in the directory."""

    outward: str = Field(
        description='"nobody", "refuse", or one of our people in the directory.', examples=[NOBODY, REFUSE]
    )
    inward: str = Field(
        description='"nobody", "refuse", or one of our people in the directory.', examples=[NOBODY, REFUSE]
    )


class PersonPart(Part):
    """Who is who."""

    directory: dict[str, str] = Field(default_factory=dict, description="Our person (mail address): their account.")
    nobody: str | None = Field(None, description="How they write that nobody is assigned; default: nothing.")
    fallback: Fallback


class PersonField(FieldPart):
    """A field that names a person."""

    person: PersonPart

    def faults(self) -> Iterator[Fault]:
        part = self.person
        first: dict[str, str] = {}
        seen: dict[str, str] = {}
        for ours, theirs in part.directory.items():
            first.setdefault(theirs, _folded(ours))
            if _folded(ours) in seen:
                yield Fault(("person", "directory", ours), f"the same address as {seen[_folded(ours)]!r}")
            seen[_folded(ours)] = ours
            if theirs == part.nobody or not theirs:
                sentence = f"{theirs!r} is how they write that nobody is assigned"
                story = (f"somebody assigns {ours} here", f"it is written as {theirs!r}", "its echo makes it nobody")
                yield Fault(("person", "directory", ours), sentence, story=story)
        for side, name in (("outward", part.fallback.outward), ("inward", part.fallback.inward)):
            if name in (NOBODY, REFUSE):
                continue
            if _folded(name) not in seen:
                yield Fault(
                    ("person", "fallback", side),
                    f"{name!r} is neither 'nobody' nor 'refuse' nor one of our people in the directory",
                )
            elif side == "inward" and _folded(name) not in first.values():
                yield Fault(
                    ("person", "fallback", side), f"{name!r} shares an account whose first person is another: take that"
                )

    def rule(self, central: str, at: Place) -> Rule:
        part = self.person
        return Remembering(
            Person(part.directory, part.nobody, part.fallback.outward, part.fallback.inward, f" of {central} ({at})")
        )
