"""Total: both vocabularies have a word for each other's, and a create carries all that their system demands."""

from collections.abc import Iterator, Mapping
from typing import Any

from mappings.check.finding import Proof, Refutation
from mappings.check.fit import fit, is_number, limits_of
from mappings.check.subject import Centre, Subject
from mappings.findings import in_words
from mappings.loader import suggestion
from mappings.model import Carries, FieldMapping, Untranslatable, Value
from mappings.rules.table import lines


def refutations(subject: Subject, centre: Centre) -> Iterator[Refutation]:
    """What has no way across."""
    remote = subject.vocabulary.plain() if subject.vocabulary.declared else None
    for problem in fit(subject.document, subject.mapping, central=centre.fields, remote=remote):
        yield Refutation(Proof.TOTAL, problem.place, problem.sentence)
    yield from _creates(subject, centre)
    if subject.vocabulary.declared:
        yield from _comments(subject)
        for each in subject.mapping.fields.values():
            yield from _unlike(subject, centre, each)
            yield from _unlike_sets(subject, centre, each)
            yield from _newest(subject, each)
            yield from _stand_ins(subject, each)
        yield from _constants(subject)


def _comments(subject: Subject) -> Iterator[Refutation]:
    """Comments that are longer than theirs may be."""
    longest = subject.vocabulary.capabilities.get("max_comment")
    part = subject.document.data.get("comments", {})
    if longest is None or min(limits_of(part), default=longest + 1) <= longest:
        return
    sentence = f"their comments take {longest} characters at most: say comments: {{max_length: {longest}}}"
    story = (
        f"somebody writes a comment of {longest + 1} characters here",
        f"{subject.name} cuts it, or refuses it",
    )
    yield Refutation(Proof.TOTAL, subject.document.place(("comments", "max_length")), sentence, story)


_MEETS = {
    "text": {"text", "choice", "person"},
    "choice": {"text", "choice", "number"},
    "person": {"text", "choice", "number", "person"},
    "moment": {"text", "moment"},
    "set": {"text", "set"},
}
"""The kind of a field of ours: those of theirs that can say the same."""


def _unlike(subject: Subject, centre: Centre, each: FieldMapping) -> Iterator[Refutation]:
    """Fields whose kinds have nothing to say to each other; people whom they do not have."""
    written, theirs = subject.document.data["fields"][each.central], subject.theirs(each)
    kind = centre.fields.get(each.central, {}).get("kind", "")
    meets = theirs.kind in _MEETS.get(kind, {theirs.kind})
    if not meets:
        sentence = (
            f"our {each.central!r} is a {kind}, and their {each.remote!r} is a {theirs.kind}: neither has a word for "
            "what the other says"
        )
        yield Refutation(Proof.TOTAL, subject.place(each, "remote"), sentence)
    if kind == "set" and theirs.kind != "set" and subject.as_it_is(each):
        sentence = f"our {each.central!r} has several members, and their {each.remote!r} is a single text: say set"
        yield Refutation(Proof.TOTAL, subject.place(each), sentence)
    for rule in ("moment", "person"):
        if rule in written and kind not in ("", rule):
            sentence = f"our {each.central!r} is no {rule}: what people write there has no word of theirs"
            yield Refutation(Proof.TOTAL, subject.place(each, rule), sentence)
    if meets and theirs.kind == "number" and not theirs.values:
        strange = _wordy(written, centre.values(each.central))
        if strange and each.carries is not Carries.INWARD:
            sentence = f"their {each.remote!r} is a number, and {strange!r} is written to it: give it a scale"
            yield Refutation(Proof.TOTAL, subject.place(each), sentence)
    if subject.as_it_is(each) and theirs.kind != "set" and kind not in ("", "set"):
        yield from _free(subject, centre, each)
    if kind == "moment" and subject.as_it_is(each) and theirs.kind == "text" and each.carries is not Carries.OUTWARD:
        sentence = (
            f"their {each.remote!r} may be any text, and our {each.central!r} is a moment: say how they write one "
            "(moment), or it is carried outward only"
        )
        story = (f"somebody writes 'after the weekend' as {each.remote} in {subject.name}", "it is no moment here")
        yield Refutation(Proof.TOTAL, subject.place(each), sentence, story)
    if "person" in written and theirs.values:
        nobody = written["person"].get("nobody")
        if nobody is not None and nobody not in theirs.values:
            known = suggestion(str(nobody), map(str, theirs.values))
            sentence = f"{nobody!r} is not a {each.remote} of theirs{known}: nobody can be written so"
            yield Refutation(Proof.TOTAL, subject.place(each, "person", "nobody"), sentence)
        for person, account in written["person"].get("directory", {}).items():
            if account not in theirs.values:
                known = suggestion(account, map(str, theirs.values))
                sentence = f"{account!r} is not a {each.remote} of theirs{known}"
                yield Refutation(Proof.TOTAL, subject.place(each, "person", "directory", person), sentence)


