"""Whoever an OpenID provider lets in comes in as nobody else, whatever it or somebody in between says."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import pytest

from central.account import Account, Grant, Role
from central.desk.auth import Gate, NotKnown
from central.desk.openid import Arrival, OpenId, Provider
from central.desk.people import PeopleDesk, of_the_machine
from central.desk.services.errors import NotAllowed, OutOfReach
from central.desk.tries import TooManyTries
from central.rights import Principal
from central.store.memory import MemoryStore
from connectors.environment import Environment
from sync.web import GuardedWeb
from tests.unit.central.desk.provider import CLIENT, ENTITLED, SECRET, SmallProvider
from tests.unit.central.desk.test_auth import Clock, Counting

OPERATOR, USER, AUDITOR = Grant(Role.OPERATOR, "ngi-cz"), Grant(Role.USER), Grant(Role.AUDITOR)
MACHINE = of_the_machine("root")
LOOPBACK = (ip_network("127.0.0.0/8"),)


class Desk:
    """A gate with a provider behind it."""

    def __init__(self, provider: SmallProvider, clock: Clock) -> None:
        self.provider, self.clock, self.store = provider, clock, MemoryStore()
        self.gate = Gate(self.store, clock, hasher=Counting())
        self.people = PeopleDesk(self.store, self.gate, clock)
        self.ours = Provider(
            provider.issuer,
            CLIENT,
            "https://desk.example.org/sign-in/back",
            lambda: SECRET,
            grants={ENTITLED: frozenset({OPERATOR}), "*": frozenset({USER})},
        )
        self.openid = self.with_(self.ours)

    def with_(self, ours: Provider) -> OpenId:
        return OpenId(
            self.store, self.gate, self.clock, GuardedWeb(Environment(self.clock, allowed_networks=LOOPBACK)), ours
        )

    def sign_in(self, principal: Principal | None = None, **answer: str) -> Arrival:
        gone = self.openid.begin(source="here", onward="/tickets/7", principal=principal)
        return self.openid.finish(self.provider.visit(gone.address) | answer, gone.binding, principal)

    def account(self) -> Account:
        account = self.store.read(lambda tx: tx.accounts.find_subject(f"{self.provider.issuer} a1b2@egi.eu"))
        assert account is not None
        return account

    def acts(self) -> list[str]:
        return [entry.act for entry in reversed(self.store.read(lambda tx: tx.audit.list()))]


@pytest.fixture
def desk() -> Iterator[Desk]:
    clock = Clock()
    with SmallProvider(lambda: clock.now.timestamp()) as provider:
        yield Desk(provider, clock)


def test_whoever_comes_for_the_first_time_gets_an_account_and_what_they_are_entitled_to(desk: Desk) -> None:
    arrival = desk.sign_in()
    principal = desk.gate.session(arrival.cookie)
    assert principal is not None
    assert principal.grants == {OPERATOR, USER}
    assert (principal.person.id, principal.person.name) == ("alice@example.org", "Alice Nováková")
    assert arrival.onward == "/tickets/7"
    assert desk.acts() == ["come for the first time", "come with other entitlements"]


def test_the_same_person_comes_again_as_the_same_account_with_what_they_are_entitled_to_now(desk: Desk) -> None:
    desk.sign_in()
    desk.people.grant(MACHINE, "alice@example.org", AUDITOR)
    desk.provider.person |= {"eduperson_entitlement": "urn:other", "email": "alice@new.example", "name": "Alice N."}
    desk.sign_in()
    account = desk.account()
    assert account.grants == {USER, AUDITOR}, "what was granted here stays, what the provider vouched for is gone"
    assert (account.login, account.email, account.name) == ("alice@example.org", "alice@new.example", "Alice N.")
    assert len(desk.store.read(lambda tx: tx.accounts.list())) == 1


def test_an_address_counts_only_where_the_provider_has_verified_it(desk: Desk) -> None:
    for verified in (False, "true", None):
        desk.provider.person |= {"sub": f"sub-{verified}", "email_verified": verified}
        desk.sign_in()
    accounts = desk.store.read(lambda tx: tx.accounts.list())
    assert {account.email for account in accounts} == {""}
    assert all(account.login.endswith("@127.0.0.1") for account in accounts)


def test_nobody_takes_over_an_account_by_its_address_or_login(desk: Desk) -> None:
    desk.people.create(MACHINE, "alice@example.org", email="alice@example.org", grants=[Grant(Role.CENTRAL)])
    desk.people.create(MACHINE, "admin", grants=[AUDITOR])
    desk.provider.person |= {"preferred_username": "admin"}
    desk.sign_in()
    account = desk.account()
    assert account.login not in ("alice@example.org", "admin")
    assert account.grants == {OPERATOR, USER}


def test_whoever_is_signed_in_ties_their_account_and_nobody_elses(desk: Desk) -> None:
    bob = Principal.of(desk.people.create(MACHINE, "bob", grants=[AUDITOR]))
    desk.sign_in(principal=bob)
    assert (desk.account().login, desk.account().grants) == ("bob", {AUDITOR, OPERATOR, USER})
    desk.sign_in()
    assert desk.account().login == "bob"
    carl = Principal.of(desk.people.create(MACHINE, "carl"))
    with pytest.raises(NotAllowed, match="tied to another already"):
        desk.sign_in(principal=carl)
    desk.provider.person |= {"sub": "another"}
    with pytest.raises(NotAllowed, match="tied to another already"):
        desk.sign_in(principal=bob)
    assert desk.acts().count("tie an account to the provider") == 1


def test_what_one_began_to_tie_nobody_else_finishes(desk: Desk) -> None:
    bob, carl = (Principal.of(desk.people.create(MACHINE, login)) for login in ("bob", "carl"))
    for now in (carl, None):
        gone = desk.openid.begin(source="here", principal=bob)
        with pytest.raises(NotKnown, match="somebody else is signed in now"):
            desk.openid.finish(desk.provider.visit(gone.address), gone.binding, now)


def test_a_disabled_account_stays_out(desk: Desk) -> None:
    desk.sign_in()
    desk.people.create(MACHINE, "tess", grants=[Grant(Role.CENTRAL)])
    desk.people.disable(MACHINE, "alice@example.org")
    with pytest.raises(NotKnown):
        desk.sign_in()


LIES: dict[str, Callable[[SmallProvider], Any]] = {
    "a wrong nonce": lambda p: setattr(p, "bend", lambda claims: claims.update(nonce="other")),
    "no nonce": lambda p: setattr(p, "bend", lambda claims: claims.pop("nonce")),
    "another audience": lambda p: setattr(p, "bend", lambda claims: claims.update(aud="somebody")),
    "no audience": lambda p: setattr(p, "bend", lambda claims: claims.pop("aud")),
    "two audiences, ours not the party": lambda p: setattr(
        p, "bend", lambda claims: claims.update(aud=[CLIENT, "other"], azp="other")
    ),
    "two audiences and no party": lambda p: setattr(p, "bend", lambda claims: claims.update(aud=[CLIENT, "other"])),
    "another party": lambda p: setattr(p, "bend", lambda claims: claims.update(azp="other")),
    "another issuer": lambda p: setattr(p, "bend", lambda claims: claims.update(iss="https://evil.example")),
    "expired": lambda p: setattr(p, "bend", lambda claims: claims.update(exp=claims["iat"] - 61)),
    "no end": lambda p: setattr(p, "bend", lambda claims: claims.pop("exp")),
    "from the future": lambda p: setattr(p, "bend", lambda claims: claims.update(iat=claims["iat"] + 61)),
    "no subject": lambda p: setattr(p, "bend", lambda claims: claims.update(sub="")),
    "a subject that is no text": lambda p: setattr(p, "bend", lambda claims: claims.update(sub=17)),
    "alg none": lambda p: setattr(p, "sign", p.unsigned),
    "signed by a secret": lambda p: setattr(p, "sign", p.signed_by_a_secret),
    "signed by a stranger": lambda p: setattr(p, "sign", p.signed_by_a_stranger),
    "no token at all": lambda p: setattr(p, "sign", lambda claims: "x.y.z"),
    "told of somebody else": lambda p: setattr(p, "told", {"sub": "mallory", "email": "m@example.org"}),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_provider_that_lies_lets_nobody_in(desk: Desk, lie: str) -> None:
    LIES[lie](desk.provider)
    with pytest.raises(NotKnown):
        desk.sign_in()
    assert desk.store.read(lambda tx: tx.accounts.list()) == []


def test_several_audiences_are_fine_where_we_are_the_party(desk: Desk) -> None:
    desk.provider.bend = lambda claims: claims.update(aud=[CLIENT, "other"], azp=CLIENT)
    assert desk.sign_in()


def test_an_answer_is_taken_once_and_in_the_browser_that_left(desk: Desk) -> None:
    gone, other = (desk.openid.begin(source="here") for _ in range(2))
    answer = desk.provider.visit(gone.address)
    for binding in ("", other.binding):
        fresh = desk.openid.begin(source="here")
        with pytest.raises(NotKnown, match="not begun here"):
            desk.openid.finish(desk.provider.visit(fresh.address), binding)
    assert desk.openid.finish(answer, gone.binding)
    with pytest.raises(NotKnown, match="not begun here"):
        desk.openid.finish(answer, gone.binding)
    with pytest.raises(NotKnown, match="not begun here"):
        desk.openid.finish({"code": "x"}, gone.binding)


def test_whoever_stays_away_for_long_begins_anew(desk: Desk) -> None:
    gone = desk.openid.begin(source="here")
    desk.clock.pass_(minutes=10)
    with pytest.raises(NotKnown, match="too long ago"):
        desk.openid.finish(desk.provider.visit(gone.address), gone.binding)


def test_an_answer_of_another_provider_is_not_taken_to_this_one(desk: Desk) -> None:
    with pytest.raises(NotKnown, match="another provider"):
        desk.sign_in(iss="https://evil.example")
    assert desk.sign_in(iss=desk.provider.issuer)
    desk.provider.metadata = {"authorization_response_iss_parameter_supported": True}
    desk.clock.pass_(hours=2)
    with pytest.raises(NotKnown, match="another provider"):
        desk.sign_in()


def test_whoever_is_not_let_in_there_is_not_let_in_here(desk: Desk) -> None:
    gone = desk.openid.begin(source="here")
    answer = desk.provider.visit(gone.address)
    with pytest.raises(NotKnown, match="did not let you in"):
        desk.openid.finish({"state": answer["state"], "error": "access_denied"}, gone.binding)


def test_a_code_of_somebody_elses_sign_in_is_worth_nothing(desk: Desk) -> None:
    theirs, mine = (desk.openid.begin(source="here") for _ in range(2))
    stolen, answer = desk.provider.visit(theirs.address), desk.provider.visit(mine.address)
    with pytest.raises(NotKnown, match="invalid_grant"):
        desk.openid.finish(answer | {"code": stolen["code"]}, mine.binding)


def test_a_client_without_the_right_secret_learns_nothing(desk: Desk) -> None:
    desk.openid = desk.with_(replace(desk.ours, secret=lambda: "wrong"))
    with pytest.raises(NotKnown, match="invalid_client"):
        desk.sign_in()


def test_the_secret_goes_where_the_provider_takes_it(desk: Desk) -> None:
    desk.provider.metadata = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    assert desk.sign_in()


def test_keys_that_the_provider_changes_are_read_anew(desk: Desk) -> None:
    desk.sign_in()
    desk.provider.rotate()
    with pytest.raises(NotKnown):
        desk.sign_in()
    desk.clock.pass_(minutes=1)
    desk.sign_in()
    assert desk.provider.asked.count("/auth/keys") == 2


def test_strange_tokens_do_not_make_us_ask_for_keys_again_and_again(desk: Desk) -> None:
    desk.sign_in()
    desk.provider.sign = desk.provider.unsigned
    for _ in range(5):
        with pytest.raises(NotKnown):
            desk.sign_in()
    assert desk.provider.asked.count("/auth/keys") == 1


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://evil.example"},
        {"token_endpoint": "file:///etc/passwd"},
        {"jwks_uri": None},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": 7},
    ],
)
def test_a_provider_that_says_strange_things_of_itself_is_not_asked(desk: Desk, metadata: dict[str, Any]) -> None:
    desk.provider.metadata = metadata
    with pytest.raises(OutOfReach):
        desk.openid.begin(source="here")


@pytest.mark.parametrize("where", ["away", "endless", "nowhere"])
def test_keys_that_are_elsewhere_endless_or_missing_let_nobody_in(desk: Desk, where: str) -> None:
    desk.provider.metadata = {"jwks_uri": f"{desk.provider.issuer}/{where}"}
    with pytest.raises(OutOfReach):
        desk.sign_in()


def test_a_provider_on_a_network_that_is_not_allowed_is_not_asked(desk: Desk) -> None:
    closed = OpenId(desk.store, desk.gate, desk.clock, GuardedWeb(Environment(desk.clock)), desk.ours)
    with pytest.raises(OutOfReach, match="not a public address"):
        closed.begin(source="here")
    assert desk.provider.asked == []


def test_nobody_fills_our_memory_with_departures(desk: Desk) -> None:
    for _ in range(60):
        desk.openid.begin(source="192.0.2.1")
    with pytest.raises(TooManyTries) as told:
        desk.openid.begin(source="192.0.2.1")
    assert told.value.retry_after == timedelta(seconds=2)
    assert desk.openid.begin(source="192.0.2.2")
