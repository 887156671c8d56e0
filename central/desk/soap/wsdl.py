"""The contract as clients are given it, written from the vocabulary."""

from collections.abc import Iterator

from central.desk.soap.envelope import escaped
from central.desk.soap.vocabulary import OPERATIONS, ROWS, SPACE, Element, Operation

_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<!-- The classic interface of GGUS, document/literal, as this helpdesk speaks it. Operations, elements and what is
     required are those of GGUS's published services GGUS, GGUS_ATTACH and GGUS_HISTORY, here in one. Ours are the
     order of elements, the one namespace, GHD_Origin_ID in answers and queries, and elements where GGUS had fewer. -->
"""
_LOGIN = """<xsd:element name="AuthenticationInfo" type="s:AuthenticationInfo"/>
<xsd:complexType name="AuthenticationInfo"><xsd:sequence>
<xsd:element name="userName" type="xsd:string"/>
<xsd:element name="password" type="xsd:string"/>
<xsd:element name="authentication" type="xsd:string" minOccurs="0"/>
<xsd:element name="locale" type="xsd:string" minOccurs="0"/>
<xsd:element name="timeZone" type="xsd:string" minOccurs="0"/>
</xsd:sequence></xsd:complexType>"""


def wsdl(address: str) -> bytes:
    """The whole contract, answered at this address."""
    return (_HEAD + "\n".join(_lines(address)) + "\n").encode()


def _lines(address: str) -> Iterator[str]:
    operations = tuple(OPERATIONS.values())
    yield (
        f'<wsdl:definitions name="GGUS" targetNamespace="{SPACE}" xmlns:s="{SPACE}"'
        ' xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/"'
        ' xmlns:xsd="http://www.w3.org/2001/XMLSchema">'
    )
    # the prefix is declared here too: some take the schema out of the rest
    yield (
        f'<wsdl:types><xsd:schema targetNamespace="{SPACE}" elementFormDefault="qualified" xmlns:s="{SPACE}"'
        ' xmlns:xsd="http://www.w3.org/2001/XMLSchema">'
    )
    yield _LOGIN
    for each in operations:
        yield from _wrapped(each.name, each.takes, rows=False)
        yield from _wrapped(f"{each.name}Response", each.gives, rows=each.rows)
    yield "</xsd:schema></wsdl:types>"
    yield _message("ARAuthenticate", "AuthenticationInfo")
    for each in operations:
        yield _message(f"{each.name}SoapIn", each.name)
        yield _message(f"{each.name}SoapOut", f"{each.name}Response")
    yield '<wsdl:portType name="GGUSPortType">'
    for each in operations:
        yield (
            f'<wsdl:operation name="{each.name}"><wsdl:input message="s:{each.name}SoapIn"/>'
            f'<wsdl:output message="s:{each.name}SoapOut"/></wsdl:operation>'
        )
    yield '</wsdl:portType>\n<wsdl:binding name="GGUSSoapBinding" type="s:GGUSPortType">'
    yield '<soap:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>'
    for each in operations:
        yield from _bound(each)
    yield '</wsdl:binding>\n<wsdl:service name="GGUSService"><wsdl:port name="GGUSSoap" binding="s:GGUSSoapBinding">'
    yield f'<soap:address location="{escaped(address)}"/></wsdl:port></wsdl:service></wsdl:definitions>'


def _wrapped(name: str, elements: tuple[Element, ...], *, rows: bool) -> Iterator[str]:
    yield f'<xsd:element name="{name}"><xsd:complexType><xsd:sequence>'
    if rows:
        yield f'<xsd:element name="{ROWS}" minOccurs="0" maxOccurs="unbounded"><xsd:complexType><xsd:sequence>'
    for each in elements:
        optional = "" if each.required and not rows else ' minOccurs="0"'
        yield f'<xsd:element name="{each.name}" type="xsd:{each.kind}"{optional}/>'
    if rows:
        yield "</xsd:sequence></xsd:complexType></xsd:element>"
    yield "</xsd:sequence></xsd:complexType></xsd:element>"


def _message(name: str, element: str) -> str:
    return f'<wsdl:message name="{name}"><wsdl:part name="parameters" element="s:{element}"/></wsdl:message>'


def _bound(operation: Operation) -> Iterator[str]:
    action = f"urn:{operation.service}/{operation.name}"
    yield f'<wsdl:operation name="{operation.name}"><soap:operation soapAction="{action}" style="document"/>'
    yield '<wsdl:input><soap:header message="s:ARAuthenticate" part="parameters" use="literal"/>'
    yield '<soap:body use="literal"/></wsdl:input>'
    yield '<wsdl:output><soap:body use="literal"/></wsdl:output></wsdl:operation>'
