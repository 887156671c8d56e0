"""How commands answer: tables and sentences for people, one JSON document for programs."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

_WIDE = 400

as_json = click.option("--json", "as_json", is_flag=True, help="Answer with one JSON document.")


def console() -> Console:
    """Where people read. In a file or a pipe nothing is folded for a screen that is not there."""
    drawn = Console(highlight=False, markup=False, emoji=False)
    return drawn if drawn.is_terminal else Console(highlight=False, markup=False, emoji=False, width=_WIDE)


def document(data: Any) -> None:
    """The answer as one JSON document."""
    click.echo(json.dumps(data, ensure_ascii=False, indent=2, default=_plain))


def say(*sentences: str) -> None:
    """Sentences for people, as they are."""
    for sentence in sentences:
        console().print(printable(sentence), soft_wrap=True)


def complain(*sentences: str) -> None:
    """Sentences about what went wrong, beside the answer."""
    for sentence in sentences:
        click.echo(printable(sentence), err=True)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table for people."""
    drawn = Table(*columns, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        drawn.add_row(*(Text(printable(_cell(cell))) for cell in row))
    console().print(drawn)


def pairs(rows: Sequence[tuple[str, object]]) -> None:
    """Names and values for people."""
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        first, *more = _cell(value).splitlines() or [""]
        say(f"{name:{width}}  {first}", *(f"{'':{width}}  {line}" for line in more))


def printable(text: str) -> str:
    """Text that cannot steer a terminal: what is not printable is shown as its code."""
    return "".join(c if c.isprintable() or c in "\n\t" else f"\\x{ord(c):02x}" for c in text)


def moment(at: datetime | None) -> str:
    """A moment for people."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC" if at else "never"


def _cell(value: object) -> str:
    if value is None:
        return "—"
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "—"
    return str(value)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is not plain")
