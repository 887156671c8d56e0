"""A profile's requests as SOAP calls over real HTTP: who we are, what faults mean, and where the WSDL comes from."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

import connectors
from connectors.answers import Answer
from connectors.emulators import rpc
from connectors.emulators.rpc import RpcEmulator
from connectors.emulators.server import Asked, Fault, Reply
from connectors.emulators.soap import SoapEmulator, called, enveloped
from connectors.environment import Environment
from connectors.errors import AccessError, NotFound, ProtocolError, Refused, Transient, Unknown
from connectors.profiled.profile import Profile
from connectors.profiled.quirks import Quirks
from connectors.profiled.site import Site
from connectors.profiled.vocabulary.parts import Request
from connectors.soap.wsdl import shipped
from tests.unit.connectors.conftest import Clock

RPC = Path(connectors.__file__).parent / "emulators" / "rpc.wsdl"
CLERK = Path(__file__).parents[3] / "conformance" / "profiles" / "clerk.yaml"


def profile(**changed: Any) -> Profile:
    data = yaml.safe_load(CLERK.read_text("utf-8"))
    return Profile.model_validate({**data, **changed})


@pytest.fixture
def clerk(clock: Clock) -> Iterator[RpcEmulator]:
    with RpcEmulator(clock) as running:
        yield running


Opened = Callable[..., Site]


@pytest.fixture
def opened(here: Environment) -> Iterator[Opened]:
    sites: list[Site] = []

    def opening(url: str, *, password: str = "emulated-password", **changed: Any) -> Site:
        settings = {"url": url, "wsdl": str(RPC), "user": "interdesk", "password": password}
        sites.append(Site(profile(**changed), settings, here, Quirks()))
        return sites[-1]

    yield opening
    for site in sites:
        site.http.close()


def get(site: Site, key: str = "1") -> Answer:
    return site.read(Request(operation="getIssue", body={"in1": "{key}"}), key=key)


def note(site: Site, key: str = "1", text: str = "x") -> Answer:
    return site.write(Request(operation="addNote"), {"in1": key, "in2": {"body": text, "level": "public"}})


def test_a_log_in_gives_the_first_argument_of_every_call_and_is_asked_once(clerk: RpcEmulator, opened: Opened) -> None:
    clerk.tracker.person("alice").open({"summary": "jobs fail"})
    site = opened(clerk.url)
    for _ in range(3):
        assert get(site).data()["getIssueReturn"]["summary"] == "jobs fail"
    assert [called(each.body).operation for each in clerk.asked] == ["login", *["getIssue"] * 3]


def test_a_session_that_is_over_is_renewed_and_a_write_is_done_once(clerk: RpcEmulator, opened: Opened) -> None:
    key = clerk.tracker.person("alice").open({"summary": "jobs fail"})
    site = opened(clerk.url)
    get(site)
    clerk.expire()
    note(site, key, "after a night")
    assert [each.text for each in clerk.tracker.issue(key).notes] == ["after a night"]


def test_wrong_credentials_are_an_access_error_without_them(clerk: RpcEmulator, opened: Opened) -> None:
    with pytest.raises(AccessError, match="invalid username or password") as denied:
        get(opened(clerk.url, password="wrong-secret"))
    assert "wrong-secret" not in str(denied.value)


@pytest.mark.parametrize("quirks", [rpc.Quirks(), rpc.Quirks(fault_with_200=True), rpc.Quirks(bare_faults=True)])
def test_a_fault_of_any_status_and_namespace_is_its_remedy_in_the_trackers_words(
    clock: Clock, opened: Opened, quirks: rpc.Quirks
) -> None:
    with RpcEmulator(clock, quirks=quirks) as clerk:
        clerk.tracker.person("alice").open({"summary": "jobs fail"})
        site = opened(clerk.url)
        with pytest.raises(NotFound, match="no issue 99"):
            get(site, "99")
        with pytest.raises(Refused, match=r"^status 'bogus' isn't a valid value\.$"):
            site.write(Request(operation="updateIssue"), {"in1": "1", "in2": {"status": "bogus"}})


def test_a_fault_that_nobody_knows_is_open_after_a_write_and_worth_another_try_of_a_read(
    clerk: RpcEmulator, opened: Opened
) -> None:
    clerk.tracker.person("alice").open({"summary": "jobs fail"})
    site = opened(clerk.url, errors={})
    get(site)
    with pytest.raises(Unknown, match="no issue 99"):
        note(site, "99")
    with pytest.raises(Transient, match="no issue 99"):
        get(site, "99")
    with pytest.raises(Refused, match="No such operation"):
        site.write(Request(operation="getAttachment"), {"in1": "7", "Extra": "argument"})


@pytest.mark.parametrize("how", ["page after", "cut"])
def test_what_is_no_envelope_after_a_write_leaves_it_open(clerk: RpcEmulator, opened: Opened, how: str) -> None:
    key = clerk.tracker.person("alice").open({"summary": "jobs fail"})
    site = opened(clerk.url)
    get(site)
    clerk.fault = lambda asked: Fault(how) if asked.kind == "comment" else None
    with pytest.raises(Unknown):
        note(site, key).data()
    assert len(clerk.tracker.issue(key).notes) == 1


def test_a_page_instead_of_an_answer_says_so(clerk: RpcEmulator, opened: Opened) -> None:
    site = opened(clerk.url)
    clerk.fault = lambda asked: Fault("page") if asked.kind == "read" else None
    with pytest.raises(ProtocolError, match="web page where data was expected"):
        get(site).data()


def test_arguments_may_be_said_by_position(clerk: RpcEmulator, opened: Opened) -> None:
    clerk.tracker.person("alice").open({"summary": "jobs fail"})
    request = Request(operation="getIssues", body={"1": "100"})
    assert [each["key"] for each in opened(clerk.url).read(request).data()["getIssuesReturn"]] == ["1"]


def test_an_operation_or_wsdl_that_is_not_there_says_what_to_do(clerk: RpcEmulator, opened: Opened) -> None:
    with pytest.raises(AccessError, match=r"no operation 'getIsue' \(did you mean"):
        opened(clerk.url).read(Request(operation="getIsue"))
    with pytest.raises(AccessError, match=r"the WSDL cannot be read: .*No such file"):
        get(opened(clerk.url, soap={"wsdl": "{user}"}))
    with pytest.raises(AccessError, match="not pinned: look at it, and write wsdl_digest: sha256:"):
        get(opened(clerk.url, soap={"wsdl": "{url}/rpc/soap/clerk?wsdl"}))


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"soap": None}, r"soap: missing, and the family is soap"),
        ({"family": "rest"}, r"soap: the family is rest.*ticket\.read\.operation: only SOAP has operations"),
        ({"place": {"path": "/me"}}, r"place: say which operation of the WSDL it is"),
    ],
)
def test_a_profile_that_speaks_of_another_family_is_told_so(changed: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        profile(**changed)


def test_the_wsdls_host_is_not_believed_but_its_path_is(clerk: RpcEmulator, opened: Opened) -> None:
    get_paths = {"in the WSDL": {}, "in the profile": {"path": "/elsewhere"}}
    seen = {}
    for name, more in get_paths.items():
        site = opened(clerk.url, soap={"wsdl": "{wsdl}", **more})
        site.read(Request(operation="whoAmI"))
        seen[name] = clerk.asked[-1].path
        site.read(Request(operation="whoAmI", path="/its/own"))
        assert clerk.asked[-1].path == "/its/own"
    assert seen == {"in the WSDL": "/rpc/soap/clerk", "in the profile": "/elsewhere"}


class Recorder(SoapEmulator):
    """Answers everything with the same words, and keeps what was asked."""

    said: str = "<r><ok>1</ok></r>"

    def account(self, asked: Asked) -> str:
        return ""

    def kind(self, asked: Asked) -> str:
        return "call"

    def hint(self, deed: Any) -> Mapping[str, Any]:
        return {}

    def answer(self, asked: Asked) -> Reply:
        return Reply(200, enveloped(self.said), {"Content-Type": "text/xml"})


@pytest.fixture
def recorder(clock: Clock) -> Iterator[Recorder]:
    with Recorder(RpcEmulator(clock).tracker) as running:
        yield running


def test_credentials_go_into_the_envelopes_header_and_never_into_an_error(recorder: Recorder, opened: Opened) -> None:
    credentials = {
        "envelope": {"AuthenticationInfo.userName": "{user}", "AuthenticationInfo.password": "{password}"},
        "wsse": {"user": "{user}", "password": "{password}"},
    }
    site = opened(recorder.url, credentials=credentials, soap={"wsdl": "ggus.wsdl"})
    assert site.read(Request(operation="TicketGet", body={"GHD_Request_ID": "7"})).data() == {"ok": "1"}
    call = called(recorder.asked[-1].body)
    assert call.header["AuthenticationInfo"] == {"userName": "interdesk", "password": "emulated-password"}
    assert call.header["Security"]["UsernameToken"]["Username"] == "interdesk"
    assert call.body == {"GHD_Request_ID": "7"}
    assert "emulated-password" not in repr(site.voice)


@pytest.mark.parametrize(
    ("action", "own", "wanted"),
    [
        (None, {}, '"urn:GGUS/TicketGet"'),
        ("", {}, '""'),
        ("{namespace}/#{operation}", {}, '"urn:GGUS/#TicketGet"'),
        (None, {"SOAPAction": "own"}, "own"),
    ],
)
def test_the_soap_action_is_as_the_profile_says(
    recorder: Recorder, opened: Opened, action: str | None, own: dict[str, str], wanted: str
) -> None:
    site = opened(recorder.url, credentials={}, soap={"wsdl": "ggus.wsdl", "action": action})
    site.read(Request(operation="TicketGet", headers=own))
    assert recorder.asked[-1].headers["soapaction"] == wanted
    assert recorder.asked[-1].method == "POST"


def test_where_there_is_no_wsdl_calls_go_as_they_are_said(recorder: Recorder, opened: Opened) -> None:
    soap = {
        "namespace": "http://www.otrs.org/TicketConnector/",
        "path": "/service",
        "action": "{namespace}#{operation}",
    }
    site = opened(recorder.url, credentials={"body": {"UserLogin": "{user}"}}, soap=soap)
    site.read(Request(operation="TicketGet", body={"TicketID": 7, "Article.Body": "x", "Article.Hidden": True}))
    call = called(recorder.asked[-1].body)
    assert call.body == {"UserLogin": "interdesk", "TicketID": "7", "Article": {"Body": "x", "Hidden": "true"}}
    assert b'xmlns:n0="http://www.otrs.org/TicketConnector/"' in recorder.asked[-1].body
    assert recorder.asked[-1].headers["soapaction"] == '"http://www.otrs.org/TicketConnector/#TicketGet"'
    assert recorder.asked[-1].path == "/service"
    soap = {"namespace": "urn:x", "path": "/service", "style": "rpc", "encoded": True}
    site = opened(recorder.url, credentials={"arguments": ["{user}"]}, soap=soap)
    site.read(Request(operation="get", body={"0": 7}))
    assert b'<in0 xsi:type="xsd:string">interdesk</in0><in1 xsi:type="xsd:int">7</in1>' in recorder.asked[-1].body


@pytest.mark.parametrize(
    ("soap", "why"),
    [
        ({}, "say wsdl, or namespace"),
        ({"wsdl": "ggus.wsdl", "namespace": "urn:x"}, "and not both"),
        ({"namespace": "urn:x"}, "say path"),
        ({"wsdl": "ggus.wsdl", "style": "rpc"}, "are the WSDL's to say"),
    ],
)
def test_a_wsdl_and_what_stands_for_one_exclude_each_other(soap: dict[str, str], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        profile(soap=soap)


def test_a_wsdl_at_an_address_is_asked_for_once_and_must_be_the_pinned_one(
    server: Any, here: Environment, opened: Opened
) -> None:
    wsdl = shipped("ggus.wsdl")
    asked = []

    def reply(request: Asked) -> Reply:
        asked.append(request.method)
        return Reply(200, wsdl.text if request.method == "GET" else enveloped("<r/>"), {})

    server.reply = reply
    site = opened(server.url, credentials={}, soap={"wsdl": "{url}/service?wsdl"})
    site.voice._origin = replace(site.voice._origin, words={**site.voice._origin.words, "wsdl_digest": wsdl.digest})
    for _ in range(2):
        site.read(Request(operation="TicketGet", body={"GHD_Request_ID": "7"}))
    assert asked == ["GET", "POST", "POST"]
    drifted = opened(server.url, credentials={}, soap={"wsdl": "{url}/service?wsdl"})
    words = {**drifted.voice._origin.words, "wsdl_digest": "sha256:other"}
    drifted.voice._origin = replace(drifted.voice._origin, words=words)
    with pytest.raises(AccessError, match="not the one that was pinned"):
        drifted.read(Request(operation="TicketGet"))
