"""Two emulated helpdesks with people in them, and what must be true there at the end, judged from their own logs.

Every word is said once and bears a number; subjects are changed in RT alone and priorities in Redmine alone, so that
no two people ever argue about a field.
"""

import random
import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from connectors.emulators.redmine import RedmineEmulator
from connectors.emulators.rt import RtEmulator
from connectors.emulators.tracker import Deed, Issue, Tracker

DOCUMENTS = """\
kind: system
name: ngi-cz
connector: rt
settings: {{url: "{rt.url}", queue: {rt.queue}, token: {{secret: "env:INTERDESK_SECRET_NGI_CZ"}}}}
mapping: rt
support_units: [NGI_CZ]
birth_unit: NGI_PL
poll: {{every: 1s}}
---
kind: system
name: ngi-pl
connector: redmine
settings: {{url: "{redmine.url}", project: {redmine.project}, api_key: {{secret: "env:INTERDESK_SECRET_NGI_PL"}}}}
mapping: redmine
support_units: [NGI_PL]
poll: {{every: 1s}}
"""
DEEDS = ("open", "subject", "word in rt", "word in redmine", "priority", "note")
SECRET = "canary-never-to-leave"


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Helpdesks:
    """Use it in a `with`. What people did is remembered; `wrong` says what became of it otherwise than it should."""

    seed: int
    host: str = "127.0.0.1"
    """Where both listen."""
    rt: RtEmulator = field(init=False)
    redmine: RedmineEmulator = field(init=False)
    words: dict[str, tuple[Tracker, int]] = field(init=False, default_factory=dict)
    """What was said in public -> in which tracker, and how many bytes its file has (-1: none)."""
    internal: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.rt, self.redmine = RtEmulator(_now), RedmineEmulator(_now, people=("Bob Nowak",))
        self.rt.host = self.redmine.host = self.host
        self._random = random.Random(self.seed)
        self._alice, self._bob = self.rt.tracker.person("alice"), self.redmine.tracker.person("Bob Nowak")
        self._bob.open(subject="an older issue, which shows the custom field")

    def __enter__(self) -> "Helpdesks":
        self.rt.__enter__()
        self.redmine.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.rt.__exit__()
        self.redmine.__exit__()

    @property
    def environ(self) -> dict[str, str]:
        """The secrets that the documents name."""
        return {"INTERDESK_SECRET_NGI_CZ": self.rt.token, "INTERDESK_SECRET_NGI_PL": self.redmine.api_key}

    def write_documents(self, folder: Path) -> Path:
        """The documents of both systems and of the instance; where the systems' are."""
        instance = f"kind: instance\nname: ggus\nallowed_networks: [{self.host}/32]\n"
        (folder / "interdesk.yaml").write_text(instance, encoding="utf-8")
        file = folder / "systems.yaml"
        file.write_text(DOCUMENTS.format(rt=self.rt, redmine=self.redmine), encoding="utf-8")
        return file

    # -- people --------------------------------------------------------------------------------------------------------

    def open(self) -> str:
        """Alice opens a ticket; its key."""
        opened = len(self.rt.tracker.issues) + 1  # a copy is known by its description
        return self._alice.open(Subject=f"ticket {opened}", Description=f"it began with number {opened}.")

    def act(self) -> None:
        """Somebody does something, in one helpdesk or the other."""
        deed = self._random.choice((*DEEDS, "word in rt"))
        self._do(deed if deed != "open" or len(self.rt.tracker.issues) < 12 else "word in rt")

    def act_in_every_way(self) -> None:
        """All that people do, once each."""
        for deed in DEEDS:
            self._do(deed)

    def _do(self, deed: str) -> None:
        number = len(self.words)
        theirs = self._ours_in_redmine()
        match deed:
            case "open":
                self.open()
            case "subject":
                self._alice.edit(self._a_ticket(), Subject=f"subject {self._random.random()}")
            case "word in rt":
                self._say(self.rt.tracker, self._alice, self._a_ticket(), number)
            case "word in redmine" if theirs:
                self._say(self.redmine.tracker, self._bob, self._random.choice(theirs).key, number)
            case "priority" if theirs:
                levels = ("Normal", "High", "Urgent", "Immediate")
                self._bob.edit(self._random.choice(theirs).key, priority=self._random.choice(levels))
            case "note":
                self.internal += 1
                self._alice.comment(self._a_ticket(), f"{SECRET} {self.internal}", internal=True)
            case _:
                self._say(self.rt.tracker, self._alice, self._a_ticket(), number)

    def _say(self, tracker: Tracker, person: object, key: str, number: int) -> None:
        text = f"word {number:04d} in {tracker.name}"
        size = self._random.choice((-1, -1, 1, 70_000))
        files = {f"{number:04d}.bin": bytes([number % 256]) * size} if size > 0 else {}
        self.words[text] = (tracker, size)
        person.comment(key, text, files=files)  # type: ignore[attr-defined]  # a Person

    def _a_ticket(self) -> str:
        keys = [key for key, issue in self.rt.tracker.issues.items() if not issue.hidden]
        return self._random.choice(keys) if keys else self._alice.open(Subject="the first", Description="it began")

    def _ours_in_redmine(self) -> list[Issue]:
        return [issue for issue in self.redmine.tracker.issues.values() if issue.author == "ggus-sync"]

    # -- what must be true ---------------------------------------------------------------------------------------------

    def wrong(self) -> list[str]:
        """Which laws do not hold now, from the helpdesks' own state; empty when all is as people meant it."""
        looks = (self._twins, self._disagreements, self._words, self._order, self._leaks, self._trespasses)
        return [sentence for look in looks for sentence in look()]

    def deeds(self) -> int:
        """How much was ever done in both: silence is when it stays as it is."""
        return len(self.rt.tracker.log) + len(self.redmine.tracker.log)

    def _pairs(self) -> list[tuple[Issue, Issue]]:
        copies = self._ours_in_redmine()
        return [
            (issue, copy)
            for issue in self.rt.tracker.issues.values()
            for copy in copies
            if str(copy.fields["description"]).replace("\r", "") == str(issue.fields["Description"])
        ]

    def _twins(self) -> list[str]:
        there = Counter(rt.key for rt, _ in self._pairs())
        wanted = len(self.rt.tracker.issues)
        found = [f"ticket {key} of RT is in Redmine {number} times" for key, number in there.items() if number != 1]
        if len(there) < wanted:
            found.append(f"{wanted - len(there)} of {wanted} tickets of RT are not in Redmine")
        if len(self._ours_in_redmine()) > wanted:
            found.append(f"{len(self._ours_in_redmine())} issues in Redmine stand for {wanted} tickets")
        return found

    def _disagreements(self) -> list[str]:
        levels = {25: "Normal", 50: "High", 75: "Urgent", 100: "Immediate"}
        found = []
        for rt, redmine in self._pairs():
            if rt.fields["Subject"] != redmine.fields["subject"]:
                found.append(
                    f"RT {rt.key} is {rt.fields['Subject']!r}, Redmine {redmine.key} {redmine.fields['subject']!r}"
                )
            mine = levels.get(int(str(rt.fields["Priority"] or 25)), "Normal")
            if mine != redmine.fields["priority"]:
                found.append(f"RT {rt.key} is {mine}, Redmine {redmine.key} {redmine.fields['priority']}")
        return found

    def _words(self) -> list[str]:
        found = []
        for word, (tracker, size) in self.words.items():
            for place in (self.rt.tracker, self.redmine.tracker):
                notes = [note for issue in place.issues.values() for note in issue.notes if word in note.text]
                if len(notes) != 1:
                    found.append(f"{word!r} stands {len(notes)} times in {place.name}")
                elif size > 0 and place is not tracker:
                    sizes = [len(file.content) for note in notes for file in note.files]
                    if sizes != [size]:
                        found.append(f"the file of {word!r} ({size} bytes) arrived in {place.name} as {sizes}")
        return found

    def _order(self) -> list[str]:
        """What was said of one ticket in one helpdesk stands in the other in that order."""
        found = []
        for place, other in ((self.rt.tracker, self.redmine.tracker), (self.redmine.tracker, self.rt.tracker)):
            for issue in place.issues.values():
                said = (re.search(rf"word (\d+) in {other.name}", note.text) for note in issue.notes)
                numbers = [word[1] for word in said if word]
                if numbers != sorted(numbers):
                    found.append(f"{place.name} {issue.key} has the words of {other.name} in this order: {numbers}")
        return found

    def arrived(self, key: str) -> bool:
        """Whether this ticket of RT is in Redmine."""
        return any(rt.key == key for rt, _ in self._pairs())

    def _leaks(self) -> list[str]:
        said = [note.text for issue in self.redmine.tracker.issues.values() for note in issue.notes]
        return [f"internal words reached Redmine: {text!r}" for text in said if SECRET in text]

    def _trespasses(self) -> list[str]:
        ours = {self.rt.tracker.name: "sync", self.redmine.tracker.name: "ggus-sync"}

        def foreign(tracker: Tracker, deed: Deed) -> bool:
            return deed.who == ours[tracker.name] and deed.kind in ("delete", "move", "reword")

        return [
            f"{tracker.name}: we did {deed.kind} to {deed.key}"
            for tracker in (self.rt.tracker, self.redmine.tracker)
            for deed in tracker.log
            if foreign(tracker, deed)
        ]
