"""What an error means for whoever typed a command, beside a document that is wrong."""

from central.desk.auth import NotKnown, TooManyTries
from central.desk.passwords import BadPassword
from central.desk.services.errors import NotAllowed, NotNow, OutOfReach, Wrong
from central.rights import Forbidden
from central.store.api import Busy, CommitUnknown, StoreError, Unreachable
from connectors.errors import AccessError, NotFound, ProtocolError, Refused, Transient
from sync.bus.api import BrokerAway, BrokerRefuses
from sync.gateways import Unusable
from sync.identity import BadIdentity
from sync.recovery.search import StillWorking
from sync.sealing import NoKey, NotSealed
from sync.secrets import MissingSecret
from sync.settings import BadSetting
from sync.taping import BadTape

MISTAKES = (
    BadTape,
    BadSetting,
    BadIdentity,
    MissingSecret,
    NoKey,
    NotSealed,
    Unusable,
    NotNow,
    NotAllowed,
    Forbidden,
    NotKnown,
    TooManyTries,
    Wrong,
    BadPassword,
    StoreError,
    AccessError,
    Refused,
    NotFound,
    BrokerRefuses,
    StillWorking,
)
"""What the user can mend."""
UNREACHABLE = (Transient, ProtocolError, OutOfReach, Busy, Unreachable, CommitUnknown, BrokerAway)
"""What another try may mend."""
