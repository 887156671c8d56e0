"""Where data ends: what a product's few lines of Python may say. Each hook is optional."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from connectors.api import FieldChange, Finding, Person, RemoteComment, RemoteFile, Value

if TYPE_CHECKING:
    from connectors.profiled.site import Site


@dataclass(frozen=True, slots=True)
class Talk:
    """What hangs on a ticket besides its fields."""

    comments: tuple[RemoteComment, ...] | None
    """None: they were not read."""
    files: tuple[RemoteFile, ...]
    history: tuple[FieldChange, ...]
    known_comments: tuple[RemoteComment, ...] | None = None
    """Those that the caller knows already, where all there are were read."""
    opening: str | None = None
    """The text that the ticket was opened with, where it is one of its comments."""


@dataclass(frozen=True, slots=True)
class Quirks:
    """The hooks of one product. `raw` is the ticket as answered."""

    account: "Callable[[Site], Person] | None" = None
    """Who we are there, where no request tells."""
    fields: "Callable[[Site, str, Mapping[str, Any]], Mapping[str, Value]] | None" = None
    """Fields that the ticket's own answer does not bear: (site, key, raw)."""
    talk: "Callable[[Site, str, Mapping[str, Any], str, Collection[str]], Talk] | None" = None
    """Comments, files and history, where they are answered apart: (site, key, raw, version, known)."""
    rights: "Callable[[Site], Iterable[Finding]] | None" = None
    """More findings for the probe: by reads only."""
