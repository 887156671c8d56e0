"""One mapping extends another: what it says goes before, the rest is taken, and every place is where it is written."""

import pytest

from mappings.document import MappingDocument, compile_mapping, schema
from mappings.extending import MOST, whole
from mappings.library import shipped
from mappings.loader import Document, DocumentError, Place, read

BASE = """\
kind: mapping
name: base
connector: rt
policy: remote
fields:
  subject: {remote: Subject, text: {one_line: true, max_length: 200}}
  status:
    remote: Status
    table:
      a: A
      b: B
      c: B
    back: {B: b}
    lost_when: [gone, away]
  priority: {remote: Priority, scale: {low: 1, high: 50}}
constants: {Queue: ggus}
"""


def extending(body: str, *others: str, name: str = "ours", base: str = "base") -> Document:
    texts = {document.name: document for text in others or (BASE,) for document in read(text, "base.yaml")}
    (document,) = read(f"kind: mapping\nname: {name}\nextends: {base}\n{body}", "ours.yaml")
    return whole(document, {**texts, name: document}.get, texts.keys() | {name})


def refused(body: str, *others: str, base: str = "base") -> str:
    with pytest.raises(DocumentError) as caught:
        compile_mapping(extending(body, *others, base=base), revision=1)
    return str(caught.value)


def test_what_is_not_said_is_taken_as_it_stands() -> None:
    mapping = compile_mapping(extending(""), revision=1)
    assert (mapping.name, mapping.policy, mapping.constants) == ("ours", "remote", {"Queue": "ggus"})
    assert mapping.fields.keys() == {"subject", "status", "priority"}


def test_tables_are_laid_over_one_another_word_by_word() -> None:
    document = extending("fields: {status: {table: {b: [C, B], d: D}, back: {C: b}}}\n")
    assert document.data["fields"]["status"]["table"] == {"a": "A", "b": ["C", "B"], "c": "B", "d": "D"}
    assert document.data["fields"]["status"]["back"] == {"B": "b", "C": "b"}


def test_a_list_is_one_value() -> None:
    assert extending("fields: {status: {lost_when: [lost]}}\n").data["fields"]["status"]["lost_when"] == ["lost"]


def test_null_removes_a_field_a_word_and_a_constant() -> None:
    document = extending("fields: {priority: null, status: {table: {c: null}, back: null}}\nconstants: {Queue: null}\n")
    mapping = compile_mapping(document, revision=1)
    assert (mapping.fields.keys(), mapping.constants) == ({"subject", "status"}, {})


def test_their_word_null_is_said_in_a_list() -> None:
    document = extending("fields: {status: {table: {a: [null]}}}\n")
    assert compile_mapping(document, revision=1).fields["status"].rule.outward("a", held="A") is None


def test_null_where_there_is_nothing_is_a_mistake_with_the_nearest_name() -> None:
    assert (
        "ours.yaml:4:10: null removes a key of what is extended, and base has no 'priorty' in fields; did you mean"
        in (refused("fields: {priorty: null}\n"))
    )
    assert "their word null is written [null]" in refused("fields: {status: {table: {d: null}}}\n")


def test_another_rule_takes_the_place_of_the_one_that_stood_there() -> None:
    document = extending("fields: {priority: {table: {low: L, high: H}}, status: {scale: {a: 1, b: 2, c: 3}}}\n")
    assert document.data["fields"]["priority"] == {"remote": "Priority", "table": {"low": "L", "high": "H"}}
    assert document.data["fields"]["status"].keys() == {"remote", "scale", "lost_when"}
    assert compile_mapping(document, revision=1)


def test_what_several_rules_know_goes_with_the_rule_that_it_was_said_of() -> None:
    base = BASE.replace("    lost_when", "    unset: B\n    lost_when").replace("50}}", "50}, unset: 0}")
    taken = extending("fields: {status: {unset: D}, priority: {unset: [2, 0]}}\n", base).data["fields"]
    assert (taken["status"]["unset"], taken["status"]["back"]) == ("D", {"B": "b"})
    assert taken["priority"] == {"remote": "Priority", "scale": {"low": 1, "high": 50}, "unset": [2, 0]}
    other = extending("fields: {status: {scale: {a: 1}}, priority: {table: {low: L}, unset: N}}\n", base).data["fields"]
    assert other["status"].keys() == {"remote", "scale", "lost_when"}
    assert other["priority"] == {"remote": "Priority", "table": {"low": "L"}, "unset": "N"}
    assert "unset" not in extending("fields: {priority: {unset: null}}\n", base).data["fields"]["priority"]
    assert "their word null is written [null]" in refused("fields: {status: {unset: null}}\n")


