"""A WSDL is read without asking anybody, and what is built from it is what the server takes."""

import base64
import re
from datetime import timedelta
from pathlib import Path

import pytest
from lxml import etree

import connectors
from connectors.emulators.server import Reply
from connectors.errors import AccessError, ProtocolError
from connectors.soap import raw
from connectors.soap.contract import ContractError, Operation, contract
from connectors.soap.envelope import Envelope, Header, build, http_headers
from connectors.soap.wsdl import Wsdl, fetched, given, shipped
from connectors.testing import draft

RPC = Path(connectors.__file__).parent / "emulators" / "rpc.wsdl"
NS = {
    "soap": "http://schemas.xmlsoap.org/soap/envelope/",
    "g": "urn:GGUS",
    "xsi": "http://www.w3.org/2001/XMLSchema-instance",
}


def parsed(envelope: Envelope) -> etree._Element:
    text = b"".join(envelope)
    assert len(text) == len(envelope)
    return etree.fromstring(text)


def ggus(name: str) -> Operation:
    return contract(shipped("ggus.wsdl")).operation(name)


def rpc(name: str) -> Operation:
    return contract(given(RPC)).operation(name)


def names(element: etree._Element) -> list[str]:
    return [etree.QName(each).localname for each in element]


# -- building ------------------------------------------------------------------------------------------------------


def test_a_document_literal_call_has_its_elements_in_the_contracts_order_and_namespace() -> None:
    body = {"GHD_Status": "in progress", "GHD_Last_Login": "interdesk", "GHD_Request_ID": 7}
    made = parsed(build(ggus("TicketModify"), body))
    (call,) = made.find("soap:Body", NS)
    assert call.tag == "{urn:GGUS}TicketModify"
    assert names(call) == ["GHD_Request_ID", "GHD_Last_Login", "GHD_Status"]
    assert {etree.QName(each).namespace for each in call} == {"urn:GGUS"}
    assert [each.text for each in call] == ["7", "interdesk", "in progress"]


def test_elements_that_the_contract_does_not_know_stand_where_the_body_has_them() -> None:
    body = {"Before": "0", "GHD_Request_ID": "7", "Hidden": {"Deep": ["a", "b"]}, "More": True, "GHD_Status": "x"}
    (call,) = parsed(build(ggus("TicketModify"), body)).find("soap:Body", NS)
    assert names(call) == ["Before", "GHD_Request_ID", "Hidden", "More", "GHD_Status"]
    hidden = call.find("g:Hidden", NS)
    assert [each.text for each in hidden] == ["a", "b"]
    assert call.findtext("g:More", namespaces=NS) == "true"


def test_zeep_itself_takes_what_is_built_for_what_it_builds() -> None:
    import zeep
    from zeep.transports import Transport

    client = zeep.Client(str(Path(connectors.__file__).parent / "profiles/wsdl/ggus.wsdl"), transport=Transport())
    fields = {"GHD_Request_ID": "7", "GHD_Last_Modifier": "A & B <c>", "GHD_Last_Login": "x", "GHD_Status": "new"}
    theirs = client.create_message(client.service, "TicketModify", **fields)
    ours = parsed(build(ggus("TicketModify"), fields))
    for one, other in zip(theirs.iter(), ours.iter(), strict=True):
        assert one.tag == other.tag
        assert (one.text or "").strip() == (other.text or "").strip()


def test_none_is_nil_where_that_is_allowed_and_an_empty_element_elsewhere() -> None:
    (call,) = parsed(build(ggus("TicketModify"), {"GHD_Status": None})).find("soap:Body", NS)
    assert call[0].text is None
    assert call[0].get(f"{{{NS['xsi']}}}nil") is None
    (call,) = parsed(build(rpc("createIssue"), ["t", {"summary": None}])).find("soap:Body", NS)
    assert call[1][0].get(f"{{{NS['xsi']}}}nil") == "true"


