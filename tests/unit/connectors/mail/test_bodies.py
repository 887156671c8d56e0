"""Fields and text of a mail."""

import pytest

from connectors.mail import bodies
from connectors.mail.profile import MailProfile
from connectors.registry import profiles

GGUS = profiles()["mail-ggus"]
FREE = profiles()["mail"]
assert isinstance(GGUS, MailProfile)
assert isinstance(FREE, MailProfile)
XML = GGUS.model_copy(
    update={"body": "xml", "fields": {n: f.model_copy(update={"label": n}) for n, f in GGUS.fields.items()}}
)


@pytest.mark.parametrize("profile", [GGUS, XML], ids=["lines", "xml"])
@pytest.mark.parametrize("text", ["", "hello", "two\n\nlines & <b>", "ends with a line\nSTATUS of it: none"])
@pytest.mark.parametrize("solution", ["restarted", "two\nlines\n\n  indented", 'a <b> & ]]> "c"', "STATUS: none"])
def test_what_is_written_is_read_again(profile: MailProfile, text: str, solution: str) -> None:
    fields = {"status": "in progress", "solution": solution, "affected_vo": None}
    assert bodies.read(profile, bodies.write(profile, text, fields)) == bodies.Said(text, fields)


def test_the_last_block_of_their_mails_tells_the_fields() -> None:
    said = bodies.read(
        GGUS, "STATUS: old\n\nplease look\n\nNOTIFIED SITE: Far-T2\nCONCERNED VO: none\nSTATUS: assigned\n"
    )
    assert said.fields == {"affected_site": "Far-T2", "affected_vo": "none", "status": "assigned"}
    assert said.text == "STATUS: old\n\nplease look"


def test_a_field_that_is_not_theirs_to_change_is_not_read_and_free_text_changes_nothing() -> None:
    assert bodies.read(GGUS, "x\n\nASSIGNED TO: eve@evil.example").fields == {}
    assert bodies.read(GGUS, "Status: solved").fields == {}
    assert bodies.read(FREE, "hello\n\nStatus: solved") == bodies.Said("hello\n\nStatus: solved", {})


def test_a_value_is_no_longer_than_the_field() -> None:
    assert bodies.read(GGUS, f"PRIORITY: {'x' * 100}").fields == {"priority": "x" * 20}


@pytest.mark.parametrize(
    "text",
    [
        "no XML at all",
        '<!DOCTYPE t [<!ENTITY a "x">]><ticket><status>&a;</status></ticket>',
        "<ticket><status>solved</ticket>",
        "<ticket>" * 10_000,
    ],
)
def test_xml_that_is_none_or_is_meant_to_hurt_is_text(text: str) -> None:
    assert bodies.read(XML, text) == bodies.Said(text, {})


def test_only_what_stands_right_below_the_root_is_a_field() -> None:
    said = bodies.read(XML, "<ticket><a><status>solved</status></a><status>new</status><text>hi</text></ticket>")
    assert said == bodies.Said("hi", {"status": "new"})
