"""What interdesk itself sends: letters, documents to a webhook, pings."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from connectors.environment import Environment
from connectors.errors import AccessError, Refused, Transient
from connectors.mail.post import SmtpPost
from connectors.mail.server import server_of
from connectors.mail.writing import Draft, compose
from connectors.network import Deadline, Reach
from sync.config import InstanceDocument, SecretReference
from sync.secrets import MissingSecret
from sync.web import asked, trusted


class Outgoing:
    """Fulfils `sync.alerts.herald.Courier`, and asks addresses. Thread-safe: every call has connections of its own."""

    def __init__(
        self, instance: InstanceDocument, environment: Environment, secret: Callable[[str], str], beside: Path
    ) -> None:
        """`beside`: the folder of the instance's document."""
        self._instance, self._environment, self._secret, self._beside = instance, environment, secret, beside

    def ways(self) -> frozenset[str]:
        """`mail` and `webhook`, as far as the instance's document names them."""
        mail = self._instance.mail
        named = {"mail": mail is not None and mail.out is not None, "webhook": self._instance.alerts.webhook}
        return frozenset(way for way, where in named.items() if where)

    def mail(self, to: str, subject: str, text: str, mark: str, at: datetime) -> None:
        """Send a letter. The same `mark` is the same letter.  :raises ConnectorError: by remedy."""
        mail = self._instance.mail
        assert mail is not None, "asked for by its way only"
        assert mail.out is not None, "asked for by its way only"
        server, domain = server_of(mail.out.smtp, "smtp"), mail.address.rpartition("@")[2]
        password = self._known(mail.out.password) if mail.out.password else ""
        context = trusted(self._beside / mail.ca_file if mail.ca_file else self._environment.ca_file)
        deadline = Deadline(self._environment.monotonic)
        deadline.begin(self._environment.deadline.total_seconds())
        reach = Reach(self._environment.allowed_networks)
        post = SmtpPost(server, reach, context, (mail.out.user, password), deadline, copies=False)
        draft = Draft(f"{mark}@{domain}", mail.address, to, subject, text)
        post.send(compose(draft, {}, at), mail.address, to)

    def post(self, news: Mapping[str, object], mark: str) -> None:
        """Send a document to the webhook. The same `mark` is the same document.  :raises ConnectorError: by remedy."""
        webhook = self._instance.alerts.webhook
        assert webhook is not None, "asked for by its way only"
        headers = {"Content-Type": "application/json", "Idempotency-Key": mark}
        self.ask("POST", self._known(webhook), headers, json.dumps(news).encode(), about="the webhook of alerts")

    def ping(self) -> None:
        """Ask the dead-man's switch, where there is one.  :raises ConnectorError: by remedy."""
        if self._instance.alerts.ping is not None:
            self.ask("GET", self._known(self._instance.alerts.ping), about="the dead-man's switch")

    def ask(
        self, method: str, url: str, headers: Mapping[str, str] | None = None, data: bytes | None = None, *, about: str
    ) -> None:
        """One request; its answer is a success.

        :raises AccessError: we do not go there.  :raises Refused: it said no.  :raises Transient: it is away."""
        with asked(self._environment, method, url, headers, data, about=about) as answer:
            if answer.status >= 500 or answer.status == 429:
                raise Transient(f"{about} answers {answer.status}")
            if not 200 <= answer.status < 300:
                raise Refused(f"{about} answers {answer.status}")

    def _known(self, said: str | SecretReference) -> str:
        try:
            return said if isinstance(said, str) else self._secret(said.secret)
        except MissingSecret as missing:
            raise AccessError(str(missing)) from None
