"""The proof of a registration against the live system. Nothing is written anywhere: log-in and search are reads."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from central.desk.services.systems import Applicant
from central.desk.views import span
from central.model import FIELDS
from central.store.api import Transaction
from connectors.api import Capabilities, Connector, Finding, Mail
from connectors.errors import ConnectorError, Transient
from connectors.registry import AnyProfile
from mappings import loader, model
from mappings.check.fit import fit
from mappings.document import compile_mapping
from mappings.losses import loss_statement
from mappings.model import Losses
from sync import registration
from sync.bootstrap import Interdesk
from sync.config import SystemDocument, profile_document, system_document
from sync.gateways import profile_of
from sync.jobs.backfill import Writes, writes_for
from sync.mails import mails as mails_of
from sync.secrets import MissingSecret
from sync.spoken import plain
from sync.stored import read_again

WORKS, REFUTED, UNREACHABLE = 0, 1, 3


@dataclass(frozen=True, slots=True)
class Older:
    """Tickets of the system's units that going live leaves alone: what carrying them by a backfill would mean."""

    tickets: int
    mails: int
    says: str


@dataclass(frozen=True, slots=True)
class Report:
    """What the live system says about a registration."""

    system: str
    connector: str
    mapping: str
    findings: tuple[Finding, ...]
    mails: Mapping[str, Mail]
    """Which kinds of our writes make it send mail, and to whom."""
    older: Older
    losses: Losses
    verdict: int
    """An exit code: WORKS, REFUTED or UNREACHABLE."""

    @property
    def conclusion(self) -> str:
        """The whole of it in a sentence."""
        missing = sum(not finding.ok for finding in self.findings)
        if self.verdict == UNREACHABLE:
            return "not proven: the system cannot be reached"
        return f"not proven: {missing} to mend" if missing else "proven: it works, and nothing was written"

    def plain(self) -> dict[str, Any]:
        """The report as JSON knows it."""
        return {**asdict(self), "conclusion": self.conclusion}


def check(desk: Interdesk, documents: Sequence[loader.Document], *, same_secret: bool = False) -> list[Report]:
    """Prove every system among these documents.

    :raises DocumentError: what is wrong in the documents themselves; nobody was asked anything then."""
    plan = desk.store.read(lambda tx: registration.plan(tx, documents, desk.connectors, Applicant(same_secret)))
    planned = [change.document for change in plan]
    systems = [each for each in planned if each.kind == "system"]
    return [_prove(desk, system_document(each), planned) for each in systems]


def _prove(desk: Interdesk, system: SystemDocument, documents: Sequence[loader.Document]) -> Report:
    mapping = desk.store.read(lambda tx: _mapping(tx, system.mapping, documents))
    profile = desk.store.read(lambda tx: _profile(tx, system.connector, documents))
    connector = desk.connectors.open(system.connector, system.settings, system.name, profile=profile)
    try:
        findings = [*connector.probe()]
        verdict, remote = _describe(connector, findings)
    finally:
        connector.close()
    findings += _vocabularies(mapping, remote)
    findings += _webhook(desk, system)
    findings += _marker(system)
    compiled = compile_mapping(mapping, revision=0, overrides=system.overrides)
    findings += _policies(compiled, connector.capabilities)
    if verdict == WORKS and not all(finding.ok for finding in findings):
        verdict = REFUTED
    losses = loss_statement(compiled, plain(connector.capabilities), central=_central(), remote=remote)
    mails = {kind.value: mail for kind, mail in connector.capabilities.notifies.items()}
    older = desk.store.read(lambda tx: _older(tx, system, connector.capabilities))
    return Report(system.name, system.connector, system.mapping, tuple(findings), mails, older, losses, verdict)


