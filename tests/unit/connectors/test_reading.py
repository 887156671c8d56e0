"""Small invented products: each says one thing about a ticket in another way, and is read all the same."""

import base64
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.api import RemoteComment, RemoteFile, RemoteTicket
from connectors.emulators.server import Asked, Reply
from connectors.environment import Environment
from connectors.errors import NotFound, ProtocolError, SettingsError
from connectors.profiled.connector import ProfiledConnector
from connectors.profiled.packed import opened
from connectors.profiled.profile import Profile
from connectors.profiled.values import at, fill, truth
from connectors.registry import open_profile
from tests.unit.connectors.conftest import Scripted

BASE: dict[str, Any] = {
    "kind": "profile",
    "name": "invented",
    "product": "Invented",
    "family": "rest",
    "settings": {"url": {"kind": "url", "says": "where it is"}},
    "root": "{url}",
    "credentials": {},
    "capabilities": {"version": "weak", "row_version": "weak", "files": True},
    "notifies": {},
    "account": {"read": {"path": "/me"}, "person": {"key": "login", "name": "name", "email": "mail"}},
    "people": {"key": ""},
    "place": {"path": "/me"},
    "ticket": {
        "read": {"path": "/tickets/{key}"},
        "version": {"at": "changed"},
        "changed_at": "changed",
        "created_by": "by",
        "address": "{url}/show/{key}",
    },
    "fields": {"title": {"at": "title", "write": "title"}},
    "listing": {
        "path": "/tickets",
        "rows": "",
        "shows": ["title"],
        "per_page": 100,
        "scan": {},
        "changes": {},
        "newest": {},
        "find": {},
    },
    "create": {"path": "/tickets", "answers": "ticket"},
    "update": {"path": "/tickets/{key}"},
    "comment": {"path": "/tickets/{key}/comments"},
    "download": {"path": "/files/{id}"},
}
COMMENTS = {"rows": "comments", "author": "by", "at": "at", "text": "text"}
ME = {"login": "interdesk", "name": "Inter Desk", "mail": "Sync@example.org"}
TICKET = {"id": 1, "title": "jobs fail", "changed": "2026-03-01T10:00:00Z", "by": "alice"}


class Product:
    """One invented product: a profile that differs from the plainest in some parts, and what it answers."""

    def __init__(self, server: Scripted, environment: Environment) -> None:
        self.answers: dict[str, Any] = {"/me": ME}
        self.headers: dict[str, dict[str, str]] = {}
        self.asked: Counter[str] = Counter()
        self.taking: set[str] = set()
        self.server, self.environment = server, environment
        server.reply = self._reply

    def _reply(self, asked: Asked) -> Reply:
        words = "&".join(f"{name}={value}" for name, values in asked.query.items() for value in values)
        address = asked.path + (f"?{words}" if words else "")
        self.asked[address] += 1
        if asked.method == "PUT" and address in self.taking:
            self.answers[address] = {**self.answers[address], **asked.json()}
        found = self.answers.get(address)
        return Reply(404, {}) if found is None else Reply(200, found, self.headers.get(address, {}))

    def takes(self, address: str) -> None:
        """What is put there from now on lies over what it answers."""
        self.taking.add(address)

    def speaks(self, parts: Mapping[str, Any], settings: Mapping[str, str] | None = None) -> ProfiledConnector:
        profile = Profile.model_validate({**BASE, **parts})
        opened = open_profile(
            profile, {"url": self.server.url, **(settings or {})}, system="s", environment=self.environment
        )
        assert isinstance(opened, ProfiledConnector)
        return opened

    def reads(
        self, parts: Mapping[str, Any], ticket: Any = None, *, settings: Mapping[str, str] | None = None
    ) -> RemoteTicket:
        """Ticket 1, its comments too, as a connector of this dialect reads it."""
        self.answers["/tickets/1"] = {**TICKET, **(ticket or {})} if not isinstance(ticket, list) else ticket
        return self.speaks(parts, settings).fetch("1", known=())

    def hears(self, shape: Mapping[str, Any], ticket: Mapping[str, Any] | None = None) -> tuple[RemoteComment, ...]:
        """The comments of ticket 1."""
        return self.reads({"conversation": {"comments": {**COMMENTS, **shape}}}, ticket).comments or ()


@pytest.fixture
def product(server: Scripted, here: Environment) -> Product:
    return Product(server, here)


def row(number: Any = 5, **more: Any) -> dict[str, Any]:
    return {"id": number, "by": "bob", "at": "2026-03-01T09:00:00Z", "text": "hello", **more}


def ticket_with(**more: Any) -> dict[str, Any]:
    return {"ticket": {**BASE["ticket"], **more}}


# -- what our account may do -------------------------------------------------------------------------------------------

RIGHTS = {"path": "/rights", "held": "can", "needed": {"see": "read tickets", "say": "write comments"}}


def told(product: Product, **parts: Any) -> list[tuple[str, str]]:
    product.answers |= {"/tickets": [], "/tickets/1": TICKET}
    found = product.speaks({"rights": {**RIGHTS, **parts}}).probe()
    return [
        (each.sentence, each.remedy)
        for each in found
        if "the account" in each.sentence and "logged" not in each.sentence
    ]


@pytest.mark.parametrize(
    ("answer", "parts"),
    [
        ({"can": ["see"]}, {}),
        ({"can": {"see": True, "say": False}}, {}),
        ({"can": {"see": {"has": "yes"}, "say": {"has": "no"}}}, {"granted": "has"}),
        ({"admin": False, "can": ["see"]}, {"everything": "admin"}),
    ],
)
def test_the_probe_tells_what_our_account_may_and_may_not_do(product: Product, answer: Any, parts: Any) -> None:
    product.answers["/rights"] = answer
    useful = {"edit": "edit its comments"}
    assert told(product, useful=useful, remedy="ask for {right}", **parts) == [
        ("the account may read tickets", ""),
        ("the account may not write comments", "ask for say"),
        ("without the permission edit the account cannot edit its comments", ""),
    ]


def test_rights_that_belong_to_roles_are_those_of_our_roles_in_the_place(product: Product) -> None:
    product.answers |= {
        "/rights": {"mine": [{"in": "A", "roles": [{"id": 3}, {"id": 4}]}, {"in": "B", "roles": [{"id": 9}]}]}
    }
    product.answers |= {"/roles/3": {"can": ["see"]}, "/roles/4": {"can": ["say"]}}
    roles = {"ids": "mine[in=A].roles[].id", "read": {"path": "/roles/{id}"}}
    assert [sentence for sentence, _ in told(product, roles=roles)] == [
        "the account may read tickets",
        "the account may write comments",
    ]


