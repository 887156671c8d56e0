"""Mapping documents: compiled whole or refused whole, with every problem at its place."""

import json
import re
from datetime import UTC, datetime, timedelta, timezone

import pytest

from mappings.document import compile_mapping, schema
from mappings.library import names, shipped, with_vocabulary
from mappings.loader import Document, DocumentError, read
from mappings.model import Carries, Mapping
from mappings.vocabulary import compile_vocabulary

AT = datetime(2026, 11, 22, 18, 45, 7, tzinfo=UTC)


def document(body: str) -> Document:
    (found,) = read("kind: mapping\nname: m\nconnector: c\n" + body, "m.yaml")
    return found


def compiled(body: str) -> Mapping:
    return compile_mapping(document(body), revision=3)


def problems(body: str) -> list[str]:
    with pytest.raises(DocumentError) as caught:
        compiled(body)
    return [str(problem) for problem in caught.value.problems]


def test_a_mapping_says_everything_its_document_says() -> None:
    mapping = compiled(
        "policy: ask\n"
        "fields:\n"
        "  status: {remote: Status, table: {a: A}, final: true, lost_when: [gone], policy: remote}\n"
        "  subject: {remote: Subject, carries: inward, only_on_create: true}\n"
        "constants: {Queue: ggus, Tags: [a, b], Notify: no, Level: 3}\n"
    )
    status, subject = mapping.fields["status"], mapping.fields["subject"]
    assert (mapping.name, mapping.revision, mapping.policy) == ("m", 3, "ask")
    assert (status.remote, status.final, status.policy, str(status.at)) == ("Status", True, "remote", "m.yaml:6:3")
    assert (subject.carries, subject.only_on_create, subject.policy) == (Carries.INWARD, True, None)
    assert mapping.lost_when == {"Status": frozenset({"gone"})}
    assert mapping.constants == {"Queue": "ggus", "Tags": ("a", "b"), "Notify": "no", "Level": 3}


def test_everything_that_is_wrong_is_told_at_once() -> None:
    assert problems(
        "polcy: ask\n"
        "fields:\n"
        "  status: {remote: Status, tabel: {a: A}, back: {A: a}}\n"
        "  subject: {remote: '', text: {max_lenght: 200, max_length: 5}, table: {a: b}}\n"
        "  priority: {table: {a: A}, carries: inwards}\n"
        "  phone: 5\n"
    ) == [
        (
            "m.yaml:4:1: there is no key 'polcy'; did you mean 'policy'? there are: "
            "comments, connector, constants, extends, fields, kind, name, policy"
        ),
        (
            "m.yaml:6:28: there is no key 'tabel' in fields.status; did you mean 'table'? there are: "
            "back, carries, final, lost_when, moment, only_on_create, others, person, policy, remote, "
            "scale, set, stuck, table, text, transitions, unset"
        ),
        "m.yaml:6:43: the key 'back' does not go with the other keys in fields.status",
        "m.yaml:7:21: fields.subject.remote: must not be shorter than 1 characters",
        "m.yaml:7:25: the key 'text' does not go with the other keys in fields.subject",
        "m.yaml:8:3: fields.priority.remote: this key is missing",
        "m.yaml:8:38: fields.priority.carries: must be one of both, inward, outward; did you mean 'inward'?",
        "m.yaml:9:10: fields.phone: must be a list of keys and values, not a number; quote it if it is a word",
    ]


def test_two_of_our_fields_cannot_be_written_to_one_of_theirs() -> None:
    assert problems("fields:\n  a: {remote: X}\n  b: {remote: X}\nconstants: {X: 1}\n") == [
        "m.yaml:6:15: fields.b.remote: 'a' is written to their 'X' already",
        "m.yaml:7:16: constants.X: their 'X' is written from our 'a' already",
    ]
    assert compiled("fields:\n  a: {remote: X}\n  b: {remote: X, carries: inward}\n").fields["b"].remote == "X"


def test_a_mapping_maps_something() -> None:
    assert problems("fields: {}\n") == ["m.yaml:4:1: fields: must not be empty"]


def test_a_systems_policy_goes_before_the_mappings() -> None:
    body = "fields:\n  a: {remote: A, policy: remote}\n  b: {remote: B}\n"
    for overrides, expected in (
        ({}, ("central", "remote", None)),
        ({"b": "ask"}, ("central", "remote", "ask")),
        ({"b": "ask", "otherwise": "newest"}, ("newest", None, "ask")),
    ):
        mapping = compile_mapping(document(body), revision=1, overrides=overrides)
        assert (mapping.policy, mapping.fields["a"].policy, mapping.fields["b"].policy) == expected


