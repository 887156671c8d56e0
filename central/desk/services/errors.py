"""How the desk says no, whatever was asked: in a sentence, and in one word per remedy."""

from collections.abc import Iterable

from central.store.api import NoSuch


class NotAllowed(Exception):
    """The workflow or the model says no, whoever asks. The sentence says why."""

    def __init__(self, sentence: str, *, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field
        """The field that it is about, where it is about one."""


class Gone(NoSuch):
    """It was kept for long enough, and is here no more; the sentence says since when."""


class NotNow(Exception):
    """What is asked for cannot be done as things stand. The sentence says what to do instead."""


class OutOfReach(Exception):
    """The system that had to be asked did not answer, or not well. The sentence has its own words."""


class Wrong(Exception):
    """Documents are wrong: all that is wrong in them, each with its place (`file:line:column`) and a sentence."""

    def __init__(self, problems: Iterable[tuple[str, str]]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(f"{place}: {sentence}" for place, sentence in self.problems))
