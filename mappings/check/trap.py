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
                yield from _led_by(subject, centre, words)


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


def _led_by(subject: Subject, centre: Centre, words: Words) -> Iterator[Refutation]:
    """Values on the way to others that are final, or become so by themselves, where the way is interrupted."""
    for ours, between, wanted in words.between(centre) if words.inward else ():
        if ours in centre.final:
            continue
        trap = f"on the way to their {wanted!r} lies {between!r}"
        stands = (
            f"somebody sets {words.field.central} {ours!r} here",
            f"{between!r} is sent to {subject.name}, on the way to {wanted!r}, and the next step fails",
        )
        place = words.field.transitions[wanted].at
        if (read := words.read(between)) in centre.final:
            lost = f"read afresh, after a restore or a pairing, it is {read!r}, and nobody can reopen it"
            sentence = f"{trap}, which is read as {read!r}, and that is final"
            yield Refutation(Proof.NO_TRAP, place, sentence, (*stands, lost))
        for move in words.theirs_field.moves:
            read = words.read(move.to, ours)
            if move.frm == between and read in centre.final:
                moved = f"{move.when}: {subject.name} makes it {move.to!r}"
                lost = f"it comes in as {read!r}, and nobody can reopen it"
                sentence = f"{trap}, which becomes {move.to!r} by itself: that is read as {read!r}, which is final"
                yield Refutation(Proof.NO_TRAP, place, sentence, (*stands, moved, lost, "nobody said so"))
