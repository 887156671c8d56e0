"""How much of a mapping its fixtures show, and which mistakes in it they would notice."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from mappings.coverage.equivalence import equivalent
from mappings.coverage.exercise import Duty, Shown, duties, shown, shown_by
from mappings.coverage.mutants import Mutant, mutants
from mappings.coverage.steps import Step, candidates
from mappings.document import compile_mapping
from mappings.fixtures.document import Fixture
from mappings.fixtures.replay import Replayed, outcome, replay, survives
from mappings.loader import Document
from mappings.model import Mapping as CompiledMapping
from mappings.model import Value

__all__ = ["Report", "Words", "measure", "show"]

Proven = Callable[[Document], bool]
Words = Mapping[str, Sequence[Value]]
"""Our field -> the words that it may have; a field that is not here may have any."""


@dataclass(frozen=True, slots=True)
class Report:
    """What the fixtures of one mapping show."""

    document: Document
    mapping: CompiledMapping
    fixtures: tuple[Fixture, ...]
    """Those that are green; the others show nothing."""
    red: tuple[Replayed, ...]
    duties: int
    missing: tuple[Duty, ...]
    """What no fixture shows."""
    killed: int
    alive: tuple[Mutant, ...]
    """Mistakes that no fixture would notice."""
    equivalent: tuple[Mutant, ...]
    """Changes that are provably no mistakes, by what they say or by the proof of the mapping; they do not count."""
    refused: int
    """Changes that are refused when the document is read; they do not count either."""

    @property
    def coverage(self) -> float:
        """How much is shown, in percent."""
        return 100.0 * (self.duties - len(self.missing)) / self.duties if self.duties else 100.0

    @property
    def score(self) -> float:
        """How many mistakes would be noticed, in percent."""
        made = self.killed + len(self.alive)
        return 100.0 * self.killed / made if made else 100.0

    def reaches(self, percent: float) -> bool:
        """Whether every fixture is green, and both figures are as high as that."""
        return not self.red and min(self.coverage, self.score) >= percent


def measure(document: Document, fixtures: Iterable[Fixture], ours: Words, proven: Proven | None = None) -> Report:
    """Hold these fixtures against the mapping and against every mistake that could be made in it. What is said to the
    proof is judged by `proven`: whether a document is. Without it that is not judged.

    :raises DocumentError: the document is no mapping."""
    mapping = compile_mapping(document, revision=0)
    replayed = [replay(mapping, fixture) for fixture in fixtures]
    green = tuple(each.fixture for each in replayed if each.green)
    seen = list(shown_by(green, mapping))
    owed = list(duties(document, mapping))
    missing = [duty for duty in owed if not any(map(duty.shows, _of(seen, duty)))]
    impossible = [duty for duty in missing if not _possible(document, mapping, duty, ours)]
    made, refused = mutants(document)
    to_prove = [mutant for mutant in made if mutant.said_to_the_proof]
    found = [mutant for mutant in made if not mutant.said_to_the_proof]
    alive = [mutant for mutant in found if all(survives(mutant.mapping, fixture) for fixture in green)]
    same = [mutant for mutant in alive if equivalent(mapping, mutant.mapping)]
    needless = [mutant for mutant in to_prove if proven is not None and proven(mutant.document)]
    by_proof = 0 if proven is None else len(to_prove) - len(needless)
    return Report(
        document,
        mapping,
        green,
        tuple(each for each in replayed if not each.green),
        len(owed) - len(impossible),
        tuple(duty for duty in missing if duty not in impossible),
        len(found) - len(alive) + by_proof,
        tuple(mutant for mutant in alive if mutant not in same),
        (*same, *needless),
        len(refused),
    )


def show(step: Step, mapping: CompiledMapping) -> Shown:
    """What a step shows by itself."""
    return shown(step, mapping, outcome(mapping, step.case(mapping)))


def _of(seen: Iterable[Shown], duty: Duty) -> list[Shown]:
    return [each for each in seen if each.step.field == duty.field]


def _possible(document: Document, mapping: CompiledMapping, duty: Duty, ours: Words) -> bool:
    """Whether any example could show it."""
    field = mapping.fields[duty.field]
    tried = candidates(document, field, ours.get(duty.field, ()))
    return any(duty.shows(show(step, mapping)) for step in tried)
