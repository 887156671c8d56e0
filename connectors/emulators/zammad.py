"""Zammad as its REST API shows it, quirks included. Facts: docs.zammad.org and the controllers of its published source.

What it knows of the search language is what a connector needs to ask: id, group.name, updated_at and one attribute,
joined by AND. The search stands on an index of its own, which lags; rows are read from the tickets as they are now.
"""

import base64
import hashlib
import hmac
import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.api import RemoteField, Value
from connectors.emulators.server import Asked, Emulator, Reply
from connectors.emulators.tracker import AUTOMAT, Clock, Deed, File, Issue, Missing, Note, Rules, Tracker

STATES = ("new", "open", "pending reminder", "pending close", "closed", "merged", "removed")
PRIORITIES = ("1 low", "2 normal", "3 high")
_US, _NOBODY, _CUSTOM = "ggus-sync", "-", "external_id"
_TIMED = ("pending reminder", "pending close")
_TERM = re.compile(r'(?P<name>[a-z_.]+):(?P<op>>=|>)?(?:"(?P<text>[^"]*)"|(?P<word>[^\s"]+))')
_DELETABLE = timedelta(minutes=10)

RULES = Rules(
    fields=(
        RemoteField("title", "text", max_length=250),
        RemoteField("description", "text", writable=False),
        RemoteField("state", "choice", values=STATES),
        RemoteField("priority", "choice", values=PRIORITIES),
        RemoteField("owner", "person"),
        RemoteField("pending_time", "moment"),
        RemoteField(_CUSTOM, "text"),
    ),
    defaults={"state": "new", "priority": "2 normal"},
    needs={"state": dict.fromkeys(_TIMED, ("pending_time",))},
    bound=frozenset({_US}),
    silent_edits=True,
)
"""A group of a Zammad as it comes: no workflow, but a pending state wants its time."""


@dataclass(frozen=True, slots=True)
class Quirks:
    """What can be switched off or turned worse."""

    lag: timedelta = timedelta(0)
    """How long the search does not know of a change."""
    html: bool = True
    """What people write in the browser comes as HTML; what comes by the API stays as it was sent."""
    attribute: bool = True
    """Tickets have the attribute that holds our token; else what is written to it is passed over in silence."""
    names_numbers: bool = False
    """Ids come as texts, as from some proxies and older versions."""


