"""`/v1/tokens`: the access tokens of whoever asks."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from central.account import Scope, Token
from central.desk.rest.caller import Caller
from central.desk.rest.desks import Desks
from central.desk.rest.paging import Page
from central.desk.rest.problems import documented
from central.desk.rest.strict import StrictRoute
from central.rights import Principal


class TokenOut(BaseModel):
    """An access token; its text is told once, when it is made."""

    id: int
    name: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None


class NewToken(BaseModel):
    """What it is to be good for, and for how long."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=100, examples=["nightly report"])]
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=len(Scope))]
    days: Annotated[int, Field(ge=1, le=3650)] = 90


class TokenText(TokenOut):
    """The same, with its text."""

    text: Annotated[str, Field(description="to be kept: it is never told again")]


def router(desks: Desks, caller: Caller) -> APIRouter:
    """The routes of this noun. An answer that holds a secret is not kept: a key makes no difference to them."""
    routes = APIRouter(prefix="/v1/tokens", tags=["tokens"], route_class=StrictRoute)
    Who = Annotated[Principal, Depends(caller)]  # noqa: N806  # a type

    @routes.get("", summary="List your tokens", responses=documented())
    def list_(who: Who) -> Page[TokenOut]:
        """All that you ever had."""
        return Page(items=[_plain(each) for each in desks.people.tokens(who, who.person.id)])

    @routes.post("", status_code=201, summary="Make a token", responses=documented(413, 415))
    def add(who: Who, wanted: NewToken) -> TokenText:
        """One that stands for you, in what its scopes name."""
        text, token = desks.people.add_token(
            who, who.person.id, wanted.name, wanted.scopes, lasts=timedelta(days=wanted.days)
        )
        return TokenText(**_plain(token).model_dump(), text=text)

    @routes.delete("/{token}", status_code=204, summary="Revoke a token", responses=documented())
    def revoke(who: Who, token: Annotated[int, Field(ge=1, lt=2**53, examples=[1])]) -> None:
        """It stands for nobody any more."""
        desks.people.revoke_token(who, who.person.id, token)

    return routes


def _plain(token: Token) -> TokenOut:
    return TokenOut(
        id=token.id,
        name=token.name,
        scopes=sorted(token.scopes),
        created_at=token.created_at,
        expires_at=token.expires_at,
        used_at=token.used_at,
        revoked_at=token.revoked_at,
    )
