"""ServiceNow's incidents as the Table API and the Attachment API show them. Facts: its public documentation.

Every value is text. Journal fields (comments, work_notes) are written like fields and read from a table of their own;
files hang on the incident, never on a comment. What a body or a query says and nobody knows is passed over in silence.
"""

import base64
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode

from connectors.api import RemoteField, Value
from connectors.emulators.server import Asked, Emulator, Reply
from connectors.emulators.servicenow_rows import Row, Shown, queried, said, sys_id, texts
from connectors.emulators.tracker import AUTOMAT, Clock, Deed, File, Issue, Missing, Rules, Tracker

STATES = {"1": "New", "2": "In Progress", "3": "On Hold", "6": "Resolved", "7": "Closed", "8": "Canceled"}
HOLD_REASONS = {"1": "Awaiting Caller", "3": "Awaiting Problem", "4": "Awaiting Vendor", "5": "Awaiting Change"}
URGENCIES = {"1": "1 - High", "2": "2 - Medium", "3": "3 - Low"}
CLOSE_CODES = {
    each: each for each in ("Solution provided", "Workaround provided", "Duplicate", "No resolution provided")
}
CHOICES = {
    "state": STATES,
    "hold_reason": HOLD_REASONS,
    "urgency": URGENCIES,
    "impact": URGENCIES,
    "close_code": CLOSE_CODES,
}
LABELS = {"hold_reason": "On hold reason", "close_code": "Resolution code", "close_notes": "Resolution notes"}
_LENGTHS = {
    "short_description": 160,
    "description": 4000,
    "close_notes": 4000,
    "watch_list": 4000,
    "correlation_id": 100,
}
_PEOPLE = ("assigned_to", "caller_id")
_OUR_LOGIN = "ggus.sync"

RULES = Rules(
    fields=(
        *(RemoteField(name, "text", max_length=length) for name, length in _LENGTHS.items()),
        *(RemoteField(name, "choice", values=tuple(words)) for name, words in CHOICES.items()),
        *(RemoteField(name, "person") for name in _PEOPLE),
        RemoteField("assignment_group", "text"),
    ),
    defaults={"state": "1", "urgency": "3", "impact": "3", "assignment_group": "Grid"},
    workflow={
        "state": {"1": "2368", "2": "368", "3": "268", "6": "27", "7": "", "8": ""},
    },
    needs={
        "state": {
            "3": ("hold_reason",),
            "6": ("close_code", "close_notes"),
            "8": ("close_code", "close_notes"),
        }
    },
    bound=frozenset({_OUR_LOGIN}),
    silent_edits=True,
)
"""The life of an incident on a new instance, and the data policies of its form. They bind our account alone."""


@dataclass(frozen=True, slots=True)
class Quirks:
    """What can be switched off or turned worse."""

    tells_audit: bool = True
    """Our account may read sys_audit; else its rows are left out, as rows are that an access rule hides."""
    swallows_unknown: bool = True
    """A choice that nobody knows is passed over in silence; else it is refused."""
    refuses_in_silence: bool = False
    """What the life of an incident forbids stays as it was, with 200."""
    attachments_move: bool = False
    """A new file moves its incident."""
    empty_is_missing: bool = False
    """A list without rows is 404, as in old releases."""
    wrong_query_is_empty: bool = False
    """A query with a column that is none finds nothing (glide.invalid_query.returns_no_rows); else all."""
    most_rows: int = 10_000
    """More than these are not given, whatever the limit says."""
    zone: timedelta = timedelta(0)
    """Where our account lives: display values of times are in its zone."""
    token_life: timedelta = timedelta(minutes=30)