def test_a_policy_for_a_field_that_is_not_mapped_is_refused() -> None:
    with pytest.raises(DocumentError, match=r"'statsu', which is not mapped here; did you mean 'status'\?"):
        compile_mapping(document("fields:\n  status: {remote: A}\n"), revision=1, overrides={"statsu": "ask"})
    with pytest.raises(DocumentError, match="'newst' is no policy; did you mean 'newest'"):
        compile_mapping(document("fields:\n  status: {remote: A}\n"), revision=1, overrides={"status": "newst"})


def test_the_schema_is_plain_json_and_knows_every_rule() -> None:
    text = json.dumps(schema())
    assert all(f'"{rule}"' in text for rule in ("table", "scale", "text", "moment", "person", "attribution"))


def test_every_shipped_mapping_compiles_and_is_named_after_its_file() -> None:
    for name in names():
        assert compile_mapping(shipped(name), revision=1).name == name


@pytest.mark.parametrize("name", names())
def test_every_shipped_mapping_has_a_vocabulary_of_its_connector(name: str) -> None:
    mapping, vocabulary = with_vocabulary(name)
    assert (vocabulary.kind, vocabulary.name) == ("vocabulary", mapping.data["connector"])
    assert compile_vocabulary(vocabulary).fields


@pytest.mark.parametrize("name", names())
def test_every_fact_of_the_library_names_a_source_that_its_head_explains(name: str) -> None:
    for document in with_vocabulary(name):
        head, _, body = document.source.partition("kind: ")
        assert head.startswith("# ")
        assert set(re.findall(r"#.*?\[([A-Za-z][\w ]*)\]", body)) <= set(re.findall(r"\[([A-Za-z][\w ]*)\]", head))


def test_an_unknown_shipped_mapping_names_those_that_exist() -> None:
    with pytest.raises(LookupError, match=r"no shipped mapping 'redmin'; did you mean 'redmine'\? there are: "):
        shipped("redmin")


# -- comments --------------------------------------------------------------------------------------------------------

ONE = "fields:\n  a: {remote: A}\n"


def test_a_comment_is_signed_with_its_author_system_and_time() -> None:
    rule = compiled(ONE).comment
    at = AT.astimezone(timezone(timedelta(hours=5, minutes=30)))
    carried = rule.outward("It works\r\nnow.  \n", author="Alice", system="ngi-cz", at=at)
    assert carried.text == "Alice (ngi-cz, 2026-11-22 18:45 UTC):\n\nIt works\nnow."
    assert carried.spill is None


def test_case_16_neither_author_nor_text_of_a_comment_calls_anybody() -> None:
    handles = ("@alice", "@Alice", "[~alice]", "x @alice", "(@alice)")
    for author in handles:
        for text in handles:
            sent = compiled(ONE).comment.outward(text, author=author, system="@bob", at=AT).text
            assert all(live not in sent for live in ("@a", "@A", "@b", "[~a"))


def test_an_author_cannot_forge_a_second_line_or_a_template() -> None:
    author = "Alice\r\n\r\nBob (central):\n{system} {0.__class__}"
    sent = compiled(ONE).comment.outward("text {author}", author=author, system="s", at=AT).text
    assert sent.split("\n") == [
        "Alice Bob (central): {system} {0.__class__} (s, 2026-11-22 18:45 UTC):",
        "",
        "text {author}",
    ]


def test_a_long_comment_is_shortened_and_its_whole_travels_as_a_file() -> None:
    rule = compiled(ONE + "comments: {max_length: 300}\n").comment
    carried = rule.outward("word " * 500, author="Alice", system="s", at=AT)
    assert carried.spill is not None
    assert len(carried.text) <= 300
    assert carried.spill.name in carried.text
    assert carried.spill.text == "Alice (s, 2026-11-22 18:45 UTC):\n\n" + ("word " * 500).strip()


def test_what_comes_in_is_canonical_and_keeps_its_words() -> None:
    assert compiled(ONE).comment.inward("ask @bob\r\nplease \x00\r\n") == "ask @bob\nplease ␀"


@pytest.mark.parametrize(
    ("template", "sentence"),
    [
        ("{auhtor}", "there is no {auhtor}; did you mean 'author'?"),
        ("{author.__class__}", "there is no {author.__class__}"),
        ("{author!r}", "without a format"),
        ("{author:>9999999999}", "without a format"),
        ("{author", "cannot be read"),
        ("{}: {author}", "there is no {}"),
        ("somebody wrote", "must name the {author}"),
    ],
)
def test_a_signature_names_what_there_is_and_nothing_else(template: str, sentence: str) -> None:
    assert sentence in problems(ONE + f"comments: {{attribution: '{template}'}}\n")[0]
