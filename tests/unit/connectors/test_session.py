"""The HTTP session's promises, one per test, over real sockets."""

import gzip
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest

from connectors.answers import tls_trouble
from connectors.asking import Origin
from connectors.credentials import Credentials
from connectors.emulators.server import Fault, Reply
from connectors.environment import Environment
from connectors.errors import (
    AccessError,
    NotFound,
    ProtocolError,
    Refused,
    Transient,
    Unknown,
    Untrusted,
    VersionConflict,
)
from connectors.network import Reach
from connectors.profiled.streams import FileBody
from connectors.remedies import Errors
from connectors.session import HttpSession
from connectors.testing import draft
from tests.unit.connectors.conftest import Scripted

SECRET = "s3cr3t-t0ken"
TLS = Path(__file__).parent / "tls"


def session(server: Scripted, here: Environment) -> HttpSession:
    return HttpSession(
        Origin(server.url, Credentials(headers={"Authorization": "{token}"}), {"token": SECRET}, [SECRET]),
        here,
        errors=Errors(words=("message",)),
    )


@contextmanager
def raw_server(*answers: bytes, pause: float = 0) -> Iterator[str]:
    """Sends these bytes to whoever connects, one answer per connection, and closes."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        for answer in answers:
            try:
                made, _ = listener.accept()
            except OSError:
                return
            with made:
                made.recv(65536)
                time.sleep(pause)
                made.sendall(answer)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.close()


# -- where we go -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        *(
            "127.0.0.1",
            "127.9.9.9",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
        ),
        *("::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1"),
        *("2002:7f00:1::", "64:ff9b::7f00:1", "224.0.0.1", "ff02::1", "255.255.255.255", "240.0.0.1"),
    ],
)
def test_addresses_that_are_not_public_are_refused(address: str) -> None:
    assert not Reach(()).permits(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::", "::ffff:93.184.216.34"])
def test_public_addresses_are_permitted(address: str) -> None:
    assert Reach(()).permits(address)


def test_a_network_that_is_named_is_permitted_and_its_neighbours_are_not() -> None:
    reach = Reach([ip_network("10.1.0.0/16"), ip_network("fd00::/8")])
    assert reach.permits("10.1.2.3")
    assert reach.permits("::ffff:10.1.2.3")
    assert reach.permits("fd12::1")
    assert not reach.permits("10.2.0.1")


def test_loopback_is_an_access_error_that_names_the_remedy_and_nothing_is_sent(
    server: Scripted, here: Environment
) -> None:
    with pytest.raises(AccessError, match="allowed_networks"):
        session(server, replace(here, allowed_networks=())).read("/x")
    assert not server.asked


def test_proxies_and_passwords_of_the_machine_are_not_used(
    server: Scripted, here: Environment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    session(server, here).read("/x")
    assert server.asked[0].headers["authorization"] == SECRET


def test_a_redirect_is_not_followed_and_no_credentials_travel(server: Scripted, here: Environment) -> None:
    with Scripted(server.tracker.now) as elsewhere:  # type: ignore[arg-type]  # any clock will do
        server.fault = lambda _: Fault("redirect", where=f"{elsewhere.url}/stolen?x={SECRET}")
        with pytest.raises(ProtocolError, match="redirects are not followed") as raised:
            session(server, here).read("/x")
        with pytest.raises(ProtocolError):
            session(server, here).write("POST", "/x", body={})
        assert not elsewhere.asked
    assert SECRET not in str(raised.value)


def test_cookies_are_not_kept(server: Scripted, here: Environment) -> None:
    server.reply = lambda _: Reply(200, {}, {"Set-Cookie": "session=1; Path=/"})
    talk = session(server, here)
    talk.read("/x")
    talk.read("/x")
    assert "cookie" not in server.asked[1].headers


# -- TLS -------------------------------------------------------------------------------------------------------------


@contextmanager
def tls_server(
    answer: bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    drip: float = 0,
    client: ssl.VerifyMode = ssl.CERT_NONE,
    seen: list[bool] | None = None,
    host: str = "127.0.0.1",
) -> Iterator[str]:
    """`client`: whether clients must show a certificate; `seen`: whether each whose request came did."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS / "server.pem")
    context.load_verify_locations(TLS / "client.pem")
    context.verify_mode = client
    if client is ssl.CERT_REQUIRED:  # TLS 1.3 says so only after the request, and the connection may break first
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    listener = socket.create_server((host, 0))

    def serve() -> None:
        while True:
            try:
                made, _ = listener.accept()
            except OSError:
                return
            try:
                with context.wrap_socket(made, server_side=True) as wrapped:
                    wrapped.recv(65536)
                    if seen is not None:
                        seen.append(bool(wrapped.getpeercert()))
                    for start in range(0, len(answer), 1 if drip else len(answer)):
                        wrapped.sendall(answer[start : start + (1 if drip else len(answer))])
                        time.sleep(drip)
            except OSError:
                made.close()

    threading.Thread(target=serve, daemon=True).start()
    try:
        named = "localhost" if host == "127.0.0.1" else host
        yield f"https://{named}:{listener.getsockname()[1]}"
    finally:
        listener.close()


