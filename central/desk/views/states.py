"""The table of states as a picture: ours on the left, theirs on the right, where each is said and read."""

from collections.abc import Sequence
from dataclasses import dataclass

from central.desk.services.dictionaries import States

WIDTH, BOX, ROW, GAP = 420, 140, 26, 8


@dataclass(frozen=True, slots=True)
class Box:
    """A word of one side."""

    word: str
    x: int
    y: int
    many: int
    """How many of the other side's words it stands for; more than one: they are folded."""


@dataclass(frozen=True, slots=True)
class Line:
    """What becomes of a word."""

    kind: str
    """said, also (means it too, and is never said) or read (where nothing is held)."""
    path: str


@dataclass(frozen=True, slots=True)
class Picture:
    """Boxes and lines, and how large all of it is."""

    ours: tuple[Box, ...]
    theirs: tuple[Box, ...]
    lines: tuple[Line, ...]
    width: int
    height: int
    box: int = BOX
    row: int = ROW


def picture(states: States) -> Picture:
    """Where everything stands: theirs are ordered by what they stand for, so that few lines cross."""
    ours = list(dict.fromkeys(word for word, _ in states.said))
    pairs = (*states.said, *states.also)
    theirs = list(dict.fromkeys(word for _, word in pairs))
    stands_for = {word: [ours.index(mine) for mine, yours in pairs if yours == word] for word in theirs}
    theirs.sort(key=lambda word: sum(stands_for[word]) / len(stands_for[word]))
    height = max(len(ours), len(theirs)) * (ROW + GAP) - GAP
    left, right = _heights(ours, height), _heights(theirs, height)
    lines = [
        Line(kind, _curve(left[mine], right[yours], 0))
        for kind, each in (("said", states.said), ("also", states.also))
        for mine, yours in each
    ]
    lines += [Line("read", _curve(left[mine], right[yours], 6)) for yours, mine in states.read if mine in left]
    return Picture(
        tuple(Box(word, 0, left[word], sum(mine == word for mine, _ in pairs)) for word in ours),
        tuple(Box(word, WIDTH - BOX, right[word], len(stands_for[word])) for word in theirs),
        tuple(lines),
        WIDTH,
        height,
    )


def _heights(words: Sequence[str], height: int) -> dict[str, int]:
    """The upper edge of each box, spread over the height."""
    space = (height - len(words) * ROW) // max(len(words) - 1, 1) if len(words) > 1 else 0
    first = 0 if len(words) > 1 else (height - ROW) // 2
    return {word: first + number * (ROW + space) for number, word in enumerate(words)}


def _curve(left: int, right: int, lower: int) -> str:
    """From the middle of a box of ours to that of one of theirs."""
    start, end = left + ROW // 2 + lower, right + ROW // 2 + lower
    middle = WIDTH // 2
    return f"M{BOX} {start}C{middle} {start} {middle} {end} {WIDTH - BOX} {end}"
