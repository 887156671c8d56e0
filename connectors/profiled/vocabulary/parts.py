"""What every part of a profile is made of: paths, words, requests, and what an answer gives to later ones."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict

from connectors.patterns import Pattern
from connectors.profiled.values import word


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _worded(value: Any) -> Any:
    return tuple(word(each) for each in (value if isinstance(value, list | tuple) else [value]))


Paths = Annotated[tuple[str, ...], BeforeValidator(_listed)]
"""One path, or several: the first that leads somewhere counts."""

Joined = Annotated[tuple[str, ...], BeforeValidator(_listed)]
"""One path, or several: what they lead to is joined."""

Words = Annotated[tuple[str, ...], BeforeValidator(_worded)]
"""Values as answers show them, compared as words: 1 and "1", true and "True" are one."""


NOWHERE = "-"
"""A path that leads nowhere."""


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Setting(Part):
    """One thing the operator says when registering a system."""

    kind: Literal["url", "text", "secret", "path", "zone"] = "text"
    says: str
    """What it is, for the one who fills it in."""
    required: bool = True
    default: str | None = None


Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


class Request(Part):
    """One request, in its family's words: REST says method, path, query and headers, SOAP the operation."""

    method: Method = "GET"
    path: str = ""
    query: dict[str, str] = {}
    headers: dict[str, str] = {}
    operation: str = ""
    body: dict[str, Any] = {}
    """Dotted place -> what goes there; left out where its setting is not given."""
    format: Literal["json", "form", "multipart", "xml"] = "json"
    """How REST writes the body: `form` and `multipart` name what is nested as issue[subject]."""
    as_json: Annotated[tuple[str, ...], BeforeValidator(_listed)] = ()
    """Of a form, the fields whose value goes as JSON's text (json_data, uploadManifest)."""
    element: str = ""
    """The name of the outermost element of XML."""

    def says(self, word: str) -> bool:
        """Whether the request has a word in braces anywhere."""
        return f"{{{word}}}" in repr((self.path, self.query, self.headers, self.body))

    def adding(self, more: Mapping[str, Any]) -> "Request":
        """With these words too: in the query of a GET, else in the body."""
        if not more:
            return self
        if self.method == "GET" and not self.operation:
            return self.model_copy(update={"query": {**self.query, **more}})
        return self.model_copy(update={"body": {**self.body, **more}})


class Kept(Part):
    """Where an answer tells something: in its body, or in a header, as the first group of a pattern."""

    at: Paths = ()
    header: str | None = None
    pattern: Pattern = r"([^/]+)/?$"


def _kept(value: Any) -> Any:
    return {"at": value} if isinstance(value, str | list) else value


Keeping = dict[str, Annotated[Kept, BeforeValidator(_kept)]]
"""Word -> where the answer tells it: a path, or how it is found in a header. Later requests know the word."""