def test_text_is_escaped_and_what_xml_cannot_say_is_replaced_visibly() -> None:
    text = "a<b>&\"' \r\n\u202e \U0001f691 \x1b[0m \x00 \ud800"
    (call,) = parsed(build(ggus("TicketModify"), {"GHD_Status": text})).find("soap:Body", NS)
    assert call[0].text == "a<b>&\"' \r\n\u202e \U0001f691 \ufffd[0m \ufffd \ufffd"


def test_what_is_no_name_is_refused_and_never_written() -> None:
    with pytest.raises(ContractError, match="cannot be an element's name"):
        build(ggus("TicketModify"), {"x><y": "z"})
    with pytest.raises(ContractError, match="cannot be an attribute's name"):
        build(ggus("TicketModify"), {"X": {'@a="" b': "z"}})


def test_a_value_may_say_which_type_it_is_of() -> None:
    body = {"X": {"@xsi:type": "Incident", "Y": {"@xsi:type": "{urn:other}Kind", "#text": "t"}}}
    sent = b"".join(build(ggus("TicketModify"), body)).decode()
    prefixes = {space: prefix for prefix, space in re.findall(r'xmlns:(\w+)="([^"]*)"', sent)}
    ours = prefixes[ggus("TicketModify").namespace]
    assert f'xsi:type="{ours}:Incident"' in sent
    assert f'xsi:type="{prefixes["urn:other"]}:Kind">t<' in sent
    with pytest.raises(ContractError, match="cannot be a type's name"):
        build(ggus("TicketModify"), {"X": {"@xsi:type": 'a" b="c'}})


def test_attributes_and_other_namespaces_are_said_in_the_name() -> None:
    body = {"{urn:other}X": {"@kind": "a", "#text": "t"}, "{}Y": "u"}
    (call,) = parsed(build(ggus("TicketModify"), body)).find("soap:Body", NS)
    assert [each.tag for each in call] == ["{urn:other}X", "Y"]
    assert (call[0].get("kind"), call[0].text) == ("a", "t")


def test_credentials_stand_in_the_header_as_elements_or_as_ws_security() -> None:
    known = {"AuthenticationInfo": contract(shipped("ggus.wsdl")).header("AuthenticationInfo")}
    said = Header({"AuthenticationInfo": {"password": "p", "userName": "u"}}, known, "urn:unused", ("u2", "p<2"))
    made = parsed(build(ggus("TicketGet"), {"GHD_Request_ID": "7"}, header=said))
    header = made.find("soap:Header", NS)
    assert names(header) == ["AuthenticationInfo", "Security"]
    assert names(header[0]) == ["userName", "password"]
    assert header[0].tag == "{urn:GGUS}AuthenticationInfo"
    user, password = header[1][0]
    assert (user.text, password.text) == ("u2", "p<2")
    assert password.get("Type").endswith("#PasswordText")


@pytest.mark.parametrize(
    ("action", "wanted"),
    [
        (None, '"urn:GGUS/TicketGet"'),
        ("", '""'),
        ("{namespace}#{operation}", '"urn:GGUS#TicketGet"'),
        ("http://x/#{operation}", '"http://x/#TicketGet"'),
    ],
)
def test_the_soap_action_is_the_contracts_or_a_template_or_nothing(action: str | None, wanted: str) -> None:
    headers = http_headers(ggus("TicketGet"), action)
    assert headers["SOAPAction"] == wanted
    assert headers["Content-Type"].startswith("text/xml")