class ZammadEmulator(Emulator):
    """A Zammad with one group. `agents` may own tickets; everybody else is a customer."""

    def __init__(
        self,
        clock: Clock,
        *,
        group: str = "ggus",
        agents: Sequence[str] = (),
        rules: Rules = RULES,
        quirks: Quirks | None = None,
        port: int = 0,
    ) -> None:
        super().__init__(Tracker(clock, rules, name="zammad", step=timedelta(milliseconds=1)), port=port)
        self.group = group
        self.token = "emulated-token"  # noqa: S105 (opens an emulator on loopback and nothing else)
        self.quirks = quirks or Quirks()
        self.agents = {_US, *agents}
        self._users = {_NOBODY: 1, _US: 3}

    def account(self, asked: Asked) -> str:
        return _US if asked.headers.get("authorization") == f"Token token={self.token}" else ""

    def kind(self, asked: Asked) -> str:
        path = asked.path.removeprefix("/api/v1")
        if asked.method == "GET":
            kinds = {
                r"/tickets(/search)?": "find" if _CUSTOM in asked.word("query") else "list",
                r"/tickets/\d+": "read",
                r"/ticket_articles/by_ticket/\d+": "texts",
                r"/ticket_history/\d+": "history",
                r"/ticket_attachment/.*": "file",
            }
            return next((kind for pattern, kind in kinds.items() if re.fullmatch(pattern, path)), "schema")
        if path.startswith("/ticket_articles"):
            return "comment" if asked.method == "POST" else "amend"
        return "create" if asked.method == "POST" else "update"

    def hint(self, deed: Deed) -> Mapping[str, Any]:
        number = int(deed.key)
        shown = {"id": number, "number": self._number(number), "updated_at": _iso(deed.at)}
        return {"ticket": {**shown, "updated_by": self._user(deed.who)}, "article": {"id": deed.id}}

    def signed(self, secret: str, body: bytes) -> Mapping[str, str]:
        return {"X-Hub-Signature": f"sha1={hmac.new(secret.encode(), body, hashlib.sha1).hexdigest()}"}

    def answer(self, asked: Asked) -> Reply:
        if not asked.who:
            return _error(401, "Authentication required")
        try:
            return self._routed(asked)
        except Missing as missing:
            return _error(404, f"Couldn't find {missing}")
        except _Forbidden:
            return _error(403, "Not authorized")
        except _Unprocessable as problem:
            return _error(422, str(problem))

    def _routed(self, asked: Asked) -> Reply:
        match asked.method, asked.path.removeprefix("/api/v1/").split("/"):
            case "GET", ["users", name]:
                return Reply(200, self._user(self._login(name, asked.who)))
            case "GET", ["groups"]:
                return Reply(200, [{"id": 7, "name": self.group, "active": True}])
            case "GET", ["ticket_states"]:
                return Reply(200, _words(STATES))
            case "GET", ["ticket_priorities"]:
                return Reply(200, _words(PRIORITIES))
            case "GET", ["tickets", "search"]:
                return self._search(asked)
            case "POST", ["tickets"]:
                return self._create(asked)
            case "GET", ["tickets", key]:
                with self.tracker.lock:
                    return Reply(200, self._shown(self._issue(key)))
            case "PUT", ["tickets", key]:
                return self._update(asked, key)
            case "GET", ["ticket_articles", "by_ticket", key]:
                with self.tracker.lock:
                    return Reply(200, self._articles(self._issue(key)))
            case "POST", ["ticket_articles"]:
                return self._comment(asked)
            case "PUT", ["ticket_articles", number]:
                return self._toggle(asked, number)
            case "DELETE", ["ticket_articles", number]:
                return self._unsay(asked, number)
            case "GET", ["ticket_history", key]:
                with self.tracker.lock:
                    return Reply(200, self._history(self._issue(key)))
            case "GET", ["ticket_attachment", key, article, number]:
                return self._file(key, article, number)
            case _:
                return _error(404, "No route matches")

    # -- people ----------------------------------------------------------------------------------------------------

    def _id(self, who: Value) -> int:
        login = _NOBODY if who in (None, AUTOMAT) else str(who)
        return self._users.setdefault(login, len(self._users) + 2)

    def _login(self, name: str, us: str) -> str:
        if name == "me":
            return us
        found = next((login for login, number in self._users.items() if str(number) == name), None)
        if found is None:
            raise Missing(f"User with 'id'={name}")
        return found

    def _user(self, who: str) -> dict[str, Any]:
        number = self._id(who)
        login = next(each for each, other in self._users.items() if other == number)
        mail = "" if login == _NOBODY else f"{login}@zammad.example.org"
        return {"id": number, "login": login, "firstname": login.title(), "lastname": "", "email": mail}

    # -- tickets ---------------------------------------------------------------------------------------------------

    def _issue(self, key: str) -> Issue:
        issue = self.tracker.issues.get(key)
        if issue is None or issue.hidden == "delete":
            raise Missing(f"Ticket with 'id'={key}")
        if issue.hidden == "move":
            raise _Forbidden
        return issue  # one that was merged is still shown

    @staticmethod
    def _number(number: int) -> str:
        return f"{71000 + number}"

    def _shown(self, issue: Issue) -> dict[str, Any]:
        """A ticket with `expand=true`: ids, and the names they stand for."""
        fields = issue.fields
        owner, author = fields.get("owner") or _NOBODY, self._user(issue.author)
        state = "merged" if issue.hidden == "merge" else fields["state"]
        shown = {
            "id": issue.number,
            "number": self._number(issue.number),
            "title": fields.get("title") or "",
            **_named("group", 7, self.group),
            **_named("state", STATES.index(str(state)) + 1, state),
            **_named("priority", PRIORITIES.index(str(fields["priority"])) + 1, fields["priority"]),
            **_named("owner", self._id(owner), owner),
            **_named("customer", author["id"], author["login"]),
            **_named("created_by", author["id"], author["login"]),
            "note": None,
            "pending_time": fields.get("pending_time"),
            "article_count": len(issue.notes) + 1,
            "article_ids": [self._opening(issue), *(int(note.id) for note in issue.notes)],
            "preferences": {},
            "created_at": _iso(issue.created_at),
            "updated_at": _iso(issue.changed_at),
        }
        if self.quirks.attribute:
            shown[_CUSTOM] = fields.get(_CUSTOM) or ""
        if self.quirks.names_numbers:
            shown |= {name: str(value) for name, value in shown.items() if name == "id" or name.endswith("_id")}
        return shown

    def _search(self, asked: Asked) -> Reply:
        terms = [found.groupdict() for found in _TERM.finditer(asked.word("query"))]
        with self.tracker.lock:
            horizon = self.tracker.now() - self.quirks.lag
            indexed = [(each, at) for each in self.tracker.issues.values() if (at := _indexed(each, horizon))]
            found = [
                (each, at)
                for each, at in indexed
                if each.hidden in ("", "merge") and all(self._meets(each, at, term) for term in terms)
            ]
            if asked.word("sort_by") == "updated_at":
                found.sort(key=lambda each: each[1])
            if asked.word("order_by") == "desc":
                found.reverse()
            size = max(1, min(int(asked.word("per_page") or asked.word("limit", "50")), 200))
            start = size * (int(asked.word("page", "1")) - 1)
            rows = [self._shown(each) for each, _ in found[start : start + size]]
        if asked.word("expand") == "true":
            return Reply(200, rows)
        assets = {"Ticket": {str(each["id"]): each for each in rows}}
        return Reply(200, {"tickets": [each["id"] for each in rows], "tickets_count": len(rows), "assets": assets})

    def _meets(self, issue: Issue, at: datetime, term: Mapping[str, str | None]) -> bool:
        said = term["text"] or term["word"] or ""
        match term["name"]:
            case "id":
                return issue.number > int(said) if term["op"] == ">" else str(issue.number) == said
            case "group.name":
                return said == self.group
            case "updated_at":
                return at >= datetime.fromisoformat(said)
            case name if name == _CUSTOM and self.quirks.attribute:
                return issue.fields.get(_CUSTOM) == said
            case _:
                return False  # a field that the index does not know finds nothing, without a word

    def _create(self, asked: Asked) -> Reply:
        body = asked.json()
        if body.get("group") != self.group:
            raise _Unprocessable(f"No lookup value found for 'group': {body.get('group')!r}")
        if not body.get("title"):
            raise _Unprocessable("Title can't be blank")
        if not (body.get("customer") or body.get("customer_id")):
            raise _Unprocessable("Customer must exist")
        article = body.get("article")
        if article is not None and not article.get("body"):
            raise _Unprocessable('Need at least article: { body: "some text" }')
        fields = self._said(body)
        if article is not None:
            fields["description"] = article["body"]
        key, refused = self.tracker.open(asked.who, fields)
        if refused:
            raise _Unprocessable("; ".join(refused.values()))
        with self.tracker.lock:
            return Reply(201, self._shown(self._issue(key)))

    def _update(self, asked: Asked, key: str) -> Reply:
        """All of it or nothing. There is no precondition: the last one wins."""
        with self.tracker.lock:
            issue = self._issue(key)
            patch = self._said(asked.json())
            stands = issue.fields
            for name, value in patch.items():
                if problem := self.tracker.objection(asked.who, name, stands.get(name), value):
                    raise _Unprocessable(problem)
                if stands.get(name) != value and self.tracker.missing(asked.who, name, value, stands, patch):
                    raise _Unprocessable("Missing required value for field 'pending_time'!")
            self.tracker.edit(asked.who, key, patch)
            return Reply(200, self._shown(issue))

    def _said(self, body: Mapping[str, Any]) -> dict[str, Value]:
        """The fields of a body. What Zammad does not know it passes over in silence."""
        fields: dict[str, Value] = {name: body[name] for name in ("title", "pending_time") if name in body}
        for name, words in (("state", STATES), ("priority", PRIORITIES)):
            if name in body and body[name] not in words:
                raise _Unprocessable(f"No lookup value found for '{name}': {body[name]!r}")
            if name in body:
                fields[name] = body[name]
        if "owner" in body:
            owner = body["owner"] or _NOBODY
            if owner not in self._users and owner not in self.agents:
                raise _Unprocessable(f"No lookup value found for 'owner': {owner!r}")
            fields["owner"] = owner if owner in self.agents else None  # who is no agent owns nothing, without a word
        if _CUSTOM in body and self.quirks.attribute:
            fields[_CUSTOM] = body[_CUSTOM] or None
        return fields

    # -- what was said ---------------------------------------------------------------------------------------------

    @staticmethod
    def _opening(issue: Issue) -> int:
        return next((deed.id for deed in issue.deeds if deed.kind == "open"), 0)

    def _articles(self, issue: Issue) -> list[dict[str, Any]]:
        """The first is what the ticket was opened with."""
        text = str(issue.fields.get("description") or "")
        first = Note(str(self._opening(issue)), issue.author, issue.created_at, text, False, list(issue.files))
        return [self._article(issue, each) for each in (first, *issue.notes)]

    def _article(self, issue: Issue, note: Note) -> dict[str, Any]:
        author, agent = self._user(note.author), note.author in self.agents
        rich = self.quirks.html and note.author != _US
        return {
            "id": int(note.id),
            "ticket_id": issue.number,
            "type": "note" if agent else "web",
            "sender": "Agent" if agent else "Customer",
            "from": f"{author['firstname']} <{author['email']}>",
            "subject": None,
            "content_type": "text/html" if rich else "text/plain",
            "body": html.escape(note.text, quote=False).replace("\n", "<br>") if rich else note.text,
            "internal": note.internal,
            **_named("created_by", author["id"], author["login"]),
            "created_at": _iso(note.at),
            "updated_at": _iso(note.at),
            "attachments": [_attachment(each) for each in note.files],
        }

    def _comment(self, asked: Asked) -> Reply:
        body = asked.json()
        files = [_sent(number, each) for number, each in enumerate(body.get("attachments") or ())]
        if not body.get("body"):
            raise _Unprocessable("Body can't be blank")
        with self.tracker.lock:
            issue = self._issue(str(body.get("ticket_id")))
            hidden = bool(body.get("internal"))
            note = self.tracker.comment(asked.who, issue.key, body["body"], internal=hidden, files=files)
            return Reply(201, self._article(issue, note))

    def _noted(self, number: str) -> tuple[Issue, Note]:
        for issue in self.tracker.issues.values():
            for note in issue.notes:
                if note.id == number and not issue.hidden:
                    return issue, note
        raise Missing(f"Ticket::Article with 'id'={number}")

    def _toggle(self, asked: Asked, number: str) -> Reply:
        """An article's text is for ever; only whether it is internal can be changed."""
        with self.tracker.lock:
            issue, note = self._noted(number)
            if "internal" in asked.json():
                self.tracker.hide(asked.who, issue.key, number, internal=bool(asked.json()["internal"]))
            return Reply(200, self._article(issue, note))

    def _unsay(self, asked: Asked, number: str) -> Reply:
        with self.tracker.lock:
            issue, note = self._noted(number)
            if note.author != asked.who:
                return _error(403, "you can only delete your own notes")
            if self.tracker.now() - note.at > _DELETABLE:
                return _error(403, "note is too old to be deleted")
            self.tracker.unsay(asked.who, issue.key, number)
        return Reply(200, {})

    def _history(self, issue: Issue) -> dict[str, Any]:
        rows = [self._change(issue, deed) for deed in issue.deeds if deed.kind in ("open", "set", "comment")]
        users = {str(self._id(deed.who)): self._user(deed.who) for deed in issue.deeds}
        return {"history": rows, "assets": {"User": users}}

    def _change(self, issue: Issue, deed: Deed) -> dict[str, Any]:
        row = {"id": deed.id, "o_id": issue.number, "created_by_id": self._id(deed.who), "created_at": _iso(deed.at)}
        if deed.kind != "set":
            kind = "Ticket::Article" if deed.kind == "comment" else "Ticket"
            return {**row, "object": kind, "type": "created"}
        old, new = deed.old, deed.new
        row |= {"object": "Ticket", "type": "updated", "attribute": deed.field}
        if deed.field == "owner":  # by full name; the ids tell who it was
            row |= {"id_from": self._id(old), "id_to": self._id(new)}
            old, new = self._user(str(old or _NOBODY))["firstname"], self._user(str(new or _NOBODY))["firstname"]
        return {**row, "value_from": old or "", "value_to": new or ""}

    def _file(self, key: str, article: str, number: str) -> Reply:
        with self.tracker.lock:
            issue = self._issue(key)
            found = [each for each in self._articles(issue) if str(each["id"]) == article]
            mine = found[0]["attachments"] if found else []
            if number not in {str(each["id"]) for each in mine}:
                raise _Forbidden
            file = self.tracker.file(number)
        return Reply(200, file.content, {"Content-Type": file.media_type})


