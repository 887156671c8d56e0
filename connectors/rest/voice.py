"""A profile's requests over plain HTTP: an address, a query, a body."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any

from connectors.answers import Answer
from connectors.asking import Body, Made
from connectors.profiled.values import address, texts
from connectors.profiled.vocabulary.parts import Request
from connectors.rest.formats import encoder
from connectors.session import HttpSession


class RestVoice:
    """Says requests through one HTTP session."""

    def __init__(self, http: HttpSession) -> None:
        self.http = http

    def read(
        self,
        request: Request,
        words: Mapping[str, Any],
        body: Mapping[str, Any] | None,
        *,
        errors: Mapping[int, str] | None = None,
        limit: int | None = None,
    ) -> Answer:
        media_type, encode = encoder(request)
        return self.http.read(
            address(request.path, words),
            texts(request.query, words),
            method=request.method,
            body=body or None,
            encode=encode,
            headers={**({"Content-Type": media_type} if body else {}), **texts(request.headers, words)},
            errors=errors,
            limit=limit,
        )

    def write(
        self,
        request: Request,
        words: Mapping[str, Any],
        body: Mapping[str, Any] | None,
        *,
        stream: Body | Made | None = None,
        headers: Mapping[str, str] | None = None,
        errors: Mapping[int, str] | None = None,
    ) -> Answer:
        media_type, encode = encoder(request)
        own = {"Content-Type": media_type} if body is not None else {}
        return self.http.write(
            request.method,
            address(request.path, words),
            query=texts(request.query, words),
            body=body,
            encode=encode,
            stream=stream,
            headers={**own, **texts(request.headers, words), **(headers or {})},
            errors=errors,
        )

    def stream(
        self,
        request: Request,
        words: Mapping[str, Any],
        body: Mapping[str, Any] | None,
        *,
        limit: int,
        media_type: str = "",
        size: int | None = None,
    ) -> AbstractContextManager[Iterator[bytes]]:
        kind, encode = encoder(request)
        sends = request.method != "GET"
        return self.http.stream(
            address(request.path, words),
            texts(request.query, words),
            method=request.method,
            asked=(lambda shown: encode(shown.signed(body or {}) or {})) if sends else None,
            headers={**({"Content-Type": kind} if sends else {}), **texts(request.headers, words)},
            limit=limit,
            media_type=media_type,
            size=size,
        )
