"""`/v1/systems/{system}/losses`: what is lost in translation, and who has signed that."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from central.desk.registering import Registration
from central.desk.rest.caller import Caller
from central.desk.rest.desks import Desks
from central.desk.rest.once import once
from central.desk.rest.problems import documented
from central.desk.rest.systems import SystemName
from central.desk.services.errors import NotNow
from central.desk.systems import no_system
from central.rights import Principal

Side = Literal["system", "centre"]


class SignatureOut(BaseModel):
    """Somebody's name under the statement as it is."""

    side: Annotated[Side, Field(description="for whom: whoever runs the system, or the central team")]
    by: str
    at: datetime


class LossesOut(BaseModel):
    """The loss statement of a system that is not live yet, or is."""

    outward: Annotated[list[str], Field(description="what is lost on the way there, in sentences")]
    inward: Annotated[list[str], Field(description="and on the way here")]
    digest: Annotated[str, Field(description="another one as soon as a word of it is another")]
    signed: list[SignatureOut]


class Signature(BaseModel):
    """A name to be put under what was read."""

    model_config = ConfigDict(extra="forbid")

    side: Annotated[Side, Field(description="the centre's is for the central team")]
    digest: Annotated[str, Field(min_length=1, max_length=100, description="of the statement that was read")]


def router(desks: Desks, caller: Caller) -> APIRouter:
    """The routes of this noun."""
    routes = APIRouter(prefix="/v1/systems/{system}/losses", tags=["systems"], route_class=once(desks, caller))
    Who = Annotated[Principal, Depends(caller)]  # noqa: N806  # a type

    def stated(who: Principal, system: str) -> LossesOut:
        found = desks.registering.find(who, system)
        if found is None:
            raise no_system(system)
        return _plain(found)

    @routes.get("", summary="Read what is lost in translation", responses=documented(409))
    def read(who: Who, system: SystemName) -> LossesOut:
        """For whoever registers it: nobody is asked."""
        return stated(who, system)

    @routes.post("/signatures", status_code=201, summary="Sign what is lost", responses=documented(409, 413, 415))
    def sign(who: Who, system: SystemName, name: Signature) -> LossesOut:
        """What an operator had a hand in, or was registered on the pages, goes live once both sides have signed."""
        desks.registering.sign(who, system, name.side, name.digest)
        return stated(who, system)

    return routes


def _plain(found: Registration) -> LossesOut:
    """:raises NotNow: its documents do not work as they stand."""
    if found.statement is None:
        raise NotNow(found.problem)
    signed = [SignatureOut.model_validate({"side": s, "by": e.by, "at": e.at}) for s, e in found.signed.items()]
    lost = found.statement
    return LossesOut(outward=list(lost.outward), inward=list(lost.inward), digest=lost.digest, signed=signed)
