"""The connectors against the real Request Tracker, Redmine and Znuny: the same claims as on the emulators, and what
only the real ones can show."""

import base64
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any

import pytest
import requests

from connectors.api import CommentDraft, Connector, Value
from connectors.environment import Environment
from connectors.errors import NotFound, Refused
from connectors.registry import open_connector
from connectors.testing import ConnectorConformance, Stand, draft, listed
from tests.conformance.znuny import ZONES, ZnunyConformance, keeps_time
from tests.peers.people import Attached, Person, RedminePerson, ZnunyPerson
from tests.peers.sites import RedmineSite, RtSite, ZnunySite

pytestmark = pytest.mark.peer

WRITING = ("POST", "PUT", "DELETE", "PATCH")


def utc_now() -> datetime:
    return datetime.now(UTC)


def next_second() -> None:
    """All of them count whole seconds."""
    time.sleep(1.01 - time.time() % 1)


def opened(name: str, settings: Mapping[str, Any]) -> Connector:
    here = Environment(clock=utc_now, allowed_networks=(ip_network("127.0.0.0/8"),), deadline=timedelta(minutes=5))
    return open_connector(name, settings, system="peer", environment=here)


class Agent:
    """The tracker's person, as the suite speaks of people. `names`: the connector's field -> the person's word."""

    def __init__(self, person: Person, names: Mapping[str, str]) -> None:
        self._person, self._names = person, names

    def open(self, subject: str, description: str) -> str:
        return self._person.open(subject, description)

    def change(self, key: str, field: str, value: Value) -> None:
        self._person.set(key, **{self._names[field]: None if value is None else str(value)})

    def say(self, key: str, text: str, *, internal: bool = False, files: Mapping[str, bytes] | None = None) -> None:
        attached = [Attached(name, content) for name, content in (files or {}).items()]
        say = self._person.comment_internal if internal else self._person.reply
        say(key, text, files=attached)

    def reword(self, key: str, comment_id: str, text: str) -> None:
        assert isinstance(self._person, RedminePerson | ZnunyPerson), f"nobody edits comments in the tracker of {key}"
        self._person.reword(comment_id, text)


def writes_of(site: RtSite | RedmineSite) -> int:
    return sum(each.method in WRITING and each.user == site.user for each in site.asked())