def test_an_encoded_call_takes_its_arguments_by_position_and_tells_their_types() -> None:
    notes = [{"body": "x", "id": 7}]
    made = parsed(build(rpc("updateIssue"), ["token", 7, {"labels": ["a", "b"], "notes": notes, "Strange": True}]))
    (call,) = made.find("soap:Body", NS)
    assert call.tag == "{urn:clerk}updateIssue"
    assert call.get("{http://schemas.xmlsoap.org/soap/envelope/}encodingStyle") == str(call.nsmap["enc"])
    kind = f"{{{NS['xsi']}}}type"
    prefix = call[2].get(kind).partition(":")[0]
    assert call.nsmap[prefix] == "urn:clerk:beans"
    assert [(each.tag, each.get(kind)) for each in call] == [
        ("in0", "xsd:string"),
        ("in1", "xsd:string"),
        ("in2", f"{prefix}:Issue"),
    ]
    array = "{http://schemas.xmlsoap.org/soap/encoding/}arrayType"
    assert [(each.tag, each.get(kind), each.get(array)) for each in call[2]] == [
        ("labels", "enc:Array", "xsd:string[2]"),
        ("notes", "enc:Array", f"{prefix}:Note[1]"),
        ("Strange", "xsd:boolean", None),
    ]
    assert [(each.tag, each.get(kind)) for each in call[2][1][0]] == [("id", "xsd:string"), ("body", "xsd:string")]
    assert raw.said(etree.tostring(made)).data == {
        "in0": "token",
        "in1": "7",
        "in2": {"labels": ["a", "b"], "notes": [{"id": "7", "body": "x"}], "Strange": "true"},
    }


def test_arguments_that_are_not_said_are_nil_so_that_the_others_keep_their_places() -> None:
    for body in (["t", None, 100], {"in2": 100, "in0": "t"}):
        (call,) = parsed(build(rpc("getIssues"), body)).find("soap:Body", NS)
        assert names(call) == ["in0", "in1", "in2"]
        assert call[1].get(f"{{{NS['xsi']}}}nil") == "true"
    with pytest.raises(ContractError, match="takes 1 arguments, and there are 2"):
        build(rpc("whoAmI"), ["t", "u"])


def test_a_file_is_sent_piece_by_piece_with_its_length_known_before() -> None:
    content = bytes(range(256)) * 4096
    body = ["t", "7", {"body": "see", "files": [{"name": "x", "data": draft("x", content)}, {"data": b"ab"}]}]
    made = build(rpc("addNote"), body)
    assert max(len(each) for each in made) < 100_000
    found = raw.said(b"".join(made)).data["in2"]["files"]
    assert base64.b64decode(found[0]["data"]) == content
    assert found[1]["data"] == "YWI="
    assert len(b"".join(made)) == len(made)


def test_an_empty_array_and_one_of_one_are_arrays() -> None:
    for values in ([], ["a"]):
        (call,) = parsed(build(rpc("updateIssue"), ["t", "7", {"labels": values}])).find("soap:Body", NS)
        assert raw.said(etree.tostring(call.getroottree())).data["in2"] == {"labels": values}


# -- reading a WSDL ------------------------------------------------------------------------------------------------


def test_an_operation_that_is_not_there_names_the_nearest() -> None:
    with pytest.raises(ContractError, match=r"no operation 'TicketGit' \(did you mean 'TicketGet'\?\)"):
        ggus("TicketGit")
    with pytest.raises(ContractError, match=r"no port 'x'.*: GGUSSoap"):
        contract(shipped("ggus.wsdl")).operation("TicketGet", "x")


def test_a_wsdl_is_read_once_in_a_process() -> None:
    assert contract(shipped("ggus.wsdl")) is contract(shipped("ggus.wsdl"))


@pytest.mark.parametrize(
    "evil",
    [
        '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><definitions>&e;</definitions>',
        '<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd"><definitions/>',
        "<definitions>" + "<a>" * 500,
        "no xml at all",
    ],
)
def test_a_hostile_wsdl_is_refused_before_anything_is_made_of_it(evil: str) -> None:
    with pytest.raises(ContractError, match="cannot be taken"):
        contract(Wsdl(evil.encode()))


