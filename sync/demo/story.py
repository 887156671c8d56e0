"""The story: what people do in two trackers and at the centre, and what comes of it. Each beat waits until it has."""

from central.link import Link
from central.model import Person, Ticket
from connectors.emulators.tracker import Issue
from sync.demo.stage import REDMINE, Stage
from sync.demo.telling import Teller

CANARY = "the password of the old CE is Tr0ub4dor"
"""Written as an internal note in Redmine: it must never leave."""
TESS = Person("tess", "Tess (TPM)")
_LOG = b"2026-11-22 08:14:09 globus-gatekeeper: checksum mismatch\n" * 40


class Story:
    """One ticket's life between two systems."""

    def __init__(self, stage: Stage, teller: Teller) -> None:
        self.stage, self.teller = stage, teller
        self.alice = stage.rt.tracker.person("alice")
        self.bob = stage.redmine.tracker.person("Bob Nowak")
        self.there, self.here = "", ""
        """Its keys in RT and in Redmine."""

    def play(self) -> int:
        """From the first word to quiet, where so many writing requests were seen.

        :raises Stuck: something did not come about."""
        self.opened()
        self.assigned()
        self.answered()
        self.kept_internal()
        self.attached()
        self.solved()
        self.reopened()
        self.contested()
        self.interrupted()
        return self.quiet()

    def written(self) -> dict[str, int]:
        """Writing requests so far, by system."""
        kinds = ("create", "update", "comment", "upload")
        return {name: sum(each.counts[kind] for kind in kinds) for name, each in self.stage.trackers.items()}

    # -- the beats -------------------------------------------------------------------------------------------------

    def opened(self) -> None:
        self.teller.beat("A ticket is opened in NGI_CZ's RT")
        self.there = self.alice.open(Subject="CE refuses jobs", Description="Since this morning.\nSee the log.")
        self.teller.tell("RT", f"Alice opens #{self.there} “CE refuses jobs”")
        self.teller.wait("centre", "it is ticket 1, with the first-line unit TPM", lambda: self._ticket() is not None)

    def assigned(self) -> None:
        self.teller.beat("The centre gives it to NGI_PL, which works with Redmine")
        self.stage.desk.centre.change(1, {"unit": "NGI_PL", "priority": "very urgent"}, TESS)
        self.teller.tell("centre", "Tess sets the responsible unit to NGI_PL and the priority to very urgent")
        self.teller.wait("Redmine", "it is created there, priority Urgent", self._is_in_redmine)
        self.here = self._link(REDMINE).key or ""
        self.teller.wait("RT", "its status follows: open", lambda: self._rt().fields["Status"] == "open")

    def answered(self) -> None:
        self.teller.beat("Bob answers in Redmine, and Alice reads it in RT")
        self.bob.edit(self.here, status="In Progress")
        self.bob.comment(self.here, "Which worker node? Please run the checksum again.")
        self.teller.tell("Redmine", "Bob takes it up and asks: “Which worker node?”")
        self.teller.wait("centre", "the status is in progress", lambda: self._value("status") == "in progress")
        self.teller.wait(
            "RT", "Bob's answer is there, signed with his name", lambda: self._said("Which worker", self._rt())
        )
        self.alice.comment(self.there, "It is wn042.")
        self.teller.tell("RT", "Alice replies: “It is wn042.”")
        self.teller.wait("Redmine", "her reply is there", lambda: self._said("wn042", self._redmine()))

    def kept_internal(self) -> None:
        self.teller.beat("An internal note stays where it was written")
        self.bob.comment(self.here, CANARY, internal=True)
        self.bob.comment(self.here, "Thank you, we look into it.")
        self.teller.tell("Redmine", "Bob writes a private note, and after it a public one")
        self.teller.wait("RT", "the public one is there", lambda: self._said("we look into it", self._rt()))
        self.teller.wait("RT", "the private one is not, nor at the centre", lambda: not self._said(CANARY, self._rt()))

    def attached(self) -> None:
        self.teller.beat("A file travels")
        self.alice.comment(self.there, "The log of wn042.", files={"gatekeeper.log": _LOG})
        self.teller.tell("RT", f"Alice attaches gatekeeper.log ({len(_LOG)} bytes)")
        self.teller.wait("Redmine", "the same bytes are there", lambda: _LOG in _contents(self._redmine()))

    def solved(self) -> None:
        self.teller.beat("Bob solves it")
        self.bob.edit(self.here, status="Resolved")
        self.bob.comment(self.here, "A full disk on wn042. Solved.")
        self.teller.tell("Redmine", "Bob sets Resolved")
        self.teller.wait("centre", "the status is solved", lambda: self._value("status") == "solved")
        # RT reopens upon his words, too, and that is undone: whoever wrote in the same moment would look like it
        self.teller.wait(
            "RT",
            "the status is resolved, and his words are there",
            lambda: self._said("Solved.", self._rt()) and self._nothing_owed(),
        )
        self.teller.wait("RT", "and it stays resolved", lambda: self._rt().fields["Status"] == "resolved")

    def reopened(self) -> None:
        self.teller.beat("It is not solved after all")
        self.alice.comment(self.there, "It happens again.")
        self.teller.tell("RT", "Alice writes once more; RT itself reopens the ticket upon that")
        self.teller.wait("centre", "the status is reopened", lambda: self._value("status") == "reopened")
        self.teller.wait(
            "Redmine",
            "her words are there, and the status is In Progress again",
            lambda: self._redmine().fields["status"] == "In Progress" and self._said("happens again", self._redmine()),
        )

    def contested(self) -> None:
        self.teller.beat("Both change the subject in the same moment")
        self.alice.edit(self.there, Subject="CE refuses jobs of VO atlas")
        self.bob.edit(self.here, subject="wn042: disk full")
        self.teller.tell("RT", "Alice writes “CE refuses jobs of VO atlas”")
        self.teller.tell("Redmine", "Bob writes “wn042: disk full”")
        self.teller.wait("", "all three hold one subject", self._subjects_agree)
        lost = self._loser()
        self.teller.tell("centre", f"“{self._value('subject')}” stands, by the policy central")
        self.teller.tell("centre", f"“{lost}” lost; it is kept on the ticket and shown")

    def interrupted(self) -> None:
        self.teller.beat("Redmine goes down, and comes back")
        self.stage.redmine.stop()
        self.teller.tell("Redmine", "it refuses every connection")
        self.alice.comment(self.there, "Any news?")
        self.alice.edit(self.there, Priority="100")
        self.teller.tell("RT", "Alice asks for news and raises the priority")
        self.teller.wait("centre", "NGI_PL is shown as failing; its looks are owed", self._redmine_fails)
        self.stage.redmine.start()
        self.teller.tell("Redmine", "it is back")
        self.teller.wait(
            "Redmine",
            "everything arrived, once",
            lambda: self._redmine().fields["priority"] == "Immediate" and self._said("Any news?", self._redmine()),
        )
        self.bob.edit(self.here, status="Resolved")
        self.teller.tell("Redmine", "Bob has made room on the disk, and sets Resolved")
        self.teller.wait("RT", "the status is resolved", lambda: self._rt().fields["Status"] == "resolved")

    def quiet(self) -> int:
        """How many writing requests there were while nobody did anything."""
        self.teller.beat("Then it is quiet")
        self.teller.wait("", "nothing is owed to anybody", self._nothing_owed)
        before, polls = self.written(), self._polls()
        enough = {name: count + 5 for name, count in polls.items()}
        self.teller.wait("", "five more polls of each", lambda: all(self._polls()[n] >= c for n, c in enough.items()))
        wrote = sum(self.written().values()) - sum(before.values())
        self.teller.tell("", f"and {wrote} writing requests")
        return wrote

    # -- what is asked of the world ----------------------------------------------------------------------------------

    def _ticket(self) -> Ticket | None:
        found = self.stage.desk.store.read(lambda tx: tx.tickets.list(limit=1))
        return found[0] if found else None

    def _value(self, field: str) -> object:
        ticket = self._ticket()
        return ticket[field] if ticket else None

    def _link(self, system: str) -> Link:
        link = self.stage.desk.store.read(lambda tx: tx.links.find(1, system))
        assert link is not None, "the story goes on only after the ticket is there"
        return link

    def _is_in_redmine(self) -> bool:
        link = self.stage.desk.store.read(lambda tx: tx.links.find(1, REDMINE))
        issue = self.stage.redmine.tracker.issue(link.key) if link and link.key else None
        return issue is not None and issue.fields["priority"] == "Urgent"

    def _rt(self) -> Issue:
        return self.stage.rt.tracker.issue(self.there)

    def _redmine(self) -> Issue:
        return self.stage.redmine.tracker.issue(self.here)

    def _said(self, words: str, issue: Issue) -> bool:
        return any(words in note.text for note in list(issue.notes))

    def _subjects_agree(self) -> bool:
        subjects = {
            str(self._value("subject")),
            str(self._rt().fields["Subject"]),
            str(self._redmine().fields["subject"]),
        }
        return len(subjects) == 1 and bool(self._loser())

    def _loser(self) -> str:
        kept = self.stage.desk.store.read(lambda tx: tx.tickets.conflicts(1))
        return next((str(each.theirs) for each in kept if each.field == "subject"), "")

    def _redmine_fails(self) -> bool:
        desk = self.stage.desk
        system, counts = desk.store.read(lambda tx: (tx.registry.system(REDMINE), tx.outbox.counts().get(REDMINE)))
        return bool(system.last_error) and counts is not None and counts.due > 0

    def _nothing_owed(self) -> bool:
        counts = self.stage.desk.store.read(lambda tx: tx.outbox.counts())
        return all(each.due == 0 for each in counts.values())

    def _polls(self) -> dict[str, int]:
        return {name: each.counts["list"] for name, each in self.stage.trackers.items()}


def _contents(issue: Issue) -> list[bytes]:
    return [file.content for file in (*issue.files, *(file for note in list(issue.notes) for file in note.files))]
