"""Coverage: what ought to be shown, which mistakes would be noticed, which are none, and what closes the gap."""

import pytest
from pydantic import BaseModel

from mappings import library
from mappings.coverage import Report, measure
from mappings.coverage.equivalence import equivalent
from mappings.coverage.mutants import UNJUDGED, mutants
from mappings.coverage.suggesting import suggestions
from mappings.document import MappingDocument, compile_mapping
from mappings.fixtures.replay import replay_all, suite
from mappings.loader import Document, read
from sync import proving
from sync.policy import POLICIES

HEAD = "kind: mapping\nname: m\nconnector: c\nfields:\n"
EVERYTHING = (
    HEAD
    + """\
  subject: {remote: Subject, text: {one_line: true, max_bytes: 120}}
  status: {remote: Status, table: {new: N, newer: N, old: [O, A]}, back: {N: new}, final: true, lost_when: [gone],
    stuck: {A: it is not left},
    transitions: {O: {via: [S], with: {Reason: done, Solution: {from: solution, otherwise: "-"}}}}}
  solution: {remote: Solution, text: {}}
  kind: {remote: Kind, table: {bug: B, other: O}, unset: ["-", "?"], others: other}
  impact: {remote: Impact, scale: {low: 1, high: 5}, unset: 0}
  urgency: {remote: Urgency, scale: {low: 1, high: 5}, carries: inward}
  due:
    remote: Due
    moment: {format: "%Y-%m-%d %H:%M", zone: Europe/Prague, granularity: hour, unset: ["1970-01-01 01:00"]}
  owner:
    remote: Owner
    person: {directory: {alice@x.org: al, bob@x.org: bo}, nobody: Nobody, fallback: {outward: refuse, inward: nobody}}
  level: {remote: Level, only_on_create: true}
  team: {remote: Team, carries: outward}
  cc: {remote: Cc, set: {words: {alice@x.org: al, bob@x.org: bo}, any_case: true}}
  involve: {remote: Watchers, set: {separator: "; "}}
comments: {attribution: "{author}:", max_length: 200}
constants: {Queue: ggus, Tags: [a, b], Loud: true}
"""
)


def document(text: str) -> Document:
    (found,) = read(text, "m.yaml")
    return found


def measured(mapping: str, *fixtures: str) -> Report:
    texts = [mapping, *(f"kind: fixture\nname: f{n}\nmapping: m\n{body}" for n, body in enumerate(fixtures))]
    given = suite(read("\n---\n".join(texts), "m.yaml"))
    return measure(given.mappings["m"], given.fixtures, {})


def sentences(found: object) -> list[str]:
    return [each.sentence for each in found]  # type: ignore[attr-defined]


def test_without_fixtures_everything_is_missing_and_no_mistake_would_be_noticed() -> None:
    report = measured(HEAD + "  status: {remote: Status, table: {new: N, old: O, older: O}, back: {O: old}}\n")
    assert (report.coverage, report.score, report.killed) == (0.0, 0.0, 0)
    assert sentences(report.missing) == [
        "status: inward",
        "status: inward, where what is held is kept",
        "status: inward, 'N' becomes 'new'",
        "status: inward, 'O' becomes 'old'",
        "status: inward, 'O' becomes 'older'",
        "status: inward, 'O' is read as 'old' where nothing that agrees is held",
        "status: outward",
        "status: outward, 'new' becomes 'N'",
        "status: outward, 'old' becomes 'O'",
        "status: outward, 'older' becomes 'O'",
    ]
    assert str(report.missing[3].place) == "m.yaml:5:49"
    told = sentences(report.alive)
    assert 'fields.status.table.new: ["O"] instead of "N"' in told
    assert 'fields.status.back.O: "older" instead of "old"' in told
    assert "fields.status.table.new left out" in told
    assert 'fields.status.carries: "inward"' in told
    assert "fields.status.final: true" in told
    assert report.refused > 0, "a word without a way back is refused when it is read"


def test_what_a_fixture_shows_is_not_missing_and_what_it_would_notice_is_not_alive() -> None:
    mapping = HEAD + "  status: {remote: Status, table: {new: N, old: O, older: O}, back: {O: old}}\n"
    report = measured(mapping, "inward: {theirs: {Status: O}, held: {status: older}, becomes: {status: older}}")
    assert "status: inward, where what is held is kept" not in sentences(report.missing)
    assert "status: inward, 'O' becomes 'old'" in sentences(report.missing)
    assert "fields.status.table.older left out" not in sentences(report.alive)
    assert 'fields.status.back.O: "older" instead of "old"' in sentences(report.alive), "memory hides the way back"


