"""interdesk between a real Request Tracker and a real Redmine, stepped by the test on one thread and one clock."""

import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

from central.link import Link, LinkState
from central.model import Conflict, Person, Ticket, Visibility
from connectors.errors import ConnectorError
from mappings.loader import read
from sync import live, registration
from sync.bootstrap import Interdesk
from sync.engine import SyncEngine
from sync.lane import Lane
from sync.poll import poll, scan
from sync.reconcile import corresponds
from sync.settings import Settings, settings
from tests.peers.people import Person as Somebody
from tests.peers.people import Said
from tests.peers.sites import RedmineSite, RtSite, Site

TPM = Person("tpm", "Tess from TPM")
RT, REDMINE = "ngi-rt", "ngi-redmine"

INSTANCE = """
kind: instance
name: here
allowed_networks: [127.0.0.0/8]
"""

DOCUMENTS = """
kind: system
name: ngi-rt
connector: rt
settings: {{url: "{rt_url}", queue: "{queue}", token: {{secret: "env:INTERDESK_SECRET_RT"}}}}
mapping: rt-here
support_units: [NGI_RT]
poll: {{every: {poll}}}
{rt_webhook}
---
kind: system
name: ngi-redmine
connector: redmine
settings: {{url: "{redmine_url}", project: "{project}", api_key: {{secret: "env:INTERDESK_SECRET_REDMINE"}}}}
mapping: redmine-here
support_units: [NGI_REDMINE]
poll: {{every: {poll}}}
{redmine_webhook}
"""


WEBHOOK = 'webhook: {{secret: {{secret: "env:INTERDESK_SECRET_HOOK_{name}"}}, key: {key}}}'


class MovingClock:
    """The real time, and what the test adds to it."""

    def __init__(self) -> None:
        self.added = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.added


