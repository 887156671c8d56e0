"""No leak: nothing that only supporters may read reaches a place that others read.

Comments need no proof here: the engine sends an internal one only where the system can hide it.
"""

from collections.abc import Iterator

from mappings.check.finding import Proof, Refutation
from mappings.check.subject import Centre, Subject
from mappings.model import Carries


def refutations(subject: Subject, centre: Centre) -> Iterator[Refutation]:
    """Internal fields in public ones, either way."""
    for each in subject.mapping.fields.values():
        theirs = subject.theirs(each)
        if each.central in centre.internal and each.carries is not Carries.INWARD and theirs.public:
            sentence = f"our {each.central!r} is for supporters only, and their {each.remote!r} is public"
            story = (
                f"a supporter writes {each.central} here",
                f"{subject.name} shows it to everybody as {each.remote}",
            )
            yield Refutation(Proof.NO_LEAK, subject.place(each, "remote"), sentence, story)
        if each.central not in centre.internal and each.carries is not Carries.OUTWARD and not theirs.public:
            sentence = f"their {each.remote!r} is for supporters only, and our {each.central!r} is public"
            story = (
                f"a supporter writes {each.remote} in {subject.name}",
                f"it comes in as {each.central}, which the submitter reads, and everybody whom it is carried to",
            )
            yield Refutation(Proof.NO_LEAK, subject.place(each, "remote"), sentence, story)
