"""What a product publishes of its interface, as far as a sketch needs it. Plain data."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Shape:
    """What is known of one value: of an argument, or of a part of an answer."""

    kind: str = "text"
    """text, number, boolean, moment, list, object."""
    values: tuple[str, ...] = ()
    parts: Mapping[str, "Shape"] = field(default_factory=dict)
    """Of an object, or of each row of a list."""
    required: bool = False
    max_length: int | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that the interface does."""

    name: str
    says: str
    """Its summary, in a line."""
    method: str = ""
    path: str = ""
    """Of REST; parameters in braces."""
    query: Mapping[str, Shape] = field(default_factory=dict)
    body: Mapping[str, Shape] = field(default_factory=dict)
    """Of REST's JSON body; SOAP's arguments."""
    answer: Shape = Shape("object")


@dataclass(frozen=True, slots=True)
class Interface:
    """All of it."""

    title: str
    family: str
    root: str
    """What follows the address of the site in every path."""
    operations: tuple[Operation, ...]
    access: str = ""
    """How callers show who they are: basic, bearer, oauth2, or header:NAME or query:NAME; "": it does not tell."""
    token_path: str = ""
    """Where OAuth's tokens are asked for."""
    headers: Mapping[str, Shape] = field(default_factory=dict)
    """Of SOAP: what may be meant for an envelope's header, by its name."""
