"""What is a mapping, and cannot work as it is: refuted where it is read, before anything is searched."""

from mappings.check.finding import Proof, Refutation, Report, once
from mappings.document import Unsound
from mappings.loader import Document
from mappings.model import Losses

_OPEN = "not judged: as it is, nothing is synchronised by it"


def report(document: Document, unsound: Unsound) -> Report:
    """Every fault of it under the promise that it breaks, at its place."""
    refuted = once(
        Refutation(Proof(fault.breaks), problem.place, problem.sentence, fault.story)
        for fault, problem in unsound.faults
    )
    losses = Losses((_OPEN,), (_OPEN,))
    return Report(document.name, document.file, (), refuted, losses, ("nothing else was tried",))
