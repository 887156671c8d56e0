"""What a check finds: what is proven, and how; what is refuted, where, and the shortest story that refutes it."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from mappings.model import Losses, Place


class Proof(StrEnum):
    """What is to be shown of a mapping, in the order in which it is told."""

    TOTAL = "total"
    LENS = "lens laws"
    STABLE = "stable"
    QUIET = "no ping-pong"
    REACHABLE = "reachable"
    NO_LEAK = "no leak"
    NO_TRAP = "no trap"


PROMISES = {
    Proof.TOTAL: "every word has a word on the other side, and a create carries all that it needs",
    Proof.LENS: "what goes out and comes back is what it was",
    Proof.STABLE: "out and in changes nothing that nobody changed",
    Proof.QUIET: "once people stop, it stops",
    Proof.REACHABLE: "whatever either side says can be said on the other, from wherever it stands",
    Proof.NO_LEAK: "nothing internal reaches a public place",
    Proof.NO_TRAP: "nothing becomes final but by a person's word",
}


@dataclass(frozen=True, slots=True)
class Refutation:
    """A promise that does not hold: where it is broken in the document, in a sentence, and as a story."""

    proof: Proof
    place: Place
    sentence: str
    story: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.place}: {self.sentence}"


@dataclass(frozen=True, slots=True)
class Shown:
    """A promise that holds, and how that is known."""

    proof: Proof
    how: str


@dataclass(frozen=True, slots=True)
class Report:
    """What was found about one mapping."""

    mapping: str
    file: str
    shown: tuple[Shown, ...]
    refuted: tuple[Refutation, ...]
    losses: Losses
    assumed: tuple[str, ...] = ()

    @property
    def proven(self) -> bool:
        """Whether every promise holds."""
        return not self.refuted


def once(refutations: Iterable[Refutation]) -> tuple[Refutation, ...]:
    """Each place and promise once, by the shortest story; in the order of the document."""
    best: dict[tuple[Proof, Place, str], Refutation] = {}
    for each in refutations:
        known = best.get(key := (each.proof, each.place, each.sentence))
        if known is None or (each.story and len(each.story) < len(known.story or each.story * 2)):
            best[key] = each
    return tuple(sorted(best.values(), key=lambda r: (r.place.file, r.place.line, r.place.column)))
