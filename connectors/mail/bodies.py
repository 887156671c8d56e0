"""What a mail's text says: free text, and beside it fields, as lines of `LABEL: value` or as one XML document. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from xml.parsers import expat
from xml.sax.saxutils import escape

from connectors.api import Value
from connectors.mail.profile import Line, MailProfile

_INDENT = "    "
_CANNOT = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
MAX_XML = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Said:
    """Text and fields of a mail."""

    text: str
    fields: Mapping[str, Value]


def write(profile: MailProfile, text: str, fields: Mapping[str, Value]) -> str:
    """The body of a mail of ours. A field that is not there is left out; None is said as nothing."""
    if profile.body == "xml":
        said = [
            f"  <{profile.fields[name].label}>{_escaped(_shown(value))}</{profile.fields[name].label}>"
            for name, value in fields.items()
        ]
        held = [f"  <{profile.text}>{_escaped(text)}</{profile.text}>"] if text else []
        return "\n".join(
            ['<?xml version="1.0" encoding="UTF-8"?>', f"<{profile.element}>", *said, *held, f"</{profile.element}>"]
        )
    lines = [f"{profile.fields[name].label}: {_folded(_shown(value))}".rstrip() for name, value in fields.items()]
    return "\n".join([text, *([""] if text and lines else []), *lines])


def read(profile: MailProfile, text: str) -> Said:
    """Text and fields of a mail of theirs: only the fields that the profile lets them change are told."""
    if profile.body == "xml":
        return _read_xml(profile, text)
    labels = {line.label: name for name, line in profile.fields.items() if line.reads}
    if not labels:
        return Said(text, {})
    lines = text.split("\n")
    end = len(lines)
    while end and not lines[end - 1].strip():
        end -= 1
    begin, known = end, {line.label for line in profile.fields.values()}
    for at in range(end - 1, -1, -1):
        if lines[at].partition(":")[0].strip() in known and ":" in lines[at]:
            begin = at
        elif lines[at].strip() and not lines[at].startswith(_INDENT):
            break
    found = _told(profile, lines[begin:end], labels)
    return Said("\n".join(lines[:begin]).rstrip(), found)


def _told(profile: MailProfile, lines: list[str], labels: Mapping[str, str]) -> dict[str, Value]:
    """Values by field; a line that begins with blanks goes on with the one above."""
    found: dict[str, list[str]] = {}
    name: str | None = None
    for line in lines:
        if line.startswith(_INDENT):
            if name is not None:
                found[name].append(line[len(_INDENT) :].rstrip())
            continue
        label, colon, value = line.partition(":")
        name = labels.get(label.strip()) if colon else name
        if name is not None:
            found[name] = [value] if colon else [*found[name], ""]
    return {name: _value(profile.fields[name], "\n".join(said)) for name, said in found.items()}


def _read_xml(profile: MailProfile, text: str) -> Said:
    """Elements right below the root. A document type is refused, and with it every entity: then all is text."""
    labels = {line.label: name for name, line in profile.fields.items() if line.reads}
    path: list[str] = []
    texts: dict[str, list[str]] = {}

    def begin(name: str, _: object) -> None:
        path.append(name.rpartition(":")[2])
        if len(path) == 2:
            texts[path[1]] = []

    def data(said: str) -> None:
        if len(path) == 2:
            texts[path[1]].append(said)

    def refuse(*_: object) -> None:
        raise ValueError("a document type")

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = begin, lambda _: path.pop()
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = data, refuse
    try:
        parser.Parse(re.sub(r"^\s*<\?xml[^<>]{0,200}\?>", "", text[:MAX_XML]).strip().encode(), True)
    except (expat.ExpatError, ValueError):
        return Said(text, {})
    said = {label: "".join(pieces) for label, pieces in texts.items()}
    fields = {
        labels[label]: _value(profile.fields[labels[label]], value) for label, value in said.items() if label in labels
    }
    return Said(said.get(profile.text, "").strip("\n").rstrip(), fields)


def _value(line: Line, said: str) -> Value:
    value = said.strip()
    return value[: line.max_length] if value else None


def _shown(value: Value) -> str:
    if isinstance(value, tuple):
        return ", ".join(value)
    return "" if value is None else str(value)


def _folded(value: str) -> str:
    return f"\n{_INDENT}".join(value.split("\n"))


def _escaped(value: str) -> str:
    return escape(_CANNOT.sub("\ufffd", value))
