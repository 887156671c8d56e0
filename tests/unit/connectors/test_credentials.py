"""Being let in: every way of showing who we are, over real sockets, and what becomes of it when it is over."""

import logging
import re
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from importlib.resources import files
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from connectors.asking import Origin
from connectors.credentials import Credentials
from connectors.emulators.server import Asked, Fault, Reply
from connectors.environment import Environment
from connectors.errors import AccessError, ConnectorError, ProtocolError, SettingsError, Transient, Unknown
from connectors.profiled.profile import Profile
from connectors.remedies import Errors
from connectors.session import HttpSession
from tests.unit.connectors.conftest import LOOPBACK, Clock, Scripted
from tests.unit.connectors.test_session import TLS, tls_server

PASSWORD = "s3cr3t & päss/wörd"
SESSION = {
    "headers": {"X-Session": "{session}"},
    "log_in": {"path": "/login", "body": {"password": "{password}"}, "gives": {"session": "session"}},
}


def talk(
    server: Scripted,
    here: Environment,
    credentials: Mapping[str, Any],
    errors: Mapping[str, Any] | None = None,
    **words: str,
) -> HttpSession:
    known = {"password": PASSWORD, "url": server.url, **words}
    secrets = [PASSWORD, *(value for name, value in words.items() if name.startswith("secret"))]
    origin = Origin(server.url, Credentials.model_validate(credentials), known, secrets)
    return HttpSession(origin, here, errors=Errors.model_validate(errors or {}))


class Door:
    """Hands out sessions s-1, s-2, ... at /login; each is good for `lasts` requests."""

    def __init__(self, lasts: int = 10**9) -> None:
        self.lasts = lasts
        self.left: dict[str, int] = {}
        self.log_ins = 0
        self.done: list[str] = []
        self.closed = Reply(401, {"message": "who are you?"})

    def __call__(self, asked: Asked) -> Reply:
        if asked.path == "/login":
            self.log_ins += 1
            session = f"session-{self.log_ins}"
            self.left[session] = self.lasts
            return Reply(200, {"session": session, "expires_in": 100})
        session = asked.headers.get("x-session", "")
        if self.left.get(session, 0) <= 0:
            return self.closed
        self.left[session] -= 1
        self.done.append(f"{asked.method} {asked.path}")
        return Reply(200, {"session was": session})


# -- what is shown ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("credentials", "header", "value"),
    [
        ({"X-Api-Key": "{key}"}, "x-api-key", "k-1"),
        ({"headers": {"Authorization": "Bearer {key}"}}, "authorization", "Bearer k-1"),
        ({"basic": {"user": "ünï", "password": "{key}"}}, "authorization", "Basic w7xuw686ay0x"),
        ({"cookies": {"A": "{key}", "B": "2", "C": "{absent}"}}, "cookie", "A=k-1; B=2"),
    ],
)
def test_what_every_request_bears(
    server: Scripted, here: Environment, credentials: Mapping[str, Any], header: str, value: str
) -> None:
    speaking = talk(server, here, credentials, key="k-1")
    speaking.read("/x")
    speaking.write("POST", "/x", body={})
    assert [each.headers[header] for each in server.asked] == [value, value]


def test_a_key_in_the_query_goes_with_every_request_and_shows_in_no_error(server: Scripted, here: Environment) -> None:
    speaking = talk(server, here, {"query": {"api_key": "{secret_key}"}}, secret_key="k & 1")
    server.reply = lambda asked: Reply(404, {"you asked": f"/x?api_key={asked.word('api_key')}"})
    for attempt in (lambda: speaking.read("/x", {"q": "1"}), lambda: speaking.write("POST", "/x", body={})):
        with pytest.raises(ConnectorError) as raised:
            attempt()
        assert "api_key" not in str(raised.value)
    assert [each.word("api_key") for each in server.asked] == ["k & 1", "k & 1"]


