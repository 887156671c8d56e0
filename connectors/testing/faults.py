"""What a connector makes of trouble on the way: one error per remedy, and never a write repeated on its own."""

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from datetime import timedelta

import pytest

from connectors.api import Change, CommentDraft, RemoteTicket
from connectors.errors import AccessError, ConnectorError, ProtocolError, Transient, Unknown
from connectors.testing.stand import Stand, listed


class FaultConformance:
    """What a connector makes of trouble: one error per remedy, and never a write repeated on its own.

    `stand.faults(how, operation)` makes an operation (create, update, comment, read) go wrong: *dropped* (nothing done,
    and no answer), *lost* (done, and the answer never came), *head* (half of an answer's head, work done), *cut* (half
    an answer, work done), *page* (a web page for an answer; the work is done all the same), *failed* (status 500, work
    done), *busy* (429, Retry-After 7, nothing done), *slow* (an answer that drips), *bomb* (an answer that swells),
    *redirect* (to a log-in page, nothing done), *down* (no connection); *xxe*, *laughs*, *deep* (an answer that means
    harm, work done: `hostile.ANSWERS`)."""

    @pytest.fixture(autouse=True)
    def _misbehaves(self, stand: Stand) -> None:
        assert stand.faults is not None, "FaultConformance needs a tracker that misbehaves on demand"

    @pytest.mark.parametrize("how", ["lost", "page", "cut", "failed", "slow"])
    def test_a_create_whose_answer_is_no_answer_is_unknown_and_happened_once(self, stand: Stand, how: str) -> None:
        stand.create()
        token = stand.token()
        with self._fault(stand, how, "create"), pytest.raises(Unknown):
            stand.connector.create({**stand.extra, stand.subject: f"once {token}"}, token=token)
        found = stand.find(token)
        assert isinstance(found, RemoteTicket)
        mine = [each for each in self._scanned(stand) if (each.fields or {}).get(stand.subject) == f"once {token}"]
        assert len(mine) == 1

    @pytest.mark.parametrize("how", ["down", "dropped", "lost", "head", "cut"])
    def test_wherever_the_connection_breaks_a_create_that_is_looked_up_makes_one_ticket(
        self, stand: Stand, how: str
    ) -> None:
        stand.create()
        token = stand.token()
        with self._fault(stand, how, "create"), suppress(ConnectorError):
            stand.connector.create({**stand.extra, stand.subject: f"once {token}"}, token=token)
        if not isinstance(stand.find(token), RemoteTicket):
            stand.connector.create({**stand.extra, stand.subject: f"once {token}"}, token=token)
        mine = [each for each in self._scanned(stand) if (each.fields or {}).get(stand.subject) == f"once {token}"]
        assert len(mine) == 1

    @pytest.mark.parametrize("how", ["down", "dropped", "lost", "head", "cut"])
    def test_wherever_the_connection_breaks_a_comment_that_is_looked_up_is_there_once(
        self, stand: Stand, how: str
    ) -> None:
        ticket, token = stand.create(), stand.token()
        with self._fault(stand, how, "comment"), suppress(ConnectorError):
            stand.connector.comment(ticket.key, CommentDraft("once"), token=token)
        if token not in {each.token for each in stand.comments(ticket.key)}:
            stand.connector.comment(ticket.key, CommentDraft("once"), token=token)
        assert [each.token for each in stand.comments(ticket.key)] == [token]

    @pytest.mark.parametrize("how", ["lost", "failed", "page"])
    def test_a_create_that_cannot_be_read_back_tells_the_key_it_got(self, stand: Stand, how: str) -> None:
        stand.create()
        token = stand.token()
        with self._fault(stand, how, "read"):
            try:
                key = stand.connector.create({**stand.extra, stand.subject: f"once {token}"}, token=token).key
            except Unknown as lost:
                key = lost.key or ""
        assert stand.connector.fetch(key).token == token

    @pytest.mark.parametrize("how", ["lost", "failed", "slow"])
    def test_a_comment_whose_answer_is_lost_is_unknown_and_is_found_by_its_token(self, stand: Stand, how: str) -> None:
        ticket, token = stand.create(), stand.token()
        with self._fault(stand, how, "comment"), pytest.raises(Unknown):
            stand.connector.comment(ticket.key, CommentDraft("once"), token=token)
        assert [each.token for each in stand.comments(ticket.key)] == [token]

    @pytest.mark.parametrize("how", ["lost", "failed", "slow"])
    def test_an_update_whose_answer_is_lost_is_unknown(self, stand: Stand, how: str) -> None:
        ticket = stand.create()
        with self._fault(stand, how, "update"), pytest.raises(Unknown):
            stand.connector.update(ticket.key, {stand.subject: "written"}, held=ticket)
        assert stand.connector.fetch(ticket.key).fields[stand.subject] == "written"

    @pytest.mark.parametrize("operation", ["create", "update", "comment"])
    @pytest.mark.parametrize("how", ["busy", "down"])
    def test_a_write_that_never_began_is_transient_and_may_be_repeated(
        self, stand: Stand, operation: str, how: str
    ) -> None:
        ticket = stand.create()
        with self._fault(stand, how, operation), pytest.raises(Transient) as raised:
            self._write(stand, operation, ticket)
        assert not isinstance(raised.value, Unknown)
        if how == "busy":
            assert raised.value.retry_after == timedelta(seconds=7)

    @pytest.mark.parametrize("operation", ["create", "update", "comment"])
    def test_a_write_that_is_redirected_is_no_success_and_is_not_followed(self, stand: Stand, operation: str) -> None:
        ticket = stand.create()
        with self._fault(stand, "redirect", operation), pytest.raises((AccessError, ProtocolError)):
            self._write(stand, operation, ticket)

    @pytest.mark.parametrize("how", ["page", "cut", "bomb", "redirect"])
    def test_an_answer_that_cannot_be_read_is_an_error_and_never_an_empty_ticket(self, stand: Stand, how: str) -> None:
        ticket = stand.create()
        with self._fault(stand, how, "read"), pytest.raises((ProtocolError, AccessError)):
            stand.connector.fetch(ticket.key)

    @pytest.mark.parametrize("how", ["xxe", "laughs", "deep"])
    def test_an_answer_that_means_harm_is_an_error_that_shows_nothing_of_this_machine(
        self, stand: Stand, how: str
    ) -> None:
        first = stand.connector.changes(None).cursor
        ticket, token = stand.create(), stand.token()
        asks: dict[str, Callable[[], object]] = {
            "read": lambda: stand.connector.fetch(ticket.key),
            "list": lambda: stand.connector.changes(first),
            "create": lambda: stand.connector.create({**stand.extra, stand.subject: "x"}, token=token),
        }
        for operation, ask in asks.items():
            with self._fault(stand, how, operation), pytest.raises((ProtocolError, AccessError, Unknown)) as raised:
                ask()
            assert "root:" not in repr(raised.value) + str(getattr(raised.value, "raw", ""))
        assert isinstance(stand.find(token), RemoteTicket), "the answer was lost, not the ticket"

    @pytest.mark.parametrize("how", ["page", "cut", "bomb", "redirect", "failed", "slow", "down", "busy"])
    def test_a_list_that_goes_wrong_is_an_error_and_never_an_empty_list(self, stand: Stand, how: str) -> None:
        first = stand.connector.changes(None).cursor
        stand.create()
        with self._fault(stand, how, "list"), pytest.raises(ConnectorError):
            stand.connector.changes(first)
        with self._fault(stand, how, "list"), pytest.raises(ConnectorError):
            stand.connector.scan("")

    @pytest.mark.parametrize("how", ["failed", "slow", "down", "lost"])
    def test_a_read_that_fails_is_transient(self, stand: Stand, how: str) -> None:
        ticket = stand.create()
        with self._fault(stand, how, "read"), pytest.raises(Transient):
            stand.connector.fetch(ticket.key)

    def test_a_session_that_ends_in_the_middle_is_renewed_and_no_write_is_done_twice(self, stand: Stand) -> None:
        if stand.expire is None:
            pytest.skip("this tracker gives no sessions")
        first = stand.connector.changes(None).cursor
        stand.settle()
        ticket = stand.create()
        stand.expire()
        written = stand.connector.update(ticket.key, {stand.subject: "written"}, held=ticket)
        assert written.applied == {stand.subject}
        stand.expire()
        stand.connector.comment(ticket.key, CommentDraft("once"), token=stand.token())
        stand.expire()
        assert [each.text for each in stand.comments(ticket.key)] == ["once"]
        stand.expire()
        assert ticket.key in {each.key for each in listed(stand.connector, first)[0]}
        stand.expire()
        token = stand.token()
        other = stand.connector.create({**stand.extra, stand.subject: f"once {token}"}, token=token)
        stand.expire()
        mine = [each.key for each in self._scanned(stand) if (each.fields or {}).get(stand.subject) == f"once {token}"]
        assert mine == [other.key]

    @pytest.mark.parametrize("how", ["page", "cut", "bomb", "redirect", "failed", "slow", "down", "lost", "busy"])
    @pytest.mark.parametrize("operation", ["read", "create"])
    def test_no_error_shows_a_secret(self, stand: Stand, how: str, operation: str) -> None:
        ticket = stand.create()
        with self._fault(stand, how, operation), pytest.raises(ConnectorError) as raised:
            self._write(stand, operation, ticket)
        error: BaseException | None = raised.value
        while error is not None:
            shown = repr(error) + str(error) + str(getattr(error, "raw", ""))
            assert not any(secret in shown for secret in stand.secrets)
            error = error.__cause__

    @staticmethod
    def _fault(stand: Stand, how: str, operation: str) -> AbstractContextManager[None]:
        assert stand.faults is not None, "checked before each test"
        return stand.faults(how, operation)

    @staticmethod
    def _write(stand: Stand, operation: str, ticket: RemoteTicket) -> None:
        match operation:
            case "create":
                stand.connector.create({**stand.extra, stand.subject: "x"}, token=stand.token())
            case "update":
                stand.connector.update(ticket.key, {stand.subject: "x"}, held=ticket)
            case "comment":
                stand.connector.comment(ticket.key, CommentDraft("x"), token=stand.token())
            case _:
                stand.connector.fetch(ticket.key)

    @staticmethod
    def _scanned(stand: Stand) -> list[Change]:
        found: list[Change] = []
        position, more = "", True
        while more:
            page = stand.connector.scan(position)
            found += page.changes
            position, more = page.cursor.position, page.more
        return found