def test_a_certificate_of_nobody_known_is_refused_with_the_remedy(here: Environment) -> None:
    with tls_server() as url, pytest.raises(Untrusted, match="ca_file") as refused:
        HttpSession(Origin(url), here).read("/x")
    assert "signed by an authority" in refused.value.remedy


def test_a_server_that_speaks_no_tls_is_told_as_one() -> None:
    detail = "SSLError(1, '[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)')"
    told = tls_trouble("GET /x", detail, writes=False)
    assert isinstance(told, Transient)
    assert str(told) == "GET /x: TLS failed; what answers there does not speak TLS: is it http://, or another port?"
    assert "speak TLS" not in str(tls_trouble("GET /x", "bad record mac", writes=False))


def test_a_private_authority_is_trusted_where_its_file_is_named(here: Environment) -> None:
    here = replace(here, allowed_networks=(*here.allowed_networks, ip_network("::1/128")))
    with tls_server() as url:
        assert HttpSession(Origin(url, ca_file=TLS / "ca.pem"), here).read("/x").data() == {}
        assert HttpSession(Origin(url), replace(here, ca_file=TLS / "ca.pem")).read("/x").data() == {}


def test_the_deadline_holds_over_tls(hurried: Environment) -> None:
    with tls_server(drip=0.05) as url, pytest.raises(Transient):
        HttpSession(Origin(url, ca_file=TLS / "ca.pem"), hurried).read("/x")


# -- how long, how much ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["drip", "drip head", "stall"])
def test_the_deadline_holds_however_the_time_is_spent(server: Scripted, hurried: Environment, how: str) -> None:
    server.reply = lambda _: Reply(200, {"x": "y" * 1000})
    server.fault = lambda _: Fault(how, pause=100 if how == "stall" else 0.1)
    begun = time.monotonic()
    with pytest.raises(Transient):
        session(server, hurried).read("/x")
    with pytest.raises(Unknown):
        session(server, hurried).write("POST", "/x", body={})
    assert time.monotonic() - begun < 60, "and both have 100 seconds to spend"


def test_requests_inside_one_call_share_its_deadline(server: Scripted, hurried: Environment) -> None:
    server.delay = 0.4
    talk = session(server, hurried)

    def five_reads() -> None:
        with talk.call():
            for _ in range(5):
                talk.read("/x")

    with pytest.raises(Transient):
        five_reads()
    assert len(server.asked) <= 3
    server.delay = 0
    talk.read("/x")  # a call of its own has a deadline of its own


def test_an_answer_larger_than_agreed_is_an_error(server: Scripted, here: Environment) -> None:
    server.reply = lambda _: Reply(200, b"x" * 100_001)
    with pytest.raises(ProtocolError, match="100,000 bytes"):
        session(server, here).read("/x")
    with pytest.raises(Unknown):
        session(server, here).write("POST", "/x", body={})


def test_an_answer_that_swells_is_cut_off_while_it_is_unpacked(server: Scripted, here: Environment) -> None:
    server.fault = lambda _: Fault("bomb", size=200 << 20)
    with pytest.raises(ProtocolError, match="larger"):
        session(server, here).read("/x")


