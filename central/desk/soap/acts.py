"""What each operation of the classic interface does here, by the rights of whoever calls."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, islice
from pathlib import PurePath
from typing import Any

from central.desk.reading import Reader
from central.desk.services.errors import NotAllowed
from central.desk.services.tickets import Note, Upload
from central.desk.soap import history
from central.desk.soap.envelope import Content, Fault, Said, Told, misunderstood, nothing_there, refused, too_long
from central.desk.soap.fields import FIELD_OF, canonical, conditions, fields, number, picked, whole
from central.desk.soap.vocabulary import FILE, ROWS, Operation
from central.desk.tickets import TicketDesk
from central.model import Attachment, Ticket, Value
from central.origin import Origin
from central.rights import Action, Forbidden, Principal, sight
from central.search import Query
from central.store.api import NoSuch, Store, TooLarge, Transaction
from central.workflow import OPEN, Status

_PAGE = 100
"""Tickets of a list that are read at once."""
_LONGEST_NAME = 255
_OF_ORIGIN = ("Origin_SG", "Origin_ID", "Name", "Loginname")


@dataclass(frozen=True, slots=True)
class Asked:
    """One call, by somebody who is known."""

    operation: Operation
    principal: Principal
    body: Mapping[str, Any]
    """In one spelling."""
    file: Callable[[], Iterator[bytes]]
    """The bytes of the file in it."""

    @classmethod
    def of(
        cls, operation: Operation, principal: Principal, body: Mapping[str, Any], file: Callable[[], Iterator[bytes]]
    ) -> "Asked":
        """The call as its caller means it: signed with the name that it bears, under the account that it came by.

        :raises Fault: something in it is wrong."""
        said = canonical(operation, body)
        name = str(said.get("GHD_Last_Modifier") or said.get("GAT_Last_Modifier") or "").strip()
        person = replace(principal.person, name=name[:_LONGEST_NAME]) if name else principal.person
        return cls(operation, replace(principal, person=person), said, file)

    @property
    def account(self) -> str:
        """The login of the account that it came by."""
        return self.principal.person.id

    def number(self, name: str) -> int:
        """The ticket's number.  :raises Fault: there is none such."""
        found = number(self.body.get(name))
        if found is None:
            raise nothing_there()
        return found


