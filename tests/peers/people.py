"""A person at work in a real tracker, said through its REST API: what tests do where a human would click.

All of them speak one vocabulary (subject, description, status, priority, owner, external_id, place), with the
tracker's own values. They write directly and read everything back, so a test's question never passes through
the connector it is about to judge.
"""

import base64
import json
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import requests

Fields = Mapping[str, str | None]


@dataclass(frozen=True)
class Said:
    """One comment as the tracker shows it."""

    id: str
    author: str
    text: str
    internal: bool


@dataclass(frozen=True)
class Attached:
    """One file as it is downloaded."""

    name: str
    content: bytes


class ActFailed(AssertionError):
    """The tracker did not do what the person asked: the test's premise is wrong."""


class Person(Protocol):
    """What a person can do at any tracker. Keys are the tracker's own, as text."""

    def open(self, subject: str, description: str, *, place: str | None = None, **fields: str | None) -> str: ...
    def reply(self, key: str, text: str, *, files: Iterable[Attached] = ()) -> None: ...
    def comment_internal(self, key: str, text: str, *, files: Iterable[Attached] = ()) -> None: ...
    def attach(self, key: str, file: Attached) -> None: ...
    def set(self, key: str, **fields: str | None) -> None: ...
    def delete(self, key: str) -> None: ...
    def keys(self) -> list[str]: ...
    def fields(self, key: str) -> Fields: ...
    def comments(self, key: str) -> list[Said]: ...
    def files(self, key: str) -> list[Attached]: ...


def _ask(method: str, url: str, headers: Mapping[str, str], **more: Any) -> requests.Response:
    answer = requests.request(method, url, headers=headers, timeout=300, **more)
    if not answer.ok:
        raise ActFailed(f"{method} {url}: {answer.status_code} {answer.text[:300]}")
    return answer


RT_NAMES = {"subject": "Subject", "status": "Status", "priority": "Priority", "owner": "Owner", "place": "Queue"}


