"""The ticket as a value, and what its fields may hold."""

from datetime import UTC, datetime

import pytest

from central.model import DEFAULTS, FIELDS, Person, Ticket, plain, validate, value_of

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_an_ordinary_ticket_is_valid() -> None:
    assert validate({"subject": "The printer is on fire", "priority": "urgent", "cc": ("a@example.org",)}) == []


def test_the_defaults_are_valid_but_for_the_subject_that_a_person_gives() -> None:
    assert validate(DEFAULTS) == []
    assert validate({**DEFAULTS, "subject": "x"}) == []


def test_an_unknown_field_is_answered_with_those_there_are() -> None:
    [sentence] = validate({"subjekt": "x"})
    assert sentence.startswith("there is no field 'subjekt'; there are: subject, description, status")


@pytest.mark.parametrize("empty", [None, ""])
def test_a_required_field_must_not_be_empty(empty: str | None) -> None:
    assert validate({"subject": empty}) == ["subject must not be empty"]


def test_a_choice_outside_its_values_is_answered_with_them() -> None:
    assert validate({"priority": "asap"}) == [
        "priority must be one of less urgent, urgent, very urgent, top priority, not 'asap'"
    ]


def test_any_field_that_is_not_required_may_be_unset() -> None:
    assert validate({name: None for name, spec in FIELDS.items() if not spec.required}) == []


def test_a_text_as_long_as_its_field_fits_and_one_longer_does_not() -> None:
    assert validate({"subject": "ü" * 255}) == []
    assert validate({"subject": "ü" * 256}) == ["subject is 256 characters long; at most 255 fit"]


def test_all_problems_are_told_at_once() -> None:
    assert len(validate({"subject": "", "priority": "asap", "phone": "1" * 51, "nonsense": 1})) == 4


def test_a_ticket_answers_none_for_what_is_not_set_and_refuses_what_does_not_exist() -> None:
    ticket = Ticket(1, 1, {"subject": "x"}, NOW, NOW)
    assert ticket["phone"] is None
    with pytest.raises(KeyError, match="no field 'phon'"):
        ticket["phon"]


def test_a_changed_ticket_is_the_next_revision_and_the_old_one_stays() -> None:
    ticket = Ticket(1, 4, {"subject": "x", "phone": "1"}, NOW, NOW)
    changed = ticket.with_fields({"phone": "2"}, datetime(2026, 3, 2, tzinfo=UTC))
    assert (changed.revision, changed["phone"], changed["subject"]) == (5, "2", "x")
    assert (ticket.revision, ticket["phone"]) == (4, "1")


def test_a_field_that_is_for_supporters_moves_the_time_for_them_alone() -> None:
    later = [datetime(2026, 3, day, tzinfo=UTC) for day in (2, 3, 4, 5)]
    ticket = Ticket(1, 1, {"subject": "x", "phone": "1"}, NOW, NOW)
    called = ticket.with_fields({"phone": "2", "subject": "x"}, later[0])
    assert (called.changed_at, called.shown_at) == (later[0], NOW)
    involved = called.with_fields({"involve": ("a@x.org",)}, later[1])
    assert (involved.changed_at, involved.shown_at) == (later[1], NOW)
    assert involved.with_fields({"phone": None, "subject": "y"}, later[2]).shown_at is None


@pytest.mark.parametrize("value", [None, True, 7, "7", "", (), ("a", "b")])
def test_a_value_survives_the_trip_through_plain_data(value: object) -> None:
    assert value_of(plain(value)) == value  # type: ignore[arg-type]


def test_a_person_always_has_a_label() -> None:
    assert Person("7", "Ada").label == "Ada"
    assert Person("7").label == "7"
    assert Person("").label == "somebody"
