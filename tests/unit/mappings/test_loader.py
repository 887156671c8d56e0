"""Reading documents: YAML in its safe 1.2 sense, every problem at its place."""

import contextlib
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from mappings import loader
from mappings.loader import DocumentError, check_model, read, read_files, suggestion

HEAD = "kind: system\nname: a\n"


def data(body: str) -> dict[str, object]:
    (document,) = read(HEAD + body, "a.yaml")
    return {key: value for key, value in document.data.items() if key not in ("kind", "name")}


def problems(text: str) -> list[str]:
    with pytest.raises(DocumentError) as caught:
        read(text, "a.yaml")
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    "word", ["no", "on", "Off", "yes", "y", "12:30", "010", "0b1", "0x1F", "1_000", ".inf", "2026-11-22"]
)
def test_what_only_yaml_1_1_or_a_guess_would_convert_is_a_word(word: str) -> None:
    assert data(f"x: {word}") == {"x": word}


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("10", 10),
        ("-3", -3),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("'true'", "true"),
        ('"10"', "10"),
    ],
)
def test_the_core_schema_says_what_the_rest_means(written: str, value: object) -> None:
    assert data(f"x: {written}") == {"x": value}


def test_keys_are_always_words() -> None:
    assert data("1: a\ntrue: b\nnull: c\nno: d") == {"1": "a", "true": "b", "null": "c", "no": "d"}


def test_a_key_that_stands_twice_is_refused_and_the_first_is_named() -> None:
    assert problems(HEAD + "x: 1\ny: 2\nx: 3\n") == [
        "a.yaml:5:1: the key 'x' stands here twice; the first is in line 3"
    ]


def test_anchors_aliases_and_tags_are_refused_where_they_stand() -> None:
    told = problems(HEAD + "x: &a 1\ny: *a\nz: !!python/object:os.system {}\n")
    assert [line.split(": ")[0] for line in told] == ["a.yaml:3:4", "a.yaml:4:4", "a.yaml:5:4"]


def test_an_alias_bomb_is_refused_without_being_unfolded() -> None:
    bomb = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 40))
    assert len(problems(HEAD + bomb)) > 300


def test_depth_and_size_are_bounded() -> None:
    assert "nested more than 32 deep" in problems(HEAD + "x: " + "[" * 2000)[0]
    assert "more than 1000000 characters" in problems(HEAD + "#" * 1_000_001)[0]
    assert "more than 100000 values" in problems(HEAD + "x: [" + "1," * 100_001 + "]")[0]


def test_broken_yaml_is_told_with_its_place() -> None:
    tab = problems("kind: x\n\tname: y\n")[0]
    assert tab.startswith("a.yaml:2:1: this is not YAML: ")
    assert tab.endswith("; a tab stands there: blanks indent")
    assert problems("kind: x\nname: y: z\n")[0].startswith("a.yaml:2:8: this is not YAML: ")
    assert problems("kind: x\nname: a\0b")[0] == "a.yaml:2:8: a character that YAML does not allow (U+0000)"
    assert problems("kind: x\nname: \ud800")[0].startswith("a.yaml:2:7: the text holds half characters")


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n---\n"])
def test_a_file_without_a_document_says_what_one_begins_with(text: str) -> None:
    assert problems(text) == ["a.yaml:1:1: there is no document here; one begins with the keys kind and name"]


def test_kind_and_name_are_required() -> None:
    assert problems("x: 1\n") == ["a.yaml:1:1: the key 'kind' is missing", "a.yaml:1:1: the key 'name' is missing"]
    assert problems("kind: [a]\nname: 5\n") == ["a.yaml:1:1: kind must be a word", "a.yaml:2:7: name must be a word"]
    assert "small letters" in problems("kind: system\nname: Bad Name\n")[0]
    assert "begins" not in problems("[1, 2]")[0]


