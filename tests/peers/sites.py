"""The real trackers that the scripts beside this file run, as tests hold them: where they are, what they were asked."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest

from tests.peers.people import RedminePerson, RtPerson, ZnunyPerson

HERE = Path(__file__).parent


class NotRunning(Exception):
    """The tracker of this state folder is not up."""


@dataclass(frozen=True)
class Asked:
    """One request as a tracker's access log has it. `path` includes the query; `user` is a login, "-" for nobody.
    `status` is 0 where the log is written before the answer."""

    method: str
    path: str
    status: int
    user: str


@dataclass(frozen=True)
class Script:
    """One of the shell scripts beside this file; it takes the state folder from INTERDESK_PEERS."""

    name: str

    def give(self, given: bytes, *words: str) -> None:
        """Run it with this on its standard input. Raises CalledProcessError."""
        subprocess.run([HERE / self.name, *words], input=given, check=True)

    def run(self, *words: str) -> dict[str, str]:
        """The KEY=VALUE lines it prints. Raises NotRunning, or CalledProcessError for anything else."""
        return dict(line.split("=", 1) for line in self.lines(*words) if "=" in line)

    def lines(self, *words: str) -> list[str]:
        """All that it prints. Raises as `run` does."""
        done = subprocess.run([HERE / self.name, *words], stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode == 3:
            raise NotRunning(self.name)
        done.check_returncode()
        return done.stdout.splitlines()


def missing(what: str, script: str) -> NoReturn:
    """The test's end, as what it needs does not run: skipped on a laptop, failed where CI says that everything does."""
    wanted = (
        f"needs {what}: on Debian 12, as root, "
        f"`export INTERDESK_PEERS=/tmp/peers; tests/peers/{script} up`, then run the tests again"
    )
    if os.environ.get("CI") == "true":
        pytest.fail(wanted)
    pytest.skip(wanted)


@dataclass(frozen=True)
class Site:
    """A tracker that runs: what all have."""

    script: Script
    url: str
    user: str
    access_log: Path

    def stop(self) -> None:
        self.script.run("stop")

    def start(self) -> None:
        """Does nothing when it runs."""
        self.script.run("start")

    @contextmanager
    def outage(self) -> Iterator[None]:
        """Stopped inside, running again after."""
        self.stop()
        try:
            yield
        finally:
            self.start()

    def asked(self) -> list[Asked]:
        """Every request since the site was made, oldest first: take the length before an act, slice after it."""
        rows = (line.split(" ") for line in self.access_log.read_text().splitlines())
        return [Asked(method, path, int(status), user) for _, method, path, status, user in rows]


@dataclass(frozen=True)
class HintingSite(Site):
    """One that tells of its changes."""

    webhook: Path
    """Write "URL" or "URL, newline, secret" here and the tracker posts a hint per change; remove it to stop."""


@dataclass(frozen=True)
class RtSite(HintingSite):
    queue: str
    hidden_queue: str
    """People see it, the sync account does not."""
    token: str
    agent: RtPerson

    @contextmanager
    def timezone(self, zone: str) -> Iterator[None]:
        """The sync account lives in that zone inside, in the site's own (UTC) after."""
        self.script.run("timezone", zone)
        try:
            yield
        finally:
            self.script.run("timezone", "")

    @classmethod
    def with_queue_of_its_own(cls, name: str) -> "RtSite":
        """The running RT with a fresh, empty queue of that name. Raises NotRunning."""
        script = Script("rt.sh")
        facts = script.run("status") | script.run("queue", name)
        return cls(
            script=script,
            url=facts["RT_URL"],
            user=facts["RT_USER"],
            access_log=Path(facts["RT_ACCESS_LOG"]),
            webhook=Path(facts["RT_WEBHOOK_FILE"]),
            queue=name,
            hidden_queue=facts["RT_OTHER_QUEUE"],
            token=facts["RT_TOKEN"],
            agent=RtPerson(facts["RT_URL"], facts["RT_AGENT_TOKEN"], name),
        )