class SoapDesk:
    """Performs calls. What it gives is told piece by piece; a fault comes before the first of them."""

    def __init__(self, store: Store, desk: TicketDesk, address: Callable[[int], str], *, largest_file: int) -> None:
        """`address`: where people open a ticket."""
        self._store, self._desk, self._address = store, desk, address
        self._largest = largest_file
        self._acts: Mapping[str, Callable[[Asked], Told]] = {
            "OpCreate": self._create,
            "OpCreateChild": self._create_child,
            "TicketModify": self._modify,
            "TicketGet": self._get,
            "TicketGetList": self._list,
            "OpGetTicketHist": self._history,
            "AddAttachment": self._attach,
            "GetAttachments": self._files,
            "GetAttachIDs": self._file_ids,
            "GetOneAttachment": self._file,
        }

    def perform(self, asked: Asked) -> Iterator[tuple[str, Said | Mapping[str, Said]]]:
        """:raises Fault: in the words of the AR System."""
        try:
            yield from self._acts[asked.operation.act or asked.operation.name](asked)
        except NoSuch:
            raise nothing_there() from None
        except Forbidden as no:
            raise refused(str(no)) from None
        except NotAllowed as no:
            named = next((f"{theirs}: " for theirs, ours in FIELD_OF.items() if ours == no.field), "")
            raise refused(f"{named}{no}") from None
        except TooLarge:
            raise too_long(f"{FILE}: a file is at most {self._largest} bytes long") from None

    # -- tickets -------------------------------------------------------------------------------------------------------

    def _create(self, asked: Asked) -> Told:
        values = fields(asked.body)
        if asked.operation.only and (asked.operation.only == "TEAM" or "ticket_type" in values):
            # an OPS ticket that does not say so is a plain one, as it ever was
            plain = asked.operation.only == "OPS" and values["ticket_type"] != "OPS"
            values["ticket_type"] = "USER" if plain else asked.operation.only
        return self._opened(asked, values)

    def _create_child(self, asked: Asked) -> Told:
        parent = asked.number("GHD_Parent_ID")
        if str(asked.body["GHD_Parent_Child_Relation"]).strip() not in ("Child", "None"):
            raise misunderstood("GHD_Parent_Child_Relation is Child (of GHD_Parent_ID) or None")
        self._desk.read(asked.principal, parent, lambda tx, ticket: None)  # noqa: ARG005
        return self._opened(asked, {"related_issue": self._address(parent), **fields(asked.body)})

    def _opened(self, asked: Asked, values: dict[str, Value]) -> Told:
        given = {name: value for name, value in values.items() if value is not None}
        ticket = self._desk.open(asked.principal, given, notes=_notes(asked.body), origin=_origin(asked))
        return [(asked.operation.gives[0].name, str(ticket.id))]

    def _modify(self, asked: Asked) -> Told:
        ticket_id = asked.number("GHD_Request_ID")
        self._desk.read(asked.principal, ticket_id, lambda tx, ticket: _demand_kind(asked, ticket))  # noqa: ARG005
        self._desk.act(asked.principal, ticket_id, fields(asked.body), _notes(asked.body))
        for theirs in ("GHD_Target_ID", "GHD_Incident_ID", "GHD_Origin_ID"):
            called = str(asked.body.get(theirs) or "").strip()
            if called:
                self._desk.call(asked.principal, ticket_id, replace(_origin(asked), id=called[:_LONGEST_NAME]))
        return [(asked.operation.gives[0].name, str(ticket_id))]

    def _get(self, asked: Asked) -> Told:
        told = self._desk.read(
            asked.principal, asked.number("GHD_Request_ID"), lambda tx, ticket: self._told(tx, asked, ticket)
        )
        return picked(asked.operation, told).items()

    def _told(self, tx: Transaction, asked: Asked, ticket: Ticket) -> Mapping[str, Said]:
        _demand_kind(asked, ticket)
        reader = Reader.of(self._desk, tx, asked.principal, ticket)
        return whole(reader.shown(), history.around(tx, ticket, reader.internal, reader.born_in() or ""))

    def _list(self, asked: Asked) -> Told:
        said = {**asked.body, **dict(conditions(str(asked.body.get("Qualification") or "")))}
        start, most = (number(said.get(name)) or 0 for name in ("startRecord", "maxLimit"))
        rows = islice(self._found(replace(asked, body=said)), start, start + most if most else None)
        first = next(rows, None)
        if first is None:
            raise nothing_there()
        yield from ((ROWS, row) for row in chain([first], rows))

    def _found(self, asked: Asked) -> Iterator[Mapping[str, Said]]:
        origin_id = str(asked.body.get("GHD_Origin_ID") or "").strip()
        if origin_id:
            yield from self._store.read(partial(self._called, asked=asked, origin_id=origin_id))
            return
        before, rows = self._store.read(partial(self._page, asked=asked, before=None))
        yield from rows
        while before is not None:
            before, rows = self._store.read(partial(self._page, asked=asked, before=before))
            yield from rows

    def _called(self, tx: Transaction, asked: Asked, origin_id: str) -> list[Mapping[str, Said]]:
        """The tickets that bear this id of somebody's."""
        system = str(asked.body.get("GHD_Origin_SG") or "").strip()
        return self._rows(tx, asked, [tx.tickets.get(each) for each in tx.origins.tickets(origin_id, system)])

    def _rows(self, tx: Transaction, asked: Asked, found: Iterable[Ticket]) -> list[Mapping[str, Said]]:
        return [
            picked(asked.operation, self._told(tx, asked, ticket))
            for ticket in found
            if _wanted(asked, ticket) and self._desk.may(tx, asked.principal, Action.READ_TICKET, ticket)
        ]

    def _page(self, tx: Transaction, asked: Asked, before: int | None) -> tuple[int | None, list[Mapping[str, Said]]]:
        """Where to go on, None at the end, and the rows of the page."""
        page = tx.tickets.search(_query(asked.body), sight(asked.principal), limit=_PAGE, before=before)
        return page.before, self._rows(tx, asked, page.tickets)

    def _history(self, asked: Asked) -> Told:
        def records(tx: Transaction, ticket: Ticket) -> list[Mapping[str, Said]]:
            _demand_kind(asked, ticket)
            return history.records(tx, ticket, self._desk.sees_internal(tx, asked.principal, ticket))

        rows = self._desk.read(asked.principal, asked.number("GHD_Request_ID"), records)
        return ((ROWS, picked(asked.operation, row)) for row in rows)

    # -- files ---------------------------------------------------------------------------------------------------------

    def _attach(self, asked: Asked) -> Told:
        name = PurePath(str(asked.body["GAT_Attachment_Name"]).strip().replace("\\", "/")).name
        if not name or len(name) > _LONGEST_NAME:
            raise too_long(f"GAT_Attachment_Name has 1 to {_LONGEST_NAME} characters")
        origin = str(asked.body.get("GAT_Origin_SG") or "").strip()
        upload = Upload(name, "application/octet-stream", _read(asked.file))
        file = self._desk.attach(asked.principal, asked.number("GAT_Request_ID"), upload, origin=origin)
        return [("GAT_Attachment_ID", _file_id(file))]

    def _files(self, asked: Asked) -> Told:
        return self._file_rows(asked)

    def _file_ids(self, asked: Asked) -> Told:
        return self._file_rows(asked)

    def _file_rows(self, asked: Asked) -> Told:
        def rows(tx: Transaction, ticket: Ticket) -> list[Mapping[str, Said]]:
            return [self._file_told(asked, each) for each in self._shown(tx, asked, ticket)]

        found = self._desk.read(asked.principal, asked.number("GAT_Request_ID"), rows)
        if not found:
            raise nothing_there()
        return ((ROWS, row) for row in found)

    def _file(self, asked: Asked) -> Told:
        ticket_id, _, file_id = str(asked.body["GAT_Attachment_ID"]).strip().removeprefix("ATT").partition("-")
        ticket_number, file_number = number(ticket_id), number(file_id)
        if ticket_number is None or file_number is None:
            raise nothing_there()

        def found(tx: Transaction, ticket: Ticket) -> Mapping[str, Said]:
            for each in self._shown(tx, asked, ticket):
                if each.file.id == file_number and each.file.gone_at is not None:
                    raise Fault(f"ERROR (302): the bytes were kept until {each.file.gone_at:%Y-%m-%d}; ")
                if each.file.id == file_number:
                    return self._file_told(asked, each)
            raise nothing_there()

        return self._desk.read(asked.principal, ticket_number, found).items()

    def _shown(self, tx: Transaction, asked: Asked, ticket: Ticket) -> list[history.FileShown]:
        reader = Reader.of(self._desk, tx, asked.principal, ticket)
        return history.files(tx, ticket, reader.internal, reader.sees)

    def _file_told(self, asked: Asked, shown: history.FileShown) -> Mapping[str, Said]:
        file = shown.file
        content = None if file.gone_at else Content(lambda: self._store.open_blob(file.sha256))
        return picked(
            asked.operation,
            {
                "GAT_Attachment_ID": _file_id(file),
                "GAT_AttachmentID": _file_id(file),
                "GAT_Attachment_Name": file.name,
                "GAT_attachmentName": file.name,
                "GAT_Attachment_Orig_Size": file.size,
                "GAT_attachmentOrigSize": file.size,
                "GAT_Attachment_Data": content,
                "GAT_attachmentData": content,
                "GAT_Create_Date": file.created_at,
                "GAT_Last_Modifier": shown.author,
                "GAT_Origin_SG": shown.origin or None,
                "GAT_RequestID": str(file.ticket_id),
            },
        )