def test_an_administrator_may_do_everything(product: Product) -> None:
    product.answers["/rights"] = {"admin": True}
    ((sentence, _),) = told(product, everything="admin")
    assert "is an administrator" in sentence


# -- images that texts show ------------------------------------------------------------------------------------------

PNG = b"\x89PNG" + bytes(range(256)) * 20
DIGITS = base64.b64encode(PNG).decode()
SHOWN = {"embedded": "/uploads/", "comments": {**COMMENTS, "format": "html", "internal": "hidden"}}


def bytes_of(connector: ProfiledConnector, file: RemoteFile) -> bytes:
    with connector.download(file) as chunks:
        return b"".join(chunks)


def test_case_18_an_image_in_a_comment_is_a_file_of_it_and_is_named_where_it_stood(product: Product) -> None:
    said = (
        f'<p>see <img alt="a graph" src="data:image/png;base64,{DIGITS}">, <img src="/uploads/7/chart.png"> and '
        '<img src="https://elsewhere.example.org/logo.png"></p>'
    )
    product.answers["/uploads/7/chart.png"] = b"chart"
    (found,) = product.reads({"conversation": SHOWN}, {"comments": [row(text=said)]}).comments or ()
    assert found.text == "see [image: a graph.png], [image: chart.png] and [image: logo.png]"
    assert [(each.name, each.media_type, each.size) for each in found.files] == [
        ("a graph.png", "image/png", len(PNG)),
        ("chart.png", "image/png", None),
    ]
    connector = product.speaks({"conversation": SHOWN})
    assert [bytes_of(connector, each) for each in found.files] == [PNG, b"chart"]
    product.answers["/tickets/1"] = {**TICKET, "comments": [row(text="see nothing")]}
    with pytest.raises(NotFound, match="not in the text any more"):
        bytes_of(connector, found.files[0])


def test_case_18_images_in_a_description_are_files_of_the_ticket_each_once(product: Product) -> None:
    twice = f'<img src="data:image/png;base64,{DIGITS}">' * 2
    fields = {"description": {"at": "body", "format": "html"}, "notes": {"at": "notes"}}
    ticket = {"body": twice, "notes": "![a chart](/uploads/7/chart%20one.png) and /uploads", "comments": []}
    found = product.reads({"fields": fields, "conversation": SHOWN}, ticket)
    assert found.fields["description"] == "[image: image-1.png][image: image-2.png]"
    assert [each.name for each in found.files] == ["image-1.png", "chart one.png"]
    assert bytes_of(product.speaks({"fields": fields, "conversation": SHOWN}), found.files[0]) == PNG


def test_case_18_images_of_hidden_comments_stay_where_they_are(product: Product) -> None:
    said = f'<img src="data:image/png;base64,{DIGITS}"><img src="/uploads/7/chart.png">'
    parts = {"conversation": SHOWN, "capabilities": {**BASE["capabilities"], "internal_comments": True}}
    (found,) = product.reads(parts, {"comments": [row(text=said, hidden=True)]}).comments or ()
    assert (found.text, found.files) == ("", ())


# -- key, number, version, address -------------------------------------------------------------------------------------


def test_the_number_that_people_see_leads_to_its_page_and_the_key_does_not(product: Product) -> None:
    parts = ticket_with(number="number", address="{url}/#{number}")
    found = product.reads(parts, {"number": "INC007"})
    assert (found.key, found.address) == ("1", f"{product.server.url}/#INC007")


def test_a_key_may_stand_inside_an_address(product: Product) -> None:
    parts = ticket_with(key="self", key_part="/tickets/([0-9]+)$")
    assert product.reads(parts, {"self": "https://x.example.org/api/tickets/1"}).key == "1"


def test_a_date_and_a_time_apart_are_one_moment(product: Product) -> None:
    times = {"forms": "%d.%m.%Y %H:%M", "zone": "Europe/Prague"}
    parts = {"times": times, **ticket_with(changed_at=["day", "hour"], version={})}
    ten = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)
    assert product.reads(parts, {"day": "01.03.2026", "hour": "11:00"}).changed_at == ten
    comments = {"comments": {**COMMENTS, "at": ["day", "hour"]}}
    listed = {"comments": [row(day="01.03.2026", hour="11:00")]}
    (found,) = (
        product.reads({"times": times, "conversation": comments, **ticket_with(changed_at=[])}, listed).comments or ()
    )
    assert found.created_at == ten


def test_the_answer_itself_may_say_where_people_open_it(product: Product) -> None:
    found = product.reads(ticket_with(address_at="links.html"), {"links": {"html": "https://x.example.org/7"}})
    assert found.address == "https://x.example.org/7"


def test_keys_that_it_bore_before_are_told(product: Product) -> None:
    assert product.reads(ticket_with(aliases="former"), {"former": ["A-1", "B-2"]}).aliases == ("A-1", "B-2")
    assert product.reads(ticket_with(aliases="former"), {"former": "A-1"}).aliases == ("A-1",)


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ({"at": "changed"}, "2026-03-01T10:00:00Z"),
        ({"at": ["changed", "count"]}, "2026-03-01T10:00:00Z/3"),
        ({}, ""),
    ],
)
def test_a_version_is_at_a_path_at_several_or_nowhere(product: Product, version: Any, expected: str) -> None:
    assert product.reads(ticket_with(version=version), {"count": 3}).version == expected


def test_a_digest_is_a_version_that_moves_with_the_content_and_not_with_the_rest(product: Product) -> None:
    parts = ticket_with(version={"digest_without": ["seen"]})
    first = product.reads(parts, {"seen": 1}).version
    assert product.reads(parts, {"seen": 2}).version == first
    assert product.reads(parts, {"title": "other"}).version != first


def test_a_ticket_may_come_as_a_list_of_one_or_below_a_name(product: Product) -> None:
    assert product.reads({}, [TICKET]).key == "1"
    product.answers["/tickets/1"] = {"result": [TICKET]}
    assert product.speaks(ticket_with(at="result")).fetch("1").key == "1"
    product.answers["/tickets/1"] = {"result": []}
    with pytest.raises(ProtocolError, match="bears no ticket"):
        product.speaks(ticket_with(at="result")).fetch("1")


def test_a_ticket_that_a_search_does_not_find_is_gone_where_a_sign_says_so(product: Product) -> None:
    signs = {"errors": {"signs": [{"lacks": "found", "means": "empty"}]}}
    connector = product.speaks({**ticket_with(at="found"), **signs})
    product.answers["/tickets/1"] = {"found": []}
    with pytest.raises(NotFound):
        connector.fetch("1")
    for odd in ({"found": {}}, {"found": None}, {}, {"found": [TICKET, TICKET]}):
        product.answers["/tickets/1"] = odd
        with pytest.raises(ProtocolError):
            connector.fetch("1")