def test_every_value_keeps_the_place_where_it_is_written() -> None:
    document = extending("fields:\n  status:\n    table: {b: [C, B]}\n    back: {C: b}\n")
    assert [
        document.place(("fields", "status", *path)) for path in ((), ("table", "b"), ("table", "a"), ("lost_when", 1))
    ] == [Place("ours.yaml", 5, 3), Place("ours.yaml", 6, 13), Place("base.yaml", 10, 10), Place("base.yaml", 14, 23)]


def test_what_is_wrong_in_words_that_were_taken_is_told_there_and_who_took_them() -> None:
    told = refused("fields:\n  status:\n    table: {b: C}\n")
    assert told.startswith("base.yaml:13:15: fields.status.back.B: 'B' cannot be read as 'b', which is written as 'C'")
    assert told.endswith("(extended by ours, ours.yaml:2:7: say there otherwise, or null)")


def test_of_two_spots_that_do_not_go_together_the_one_that_was_not_taken_is_told() -> None:
    assert refused("fields: {priority: {remote: Status}}\n").startswith(
        "ours.yaml:4:29: fields.priority.remote: 'status' is written to their 'Status' already"
    )
    filled = BASE.replace(
        "    lost_when",
        "    transitions: {A: {with: {Subject: {from: subject}}}}\n    lost_when",
    )
    told = refused("fields: {subject: {carries: inward}}\n", filled)
    assert told.startswith("ours.yaml:4:29: fields.subject.carries: our 'subject' is not written after the create")


def test_what_is_wrong_in_its_own_words_is_told_there() -> None:
    told = refused("fields: {status: {tabel: {}}}\n")
    assert told.startswith("ours.yaml:4:19: there is no key 'tabel' in fields.status; did you mean 'table'?")


def test_the_last_of_a_row_says_the_last_word() -> None:
    middle = "kind: mapping\nname: middle\nextends: base\nfields: {status: {table: {a: M}}, subject: null}\n"
    document = extending("fields: {status: {table: {b: [O, B]}, back: {O: b}}}\n", BASE, middle, base="middle")
    assert document.data["fields"]["status"]["table"] == {"a": "M", "b": ["O", "B"], "c": "B"}
    assert "subject" not in document.data["fields"]
    assert [each.name for each in document.bases] == ["middle", "base"]


def test_an_unknown_name_is_told_with_the_nearest() -> None:
    assert "ours.yaml:3:10: there is no mapping 'bsae'; did you mean 'base'? there is: base" in refused("", base="bsae")


def test_a_mapping_does_not_extend_itself() -> None:
    assert "ours.yaml:3:10: the mapping ours extends itself" in refused("", base="ours")


def test_a_circle_is_told_where_it_closes() -> None:
    one = "kind: mapping\nname: one\nextends: two\n"
    two = "kind: mapping\nname: two\nextends: one\n"
    assert "a circle: one extends two, which extends one" in refused("", one, two, base="one")


def test_a_row_is_bounded() -> None:
    row = [f"kind: mapping\nname: m{n}\nextends: m{n + 1}\n" for n in range(MOST)]
    last = BASE.replace("name: base", f"name: m{MOST}")
    assert "more than 8 extend one another" in refused("", *row, last, base="m0")
    assert compile_mapping(extending("", *row, last, base="m1"), revision=1)


@pytest.mark.parametrize("base", ["", "[a]", "null", "3"])
def test_what_is_extended_is_a_name(base: str) -> None:
    assert "extends: must be the name of a mapping" in refused("", base=base)


def test_a_mapping_that_was_not_laid_over_what_it_extends_is_not_used() -> None:
    with pytest.raises(DocumentError, match="has to be laid under it first"):
        compile_mapping(
            read("kind: mapping\nname: a\nextends: b\nconnector: c\nfields: {x: {remote: X}}\n", "a")[0], revision=1
        )


def test_the_library_can_be_bent_in_ten_lines() -> None:
    (document,) = read("kind: mapping\nname: ours\nextends: rt\nfields: {assigned_to: null}\n", "ours.yaml")
    mapping = compile_mapping(whole(document, shipped), revision=1)
    assert mapping.fields.keys() == compile_mapping(shipped("rt"), revision=1).fields.keys() - {"assigned_to"}


def test_an_editor_lets_a_part_stand_for_the_whole_where_something_is_extended() -> None:
    described = schema()
    assert described["if"] == {"required": ["extends"]}
    assert described["else"] == {"$ref": "#/$defs/Mapping"}
    partial = described["$defs"]["Mapping.extending"]
    assert partial["required"] == ["kind", "name", "extends"]
    assert {"type": "null"} in partial["properties"]["fields"]["anyOf"][0]["additionalProperties"]["anyOf"]
    table = described["$defs"]["TableField.extending"]
    assert "required" not in table
    assert table["properties"]["table"]["anyOf"][0]["additionalProperties"]["anyOf"][-1] == {"type": "null"}
    assert MappingDocument.model_fields.keys() == described["properties"].keys()
