"""JSON Schemas for editors, of documents that may extend others: then everything may be left out, or taken away."""

from typing import Any


def partly(title: str, described: dict[str, Any]) -> dict[str, Any]:
    """The schema of a whole document as one that also knows a document which extends another."""
    parts = described.pop("$defs") | {title: described}
    partial = {f"{name}.extending": _partial(part) for name, part in parts.items()}
    partial[f"{title}.extending"]["required"] = ["kind", "name", "extends"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "properties": described["properties"],
        "if": {"required": ["extends"]},
        "then": {"$ref": f"#/$defs/{title}.extending"},
        "else": {"$ref": f"#/$defs/{title}"},
        "$defs": parts | partial,
    }


def _partial(part: Any) -> Any:
    """The same, where everything may be left out, and taken away by null."""
    if isinstance(part, list):
        return [_partial(each) for each in part]
    if not isinstance(part, dict):
        return part
    found: dict[str, Any] = {}
    for key, value in part.items():
        if key == "$ref":
            found[key] = f"{value}.extending"
        elif key == "properties":
            found[key] = {name: {"anyOf": [_partial(each), {"type": "null"}]} for name, each in value.items()}
        elif key == "additionalProperties" and isinstance(value, dict):
            found[key] = {"anyOf": [_partial(value), {"type": "null"}]}
        elif key not in ("required", "minProperties"):
            found["anyOf" if key == "oneOf" else key] = _partial(value)
    return found
