"""The mail that our writes make the trackers send, counted from their own logs."""

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

from connectors.api import WriteKind
from sync.mails import mails
from sync.simulation.chronicle import Did
from sync.simulation.oracle.evidence import Evidence

_AT_ONCE = timedelta(milliseconds=1)
"""What one request sets is set within this; the next request takes longer to come."""


@dataclass(frozen=True, slots=True)
class Post:
    """What our writes of one run made trackers send."""

    notifying: int
    """Writes of ours that make a tracker send mail."""
    mails: int
    """The mails of them, at most."""


NO_POST = Post(0, 0)


def post(evidence: Evidence) -> Post:
    """Every write of ours, by its kind: what one request sets on a ticket is one write."""
    notifying = most = 0
    for name, member in evidence.world.members.items():
        written: Counter[WriteKind] = Counter()
        request: set[str] = set()
        before: Did | None = None
        for did in evidence.world.chronicle.dids:
            deed = did.deed
            if did.system != name or deed.who != member.connector.account:
                continue
            if deed.kind == "set":
                same = before is not None and before.deed.key == deed.key and did.at - before.at < _AT_ONCE
                if not same and request:
                    written[_kind(request)] += 1
                request = {*request, deed.field} if same else {deed.field}
                before = did
            elif deed.kind in _KINDS:
                written[_KINDS[deed.kind]] += 1
        if request:
            written[_kind(request)] += 1
        found = mails(member.connector.capabilities, written)
        notifying += sum(number for number, _ in found.by_kind.values())
        most += found.most
    return Post(notifying, most)


_KINDS = {"open": WriteKind.CREATE, "comment": WriteKind.COMMENT}


def _kind(fields: set[str]) -> WriteKind:
    return WriteKind.TRANSITION if "status" in fields else WriteKind.UPDATE
