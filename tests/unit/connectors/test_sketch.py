"""A sketch of a profile is valid as it stands, finds what is called by its usual name, and marks its guesses."""

import json
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.profiled.profile import Profile
from connectors.sketch.drawing import GUESS, draw
from connectors.sketch.openapi import Unreadable
from connectors.sketch.openapi import read as read_openapi
from connectors.sketch.services import read as read_wsdl
from tests.conformance.strangers.ledger import LedgerEmulator
from tests.conformance.strangers.mantis import MantisEmulator

HUB = Path(__file__).parent / "hub.openapi.yaml"
WSDLS = [
    Path(str(files("connectors.profiles") / "wsdl" / "ggus.wsdl")),
    Path(str(files("connectors.emulators") / "rpc.wsdl")),
]


def sketched(text: str) -> Profile:
    return Profile.model_validate(yaml.safe_load(text))


def test_an_openapi_document_becomes_a_valid_profile_that_knows_its_way() -> None:
    profile = sketched(draw(read_openapi(HUB.read_bytes()), "hub"))
    assert profile.root == "{url}/api/v2"
    assert profile.credentials.headers == {"X-Api-Key": "{token}"}
    assert (profile.ticket.read.path, profile.ticket.at, profile.ticket.changed_at) == (
        "/tickets/{key}",
        "ticket",
        ("updated_at",),
    )
    assert (profile.create.path, profile.create.at) == ("/tickets", "ticket")
    assert (profile.update.method, profile.update.path) == ("PATCH", "/tickets/{key}")
    assert profile.listing.changes == {"updated_since": "{since}"}
    assert profile.listing.query == {"page": "{page}", "per_page": "{per_page}"}
    assert profile.comment.path == "/tickets/{key}/comments"
    assert profile.comment.body == {"body": "{text}", "internal": "{internal}"}
    assert profile.fields["status"].values == ("new", "open", "done")
    assert (profile.fields["assignee"].kind, profile.fields["assignee"].at) == ("person", ("assignee.login",))
    assert profile.fields["title"].max_length == 200
    assert "id" not in profile.fields


@pytest.mark.parametrize("file", WSDLS, ids=lambda file: file.stem)
def test_a_wsdl_becomes_a_valid_profile(file: Path) -> None:
    text = draw(read_wsdl(file), "ours")
    profile = sketched(text)
    assert profile.family == "soap"
    assert profile.ticket.read.operation in ("TicketGet", "getIssue")
    assert profile.create.operation in ("OpCreate", "createIssue")


def test_how_a_soap_service_is_told_who_we_are_is_seen_in_what_it_asks(tmp_path: Path) -> None:
    file = tmp_path / "ledger.wsdl"
    file.write_bytes(LedgerEmulator(lambda: datetime.now(UTC)).wsdl())
    profile = sketched(draw(read_wsdl(file), "ours"))
    (step,) = profile.credentials.steps
    assert (step.operation, step.body) == ("login", {"username": "{user}", "password": "{password}"})
    assert profile.credentials.envelope == {"SessionHeader.sessionId": "{session}"}
    assert (profile.ticket.read.operation, profile.listing.operation) == ("retrieve", "query")
    assert profile.listing.changes == {"modifiedSince": "{since}"}
    file.write_bytes(MantisEmulator(lambda: datetime.now(UTC)).wsdl())
    profile = sketched(draw(read_wsdl(file), "ours"))
    assert profile.credentials.arguments == ("{user}", "{password}")
    assert profile.ticket.read.operation == "mc_issue_get"


def test_guesses_are_marked_and_every_operation_is_listed() -> None:
    text = draw(read_openapi(HUB.read_bytes()), "hub")
    assert f"download:\n  path: /attachments/{{id}}  {GUESS}" in text
    assert "#   GET /tickets/{ticketId}/comments" in text
    assert text.count(GUESS) > 5


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[]", b"a: b", b"openapi: 3.0.0", b"\xff\xfe", b"{" * 100_000, b"&a [*a]"]
)
def test_what_is_no_openapi_document_is_told_so(text: bytes) -> None:
    with pytest.raises(Unreadable):
        read_openapi(text)


def test_what_is_no_wsdl_is_told_so(tmp_path: Path) -> None:
    file = tmp_path / "x.wsdl"
    for text in ("", "<a/>", "no xml", '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'):
        file.write_text(text)
        with pytest.raises(Unreadable):
            read_wsdl(file)


def test_a_schema_that_leads_to_itself_ends() -> None:
    read = {"get": {"responses": {"200": {"$ref": "#/components/a"}}}}
    loop = {"openapi": "3.0.0", "paths": {"/tickets/{id}": read}}
    node = {"type": "object", "properties": {"parent": {"$ref": "#/components/node"}, "title": {"type": "string"}}}
    loop["components"] = {"a": {"schema": {"$ref": "#/components/node"}}, "node": node, "b": {"$ref": "#/components/b"}}
    profile = sketched(draw(read_openapi(json.dumps(loop).encode()), "x"))
    assert "title" in profile.fields


def test_a_name_with_a_dot_is_quoted() -> None:
    said = {"schema": {"type": "object", "properties": {"System.Title": {"type": "string"}, "id": {"type": "integer"}}}}
    answer = {"200": {"content": {"application/json": said}}}
    change = {"content": {"application/json": said}}
    paths = {"/tickets/{id}": {"get": {"responses": answer}, "patch": {"requestBody": change, "responses": answer}}}
    profile = sketched(draw(read_openapi(json.dumps({"openapi": "3.0.0", "paths": paths}).encode()), "x"))
    shape = profile.fields["System.Title"]
    assert (shape.at, shape.write) == (("'System.Title'",), "'System.Title'")


WORDS = ["get", "post", "parameters", "responses", "200", "schema", "properties", "type", "items", "$ref"]
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["get", "post", "parameters", "responses", "200", "schema", "properties", "type", "items", "$ref"]
            )
            | st.text(max_size=4),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(paths=st.dictionaries(st.sampled_from(["/tickets", "/tickets/{id}", "/x", ""]), _JSON, max_size=4))
def test_rubbish_inside_costs_guesses_and_never_a_crash(paths: dict[str, object]) -> None:
    sketched(draw(read_openapi(json.dumps({"openapi": "3.0.0", "paths": paths}).encode()), "x"))
