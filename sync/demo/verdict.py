"""The five laws after the story, judged from the trackers' own logs and from every byte that was sent to them."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from central.events import Kind
from central.link import Link, LinkState
from central.model import Visibility, value_of
from connectors.emulators.server import Emulator
from connectors.emulators.tracker import AUTOMAT, Deed
from sync.demo.stage import ACCOUNT, Stage
from sync.gateway import Gateway
from sync.reconcile import corresponds


@dataclass(frozen=True, slots=True)
class Judgement:
    """One law, and what broke it."""

    law: str
    promise: str
    broken: tuple[str, ...]


class Judge:
    """Looks at a stage at rest."""

    def __init__(self, stage: Stage, *, canary: str, wrote_in_quiet: int) -> None:
        self._stage, self._canary, self._wrote_in_quiet = stage, canary, wrote_in_quiet
        self._links = list(self._active_links())

    def judge(self) -> list[Judgement]:
        """All five."""
        laws: list[tuple[str, str, Callable[[], Iterator[str]]]] = [
            ("convergence", "every field agrees, or says why it cannot", self._convergence),
            ("silence", "at rest nothing is written anywhere", self._silence),
            ("no loss", "every edit and comment of a person arrived, or is kept", self._no_loss),
            ("no twins", "every ticket, comment and file is there once", self._no_twins),
            ("no trespass", "nothing internal left, nothing of others was removed", self._no_trespass),
        ]
        return [Judgement(law, promise, tuple(broken())) for law, promise, broken in laws]

    def _active_links(self) -> Iterator[tuple[Gateway, Emulator, Link]]:
        desk = self._stage.desk
        for name, emulator in self._stage.trackers.items():
            for link in desk.store.read(lambda tx, name=name: tx.links.of_system(name)):  # type: ignore[misc]  # bound now
                if link.state is LinkState.ACTIVE:
                    yield desk.gateways.get(name), emulator, link

    def _convergence(self) -> Iterator[str]:
        for gateway, _, link in self._links:
            theirs = gateway.connector.fetch(link.key or "").fields
            ticket = self._stage.desk.store.read(lambda tx, link=link: tx.tickets.get(link.ticket_id))  # type: ignore[misc]  # bound now
            for field in gateway.mapping.fields.values():
                agree = corresponds(field.rule, ticket[field.central], theirs.get(field.remote))
                if not agree and field.central not in link.disagreements:
                    yield f"{field.central} of ticket {ticket.id} is another in {gateway.system}"

    def _silence(self) -> Iterator[str]:
        if self._wrote_in_quiet:
            yield f"{self._wrote_in_quiet} writing requests"

    def _no_loss(self) -> Iterator[str]:
        for gateway, emulator, link in self._links:
            remote = {field.remote: field.central for field in gateway.mapping.fields.values()}
            for deed in emulator.tracker.log:
                if deed.key != link.key or deed.who in (ACCOUNT, AUTOMAT):
                    continue
                if deed.kind == "set" and deed.field in remote and not self._is_known(gateway, link, deed):
                    yield f"{deed.who} set {deed.field} to {deed.new!r} in {gateway.system}: nowhere to be found"
            issue = emulator.tracker.issue(link.key or "")
            comments = self._stage.desk.store.read(lambda tx, link=link: tx.tickets.comments(link.ticket_id))  # type: ignore[misc]  # bound now
            here = [comment.text for comment in comments]
            there = [note.text for note in issue.notes]
            for note in issue.notes:
                if note.author != ACCOUNT and not note.internal and note.text not in here:
                    yield f"a comment of {note.author} in {gateway.system} is not at the centre"
            for comment in comments:
                foreign = comment.origin_system != gateway.system and comment.visibility is Visibility.PUBLIC
                if foreign and not any(comment.text in text for text in there):
                    yield f"comment {comment.id} is not in {gateway.system}"

    def _is_known(self, gateway: Gateway, link: Link, deed: Deed) -> bool:
        store = self._stage.desk.store
        events = store.read(lambda tx: tx.tickets.events(link.ticket_id))
        kept = store.read(lambda tx: tx.tickets.conflicts(link.ticket_id))
        took = {Kind.FIELD_CHANGED, Kind.FIELD_AGREED}
        arrived = any(
            e.kind in took and e.system == gateway.system and value_of(e.data.get("theirs")) == deed.new for e in events
        )
        return arrived or any(c.system == gateway.system and c.theirs == deed.new for c in kept)

    def _no_twins(self) -> Iterator[str]:
        for name, emulator in self._stage.trackers.items():
            issues = list(emulator.tracker.issues.values())
            subjects = Counter(str(issue.fields.get("subject")) for issue in issues if issue.author == ACCOUNT)
            yield from (f"{count} tickets {subject!r} in {name}" for subject, count in subjects.items() if count > 1)
            for issue in issues:
                texts = Counter(note.text for note in issue.notes if note.author == ACCOUNT)
                yield from (f"{count} times in {name}: {text!r}" for text, count in texts.items() if count > 1)
                files = Counter(file.content for note in issue.notes for file in note.files)
                yield from (f"a file is {count} times in {name}" for count in files.values() if count > 1)

    def _no_trespass(self) -> Iterator[str]:
        for name, emulator in self._stage.trackers.items():
            if any(self._canary.encode() in asked.body for asked in list(emulator.asked)):
                yield f"the internal note was sent to {name}"
            for deed in emulator.tracker.log:
                if deed.who == ACCOUNT and deed.kind in ("delete", "move", "reword"):
                    yield f"we did {deed.kind} on ticket {deed.key} of {name}"
        texts = self._stage.desk.store.read(
            lambda tx: [comment.text for ticket in tx.tickets.list() for comment in tx.tickets.comments(ticket.id)]
        )
        if any(self._canary in text for text in texts):
            yield "the internal note is at the centre"
