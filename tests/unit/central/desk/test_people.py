"""Accounts are managed by who may, everybody guards their own, and every act is in the audit log."""

from collections.abc import Callable
from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from central.account import Account, Grant, Role, Scope
from central.desk.auth import Gate, NotKnown
from central.desk.passwords import BadPassword
from central.desk.people import ADMINISTRATOR, PeopleDesk, of_the_machine
from central.desk.services.errors import NotAllowed
from central.rights import Forbidden, Principal
from central.store.api import NoSuch
from central.store.memory import MemoryStore
from tests.unit.central.desk.test_auth import PASSWORD, Clock, Counting

MACHINE = of_the_machine("root")
CENTRAL, OPERATOR = Grant(Role.CENTRAL), Grant(Role.OPERATOR, "ngi-cz")
DAY = timedelta(days=1)


class Office:
    """Tess of the central team, Alice who has a password, and Bob the auditor."""

    def __init__(self) -> None:
        self.clock, self.store = Clock(), MemoryStore()
        numbers = count(1)

        def entropy(size: int) -> bytes:
            return next(numbers).to_bytes(size, "big")

        self.gate = Gate(self.store, self.clock, entropy=entropy, hasher=Counting())
        self.people = PeopleDesk(self.store, self.gate, self.clock, entropy=entropy)
        self.people.create(MACHINE, "tess", grants=[CENTRAL])
        self.people.create(MACHINE, "alice", name="Alice", email="alice@example.org", grants=[Grant(Role.USER)])
        self.people.create(MACHINE, "bob", grants=[Grant(Role.AUDITOR)])
        self.people.set_password(MACHINE, "alice", PASSWORD)

    def principal(self, login: str, *scopes: Scope) -> Principal:
        account = self.account(login)
        return Principal.of(account, scopes or None)

    def account(self, login: str) -> Account:
        found = self.store.read(lambda tx: tx.accounts.find(login))
        assert found is not None
        return found

    def sign_in(self, password: str = PASSWORD) -> str:
        return self.gate.sign_in("alice", password, source="here")[0]

    def acts(self) -> list[tuple[str, str, str]]:
        entries = self.store.read(lambda tx: tx.audit.list())
        return [(entry.by, entry.act, entry.subject) for entry in reversed(entries)]


@pytest.fixture
def office() -> Office:
    return Office()


MANAGING: dict[str, Callable[[PeopleDesk, Principal], Any]] = {
    "create": lambda people, who: people.create(who, "eve"),
    "grant": lambda people, who: people.grant(who, "alice", OPERATOR),
    "revoke": lambda people, who: people.revoke(who, "alice", Grant(Role.USER)),
    "disable": lambda people, who: people.disable(who, "alice"),
    "enable": lambda people, who: people.enable(who, "alice"),
    "invite": lambda people, who: people.invite(who, "alice"),
    "set_password": lambda people, who: people.set_password(who, "alice", "another long password"),
    "sign_out": lambda people, who: people.sign_out_everywhere(who, "alice"),
    "add_token": lambda people, who: people.add_token(who, "alice", "ci", [Scope.TICKETS_READ], lasts=DAY),
    "revoke_token": lambda people, who: people.revoke_token(who, "alice", 1),
}


@pytest.mark.parametrize("act", MANAGING)
@pytest.mark.parametrize("role", [role for role in Role if role is not Role.CENTRAL])
def test_nobody_but_the_central_team_manages_people(office: Office, act: str, role: Role) -> None:
    of = "ngi-cz" if role in (Role.OPERATOR, Role.TESTER, Role.SUPPORTER) else ""
    office.people.create(MACHINE, "carl", grants=[Grant(role, of)])
    before = office.store.read(lambda tx: (tx.accounts.list(), tx.audit.list()))
    with pytest.raises(Forbidden, match="the central team grants that"):
        MANAGING[act](office.people, office.principal("carl"))
    assert office.store.read(lambda tx: (tx.accounts.list(), tx.audit.list())) == before


@pytest.mark.parametrize("act", MANAGING)
def test_every_act_of_the_central_team_is_in_the_audit_log(office: Office, act: str) -> None:
    office.people.add_token(MACHINE, "alice", "old", [Scope.TICKETS_READ], lasts=DAY)
    if act == "enable":
        office.people.disable(MACHINE, "alice")
    before = len(office.acts())
    MANAGING[act](office.people, office.principal("tess"))
    ((by, _, subject),) = office.acts()[before:]
    assert (by, subject) == ("tess", "eve" if act == "create" else "alice")