class ServiceNowEmulator(Emulator):
    """An instance with one table of incidents. People are known by their log-ins; `people` are users from the start."""

    def __init__(
        self,
        clock: Clock,
        *,
        people: Sequence[str] = (),
        rules: Rules = RULES,
        quirks: Quirks | None = None,
        port: int = 0,
    ) -> None:
        keys: Callable[[int], str] = lambda number: sys_id("incident", number)  # noqa: E731 (its type is told)
        super().__init__(Tracker(clock, rules, name="servicenow", keys=keys), port=port)
        self.quirks = quirks or Quirks()
        self.login, self.password = _OUR_LOGIN, "emulated-password"
        self.client_id, self.client_secret = "emulated-client", "emulated-secret"
        self.people = [self.login, AUTOMAT, *people]
        self._bearers: dict[str, datetime] = {}

    # -- who, and what for -----------------------------------------------------------------------------------------

    def account(self, asked: Asked) -> str:
        how, _, what = asked.headers.get("authorization", "").partition(" ")
        if how == "Basic":
            said = base64.b64decode(what).decode("utf-8", "replace")
            return self.login if said == f"{self.login}:{self.password}" else ""
        until = self._bearers.get(what)
        return self.login if until is not None and until > self.tracker.now() else ""

    def kind(self, asked: Asked) -> str:
        writes, steps = asked.method != "GET", asked.path.strip("/").split("/")[2:]
        match steps:
            case ["table", "incident"]:
                finds = "correlation_id=" in asked.word("sysparm_query")
                return "create" if writes else "find" if finds else "list"
            case ["table", "incident", _]:
                journal = b'"comments"' in asked.body or b'"work_notes"' in asked.body
                return "read" if not writes else "comment" if journal else "update"
            case ["table", "sys_journal_field", *_]:
                return "texts"
            case ["table", "sys_audit", *_]:
                return "history"
            case ["attachment", *rest]:
                return "upload" if writes else "file" if rest[-1:] == ["file"] else "files"
            case _:
                return "schema"

    def hint(self, deed: Deed) -> Mapping[str, Any]:
        return {"table": "incident", "sys_id": deed.key, "sys_updated_by": deed.who}

    def answer(self, asked: Asked) -> Reply:
        if asked.path == "/oauth_token.do":
            return self._oauth(asked)
        if not asked.who:
            return _error(401, "User Not Authenticated", "Required to provide Auth information")
        try:
            return self._routed(asked)
        except Missing:
            return _error(404, "No Record found", "Record doesn't exist or ACL restricts the record retrieval")
        except ValueError as problem:
            return _error(400, "Exception while reading request", str(problem))

    def _oauth(self, asked: Asked) -> Reply:
        said = {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}
        known = (said.get("client_id"), said.get("client_secret")) == (self.client_id, self.client_secret)
        if said.get("grant_type") != "client_credentials" or not known:
            return Reply(401, {"error_description": "access_denied", "error": "server_error"})
        bearer = sys_id("bearer", asked.number)
        self._bearers[bearer] = self.tracker.now() + self.quirks.token_life
        life = int(self.quirks.token_life.total_seconds())
        return Reply(200, {"access_token": bearer, "scope": "useraccount", "token_type": "Bearer", "expires_in": life})

    def note(self, key: str) -> str:
        """The tracker's own id of an entry of the journal."""
        notes = (note.id for issue in self.tracker.issues.values() for note in issue.notes)
        return next(each for each in notes if sys_id("journal", each) == key)

    def expire(self) -> None:
        """Every access token is worth nothing from now on."""
        self._bearers.clear()

    def _routed(self, asked: Asked) -> Reply:
        match asked.method, asked.path.strip("/").split("/"):
            case "GET", ["api", "now", "table", table]:
                return self._list(asked, self._rows(table))
            case "GET", ["api", "now", "table", table, key]:
                return self._one(asked, table, key)
            case "POST", ["api", "now", "table", "incident"]:
                return self._create(asked)
            case "PUT" | "PATCH", ["api", "now", "table", "incident", key]:
                return self._update(asked, key)
            case "GET", ["api", "now", "attachment"]:
                return self._list(asked, self._rows("sys_attachment"))
            case "POST", ["api", "now", "attachment", "file"]:
                return self._attach(asked)
            case "GET", ["api", "now", "attachment", key, "file"]:
                file = self._file(key)
                return Reply(200, file.content, {"Content-Type": file.media_type})
            case _:
                return _error(400, "Requested URI does not represent any resource", asked.path)

    # -- tables ----------------------------------------------------------------------------------------------------

    def _rows(self, table: str) -> list[Row]:
        with self.tracker.lock:
            issues = [each for each in self.tracker.issues.values() if not each.hidden]
            match table:
                case "incident":
                    return [self._incident(each) for each in issues]
                case "sys_journal_field":
                    return [row for each in issues for row in self._journal(each)]
                case "sys_audit":
                    return [row for each in issues for row in self._audit(each)] if self.quirks.tells_audit else []
                case "sys_attachment":
                    return [self._attachment(each, file) for each in issues for file in _files(each)]
                case "sys_user":
                    return [self._user(each) for each in self.people]
                case "sys_user_group":
                    names = [str(each.fields.get("assignment_group") or "") for each in issues]
                    names.append(str(self.tracker.rules.defaults.get("assignment_group") or ""))
                    return [texts(sys_id=self._group(each).value, name=each) for each in dict.fromkeys(names) if each]
                case "sys_choice":
                    words = [(name, *pair) for name, choices in CHOICES.items() for pair in choices.items()]
                    return [
                        texts(name="incident", element=name, value=value, label=label, sys_id=sys_id(name, value))
                        for name, value, label in words
                    ]
        raise ValueError(f"Invalid table {table}")

    def _incident(self, issue: Issue) -> Row:
        fields, moves = issue.fields, [each for each in issue.deeds if self._moves(each)]
        last = moves[-1] if moves else issue.deeds[-1]
        urgency, impact = (int(str(fields.get(name) or 3)) for name in ("urgency", "impact"))
        rank = str(min(5, max(1, urgency + impact - 1)))
        active = fields.get("state") not in ("7", "8")
        row = texts(
            sys_id=issue.key,
            number=f"INC{issue.number:07}",
            priority=rank,
            active=str(active).lower(),
            sys_mod_count=str(len(moves) - 1),
            sys_created_by=issue.author,
            sys_updated_by=last.who,
            sys_class_name="incident",
            comments="",
            work_notes="",
        )
        for name in _LENGTHS:
            row |= texts(**{name: str(fields.get(name) or "")})
        for name, words in CHOICES.items():
            value = str(fields.get(name) or "")
            row[name] = Shown(value, words.get(value, ""))
        for name in _PEOPLE:
            row[name] = self._person(str(fields.get(name) or ""))
        row["assignment_group"] = self._group(str(fields.get("assignment_group") or ""))
        row["opened_by"] = self._person(issue.author)
        for name, internal in (("comments", False), ("work_notes", True)):
            written = [each.text for each in reversed(issue.notes) if each.internal == internal]
            row[name] = Shown("", "\n\n".join(written))
        row |= {"sys_created_on": self._time(issue.created_at), "opened_at": self._time(issue.created_at)}
        return row | {"sys_updated_on": self._time(last.at)}

    def _moves(self, deed: Deed) -> bool:
        return deed.kind in ("open", "set", "comment") or (deed.kind == "attach" and self.quirks.attachments_move)

    def _journal(self, issue: Issue) -> Iterable[Row]:
        for note in issue.notes:
            element = "work_notes" if note.internal else "comments"
            columns = texts(element=element, element_id=issue.key, name="incident", value=note.text)
            who = texts(sys_id=sys_id("journal", note.id), sys_created_by=note.author)
            yield {**columns, **who, "sys_created_on": self._time(note.at)}

    def _audit(self, issue: Issue) -> Iterable[Row]:
        for deed in issue.deeds:
            if deed.kind == "set":
                old, new = (
                    self._person(str(each or "")).value if deed.field in _PEOPLE else str(each or "")
                    for each in (deed.old, deed.new)
                )
                columns = texts(documentkey=issue.key, tablename="incident", fieldname=deed.field, oldvalue=old)
                who = texts(newvalue=new, sys_id=sys_id("audit", deed.id), user=deed.who, sys_created_by=deed.who)
                yield {**columns, **who, "sys_created_on": self._time(deed.at)}

    def _attachment(self, issue: Issue, file: File) -> Row:
        key = sys_id("file", file.id)
        columns = texts(
            sys_id=key,
            file_name=file.name,
            content_type=file.media_type,
            size_bytes=str(len(file.content)),
            table_name="incident",
            table_sys_id=issue.key,
            sys_created_by=file.author,
            download_link=f"{self.url}/api/now/attachment/{key}/file",
            hash=hashlib.sha256(file.content).hexdigest(),
        )
        return {**columns, "sys_created_on": self._time(file.at)}

    def _user(self, login: str) -> dict[str, Shown]:
        return texts(sys_id=sys_id("user", login), user_name=login, name=_full(login), email=f"{login}@example.org")

    def _person(self, login: str) -> Shown:
        if not login:
            return Shown("", "", "sys_user")
        if login not in self.people:
            self.people.append(login)
        return Shown(sys_id("user", login), _full(login), "sys_user")

    @staticmethod
    def _group(name: str) -> Shown:
        return Shown(sys_id("group", name) if name else "", name, "sys_user_group")

    def _time(self, at: datetime) -> Shown:
        there, zone = at.astimezone(UTC), self.quirks.zone
        return Shown(f"{there:%Y-%m-%d %H:%M:%S}", f"{there + zone:%Y-%m-%d %H:%M:%S}")

    # -- reading ---------------------------------------------------------------------------------------------------

    def _list(self, asked: Asked, rows: list[Row]) -> Reply:
        limit = min(int(asked.word("sysparm_limit", "10000")), self.quirks.most_rows)
        start = int(asked.word("sysparm_offset", "0"))
        found = queried(rows, asked.word("sysparm_query"), none=self.quirks.wrong_query_is_empty)
        page = [self._said(asked, row) for row in found[start : start + limit]]
        if not found and self.quirks.empty_is_missing:
            raise Missing
        headers = {"X-Total-Count": str(len(found))}
        ways = {"first": 0, "next": start + limit if start + limit < len(found) else None, "prev": start - limit}
        links = []
        for rel, offset in ways.items():
            if offset is not None and offset >= 0:
                query = {name: values[0] for name, values in asked.query.items()} | {"sysparm_offset": str(offset)}
                links.append(f'<{self.url}{asked.path}?{urlencode(query)}>;rel="{rel}"')
        return Reply(200, {"result": page}, headers | {"Link": ",".join(links)})

    def _one(self, asked: Asked, table: str, key: str) -> Reply:
        if table == "incident":
            with self.tracker.lock:
                return Reply(200, {"result": self._said(asked, self._incident(self.tracker.issue(key)))})
        row = next((each for each in self._rows(table) if each["sys_id"].value == key), None)
        if row is None:
            raise Missing
        return Reply(200, {"result": self._said(asked, row)})

    def _said(self, asked: Asked, row: Row) -> dict[str, Any]:
        """A row in the form that was asked for."""
        names, form = asked.word("sysparm_fields"), asked.word("sysparm_display_value", "false")
        bare = asked.word("sysparm_exclude_reference_link") == "true"
        return said(row, names.split(",") if names else list(row), form, None if bare else f"{self.url}/api/now/table")

    # -- writing ---------------------------------------------------------------------------------------------------

    def _create(self, asked: Asked) -> Reply:
        body = _body(asked)
        with self.tracker.lock:
            patch, problem = self._patch(asked, body)
            if problem is not None:
                return problem
            key, refused = self.tracker.open(asked.who, patch)
            if refused:
                return self._policy(patch, {}) or _error(403, "Operation Failed", "; ".join(refused.values()))
            self._speak(asked.who, key, body)
            location = {"Location": f"{self.url}/api/now/table/incident/{key}"}
            return Reply(201, {"result": self._said(asked, self._incident(self.tracker.issue(key)))}, location)

    def _update(self, asked: Asked, key: str) -> Reply:
        body = _body(asked)
        with self.tracker.lock:
            stands = self.tracker.issue(key).fields
            patch, problem = self._patch(asked, body)
            if problem is not None:
                return problem
            changed = {name: value for name, value in patch.items() if stands.get(name) != value}
            if problem := self._policy(changed, stands):
                return problem
            for name, value in list(changed.items()):
                why = self.tracker.objection(asked.who, name, stands.get(name), value)
                if why and self.quirks.refuses_in_silence:
                    del changed[name]
                elif why:
                    rule = (
                        f"Operation against file 'incident' was aborted by Business Rule 'Incident {name} flow'. {why}"
                    )
                    return _error(403, "Operation Failed", rule)
            self.tracker.edit(asked.who, key, changed)
            self._speak(asked.who, key, body)
            return Reply(200, {"result": self._said(asked, self._incident(self.tracker.issue(key)))})

    def _patch(self, asked: Asked, body: Mapping[str, Any]) -> tuple[dict[str, Value], Reply | None]:
        """The fields that a body sets; what is not known is passed over, and texts are cut to their columns."""
        shown, patch = asked.word("sysparm_input_display_value") == "true", dict[str, Value]()
        for name, given in body.items():
            spec = self.tracker.field(name)
            if spec is None or isinstance(given, dict | list):
                continue
            value = "" if given is None else str(given)
            if spec.kind == "person":
                keys = ("sys_id", "name") if shown else ("sys_id",)
                rows = [self._user(each) for each in self.people]
                patch[name] = next(
                    (each["user_name"].value for each in rows if value in [each[k].value for k in keys]), None
                )
            elif name == "assignment_group":
                groups = {row["sys_id"].value: row["name"].value for row in self._rows("sys_user_group")}
                patch[name] = groups.get(value)
            elif spec.kind == "choice":
                words = CHOICES[name]
                value = next((key for key, word in words.items() if shown and word == value), value)
                if value and value not in words:
                    if not self.quirks.swallows_unknown:
                        return {}, _error(400, "Operation Failed", f"Invalid value '{value}' for {name}")
                    continue
                patch[name] = value or None
            else:
                patch[name] = value[: spec.max_length].rstrip("\n") or None
        return patch, None

    def _policy(self, changed: Mapping[str, Value], stands: Mapping[str, Value]) -> Reply | None:
        """What a data policy says, if the change leaves a mandatory field empty."""
        needed = self.tracker.rules.needs.get("state", {}).get(str(changed.get("state")), ())
        empty = [each for each in needed if not {**stands, **changed}.get(each)]
        if not empty:
            return None
        labels = ", ".join(LABELS[each] for each in empty)
        detail = f"Data Policy Exception: The following fields are mandatory: {labels}"
        return _error(403, "Operation Failed", detail)

    def _speak(self, who: str, key: str, body: Mapping[str, Any]) -> None:
        for name, internal in (("comments", False), ("work_notes", True)):
            if str(body.get(name) or "").strip():
                self.tracker.comment(who, key, str(body[name])[: _LENGTHS["description"]], internal=internal)

    def _attach(self, asked: Asked) -> Reply:
        name, table, key = (asked.word(each) for each in ("file_name", "table_name", "table_sys_id"))
        if not (name and table and key):
            return _error(400, "Missing required parameters", "table_name, table_sys_id and file_name are mandatory")
        if table != "incident":
            raise Missing
        with self.tracker.lock:
            media_type = asked.headers.get("content-type", "")
            file = self.tracker.attach(asked.who, key, name, media_type, asked.body)
            row = self._attachment(self.tracker.issue(key), file)
        return Reply(201, {"result": self._said(asked, row)}, {"Location": row["download_link"].value})

    def _file(self, key: str) -> File:
        with self.tracker.lock:
            for issue in self.tracker.issues.values():
                for file in _files(issue):
                    if sys_id("file", file.id) == key and not issue.hidden:
                        return file
        raise Missing


def _full(login: str) -> str:
    return login.replace(".", " ").title()


def _files(issue: Issue) -> list[File]:
    return [*issue.files, *(file for note in issue.notes for file in note.files)]


def _body(asked: Asked) -> dict[str, Any]:
    body = asked.json()
    return body if isinstance(body, dict) else {}


def _error(status: int, message: str, detail: str) -> Reply:
    return Reply(status, {"error": {"message": message, "detail": detail}, "status": "failure"})
