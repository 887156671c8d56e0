"""Reachable: whatever the centre says can be said there, from wherever they stand, with all that a step there needs;
and whatever they say can be said here."""

from collections.abc import Iterator
from itertools import takewhile

from mappings.check.finding import Proof, Refutation
from mappings.check.subject import STATUS, Asked, Centre, Subject, Words
from mappings.check.total import fills, may_be_empty
from mappings.findings import in_words
from mappings.model import Carries, Fill, Place, Value


def refutations(subject: Subject, centre: Centre) -> Iterator[Refutation]:
    """Steps that the centre may ask for and their workflow does not let our account take."""
    for words in subject.finite(centre):
        if words.outward and not words.field.only_on_create:
            yield from _closed_ways(subject, centre, words)
            yield from _unmet_needs(subject, centre, words)
            yield from _needless(subject, centre, words)
        if words.inward and words.field.central == STATUS and centre.settable:
            yield from _unheard(subject, centre, words)


def _unheard(subject: Subject, centre: Centre, words: Words) -> Iterator[Refutation]:
    """Words of theirs that are read as a status which only the centre sets, or which nobody may set from where ours
    stands, where another one could be meant."""
    agreeing = list(words.agreeing())
    anywhere = frozenset[Value]().union(*centre.settable.values())
    for theirs in words.theirs:
        meant = [ours for ours, word in agreeing if word == theirs]
        for before in words.ours:
            read, may = words.read(theirs, before), centre.settable.get(before, frozenset())
            better = [ours for ours in meant if ours in may]
            if read is None or read in (before, *may, *centre.final) or before in meant or not better:
                continue
            nowhere = read not in anywhere
            sentence = (
                f"{words.field.central}: their {theirs!r} is read as {read!r}, which nobody there may set"
                f"{'' if nowhere else f' where ours is {before!r}'}: read it as {better[0]!r}, or whoever sets it is "
                "written over"
            )
            story = (
                *(() if nowhere else (f"{words.field.central} is {before!r} here",)),
                f"a supporter sets {theirs!r} in {subject.name}",
                f"{read!r} is set by the centre alone" if nowhere else f"nothing that is {before!r} becomes {read!r}",
                f"what stood there is written back, and nobody there can {'ever ' * nowhere}say {theirs!r}",
            )
            yield Refutation(Proof.REACHABLE, subject.place_read(words.field, read, theirs), sentence, story)
            break


def _closed_ways(subject: Subject, centre: Centre, words: Words) -> Iterator[Refutation]:
    """Told once for each two values of theirs."""
    told: set[tuple[Value, Value]] = set()
    for asked in sorted(words.asked(centre), key=lambda each: each.unseen):  # by what is seen sooner, where it is both
        barred = words.barred(asked.theirs, asked.wanted)
        if barred is None or barred in told or str(barred[0]) in words.field.stuck:
            continue
        told.add(barred)
        name, (frm, to), wanted = words.field.central, barred, asked.wanted
        place = subject.place(words.field)
        if words.field.way(asked.theirs, wanted):
            place = words.field.transitions[wanted].at
            sentence = f"{name}: on the way to their {wanted!r}, our account cannot set {to!r} where {frm!r} stands"
        else:
            remedy = f"say what lies between (transitions: {{{to}: {{via: {{{frm}: [...]}}}}}})"
            sentence = (
                f"{name}: from their {frm!r} our account cannot set {to!r}: write another word for "
                f"{in_words(asked.after)}, {remedy}, or declare it: stuck: {{{frm}: why}}"
            )
        yield Refutation(Proof.REACHABLE, place, sentence, _refused(subject, words, asked, barred))


def _refused(subject: Subject, words: Words, asked: Asked, barred: tuple[Value, Value]) -> tuple[str, ...]:
    name, system, (frm, to) = words.field.central, subject.name, barred
    stands = f"{name} is {in_words(asked.ours)} here and {asked.theirs!r} in {system}"
    by_itself = any(move.to == asked.theirs for move in words.theirs_field.moves)
    how = ", which it became by itself" if by_itself else ", where a way was interrupted"
    lines = [stands + how * asked.under_way]
    if asked.unseen:
        lines.append(f"it becomes {in_words(asked.after)} here, step by step, before {system} is told of any")
    elif asked.after != asked.ours:
        lines.append(f"somebody sets {in_words(asked.after)} here")
    before = takewhile(lambda value: value != to, words.field.way(asked.theirs, asked.wanted))
    lines += [f"{value!r} is sent to {system}" for value in before]
    return (*lines, f"{system} refuses {to!r}, and stays at {frm!r}")


def _needless(subject: Subject, centre: Centre, words: Words) -> Iterator[Refutation]:
    """Exceptions of the document's own that except nothing: they would hide the day on which there is something."""
    for theirs, place in _excepting_nothing(subject, centre, words):
        if place.file == subject.document.file:
            name = words.field.central
            can = f"{name}: from their {theirs!r} our account can set all that is ever asked of it"
            story = (
                f"{name} is {theirs!r} in {subject.name}",
                "whatever is set here, it follows",
                "the loss statement has nothing to say of it, and would be silent of what is lost there one day",
            )
            yield Refutation(Proof.REACHABLE, place, f"{can}: take it out of 'stuck'", story)


