"""Multipart forms, as emulators read them."""

import re
from collections.abc import Iterator

from connectors.emulators.server import Asked


def files(asked: Asked) -> list[tuple[str, str, bytes]]:
    """The files of a multipart form: their names, types and bytes."""
    found = []
    for told, content in _parts(asked):
        name = re.search(r'filename="((?:\\.|[^"])*)"', told)
        kind = re.search(r"(?im)^content-type:\s*(.+?)\s*$", told)
        if name is not None:
            plain = name[1].replace("%22", '"').replace('\\"', '"')
            found.append((plain, kind[1] if kind else "application/octet-stream", content))
    return found


def fields(asked: Asked) -> dict[str, str]:
    """The fields of a multipart form that are no files."""
    found = {}
    for told, content in _parts(asked):
        name = re.search(r' name="([^"]*)"', told)
        if name is not None and "filename=" not in told:
            found[name[1]] = content.decode("utf-8")
    return found


def _parts(asked: Asked) -> Iterator[tuple[str, bytes]]:
    """Head and content of each part."""
    found = re.search(r'boundary="?([^";]+)', asked.headers.get("content-type", ""))
    if found is None:
        return
    for piece in (b"\r\n" + asked.body).split(b"\r\n--" + found[1].encode())[1:-1]:
        head, _, content = piece.lstrip(b"\r\n").partition(b"\r\n\r\n")
        yield head.decode("utf-8"), content
