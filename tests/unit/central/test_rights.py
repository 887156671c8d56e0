"""Who may do what: the table, row by row, and what *own* means."""

from datetime import UTC, datetime

import pytest

from central.account import SCOPED, Account, Grant, Role, Scope
from central.model import Ticket
from central.rights import (
    MATRIX,
    ON_TICKETS,
    SCOPES,
    Action,
    Extent,
    Forbidden,
    Principal,
    demand,
    extent,
    is_submitter,
    may,
    may_on_system,
    may_on_ticket,
    sight,
)

AT = datetime(2026, 3, 1, tzinfo=UTC)


def somebody(*grants: Grant, scopes=None, email="alice@example.org") -> Principal:
    return Principal.of(Account("alice", "Alice", email, frozenset(grants), AT), scopes)


def grant(role: Role) -> Grant:
    return Grant(role, {Role.SUPPORTER: "NGI_CZ", Role.OPERATOR: "ngi-cz", Role.TESTER: "ngi-cz"}.get(role, ""))


def ticket(**fields) -> Ticket:
    return Ticket(1, 1, {"subject": "s", "status": "new", "unit": "TPM", **fields}, AT, AT)


FOREIGN = ticket(submitter="bob@example.org")
OWN = {
    Role.USER: (ticket(submitter="Alice@example.org"), ()),
    Role.SUPPORTER: (ticket(unit="NGI_CZ"), ()),
    Role.OPERATOR: (FOREIGN, ("ngi-cz",)),
}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("action", sorted(ON_TICKETS))
def test_the_table_decides_about_tickets(role, action):
    principal, far = somebody(grant(role)), MATRIX[action][role]
    assert may_on_ticket(principal, action, FOREIGN, ()) is (far is Extent.ALL)
    own, systems = OWN.get(role, (FOREIGN, ()))
    assert may_on_ticket(principal, action, own, systems) is (far > Extent.NO)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("action", sorted(set(Action) - ON_TICKETS))
def test_the_table_decides_about_systems_and_all_else(role, action):
    principal, far = somebody(grant(role)), MATRIX[action][role]
    assert may(principal, action) is (far > Extent.NO)
    assert may_on_system(principal, action, "ngi-de") is (far is Extent.ALL)
    assert may_on_system(principal, action, "ngi-cz") is (far > Extent.NO)


def test_own_means_a_thing_only_for_roles_that_are_for_one_thing():
    for action, row in MATRIX.items():
        for role, far in row.items():
            if far is Extent.OWN and role is not Role.USER:
                assert role in SCOPED, (action, role)


def test_a_ticket_in_cc_is_ones_own_and_one_without_an_address_owns_none():
    assert may_on_ticket(somebody(grant(Role.USER)), Action.READ_TICKET, ticket(cc=("alice@example.org",)), ())
    nobody = somebody(grant(Role.USER), email="")
    assert not may_on_ticket(nobody, Action.READ_TICKET, ticket(submitter=""), ())
    assert not is_submitter(nobody, ticket(submitter=""))


def test_a_supporter_reads_every_ticket_and_the_notes_of_their_unit_or_their_own_work_only():
    supporter = somebody(grant(Role.SUPPORTER))
    assert may_on_ticket(supporter, Action.READ_TICKET, FOREIGN, ())
    assert not may_on_ticket(supporter, Action.READ_INTERNAL, FOREIGN, ())
    assert may_on_ticket(supporter, Action.READ_INTERNAL, ticket(assigned_to="alice@example.org"), ())


def test_what_one_role_gives_no_other_takes_away():
    both = somebody(grant(Role.TESTER), grant(Role.OPERATOR))
    assert may_on_ticket(both, Action.READ_TICKET, FOREIGN, ("ngi-cz",))
    assert not may_on_system(both, Action.RUN_SYSTEM, "ngi-de")


def test_a_tester_of_one_system_and_operator_of_another_runs_only_the_other():
    both = somebody(Grant(Role.TESTER, "ngi-cz"), Grant(Role.OPERATOR, "ngi-de"))
    assert may_on_system(both, Action.SEE_SYSTEM, "ngi-cz")
    assert not may_on_system(both, Action.RUN_SYSTEM, "ngi-cz")
    assert may_on_system(both, Action.RUN_SYSTEM, "ngi-de")


@pytest.mark.parametrize("action", Action)
def test_a_token_gives_what_its_scopes_say_and_never_more_than_the_account_may(action):
    central = somebody(grant(Role.CENTRAL), scopes={SCOPES[action]})
    assert may(central, action)
    assert not may(somebody(grant(Role.CENTRAL), scopes=set(Scope) - {SCOPES[action]}), action)
    assert extent(somebody(grant(Role.USER), scopes=set(Scope)), action) is MATRIX[action][Role.USER]


def test_nothing_granted_is_nothing_allowed():
    assert not any(may(somebody(), action) for action in Action)


def test_sight_is_what_reading_allows():
    assert sight(somebody(grant(Role.CENTRAL))).everything
    assert not sight(somebody(grant(Role.TESTER))).everything
    both = sight(somebody(grant(Role.USER), grant(Role.OPERATOR)))
    assert (both.email, both.systems, both.everything) == ("alice@example.org", {"ngi-cz"}, False)


def test_the_refusal_says_what_is_missing():
    with pytest.raises(Forbidden, match="needs the scope tickets:write"):
        demand(False, somebody(grant(Role.USER), scopes={Scope.TICKETS_READ}), Action.OPEN_TICKET)
    with pytest.raises(Forbidden, match="alice may not see the audit log here; the central team grants that"):
        demand(False, somebody(grant(Role.USER)), Action.SEE_AUDIT)
