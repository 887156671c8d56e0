"""What Znuny shows of a ticket, its articles and its history, made of what the tracker in memory holds."""

import base64
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from connectors.api import Value
from connectors.emulators.tracker import AUTOMAT, Clock, Deed, File, Issue, Note

ACCOUNT, NOBODY, QUEUE = "ggus-sync", "root@localhost", "ggus"
STATES = {
    "new": "new",
    "open": "open",
    "pending reminder": "pending reminder",
    "pending auto close+": "pending auto",
    "pending auto close-": "pending auto",
    "closed successful": "closed",
    "closed unsuccessful": "closed",
    "merged": "merged",
    "removed": "removed",
}
"""Each state and its type."""
PRIORITIES = ("1 very low", "2 low", "3 normal", "4 high", "5 very high")
DYNAMIC = "ExternalId"
_OTHERS = ("ProcessManagementActivityID", "ProcessManagementProcessID")
"""Dynamic fields that every site has."""


class Shown:
    """One site's answers: `zone` is that in which it writes times down, `dynamic` whether it has our field."""

    def __init__(self, now: Clock, zone: str, people: Sequence[str], *, dynamic: bool) -> None:
        self._now, self._zone, self._dynamic = now, ZoneInfo(zone), dynamic
        self.agents = {NOBODY: 1, ACCOUNT: 2} | {name: number for number, name in enumerate(people, start=3)}

    def number(self, name: str) -> int:
        """A person's number. Somebody who is no agent is a customer, for whom the interface itself acts."""
        return self.agents.setdefault(name, len(self.agents) + 1) if name != AUTOMAT else 1

    def when(self, when: datetime) -> str:
        return when.astimezone(self._zone).strftime("%Y-%m-%d %H:%M:%S")

    @staticmethod
    def owner(issue: Issue) -> str:
        return str(issue.fields.get("Owner") or NOBODY)

    def ticket(self, issue: Issue, said: Mapping[str, Any]) -> dict[str, Any]:
        fields, owner = issue.fields, self.owner(issue)
        state = str(fields["State"])
        until = _moment(fields.get("PendingTime")) if state.startswith("pending") else None
        shown: dict[str, Any] = {
            "Age": int((self._now() - issue.created_at).total_seconds()),
            "ChangeBy": self.number(issue.deeds[-1].who),
            "Changed": self.when(issue.changed_at),
            "CreateBy": self.number(issue.author),
            "Created": self.when(issue.created_at),
            "CustomerID": "",
            "CustomerUserID": fields.get("CustomerUser"),
            "Lock": "unlock",
            "Owner": owner,
            "OwnerID": self.number(owner),
            "Priority": fields["Priority"],
            "PriorityID": PRIORITIES.index(str(fields["Priority"])) + 1,
            "Queue": QUEUE,
            "QueueID": 5,
            "RealTillTimeNotUsed": int(until.timestamp()) if until else 0,
            "Responsible": NOBODY,
            "State": state,
            "StateID": list(STATES).index(state) + 1,
            "StateType": STATES[state],
            "TicketID": issue.number,
            "TicketNumber": shown_number(issue),
            "Title": fields.get("Title"),
            "Type": "Unclassified",
            "UntilTime": int((until - self._now()).total_seconds()) if until else 0,
        }
        if yes(said.get("DynamicFields")):
            names = (DYNAMIC, *_OTHERS) if self._dynamic else _OTHERS
            shown["DynamicField"] = [{"Name": name, "Value": fields.get(f"df.{name}")} for name in names]
        if yes(said.get("AllArticles")):
            contents = yes(said.get("GetAttachmentContents", 1))
            attachments = yes(said.get("Attachments"))
            first = Note(
                str(issue.deeds[0].id), issue.author, issue.created_at, str(fields["Description"] or ""), False
            )
            first.files = issue.files
            shown["Article"] = [
                self._article(issue, note, number, attachments=attachments, contents=contents)
                for number, note in enumerate((first, *issue.notes), start=1)
            ]
        return shown

    def _article(self, issue: Issue, note: Note, number: int, *, attachments: bool, contents: bool) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "ArticleID": int(note.id),
            "ArticleNumber": number,
            "Body": note.text,
            "CommunicationChannelID": 3,
            "ContentType": "text/plain; charset=utf8",
            "CreateBy": self.number(note.author),
            "CreateTime": self.when(note.at),
            "From": "GGUS sync" if note.author == ACCOUNT else note.author,
            "IsVisibleForCustomer": 0 if note.internal else 1,
            "SenderType": "agent",
            "SenderTypeID": "1",
            "Subject": "a note",
            "TicketID": issue.number,
        }
        if attachments and note.files:
            shown["Attachment"] = [
                {
                    "Content": base64.b64encode(file.content).decode() if contents else "",
                    "ContentType": file.media_type,
                    "Disposition": "attachment",
                    # counted anew in each article
                    "FileID": str(number),
                    "Filename": name,
                    "FilesizeRaw": str(len(file.content)) if file.content else 0,
                }
                for number, (name, file) in enumerate(sorted(_told_apart(note.files).items()), start=1)
            ]
        return shown

    def history(self, issue: Issue) -> dict[str, Any]:
        rows: list[dict[str, Any]] = []
        for deed in issue.deeds:
            kind, name = self._worded(deed)
            if kind:
                rows.append(
                    {
                        "ArticleID": int(deed.note or 0) if deed.kind == "comment" else 0,
                        "CreateBy": self.number(deed.who),
                        "CreateTime": self.when(deed.at),
                        "HistoryType": kind,
                        "Name": name,
                        "TicketID": str(issue.number),
                    }
                )
        return {"TicketID": str(issue.number), "History": rows}

    def _worded(self, deed: Deed) -> tuple[str, str]:
        """A deed as the history words it: type and name; "" where it has no word for it."""
        old, new = text(deed.old), text(deed.new)
        match deed.kind, deed.field:
            case "open", _:
                return "NewTicket", "%%GenericInterface Create"
            case "comment", _:
                return "AddNote", "%%GenericInterface Note"
            case "set", "State":
                return "StateUpdate", f"%%{old}%%{new}%%"
            case "set", "Title":
                return "TitleUpdate", f"%%{old}%%{new}"
            case "set", "Priority":
                numbers = [PRIORITIES.index(word) + 1 for word in (old, new)]
                return "PriorityUpdate", f"%%{old}%%{numbers[0]}%%{new}%%{numbers[1]}"
            case "set", "Owner":
                return "OwnerUpdate", f"%%{new or NOBODY}%%{self.number(new or NOBODY)}"
            case "set", field if field.startswith("df."):
                name = field.removeprefix("df.")
                return "TicketDynamicFieldUpdate", f"%%FieldName%%{name}%%Value%%{new}%%OldValue%%{old}"
            case _:
                return "", ""


def text(value: Any) -> str:
    """A scalar as text; "" for None."""
    return "" if value is None else str(value)


def yes(value: Any) -> bool:
    return text(value) not in ("", "0", "False")


def _told_apart(files: Sequence[File]) -> dict[str, File]:
    """By name: the second of one name within an article is numbered."""
    found: dict[str, File] = {}
    for file in files:
        stem, dot, ending = file.name.rpartition(".")
        name, number = file.name, 0
        while name in found:
            number += 1
            name = f"{stem}-{number}{dot}{ending}" if dot else f"{file.name}-{number}"
        found[name] = file
    return found


def _moment(value: Value) -> datetime | None:
    return datetime.fromisoformat(str(value)) if value else None


def shown_number(issue: Issue) -> str:
    """The number that people see."""
    return f"{issue.created_at:%Y%m%d}10{issue.number:05}{issue.number % 10}"
