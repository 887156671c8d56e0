"""Claims about files and their bytes."""

import hashlib
from collections.abc import Iterator

import pytest

from central.model import Visibility
from central.store.api import NoSuch, Store, TooLarge
from central.store.testing.samples import NOW, later, new_comment, new_file, new_ticket

MB = 1024 * 1024


def _bytes_of(store: Store, sha256: str) -> bytes:
    with store.open_blob(sha256) as chunks:
        return b"".join(chunks)


class FileClaims:
    """What `put_blob`, `open_blob` and `Tickets.add_file` promise."""

    @pytest.mark.parametrize("size", [0, 1, 256 * 1024 - 1, 256 * 1024, 256 * 1024 + 1, 5 * MB + 3])
    def test_bytes_come_back_as_they_went_in(self, store: Store, size: int) -> None:
        data = (b"0123456789abcdef" * (size // 16 + 1))[:size]
        chunks = (data[start : start + 100_001] for start in range(0, size, 100_001))
        assert store.put_blob(chunks, limit=10 * MB) == (hashlib.sha256(data).hexdigest(), size)
        assert _bytes_of(store, hashlib.sha256(data).hexdigest()) == data

    def test_bytes_come_back_in_pieces_of_moderate_size(self, store: Store) -> None:
        sha256, _ = store.put_blob([b"x" * (2 * MB)], limit=10 * MB)
        with store.open_blob(sha256) as chunks:
            sizes = [len(chunk) for chunk in chunks]
        assert min(sizes) > 0
        assert max(sizes) <= MB

    def test_a_stream_may_hold_empty_chunks(self, store: Store) -> None:
        sha256, size = store.put_blob([b"", b"a", b"", b"b", b""], limit=10)
        assert (size, _bytes_of(store, sha256)) == (2, b"ab")

    @pytest.mark.parametrize("size", [3, MB])
    def test_the_same_bytes_are_stored_once(self, store: Store, size: int) -> None:
        first = store.put_blob([b"x" * size], limit=MB)
        assert store.put_blob([b"x"] * size, limit=MB) == first
        assert _bytes_of(store, first[0]) == b"x" * size

    def test_as_many_bytes_as_the_limit_are_accepted(self, store: Store) -> None:
        assert store.put_blob([b"abc", b"def"], limit=6)[1] == 6

    def test_one_byte_more_than_the_limit_is_refused(self, store: Store) -> None:
        with pytest.raises(TooLarge, match="6 bytes"):
            store.put_blob([b"abc", b"defg"], limit=6)
        with pytest.raises(NoSuch), store.open_blob(hashlib.sha256(b"abcdefg").hexdigest()):
            pass

    def test_an_endless_stream_is_cut_off_at_the_limit(self, store: Store) -> None:
        drawn = 0

        def endless() -> Iterator[bytes]:
            nonlocal drawn
            while True:
                drawn += MB
                yield b"x" * MB

        with pytest.raises(TooLarge):
            store.put_blob(endless(), limit=3 * MB)
        assert drawn == 4 * MB

    def test_a_stream_that_breaks_leaves_nothing_and_says_why(self, store: Store) -> None:
        def broken() -> Iterator[bytes]:
            yield b"x" * MB
            raise ConnectionResetError

        with pytest.raises(ConnectionResetError):
            store.put_blob(broken(), limit=10 * MB)
        with pytest.raises(NoSuch), store.open_blob(hashlib.sha256(b"x" * MB).hexdigest()):
            pass

    def test_bytes_that_are_not_there_are_named(self, store: Store) -> None:
        with pytest.raises(NoSuch, match="cafe"), store.open_blob("cafe"):
            pass

    def test_a_file_hangs_on_its_ticket(self, store: Store) -> None:
        ticket = new_ticket(store)
        sha256, _ = store.put_blob([b"abc"], limit=10)
        file = new_file(sha256, "rôle.txt")
        added = store.write(lambda tx: tx.tickets.add_file(ticket.id, None, file, later(3)))
        assert (added.ticket_id, added.comment_id, added.name) == (ticket.id, None, "rôle.txt")
        assert (added.size, added.sha256, added.media_type) == (3, sha256, "image/jpeg")
        assert (added.created_at, added.visibility) == (later(3), Visibility.PUBLIC)
        assert store.read(lambda tx: list(tx.tickets.files(ticket.id))) == [added]

    def test_files_come_page_by_page(self, store: Store) -> None:
        ticket, other = new_ticket(store), new_ticket(store)
        sha256, _ = store.put_blob([b"abc"], limit=10)
        for at in (ticket, other, ticket, ticket):
            store.write(lambda tx, at=at.id: tx.tickets.add_file(at, None, new_file(sha256), NOW))  # type: ignore[misc]  # bound now
        everything = list(store.read(lambda tx: tx.tickets.files(ticket.id)))
        first = list(store.read(lambda tx: tx.tickets.files(ticket.id, limit=2)))
        rest = list(store.read(lambda tx: tx.tickets.files(ticket.id, after=first[-1].id, limit=2)))
        assert (len(first), [*first, *rest]) == (2, everything)
        assert not store.read(lambda tx: tx.tickets.files(ticket.id, after=rest[-1].id, limit=2))

    def test_files_travel_with_their_comment_and_its_visibility(self, store: Store) -> None:
        ticket = new_ticket(store)
        sha256, _ = store.put_blob([b"abc"], limit=10)
        files = (new_file(sha256, "same.txt", origin_id="1"), new_file(sha256, "same.txt", origin_id="2"))
        said = new_comment(visibility=Visibility.INTERNAL, origin_system="rt", origin_id="17", files=files)
        comment = store.write(lambda tx: tx.tickets.add_comment(ticket.id, said))
        kept = store.read(lambda tx: tx.tickets.files(ticket.id))
        assert [(file.comment_id, file.origin_system, file.origin_id) for file in kept] == [
            (comment.id, "rt", "1"),
            (comment.id, "rt", "2"),
        ]
        assert {(file.visibility, file.created_at) for file in kept} == {(Visibility.INTERNAL, NOW)}

    def test_a_comment_that_comes_again_brings_no_files_again(self, store: Store) -> None:
        ticket = new_ticket(store)
        sha256, _ = store.put_blob([b"abc"], limit=10)
        said = new_comment(origin_system="rt", origin_id="17", files=(new_file(sha256),))
        for _ in range(2):
            store.write(lambda tx: tx.tickets.add_comment(ticket.id, said))
        assert len(store.read(lambda tx: tx.tickets.files(ticket.id))) == 1

    def test_a_file_is_added_once_per_origin(self, store: Store) -> None:
        ticket = new_ticket(store)
        sha256, _ = store.put_blob([b"abc"], limit=10)
        file = new_file(sha256, origin_id="9")
        added = [
            store.write(lambda tx: tx.tickets.add_file(ticket.id, None, file, NOW, origin_system="rt"))
            for _ in range(2)
        ]
        assert added[0] == added[1]
        assert len(store.read(lambda tx: tx.tickets.files(ticket.id))) == 1

    def test_a_file_whose_bytes_are_not_in_the_store_is_refused(self, store: Store) -> None:
        ticket = new_ticket(store)
        with pytest.raises(NoSuch, match="put_blob"):
            store.write(lambda tx: tx.tickets.add_comment(ticket.id, new_comment(files=(new_file("cafe"),))))
        assert not store.read(lambda tx: tx.tickets.comments(ticket.id))

    def test_a_file_on_what_is_not_there_is_refused(self, store: Store) -> None:
        ticket, other = new_ticket(store), new_ticket(store)
        sha256, _ = store.put_blob([b"abc"], limit=10)
        elsewhere = store.write(lambda tx: tx.tickets.add_comment(other.id, new_comment()))
        with pytest.raises(NoSuch, match="no ticket 99"):
            store.write(lambda tx: tx.tickets.add_file(99, None, new_file(sha256), NOW))
        with pytest.raises(NoSuch, match="no comment"):
            store.write(lambda tx: tx.tickets.add_file(ticket.id, elsewhere.id, new_file(sha256), NOW))
