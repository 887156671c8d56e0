"""The one bridge to GGUS whose code is public, held to the same proofs: its hand-written guards against our words.

Source of the tables and of the guards: the converters of the GOC ticket exchanger, in use from 2010 to 2016.
"""

from dataclasses import replace
from pathlib import Path

import pytest

from mappings.check import Proof, Report, Subject, check
from mappings.document import compile_mapping
from mappings.loader import read_files
from mappings.model import Losses, Rule, Spill, Value
from mappings.vocabulary import compile_vocabulary
from sync import proving

FILE = Path(__file__).parents[2] / "mappings" / "footprints.yaml"
CLOSED = {"solved", "unsolved", "verified", "closed"}
READ = {"Resolved": "solved", "Closed": "solved"} | dict.fromkeys(
    ("Engineering", "Customer", "Network__bAdministration", "Support__bAgency", "Vendor"), "in progress"
)

FINER = {
    "in progress": ("new", "assigned", "waiting for reply", "on hold", "reopened"),
    "solved": ("verified", "closed", "unsolved"),
}
"""What it was about to send -> what it kept instead, where GGUS stood there."""


class AsTables:
    """Its two tables of statuses alone: what held there or here makes no difference."""

    def inward(self, theirs: Value, *, held: Value) -> Value:
        return None if theirs is None else READ.get(str(theirs), "assigned")

    def outward(self, ours: Value, *, held: Value) -> Value:
        return None if ours is None else "Closed" if ours in CLOSED else "Engineering"

    def canonical_ours(self, ours: Value) -> Value:
        return ours

    def canonical_theirs(self, theirs: Value) -> Value:
        return theirs

    def spill(self, ours: Value) -> Spill | None:
        return None

    def losses(self) -> Losses:
        return Losses()


class AsCoded(AsTables):
    """The same with its guards: on create no ticket is in progress; on update the finer status of GGUS is kept."""

    def inward(self, theirs: Value, *, held: Value) -> Value:
        mapped = super().inward(theirs, held=held)
        if held is None:
            return "new" if mapped == "in progress" else mapped
        return held if held in FINER.get(str(mapped), ()) else mapped


class PrioritiesAsCoded(AsTables):
    """Its priorities: what nobody has set went out as a word that is none of theirs."""

    WORDS = {"top priority": "1", "very urgent": "2", "urgent": "3", "less urgent": "4", None: "Normal"}  # noqa: RUF012

    def inward(self, theirs: Value, *, held: Value) -> Value:
        return next((ours for ours, word in self.WORDS.items() if ours and word == theirs), "normal")

    def outward(self, ours: Value, *, held: Value) -> Value:
        return self.WORDS.get(ours, "4")  # type: ignore[arg-type]


def judged(field: str = "", rule: Rule | None = None) -> Report:
    document, vocabulary = read_files([FILE])
    mapping = compile_mapping(document, revision=1)
    if rule is not None:
        mapping = replace(mapping, fields={field: replace(mapping.fields[field], rule=rule)})
    subject = Subject(document, mapping, compile_vocabulary(vocabulary))
    (report,) = check([subject], proving.centre(), proving.EngineStep())
    return report


def test_what_its_code_guarded_is_said_in_words_and_proven() -> None:
    report = judged()
    assert (report.refuted, {shown.proof for shown in report.shown}) == ((), set(Proof))


def test_its_tables_alone_move_what_nobody_touched_by_their_own_echo() -> None:
    stories = [each.story for each in judged("status", AsTables()).refuted if each.proof is Proof.LENS]
    assert (
        "somebody sets status 'new' here",
        "footprints shows 'Engineering'",
        "its echo makes it 'in progress' here",
        "nobody touched it",
    ) in stories


def test_its_guards_left_the_other_direction_open() -> None:
    """GGUS's finer status was kept; Footprints' own was overwritten by every update that came from GGUS."""
    stories = [each.story for each in judged("status", AsCoded()).refuted if each.proof is Proof.LENS]
    assert (
        "somebody sets 'Customer' in footprints",
        "it becomes 'new' here",
        "our next write makes it 'Engineering' there",
        "nobody touched it",
    ) in stories


def test_its_priority_of_nothing_came_back_as_a_word_that_nobody_has() -> None:
    (told, *_) = [each for each in judged("priority", PrioritiesAsCoded()).refuted if each.proof is Proof.LENS]
    assert told.story[-2:] == ("its echo makes it 'normal' here", "nobody touched it")


@pytest.mark.parametrize("ours", sorted(CLOSED | {"new", "assigned", "waiting for reply", "on hold", "reopened"}))
def test_whatever_its_guards_kept_is_kept(ours: str) -> None:
    """Held against the code itself, value by value; and ours keeps theirs as well."""
    ruled = compile_mapping(read_files([FILE])[0], revision=1).fields["status"].rule
    for theirs in READ:
        assert ruled.inward(theirs, held=ours) == AsCoded().inward(theirs, held=ours)
        if ruled.inward(theirs, held=ours) == ours:
            assert ruled.outward(ours, held=theirs) == theirs
