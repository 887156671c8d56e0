"""Where log lines go and in which form: one line per action, and nothing in it that is nobody's to read.

No line holds a secret (every one passes the mask), a word of a ticket, or what a person is called: of an error that a
tracker answered to a ticket its kind is told, and its words stand with the ticket and in its dead letter. Whatever
stands in a line, it stays one line and steers no terminal. `trail` is the same in all lines of one change: the act
at a door or the hint, the looks that follow from it in every system, and the writes that they make.
"""

import logging
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from datetime import datetime
from enum import StrEnum
from typing import Any, TextIO

import structlog

from central.store.api import StoreError
from connectors.errors import AccessError, Transient

LONGEST = 1000
"""Characters of one value; more is somebody's mischief, or a text that has no business here."""


class Form(StrEnum):
    """What a line looks like."""

    JSON = "json"
    PEOPLE = "people"


def configure(out: TextIO, mask: Callable[[str], str], *, level: int = logging.INFO, form: Form | None = None) -> None:
    """Write what interdesk says to this stream. No `form`: for people where it is a terminal, one JSON document a line
    else."""
    people = out.isatty() if form is None else form is Form.PEOPLE
    renderer: Any = (
        structlog.dev.ConsoleRenderer(colors=out.isatty())
        if people
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )

    def harmless(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        return {key: value if key == "exception" else _harmless(value, mask) for key, value in event.items()}

    def masked(_: Any, __: str, line: Any) -> str:
        return mask(line)

    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _frames,
            harmless,
            renderer,
            masked,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers[:] = [each for each in root.handlers if not isinstance(each, _Libraries)]
    root.addHandler(_Libraries(max(level, logging.WARNING)))


class _Libraries(logging.Handler):
    """What libraries complain of, as lines of ours: where it was said, for nobody knows what is in it."""

    def emit(self, record: logging.LogRecord) -> None:
        place = f"{record.module}:{record.lineno}"
        logger = structlog.get_logger(record.name)
        logger.log(record.levelno, "a library complains", library=record.name, at=place, exc_info=record.exc_info)


def quiet() -> None:
    """Only what needs a person, on the standard error stream: for commands that answer and end."""
    configure(sys.stderr, lambda line: line, level=logging.ERROR)


def told(error: BaseException) -> str:
    """An error as a line may tell it: in its own words where they are of connections, log-ins and the database alone;
    else its kind, for what a tracker says of a ticket may repeat the ticket."""
    kind = type(error).__name__
    if isinstance(error, Transient | AccessError | StoreError):
        return f"{kind}: {str(error).partition(chr(10))[0]}"
    return kind


def gist(sentence: str) -> str:
    """What a sentence begins with: values, people's words and their names follow a colon, or `, by`."""
    return sentence.partition(": ")[0].partition(", by ")[0]


def _harmless(value: Any, mask: Callable[[str], str]) -> Any:
    """Plain data without a secret, in which no text ends the line or steers the reader's terminal."""
    if isinstance(value, str):  # nearly everything is
        return _one_line(mask(str(value)))
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {_harmless(str(key), mask): _harmless(each, mask) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_harmless(each, mask) for each in value]
    return _one_line(mask(value.isoformat() if isinstance(value, datetime) else str(value)))


def _one_line(text: str) -> str:
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]}… ({len(text)} characters)"
    return text if text.isprintable() else "".join(c if c.isprintable() else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _frames(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Where an error came from, in the place of the error: our code alone, for its message may hold anything."""
    given = event.pop("exc_info", None)
    error = sys.exc_info()[1] if given is True else given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        event["exception"] = "\n".join(_chain(error))
    return event


def _chain(error: BaseException) -> Iterator[str]:
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None:
        yield from _chain(before)
    yield f"{type(error).__name__}, raised at:\n{''.join(traceback.format_tb(error.__traceback__))}".rstrip()
