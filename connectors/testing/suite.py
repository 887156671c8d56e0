"""The suite as pytest collects it for `interdesk connector test`: on a shipped profile's emulator, or a live system."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from connectors.testing import ConnectorConformance, FaultConformance, Stand


@dataclass(frozen=True)
class Chosen:
    """A plugin that brings what is to be tested, and keeps what came of it."""

    name: str
    make: Callable[[], AbstractContextManager[Stand]]
    """The stand of one claim."""
    counts: Counter[str] = field(default_factory=Counter)
    """How many claims passed, failed and were skipped."""
    broken: list[str] = field(default_factory=list)
    """Those that failed."""

    @pytest.fixture
    def stand(self) -> Iterator[Stand]:
        with self.make() as stand:
            yield stand

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """One claim, in one of its phases."""
        if report.when == "call" or report.outcome != "passed":
            self.counts[report.outcome] += 1
        if report.failed:
            self.broken.append(report.nodeid.rpartition("::")[2])

    def run(self, *, quiet: bool) -> bool:
        """Try every claim; whether all hold. `quiet`: nothing is printed."""
        shown = ["-p", "no:terminal"] if quiet else ["-q", "--tb=short", "--disable-warnings"]
        mine = ["-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", str(Path(__file__).parent)]
        pytest.main([__file__, *mine, *shown], plugins=[self])
        return not self.broken and self.counts["passed"] > 0


class TestConnector(ConnectorConformance, FaultConformance):
    """Every claim, and every trouble."""
