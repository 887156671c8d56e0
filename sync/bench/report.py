"""What a run of a benchmark says, in one document."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Law:
    """A figure that must stay at or below its bound, on any machine."""

    value: float
    bound: float

    def holds(self, margin: float = 1.0) -> bool:
        """Whether it does, or does within `margin` times the bound (for a machine that does other work too)."""
        return self.value <= self.bound * margin


@dataclass(frozen=True, slots=True)
class Report:
    """A run. It is met only if the work came out right."""

    bench: str
    size: str
    metrics: dict[str, float]
    floor: dict[str, float]
    """The same work by the least program with our libraries, in the same run."""
    limit: dict[str, float]
    """The same by the cheapest client there is; printed, never decisive."""
    ratio: float
    """The worst of the measured figures over the floor's."""
    target: float
    correct: bool
    wrong: tuple[str, ...]
    """What came out wrong."""
    laws: Mapping[str, Law] = field(default_factory=dict)
    """How it must not grow."""

    @property
    def met(self) -> bool:
        """Fast enough, growing as it may, and right."""
        return self.correct and self.ratio <= self.target and all(law.holds() for law in self.laws.values())

    def rows(self) -> list[tuple[str, dict[str, float]]]:
        """Whose figures there are, ours first."""
        rows = [("interdesk", self.metrics), ("floor", self.floor), ("limit", self.limit)]
        return [(who, figures) for who, figures in rows if figures]

    def told(self) -> list[str]:
        """The verdict, in sentences."""
        sentences = [f"{self.bench} {self.size}: {self.ratio} times the floor, target {self.target}"]
        sentences += [f"{name}: {law.value}, at most {law.bound}" for name, law in self.laws.items()]
        sentences.append("met" if self.met else "missed" if self.correct else "the work came out wrong")
        return sentences

    def plain(self) -> dict[str, Any]:
        """The document."""
        return {
            "bench": self.bench,
            "size": self.size,
            "metrics": self.metrics,
            "floor": self.floor,
            "limit": self.limit,
            "ratio": self.ratio,
            "laws": {name: {"value": law.value, "bound": law.bound} for name, law in self.laws.items()},
            "target": self.target,
            "met": self.met,
            "correct": self.correct,
            "wrong": list(self.wrong),
        }


def spread(seconds: Sequence[float]) -> dict[str, float]:
    """The median and the 99th of a hundred, in milliseconds."""
    ordered = sorted(seconds)
    return {
        "p50_ms": round(ordered[len(ordered) // 2] * 1000, 2),
        "p99_ms": round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))] * 1000, 2),
    }