def test_what_a_product_does_not_tell_is_not_made_up(product: Product) -> None:
    product.answers["/tickets/1"] = {"id": "1", "title": "jobs fail"}
    shape = {name: value for name, value in BASE["ticket"].items() if name in ("read", "address")}
    found = product.speaks({"ticket": shape}).fetch("1")
    assert (found.version, found.row_version, found.changed_at, found.created_by) == ("", "", None, None)


def test_further_requests_complete_a_ticket(product: Product) -> None:
    product.answers["/tickets/1/extra"] = {"severity": "high"}
    parts = ticket_with(more={"extra": {"path": "/tickets/{key}/extra"}})
    fields = {"title": {"at": "title"}, "severity": {"at": "extra.severity"}}
    assert product.reads({**parts, "fields": fields}).fields["severity"] == "high"


# -- values ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "shown", "expected"),
    [
        ({"at": "x"}, 8, "8"),
        ({"at": "x"}, "8", "8"),
        ({"at": "x", "kind": "number"}, "8", 8),
        ({"at": "x", "kind": "number"}, 8, 8),
        ({"at": "x"}, True, True),
        ({"at": ["x.name", "x"]}, {"name": "high"}, "high"),
        ({"at": ["x.name", "x"]}, "high", "high"),
        ({"at": "x[type=work].mail"}, [{"type": "home", "mail": "a"}, {"type": "work", "mail": "b"}], "b"),
        ({"at": "x[type=work].mail"}, {"type": "work", "mail": "b"}, "b"),
        ({"at": "x", "format": "html"}, "<p>one<br>two &amp; three</p>", "one\ntwo & three"),
        ({"at": "x", "format": "escaped"}, "&lt;p&gt;one&lt;br&gt;two &amp;amp; three&lt;/p&gt;", "one\ntwo & three"),
        ({"at": "x", "format": "escaped"}, "&#60;p&#62;one &amp;lt;b&amp;gt;&#60;/p&#62;", "one <b>"),
        ({"at": "x", "empty_words": ["Nobody"]}, "Nobody", None),
        ({"at": "x", "empty_words": [0]}, "0", None),
        ({"at": "x"}, "-", None),
        ({"at": "x", "kind": "set"}, ["b", "a"], ("a", "b")),
        ({"at": "x", "kind": "set"}, "a", ("a",)),
        ({"at": "x", "kind": "set", "split": ","}, "b, a,", ("a", "b")),
        ({"at": "x", "kind": "set", "item": "name"}, {"name": "a"}, ("a",)),
        ({"at": "x", "kind": "set", "item": "name"}, [{"name": "a"}, {"name": "-"}], ("a",)),
        ({"at": "x", "kind": "set"}, None, None),
        ({"at": "y.z"}, 1, None),
    ],
)
def test_a_value_is_one_value_however_it_comes(product: Product, shape: Any, shown: Any, expected: Any) -> None:
    found = product.reads({"fields": {"f": shape}, "unset": ["-"]}, {"x": shown})
    assert found.fields == {"f": expected}


def test_a_reference_by_id_is_read_by_a_table_of_the_live_system(product: Product) -> None:
    product.answers["/states"] = {"states": [{"id": 8, "name": "solved"}]}
    parts = {
        "tables": {"states": {"sources": [{"path": "/states", "rows": "states"}]}},
        "fields": {"state": {"at": "state", "resolve": "states"}},
    }
    assert product.reads(parts, {"state": 8}).fields["state"] == "solved"
    assert product.reads(parts, {"state": "8"}).fields["state"] == "solved"


def test_a_long_table_is_read_page_by_page(product: Product) -> None:
    product.answers["/states?page=1"] = {"states": [{"id": 7, "name": "open"}, {"id": 8, "name": "solved"}]}
    product.answers["/states?page=2"] = {"states": [{"id": 9, "name": "closed"}]}
    source = {"path": "/states", "query": {"page": "{page}"}, "rows": "states"}
    parts = {
        "tables": {"states": {"sources": [{**source, "pages": {"by": "number", "first": 1}, "per_page": 2}]}},
        "fields": {"state": {"at": "state", "resolve": "states"}},
    }
    assert product.reads(parts, {"state": 9}).fields["state"] == "closed"


@pytest.mark.parametrize(
    ("times", "shown"),
    [
        ({}, "2026-03-01T10:00:00.000Z"),
        ({}, "2026-03-01T11:00:00+01:00"),
        ({"zone": "Europe/Prague"}, "2026-03-01 11:00:00"),
        ({"zone": "{zone}"}, "2026-03-01 15:30:00"),
        ({"forms": "epoch"}, 1772359200),
        ({"forms": "epoch"}, "1772359200"),
        ({"forms": "epoch_ms"}, 1772359200000),
        ({"forms": "/Date({epoch_ms})/"}, "/Date(1772359200000+0100)/"),
        ({"forms": "%d.%m.%Y %H:%M", "zone": "Europe/Prague"}, "01.03.2026 11:00"),
        ({"forms": ["%d/%m/%Y %H:%M", "iso"]}, "2026-03-01T10:00:00Z"),
    ],
)
def test_a_moment_is_read_in_its_form_and_zone(product: Product, times: Any, shown: Any) -> None:
    zone = {"kind": "zone", "required": False, "says": "the server's zone"}
    parts = {"times": times, "settings": {**BASE["settings"], "zone": zone}}
    found = product.reads(parts, {"changed": shown}, settings={"zone": "Asia/Kolkata"})
    assert found.changed_at == datetime(2026, 3, 1, 10, 0, tzinfo=UTC)


def test_a_moment_in_no_form_that_is_said_is_an_error(product: Product) -> None:
    with pytest.raises(ProtocolError, match="not a time"):
        product.reads({"times": {"forms": "epoch"}}, {"changed": "yesterday"})


def test_a_zone_that_is_none_is_told_to_the_operator(product: Product) -> None:
    settings = {**BASE["settings"], "zone": {"kind": "zone", "says": "the server's zone"}}
    with pytest.raises(SettingsError, match="Europe/Prague"):
        product.speaks({"settings": settings}, {"zone": "Mars/Olympus"})