@dataclass(frozen=True)
class RtPerson:
    """Somebody with an account in Request Tracker, working in one queue."""

    url: str
    token: str
    queue: str

    def _rt(self, method: str, path: str, **more: Any) -> requests.Response:
        return _ask(method, f"{self.url}/REST/2.0{path}", {"Authorization": f"token {self.token}"}, **more)

    def _body(self, fields: Fields) -> dict[str, Any]:
        body: dict[str, Any] = {RT_NAMES[name]: value for name, value in fields.items() if name != "external_id"}
        if "Owner" in body:
            body["Owner"] = body["Owner"] or "Nobody"
        if "external_id" in fields:
            body["CustomFields"] = {"ExternalId": fields["external_id"]}
        return body

    def open(self, subject: str, description: str, *, place: str | None = None, **fields: str | None) -> str:
        body = self._body(fields) | {"Queue": place or self.queue, "Subject": subject}
        answer = self._rt("POST", "/ticket", json=body | {"Content": description, "ContentType": "text/plain"})
        return str(answer.json()["id"])

    def reply(self, key: str, text: str, *, files: Iterable[Attached] = ()) -> None:
        self._message(key, "correspond", text, files)

    def comment_internal(self, key: str, text: str, *, files: Iterable[Attached] = ()) -> None:
        self._message(key, "comment", text, files)

    def attach(self, key: str, file: Attached) -> None:
        self._message(key, "correspond", "", [file])

    def _message(self, key: str, kind: str, text: str, files: Iterable[Attached]) -> None:
        attachments = [
            {
                # RT decodes an RFC 2047 word, and nothing else, into any name
                "FileName": f"=?UTF-8?B?{base64.b64encode(file.name.encode()).decode()}?=",
                "FileType": "application/octet-stream",
                # RT asks for a text here and means it; "=" decodes to no bytes
                "FileContent": base64.b64encode(file.content).decode() or "=",
            }
            for file in files
        ]
        body = {"Content": text, "ContentType": "text/plain", "Attachments": attachments}
        self._rt("POST", f"/ticket/{key}/{kind}", json=body)

    def set(self, key: str, **fields: str | None) -> None:
        sentences = self._rt("PUT", f"/ticket/{key}", json=self._body(fields)).json()
        if "place" in fields:
            return  # the ticket may have gone where this person cannot follow
        now = self.fields(key)
        if wrong := {name: now[name] for name, value in fields.items() if now[name] != value}:
            raise ActFailed(f"RT kept {wrong} where {fields} was asked: {sentences}")

    def delete(self, key: str) -> None:
        self._rt("PUT", f"/ticket/{key}", json={"Status": "deleted"})

    def keys(self) -> list[str]:
        query = {"query": f"Queue = '{self.queue}'", "orderby": "id", "per_page": "100"}
        return [str(row["id"]) for row in self._rt("GET", "/tickets", params=query).json()["items"]]

    def fields(self, key: str) -> Fields:
        ticket = self._rt("GET", f"/ticket/{key}").json()
        owner = ticket["Owner"]["id"]
        external = [field["values"] for field in ticket["CustomFields"] if field["name"] == "ExternalId"]
        return {
            "subject": ticket["Subject"],
            "description": next((text for kind, _, _, text in self._messages(key) if kind == "Create"), ""),
            "status": ticket["Status"],
            "priority": ticket["Priority"],
            "owner": None if owner == "Nobody" else owner,
            "external_id": external[0][0] if external and external[0] else None,
        }

    def comments(self, key: str) -> list[Said]:
        return [
            Said(transaction, author, text, internal=kind == "Comment")
            for kind, transaction, author, text in self._messages(key)
            if kind in ("Correspond", "Comment")
        ]

    def files(self, key: str) -> list[Attached]:
        rows = self._parts(key, "Filename")
        parts = [self._rt("GET", f"/attachment/{row['id']}").json() for row in rows if row["Filename"]]
        return [Attached(part["Filename"], base64.b64decode(part["Content"] or "")) for part in parts]

    def _messages(self, key: str) -> Iterable[tuple[str, str, str, str]]:
        """(type, transaction, author, text) of what was written, in order."""
        texts: dict[str, str] = {}
        bodies = [{"field": "ContentType", "operator": "LIKE", "value": "text/"}]
        for row in self._parts(key, "TransactionId,Filename,Content", bodies):
            if not row["Filename"]:
                texts.setdefault(row["TransactionId"], row["Content"])
        for row in self._all(f"/ticket/{key}/history", {"fields": "Type,Creator"}):
            yield row["Type"], str(row["id"]), row["Creator"]["id"], texts.get(str(row["id"]), "")

    def _parts(self, key: str, fields: str, where: list[dict[str, str]] | None = None) -> Iterable[dict[str, Any]]:
        return self._all(f"/ticket/{key}/attachments", {"fields": fields, "query": json.dumps(where or [])})

    def _all(self, path: str, query: Mapping[str, str]) -> Iterable[dict[str, Any]]:
        page = 1
        while rows := self._rt("GET", path, params={**query, "per_page": "100", "page": str(page)}).json()["items"]:
            yield from rows
            page += 1


