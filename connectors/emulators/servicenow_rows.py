"""The rows of ServiceNow's tables: how encoded queries find them, and the forms they are shown in."""

import hashlib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Shown:
    """A column: the value it holds, what people see of it, and the table it refers to."""

    value: str
    display: str
    table: str = ""


Row = Mapping[str, Shown]


def said(row: Row, names: Collection[str], form: str, links: str | None) -> dict[str, Any]:
    """These columns of a row: `form` is sysparm_display_value; `links` is where links to other tables begin."""
    found: dict[str, Any] = {}
    for name in names:
        if (cell := row.get(name)) is None:
            continue
        tied = {"link": f"{links}/{cell.table}/{cell.value}"} if links and cell.table and cell.value else {}
        if form == "all":
            found[name] = {"display_value": cell.display, "value": cell.value, **tied}
        elif form == "true":
            found[name] = {"display_value": cell.display, **tied} if tied else cell.display
        else:
            found[name] = {"value": cell.value, **tied} if tied else cell.value
    return found


def sys_id(kind: str, number: object) -> str:
    """32 digits that tell nothing and are always the same."""
    return hashlib.md5(f"{kind}:{number}".encode(), usedforsecurity=False).hexdigest()


def queried(rows: list[Row], query: str, *, none: bool) -> list[Row]:
    """The rows that an encoded query finds, in its order. What it does not understand is passed over."""
    parts = [each for each in query.split("^") if each]
    for part in parts:
        found = re.fullmatch(
            r"(OR)?([a-z_.]+)(>=|<=|!=|>|<|=|IN|LIKE|STARTSWITH|ISNOTEMPTY|ISEMPTY)(.*)", part, re.DOTALL
        )
        if part.startswith("ORDERBY") or found is None:
            continue
        _, name, how, said = found.groups()
        name, _, dotted = name.partition(".")
        if rows and name not in rows[0]:
            rows = [] if none else rows
            continue
        rows = [each for each in rows if _holds(each[name].display if dotted else each[name].value, how, said)]
    for part in reversed(parts):
        if order := re.fullmatch(r"ORDERBY(DESC)?([a-z_]+)", part):
            name = order[2]
            rows = sorted(rows, key=lambda row, name=name: row[name].value, reverse=bool(order[1]))  # type: ignore[misc]  # bound now
    return rows


def _holds(value: str, how: str, said: str) -> bool:
    match how:
        case "=" | "!=":
            return (value == said) == (how == "=")
        case "IN":
            return value in said.split(",")
        case "LIKE":
            return said.lower() in value.lower()
        case "STARTSWITH":
            return value.startswith(said)
        case "ISEMPTY" | "ISNOTEMPTY":
            return bool(value) == (how == "ISNOTEMPTY")
        case ">=" | "<=":
            return value == said or (value > said) == (how == ">=")
        case _:
            return value != said and (value > said) == (how == ">")


def texts(**columns: str) -> dict[str, Shown]:
    return {name: Shown(value, value) for name, value in columns.items()}
