"""Documents (systems, mappings, profiles) for whoever asks: rights first, then the act.

An operator applies the documents of their own systems, and mappings and profiles that no other system uses. What a
system claims must be theirs, too: a support unit that is not theirs would show them its tickets, and a secret that is
not theirs could be sent to an address of their own. And what an operator has a hand in goes live, by whichever door,
once both sides have signed what is lost in its translation.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from itertools import islice

from central.account import Role
from central.audit import Entry
from central.desk.services.systems import Applicant, DocumentChange, Draft, Systems
from central.desk.systems import SystemDesk, no_system
from central.registry import Document, SystemState
from central.rights import Action, Extent, Forbidden, Principal, demand, extent, may, may_on_system
from central.store.api import NoSuch, Store, Transaction

KINDS = ("system", "mapping", "profile")
BEGIN = "begin a registration"
"""By this entry of the audit log every door knows that both sides are to sign before a system goes live."""
BEFORE_LIVE = (SystemState.DRAFT, SystemState.PROVING, SystemState.SHADOW)
_PREFIX = "env:INTERDESK_SECRET_"


class DocumentDesk:
    """Documents and their revisions. Errors as of `SystemDesk`; `Wrong` tells all that is wrong in a document."""

    def __init__(self, store: Store, systems: Systems, desk: SystemDesk, clock: Callable[[], datetime]) -> None:
        self._store, self._systems, self._desk, self._clock = store, systems, desk, clock

    def list(self, principal: Principal, kind: str) -> Sequence[Document]:
        """The current revisions that they may read, by name."""
        demand(may(principal, Action.SEE_SYSTEM), principal, Action.SEE_SYSTEM)

        def question(tx: Transaction) -> Sequence[Document]:
            return [each for each in tx.registry.documents(kind) if self._reads(tx, principal, kind, each.name)]

        return self._store.read(question)

    def listed(self, principal: Principal, kind: str, *, after: str, limit: int) -> Sequence[Document]:
        """A page of them: `limit`, behind this name."""
        demand(may(principal, Action.SEE_SYSTEM), principal, Action.SEE_SYSTEM)

        def question(tx: Transaction) -> Sequence[Document]:
            found = (e for e in _documents(tx, kind, after, limit) if self._reads(tx, principal, kind, e.name))
            return list(islice(found, limit))

        return self._store.read(question)

    def show(self, principal: Principal, kind: str, name: str, revision: int | None = None) -> Document:
        """The current (or that) revision."""
        found = self.revisions(principal, kind, name)
        wanted = found[-1:] if revision is None else [each for each in found if each.revision == revision]
        if not wanted:
            raise NoSuch(f"{kind} {name} has no revision {revision}")
        return wanted[0]

    def revisions(
        self, principal: Principal, kind: str, name: str, *, after: int = 0, limit: int | None = None
    ) -> Sequence[Document]:
        """Every revision, oldest first. A page of them: `limit`, behind this one."""
        demand(may(principal, Action.SEE_SYSTEM), principal, Action.SEE_SYSTEM)

        def question(tx: Transaction) -> Sequence[Document]:
            reads = kind in KINDS and self._reads(tx, principal, kind, name)
            found = tx.registry.revisions(kind, name, after=after, limit=limit) if reads else ()
            if not found and not (after and reads):
                raise no_system(name) if kind == "system" else NoSuch(f"there is no {kind} {name!r}")
            return found

        return self._store.read(question)

    def plan(self, principal: Principal, text: str, *, same_secret: bool = False) -> Sequence[DocumentChange]:
        """What applying these documents would do."""
        self._demand(principal, self._systems.drafts(text))
        return self._systems.plan(text, self._applicant(principal, same_secret))

    def apply(self, principal: Principal, text: str, *, same_secret: bool = False) -> Sequence[DocumentChange]:
        """Take these documents in, all of them or none."""
        planned = self.plan(principal, text, same_secret=same_secret)
        self._begin(principal, [(each.kind, each.name) for each in planned if each.verb != "unchanged"])
        return self._systems.apply(text, principal.person.id, self._applicant(principal, same_secret))

    def roll_back(
        self, principal: Principal, kind: str, name: str, revision: int, *, same_secret: bool = False
    ) -> Sequence[DocumentChange]:
        """An earlier revision becomes the newest one, where they could apply its text today."""
        earlier = self.show(principal, kind, name, revision)
        self._demand(principal, self._systems.drafts(earlier.source))
        applicant = self._applicant(principal, same_secret)
        self._begin(principal, [(kind, name)])
        return self._systems.roll_back(kind, name, revision, principal.person.id, applicant)

    def begin(self, tx: Transaction, principal: Principal, name: str) -> None:
        """Both sides are to sign before it goes live; a repeat is nothing."""
        if not tx.audit.about(name, (BEGIN,)):
            tx.audit.record(Entry(self._clock(), principal.person.id, BEGIN, name))

    def _begin(self, principal: Principal, changed: Sequence[tuple[str, str]]) -> None:
        """So it is with what these documents (kind, name) make of a system, its own or what it uses. The central team
        answers itself for what it applies by hand."""
        if extent(principal, Action.REGISTER_SYSTEM) is Extent.ALL:
            return

        def change(tx: Transaction) -> None:
            there = {each.name: each.state for each in tx.registry.systems()}
            for kind, name in changed:
                for system in sorted({name} if kind == "system" else self._systems.users(tx, kind, name)):
                    if there.get(system, SystemState.DRAFT) in BEFORE_LIVE:
                        self.begin(tx, principal, system)

        self._store.write(change)

    def _applicant(self, principal: Principal, same_secret: bool) -> Applicant:
        return Applicant(
            same_secret,
            sees=partial(self._desk.sees, principal),
            reads=lambda tx, kind, name: self._reads(tx, principal, kind, name),
        )

    def _reads(self, tx: Transaction, principal: Principal, kind: str, name: str) -> bool:
        """A system's document is for who may see it; a mapping or profile for who may see a system that uses it, and
        for whoever applied it."""
        if kind == "system":
            return self._desk.sees(principal, name)
        if extent(principal, Action.SEE_SYSTEM) is Extent.ALL:
            return True
        users = self._systems.users(tx, kind, name)
        return any(self._desk.sees(principal, each) for each in users) or _applied_by(tx, principal, kind, name)

    def _demand(self, principal: Principal, drafts: Sequence[Draft]) -> None:
        """:raises Forbidden: one of them is not theirs to apply, or claims what is not theirs."""
        action = Action.REGISTER_SYSTEM
        demand(may(principal, action), principal, action)
        if extent(principal, action) is Extent.ALL:
            return

        def check(tx: Transaction) -> None:
            for each in drafts:
                self._demand_one(tx, principal, each)

        self._store.read(check)

    def _demand_one(self, tx: Transaction, principal: Principal, draft: Draft) -> None:
        if draft.kind == "system":
            demand(may_on_system(principal, Action.REGISTER_SYSTEM, draft.name), principal, Action.REGISTER_SYSTEM)
            before = self._before(tx, draft.name)
            for unit in sorted(draft.units - before.units - principal.names(Role.SUPPORTER)):
                raise Forbidden(f"the support unit {unit} is not yours to claim; the central team can grant you it")
            for secret in sorted(draft.secrets - before.secrets):
                if not _belongs(secret, draft.name):
                    own = f"{_PREFIX}{_capitals(draft.name)}, a file: below {draft.name}/, or sealed:"
                    raise Forbidden(
                        f"the secret of {draft.name} is to be called {own}; the central team may name others"
                    )
            return
        users = self._systems.users(tx, draft.kind, draft.name)
        others = [each for each in users if not may_on_system(principal, Action.REGISTER_SYSTEM, each)]
        unused = not users and bool(tx.registry.revisions(draft.kind, draft.name))
        if others or (unused and not _applied_by(tx, principal, draft.kind, draft.name)):
            raise Forbidden(f"{draft.kind} {draft.name} is not yours alone: give yours another name")

    def _before(self, tx: Transaction, name: str) -> Draft:
        """What the system claims already, with the consent of whoever applied it."""
        try:
            return self._systems.drafts(tx.registry.document("system", name).source)[0]
        except NoSuch:
            return Draft("system", name)


def _documents(tx: Transaction, kind: str, after: str, limit: int) -> Iterator[Document]:
    """Those behind this name, read as far as they are wanted."""
    while found := tx.registry.listed(kind, after=after, limit=limit):
        yield from found
        after = found[-1].name


def _applied_by(tx: Transaction, principal: Principal, kind: str, name: str) -> bool:
    """Whether all that it ever said was theirs."""
    revisions = tx.registry.revisions(kind, name)
    return bool(revisions) and {each.applied_by for each in revisions} == {principal.person.id}


def _belongs(secret: str, system: str) -> bool:
    """Whether a reference is called like the system."""
    if secret.startswith("sealed:"):  # each system has its own, whatever they are called
        return True
    variable = f"{_PREFIX}{_capitals(system)}"
    return secret == variable or secret.startswith((f"{variable}_", f"file:{system}/"))


def _capitals(system: str) -> str:
    return system.upper().replace("-", "_").replace(".", "_")
