"""How much mail our writes make a tracker send: an upper bound, from what its profile says. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from connectors.api import Audience, Capabilities, WriteKind


@dataclass(frozen=True, slots=True)
class Mails:
    """The mail that so many writes of each kind may cause, at most: each tells every group of people once."""

    by_kind: Mapping[WriteKind, tuple[int, tuple[Audience, ...]]]
    """Kind -> how many writes, and who gets mail of each."""

    @property
    def most(self) -> int:
        """How many there are at most."""
        return sum(writes * len(to) for writes, to in self.by_kind.values())

    @property
    def sentence(self) -> str:
        """The same for people."""
        if not self.most:
            return "this will send no mail"
        parts = [
            f"{writes} x {kind.value.replace('_', ' ')} to {', '.join(to)}"
            for kind, (writes, to) in self.by_kind.items()
        ]
        return f"this will send {self.most} mails at most: {'; '.join(parts)}"


def mails(capabilities: Capabilities, writes: Mapping[WriteKind, int]) -> Mails:
    """What so many writes of each kind may cause there."""
    notifies = capabilities.notifies
    return Mails({kind: (number, notifies[kind].to) for kind, number in writes.items() if number and kind in notifies})