@pytest.mark.parametrize("where", ["http://127.0.0.1:1/types.xsd", "file:///etc/passwd", "types.xsd", "../types.xsd"])
def test_what_a_wsdl_imports_is_given_with_it_or_it_is_refused_and_nothing_is_fetched(where: str) -> None:
    text = _importing(where)
    with pytest.raises(ContractError, match=r"which was not given: nothing is fetched"):
        contract(Wsdl(text))
    name = where.rpartition("/")[2]
    types = b"""<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:t"
        elementFormDefault="qualified"><xs:element name="Ask"><xs:complexType><xs:sequence>
        <xs:element name="B" type="xs:string"/><xs:element name="A" type="xs:string"/>
        </xs:sequence></xs:complexType></xs:element></xs:schema>"""
    operation = contract(Wsdl(text, {name: types})).operation("Ask")
    (call,) = parsed(build(operation, {"A": "1", "B": "2"})).find("soap:Body", NS)
    assert [each.tag for each in call] == ["{urn:t}B", "{urn:t}A"]


def _importing(where: str) -> bytes:
    return f"""<wsdl:definitions xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:t="urn:t" xmlns:d="urn:d"
      xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:xs="http://www.w3.org/2001/XMLSchema"
      targetNamespace="urn:d"><wsdl:types><xs:schema targetNamespace="urn:d">
      <xs:import namespace="urn:t" schemaLocation="{where}"/></xs:schema></wsdl:types>
      <wsdl:message name="In"><wsdl:part name="p" element="t:Ask"/></wsdl:message>
      <wsdl:portType name="P"><wsdl:operation name="Ask"><wsdl:input message="d:In"/></wsdl:operation></wsdl:portType>
      <wsdl:binding name="B" type="d:P"><soap:binding transport="http://schemas.xmlsoap.org/soap/http"/>
      <wsdl:operation name="Ask"><soap:operation soapAction="x"/><wsdl:input><soap:body use="literal"/></wsdl:input>
      </wsdl:operation></wsdl:binding><wsdl:service name="S"><wsdl:port name="S" binding="d:B">
      <soap:address location="http://x/"/></wsdl:port></wsdl:service></wsdl:definitions>""".encode()


# -- fetching one --------------------------------------------------------------------------------------------------


def test_a_wsdl_is_fetched_only_as_it_was_pinned_and_says_what_to_do_else(server, here) -> None:  # type: ignore[no-untyped-def]
    text = shipped("ggus.wsdl").text
    server.reply = lambda _: Reply(200, text, {"Content-Type": "text/xml"})

    def fetch(pin: str) -> Wsdl:
        return fetched(f"{server.url}/service?wsdl", here, headers={}, pin=pin, ca_file=None)

    with pytest.raises(AccessError, match="not pinned: look at it, and write wsdl_digest: sha256:") as unpinned:
        fetch("")
    (digest,) = re.findall(r"sha256:\w+", str(unpinned.value))
    assert fetch(digest).text == text
    server.reply = lambda _: Reply(200, text + b" ", {})
    with pytest.raises(AccessError, match="not the one that was pinned"):
        fetch(digest)
    assert {(asked.method, asked.path) for asked in server.asked} == {("GET", "/service")}


def test_a_wsdl_that_is_none_or_too_large_or_out_of_bounds_is_an_error(server, here) -> None:  # type: ignore[no-untyped-def]
    server.reply = lambda _: Reply(200, b"<html>log in", {})
    with pytest.raises(ProtocolError, match="is no WSDL"):
        fetched(f"{server.url}/x", here, headers={}, pin="", ca_file=None)
    server.reply = lambda _: Reply(200, b"x" * (9 << 20), {})
    with pytest.raises(ProtocolError, match="larger than"):
        fetched(f"{server.url}/x", here, headers={}, pin="", ca_file=None)
    strict = type(here)(clock=here.clock, sleep=here.sleep, deadline=timedelta(seconds=1))
    with pytest.raises(AccessError, match="allowed_networks"):
        fetched(f"{server.url}/x", strict, headers={}, pin="", ca_file=None)