def test_a_field_that_is_a_moment_is_told_in_one_form(product: Product) -> None:
    fields = {"due": {"kind": "moment", "at": "due"}}
    parts = {"times": {"forms": ["iso"], "zone": "Europe/Prague"}, "fields": fields, "unset": "0000-00-00 00:00:00"}
    assert product.reads(parts, {"due": "2026-03-01 11:00:00"}).fields["due"] == "2026-03-01T10:00:00Z"
    assert product.reads(parts, {"due": "0000-00-00 00:00:00"}).fields["due"] is None


@pytest.mark.parametrize(
    ("forms", "shown", "written"),
    [
        ("epoch", 1772359200, 2145873600),
        ("epoch_ms", "1772359200000", 2145873600000),
        ("/Date({epoch_ms})/", "/Date(1772359200000)/", "/Date(2145873600000)/"),
        ("%d.%m.%Y %H:%M", "01.03.2026 11:00", "31.12.2037 13:00"),
    ],
)
def test_a_moment_is_written_in_the_form_that_it_is_read_in(
    product: Product, forms: str, shown: Any, written: Any
) -> None:
    fields = {"due": {"kind": "moment", "at": "due", "write": "due"}}
    parts = {"times": {"forms": forms, "zone": "Europe/Prague"}, "fields": fields}
    assert product.reads(parts, {"changed": shown, "due": shown}).fields["due"] == "2026-03-01T10:00:00Z"
    product.takes("/tickets/1")
    result = product.speaks(parts).update("1", {"due": "2037-12-31T12:00:00.000Z"}, held=None)
    assert (result.refused, product.answers["/tickets/1"]["due"]) == ({}, written)


def test_a_field_of_html_is_written_as_html(product: Product) -> None:
    fields = {"body": {"at": "body", "write": "body", "format": "html"}}
    product.answers["/tickets/1"] = TICKET
    product.takes("/tickets/1")
    result = product.speaks({"fields": fields}).update("1", {"body": "a < b\n  c"}, held=None)
    assert result.refused == {}
    assert product.answers["/tickets/1"]["body"] == "a &lt; b<br>&nbsp;&nbsp;c"


# -- custom fields -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "ticket"),
    [
        ({"rows": "dynamic", "name": "Name", "value": "Value"}, {"dynamic": [{"Name": "mark", "Value": "T-1"}]}),
        ({"rows": "dynamic", "name": "Name", "value": "Value"}, {"dynamic": {"Name": "mark", "Value": "T-1"}}),
        ({"rows": "extra"}, {"extra": {"mark": "T-1"}}),
        ({"rows": "", "only": "site"}, {"mark": "T-1", "other": "x"}),
    ],
)
def test_custom_fields_are_rows_or_members_of_an_object(product: Product, shape: Any, ticket: Any) -> None:
    customs = {"prefix": "cf.", "write": "", "shape": "names", "token": "mark", **shape}
    found = product.reads({"custom_fields": customs}, ticket)
    assert found.token == "T-1"
    assert {name: value for name, value in found.fields.items() if value} == {"title": "jobs fail", "cf.mark": "T-1"}


# -- comments ----------------------------------------------------------------------------------------------------------


def test_comments_come_oldest_first_whatever_the_order_of_the_list(product: Product) -> None:
    rows = [row(7, at="2026-03-01T09:02:00Z"), row(6, at="2026-03-01T09:01:00Z"), row(5)]
    assert [each.id for each in product.hears({}, {"comments": rows})] == ["5", "6", "7"]


@pytest.mark.parametrize(
    ("internal", "shown", "expected"),
    [
        ("private", True, True),
        ("private", False, False),
        ("private", "1", True),
        ("private", "0", False),
        ("private", "false", False),
        ("private", None, False),
        ({"at": "public", "public": True}, {"public": True}, False),
        ({"at": "public", "public": True}, {"public": "true"}, False),
        ({"at": "public", "public": [1, True]}, {"public": "1"}, False),
        ({"at": "public", "public": True}, {"public": False}, True),
        ({"at": "public", "public": True}, {}, True),
        ({"at": "kind", "internal": ["note", "work_notes"]}, {"kind": "work_notes"}, True),
        ({"at": "kind", "internal": ["note", "work_notes"]}, {"kind": "reply"}, False),
        ({"at": "kind", "public": ["email", "web"]}, {"kind": "email"}, False),
        ({"at": "kind", "public": ["email", "web"]}, {"kind": "never heard of"}, True),
        ({"at": "role.value", "public": ""}, {}, False),
        ({"at": "role.value", "public": ""}, {"role": {"value": "Developers"}}, True),
        (True, {}, True),
        (None, {"private": True}, False),
    ],
)
def test_a_comment_is_internal_wherever_that_hides(product: Product, internal: Any, shown: Any, expected: bool) -> None:
    more = shown if isinstance(shown, dict) else {"private": shown}
    (found,) = product.hears({"internal": internal}, {"comments": [row(text="CANARY", **more)]})
    assert found.internal is expected
    assert found.text == ("" if expected else "CANARY")


def test_the_words_of_both_sides_at_once_are_refused_with_the_profile(product: Product) -> None:
    with pytest.raises(ValueError, match="either internal or public"):
        product.hears({"internal": {"at": "kind", "internal": ["a"], "public": ["b"]}})


def test_public_and_internal_comments_may_be_two_lists_that_count_alike(product: Product) -> None:
    product.answers["/tickets/1/replies"] = [row(5, text="for all")]
    product.answers["/tickets/1/notes"] = [row(5, text="CANARY", files=[{"id": 1, "name": "CANARY"}])]
    notes = {"read": {"path": "/tickets/{key}/notes"}, "rows": "", "internal": True, "id_prefix": "n"}
    replies = {"read": {"path": "/tickets/{key}/replies"}, "rows": ""}
    listed = [{**COMMENTS, **replies}, {**COMMENTS, **notes, "files": {"rows": "files", "name": "name"}}]
    found = product.reads({"conversation": {"comments": listed}})
    assert "CANARY" not in repr(found)
    assert [(each.id, each.internal) for each in found.comments or ()] == [("5", False), ("n5", True)]


def test_only_the_rows_that_are_meant_are_comments(product: Product) -> None:
    rows = [row(5, kind="reply"), row(6, kind="change"), row(7, kind="mail")]
    found = product.hears({"where": {"kind": ["reply", "mail"]}}, {"comments": rows})
    assert [each.id for each in found] == ["5", "7"]


