"""The lens laws, for every rule and for every mapping of the library."""

from datetime import UTC, datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mappings import laws
from mappings.document import compile_mapping
from mappings.formats import FORMATS, PLAIN
from mappings.library import names, shipped
from mappings.loader import Document, DocumentError, read
from mappings.model import Mapping, Value
from mappings.remembering import Remembering
from mappings.rules import Copy, Moment, Person, Scale, Set, Table, Text
from mappings.shortening import Shortening, Unit
from mappings.testing import Lens, LensLaws

STATUSES = (
    "new",
    "assigned",
    "in progress",
    "waiting for reply",
    "on hold",
    "reopened",
    "solved",
    "unsolved",
    "verified",
    "closed",
)
PRIORITIES = ("less urgent", "urgent", "very urgent", "top priority")
THEIRS = {
    "rt": ("new", "open", "stalled", "resolved", "rejected", "deleted", "unheard of"),
    "redmine": ("New", "In Progress", "Resolved", "Feedback", "Closed", "Rejected", "unheard of"),
}


def library(name: str) -> Mapping:
    return compile_mapping(shipped(name), revision=1)


# -- every rule ----------------------------------------------------------------------------------------------------

WORDS: st.SearchStrategy[Value] = st.sampled_from(["", "a", "b", "A", "alice@example.org", "somebody else"])
LOG = "2026-11-22 18:45:07 the CE refuses a job\n"
LONG = (
    " " * 220 + "x" * 300,
    LOG * 8,
    "€" * 300,
    f"{LOG * 4}\nasked @alice\n{LOG * 4}",
    "word " * 120,
    "\n\n" + "x" * 250,
)
SHORT = (
    "",
    "a",
    "short",
    "line\r\nline  \r\n",
    "caf\u00e9",
    "cafe\u0301",
    "ask @bob",
    "[... and so on",
    "\ud800\x00\x1b",
)


MARKS = (
    *("a", "b c", " ", "  ", "\n", "\n\n", "*", "**", "_", "`", "```", "- ", "1. ", "> ", ">>> ", "\t", "http://a/_b_"),
    *(
        "[x](http://c)",
        "[",
        "]",
        "<",
        ">",
        "&amp;",
        "\\",
        "# ",
        "h1. ",
        "bq. ",
        "{code}",
        "<pre>",
        "</pre>",
        "<b>",
        "@a",
    ),
    *(
        "|",
        "~",
        "-",
        "--",
        "==",
        "!",
        "??",
        "%",
        ":",
        '":',
        "2026-11-22 18:45:07 x",
        "\u0338",
        "\u00a0",
        "{",
        "}",
        "(!)",
    ),
)
marked = st.lists(st.sampled_from(MARKS), max_size=12).map("".join)


def edited(text: str, begin: int, end: int, put: str) -> str:
    return text[: begin % (len(text) + 1)] + put + text[(begin + end) % (len(text) + 1) :]


