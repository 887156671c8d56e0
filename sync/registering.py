"""A system on its way in, step by step: its product, its document, what it says of itself, what would be written.

Every step ends in the document that `interdesk apply` takes, or in an entry of the audit log: nothing else is
remembered, so that whoever comes back finds everything as it was left.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import yaml

from central.audit import Entry
from central.desk.registering import PROVE
from central.desk.services.errors import NotNow
from central.desk.services.registrations import (
    Answers,
    Asked,
    Explored,
    Foreseen,
    Hook,
    NewHook,
    Product,
    Statement,
    TheirField,
)
from central.store.api import NoSuch, Transaction
from connectors import registry
from connectors.api import RemoteField
from connectors.errors import ConnectorError
from connectors.registry import AnyProfile
from mappings import library
from mappings.loader import Document, DocumentError
from sync import checks, hooking, preview, proving, signing
from sync.bootstrap import Interdesk
from sync.config import SystemDocument, profile_document, system_document
from sync.dictionaries import proven
from sync.gateway import Gateway
from sync.gateways import Unusable, profile_of
from sync.helm import Helm, told
from sync.sealing import NoKey, NotSealed
from sync.secrets import is_sealed
from sync.sites import origin
from sync.spoken import listen
from sync.stored import read_again


class Registrar:
    """Fulfils `central.desk.services.registrations.Registrations`."""

    def __init__(self, interdesk: Interdesk, helm: Helm) -> None:
        self._interdesk, self._helm = interdesk, helm

    def products(self, profiles: Iterable[str], mappings: Iterable[str]) -> Sequence[Product]:
        """Every kind of tracker that comes with interdesk, and of what is registered these."""
        found = {name: profile for name, profile in registry.profiles().items() if name != _PLAIN}
        spoken = self._interdesk.store.read(lambda tx: _spoken(tx, frozenset(mappings)))
        for name in profiles:
            profile = self._interdesk.store.read(lambda tx, name=name: _taught(tx, name))  # type: ignore[misc]  # bound now
            if profile is not None:
                found[name] = profile
        return [_product(name, profile, spoken) for name, profile in sorted(found.items(), key=_by_title)]

    def compose(self, name: str, answers: Answers) -> str:
        """The document that says this, upon what is registered under this name already."""
        before = self._interdesk.store.read(lambda tx: _data(tx, name))
        settings: dict[str, Any] = {key: value for key, value in answers.settings.items() if value}
        kept = before.get("settings", {}) if before.get("connector") == answers.connector else {}
        for each in self._secrets(answers.connector):
            if each in answers.secrets or each not in kept:
                if each in answers.secrets or self._interdesk.sealing.has(name, each):
                    settings[each] = {"secret": f"sealed:{each}"}
            else:
                settings[each] = kept[each]
        said = {
            "kind": "system",
            "name": name,
            "connector": answers.connector,
            "settings": settings,
            "mapping": answers.mapping,
            "support_units": list(answers.units),
            "contacts": list(answers.contacts),
        }
        void = _void(before, answers.connector, settings)
        return _text({**said, **{key: value for key, value in before.items() if key not in {*said, *void}}})

    def amend(self, name: str, part: str, said: Mapping[str, Any]) -> str:
        """The document that is registered with this part of it said anew; nothing said: without it."""
        before = self._interdesk.store.read(lambda tx: _data(tx, name))
        others = {key: value for key, value in before.items() if key != part}
        return _text({**others, part: dict(said)} if said else others)

    def new_hook(self, name: str, by: str) -> NewHook:
        """Make a secret for its webhook, and seal it.  :raises NotNow: none can be kept here."""
        return hooking.new_hook(self._helm, name, by)

    def hook(self, name: str) -> Hook | None:
        """What is typed in there so that it posts hints; None: its document has no webhook."""
        return hooking.hook(self._interdesk, name)

    def seal(self, name: str, answers: Answers, by: str) -> str:
        """Keep the secrets of these answers; what to tell of the key.  :raises NotNow: none can be kept here."""
        news = ""
        for each, value in answers.secrets.items():
            try:
                news = self._helm.seal(name, each, value, by, settings=answers.settings).told or news
            except (NoKey, NotSealed) as problem:
                raise NotNow(str(problem)) from None
        return news

    def explore(self, name: str, by: str) -> Explored:
        """Ask the live system, by reading only."""
        desk = self._interdesk
        with told():
            report = checks.check(desk, [desk.store.read(lambda tx: _document(tx, name))])[0]
            fields: tuple[RemoteField, ...] = ()
            judged = None
            if report.verdict != checks.UNREACHABLE:
                gateway = self._gateway(name)
                system, mapping = desk.store.read(lambda tx: _registered(tx, name))
                profile = desk.store.read(lambda tx: _taught(tx, system.connector))
                words = desk.connectors.words(system.connector, profile)
                try:
                    spoken = listen(name, words, gateway.connector, system.overrides)
                    fields = tuple(spoken.fields)
                    judged = proven(proving.prove((mapping,), spoken)[0])
                except ConnectorError:
                    pass  # the findings say so
        well = report.verdict == checks.WORKS and (judged is None or judged.proven)
        entry = Entry(desk.clock(), by, PROVE, name, {"proven": well, "it": report.conclusion})
        desk.store.write(lambda tx: tx.audit.record(entry))
        mails = report.mails.items()
        return Explored(
            report.conclusion,
            well,
            tuple((each.ok, each.sentence, each.remedy) for each in report.findings),
            tuple(TheirField(each.name, each.kind, each.writable, each.values) for each in fields),
            judged,
            tuple((kind.replace("_", " "), f"{', '.join(mail.to)}: {mail.says}") for kind, mail in mails),
            report.older.says,
        )

    def statement(self, name: str) -> Statement:
        """What is lost in translation. Nobody is asked."""
        return signing.statement(self._gateway(name))

    def foresee(self, name: str, *, limit: int) -> Foreseen:
        """What would be written for so many of its tickets, by reading only."""
        gateway = self._gateway(name)
        if not gateway.connector.capabilities.reads:
            raise NotNow(f"{name} cannot be read: its tickets come by mail, and there is nothing to preview")
        with told():
            found = preview.over_tickets(self._interdesk.means, gateway, None, limit=limit)
        writes = ((row, row.write) for row in found.rows)
        return Foreseen(
            found.tickets,
            found.more,
            found.mails.sentence,
            tuple(
                (row.key or f"#{row.ticket_id}", write.side.value, write.item, write.before, write.would, write.why)
                for row, write in writes
            ),
        )

    def _gateway(self, name: str) -> Gateway:
        """:raises NoSuch: it is not registered.  :raises NotNow: its documents do not work as they stand."""
        desk = self._interdesk
        desk.store.read(lambda tx: tx.registry.system(name))
        desk.gateways.refresh()
        try:
            return desk.gateways.get(name)
        except Unusable as problem:
            raise NotNow(str(problem)) from None

    def _secrets(self, connector: str) -> Iterator[str]:
        profile = self._interdesk.store.read(lambda tx: _taught(tx, connector)) or registry.profiles().get(connector)
        if profile is not None:
            yield from (name for name, setting in profile.settings.items() if setting.kind == "secret")


_PLAIN = "plain"
"""Nobody has one: the emulated tracker of tests."""


def _by_title(found: tuple[str, AnyProfile]) -> tuple[str, str]:
    """By plain names, so that the interfaces of one product stand beside each other: "a helpdesk" is under H."""
    name, profile = found
    return profile.product.casefold().removeprefix("a "), name


def _product(name: str, profile: AnyProfile, spoken: Mapping[str, str]) -> Product:
    own = {name, profile.words or name}
    fits = [mapping for mapping, words in spoken.items() if words in own]
    asks = (
        Asked(each, setting.kind, setting.says, setting.required and setting.default is None, setting.default or "")
        for each, setting in profile.settings.items()
    )
    return Product(
        name,
        profile.product,
        profile.family,
        profile.proven,
        tuple(asks),
        tuple(sorted(fits, key=lambda each: (each not in own, each))),
    )


def _spoken(tx: Transaction, names: Collection[str]) -> dict[str, str]:
    """Mapping -> the connector whose words it has; those of the library, and of what is registered these."""
    shipped = {name: str(library.shipped(name).data["connector"]) for name in library.names()}
    return shipped | {
        each.name: str(each.data.get("connector")) for each in tx.registry.documents("mapping") if each.name in names
    }


def _taught(tx: Transaction, connector: str) -> AnyProfile | None:
    """The profile that is registered under this name, where there is one that can be read."""
    stored = profile_of(tx, connector)
    try:
        return profile_document(read_again(stored)) if stored else None
    except DocumentError:
        return None


def _void(before: Mapping[str, Any], connector: str, settings: Mapping[str, Any]) -> frozenset[str]:
    """The parts of a document that mean nothing any more under another product, or at another address: to the one that
    it was made for a webhook's sealed secret is bound."""
    if before and before.get("connector") != connector:
        return frozenset({"webhook", "marker"})
    reference = ((before.get("webhook") or {}).get("secret") or {}).get("secret")
    moved = origin(settings) != origin(before.get("settings"))
    return frozenset({"webhook"}) if moved and is_sealed(reference) else frozenset()


def _text(data: Mapping[str, Any]) -> str:
    return yaml.safe_dump(dict(data), sort_keys=False, allow_unicode=True, default_flow_style=False)


def _data(tx: Transaction, name: str) -> Mapping[str, Any]:
    try:
        return tx.registry.document("system", name).data
    except NoSuch:
        return {}


def _document(tx: Transaction, name: str) -> Document:
    return read_again(tx.registry.document("system", name))


def _registered(tx: Transaction, name: str) -> tuple[SystemDocument, Document]:
    system = system_document(_document(tx, name))
    return system, read_again(tx.registry.document("mapping", system.mapping))