def test_several_documents_keep_their_own_text_and_places() -> None:
    text = "# first\nkind: system\nname: a\n---\n# second\nkind: mapping\nname: b\nx: [1, 2]\n"
    first, second = read(text, "f.yaml")
    assert (first.source, first.first_line) == ("# first\nkind: system\nname: a\n", 1)
    assert (second.source, second.first_line) == ("---\n# second\nkind: mapping\nname: b\nx: [1, 2]\n", 4)
    assert str(second.place(("x", 1))) == "f.yaml:8:8"


def test_a_document_read_again_from_its_own_text_has_the_same_places() -> None:
    _, second = read("kind: system\nname: a\n---\nkind: system\nname: b\nx: {y: 1}\n", "f.yaml")
    (again,) = read(second.source, "f.yaml", first_line=second.first_line)
    assert again == second


def test_what_is_absent_is_placed_at_what_is_around_it() -> None:
    (document,) = read(HEAD + "x:\n  y: 1\n", "f.yaml")
    assert str(document.place(("x", "y", "z"))) == "f.yaml:4:6"
    assert str(document.place(("x", "q"))) == "f.yaml:3:1"
    assert str(document.key_place(("x", "y"))) == "f.yaml:4:3"


def test_files_are_read_together_and_their_problems_told_together(tmp_path: Path) -> None:
    good, latin, broken = (tmp_path / name for name in ("good.yaml", "latin.yaml", "broken.yaml"))
    good.write_text("\ufeff" + HEAD, encoding="utf-8")
    latin.write_bytes(b"\xef\xbb\xbfkind: x\nname: caf\xe9")
    broken.write_text("kind: x\n")
    assert [document.name for document in read_files([good])] == ["a"]
    with pytest.raises(DocumentError) as caught:
        read_files([good, latin, broken, tmp_path / "absent.yaml"])
    told = str(caught.value)
    assert f"{latin}:2:10: the file is not UTF-8 text" in told
    assert "'name' is missing" in told
    assert "No such file" in told


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_in_sentences(text: str) -> None:
    with contextlib.suppress(DocumentError):
        assert read(text, "f.yaml")


def test_pyyamls_own_parser_reads_as_libyamls_does() -> None:
    text = HEAD + "x: [a, 'b', {c: no}]\ny: |\n  text\n---\n" + HEAD
    assert loader._Reading(text, "f.yaml", 1, yaml.SafeLoader).documents() == read(text, "f.yaml")


def test_a_suggestion_names_the_nearest_and_lists_all() -> None:
    assert suggestion("tabel", ["table", "text"]) == "; did you mean 'table'? there are: table, text"
    assert suggestion("xyz", ["table"]) == "; there is: table"


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    size: int = Field(ge=10)


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    kind: str
    name: str
    final: bool = False
    parts: dict[str, Inner] = {}
    words: list[str] = []
    token: str = ""


def told(body: str) -> list[str]:
    (document,) = read(HEAD + body, "a.yaml")
    with pytest.raises(DocumentError) as caught:
        check_model(Outer, document)
    return [str(problem) for problem in caught.value.problems]


def test_a_good_document_becomes_its_model() -> None:
    (document,) = read(HEAD + "parts: {x: {size: 12}}", "a.yaml")
    assert check_model(Outer, document).parts["x"].size == 12


def test_all_problems_of_a_document_are_told_at_once_each_at_its_place() -> None:
    assert told(
        "finale: true\nfinal: no\nparts:\n  x: {size: 3}\n  y: {}\n  z: {size: 12, sise: 1}\nwords: [a, 5]\n"
    ) == [
        "a.yaml:3:1: there is no key 'finale'; did you mean 'final'? there are: final, kind, name, parts, token, words",
        "a.yaml:4:8: final: must be true or false, not a word",
        "a.yaml:6:13: parts.x.size: must be at least 10",
        "a.yaml:7:3: parts.y.size: this key is missing",
        "a.yaml:8:17: there is no key 'sise' in parts.z; did you mean 'size'? there is: size",
        "a.yaml:9:12: words.1: must be text, not a number; quote it if it is a word",
    ]


def test_no_sentence_repeats_a_value_that_may_be_a_secret() -> None:
    assert "hunter2" not in "".join(told("token: [hunter2]\nfinal: hunter2\nwords: hunter2\n"))
