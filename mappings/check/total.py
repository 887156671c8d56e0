"""Total: both vocabularies have a word for each other's, and a create carries all that their system demands."""

from collections.abc import Iterator

from mappings.check.finding import Proof, Refutation
from mappings.check.fit import fit
from mappings.check.subject import Centre, Subject
from mappings.model import Carries, FieldMapping


def refutations(subject: Subject, centre: Centre) -> Iterator[Refutation]:
    """What has no way across."""
    remote = subject.vocabulary.plain() if subject.vocabulary.declared else None
    for problem in fit(subject.document, subject.mapping, central=centre.fields, remote=remote):
        yield Refutation(Proof.TOTAL, problem.place, problem.sentence)
    yield from _creates(subject, centre)


def _creates(subject: Subject, centre: Centre) -> Iterator[Refutation]:
    """Fields that their system demands of a new ticket."""
    writers = {e.remote: e for e in subject.mapping.fields.values() if e.carries is not Carries.INWARD}
    for theirs in subject.vocabulary.fields.values():
        if not theirs.required or subject.mapping.constants.get(theirs.name) not in (None, "", ()):
            continue
        each = writers.get(theirs.name)
        if each is None:
            sentence = f"their {theirs.name!r} must be filled to create a ticket, and nothing fills it"
            remedy = "map a field to it, or give it a constant"
            yield Refutation(Proof.TOTAL, subject.document.place(("fields",)), f"{sentence}: {remedy}")
        elif may_be_empty(each, centre):
            sentence = f"their {theirs.name!r} must be filled to create a ticket, and our {each.central!r} may be empty"
            remedy = "map one to it that never is, or give it a constant"
            story = (
                f"somebody opens a ticket here without {each.central}",
                f"{subject.name} refuses it: {theirs.name} is missing",
            )
            yield Refutation(Proof.TOTAL, subject.place(each), f"{sentence}: {remedy}", story)


def may_be_empty(each: FieldMapping, centre: Centre) -> bool:
    """Whether what goes out may be nothing at all."""
    return not centre.fields.get(each.central, {}).get("required")
