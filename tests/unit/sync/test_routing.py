"""Which systems a ticket belongs in, and what each of them is to do."""

from datetime import UTC, datetime

import pytest

from central.link import Intent, IntentKind, Link, LinkState
from sync.routing import Course, course, owed, system_of

AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def link(
    state: LinkState = LinkState.ACTIVE, *, birth: bool = False, open_intent: bool = False, system: str = "rt"
) -> Link:
    intents = (Intent(IntentKind.CREATE, "T1", AT),) if open_intent else ()
    return Link(1, 1, system, state, birth=birth, intents=intents)


@pytest.mark.parametrize(("unit", "system"), [("NGI_CZ", "rt"), ("TPM", None), (None, None), (("NGI_CZ",), None)])
def test_a_unit_belongs_to_one_system_or_none(unit: object, system: str | None) -> None:
    assert system_of(unit, {"NGI_CZ": "rt"}) == system


@pytest.mark.parametrize(
    ("held", "wanted", "becomes"),
    [
        (None, True, Course.CREATE),
        (None, False, Course.NOTHING),
        (link(), True, Course.KEEP),
        (link(), False, Course.DETACH),
        (link(birth=True), False, Course.KEEP),
        (link(LinkState.DETACHED), True, Course.RESUME),
        (link(LinkState.DETACHED), False, Course.NOTHING),
        (link(LinkState.PENDING), True, Course.CREATE),
        (link(LinkState.PENDING), False, Course.NOTHING),
        (link(LinkState.LOST), True, Course.NOTHING),
        (link(LinkState.LOST), False, Course.NOTHING),
        (link(LinkState.DUPLICATE), True, Course.NOTHING),
    ],
    ids=lambda value: value.state.value if isinstance(value, Link) else str(value),
)
def test_the_course_follows_from_the_link_and_the_unit(held: Link | None, wanted: bool, becomes: Course) -> None:
    assert course("rt", held, "rt" if wanted else "redmine") is becomes


def test_a_create_that_may_have_got_through_is_followed_up_though_the_unit_moved_away() -> None:
    assert course("rt", link(LinkState.PENDING, open_intent=True), None) is Course.CREATE


def test_every_living_link_and_the_units_system_are_owed_a_look_but_never_the_source() -> None:
    links = [
        link(system="active"),
        link(LinkState.PENDING, system="pending"),
        link(LinkState.DETACHED, system="detached"),
        link(LinkState.LOST, system="lost"),
        link(LinkState.DUPLICATE, system="duplicate"),
    ]
    assert owed(links, None) == {"active", "pending"}
    assert owed(links, "detached") == {"active", "pending", "detached"}
    assert owed(links, "new", source="active") == {"pending", "new"}
    assert owed([], None) == frozenset()
