"""The lens laws as a pytest suite, for every rule: ours, and those that others write.

    @pytest.fixture(scope="module")
    def lens():
        return Lens(MyRule(), ours=st.sampled_from(["yes", "no"]), theirs=st.integers(0, 1))

    class TestMyRule(LensLaws):
        pass

Needs pytest and hypothesis. Values that are held are drawn from the same strategies, None included.
"""

from hypothesis import given, settings
from hypothesis import strategies as st

from mappings import laws
from mappings.model import Rule, Value


class Lens:
    """A rule under test, and the values of either side: `theirs` are values that they can hold."""

    def __init__(self, rule: Rule, ours: st.SearchStrategy[Value], theirs: st.SearchStrategy[Value]) -> None:
        self.rule = rule
        self.ours = ours
        self.theirs = theirs

    def __repr__(self) -> str:
        return f"Lens({self.rule!r})"  # the strategies would fill pages


class LensLaws:
    """One test per law, for the fixture `lens`: give it with scope module or wider, parametrised for several rules."""

    @settings(deadline=None)
    @given(data=st.data())
    def test_ours_survives_the_trip(self, lens: Lens, data: st.DataObject) -> None:
        assert not laws.ours_survives(lens.rule, _drawn(data, lens.ours), _drawn(data, lens.theirs))

    @settings(deadline=None)
    @given(data=st.data())
    def test_what_agrees_is_left_alone(self, lens: Lens, data: st.DataObject) -> None:
        assert not laws.agreed_is_left_alone(lens.rule, _drawn(data, lens.theirs), _drawn(data, lens.ours))

    @settings(deadline=None)
    @given(data=st.data())
    def test_what_they_can_say_survives(self, lens: Lens, data: st.DataObject) -> None:
        assert not laws.sayable_survives(lens.rule, _drawn(data, lens.theirs), _drawn(data, lens.theirs))

    @settings(deadline=None)
    @given(data=st.data())
    def test_a_trip_settles(self, lens: Lens, data: st.DataObject) -> None:
        assert not laws.trip_settles(lens.rule, _drawn(data, lens.ours), _drawn(data, lens.theirs))

    @settings(deadline=None)
    @given(data=st.data())
    def test_what_is_written_alike_is_read_alike(self, lens: Lens, data: st.DataObject) -> None:
        assert not laws.alike_is_read_alike(lens.rule, _drawn(data, lens.theirs), _drawn(data, lens.ours))


def _drawn(data: st.DataObject, values: st.SearchStrategy[Value]) -> Value:
    return data.draw(st.none() | values)
