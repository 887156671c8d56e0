"""P6: one bad system among many. The others must not feel it, and it must get all that it takes.

Everybody edits at an even pace; the tickets of one system live in a tracker that is slow, refuses, drops or complains.
The floor is the same interdesk while all are well.
"""

import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from sync.bench.hub import Hub, Plan
from sync.bench.progress import tell
from sync.bench.report import Law, Report, spread
from sync.bench.sides import Side, Trouble
from sync.bench.stand import HOOK_KEY, until
from sync.settings import Settings

TARGET = 1.5
_GRACE_MS = 5.0
_SIZES = {"small": (10, 100, 30), "full": (300, 3_000, 50)}
"""Systems; changes; changes per second."""
_TROUBLES = {
    "slow": Trouble(pause=3.0),
    "refuses": Trouble("refuse", status=500),
    "drops": Trouble("lose"),
    "asks to wait": Trouble("refuse", status=429),
}
_MEASURED = {"small": ("slow", "refuses"), "full": tuple(_TROUBLES)}


def run(settings: Settings, size: str) -> Report:
    """One run: all well, then each trouble."""
    wrong: list[str] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="interdesk-bench-")))
        mesh = _Mesh(stack, settings, folder, *_SIZES[size], rounds=len(_MEASURED[size]) + 2)
        mesh.measure(0, wrong)  # connections are made, caches filled
        well = mesh.measure(1, wrong)
        before = mesh.hub.usage().rss_mb
        with_one = {}
        for number, trouble in enumerate(_MEASURED[size], 2):
            tell(f"one system {trouble}")
            mesh.right.misbehave("b0", _TROUBLES[trouble])
            with_one[trouble] = mesh.measure(number, wrong)
            mesh.right.misbehave("b0", None)
        grown = mesh.hub.usage().rss_mb - before
        until(lambda: mesh.all_agree(), "the bad system caught up", patience=900)
    worst = max(figures["p99_ms"] for figures in with_one.values())
    return Report(
        bench="P6",
        size=size,
        metrics={
            "p99_ms": worst,
            **{f"p99_ms_one_{trouble.replace(' ', '_')}": figures["p99_ms"] for trouble, figures in with_one.items()},
            "systems": _SIZES[size][0],
        },
        floor={"p99_ms": well["p99_ms"]},
        limit={},
        ratio=round((worst - _GRACE_MS) / well["p99_ms"], 2),
        target=TARGET,
        correct=not wrong,
        wrong=tuple(wrong),
        laws={"memory grown, MB": Law(round(grown, 1), 10.0)},
    )


class _Mesh:
    """Left systems where people edit, right ones that are told; the tickets of a0 live in b0, the bad one."""

    def __init__(
        self, stack: ExitStack, settings: Settings, folder: Path, systems: int, changes: int, pace: int, *, rounds: int
    ) -> None:
        self.routes = [(f"a{number}", f"b{number}") for number in range(systems // 2)]
        self.each, self.pace = changes // len(self.routes), pace
        self.left = stack.enter_context(Side("a", [a for a, _ in self.routes]))
        self.right = stack.enter_context(Side("b", [b for _, b in self.routes]))
        for a, b in self.routes:
            self.left.stock(a, self.each * rounds)
            self.right.stock(b, self.each * rounds)
        addresses = {a: self.left.address(a) for a, _ in self.routes} | {
            b: self.right.address(b) for _, b in self.routes
        }
        plan = Plan(addresses, routes=self.routes, each=self.each * rounds)
        self.hub = stack.enter_context(Hub(settings, folder, plan))
        for a, _ in self.routes:
            self.left.hook(a, f"{self.hub.url}/hooks/{a}", HOOK_KEY)
        self.hub.start()
        until(lambda: self.hub.owed() == 0, "it is at rest")

    def measure(self, round_: int, wrong: list[str]) -> dict[str, float]:
        """Edits of a round of their own tickets, in all systems in turn; how long those of the well systems took."""
        first = round_ * self.each + 1
        edits = [
            (a, str(number), f"edit of {number}") for number in range(first, first + self.each) for a, _ in self.routes
        ]
        made: dict[tuple[str, str], float] = {}
        began = time.monotonic()
        for number, (a, key, subject) in enumerate(edits):
            time.sleep(max(0.0, began + number / self.pace - time.monotonic()))
            made[a, key] = time.monotonic()
            self.left.edit(a, [(key, subject)])
        taken: list[float] = []
        for a, b in self.routes[1:]:
            until(lambda b=b: self._arrived(b, first) >= self.each, f"every edit arrives in {b}", patience=600)  # type: ignore[misc]  # bound now
            writes = [write for write in self.right.arrived(b) if int(write[0]) >= first]
            if len(writes) != self.each:
                wrong.append(f"{b}: {self.each} edits were made and {len(writes)} writes arrived")
            taken += [moment - made[a, key] for key, _, moment in writes]
        return spread(taken)

    def all_agree(self) -> bool:
        """Whether every right tracker shows what its left one does."""
        return all(self.left.subjects(a) == self.right.subjects(b) for a, b in self.routes)

    def _arrived(self, b: str, first: int) -> int:
        return sum(int(key) >= first for key, _, _ in self.right.arrived(b))