def test_an_answer_that_was_packed_is_unpacked(server: Scripted, here: Environment) -> None:
    packed = gzip.compress(b'{"a": 1}')
    server.reply = lambda _: Reply(200, packed, {"Content-Encoding": "gzip"})
    assert session(server, here).read("/x").data() == {"a": 1}
    server.reply = lambda _: Reply(200, b"no gzip at all", {"Content-Encoding": "gzip"})
    with pytest.raises(ProtocolError):
        session(server, here).read("/x")
    server.reply = lambda _: Reply(200, b"x", {"Content-Encoding": "br"})
    with pytest.raises(ProtocolError, match="br"):
        session(server, here).read("/x")


def test_an_empty_stream_is_sent_with_its_length_so_that_the_connection_can_be_used_again(
    server: Scripted, here: Environment
) -> None:
    talk = session(server, here)
    for _ in range(20):
        talk.write("POST", "/x", stream=FileBody(draft("empty.bin", b"")))
        assert "transfer-encoding" not in server.asked[-1].headers
        assert server.asked[-1].headers["content-length"] == "0"


# -- trying again ----------------------------------------------------------------------------------------------------


def test_a_read_is_tried_again_and_a_write_never(server: Scripted, here: Environment) -> None:
    answers = iter([503, 503, 200])
    server.reply = lambda _: Reply(next(answers), {})
    session(server, here).read("/x")
    assert len(server.asked) == 3
    server.reply = lambda _: Reply(503, {})
    with pytest.raises(Transient) as raised:
        session(server, here).write("POST", "/x", body={})
    assert not isinstance(raised.value, Unknown)
    assert len(server.asked) == 4


def test_waiting_is_as_long_as_the_server_asks_and_long_waits_are_left_to_the_queue(
    server: Scripted, here: Environment
) -> None:
    slept: list[float] = []
    here = replace(here, sleep=slept.append)
    answers = iter([Reply(429, {}, {"Retry-After": "3"}), Reply(200, {})])
    server.reply = lambda _: next(answers)
    session(server, here).read("/x")
    assert slept == [3.0]
    server.reply = lambda _: Reply(429, {}, {"Retry-After": "120"})
    with pytest.raises(Transient) as raised:
        session(server, here).read("/x")
    assert raised.value.retry_after == timedelta(seconds=120)
    assert slept == [3.0]


def test_retry_after_may_be_a_date_by_the_servers_own_clock(server: Scripted, here: Environment) -> None:
    server.tracker.offset = timedelta(hours=5)
    server.reply = lambda _: Reply(503, {}, {"Retry-After": "Sun, 01 Mar 2026 17:01:00 GMT"})
    with pytest.raises(Transient) as raised:
        session(server, here).write("POST", "/x", body={})
    assert raised.value.retry_after == timedelta(seconds=60)


# -- what an answer means --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "reading", "writing"),
    [
        (400, ProtocolError, Refused),
        (401, AccessError, AccessError),
        (403, AccessError, AccessError),
        (404, NotFound, NotFound),
        (409, ProtocolError, VersionConflict),
        (410, NotFound, NotFound),
        (412, ProtocolError, VersionConflict),
        (418, ProtocolError, ProtocolError),
        (422, ProtocolError, Refused),
        (429, Transient, Transient),
        (500, Transient, Unknown),
        (502, Transient, Unknown),
        (503, Transient, Transient),
        (504, Transient, Unknown),
    ],
)
def test_a_status_is_one_error_with_the_trackers_own_words(
    server: Scripted, here: Environment, status: int, reading: type[Exception], writing: type[Exception]
) -> None:
    server.reply = lambda _: Reply(status, {"message": f"because {SECRET}"})
    with pytest.raises(reading) as read:
        session(server, here).read("/x")
    with pytest.raises(writing) as wrote:
        session(server, here).write("PUT", "/x", body={})
    assert type(read.value) is reading
    assert type(wrote.value) is writing
    for error in (read.value, wrote.value):
        assert "because" in str(error)
        assert SECRET not in str(error)


def test_an_error_page_is_told_by_its_status(server: Scripted, here: Environment) -> None:
    server.reply = lambda _: Reply(422, b"<html>no</html>")
    with pytest.raises(Refused, match="422"):
        session(server, here).write("POST", "/x", body={})


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"{", b'{"a":', b"\xff\xfe", b"[" * 100_000, b"1" * 5000], ids=lambda body: repr(body[:8])
)
def test_a_success_that_is_not_json_is_an_error(server: Scripted, here: Environment, body: bytes) -> None:
    server.reply = lambda _: Reply(200, body)
    with pytest.raises(ProtocolError) as raised:
        session(server, here).read("/x").data()
    assert len(raised.value.raw) <= 2000
    with pytest.raises(Unknown):
        session(server, here).write("POST", "/x", body={}).data()


