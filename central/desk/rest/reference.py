"""The description as a page that people can read: one file, no script, nothing from elsewhere."""

import json
from typing import Any

import jinja2

_ENVIRONMENT = jinja2.Environment(
    loader=jinja2.PackageLoader("central.desk.rest"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(description: dict[str, Any]) -> str:
    """The page of this OpenAPI description."""
    base = description["servers"][0]["url"]
    tags: dict[str, list[dict[str, Any]]] = {}
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            told = {"method": method.upper(), "path": f"{base}{path}", "parameters": [], "body": "", **operation}
            told["body"] = _body(operation, description)
            told["answers"] = {
                status: f"{answer['description']}{_named(answer)}" for status, answer in operation["responses"].items()
            }
            tags.setdefault(operation["tags"][0], []).append(told)
    schemas = {name: json.dumps(each, indent=2) for name, each in description["components"]["schemas"].items()}
    return _ENVIRONMENT.get_template("reference.html").render(info=description["info"], tags=tags, schemas=schemas)


def _body(operation: dict[str, Any], description: dict[str, Any]) -> str:
    """What may be sent, as JSON; '' for nothing."""
    content = operation.get("requestBody", {}).get("content", {})
    if not content:
        return ""
    named = content.get("application/json", {}).get("schema", {}).get("$ref", "").rpartition("/")[2]
    if not named:
        return ", ".join(content)
    return json.dumps(description["components"]["schemas"][named].get("properties", {}), indent=2)


def _named(answer: dict[str, Any]) -> str:
    """The name of what is answered."""
    schemas = (each.get("schema", {}).get("$ref", "") for each in answer.get("content", {}).values())
    name = next(schemas, "").rpartition("/")[2]
    return f": {name}" if name else ""
