"""A tracker of the rpc/encoded kind, invented: a log-in whose token is the first argument of every call, the others by
position, SOAP-ENC arrays of beans, and answers in which beans stand apart and are referred to. Such trackers exist.
"""

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

from connectors.api import RemoteField, Value
from connectors.emulators.server import Asked
from connectors.emulators.soap import Beans, Call, SoapEmulator, SoapFault, called, listed
from connectors.emulators.tracker import Clock, Deed, File, Issue, Missing, Note, Rules, Tracker

STATUSES = ("open", "in work", "waiting", "done", "void")
PRIORITIES = ("low", "normal", "high")
_ACCOUNT = "interdesk"
_FIELDS = ("summary", "description", "status", "priority", "assignee", "reference", "labels")
RULES = Rules(
    fields=(
        RemoteField("summary", "text", max_length=200),
        RemoteField("description", "text"),
        RemoteField("status", "choice", values=STATUSES),
        RemoteField("priority", "choice", values=PRIORITIES),
        RemoteField("assignee", "person"),
        RemoteField("reference", "text"),
        RemoteField("labels", "set"),
    ),
    defaults={"status": "open", "priority": "normal"},
    workflow={"status": {"open": ("in work", "void"), "in work": ("waiting", "done"), "waiting": ("in work",)}},
    bound=frozenset({_ACCOUNT}),
)


@dataclass(frozen=True, slots=True)
class Quirks:
    """What can be switched off or turned worse."""

    apart: bool = True
    """Beans stand apart and are referred to (multiRef, href), as Axis 1 wrote them."""
    fault_with_200: bool = False
    """A fault comes with the status of success."""
    bare_faults: bool = False
    """A fault's element is of no namespace that means it."""
    most: int = 100
    """Rows of a list, whatever is asked for."""