def _free(subject: Subject, centre: Centre, each: FieldMapping) -> Iterator[Refutation]:
    """Any text on one side, where the other has words of its own and no table translates."""
    theirs, words = subject.theirs(each), centre.values(each.central)
    if theirs.values and not words and each.carries is not Carries.INWARD:
        sentence = (
            f"their {each.remote!r} takes its own words alone, and our {each.central!r} may be any text: a table must "
            "say which of theirs it is, or it is carried inward only"
        )
        story = (f"somebody writes {each.central} here, in words of their own", f"{subject.name} refuses it")
        yield Refutation(Proof.TOTAL, subject.place(each), sentence, story)
    if words and theirs.kind == "text" and not theirs.values and each.carries is not Carries.OUTWARD:
        sentence = (
            f"their {each.remote!r} may be any text, and our {each.central!r} takes its own words alone: a table must "
            "say what theirs mean, or it is carried outward only"
        )
        story = (f"somebody writes {each.remote} in {subject.name}, in words of their own", "it is refused here")
        yield Refutation(Proof.TOTAL, subject.place(each), sentence, story)


def _unlike_sets(subject: Subject, centre: Centre, each: FieldMapping) -> Iterator[Refutation]:
    """Sets where one side has no room for several members, or parts them otherwise."""
    written, theirs = subject.document.data["fields"][each.central], subject.theirs(each)
    if "set" not in written:
        return
    if centre.fields.get(each.central, {}).get("kind", "set") != "set":
        sentence = f"our {each.central!r} is no set: it holds one value, and not several members"
        yield Refutation(Proof.TOTAL, subject.place(each, "set"), sentence)
    parted = bool(written["set"].get("separator"))
    if theirs.kind == "set" and parted:
        sentence = f"their {each.remote!r} is a set: leave the separator out"
        yield Refutation(Proof.TOTAL, subject.place(each, "set", "separator"), sentence)
    elif theirs.kind != "set" and not parted:
        sentence = f"their {each.remote!r} is a single text: say by what separator its members are parted"
        yield Refutation(Proof.TOTAL, subject.place(each, "set"), sentence)
    mark = str(written["set"].get("separator", "")).strip()
    if mark and mark in _ADDRESS and not written["set"].get("words"):
        sentence = f"every mail address has {mark!r} in it: none can be a member of their {each.remote!r}"
        story = (f"somebody adds {_ADDRESS} to {each.central} here", f"it cannot be told to {subject.name}")
        yield Refutation(Proof.TOTAL, subject.place(each, "set", "separator"), sentence, story)
    if each.carries is not Carries.INWARD:
        yield from _unlike_members(subject, centre, each)


def _unlike_members(subject: Subject, centre: Centre, each: FieldMapping) -> Iterator[Refutation]:
    """Members that theirs does not take, or has no room for together."""
    written, theirs = subject.document.data["fields"][each.central]["set"], subject.theirs(each)
    words, separator = written.get("words", {}), written.get("separator", "")
    for ours, word in words.items() if theirs.values else ():
        if word not in theirs.values:
            known = suggestion(word, map(str, theirs.values))
            sentence = f"{word!r} is not among the {each.remote} of theirs{known}"
            yield Refutation(Proof.TOTAL, subject.place(each, "set", "words", ours), sentence)
    if theirs.values and not words and not centre.values(each.central):
        sentence = f"their {each.remote!r} takes its own words alone: say under 'words' which of them are ours"
        yield Refutation(Proof.TOTAL, subject.place(each, "set"), sentence)
    most = len(separator.join(words.values())) if words else centre.fields.get(each.central, {}).get("max_length")
    longest = theirs.max_length if separator else None
    if longest is not None and (most is None or most > longest):
        together = f"all of ours together are {most}" if most else "ours may be any number of them"
        sentence = f"their {each.remote!r} takes {longest} characters at most, and {together}"
        story = (
            f"somebody adds members to {each.central} here, until they are more than {longest} characters",
            f"{subject.name} refuses them, and none of them is there",
        )
        yield Refutation(Proof.TOTAL, subject.place(each, "set"), sentence, story)


def _constants(subject: Subject) -> Iterator[Refutation]:
    """Constants of every create that their fields have no room for."""
    for name, value in subject.mapping.constants.items():
        theirs = subject.vocabulary.fields.get(name)
        if theirs is None:
            continue
        place = subject.document.place(("constants", name))
        if isinstance(value, tuple) and theirs.kind in _SINGLE:
            yield Refutation(Proof.TOTAL, place, f"their {name!r} holds one value, and no list")
        if isinstance(value, str) and theirs.kind == "number" and not theirs.values and not is_number(value):
            yield Refutation(Proof.TOTAL, place, f"their {name!r} is a number, and {value!r} is none")
        if isinstance(value, str) and theirs.kind == "moment" and not any(map(str.isdecimal, value)):
            yield Refutation(Proof.TOTAL, place, f"their {name!r} is a moment, and {value!r} is none")
        if isinstance(value, str) and theirs.max_length is not None and len(value) > theirs.max_length:
            yield Refutation(Proof.TOTAL, place, f"their {name!r} takes {theirs.max_length} characters at most")


_ADDRESS = "alice@example.org"
_SINGLE = frozenset({"choice", "number", "person", "moment"})


