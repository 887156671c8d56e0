"""`/v1/tickets/{ticket}/files`: attachments, streamed both ways."""

import re
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from typing import Annotated
from urllib.parse import quote

import anyio.from_thread
from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from central.desk.reading import Reader
from central.desk.rest.caller import Caller
from central.desk.rest.desks import Desks
from central.desk.rest.forms import BYTES, form, is_form, named, safe, upload
from central.desk.rest.once import once
from central.desk.rest.paging import Cursor, Limit, Page, number, until
from central.desk.rest.problems import Problem, documented
from central.desk.rest.strict import too_long
from central.desk.rest.tickets import TicketNumber
from central.desk.services.tickets import Upload
from central.model import Attachment, Visibility
from central.rights import Principal
from central.store.api import Store

FileNumber = Annotated[int, Field(ge=1, lt=2**53, examples=[1])]
_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")
_BESIDE = 64 * 1024
"""Bytes that a form may hold beside its file."""


class FileOut(BaseModel):
    """A file of a ticket or of a comment on it."""

    id: int
    comment: Annotated[int | None, Field(description="the comment that it hangs on; null: the ticket itself")]
    name: str
    media_type: str
    size: Annotated[int, Field(description="bytes")]
    sha256: str
    internal: bool
    created_at: datetime
    gone_at: Annotated[datetime | None, Field(description="when its bytes were let go of; null: they are here")] = None


def router(desks: Desks, caller: Caller) -> APIRouter:
    """The routes of this noun."""
    routes = APIRouter(prefix="/v1/tickets/{ticket}/files", tags=["files"], route_class=once(desks, caller))
    Who = Annotated[Principal, Depends(caller)]  # noqa: N806  # a type

    @routes.get("", summary="List the files", responses=documented())
    def list_(
        who: Who, ticket: TicketNumber, limit: Limit = 50, cursor: Annotated[Cursor, Query()] = ""
    ) -> Page[FileOut]:
        """In the order of their arrival."""
        place = number(cursor) or 0
        found = desks.tickets.read(
            who, ticket, lambda tx, it: Reader.of(desks.tickets, tx, who, it).listed(place, limit + 1)
        )
        some, following = until(found, limit, lambda each: each.id)
        return Page(items=[_plain(each) for each in some], next=following)

    @routes.post(
        "",
        status_code=201,
        summary="Attach a file",
        responses=documented(409, 413),
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {
                    "application/octet-stream": BYTES,
                    "multipart/form-data": {
                        "schema": {
                            "type": "object",
                            "required": ["file"],
                            "properties": {"file": BYTES["schema"]},
                            "additionalProperties": False,
                        }
                    },
                },
            }
        },
    )
    async def add(
        who: Who,
        ticket: TicketNumber,
        request: Request,
        name: Annotated[str, Query(max_length=200, description="what it is called, where it comes as it is")] = "file",
    ) -> FileOut:
        """As a form with one `file`, or the bytes themselves under any other content type, called `name`."""
        if is_form(request):
            return _plain(await _of_form(desks, who, ticket, request))
        media_type = request.headers.get("content-type", "").lower().partition(";")[0].strip()
        chunks = _pulled(_bounded(request.stream(), desks.limits.file))
        raw = Upload(named(name), safe(media_type), chunks)
        return _plain(await run_in_threadpool(desks.tickets.attach, who, ticket, raw))

    @routes.get(
        "/{file}/content",
        summary="Download a file",
        response_class=Response,
        responses=documented(410, 412)
        | {
            200: {"description": "all of it", "content": {"application/octet-stream": BYTES}},
            206: {"description": "the part that was asked for", "content": {"application/octet-stream": BYTES}},
            416: documented(400)[400] | {"description": "it is shorter than that"},
        },
    )
    def content(
        who: Who,
        ticket: TicketNumber,
        file: FileNumber,
        range_: Annotated[str | None, Header(alias="Range", max_length=100)] = None,
        if_range: Annotated[str | None, Header(alias="If-Range", max_length=100)] = None,
    ) -> Response:
        """Its bytes, whole or a `Range` of them; to be kept, never to be shown in place."""
        found = desks.tickets.read(who, ticket, lambda tx, it: Reader.of(desks.tickets, tx, who, it).download(file))
        tag = f'"{found.sha256}"'
        headers = {
            "ETag": tag,
            "Accept-Ranges": "bytes",
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(found.name, safe='')}",
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "default-src 'none'; sandbox",
        }
        part = _part(range_, found.size) if range_ and if_range in (None, tag) else None
        start, end = part or (0, found.size)
        headers["Content-Length"] = str(end - start)
        if part is not None:
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{found.size}"
        sent = _sent(desks.store, found.sha256, start, end)
        return StreamingResponse(sent, 206 if part else 200, headers, media_type=safe(found.media_type))

    return routes


async def _of_form(desks: Desks, who: Principal, ticket: int, request: Request) -> Attachment:
    async with form(request, files=1, largest=desks.limits.file, beside=_BESIDE) as found:
        file = found.get("file")
        if file is None or isinstance(file, str):
            raise Problem(422, "the form has no file called `file`")
        return await run_in_threadpool(desks.tickets.attach, who, ticket, upload(file))


async def _bounded(stream: AsyncIterator[bytes], most: int) -> AsyncIterator[bytes]:
    read = 0
    async for chunk in stream:
        read += len(chunk)
        if read > 2 * most:
            break
        if chunk and read <= most:
            yield chunk
    if read > most:
        raise too_long("a file", most)


def _pulled(stream: AsyncIterator[bytes]) -> Iterator[bytes]:
    """Each piece as the thread that stores it asks for it: what is not asked for is not received."""

    async def following() -> bytes:
        return await anext(stream, b"")

    return iter(lambda: anyio.from_thread.run(following), b"")


def _sent(store: Store, sha256: str, start: int, end: int) -> Iterator[bytes]:
    place = 0
    with store.open_blob(sha256) as chunks:
        for chunk in chunks:
            piece = chunk[max(0, start - place) : max(0, end - place)]
            place += len(chunk)
            if piece:
                yield piece
            if place >= end:
                return


def _part(asked: str, size: int) -> tuple[int, int] | None:
    """The bytes that are asked for, as [start, end); None: all, as nobody has to understand a range."""
    match = _RANGE.fullmatch(asked.replace(" ", ""))
    if match is None or not any(match.groups()):
        return None
    first, last = match.groups()
    start = int(first) if first else max(0, size - int(last))
    end = min(size, int(last) + 1) if first and last else size
    if first and last and int(last) < int(first):
        return None
    if start >= size or (not first and int(last) == 0):
        raise Problem(416, f"the file is {size} bytes long", headers={"Content-Range": f"bytes */{size}"})
    return start, end


def _plain(file: Attachment) -> FileOut:
    return FileOut(
        id=file.id,
        comment=file.comment_id,
        name=file.name,
        media_type=file.media_type,
        size=file.size,
        sha256=file.sha256,
        internal=file.visibility is Visibility.INTERNAL,
        created_at=file.created_at,
        gone_at=file.gone_at,
    )
