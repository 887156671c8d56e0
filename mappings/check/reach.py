"""Reachable: whatever the centre says can be said there, from wherever they stand, with all that a step there needs."""

from collections.abc import Iterator

from mappings.check.finding import Proof, Refutation
from mappings.check.subject import STATUS, Centre, Subject, Words
from mappings.check.total import may_be_empty
from mappings.model import Carries, Value


def refutations(subject: Subject, centre: Centre) -> Iterator[Refutation]:
    """Steps that the centre may ask for and their workflow does not let our account take."""
    for words in subject.finite(centre):
        if words.outward and not words.field.only_on_create:
            yield from _closed_ways(subject, centre, words)
            yield from _unmet_needs(subject, centre, words)


def asked(centre: Centre, words: Words) -> Iterator[tuple[Value, Value, Value, Value]]:
    """Every (ours, theirs, our next, their next) that our next status or value may ask of them."""
    for ours, theirs in words.agreeing():
        following = centre.steps.get(ours, frozenset()) if words.field.central == STATUS else frozenset(words.ours)
        for after in words.ours:
            wanted = words.say(after, theirs) if after in following else None
            if wanted is not None and wanted != theirs:
                yield ours, theirs, after, wanted


def _closed_ways(subject: Subject, centre: Centre, words: Words) -> Iterator[Refutation]:
    """Told once for each two values of theirs."""
    told: set[tuple[Value, Value]] = set()
    declared = words.field.stuck
    for ours, theirs, after, wanted in asked(centre, words):
        if (theirs, wanted) in told or words.theirs_field.may_move(theirs, wanted) or str(theirs) in declared:
            continue
        told.add((theirs, wanted))
        name = words.field.central
        sentence = (
            f"{name}: from their {theirs!r} our account cannot set {wanted!r}: write another word for {after!r}, or "
            f"declare it: stuck: {{{theirs}: why}}"
        )
        story = (
            f"{name} is {ours!r} here and {theirs!r} in {subject.name}",
            f"somebody sets {after!r} here",
            f"{subject.name} refuses {wanted!r}, and stays at {theirs!r}",
        )
        yield Refutation(Proof.REACHABLE, subject.place(words.field), sentence, story)


def _unmet_needs(subject: Subject, centre: Centre, words: Words) -> Iterator[Refutation]:
    """Their fields without which a value is refused, and which nothing is sure to fill."""
    writers = {e.remote: e for e in subject.mapping.fields.values() if e.carries is not Carries.INWARD}
    for wanted, names in words.theirs_field.needs.items():
        after = next((ours for ours in words.ours if words.say(ours) == wanted), None)
        for name in names if after is not None else ():
            if subject.mapping.constants.get(name) not in (None, "", ()):
                continue
            writer = writers.get(name)
            if writer is not None and not writer.only_on_create and not may_be_empty(writer, centre):
                continue
            field = words.field.central
            how = "nothing fills it" if writer is None else f"our {writer.central!r} may be empty"
            if writer is not None and writer.only_on_create:
                how = f"our {writer.central!r} fills it on create only"
            remedy = "map one to it that is never empty, or give it a constant"
            sentence = f"{field}: their {wanted!r} needs {name!r}, and {how}: {remedy}"
            story = (
                f"somebody sets {field} {after!r} here",
                f"{subject.name} refuses {wanted!r}: {name} is missing",
            )
            place = subject.place(words.field, "table", str(after))
            yield Refutation(Proof.REACHABLE, place, sentence, story)


def consequences(subject: Subject, centre: Centre) -> Iterator[str]:
    """What a declared exception means for the people who live with it."""
    for words in subject.finite(centre):
        for theirs, why in words.field.stuck.items():
            stay = dict.fromkeys(
                repr(after)
                for _, at, after, to in asked(centre, words)
                if str(at) == theirs and not words.theirs_field.may_move(at, to)
            )
            if stay:
                shown = f"{', '.join(stay)} set here stays here and is shown as not agreeing"
                yield f"{words.field.central}: once it is {theirs!r} there, {shown} ({why})"