@dataclass(frozen=True)
class RedminePerson:
    """Somebody with an account in Redmine, working in one project."""

    url: str
    api_key: str
    project: str
    external_id_field: int

    def _redmine(self, method: str, path: str, **more: Any) -> requests.Response:
        headers = {"X-Redmine-API-Key": self.api_key}
        if "data" in more:
            headers["Content-Type"] = "application/octet-stream"
        for _ in range(10):
            try:
                return _ask(method, f"{self.url}{path}", headers, **more)
            except ActFailed as failed:
                # the later of two writes at one moment is turned away without a word: they press the button again
                if '422 {"errors":[]}' not in str(failed):
                    raise
        raise ActFailed(f"{method} {path}: turned away ten times in a row")

    def _body(self, fields: Fields) -> dict[str, Any]:
        body: dict[str, Any] = {}
        for name, value in fields.items():
            match name:
                case "subject" | "description":
                    body[name] = value
                case "status":
                    body["status_id"] = self._id("/issue_statuses.json", "issue_statuses", value)
                case "priority":
                    body["priority_id"] = self._id("/enumerations/issue_priorities.json", "issue_priorities", value)
                case "owner":
                    body["assigned_to_id"] = self._member(value) if value else ""
                case "external_id":
                    body["custom_fields"] = [{"id": self.external_id_field, "value": value or ""}]
                case "place":
                    body["project_id"] = value
                case _:
                    raise KeyError(name)
        return body

    def _id(self, path: str, rows: str, name: str | None) -> int:
        known = {row["name"]: row["id"] for row in self._redmine("GET", path).json()[rows]}
        return int(known[name])

    def _login(self, user: int) -> str:
        return str(self._redmine("GET", f"/users/{user}.json").json()["user"]["login"])

    def _member(self, login: str) -> int:
        rows = self._redmine("GET", f"/projects/{self.project}/memberships.json").json()["memberships"]
        members = {self._login(row["user"]["id"]): row["user"]["id"] for row in rows}
        return int(members[login])

    def open(self, subject: str, description: str, *, place: str | None = None, **fields: str | None) -> str:
        body = self._body(fields) | {"subject": subject, "description": description}
        answer = self._redmine("POST", "/issues.json", json={"issue": body | {"project_id": place or self.project}})
        return str(answer.json()["issue"]["id"])

    def reply(self, key: str, text: str, *, files: Iterable[Attached] = ()) -> None:
        self._note(key, {"notes": text}, files)

    def comment_internal(self, key: str, text: str, *, files: Iterable[Attached] = ()) -> None:
        self._note(key, {"notes": text, "private_notes": True}, files)

    def attach(self, key: str, file: Attached) -> None:
        self._note(key, {}, [file])

    def reword(self, note: str, text: str) -> None:
        """Edit a note; an empty text takes it away."""
        self._redmine("PUT", f"/journals/{note}.json", json={"journal": {"notes": text}})

    def _note(self, key: str, body: dict[str, Any], files: Iterable[Attached]) -> None:
        uploads = []
        for file in files:
            answer = self._redmine("POST", "/uploads.json", params={"filename": file.name}, data=file.content)
            uploads.append({"token": answer.json()["upload"]["token"], "filename": file.name})
        self._redmine("PUT", f"/issues/{key}.json", json={"issue": body | {"uploads": uploads}})

    def set(self, key: str, **fields: str | None) -> None:
        self._redmine("PUT", f"/issues/{key}.json", json={"issue": self._body(fields)})
        if "place" in fields:
            return  # the issue may have gone where this person cannot follow
        now = self.fields(key)
        if wrong := {name: now[name] for name, value in fields.items() if now[name] != value}:
            raise ActFailed(f"Redmine kept {wrong} where {fields} was asked")

    def delete(self, key: str) -> None:
        self._redmine("DELETE", f"/issues/{key}.json")

    def keys(self) -> list[str]:
        query = {"project_id": self.project, "status_id": "*", "sort": "id:asc", "limit": "100"}
        return [str(row["id"]) for row in self._redmine("GET", "/issues.json", params=query).json()["issues"]]

    def _issue(self, key: str) -> dict[str, Any]:
        path = f"/issues/{key}.json?include=journals,attachments"
        issue: dict[str, Any] = self._redmine("GET", path).json()["issue"]
        return issue

    def fields(self, key: str) -> Fields:
        issue = self._issue(key)
        owner = issue.get("assigned_to")
        external = [field["value"] for field in issue["custom_fields"] if field["name"] == "ExternalId"]
        return {
            "subject": issue["subject"],
            # Redmine stores a description with CRLF
            "description": (issue["description"] or "").replace("\r\n", "\n"),
            "status": issue["status"]["name"],
            "priority": issue["priority"]["name"],
            "owner": self._login(owner["id"]) if owner else None,
            "external_id": (external[0] or None) if external else None,
        }

    def comments(self, key: str) -> list[Said]:
        return [
            Said(str(journal["id"]), self._login(journal["user"]["id"]), journal["notes"], journal["private_notes"])
            for journal in self._issue(key)["journals"]
            if journal["notes"]
        ]

    def files(self, key: str) -> list[Attached]:
        return [
            Attached(row["filename"], self._redmine("GET", f"/attachments/download/{row['id']}").content)
            for row in self._issue(key)["attachments"]
        ]


ZNUNY_NAMES = {"subject": "Title", "status": "State", "priority": "Priority", "owner": "Owner", "place": "Queue"}
NOBODY = "root@localhost"
"""Who owns what nobody owns."""