def test_a_fixture_that_differs_shows_nothing_and_reaches_nothing() -> None:
    report = measured(HEAD + "  a: {remote: A}\n", "inward: {theirs: {A: x}, becomes: {a: y}}")
    assert (len(report.red), report.coverage, report.reaches(0)) == (1, 0.0, False)


def test_every_member_with_a_word_ought_to_be_shown_wherever_it_stands_in_a_set() -> None:
    mapping = HEAD + '  cc: {remote: Cc, set: {words: {a: A, b: B}, separator: "; "}}\n'
    both = "inward: {theirs: {Cc: A; Z}, becomes: {cc: [a]}}\noutward: {ours: {cc: [b]}, held: {}, becomes: {Cc: B}}"
    told = sentences(measured(mapping, both).missing)
    assert "cc: inward, member 'B' becomes 'b'" in told
    assert "cc: outward, member 'a' becomes 'A'" in told
    assert not {"cc: inward, member 'A' becomes 'a'", "cc: outward, member 'b' becomes 'B'"} & {*told}


def test_their_words_for_nothing_and_for_all_others_ought_to_be_shown() -> None:
    field = "  kind: {remote: Kind, table: {bug: B, other: O}, unset: [none, O], others: bug}\n"
    missing = measured(HEAD + field).missing
    told = {each.sentence: str(each.place) for each in missing}
    assert told["kind: outward, nothing becomes 'none'"] == told["kind: inward, 'O' becomes nothing"] == "m.yaml:5:51"
    assert "kind: inward, 'O' is read as 'other' where nothing that agrees is held" in told
    assert told["kind: inward, a word that is in no line becomes 'bug'"] == "m.yaml:5:77"
    fixture = "inward: {theirs: {Kind: Z}, held: {kind: other}, becomes: {kind: bug}}"
    assert "fields.kind.others left out" not in sentences(measured(HEAD + field, fixture).alive)
    assert "kind: inward, a word that is in no line becomes 'bug'" not in sentences(
        measured(HEAD + field, fixture).missing
    )


def test_changes_that_provably_change_nothing_do_not_count_and_are_listed() -> None:
    report = measured(HEAD + "  level: {remote: Level, carries: inward, scale: {low: 0, high: 5}}\n")
    same = sentences(report.equivalent)
    assert "fields.level.scale.low: 1 instead of 0" in same, "nothing lies below the lowest step"
    assert "fields.level.scale.high: 6 instead of 5" in sentences(report.alive)


def test_a_proof_of_sameness_is_never_given_for_what_some_ticket_would_notice() -> None:
    original = document(EVERYTHING)
    found, _ = mutants(original)
    mapping = compile_mapping(original, revision=0)
    judged = [mutant for mutant in found if not mutant.said_to_the_proof]
    told = [mutant.sentence for mutant in judged if equivalent(mapping, mutant.mapping)]
    assert [each for each in told if "policy" not in each] == [
        "fields.urgency.only_on_create: true",
        "fields.urgency.final: true",
        "fields.urgency.scale.low: 0 instead of 1",
        "fields.urgency.scale.low: 2 instead of 1",
    ]
    decided = {"urgency", "team", "cc", "involve"}  # one way, or member by member: whatever the policy says
    for policy in POLICIES:
        same = {each.split(".")[1] for each in told if each.endswith(f'policy: "{policy}"')}
        assert same == (set(mapping.fields) if policy == "central" else decided)


@pytest.mark.parametrize("text", [EVERYTHING, *(library.shipped(name).source for name in library.names())])
def test_what_is_suggested_is_green_and_closes_the_whole_gap(text: str) -> None:
    original = document(text)
    ours = {name: proving.centre().values(name) for name in proving.centre().fields}
    texts = suggestions(measure(original, (), ours), ours)
    given = suite([original, *read("---\n".join(texts), "f.yaml")])
    assert all(each.green for each in replay_all(given))
    report = measure(original, given.fixtures, ours)
    assert (sentences(report.missing), sentences(report.alive)) == ([], [])
    assert suggestions(report, ours) == ()


@pytest.mark.parametrize("name", library.names())
def test_the_fixtures_of_the_library_show_all_of_it_and_would_notice_every_mistake(name: str) -> None:
    """Where this fails: interdesk mapping coverage NAME --suggest FILE, and read what it says."""
    given = suite([library.shipped(name), *library.fixtures(name)])
    ours = {field: proving.centre().values(field) for field in proving.centre().fields}
    report = measure(given.mappings[name], given.of(name), ours)
    assert ([str(each) for each in (*report.missing, *report.alive)], report.red) == ([], ())
    assert len({fixture.name for fixture in given.of(name)}) > 1


