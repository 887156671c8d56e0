"""The mapping document: its keys, and how it becomes a `Mapping`. Compiled once; never read again per ticket."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from mappings import model, transitions
from mappings.comments import CommentsPart
from mappings.editors import partly
from mappings.loader import Document, DocumentError, Problem, check_model, suggestion
from mappings.rules import CopyField, MomentField, PersonField, ScaleField, SetField, TableField, TextField
from mappings.rules.part import NOT_LAID, Fault, Part, Policy

_RULES = ("table", "scale", "text", "moment", "person", "set")
_POLICIES = ("central", "remote", "newest", "ask")


def _rule_named(field: Any) -> str:
    """Which variant of a field this is: the first rule key that stands in it."""
    return next((f"<{rule}>" for rule in _RULES if isinstance(field, dict) and rule in field), "<copy>")


AnyField = Annotated[
    Annotated[CopyField, Tag("<copy>")]
    | Annotated[TableField, Tag("<table>")]
    | Annotated[ScaleField, Tag("<scale>")]
    | Annotated[TextField, Tag("<text>")]
    | Annotated[MomentField, Tag("<moment>")]
    | Annotated[PersonField, Tag("<person>")]
    | Annotated[SetField, Tag("<set>")],
    Discriminator(_rule_named),
]


class MappingDocument(Part):
    """What the words of one ticketing system mean in ours."""

    kind: Literal["mapping"]
    name: str
    extends: str | None = Field(
        None, description="The mapping whose words are taken, save where this one says otherwise."
    )
    connector: str = Field(description="The connector or profile whose field names are used here.")
    policy: Policy = Field("central", description="Who wins a conflict, where a field says nothing else.")
    fields: dict[str, AnyField] = Field(min_length=1, description="Our field: theirs, and the rule between them.")
    comments: CommentsPart = Field(default_factory=CommentsPart)
    constants: dict[str, bool | int | str | list[str]] = Field(
        default_factory=dict, description="Their fields that every create carries, whatever our ticket says."
    )

    def faults(self) -> Iterator[Fault]:
        """What is well formed but cannot work, in the whole document."""
        if self.extends is not None:
            yield Fault(("extends",), NOT_LAID)
        writers: dict[str, str] = {}
        for central, field in self.fields.items():
            for fault in field.faults():
                yield replace(fault, at=("fields", central, *fault.at))
            if field.carries == "inward":
                continue
            if field.remote in writers:
                first = writers[field.remote]
                story = (
                    f"somebody sets {first} here, and {central}",
                    f"both are written to their {field.remote}, and one of them stands there",
                    "its echo comes in as the other one, too",
                )
                before, here = (
                    Fault(
                        ("fields", one, "remote"),
                        f"{other!r} is written to their {field.remote!r} already",
                        breaks="stable",
                        story=story,
                    )
                    for one, other in ((first, central), (central, first))
                )
                yield replace(here, elsewhere=before)
            writers.setdefault(field.remote, central)
        yield from transitions.faults(self.fields)
        for fault in self.comments.faults():
            yield Fault(("comments", *fault.at), fault.sentence)
        for name in self.constants:
            if name in writers:
                sentence = f"their {name!r} is written from our {writers[name]!r} already"
                yield Fault(("constants", name), sentence, breaks="stable")


class Unsound(DocumentError):
    """It is a mapping, and cannot work: `mappings.check` refutes it by its `faults`."""

    def __init__(self, faults: Iterable[tuple[Fault, Problem]]) -> None:
        self.faults = tuple(faults)
        super().__init__(problem for _, problem in self.faults)


def parse(document: Document, *, lawless: bool = False) -> MappingDocument:
    """The document's contents, checked as far as that goes without the other side.

    `lawless`: rules that break a lens law are let through, for `mappings.check` to tell their story.

    :raises Unsound: it is a mapping, and something in it cannot work.
    :raises DocumentError: with all that is wrong, each at its place."""
    parsed = check_model(MappingDocument, document)
    faults = list(parsed.faults())
    if not all(lawless and fault.unlawful for fault in faults):
        raise Unsound((fault, _problem(document, fault)) for fault in faults)
    return parsed


def unlawful(document: Document) -> tuple[Problem, ...]:
    """Where its rules break a lens law, as far as that shows without a value: nothing is synchronised by them.

    :raises DocumentError: it is no mapping in the first place."""
    return tuple(_problem(document, fault) for fault in parse(document, lawless=True).faults() if fault.unlawful)


def compile_mapping(
    document: Document, *, revision: int, overrides: Mapping[str, str] | None = None, lawless: bool = False
) -> model.Mapping:
    """The mapping that this document describes; `lawless` as in `parse`.

    `overrides` are the registered system's policies, which go before the mapping's own: our field -> policy, and
    `otherwise` for all others.

    :raises Unsound: it is a mapping, and something in it cannot work.
    :raises DocumentError: with all that is wrong, each at its place."""
    parsed = parse(document, lawless=lawless)
    fields = {
        central: model.FieldMapping(
            central=central,
            remote=field.remote,
            rule=field.rule(central, document.place(("fields", central))),
            carries=model.Carries(field.carries),
            policy=field.policy,
            only_on_create=field.only_on_create,
            final=field.final,
            stuck=field.stuck,
            at=document.place(("fields", central)),
        )
        for central, field in parsed.fields.items()
    }
    compiled = model.Mapping(
        name=parsed.name,
        revision=revision,
        fields=transitions.with_transitions(fields, parsed.fields, document),
        comment=parsed.comments.rule(),
        lost_when={field.remote: frozenset(field.lost_when) for field in parsed.fields.values() if field.lost_when},
        constants={name: _value(value) for name, value in parsed.constants.items()},
        policy=parsed.policy,
    )
    return _overridden(compiled, overrides or {}, document)


def schema() -> dict[str, Any]:
    """The JSON Schema of a mapping document, for editors: whole, or one that extends another and says only a part."""
    return partly("Mapping", MappingDocument.model_json_schema())


def _overridden(mapping: model.Mapping, overrides: Mapping[str, str], document: Document) -> model.Mapping:
    policies = dict(overrides)
    place = document.place(("fields",))
    known = ("otherwise", *mapping.fields)
    problems = [
        Problem(place, f"a policy is given for {name!r}, which is not mapped here{suggestion(name, known)}")
        for name in policies
        if name not in known
    ]
    problems += [
        Problem(place, f"{policy!r} is no policy{suggestion(policy, _POLICIES)}")
        for policy in policies.values()
        if policy not in _POLICIES
    ]
    if problems:
        raise DocumentError(problems)
    otherwise = policies.pop("otherwise", None)
    # A system's "otherwise" speaks for every field that the system does not name, the mapping's own choices included.
    fields = {
        name: replace(field, policy=policies.get(name, None if otherwise else field.policy))
        for name, field in mapping.fields.items()
    }
    return replace(mapping, fields=fields, policy=otherwise or mapping.policy)


def _problem(document: Document, fault: Fault) -> Problem:
    other = fault.elsewhere
    if other is not None and document.place(fault.at).file != document.file == document.place(other.at).file:
        fault = other
    return document.problem(document.place(fault.at), f"{'.'.join(map(str, fault.at))}: {fault.sentence}")


def _value(value: bool | int | str | list[str]) -> model.Value:
    return tuple(value) if isinstance(value, list) else value
