"""The documents of systems and of the instance: every problem at its place, none of them repeating a secret."""

from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest

from central.account import Grant, Role
from mappings.loader import DocumentError, read
from sync.config import InstanceDocument, SystemDocument, instance_document, system_document

WHOLE = """\
kind: system
name: ngi-cz
connector: rt
settings: {url: "https://rt.example.cz", queue: ggus, token: {secret: "env:INTERDESK_SECRET_NGI_CZ"}}
mapping: rt
support_units: [NGI_CZ]            # tickets assigned to these are created and kept there
birth_unit: TPM                    # the unit a ticket born there gets
poll: {every: 60s, overlap: 5m, full_scan: 24h}
limits: {in_flight: 2, per_minute: 120}
policy: {status: central, otherwise: central, internal_comments: never}
contacts: [ops@example.cz]
"""


def system(text: str = WHOLE) -> SystemDocument:
    return system_document(read(text, "ngi-cz.yaml")[0])


def problems(text: str) -> list[str]:
    with pytest.raises(DocumentError) as caught:
        system(text)
    return [str(problem) for problem in caught.value.problems]


def test_the_documented_example_is_understood_whole() -> None:
    document = system()
    assert document.support_units == ("NGI_CZ",)
    assert document.poll.overlap == timedelta(minutes=5)
    assert document.poll.full_scan == timedelta(days=1)
    assert document.limits.per_minute == 120
    assert document.overrides == {"status": "central", "otherwise": "central"}
    assert not document.share_internal


def test_what_is_not_said_has_the_documented_default() -> None:
    short = "\n".join(
        line
        for line in WHOLE.splitlines()
        if line.split(":")[0] in ("kind", "name", "connector", "settings", "mapping")
    )
    document = system(short)
    assert (document.poll.every, document.birth_unit, document.limits.in_flight) == (timedelta(seconds=60), "TPM", 2)
    assert document.support_units == ()


def test_all_problems_are_told_at_once_with_their_places() -> None:
    text = WHOLE.replace("birth_unit", "birht_unit").replace("60s", "60").replace("in_flight: 2", "in_flight: none")
    told = problems(text)
    assert [line.split(": ")[0] for line in told] == ["ngi-cz.yaml:7:1", "ngi-cz.yaml:8:15", "ngi-cz.yaml:9:21"]
    assert "did you mean 'birth_unit'?" in told[0]
    assert "60s, 5m, 24h or 7d" in told[1]


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ("policy: {statsu: central}", "did you mean 'status'?"),
        ("policy: {status: centrall}", "did you mean 'central'?"),
        ("policy: {internal_comments: always}", "there are: never, share"),
        ("policy: {status: [central]}", "must be text"),
        ("contacts: [ops]", "a contact is an e-mail address"),
        ("support_units: [NGI_CZ, NGI_CZ]", "a unit stands here twice"),
        ("support_units: ['']", "a support unit has 1 to 50 characters"),
        ("poll: {every: 0s}", "a duration is a number and its unit"),
        ("poll: {every: -5m}", "a duration is a number and its unit"),
        ("limits: {in_flight: 0}", "must be at least 1"),
        ("limits: {in_flight: 99}", "must be at most 16"),
        ("webhook: {key: ticket}", "webhook.secret: this key is missing"),
        ("webhook: {secret: {secret: 'env:INTERDESK_SECRET_X'}, header: 'a b'}", "letters, digits and dashes"),
    ],
)
def test_a_wrong_value_is_told_with_what_to_write_instead(wrong: str, sentence: str) -> None:
    key = wrong.split(":")[0]
    text = "\n".join(line for line in WHOLE.splitlines() if not line.startswith(key)) + f"\n{wrong}\n"
    (told,) = problems(text)
    assert sentence in told


@pytest.mark.parametrize(
    "reference",
    [
        "s3cr3t-t0ken",
        "env:HOME",
        "env:INTERDESK_SECRET_",
        "env:interdesk_secret_x",
        "file:../../etc/shadow",
        "file:/etc/shadow",
        "file:a/../../b",
        "sealed:x/y",
        "",
    ],
)
def test_what_is_no_reference_is_refused_and_not_repeated(reference: str) -> None:
    (told,) = problems(WHOLE.replace("env:INTERDESK_SECRET_NGI_CZ", reference))
    assert "secret" in told
    assert not reference or reference not in told