def test_fields_go_first_into_every_body_in_their_order(server: Scripted, here: Environment) -> None:
    speaking = talk(server, here, {"body": {"auth.user": "we", "auth.password": "{password}", "Lang": "en"}})
    speaking.write("POST", "/x", body={"Title": "t", "auth": {"more": 1}})
    speaking.write("DELETE", "/x")
    speaking.read("/x")
    speaking.read("/x", method="POST", body={"find": "y"})
    posted, deleted, got, asked = server.asked
    assert posted.body.decode().startswith('{"auth": {"user": "we", "password": ')
    assert list(posted.json()) == ["auth", "Lang", "Title"]
    assert posted.json()["auth"] == {"user": "we", "password": PASSWORD, "more": 1}
    assert deleted.json() == {"auth": {"user": "we", "password": PASSWORD}, "Lang": "en"}
    assert got.body == b""
    assert list(asked.json()) == ["auth", "Lang", "find"]


def test_headers_on_writes_go_with_writes_alone(server: Scripted, here: Environment) -> None:
    speaking = talk(server, here, {"on_writes": {"X-Requested-With": "us", "Origin": "{url}"}})
    speaking.read("/x")
    speaking.write("POST", "/x")
    assert [each.headers.get("origin") for each in server.asked] == [None, server.url]


def test_an_operation_accepts_what_it_says(server: Scripted, here: Environment) -> None:
    speaking = talk(server, here, {})
    speaking.read("/x")
    speaking.read("/x", headers={"Accept": "application/vnd.x+json"})
    speaking.write("POST", "/x", headers={"Accept": "text/plain"})
    accepted = [each.headers["accept"] for each in server.asked]
    assert accepted == ["application/json", "application/vnd.x+json", "text/plain"]


def test_what_stands_for_a_setting_that_is_not_given_is_left_out(server: Scripted, here: Environment) -> None:
    credentials = {
        "basic": {"user": "we", "password": "{absent}"},
        "query": {"key": "{absent}"},
        "log_in": {"path": "/login", "body": {"p": "{password}", "realm": "{absent}"}, "gives": {"session": "session"}},
    }
    server.reply = Door()
    talk(server, here, {**credentials, "headers": {"X-Session": "{session}"}}).read("/x")
    login, read = server.asked
    assert login.json() == {"p": PASSWORD}
    assert (read.headers.get("authorization"), dict(read.query)) == (None, {})


def test_first_arguments_keep_their_order() -> None:
    shown = Credentials(arguments=("{login}", "{absent}", "{password}")).shown({"login": "we", "password": "x"})
    assert shown.arguments == ("we", "x")


# -- logging in ------------------------------------------------------------------------------------------------------


