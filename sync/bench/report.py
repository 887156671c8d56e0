"""What a run of a benchmark says, in one document."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


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

    @property
    def met(self) -> bool:
        """Fast enough, and right."""
        return self.correct and self.ratio <= self.target

    def plain(self) -> dict[str, Any]:
        """The document."""
        return {
            "bench": self.bench,
            "size": self.size,
            "metrics": self.metrics,
            "floor": self.floor,
            "limit": self.limit,
            "ratio": self.ratio,
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