@dataclass(frozen=True)
class ZnunyPerson:
    """An agent of Znuny, working in one queue. What was written first is the ticket's description."""

    url: str
    login: str
    password: str
    queue: str

    def _znuny(self, method: str, path: str, **words: Any) -> dict[str, Any]:
        who = {"UserLogin": self.login, "Password": self.password}
        answer: dict[str, Any] = _ask(method, f"{self.url}{path}", {}, json=who | words).json()
        if "Error" in answer:
            raise ActFailed(f"{method} {path}: {answer['Error']}")
        return answer

    def _body(self, fields: Fields) -> dict[str, Any]:
        ticket = {ZNUNY_NAMES[name]: value for name, value in fields.items() if name != "external_id"}
        if "Owner" in ticket:
            ticket["Owner"] = ticket["Owner"] or NOBODY
        if str(ticket.get("State")).startswith("pending"):
            ticket["PendingTime"] = {"Year": 2037, "Month": 12, "Day": 31, "Hour": 12, "Minute": 0}
        body: dict[str, Any] = {"Ticket": ticket} if ticket else {}
        if "external_id" in fields:
            body["DynamicField"] = {"Name": "ExternalId", "Value": fields["external_id"] or ""}
        return body

    @staticmethod
    def _article(text: str, files: Iterable[Attached] = (), *, internal: bool = False) -> dict[str, Any]:
        article = {
            "Subject": "a note",
            "Body": text or "-",
            "ContentType": "text/plain; charset=utf8",
            "CommunicationChannel": "Internal",
            "SenderType": "agent",
            "IsVisibleForCustomer": 0 if internal else 1,
        }
        attachments = [
            {
                "Filename": file.name,
                "ContentType": "application/octet-stream",
                # no content at all is an error; "=" decodes to no bytes
                "Content": base64.b64encode(file.content).decode() or "=",
            }
            for file in files
        ]
        return {"Article": article, "Attachment": attachments} if attachments else {"Article": article}

    def open(self, subject: str, description: str, *, place: str | None = None, **fields: str | None) -> str:
        usual = {"Queue": place or self.queue, "State": "new", "Priority": "3 normal", "Owner": NOBODY}
        body = self._body({**fields, "subject": subject})
        body["Ticket"] = {**usual, "CustomerUser": "customer", **body["Ticket"]}
        return str(self._znuny("POST", "/Ticket", **body, **self._article(description))["TicketID"])

    def reply(self, key: str, text: str, *, files: Iterable[Attached] = ()) -> None:
        self._znuny("PATCH", f"/Ticket/{key}", **self._article(text, files))

    def comment_internal(self, key: str, text: str, *, files: Iterable[Attached] = ()) -> None:
        self._znuny("PATCH", f"/Ticket/{key}", **self._article(text, files, internal=True))

    def attach(self, key: str, file: Attached) -> None:
        self.reply(key, "", files=[file])

    def reword(self, note: str, text: str) -> None:
        """Edit an article; an empty text takes it away. Only Znuny's own pages can."""
        subprocess.run([Path(__file__).parent / "znuny.sh", "reword", note, text], check=True)

    def set(self, key: str, **fields: str | None) -> None:
        self._znuny("PATCH", f"/Ticket/{key}", **self._body(fields))
        if "place" in fields:
            return  # the ticket may have gone where this person cannot follow
        now = self.fields(key)
        if wrong := {name: now[name] for name, value in fields.items() if now[name] != value}:
            raise ActFailed(f"Znuny kept {wrong} where {fields} was asked")

    def delete(self, key: str) -> None:
        """Nothing is deleted from outside: it goes where rubbish goes."""
        self.set(key, place="Junk")

    def keys(self) -> list[str]:
        found = self._znuny("POST", "/TicketSearch", Queues=[self.queue], SortBy="TicketNumber", OrderBy="Up")
        return [str(key) for key in found.get("TicketID", [])]

    def _ticket(self, key: str) -> dict[str, Any]:
        wanted = {"AllArticles": 1, "Attachments": 1, "DynamicFields": 1}
        ticket: dict[str, Any] = self._znuny("POST", f"/Ticket/{key}", **wanted)["Ticket"][0]
        return ticket

    def fields(self, key: str) -> Fields:
        ticket = self._ticket(key)
        external = [field["Value"] for field in ticket["DynamicField"] if field["Name"] == "ExternalId"]
        return {
            "subject": ticket["Title"],
            "description": ticket["Article"][0]["Body"],
            "status": ticket["State"],
            "priority": ticket["Priority"],
            "owner": None if ticket["Owner"] == NOBODY else ticket["Owner"],
            "external_id": external[0] or None,
        }

    def comments(self, key: str) -> list[Said]:
        return [
            Said(str(each["ArticleID"]), each["From"], each["Body"], internal=not int(each["IsVisibleForCustomer"]))
            for each in self._ticket(key)["Article"][1:]
        ]

    def files(self, key: str) -> list[Attached]:
        rows = [row for each in self._ticket(key)["Article"] for row in each.get("Attachment", [])]
        return [Attached(row["Filename"], base64.b64decode(row["Content"])) for row in rows]