@dataclass(frozen=True)
class RedmineSite(HintingSite):
    project: str
    hidden_project: str
    """People see it, the sync account does not."""
    api_key: str
    agent: RedminePerson

    @classmethod
    def with_project_of_its_own(cls, name: str) -> "RedmineSite":
        """The running Redmine with a fresh, empty project of that name. Raises NotRunning."""
        script = Script("redmine.sh")
        facts = script.run("status") | script.run("project", name)
        url, field = facts["REDMINE_URL"], int(facts["REDMINE_CF_ID"])
        return cls(
            script=script,
            url=url,
            user=facts["REDMINE_USER"],
            access_log=Path(facts["REDMINE_ACCESS_LOG"]),
            webhook=Path(facts["REDMINE_WEBHOOK_FILE"]),
            project=name,
            hidden_project=facts["REDMINE_OTHER_PROJECT"],
            api_key=facts["REDMINE_API_KEY"],
            agent=RedminePerson(url, facts["REDMINE_AGENT_API_KEY"], name, field),
        )


@dataclass(frozen=True)
class ZnunySite(Site):
    """`url` is the web service that the sync account uses, `user` the name that the log has for it."""

    queue: str
    hidden_queue: str
    """People see it, the sync account does not."""
    login: str
    password: str
    outbox: Path
    """Where each mail that it sends is a file."""
    agent: ZnunyPerson

    def take(self, mail: bytes) -> None:
        """Take in a mail, as its own postmaster does."""
        self.script.give(mail, "mail", self.queue)

    def answer(self, key: str, text: str) -> None:
        """Answer the ticket's latest mail, as an agent's page does."""
        self.script.run("answer", key, text)

    @contextmanager
    def timezone(self, zone: str) -> Iterator[None]:
        """It writes times down in that zone inside, in UTC after."""
        self.script.run("timezone", zone)
        try:
            yield
        finally:
            self.script.run("timezone", "")

    @classmethod
    def with_queue_of_its_own(cls, name: str) -> "ZnunySite":
        """The running Znuny with a fresh, empty queue of that name. Raises NotRunning."""
        script = Script("znuny.sh")
        facts = script.run("status") | script.run("queue", name)
        agent = ZnunyPerson(facts["ZNUNY_PEOPLE"], facts["ZNUNY_AGENT"], facts["ZNUNY_AGENT_PASSWORD"], name)
        return cls(
            script=script,
            url=facts["ZNUNY_REST"],
            user="interdesk",
            access_log=Path(facts["ZNUNY_ACCESS_LOG"]),
            queue=name,
            hidden_queue=facts["ZNUNY_OTHER_QUEUE"],
            login=facts["ZNUNY_USER"],
            password=facts["ZNUNY_PASSWORD"],
            outbox=Path(facts["ZNUNY_OUTBOX"]),
            agent=agent,
        )


@dataclass(frozen=True)
class MailSite:
    """The mail servers that mail.sh runs, with two mailboxes of their own: ours, and that of a desk."""

    smtp: int
    smtp_starttls: int
    smtps: int
    imap: int
    imaps: int
    ca_file: Path
    password: str
    ours: str
    theirs: str

    @classmethod
    def with_boxes_of_its_own(cls, name: str) -> "MailSite":
        """The running servers with fresh, empty mailboxes. Raises NotRunning."""
        facts = Script("mail.sh").run("status")
        return cls(
            smtp=int(facts["MAIL_SMTP"]),
            smtp_starttls=int(facts["MAIL_SMTP_STARTTLS"]),
            smtps=int(facts["MAIL_SMTPS"]),
            imap=int(facts["MAIL_IMAP"]),
            imaps=int(facts["MAIL_IMAPS"]),
            ca_file=Path(facts["MAIL_CA"]),
            password=facts["MAIL_PASSWORD"],
            ours=f"{name}@near.example",
            theirs=f"{name}-desk@far.example",
        )
