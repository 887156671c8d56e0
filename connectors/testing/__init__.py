"""What every connector must keep, as a test class to inherit from. Shipped: strangers' connectors use it too.

Joining takes a fixture named `stand` that answers with a `Stand`: a connector, somebody at work in the tracker behind
it, and a few words of its language. Claims that the connector's capabilities rule out are skipped by name.

    class TestOurs(ConnectorConformance):
        @pytest.fixture
        def stand(self) -> Stand:
            tracker = OurTracker()
            return Stand(OurConnector(tracker.url), OurPeople(tracker), subject="title", edit=("title", "new title"))

`FaultConformance` does the same for what can go wrong on the way; it needs a tracker that misbehaves on demand.
"""

import pytest

pytest.register_assert_rewrite("connectors.testing.claims", "connectors.testing.faults")

from connectors.testing.claims import ConnectorConformance  # noqa: E402 (asserts are rewritten only before the import)
from connectors.testing.faults import FaultConformance  # noqa: E402
from connectors.testing.stand import People, Stand, draft, listed  # noqa: E402

__all__ = ["ConnectorConformance", "FaultConformance", "People", "Stand", "draft", "listed"]
