"""Forms with files in them: bounded as they come, each file on the disk until it is stored."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Request
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException
from starlette.types import Message, Receive

from central.desk.rest.problems import Problem
from central.desk.rest.strict import too_long
from central.desk.services.tickets import Upload

BYTES = {"schema": {"type": "string", "format": "binary"}}
"""How a file is described."""
_MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,60}/[a-z0-9!#$&^_.+-]{1,60}")
_PIECE = 256 * 1024


def is_form(request: Request) -> bool:
    """Whether a request comes as a form that can hold files."""
    return request.headers.get("content-type", "").lower().startswith("multipart/form-data")


@asynccontextmanager
async def form(request: Request, *, files: int, largest: int, beside: int) -> AsyncIterator[FormData]:
    """The form: so many files of `largest` bytes, and `beside` bytes of all else, are the most that it may hold.

    :raises Problem: it holds more, or cannot be read."""
    limited = Request(request.scope, _limited(request, files * largest + beside))
    try:
        async with limited.form(max_files=files, max_fields=4, max_part_size=beside) as found:
            yield found
    except MultiPartException as error:
        raise Problem(400, f"the form cannot be read: {error.message}") from None


def upload(file: UploadFile) -> Upload:
    """A file of a form, to be stored piece by piece."""
    opened = file.file
    chunks = iter(lambda: opened.read(_PIECE), b"")
    return Upload(named(file.filename or "file"), safe((file.content_type or "").lower()), chunks)


def named(name: str) -> str:
    """The last part of a name, without what no name should hold."""
    last = re.split(r"[/\\]", name)[-1]
    kept = "".join(sign for sign in last if sign.isprintable()).strip(". ")
    return kept[:200] or "file"


def safe(media_type: str) -> str:
    """A media type as it may be told again."""
    return media_type if _MEDIA_TYPE.fullmatch(media_type) else "application/octet-stream"


def _limited(request: Request, most: int) -> Receive:
    read = 0

    async def receive() -> Message:
        nonlocal read
        message = await request.receive()
        read += len(message.get("body", b""))
        while most < read <= 2 * most and message.get("more_body"):  # so that who sends it hears the answer
            message = await request.receive()
            read += len(message.get("body", b""))
        if read > most:
            raise too_long("a form", most)
        return message

    return receive