def test_the_raw_answer_in_an_error_holds_no_secret(server: Scripted, here: Environment) -> None:
    server.reply = lambda _: Reply(200, f"<html>{SECRET}</html>".encode())
    with pytest.raises(ProtocolError) as raised:
        session(server, here).read("/x").data()
    assert raised.value.raw == "<html>…</html>"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{",
    ],
    ids=["closed", "nonsense", "short", "short chunk", "no chunk"],
)
def test_an_answer_that_breaks_off_is_transient_for_a_read_and_unknown_for_a_write(
    here: Environment, answer: bytes
) -> None:
    with raw_server(answer, answer, answer) as url:
        with pytest.raises(Transient):
            HttpSession(Origin(url), replace(here, tries=1)).read("/x")
        with pytest.raises(Unknown):
            HttpSession(Origin(url), here).write("POST", "/x", body={})


def test_a_success_cut_inside_its_head_bears_nothing(here: Environment) -> None:
    """http.client takes it for an empty 201: whoever needs an id from it must not find one."""
    with raw_server(b"HTTP/1.1 201 Created\r\nConte") as url, pytest.raises(Unknown):
        HttpSession(Origin(url), here).write("POST", "/x", body={}).data()


def test_a_refused_connection_is_transient_even_for_a_write(server: Scripted, here: Environment) -> None:
    server.stop()
    with pytest.raises(Transient) as raised:
        session(server, here).write("POST", "/x", body={})
    assert type(raised.value) is Transient


def test_a_name_that_does_not_resolve_is_transient(here: Environment) -> None:
    with pytest.raises(Transient, match="does not resolve"):
        HttpSession(Origin("http://no-such-host.invalid"), replace(here, tries=1)).read("/x")


def test_credentials_that_no_header_can_carry_are_told_without_showing_them(
    server: Scripted, here: Environment
) -> None:
    talk = HttpSession(
        Origin(server.url, Credentials(headers={"Authorization": "s3cr3t\nx"}), secrets=["s3cr3t\nx"]), here
    )
    with pytest.raises(AccessError) as raised:
        talk.read("/x")
    assert "s3cr3t" not in str(raised.value)


def test_an_address_out_of_an_answer_is_not_spoken_to(server: Scripted, here: Environment) -> None:
    with pytest.raises(ProtocolError, match="another place"):
        session(server, here).read("http://elsewhere.example.org/x")


# -- bodies and connections ------------------------------------------------------------------------------------------


class Pieces:
    def __len__(self) -> int:
        return 6

    def __iter__(self) -> Iterator[bytes]:
        yield b"abc"
        yield b"def"


def test_a_body_in_pieces_goes_with_its_length_known(server: Scripted, here: Environment) -> None:
    session(server, here).write("POST", "/x", stream=Pieces(), headers={"Content-Type": "application/octet-stream"})
    (asked,) = server.asked
    assert asked.body == b"abcdef"
    assert asked.headers["content-length"] == "6"
    assert asked.headers["content-type"] == "application/octet-stream"


def test_one_connection_serves_many_requests_of_a_thread(server: Scripted, here: Environment) -> None:
    talk = session(server, here)
    for _ in range(5):
        talk.read("/x")
    assert server.connections == 1


def test_the_servers_clock_is_known_after_an_answer(server: Scripted, here: Environment) -> None:
    server.tracker.offset = timedelta(hours=-3)
    talk = session(server, here)
    assert talk.server_now() == here.clock()
    talk.read("/x")
    assert talk.server_now() == here.clock() - timedelta(hours=3)


def test_a_stream_is_bounded(server: Scripted, here: Environment) -> None:
    server.reply = lambda _: Reply(200, b"x" * 50_001)
    with session(server, here).stream("/x", limit=50_001) as chunks:
        assert sum(map(len, chunks)) == 50_001
    with pytest.raises(ProtocolError), session(server, here).stream("/x", limit=50_000) as chunks:
        list(chunks)
