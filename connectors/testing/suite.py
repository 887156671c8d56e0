"""The suite on one shipped profile's emulator, as pytest collects it for `interdesk connector test NAME`."""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from connectors.profiled.profile import Profile
from connectors.testing import ConnectorConformance, FaultConformance, Stand
from connectors.testing.emulated import emulated


@dataclass(frozen=True)
class Chosen:
    """A plugin that brings what is to be tested, and keeps what came of it."""

    name: str
    """A shipped profile's: its product has an emulator."""
    profile: Profile | None = None
    """Another one, in its place."""
    counts: Counter[str] = field(default_factory=Counter)
    """How many claims passed, failed and were skipped."""
    broken: list[str] = field(default_factory=list)
    """Those that failed."""

    @pytest.fixture
    def stand(self) -> Iterator[Stand]:
        """Fresh for each claim."""
        with emulated(self.name, self.profile) as stand:
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