def test_a_token_manages_people_only_with_the_scope_for_it(office: Office) -> None:
    office.people.create(office.principal("tess", Scope.PEOPLE), "eve")
    with pytest.raises(Forbidden, match="it needs the scope people"):
        office.people.create(office.principal("tess", Scope.TICKETS_WRITE), "mallory")


def test_who_sees_people_sees_all_and_everybody_else_themselves(office: Office) -> None:
    assert [each.login for each in office.people.list(office.principal("bob"))] == ["alice", "bob", "tess"]
    alice = office.principal("alice")
    assert office.people.show(alice, " Alice ").login == "alice"
    assert office.people.tokens(alice, "alice") == []
    refused: list[Callable[[], Any]] = [
        lambda: office.people.list(alice),
        lambda: office.people.show(alice, "tess"),
        lambda: office.people.show(alice, "nobody"),
        lambda: office.people.tokens(alice, "tess"),
        lambda: office.people.audit(alice),
    ]
    for ask in refused:
        with pytest.raises(Forbidden):
            ask()
    with pytest.raises(NoSuch):
        office.people.show(office.principal("bob"), "nobody")
    assert office.people.audit(office.principal("bob"))


@pytest.mark.parametrize("login", ["", "Alice Smith", "<b>", "-x", "x" * 300, "alice"])
def test_a_login_is_simple_and_new(office: Office, login: str) -> None:
    with pytest.raises(NotAllowed):
        office.people.create(MACHINE, login)


def test_an_address_is_an_address(office: Office) -> None:
    with pytest.raises(NotAllowed):
        office.people.create(MACHINE, "eve", email="not an address")


@pytest.mark.parametrize("grant", [Grant(Role.OPERATOR), Grant(Role.SUPPORTER), Grant(Role.CENTRAL, "x")])
def test_a_role_is_for_what_it_is_for(office: Office, grant: Grant) -> None:
    with pytest.raises(NotAllowed):
        office.people.grant(MACHINE, "alice", grant)
    with pytest.raises(NotAllowed):
        office.people.create(MACHINE, "eve", grants=[grant])


def test_grants_come_and_go_and_a_repeat_is_nothing(office: Office) -> None:
    for _ in range(2):
        assert OPERATOR in office.people.grant(MACHINE, "alice", OPERATOR).grants
    for _ in range(2):
        assert OPERATOR not in office.people.revoke(MACHINE, "alice", OPERATOR).grants
    assert office.acts()[-2:] == [("root", "grant", "alice"), ("root", "revoke", "alice")]


def test_the_last_of_the_central_team_stays(office: Office) -> None:
    for act in (office.people.disable, lambda who, login: office.people.revoke(who, login, CENTRAL)):
        with pytest.raises(NotAllowed, match="nobody would be left"):
            act(office.principal("tess"), "tess")
    assert office.account("tess").disabled_at is None
    office.people.grant(MACHINE, "alice", CENTRAL)
    office.people.disable(office.principal("alice"), "tess")
    with pytest.raises(NotAllowed):
        office.people.revoke(office.principal("alice"), "alice", CENTRAL)


def test_whoever_is_disabled_is_out_and_comes_back_as_they_were_but_signed_out(office: Office) -> None:
    cookie, invitation = office.sign_in(), office.people.invite(MACHINE, "alice")
    text, _ = office.people.add_token(MACHINE, "alice", "ci", [Scope.TICKETS_READ], lasts=DAY)
    for _ in range(2):
        office.people.disable(MACHINE, "alice")
    for _ in range(2):
        office.people.enable(MACHINE, "alice")
    assert office.gate.session(cookie) is None
    with pytest.raises(NotKnown):
        office.gate.accept(invitation)
    assert office.gate.bearer(text).scopes == {Scope.TICKETS_READ}
    assert office.sign_in()


def test_a_password_that_is_given_ends_every_session(office: Office) -> None:
    cookie = office.sign_in()
    office.people.set_password(MACHINE, "alice", "another long password")
    assert office.gate.session(cookie) is None
    assert office.sign_in("another long password")
    with pytest.raises(BadPassword):
        office.people.set_password(MACHINE, "alice", "short")