class RpcEmulator(SoapEmulator):
    """One tracker with one account, `interdesk`."""

    address = "/rpc/soap/clerk"

    def __init__(self, clock: Clock, *, rules: Rules = RULES, quirks: Quirks | None = None, port: int = 0) -> None:
        super().__init__(Tracker(clock, rules, name="rpc"), port=port)
        self.username, self.password = _ACCOUNT, "emulated-password"
        self.quirks = quirks or Quirks()
        self.fault_status = 200 if self.quirks.fault_with_200 else 500
        self.fault_space = "urn:clerk:lost" if self.quirks.bare_faults else SoapEmulator.fault_space
        self._sessions: set[str] = set()
        self._logins = 0

    def wsdl(self) -> bytes:
        return (files("connectors.emulators") / "rpc.wsdl").read_bytes()

    def expire(self) -> None:
        """Forget every session."""
        self._sessions.clear()

    def account(self, asked: Asked) -> str:
        call = called(asked.body) if asked.method == "POST" else None
        return _ACCOUNT if call is not None and _arguments(call)[:1] and _arguments(call)[0] in self._sessions else ""

    def kind(self, asked: Asked) -> str:
        call = called(asked.body) if asked.method == "POST" else None
        kinds = {
            "getIssues": "list",
            "getIssue": "read",
            "createIssue": "create",
            "updateIssue": "update",
            "addNote": "comment",
            "getAttachment": "file",
        }
        if call is not None and call.operation == "getIssues" and _reference(call):
            return "find"
        return kinds.get(call.operation, "schema") if call is not None else "schema"

    def hint(self, deed: Deed) -> Mapping[str, Any]:
        return {"issue": deed.key}

    def perform(self, asked: Asked, call: Call) -> str:
        arguments = _arguments(call)
        if call.operation == "login":
            return self._answered(call, "string", self._login(arguments))
        if not asked.who:
            raise SoapFault(
                "org.clerk.AuthenticationException: session timed out or was never there",
                code="Server.userException",
                detail="<AuthenticationException/>",
            )
        try:
            with self.tracker.lock:
                kind, value = self._performed(asked.who, call.operation, arguments[1:])
        except Missing as missing:
            raise SoapFault(f"org.clerk.NotFoundException: no issue {missing}", detail="<NotFoundException/>") from None
        return self._answered(call, kind, value)

    def _answered(self, call: Call, kind: str, value: Any) -> str:
        return Beans(apart=self.quirks.apart).answered(call.operation, "urn:clerk", kind, value)

    def _login(self, arguments: list[Any]) -> str:
        if arguments != [self.username, self.password]:
            raise SoapFault(
                "org.clerk.AuthenticationException: invalid username or password", detail="<AuthenticationException/>"
            )
        self._logins += 1
        token = f"{secrets.token_hex(8)}-{self._logins}"
        self._sessions.add(token)
        return token

    def _performed(self, who: str, operation: str, arguments: list[Any]) -> tuple[str, Any]:
        match operation, arguments:
            case "whoAmI", []:
                return "User", _user(who)
            case "getIssues", [wanted, most]:
                return "", self._list(wanted if isinstance(wanted, dict) else {}, int(most or 0))
            case "getIssue", [key]:
                return "Issue", self._shown(self.tracker.issue(str(key)))
            case "createIssue", [bean]:
                key, refused = self.tracker.open(who, _said(bean))
                self._ensure(refused)
                return "Issue", self._shown(self.tracker.issue(key))
            case "updateIssue", [key, bean]:
                return "Issue", self._update(who, str(key), bean)
            case "addNote", [key, note]:
                return "string", self._note(who, str(key), note)
            case "getAttachment", [number]:
                return "base64Binary", self.tracker.file(str(number)).content
        raise SoapFault(f"No such operation '{operation}' with {len(arguments) + 1} arguments", code="Client")

    def _list(self, wanted: Mapping[str, Any], most: int) -> list[dict[str, Any]]:
        since, after, reference = wanted.get("changedSince"), int(wanted.get("afterKey") or 0), wanted.get("reference")
        start = datetime.fromisoformat(since) if since else None
        found = [
            each
            for each in self.tracker.issues.values()
            if not each.hidden
            and each.number > after
            and (start is None or each.changed_at >= start)
            and (not reference or each.fields.get("reference") == reference)
        ]
        if wanted.get("newestFirst") == "true":
            found.sort(key=lambda each: (each.changed_at, each.number), reverse=True)
        return [self._shown(each) for each in found[: min(most, self.quirks.most)]]

    def _update(self, who: str, key: str, bean: Any) -> dict[str, Any]:
        """What is in the bean is written, nil too; one that bears another revision than the issue's is refused."""
        issue = self.tracker.issue(key)
        said: Mapping[str, Any] = bean if isinstance(bean, dict) else {}
        if said.get("revision") not in (None, str(issue.version)):
            raise SoapFault("org.clerk.StaleException: the issue has moved on", detail="<StaleException/>")
        patch = {name: _value(said[name]) for name in _FIELDS if name in said}
        for name, value in patch.items():
            if against := self.tracker.objection(who, name, issue.fields.get(name), value):
                self._ensure({name: against})
        self.tracker.edit(who, key, patch)
        return self._shown(issue)

    def _note(self, who: str, key: str, note: Mapping[str, Any]) -> str:
        files = [
            (str(each["name"]), str(each.get("mimetype") or ""), base64.b64decode(str(each.get("data") or "")))
            for each in listed(note.get("files"))
        ]
        internal = note.get("level") == "internal"
        return self.tracker.comment(who, key, str(note.get("body") or ""), internal=internal, files=files).id

    @staticmethod
    def _ensure(refused: Mapping[str, str]) -> None:
        if refused:
            told = "; ".join(refused.values())
            raise SoapFault(f"org.clerk.ValidationException: {told}", detail="<ValidationException/>")

    def _shown(self, issue: Issue) -> dict[str, Any]:
        return {
            "key": issue.key,
            "revision": issue.version,
            **{name: _told(issue.fields.get(name)) for name in _FIELDS},
            "reporter": _user(issue.author),
            "updated": _time(issue.changed_at),
            "notes": [_noted(each) for each in issue.notes],
            "files": [_file(each) for each in issue.files],
        }


def _reference(call: Call) -> bool:
    wanted = _arguments(call)[1:2]
    return bool(wanted and isinstance(wanted[0], dict) and wanted[0].get("reference"))


def _arguments(call: Call) -> list[Any]:
    return list(call.body.values()) if isinstance(call.body, dict) else []


def _said(bean: Any) -> dict[str, Value]:
    said: Mapping[str, Any] = bean if isinstance(bean, dict) else {}
    return {name: value for name in _FIELDS if (value := _value(said.get(name))) is not None}


def _value(said: Any) -> Value:
    if isinstance(said, list):
        return tuple(str(each) for each in said) or None
    return str(said) if said not in (None, "") else None


def _told(value: Value) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _user(name: str) -> dict[str, str]:
    return {"login": name, "name": name}


def _noted(note: Note) -> dict[str, Any]:
    return {
        "id": note.id,
        "author": _user(note.author),
        "created": _time(note.at),
        "body": note.text,
        "level": "internal" if note.internal else "public",
        "files": [_file(each) for each in note.files],
    }


def _file(file: File) -> dict[str, Any]:
    return {"id": file.id, "name": file.name, "mimetype": file.media_type, "size": len(file.content), "data": None}


def _time(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
