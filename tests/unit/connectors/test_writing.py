"""Small invented products: each wants one thing said in another way, and is told it."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.parser import BytesParser
from typing import Any
from urllib.parse import parse_qs

import pytest

from connectors.api import CommentDraft, RemoteTicket
from connectors.emulators.server import Asked, Fault, Reply
from connectors.environment import Environment
from connectors.errors import NotFound, Refused, Transient, Unknown, VersionConflict
from connectors.profiled.connector import ProfiledConnector
from connectors.profiled.profile import Profile
from connectors.registry import open_profile
from connectors.testing import draft
from tests.unit.connectors.conftest import Scripted

BASE: dict[str, Any] = {
    "kind": "profile",
    "name": "invented",
    "product": "Invented",
    "family": "rest",
    "settings": {"url": {"kind": "url", "says": "where it is"}},
    "root": "{url}",
    "credentials": {},
    "errors": {"words": "error"},
    "capabilities": {
        "version": "strong",
        "row_version": "strong",
        "files": True,
        "internal_comments": True,
        "whole_conversation": True,
    },
    "notifies": {},
    "account": {"key": "interdesk"},
    "people": {"key": ""},
    "place": {"path": "/me"},
    "ticket": {
        "read": {"path": "/tickets/{key}"},
        "version": {"at": "version"},
        "changed_at": "changed",
        "created_by": "by",
        "address": "{url}/show/{key}",
    },
    "fields": {
        "title": {"at": "title", "write": "title"},
        "text": {"at": "text", "write": "text"},
        "status": {"kind": "choice", "at": "status", "write": "status"},
        "tags": {"kind": "set", "at": "tags", "write": "tags", "empty_value": []},
    },
    "token": {"write": "mark", "at": "mark"},
    "listing": {"path": "/tickets", "rows": "", "shows": ["title"], "per_page": 100},
    "create": {"path": "/tickets", "answers": "ticket"},
    "update": {"path": "/tickets/{key}"},
    "comment": {"path": "/tickets/{key}/comments", "body": {"text": "{text}", "internal": "{internal}"}, "id_at": "id"},
    "conversation": {
        "comments": {"rows": "comments", "author": "by", "at": "at", "text": "text", "internal": "internal"},
        "files": {"rows": "files", "name": "name", "media_type": "type", "size": "size", "author": "by", "at": "at"},
    },
    "download": {"path": "/files/{id}"},
}
URL = BASE["settings"]
ROW = {"{field}": "{value}"}
TOKEN = "7Q-TOKEN"

Handler = Callable[[Asked], Any]


class Desk:
    """One invented product: what it holds, what was said to it, and what it does otherwise than the plainest."""

    def __init__(self, server: Scripted, environment: Environment) -> None:
        self.server, self.environment = server, environment
        self.tickets: dict[str, dict[str, Any]] = {}
        self.said: list[Asked] = []
        """What was written, in order."""
        self.reads: list[str] = []
        self.etag: str | None = None
        self.handlers: dict[tuple[str, str], Handler] = {}
        server.reply = self._reply

    def holds(self, **parts: Any) -> dict[str, Any]:
        """A ticket of this desk; the first has the key 1."""
        number = len(self.tickets) + 1
        row = {"id": number, "version": 1, "changed": "2026-03-01T10:00:00Z", "by": "alice"}
        self.tickets[str(number)] = {**row, "title": "jobs fail", "comments": [], "files": [], **parts}
        return self.tickets[str(number)]

    def on(self, method: str, pattern: str) -> Callable[[Handler], Handler]:
        """Answer requests like these so: with data, with a reply, or with None for an empty 200."""

        def register(handler: Handler) -> Handler:
            self.handlers[method, pattern] = handler
            return handler

        return register

    def speaks(self, **parts: Any) -> ProfiledConnector:
        """The connector of this dialect: the plainest, save in these parts."""
        whole = {name: {**BASE[name], **more} if name in MERGED else more for name, more in parts.items()}
        profile = Profile.model_validate({**BASE, **whole})
        opened = open_profile(profile, {"url": self.server.url}, system="s", environment=self.environment)
        assert isinstance(opened, ProfiledConnector)
        return opened

    def _reply(self, asked: Asked) -> Reply:
        if asked.method == "GET":
            self.reads.append(asked.path)
        else:
            self.said.append(asked)
        for (method, pattern), handler in self.handlers.items():
            if method == asked.method and re.fullmatch(pattern, asked.path):
                found = handler(asked)
                return found if isinstance(found, Reply) else Reply(200, found)
        return self._plain(asked)

    def _plain(self, asked: Asked) -> Reply:
        match asked.method, asked.path.strip("/").split("/"):
            case "GET", ["me"]:
                return Reply(200, {})
            case "GET", ["tickets"]:
                return Reply(200, list(self.tickets.values()))
            case "GET", ["tickets", key] if key in self.tickets:
                headers = {"ETag": self.etag} if self.etag else {}
                return Reply(200, self.tickets[key], headers)
            case "POST", ["tickets"]:
                made = self.holds(
                    **{"by": "interdesk", "changed": "2026-03-01T12:00:00Z", "title": None, **asked.json()}
                )
                return Reply(201, made, {"Location": f"/tickets/{made['id']}"})
            case "PUT" | "PATCH", ["tickets", key] if key in self.tickets:
                self.tickets[key].update(asked.json())
                return Reply(200, None)
            case "POST", ["tickets", key, "comments"] if key in self.tickets:
                return Reply(201, {"id": self.hears(key, **asked.json())})
            case _:
                return Reply(404, {"error": "there is no such thing"})

    def hears(self, key: str, *, by: str = "interdesk", at: str = "2026-03-01T11:00:00Z", **row: Any) -> int:
        """A comment; its id."""
        comments = self.tickets[key]["comments"]
        comments.append({"id": len(comments) + 1, "by": by, "at": at, "text": "", "internal": False, **row})
        return len(comments)


MERGED = ("create", "update", "comment", "ticket", "fields", "listing", "capabilities", "conversation")


@pytest.fixture
def desk(server: Scripted, here: Environment) -> Desk:
    return Desk(server, here)


def form(asked: Asked) -> dict[str, list[str]]:
    return parse_qs(asked.body.decode(), keep_blank_values=True)


def parts_of(asked: Asked) -> list[tuple[str, str | None, str, bytes]]:
    """Name, file name, media type and bytes of each part of a form."""
    head = f"Content-Type: {asked.headers['content-type']}\r\n\r\n".encode()
    found = []
    for part in BytesParser().parsebytes(head + asked.body).get_payload():
        name = str(part.get_param("name", header="content-disposition"))
        found.append((name, part.get_filename(), part.get_content_type(), part.get_payload(decode=True)))
    return found


def held(connector: ProfiledConnector, key: str = "1") -> RemoteTicket:
    return connector.fetch(key)


# -- bodies ------------------------------------------------------------------------------------------------------------


def test_a_form_names_what_is_nested(desk: Desk) -> None:
    ticket = desk.holds()
    connector = desk.speaks(update={"method": "POST", "format": "form", "at": "issue", "body": {"notify": False}})

    @desk.on("POST", "/tickets/1")
    def written(asked: Asked) -> None:
        ticket["title"] = form(asked)["issue[title]"][0]

    connector.update("1", {"title": "Grüße & more", "tags": ("a", "b")}, held=None)
    assert form(desk.said[0]) == {"issue[title]": ["Grüße & more"], "issue[tags][]": ["a", "b"], "notify": ["false"]}
    assert desk.said[0].headers["content-type"] == "application/x-www-form-urlencoded"


def test_a_multipart_form_bears_each_field_as_a_part(desk: Desk) -> None:
    desk.holds(title="new")
    desk.on("PUT", "/tickets/1")(lambda _: None)
    desk.speaks(update={"format": "multipart"}).update("1", {"title": 'a "quoted"\r\nline'}, held=None)
    assert parts_of(desk.said[0]) == [("title", None, "text/plain", b'a "quoted"\r\nline')]


def test_xml_is_made_of_data_and_read_as_data(desk: Desk) -> None:
    connector = desk.speaks(
        lists="loose",
        update={
            "format": "xml",
            "element": "issue",
            "body": {
                "@kind": "edit",
                "custom.@type": "array",
                "custom.field.0.@id": 7,
                "custom.field.0.#text": "seven",
            },
        },
    )

    @desk.on("GET", "/tickets/1")
    def shown(_: Asked) -> Reply:
        xml = (
            "<ticket><id>1</id><version>4</version><changed>2026-03-01T10:00:00Z</changed>"
            "<by>alice</by><title>jobs &amp; more</title><comments/></ticket>"
        )
        return Reply(200, xml.encode(), {"Content-Type": "application/xml"})

    desk.on("PUT", "/tickets/1")(lambda _: None)
    assert connector.fetch("1").fields["title"] == "jobs & more"
    connector.update("1", {"title": "</title><evil/>\x01", "tags": ("a", "b")}, held=None)
    assert desk.said[0].body.decode() == (
        "<?xml version='1.0' encoding='utf-8'?>\n"
        '<issue kind="edit"><custom type="array"><field id="7">seven</field></custom>'
        "<title>&lt;/title&gt;&lt;evil/&gt;\ufffd</title><tags>a</tags><tags>b</tags></issue>"
    )


def test_lists_of_objects_are_built_by_their_places_and_sets_by_rows(desk: Desk) -> None:
    desk.holds()
    fields = {
        **BASE["fields"],
        "tags": {"kind": "set", "at": "tags", "write": "labels", "wrapped": {"name": "{value}"}},
    }
    connector = desk.speaks(
        settings={**URL, "unit": {"says": "not given", "required": False}},
        fields={**fields, "title": {"at": "title", "write": "changes.0.to"}},
        update={"body": {"changes.0.field": "title", "changes.1": {"field": "seen", "to": ["{key}", "{unit}"]}}},
    )
    connector.update("1", {"title": "new", "tags": ("a", "b")}, held=None)
    assert desk.said[0].json() == {
        "changes": [{"field": "title", "to": "new"}, {"field": "seen", "to": ["1"]}],
        "labels": [{"name": "a"}, {"name": "b"}],
    }


def test_fields_may_go_as_rows_of_name_and_value_our_token_and_companions_too(desk: Desk) -> None:
    desk.holds()
    pair = {"@name": "{field}", "to": "{value}"}
    fields = {**BASE["fields"], "title": {"at": "title", "write": "'System.Title'"}}
    connector = desk.speaks(
        fields=fields,
        create={"at": "changes.change", "row": pair},
        update={"at": "changes.change", "row": ["{field}", "{value}"], "companions": ["title"]},
    )
    for method in ("POST", "PUT"):
        desk.on(method, "/tickets(/1)?")(lambda _: Reply(200, desk.tickets["1"]))
    connector.create({"title": "new", "tags": ("a", "b")}, token=TOKEN)
    assert desk.said[-1].json()["changes"]["change"] == [
        {"@name": "System.Title", "to": "new"},
        {"@name": "tags", "to": ["a", "b"]},
        {"@name": "mark", "to": TOKEN},
    ]
    connector.update("1", {"status": "open"}, held=held(connector))
    assert desk.said[-1].json()["changes"]["change"] == ["status", "open", "System.Title", "jobs fail"]


def test_a_body_may_be_a_list_of_changes(desk: Desk) -> None:
    desk.holds()
    desk.on("PATCH", "/tickets/1")(lambda _: Reply(200, None))
    test = {"op": "test", "path": "/rev", "value": "{version:number}"}
    row = {"op": "add", "path": "/fields/{field}", "value": "{value}"}
    connector = desk.speaks(update={"method": "PATCH", "body": {"": [test]}, "row": row})
    connector.update("1", {"title": "new", "text": None}, held=held(connector))
    assert desk.said[-1].json() == [
        {"op": "test", "path": "/rev", "value": 1},
        {"op": "add", "path": "/fields/title", "value": "new"},
        {"op": "add", "path": "/fields/text", "value": None},
    ]


def test_a_value_may_go_inside_an_object_and_nothing_as_nothing(desk: Desk) -> None:
    desk.holds()
    wrapped = {"data": {"type": "people", "id": "{value}"}}
    connector = desk.speaks(
        fields={**BASE["fields"], "status": {"at": "status", "write": "status", "wrapped": wrapped}}
    )
    connector.update("1", {"status": "open"}, held=None)
    connector.update("1", {"status": None}, held=None)
    assert [each.json()["status"] for each in desk.said] == [{"data": {"type": "people", "id": "open"}}, None]


# -- one request or several --------------------------------------------------------------------------------------------


def test_each_field_may_want_a_request_of_its_own(desk: Desk) -> None:
    ticket = desk.holds()
    connector = desk.speaks(update={"each": True, "path": "/tickets/{key}/{field}", "body": {"value": "{value}"}})

    @desk.on("PUT", "/tickets/1/(title|text)")
    def written(asked: Asked) -> Any:
        if asked.path.endswith("text"):
            return Reply(422, {"error": "text is sealed"})
        ticket["title"] = asked.json()["value"]
        return None

    done = connector.update("1", {"title": "new", "text": "other"}, held=held(connector))
    assert [(each.path, each.json()) for each in desk.said] == [
        ("/tickets/1/title", {"value": "new"}),
        ("/tickets/1/text", {"value": "other"}),
    ]
    assert (done.applied, done.refused) == ({"title"}, {"text": "text is sealed"})


CHECKED_OUT = {
    "path": "/tickets/{key}",
    "headers": {"X-Lock": "{lock}"},
    "first": [{"path": "/tickets/{key}/lock", "keep": {"lock": "lock.id"}}],
    "then": [{"method": "DELETE", "path": "/tickets/{key}/lock/{lock}"}],
}


def test_a_ticket_may_have_to_be_checked_out_and_in_also_where_it_refuses(desk: Desk) -> None:
    desk.holds()
    desk.on("POST", "/tickets/1/lock")(lambda _: {"lock": {"id": 7}})
    desk.on("DELETE", "/tickets/1/lock/7")(lambda _: None)
    connector = desk.speaks(update=CHECKED_OUT)
    assert connector.update("1", {"title": "new"}, held=None).refused == {}
    assert desk.said[1].headers["x-lock"] == "7"
    desk.on("PUT", "/tickets/1")(lambda _: Reply(422, {"error": "it is sealed"}))
    assert connector.update("1", {"title": "newer"}, held=None).refused == {"title": "it is sealed"}
    assert [each.method for each in desk.said] == ["POST", "PUT", "DELETE"] * 2


def test_what_fails_after_an_update_leaves_open_what_became_of_it(desk: Desk) -> None:
    desk.holds()
    desk.on("POST", "/tickets/1/lock")(lambda _: {"lock": {"id": 7}})
    desk.on("DELETE", "/tickets/1/lock/7")(lambda _: Reply(503, {}))
    with pytest.raises(Unknown, match="what comes after it failed"):
        desk.speaks(update=CHECKED_OUT).update("1", {"title": "new"}, held=None)


def test_companions_go_along_with_every_write_as_they_are_held_or_read_first(desk: Desk) -> None:
    desk.holds(title="jobs fail")
    connector = desk.speaks(update={"companions": ["title"]})
    stands = held(connector)
    desk.reads.clear()
    connector.update("1", {"text": "more"}, held=stands)
    assert desk.said[0].json() == {"text": "more", "title": "jobs fail"}
    assert desk.reads == ["/tickets/1"], "read back, and not before"
    connector.update("1", {"text": "again"}, held=None)
    assert desk.said[1].json() == {"text": "again", "title": "jobs fail"}
    connector.update("1", {"title": "its own"}, held=stands)
    assert desk.said[2].json() == {"title": "its own"}


def test_what_must_be_sent_along_as_it_stands_is_read_right_before(desk: Desk) -> None:
    desk.holds(project={"id": 7}, version=3)
    connector = desk.speaks(update={"carry": {"project_id": "project.id", "lock": "version"}})
    connector.update("1", {"title": "new"}, held=None)
    assert desk.said[0].json() == {"title": "new", "project_id": 7, "lock": 3}


# -- locks -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("exact", "expected"), [(True, 'W/"5-abc"'), (False, "5-abc")])
def test_an_etag_goes_back_as_it_came_or_as_the_profile_writes_it(desk: Desk, exact: bool, expected: str) -> None:
    desk.holds()
    desk.etag = 'W/"5-abc"'
    connector = desk.speaks(
        ticket={"version": {"header": "ETag", "exact": exact}}, update={"guard": {"If-Match": "{version}"}}
    )
    connector.update("1", {"title": "new"}, held=held(connector))
    assert desk.said[0].headers["if-match"] == expected


def test_a_version_that_the_answer_to_a_write_does_not_bear_is_read_again(desk: Desk) -> None:
    desk.holds()
    desk.etag = '"5"'
    desk.on("PUT", "/tickets/1")(lambda asked: {**desk.tickets["1"], **asked.json()})
    connector = desk.speaks(ticket={"version": {"header": "ETag"}}, update={"answers": "ticket"})
    assert connector.update("1", {"title": "jobs fail"}, held=held(connector)).after.version == "5"


def test_a_version_may_go_into_the_body_and_a_conflict_is_told_there(desk: Desk) -> None:
    ticket = desk.holds(version=3)
    connector = desk.speaks(update={"body": {"lock_version": "{version:number}"}})

    @desk.on("PUT", "/tickets/1")
    def written(asked: Asked) -> Any:
        if asked.json()["lock_version"] != ticket["version"]:
            return Reply(409, {"error": "stale"})
        ticket.update(title=asked.json()["title"], version=4)
        return None

    stands = held(connector)
    assert connector.update("1", {"title": "new"}, held=stands).after.version == "4"
    with pytest.raises(VersionConflict):
        connector.update("1", {"title": "newer"}, held=stands)
    assert ticket["title"] == "new"


def test_a_version_that_a_request_cannot_go_without_is_read_where_nobody_holds_it(desk: Desk) -> None:
    desk.holds(version=7)
    connector = desk.speaks(
        update={"query": {"rev": "{version}"}, "body": {"": [{"is": "{version:number}"}]}, "row": ROW}
    )
    desk.on("PUT", "/tickets/1")(lambda _: Reply(200, None))
    connector.update("1", {"title": "new"}, held=None)
    assert (desk.said[0].query["rev"], desk.said[0].json()) == (["7"], [{"is": 7}, {"title": "new"}])


def test_where_nothing_guards_the_ticket_is_compared_right_before(desk: Desk) -> None:
    ticket = desk.holds()
    connector = desk.speaks(update={"compare": True})
    stands = held(connector)
    ticket.update(title="a person was here", version=2)
    with pytest.raises(VersionConflict):
        connector.update("1", {"title": "ours"}, held=stands)
    assert desk.said == []
    assert connector.update("1", {"title": "ours"}, held=held(connector)).applied == {"title"}


# -- refusals without a word -------------------------------------------------------------------------------------------


def test_a_word_that_is_swallowed_is_refused_and_what_stood_there_is_put_back(desk: Desk) -> None:
    ticket = desk.holds(status="open")
    connector = desk.speaks(
        fields={
            **BASE["fields"],
            "status": {"kind": "choice", "at": "status", "write": "status", "swallowed": [0, None]},
        }
    )

    @desk.on("PUT", "/tickets/1")
    def written(asked: Asked) -> None:
        said = asked.json()
        ticket.update(said | ({"status": 0} if said.get("status") not in (None, "open", "shut") else {}))

    done = connector.update("1", {"status": "closed", "title": "new"}, held=held(connector))
    assert (done.applied, done.after.fields["status"], ticket["status"]) == ({"title"}, "open", "open")
    assert "does not know 'closed' for status" in done.refused["status"]


def test_what_a_field_cannot_hold_is_refused_before_anything_is_sent(desk: Desk) -> None:
    desk.holds()
    status = {"kind": "choice", "at": "status", "write": "status", "values": ["open", "shut"]}
    title = {"at": "title", "write": "title", "max_length": 5}
    connector = desk.speaks(fields={**BASE["fields"], "status": status, "title": title})
    done = connector.update("1", {"status": "closed", "title": "far too long"}, held=held(connector))
    assert "it has: open, shut" in done.refused["status"]
    assert "5 characters" in done.refused["title"]
    assert desk.said == []


# -- transitions -------------------------------------------------------------------------------------------------------

WAYS = {
    "status": {
        "path": "/tickets/{key}/transitions",
        "body": {"transition.id": "{way}"},
        "at": "fields",
        "fields": ["text", "tags"],
        "ways": {"path": "/tickets/{key}/transitions", "rows": "ways", "to": "to.name", "takes": "form"},
    }
}


def test_a_transition_goes_by_the_id_that_the_ticket_lists_with_the_fields_that_its_form_takes(desk: Desk) -> None:
    ticket = desk.holds(status="open")
    ways = [{"id": 31, "to": {"name": "shut"}, "form": {"text": {}}}, {"id": 41, "to": {"name": "held"}, "form": {}}]
    desk.on("GET", "/tickets/1/transitions")(lambda _: {"ways": ways})
    desk.on("POST", "/tickets/1/transitions")(lambda asked: ticket.update(status="shut", **asked.json()["fields"]))
    connector = desk.speaks(transitions=WAYS)
    done = connector.update("1", {"status": "shut", "text": "solved", "title": "new"}, held=held(connector))
    assert [(each.method, each.json()) for each in desk.said] == [
        ("PUT", {"title": "new"}),
        ("POST", {"transition": {"id": "31"}, "fields": {"text": "solved"}}),
    ]
    assert done.applied == {"status", "text", "title"}


def test_a_status_that_no_transition_leads_to_is_refused_and_the_rest_is_written(desk: Desk) -> None:
    desk.holds(status="open")
    desk.on("GET", "/tickets/1/transitions")(lambda _: {"ways": [{"id": 41, "to": {"name": "held"}}]})
    connector = desk.speaks(transitions=WAYS)
    done = connector.update("1", {"status": "shut", "title": "new"}, held=held(connector))
    assert done.applied == {"title"}
    assert done.refused["status"] == "Invented does not let status become 'shut' now; it allows: held"


def test_a_field_that_goes_with_a_transition_goes_alone_where_none_happens(desk: Desk) -> None:
    desk.holds(status="shut")
    connector = desk.speaks(transitions=WAYS)
    done = connector.update("1", {"status": "shut", "text": "more"}, held=held(connector))
    assert [each.json() for each in desk.said] == [{"text": "more"}]
    assert done.refused == {}


def test_a_value_may_have_a_request_of_its_own(desk: Desk) -> None:
    ticket = desk.holds(status="open")
    desk.on("POST", "/tickets/1/close")(lambda _: ticket.update(status="shut"))
    desk.on("POST", "/tickets/1/state/held")(lambda _: ticket.update(status="held"))
    connector = desk.speaks(
        transitions={
            "status": {"path": "/tickets/{key}/state/{to}", "to": {"shut": {"path": "/tickets/{key}/close"}}},
        }
    )
    assert connector.update("1", {"status": "shut"}, held=held(connector)).applied == {"status"}
    assert connector.update("1", {"status": "held"}, held=held(connector)).applied == {"status"}


def test_between_two_guarded_requests_the_version_is_read_anew(desk: Desk) -> None:
    ticket = desk.holds(status="open")
    guard = {"If-Match": "{version}"}

    @desk.on("PUT", "/tickets/1")
    def written(asked: Asked) -> Any:
        if asked.headers["if-match"] != str(ticket["version"]):
            return Reply(412, {"error": "moved"})
        ticket.update(asked.json(), version=ticket["version"] + 1)
        return None

    desk.on("POST", "/tickets/1/state")(written)
    connector = desk.speaks(
        update={"guard": guard},
        transitions={"status": {"path": "/tickets/{key}/state", "body": {"status": "{to}"}, "guard": guard}},
    )
    done = connector.update("1", {"title": "new", "status": "shut"}, held=held(connector))
    assert (done.refused, done.after.version) == ({}, "3")


# -- creating ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "create",
    [
        {"answers": "key", "key": ["number", "id"]},
        {"answers": "key", "key_header": "Location"},
        {"answers": "key", "key_header": "Location", "key_pattern": r"/(\d+)$"},
        {"answers": "nothing"},
    ],
)
def test_a_new_key_is_in_the_body_in_a_header_or_found_by_the_token(desk: Desk, create: Mapping[str, Any]) -> None:
    connector = desk.speaks(create=create)
    made = connector.create({"title": "new"}, token=TOKEN)
    assert (made.key, made.fields["title"], made.token) == ("1", "new", TOKEN)


def test_fields_that_a_create_does_not_take_are_written_right_after_it(desk: Desk) -> None:
    connector = desk.speaks(create={"apart": ["status"]})
    made = connector.create({"title": "new", "status": "open"}, token=TOKEN)
    assert [(each.method, each.json()) for each in desk.said] == [
        ("POST", {"title": "new", "mark": TOKEN}),
        ("PUT", {"status": "open"}),
    ]
    assert made.fields["status"] == "open"


def test_what_fails_after_a_create_tells_the_key_of_what_was_made(desk: Desk) -> None:
    connector = desk.speaks(create={"then": [{"path": "/tickets/{key}/publish"}]})
    desk.on("POST", "/tickets/1/publish")(lambda _: Reply(500, {}))
    with pytest.raises(Unknown) as lost:
        connector.create({"title": "new"}, token=TOKEN)
    assert lost.value.key == "1"


STEPS = {
    "first": [
        {
            "path": "/messages",
            "body": {"text": "{text}"},
            "keep": {"message": "message.id"},
            "again": {
                "path": "/messages",
                "query": {"q": "{token}"},
                "rows": "",
                "token_at": "text",
                "keep": {"message": "id"},
            },
        }
    ],
    "path": "/tickets/{key}/links",
    "body": {"message": "{message:number}"},
    "id_at": (),
}


def test_a_message_is_made_and_then_linked_and_one_that_was_left_over_is_used_again(desk: Desk) -> None:
    desk.holds()
    messages: list[dict[str, Any]] = []

    @desk.on("POST", "/messages")
    def made(asked: Asked) -> Any:
        messages.append({"id": len(messages) + 40, "text": asked.json()["text"]})
        return {"message": {"id": messages[-1]["id"]}}

    desk.on("GET", "/messages")(lambda _: messages)
    fails = [True]

    @desk.on("POST", "/tickets/1/links")
    def linked(asked: Asked) -> Any:
        if fails.pop() if fails else False:
            return Reply(503, {})
        found = next(each for each in messages if each["id"] == asked.json()["message"])
        desk.hears("1", text=found["text"])
        return None

    connector = desk.speaks(comment=STEPS)
    with pytest.raises(Transient):
        connector.comment("1", CommentDraft("hello"), token=TOKEN)
    assert connector.comment("1", CommentDraft("hello"), token=TOKEN).comment.text == "hello"
    assert [each.path for each in desk.said] == ["/messages", "/tickets/1/links", "/tickets/1/links"]
    assert len(messages) == 1


def test_a_step_whose_answer_is_lost_is_tried_again_since_nothing_refers_to_it(desk: Desk) -> None:
    desk.holds()
    desk.on("GET", "/messages")(lambda _: [])
    desk.on("POST", "/messages")(lambda _: {"message": {"id": 40}})
    desk.server.fault = lambda asked: Fault("lose") if asked.path == "/messages" and asked.method == "POST" else None
    with pytest.raises(Transient) as lost:
        desk.speaks(comment=STEPS).comment("1", CommentDraft("hello"), token=TOKEN)
    assert not isinstance(lost.value, Unknown)


def test_a_header_may_tell_the_word_that_the_next_request_needs(desk: Desk) -> None:
    desk.on("POST", "/drafts")(lambda _: Reply(201, None, {"Location": "/drafts/77"}))
    keep = {"draft": {"header": "Location", "pattern": r"(\d+)$"}}
    connector = desk.speaks(create={"first": [{"path": "/drafts", "keep": keep}], "body": {"draft": "{draft:number}"}})
    connector.create({"title": "new"}, token=TOKEN)
    assert desk.said[-1].json()["draft"] == 77


# -- comments ----------------------------------------------------------------------------------------------------------


def test_a_comment_bears_what_must_be_sent_along(desk: Desk) -> None:
    desk.holds(title="jobs fail", project={"id": 7})
    connector = desk.speaks(comment={"companions": ["title"], "carry": {"project": "project.id"}})
    desk.on("POST", "/tickets/1/comments")(lambda _: {"id": 9})
    assert connector.comment("1", CommentDraft("hello"), token=TOKEN).comment.id == "9"
    said = desk.said[0].json()
    assert (said["title"], said["project"]) == ("jobs fail", 7)


def test_an_answer_that_names_no_comment_leaves_open_whether_it_was_written(desk: Desk) -> None:
    desk.holds()
    desk.on("POST", "/tickets/1/comments")(lambda _: {})
    with pytest.raises(Unknown):
        desk.speaks().comment("1", CommentDraft("hello"), token=TOKEN)


CAN_CHANGE = {"edit_comments": True, "delete_comments": True}
CHANGES = {
    "edit": {"path": "/tickets/{key}/comments/{comment}", "body": {"text": "{text}"}, "looks": True},
    "hide": {"method": "POST", "path": "/tickets/{key}/comments/{comment}/hide"},
    "show": {"method": "POST", "path": "/tickets/{key}/comments/{comment}/show"},
    "delete": {"method": "DELETE", "path": "/tickets/{key}/comments/{comment}", "looks": True},
}


def test_a_comment_is_edited_hidden_and_shown_by_requests_of_their_own(desk: Desk) -> None:
    desk.holds()
    number = str(desk.hears("1", text="hello"))
    for path in ("", "/hide", "/show"):
        desk.on("PUT" if not path else "POST", f"/tickets/1/comments/1{path}")(lambda _: None)
    connector = desk.speaks(comment=CHANGES, capabilities=CAN_CHANGE)
    connector.edit_comment("1", number, CommentDraft("better"), token=TOKEN)
    connector.edit_comment("1", number, CommentDraft("better", internal=True), token=TOKEN)
    assert [each.path.removeprefix("/tickets/1/comments/1") for each in desk.said] == ["", "/show", "", "/hide"]
    assert desk.said[0].json()["text"] == f"better\n\n[interdesk {TOKEN}]"


def test_a_comment_of_others_is_left_alone_where_the_product_would_let_us(desk: Desk) -> None:
    desk.holds()
    number = str(desk.hears("1", by="alice", text="hers"))
    connector = desk.speaks(comment=CHANGES, capabilities=CAN_CHANGE)
    with pytest.raises(Refused, match="alice wrote it"):
        connector.edit_comment("1", number, CommentDraft("ours"), token=TOKEN)
    with pytest.raises(Refused, match="alice wrote it"):
        connector.delete_comment("1", number)
    with pytest.raises(NotFound):
        connector.edit_comment("1", "99", CommentDraft("ours"), token=TOKEN)
    connector.delete_comment("1", "99")
    assert desk.said == []


# -- files -------------------------------------------------------------------------------------------------------------


def test_a_file_is_uploaded_as_a_part_of_a_form_and_claimed_by_the_comment(desk: Desk) -> None:
    desk.holds()
    desk.on("POST", "/uploads")(lambda _: {"id": "u-1"})
    uploaded = {
        "path": "/uploads",
        "part": "file",
        "body": {"kind": "ticket"},
        "claim": "id",
        "at": "uploads",
        "key": "id",
        "name": "name",
        "media_type": "type",
    }
    file = draft('a "b" ü.log', b"\x00\xff\r\n--", "text/x-log")
    desk.speaks(comment={"uploaded": uploaded}).comment("1", CommentDraft("see", files=(file,)), token=TOKEN)
    assert parts_of(desk.said[0])[0] == ("kind", None, "text/plain", b"ticket")
    name, shown, media_type, content = parts_of(desk.said[0])[1]
    assert (name, media_type, content) == ("file", "text/x-log", b"\x00\xff\r\n--")
    assert shown is not None
    assert "%22b%22" in shown
    assert desk.said[1].json()["uploads"] == [{"id": "u-1", "name": 'a "b" ü.log', "type": "text/x-log"}]


@pytest.mark.parametrize(
    ("shape", "listed"),
    [({}, [5, 6]), ({"key": "id"}, [{"id": 5}, {"id": 6}]), ({"key": "id", "name": "as"}, [{"id": 5, "as": "a"}])],
)
def test_what_was_uploaded_is_listed_alone_or_with_what_is_said_beside_it(desk: Desk, shape: Any, listed: Any) -> None:
    desk.holds()
    numbers = iter((5, 6))
    desk.on("POST", "/uploads")(lambda _: {"id": next(numbers)})
    uploaded = {"path": "/uploads", "claim": "id", "at": "upload_ids", **shape}
    files = tuple(draft(name, b"x") for name in "ab"[: len(listed)])
    desk.speaks(comment={"uploaded": uploaded}).comment("1", CommentDraft("see", files=files), token=TOKEN)
    assert desk.said[-1].json()["upload_ids"] == listed


def test_a_comment_may_be_a_form_with_its_files_as_parts(desk: Desk) -> None:
    desk.holds()
    desk.on("POST", "/tickets/1/comments")(lambda _: {"id": 5})
    connector = desk.speaks(comment={"parts": {"part": "file_{number}"}})
    files = (draft("a.txt", b"one"), draft("b.txt", b"two"))
    connector.comment("1", CommentDraft("see", files=files), token=TOKEN)
    assert [(name, content) for name, _, _, content in parts_of(desk.said[0])] == [
        ("text", f"see\n\n[interdesk {TOKEN}]".encode()),
        ("internal", b"false"),
        ("file_1", b"one"),
        ("file_2", b"two"),
    ]


ATTACHED = {
    "path": "/tickets/{key}/files",
    "query": {"name": "{name}"},
    "headers": {"Content-Type": "{media_type}"},
}


def test_files_that_hang_on_the_ticket_belong_to_the_comment_that_their_mark_names(desk: Desk) -> None:
    ticket = desk.holds()

    @desk.on("POST", "/tickets/1/files")
    def attached(asked: Asked) -> Any:
        row = {"id": len(ticket["files"]) + 1, "name": asked.word("name"), "type": asked.headers["content-type"]}
        ticket["files"].append({**row, "size": len(asked.body), "by": "interdesk", "at": "2026-03-01T11:00:00Z"})
        return None

    connector = desk.speaks(comment={"attached": ATTACHED})
    files = (draft("log.txt", b"one", "text/plain"), draft("log.txt", b"two", "text/plain"), draft("README", b"3"))
    desk.server.fault = lambda asked: Fault("refuse", status=503) if asked.path.endswith("comments") else None
    with pytest.raises(Transient):
        connector.comment("1", CommentDraft("see", files=files), token=TOKEN)
    assert [each["name"] for each in ticket["files"]] == [
        f"log [interdesk {TOKEN} 1].txt",
        f"log [interdesk {TOKEN} 2].txt",
        f"README [interdesk {TOKEN} 3]",
    ]
    assert connector.fetch("1", known=()).files == (), "nothing hangs there until its comment is written"
    desk.server.fault = None
    connector.comment("1", CommentDraft("see", files=files), token=TOKEN)
    assert len(ticket["files"]) == 3, "what is there is not sent again"
    (comment,) = connector.fetch("1", known=()).comments or ()
    assert [(each.id, each.name) for each in comment.files] == [("1", "log.txt"), ("2", "log.txt"), ("3", "README")]


def test_a_persons_file_belongs_to_what_they_wrote_at_that_time_and_an_internal_ones_to_nobody(desk: Desk) -> None:
    def sent(number: int, by: str, time: str) -> dict[str, Any]:
        return {
            "id": number,
            "name": f"{number}.log",
            "type": "text/plain",
            "size": 1,
            "by": by,
            "at": f"2026-03-01T{time}Z",
        }

    rows = [
        sent(1, "alice", "10:00:30"),
        sent(2, "bob", "10:00:30"),
        sent(3, "alice", "12:00:00"),
        sent(4, "carol", "10:00:30"),
    ]
    desk.holds(files=rows)
    desk.hears("1", by="alice", at="2026-03-01T10:01:00Z", text="see the log")
    desk.hears("1", by="carol", at="2026-03-01T10:01:00Z", text="among us", internal=True)
    found = desk.speaks(comment={"attached": ATTACHED}).fetch("1", known=())
    assert [each.id for each in (found.comments or ())[0].files] == ["1"]
    assert [each.id for each in found.files] == ["2", "3"]
    assert (found.comments or ())[1].files == ()


def test_a_file_on_the_ticket_may_go_as_base64_in_a_body_or_as_a_part(desk: Desk) -> None:
    desk.holds()
    desk.on("POST", "/tickets/1/files")(lambda _: None)
    file = draft("a.bin", b"\x00\xff")
    body = {"file.name": "{name}", "file.data": "{content}", "file.size": "{size}"}
    inside = desk.speaks(comment={"attached": {"path": "/tickets/{key}/files", "body": body}})
    inside.comment("1", CommentDraft("see", files=(file,)), token=TOKEN)
    name = f"a [interdesk {TOKEN} 1].bin"
    assert desk.said[0].json() == {"file": {"name": name, "data": "AP8=", "size": 2}}
    desk.said.clear()
    as_part = desk.speaks(comment={"attached": {"path": "/tickets/{key}/files", "part": "file"}})
    as_part.comment("1", CommentDraft("see", files=(file,)), token=TOKEN)
    assert parts_of(desk.said[0]) == [("file", name, "application/octet-stream", b"\x00\xff")]


# -- profiles that contradict themselves -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ({"create": {"apart": ["state"]}}, "create.apart: there is no field 'state'"),
        ({"transitions": {"state": {"path": "/x"}}}, "transitions: there is no field 'state'"),
        ({"token": {"label": "title"}}, "token.label: 'title' is no set"),
        ({"token": {"mark": "text", "title": "title"}}, "exactly one of write, mark, title, label"),
        ({"update": {"each": True}}, "nothing would be written"),
        ({"comment": {"attached": ATTACHED, "parts": {"part": "x"}}}, "in several: attached, parts"),
        ({"comment": {"attached": ATTACHED}, "conversation": {"files": None}}, "does not say how the ticket's files"),
        ({"capabilities": {"edit_comments": True}}, "comment.edit does not say how"),
        ({"update": {"row": {"name": "{field}"}}}, "update.row: no {field} or no {value}"),
        ({"fields": {"title": {"wrapped": {"id": "value"}}}}, "fields.title.wrapped: no {value}"),
        ({"update": {"path": "/tickets/{kye}"}}, r"update: nothing fills in {kye}; did you mean {key}\?"),
        ({"comment": {"body": {"a": [{"b": "{texts}"}]}}}, r"comment: nothing fills in {texts}; did you mean {text}\?"),
        ({"settings": {**URL, "unit": {"says": "x", "required": False}}, "create": {"path": "/{unit}"}}, "require it"),
    ],
)
def test_what_a_profile_would_write_to_nowhere_is_told(desk: Desk, parts: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        desk.speaks(**parts)


def test_the_probe_tries_the_search_for_a_token_and_wants_it_to_be_somewhere(desk: Desk) -> None:
    def about(**parts: Any) -> list[tuple[bool, str]]:
        return [(each.ok, each.sentence) for each in desk.speaks(**parts).probe() if "token" in each.sentence]

    desk.holds(mark="T-1")
    assert about() == [
        (True, "no search knows our token: a ticket is found among those that changed since it was made")
    ]
    ((ok, sentence),) = about(listing={"find": {"mark": "{token}"}})
    assert (ok, "a token that nobody has was found" in sentence) == (False, True)
    ((ok, sentence),) = about(token=None)
    assert (ok, "no field of a ticket bears our token" in sentence) == (False, True)


# -- tokens ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "field", "value", "stands"),
    [
        ({"mark": "text"}, "text", "first\nsecond", f"first\nsecond\n\n[interdesk {TOKEN}]"),
        ({"mark": "text"}, "text", None, f"[interdesk {TOKEN}]"),
        ({"title": "title"}, "title", "jobs fail", f"jobs fail [interdesk {TOKEN}]"),
        ({"label": "tags", "prefix": "id:"}, "tags", ("a", "b"), ["a", "b", f"id:{TOKEN}"]),
        ({"label": "tags"}, "tags", None, [f"interdesk-{TOKEN}"]),
    ],
)
def test_a_token_among_peoples_words_is_taken_out_kept_by_our_edits_and_found(
    desk: Desk, shape: Mapping[str, str], field: str, value: Any, stands: Any
) -> None:
    connector = desk.speaks(token=shape)
    made = connector.create({"title": "jobs fail", field: value}, token=TOKEN)
    assert desk.tickets["1"][field] == stands
    assert (made.fields[field], made.token) == (value, TOKEN)
    edited = ("c",) if field == "tags" else "other"
    done = connector.update("1", {field: edited}, held=made)
    assert (done.refused, done.after.fields[field], done.after.token) == ({}, edited, TOKEN)
    found = connector.find(TOKEN, datetime(2026, 3, 1, 12, tzinfo=UTC))
    assert isinstance(found, RemoteTicket)
    assert found.key == "1"


def test_a_ticket_of_others_gets_no_token_by_an_edit(desk: Desk) -> None:
    desk.holds(text="hers")
    done = desk.speaks(token={"mark": "text"}).update("1", {"text": "ours"}, held=None)
    assert (desk.tickets["1"]["text"], done.after.token) == ("ours", None)
