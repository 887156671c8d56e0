"""What is lost in translation between a system and the centre, and whether both sides have agreed to it."""

import hashlib
import json

from central.desk.registering import BEGIN, SIDES, SIGN, demand_signed, signatures
from central.desk.services.registrations import Statement
from central.model import FIELDS
from central.registry import SystemState
from mappings.losses import loss_statement
from sync import live
from sync.bootstrap import Interdesk
from sync.gateway import Gateway
from sync.spoken import plain

_BEFORE_LIVE = (SystemState.DRAFT, SystemState.PROVING, SystemState.SHADOW)


def statement(gateway: Gateway) -> Statement:
    """What is lost in translation. Nobody is asked."""
    ours = {field: {"values": spec.values, "max_length": spec.max_length} for field, spec in FIELDS.items()}
    lost = loss_statement(gateway.mapping, plain(gateway.connector.capabilities), central=ours)
    whole = json.dumps([lost.outward, lost.inward])
    return Statement(tuple(lost.outward), tuple(lost.inward), hashlib.sha256(whole.encode()).hexdigest())


def unsigned(desk: Interdesk, name: str) -> tuple[str, ...]:
    """The sides that have not signed what is lost there as it is now; none of a system that has gone live already.

    :raises NoSuch: it is not registered.  :raises Unusable: its documents do not work as they stand."""
    if desk.store.read(lambda tx: live.registered(tx, name)).state not in _BEFORE_LIVE:
        return ()
    desk.gateways.refresh()
    lost = statement(desk.gateways.get(name))
    signed = desk.store.read(lambda tx: signatures(tx.audit.about(name, (SIGN,)), lost))
    return tuple(side for side in SIDES if side not in signed)


def demand(desk: Interdesk, name: str) -> None:
    """A system that was registered step by step goes live by no door before both sides have signed.

    :raises NotNow: somebody has not; else as `unsigned`."""
    if desk.store.read(lambda tx: tx.audit.about(name, (BEGIN,))):
        demand_signed(unsigned(desk, name))
