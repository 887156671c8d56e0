"""Registering a system step by step, for whoever asks: rights first, then the act.

An operator registers the systems that their grants name, the central team any. What was done so far is read from the
document, the system's life and the audit log: there is nothing else to come back to.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from central.account import Role
from central.audit import Entry
from central.desk.documents import BEGIN, DocumentDesk
from central.desk.services.errors import NotNow, Wrong
from central.desk.services.registrations import (
    Answers,
    Explored,
    Foreseen,
    Hook,
    NewHook,
    Product,
    Registrations,
    Statement,
)
from central.desk.systems import SystemDesk, no_system
from central.registry import Document, System, SystemState
from central.rights import Action, Extent, Principal, demand, extent, may, may_on_system
from central.store.api import NoSuch, Store, Transaction

__all__ = [
    "BEGIN",
    "CHOICES",
    "PROVE",
    "SIDES",
    "SIGN",
    "RegisterDesk",
    "Registration",
    "demand_signed",
    "signatures",
]

PROVE = "prove a registration"
SIGN = "sign the loss statement"
SIDES = ("system", "centre")
"""Who signs what is lost: whoever runs the system, and the central team."""
CHOICES = ("otherwise", "internal_comments", "comment_deletes")
"""What of a policy is chosen here; what it says of single fields is the document's own."""
TICKETS = 10
"""How many real tickets are looked at in a preview."""
_DRAFTS = (SystemState.DRAFT, SystemState.PROVING)


@dataclass(frozen=True, slots=True)
class Registration:
    """How far a system has come."""

    system: System
    document: Document
    proven: Entry | None
    """The last time that it was asked, since its document is what it is."""
    signed: dict[str, Entry]
    """Side -> who signed the statement as it is."""
    statement: Statement | None
    """None: its documents do not work as they stand, and `problem` says why."""
    problem: str = ""

    @property
    def is_draft(self) -> bool:
        """Whether it may still be changed here."""
        return self.system.state in _DRAFTS


def signatures(entries: Iterable[Entry], statement: Statement) -> dict[str, Entry]:
    """Side -> who signed this statement last, among these entries of the audit log, newest first."""
    signed: dict[str, Entry] = {}
    for each in entries:
        if each.act == SIGN and each.data.get("digest") == statement.digest:
            signed.setdefault(str(each.data.get("side")), each)
    return signed


def demand_signed(missing: Sequence[str]) -> None:
    """:raises NotNow: what is lost is still to be signed for these sides."""
    if missing:
        raise NotNow(f"what is lost is still to be signed for the {' and the '.join(missing)}")


