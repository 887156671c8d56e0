"""What an answer means: the signs of a profile's `errors`, in answers of any status."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from connectors.answers import Answer, Judge, TurnedAway, same
from connectors.errors import (
    AccessError,
    ConnectorError,
    NotFound,
    ProtocolError,
    Refused,
    Transient,
    Unknown,
    VersionConflict,
)
from connectors.remedies import Errors, Sign


def judged(
    errors: Mapping[str, Any] | list[Mapping[str, Any]],
    body: Any,
    status: int = 200,
    *,
    writes: bool = False,
    known: Mapping[int, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    shape = Errors.model_validate({"signs": errors} if isinstance(errors, list) else errors)
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    judge = Judge(shape, same, lambda: datetime(2026, 3, 1, tzinfo=UTC))
    return judge.verdict(Answer(status, headers or {}, raw, "GET /x", writes), known)


def told(call: Callable[[], object]) -> ConnectorError:
    with pytest.raises(ConnectorError) as raised:
        call()
    return raised.value


@pytest.mark.parametrize(
    ("means", "reading", "writing"),
    [
        ("access", TurnedAway, TurnedAway),
        ("denied", AccessError, AccessError),
        ("missing", NotFound, NotFound),
        ("conflict", ProtocolError, VersionConflict),
        ("refused", ProtocolError, Refused),
        ("busy", Transient, Transient),
        ("failed", Transient, Unknown),
        ("empty", None, NotFound),
    ],
)
@pytest.mark.parametrize("status", [200, 201, 400, 418, 500])
def test_a_sign_is_one_remedy_whatever_the_status(
    means: str, reading: type[Exception] | None, writing: type[Exception], status: int
) -> None:
    errors = {"words": "error.text", "signs": [{"at": "error.code", "equals": "E7", "means": means}]}
    body = {"error": {"code": "E7", "text": "because"}}
    if reading is None:
        assert judged(errors, body, status).data() is None
        assert judged(errors, body, status).empty
    else:
        assert type(told(lambda: judged(errors, body, status))) is reading
    error = told(lambda: judged(errors, body, status, writes=True))
    assert type(error) is writing
    assert "because" in str(error)


def test_a_success_without_a_sign_is_a_success() -> None:
    errors = [{"at": "error", "means": "refused"}, {"status": 204, "at": "x", "means": "empty"}]
    for body in ({"error": None}, {"error": ""}, {"error": 0}, {"error": []}, {"errors": ["x"]}, [], None, "error"):
        assert judged(errors, body).data() == body


@pytest.mark.parametrize(
    ("sign", "body", "holds"),
    [
        ({"at": "ok", "equals": False}, {"ok": False}, True),
        ({"at": "ok", "equals": False}, {"ok": "false"}, True),
        ({"at": "ok", "equals": False}, {"ok": True}, False),
        ({"at": "ok", "equals": False}, {}, False),
        ({"at": "code", "equals": [7, "8"]}, {"code": "7"}, True),
        ({"at": "code", "equals": [7, "8"]}, {"code": 8}, True),
        ({"at": "code", "differs": 0}, {"code": 0}, False),
        ({"at": "code", "differs": 0}, {"code": "12"}, True),
        ({"at": "code", "differs": 0}, {}, False),
        ({"at": "Error.ErrorCode", "begins": "TicketGet."}, {"Error": {"ErrorCode": "TicketGet.AuthFail"}}, True),
        ({"at": "Error.ErrorCode", "begins": "TicketGet."}, {"Error": {"ErrorCode": "TicketUpdate.X"}}, False),
        ({"says": "session [^ ]+ expired"}, {"message": "Your SESSION x1 expired."}, True),
        ({"says": "session [^ ]+ expired"}, {"message": "no"}, False),
        ({"body": "<title>Log in"}, b"<html><title>Log in</title>", True),
        ({"status": 200, "wordless": True}, {"message": ""}, True),
        ({"status": 200, "wordless": True}, {"message": "a word"}, False),
        ({"fault": "Client.Auth"}, {"Body": {"Fault": {"faultcode": "soap:Client.Auth.Expired"}}}, True),
        ({"fault": "Client"}, {"Fault": {"faultcode": "SOAP-ENV:ClientError"}}, False),
        ({"fault": "Sender"}, {"Envelope": {"Body": {"Fault": {"Code": {"Value": {"#text": "env:Sender"}}}}}}, True),
    ],
)
def test_a_sign_holds_where_all_that_it_says_does(sign: dict[str, Any], body: Any, holds: bool) -> None:
    errors = {"words": "message", "signs": [{**sign, "means": "missing"}]}
    if holds:
        assert isinstance(told(lambda: judged(errors, body)), NotFound)
    else:
        judged(errors, body)


def test_the_first_sign_counts_and_signs_count_before_what_a_status_means() -> None:
    errors = [{"status": 409, "says": "locked", "means": "busy"}, {"status": 409, "means": "refused"}]
    both = {"words": "m", "signs": errors}
    assert type(told(lambda: judged(both, {"m": "it is locked"}, 409, writes=True))) is Transient
    assert type(told(lambda: judged(both, {"m": "no"}, 409, writes=True))) is Refused
    assert type(told(lambda: judged([], {}, 409, writes=True))) is VersionConflict


def test_what_an_operation_knows_of_a_status_holds_for_a_right_that_is_missing_too() -> None:
    assert type(told(lambda: judged([], {}, 403))) is AccessError
    assert type(told(lambda: judged([], {}, 403, known={403: "missing"}))) is NotFound
    denied = [{"at": "code", "equals": "AccessDenied", "means": "denied"}]
    assert type(told(lambda: judged(denied, {"code": "AccessDenied"}))) is AccessError
    assert type(told(lambda: judged(denied, {"code": "AccessDenied"}, known={403: "missing"}))) is NotFound


def test_a_page_with_200_after_a_write_proves_nothing_unless_it_is_known_to() -> None:
    page = b"<html>Log in</html>"
    for means in ("access", "refused", "busy", "missing"):
        sign = {"body": "Log in", "means": means}
        error = told(lambda sign=sign: judged([sign], page, writes=True))
        assert isinstance(error, Unknown) or (isinstance(error, TurnedAway) and not error.undone)
        proven = told(lambda sign=sign: judged([{**sign, "undone": True}], page, writes=True))
        assert not isinstance(proven, Unknown)
        assert not isinstance(proven, TurnedAway) or proven.undone


def test_an_answer_to_a_write_that_cannot_be_read_stays_unknown() -> None:
    errors = [{"at": "error", "means": "refused"}]
    for body in (b"", b"<html>", b'{"err', b"\xff"):
        answer = judged(errors, body, writes=True)
        assert isinstance(told(answer.data), Unknown)


def test_the_products_own_words_are_kept_in_whatever_form_they_come() -> None:
    errors = {"words": ["errorMessages", "errors", "message"], "noise": r" at \S+ line \d+\.?$"}
    forms = {
        "first; second": {"errorMessages": ["first", "second"], "errors": {"a": "b"}},
        "summary: is needed; due: is past": {
            "errorMessages": [],
            "errors": {"summary": "is needed", "due": ["is past"]},
        },
    }
    for words, body in forms.items():
        assert words in str(told(lambda body=body: judged(errors, body, 400, writes=True)))
    noisy = {"message": "No such queue at /usr/share/rt line 17."}
    assert told(lambda: judged(errors, noisy, 400, writes=True)).args[0] == "No such queue"


def test_a_sign_without_words_elsewhere_tells_what_it_stands_on() -> None:
    error = told(lambda: judged([{"at": "fault", "means": "refused"}], {"fault": "the door is shut"}, writes=True))
    assert "the door is shut" in str(error)


def test_a_short_text_that_is_no_data_is_the_products_own_words() -> None:
    assert "Queue is frozen" in str(told(lambda: judged([], b"Queue is frozen", 422, writes=True)))
    assert "<" not in str(told(lambda: judged([], b"<html>x</html>", 422, writes=True)))


def test_a_mapping_of_status_to_remedy_is_a_list_of_signs() -> None:
    assert type(told(lambda: judged({402: "busy"}, {}, 402, writes=True))) is Transient


@pytest.mark.parametrize(
    "sign",
    [
        *({"means": "busy"}, {"wordless": True, "means": "busy"}, {"equals": "x", "status": 200, "means": "busy"}),
        *({"status": 200, "means": "shrug"}, {"says": "(a+)+", "means": "busy"}, {"path": "x", "means": "busy"}),
    ],
)
def test_a_sign_that_says_nothing_or_cannot_be_is_refused(sign: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Sign.model_validate(sign)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["error", "code", "Fault"]), inner),
    max_leaves=8,
)


@given(JSON, st.integers(100, 599), st.booleans())
def test_any_answer_is_a_success_or_one_error_and_never_a_crash(body: Any, status: int, writes: bool) -> None:
    errors = {
        "words": ["error.code", "error"],
        "signs": [
            {"at": "error.code", "begins": "a", "means": "access"},
            {"fault": "x", "means": "busy"},
            {"says": "b", "means": "denied"},
            {"at": "error", "means": "refused"},
        ],
    }
    try:
        answer = judged(errors, body, status, writes=writes)
    except ConnectorError:
        return
    assert 200 <= status < 300
    assert not (isinstance(body, dict) and body.get("error"))
    assert answer.data() == body
