"""Claims about searching tickets: every store finds what `central.search.matches` says, no more and no less."""

import itertools
import random
from dataclasses import replace

import pytest

from central.link import LinkState
from central.model import Ticket, Value, Visibility
from central.rights import Sight
from central.search import Query, matches
from central.store.api import Store
from central.store.testing.samples import NOW, later, new_comment, new_link

ALL = Sight(everything=True)


def opened(store: Store, subject: str = "x", *, born_in: str | None = None, **fields: Value) -> Ticket:
    """A ticket with these fields."""
    values: dict[str, Value] = {"subject": subject, "status": "new", **fields}
    return store.write(lambda tx: tx.tickets.create(values, NOW, born_in=born_in))


def found(store: Store, query: Query, sight: Sight = ALL, *, limit: int = 50) -> list[int]:
    """The numbers of all that is found, page by page."""
    numbers: list[int] = []
    before: int | None = None
    for _ in range(1000):
        page = store.read(lambda tx, before=before: tx.tickets.search(query, sight, limit=limit, before=before))  # type: ignore[misc]  # bound now
        assert len(page.tickets) <= limit
        numbers += [ticket.id for ticket in page.tickets]
        if page.before is None:
            return numbers
        assert before is None or page.before < before, "each page goes on further down"
        before = page.before
    raise AssertionError("no end of pages")