def test_a_secret_written_plainly_for_the_webhook_is_not_repeated() -> None:
    told = problems(WHOLE + "webhook: {secret: hunter2-hunter2}\n")
    assert told
    assert "hunter2" not in str(told)


def test_a_webhook_needs_nothing_beside_its_secret() -> None:
    document = system(WHOLE + 'webhook: {secret: {secret: "env:INTERDESK_SECRET_NGI_CZ_WEBHOOK"}}\n')
    assert document.webhook is not None
    assert (document.webhook.header, document.webhook.key) == ("X-Hub-Signature-256", "ticket")


def test_a_reference_may_stand_anywhere_in_the_settings() -> None:
    nested = WHOLE.replace("queue: ggus", "queue: ggus, more: [{deep: {secret: oops}}]")
    (told,) = problems(nested)
    assert told.startswith("ngi-cz.yaml:4:")


# -- the instance ----------------------------------------------------------------------------------------------------


def instance(text: str) -> InstanceDocument:
    return instance_document(read(f"kind: instance\nname: ggus\n{text}", "interdesk.yaml")[0])


def test_an_instance_says_where_it_is_and_what_it_allows() -> None:
    document = instance(
        "public_url: https://desk.example.org/\nallowed_networks: [10.0.0.0/8]\n"
        "limits: {file: 5 MB, comment: 1000}\nsecrets: secrets"
    )
    assert document.where_tickets_open == "https://desk.example.org/tickets/{id}"
    assert document.allowed_networks == (ip_network("10.0.0.0/8"),)
    assert (document.central_limits.file, document.central_limits.comment) == (5 * 1024 * 1024, 1000)
    assert document.secrets_folder(Path("/etc/interdesk")) == Path("/etc/interdesk/secrets")


def test_the_ticket_address_goes_before_the_page_of_the_ticket() -> None:
    document = instance("public_url: https://desk.example.org\nticket_address: https://ggus.example.org/?t={id}")
    assert document.where_tickets_open == "https://ggus.example.org/?t={id}"


OIDC = "oidc: {issuer: https://idp.example/x, client_id: us%s}\npublic_url: https://desk.example.org"


def test_an_instance_says_where_people_sign_in_and_what_they_are_here() -> None:
    more = ', client_secret: {secret: "env:INTERDESK_SECRET_OIDC"}, grants: {"*": [user], "urn:x": ["operator:ngi-cz"]}'
    provider = instance(OIDC % more).oidc
    assert provider is not None
    assert provider.granted == {
        "*": frozenset({Grant(Role.USER)}),
        "urn:x": frozenset({Grant(Role.OPERATOR, "ngi-cz")}),
    }


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ("oidc: {issuer: https://idp.example, client_id: us}", "oidc needs public_url"),
        (OIDC.replace("https://idp", "http://idp") % "", "begins with https://"),
        (OIDC % ", scopes: [email]", "openid is one of the scopes"),
        (OIDC % ', grants: {"*": [boss]}', "there is no role 'boss'"),
        (OIDC % ', grants: {"*": [operator]}', "write operator:NAME"),
        (OIDC % ", client_secret: {secret: hunter2}", "never the secret itself"),
        ("public_url: desk.example.org", "begins with https://"),
        ("ticket_address: https://x/{nr}", "holds {id}"),
        ("allowed_networks: [10.0.0.1/8]", "written as 10.1.0.0/16"),
        ("limits: {file: lots}", "a number of bytes"),
        ("limits: {fil: 1}", "did you mean 'file'?"),
        ("limits: {file: true}", "a number of bytes"),
    ],
)
def test_a_wrong_value_of_the_instance_is_told(wrong: str, sentence: str) -> None:
    with pytest.raises(DocumentError, match=r"interdesk\.yaml:3:") as caught:
        instance(wrong)
    assert sentence in str(caught.value)
