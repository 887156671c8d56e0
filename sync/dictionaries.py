"""Mappings as the desk shows them: what each field says, the table of states as a picture, and the proof."""

from central.desk.services.dictionaries import Dictionary, Promise, Proven, Said, States
from central.desk.services.errors import Wrong
from central.store.api import Transaction
from mappings.check import PROMISES, Proof, Report
from mappings.document import compile_mapping
from mappings.loader import DocumentError
from mappings.model import FieldMapping, Value
from mappings.remembering import Remembering
from mappings.rules.table import Table
from sync import proving
from sync.config import system_document
from sync.stored import read_again

_BESIDE = frozenset(
    {"remote", "final", "only_on_create", "back", "lost_when", "policy", "comment", "transitions", "unset", "others"}
)
_ANOTHER = "any other word"
"""Theirs, as the picture shows all that are in no line."""


class Dictionaries:
    """Fulfils `central.desk.services.dictionaries.Dictionaries`."""

    def shown(self, tx: Transaction, system: str) -> Dictionary:
        """The mapping of this system.  :raises NoSuch: there is no such system.  :raises Wrong: it cannot be read."""
        document = tx.registry.document("system", system)
        try:
            name = system_document(read_again(document)).mapping
            stored = tx.registry.document("mapping", name)
            read = read_again(stored)
            mapping = compile_mapping(read, revision=stored.revision)
        except DocumentError as error:
            raise Wrong((str(each.place), each.sentence) for each in error.problems) from None
        said = tuple(
            Said(ours, field.remote, _rule(read.data.get("fields", {}).get(ours, {})))
            for ours, field in mapping.fields.items()
        )
        status = mapping.fields.get("status")
        return Dictionary(name, stored.revision, said, _states(status) if status else None)

    def prove(self, tx: Transaction, system: str) -> Proven:
        """Its promises, judged without asking the system.  :raises NoSuch, Wrong: as `shown`."""
        name = self.shown(tx, system).name
        (report,) = proving.prove((read_again(tx.registry.document("mapping", name)),))
        return proven(report)


def proven(report: Report) -> Proven:
    """What a proof found, as the desk shows it."""
    held = {each.proof: each.how for each in report.shown}
    promises = tuple(
        Promise(
            PROMISES[proof],
            held=proof in held,
            how=str(held.get(proof, "")),
            broken=tuple((str(each), tuple(each.story)) for each in report.refuted if each.proof is proof),
        )
        for proof in Proof
    )
    return Proven(report.proven, promises, report.losses.outward, report.losses.inward, report.assumed)


def _rule(field: object) -> str:
    """What a field's rule is called in its document."""
    names = [str(key) for key in field if key not in _BESIDE] if isinstance(field, dict) else []
    return names[0] if names else "copy"


def _states(field: FieldMapping) -> States | None:
    """The table of statuses as it is read and said where nothing is held; None: it is no table."""
    translation = field.rule.translation if isinstance(field.rule, Remembering) else None
    if not isinstance(translation, Table):
        return None
    said: list[tuple[Value, Value]] = [(ours, theirs[0]) for ours, theirs in translation.words.items()]
    also: list[tuple[Value, Value]] = [
        (ours, each) for ours, theirs in translation.words.items() for each in theirs[1:]
    ]
    read: list[tuple[Value, Value]] = [(theirs, field.rule.inward(theirs, held=None)) for theirs in translation.back]
    if translation.others is not None:
        also.append((translation.others, _ANOTHER))
        read.append((_ANOTHER, translation.others))
    return States(*(tuple((_word(one), _word(other)) for one, other in pairs) for pairs in (said, also, read)))


def _word(value: Value) -> str:
    return "nothing" if value is None else str(value)