class _Forbidden(Exception):
    """The account may not see or do it."""


class _Unprocessable(Exception):
    """What is wrong with what was sent, in Zammad's words."""


def _indexed(issue: Issue, horizon: datetime) -> datetime | None:
    """When the ticket last changed, as far as the index knows; None: it does not know it yet."""
    if issue.changed_at <= horizon:
        return issue.changed_at
    return max((deed.at for deed in issue.deeds if deed.at <= horizon), default=None)


def _sent(number: int, said: Mapping[str, Any]) -> tuple[str, str, bytes]:
    for name in ("mime-type", "filename", "data"):
        if said.get(name) is None:
            raise _Unprocessable(f"Attachment needs '{name}' param for attachment with index '{number}'")
    return said["filename"], said["mime-type"], base64.b64decode(said["data"])


def _attachment(file: File) -> dict[str, Any]:
    kinds = {"Content-Type": file.media_type, "Mime-Type": file.media_type}
    return {"id": int(file.id), "filename": file.name, "size": str(len(file.content)), "preferences": kinds}


def _named(name: str, number: Any, word: Value) -> dict[str, Any]:
    return {f"{name}_id": number, name: word}


def _words(words: Sequence[str]) -> list[dict[str, Any]]:
    return [{"id": number, "name": word, "active": word != "removed"} for number, word in enumerate(words, start=1)]


def _error(status: int, said: str) -> Reply:
    return Reply(status, {"error": said, "error_human": said})


def _iso(when: datetime) -> str:
    return when.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
