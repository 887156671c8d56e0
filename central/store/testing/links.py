"""Claims about links, intents and ties."""

from dataclasses import replace

import pytest

from central.link import Agreed, Link, LinkState, Refusal, Tie
from central.store.api import AlreadyLinked, NoSuch, Store
from central.store.testing.samples import NOW, full_link, new_file, new_link, new_ticket, saved, say, tie


class LinkClaims:
    """What `Links` promises."""

    def test_a_link_is_found_by_ticket_and_by_key(self, store: Store) -> None:
        ticket = new_ticket(store)
        link = new_link(store, ticket, "rt", "7")
        assert store.read(lambda tx: tx.links.find(ticket.id, "rt")) == link
        assert store.read(lambda tx: tx.links.find_by_key("rt", "7")) == link
        assert store.read(lambda tx: tx.links.find(ticket.id, "redmine")) is None
        assert store.read(lambda tx: tx.links.find_by_key("redmine", "7")) is None

    def test_a_new_link_remembers_everything_it_is_given(self, store: Store) -> None:
        ticket = new_ticket(store)
        full = full_link(Link(0, ticket.id, "rt", LinkState.PENDING))
        made = store.write(lambda tx: tx.links.create(full))
        assert made == replace(full, id=made.id)
        assert store.read(lambda tx: tx.links.find(ticket.id, "rt")) == made

    def test_a_saved_link_comes_back_equal(self, store: Store) -> None:
        link = full_link(new_link(store, new_ticket(store)))
        assert saved(store, link) == link

    def test_a_stored_link_shares_nothing_with_its_maker(self, store: Store) -> None:
        seen = {"status": "open"}
        link = new_link(store, new_ticket(store), seen=seen)
        seen["status"] = "changed behind the store's back"
        found = store.read(lambda tx: tx.links.find_by_key("rt", "7"))
        assert found is not None
        assert (found.id, found.seen) == (link.id, {"status": "open"})

    def test_an_emptied_memory_is_empty(self, store: Store) -> None:
        link = full_link(new_link(store, new_ticket(store)))
        saved(store, link)
        bare = replace(link, base={}, seen={}, refusals={}, disagreements={}, intents=(), racy_until=None)
        assert saved(store, bare) == bare

    def test_a_link_stays_with_its_ticket_and_system(self, store: Store) -> None:
        ticket, other = new_ticket(store), new_ticket(store)
        link = new_link(store, ticket)
        store.write(lambda tx: tx.links.save(replace(link, ticket_id=other.id, system="redmine", address="x")))
        assert store.read(lambda tx: tx.links.find(ticket.id, "rt")) == replace(link, address="x")
        assert not store.read(lambda tx: tx.links.of(other.id))

    def test_a_link_that_is_not_there_cannot_be_saved(self, store: Store) -> None:
        link = new_link(store, new_ticket(store))
        with pytest.raises(NoSuch, match="no link 99"):
            store.write(lambda tx: tx.links.save(replace(link, id=99)))

    def test_a_link_of_a_ticket_that_is_not_there_is_refused(self, store: Store) -> None:
        with pytest.raises(NoSuch, match="no ticket 99"):
            new_link(store, replace(new_ticket(store), id=99))

    @pytest.mark.parametrize("state", [state for state in LinkState if state is not LinkState.DUPLICATE])
    def test_a_ticket_has_one_link_per_system_through_every_state(self, store: Store, state: LinkState) -> None:
        ticket = new_ticket(store)
        link = new_link(store, ticket, "rt", "7", state=state)
        with pytest.raises(AlreadyLinked, match=f"ticket {ticket.id} has a link to rt already"):
            new_link(store, ticket, "rt", "8")
        assert store.read(lambda tx: list(tx.links.of(ticket.id))) == [link]

    def test_a_ticket_may_be_linked_to_many_systems(self, store: Store) -> None:
        ticket = new_ticket(store)
        made = [new_link(store, ticket, system) for system in ("rt", "redmine", "zammad")]
        assert store.read(lambda tx: list(tx.links.of(ticket.id))) == made

    def test_a_key_belongs_to_one_ticket(self, store: Store) -> None:
        new_link(store, new_ticket(store), "rt", "7")
        other = new_ticket(store)
        with pytest.raises(AlreadyLinked, match="7 of rt belongs to link 1 already"):
            new_link(store, other, "rt", "7")
        new_link(store, other, "redmine", "7")

    def test_links_without_a_key_yet_do_not_collide(self, store: Store) -> None:
        for _ in range(2):
            new_link(store, new_ticket(store), "rt", None, state=LinkState.PENDING)

    def test_saving_a_key_that_is_taken_is_refused(self, store: Store) -> None:
        new_link(store, new_ticket(store), "rt", "7")
        second = new_link(store, new_ticket(store), "rt", None, state=LinkState.PENDING)
        with pytest.raises(AlreadyLinked):
            store.write(lambda tx: tx.links.save(second.evolve(key="7")))
        assert store.read(lambda tx: tx.links.find(second.ticket_id, "rt")) == second

    def test_a_key_that_was_given_up_is_free(self, store: Store) -> None:
        link = new_link(store, new_ticket(store), "rt", "7")
        moved = saved(store, link.evolve(key="8"))
        assert store.read(lambda tx: tx.links.find_by_key("rt", "7")) is None
        assert store.read(lambda tx: tx.links.find_by_key("rt", "8")) == moved
        new_link(store, new_ticket(store), "rt", "7")

    def test_duplicates_stand_beside_the_link_and_hold_their_key(self, store: Store) -> None:
        ticket = new_ticket(store)
        twins = [new_link(store, ticket, "rt", key, state=LinkState.DUPLICATE) for key in ("8", "9")]
        link = new_link(store, ticket, "rt", "7")
        assert store.read(lambda tx: tx.links.find(ticket.id, "rt")) == link
        assert store.read(lambda tx: tx.links.find_by_key("rt", "9")) == twins[1]
        assert store.read(lambda tx: list(tx.links.of(ticket.id))) == [*twins, link]

    def test_a_duplicate_cannot_become_a_second_link(self, store: Store) -> None:
        ticket = new_ticket(store)
        new_link(store, ticket, "rt", "7")
        twin = new_link(store, ticket, "rt", "8", state=LinkState.DUPLICATE)
        with pytest.raises(AlreadyLinked):
            store.write(lambda tx: tx.links.save(twin.evolve(state=LinkState.ACTIVE)))

    def test_the_link_of_a_create_is_found_by_its_token_long_after(self, store: Store) -> None:
        link = full_link(new_link(store, new_ticket(store), "rt", None))
        store.write(lambda tx: tx.links.save(link))
        done = saved(store, link.evolve(intents=(), key="7"))
        assert store.read(lambda tx: tx.links.find_intent("rt", "token-1")) == done

    def test_a_token_is_of_one_system_and_of_a_create_only(self, store: Store) -> None:
        store.write(lambda tx: tx.links.create(full_link(Link(0, 1, "rt", LinkState.PENDING)))) if new_ticket(
            store
        ) else 0
        assert store.read(lambda tx: tx.links.find_intent("redmine", "token-1")) is None
        assert store.read(lambda tx: tx.links.find_intent("rt", "token-2")) is None

    def test_links_of_a_system_come_by_id_page_by_page(self, store: Store) -> None:
        made = [new_link(store, new_ticket(store), "rt", str(number)) for number in range(5)]
        new_link(store, new_ticket(store), "redmine")
        first = store.read(lambda tx: list(tx.links.of_system("rt", limit=3)))
        second = store.read(lambda tx: list(tx.links.of_system("rt", after=first[-1].id, limit=3)))
        assert first + second == made

    def test_comments_are_tied_one_to_one(self, store: Store) -> None:
        ticket = new_ticket(store)
        link, other = new_link(store, ticket, "rt"), new_link(store, ticket, "redmine")
        one, two = say(store, ticket).id, say(store, ticket).id
        tie(store, link, one, "t1")
        tie(store, link, two, "t2")
        tie(store, other, two, "t1")
        assert store.read(lambda tx: tx.links.ties(link.id)) == {one: "t1", two: "t2"}
        assert store.read(lambda tx: tx.links.ties(other.id)) == {two: "t1"}

    def test_what_is_agreed_on_for_a_comment_stays_with_its_tie(self, store: Store) -> None:
        ticket = new_ticket(store)
        link = new_link(store, ticket)
        one, two, three = (say(store, ticket).id for _ in range(3))
        agreed = Agreed("ours", "theirs", own=True, whole=False, quote="how it begins", holds="x", noted=True)
        tie(store, link, one, "t1")
        store.write(lambda tx: tx.links.tie_comment(link.id, two, "t2", NOW, agreed))
        assert store.read(lambda tx: tx.links.tied(link.id)) == {one: Tie("t1"), two: Tie("t2", agreed)}
        anew = replace(agreed, ours="edited")
        store.write(lambda tx: tx.links.agree_comment(link.id, one, anew))
        assert store.read(lambda tx: tx.links.tied(link.id)) == {one: Tie("t1", anew), two: Tie("t2", agreed)}
        assert store.read(lambda tx: tx.links.ties(link.id)) == {one: "t1", two: "t2"}
        with pytest.raises(NoSuch, match="not tied"):
            store.write(lambda tx: tx.links.agree_comment(link.id, three, agreed))

    def test_a_key_of_old_leads_to_its_link_until_another_holds_it(self, store: Store) -> None:
        link = new_link(store, new_ticket(store), "rt", "7")
        moved = saved(store, link.evolve(key="8"))
        assert store.read(lambda tx: tx.links.find_by_key("rt", "7")) is None
        for _ in range(2):
            store.write(lambda tx: tx.links.remember_key(link.id, "7"))
        assert store.read(lambda tx: tx.links.find_by_key("rt", "7")) == moved
        assert store.read(lambda tx: tx.links.find_by_key("rt", "8")) == moved
        assert store.read(lambda tx: tx.links.find_by_key("redmine", "7")) is None
        other = new_link(store, new_ticket(store), "rt", "7")
        assert store.read(lambda tx: tx.links.find_by_key("rt", "7")) == other
        with pytest.raises(NoSuch, match="no link 99"):
            store.write(lambda tx: tx.links.remember_key(99, "7"))

    def test_tying_again_is_nothing_and_tying_otherwise_is_refused(self, store: Store) -> None:
        ticket = new_ticket(store)
        link = new_link(store, ticket)
        one, two = say(store, ticket).id, say(store, ticket).id
        for _ in range(2):
            tie(store, link, one, "t1")
        with pytest.raises(AlreadyLinked, match="is tied to t1"):
            tie(store, link, one, "t2")
        with pytest.raises(AlreadyLinked, match="their comment t1"):
            tie(store, link, two, "t1")
        assert store.read(lambda tx: tx.links.ties(link.id)) == {one: "t1"}

    def test_parked_comments_have_no_id_there_until_they_get_one(self, store: Store) -> None:
        ticket = new_ticket(store)
        link = new_link(store, ticket)
        one, two = say(store, ticket).id, say(store, ticket).id
        for comment_id in (one, two):
            tie(store, link, comment_id, "")
        assert store.read(lambda tx: tx.links.ties(link.id)) == {one: "", two: ""}
        tie(store, link, two, "t2")
        assert store.read(lambda tx: tx.links.ties(link.id)) == {one: "", two: "t2"}

    def test_files_are_tied_by_the_same_rules(self, store: Store) -> None:
        ticket = new_ticket(store)
        link = new_link(store, ticket)
        sha256, _ = store.put_blob([b"abc"], limit=10)
        one, two = (
            store.write(lambda tx: tx.tickets.add_file(ticket.id, None, new_file(sha256), NOW)).id for _ in range(2)
        )
        store.write(lambda tx: tx.links.tie_file(link.id, one, "f1"))
        with pytest.raises(AlreadyLinked):
            store.write(lambda tx: tx.links.tie_file(link.id, two, "f1"))
        store.write(lambda tx: tx.links.tie_file(link.id, two, ""))
        assert store.read(lambda tx: tx.links.file_ties(link.id)) == {one: "f1", two: ""}
        assert not store.read(lambda tx: tx.links.ties(link.id))

    def test_what_is_not_there_cannot_be_tied(self, store: Store) -> None:
        ticket, other = new_ticket(store), new_ticket(store)
        link = new_link(store, ticket)
        elsewhere = say(store, other)
        nowhere = replace(link, id=99)
        for tied, comment_id in ((nowhere, elsewhere.id), (link, 99), (link, elsewhere.id)):
            with pytest.raises(NoSuch):
                tie(store, tied, comment_id, "t1")
        with pytest.raises(NoSuch):
            store.write(lambda tx: tx.links.tie_file(link.id, 99, "f1"))

    def test_counters_of_links_follow_every_change(self, store: Store) -> None:
        ticket = new_ticket(store)
        link = new_link(store, ticket, "rt", "7", disagreements={"status": "refused"})
        twin = new_link(store, ticket, "rt", "8", state=LinkState.DUPLICATE, disagreements={"status": "x"})

        def counts() -> tuple[int, int]:
            now = store.read(lambda tx: tx.outbox.counts())["rt"]
            return now.links, now.disagreements

        assert counts() == (1, 1)
        store.write(lambda tx: tx.links.save(link.evolve(disagreements={"a": "x", "b": "y"})))
        assert counts() == (1, 1)
        store.write(lambda tx: tx.links.save(link.evolve(disagreements={}, state=LinkState.LOST)))
        assert counts() == (1, 0)
        store.write(lambda tx: tx.links.save(link.evolve(state=LinkState.DUPLICATE)))
        assert store.read(lambda tx: tx.outbox.counts()) == {}
        store.write(lambda tx: tx.links.save(twin.evolve(state=LinkState.ACTIVE)))
        assert counts() == (1, 1)

    def test_a_refusal_keeps_its_moment(self, store: Store) -> None:
        refusal = Refusal("resolved", "new", "not from new", 3, NOW)
        link = new_link(store, new_ticket(store), refusals={"status": refusal})
        found = store.read(lambda tx: tx.links.find(link.ticket_id, "rt"))
        assert found is not None
        assert found.refusals["status"].at.utcoffset() == NOW.utcoffset()
        assert found.refusals == {"status": refusal}