def test_their_own_password_changes_who_shows_the_old_one_and_other_sessions_end(office: Office) -> None:
    mine, other, alice = office.sign_in(), office.sign_in(), office.principal("alice")
    invitation = office.people.invite(MACHINE, "alice")
    with pytest.raises(NotKnown):
        office.people.change_password(alice, "wrong wrong wrong", "another long password", source="here", cookie=mine)
    with pytest.raises(BadPassword):
        office.people.change_password(alice, PASSWORD, "alicealicealice", source="here", cookie=mine)
    office.people.change_password(alice, PASSWORD, "another long password", source="here", cookie=mine)
    assert office.gate.session(mine)
    assert office.gate.session(other) is None
    with pytest.raises(NotKnown):
        office.gate.accept(invitation)
    with pytest.raises(NotKnown):
        office.sign_in(PASSWORD)


def test_whoever_came_by_a_link_chooses_a_password_and_the_one_before_is_forgotten(office: Office) -> None:
    before = office.sign_in()
    cookie, _ = office.gate.accept(office.people.invite(office.principal("tess"), "alice"))
    assert office.gate.session(before) is None
    with pytest.raises(NotKnown):
        office.sign_in(PASSWORD)
    office.people.change_password(office.principal("alice"), "", "another long password", source="here", cookie=cookie)
    assert office.gate.session(cookie)
    assert office.sign_in("another long password")


def test_whoever_signs_in_elsewhere_has_no_password_here(office: Office) -> None:
    office.store.write(lambda tx: tx.accounts.save(office.account("bob").evolve(subject="https://idp bob")))
    with pytest.raises(NotAllowed, match="sign in with your organisation"):
        office.people.change_password(office.principal("bob"), "", "another long password", source="here")


def test_everybody_may_sign_out_everywhere(office: Office) -> None:
    cookies = [office.sign_in() for _ in range(3)]
    assert office.people.sign_out_everywhere(office.principal("alice"), cookie=cookies[0]) == 2
    assert [office.gate.session(each) is not None for each in cookies] == [True, False, False]
    assert office.people.sign_out_everywhere(office.principal("tess"), "alice") == 1


def test_everybody_makes_and_revokes_tokens_of_their_own(office: Office) -> None:
    alice = office.principal("alice")
    text, token = office.people.add_token(alice, "alice", " ci ", [Scope.TICKETS_READ], lasts=DAY)
    assert text.startswith("idk_")
    assert token.name == "ci"
    assert office.people.tokens(alice, "alice") == [token]
    assert office.gate.bearer(text).person.id == "alice"
    for _ in range(2):
        office.people.revoke_token(alice, "alice", token.id)
    with pytest.raises(NotKnown):
        office.gate.bearer(text)
    with pytest.raises(NoSuch):
        office.people.revoke_token(alice, "alice", 99)
    assert [act for by, act, _ in office.acts() if by == "alice"] == ["add a token", "revoke a token"]


def test_a_token_is_named_limited_and_ends(office: Office) -> None:
    alice = office.principal("alice")
    for name, scopes, lasts in (("", [Scope.PEOPLE], DAY), ("x", [], DAY), ("x", [Scope.PEOPLE], 400 * DAY)):
        with pytest.raises(NotAllowed):
            office.people.add_token(alice, "alice", name, scopes, lasts=lasts)


def test_no_token_makes_tokens_or_changes_the_password_of_its_account(office: Office) -> None:
    token = office.principal("alice", *Scope)
    refused: list[Callable[[], Any]] = [
        lambda: office.people.add_token(token, "alice", "more", [Scope.PEOPLE], lasts=DAY),
        lambda: office.people.change_password(token, PASSWORD, "another long password", source="here"),
        lambda: office.people.sign_out_everywhere(token),
    ]
    for act in refused:
        with pytest.raises(Forbidden):
            act()


def test_the_audit_log_holds_no_secret(office: Office) -> None:
    text, _ = office.people.add_token(MACHINE, "alice", "ci", [Scope.PEOPLE], lasts=DAY)
    invitation = office.people.invite(MACHINE, "alice")
    said = repr(office.store.read(lambda tx: tx.audit.list()))
    assert not any(secret in said for secret in (text, invitation, PASSWORD, "argon2"))


def test_the_first_start_makes_one_administrator_and_the_second_none() -> None:
    clock, store = Clock(), MemoryStore()
    gate = Gate(store, clock, hasher=Counting())
    people = PeopleDesk(store, gate, clock)
    invitation = people.ensure_administrator()
    assert invitation is not None
    assert people.ensure_administrator() is None
    cookie, _ = gate.accept(invitation)
    principal = gate.session(cookie)
    assert principal is not None
    assert (principal.person.id, principal.grants) == (ADMINISTRATOR, {CENTRAL})
