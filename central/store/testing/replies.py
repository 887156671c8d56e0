"""Claims about answers that are given again."""

import threading

import pytest

from central.store.api import NoSuch, Store
from central.store.testing.samples import NOW, later


class ReplyClaims:
    """What `Replies` promises."""

    def test_a_request_is_begun_once_and_answered_from_then_on(self, store: Store) -> None:
        assert store.write(lambda tx: tx.replies.begin("k", "abc", NOW)) is None
        under_way = store.write(lambda tx: tx.replies.begin("k", "abc", later(1)))
        assert under_way is not None
        assert (under_way.digest, under_way.begun_at, under_way.answer) == ("abc", NOW, None)
        answer = {"status": 201, "headers": {"etag": "1"}, "body": "ü\0"}
        store.write(lambda tx: tx.replies.settle("k", answer))
        again = store.write(lambda tx: tx.replies.begin("k", "another", later(2)))
        assert again is not None
        assert (again.digest, again.answer) == ("abc", answer)

    def test_a_request_that_was_not_carried_out_may_come_again(self, store: Store) -> None:
        store.write(lambda tx: tx.replies.begin("k", "abc", NOW))
        store.write(lambda tx: tx.replies.withdraw("k"))
        store.write(lambda tx: tx.replies.withdraw("k"))
        assert store.write(lambda tx: tx.replies.begin("k", "abc", NOW)) is None

    def test_an_answer_to_a_request_that_nobody_began_is_refused(self, store: Store) -> None:
        with pytest.raises(NoSuch):
            store.write(lambda tx: tx.replies.settle("k", {}))

    def test_old_answers_are_forgotten(self, store: Store) -> None:
        for key, at in (("old", later(-10)), ("new", NOW)):
            store.write(lambda tx, key=key, at=at: tx.replies.begin(key, "abc", at))  # type: ignore[misc]  # bound now
        store.write(lambda tx: tx.replies.prune(before=NOW))
        assert store.write(lambda tx: tx.replies.begin("old", "abc", NOW)) is None
        assert store.write(lambda tx: tx.replies.begin("new", "abc", NOW)) is not None

    def test_of_many_at_once_one_is_carried_out(self, store: Store) -> None:
        told: list[bool] = []

        def ask() -> None:
            told.append(store.write(lambda tx: tx.replies.begin("k", "abc", NOW)) is None)

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(told) == [False] * 7 + [True]
