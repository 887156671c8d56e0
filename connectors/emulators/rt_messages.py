"""What was said on a ticket, as Request Tracker shows it: transactions, the parts of their messages, and files."""

import base64
import email.header
import json
from collections.abc import Mapping
from typing import Any

from connectors.api import Value
from connectors.emulators.server import Asked, Reply
from connectors.emulators.tracker import Deed, File, Issue, Tracker

_FILE, _CONTAINER, _BODY = "003", "001", "002"
"""What ends the id of a part: ids of one kind never meet those of another."""


def sent_files(body: Mapping[str, Any]) -> list[tuple[str, str, bytes]] | None:
    """The files of a message: name, type, bytes. None: one of them lacks a part, and RT refuses them all."""
    files = []
    for each in body.get("Attachments", ()):
        if not all(each.get(name) for name in ("FileName", "FileType", "FileContent")):
            return None
        content = base64.b64decode(each["FileContent"])
        if each["FileType"] in ("text/plain", "text/html"):  # recoded: what is no UTF-8 comes out changed
            content = content.decode("utf-8", "replace").encode()
        files.append((_decoded(each["FileName"]), each["FileType"], content))
    return files


def _decoded(name: str) -> str:
    words = email.header.decode_header(name)
    return "".join(word.decode(code or "utf-8") if isinstance(word, bytes) else word for word, code in words)


def meaning(issue: Issue, deed: Deed) -> tuple[str, str, Value, Value]:
    """Type, field, old and new value of the transaction that a deed is."""
    note = next((each for each in issue.notes if each.id == str(deed.id)), None)
    if note is not None:
        return ("Comment" if note.internal else "Correspond"), "", None, None
    match deed.kind:
        case "open":
            return "Create", "", None, None
        case "attach":
            return "Correspond", "", None, None
        case "delete":
            return "Status", "Status", issue.fields.get("Status"), "deleted"
    if deed.field.startswith("CF."):
        return "CustomField", "2", deed.old, deed.new
    return ("Status" if deed.field == "Status" else "Set"), deed.field, deed.old, deed.new


def parts(issue: Issue) -> list[dict[str, Any]]:
    """The parts of every message: a body alone, or a container, a body and its files."""
    found: list[dict[str, Any]] = []

    def message(transaction: str, text: str, files: list[File]) -> None:
        if files:
            found.append(_part(transaction + _CONTAINER, transaction, "multipart/mixed"))
        kind = "text/plain" if text else "application/octet-stream"
        found.append(_part(transaction + _BODY, transaction, kind, content=text, size=len(text.encode())))
        for file in files:
            found.append(_part(file.id + _FILE, transaction, file.media_type, file.name, size=len(file.content)))

    loose = {deed.note: deed.id for deed in issue.deeds if deed.kind == "attach"}
    first = [file for file in issue.files if file.id not in loose]
    message(str(issue.deeds[0].id), str(issue.fields.get("Description") or ""), first)
    for file in issue.files:
        if file.id in loose:
            message(str(loose[file.id]), "", [file])
    for note in issue.notes:
        message(note.id, note.text, note.files)
    return found


def _part(
    number: str, transaction: str, kind: str, name: str = "", *, content: str | None = None, size: int = 0
) -> dict[str, Any]:
    return {
        "id": number,
        "TransactionId": transaction,
        "ContentType": kind,
        "Filename": name,
        "Content": content or None,
        "ContentLength": str(size),
    }


def listed(tracker: Tracker, issue: Issue, asked: Asked) -> Reply:
    """The list of a ticket's parts, as far as the question goes: by transaction, only texts, only bodies."""
    wanted: set[str] = set()
    bodies_only = texts_only = False
    for each in json.loads(asked.word("query", "[]")):
        if each["field"] == "TransactionId":
            wanted.add(str(each["value"]))
        texts_only |= each["field"] == "ContentType"
        bodies_only |= each["field"] == "Filename"
    with tracker.lock:
        found = [
            part
            for part in parts(issue)
            if (not wanted or part["TransactionId"] in wanted)
            and (not texts_only or part["ContentType"].startswith("text/"))
            and (not bodies_only or not part["Filename"])
        ]
    shown = paged(asked, found)
    fields = ("id", *asked.word("fields").split(","))
    return Reply(200, {"items": [{name: each[name] for name in fields} for each in shown], "total": None})


def file(tracker: Tracker, number: str) -> Reply:
    """One file, its bytes as base64."""
    found = tracker.file(number.removesuffix(_FILE))
    content = base64.encodebytes(found.content).decode() if found.content else None
    return Reply(200, {"id": number, "ContentType": found.media_type, "Filename": found.name, "Content": content})


def paged(asked: Asked, items: list[Any]) -> list[Any]:
    """The page that was asked for: at most a hundred."""
    size = max(1, min(int(asked.word("per_page", "20")), 100))
    start = (int(asked.word("page", "1")) - 1) * size
    return items[start : start + size]
