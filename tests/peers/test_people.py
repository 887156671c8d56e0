"""The ground the other tests stand on: people at the real trackers write and read what they mean."""

import pytest

from tests.peers.people import ActFailed, Attached, Person
from tests.peers.sites import RedmineSite, RtSite, Site, ZnunySite

pytestmark = pytest.mark.peer

TAKEN = {"RtSite": "open", "RedmineSite": "In Progress", "ZnunySite": "open"}
URGENT = {"RtSite": "77", "RedmineSite": "Urgent", "ZnunySite": "5 very high"}
SHOWN = {"RtSite": "agent", "RedmineSite": "agent", "ZnunySite": "Ada Agent"}
CREATED = {"RtSite": 201, "RedmineSite": 201, "ZnunySite": 0}


@pytest.fixture(params=["rt", "redmine", "znuny"])
def site(request: pytest.FixtureRequest) -> Site:
    found: Site = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def person(site: RtSite | RedmineSite | ZnunySite) -> Person:
    return site.agent


def test_a_ticket_reads_back_as_it_was_opened_and_changed(site: Site, person: Person) -> None:
    kind = type(site).__name__
    key = person.open("CE refuses jobs ✓", "first line\nsecond line", external_id="GGUS-1")
    person.set(key, subject="CE still refuses jobs", status=TAKEN[kind], priority=URGENT[kind], owner="agent")
    assert person.fields(key) == {
        "subject": "CE still refuses jobs",
        "description": "first line\nsecond line",
        "status": TAKEN[kind],
        "priority": URGENT[kind],
        "owner": "agent",
        "external_id": "GGUS-1",
    }
    person.set(key, owner=None, external_id="GGUS-2")
    assert (person.fields(key)["owner"], person.fields(key)["external_id"]) == (None, "GGUS-2")


def test_comments_keep_their_text_their_order_and_their_visibility(site: Site, person: Person) -> None:
    agent = SHOWN[type(site).__name__]
    key = person.open("a ticket", "with a description")
    person.reply(key, "for everyone: grüße 日本")
    person.comment_internal(key, "for us only\n\nsecond paragraph")
    said = [(comment.author, comment.text, comment.internal) for comment in person.comments(key)]
    assert said == [(agent, "for everyone: grüße 日本", False), (agent, "for us only\n\nsecond paragraph", True)]


def test_files_keep_their_names_and_bytes(site: Site, person: Person) -> None:
    key = person.open("a ticket", "with files")
    files = [
        Attached("empty.bin", b""),
        Attached("one.bin", b"\0"),
        Attached("naïve.bin", bytes(range(256))),
        Attached("日本語.dat", b"first"),
        Attached("日本語.dat", b"second"),
    ]
    person.reply(key, "here they are", files=files)
    person.attach(key, Attached("alone.bin", b"no words"))
    if isinstance(site, ZnunySite):  # sorted by their names, and no two of an article bear the same one
        files = [files[0], files[2], files[1], Attached("日本語-1.dat", b"second"), files[3]]
    assert person.files(key) == [*files, Attached("alone.bin", b"no words")]


def test_each_test_has_a_queue_or_project_of_its_own(person: Person) -> None:
    assert person.keys() == []
    key = person.open("mine", "alone here")
    assert person.keys() == [key]
    person.delete(key)
    assert person.keys() == []


def test_the_strict_lifecycle_refuses_a_person_too(rt: RtSite) -> None:
    key = rt.agent.open("a ticket", "that is new")
    with pytest.raises(ActFailed, match="new"):
        rt.agent.set(key, status="resolved")


def test_a_moved_ticket_is_gone_for_the_one_who_cannot_follow(site: Site, person: Person) -> None:
    place = site.hidden_project if isinstance(site, RedmineSite) else site.hidden_queue
    key = person.open("a ticket", "that moves")
    person.set(key, place=place)
    assert person.keys() == []


def test_the_access_log_tells_who_asked_for_what(site: Site, person: Person) -> None:
    before = len(site.asked())
    person.open("a ticket", "that is logged")
    asked = site.asked()[before:]
    created = CREATED[type(site).__name__]
    assert [(request.method, request.status, request.user) for request in asked] == [("POST", created, "agent")]


def test_a_stopped_tracker_answers_nobody_and_forgets_nothing(site: Site, person: Person) -> None:
    key = person.open("before the outage", "and after it")
    with site.outage(), pytest.raises(OSError, match=r"refused|reset"):
        person.fields(key)
    assert person.fields(key)["subject"] == "before the outage"
