"""Znuny 6.5 as its Generic Interface shows it, by REST and by SOAP, quirks included. Tried against Debian's otrs2.

The web services are `connectors/profiles/znuny-rest.yml` and `znuny-soap.yml`; which routes there are is for each site
to say.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from connectors.api import RemoteField, Value
from connectors.emulators import znuny_said as forms
from connectors.emulators.server import Asked, Emulator, Reply
from connectors.emulators.tracker import Clock, Deed, Issue, Missing, Rules, Tracker
from connectors.emulators.znuny_shown import (
    ACCOUNT,
    DYNAMIC,
    NOBODY,
    PRIORITIES,
    QUEUE,
    STATES,
    Shown,
    shown_number,
    text,
    yes,
)

_CAP = 500
_TIMES = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")

RULES = Rules(
    fields=(
        RemoteField("Title", "text", max_length=255),
        RemoteField("Description", "text", writable=False),
        RemoteField("State", "choice", values=tuple(STATES)),
        RemoteField("Priority", "choice", values=PRIORITIES),
        RemoteField("Owner", "person"),
        RemoteField("CustomerUser", "text"),
        RemoteField("PendingTime", "moment"),
        RemoteField(f"df.{DYNAMIC}", "text"),
    ),
    defaults={"State": "new", "Priority": "3 normal", "CustomerUser": "customer"},
    bound=frozenset({ACCOUNT}),
    silent_edits=True,
)
"""A queue without workflow: the interface knows none."""


@dataclass(frozen=True, slots=True)
class Quirks:
    """What can be switched off or turned worse."""

    zone: str = "UTC"
    """Where times are written down and read, without saying so."""
    cap: int = _CAP
    """How many ids a search gives at most where it has no limit, in silence."""
    dynamic_field: bool = True
    """The site has the field that holds our token; one that is not there is passed over by a search, in silence."""
    tells_time: bool = False
    """A web server in front adds a Date header; the interface's own answers have none."""


class _Wrong(Exception):
    """What the interface answers with status 200 all the same."""

    def __init__(self, code: str, message: str) -> None:
        self.code, self.message = code, message


