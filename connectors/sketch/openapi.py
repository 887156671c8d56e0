"""OpenAPI documents (2 and 3), read into an `Interface`. Whatever is wrong in one costs a guess, never a crash."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import yaml

from connectors.sketch.interface import Interface, Operation, Shape

_METHODS = ("get", "post", "put", "patch", "delete")
_DEEPEST = 4
"""How far into nested objects a sketch looks."""
_KINDS = {"integer": "number", "number": "number", "boolean": "boolean", "array": "list", "object": "object"}
_LARGEST = 20_000_000
_PARSER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Unreadable(ValueError):
    """This is no document of the kind that it was given for. The sentence says why."""


def read(text: bytes) -> Interface:
    """What an OpenAPI document says.  :raises Unreadable: it is none."""
    if len(text) > _LARGEST:
        raise Unreadable(f"the document is larger than {_LARGEST:,} bytes")
    try:
        json_ = text.lstrip()[:1] == b"{"
        data = json.loads(text) if json_ else yaml.load(text, Loader=_PARSER)  # noqa: S506  # the safe one
    except (ValueError, yaml.YAMLError, RecursionError):
        raise Unreadable("it is neither JSON nor YAML") from None
    if (
        not isinstance(data, dict)
        or not isinstance(data.get("paths"), dict)
        or not ("openapi" in data or "swagger" in data)
    ):
        raise Unreadable("it is no OpenAPI document: it has no openapi (or swagger) and paths")
    return _Reading(data).interface()


class _Reading:
    def __init__(self, data: dict[str, Any]) -> None:
        self._data = data

    def interface(self) -> Interface:
        info = self._whole(self._data.get("info"))
        access, token_path = self._access()
        operations = tuple(self._operations())
        return Interface(str(info.get("title") or "our product"), "rest", self._root(), operations, access, token_path)

    def _root(self) -> str:
        servers = self._data.get("servers")
        first = self._whole(servers[0]) if isinstance(servers, list) and servers else {}
        said = str(first.get("url") or self._data.get("basePath") or "")
        return urlsplit(said).path.rstrip("/") if "{" not in urlsplit(said).path else ""

    def _operations(self) -> Iterator[Operation]:
        for path, item in self._data["paths"].items():
            item = self._whole(item)
            for method in _METHODS:
                said = self._whole(item.get(method))
                if not said:
                    continue
                asked = [self._whole(each) for part in (item, said) for each in _listed(part.get("parameters"))]
                query = {
                    str(each.get("name")): self._shape(each.get("schema") or each, 1)
                    for each in asked
                    if each.get("in") == "query"
                }
                name = str(said.get("operationId") or f"{method} {path}")
                says = str(said.get("summary") or said.get("description") or "").strip().split("\n")[0]
                body = self._body(said, asked)
                yield Operation(name, says, method.upper(), str(path), query, body, self._answer(said))

    def _body(self, said: Mapping[str, Any], asked: list[dict[str, Any]]) -> Mapping[str, Shape]:
        old = next((each.get("schema") for each in asked if each.get("in") == "body"), None)
        return self._shape(old or self._content(self._whole(said.get("requestBody")))).parts

    def _answer(self, said: Mapping[str, Any]) -> Shape:
        answers = self._whole(said.get("responses"))
        good = [
            each for status, each in sorted(answers.items(), key=lambda pair: str(pair[0])) if str(status)[:1] == "2"
        ]
        found = self._whole(good[0]) if good else {}
        return self._shape(found.get("schema") or self._content(found))

    def _content(self, part: Mapping[str, Any]) -> Any:
        content = self._whole(part.get("content"))
        kinds = [kind for kind in content if "json" in str(kind)] or list(content)
        return self._whole(content.get(kinds[0])).get("schema") if kinds else None

    def _shape(self, schema: Any, depth: int = 0) -> Shape:
        said = self._whole(schema)
        for part in ("allOf", "oneOf", "anyOf"):
            for each in _listed(said.get(part)):
                other = self._whole(each)
                merged = {**self._whole(other.get("properties")), **self._whole(said.get("properties"))}
                said = {**other, **said, **({"properties": merged} if merged else {})}
        kind = said.get("type")
        kind = next((each for each in kind if each != "null"), None) if isinstance(kind, list) else kind
        values = tuple(str(each) for each in _listed(said.get("enum")) if each is not None)
        if kind == "array" or "items" in said:
            return Shape("list", values, self._shape(said.get("items"), depth).parts)
        if kind == "object" or "properties" in said:
            needed = {str(each) for each in _listed(said.get("required"))}
            parts: dict[str, Shape] = {}
            if depth < _DEEPEST:
                for name, each in self._whole(said.get("properties")).items():
                    parts[str(name)] = replace(self._shape(each, depth + 1), required=name in needed)
            return Shape("object", (), parts)
        if said.get("format") in ("date-time", "date"):
            return Shape("moment")
        longest = said.get("maxLength")
        return Shape(_KINDS.get(str(kind), "text"), values, {}, False, longest if isinstance(longest, int) else None)

    def _access(self) -> tuple[str, str]:
        parts = self._whole(self._data.get("components"))
        schemes = self._whole(parts.get("securitySchemes") or self._data.get("securityDefinitions"))
        found = [self._whole(each) for each in schemes.values()]
        for each in found:
            flows = self._whole(each.get("flows"))
            flow = self._whole(flows.get("clientCredentials")) or (each if each.get("flow") == "application" else {})
            if each.get("type") == "oauth2" and flow:
                return "oauth2", urlsplit(str(flow.get("tokenUrl") or "")).path
        for each in found:
            if each.get("type") == "http":
                return str(each.get("scheme", "")).lower(), ""
            if each.get("type") == "basic":
                return "basic", ""
            if each.get("type") == "apiKey" and each.get("in") in ("header", "query"):
                return f"{each['in']}:{each.get('name')}", ""
        return "", ""

    def _whole(self, part: Any) -> dict[str, Any]:
        """An object, what it refers to in its place; what is none, or refers to nothing here, is empty."""
        for _ in range(8):
            if not isinstance(part, dict):
                return {}
            where = part.get("$ref")
            if not isinstance(where, str):
                return part
            part = self._data
            for step in where.removeprefix("#/").split("/"):
                part = part.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(part, dict) else None
        return {}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
