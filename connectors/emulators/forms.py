"""Multipart forms, as emulators read them."""

import re

from connectors.emulators.server import Asked


def files(asked: Asked) -> list[tuple[str, str, bytes]]:
    """The files of a multipart form: their names, types and bytes."""
    found = re.search(r'boundary="?([^";]+)', asked.headers.get("content-type", ""))
    if found is None:
        return []
    parts = []
    for piece in (b"\r\n" + asked.body).split(b"\r\n--" + found[1].encode())[1:-1]:
        head, _, content = piece.lstrip(b"\r\n").partition(b"\r\n\r\n")
        told = head.decode("utf-8")
        name = re.search(r'filename="((?:\\.|[^"])*)"', told)
        kind = re.search(r"(?im)^content-type:\s*(.+?)\s*$", told)
        if name is not None:
            plain = name[1].replace("%22", '"').replace('\\"', '"')
            parts.append((plain, kind[1] if kind else "application/octet-stream", content))
    return parts