@pytest.mark.parametrize(
    ("form", "more", "expected"),
    [
        ("plain", {"text": "a < b"}, "a < b"),
        ("html", {"text": "<div>a &lt; b</div>"}, "a < b"),
        ("escaped", {"text": "&lt;p&gt;a &amp;lt; b&lt;/p&gt;"}, "a < b"),
        ({"at": "type", "html": "text/html"}, {"type": "text/html; charset=utf-8", "text": "<b>x</b>"}, "x"),
        ({"at": "type", "html": "text/html"}, {"type": "text/plain", "text": "<b>x</b>"}, "<b>x</b>"),
        ({"at": "rich", "html": True}, {"rich": "true", "text": "<b>x</b>"}, "x"),
    ],
)
def test_a_text_is_read_in_the_format_that_it_is_in(product: Product, form: Any, more: Any, expected: str) -> None:
    assert [each.text for each in product.hears({"format": form}, {"comments": [row(**more)]})] == [expected]


def test_the_first_text_that_is_there_counts(product: Product) -> None:
    found = product.hears({"text": ["plain", "text"]}, {"comments": [row(5, plain="said"), row(6)]})
    assert [each.text for each in found] == ["said", "hello"]


def test_one_comment_alone_may_come_as_itself_and_none_as_nothing_where_the_profile_says_so(product: Product) -> None:
    loose = {"lists": "loose", "conversation": {"comments": COMMENTS}}
    assert [each.id for each in product.reads(loose, {"comments": row()}).comments or ()] == ["5"]
    for nothing in ({}, {"comments": None}, {"comments": ""}, {"comments": {}}):
        assert product.reads(loose, nothing).comments == ()
    with pytest.raises(ProtocolError, match="no list"):
        product.hears({}, {"comments": row()})
    with pytest.raises(ProtocolError, match="no list"):
        product.hears({}, {})


def test_a_row_without_an_id_is_an_error_and_no_comment(product: Product) -> None:
    with pytest.raises(ProtocolError, match="no id"):
        product.hears({}, {"comments": [{"message": "forbidden"}]})


@pytest.mark.parametrize("own_by", ["key", "name", "email"])
def test_our_account_is_known_by_what_the_profile_says(product: Product, own_by: str) -> None:
    shown = {"key": "interdesk", "name": "Inter Desk", "email": "sync@EXAMPLE.org"}[own_by]
    stranger = {"login": "x", "called": "X", "mail": "x@example.org"}
    us = {**stranger, {"key": "login", "name": "called", "email": "mail"}[own_by]: shown}
    person = {"key": "login", "name": "called", "email": "mail"}
    parts = {"own_by": [own_by], "conversation": {"comments": {**COMMENTS, "person": person}}}
    found = product.reads(parts, {"comments": [row(5, by=us), row(6, by=stranger)]})
    assert [each.own for each in found.comments or ()] == [True, False]


def test_the_operator_may_say_who_we_are(product: Product) -> None:
    settings = {**BASE["settings"], "login": {"says": "our log-in"}}
    parts = {"settings": settings, "account": {"key": "{login}"}, "conversation": {"comments": COMMENTS}}
    found = product.reads(parts, {"comments": [row(by="robot")]}, settings={"login": "robot"})
    assert [each.own for each in found.comments or ()] == [True]


def test_an_author_named_by_id_is_looked_up_once(product: Product) -> None:
    product.answers["/users/7"] = {"login": "carol"}
    parts = {
        "tables": {"users": {"sources": [], "one": {"path": "/users/{id}"}, "one_name": "login"}},
        "conversation": {"comments": {**COMMENTS, "person": {"key": "", "table": "users"}}},
    }
    found = product.reads(parts, {"comments": [row(5, by=7), row(6, by="7")]})
    assert [each.author.key for each in found.comments or ()] == ["carol", "carol"]
    assert product.asked["/users/7"] == 1


def test_rows_without_ids_are_told_apart_by_what_they_say(product: Product) -> None:
    said = {"by": "bob", "at": "2026-03-01T09:00:00Z"}
    rows = [{**said, "text": "+1"}, {**said, "text": "+1"}, {**said, "text": "thanks"}]
    shape = {"id_from": ["by", "at", "text"]}
    first = product.hears(shape, {"comments": rows[:2]})
    later = product.hears(shape, {"comments": rows})
    assert len({each.id for each in later}) == 3
    assert [each.id for each in later[:2]] == [each.id for each in first]


def test_rows_may_be_numbered_by_their_place_and_left_out_where_they_have_nothing(product: Product) -> None:
    rows = [row(None, text=None, kind=""), row(None, text="x", kind="said"), row(None, text="y", kind=None)]
    found = product.hears({"id": "#", "having": "kind"}, {"comments": rows})
    assert [(each.id, each.text) for each in found] == [("2", "x")]


def test_a_list_may_be_an_object_of_id_to_row(product: Product) -> None:
    rows = {"5": {**row(), "id": None}, "6": {**row(text="second"), "id": None}}
    found = product.hears({"keyed": True, "id": "@key"}, {"comments": rows})
    assert [(each.id, each.text) for each in found] == [("5", "hello"), ("6", "second")]
    assert product.hears({"keyed": True, "id": "@key"}, {"comments": {}}) == ()


def test_comments_may_be_one_text_that_falls_into_entries(product: Product) -> None:
    log = "\r\n".join(
        [
            "2026-03-01 10:02:00 - interdesk (Work notes)",
            "CANARY",
            "",
            "2026-03-01 10:01:00 - Bob B (Additional comments)",
            "two",
            "",
            "lines",
            "",
        ]
    )
    shape = {
        "rows": "journal",
        "log": {"head": r"([-0-9]+ [:0-9]+) - ([^(]+)\(([^)]+)\)", "tells": ["at", "by", "kind"]},
        "id_from": ["at", "by", "text"],
        "internal": {"at": "kind", "public": "Additional comments"},
    }
    found = product.hears(shape, {"journal": log})
    assert [(each.author.key, each.text, each.internal) for each in found] == [
        ("Bob B", "two\n\nlines", False),
        ("interdesk", "", True),
    ]
    assert product.hears(shape, {"journal": None}) == ()


@pytest.mark.parametrize("shape", [{"id": "#"}, {"keyed": True, "id": "@key"}])
def test_rows_that_are_no_objects_are_an_error(product: Product, shape: Any) -> None:
    with pytest.raises(ProtocolError, match="no objects"):
        product.hears(shape, {"comments": ["hello"]})


def test_a_row_that_says_nothing_is_no_comment(product: Product) -> None:
    rows = [row(5, text=""), row(6, text=None, private=True), row(7, text="x"), row(8, text="y", private=True)]
    found = product.hears({"internal": "private"}, {"comments": rows})
    assert [(each.id, each.text, each.internal) for each in found] == [("7", "x", False), ("8", "", True)]


