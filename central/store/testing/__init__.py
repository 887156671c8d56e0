"""StoreConformance: what every store must be able to do, one claim per test.

class TestMyStore(StoreConformance):
    @pytest.fixture
    def store(self) -> Iterator[Store]:
        store = MyStore(...)
        yield store
        store.close()
"""

from central.store.testing.accounts import AccountClaims, TryClaims
from central.store.testing.files import FileClaims
from central.store.testing.guards import GuardClaims
from central.store.testing.instance import InstanceClaims
from central.store.testing.jobs import JobClaims
from central.store.testing.links import LinkClaims
from central.store.testing.origins import MailClaims, OriginClaims
from central.store.testing.outbox import OutboxClaims
from central.store.testing.oversight import OversightClaims
from central.store.testing.quotas import QuotaClaims
from central.store.testing.registry import RegistryClaims
from central.store.testing.replies import ReplyClaims
from central.store.testing.seals import SealClaims
from central.store.testing.search import SearchClaims
from central.store.testing.shadow import ShadowClaims
from central.store.testing.tickets import TicketClaims
from central.store.testing.traces import TraceClaims
from central.store.testing.traffic import TrafficClaims
from central.store.testing.transactions import TransactionClaims

__all__ = ["StoreConformance"]


class StoreConformance(
    TransactionClaims,
    TicketClaims,
    FileClaims,
    LinkClaims,
    OutboxClaims,
    QuotaClaims,
    RegistryClaims,
    JobClaims,
    ShadowClaims,
    GuardClaims,
    InstanceClaims,
    ReplyClaims,
    SealClaims,
    SearchClaims,
    AccountClaims,
    TryClaims,
    OversightClaims,
    TrafficClaims,
    OriginClaims,
    MailClaims,
    TraceClaims,
):
    """Derive from it and give a fixture `store`: a new, empty store for every test."""
