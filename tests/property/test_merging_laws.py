"""What holds for every set that two sides change: over any sets, any base, and any order of looks, edits and kills."""

from collections.abc import Iterable

from hypothesis import example, given
from hypothesis import strategies as st

from central.link import Intent, IntentKind, Link, LinkState, Pair
from central.model import Value
from mappings.document import compile_mapping
from mappings.loader import read
from mappings.model import Carries, Mapping, Merging
from sync.plan import Plan
from sync.policy import Policy, admit
from sync.reconcile import corresponds, reconcile
from tests.unit.sync.test_reconcile import AT

WORDS = {"a": "A", "b": "B", "c": "C"}
DOCUMENT = """
kind: mapping
name: watched
connector: memory
fields:
  cc: {{remote: Cc, carries: {}, set: {{words: {{a: A, b: B, c: C}}, separator: "{}"}}}}
"""
ours = st.lists(st.sampled_from(["a", "b", "c", "guest"]), max_size=5).map(tuple)
theirs = st.lists(st.sampled_from(["A", "B", "C", "stranger"]), max_size=5).map(tuple)
policies = st.sampled_from(["central", "remote", "ask"])
agreed = st.none() | st.builds(Pair, ours, theirs)


def mapping(carries: Carries = Carries.BOTH, separator: str = "") -> Mapping:
    return compile_mapping(read(DOCUMENT.format(carries.value, separator), "m.yaml")[0], revision=1)


def rule() -> Merging:
    found = mapping().fields["cc"].rule
    assert isinstance(found, Merging)
    return found


def members(value: Value) -> set[str]:
    return set(value) if isinstance(value, tuple) else set(str(value or "").split(", ")) - {""}


def shared(here: Value, there: Value) -> tuple[set[str], set[str]]:
    """Either side's shared members, all in our words."""
    back = {word: ours for ours, word in WORDS.items()}
    return members(here) & set(WORDS), {back[each] for each in members(there) if each in back}


class Mesh:
    """One link, its two tickets, and the engine's decision between them."""

    def __init__(
        self,
        base: Pair | None,
        here: Value,
        there: Value,
        policy: str,
        carries: Carries = Carries.BOTH,
        separator: str = "",
    ):
        self.separator = separator
        self.link = Link(1, 1, "rt", LinkState.ACTIVE, base={} if base is None else {"cc": base}, mapping_revision=1)
        self.here, self.there, self.policy, self.mapping = here, there, Policy(policy), mapping(carries, separator)

    def look(self) -> Plan:
        plan = reconcile(
            self.link, {"cc": self.here}, {"Cc": self.there}, mapping=self.mapping, policy=self.policy, admit=admit
        )
        assert [step.loser for step in plan.steps] == [None]
        self.link = self.link.evolve(base={**self.link.base, **plan.base})
        if plan.inward:
            self.here = plan.inward["cc"]
        return plan

    def put(self, several: Iterable[str]) -> None:
        """Theirs, as they write it."""
        self.there = self.separator.join(several) if self.separator else tuple(several)

    def push(self, *, killed: bool = False, adds: bool = True, removes: bool = True) -> Plan:
        """Write what there is to write; `killed` before it is settled, when only some of it may have been taken."""
        plan = self.look()
        for step in plan.outward:
            intent = Intent(IntentKind.UPDATE, "T", AT, wrote={"cc": step.sends}, before={"Cc": self.there})
            sent, then = members(step.sends.theirs), members(self.there)
            self.put(sorted((sent if adds else sent & then) | (set() if removes else then - sent)))
            self.link = (
                self.link.evolve(intents=(intent,)) if killed else self.link.evolve(base={"cc": step.sends}, intents=())
            )
        return plan

    def rest(self) -> None:
        """Inward, outward, and then nothing any more."""
        self.push()
        self.push()
        assert self.push().quiet


