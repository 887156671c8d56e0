"""Set: members that either side adds and removes: a CC list, tags, people involved. Order and doubles do not matter.

A member of theirs without a word of ours is a stranger: it stays there whatever we write, and out of ours. A member of
ours without a word of theirs stays here. All others are shared: the two sides say the same where they share the same.
"""

import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from pydantic import Field

from mappings.model import Losses, Merging, Place, Spill, Value
from mappings.rules.part import Fault, FieldPart, Part


@dataclass(frozen=True, slots=True)
class Set:
    """`words`: our member -> theirs, one to one; none: both sides use the same. `separator`: theirs is one text."""

    words: Mapping[str, str] = field(default_factory=dict)
    separator: str = ""
    any_case: bool = False
    _say: Mapping[str, str] = field(init=False, repr=False, compare=False)
    _read: Mapping[str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_say", {self._key(ours): theirs for ours, theirs in self.words.items()})
        object.__setattr__(self, "_read", {self._key(theirs): ours for ours, theirs in self.words.items()})

    def inward(self, theirs: Value, *, held: Value) -> Value:
        there = self._shared_there(theirs)
        return self._with(held, there, there.keys())

    def outward(self, ours: Value, *, held: Value) -> Value:
        here, there = self._shared_here(ours), self._there(held)
        if here.keys() == self._shared_there(held).keys():
            return held
        kept = [said for key, said in there.items() if key in here or self._is_stranger(key)]
        return self._written([*kept, *(said for key, said in here.items() if key not in there)])

    def merged(self, ours: Value, theirs: Value, *, agreed: tuple[Value, Value]) -> Value:
        here, there = self._shared_here(ours).keys(), self._shared_there(theirs)
        known = self._shared_here(agreed[0]).keys() & self._shared_there(agreed[1]).keys()
        return self._with(ours, there, (here & there.keys()) | ((here ^ there.keys()) - known))

    def shows(self, wrote: Value, *, before: Value, theirs: Value) -> bool:
        sent, then, now = (self._there(each).keys() for each in (wrote, before, theirs))
        return then != sent and sent - then <= now and not (then - sent) & now

    def landed(self, wrote: Value, *, before: Value, theirs: Value, agreed: Value) -> Value:
        sent, then, now, known = map(self._there, (wrote, before, theirs, agreed))
        added = {key: said for key, said in sent.items() if key in now}
        removed = then.keys() - sent.keys() - now.keys()
        kept = {key: said for key, said in known.items() if key not in removed}
        return agreed if kept.keys() | added.keys() == known.keys() else self._written((added | kept).values())

    def canonical_ours(self, ours: Value) -> Value:
        return tuple(sorted(self._members(_listed(ours)))) or None

    def canonical_theirs(self, theirs: Value) -> Value:
        return self._written(sorted(self._there(theirs)))

    def spill(self, ours: Value) -> Spill | None:  # noqa: ARG002  # only a text is ever too long
        return None

    def losses(self) -> Losses:
        if self.words:
            beyond = f"but the {len(self.words)} with a word"
            return Losses(
                (f"a member of ours, {beyond}, is not carried there",),
                (f"a member of theirs, {beyond}, stays there and is not carried here",),
            )
        return Losses((f"a member of ours with {self.mark!r} in it is not carried there",) if self.mark else ())

    def _with(self, held: Value, there: Mapping[str, str], shared: Collection[str]) -> Value:
        """Ours, sharing just these (by their keys); what is held already stays as it is written."""
        here = self._shared_here(held)
        if here.keys() == shared:
            return held
        words = {said: self._word(key, said) for key, said in self._members(_listed(held)).items()}
        kept = [said for said, word in words.items() if word is None or self._key(word) in shared]
        added = [self._read.get(key, said) for key, said in there.items() if key in shared and key not in here]
        return (*kept, *added) or None

    def _shared_here(self, ours: Value) -> dict[str, str]:
        """The key of their word -> their word, for every member of ours that has one."""
        words = (self._word(key, said) for key, said in self._members(_listed(ours)).items())
        return {self._key(word): word for word in words if word is not None}

    def _shared_there(self, theirs: Value) -> dict[str, str]:
        """The key of their word -> their word, for every member of theirs that has one of ours."""
        return {key: said for key, said in self._there(theirs).items() if not self._is_stranger(key)}

    def _there(self, theirs: Value) -> dict[str, str]:
        listed = _listed(theirs)
        return self._members(part for each in listed for part in (each.split(self.mark) if self.mark else [each]))

    def _word(self, key: str, said: str) -> str | None:
        if self.words:
            return self._say.get(key)
        return None if self.mark and self.mark in said else said

    def _is_stranger(self, key: str) -> bool:
        return bool(self.words) and key not in self._read

    def _members(self, listed: Iterable[str]) -> dict[str, str]:
        """Each member once, by what it is compared by: the way it is written first."""
        members: dict[str, str] = {}
        for each in listed:
            if key := self._key(each):
                members.setdefault(key, each.strip())
        return members

    def _key(self, member: str) -> str:
        key = unicodedata.normalize("NFC", member.strip())
        return unicodedata.normalize("NFC", key.casefold()) if self.any_case else key

    def _written(self, members: Iterable[str]) -> Value:
        return self.separator.join(members) or None if self.separator else tuple(members) or None

    @property
    def mark(self) -> str:
        """What parts their members, whatever blanks are around it."""
        return self.separator.strip() or self.separator


_: type[Merging] = Set


def _listed(value: Value) -> tuple[str, ...]:
    """A value that is no set is a set of one."""
    if isinstance(value, tuple):
        return value
    return () if value is None else (str(value),)


class SetPart(Part):
    """How members are told, and where theirs stand in one text."""

    words: dict[str, str] = Field(
        default_factory=dict, description="Our member: theirs. None at all: both sides use the same."
    )
    separator: str = Field(
        "", pattern=r"^[\W_]*$", description="What parts the members where theirs is one text.", examples=["; "]
    )
    any_case: bool = Field(False, description="Capital and small letters are the same, as in mail addresses.")


class SetField(FieldPart):
    """A field that holds several members."""

    set: SetPart

    def faults(self) -> Iterator[Fault]:
        part, rule = self.set, Set({}, self.set.separator, self.set.any_case)
        here: dict[str, str] = {}
        there: dict[str, str] = {}
        for ours, theirs in part.words.items():
            at = ("set", "words", ours)
            one, other = rule.canonical_ours(ours), rule.canonical_theirs(theirs)
            if one is None or rule.outward(theirs, held=None) is None:
                sentence = f"{ours!r}: {theirs!r} cannot be written as one member"
                story = (f"somebody adds {ours} here", "what is written there is read as other members, or as none")
                yield Fault(at, sentence, story=story)
            elif str(one) in here:
                yield Fault(at, f"the same member as {here[str(one)]!r}")
            elif str(other) in there:
                sentence = (
                    f"{theirs!r} stands for {there[str(other)]!r} already: of the two, nobody could tell which was "
                    f"removed; give each a word of its own"
                )
                yield Fault(at, sentence, breaks="lens laws")
            here.setdefault(str(one), ours)
            there.setdefault(str(other), ours)

    def rule(self, central: str, at: Place) -> Merging:  # noqa: ARG002  # no sentence of its names the place
        return Set(self.set.words, self.set.separator, self.set.any_case)
