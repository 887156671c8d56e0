"""No trap: nothing becomes final by an echo, a side effect or an automatic reply, but by a person's word alone."""

from collections.abc import Iterator

from mappings.check.finding import Proof, Refutation
from mappings.check.subject import STATUS, Centre, Subject, Words


def refutations(subject: Subject, centre: Centre) -> Iterator[Refutation]:
    """Whatever moves by itself there and is read as a final status here; and what our own words make of theirs."""
    for words in subject.finite(centre):
        if words.field.central == STATUS:
            if words.inward:
                yield from _by_itself(subject, centre, words)
            if words.outward:
                yield from _written(subject, centre, words)


def _by_itself(subject: Subject, centre: Centre, words: Words) -> Iterator[Refutation]:
    theirs_field = words.theirs_field
    by_itself = [(m.frm, m.to, m.when) for m in theirs_field.moves]
    by_itself += [(frm, to, "a comment of ours is carried there") for frm, to in theirs_field.after_comment.items()]
    agreeing = list(words.agreeing())
    for frm, to, when in by_itself:
        for ours, theirs in agreeing:
            read = words.read(to, ours)
            if theirs != frm or ours in centre.final or read not in centre.final:
                continue
            sentence = f"their {to!r} is read as {read!r}, which is final, and {frm!r} becomes {to!r} by itself"
            story = (
                f"{words.field.central} is {ours!r} here and {frm!r} in {subject.name}",
                f"{when}: {subject.name} makes it {to!r}",
                f"it comes in as {read!r}, and nobody can reopen it",
                "nobody said so",
            )
            yield Refutation(Proof.NO_TRAP, subject.place_read(words.field, read, to), sentence, story)
            break


def _written(subject: Subject, centre: Centre, words: Words) -> Iterator[Refutation]:
    """An open ticket of ours whose word there is read, by whoever sees it first, as a final one."""
    for ours in words.ours:
        theirs = words.say(ours) if ours not in centre.final else None
        read = words.read(theirs) if theirs is not None and words.inward else None
        if read in centre.final:
            sentence = f"our {ours!r} is written as {theirs!r}, which is read as {read!r}, and that is final"
            story = (
                f"somebody sets {words.field.central} {ours!r} here",
                f"{subject.name} shows {theirs!r}",
                f"read afresh, after a restore or a pairing, it is {read!r}, and nobody can reopen it",
            )
            yield Refutation(Proof.NO_TRAP, subject.place_read(words.field, ours, theirs), sentence, story)
