"""A fixture that is written is read as the same fixture, whatever people have typed."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from mappings.fixtures.document import Case, Remark, Said, Way, compile_fixture
from mappings.fixtures.written import written
from mappings.loader import read

TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
    st.sampled_from(
        ["no", "12:30", "1e5", "010", "~", "null", "a: b", "- a", "# a", "a\n\n", " a\n b", "\ta", "\u2028", "\x85"]
    ),
)
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=10)
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**9), 10**9), TEXTS, st.lists(TEXTS, max_size=3).map(tuple)
)
RECORDS = st.dictionaries(NAMES, VALUES, max_size=4)
AT = datetime(2026, 11, 22, 18, 45, tzinfo=UTC)


@given(given_=RECORDS, held=RECORDS, becomes=RECORDS, text=TEXTS, files=st.lists(TEXTS, min_size=1, max_size=2))
def test_what_is_written_is_read_as_it_was(
    given_: dict[str, object], held: dict[str, object], becomes: dict[str, object], text: str, files: list[str]
) -> None:
    expected = {("becomes", name): value for name, value in becomes.items()} | {("comments", 0, "becomes"): text}
    out = expected | {("files",): tuple(files), ("last",): ("b",)} | {("becomes", "no word of ours"): Said.NO_WORD}
    out |= {("via", "b"): ("c", 1)}
    cases = (
        Case(Way.INWARD, given_, held, (Remark(text),), expected),
        Case(Way.OUTWARD, given_, None, (Remark(text, "Alice", "ngi-pl", AT),), out, judges_order=True),
    )
    (document,) = read(written("f", "m", cases, about=text), "f.yaml")
    fixture = compile_fixture(document)
    assert fixture.cases == cases
    assert fixture.about == text