class TestRt(ConnectorConformance):
    @pytest.fixture
    def stand(self, rt: RtSite) -> Iterator[Stand]:
        settings = {"url": rt.url, "queue": rt.queue}
        connector = opened("rt", {**settings, "token": rt.token})
        names = {"Subject": "subject", "Status": "status", "Priority": "priority", "Owner": "owner"}
        yield Stand(
            connector,
            Agent(rt.agent, names),
            subject="Subject",
            description="Description",
            refused=("Status", "resolved"),
            owner=("Owner", "agent"),
            stranger=lambda: opened("rt", {**settings, "token": "1-14-wrong-secret"}),
            secrets=(rt.token, "1-14-wrong-secret"),
            many=105,
            large=False,  # what it takes is its administrator's to say
            settle=next_second,
            writes=lambda: writes_of(rt),
        )
        connector.close()

    @pytest.mark.parametrize("zone", ["Asia/Kolkata", "America/St_Johns", "Pacific/Kiritimati"])
    def test_the_accounts_time_zone_changes_nothing(self, rt: RtSite, stand: Stand, zone: str) -> None:
        with rt.timezone(zone):
            first = stand.connector.changes(None).cursor
            next_second()
            key = stand.people.open("new", "text")
            changes, cursor = listed(stand.connector, first)
            assert [each.key for each in changes] == [key]
            next_second()
            assert [each.key for each in listed(stand.connector, cursor)[0]] == [key], "inclusive, and nothing older"
            assert all(finding.ok for finding in stand.connector.probe())

    def test_a_comment_is_read_in_three_requests_and_each_file_in_one_more(self, rt: RtSite, stand: Stand) -> None:
        ticket = stand.create()
        for number in range(3):
            rt.agent.reply(ticket.key, f"comment {number}")
        stand.connector.fetch(ticket.key)  # a process learns the queue's id once
        before = len(rt.asked())
        assert len(stand.comments(ticket.key)) == 3
        assert [each.method for each in rt.asked()[before:]] == ["GET", "GET", "GET"]

    def test_texts_and_files_of_internal_comments_are_never_asked_for(self, rt: RtSite, stand: Stand) -> None:
        ticket = stand.create()
        rt.agent.comment_internal(ticket.key, "CANARY", files=[Attached("CANARY.txt", b"CANARY")])
        rt.agent.reply(ticket.key, "for all", files=[Attached("all.txt", b"all")])
        hidden = [each.id for each in rt.agent.comments(ticket.key) if each.internal]
        stand.connector.fetch(ticket.key)  # a process learns the queue's id once
        before = len(rt.asked())
        found = stand.connector.fetch(ticket.key, known=())
        asked = [each.path for each in rt.asked()[before:]]
        assert "CANARY" not in repr(found)
        assert len(hidden) == 1
        assert not any(hidden[0] in path for path in asked if "/attachments" in path)
        assert len(asked) == 4

    def test_one_field_is_written_and_read_back_in_two_requests(self, rt: RtSite, stand: Stand) -> None:
        ticket = stand.create()
        before = len(rt.asked())
        stand.connector.update(ticket.key, {"Priority": "55"}, held=ticket)
        assert [each.method for each in rt.asked()[before:]] == ["PUT", "GET"]

    def test_html_alone_is_read_as_text(self, rt: RtSite, stand: Stand) -> None:
        ticket = stand.create()
        requests.post(
            f"{rt.url}/REST/2.0/ticket/{ticket.key}/correspond",
            headers={"Authorization": f"token {rt.agent.token}"},
            json={
                "Content": "<p>Hello <b>wörld</b> &amp; more</p><script>x</script><ul><li>one</li></ul>",
                "ContentType": "text/html",
            },
            timeout=300,
        ).raise_for_status()
        (comment,) = stand.comments(ticket.key)
        assert comment.text == "Hello wörld & more\n\n- one"

    def test_files_of_a_create_hang_on_the_ticket(self, rt: RtSite, stand: Stand) -> None:
        answer = requests.post(
            f"{rt.url}/REST/2.0/ticket",
            headers={"Authorization": f"token {rt.agent.token}"},
            json={
                "Queue": rt.queue,
                "Subject": "with a file",
                "Content": "see the file",
                "ContentType": "text/plain",
                "Attachments": [
                    {
                        "FileName": "a.log",
                        "FileType": "text/plain",
                        "FileContent": base64.b64encode(b"line\n").decode(),
                    }
                ],
            },
            timeout=300,
        )
        key = str(answer.json()["id"])
        ticket = stand.connector.fetch(key, known=())
        assert ticket.fields["Description"] == "see the file"
        assert [(each.name, each.size) for each in ticket.files] == [("a.log", 5)]
        assert ticket.comments == ()
        assert not ticket.own

    def test_a_deleted_ticket_says_so_and_a_hidden_one_is_not_found(self, rt: RtSite, stand: Stand) -> None:
        ticket, other = stand.create(), stand.create()
        rt.agent.delete(ticket.key)
        assert stand.connector.fetch(ticket.key).fields["Status"] == "deleted"
        rt.agent.set(other.key, place=rt.hidden_queue)
        with pytest.raises(NotFound):
            stand.connector.fetch(other.key)
        with pytest.raises(NotFound):
            stand.connector.update(other.key, {"Subject": "x"}, held=None)
        with pytest.raises(NotFound):
            stand.connector.comment(other.key, CommentDraft("x"), token=stand.token())

    def test_a_merged_ticket_is_not_taken_for_another(self, rt: RtSite, stand: Stand) -> None:
        ticket, other = stand.create(), stand.create()
        requests.put(
            f"{rt.url}/REST/2.0/ticket/{ticket.key}",
            headers={"Authorization": f"token {rt.agent.token}"},
            json={"MergeInto": int(other.key)},
            timeout=300,
        ).raise_for_status()
        with pytest.raises(NotFound, match="merged"):
            stand.connector.fetch(ticket.key)

    def test_a_subject_that_rt_would_cut_is_refused_and_not_cut(self, stand: Stand) -> None:
        ticket = stand.create()
        written = stand.connector.update(ticket.key, {"Subject": "ü" * 101}, held=ticket)
        assert "200 bytes" in written.refused["Subject"]
        assert written.after.fields["Subject"] == ticket.fields["Subject"]

    def test_a_queue_that_does_not_exist_is_found_by_the_probe(self, rt: RtSite) -> None:
        connector = opened("rt", {"url": rt.url, "queue": "no-such-queue", "token": rt.token})
        assert [each.ok for each in connector.probe()].count(False) >= 1