def fills(value: Value) -> bool:
    """Whether a constant is anything at all: blanks fill no field."""
    return bool(value.strip()) if isinstance(value, str) else value not in (None, ())


def _wordy(written: Mapping[str, Any], ours: tuple[Value, ...]) -> Value:
    """A word that is written where a number is expected; None: there is none."""
    said = list(ours) if written.keys().isdisjoint(("table", "scale")) else [words[0] for _, words in lines(written)]
    return next((word for word in said if isinstance(word, str) and not is_number(word)), None)


def _stand_ins(subject: Subject, each: FieldMapping) -> Iterator[Refutation]:
    """Texts that stand in for nothing and do not fit: the rest of one would go into a file that is nowhere."""
    written = subject.document.data["fields"][each.central].get("transitions", {})
    for wanted, transition in written.items():
        for remote, fill in transition.get("with", {}).items():
            text = fill.get("otherwise") if isinstance(fill, dict) else None
            if text is None or (source := subject.mapping.fields[fill["from"]]).rule.spill(text) is None:
                continue
            place = subject.place(each, "transitions", wanted, "with", remote, "otherwise")
            sentence = f"what stands in for nothing in their {remote!r} is longer than what is sent of {source.central}"
            story = (
                f"somebody sets {each.central} here to what is written as {wanted!r}, without any {source.central}",
                f"{remote} is sent cut, with the name of a file that nobody has sent",
            )
            yield Refutation(Proof.TOTAL, place, f"{sentence}: say it in fewer words", story)


def _newest(subject: Subject, each: FieldMapping) -> Iterator[Refutation]:
    """A policy that stands on change times which nobody keeps."""
    if subject.policy_of(each) == "newest" and not subject.vocabulary.capabilities.get("history"):
        sentence = f"{each.central}: policy newest, and {subject.name} keeps no history to tell the newest by"
        story = (
            f"somebody sets {each.central} here, and somebody else in {subject.name}",
            "when theirs was set is not known: the newest of the two cannot be told",
        )
        place = ("fields", each.central, "policy") if each.policy else ("policy",)
        remedy = "choose central, remote or ask"
        yield Refutation(Proof.TOTAL, subject.document.place(place), f"{sentence}: {remedy}", story)


def _creates(subject: Subject, centre: Centre) -> Iterator[Refutation]:
    """Fields that their system demands of a new ticket."""
    writers = {e.remote: e for e in subject.mapping.fields.values() if e.carries is not Carries.INWARD}
    for theirs in subject.vocabulary.fields.values():
        if not theirs.required or fills(subject.mapping.constants.get(theirs.name)):
            continue
        each = writers.get(theirs.name)
        if each is None:
            sentence = f"their {theirs.name!r} must be filled to create a ticket, and nothing fills it"
            remedy = "map a field to it, or give it a constant"
            yield Refutation(Proof.TOTAL, subject.document.place(("fields",)), f"{sentence}: {remedy}")
        elif may_be_empty(each, centre) and not _says_nothing(each):
            sentence = f"their {theirs.name!r} must be filled to create a ticket, and our {each.central!r} may be empty"
            remedy = "map one to it that never is, or give it a constant"
            written = subject.document.data["fields"][each.central]
            if {"table", "scale"} & written.keys() and "unset" not in written:
                remedy = f"say what is written then (unset), {remedy}"
            story = (
                f"somebody opens a ticket here without {each.central}",
                f"{subject.name} refuses it: {theirs.name} is missing",
            )
            yield Refutation(Proof.TOTAL, subject.place(each), f"{sentence}: {remedy}", story)
        elif walked := next((value for value in each.transitions if each.walks(value)), None):
            sentence = (
                f"their {theirs.name!r} must be filled to create a ticket, and {walked!r} is reached by way of others"
            )
            remedy = "a create does not say it; see whether their tracker begins with a value of its own"
            yield Refutation(Proof.TOTAL, each.transitions[walked].at, f"{sentence}: {remedy}")
        else:
            yield from _said_by_nothing(subject, centre, each)


def _said_by_nothing(subject: Subject, centre: Centre, each: FieldMapping) -> Iterator[Refutation]:
    """Words of ours that are written as nothing at all, where something is demanded."""
    for words in subject.finite(centre):
        for ours in words.ours if words.field is each else ():
            if words.say(ours) in (None, ""):
                demanded = f"their {each.remote!r} must be filled to create a ticket"
                sentence = f"{demanded}, and our {in_words(ours)} is written as nothing"
                story = (
                    f"somebody opens a ticket here, {each.central} {in_words(ours)}",
                    f"{subject.name} refuses it: {each.remote} is missing",
                )
                yield Refutation(Proof.TOTAL, subject.place_said(each, ours), sentence, story)


def may_be_empty(each: FieldMapping, centre: Centre) -> bool:
    """Whether what goes out may be nothing at all."""
    return not centre.required(each.central)


def _says_nothing(each: FieldMapping) -> bool:
    """Whether a create fills their field even where ours is nothing."""
    try:
        return fills(each.rule.outward(None, held=None))
    except Untranslatable:
        return False
