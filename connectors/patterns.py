"""Patterns that a profile may hold: regular expressions that no text can make slow, or none at all. Pure.

Python's `re` goes back and tries again; an expression that may read one text in many ways can keep it busy for ever,
and a profile is data that strangers write. So only what reads a text in one way is taken: what is repeated is plain,
and ends where something begins that it cannot itself be.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator

LONGEST_TEXT = 2000
"""Characters of a text that a pattern is held against."""
_LONGEST = 200
_MOST_WAYS = 64
"""Ways to read a text that an expression may have besides its plain repetitions: alternatives, things left out."""
_ALPHABET = [chr(each) for each in range(256)] + list("ł€本😀\u2028")
_ATOM = re.compile(
    r"\[\^?\]?(?:\\.|[^\]\\])*\]|\\[dDwWsSnrtfv]|\\[^A-Za-z0-9]|[^\\\[\](){}|*+?^$]|\{(?![0-9,])|\}", re.DOTALL
)
_COUNT = re.compile(r"[*+?]|\{(\d*)(,?)(\d*)\}")
_NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Item:
    """One thing of an expression, and how often it comes: a character of a set, or a group of alternatives."""

    chars: frozenset[str]
    inside: tuple[tuple["_Item", ...], ...] = ()
    least: int = 1
    most: int | None = 1
    source: str = ""

    @property
    def begins(self) -> frozenset[str]:
        return self.chars if not self.inside else frozenset().union(*(_begins(each, _NOTHING) for each in self.inside))

    @property
    def may_be_empty(self) -> bool:
        return self.least == 0 or any(all(item.may_be_empty for item in each) for each in self.inside)


def check(pattern: str) -> str:
    """The pattern itself.  :raises ValueError: it could be slow, or is none; the sentence says what to write."""
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"{pattern!r} is no regular expression: {error}") from None
    if len(pattern) > _LONGEST:
        raise ValueError(f"a pattern has at most {_LONGEST} characters, this one {len(pattern)}")
    alternatives = _Parser(pattern).whole()
    ways = len(alternatives)
    for each in alternatives:
        ways *= _ways(each, _NOTHING)
    if ways > _MOST_WAYS:
        raise ValueError(f"{pattern!r} can read a text in too many ways: fewer alternatives and things left out")
    return pattern


Pattern = Annotated[str, AfterValidator(check)]
"""A regular expression in a document, refused at load where a text could make it slow."""


def found(pattern: str, text: str, *, ignore_case: bool = False) -> re.Match[str] | None:
    """Where a checked pattern first is in a text, or in as much of it as patterns are held against."""
    return re.search(pattern, text[:LONGEST_TEXT], re.IGNORECASE if ignore_case else 0)


def _begins(items: Sequence[_Item], after: frozenset[str]) -> frozenset[str]:
    """The characters that these items, or what comes after them, may begin with."""
    chars: frozenset[str] = _NOTHING
    for item in items:
        chars |= item.begins
        if not item.may_be_empty:
            return chars
    return chars | after


def _ways(items: Sequence[_Item], after: frozenset[str]) -> int:
    """In how many ways a text may be read at most.  :raises ValueError: without a bound."""
    ways = 1
    for number, item in enumerate(items):
        then = _begins(items[number + 1 :], after)
        if item.most is None or item.most > 1:
            if any(len(item.inside) > 1 or each.least != each.most or each.inside for i in item.inside for each in i):
                raise ValueError(
                    f"{item.source!r} repeats what itself varies, which a text can make endlessly slow: repeat plain "
                    "characters or a set of them, as in [a-z]+"
                )
            if item.least != item.most and item.begins & then:
                raise ValueError(
                    f"{item.source!r} does not end where the next thing begins, which a text can make very slow: "
                    "repeat a set that excludes what follows, as in [^ ]+ before a blank"
                )
            continue
        if item.least == 0:
            ways *= 2
        if item.inside:
            ways *= len(item.inside)
            for each in item.inside:
                ways *= _ways(each, then)
    return ways


class _Parser:
    """Reads the part of the syntax that patterns may use; whatever else is refused."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0

    def whole(self) -> tuple[tuple[_Item, ...], ...]:
        found = self._alternatives()
        if self._at < len(self._pattern):
            raise self._strange()
        return found

    def _alternatives(self) -> tuple[tuple[_Item, ...], ...]:
        found = [tuple(self._items())]
        while self._take("|"):
            found.append(tuple(self._items()))
        return tuple(found)

    def _items(self) -> Iterator[_Item]:
        while self._at < len(self._pattern) and self._pattern[self._at] not in "|)":
            start = self._at
            if self._take("^") or self._take("$") or self._take(r"\b"):
                continue
            inside: tuple[tuple[_Item, ...], ...] = ()
            chars = _NOTHING
            if self._take("(?:") or (not self._pattern.startswith("(?", self._at) and self._take("(")):
                inside = self._alternatives()
                self._take(")")
            else:
                atom = _ATOM.match(self._pattern, self._at)
                if atom is None:
                    raise self._strange()
                self._at = atom.end()
                chars = frozenset(each for each in _ALPHABET if re.fullmatch(atom[0], each, re.IGNORECASE))
            least, most = self._count()
            yield _Item(chars, inside, least, most, self._pattern[start : self._at])

    def _count(self) -> tuple[int, int | None]:
        count = _COUNT.match(self._pattern, self._at)
        if count is None:
            return 1, 1
        self._at = count.end()
        self._take("?")  # as few as possible: no other amount of ways
        if self._pattern[self._at : self._at + 1] in ("*", "+", "?"):
            raise self._strange()
        if count[0] in "*+?":
            return {"*": (0, None), "+": (1, None), "?": (0, 1)}[count[0]]
        least = int(count[1] or 0)
        return least, (least if not count[2] else int(count[3]) if count[3] else None)

    def _take(self, word: str) -> bool:
        if not self._pattern.startswith(word, self._at):
            return False
        self._at += len(word)
        return True

    def _strange(self) -> ValueError:
        return ValueError(
            f"patterns hold characters, sets, groups, alternatives and repetitions; {self._pattern[self._at :]!r} in "
            f"{self._pattern!r} is something else"
        )
