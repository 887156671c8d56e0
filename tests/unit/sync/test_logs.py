"""What log lines hold and what they never hold, whatever is said to them."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from central.store.api import CommitFailed
from connectors.errors import AccessError, ProtocolError, Refused, Transient
from sync import logs
from sync.logs import Form

SECRET = 'pa"ss\\word'


class Lines:
    """A log in one form, and what was written to it."""

    def __init__(self, form: Form) -> None:
        self.form, self.out = form, io.StringIO()
        logs.configure(self.out, lambda text: text.replace(SECRET, "•••"), form=form)
        self.log = structlog.get_logger("test")

    @property
    def text(self) -> str:
        return self.out.getvalue()

    @property
    def documents(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]


@pytest.fixture
def lines() -> Iterator[Callable[[Form], Lines]]:
    before = structlog.get_config()
    yield Lines
    structlog.configure(**before)
    root = logging.getLogger()
    root.handlers[:] = [each for each in root.handlers if not isinstance(each, logs._Libraries)]


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\x85", "\u2028", "\v"])
def test_no_value_can_make_a_line_of_its_own(lines, form: Form, end: str) -> None:
    told = lines(form)
    told.log.info("a webhook was refused", system=f"x{end}2026-01-01 [error] all is lost", nested={"a": [f"b{end}c"]})
    assert len(told.text.splitlines()) == 1


@pytest.mark.parametrize("form", Form)
def test_no_value_can_steer_the_readers_terminal(lines, form: Form) -> None:
    told = lines(form)
    told.log.info("looked", subject="\x1b[2J\x07\x9b31m\u202eabc", did=["\x1b[2J"], keyed={"\x1b[2J": 1})
    assert all(c.isprintable() for c in told.text.strip())
    assert "\\x1b[2J" in told.text.replace("\\\\", "\\")


@pytest.mark.parametrize("form", Form)
def test_a_secret_is_masked_however_the_form_would_write_it(lines, form: Form) -> None:
    told = lines(form)
    told.log.info("not polled", error=f"401 for {SECRET}", more=[{"a": SECRET}])
    assert "•••" in told.text
    assert "word" not in told.text


def test_a_value_without_end_is_cut(lines) -> None:
    told = lines(Form.JSON)
    told.log.info("looked", subject="x" * 100_000)
    (line,) = told.documents
    assert len(line["subject"]) < 2 * logs.LONGEST


@pytest.mark.parametrize("form", Form)
def test_of_a_bug_the_place_is_told_and_never_its_message(lines, form: Form) -> None:
    told, words = lines(form), {"text": "-".join(["my password is", "hunter2"])}
    try:
        try:
            int(words["text"])
        except ValueError:
            words[words["text"]]
    except KeyError:
        told.log.exception("a look stumbled over a bug of interdesk; please report it")
    assert "test_logs.py" in told.text
    assert ("ValueError" in told.text, "KeyError" in told.text) == (True, True)
    assert "is-hunter2" not in told.text


def test_json_is_one_document_a_line_with_time_level_and_what_was_bound(lines) -> None:
    told = lines(Form.JSON)
    with structlog.contextvars.bound_contextvars(trail="4f6e"):
        told.log.info("looked", system="ngi-cz", did=["subject taken"], at=None, rows=3)
    (line,) = told.documents
    assert line.pop("timestamp").endswith("Z")
    expected = {"event": "looked", "level": "info", "trail": "4f6e", "system": "ngi-cz"}
    assert line == expected | {"did": ["subject taken"], "at": None, "rows": 3}


def test_what_a_library_complains_of_is_a_line_like_others_and_its_words_are_not_in_it(lines) -> None:
    lines(Form.JSON)
    told = lines(Form.JSON)
    try:
        int("hunter2")
    except ValueError:
        logging.getLogger("uvicorn.error").exception("Alice said %s", "hunter2")
    logging.getLogger("uvicorn.error").info("nobody needs this")
    (line,) = told.documents
    assert (line["event"], line["library"]) == ("a library complains", "uvicorn.error")
    assert "Alice" not in told.text
    assert "test_logs.py" in line["exception"]


def test_of_connections_and_of_the_database_the_words_are_told_of_a_ticket_only_the_kind() -> None:
    assert logs.told(Transient("rt.example.cz:443 does not answer")) == "Transient: rt.example.cz:443 does not answer"
    assert logs.told(AccessError("401")) == "AccessError: 401"
    assert logs.told(CommitFailed("a key is taken\nDETAIL: Key (key)=(Alice) exists")) == "CommitFailed: a key is taken"
    assert logs.told(Refused("'my password is hunter2' is too long")) == "Refused"
    assert logs.told(ProtocolError("cannot read hunter2")) == "ProtocolError"


def test_a_sentence_is_told_without_values_and_names() -> None:
    assert logs.gist("subject taken: 'the CE of Alice'") == "subject taken"
    assert logs.gist("everything is stopped, by ada: a storm") == "everything is stopped"
    assert logs.gist("ticket 17 created from 345") == "ticket 17 created from 345"
