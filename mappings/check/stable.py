"""Stable: out and in changes nothing that nobody changed, whichever fields meet in one of theirs.

The rules keep that for one field at a time; here is what lies between fields, and what our own writes set off there.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mappings.check.finding import Proof, Refutation
from mappings.check.subject import Centre, Subject, Words
from mappings.findings import in_words
from mappings.formats import FORMATS, FormatName
from mappings.model import Carries, FieldMapping, Place, Untranslatable, Value
from mappings.remembering import Remembering
from mappings.rules import Moment
from mappings.rules.moment import STEPS
from mappings.rules.table import lines


def refutations(subject: Subject, centre: Centre) -> Iterator[Refutation]:
    """What a write of ours changes beside what it says."""
    yield from _gone(subject, centre)
    yield from _means_both(subject, centre)
    yield from _coarse(subject, centre)
    yield from _foreign(subject, centre)
    yield from _coupled(subject, centre)
    yield from _constants(subject, centre)
    yield from _reopened(subject, centre)


def _gone(subject: Subject, centre: Centre) -> Iterator[Refutation]:
    """Words of ours that are written as one that means: this ticket is gone."""
    for each in subject.mapping.fields.values():
        gone = subject.mapping.lost_when.get(each.remote, frozenset())
        for ours in subject.ours(each, centre) if each.carries is not Carries.INWARD else ():
            theirs = _said(each, ours)
            if theirs in gone:
                sentence = f"our {in_words(ours)} is written as {theirs!r}, which means that the ticket is gone"
                story = (
                    f"somebody sets {each.central} {in_words(ours)} here",
                    f"{subject.name} shows {theirs!r}",
                    "the next look takes it for deleted, and lets go of it",
                )
                yield Refutation(Proof.STABLE, subject.place_said(each, ours), sentence, story)


def _means_both(subject: Subject, centre: Centre) -> Iterator[Refutation]:
    """Words of theirs that mean one of ours and that the ticket is gone; and what a comment of ours makes of one."""
    for words in subject.finite(centre):
        each, gone = words.field, subject.mapping.lost_when.get(words.field.remote, frozenset())
        for ours, several in lines(subject.document.data["fields"][each.central]):
            for theirs in [word for word in several[1:] if word in gone]:  # the first one is what we write
                sentence = f"{theirs!r} means both our {in_words(ours)} and that the ticket is gone"
                story = (
                    f"somebody sets {theirs!r} in {subject.name}, and means {in_words(ours)}",
                    "the next look takes it for deleted, and lets go of it",
                )
                yield Refutation(Proof.STABLE, subject.place_said(each, ours), sentence, story)
        for frm, to in words.theirs_field.after_comment.items():
            if to in gone and any(theirs == frm for _, theirs in words.agreeing()):
                sentence = f"a comment of ours makes their {frm!r} {to!r}, which means that the ticket is gone"
                told = (
                    f"{each.central} is {frm!r} in {subject.name}",
                    f"a comment is carried there, which makes it {to!r}",
                    "the next look takes it for deleted, and lets go of it",
                )
                yield Refutation(Proof.STABLE, subject.place(each, "lost_when"), sentence, told)


def _coarse(subject: Subject, centre: Centre) -> Iterator[Refutation]:
    """Moments of which they keep less than the mapping believes."""
    for each in subject.mapping.fields.values():
        translation = each.rule.translation if isinstance(each.rule, Remembering) else None
        ours = translation.step if isinstance(translation, Moment) else "second"
        copied = subject.as_it_is(each) and centre.fields.get(each.central, {}).get("kind") == "moment"
        if each.carries is not Carries.BOTH or not (copied or isinstance(translation, Moment)):
            continue
        kept = subject.theirs(each).granularity
        if STEPS.index(ours) < STEPS.index(kept):
            sentence = f"their {each.remote!r} keeps no more than the {kept}: say granularity: {kept}"
            story = (
                f"somebody sets {each.central} here, to the {ours}",
                f"{subject.name} keeps it to the {kept}",
                f"its echo sets {each.central} to the full {kept} here",
                "nobody touched it",
            )
            yield Refutation(Proof.STABLE, subject.place(each, "moment"), sentence, story)


def _foreign(subject: Subject, centre: Centre) -> Iterator[Refutation]:
    """Texts and comments in another format than theirs: what is said in one reads otherwise in the other."""
    for each in subject.mapping.fields.values():
        theirs, part = subject.theirs(each).formats, subject.document.data["fields"][each.central].get("text", {})
        if theirs and subject.as_it_is(each) and not centre.values(each.central):
            place = subject.place(each, "text", "format")
            outward = each.carries is not Carries.INWARD
            yield from _misread(subject, f"their {each.remote!r} is", place, part, theirs, outward=outward)
    if theirs := subject.vocabulary.comments_formats:
        place, part = subject.document.place(("comments", "format")), subject.document.data.get("comments", {})
        yield from _misread(subject, "their comments are", place, part, theirs, outward=True)


_MARKED = ("see **this** in <b>", "see __init__ & *co", "# *this* `x_y`", "a_b *c d*")


def _misread(
    subject: Subject, what: str, place: Place, part: Mapping[str, Any], several: Sequence[FormatName], *, outward: bool
) -> Iterator[Refutation]:
    ours: FormatName = part.get("format", "plain")
    if ours in several:
        return
    theirs, *others = several
    writer, reader = (FORMATS[ours], FORMATS[theirs]) if outward else (FORMATS[theirs], FORMATS[ours])
    for text in _MARKED:
        sent = writer.said(text)
        seen = reader.heard(sent)
        if reader.settled(seen) == reader.settled(text):
            continue
        here, there = ("here", f"in {subject.name}") if outward else (f"in {subject.name}", "here")
        story = (
            f"somebody writes {text!r} {here}",
            f"it is carried as {sent!r}",
            f"whoever reads it {there} sees {seen!r}",
        )
        site = f" (or {', '.join(others)}, as the site is set)" if others else ""
        sentence = f"{what} written in {theirs}{site}, not in {ours}: say format: {theirs}"
        yield Refutation(Proof.STABLE, place, sentence, story)
        return


def _coupled(subject: Subject, centre: Centre) -> Iterator[Refutation]:
    """Two fields of ours that meet in one of theirs: what one writes, the other reads."""
    fields = list(subject.mapping.fields.values())
    for writer in fields:
        for reader in fields:
            apart = reader is writer or reader.remote != writer.remote
            if apart or writer.carries is Carries.INWARD or reader.carries is Carries.OUTWARD:
                continue
            written = subject.ours(writer, centre) or ("a word of ours",)
            said = [(ours, _said(writer, ours), False) for ours in written]
            for words in (each for each in subject.finite(centre) if each.field is writer):
                said += [(ours, between, True) for ours, between, _ in words.between(centre)]
            for ours, theirs, under_way in said:
                moved = _moved(reader, theirs, centre)
                if moved is None:
                    continue
                before, after = moved
                sentence = f"our {writer.central!r} and {reader.central!r} meet in their {writer.remote!r}"
                story = (
                    f"somebody sets {writer.central} {in_words(ours)} here",
                    f"{subject.name} shows {theirs!r}" + (", on the way" if under_way else ""),
                    f"its echo makes {reader.central} {in_words(after)}, which was {in_words(before)}",
                    "nobody touched it",
                )
                yield Refutation(Proof.STABLE, subject.place(reader, "remote"), sentence, story)
                break


def _constants(subject: Subject, centre: Centre) -> Iterator[Refutation]:
    """Constants of a create that come in as if somebody there had said so, or that say that the ticket is gone."""
    for name, gone in subject.mapping.lost_when.items():
        if subject.mapping.constants.get(name) in gone:
            constant = subject.mapping.constants[name]
            sentence = f"the constant {name!r} of every create is {constant!r}, which means that the ticket is gone"
            told = (
                "somebody opens a ticket here",
                f"it is created in {subject.name} with {name} {constant!r}",
                "the next look takes it for deleted, and lets go of it",
            )
            yield Refutation(Proof.STABLE, subject.document.place(("constants", name)), sentence, told)
    for reader in subject.mapping.fields.values():
        theirs = subject.mapping.constants.get(reader.remote)
        if reader.carries is Carries.OUTWARD or theirs is None:
            continue
        moved = _moved(reader, theirs, centre)
        if moved is not None:
            before, after = moved
            sentence = f"the constant {reader.remote!r} of every create comes in as our {reader.central!r}"
            story = (
                f"somebody opens a ticket here, {reader.central} {before!r}",
                f"it is created in {subject.name} with {reader.remote} {theirs!r}",
                f"its echo makes {reader.central} {after!r}",
                "nobody touched it",
            )
            yield Refutation(Proof.STABLE, subject.document.place(("constants", reader.remote)), sentence, story)


def _moved(reader: FieldMapping, theirs: Value, centre: Centre) -> tuple[Value, Value] | None:
    """A value of ours that reading theirs would replace, and by what."""
    for before in (*(centre.values(reader.central) or ("x",)), None):
        try:
            after = reader.rule.inward(theirs, held=before)
        except Untranslatable:
            continue
        if after != before:
            return before, after
    return None


def _reopened(subject: Subject, centre: Centre) -> Iterator[Refutation]:
    """A comment of ours that moves a field of theirs, and no way to move it back."""
    for words in subject.finite(centre):
        for ours, theirs in words.agreeing():
            moved = words.theirs_field.after_comment.get(theirs)
            back = None if moved is None else words.say(ours, moved)
            if back is None or back == moved:
                continue
            if words.outward and words.barred(moved, back):
                yield _cannot_undo(subject, words, (ours, theirs), moved, f"from there our account cannot set {back!r}")
            elif not words.outward and str(moved) not in words.field.stuck:
                yield _cannot_undo(subject, words, (ours, theirs), moved, f"nothing of ours may set {back!r}")


def _cannot_undo(subject: Subject, words: Words, agreed: tuple[Value, Value], moved: Value, why: str) -> Refutation:
    ours, theirs = agreed
    sentence = f"a comment of ours makes their {theirs!r} {moved!r}, and {why} again"
    story = (
        f"{words.field.central} is {in_words(ours)} here and {theirs!r} in {subject.name}",
        f"a comment is carried to {subject.name}, which makes it {moved!r}",
        f"{why} again",
        "nobody touched it",
    )
    return Refutation(Proof.STABLE, subject.place(words.field), sentence, story)


def _said(each: FieldMapping, ours: Value) -> Value:
    try:
        return each.rule.outward(ours, held=None)
    except Untranslatable:
        return None