# -- further requests --------------------------------------------------------------------------------------------------

APART = {"read": {"path": "/tickets/{key}/comments"}, "rows": "rows"}


@pytest.mark.parametrize(
    ("pages", "answers"),
    [
        ({"by": "number", "first": 1}, {"?at=1": [5, 6], "?at=2": [7]}),
        ({"by": "number"}, {"?at=0": [5, 6], "?at=1": [7]}),
        ({"by": "number", "until": "empty"}, {"?at=0": [5], "?at=1": [6, 7], "?at=2": []}),
        ({"by": "number", "more": "more"}, {"?at=0": [5], "?at=1": [6, 7]}),
        ({"by": "offset"}, {"?at=0": [5, 6], "?at=2": [7]}),
        ({"by": "offset", "per_page": 1000, "total": "total"}, {"?at=0": [5, 6], "?at=2": [7]}),
        ({"by": "key", "first": ""}, {"": [5, 6], "?at=6": [7]}),
        ({"by": "token", "at": "next"}, {"": [5, 6], "?at=c1": [7]}),
        ({"by": "token", "at": "next"}, {"": [], "?at=c1": [5, 6, 7]}),
        ({"by": "address", "at": "address"}, {"": [5, 6], "?at=c1": [7]}),
        ({"by": "link"}, {"": [5, 6], "?at=c1": [7]}),
    ],
)
def test_comments_apart_are_read_page_by_page(product: Product, pages: Any, answers: Mapping[str, list[int]]) -> None:
    path = "/tickets/1/comments"
    for number, (words, ids) in enumerate(answers.items()):
        more = number + 1 < len(answers)
        following = {"next": "c1", "address": f"{product.server.url}{path}?at=c1"} if more else {}
        product.answers[path + words] = {"rows": [row(each) for each in ids], "more": more, "total": 3, **following}
    product.headers[path] = {"Link": f'<{product.server.url}{path}?at=c1>; rel="next"'}
    word = {"number": "page", "offset": "offset", "key": "after"}.get(pages["by"], "page_token")
    asked = {"path": "/tickets/{key}/comments", "query": {"at": f"{{{word}}}"}}
    ends = {name: each for name, each in pages.items() if name in ("per_page", "total")}
    walked = {name: each for name, each in pages.items() if name not in ends}
    found = product.hears({**APART, "read": asked, "pages": walked, "per_page": 2, **ends})
    assert [each.id for each in found] == ["5", "6", "7"]


def test_a_list_that_does_not_know_its_pages_is_an_error_and_no_endless_loop(product: Product) -> None:
    for page in ("0", "1"):
        product.answers[f"/tickets/1/comments?page={page}"] = {"rows": [row(5), row(6)]}
    asked = {"path": "/tickets/{key}/comments", "query": {"page": "{page}"}}
    with pytest.raises(ProtocolError, match="pages are alike"):
        product.hears({**APART, "read": asked, "pages": {"by": "number"}, "per_page": 2})


def test_a_next_page_at_another_place_is_not_asked_for(product: Product) -> None:
    product.answers["/tickets/1/comments"] = {"rows": [row(5)], "next": "https://evil.example.org/more"}
    with pytest.raises(ProtocolError, match="another place"):
        product.hears({**APART, "pages": {"by": "address", "at": "next"}})


def test_nothing_apart_is_asked_for_where_nobody_asks_for_comments(product: Product) -> None:
    product.answers["/tickets/1"] = TICKET
    connector = product.speaks({"conversation": {"comments": {**COMMENTS, **APART}}})
    assert connector.fetch("1").comments is None
    assert product.asked["/tickets/1/comments"] == 0


def test_texts_apart_are_asked_for_only_where_they_are_new_to_us_and_not_hidden(product: Product) -> None:
    rows = [row(5), row(6), row(7, private=True), row(8, private=True, by="interdesk"), row(9)]
    product.answers["/tickets/1"] = TICKET
    product.answers["/tickets/1/comments"] = {"rows": [{**each, "text": None} for each in rows]}
    for number in (5, 6, 7, 8):
        product.answers[f"/comments/{number}"] = {"comment": {"text": f"text of {number}\n\n[interdesk T-{number}]"}}
    shape = {**COMMENTS, **APART, "internal": "private", "body": {"path": "/comments/{comment}"}, "body_at": "comment"}
    connector = product.speaks({"conversation": {"comments": shape}})
    found = connector.fetch("1", known=("5",)).comments or ()
    assert [(each.id, each.text, each.token) for each in found] == [
        ("6", "text of 6", "T-6"),
        ("7", "", None),
        ("8", "", "T-8"),
    ], "9 was taken away meanwhile"
    assert product.asked["/comments/5"] == product.asked["/comments/7"] == 0


# -- the opening -------------------------------------------------------------------------------------------------------

OPENING = {
    "fields": {"title": {"at": "title"}, "description": {"create": "text"}},
    "conversation": {
        "comments": {**COMMENTS, **APART, "internal": "private", "files": {"rows": "files", "name": "name"}},
        "opening": {"field": "description"},
    },
}


def test_a_description_may_be_the_first_comment_and_is_asked_for_once(product: Product) -> None:
    first = row(4, at="2026-03-01T08:00:00Z", text="since noon", files=[{"id": 1, "name": "a.log"}])
    product.answers["/tickets/1"] = TICKET
    product.answers["/tickets/1/comments"] = {"rows": [row(5), first]}
    connector = product.speaks(OPENING)
    found = connector.fetch("1", known=())
    assert (found.fields["description"], [each.id for each in found.comments or ()]) == ("since noon", ["5"])
    assert [each.name for each in found.files] == ["a.log"]
    again = connector.fetch("1")
    assert (again.fields, again.files, again.comments) == (found.fields, found.files, None)
    assert product.asked["/tickets/1/comments"] == 1


def test_a_comment_does_not_become_the_description_because_the_first_was_taken_away(product: Product) -> None:
    product.answers["/tickets/1"] = TICKET
    product.answers["/tickets/1/comments"] = {"rows": [row(5), row(6, at="2026-03-01T09:30:00Z")]}
    found = product.speaks(OPENING).fetch("1", known=("5",))
    assert (found.fields["description"], [each.id for each in found.comments or ()]) == (None, ["6"])


def test_a_first_comment_that_is_internal_is_no_description(product: Product) -> None:
    first = row(4, at="2026-03-01T08:00:00Z", text="CANARY", private=True, files=[{"id": 1, "name": "CANARY"}])
    product.answers["/tickets/1/comments"] = {"rows": [first, row(5)]}
    found = product.reads(OPENING)
    assert "CANARY" not in repr(found)
    assert (found.fields["description"], [each.id for each in found.comments or ()]) == (None, ["5"])


