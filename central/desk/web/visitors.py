"""Who comes to the pages: the session in the cookie, and the proof that a form was sent from one of ours."""

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Form, HTTPException, Request

from central.desk.auth import Gate
from central.desk.cookies import FORM_FIELD, Cookies
from central.rights import Action, Extent, Principal, extent, may, may_on_system


class SignInFirst(Exception):
    """Nobody is signed in here."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who is signed in, in one browser."""

    principal: Principal
    token: str
    """What every form of theirs carries."""

    @property
    def name(self) -> str:
        """What they are called."""
        return self.principal.person.name or self.principal.person.id

    @property
    def sees_systems(self) -> bool:
        return may(self.principal, Action.SEE_SYSTEM)

    @property
    def sees_every_system(self) -> bool:
        return extent(self.principal, Action.SEE_SYSTEM) is Extent.ALL

    @property
    def reads_tickets(self) -> bool:
        return may(self.principal, Action.READ_TICKET)

    @property
    def opens_tickets(self) -> bool:
        return may(self.principal, Action.OPEN_TICKET)

    @property
    def runs_systems(self) -> bool:
        return may(self.principal, Action.RUN_SYSTEM)

    @property
    def registers_systems(self) -> bool:
        return may(self.principal, Action.REGISTER_SYSTEM)

    @property
    def sees_queues(self) -> bool:
        """Whether anything may wait for them: it all tells of systems and of tickets."""
        return self.sees_systems and self.reads_tickets

    @property
    def stops_everything(self) -> bool:
        return may(self.principal, Action.STOP_EVERYTHING)

    @property
    def proves_mappings(self) -> bool:
        return may(self.principal, Action.PROVE_MAPPINGS)

    @property
    def sees_people(self) -> bool:
        return may(self.principal, Action.SEE_PEOPLE)

    @property
    def manages_people(self) -> bool:
        return may(self.principal, Action.MANAGE_PEOPLE)

    @property
    def sees_audit(self) -> bool:
        return may(self.principal, Action.SEE_AUDIT)

    @property
    def reads_mail(self) -> bool:
        """Whether they may look at mails in quarantine: those may belong to anybody's ticket."""
        return extent(self.principal, Action.READ_INTERNAL) is Extent.ALL

    @property
    def judges_mail(self) -> bool:
        """Whether they may release or discard them."""
        return extent(self.principal, Action.CHANGE_TICKET) is Extent.ALL

    def sees(self, system: str) -> bool:
        """Whether this system exists for them."""
        return may_on_system(self.principal, Action.SEE_SYSTEM, system)

    def runs(self, system: str) -> bool:
        """Whether they may act on it."""
        return may_on_system(self.principal, Action.RUN_SYSTEM, system)


class Visitors:
    """Tells who comes. Its methods are dependencies of the pages' handlers."""

    def __init__(self, gate: Gate, cookies: Cookies) -> None:
        self._gate, self.cookies = gate, cookies

    def signed_in(self, request: Request) -> Visitor:
        """Whoever is signed in.  :raises SignInFirst: nobody is."""
        found = self.find(request)
        if found is None:
            raise SignInFirst
        return found

    def acting(self, request: Request, form_token: Annotated[str, Form(alias=FORM_FIELD)] = "") -> Visitor:
        """Whoever sends a form from a page of ours.  :raises SignInFirst: nobody is signed in."""
        self.from_here(request)
        found = self.signed_in(request)
        if not self._gate.is_form_token(self.cookie(request), form_token):
            raise HTTPException(
                403, "This form is older than your session. Load its page again, and send it once more."
            )
        return found

    def from_here(self, request: Request) -> None:
        """Refuse what a browser says comes from a page of somebody else."""
        if not self.cookies.sent_from_here(request.headers):
            raise HTTPException(
                403, "This form was sent from another site. Open its page here, and send it from there."
            )

    def find(self, request: Request) -> Visitor | None:
        """Whoever is signed in, or nobody."""
        cookie = self.cookie(request)
        principal = self._gate.session(cookie) if cookie else None
        return Visitor(principal, self._gate.form_token(cookie)) if principal is not None else None

    def cookie(self, request: Request) -> str:
        """What the cookie of the session holds; '' where there is none."""
        return request.cookies.get(self.cookies.name, "")


def local(path: str) -> str:
    """The path if it leads to a page of ours; else the first page."""
    parts = urlsplit(path)
    safe = path.startswith("/") and not path.startswith(("//", "/\\")) and not parts.scheme and not parts.netloc
    return path if safe and path.isprintable() and "\\" not in path else "/"
