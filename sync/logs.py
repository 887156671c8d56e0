"""Where log lines go and in which form. Every line passes the mask: no secret is in it, tracebacks included."""

import logging
import sys
from collections.abc import Callable, MutableMapping
from typing import Any, TextIO

import structlog


def configure(out: TextIO, mask: Callable[[str], str], *, level: int = logging.INFO) -> None:
    """Write what interdesk says to this stream: for people where it is a terminal, one JSON document a line else."""
    people = out.isatty()
    renderer: Any = structlog.dev.ConsoleRenderer() if people else structlog.processors.JSONRenderer(ensure_ascii=False)

    def masked(_: Any, __: str, line: Any) -> str:
        return mask(line)

    def plain(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        # control characters in a tracker's words must not steer the reader's terminal
        return {key: _printable(value) for key, value in event.items()}

    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            *([plain] if people else []),
            renderer,
            masked,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=False,
    )


def quiet() -> None:
    """Only what needs a person, on the standard error stream: for commands that answer and end."""
    configure(sys.stderr, lambda line: line, level=logging.ERROR)


def _printable(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return "".join(c if c.isprintable() or c in "\n\t" else f"\\x{ord(c):02x}" for c in value)