@given(agreed, ours, theirs, policies)
def test_both_sides_come_to_rest_with_the_same_members_and_nobody_loses(
    base: Pair | None, here: Value, there: Value, policy: str
) -> None:
    mesh = Mesh(base, here, there, policy)
    mesh.rest()
    assert corresponds(rule(), mesh.here, mesh.there)
    ours_then, theirs_then = shared(here, there)
    known = set.intersection(*shared(base.ours, base.theirs)) if base else set[str]()
    stay = (ours_then & theirs_then) | ((ours_then ^ theirs_then) - known)
    assert shared(mesh.here, mesh.there) == (stay, stay)


@given(agreed, ours, theirs, st.sampled_from(Carries))
def test_no_trespass_what_was_never_agreed_on_is_removed_from_neither_side(
    base: Pair | None, here: Value, there: Value, carries: Carries
) -> None:
    mesh = Mesh(base, here, there, "central", carries)
    mesh.rest()
    known = set.intersection(*shared(base.ours, base.theirs)) if base else set[str]()
    assert members(here) - known <= members(mesh.here)
    assert members(there) - {WORDS[each] for each in known} <= members(mesh.there)
    assert members(mesh.here) <= {*members(here), *shared(here, there)[1]}
    assert members(mesh.there) <= {*members(there), *(WORDS[each] for each in shared(here, there)[0])}


@given(ours, theirs)
def test_a_side_that_has_changed_nothing_follows_the_other(here: Value, there: Value) -> None:
    both = rule()
    assert both.merged(here, there, agreed=(here, both.outward(here, held=None))) == both.inward(there, held=here)
    assert both.merged(here, there, agreed=(both.inward(there, held=None), there)) == here


@given(agreed, ours, theirs)
def test_a_merge_is_stable(base: Pair | None, here: Value, there: Value) -> None:
    both, ledger = rule(), (base.ours, base.theirs) if base else (None, None)
    once = both.merged(here, there, agreed=ledger)
    assert both.merged(once, both.outward(once, held=there), agreed=ledger) == once


EDITS = st.lists(
    st.tuples(st.sampled_from(["here", "there"]), st.sampled_from("abc"), st.booleans())
    | st.sampled_from(["look", "push", "killed", "added and killed", "removed and killed"]),
    max_size=12,
)


@given(EDITS, st.sampled_from(["", ", "]))
@example([("here", "a", True), "killed", ("here", "a", False), ("there", "b", True)], "")
@example([("here", "a", True), "killed", ("here", "a", False), ("there", "b", True)], ", ")
@example(
    [("here", "a", True), "push", ("here", "a", False), ("here", "b", True), "added and killed", ("here", "b", False)],
    "",
)
def test_the_last_edit_of_each_member_stands_once_nobody_contradicts_it(
    edits: Iterable[object], separator: str
) -> None:
    """Whatever is looked at, pushed or killed in between, however much of a write was taken: what only one side says of
    a member holds on both."""
    mesh = Mesh(Pair((), ()), (), (), "central", separator=separator)
    mesh.put(["stranger"])
    said: dict[str, dict[str, bool]] = {"here": {}, "there": {}}
    for edit in edits:
        if isinstance(edit, tuple):
            side, member, there = edit
            if said["there" if side == "here" else "here"].get(member, there) != there:
                continue  # a contradiction: either may stand
            _edit(mesh, side, member, there)
            said[side][member] = there
        elif edit == "look":
            mesh.look()
        else:
            cut = edit in ("added and killed", "removed and killed")
            adds, removes = edit != "removed and killed", edit != "added and killed"
            mesh.push(killed=cut or edit == "killed", adds=adds, removes=removes)
    mesh.rest()
    for member, there in [*said["here"].items(), *said["there"].items()]:
        assert (member in members(mesh.here), WORDS[member] in members(mesh.there)) == (there, there)
    assert "stranger" in members(mesh.there)


def _edit(mesh: Mesh, side: str, member: str, there: bool) -> None:
    if side == "here":
        rest = tuple(each for each in members(mesh.here) if each != member)
        mesh.here = (*rest, member) if there else rest
    else:
        rest = tuple(each for each in members(mesh.there) if each != WORDS[member])
        mesh.put((*rest, WORDS[member]) if there else rest)