def wait_until(holds: Callable[[], bool], seconds: float = 120) -> None:
    """Wait for a condition; the test fails where it does not come about."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "what was waited for did not come about"
        time.sleep(0.02)  # between two looks at the condition


def mapping_documents(library: Path) -> str:
    """The shipped mappings, with the one person of these trackers in their directories."""
    texts = []
    for name, agent in (("rt", "agent"), ("redmine", "Ada Agent")):
        text = (library / f"{name}.yaml").read_text()
        text = text.replace(f"\nname: {name}\n", f"\nname: {name}-here\n")
        assert "directory: {}" in text
        texts.append(text.replace("directory: {}", f"directory: {{agent@example.org: {agent}}}"))
    return "\n---\n".join(texts)


class LiveMesh:
    """The registered systems, and everything of interdesk but its threads."""

    def __init__(
        self, folder: Path, rt: RtSite, redmine: RedmineSite, *, poll: str = "60s", webhooks: bool = False
    ) -> None:
        self.rt, self.redmine, self.folder = rt, redmine, folder
        self.clock = MovingClock()
        self.settings = prepare(folder, rt, redmine, poll=poll, webhooks=webhooks)
        self.open()
        for name in (RT, REDMINE):
            live.go_live(self.desk, name)

    def open(self) -> None:
        """Put a process together on the state folder, as a start does."""
        self.desk = Interdesk(self.settings, create=True, clock=self.clock)
        self.means = self.desk.means
        engine = SyncEngine(self.means)
        self.lanes = {
            name: Lane(self.means, engine, self.desk.gateways, name, owner="test", spread=lambda: 0.5)
            for name in (RT, REDMINE)
        }

    def close(self) -> None:
        self.desk.close()

    def ticket(self, ticket_id: int = 1) -> Ticket:
        return self.desk.store.read(lambda tx: tx.tickets.get(ticket_id))

    def link(self, system: str, ticket_id: int = 1) -> Link:
        found = self.desk.store.read(lambda tx: tx.links.find(ticket_id, system))
        assert found is not None, f"ticket {ticket_id} has no link to {system}"
        return found

    def conflicts(self) -> list[Conflict]:
        return list(self.desk.store.read(lambda tx: tx.tickets.conflicts()))

    def site(self, system: str) -> Site:
        return self.rt if system == RT else self.redmine

    def person(self, system: str) -> Somebody:
        return self.rt.agent if system == RT else self.redmine.agent

    def poll(self) -> None:
        for name in self.lanes:
            try:
                poll(self.means, self.desk.gateways.get(name))
            except ConnectorError:
                continue

    def work(self) -> int:
        steps = 0
        while any([lane.step() is not None for lane in self.lanes.values()]):  # noqa: C419 (every lane has its turn)
            steps += 1
            assert steps < 200, "something ping-pongs"
        return steps

    def round(self, after: timedelta = timedelta(minutes=1)) -> int:
        """A poll interval: the trackers' clocks move on by a second at least, ours by as much as is said."""
        edge = time.time() + 1.05
        wait_until(lambda: time.time() > edge)
        self.clock.added += after
        self.poll()
        return self.work()

    def settle(self, rounds: int = 12) -> None:
        """Rounds until nothing is left to do now or later."""
        for _ in range(rounds):
            if self.round() == 0 and all(lane.next_due_at() is None for lane in self.lanes.values()):
                return
        raise AssertionError(f"not quiet after {rounds} rounds: {self.owed()}")

    def owed(self) -> list[str]:
        return [d.error for d in self.desk.store.read(lambda tx: tx.outbox.dead())]

    def scan(self) -> None:
        for name in self.lanes:
            scan(self.means, self.desk.gateways.get(name))

    def shared(self, **fields: str) -> tuple[str, str]:
        """A ticket born in RT and given to Redmine's unit; its keys there."""
        key = self.rt.agent.open("CE refuses jobs ✓", "since this morning\nsecond line", **fields)
        self.round()
        self.desk.centre.change(self.link_of(RT, key).ticket_id, {"unit": "NGI_REDMINE"}, TPM)
        self.settle()
        other = self.link(REDMINE, self.link_of(RT, key).ticket_id).key
        assert other is not None
        return key, other

    def link_of(self, system: str, key: str) -> Link:
        found = self.desk.store.read(lambda tx: tx.links.find_by_key(system, key))
        assert found is not None, f"{system} {key} is not linked"
        return found

    def broken_laws(self, *, canaries: tuple[str, ...] = ()) -> list[str]:
        """The five laws, judged from the trackers themselves."""
        wrong = self._convergence() + self._twins_and_losses() + self._trespass(canaries) + self._silence()
        return wrong + [f"dead letter: {error}" for error in self.owed()]

    def _active(self) -> list[tuple[str, Link]]:
        found = []
        for name in (RT, REDMINE):
            links = self.desk.store.read(lambda tx, name=name: tx.links.of_system(name))
            found += [(name, link) for link in links if link.state is LinkState.ACTIVE]
        return found

    def _convergence(self) -> list[str]:
        wrong = []
        for name, link in self._active():
            gateway = self.desk.gateways.get(name)
            theirs = gateway.connector.fetch(link.key or "").fields
            ticket = self.ticket(link.ticket_id)
            for field in gateway.mapping.fields.values():
                ours, there = ticket[field.central], theirs.get(field.remote)
                if field.central not in link.disagreements and not corresponds(field.rule, ours, there):
                    wrong.append(f"convergence: {field.central} is {ours!r} here and {there!r} in {name} {link.key}")
        return wrong

    def _twins_and_losses(self) -> list[str]:
        wrong = []
        for name, link in self._active():
            site, person = self.site(name), self.person(name)
            there = list(person.comments(link.key or ""))
            ours = self.desk.store.read(lambda tx, link=link: tx.tickets.comments(link.ticket_id))
            sent = Counter(_unmarked(c) for c in there if c.author == site.user)
            wrong += [f"no twins: {n} times in {name} {link.key}: {t!r}" for t, n in sent.items() if n > 1]
            taken = Counter(c.origin_id for c in ours if c.origin_system == name)
            for comment in there:
                human = comment.author != site.user and not comment.internal and bool(comment.text.strip())
                if human and taken[comment.id] != 1:
                    wrong.append(f"no loss, no twins: {name} comment {comment.id} is here {taken[comment.id]} times")
            for comment in ours:
                if comment.origin_system != name and comment.visibility is Visibility.PUBLIC and comment.text:
                    first = comment.text.splitlines()[0]
                    if not any(first in c.text for c in there):
                        wrong.append(f"no loss: comment {comment.id} is not in {name} {link.key}")
        for name in (RT, REDMINE):
            person = self.person(name)
            tokens = Counter(filter(None, (person.fields(key)["external_id"] for key in person.keys())))  # noqa: SIM118 (a method)
            wrong += [f"no twins: {n} tickets of {name} bear {token}" for token, n in tokens.items() if n > 1]
        return wrong

    def _trespass(self, canaries: tuple[str, ...]) -> list[str]:
        """No canary in anything that our account wrote, nor in our own database."""
        wrong = []
        for name, link in self._active():
            site, person = self.site(name), self.person(name)
            texts = [c.text for c in person.comments(link.key or "") if c.author == site.user]
            texts += [str(value) for value in person.fields(link.key or "").values()]
            wrong += [f"no trespass: {c} reached {name}" for c in canaries if any(c in text for text in texts)]
        database = b"".join(path.read_bytes() for path in self.folder.glob("interdesk.db*"))
        return wrong + [f"no trespass: {c} is in our database" for c in canaries if c.encode() in database]

    def _silence(self) -> list[str]:
        before = self._footprint()
        for _ in range(2):
            self.round()
        after = self._footprint()
        return [f"silence: {k} went from {before[k]} to {after[k]}" for k in after if after[k] != before[k]]

    def _footprint(self) -> dict[str, int]:
        tickets = self.desk.store.read(lambda tx: tx.tickets.list(limit=1000))
        events = self.desk.store.read(lambda tx: sum(len(tx.tickets.events(t.id)) for t in tickets))
        writes = {
            f"writes in {name}": sum(
                a.method != "GET" and a.user == self.site(name).user for a in self.site(name).asked()
            )
            for name in (RT, REDMINE)
        }
        return {"events": events, "revisions": sum(t.revision for t in tickets), **writes}


