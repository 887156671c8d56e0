"""How the emulated Jira searches: the little JQL that a connector needs, by offset (Data Center) or by token (Cloud).

Conditions of project, id, labels and updated, joined by AND; ORDER BY id or updated. Absolute times go to the minute
and are read in the account's zone; relative ones ("-5m") count from now.
"""

import base64
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from connectors.emulators.server import Asked, Reply
from connectors.emulators.tracker import Issue

if TYPE_CHECKING:
    from connectors.emulators.jira import JiraEmulator

_CONDITION = re.compile(
    r'(?P<field>project|id|labels|updated)\s*(?P<op>>=|>|<=|<|=)\s*(?:"(?P<quoted>(?:\\.|[^"])*)"|(?P<bare>[^\s"]+))',
    re.I,
)
_ORDER = re.compile(r"\s+ORDER BY\s+(.*)$", re.I | re.S)
_AGO = re.compile(r"(-?\d+)([wdhm])")
_UNITS = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes"}
_FORMS = ("%Y/%m/%d %H:%M", "%Y-%m-%d %H:%M", "%Y/%m/%d", "%Y-%m-%d")


class NoQuery(ValueError):
    """What Jira has against a query, in its words."""


@dataclass(frozen=True, slots=True)
class _Condition:
    field: str
    op: str
    value: str


def by_offset(emulator: "JiraEmulator", asked: Asked) -> Reply:
    """One page of Data Center's search: startAt, and a total."""
    said = _said(asked)
    found = _matching(emulator, str(said.get("jql", "")))
    start, size = int(said.get("startAt", 0)), min(int(said.get("maxResults", 50)), emulator.quirks.most_rows)
    rows = [emulator.shown(each, whole=False) for each in found[start : start + size]]
    return Reply(200, {"startAt": start, "maxResults": size, "total": len(found), "issues": rows})


def by_token(emulator: "JiraEmulator", asked: Asked) -> Reply:
    """One page of Cloud's search: without a total, and the next page only by its token. A query must be bounded."""
    said = _said(asked)
    jql = str(said.get("jql", ""))
    if not _CONDITION.search(jql):
        raise NoQuery("Unbounded JQL queries are not allowed here. Please add a search restriction to your query.")
    found = _matching(emulator, jql)
    token, size = str(said.get("nextPageToken") or ""), min(int(said.get("maxResults", 50)), emulator.quirks.most_rows)
    if token:  # the token tells the last row that was shown: what moved meanwhile skips nothing
        try:
            after = base64.urlsafe_b64decode(token.encode()).decode()
        except ValueError:
            raise NoQuery("The provided next page token is invalid or expired.") from None
        found = [each for each in found if _sorting(jql)(each) > _place(after)]
    page = found[:size]
    answer: dict[str, Any] = {"issues": [emulator.shown(each, whole=False) for each in page]}
    answer["isLast"] = len(found) <= size
    if page and not answer["isLast"]:
        last = _sorting(jql)(page[-1])
        answer["nextPageToken"] = base64.urlsafe_b64encode(f"{last[0]} {last[1]}".encode()).decode()
    return Reply(200, answer)


def _said(asked: Asked) -> dict[str, Any]:
    if asked.method == "POST":
        said: dict[str, Any] = asked.json()
        return said
    return {name: values[0] for name, values in asked.query.items()}


def _matching(emulator: "JiraEmulator", jql: str) -> list[Issue]:
    order = _ORDER.search(jql)
    wanted = [_condition(each) for each in re.split(r"\s+AND\s+", jql[: order.start()] if order else jql, flags=re.I)]
    seen_until = emulator.tracker.now() - emulator.quirks.lag
    with emulator.tracker.lock:
        found = [
            each
            for each in emulator.tracker.issues.values()
            if not each.hidden
            and (not emulator.quirks.lag or each.changed_at <= seen_until)
            and all(_holds(emulator, condition, each) for condition in wanted)
        ]
    found.sort(key=_sorting(jql), reverse=order is not None and order[1].strip().upper().endswith("DESC"))
    return found


def _sorting(jql: str) -> Any:
    order = _ORDER.search(jql)
    by_time = order is not None and order[1].strip().lower().startswith("updated")
    return lambda issue: (issue.changed_at.timestamp() if by_time else 0.0, issue.number)


def _place(token: str) -> tuple[float, int]:
    when, _, number = token.partition(" ")
    return float(when), int(number)


def _condition(text: str) -> _Condition:
    found = _CONDITION.fullmatch(text.strip())
    if found is None:
        raise NoQuery(f"Error in the JQL Query: '{text.strip()}' is not understood here.")
    value = found["bare"] if found["quoted"] is None else re.sub(r"\\(.)", r"\1", found["quoted"])
    return _Condition(found["field"].lower(), found["op"], value)


def _holds(emulator: "JiraEmulator", condition: _Condition, issue: Issue) -> bool:
    match condition.field:
        case "project":
            if condition.value not in (emulator.project, "10000"):
                raise NoQuery(f"The value '{condition.value}' does not exist for the field 'project'.")
            return True
        case "id":
            return _compared(issue.number, condition.op, int(condition.value.rpartition("-")[2]))
        case "labels":
            labels = issue.fields.get("labels")
            return isinstance(labels, tuple) and condition.value in labels
        case _:
            return _compared(issue.changed_at, condition.op, _when(emulator, condition.value))


def _compared(one: Any, op: str, other: Any) -> bool:
    return bool({">=": one >= other, ">": one > other, "<=": one <= other, "<": one < other, "=": one == other}[op])


def _when(emulator: "JiraEmulator", said: str) -> datetime:
    ago = _AGO.fullmatch(said)
    if ago is not None:
        return emulator.tracker.now() + timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    for form in _FORMS:
        try:
            return datetime.strptime(said, form).replace(tzinfo=ZoneInfo(emulator.quirks.zone)).astimezone(UTC)
        except ValueError:
            continue
    raise NoQuery(
        f"Date value '{said}' for field 'updated' is invalid. Valid formats include: 'yyyy/MM/dd HH:mm', "
        "'yyyy-MM-dd HH:mm', 'yyyy/MM/dd', 'yyyy-MM-dd', or a period format e.g. '-5d', '4w 2d'."
    )