class SearchClaims:
    """What `Tickets.search` promises."""

    def test_everything_is_found_by_nothing_newest_first_page_by_page(self, store: Store) -> None:
        made = [opened(store).id for _ in range(7)]
        for limit in (1, 2, 7, 50):
            assert found(store, Query(), limit=limit) == made[::-1]

    def test_all_words_must_be_there_whole_or_in_the_subject_by_their_beginning_whatever_their_case(
        self, store: Store
    ) -> None:
        fire = opened(store, "Überhitzung: the PRINTER-2 is on fire, on FIRE").id
        opened(store, "The scanner is on fire")
        assert found(store, Query(words="printer ÜBERHITZUNG")) == [fire]
        assert found(store, Query(words="fire print")) == found(store, Query(words="überhitz")) == [fire]
        assert found(store, Query(words="fire rinter")) == found(store, Query(words="pr")) == []
        assert found(store, Query(words="2")) == [fire]

    def test_whole_words_of_the_description_and_of_what_was_said_are_found(self, store: Store) -> None:
        rack = opened(store, "Overheating", description="Smoke in the rack").id
        fan = opened(store, "A noise")
        said = store.write(lambda tx: tx.tickets.add_comment(fan.id, new_comment("A FAN failed, and smoke came")))
        assert found(store, Query(words="smoke")) == [fan.id, rack]
        assert found(store, Query(words="noise smoke fan")) == [fan.id]
        assert found(store, Query(words="smo")) == []
        store.write(lambda tx: tx.tickets.add_comment(fan.id, new_comment("the fan is mended")))
        store.write(lambda tx: tx.tickets.revise_comment(replace(said, text="A disk failed", edited_at=later(1))))
        assert found(store, Query(words="smoke")) == [rack]
        assert found(store, Query(words="disk fan mended")) == [fan.id]
        store.write(lambda tx: tx.tickets.revise_comment(replace(said, text="", deleted_at=later(2))))
        assert found(store, Query(words="disk")) == []

    def test_a_change_of_other_words_is_found_by_what_they_are_now(self, store: Store) -> None:
        ticket = opened(store, "Overheating", description="Smoke in the rack")
        ticket = store.write(lambda tx: tx.tickets.change(ticket, {"status": "solved"}, later(1)))
        store.write(lambda tx: tx.tickets.add_comment(ticket.id, new_comment("mended")))
        changes: dict[str, Value] = {"subject": "Freezing", "description": "Ice"}
        store.write(lambda tx: tx.tickets.change(ticket, changes, later(2)))
        for gone in ("overh", "rack"):
            assert found(store, Query(words=gone)) == []
        assert found(store, Query(words="freez ice mended")) == [ticket.id]

    def test_nobody_finds_by_an_internal_word_what_they_may_not_see(self, store: Store) -> None:
        ours = opened(store, unit="NGI_CZ", submitter="ada@example.org")
        linked = opened(store, unit="TPM")
        born = opened(store, born_in="rt")
        new_link(store, linked, "rt")
        for ticket in (ours, linked, born):
            note = replace(new_comment("the code is Sesame"), visibility=Visibility.INTERNAL)
            store.write(lambda tx, to=ticket, note=note: tx.tickets.add_comment(to.id, note))  # type: ignore[misc]  # bound now
        query = Query(words="code sesame")
        assert found(store, query, replace(ALL, notes=ALL)) == [born.id, linked.id, ours.id]
        assert found(store, query, ALL) == found(store, query, Sight(email="ada@example.org")) == []
        assert found(store, query, replace(ALL, notes=Sight(units=frozenset({"NGI_CZ"})))) == [ours.id]
        assert found(store, query, replace(ALL, notes=Sight(systems=frozenset({"rt"})))) == [linked.id]
        assert found(store, query, replace(ALL, notes=Sight())) == []
        assert found(store, query, Sight(units=frozenset({"TPM"}), notes=ALL)) == [linked.id]
        shown = store.read(lambda tx: tx.tickets.comments(ours.id))[0]
        store.write(lambda tx: tx.tickets.revise_comment(replace(shown, visibility=Visibility.PUBLIC)))
        assert found(store, query) == [ours.id]
        store.write(lambda tx: tx.tickets.revise_comment(replace(shown, visibility=Visibility.INTERNAL)))
        assert found(store, query) == []

    @pytest.mark.parametrize("words", ["%", "_x", "'; --", "\0"])
    def test_signs_are_no_words(self, store: Store, words: str) -> None:
        opened(store, "plain")
        assert found(store, Query(words=words)) == []

    def test_a_changed_ticket_is_found_by_what_it_is_now(self, store: Store) -> None:
        ticket = opened(store, "The printer burns", unit="TPM")
        changes: dict[str, Value] = {"subject": "The scanner burns", "status": "solved", "unit": None}
        store.write(lambda tx: tx.tickets.change(ticket, changes, later(9)))
        for gone in (Query(words="printer"), Query(statuses=frozenset({"new"})), Query(units=frozenset({"TPM"}))):
            assert found(store, gone) == []
        for there in (Query(words="scanner burns"), Query(statuses=frozenset({"solved", "closed"}))):
            assert found(store, there) == [ticket.id]
        assert found(store, Query(changed_since=later(9))) == [ticket.id]
        assert found(store, Query(changed_since=later(10))) == []

    def test_a_ticket_is_found_by_its_links_duplicates_aside(self, store: Store) -> None:
        ticket, other = opened(store), opened(store)
        new_link(store, ticket, "rt", "1", disagreements={"status": "refused"})
        new_link(store, other, "rt", "2")
        new_link(store, other, "redmine", "3", state=LinkState.DUPLICATE, disagreements={"status": "refused"})
        assert found(store, Query(systems=frozenset({"rt"}))) == [other.id, ticket.id]
        assert found(store, Query(systems=frozenset({"redmine", "jira"}))) == []
        assert found(store, Query(disagrees_with=frozenset({"rt", "redmine"}))) == [ticket.id]

    def test_a_change_that_is_internal_is_found_by_those_who_may_read_it(self, store: Store) -> None:
        ticket = opened(store, unit="TPM")
        new_link(store, ticket, "rt", "1")
        store.write(lambda tx: tx.tickets.touch(ticket.id, later(5), internal=True))
        since = Query(changed_since=later(1))
        assert found(store, since) == []
        assert found(store, Query(changed_since=NOW)) == [ticket.id]
        for notes in (ALL, Sight(units=frozenset({"TPM"})), Sight(systems=frozenset({"rt"}))):
            assert found(store, since, replace(ALL, notes=notes)) == [ticket.id]
        for notes in (Sight(units=frozenset({"NGI_CZ"})), Sight(systems=frozenset({"redmine"}))):
            assert found(store, since, replace(ALL, notes=notes)) == []
        store.write(lambda tx: tx.tickets.touch(ticket.id, later(6)))
        assert found(store, since) == [ticket.id]

    def test_only_what_may_be_seen_is_found(self, store: Store) -> None:
        mine = opened(store, submitter="Ada@Example.org").id
        copied = opened(store, submitter="bob@example.org", cc=("eve@example.org", "ada@example.org")).id
        units = opened(store, unit="NGI_CZ").id
        born = opened(store, born_in="rt").id
        linked = opened(store)
        new_link(store, linked, "rt")
        opened(store, submitter="bob@example.org", unit="TPM", born_in="jira", assigned_to="ada@example.org")
        assert found(store, Query(), Sight(email="ADA@example.org")) == [copied, mine]
        assert found(store, Query(), Sight(units=frozenset({"NGI_CZ"}))) == [units]
        assert found(store, Query(), Sight(systems=frozenset({"rt"}))) == [linked.id, born]
        both = Sight(email="ada@example.org", units=frozenset({"NGI_CZ"}), systems=frozenset({"rt"}))
        assert found(store, Query(), both, limit=2) == [linked.id, born, units, copied, mine]
        assert found(store, Query(), Sight()) == []
        assert found(store, Query(words="x", units=frozenset({"NGI_CZ"})), both) == [units]

    def test_search_finds_what_matches_whatever_is_asked(self, store: Store) -> None:
        dice = random.Random(7)
        words = ("printer", "scanner", "fire", "smoke", "noon")
        units, systems, people = ("TPM", "NGI_CZ"), ("rt", "redmine"), ("ada@example.org", "bob@example.org")
        tickets, linked, disagrees = [], {}, {}
        keys = map(str, itertools.count())
        for number in range(60):
            ticket = opened(
                store,
                " ".join(dice.sample(words, 2)),
                unit=dice.choice(units),
                priority=dice.choice(("urgent", "less urgent")),
                submitter=dice.choice(people),
                born_in=dice.choice((None, *systems)),
                description=dice.choice(("", "a printer", "smoke and fire")),
            )
            for _ in range(dice.randrange(3)):
                said = new_comment(" ".join(dice.sample(words, 2)))
                said = replace(said, visibility=dice.choice(list(Visibility)))
                store.write(lambda tx, to=ticket, said=said: tx.tickets.add_comment(to.id, said))  # type: ignore[misc]  # bound now
            mine = dice.sample(systems, dice.randrange(3))
            bad = {system for system in mine if dice.random() < 0.3}
            for system in mine:
                new_link(store, ticket, system, next(keys), disagreements={"status": "no"} if system in bad else {})
            if number % 3 == 0:
                changes: dict[str, Value] = {"status": "solved"}
                ticket = store.write(lambda tx, it=ticket: tx.tickets.change(it, changes, later(number)))  # type: ignore[misc]  # noqa: B023
            tickets.append(ticket)
            linked[ticket.id], disagrees[ticket.id] = set(mine), bad

        said_on = {each.id: store.read(lambda tx, of=each.id: tx.tickets.comments(of)) for each in tickets}  # type: ignore[misc]  # bound now

        def some(of: tuple[str, ...]) -> frozenset[str]:
            return frozenset(dice.sample(of, dice.randrange(len(of) + 1))) if dice.random() < 0.4 else frozenset()

        for _ in range(60):
            query = Query(
                words=" ".join(some((*words, "prin", "smok", "no"))),
                statuses=some(("new", "solved")),
                units=some(units),
                priorities=some(("urgent", "top priority")),
                born_in=some(systems),
                systems=some(systems),
                disagrees_with=some(systems),
                changed_since=later(dice.randrange(60)) if dice.random() < 0.2 else None,
            )
            sight = Sight(email=dice.choice(("", *people)), units=some(units), systems=some(systems))
            notes = Sight(everything=dice.random() < 0.3, units=some(units), systems=some(systems))
            sight = replace(sight, everything=dice.random() < 0.5, notes=notes if dice.random() < 0.6 else None)
            wanted = [t.id for t in tickets if matches(query, sight, t, linked[t.id], disagrees[t.id], said_on[t.id])]
            assert found(store, query, sight, limit=dice.choice((1, 3, 50))) == wanted[::-1], (query, sight)
