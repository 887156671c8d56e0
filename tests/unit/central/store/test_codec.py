"""What is remembered as a document comes back equal, whatever it is."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.link import Intent, IntentKind, Link, LinkState, Pair, Refusal
from central.model import Value
from central.store.codec import as_json, copied, create_tokens, settled

texts = st.text(max_size=20)
values: st.SearchStrategy[Value] = st.one_of(
    st.none(), st.booleans(), st.integers(), texts, st.lists(texts, max_size=3).map(tuple)
)
moments = st.datetimes(
    min_value=datetime(1970, 1, 1),  # noqa: DTZ001  # hypothesis adds the zone
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))]),
)
fields = st.dictionaries(texts, values, max_size=3)
pairs = st.dictionaries(texts, st.builds(Pair, values, values), max_size=3)
intents = st.builds(
    Intent,
    kind=st.sampled_from(IntentKind),
    token=texts,
    at=moments,
    wrote=pairs,
    before=fields,
    side_effects=fields,
    comment_id=st.none() | st.integers(),
    text=texts,
)
links = st.builds(
    Link,
    id=st.integers(),
    ticket_id=st.integers(),
    system=texts,
    state=st.sampled_from(LinkState),
    key=st.none() | texts,
    racy_until=st.none() | moments,
    base=pairs,
    seen=fields,
    refusals=st.dictionaries(texts, st.builds(Refusal, values, values, texts, st.integers(), moments), max_size=2),
    disagreements=st.dictionaries(texts, texts, max_size=2),
    intents=st.lists(intents, max_size=3).map(tuple),
)


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


def test_only_creates_have_a_token_that_is_kept() -> None:
    made = tuple(Intent(kind, f"token of {kind}", datetime(2026, 1, 1, tzinfo=UTC)) for kind in IntentKind)
    assert create_tokens(Link(1, 1, "rt", LinkState.PENDING, intents=made)) == ["token of create"]


def test_what_is_not_plain_is_refused() -> None:
    with pytest.raises(TypeError):
        as_json({"at": datetime(2026, 1, 1, tzinfo=UTC)})
