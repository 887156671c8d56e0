"""Request Tracker's quirks: what hangs on a ticket is answered apart from it.

A ticket is read in three requests whatever the number of its comments: itself, its transactions, and the texts of
those transactions that are wanted, all at once. Files cost one more list. Texts and files of internal comments
are never asked for.
"""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors import marks
from connectors.api import FieldChange, Finding, Person, RemoteComment, RemoteFile, Value
from connectors.errors import AccessError, ProtocolError
from connectors.markup import text_of
from connectors.profiled.kept import Opening
from connectors.profiled.quirks import Quirks, Talk
from connectors.profiled.site import Site
from connectors.profiled.values import at, moment, plain, rows, text
from connectors.profiled.vocabulary.parts import Request

_PAGE = 100
_BATCH = 40
"""Transactions named in one question: their ids stand in the address, which servers want short."""
_ID_FIELDS = {"Owner": "users", "Queue": "queues"}
"""Fields whose history holds ids."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a transaction's message."""

    id: str
    transaction: str
    media_type: str
    name: str
    size: int
    content: str | None

    @property
    def is_body(self) -> bool:
        return not self.name and self.media_type in ("text/plain", "text/html")

    @property
    def is_file(self) -> bool:
        return bool(self.name) or not (self.media_type.startswith(("multipart/", "text/")) or not self.size)


def _account(site: Site) -> Person:
    """RT has no question for it, but the token tells: `1-<user id>-<secret>`."""
    told = re.match(r"\d+-(\d+)-", site.settings["token"])
    user = site.settings.get("account") or (told[1] if told else None)
    if user is None:
        site.read(Request(path="/rt"))  # a token that is not accepted at all is told first
        raise AccessError("the token does not tell whose it is: name our account's log-in under settings, account")
    answer = site.read(Request(path="/user/{user}"), user=user).data()
    return Person(text(at(answer, "Name")), text(at(answer, "RealName")) or text(at(answer, "Name")))


def _fields(site: Site, key: str, raw: Mapping[str, Any]) -> Mapping[str, Value]:
    """The description is the text that the ticket was created with; RT never changes it."""
    del raw
    opening = site.openings.get(key) or _opening(site, key)
    return {"Description": plain(opening.text)}


def _opening(site: Site, key: str) -> Opening:
    query = {"fields": "Type,_hyperlinks", "per_page": "1"}
    answer = site.read(Request(path="/ticket/{key}/history", query=query), key=key)
    first = [each for each in rows(answer.data(), "items", answer.about) if each.get("Type") == "Create"]
    parts = _parts(site, key, first)
    opening = Opening(_body(site, parts)[0], _files(parts))
    site.openings.keep(key, opening)
    return opening


def _talk(site: Site, key: str, raw: Mapping[str, Any], version: str, known: Collection[str]) -> Talk:
    del raw
    transactions = list(_transactions(site, key, version))
    kept = site.openings.get(key)
    wanted = [
        each
        for each in transactions
        if (each["Type"] == "Correspond" and each["id"] not in known) or (each["Type"] == "Create" and kept is None)
    ]
    parts = _parts(site, key, wanted)
    comments: list[RemoteComment] = []
    history: list[FieldChange] = []
    us = site.account().key
    for each in transactions:
        number, kind = each["id"], each["Type"]
        author = site.person(each["Creator"])
        when = moment(each["Created"], f"transaction {number}")
        mine = [part for part in parts if part.transaction == number]
        if kind == "Create" and kept is None:
            kept = Opening(_body(site, mine)[0], _files(mine))
            site.openings.keep(key, kept)
        elif kind == "Correspond" and number not in known:
            body, too_large = _body(site, mine)
            shown, token = marks.read(text(plain(body)))
            comments.append(
                RemoteComment(number, author, author.key == us, when, shown, False, _files(mine), token, too_large)
            )
        elif kind == "Comment" and number not in known:
            comments.append(RemoteComment(number, author, author.key == us, when, "", internal=True))
        else:
            history += _change(site, each, author, author.key == us)
    return Talk(tuple(comments), kept.files if kept else (), tuple(history))


def _transactions(site: Site, key: str, version: str) -> Iterator[Mapping[str, Any]]:
    """All that we may see, oldest first. The version is the last one's id; hidden ones make pages short."""
    query = {
        "fields": "Type,Creator,Created,Field,OldValue,NewValue,_hyperlinks",
        "fields[Creator]": "RealName,EmailAddress",
        "per_page": str(_PAGE),
    }
    page, last = 1, 0
    while True:
        answer = site.read(Request(path="/ticket/{key}/history", query={**query, "page": str(page)}), key=key)
        found = rows(answer.data(), "items", answer.about)
        yield from found
        last = max((int(each["id"]) for each in found), default=last)
        if not found or (version.isdecimal() and last >= int(version)):
            return
        page += 1


def _parts(site: Site, key: str, transactions: Sequence[Mapping[str, Any]]) -> list[_Part]:
    """The texts of these transactions, and what files hang on them."""
    several = [each["id"] for each in transactions if len(_part_ids(each)) > 1]
    single = [each["id"] for each in transactions if len(_part_ids(each)) == 1]
    found: dict[str, _Part] = {each.id: each for each in _listed(site, key, several, "")}
    for batch in _batches([*single, *several]):
        try:
            bodies = list(_listed(site, key, batch, ",Content"))
        except ProtocolError:  # together they are more than an answer may hold
            sizes = list(_listed(site, key, batch, ""))
            small = {each.transaction for each in sizes if each.is_body and each.size <= site.environment.max_comment}
            bodies = [*sizes, *(part for one in sorted(small) for part in _listed(site, key, [one], ",Content"))]
        found |= {each.id: each for each in bodies}
    return sorted(found.values(), key=lambda each: int(each.id))