class TestRedmine(ConnectorConformance):
    @pytest.fixture
    def stand(self, redmine: RedmineSite) -> Iterator[Stand]:
        settings = {"url": redmine.url, "project": redmine.project}
        connector = opened("redmine", {**settings, "api_key": redmine.api_key})
        names = {"subject": "subject", "status": "status", "priority": "priority", "assigned_to": "owner"}
        yield Stand(
            connector,
            Agent(redmine.agent, names),
            subject="subject",
            description="description",
            refused=("status", "Closed"),
            owner=("assigned_to", "Ada Agent"),
            stranger=lambda: opened("redmine", {**settings, "api_key": "wrong-secret", "external_id": "1"}),
            secrets=(redmine.api_key, "wrong-secret"),
            many=105,
            large=False,  # what it takes is its administrator's to say
            settle=next_second,
            writes=lambda: writes_of(redmine),
        )
        connector.close()

    def test_a_refused_status_is_told_with_what_is_allowed(self, stand: Stand) -> None:
        ticket = stand.create()
        written = stand.connector.update(ticket.key, {"status": "Closed"}, held=ticket)
        assert written.refused["status"].endswith("from there it allows: In Progress, Rejected")

    def test_a_refused_assignee_does_not_hold_up_the_rest(self, stand: Stand) -> None:
        ticket = stand.create()
        written = stand.connector.update(ticket.key, {"assigned_to": "Nobody Known", "subject": "new"}, held=ticket)
        assert written.applied == {"subject"}
        assert "Ada Agent" in written.refused["assigned_to"]
        written = stand.connector.update(ticket.key, {"subject": "", "priority": "High"}, held=written.after)
        assert written.applied == {"priority"}
        assert written.refused == {"subject": "Subject cannot be blank"}

    def test_one_field_is_written_and_read_back_in_two_requests(self, redmine: RedmineSite, stand: Stand) -> None:
        ticket = stand.create()
        stand.connector.describe()
        before = len(redmine.asked())
        stand.connector.update(ticket.key, {"priority": "High"}, held=ticket)
        stand.connector.comment(ticket.key, CommentDraft("hello"), token=stand.token())
        assert [each.method for each in redmine.asked()[before:]] == ["PUT", "GET", "PUT", "GET"]

    def test_files_of_a_private_note_stay_hidden(self, redmine: RedmineSite, stand: Stand) -> None:
        ticket = stand.create()
        redmine.agent.comment_internal(ticket.key, "CANARY", files=[Attached("CANARY.txt", b"CANARY")])
        found = stand.connector.fetch(ticket.key, known=())
        assert "CANARY" not in repr(found)
        assert found.files == ()

    def test_a_loose_file_comes_with_an_entry_of_its_own(self, redmine: RedmineSite, stand: Stand) -> None:
        ticket = stand.create()
        redmine.agent.attach(ticket.key, Attached("loose.log", b"x"))
        (comment,) = stand.comments(ticket.key)
        assert (comment.text, [each.name for each in comment.files]) == ("", ["loose.log"])

    def test_a_file_that_is_too_large_is_refused_with_nothing_written(self, stand: Stand) -> None:
        ticket = stand.create()
        large = draft("large.bin", b"x" * (10 * 1024 * 1024 + 1))
        with pytest.raises(Refused, match="maximum allowed file size") as refused:
            stand.connector.comment(ticket.key, CommentDraft("with it", files=(large,)), token=stand.token())
        assert refused.value.field == "files"
        assert stand.comments(ticket.key) == ()

    def test_a_deleted_and_a_hidden_issue_are_not_found(self, redmine: RedmineSite, stand: Stand) -> None:
        ticket, other = stand.create(), stand.create()
        redmine.agent.delete(ticket.key)
        redmine.agent.set(other.key, place=redmine.hidden_project)
        for key in (ticket.key, other.key):
            with pytest.raises(NotFound):
                stand.connector.fetch(key)
            with pytest.raises(NotFound):
                stand.connector.update(key, {"subject": "x"}, held=None)
            with pytest.raises(NotFound):
                stand.connector.comment(key, CommentDraft("x"), token=stand.token())

    def test_a_project_that_does_not_exist_is_found_by_the_probe(self, redmine: RedmineSite) -> None:
        connector = opened("redmine", {"url": redmine.url, "project": "no-such", "api_key": redmine.api_key})
        assert [each.ok for each in connector.probe()].count(False) >= 1

    def test_history_speaks_of_words_and_not_of_numbers(self, redmine: RedmineSite, stand: Stand) -> None:
        ticket = stand.create()
        redmine.agent.set(ticket.key, status="In Progress", priority="High", owner="agent")
        history = stand.connector.fetch(ticket.key, known=()).history
        assert {(each.field, each.old, each.new) for each in history} == {
            ("status", "New", "In Progress"),
            ("priority", "Normal", "High"),
            ("assigned_to", None, "Ada Agent"),
        }
        assert all(each.at > utc_now() - timedelta(minutes=5) for each in history)