def _notes(body: Mapping[str, Any]) -> list[Note]:
    diaries = ((body.get("GHD_Public_Diary"), False), (body.get("GHD_Internal_Diary"), True))
    return [Note(str(text).rstrip(), internal) for text, internal in diaries if str(text or "").strip()]


def _origin(asked: Asked) -> Origin:
    """What the caller says about where its ticket comes from."""
    said = {name: str(asked.body.get(f"GHD_{name}") or "").strip()[:_LONGEST_NAME] for name in _OF_ORIGIN}
    return Origin(asked.account, said["Origin_SG"] or asked.account, said["Origin_ID"], said["Name"], said["Loginname"])


def _query(body: Mapping[str, Any]) -> Query:
    """What a list is asked for, as tickets are searched by."""
    unit, status, meta = (
        str(body.get(f"GHD_{name}") or "").strip() for name in ("Responsible_Unit", "Status", "Meta_Status")
    )
    statuses = frozenset(Status)
    if meta:
        statuses &= OPEN if meta.casefold() == "open" else statuses - OPEN
    if status:
        statuses &= {each for each in Status if each == status.casefold()}
    if not statuses:
        raise nothing_there()
    return Query(
        units=frozenset({unit} if unit else ()),
        statuses=frozenset(map(str, statuses)) if meta or status else frozenset(),
    )


def _wanted(asked: Asked, ticket: Ticket) -> bool:
    """Whether a list that was asked for in these words has this ticket."""
    query = _query(asked.body)
    return (
        (not query.units or ticket["unit"] in query.units)
        and (not query.statuses or ticket["status"] in query.statuses)
        and asked.operation.only in ("", ticket["ticket_type"])
    )


def _demand_kind(asked: Asked, ticket: Ticket) -> None:
    """:raises Fault: the operation is about another type of ticket."""
    if asked.operation.only not in ("", ticket["ticket_type"]):
        raise nothing_there()


def _file_id(file: Attachment) -> str:
    return f"ATT{file.ticket_id}-{file.id}"


def _read(file: Callable[[], Iterator[bytes]]) -> Iterator[bytes]:
    """:raises Fault: it is no base64."""
    try:
        yield from file()
    except ValueError as broken:
        raise misunderstood(f"the call {broken}") from None