def test_who_wins_is_noticed_by_an_example_of_a_conflict_and_by_nothing_else() -> None:
    mapping = HEAD + "  a: {remote: A, policy: remote}\n  b: {remote: B}\n  c: {remote: C, set: {}}\n"
    both = "inward: {theirs: {A: x}, becomes: {a: x}}\noutward: {ours: {a: x}, held: {}, becomes: {A: x}}"
    silent, told = measured(mapping, both), measured(mapping, both, "conflicts: {a: theirs, b: ours}")
    newest = 'fields.a.policy: "newest" instead of "remote"'
    assert {'policy: "ask"', newest, "fields.a.policy left out"} <= set(sentences(silent.alive))
    assert not [each for each in sentences(told.alive) if "policy" in each]
    same = [each for each in sentences(told.equivalent) if "policy" in each]
    assert same == ['fields.b.policy: "central"', *(f'fields.c.policy: "{each}"' for each in POLICIES)]


def test_what_is_said_to_the_proof_is_noticed_where_the_proof_needs_it_and_listed_where_it_does_not() -> None:
    mapping = HEAD + "  a: {remote: A, stuck: {done: no way, open: no way}}\n"
    given = suite(read(mapping, "m.yaml"))

    def proven(changed: Document) -> bool:
        return "done" in changed.data["fields"]["a"].get("stuck", {})

    asked = measure(given.mappings["m"], (), {}, proven)
    unasked = measure(given.mappings["m"], (), {})
    assert [each for each in sentences(asked.equivalent) if "stuck" in each] == ["fields.a.stuck.open left out"]
    assert asked.killed - unasked.killed == 2, "the way out of done left out, and all of it"
    assert not [each for each in sentences((*asked.alive, *unasked.alive, *unasked.equivalent)) if "stuck" in each]


@pytest.mark.parametrize("name", [name for name in library.names() if "stuck" in library.shipped(name).source])
def test_every_exception_of_the_library_is_needed_by_its_proof(name: str) -> None:
    mapping, vocabulary = library.with_vocabulary(name)
    excused = [each for each in mutants(mapping)[0] if each.said_to_the_proof]
    assert excused
    assert not [each.sentence for each in excused if proving.is_proven([vocabulary], each.document)]


def test_fixtures_that_are_there_are_not_suggested_again_and_their_names_are_taken() -> None:
    mapping = HEAD + "  status: {remote: Status, table: {new: N, old: O}}\n"
    all_of_it = suggestions(measured(mapping), {})
    (one,) = suggestions(measured(mapping, "inward: {theirs: {Status: O}, becomes: {status: old}}"), {})[:1]
    assert "Status: N" in one
    assert "Status: O" not in one
    taken = suite(read(mapping + "---\n" + all_of_it[0], "m.yaml"))
    (rest, *_) = suggestions(measure(taken.mappings["m"], taken.fixtures, {}), {})
    assert all_of_it[0].splitlines()[1] not in rest


def test_what_is_suggested_is_called_by_what_it_shows() -> None:
    table = "{remote: Status, table: {new: N, on hold: [Held, Stalled]}}"
    texts = suggestions(measured(f"{HEAD}  status: {table}\n"), {})
    names = [text.splitlines()[1].removeprefix("name: ") for text in texts]
    assert {"status-stalled-comes-in", "status-on-hold-goes-out"} <= set(names)
    assert len(set(names)) == len(names)


def test_every_key_of_the_language_is_changed_or_it_is_said_why_not() -> None:
    """A key that comes to the language later is here by itself, or this test says so."""
    found, refused = mutants(document(EVERYTHING))
    assert refused
    changed = {step for path in (*(mutant.path for mutant in found), *refused) for step in path}
    keys: set[str] = set()
    todo: list[type[BaseModel]] = [MappingDocument]
    seen: set[type[BaseModel]] = set()
    while todo:
        model = todo.pop()
        if model not in seen:
            seen.add(model)
            keys |= {info.alias or name for name, info in model.model_fields.items()}
            todo += [each for info in model.model_fields.values() for each in models(info.annotation)]
    assert keys - changed - set(UNJUDGED) == set()


def models(annotation: object) -> list[type[BaseModel]]:
    inner = [each for part in getattr(annotation, "__args__", ()) for each in models(part)]
    metadata = [each for part in getattr(annotation, "__metadata__", ()) for each in models(part)]
    mine = [annotation] if isinstance(annotation, type) and issubclass(annotation, BaseModel) else []
    return [*mine, *inner, *metadata]