def test_the_opening_may_show_by_its_kind(product: Product) -> None:
    conversation = {"comments": COMMENTS, "opening": {"field": "description", "where": {"kind": ["create"]}}}
    rows = [row(5, kind="mail"), row(6, kind="create", text="since noon", at="2026-03-01T09:30:00Z")]
    found = product.reads({**OPENING, "conversation": conversation}, {"comments": rows})
    assert (found.fields["description"], [each.id for each in found.comments or ()]) == ("since noon", ["5"])


# -- files -------------------------------------------------------------------------------------------------------------


def files_of(product: Product, comments: Any, files: Any, ticket: Any) -> tuple[list[list[str]], list[str]]:
    conversation = {"comments": {**COMMENTS, "internal": "private", **comments}, "files": files}
    found = product.reads({"conversation": conversation}, ticket)
    return [[file.name for file in each.files] for each in found.comments or ()], [file.name for file in found.files]


def test_files_of_the_ticket_name_the_comment_that_they_came_with(product: Product) -> None:
    listed = [
        {"id": 1, "name": "loose.log", "comment": None},
        {"id": 2, "name": "with.log", "comment": 5},
        {"id": 3, "name": "CANARY.log", "comment": "6"},
        {"id": 4, "name": "of nobody.log", "comment": 99},
    ]
    product.answers["/tickets/1/files"] = {"files": listed}
    apart = {"read": {"path": "/tickets/{key}/files"}, "rows": "files", "name": "name", "comment": "comment"}
    found = files_of(product, {}, apart, {"comments": [row(5), row(6, private=True)]})
    assert found == ([["with.log"], []], ["loose.log"])


def test_a_file_is_fetched_by_a_path_that_names_its_ticket_and_comment(product: Product) -> None:
    shape = {"rows": "files", "name": "name", "size": "size", "media_type": ["kind", "type"]}
    parts = {
        "conversation": {"comments": {**COMMENTS, "files": shape}},
        "download": {"path": "/files/{key}/{comment}/{id}"},
    }
    file = {"id": 3, "name": "a.log", "size": "4", "type": "text/plain"}
    (comment,) = product.reads(parts, {"comments": [row(files=[file])]}).comments or ()
    (found,) = comment.files
    assert (found.size, found.media_type) == (4, "text/plain")
    product.answers["/files/1/5/3"] = b"text"
    with product.speaks(parts).download(found) as chunks:
        assert b"".join(chunks) == b"text"


def test_a_link_to_a_file_is_followed_below_the_root_and_nowhere_else(product: Product) -> None:
    product.answers["/store/3?v=2"] = b"text"
    connector = product.speaks({})
    for link in (f"{product.server.url}/store/3?v=2", "/store/3?v=2"):
        with connector.download(RemoteFile("3", "a.log", "text/plain", 4, link)) as chunks:
            assert b"".join(chunks) == b"text"
    for link in ("https://evil.example.org/3", f"{product.server.url}.evil.example.org/3", "//evil.example.org/3"):
        with (
            pytest.raises(ProtocolError, match="another place"),
            connector.download(RemoteFile("3", "a.log", "text/plain", 4, link)) as chunks,
        ):
            b"".join(chunks)


# -- history -----------------------------------------------------------------------------------------------------------


def test_history_is_a_list_of_its_own_with_several_changes_in_a_row(product: Product) -> None:
    items = [
        {"field": "title", "from": "a", "to": "b"},
        {"field": "unknown", "from": 1, "to": 2},
        {"field": "owner", "from": "Bob B", "to": "", "from_id": 7, "to_id": None},
    ]
    product.answers["/tickets/1/history"] = {
        "rows": [{"id": 3, "by": "interdesk", "at": TICKET["changed"], "items": items}]
    }
    product.answers["/users/7"] = {"login": "bob"}
    history = {
        "read": {"path": "/tickets/{key}/history"},
        "rows": "rows",
        "author": "by",
        "at": "at",
        "items": "items",
        "field": "field",
        "old": "from",
        "new": "to",
        "old_id": "from_id",
        "new_id": "to_id",
    }
    parts = {
        "tables": {"users": {"sources": [], "one": {"path": "/users/{id}"}, "one_name": "login"}},
        "fields": {"title": {"at": "title", "write": "title"}, "owner": {"at": "owner", "history_table": "users"}},
        "conversation": {"comments": COMMENTS, "history": history},
    }
    found = product.reads(parts, {"comments": []})
    assert [(each.field, each.old, each.new, each.own) for each in found.history] == [
        ("title", "a", "b", True),
        ("owner", "bob", None, True),
    ]


def test_a_history_of_states_is_read_for_what_moved_and_asked_for_once_with_the_diaries_in_it(product: Product) -> None:
    act = {"by": "bob", "state": "new", "owner": None}
    rows = [
        {**act, "at": "2026-03-01 10:00:00"},
        {**act, "at": "2026-03-01 10:01:00", "public": "looking", "state": "open"},
        {**act, "at": "2026-03-01 10:02:00", "internal": "CANARY", "state": "open", "by": "interdesk"},
        {**act, "at": "2026-03-01 10:03:00", "owner": "bob", "state": "open"},
    ]
    product.answers["/tickets/1/acts"] = rows
    acts = {"read": {"path": "/tickets/{key}/acts"}, "rows": "", "author": "by", "at": "at", "id_from": ["at", "by"]}
    shows = {"state": ["state"], "owner": "owner"}
    parts = {
        "fields": {"state": {"at": "state"}, "owner": {"at": "owner"}},
        "conversation": {
            "comments": [
                {**acts, "text": "public"},
                {**acts, "text": "internal", "internal": True, "id_prefix": "i"},
            ],
            "history": {**acts, "shows": shows},
        },
    }
    found = product.reads(parts)
    assert "CANARY" not in repr(found)
    assert [(each.text, each.internal) for each in found.comments or ()] == [("looking", False), ("", True)]
    assert [(each.field, each.old, each.new) for each in found.history] == [
        ("state", "new", "open"),
        ("owner", None, "bob"),
    ]
    assert product.asked["/tickets/1/acts"] == 1


# -- the place ---------------------------------------------------------------------------------------------------------