def _older(tx: Transaction, system: SystemDocument, capabilities: Capabilities) -> Older:
    """What is at the centre already, and is not there yet."""
    share = system.share_internal and capabilities.internal_comments
    total, before = Writes(), None
    while tickets := tx.tickets.list(limit=200, before=before):
        for ticket in tickets:
            if ticket["unit"] in system.support_units:
                total += writes_for(tx, system.name, ticket, share_internal=share) or Writes()
        before = tickets[-1].id
    told = mails_of(capabilities, total.by_kind)
    return Older(total.creates, told.most, told.sentence)


def _mapping(tx: Transaction, name: str, documents: Iterable[loader.Document]) -> loader.Document:
    given = next((each for each in documents if (each.kind, each.name) == ("mapping", name)), None)
    return given or read_again(tx.registry.document("mapping", name))


def _profile(tx: Transaction, name: str, documents: Iterable[loader.Document]) -> AnyProfile | None:
    given = next((each for each in documents if (each.kind, each.name) == ("profile", name)), None)
    registered = profile_of(tx, name)
    found = given or (read_again(registered) if registered else None)
    return profile_document(found) if found else None


def _describe(connector: Connector, findings: list[Finding]) -> tuple[int, list[dict[str, Any]] | None]:
    """The live schema as plain data; None where it does not tell."""
    try:
        return WORKS, [asdict(field) for field in connector.describe()]
    except Transient as trouble:
        verdict = UNREACHABLE
        sentence = str(trouble)
    except ConnectorError as trouble:
        verdict = REFUTED
        sentence = str(trouble)
    if all(finding.ok for finding in findings):
        findings.append(Finding(False, f"its fields cannot be read: {sentence}"))
    return verdict, None


def _vocabularies(mapping: loader.Document, remote: Sequence[Mapping[str, Any]] | None) -> list[Finding]:
    """The mapping held against both sides, as far as theirs could be read."""
    problems = fit(mapping, compile_mapping(mapping, revision=0), central=_central(), remote=remote)
    if problems:
        return [Finding(False, str(problem), "change the mapping, or what the system allows") for problem in problems]
    return [Finding(True, f"mapping {mapping.name} fits both sides")] if remote is not None else []


def _webhook(desk: Interdesk, system: SystemDocument) -> list[Finding]:
    if system.webhook is None:
        return [Finding(True, f"no webhook: changes are noticed by polling, every {span(system.poll.every)}")]
    try:
        desk.secrets.of(system.name, system.settings)(system.webhook.secret.secret)
    except MissingSecret as missing:
        return [Finding(False, f"the webhook cannot be verified: {missing}")]
    told = f"the webhook's secret is there; let the system post to {hook_address(desk, system.name)}"
    return [Finding(True, told)]


def hook_address(desk: Interdesk, system: str) -> str:
    """Where a system posts its hints, as far as anybody has said where we are reached from outside."""
    return f"{desk.settings.instance.public_url or 'http://HOST:PORT'}/hooks/{system}"


def _marker(system: SystemDocument) -> list[Finding]:
    """Without our mark a copy of the system, or its restore from a backup, looks like people's edits."""
    if system.marker is None:
        told = "no marker: a copy of this system, or one restored from a backup, would not be noticed"
        return [Finding(True, f"{told}, and its old values would come in as edits")]
    return [Finding(True, f"a copy or a restore is noticed by field {system.marker.field} of {system.marker.ticket}")]


def _policies(mapping: model.Mapping, capabilities: Capabilities) -> list[Finding]:
    """`newest` stands on change times per field: they are in the tracker's history, or nowhere."""
    newest = sorted(n for n, field in mapping.fields.items() if (field.policy or mapping.policy) == "newest")
    if not newest:
        return []
    if not capabilities.history:
        told = f"policy newest for {', '.join(newest)}: this system keeps no history of changes to tell the newest by"
        return [Finding(False, told, "choose central, remote or ask")]
    told = f"policy newest for {', '.join(newest)}: by both histories; too close to tell, central decides"
    return [Finding(True, told)]


def _central() -> dict[str, dict[str, Any]]:
    return {name: {"values": spec.values, "max_length": spec.max_length} for name, spec in FIELDS.items()}
