"""How this process does, for whoever asks."""

from typing import Protocol


class Readiness(Protocol):
    """Tells whether this process can do its work."""

    def problems(self) -> list[str]:
        """What stands in the way, in sentences; empty when all is well."""

    def stalls(self) -> list[str]:
        """What has come to a stop within this process, so that it should be started anew; asks nobody outside."""

    def hindrances(self) -> list[str]:
        """What makes the work slower and does not stop it."""