def texts(rule: Text, limit: int) -> Lens:
    """Their values: whatever fits, and what we have sent of a long text, edited by hand."""
    ours = st.sampled_from(LONG + SHORT) | st.text(max_size=40) | marked
    sent = st.sampled_from(LONG).map(lambda text: str(rule.outward(text, held=None)))
    by_hand = st.builds(edited, sent, st.integers(0, 300), st.integers(0, 40), st.text(max_size=10))
    free = st.sampled_from(SHORT) | st.text(max_size=limit // 8) | marked.filter(lambda text: len(text) <= limit // 8)
    return Lens(
        rule,
        ours,
        free | sent | by_hand.filter(lambda text: rule.shortening.fits(str(rule.canonical_theirs(text) or ""))),
    )


def moments(rule: Moment) -> Lens:
    day = st.datetimes(datetime(1990, 1, 1), datetime(2040, 1, 1))  # noqa: DTZ001  # their clock is in the rule
    near_a_change = st.integers(-7200, 7200).map(lambda s: datetime(2026, 10, 25, 1) + timedelta(seconds=s))  # noqa: DTZ001
    skipped = st.integers(-7200, 7200).map(lambda s: datetime(2026, 3, 29, 2) + timedelta(seconds=s))  # noqa: DTZ001
    when = day | near_a_change | skipped
    ours = when.map(lambda m: m.replace(tzinfo=UTC).isoformat()) | st.sampled_from(["1970-01-01T00:00:00Z", "nonsense"])
    pattern = "%Y-%m-%dT%H:%M:%S" if rule.format == "iso" else rule.format
    theirs = when.map(lambda m: m.replace(tzinfo=rule.zone).strftime(pattern)) | st.sampled_from([*rule.unset, "", "x"])
    return Lens(Remembering(rule), ours, theirs)


def sets(rule: Set, *members: str) -> Lens:
    """Sets of these members, in any order, doubled or not, and as one text; and what is no set at all."""
    listed = st.lists(st.sampled_from(["", "a", "b", " A ", "b,c", "caf\u00e9", "cafe\u0301", *members]), max_size=5)
    texts = listed.map((rule.separator or ";").join)
    values = listed.map(tuple) | texts | st.text(max_size=5) | st.integers() | st.booleans()
    return Lens(rule, values, values)


RICH = [name for name in FORMATS if FORMATS[name] is not PLAIN]

LENSES = {
    "copy": Lens(
        Remembering(Copy()),
        WORDS | st.integers() | st.booleans() | st.just(("a", "b")),
        WORDS | st.just(()) | st.integers(),
    ),
    "table": Lens(
        Remembering(Table({"a": ("A",), "b": ("A", "B"), "c": ("C",)}, {"A": "b", "B": "b", "C": "c"})),
        st.sampled_from(["a", "b", "c", "d"]),
        st.sampled_from(["A", "B", "C", "D"]),
    ),
    "table with an empty word": Lens(
        Remembering(Table({"other": (None,), "a": ("A",)}, {None: "other", "A": "a"})), WORDS, WORDS
    ),
    "table with words for nothing": Lens(
        Remembering(Table({"a": ("A",), "b": ("B",), None: ("-", "A")}, {"A": "a", "B": "b", "-": None})),
        st.sampled_from(["a", "b", "d"]),
        st.sampled_from(["A", "B", "-", "D"]),
    ),
    "table for every word": Lens(
        Remembering(Table({"a": ("A",), "b": ("B",), None: (None, "-")}, {"A": "a", "B": "b", None: None}, "", "b")),
        WORDS,
        WORDS | st.just("A"),
    ),
    "scale with a number for nothing": Lens(
        Remembering(Scale(((25, "less urgent"), (50, "urgent")), "", (0, 60))),
        st.sampled_from(PRIORITIES),
        st.integers(-200, 200) | st.sampled_from(["0", "60", "high"]),
    ),
    "scale": Lens(
        Remembering(Scale(((25, "less urgent"), (50, "urgent"), (75, "very urgent")))),
        st.sampled_from(PRIORITIES),
        st.integers(-200, 200) | st.integers(-200, 200).map(str) | st.just("high"),
    ),
    "text": texts(Text(Shortening("description", "\n\n")), 400),
    "long text": texts(Text(Shortening("description", "\n\n", 200)), 200),
    "long line": texts(Text(Shortening("subject", " ", 200, Unit.BYTES), one_line=True), 200),
    **{f"text in {name}": texts(Text(Shortening("description", "\n\n", format=FORMATS[name])), 400) for name in RICH},
    **{
        f"long text in {name}": texts(Text(Shortening("description", "\n\n", 300, format=FORMATS[name])), 300)
        for name in RICH
    },
    "moment": moments(Moment(unset=("1970-01-01T00:00:00Z", "0000-00-00"))),
    "moment by the clock of Prague": moments(Moment("%Y-%m-%d %H:%M", ZoneInfo("Europe/Prague"), unset=("",))),
    "moment by the clock of Kolkata": moments(Moment("%d.%m.%Y %H:%M:%S", ZoneInfo("Asia/Kolkata"), "hour")),
    "day by the clock of Havana": moments(Moment("%Y-%m-%d", ZoneInfo("America/Havana"), "day")),
    "moment with its zone": moments(Moment("%Y-%m-%dT%H:%M:%S%z", ZoneInfo("Europe/Prague"), "minute")),
    "person": Lens(
        Remembering(Person({"alice@example.org": "a", "Bob@example.org": "b"}, "Nobody")),
        st.sampled_from(["alice@example.org", "bob@EXAMPLE.org", "carol@example.org", ""]),
        st.sampled_from(["a", "b", "Nobody", "zed", "", "alice@example.org"]),
    ),
    "person with fallbacks": Lens(
        Remembering(
            Person({"alice@example.org": "a", "desk@example.org": "a"}, None, "desk@example.org", "alice@example.org")
        ),
        st.sampled_from(["alice@example.org", "desk@example.org", "carol@example.org"]),
        st.sampled_from(["a", "zed", "Nobody"]),
    ),
    "set": sets(Set()),
    "set in any case": sets(Set(any_case=True), "B", "\u1e9e", "ss"),
    "set in one text": sets(Set(separator=", "), "c"),
    "set of words": sets(Set({"alice@example.org": "a", "bob@example.org": "B"}, any_case=True), "Bob@example.org"),
    "set of words in one text": sets(Set({"x": "a", "b,c": "z"}, ";"), "x", "z"),
    "person, strangers refused": Lens(
        Remembering(Person({"alice@example.org": "a"}, None, "refuse", "refuse")),
        st.sampled_from(["alice@example.org", "carol@example.org"]),
        st.sampled_from(["a", "zed"]),
    ),
}


@pytest.fixture(scope="module", params=LENSES)
def lens(request: pytest.FixtureRequest) -> Lens:
    return LENSES[request.param]


class TestEveryRule(LensLaws):
    """Every lens above, every law."""


# -- whatever the language accepts -----------------------------------------------------------------------------------

OURS, ANY = ("a", "b", "c", "d"), ("A", "B", "C")
tables = st.dictionaries(st.sampled_from(OURS), st.lists(st.sampled_from(ANY), min_size=1, max_size=3), min_size=1)
backs = st.dictionaries(st.sampled_from(ANY), st.sampled_from(OURS))


def documented(field: str) -> Document:
    (document,) = read(f"kind: mapping\nname: m\nconnector: c\nfields: {{x: {{remote: X, {field}}}}}", "m.yaml")
    return document


unsets = st.just([]) | st.lists(st.sampled_from((*ANY, "-", None)), min_size=1, max_size=2)
others = st.none() | st.sampled_from(OURS)


def written(table: dict[str, list[str]], back: dict[str, str], unset: list[str | None], other: str | None) -> Document:
    said = "" if not unset else f", unset: {unset}".replace("None", "null")
    return documented(f"table: {table}, back: {back}{said}" + (f", others: {other}" if other else ""))


@given(tables, backs, unsets, others)
def test_a_table_that_the_language_accepts_keeps_the_laws(
    table: dict[str, list[str]], back: dict[str, str], unset: list[str | None], other: str | None
) -> None:
    try:
        mapping = compile_mapping(written(table, back, unset, other), revision=1)
    except DocumentError:
        assume(False)
    assert not list(laws.breaches(mapping.fields["x"].rule, (*OURS, "e"), (*ANY, "E", "-", "")))


@given(tables, backs, unsets, others)
def test_a_table_that_the_language_refuses_has_no_way_back_or_breaks_a_law(
    table: dict[str, list[str]], back: dict[str, str], unset: list[str | None], other: str | None
) -> None:
    try:
        compile_mapping(written(table, back, unset, other), revision=1)
    except DocumentError:
        words = {ours: tuple(theirs) for ours, theirs in table.items()}
        readers = {t: [o for o, theirs in words.items() if t in theirs] for t in ANY}
        if any(not readers[t] or o not in words for t, o in back.items()) or (other and other not in words):
            return  # a word from nowhere
        if any(len(several) > 1 and t not in back for t, several in readers.items()):
            return  # no way back is chosen
        ways = {t: back.get(t, several[0]) for t, several in readers.items() if several}
        nothing = {None: tuple(unset)} if unset else {}
        rule = Remembering(Table({**words, **nothing}, {**dict.fromkeys(unset), **ways}, "", other))
        assert list(laws.breaches(rule, OURS, (*ANY, "E")))


# -- the library -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", THEIRS)
def test_every_status_of_the_library_keeps_the_laws_for_every_status_held(name: str) -> None:
    assert not list(laws.breaches(library(name).fields["status"].rule, STATUSES, THEIRS[name]))


@pytest.mark.parametrize("name", THEIRS)
def test_every_priority_of_the_library_keeps_the_laws_for_every_priority_held(name: str) -> None:
    theirs: tuple[Value, ...] = (
        tuple(range(-1, 120)) if name == "rt" else ("Low", "Normal", "High", "Urgent", "Immediate")
    )
    assert not list(laws.breaches(library(name).fields["priority"].rule, PRIORITIES, theirs))


ROWS = st.dictionaries(st.sampled_from([*OURS, "A"]), st.sampled_from([*ANY, "a", "A;B"]), max_size=4)


@given(ROWS, st.sampled_from(["", ";"]), st.booleans())
def test_a_set_that_the_language_accepts_keeps_the_laws(words: dict[str, str], separator: str, any_case: bool) -> None:
    part = f"set: {{words: {words}, separator: {separator!r}, any_case: {str(any_case).lower()}}}"
    try:
        mapping = compile_mapping(documented(part), revision=1)
    except DocumentError:
        assume(False)
    pairs = [(one, other) for one in (*OURS, *ANY, "a;B") for other in (*OURS, *ANY)]
    assert not list(laws.breaches(mapping.fields["x"].rule, pairs, [*pairs, "a;B", "A;d"]))


SPECIMENS: tuple[Value, ...] = ("", "a", "A\r\nb ", "alice@example.org", "@alice", "Nobody", "x" * 260, "new", 30)


@pytest.mark.parametrize(("name", "field"), [(n, f) for n in names() for f in library(n).fields])
def test_every_field_of_the_library_keeps_the_laws_for_values_that_nobody_expected(name: str, field: str) -> None:
    fits = [value for value in SPECIMENS if not isinstance(value, str) or len(value) < 200]
    assert not list(laws.breaches(library(name).fields[field].rule, SPECIMENS, fits))


# -- why memory is needed (failure case 2) -----------------------------------------------------------------------------

NGI_CZ = {
    "new": "new",
    "assigned": "open",
    "in progress": "open",
    "waiting for reply": "stalled",
    "on hold": "stalled",
    "reopened": "open",
    "solved": "resolved",
    "unsolved": "resolved",
    "verified": "resolved",
    "closed": "resolved",
}
NGI_CZ_BACK = {"new": "new", "open": "in progress", "stalled": "on hold", "resolved": "solved"}


class Forgetful(Remembering):
    """The same table, read without memory."""

    def inward(self, theirs: Value, *, held: Value) -> Value:
        return self.translation.read(theirs)

    def outward(self, ours: Value, *, held: Value) -> Value:
        return self.translation.say(ours)


def ngi_cz() -> Table:
    return Table({ours: (theirs,) for ours, theirs in NGI_CZ.items()}, NGI_CZ_BACK)


def test_case_2_without_memory_the_ngi_cz_table_moves_six_statuses_by_its_own_echo() -> None:
    naive = Forgetful(ngi_cz())
    moved = {s for s, held in product(STATUSES, NGI_CZ_BACK) if laws.ours_survives(naive, s, held)}
    assert moved == {"assigned", "waiting for reply", "reopened", "unsolved", "verified", "closed"}


def test_case_2_no_other_law_notices_what_the_naive_table_does() -> None:
    naive = Forgetful(ngi_cz())
    for theirs, held in product(NGI_CZ_BACK, [None, *STATUSES]):
        assert not laws.agreed_is_left_alone(naive, theirs, held)
        assert not laws.sayable_survives(naive, theirs, None)


def test_case_2_with_memory_no_status_moves() -> None:
    assert not list(laws.breaches(Remembering(ngi_cz()), STATUSES, NGI_CZ_BACK))
