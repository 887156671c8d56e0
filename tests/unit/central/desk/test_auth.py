"""The gate knows whoever may come, tells everybody else nothing, and asks argon2 once."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from argon2 import PasswordHasher

from central.account import Account, Grant, Role, Scope, Token
from central.desk import auth
from central.desk.auth import Gate, NotKnown, digest
from central.desk.passwords import BadPassword, demand_good
from central.desk.tries import Budget, Limits, TooManyTries
from central.rights import Principal
from central.store.api import NoSuch, Store
from central.store.memory import MemoryStore

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PASSWORD = "correct horse battery"
MINUTE = timedelta(minutes=1)


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **time: float) -> None:
        self.now += timedelta(**time)


class Counting:
    """Argon2 at its cheapest, which counts its work."""

    def __init__(self, time_cost: int = 1) -> None:
        self._hasher = PasswordHasher(time_cost=time_cost, memory_cost=8, parallelism=1)
        self.verified: list[str] = []
        self.check_needs_rehash = self._hasher.check_needs_rehash

    def hash(self, password: str) -> str:
        return self._hasher.hash(password)

    def verify(self, kept: str, password: str) -> bool:
        self.verified.append(kept)
        return self._hasher.verify(kept, password)


class House:
    """A store with Alice in it, and its gate."""

    def __init__(self) -> None:
        self.clock, self.hasher, self.store = Clock(), Counting(), MemoryStore()
        numbers = count(1)
        self.entropy: Callable[[int], bytes] = lambda size: next(numbers).to_bytes(size, "big")
        self.gate = self.another_gate()
        self.alice = self.join("alice", password=self.hasher.hash(PASSWORD))

    def another_gate(self, **more: Any) -> Gate:
        """As another process would have it."""
        return Gate(self.store, self.clock, entropy=self.entropy, hasher=self.hasher, **more)

    def join(self, login: str, **more: Any) -> Account:
        account = Account(login, login.title(), f"{login}@example.org", frozenset({Grant(Role.USER)}), NOW, **more)
        return self.store.write(lambda tx: tx.accounts.create(account))

    def change(self, **what: Any) -> None:
        now = self.store.read(lambda tx: tx.accounts.get(self.alice.id))
        self.store.write(lambda tx: tx.accounts.save(now.evolve(**what)))

    def token(self, text: str = "idk_secret", **more: Any) -> Token:
        scopes = frozenset({Scope.TICKETS_READ})
        made = Token(self.alice.id, "ci", digest(text), scopes, NOW, NOW + timedelta(days=30))
        return self.store.write(lambda tx: tx.accounts.add_token(replace(made, **more)))


@pytest.fixture
def house() -> House:
    return House()


def guess(gate: Gate, login: str = "alice", source: str = "192.0.2.1", password: str = "wrong wrong wrong") -> str:
    """What comes of it: in, no, or wait."""
    try:
        gate.password(login, password, source=source)
    except NotKnown:
        return "no"
    except TooManyTries:
        return "wait"
    return "in"


class TestSessions:
    def test_whoever_signs_in_is_known_by_their_cookie_until_they_sign_out(self, house: House) -> None:
        cookie, session = house.gate.sign_in(" Alice ", PASSWORD, source="192.0.2.1")
        assert house.gate.session(cookie) == Principal.of(house.alice)
        assert session.digest == digest(cookie) != cookie
        house.gate.sign_out(cookie)
        house.gate.sign_out(cookie)
        assert house.gate.session(cookie) is None

    @pytest.mark.parametrize("shown", ["", "nobody's", "\ud800"])
    def test_a_cookie_of_nobody_is_nobody(self, house: House, shown: str) -> None:
        assert house.gate.session(shown) is None

    def test_a_session_ends_when_it_is_not_used(self, house: House) -> None:
        cookie, _ = house.gate.sign_in("alice", PASSWORD, source="here")
        house.clock.pass_(hours=7)
        assert house.gate.session(cookie)
        house.clock.pass_(hours=7)
        assert house.gate.session(cookie), "it was used in between"
        house.clock.pass_(hours=8)
        assert house.gate.session(cookie) is None

    def test_a_session_ends_however_much_it_is_used(self, house: House) -> None:
        cookie, _ = house.gate.sign_in("alice", PASSWORD, source="here")
        for _ in range(23):
            house.clock.pass_(hours=1)
            assert house.gate.session(cookie)
        house.clock.pass_(hours=1)
        assert house.gate.session(cookie) is None

    def test_whoever_is_disabled_is_out_at_once(self, house: House) -> None:
        cookie, _ = house.gate.sign_in("alice", PASSWORD, source="here")
        house.change(disabled_at=NOW)
        assert house.gate.session(cookie) is None
        with pytest.raises(NotKnown):
            house.gate.sign_in("alice", PASSWORD, source="here")

    def test_what_is_granted_counts_from_the_next_request_on(self, house: House) -> None:
        cookie, _ = house.gate.sign_in("alice", PASSWORD, source="here")
        house.change(grants=frozenset({Grant(Role.AUDITOR)}))
        assert house.gate.session(cookie).roles() == {Role.AUDITOR}  # type: ignore[union-attr]

    def test_whose_password_changed_while_they_signed_in_is_not_let_in_by_the_old_one(self, house: House) -> None:
        house.change(password=house.hasher.hash("another password"))
        with pytest.raises(NotKnown):
            house.gate.admit(house.alice)

    def test_a_form_is_believed_with_the_token_of_its_own_session(self, house: House) -> None:
        mine, _ = house.gate.sign_in("alice", PASSWORD, source="here")
        other, _ = house.gate.sign_in("alice", PASSWORD, source="here")
        token = house.gate.form_token(mine)
        assert house.gate.is_form_token(mine, token)
        assert not any(house.gate.is_form_token(*each) for each in ((other, token), (mine, ""), ("", token)))
        assert not house.gate.is_form_token("", house.gate.form_token("")), "no session, no form"

    def test_what_has_expired_is_swept_away(self, house: House) -> None:
        house.gate.sign_in("alice", PASSWORD, source="here")
        house.clock.pass_(days=40)
        house.gate.sweep()
        assert not house.store.read(lambda tx: tx.accounts.sessions(house.alice.id))


class TestPasswords:
    def test_a_program_that_shows_its_password_with_every_call_costs_argon2_once(self, house: House) -> None:
        for _ in range(5):
            assert house.gate.password("alice", PASSWORD, source="here") == Principal.of(house.alice)
        assert len(house.hasher.verified) == 1
        house.clock.pass_(minutes=10)
        house.gate.password("alice", PASSWORD, source="here")
        assert len(house.hasher.verified) == 2

    def test_a_password_that_was_changed_or_is_anothers_is_not_remembered(self, house: House) -> None:
        house.gate.password("alice", PASSWORD, source="here")
        assert guess(house.gate) == "no"
        assert guess(house.gate, login="bob", password=PASSWORD) == "no"
        house.change(password=house.hasher.hash("another password"))
        assert guess(house.gate, password=PASSWORD) == "no"
        assert guess(house.gate, password="another password") == "in"

    def test_the_password_of_a_disabled_account_is_not_remembered(self, house: House) -> None:
        house.gate.password("alice", PASSWORD, source="here")
        house.change(disabled_at=NOW)
        assert guess(house.gate, password=PASSWORD) == "no"

    def test_a_login_that_nobody_has_takes_the_same_work_and_the_same_words(self, house: House) -> None:
        house.join("oidc-only")
        said = []
        for login in ("alice", "nobody", "oidc-only", "", "x" * 5000):
            with pytest.raises(NotKnown) as refused:
                house.gate.sign_in(login, "wrong wrong wrong", source="here")
            said.append(str(refused.value))
        assert len(set(said)) == 1
        assert len(house.hasher.verified) == 5
        assert len({kept.rpartition("$")[0].rpartition("$")[0] for kept in house.hasher.verified}) == 1

    def test_no_password_opens_an_account_that_has_none(self, house: House) -> None:
        house.join("oidc-only")
        for password in ("", "nobody's"):
            assert guess(house.gate, login="oidc-only", password=password) == "no"

    def test_a_hash_of_yesterday_is_renewed_when_its_password_is_shown(self, house: House) -> None:
        house.change(password=Counting(time_cost=2).hash(PASSWORD))
        assert guess(house.gate, password=PASSWORD) == "in"
        kept = house.store.read(lambda tx: tx.accounts.get(house.alice.id)).password
        assert not house.hasher.check_needs_rehash(kept)
        assert guess(house.another_gate(), password=PASSWORD) == "in"

    @pytest.mark.parametrize("bad", ["short", "x" * 2000, "aaaaaaaaaaaaaaaa", "alicealicealice", "abcabcabcabcabc"])
    def test_what_anybody_would_try_first_does_not_become_a_password(self, bad: str) -> None:
        with pytest.raises(BadPassword):
            demand_good(bad, "alice")

    def test_a_password_may_hold_what_keyboards_have(self) -> None:
        demand_good("Žluťoučký kůň", "alice")


class TestTokens:
    def test_a_token_stands_for_its_account_within_its_scopes(self, house: House) -> None:
        house.token()
        assert house.gate.bearer("idk_secret") == Principal.of(house.alice, {Scope.TICKETS_READ})
        assert house.hasher.verified == []

    def test_when_a_token_was_used_is_told_to_some_minutes(self, house: House) -> None:
        token = house.token()
        for _ in range(3):
            house.clock.pass_(minutes=2)
            house.gate.bearer("idk_secret")
        (now,) = house.store.read(lambda tx: tx.accounts.tokens(house.alice.id))
        assert now == replace(token, used_at=NOW + 2 * MINUTE)

    @pytest.mark.parametrize("how", ["expired", "revoked", "disabled", "unknown", "empty"])
    def test_a_token_that_is_no_good_is_refused_in_the_same_words(self, house: House, how: str) -> None:
        house.token(revoked_at=NOW if how == "revoked" else None)
        if how == "expired":
            house.clock.pass_(days=30)
        if how == "disabled":
            house.change(disabled_at=NOW)
        shown = {"unknown": "idk_other", "empty": ""}.get(how, "idk_secret")
        with pytest.raises(NotKnown, match="this token is not known, has expired or was revoked"):
            house.gate.bearer(shown)

    def test_whoever_shows_many_bad_tokens_has_to_wait(self, house: House) -> None:
        for _ in range(30):
            with pytest.raises(NotKnown):
                house.gate.bearer("guessed", source="192.0.2.66")
        with pytest.raises(TooManyTries) as told:
            house.gate.bearer("guessed", source="192.0.2.66")
        assert told.value.retry_after == timedelta(seconds=10)


class TestInvitations:
    def test_an_invitation_opens_one_session_without_a_password(self, house: House) -> None:
        invitation = house.gate.invite("ALICE")
        cookie, _ = house.gate.accept(invitation)
        assert house.gate.session(cookie) == Principal.of(house.alice)
        with pytest.raises(NotKnown, match="used before, or is too old"):
            house.gate.accept(invitation)

    def test_an_invitation_grows_old(self, house: House) -> None:
        invitation = house.gate.invite("alice", lasts=timedelta(minutes=15))
        house.clock.pass_(minutes=15)
        with pytest.raises(NotKnown):
            house.gate.accept(invitation)

    def test_nobody_who_is_not_there_or_is_disabled_is_invited_or_let_in(self, house: House) -> None:
        invitation = house.gate.invite("alice")
        house.change(disabled_at=NOW)
        with pytest.raises(NotKnown):
            house.gate.accept(invitation)
        for login in ("alice", "bob"):
            with pytest.raises(NoSuch):
                house.gate.invite(login)


class TestTries:
    def test_guessing_one_login_from_one_source_ends_soon_and_costs_nothing_any_more(self, house: House) -> None:
        assert [guess(house.gate) for _ in range(7)] == ["no"] * 5 + ["wait"] * 2
        assert len(house.hasher.verified) == 5
        house.clock.pass_(minutes=1)
        assert [guess(house.gate) for _ in range(2)] == ["no", "wait"]

    def test_the_budget_is_one_whichever_process_is_asked(self, house: House) -> None:
        gates = [house.another_gate() for _ in range(6)]
        assert [guess(gate) for gate in gates] == ["no"] * 5 + ["wait"]

    def test_one_source_that_tries_many_logins_has_to_wait(self, house: House) -> None:
        tried = [guess(house.gate, login=f"user{number}") for number in range(31)]
        assert tried == ["no"] * 30 + ["wait"]
        assert guess(house.gate, login="bob", source="192.0.2.2") == "no"

    def test_a_network_of_ipv6_is_one_source(self, house: House) -> None:
        tried = [guess(house.gate, source=f"2001:db8::{number}") for number in range(1, 7)]
        assert tried == ["no"] * 5 + ["wait"]
        assert guess(house.gate, source="2001:db8:0:1::1") == "no"
        assert guess(house.gate, source="::ffff:192.0.2.9") == "no"

    def test_guessing_one_login_from_everywhere_keeps_out_those_only_who_come_from_new_places(
        self, house: House
    ) -> None:
        assert guess(house.gate, source="home", password=PASSWORD) == "in"
        house.clock.pass_(minutes=20)
        tried = [guess(house.gate, source=f"192.0.2.{number}") for number in range(25)]
        assert tried == ["no"] * 20 + ["wait"] * 5
        assert guess(house.gate, source="home", password=PASSWORD) == "in"
        with pytest.raises(TooManyTries):
            house.gate.sign_in("alice", PASSWORD, source="cafe")
        house.clock.pass_(seconds=30)
        house.gate.sign_in("alice", PASSWORD, source="cafe")

    def test_whoever_is_right_spends_nothing(self, house: House) -> None:
        for number in range(100):
            house.gate.sign_in("alice", PASSWORD, source=f"192.0.2.{number % 3}")

    def test_a_login_that_nobody_has_is_guarded_alike(self, house: House) -> None:
        assert [guess(house.gate, login="nobody") for _ in range(6)] == ["no"] * 5 + ["wait"]

    def test_who_has_to_wait_is_told_for_how_long(self, house: House) -> None:
        strict = house.another_gate(limits=Limits(pair=Budget(1, 5 * MINUTE)))
        assert guess(strict) == "no"
        house.clock.pass_(minutes=1)
        with pytest.raises(TooManyTries, match="try again in 240 seconds") as told:
            strict.sign_in("alice", PASSWORD, source="192.0.2.1")
        assert told.value.retry_after == 4 * MINUTE

    def test_nothing_that_is_kept_of_tries_names_a_person_or_a_place(self, house: House) -> None:
        guess(house.gate)
        keys = [key for key, _ in house.store._tables.tries.items()]
        assert len(keys) == 3
        assert not any("alice" in key or "192" in key for key in keys)


def test_the_real_gate_uses_argon2id_and_the_systems_randomness() -> None:
    store: Store = MemoryStore()
    gate = Gate(store, lambda: NOW)
    assert gate.passwords.hash("a long enough one").startswith("$argon2id$v=19$m=65536,")
    assert auth.opaque(lambda size: bytes(size), "idk_") == "idk_" + "A" * 43
