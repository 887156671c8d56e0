"""What every field of a mapping document says, whatever its rule. Each rule's module adds its own keys to this."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from mappings.loader import Steps
from mappings.model import Place, Rule

Breaks = Literal["total", "lens laws", "stable", "reachable"]
"""The promise of `mappings.check` that a fault is told under."""
NOT_LAID = "what it extends has to be laid under it first: mappings.extending.whole"
Policy = Literal["central", "remote", "newest", "ask"]


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that cannot be meant so. `at` leads from the part to the spot."""

    at: Steps
    sentence: str
    elsewhere: "Fault | None" = None
    """The same, told of the other spot that it takes: for a document that wrote that and took this from another."""
    breaks: Breaks = "total"
    story: tuple[str, ...] = ()
    """What becomes of it among people, in lines."""

    @property
    def unlawful(self) -> bool:
        """Its rule breaks a lens law: nothing is synchronised by it, and `mappings.check` tells its story."""
        return self.breaks == "lens laws"


class Part(BaseModel):
    """A piece of a mapping document: unknown keys are refused, and nothing is guessed from a wrong type."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class FillPart(Part):
    """One of their fields that is filled from one of ours."""

    frm: str = Field(alias="from", min_length=1, description="Our field: the one that is written to theirs.")
    otherwise: str | None = Field(
        None, min_length=1, description="What stands in where both sides hold nothing; it is read as nothing."
    )


def _constant_or_part(value: Any) -> str:
    return "<from>" if isinstance(value, dict | FillPart) else "<constant>"


AnyFill = Annotated[
    Annotated[FillPart, Tag("<from>")] | Annotated[bool | int | str | list[str], Tag("<constant>")],
    Discriminator(_constant_or_part),
]


class TransitionPart(Part):
    """How one of their values is reached, where that takes more than setting it."""

    with_: dict[str, AnyFill] = Field(
        default_factory=dict,
        alias="with",
        description="Their field: what travels with it: a constant, or one of ours.",
    )
    via: list[bool | int | str] | dict[str, list[bool | int | str]] = Field(
        default_factory=list,
        description="Their values that lie between, in order; or the same by the value that is left.",
    )


class FieldPart(Part):
    """One field: their name for it, which way it travels, and by which rule."""

    remote: str = Field(min_length=1, description="Their name of the field, as the connector gives it.")
    carries: Literal["both", "inward", "outward"] = Field("both", description="Which way the field travels.")
    policy: Policy | None = Field(None, description="Who wins a conflict; default: the mapping's policy.")
    only_on_create: bool = Field(False, description="Written there by the create alone: our later edits stay here.")
    final: bool = Field(False, description="Written after all other fields, as a status that closes must be.")
    lost_when: list[str] = Field(
        default_factory=list, description='Their values that mean "this ticket is gone": the link is lost.'
    )
    stuck: dict[str, str] = Field(
        default_factory=dict, description="Their value that our account cannot always leave: why, in a sentence."
    )
    transitions: dict[str, TransitionPart] = Field(
        default_factory=dict, description="Their value: how it is reached, where that takes more than setting it."
    )

    def faults(self) -> Iterator[Fault]:
        """What is well formed but cannot work."""
        yield from ()

    def rule(self, central: str, at: Place) -> Rule:
        """The rule that this part describes, for our field `central`, written at `at`."""
        raise NotImplementedError