def _excepting_nothing(subject: Subject, centre: Centre, words: Words) -> Iterator[tuple[str, Place]]:
    """Values that are said to be stuck, and are not; where it is known what may be set from where."""
    if not words.field.stuck or words.theirs_field.workflow is None:
        return
    barred = {words.barred(asked.theirs, asked.wanted) for asked in words.asked(centre)}
    held = {str(step[0]) for step in barred if step is not None}
    for theirs in words.field.stuck:
        if theirs not in held and theirs in map(str, words.theirs_field.values):
            yield theirs, subject.document.key_place(("fields", words.field.central, "stuck", theirs))


def inherited(subject: Subject, centre: Centre) -> Iterator[str]:
    """Exceptions that except nothing here, and are said in what this mapping extends: nobody here can mend them."""
    for words in subject.finite(centre):
        for theirs, place in _excepting_nothing(subject, centre, words):
            if place.file != subject.document.file:
                yield f"{words.field.central}: {theirs!r} is said to be stuck ({place}), and never is here"


def _unmet_needs(subject: Subject, centre: Centre, words: Words) -> Iterator[Refutation]:
    """Their fields without which a value is refused, and which nothing is sure to fill."""
    reached = {words.say(ours): ours for ours in reversed(words.ours)}
    for after, between, _ in words.between(centre):
        reached.setdefault(between, after)
    for wanted, names in words.theirs_field.needs.items():
        for name in names if wanted in reached else ():
            fill = next((each for each in words.field.fills(wanted) if each.remote == name), None)
            lacks = _lacks(subject, centre, name, fill)
            if not lacks:
                continue
            field, after = words.field.central, reached[wanted]
            sentence = f"{field}: their {wanted!r} needs {name!r}, and {lacks}"
            story = (
                f"somebody sets {field} {in_words(after)} here",
                f"{subject.name} refuses {wanted!r}: {name} is missing",
            )
            place = subject.place_said(words.field, after) if fill is None else fill.at
            yield Refutation(Proof.REACHABLE, place, sentence, story)


def _lacks(subject: Subject, centre: Centre, name: str, fill: Fill | None) -> str:
    """Why it is not sure that this field of theirs is filled, and what to do about it; '' where it is."""
    if fill is not None and fill.value is not None:
        return ""
    if fill is None and fills(subject.mapping.constants.get(name)):
        return ""
    fields = subject.mapping.fields.values()
    writer = next((e for e in fields if e.remote == name and e.carries is not Carries.INWARD), None)
    if writer is None:
        return f"nothing fills it: map one to it that is never empty, or let a constant go 'with' it ({_FILLED})"
    if writer.only_on_create:
        return f"our {writer.central!r} fills it on create only: let a constant go 'with' it ({_FILLED})"
    if not may_be_empty(writer, centre):
        return ""
    if subject.as_it_is(writer):
        return f"our {writer.central!r} may be empty: say what stands in for it 'otherwise' ({_FILLED})"
    return f"our {writer.central!r} may be empty, and no text can stand in for it: fill it from a field that never is"


_FILLED = "transitions: {VALUE: {with: {FIELD: ...}}}"


def consequences(subject: Subject, centre: Centre) -> Iterator[str]:
    """What a declared exception means for the people who live with it."""
    for words in subject.finite(centre):
        for theirs, why in words.field.stuck.items():
            stay = dict.fromkeys(
                repr(asked.after)
                for asked in words.asked(centre)
                if (barred := words.barred(asked.theirs, asked.wanted)) and str(barred[0]) == theirs
            )
            if stay:
                shown = f"{', '.join(stay)} set here stays here and is shown as not agreeing"
                yield f"{words.field.central}: once it is {theirs!r} there, {shown} ({why})"
        if words.outward and words.field.central == STATUS and not words.field.only_on_create:
            yield from _untold(words, centre)


def _untold(words: Words, centre: Centre) -> Iterator[str]:
    """What cannot follow where several edits here lie between two looks. Final ones are no matter of a statement."""
    barred: dict[Value, dict[str, None]] = {}
    for ours, theirs in words.agreeing():
        for after in words.ours:
            wanted = words.say(after, theirs) if after in centre.unseen(ours) - centre.final else None
            if wanted is not None and words.barred(theirs, wanted) and str(theirs) not in words.field.stuck:
                barred.setdefault(after, {})[repr(theirs)] = None
    for after, several in barred.items():
        stands = f"{after!r} here cannot follow at their {', '.join(several)}, stays here and is shown as not agreeing"
        yield f"{STATUS}: where several edits here lie between two looks, {stands} until the next edit"


def vanishing(subject: Subject) -> Iterator[str]:
    """Values that mean "this ticket is gone" and that others become though nobody sets them."""
    for each in subject.mapping.fields.values():
        gone = subject.mapping.lost_when.get(each.remote, frozenset())
        for move in subject.theirs(each).moves:
            if move.to in gone:
                lost = f"their {move.frm!r} becomes {move.to!r} by itself, which means that the ticket is gone"
                yield f"{each.central}: {lost}: it stays here, and nothing travels any more ({move.when})"


def unsaid(subject: Subject, centre: Centre) -> Iterator[str]:
    """Words of theirs that nobody there can say to us: each is written over where somebody sets it."""
    anywhere = frozenset[Value]().union(*centre.settable.values())
    for words in subject.finite(centre):
        if words.field.central != STATUS or not (words.inward and words.outward and anywhere):
            continue
        agreeing = list(words.agreeing())
        for theirs in words.theirs:
            meant = [ours for ours, word in agreeing if word == theirs]
            if meant and not anywhere & set(meant):
                only = " or ".join(map(repr, meant))
                yield f"{STATUS}: who sets their {theirs!r} is written over: no supporter may set {only}"
