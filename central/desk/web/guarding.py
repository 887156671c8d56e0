"""What guards every answer, whatever is in it: headers, how much is read from whom, and which door log lines name."""

from fastapi import HTTPException
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

HEADERS = {
    # nothing but our own files, nothing inline: a text that was not escaped could still not run
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "Cache-Control": "no-store",
}
OTHER_DOORS = {"/hooks/": "hooks", "/api/": "rest", "/soap": "soap", "/arsys/": "soap"}
"""Doors that bound what they read themselves: where their addresses begin -> what log lines call them."""
STRANGERS = 64 * 1024
"""Bytes of a form that are read from a browser in which nobody has signed in."""
BESIDES_FILE = 4 * 1024 * 1024
"""What a form may hold beside its largest file."""


class Guarded:
    """Sends the guarding headers with every answer, and reads no form further than it may be long."""

    def __init__(self, app: ASGIApp, *, cookie: str, largest_file: int) -> None:
        self._app, self._cookie, self._largest = app, cookie, largest_file + BESIDES_FILE

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        if scope["method"] == "HEAD":  # as GET: the web server itself leaves out what is in it
            scope = {**scope, "method": "GET"}

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        door = next((name for begin, name in OTHER_DOORS.items() if scope["path"].startswith(begin)), None)
        if door is not None:
            with bound_contextvars(door=door):
                await self._app(scope, receive, guarded)
            return
        most = self._largest if f"{self._cookie}=" in Headers(scope=scope).get("cookie", "") else STRANGERS
        read = 0

        async def bounded() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > most:
                raise HTTPException(413, f"A form of at most {most} bytes is read; this one is longer.")
            return message

        with bound_contextvars(door="pages"):
            await self._app(scope, bounded, guarded)