def prepare(folder: Path, rt: RtSite, redmine: RedmineSite, *, poll: str = "60s", webhooks: bool = False) -> Settings:
    """A state folder with both systems registered, as drafts."""
    import mappings

    (folder / "interdesk.yaml").write_text(INSTANCE)
    environ = {
        "INTERDESK_CONFIG": str(folder / "interdesk.yaml"),
        "INTERDESK_SECRET_RT": rt.token,
        "INTERDESK_SECRET_REDMINE": redmine.api_key,
        "INTERDESK_SECRET_HOOK_RT": "hook-secret",
        "INTERDESK_SECRET_HOOK_REDMINE": "hook-secret",
    }
    prepared = settings(environ, state=folder)
    assert ip_network("127.0.0.0/8") in prepared.instance.allowed_networks
    systems = DOCUMENTS.format(
        rt_url=rt.url,
        queue=rt.queue,
        redmine_url=redmine.url,
        project=redmine.project,
        poll=poll,
        rt_webhook=WEBHOOK.format(key="ticket", name="RT") if webhooks else "",
        redmine_webhook=WEBHOOK.format(key="issue", name="REDMINE") if webhooks else "",
    )
    library = Path(mappings.__file__).parent / "library"
    documents = read(f"{mapping_documents(library)}\n---\n{systems}", "test.yaml")
    with Interdesk(prepared, create=True) as desk:
        desk.store.write(lambda tx: registration.apply(tx, documents, desk.connectors, desk.clock(), by="test"))
    return prepared


def _unmarked(comment: Said) -> str:
    return "\n".join(line for line in comment.text.splitlines() if not line.startswith("[interdesk")).strip()