def test_we_log_in_once_whatever_the_number_of_threads(server: Scripted, here: Environment) -> None:
    door = server.reply = Door()
    speaking = talk(server, here, SESSION)
    server.delay = 0.02
    threads = [threading.Thread(target=speaking.read, args=("/x",)) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert door.log_ins == 1
    assert len(door.done) == 8
    assert server.asked[0].json() == {"password": PASSWORD}


def test_a_session_that_is_over_is_renewed_once_and_every_write_is_done_once(
    server: Scripted, here: Environment
) -> None:
    door = server.reply = Door(lasts=2)
    speaking = talk(server, here, SESSION)
    for number in range(6):
        speaking.write("POST", f"/{number}", body={})
    assert door.done == [f"POST /{number}" for number in range(6)]
    assert door.log_ins == 3


def test_many_threads_renew_a_session_together(server: Scripted, here: Environment) -> None:
    door = server.reply = Door()
    speaking = talk(server, here, SESSION)
    speaking.read("/x")
    door.left.clear()
    server.delay = 0.02
    threads = [threading.Thread(target=speaking.write, args=("POST", f"/{number}")) for number in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert door.log_ins == 2
    assert sorted(door.done[1:]) == [f"POST /{number}" for number in range(6)]


def test_who_is_turned_away_after_logging_in_anew_is_not_let_in_and_asks_no_third_time(
    server: Scripted, here: Environment
) -> None:
    door = server.reply = Door(lasts=0)
    with pytest.raises(AccessError, match="who are you"):
        talk(server, here, SESSION, {"words": "message"}).write("POST", "/x", body={})
    assert (door.log_ins, door.done) == (2, [])


@pytest.mark.parametrize(
    "closed",
    [Reply(302, b"", {"Location": "/login?back=/x"}), Reply(200, {"code": "EXPIRED"})],
    ids=["redirect", "200"],
)
def test_a_session_is_seen_to_be_over_by_a_redirect_and_by_a_sign_in_a_success(
    server: Scripted, here: Environment, closed: Reply
) -> None:
    door = server.reply = Door(lasts=1)
    door.closed = closed
    speaking = talk(server, here, SESSION, {"signs": [{"at": "code", "equals": "EXPIRED", "means": "access"}]})
    for number in range(3):
        speaking.write("POST", f"/{number}", body={})
    assert door.done == ["POST /0", "POST /1", "POST /2"]


def test_a_log_in_page_after_a_write_is_unknown_and_the_next_request_logs_in_anew(
    server: Scripted, here: Environment
) -> None:
    door = server.reply = Door(lasts=1)
    door.closed = Reply(200, b"<html>Log in</html>", {"Content-Type": "text/html"})
    speaking = talk(server, here, SESSION, {"signs": [{"body": "Log in", "means": "access"}]})
    speaking.read("/1")
    with pytest.raises(Unknown):
        speaking.write("POST", "/2", body={})
    assert speaking.read("/3").data() == {"session was": "session-2"}
    assert speaking.read("/4").data() == {"session was": "session-3"}, "a read is simply asked again"


def test_a_page_that_no_sign_tells_is_taken_for_a_log_in_page_where_there_are_sessions(
    server: Scripted, here: Environment
) -> None:
    door = server.reply = Door(lasts=1)
    door.closed = Reply(200, b"<html>Welcome</html>", {"Content-Type": "text/html"})
    speaking = talk(server, here, SESSION)
    for number in range(3):
        assert speaking.read(f"/{number}").data() == {"session was": f"session-{number + 1}"}
    with pytest.raises(Unknown):
        speaking.write("POST", "/x", body={}).data()
    assert speaking.read("/4").data() == {"session was": "session-4"}
    door.lasts = 0  # a page whoever we are: the server is being mended, and our credentials are none the worse
    with pytest.raises(ProtocolError):
        speaking.read("/5").data()


def test_a_right_that_is_missing_is_no_session_that_is_over(server: Scripted, here: Environment) -> None:
    door = server.reply = Door(lasts=1)
    door.closed = Reply(403, {})
    speaking = talk(server, here, SESSION)
    speaking.read("/x")
    with pytest.raises(AccessError):
        speaking.read("/x")
    assert door.log_ins == 1


def test_what_we_were_given_is_renewed_before_its_time_is_over(server: Scripted, here: Environment) -> None:
    door = server.reply = Door()
    now = [1000.0]
    here = replace(here, monotonic=lambda: now[0])
    step = {**SESSION["log_in"], "lasts_at": "expires_in"}  # type: ignore[dict-item]  # a mapping
    speaking = talk(server, here, {**SESSION, "log_in": step})
    for at, log_ins in ((1000, 1), (1089, 1), (1091, 2), (1180, 2), (1182, 3)):
        now[0] = float(at)
        speaking.read("/x")
        assert door.log_ins == log_ins, at


def test_a_log_in_that_fails_is_by_remedy_and_nothing_else_is_sent(server: Scripted, here: Environment) -> None:
    answers = {
        AccessError: [
            Reply(401, {}),
            Reply(403, {}),
            Reply(302, b"", {"Location": "/login"}),
            Reply(200, {"session": ""}),
        ],
        Transient: [Reply(503, {}), Reply(500, {}), Reply(429, {})],
        ProtocolError: [Reply(200, b"<html>"), Reply(418, {})],
    }
    for error, replies in answers.items():
        for reply in replies:
            server.asked.clear()
            server.reply = lambda _, reply=reply: reply
            with pytest.raises(error) as raised:
                talk(server, here, SESSION).write("POST", "/x", body={})
            assert type(raised.value) is error
            assert {each.path for each in server.asked} == {"/login"}


def test_a_log_in_whose_answer_drips_ends_with_the_call_and_the_others_wait_no_longer_than_theirs(
    server: Scripted, hurried: Environment
) -> None:
    server.reply = Door()
    server.fault = lambda _: Fault("drip", pause=0.1)
    speaking = talk(server, hurried, SESSION)
    failed: list[ConnectorError] = []

    def attempt() -> None:
        try:
            speaking.write("POST", "/x", body={})
        except ConnectorError as error:
            failed.append(error)

    begun = time.monotonic()
    threads = [threading.Thread(target=attempt) for _ in range(16)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert time.monotonic() - begun < 12, "one after the other they take 16 seconds"
    assert {type(each) for each in failed} == {Transient}, "nothing was written, so nothing is unknown"
    assert len(failed) == 16


def test_a_step_uses_what_the_steps_before_it_gave(server: Scripted, here: Environment) -> None:
    def reply(asked: Asked) -> Reply:
        if asked.path == "/login":
            return Reply(302, b"", {"Location": "/home", "Set-Cookie": "SID=abcdef; Path=/; HttpOnly"})
        if asked.path == "/csrf":
            return Reply(200, {}, {"X-CSRF-Token": "token-1"}) if "abcdef" in asked.headers["cookie"] else Reply(401)
        return Reply(200, {})

    server.reply = reply
    steps = [
        {"path": "/login", "form": True, "body": {"u": "we", "p": "{password}"}, "gives": {"sid": {"cookie": "SID"}}},
        {"method": "GET", "path": "/csrf", "gives": {"csrf": {"header": "X-CSRF-Token"}}},
    ]
    credentials = {"cookies": {"SID": "{sid}"}, "on_writes": {"X-CSRF-Token": "{csrf}"}, "log_in": steps}
    talk(server, here, credentials).write("POST", "/x", body={})
    login, csrf, write = server.asked
    assert login.body == b"u=we&p=s3cr3t+%26+p%C3%A4ss%2Fw%C3%B6rd"
    assert login.headers["content-type"] == "application/x-www-form-urlencoded"
    assert "cookie" not in login.headers
    assert csrf.headers["cookie"] == "SID=abcdef"
    assert (write.headers["cookie"], write.headers["x-csrf-token"]) == ("SID=abcdef", "token-1")


# -- OAuth 2, and other places ---------------------------------------------------------------------------------------

OAUTH = {"oauth2": {"elsewhere": "token_url", "client_id": "we", "client_secret": "{password}", "scope": "all"}}


def tokens(asked: Asked) -> Reply:
    return Reply(200, {"access_token": "token-1", "expires_in": 3600, "token_type": "Bearer"})


def test_a_token_from_another_origin_is_asked_for_without_anything_else_of_ours(
    server: Scripted, here: Environment, clock: Clock
) -> None:
    with Scripted(clock) as issuer:
        issuer.reply = tokens
        credentials = {**OAUTH, "query": {"key": "{password}"}, "cookies": {"A": "{password}"}}
        speaking = talk(server, here, credentials, token_url=f"{issuer.url}/oauth?tenant=1")
        speaking.read("/x")
        speaking.read("/y")
        (asked,) = issuer.asked
    body = {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}
    assert body == {
        "grant_type": "client_credentials",
        "client_id": "we",
        "client_secret": PASSWORD,
        "scope": "all",
    }
    assert (asked.word("tenant"), asked.word("key"), asked.headers.get("cookie")) == ("1", "", None)
    assert [each.headers["authorization"] for each in server.asked] == ["Bearer token-1"] * 2


def test_name_and_secret_may_go_as_basic_authentication(server: Scripted, here: Environment) -> None:
    server.reply = tokens
    oauth = {"path": "/token", "client_id": "we", "client_secret": "a b", "shown": "basic"}
    talk(server, here, {"oauth2": oauth}).read("/x")
    assert server.asked[0].headers["authorization"] == "Basic d2U6YSti"
    assert server.asked[0].body == b"grant_type=client_credentials"


def test_the_address_of_tokens_is_checked_like_any_other_and_its_redirects_are_not_followed(
    server: Scripted, here: Environment, clock: Clock
) -> None:
    for refused in ("http://[::1]:9/x", "http://169.254.169.254/latest"):
        with pytest.raises(AccessError, match="allowed_networks"):
            talk(server, here, OAUTH, token_url=refused).read("/x")
    with Scripted(clock) as issuer:
        issuer.reply = lambda _: Reply(307, b"", {"Location": f"{server.url}/token"})
        with pytest.raises(ConnectorError):
            talk(server, here, OAUTH, token_url=issuer.url + "/t").read("/x")
    assert not server.asked


def test_a_token_of_an_issuer_whose_certificate_does_not_match_is_not_asked_for(
    server: Scripted, here: Environment
) -> None:
    here = replace(here, allowed_networks=(*LOOPBACK, ip_network("::1/128")))
    with tls_server() as url, pytest.raises(AccessError, match="certificate"):
        talk(server, here, OAUTH, token_url=f"{url}/token").read("/x")


def test_a_certificate_of_another_name_is_refused(here: Environment) -> None:
    with tls_server(host="127.0.0.2") as url, pytest.raises(AccessError, match="certificate"):
        HttpSession(Origin(url, ca_file=TLS / "ca.pem"), here).read("/x")


# -- files that are elsewhere ----------------------------------------------------------------------------------------


def fetched(speaking: HttpSession, path: str, **known: Any) -> bytes:
    with speaking.stream(path, limit=1000, **known) as chunks:
        return b"".join(chunks)


@pytest.fixture
def elsewhere(clock: Clock) -> Iterator[Scripted]:
    with Scripted(clock) as running:
        running.reply = lambda _: Reply(200, b"the bytes", {"Content-Type": "application/octet-stream"})
        yield running


ALL = {
    "query": {"key": "{password}"},
    "cookies": {"A": "{password}"},
    "on_writes": {"X-CSRF": "{password}"},
}


def test_a_file_elsewhere_is_fetched_without_credentials(
    server: Scripted, here: Environment, elsewhere: Scripted
) -> None:
    server.reply = lambda _: Reply(302, b"", {"Location": f"{elsewhere.url}/bucket/1?signature=x"})
    speaking = talk(server, here, {**ALL, "headers": {"X-Key": "k"}})
    known: dict[str, Any] = {"query": {"key": PASSWORD}, "headers": {"X-Key": "k"}}
    assert fetched(speaking, "/files/1", **known) == b"the bytes"
    assert fetched(speaking, f"{elsewhere.url}/bucket/1?signature=x", **known) == b"the bytes"
    assert len(elsewhere.asked) == 2
    for asked in elsewhere.asked:
        assert (asked.word("signature"), asked.word("key")) == ("x", "")
        assert not {"authorization", "cookie", "x-key", "x-csrf"} & set(asked.headers)
    assert server.asked[0].headers["x-key"] == "k"


def test_every_address_on_the_way_to_a_file_is_checked(server: Scripted, here: Environment) -> None:
    speaking = talk(server, here, {})
    for target in ("http://[::1]:9/x", "http://169.254.169.254/latest/meta-data"):
        server.reply = lambda _, target=target: Reply(302, b"", {"Location": target})
        with pytest.raises(ProtocolError, match="allowed_networks"):
            fetched(speaking, "/files/1")
        with pytest.raises(ProtocolError, match="allowed_networks"):
            fetched(speaking, target)
    for target in ("file:///etc/passwd", "gopher://127.0.0.1/x", "http://"):
        server.reply = lambda _, target=target: Reply(302, b"", {"Location": target})
        with pytest.raises(ConnectorError):
            fetched(speaking, "/files/1")


def test_another_server_that_does_not_let_us_in_says_nothing_about_our_system(
    server: Scripted, here: Environment, elsewhere: Scripted
) -> None:
    server.reply = lambda _: Reply(302, b"", {"Location": f"{elsewhere.url}/1"})
    for reply in (Reply(401), Reply(403), Reply(302, b"", {"Location": "/login"})):
        elsewhere.reply = lambda _, reply=reply: reply
        with pytest.raises(ProtocolError, match="another server"):
            fetched(talk(server, here, {}), "/files/1")


def test_a_file_that_is_asked_for_by_a_call_is_not_followed(
    server: Scripted, here: Environment, elsewhere: Scripted
) -> None:
    server.reply = lambda _: Reply(302, b"", {"Location": f"{elsewhere.url}/1"})
    with pytest.raises(ProtocolError, match="not followed"):
        fetched(talk(server, here, {}), "/files/1", method="POST", asked=lambda _: b"the call")
    assert not elsewhere.asked


def test_redirects_that_go_round_end(server: Scripted, here: Environment) -> None:
    server.reply = lambda _: Reply(302, b"", {"Location": "/files/2"})
    with pytest.raises(ProtocolError, match="more than"):
        fetched(talk(server, here, {}), "/files/1")


def test_a_file_behind_a_session_that_is_over_is_the_file_and_not_the_error(
    server: Scripted, here: Environment
) -> None:
    door = Door(lasts=1)
    door.closed = Reply(200, {"code": "EXPIRED"})
    file = Reply(200, b'{"code": "EXPIRED", "it": "is a file"}', {"Content-Type": "application/json"})

    def reply(asked: Asked) -> Reply:
        answer = door(asked)
        return file if asked.path != "/login" and answer is not door.closed else answer

    server.reply = reply
    speaking = talk(server, here, SESSION, {"signs": [{"at": "code", "equals": "EXPIRED", "means": "access"}]})
    size = len(file.body)
    for _ in range(3):
        assert fetched(speaking, "/f", media_type="application/json", size=size) == file.body
    with pytest.raises(AccessError):
        fetched(speaking, "/f", media_type="text/plain", size=size)


# -- certificates ----------------------------------------------------------------------------------------------------


def test_a_client_certificate_is_shown_to_who_asks_for_one_and_to_nobody_else(here: Environment) -> None:
    here = replace(here, allowed_networks=(*LOOPBACK, ip_network("::1/128")))
    credentials = Credentials.model_validate({"certificate": {"file": "client_certificate"}})
    words = {"client_certificate": str(TLS / "client.pem")}
    seen: list[bool] = []
    with tls_server(client=ssl.CERT_REQUIRED, seen=seen) as url:
        ours = HttpSession(Origin(url, credentials, words, ca_file=TLS / "ca.pem"), here)
        assert ours.read("/x").data() == {}
        with pytest.raises(AccessError, match="client certificate"):
            HttpSession(Origin(url, ca_file=TLS / "ca.pem"), here).read("/x")
    with tls_server(client=ssl.CERT_OPTIONAL, seen=seen) as other:
        assert fetched(ours, f"{other}/file") == b"{}"
    assert seen == [True, False]


def test_a_client_certificate_that_cannot_be_read_is_an_error_when_the_session_is_made(
    here: Environment, tmp_path: Path
) -> None:
    (tmp_path / "empty.pem").write_text("")
    credentials = Credentials.model_validate({"certificate": {"file": "client_certificate"}})
    for name in ("empty.pem", "absent.pem"):
        with pytest.raises(SettingsError, match="certificate"):
            HttpSession(Origin("https://x", credentials, {"client_certificate": str(tmp_path / name)}), here)


# -- secrets ---------------------------------------------------------------------------------------------------------

KINDS: Mapping[str, Mapping[str, Any]] = {
    "header": {"headers": {"X-Key": "{secret}"}},
    "bearer": {"Authorization": "Bearer {secret}"},
    "basic": {"basic": {"user": "we", "password": "{secret}"}},
    "query": {"query": {"key": "{secret}"}},
    "body": {"body": {"password": "{secret}"}},
    "cookie": {"cookies": {"SID": "{secret}"}},
    "on writes": {"on_writes": {"X-CSRF": "{secret}"}},
    "log in": {**SESSION, "log_in": {**SESSION["log_in"], "body": {"p": "{secret}"}}},  # type: ignore[dict-item]
    "log in by query": {
        "query": {"s": "{session}"},
        "log_in": {"path": "/login", "query": {"p": "{secret}"}, "gives": {"session": "session"}},
    },
    "oauth2": {"oauth2": {"path": "/login", "client_id": "we", "client_secret": "{secret}", "shown": "basic"}},
}
SECRETS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=8, max_size=24).map("Zq{}".format)


def parrot(asked: Asked, status: int) -> Reply:
    """Repeats all that it heard, as careless servers do in their errors."""
    heard = {"message": [*asked.headers.values(), *(value for each in asked.query.values() for value in each)]}
    if asked.path == "/login" and status != 401:
        return Reply(200, {"session": "given-session-1", "access_token": "given-session-1", **heard})
    heard["body"] = asked.body.decode("utf-8", "replace")
    words = str(heard).encode() if status == 200 else None
    return Reply(status, words or heard, {"Location": f"/login/{asked.word('key')}"} if status == 302 else {})


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(secret=SECRETS, status=st.sampled_from([200, 302, 400, 401, 403, 404, 409, 422, 429, 500, 503]))
def test_no_error_no_answer_no_representation_and_no_log_shows_a_secret(
    server: Scripted,
    here: Environment,
    caplog: pytest.LogCaptureFixture,
    kind: str,
    secret: str,
    status: int,
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.clear()
    server.asked.clear()
    server.reply = lambda asked: parrot(asked, status)
    words = {"secret": secret, "url": server.url}
    origin = Origin(server.url, Credentials.model_validate(KINDS[kind]), words, [secret])
    speaking = HttpSession(origin, here, errors=Errors(words=("message",)))
    shown = [repr(origin), repr(speaking), repr(speaking.__dict__.get("_login"))]
    attempts: list[Callable[[], Any]] = [
        lambda: speaking.read("/x"),
        lambda: speaking.read("/x").data() and None,
        lambda: speaking.write("POST", "/x", body={"a": 1}),
        lambda: speaking.write("POST", "/x", body={"a": 1}).data() and None,
        lambda: fetched(speaking, "/x", media_type="text/plain") and None,
    ]
    for attempt in attempts:
        try:
            shown.append(repr(attempt()))
        except ConnectorError as raised:
            error: BaseException | None = raised
            while error is not None:
                shown += [repr(error), str(error), str(getattr(error, "raw", ""))]
                error = error.__cause__
    shown += [f"{each.getMessage()} {each.args}" for each in caplog.records]
    wire = str([(each.headers, each.query, each.body) for each in server.asked])
    encoded = (
        Credentials.model_validate(KINDS[kind]).shown(words).headers.get("Authorization", "").removeprefix("Basic ")
    )
    assert kind not in ("header", "bearer", "cookie") or repr(secret)[1:-1] in wire, "it was sent at all"
    for each in shown:
        assert secret not in each
        assert "given-session-1" not in each
        assert kind != "basic" or encoded not in each
    speaking.close()


# -- in a profile ----------------------------------------------------------------------------------------------------


def profile(credentials: Mapping[str, Any]) -> Profile:
    data = yaml.safe_load(files("connectors.profiles").joinpath("plain.yaml").read_text("utf-8"))
    return Profile.model_validate({**data, "credentials": credentials})


@pytest.mark.parametrize(
    ("credentials", "sentence"),
    [
        ({"Authorization": "Bearer {kye}"}, r"nothing gives \{kye\}; there are: key, url"),
        ({"query": {"k": "{session}"}}, r"nothing gives \{session\}"),
        ({"log_in": {"path": "/{csrf}", "gives": {"csrf": "x"}}}, r"nothing gives \{csrf\} by then"),
        ({"log_in": {"operation": "SessionCreate", "gives": {"session": "x"}}}, "only the SOAP family"),
        ({"oauth2": {"elsewhere": "key", "client_id": "x", "client_secret": "{key}"}}, "setting of kind url"),
        ({"oauth2": {"elsewhere": "http://x", "client_id": "x", "client_secret": "{key}"}}, "setting of kind url"),
        ({"certificate": {"file": "/etc/key.pem"}}, "names settings"),
        ({"log_in": {"path": "/x", "elsewhere": "url", "gives": {}}}, "exactly one of path, operation, elsewhere"),
        ({"log_in": {"path": "/x", "gives": {"s": {"at": "x", "cookie": "y"}}}}, "exactly one of at, header, cookie"),
        ({"headers": {}, "heders": {}}, "heders"),
    ],
)
def test_credentials_that_could_never_be_shown_are_refused_when_the_profile_is_read(
    credentials: Mapping[str, Any], sentence: str
) -> None:
    with pytest.raises(ValidationError, match=sentence):
        profile(credentials)


def test_the_examples_in_the_documentation_are_profiles() -> None:
    readme = files("connectors").joinpath("README.md").read_text("utf-8")
    examples = [yaml.safe_load(each) for each in re.findall(r"```yaml\n(.*?)```", readme, re.DOTALL)]
    assert any(Credentials.model_validate(each["credentials"]).steps for each in examples if "credentials" in each)
    assert any(Errors.model_validate(each["errors"]).signs for each in examples if "errors" in each)
