"""A fixture of a live ticket: what a system shows now, what is held here, and what the mapping makes of both.

The system is asked by reading only. What people wrote, and who they are, is told in other words before it is
translated; what stays are words of a vocabulary: those of tables and scales, our own, moments, numbers, and whoever
the mapping itself names. Comments that are internal are not captured, nor are fields that the mapping does not know.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from central.link import Link
from central.model import FIELDS, Comment, Value, Visibility
from central.store.api import Store, Transaction
from connectors.api import RemoteComment, RemoteTicket
from mappings.fixtures.document import Case, Remark, Way
from mappings.fixtures.pseudonyms import Pseudonyms
from mappings.fixtures.replay import judged
from mappings.fixtures.written import written
from mappings.model import FieldMapping, Untranslatable
from mappings.remembering import Remembering
from mappings.rules import Moment, Person, Scale, Set, Table, Text
from mappings.transitions import bare
from sync.gateway import Gateway
from sync.past import Past, read_past
from sync.secrets import Secrets

_OF_WORDS = (Table, Scale, Moment)


def capture(store: Store, gateway: Gateway, key: str, secrets: Secrets, *, centre: str) -> str:
    """The ticket with this key, as the YAML of a fixture that is green with the mapping as it is registered.

    `centre`: what stories call us.  :raises ConnectorError: by remedy; `NotFound` where there is no such ticket."""
    ticket = gateway.connector.fetch(key, known=frozenset())

    def question(tx: Transaction) -> tuple[Past | None, str]:
        link = tx.links.find_by_key(gateway.system, key)
        return _past(tx, link), tx.instance.get().id

    past, instance = store.read(question)
    return _Capture(gateway, Pseudonyms(f"pseudonyms {instance}"), secrets, centre).of(ticket, past)


def _past(tx: Transaction, link: Link | None) -> Past | None:
    return None if link is None else read_past(tx, link)


@dataclass(frozen=True, slots=True)
class _Capture:
    """One capture in the making."""

    gateway: Gateway
    pseudonyms: Pseudonyms
    secrets: Secrets
    centre: str

    def of(self, ticket: RemoteTicket, past: Past | None) -> str:
        """The fixture."""
        ours, theirs = self._fields(ticket.fields, {} if past is None else past.ticket.fields)
        heard = tuple(self._heard(each) for each in ticket.comments or () if not each.internal and not each.own)
        cases = [Case(Way.INWARD, theirs, ours, heard, {})]
        if past is not None:
            said = tuple(self._said(each) for each in past.comments if self._is_said(each))
            cases.append(Case(Way.OUTWARD, ours, theirs, said, {}))
        mapping = self.gateway.mapping
        name = f"captured-{self.pseudonyms.name(self.gateway.system, ticket.key)}"
        return written(name, mapping.name, [replace(case, expected=judged(mapping, case)) for case in cases])

    def _fields(
        self, theirs: Mapping[str, Value], ours: Mapping[str, Value]
    ) -> tuple[dict[str, Value], dict[str, Value]]:
        """Our record and theirs, of what is mapped, in other words."""
        mine: dict[str, Value] = {}
        yours: dict[str, Value] = {}
        for field in self.gateway.mapping.fields.values():
            if field.central in ours:
                mine[field.central] = self._value(field, ours[field.central])
            if field.remote in theirs:
                shown = theirs[field.remote]
                sent = field.central in ours and isinstance(bare(field.rule), Text)
                if sent and shown == field.rule.outward(ours[field.central], held=None):
                    yours[field.remote] = field.rule.outward(mine[field.central], held=None)  # its mark names the whole
                else:
                    yours[field.remote] = self._value(field, shown)
        return mine, yours

    def _value(self, field: FieldMapping, value: Value) -> Value:
        if isinstance(field.rule, Set) and isinstance(value, str):
            parted = value.split(field.rule.mark) if field.rule.mark else [value]
            return field.rule.mark.join(self._member(field.rule, each) for each in parted)
        if isinstance(value, tuple):
            return tuple(str(self._value(field, each)) for each in value)
        translation = field.rule.translation if isinstance(field.rule, Remembering) else None
        if not isinstance(value, str) or value in self._vocabulary(field):
            return value
        if isinstance(translation, _OF_WORDS) and _has_word(field, value):
            return value
        if isinstance(translation, Person):
            named = (*translation.directory, *translation.directory.values(), translation.nobody)
            return value if value in named else self.pseudonyms.person(value)
        return self._text(value)

    def _member(self, rule: Set, said: str) -> str:
        """One member of a set, with the blanks around it: somebody whom the mapping itself names, or somebody else."""
        named = {word.casefold() for word in (*rule.words, *rule.words.values())}
        member = said.strip()
        return said if member.casefold() in named else said.replace(member, self.pseudonyms.person(member))

    def _vocabulary(self, field: FieldMapping) -> set[str]:
        spec = FIELDS.get(field.central)
        known = set(map(str, spec.values)) if spec is not None else set()
        return known | self.gateway.mapping.lost_when.get(field.remote, frozenset())

    def _text(self, text: str) -> str:
        return self.pseudonyms.text(self.secrets.mask(text))

    def _heard(self, comment: RemoteComment) -> Remark:
        return Remark(self._text(comment.text))

    def _said(self, comment: Comment) -> Remark:
        author, system = self.pseudonyms.person(comment.author.label), comment.author.system or self.centre
        return Remark(self._text(comment.text), author, system, comment.created_at)

    def _is_said(self, comment: Comment) -> bool:
        """Whether it is a comment that goes there."""
        public = comment.visibility is Visibility.PUBLIC and comment.deleted_at is None
        return public and comment.origin_system != self.gateway.system


def _has_word(field: FieldMapping, value: str) -> bool:
    """Whether it is a word of either side, by this mapping."""
    for translate in (field.rule.inward, field.rule.outward):
        try:
            translate(value, held=None)
        except Untranslatable:
            continue
        return True
    return False
