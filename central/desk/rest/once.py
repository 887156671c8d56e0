"""Idempotency-Key: a POST that bears one is carried out once, and answered alike whenever it comes again within a day.

Of two at once, one is carried out and the other is told to wait. What was refused was not carried out, and may be tried
again with the same key. Whoever may do something else by now is not answered alike: rights are never older than the
request. Where a request was cut off in the middle, nobody knows whether it was carried out: it is not
repeated, and whoever asks is told to look.
"""

import hashlib
import re
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.types import Message, Receive

from central.desk.rest import problems
from central.desk.rest.caller import Caller
from central.desk.rest.desks import Desks
from central.desk.rest.problems import Problem
from central.desk.rest.strict import StrictRequest, StrictRoute
from central.reply import KEPT, Reply
from central.rights import Principal
from central.store.api import CommitUnknown

HEADER = "idempotency-key"
_KEY = re.compile(r"[!-~]{1,200}")
_HEADERS = ("content-type", "etag", "location")


def once(desks: Desks, caller: Caller) -> type[APIRoute]:
    """The class of routes that keep this promise."""

    class OnceRoute(StrictRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handle = super().get_route_handler()

            async def carried_out_once(request: Request) -> Response:
                key = request.headers.get(HEADER)
                if request.method != "POST" or key is None:
                    return await handle(request)
                if not _KEY.fullmatch(key):
                    raise Problem(422, "an Idempotency-Key is 1 to 200 signs of ASCII without a space")
                who = await run_in_threadpool(caller, request)
                sent = _Sent(request.receive)
                request = StrictRequest(request.scope, sent.receive)
                body = await request.body() if self.body_field is not None else b""
                name = _hash(who.person.id, request.url.path, key)
                content = _hash(request.url.query, request.headers.get("content-type", ""), body.hex())
                return await _once(desks, name, content, _rights(who), sent, lambda: handle(_again(request, body)))

            return carried_out_once

    return OnceRoute


class _Sent:
    """The bytes of a request as they come: a file is compared by its digest, and is never whole in memory."""

    def __init__(self, receive: Receive) -> None:
        self._receive, self._seen, self._length, self._over = receive, hashlib.sha256(), 0, False

    async def receive(self) -> Message:
        message = await self._receive()
        body = message.get("body", b"")
        self._seen.update(body)
        self._length += len(body)
        self._over = self._over or not message.get("more_body", False)
        return message

    async def all(self, most: int) -> str:
        """The digest of what came; what was not read yet is, as far as `most` bytes."""
        while not self._over and self._length < most:
            await self.receive()
        return self._seen.hexdigest()


async def _once(
    desks: Desks, key: str, content: str, rights: str, sent: "_Sent", act: Callable[[], Awaitable[Response]]
) -> Response:
    at = desks.clock()

    def begin() -> Reply | None:
        def change(tx: Any) -> Reply | None:
            tx.replies.prune(before=at - KEPT)
            begun: Reply | None = tx.replies.begin(key, content, at)
            return begun

        return desks.store.write(change)

    before = await run_in_threadpool(begin)
    if before is not None:
        return _told_again(before, content, rights, await sent.all(2 * desks.limits.file))
    try:
        response = await act()
    except Exception as error:
        problem = problems.of(error)
        if problem is not None and not isinstance(error, CommitUnknown):
            await run_in_threadpool(lambda: desks.store.write(lambda tx: tx.replies.withdraw(key)))
        raise
    answer = {
        "status": response.status_code,
        "headers": {name: response.headers[name] for name in _HEADERS if name in response.headers},
        "body": bytes(response.body).decode(),
        "rights": rights,
        "sent": await sent.all(0),
    }
    await run_in_threadpool(lambda: desks.store.write(lambda tx: tx.replies.settle(key, answer)))
    return response


def _told_again(before: Reply, content: str, rights: str, sent: str) -> Response:
    if before.digest != content or (before.answer is not None and before.answer.get("sent") != sent):
        raise Problem(422, "another request came with this Idempotency-Key before: give each its own")
    if before.answer is None:
        said = "the request of this Idempotency-Key is under way, or was cut off: wait, then look what became of it"
        raise Problem(409, said, headers={"Retry-After": "2"})
    kept = before.answer
    if kept.get("rights") != rights:  # what it tells may be no more for them
        raise Problem(409, "it was carried out, and what you may do has changed since: look what became of it")
    return Response(kept["body"], kept["status"], {**kept["headers"], "idempotent-replayed": "true"})


def _again(request: Request, body: bytes) -> Request:
    """The same request, its body to be read once more where it was read."""
    if not body:
        return request
    read = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive() -> Any:
        return next(read, None) or await request.receive()

    return Request(request.scope, receive)


def _rights(who: Principal) -> str:
    """All by which it is judged what they may do."""
    scopes = sorted(who.scopes) if who.scopes is not None else ["all"]
    return _hash(who.person.email, *sorted(map(str, who.grants)), *scopes)


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode(errors="surrogatepass")).hexdigest()
