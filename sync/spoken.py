"""What a live system says of itself, as the vocabulary that a mapping is proven against."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from connectors.api import Capabilities, Connector, RemoteField
from mappings.model import Value
from mappings.vocabulary import TheirField, Vocabulary


@dataclass(frozen=True, slots=True)
class Spoken:
    """The live schema of one system, and what its connector can do."""

    system: str
    connector: str
    fields: Sequence[RemoteField]
    capabilities: Capabilities
    policies: Mapping[str, str] = field(default_factory=dict)
    """What its registration puts before the mapping's own: our field -> policy, and `otherwise`."""

    def over(self, known: Vocabulary) -> Vocabulary:
        """The vocabulary with what the system says in the place of what was declared of its kind.

        Fields, their values and limits are told live; how values may follow one another, what a step needs, what moves
        by itself and what texts are written in is told by no tracker, so that it stays as it was declared, for values
        that are there."""
        return Vocabulary(
            name=self.system,
            fields={each.name: self._laid(each, known.fields.get(each.name)) for each in self.fields},
            capabilities=plain(self.capabilities),
            comments_formats=known.comments_formats,
            answers=known.answers,
        )

    def _laid(self, live: RemoteField, known: TheirField | None) -> TheirField:
        known = known or TheirField(live.name)
        values: tuple[Value, ...] = live.values or known.values

        def there(*words: Value) -> bool:
            return not values or all(word in values for word in words)

        effects = self.capabilities.side_effects.get("comment", {}).get(live.name, {})
        workflow = known.workflow and {
            frm: tuple(to for to in several if there(to)) for frm, several in known.workflow.items() if there(frm)
        }
        return replace(
            known,
            kind=live.kind,
            writable=live.writable,
            values=values,
            max_length=live.max_length or known.max_length,
            workflow=workflow,
            needs={to: names for to, names in known.needs.items() if there(to)},
            moves=tuple(move for move in known.moves if there(move.frm, move.to)),
            after_comment={frm: to for frm, to in (*known.after_comment.items(), *effects.items()) if there(frm, to)},
        )


def listen(system: str, name: str, connector: Connector, policies: Mapping[str, str]) -> Spoken:
    """Ask a system what it speaks; `name`: its connector's.  :raises ConnectorError: by remedy."""
    return Spoken(system, name, tuple(connector.describe()), connector.capabilities, policies)


def plain(capabilities: Capabilities) -> dict[str, Any]:
    """What a connector can do, by name: for whoever may not know connectors."""
    return {field.name: getattr(capabilities, field.name) for field in fields(capabilities)}