class RegisterDesk:
    """Registrations. Errors as of `SystemDesk`; `Wrong` tells all that is wrong in what was answered."""

    def __init__(
        self,
        store: Store,
        registrations: Registrations,
        systems: SystemDesk,
        documents: DocumentDesk,
        clock: Callable[[], datetime],
    ) -> None:
        self._store, self._registrations, self._clock = store, registrations, clock
        self._systems, self._documents = systems, documents

    def names(self, principal: Principal) -> Sequence[str] | None:
        """The systems that they may still begin; None: whatever they call it."""
        self._demand(principal)
        if extent(principal, Action.REGISTER_SYSTEM) is Extent.ALL:
            return None
        there = self._store.read(lambda tx: {each.name for each in tx.registry.systems()})
        return sorted(principal.names(Role.OPERATOR) - there)

    def begun(self, principal: Principal) -> Sequence[System]:
        """The drafts that they may go on with."""
        self._demand(principal)
        found = self._store.read(lambda tx: tx.registry.systems())
        return [
            each
            for each in found
            if each.state in _DRAFTS and may_on_system(principal, Action.REGISTER_SYSTEM, each.name)
        ]

    def products(self, principal: Principal) -> Sequence[Product]:
        """The kinds of trackers that they can choose from."""
        self._demand(principal)
        profiles, mappings = (
            [each.name for each in self._documents.list(principal, kind)] for kind in ("profile", "mapping")
        )
        return self._registrations.products(profiles, mappings)

    def find(self, principal: Principal, name: str) -> Registration | None:
        """How far it has come; None: it is not begun."""
        self._demand_on(principal, name)

        def question(tx: Transaction) -> tuple[System, Document, Sequence[Entry]] | None:
            try:
                system, document = tx.registry.system(name), tx.registry.document("system", name)
            except NoSuch:
                return None
            return system, document, tx.audit.about(name, (PROVE, SIGN))

        found = self._store.read(question)
        if found is None:
            return None
        system, document, entries = found
        proven = next((each for each in entries if each.act == PROVE and each.at >= document.applied_at), None)
        try:
            statement = self._registrations.statement(name)
        except NotNow as problem:
            return Registration(system, document, proven, {}, None, str(problem))
        return Registration(system, document, proven, signatures(entries, statement), statement)

    def answer(self, principal: Principal, name: str, answers: Answers) -> str:
        """Take in what they say: the draft's document, its secrets sealed. Answers what to tell of the key.

        :raises Wrong: with all that is wrong.  :raises NotNow: it is no draft any more."""
        self._demand_on(principal, name)
        state = self._state(name)
        if state is not None and state not in _DRAFTS:
            raise _past(name, state)
        self._check_addresses(principal, answers)
        told = self._registrations.seal(name, answers, principal.person.id)
        self._documents.apply(principal, self._registrations.compose(name, answers))
        self._store.write(lambda tx: self._documents.begin(tx, principal, name))
        return told

    def _check_addresses(self, principal: Principal, answers: Answers) -> None:
        """Before a secret is sealed for an address, it must be one.  :raises Wrong: one is none."""
        asks = next((each.asks for each in self.products(principal) if each.name == answers.connector), ())
        said = {each.name: answers.settings.get(each.name, "") for each in asks if each.kind == "url"}
        wrong = [
            (f"settings.{name}", f"{name} is the whole address, with https:// before it, and not {address!r}")
            for name, address in said.items()
            if address and not address.startswith(("https://", "http://"))
        ]
        if wrong:
            raise Wrong(wrong)

    def choose_policy(self, principal: Principal, name: str, chosen: Mapping[str, str]) -> None:
        """Say who wins, of `CHOICES`; '' leaves one as it is without a word.  :raises NotNow, Wrong: as `answer`."""
        document = self._demand_draft(principal, name).document
        kept = {key: value for key, value in _part(document, "policy").items() if key not in CHOICES}
        self._amend(principal, name, "policy", {**kept, **{key: value for key, value in chosen.items() if value}})

    def choose_marker(self, principal: Principal, name: str, ticket: str, field: str) -> None:
        """Say where our mark is kept there; twice '': nowhere.  :raises NotNow, Wrong: as `answer`."""
        self._demand_draft(principal, name)
        said = {key: value for key, value in (("ticket", ticket), ("field", field)) if value}
        self._amend(principal, name, "marker", said)

    def open_hook(self, principal: Principal, name: str) -> NewHook:
        """Let it post hints, under a secret that is told now and never again; one that it had is void.

        :raises NotNow, Wrong: as `answer`."""
        document = self._demand_draft(principal, name).document
        made = self._registrations.new_hook(name, principal.person.id)
        self._amend(principal, name, "webhook", {**_part(document, "webhook"), "secret": {"secret": made.reference}})
        return made

    def close_hook(self, principal: Principal, name: str) -> None:
        """Do without hints.  :raises NotNow, Wrong: as `answer`."""
        self._demand_draft(principal, name)
        self._amend(principal, name, "webhook", {})

    def hook(self, principal: Principal, name: str) -> Hook | None:
        """What is typed in there so that it posts hints; None: it is to post none."""
        self._demand_on(principal, name)
        return self._registrations.hook(name)

    def explore(self, principal: Principal, name: str) -> Explored:
        """Ask the live system, by reading only."""
        self._demand_begun(principal, name)
        return self._registrations.explore(name, principal.person.id)

    def foresee(self, principal: Principal, name: str) -> Foreseen:
        """What would be written for the first of its tickets."""
        self._demand_begun(principal, name)
        return self._registrations.foresee(name, limit=TICKETS)

    def sign(self, principal: Principal, name: str, side: str, digest: str) -> None:
        """Put one's name under what is lost, as one has read it. The centre's is for the central team.

        :raises NotNow: it says something else by now, or there is no such side."""
        self._demand_begun(principal, name)
        if side not in self.sides(principal):
            raise NotNow(f"you cannot sign for {side!r}: the centre's side is the central team's")
        if self._registrations.statement(name).digest != digest:
            raise NotNow("the loss statement is another one by now: read it again, and sign that")
        entry = Entry(self._clock(), principal.person.id, SIGN, name, {"side": side, "digest": digest})
        self._store.write(lambda tx: tx.audit.record(entry))

    def sides(self, principal: Principal) -> Sequence[str]:
        """For whom they may sign."""
        return SIDES if extent(principal, Action.REGISTER_SYSTEM) is Extent.ALL else SIDES[:1]

    def go_into_shadow(self, principal: Principal, name: str) -> None:
        """Compute every write, and make none."""
        self._demand_begun(principal, name)
        self._systems.go_into_shadow(principal, name)

    def go_live(self, principal: Principal, name: str) -> None:
        """Let it take part.  :raises NotNow: what is lost is not signed by both sides."""
        demand_signed([side for side in SIDES if side not in self._demand_begun(principal, name).signed])
        self._systems.go_live(principal, name)

    def _amend(self, principal: Principal, name: str, part: str, said: Mapping[str, Any]) -> None:
        self._documents.apply(principal, self._registrations.amend(name, part, said))

    def _state(self, name: str) -> SystemState | None:
        try:
            return self._store.read(lambda tx: tx.registry.system(name)).state
        except NoSuch:
            return None

    def _demand(self, principal: Principal) -> None:
        demand(may(principal, Action.REGISTER_SYSTEM), principal, Action.REGISTER_SYSTEM)

    def _demand_on(self, principal: Principal, name: str) -> None:
        """:raises NoSuch: whether there is such a system or not is nothing to them."""
        self._demand(principal)
        if not may_on_system(principal, Action.REGISTER_SYSTEM, name):
            raise no_system(name)

    def _demand_draft(self, principal: Principal, name: str) -> Registration:
        found = self._demand_begun(principal, name)
        if not found.is_draft:
            raise _past(name, found.system.state)
        return found

    def _demand_begun(self, principal: Principal, name: str) -> Registration:
        found = self.find(principal, name)
        if found is None:
            raise no_system(name)
        return found


def _past(name: str, state: SystemState) -> NotNow:
    return NotNow(f"{name} is {state} already: its document is changed on its own page, or by interdesk apply")


def _part(document: Document, name: str) -> Mapping[str, Any]:
    """A part of it that may be left out."""
    found = document.data.get(name)
    return found if isinstance(found, Mapping) else {}