def _part_ids(transaction: Mapping[str, Any]) -> list[str]:
    links = transaction.get("_hyperlinks") or ()
    return [text(each.get("_url")).rpartition("/")[2] for each in links if each.get("ref") == "attachment"]


def _listed(site: Site, key: str, transactions: Sequence[str], content: str) -> Iterator[_Part]:
    """Parts of these transactions; with `content`, only bodies, since a file's bytes would come mangled."""
    for batch in _batches(transactions):
        conditions = [{"field": "TransactionId", "value": each} for each in batch]
        if content:
            conditions.append({"field": "ContentType", "operator": "LIKE", "value": "text/"})
            conditions.append({"field": "Filename", "operator": "IS", "value": "NULL"})
        query = {
            "fields": "TransactionId,ContentType,Filename,ContentLength" + content,
            "per_page": str(_PAGE),
            "query": json.dumps(conditions),
        }
        page = 1
        while True:
            answer = site.read(Request(path="/ticket/{key}/attachments", query={**query, "page": str(page)}), key=key)
            found = rows(answer.data(), "items", answer.about)
            for each in found:
                yield _Part(
                    text(each.get("id")),
                    text(each.get("TransactionId")),
                    text(each.get("ContentType")).partition(";")[0].strip().lower(),
                    text(each.get("Filename")),
                    int(each.get("ContentLength") or 0),
                    each.get("Content"),
                )
            if len(found) < _PAGE:
                break
            page += 1


def _batches(items: Sequence[str]) -> Iterator[Sequence[str]]:
    return (items[start : start + _BATCH] for start in range(0, len(items), _BATCH))


def _body(site: Site, parts: Sequence[_Part]) -> tuple[str, bool]:
    """What was said: the plain text, or the HTML as text; and whether it was too large to be read."""
    bodies = sorted((each for each in parts if each.is_body), key=lambda each: each.media_type != "text/plain")
    if not bodies:
        return "", False
    chosen = bodies[0]
    if chosen.size > site.environment.max_comment or chosen.content is None:
        return "", chosen.size > 0
    return (chosen.content if chosen.media_type == "text/plain" else text_of(chosen.content)), False


def _files(parts: Sequence[_Part]) -> tuple[RemoteFile, ...]:
    return tuple(
        RemoteFile(each.id, each.name or f"part-{each.id}", each.media_type, each.size)
        for each in parts
        if each.is_file
    )


def _change(site: Site, transaction: Mapping[str, Any], author: Person, own: bool) -> Iterator[FieldChange]:
    kind, name = transaction["Type"], text(transaction.get("Field"))
    old, new = transaction.get("OldValue"), transaction.get("NewValue")
    if kind == "CustomField":
        word = site.tables.word("customs", name)
        name = f"CF.{word}" if word else ""
    elif kind not in ("Set", "Status") or name not in site.profile.fields:
        name = ""
    if name:
        when = moment(transaction["Created"], f"transaction {transaction['id']}")
        yield FieldChange(transaction["id"], name, _word(site, name, old), _word(site, name, new), author, own, when)


def _word(site: Site, name: str, value: Any) -> Value:
    shape = site.profile.fields.get(name)
    if name in _ID_FIELDS and text(value):
        value = site.tables.word(_ID_FIELDS[name], text(value)) or value
    said = plain(value)
    return None if shape is not None and said in shape.empty_words else said


def _rights(site: Site) -> Iterable[Finding]:
    """The queue and any ticket of it show links for what we may do."""
    queue = site.read(site.profile.place).data()
    wanted = site.settings["external_id"]
    if "create" not in {each.get("ref") for each in queue.get("_hyperlinks", ())}:
        yield Finding(False, "the account may not create tickets in the queue", "grant it the right CreateTicket")
    else:
        yield Finding(True, "the account may create tickets")
    tickets = site.read(Request(path="/tickets", query={"query": "Queue = '{queue:sql}'", "per_page": "1"})).data()
    for row in tickets["items"]:
        links = site.read(site.profile.ticket.read, key=row["id"]).data().get("_hyperlinks", ())
        refs = {each.get("ref") for each in links}
        for ref, right, what in (
            ("correspond", "ReplyToTicket", "write to the requestors"),
            ("comment", "CommentOnTicket", "write internal comments"),
        ):
            if ref in refs:
                yield Finding(True, f"the account may {what}")
            else:
                yield Finding(False, f"the account may not {what}", f"grant it the right {right}")
    if wanted not in {each.get("name") for each in queue.get("TicketCustomFields", ())}:
        yield Finding(False, f"the queue has no custom field {wanted!r}", "apply it to the queue's tickets")
    user = site.read(Request(path="/user/{user}"), user=site.account().key).data()
    zone = user.get("Timezone") or "the site's own"
    yield Finding(True, f"the account's time zone is {zone}; searches are asked in a form that no zone changes")


QUIRKS = Quirks(account=_account, fields=_fields, talk=_talk, rights=_rights)
