"""Which mutants are no mistakes at all: mappings that say the same of every ticket, provably.

Two mappings are the same where their compiled forms are, once everything is taken away that has no effect: places,
sentences, what is said of a way that the field does not travel. Where two rules differ in form but know finitely many
words, every pair of words, with a stranger of each kind, is tried both ways: they treat all strangers alike. What comes
of every value, whatever is held, is all that a mapping does to a ticket.
"""

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from itertools import product
from typing import Any

from mappings.model import Carries, FieldMapping, Rule, Untranslatable, Value
from mappings.model import Mapping as CompiledMapping
from mappings.remembering import Remembering
from mappings.rules import Person, Scale, Table

_FINITE = (Table, Scale, Person)
_SAID_ELSEWHERE = frozenset({"at", "where", "stuck", "policy", "revision", "name"})
_STRANGERS: tuple[Value, ...] = (None, "", "a stranger", "-1", -(10**9), 10**9, ("a",), ())


def equivalent(one: CompiledMapping, other: CompiledMapping) -> bool:
    """Whether both provably make the same of everything."""
    if _form(replace(one, fields={})) != _form(replace(other, fields={})) or one.fields.keys() != other.fields.keys():
        return False
    return all(one.stands(name) is other.stands(name) and _same(one, name, other.fields[name]) for name in one.fields)


def _same(one: CompiledMapping, name: str, other: FieldMapping) -> bool:
    mine, yours = _effective(one.fields[name]), _effective(other)
    if _form(replace(mine, rule=yours.rule)) != _form(yours):
        return False
    if _form(mine.rule) == _form(yours.rule):
        return True
    if not (_is_finite(mine.rule) and _is_finite(yours.rule)):
        return False
    words = list(dict.fromkeys([*_STRANGERS, *_words(mine.rule), *_words(yours.rule)]))
    gone = one.lost_when.get(mine.remote, frozenset())
    return all(_alike(mine, yours, value, held, gone) for value, held in product(words, words))


def _alike(mine: FieldMapping, yours: FieldMapping, value: Value, held: Value, gone: frozenset[str]) -> bool:
    if (
        mine.carries is not Carries.OUTWARD
        and value not in gone
        and _read(mine.rule, value, held) != _read(yours.rule, value, held)
    ):
        return False
    return mine.carries is Carries.INWARD or _write(mine.rule, value, held) == _write(yours.rule, value, held)


def _effective(field: FieldMapping) -> FieldMapping:
    """The field without what does not concern the way that it travels."""
    return replace(field, only_on_create=False, final=False) if field.carries is Carries.INWARD else field


def _is_finite(rule: Rule) -> bool:
    return isinstance(rule, Remembering) and isinstance(rule.translation, _FINITE)


def _read(rule: Rule, value: Value, held: Value) -> object:
    try:
        return rule.inward(value, held=held)
    except Untranslatable:
        return Untranslatable


def _write(rule: Rule, value: Value, held: Value) -> object:
    try:
        return rule.outward(value, held=held)
    except Untranslatable:
        return Untranslatable


def _words(part: Any) -> Iterable[Value]:
    """Every word in a compiled rule, numbers with their neighbours."""
    if is_dataclass(part):
        for each in fields(part):
            yield from _words(getattr(part, each.name)) if each.name not in _SAID_ELSEWHERE else ()
    elif isinstance(part, Mapping):
        for key, value in part.items():
            yield from (*_words(key), *_words(value))
    elif isinstance(part, tuple | list | frozenset):
        for each in part:
            yield from _words(each)
    elif isinstance(part, int) and not isinstance(part, bool):
        yield from (part - 1, part, part + 1)
    elif part is None or isinstance(part, bool | str):
        yield part


def _form(part: Any) -> Any:
    """A compiled part as plain data, without what is only said of it."""
    if is_dataclass(part) and not isinstance(part, type):
        said = {each.name: _form(getattr(part, each.name)) for each in fields(part) if each.init}
        return type(part), {name: value for name, value in said.items() if name not in _SAID_ELSEWHERE}
    if isinstance(part, Mapping):
        return {key: _form(value) for key, value in part.items()}
    if isinstance(part, list | tuple):
        return tuple(_form(each) for each in part)
    return part
