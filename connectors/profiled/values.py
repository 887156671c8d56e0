"""Small words of the REST family: looking into answers, filling templates, and when two values are the same. Pure."""

import itertools
import re
from collections.abc import Mapping, MutableMapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from connectors.api import Value
from connectors.errors import ProtocolError
from connectors.markup import html_of

UNSAYABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML carries."""
_STEP = re.compile(r"(?:'([^']*)'|([^.\[\]']*))(?:(\[\])|\[([^=\]]+)=([^\]]*)\])?(?:\.|$)")
_NAME = re.compile(r"'([^']*)'|([^.']+)")
_NO = ("", "0", "false", "no", "n", "off", "none", "null")
_COUNT = re.compile(r"(.*)\{(epoch|epoch_ms)\}(.*)")
"""A count with characters around it: /Date({epoch_ms})/, in which a zone may follow that moves nothing."""
_WORD = re.compile(r"\{([a-z_]+)(?::(sql|number|html))?\}")


@lru_cache(maxsize=4096)
def _steps(path: str) -> tuple[tuple[str, bool, str, str], ...]:
    """A path's steps: a name, whether all rows of the list there are meant, and for a row chosen from it the member
    and its value."""
    steps = (
        (found[1] or found[2] or "", bool(found[3]), found[4] or "", found[5] or "") for found in _STEP.finditer(path)
    )
    return tuple(step for step in steps if any(step))


def at(data: Any, path: str) -> Any:
    """What a dotted path leads to; None where it leads nowhere. `rows[name=x]` is the row whose name is x, `rows[]`
    all rows, and what follows is taken of each; a step `*` is the only thing there, whatever it is called; a name
    with a dot in it stands in quotes."""
    return _followed(data, _steps(path))


def _followed(data: Any, steps: tuple[tuple[str, bool, str, str], ...]) -> Any:
    for number, (name, every, member, wanted) in enumerate(steps, start=1):
        if name:
            if isinstance(data, dict):
                data = data.get(name) if name != "*" else next(iter(data.values())) if len(data) == 1 else None
            elif isinstance(data, list) and name.isdecimal() and int(name) < len(data):
                data = data[int(name)]
            else:
                return None
        if member:
            listed = data if isinstance(data, list) else [data]
            data = next((each for each in listed if text(at(each, member)) == wanted), None)
        if every:
            return _gathered(data, steps[number:])
    return data


def _gathered(data: Any, steps: tuple[tuple[str, bool, str, str], ...]) -> list[Any] | None:
    """What the steps lead to in each of several rows, as one list; None where there are no rows to look into."""
    if data is None:
        return None
    found = [_followed(each, steps) for each in (data if isinstance(data, list) else [data])]
    return [one for each in found for one in (each if isinstance(each, list) else [each]) if one is not None]


def spread(data: Any, paths: Sequence[str]) -> Any:
    """What stands for one thing: at one path, or at several, joined by a blank; None where there is nothing."""
    if len(paths) == 1:
        return at(data, paths[0])
    return " ".join(each for each in (text(at(data, path)) for path in paths) if each) or None


def first(data: Any, paths: Sequence[str]) -> Any:
    """What the first path that leads somewhere leads to."""
    return next((found for found in (at(data, path) for path in paths) if found is not None), None)


def rows(data: Any, path: str, about: str) -> list[Any]:
    """A list inside an answer.  :raises ProtocolError: there is none."""
    found = at(data, path)
    if not isinstance(found, list):
        raise ProtocolError(f"{about}: the answer has no list under {path!r}", raw=repr(data))
    return found


def text(value: Any) -> str:
    """A scalar as text; "" for None."""
    return "" if value is None else str(value)


def plain(value: Any) -> Value:
    """A value of an answer in canonical form: line ends LF, nothing blank at the end, absent is None."""
    if isinstance(value, str):
        return value.replace("\r\n", "\n").replace("\r", "\n").rstrip() or None
    if isinstance(value, list):
        words = tuple(str(each) for each in value if each not in (None, ""))
        return words if len(words) > 1 else (plain(words[0]) if words else None)
    if value is None or isinstance(value, bool | int):
        return value
    return str(value)


def same(one: Value, other: Value) -> bool:
    """Whether two values are one as far as the wire can tell: 55 and "55", None and "", any order of a set, and
    characters that cannot be said as what stands for them."""

    def form(value: Value) -> object:
        if isinstance(value, tuple):
            return frozenset(value)
        return "" if value is None else UNSAYABLE.sub("\ufffd", str(plain(str(value)) or ""))

    if isinstance(one, tuple) != isinstance(other, tuple):
        return form(one if isinstance(one, tuple) else _alone(one)) == form(
            other if isinstance(other, tuple) else _alone(other)
        )
    return form(one) == form(other)


def _alone(value: Value) -> tuple[str, ...]:
    return () if value in (None, "") else (str(value),)


def word(value: Any) -> str:
    """A value as a word of a profile: 1 and "1" are one, so are true and "True"; nothing is ""."""
    return str(value).lower() if isinstance(value, bool) or value in ("True", "False") else text(value)


def truth(value: Any) -> bool:
    """Whether a value means yes, whatever it comes as. A word that nobody foresaw does; an empty list does not."""
    return value not in ([], {}) and text(value).strip().lower() not in _NO


def moment(
    value: Any, about: str, forms: Sequence[str] = ("iso",), zone: tzinfo = UTC, until: datetime | None = None
) -> datetime:
    """A time of an answer, as UTC; `zone` is that of a time that names none. In the hour that a zone has twice it is
    the earlier one or, with `until`, the later one that is not after that: what just changed is not taken for old.

    :raises ProtocolError: it is none."""
    for form in forms:
        try:
            found = _moment(value, form)
        except (ValueError, OverflowError, OSError):
            continue
        if found.tzinfo is not None:
            return found.astimezone(UTC)
        late = found.replace(tzinfo=zone, fold=1).astimezone(UTC)
        return late if until is not None and late <= until else found.replace(tzinfo=zone).astimezone(UTC)
    raise ProtocolError(f"{about}: {value!r} is not a time", raw=repr(value))


def told(when: datetime, form: str, zone: tzinfo = UTC) -> str | int:
    """A time as it is written in this form; the counterpart of `moment`."""
    if form in ("epoch", "epoch_ms"):
        return int(when.timestamp()) if form == "epoch" else round(when.timestamp() * 1000)
    if (around := _COUNT.fullmatch(form)) is not None:
        return f"{around[1]}{told(when, around[2])}{around[3]}"
    if form == "iso":
        return when.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return when.astimezone(zone).strftime(form)


def _moment(value: Any, form: str) -> datetime:
    if form == "iso":
        return datetime.fromisoformat(str(value))
    if form == "epoch":
        return datetime.fromtimestamp(float(value), UTC)
    if form == "epoch_ms":
        return datetime.fromtimestamp(int(value) // 1000, UTC) + timedelta(milliseconds=int(value) % 1000)
    if (around := _COUNT.fullmatch(form)) is not None:
        inside = re.fullmatch(re.escape(around[1]) + r"(-?\d+)(?:[+-]\d{4})?" + re.escape(around[3]), str(value))
        return _moment(inside[1] if inside is not None else "", around[2])
    return datetime.strptime(str(value), form)  # noqa: DTZ007 (its zone is the caller's to say)


def fill(template: str, words: Mapping[str, Any]) -> Any:
    """The template with its words filled in. A template that is one word alone keeps that word's type.

    :raises KeyError: a word is not known."""
    whole = _WORD.fullmatch(template)
    if whole is not None and whole[2] not in ("sql", "html"):
        found = words[whole[1]]
        if whole[2] != "number":
            return found
        return [_counted(each) for each in found] if isinstance(found, list) else _counted(found)

    def word(found: re.Match[str]) -> str:
        said = str(words[found[1]])
        if found[2] == "html":
            return html_of(said)
        return said.replace("\\", "\\\\").replace("'", "\\'") if found[2] == "sql" else said

    return _WORD.sub(word, template)


def _counted(value: Any) -> Any:
    return int(value) if str(value).isdecimal() else value


def filled(template: Any, words: Mapping[str, Any]) -> Any:
    """Data with the words in it filled in, however deep; members whose words are not known are left out.

    :raises KeyError: the template is a text, and one of its words is not known."""
    if isinstance(template, str):
        return fill(template, words)
    if isinstance(template, dict):
        found = ((fill(name, words), _known(each, words)) for name, each in template.items())
        return {name: each for name, each in found if each is not _UNKNOWN}
    if isinstance(template, list):
        return [each for each in (_known(each, words) for each in template) if each is not _UNKNOWN]
    return template


def texts(templates: Mapping[str, str], words: Mapping[str, Any]) -> dict[str, Any]:
    """A query, or headers, with the words in them filled in.  :raises KeyError: a word is not known."""
    return {fill(name, words): fill(template, words) for name, template in templates.items()}


_UNKNOWN = object()


def _known(template: Any, words: Mapping[str, Any]) -> Any:
    try:
        return filled(template, words)
    except KeyError:
        return _UNKNOWN


def names(templates: Any) -> set[str]:
    """The words in braces of a template, or of all that are in an object or a list."""
    if isinstance(templates, str):
        return {found[1] for found in _WORD.finditer(templates)}
    if isinstance(templates, Mapping):
        return {name for each in templates.items() for part in each for name in names(part)}
    if isinstance(templates, list | tuple):
        return {name for each in templates for name in names(each)}
    return set()


def address(template: str, words: Mapping[str, Any]) -> str:
    """A path with its words filled in, each escaped so that it stays one step."""
    return _WORD.sub(lambda found: quote(str(words[found[1]]), safe=""), template)


def put(body: MutableMapping[str, Any], path: str, value: Any) -> None:
    """Put a value at a dotted place, making what is on the way: a list where its first row (0) is named, else an
    object."""
    steps = names_of(path)
    place: Any = body
    for step, following in itertools.pairwise(steps):
        fresh: Any = [] if following == "0" else {}
        if isinstance(place, list):
            if int(step) == len(place):
                place.append(fresh)
            place = place[int(step)]
        else:
            place = place.setdefault(step, fresh)
    if isinstance(place, list):
        place[int(steps[-1]) :] = [value, *place[int(steps[-1]) + 1 :]]
    else:
        place[steps[-1]] = value


def names_of(path: str) -> list[str]:
    """The names of a dotted place; one with a dot in it stands in quotes."""
    return [found[1] if found[1] is not None else found[2] for found in _NAME.finditer(path)] or [""]


def called(path: str) -> str:
    """A dotted place as the product calls it: without quotes."""
    return ".".join(names_of(path))


def joined(*paths: str) -> str:
    """Dotted paths, one below the other."""
    return ".".join(path for path in paths if path)
