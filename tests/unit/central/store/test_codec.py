"""What is remembered as a document comes back equal, whatever it is."""

from collections.abc import Mapping
from dataclasses import is_dataclass
from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.link import Intent, IntentKind, Link, LinkState
from central.model import Value
from central.store.codec import as_json, copied, create_tokens, settled

moments = st.datetimes(
    min_value=datetime(1970, 1, 1),  # noqa: DTZ001  # hypothesis adds the zone
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))]),
)


def anything(hint: Any) -> st.SearchStrategy[Any]:
    """Whatever a type allows, so that an attribute added tomorrow is tried as well."""
    arguments = get_args(hint)
    if get_origin(hint) is Mapping:
        return st.dictionaries(st.text(max_size=5), anything(arguments[1]), max_size=2)
    if get_origin(hint) is tuple:
        return st.lists(anything(arguments[0]), max_size=2).map(tuple)
    if get_origin(hint) is UnionType or get_origin(hint) is Union:
        return st.one_of(*map(anything, arguments))
    if is_dataclass(hint):
        return st.builds(hint, **{name: anything(kind) for name, kind in get_type_hints(hint).items()})
    if hint is datetime:
        return moments
    return st.text(max_size=5) if hint is str else st.from_type(hint)


links = anything(Link)
fields = anything(Mapping[str, Value])


@given(links)
def test_any_link_comes_back_equal_and_of_the_same_kinds(link: Link) -> None:
    back = copied(link)
    assert back == link
    assert repr(back.seen) == repr(dict(link.seen)), "True is not 1, and '1' is not 1"
    assert repr(back.base) == repr(dict(link.base))


@given(fields)
def test_settled_fields_hold_no_none_and_nothing_else_is_lost(given_fields: dict[str, Value]) -> None:
    assert settled(given_fields) == {name: value for name, value in given_fields.items() if value is not None}
    assert settled(settled(given_fields)) == settled(given_fields)


def test_mappings_of_any_kind_are_kept() -> None:
    link = Link(1, 1, "rt", LinkState.ACTIVE, seen=MappingProxyType({"status": "open"}))
    assert copied(link).seen == {"status": "open"}


def test_only_creates_have_a_token_that_is_kept() -> None:
    made = tuple(Intent(kind, f"token of {kind}", datetime(2026, 1, 1, tzinfo=UTC)) for kind in IntentKind)
    assert create_tokens(Link(1, 1, "rt", LinkState.PENDING, intents=made)) == ["token of create"]


def test_what_is_not_plain_is_refused() -> None:
    with pytest.raises(TypeError):
        as_json({"at": datetime(2026, 1, 1, tzinfo=UTC)})