def test_a_place_may_have_to_be_found_in_the_list_of_all(product: Product) -> None:
    settings = {**BASE["settings"], "group": {"says": "the group"}}
    place = {"path": "/groups", "rows": "groups", "one": "{group}"}
    product.answers["/groups"] = {"groups": [{"name": "grid"}]}
    parts = {"settings": settings, "place": place}
    with pytest.raises(NotFound, match="no ticket 9"):
        product.speaks(parts, {"group": "grid"}).fetch("9")
    findings = product.speaks(parts, {"group": "cloud"}).probe()
    assert any("it has: grid" in each.sentence for each in findings if not each.ok)


def test_a_ticket_of_another_place_is_none_of_ours(product: Product) -> None:
    settings = {**BASE["settings"], "group": {"says": "the group"}}
    parts = {"settings": settings, "within": {"ticket_at": "group", "place": "{group}"}}
    assert product.reads(parts, {"group": "grid"}, settings={"group": "grid"}).key == "1"
    with pytest.raises(NotFound, match="not in the place"):
        product.reads(parts, {"group": "cloud"}, settings={"group": "grid"})


# -- a profile that contradicts itself ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("powers", "parts", "sentence"),
    [
        ({"internal_comments": True}, {"conversation": {"comments": COMMENTS}}, "read as public"),
        (
            {"whole_conversation": True},
            {"conversation": {"comments": {**COMMENTS, "body": {"path": "/c/{comment}"}}}},
            "not asked for again",
        ),
        ({"history": True}, {"conversation": {"comments": COMMENTS}}, "neither history nor details"),
        ({}, {"conversation": {"comments": [COMMENTS, {**COMMENTS, "rows": "notes"}]}}, "id_prefix"),
        ({}, {"conversation": {"comments": COMMENTS, "opening": {"field": "body"}}}, "no field 'body'"),
        ({}, {"fields": {"state": {"at": "state", "resolve": "states"}}}, "no table 'states'"),
        ({}, {"people": {"key": "", "table": "users"}}, "no table 'users'"),
    ],
)
def test_what_a_profile_says_and_denies_is_told(product: Product, powers: Any, parts: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        product.speaks({"capabilities": {**BASE["capabilities"], **powers}, **parts})


# -- small words -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("template", "word", "filled"),
    [
        ("{it:number}", "7", 7),
        ("{it:number}", ["7", "A-8"], [7, "A-8"]),
        ("{it}", ["7"], ["7"]),
        ("{it:number}", "A-7", "A-7"),
        ("no {it}", 7, "no 7"),
    ],
)
def test_a_word_alone_keeps_its_type_or_is_a_number(template: str, word: Any, filled: Any) -> None:
    assert fill(template, {"it": word}) == filled


@pytest.mark.parametrize("yes", [True, 1, "1", "true", "Yes", "whatever"])
def test_these_mean_yes(yes: Any) -> None:
    assert truth(yes)


@pytest.mark.parametrize("no", [False, 0, "0", "false", "FALSE", "no", "off", "", None, [], {}])
def test_these_mean_no(no: Any) -> None:
    assert not truth(no)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("", {"a": [{"n": "x.y", "v": 1}]}),
        ("a.0.v", 1),
        ("a[n=x.y].v", 1),
        ("a[n=z].v", None),
        ("a.v", None),
        ("b.c", None),
    ],
)
def test_a_path_leads_where_it_says_or_nowhere(path: str, expected: Any) -> None:
    assert at({"a": [{"n": "x.y", "v": 1}]}, path) == expected


@pytest.mark.parametrize(
    ("data", "path", "expected"),
    [
        ({"fields": {"System.Title": "x"}}, "fields.'System.Title'", "x"),
        ({"@odata.nextLink": "/next"}, "'@odata.nextLink'", "/next"),
        ({"days": [{"notes": [{"id": 1}, {"id": 2}]}, {}, {"notes": {"id": 3}}]}, "days[].notes", [1, 2, 3]),
        ([{"notes": [{"id": 1}]}, {"notes": []}], "[].notes", [1]),
        ({"days": []}, "days[].notes", []),
        ({}, "days[].notes", None),
    ],
)
def test_a_path_leads_through_names_with_dots_and_through_all_rows(data: Any, path: str, expected: Any) -> None:
    found = at(data, path)
    assert [each["id"] for each in found] == expected if isinstance(found, list) else found == expected


@pytest.mark.parametrize(
    ("path", "data", "expected"),
    [
        ("*", {"return": '<?xml version="1.0" encoding="UTF-16"?><a><b>1</b></a>'}, {"return": {"b": "1"}}),
        ("rows.doc", {"rows": [{"doc": '{"a": 1}'}, {"doc": None}]}, {"rows": [{"doc": {"a": 1}}, {"doc": None}]}),
        ("", "[1, 2]", [1, 2]),
        ("said", {"said": "plain words"}, {"said": "plain words"}),
        ("said", {"other": "<a/>"}, {"other": "<a/>"}),
    ],
)
def test_a_document_inside_an_answer_is_read_in_its_place(path: str, data: Any, expected: Any) -> None:
    assert opened(data, [path]) == expected


def test_a_broken_document_inside_an_answer_is_an_answer_that_cannot_be_read(product: Product) -> None:
    product.answers["/tickets/1"] = {"ticket": '{"id": 1, "title"'}
    connector = product.speaks({"packed": "ticket", **ticket_with(at="ticket")})
    with pytest.raises(ProtocolError):
        connector.fetch("1")
    product.answers["/tickets/1"] = {"ticket": '{"id": 1, "title": "jobs fail", "changed": "2026-03-01T10:00:00Z"}'}
    assert connector.fetch("1").fields == {"title": "jobs fail"}


@pytest.fixture(autouse=True)
def _closed(server: Scripted) -> Iterator[None]:
    yield
    server.reply = lambda _: Reply(404)


def test_files_that_nothing_brings_are_refused_with_the_profile() -> None:
    parts = {name: said for name, said in BASE.items() if name != "download"}
    with pytest.raises(ValidationError, match="download does not say how"):
        Profile.model_validate(parts)
    assert Profile.model_validate({**parts, "capabilities": {"version": "weak", "row_version": "weak"}})


@pytest.mark.parametrize("root", ["https://elsewhere.example.org", "{url}.example.org", "{token}", "", "/api"])
def test_a_profile_that_would_take_our_credentials_elsewhere_is_refused(root: str) -> None:
    with pytest.raises(ValidationError, match=r"it must begin with \{url\}"):
        Profile.model_validate({**BASE, "root": root})


def test_a_profile_without_the_address_that_an_operator_registers_is_refused() -> None:
    settings = {**BASE["settings"], "url": {"kind": "text", "says": "where it is"}}
    with pytest.raises(ValidationError, match="there is no `url` of kind url"):
        Profile.model_validate({**BASE, "settings": settings})
