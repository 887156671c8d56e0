"""Is a mapping right? Proven, or refuted by the shortest story that breaks it.

A mapping is checked like a program, against the vocabularies on either side of it. What decides in the search is the
engine's own step, which is an argument here: never a copy of it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from mappings.check import leak, lens, mesh, reach, stable, total, trap
from mappings.check.finding import PROMISES, Proof, Refutation, Report, Shown, once
from mappings.check.link import Link
from mappings.check.subject import Centre, Engine, Subject
from mappings.losses import loss_statement
from mappings.model import Losses

__all__ = ["PROMISES", "Centre", "Engine", "Proof", "Refutation", "Report", "Shown", "Subject", "check"]

_BY_CASES: dict[Proof, Callable[[Subject, Centre], Iterator[Refutation]]] = {
    Proof.TOTAL: total.refutations,
    Proof.LENS: lens.refutations,
    Proof.STABLE: stable.refutations,
    Proof.REACHABLE: reach.refutations,
    Proof.NO_LEAK: leak.refutations,
    Proof.NO_TRAP: trap.refutations,
}
_FIRST = frozenset({Proof.TOTAL, Proof.LENS, Proof.STABLE})
"""What must hold before a search tells anything new: else it would tell the same story in more words."""
_TRIED = {"central": ("central",), "remote": ("remote",), "newest": ("central", "remote"), "ask": ("central",)}
"""The policies that a search stands for: `newest` is either, `ask` waits for a person either way."""


def check(subjects: Sequence[Subject], centre: Centre, engine: Engine) -> tuple[Report, ...]:
    """Each of these mappings judged alone, and all of them together, as systems around one centre."""
    found: dict[str, list[Refutation]] = {subject.name: [] for subject in subjects}
    how: dict[str, dict[Proof, str]] = {subject.name: {} for subject in subjects}
    sound = []
    for subject in subjects:
        for proof, refutations in _BY_CASES.items():
            found[subject.name] += refutations(subject, centre)
            how[subject.name][proof] = _how(proof, subject, centre)
        if not any(each.proof in _FIRST for each in found[subject.name]):
            sound.append(subject)
    for subject in sound:
        refuted, searched = _link(subject, centre, engine)
        found[subject.name] += refuted
        how[subject.name][Proof.QUIET] = searched
    for subject, refutation in mesh.endless(subjects):
        found[subject.name].append(refutation)
    for judged in mesh.quiet(sound, centre, engine):
        for subject, refutation in judged.refuted:
            found[subject.name].append(refutation)
        for subject in sound:
            if judged.field in subject.mapping.fields and judged.how:
                how[subject.name][Proof.QUIET] += f"; {judged.field}: {judged.how}"
    return tuple(_report(subject, centre, found[subject.name], how[subject.name]) for subject in subjects)


def _link(subject: Subject, centre: Centre, engine: Engine) -> tuple[list[Refutation], str]:
    """Each field of one link alone; and how far it was searched."""
    refuted, states, whole = [], 0, True
    for words in subject.searchable(centre):
        for policy in _TRIED[subject.policy_of(words.field)]:
            link = Link(replace(subject, policy=policy), words, engine)
            story = link.search()
            refuted += [story] if story is not None else []
            states, whole = states + link.states, whole and link.whole
    return refuted, f"{states} states of one link" if whole else f"proven by search up to {states} states of one link"


def _how(proof: Proof, subject: Subject, centre: Centre) -> str:
    if proof is Proof.LENS:
        return lens.how(subject, centre)
    if not subject.vocabulary.declared:
        return "against the words that the mapping itself names"
    return f"against the vocabulary {subject.vocabulary.name}"


def _report(subject: Subject, centre: Centre, found: list[Refutation], how: dict[Proof, str]) -> Report:
    refuted = once(found)
    broken = {each.proof for each in refuted}
    losses = loss_statement(
        subject.mapping,
        subject.vocabulary.capabilities,
        central=centre.fields,
        remote=subject.vocabulary.plain() if subject.vocabulary.declared else None,
    )
    return Report(
        subject.name,
        subject.document.file,
        tuple(Shown(proof, how[proof]) for proof in Proof if proof not in broken and proof in how),
        refuted,
        Losses(
            (*losses.outward, *reach.consequences(subject, centre)),
            (*losses.inward, *reach.vanishing(subject), *reach.unsaid(subject, centre)),
        ),
        tuple(_assumed(subject, centre)),
    )


def _assumed(subject: Subject, centre: Centre) -> Iterator[str]:
    """What a reader must know to believe the answer."""
    yield "fields are judged one by one: no rule of the tracker connects two of them"
    yield from reach.inherited(subject, centre)
    yield from subject.too_many(centre)
    if not subject.vocabulary.declared:
        yield "no vocabulary is declared: their words are those of the mapping; what they do by themselves is unknown"
        return
    for field in subject.mapping.fields.values():
        written = subject.document.data["fields"][field.central].get("text")
        yield from _as_set(f"their {field.remote} is", subject.theirs(field).formats, written)
    yield from _as_set("their comments are", subject.vocabulary.comments_formats, subject.document.data.get("comments"))
    if answers := subject.vocabulary.answers:
        yield f"comments: {answers}; beside another system that answers each by itself this would never end"
    for each in subject.vocabulary.fields.values():
        for move in each.moves:
            if move.chosen:
                yield f"{each.name}: whoever sets {move.frm!r} there has said with it that it becomes {move.to!r}"
        if each.values and each.workflow is None and each.writable:
            yield f"{each.name}: our account may set every value from everywhere"


def _as_set(what: str, formats: Sequence[str], part: Mapping[str, Any] | None) -> Iterator[str]:
    """Texts whose format each site chooses: the mapping is right for those that chose its own."""
    if len(formats) > 1:
        ours = (part or {}).get("format", "plain")
        yield f"{what} written in {ours}, where a site may also be set to {', '.join(f for f in formats if f != ours)}"
