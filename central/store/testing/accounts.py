"""Claims about accounts, what stands in for their passwords, and how often somebody may try."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from central.account import Account, Grant, Pass, PassKind, Role, Scope, Session, Token
from central.store.api import NoSuch, Store, Taken
from central.store.testing.samples import NOW, later

MINUTE = timedelta(minutes=1)


def _account(login: str = "alice", **more: Any) -> Account:
    grants = frozenset({Grant(Role.OPERATOR, "ngi-cz"), Grant(Role.USER)})
    return replace(Account(login, "Alice", f"{login}@Example.org", grants, NOW), **more)


def _new_account(store: Store, login: str = "alice", **more: Any) -> Account:
    return store.write(lambda tx: tx.accounts.create(_account(login, **more)))


def _session(account: Account, digest: str = "d1", **more: Any) -> Session:
    return replace(Session(digest, account.id, NOW, later(3600), NOW), **more)


def _token(account: Account, digest: str = "t1") -> Token:
    return Token(account.id, "ci", digest, frozenset({Scope.TICKETS_READ, Scope.PEOPLE}), NOW, later(3600))


class AccountClaims:
    """What `Accounts` promises."""

    def test_an_account_comes_back_as_it_went_in_by_every_name_it_has(self, store: Store) -> None:
        full: dict[str, Any] = {
            "password": "$argon2id$...",
            "subject": "https://idp.example alice",
            "disabled_at": later(1),
        }
        made = _new_account(store, **full)
        assert made == replace(_account(**full), id=made.id)
        with_it = store.read(
            lambda tx: (
                tx.accounts.get(made.id),
                tx.accounts.find("alice"),
                tx.accounts.find_subject("https://idp.example alice"),
                *tx.accounts.with_email("ALICE@example.ORG"),
            )
        )
        assert with_it == (made,) * 4

    def test_who_is_not_there_is_not_found(self, store: Store) -> None:
        _new_account(store, email="")
        found = store.read(
            lambda tx: [tx.accounts.find("bob"), tx.accounts.find_subject(""), *tx.accounts.with_email("")]
        )
        assert found == [None, None]
        with pytest.raises(NoSuch, match="no account 99"):
            store.read(lambda tx: tx.accounts.get(99))

    def test_a_login_and_a_subject_belong_to_one_account(self, store: Store) -> None:
        _new_account(store, subject="idp alice")
        bob = _new_account(store, "bob")
        with pytest.raises(Taken):
            _new_account(store, "alice")
        with pytest.raises(Taken):
            _new_account(store, "eve", subject="idp alice")
        with pytest.raises(Taken):
            store.write(lambda tx: tx.accounts.save(bob.evolve(subject="idp alice")))
        assert store.read(lambda tx: tx.accounts.find_subject("idp alice")).login == "alice"  # type: ignore[union-attr]

    def test_of_many_who_take_a_login_at_once_one_has_it(self, store: Store) -> None:
        def take(number: int) -> bool:
            try:
                _new_account(store, "alice", name=str(number))
            except Taken:
                return False
            return True

        with ThreadPoolExecutor(6) as people:
            assert sum(people.map(take, range(12))) == 1

    def test_a_saved_account_is_as_it_was_saved_and_found_by_its_new_names(self, store: Store) -> None:
        made = _new_account(store)
        changed = made.evolve(login="erased-1", email="", grants=frozenset(), disabled_at=later(5))
        store.write(lambda tx: tx.accounts.save(changed))
        assert store.read(lambda tx: tx.accounts.find("erased-1")) == changed
        assert store.read(lambda tx: (tx.accounts.find("alice"), tx.accounts.with_email(made.email))) == (None, [])
        with pytest.raises(NoSuch):
            store.write(lambda tx: tx.accounts.save(made.evolve(id=77, login="other")))

    def test_accounts_are_listed_by_login_page_by_page(self, store: Store) -> None:
        for login in ("cyd", "alice", "dan", "bob"):
            _new_account(store, login)
        page = store.read(lambda tx: tx.accounts.list(limit=3))
        rest = store.read(lambda tx: tx.accounts.list(after=page[-1].login, limit=3))
        assert [each.login for each in (*page, *rest)] == ["alice", "bob", "cyd", "dan"]

    def test_a_token_is_found_by_its_digest_and_stays_with_its_account(self, store: Store) -> None:
        account, other = _new_account(store), _new_account(store, "bob")
        first = store.write(lambda tx: tx.accounts.add_token(_token(account)))
        second = store.write(lambda tx: tx.accounts.add_token(_token(account, "t2")))
        assert first == replace(_token(account), id=first.id)
        revoked = replace(first, used_at=later(1), revoked_at=later(2))
        store.write(lambda tx: tx.accounts.save_token(revoked))
        assert store.read(lambda tx: tx.accounts.find_token("t1")) == revoked
        assert store.read(lambda tx: tx.accounts.find_token("t3")) is None
        assert list(store.read(lambda tx: tx.accounts.tokens(account.id))) == [revoked, second]
        assert list(store.read(lambda tx: tx.accounts.tokens(other.id))) == []
        with pytest.raises(NoSuch):
            store.write(lambda tx: tx.accounts.save_token(replace(first, id=99)))
        with pytest.raises(NoSuch):
            store.write(lambda tx: tx.accounts.add_token(replace(first, account_id=99)))

    def test_a_session_lasts_until_it_is_ended(self, store: Store) -> None:
        account = _new_account(store)
        store.write(lambda tx: tx.accounts.open_session(_session(account)))
        store.write(lambda tx: tx.accounts.see_session("d1", later(60)))
        assert store.read(lambda tx: tx.accounts.find_session("d1")) == _session(account, seen_at=later(60))
        store.write(lambda tx: tx.accounts.end_session("d1"))
        store.write(lambda tx: tx.accounts.end_session("d1"))
        store.write(lambda tx: tx.accounts.see_session("d1", later(61)))
        assert store.read(lambda tx: tx.accounts.find_session("d1")) is None
        with pytest.raises(NoSuch):
            store.write(lambda tx: tx.accounts.open_session(_session(account, account_id=99)))

    def test_all_sessions_of_an_account_end_at_once_but_for_the_one_that_is_spared(self, store: Store) -> None:
        account, other = _new_account(store), _new_account(store, "bob")
        opened = [_session(account, digest) for digest in ("d1", "d2", "d3")]
        for each in (*opened, _session(other, "d4")):
            store.write(lambda tx, each=each: tx.accounts.open_session(each))  # type: ignore[misc]  # bound now
        assert [s.digest for s in store.read(lambda tx: tx.accounts.sessions(account.id))] == ["d1", "d2", "d3"]
        assert store.write(lambda tx: tx.accounts.end_sessions(account.id, but="d2")) == 2
        assert [s.digest for s in store.read(lambda tx: tx.accounts.sessions(account.id))] == ["d2"]
        assert [s.digest for s in store.read(lambda tx: tx.accounts.sessions(other.id))] == ["d4"]

    def test_a_pass_lets_one_through_once(self, store: Store) -> None:
        account = _new_account(store)
        given = Pass("p1", PassKind.INVITE, later(60), account.id, {"to": ["/", None]})
        store.write(lambda tx: tx.accounts.give_pass(given))

        def take(kind: PassKind) -> Pass | None:
            return store.write(lambda tx: tx.accounts.take_pass("p1", kind, later(1)))

        assert [take(PassKind.ERRAND), take(PassKind.INVITE), take(PassKind.INVITE)] == [None, given, None]

    def test_of_many_who_show_a_pass_at_once_one_gets_through(self, store: Store) -> None:
        store.write(lambda tx: tx.accounts.give_pass(Pass("p1", PassKind.ERRAND, later(60))))

        def take(_: int) -> Pass | None:
            return store.write(lambda tx: tx.accounts.take_pass("p1", PassKind.ERRAND, NOW))

        with ThreadPoolExecutor(6) as people:
            assert sum(taken is not None for taken in people.map(take, range(12))) == 1

    def test_a_pass_that_is_out_of_date_or_void_lets_nobody_through(self, store: Store) -> None:
        account = _new_account(store)
        for digest, who in (("late", None), ("void", account.id)):
            given = Pass(digest, PassKind.INVITE, later(60), who)
            store.write(lambda tx, given=given: tx.accounts.give_pass(given))  # type: ignore[misc]  # bound now
        store.write(lambda tx: tx.accounts.void_passes(account.id))
        assert store.write(lambda tx: tx.accounts.take_pass("late", PassKind.INVITE, later(60))) is None
        assert store.write(lambda tx: tx.accounts.take_pass("void", PassKind.INVITE, later(1))) is None
        with pytest.raises(NoSuch):
            store.write(lambda tx: tx.accounts.give_pass(Pass("x", PassKind.INVITE, later(60), 99)))

    def test_what_has_expired_is_forgotten(self, store: Store) -> None:
        account = _new_account(store)
        for session in (
            _session(account, "expired", expires_at=later(10), seen_at=later(9)),
            _session(account, "idle", seen_at=later(1)),
            _session(account, "at work", seen_at=later(9)),
        ):
            store.write(lambda tx, session=session: tx.accounts.open_session(session))  # type: ignore[misc]
        for digest, until in (("old", later(10)), ("new", later(11))):
            given = Pass(digest, PassKind.ERRAND, until)
            store.write(lambda tx, given=given: tx.accounts.give_pass(given))  # type: ignore[misc]  # bound now
        store.write(lambda tx: tx.accounts.prune(later(10), idle_since=later(5)))
        assert [each.digest for each in store.read(lambda tx: tx.accounts.sessions(account.id))] == ["at work"]
        assert store.write(lambda tx: tx.accounts.take_pass("old", PassKind.ERRAND, NOW)) is None
        assert store.write(lambda tx: tx.accounts.take_pass("new", PassKind.ERRAND, NOW)) is not None


class TryClaims:
    """What `Tries` promises."""

    def test_so_many_tries_at_once_and_then_one_for_each_interval(self, store: Store) -> None:
        def spend(seconds: float, key: str = "alice") -> object:
            return store.write(lambda tx: tx.tries.spend(key, later(seconds), every=MINUTE, most=3))

        assert [spend(0), spend(0), spend(1)] == [None, None, None]
        assert spend(1) == later(60), "nothing is counted, and this is when one may be made"
        assert spend(59) == later(60)
        assert spend(60) is None
        assert spend(60) == later(120)
        assert spend(60, "bob") is None
        assert [spend(6000), spend(6000), spend(6000), spend(6000)] == [None, None, None, later(6060)]

    def test_of_many_who_try_at_once_no_more_get_through_than_may(self, store: Store) -> None:
        def spend(_: int) -> bool:
            return store.write(lambda tx: tx.tries.spend("alice", NOW, every=MINUTE, most=5)) is None

        with ThreadPoolExecutor(8) as guessers:
            assert sum(guessers.map(spend, range(24))) == 5

    def test_a_try_that_is_given_back_may_be_made_again(self, store: Store) -> None:
        def spend() -> datetime | None:
            return store.write(lambda tx: tx.tries.spend("alice", NOW, every=MINUTE, most=1))

        assert [spend(), spend()] == [None, later(60)]
        store.write(lambda tx: tx.tries.give_back("alice", NOW, every=MINUTE))
        store.write(lambda tx: tx.tries.give_back("bob", NOW, every=MINUTE))
        assert [spend(), spend()] == [None, later(60)]

    def test_a_note_is_remembered_until_its_time(self, store: Store) -> None:
        store.write(lambda tx: tx.tries.note("k", later(5)))
        store.write(lambda tx: tx.tries.note("k", later(10)))
        noted = store.read(lambda tx: [tx.tries.noted("k", later(at)) for at in (0, 9, 10)])
        assert noted == [True, True, False]
        store.write(lambda tx: tx.tries.forget("k"))
        assert not store.read(lambda tx: tx.tries.noted("k", NOW))

    def test_what_says_nothing_any_more_is_forgotten(self, store: Store) -> None:
        store.write(lambda tx: tx.tries.note("old", later(5)))
        store.write(lambda tx: tx.tries.note("new", later(10)))
        store.write(lambda tx: tx.tries.prune(later(5)))
        assert store.read(lambda tx: [tx.tries.noted(key, NOW) for key in ("old", "new")]) == [False, True]
