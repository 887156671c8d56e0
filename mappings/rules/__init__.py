"""The rules: what a field's values become on the other side. One module each, with the rule and its words in YAML."""

from mappings.rules.copy import Copy, CopyField
from mappings.rules.moment import Moment, MomentField
from mappings.rules.part import FieldPart
from mappings.rules.person import Person, PersonField
from mappings.rules.scale import Scale, ScaleField
from mappings.rules.set import Set, SetField
from mappings.rules.table import Table, TableField
from mappings.rules.text import Text, TextField

__all__ = [
    "Copy",
    "CopyField",
    "FieldPart",
    "Moment",
    "MomentField",
    "Person",
    "PersonField",
    "Scale",
    "ScaleField",
    "Set",
    "SetField",
    "Table",
    "TableField",
    "Text",
    "TextField",
]
