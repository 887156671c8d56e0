"""`/v1/events`: what happens to the tickets that somebody may read, as it happens (server-sent events).

One look at the store per second serves every client; a client that waits costs no thread. What is told is what the
history tells, to whoever may read it at that moment. `Last-Event-ID` takes the stream up where it was left.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from central.desk.auth import NotKnown
from central.desk.reading import Reader
from central.desk.rest.caller import Caller
from central.desk.rest.desks import Desks
from central.desk.rest.history import plain
from central.desk.rest.problems import Problem, documented
from central.events import Event
from central.rights import Action, Forbidden, Principal, demand, may
from central.store.api import NoSuch, StoreError, Transaction

MOST = 200
"""Clients of one process at once."""
MOST_EACH = 5
"""And of one account."""
EVERY = 1.0
"""Seconds between two looks at the store, while anybody listens."""
BEAT = 15.0
"""Seconds after which a silent stream says that it is alive."""
ASKED = 3.0
"""Seconds after which a silent stream asks whether its client may still come."""
_PAGE = 100
_BEHIND = 10_000
"""A client that has missed more events than that is told so, and goes on with these."""


class Feed:
    """Tells every waiting client when there is something new."""

    def __init__(self, newest: Callable[[], int], ending: threading.Event) -> None:
        self._newest, self._ending = newest, ending
        self._seen = -1
        self._listening: dict[str, int] = {}
        self._news = asyncio.Event()
        self._watch: asyncio.Task[None] | None = None

    @property
    def over(self) -> bool:
        """Whether the process ends, and nobody is told any more."""
        return self._ending.is_set()

    def enter(self, login: str) -> None:
        """One more client.  :raises Problem: there are too many."""
        if sum(self._listening.values()) >= MOST or self._listening.get(login, 0) >= MOST_EACH:
            raise Problem(429, "too many listen already: close a stream first", headers={"Retry-After": "30"})
        self._listening[login] = self._listening.get(login, 0) + 1
        if self._watch is None or self._watch.done():
            self._watch = asyncio.get_running_loop().create_task(self._look())

    def leave(self, login: str) -> None:
        """One less; whoever was the last ends the watch."""
        self._listening[login] -= 1
        if not self._listening[login]:
            del self._listening[login]
        if not self._listening and self._watch is not None:
            self._watch.cancel()
            self._watch = None

    async def news(self, longest: float) -> None:
        """Wait until something happened, but no longer than that."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._news.wait(), longest)

    async def _look(self) -> None:
        while not self.over:
            with suppress(StoreError):  # it may be away for a while: then there are no news of it
                newest = await run_in_threadpool(self._newest)
                if newest != self._seen:
                    self._seen = newest
                    self._tell()
            await run_in_threadpool(self._ending.wait, EVERY)
        self._tell()

    def _tell(self) -> None:
        told, self._news = self._news, asyncio.Event()
        told.set()


def router(desks: Desks, caller: Caller) -> APIRouter:
    """The route of this noun."""
    routes = APIRouter(prefix="/v1/events", tags=["events"])
    Who = Annotated[Principal, Depends(caller)]  # noqa: N806  # a type
    feeds: list[Feed] = []

    def newest() -> int:
        return desks.store.read(lambda tx: tx.tickets.newest_event())

    @routes.get(
        "",
        summary="Listen to what happens",
        response_class=StreamingResponse,
        responses=documented(429)
        | {200: {"description": "a stream", "content": {"text/event-stream": {"schema": {"type": "string"}}}}},
    )
    async def listen(
        who: Who,
        request: Request,
        last_event_id: Annotated[
            str | None, Header(alias="Last-Event-ID", max_length=20, pattern=r"^\d{1,15}$")
        ] = None,
    ) -> StreamingResponse:
        """Each event with its number, its kind, and what the history says; `: beat` where nothing happens."""
        demand(may(who, Action.READ_TICKET), who, Action.READ_TICKET)
        if not feeds:
            feeds.append(Feed(newest, desks.ending))  # in the loop that serves it
        now = await run_in_threadpool(newest)
        after = min(int(last_event_id), now) if last_event_id else now
        feeds[0].enter(who.person.id)
        return StreamingResponse(
            _stream(desks, caller, request, feeds[0], who, after, now),
            media_type="text/event-stream",
            headers={"X-Accel-Buffering": "no"},
        )

    return routes


async def _stream(
    desks: Desks, caller: Caller, request: Request, feed: Feed, who: Principal, after: int, now: int
) -> AsyncIterator[str]:
    login = who.person.id
    try:
        yield f"retry: 3000\nid: {after}\n: welcome\n\n"
        if now - after > _BEHIND:
            after = now - _BEHIND
            yield f'event: missed\nid: {after}\ndata: {{"from": {after}}}\n\n'
        silent_since = asyncio.get_running_loop().time()
        while not feed.over:
            told, last = await run_in_threadpool(happened, desks, who, after)
            for text in told:
                yield text
            if last > after:
                after = last
            else:
                await feed.news(ASKED)
            if told:
                silent_since = asyncio.get_running_loop().time()
            elif asyncio.get_running_loop().time() - silent_since >= BEAT:
                silent_since = asyncio.get_running_loop().time()
                yield f"id: {after}\n: beat\n\n"
            request.state.caller = None
            who = await run_in_threadpool(caller, request)
    except (NotKnown, Forbidden, StoreError):
        yield "event: end\ndata: {}\n\n"
    finally:
        feed.leave(login)


def happened(desks: Desks, who: Principal, after: int) -> tuple[list[str], int]:
    """What they may be told of the next events, and where these end."""

    def question(tx: Transaction) -> tuple[list[str], int]:
        page = tx.tickets.happened(after=after, limit=_PAGE)
        tellers: dict[int, Callable[[Event], Event | None]] = {}
        told = []
        for event in page:
            if event.ticket_id not in tellers:
                tellers[event.ticket_id] = _teller(desks, tx, who, event.ticket_id)
            may_know = tellers[event.ticket_id](event)
            if may_know is not None:
                told.append(f"event: {event.kind.value}\nid: {event.id}\ndata: {plain(may_know).model_dump_json()}\n\n")
        return told, page[-1].id if page else after

    return desks.store.read(question)


def _teller(desks: Desks, tx: Transaction, who: Principal, ticket_id: int) -> Callable[[Event], Event | None]:
    try:
        ticket = desks.tickets.ticket(tx, who, ticket_id)
    except NoSuch:
        return lambda _: None
    return Reader.of(desks.tickets, tx, who, ticket).teller()