def znuny_stand(znuny: ZnunySite, zone: str = "UTC", connector: str = "znuny") -> Stand:
    url = znuny.url.partition("/nph-genericinterface.pl/")[0]
    here = {"url": url, "queue": znuny.queue, "zone": zone}
    settings = {**here, "login": znuny.login, "customer": "customer"}
    names = {"Title": "subject", "State": "status", "Priority": "priority", "Owner": "owner"}
    return Stand(
        opened(connector, {**settings, "password": znuny.password}),
        Agent(znuny.agent, names),
        subject="Title",
        description="Description",
        refused=("State", "no such state"),
        owner=("Owner", "agent"),
        stranger=lambda: opened(connector, {**settings, "password": "wrong-secret"}),
        secrets=(znuny.password, "wrong-secret"),
        many=105,
        large=False,
        settle=next_second,
        writes=lambda: sum(
            each.user == znuny.user
            and (each.method == "PATCH" or each.path.endswith(("/Ticket", "#TicketCreate", "#TicketUpdate")))
            for each in znuny.asked()
        ),
    )


class TestZnuny(ZnunyConformance):
    @pytest.fixture
    def stand(self, znuny: ZnunySite) -> Iterator[Stand]:
        stand = znuny_stand(znuny)
        yield stand
        stand.connector.close()

    @ZONES
    def test_whatever_zone_it_lives_in_polling_keeps_time(self, znuny: ZnunySite, zone: str) -> None:
        with znuny.timezone(zone):
            stand = znuny_stand(znuny, zone)
            keeps_time(stand)
            stand.connector.close()

    def test_files_of_an_internal_article_stay_hidden(self, znuny: ZnunySite, stand: Stand) -> None:
        ticket = stand.create()
        znuny.agent.comment_internal(ticket.key, "CANARY", files=[Attached("CANARY.txt", b"CANARY")])
        found = stand.connector.fetch(ticket.key, known=())
        assert "CANARY" not in repr(found)
        assert found.files == ()

    def test_one_field_is_compared_written_and_read_back_in_three_requests(
        self, znuny: ZnunySite, stand: Stand
    ) -> None:
        ticket = stand.create()
        before = len(znuny.asked())
        stand.connector.update(ticket.key, {"Priority": "5 very high"}, held=ticket)
        assert [each.method for each in znuny.asked()[before:]] == ["POST", "PATCH", "POST"]

    def test_a_moved_ticket_is_not_found(self, znuny: ZnunySite, stand: Stand) -> None:
        ticket = stand.create()
        znuny.agent.set(ticket.key, place=znuny.hidden_queue)
        with pytest.raises(NotFound):
            stand.connector.fetch(ticket.key)
        with pytest.raises(NotFound):
            stand.connector.update(ticket.key, {"Title": "x"}, held=None)
        with pytest.raises(NotFound):
            stand.connector.comment(ticket.key, CommentDraft("x"), token=stand.token())


class TestZnunyBySoap(ZnunyConformance):
    @pytest.fixture
    def stand(self, znuny: ZnunySite) -> Iterator[Stand]:
        stand = znuny_stand(znuny, connector="znuny-soap")
        yield stand
        stand.connector.close()