class ZnunyEmulator(Emulator):
    """A Znuny with one queue for our account. `people` are the agents who can own tickets, by their log-ins."""

    def __init__(
        self,
        clock: Clock,
        *,
        people: Sequence[str] = (),
        rules: Rules = RULES,
        quirks: Quirks | None = None,
        port: int = 0,
    ) -> None:
        super().__init__(Tracker(clock, rules, name="znuny"), port=port)
        self.password = "emulated-password"  # noqa: S105 (nobody's)
        self.quirks = quirks or Quirks()
        self.sessions: set[str] = set()
        """Who is logged in; take one away and it has expired."""
        self.shown = Shown(self.tracker.now, self.quirks.zone, people, dynamic=self.quirks.dynamic_field)

    @property
    def service(self) -> str:
        """The address of the web service."""
        return self.url + forms.REST

    # -- what every emulator says ------------------------------------------------------------------------------------

    def account(self, asked: Asked) -> str:
        said = forms.words(asked) or {}
        if text(said.get("SessionID")) in self.sessions:
            return ACCOUNT
        return ACCOUNT if (said.get("UserLogin"), said.get("Password")) == (ACCOUNT, self.password) else ""

    def kind(self, asked: Asked) -> str:
        said = forms.words(asked) or {}
        match forms.operation(asked):
            case "TicketSearch":
                return "find" if any(name.startswith("DynamicField_") for name in said) else "list"
            case "TicketUpdate":
                return "comment" if "Article" in said else "update"
            case "TicketGet" if not yes(said.get("AllArticles")):
                return "rows"
            case "TicketGet":
                contents = yes(said.get("Attachments")) and yes(said.get("GetAttachmentContents", 1))
                return "file" if contents else "read"
            case "TicketCreate":
                return "create"
            case "TicketHistoryGet":
                return "history"
            case _:
                return "schema"

    def hint(self, deed: Deed) -> Mapping[str, Any]:
        return {"Event": "TicketUpdate", "TicketID": deed.key}

    def answer(self, asked: Asked) -> Reply:
        try:
            reply = forms.answer(asked, self._done(asked))
        except _Wrong as wrong:
            operation = forms.operation(asked)
            said = {"ErrorCode": f"{operation}.{wrong.code}", "ErrorMessage": f"{operation}: {wrong.message}"}
            reply = forms.answer(asked, {"Error": said})
        except forms.Broken as broken:
            reply = forms.broken(asked, broken)
        return reply if self.quirks.tells_time else Reply(reply.status, reply.body, {**reply.headers, "Date": ""})

    def _done(self, asked: Asked) -> Any:
        operation, said = forms.understood(asked)
        keys = forms.keys(asked, said)
        match operation:
            case "SessionCreate":
                return self._log_in(asked)
            case "SessionGet":
                return self._session(said)
            case _ if not asked.who:
                known = operation in ("TicketUpdate", "TicketCreate")
                raise _Wrong("AuthFail", "User could not be authenticated!" if known else "Authorization failing!")
            case "TicketCreate":
                return self._create(asked.who, said)
            case "TicketUpdate":
                return self._update(asked.who, keys[0], said)
            case "TicketSearch":
                return self._search(said)
            case "TicketGet":
                with self.tracker.lock:
                    return {"Ticket": [self.shown.ticket(self._issue(key), said) for key in keys]}
            case _:
                with self.tracker.lock:
                    return {"TicketHistory": [self.shown.history(self._issue(key)) for key in keys]}

    # -- who asks ----------------------------------------------------------------------------------------------------

    def _log_in(self, asked: Asked) -> dict[str, Any]:
        if not asked.who:
            raise _Wrong("AuthFail", "Authorization failing!")
        session = f"session{len(self.sessions):026}"
        self.sessions.add(session)
        return {"SessionID": session}

    def _session(self, said: Mapping[str, Any]) -> dict[str, Any]:
        if "SessionID" not in said:
            raise _Wrong("MissingParameter", "SessionID is missing!")
        if said["SessionID"] not in self.sessions:
            raise _Wrong("SessionInvalid", "SessionID is Invalid!")
        facts = {"UserFullname": "GGUS sync", "UserID": str(self.shown.agents[ACCOUNT]), "UserLogin": ACCOUNT}
        return {"SessionData": [{"Key": name, "Value": value} for name, value in facts.items()]}

    # -- reading -----------------------------------------------------------------------------------------------------

    def _issue(self, key: str) -> Issue:
        try:
            return self.tracker.issue(key)
        except Missing:
            raise _Wrong("AccessDenied", "User does not have access to the ticket!") from None

    def _search(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """Ids alone. A word that it does not know is passed over; a time that it cannot read matches nothing."""
        wanted: list[Callable[[Issue], bool]] = [lambda each: not each.hidden]
        if (queues := _listed(said.get("Queues"))) and QUEUE not in queues:
            return {}
        if states := _listed(said.get("States")):
            wanted.append(lambda each: each.fields["State"] in states)
        if owners := _listed(said.get("OwnerIDs")):
            wanted.append(lambda each: self.shown.number(self.shown.owner(each)) in {int(owner) for owner in owners})
        if since := text(said.get("TicketLastChangeTimeNewerDate")):
            if not _TIMES.fullmatch(since):
                return {}
            wanted.append(lambda each: self.shown.when(each.changed_at) >= since)
        if until := text(said.get("TicketLastChangeTimeOlderDate")):
            if not _TIMES.fullmatch(until):
                return {}
            wanted.append(lambda each: self.shown.when(each.changed_at) <= until)
        field = said.get(f"DynamicField_{DYNAMIC}")
        if self.quirks.dynamic_field and isinstance(field, dict) and "Equals" in field:
            wanted.append(lambda each: (each.fields.get(f"df.{DYNAMIC}") or "") == field["Equals"])
        with self.tracker.lock:
            found = [each for each in self.tracker.issues.values() if all(fits(each) for fits in wanted)]
            orders = _listed(said.get("OrderBy")) or ["Down"]
            sorts = _listed(said.get("SortBy")) or ["Age"]
            for name, order in reversed([*zip(sorts, [*orders, *orders[-1:] * len(sorts)], strict=False)]):
                found.sort(key=_ORDERS.get(name, _ORDERS["Age"]), reverse=order == "Down")
            found = found[: int(said.get("Limit") or self.quirks.cap)]
            return {"TicketID": [str(each.number) for each in found]} if found else {}

    # -- writing -----------------------------------------------------------------------------------------------------

    def _create(self, who: str, said: Mapping[str, Any]) -> dict[str, Any]:
        ticket, article = said.get("Ticket"), said.get("Article")
        if not isinstance(ticket, dict) or not ticket:
            raise _Wrong("MissingParameter", "Ticket parameter is missing or not valid!")
        if not isinstance(article, dict) or not article:
            raise _Wrong("MissingParameter", "Article parameter is missing or not valid!")
        for name in ("Title", "CustomerUser"):
            if not text(ticket.get(name)):
                raise _Wrong("MissingParameter", f"Ticket->{name} parameter is missing!")
        for name in ("Queue", "State", "Priority"):
            if not text(ticket.get(name)):
                raise _Wrong("MissingParameter", f"Ticket->{name}ID or Ticket->{name} parameter is required!")
        fields = {"Owner": who} | self._fields(ticket) | self._dynamic(said)
        files = self._files(article, said)
        if fields["Owner"] == NOBODY:
            fields["Owner"] = None
        key, _ = self.tracker.open(who, fields | {"Description": _trimmed(article["Body"])}, files)
        with self.tracker.lock:
            issue = self.tracker.issue(key)
            made = {"TicketID": key, "TicketNumber": shown_number(issue)}
            return {**made, "ArticleID": issue.deeds[0].id}

    def _update(self, who: str, key: str, said: Mapping[str, Any]) -> dict[str, Any]:
        """All is looked at before anything is done."""
        with self.tracker.lock:
            try:
                issue = self.tracker.issue(key)
            except Missing:
                raise _Wrong("AccessDenied", "User does not have access to the ticket!") from None
            if "Ticket" in said and not (isinstance(said["Ticket"], dict) and said["Ticket"]):
                raise _Wrong("InvalidParameter", "Ticket parameter is not valid!")
            fields = self._fields(said.get("Ticket") or {}) | self._dynamic(said)
            article = said.get("Article")
            if article is None and _listed(said.get("Attachment")):
                raise _Wrong("MissingParameter", "To create an attachment an article is needed!")
            files = self._files(article, said) if article is not None else []
            self.tracker.edit(who, key, fields)
            done: dict[str, Any] = {"TicketID": key, "TicketNumber": shown_number(issue)}
            if article is not None:
                internal = not yes(article.get("IsVisibleForCustomer", 1))
                note = self.tracker.comment(who, key, _trimmed(article["Body"]), internal=internal, files=files)
                done["ArticleID"] = int(note.id)
            return done

    def _fields(self, ticket: Mapping[str, Any]) -> dict[str, Value]:
        """What is to be set. A word that it does not know is passed over; an empty title stays as it was."""
        found: dict[str, Value] = {}
        if title := text(ticket.get("Title")).strip():
            if len(title) > 255:  # the database says no, when it is too late
                raise forms.Broken(
                    '{"faultcode":"Server","faultstring":"OperationObject returned an error, cancelling Request"}'
                )
            found["Title"] = title
        if (queue := text(ticket.get("Queue"))) and queue != QUEUE:
            raise _Wrong("InvalidParameter", "Ticket->QueueID or Ticket->Queue parameter is invalid!")
        if state := text(ticket.get("State")):
            if state not in STATES:
                raise _Wrong("InvalidParameter", "Ticket->StateID or Ticket->State parameter is invalid!")
            found["State"] = state
        pending = ticket.get("PendingTime")
        if pending:
            found["PendingTime"] = self._pending(pending)
        elif str(found.get("State")).startswith("pending"):
            raise _Wrong("MissingParameter", "Can't set a ticket on a pending state without pendig time!")
        if priority := text(ticket.get("Priority")):
            if priority not in PRIORITIES:
                raise _Wrong("InvalidParameter", "Ticket->PriorityID or Ticket->Priority parameter is invalid!")
            found["Priority"] = priority
        if owner := text(ticket.get("Owner")):
            if owner not in self.shown.agents:
                raise _Wrong("InvalidParameter", "Ticket->OwnerID or Ticket->Owner parameter is invalid!")
            found["Owner"] = None if owner == NOBODY else owner
        if customer := text(ticket.get("CustomerUser")):
            found["CustomerUser"] = customer
        return found

    def _pending(self, said: Any) -> str:
        """A structure alone, of numbers: a time, or minutes from now."""
        if isinstance(said, dict) and text(said.get("Diff")).isdecimal():
            return (self.tracker.now() + timedelta(minutes=int(said["Diff"]))).isoformat()
        try:
            parts = [int(said[name]) for name in ("Year", "Month", "Day", "Hour", "Minute")]
            when = datetime(*parts, tzinfo=ZoneInfo(self.quirks.zone))  # type: ignore[arg-type,misc]  # five numbers
        except (KeyError, TypeError, ValueError):
            raise _Wrong("InvalidParameter", "Ticket->PendingTime parameter is invalid!") from None
        return when.astimezone(UTC).isoformat()

    def _dynamic(self, said: Mapping[str, Any]) -> dict[str, Value]:
        found: dict[str, Value] = {}
        for row in _listed(said.get("DynamicField")):
            if not isinstance(row, dict) or row.get("Name") != DYNAMIC or not self.quirks.dynamic_field:
                raise _Wrong("InvalidParameter", "DynamicField->Name parameter is invalid!")
            found[f"df.{DYNAMIC}"] = text(row.get("Value")) or None
        return found

    def _files(self, article: Any, said: Mapping[str, Any]) -> list[tuple[str, str, bytes]]:
        """What an article brings with it, once all of it is as it must be."""
        for name in ("Subject", "Body", "ContentType"):
            if text(article.get(name)) in ("", "0"):  # what Perl calls false
                raise _Wrong("MissingParameter", f"Article->{name} parameter is missing!")
        files: list[tuple[str, str, bytes]] = []
        for row in _listed(said.get("Attachment")):
            for name in ("Content", "ContentType", "Filename"):
                if not text(row.get(name)):
                    raise _Wrong("MissingParameter", f"Attachment->{name} parameter is missing!")
            files.append((re.sub(r"\s*\n", "", row["Filename"]), row["ContentType"], _decoded(row["Content"])))
        return files


_ORDERS: Mapping[str, Callable[[Issue], Any]] = {
    "Age": lambda each: (each.created_at, each.number),
    "Changed": lambda each: each.changed_at.replace(microsecond=0),
    "TicketNumber": lambda each: each.number,
    "Ticket": lambda each: each.number,
}


def _listed(value: Any) -> list[Any]:
    """One thing or several."""
    if value is None or value == "":
        return []
    return value if isinstance(value, list) else [value]


def _trimmed(body: Any) -> str:
    """A text as it is kept: with LF, nothing blank around it, and no further than a NUL."""
    return text(body).partition("\0")[0].replace("\r\n", "\n").replace("\r", "\n").strip()


def _decoded(content: str) -> bytes:
    try:
        return base64.b64decode(content)
    except binascii.Error:
        return b""  # "=" alone
