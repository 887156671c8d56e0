"""Failure case 19: whatever people do to a comment, in whatever order, in trackers that can edit and that cannot.

Two systems and the centre; one comment, written in any of them. All pairs of acts with and without a round of looks
between them, and longer stories with lost answers and kills drawn by hypothesis.
"""

import itertools
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from central.desk.services.errors import NotAllowed
from central.model import Visibility
from connectors.emulators.tracker import Note
from connectors.errors import Transient
from connectors.memory import Call
from sync.simulation.mesh import Member
from tests.stateful.test_mesh import CrashingStore, Killed
from tests.unit.sync.test_amend import DUMB_REDMINE, EDITING_RT
from tests.unit.sync.world import TPM, World

PLACES = ("rt", "redmine", "centre")
CAPABLE = {
    "one edits": {},
    "both edit": {"rt": EDITING_RT},
    "neither edits": {"redmine": DUMB_REDMINE},
    "deletions follow": {"rt": EDITING_RT, "rt_follows_deletes": True},
}
ACTS = (
    *("edit home", "delete home", "hide home", "show home"),
    *("edit centre", "delete centre", "hide centre", "show centre"),
    *("edit copy", "delete copy"),
)


@dataclass
class Conversation:
    """One comment, and what people do to it. Every text is unlike every other."""

    world: World
    home: str
    keys: dict[str, str] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)
    secret: set[str] = field(default_factory=set)
    """Texts that were written while the comment was internal: nobody else may ever see them."""

    copied: set[str] = field(default_factory=set)
    """Texts that somebody wrote into our copy: they have read them."""

    def begin(self) -> None:
        world = self.world
        self.keys = dict(zip(("rt", "redmine"), world.shared(), strict=True))
        text = self._text()
        if self.home == "centre":
            world.centre.comment(1, text, TPM)
        else:
            self.member(self.home).tracker.person("carol").comment(self.keys[self.home], text)
        world.mesh.settle()

    def member(self, name: str) -> Member:
        return self.world.rt if name == "rt" else self.world.redmine

    def act(self, what: str) -> None:
        """Do it where it can be done at all."""
        how, where = what.split()
        (comment,) = self.world.comments()
        if where == "centre" or (where == "home" and self.home == "centre"):
            self._at_centre(how, comment.id)
            return
        names = [self.home] if where == "home" else [name for name in ("rt", "redmine") if name != self.home]
        for name in names:
            note = self._note(name)
            # where a conversation is not read as a whole, nothing done there can be known
            if note is not None and self.member(name).connector.capabilities.whole_conversation:
                self._there(how, name, note)

    def _at_centre(self, how: str, comment_id: int) -> None:
        centre = self.world.centre
        try:
            if how == "edit":
                centre.edit_comment(1, comment_id, self._text(hidden=self._hidden()), TPM)
            else:
                {"delete": centre.delete_comment, "hide": centre.hide_comment, "show": centre.show_comment}[how](
                    1, comment_id, TPM
                )
        except NotAllowed:
            return

    def _there(self, how: str, name: str, note: Note) -> None:
        person, key = self.member(name).tracker.person("dora"), self.keys[name]
        match how:
            case "edit":
                lines = note.text.split("\n")
                ours = note.author == "interdesk"
                text = self._text(hidden=note.internal)
                if ours:
                    self.copied.add(text)
                person.reword(key, note.id, "\n".join([*lines[:2], text, *lines[3:]]) if ours else text)
            case "delete":
                person.unsay(key, note.id)
            case "hide":
                person.hide(key, note.id)
            case "show":
                self.secret.discard(note.text)  # its author publishes it
                person.show(key, note.id)

    def _note(self, name: str) -> Note | None:
        """The comment itself, or our first copy of it."""
        notes = self.world.issue(self.member(name)).notes
        return next((n for n in notes if (n.author == "carol") == (name == self.home)), None)

    def _hidden(self) -> bool:
        return self.world.comments()[0].visibility is Visibility.INTERNAL

    def _text(self, *, hidden: bool = False) -> str:
        self.texts.append(f"text-{len(self.texts):03d}")
        if hidden:
            self.secret.add(self.texts[-1])
        return self.texts[-1]

    def broken(self) -> list[str]:
        """What is wrong at rest."""
        world = self.world
        world.mesh.settle(60)
        world.mesh.scan()
        wrong = world.end(60)
        (comment,) = world.comments()
        name = f"comment {comment.id}"
        for place in ("rt", "redmine"):
            member = self.member(place)
            ours = [note for note in world.issue(member).notes if note.author == "interdesk"]
            stands = name in world.link(member.name).disagreements
            if len({note.text.rpartition("[")[0] for note in ours}) != len(ours):
                wrong.append(f"{place} was told twice: {[note.text for note in ours]}")
            leaked = [note.text for note in ours for text in self.secret if text in note.text]
            if leaked and self._hidden():
                wrong.append(f"{place} was told what was never public: {leaked}")
            if comment.visibility is Visibility.INTERNAL and not stands:
                shown = {text: note for note in ours for text in self.texts if text in note.text}
                wrong += [f"{place} still shows {note.text!r}" for t, note in shown.items() if t not in self.copied]
            if comment.visibility is Visibility.PUBLIC and comment.deleted_at is None and not stands:
                shown = [note.text for note in world.issue(member).notes if not note.internal]
                if not any(comment.text in text for text in shown):
                    wrong.append(f"{place} was not told {comment.text!r}: {shown}")
        return wrong


def play(story: tuple[str, ...], home: str, capable: str) -> list[str]:
    """Play a story from its beginning; what is broken in the end."""
    conversation = Conversation(World(**CAPABLE[capable]), home)  # type: ignore[arg-type]  # a world's own words
    conversation.begin()
    for what in story:
        if what == "round":
            conversation.world.mesh.settle(40)
            conversation.world.mesh.scan()
            conversation.world.mesh.settle(40)
        else:
            conversation.act(what)
    return conversation.broken()


@pytest.mark.parametrize("capable", CAPABLE)
@pytest.mark.parametrize("home", PLACES)
def test_whatever_two_things_happen_to_a_comment_all_know_in_the_end_and_nobody_who_must_not(
    home: str, capable: str
) -> None:
    pairs = itertools.product(ACTS, ACTS)
    stories = [story for one, two in pairs for story in ((one, two), (one, "round", two))]
    broken = {story: wrong for story in stories if (wrong := play(story, home, capable))}
    assert broken == {}


class CommentMachine(RuleBasedStateMachine):
    @initialize(home=st.sampled_from(PLACES), capable=st.sampled_from(sorted(CAPABLE)))
    def begin(self, home: str, capable: str) -> None:
        self.store = CrashingStore()
        world = World(**CAPABLE[capable], store=self.store)
        self.conversation = Conversation(world, home)
        self.conversation.begin()

    @rule(what=st.sampled_from(ACTS))
    def somebody_does_something(self, what: str) -> None:
        self.conversation.act(what)

    @rule()
    def a_round_passes(self) -> None:
        self.conversation.world.mesh.round()

    @rule()
    def everything_is_looked_at(self) -> None:
        self.conversation.world.mesh.scan()
        self.conversation.world.mesh.round()

    @rule(which=st.booleans(), operation=st.sampled_from(("edit_comment", "delete_comment", "comment", "fetch")))
    def an_answer_is_lost(self, which: bool, operation: str) -> None:
        connector = self.conversation.member("rt" if which else "redmine").connector

        def lose(call: Call) -> None:
            if call.operation == operation and call.done:
                connector.intruder = None
                raise Transient("the answer is lost")

        connector.intruder = lose
        self.conversation.world.mesh.round()
        connector.intruder = None

    @rule(commits=st.integers(0, 6), after=st.booleans())
    def interdesk_is_killed(self, commits: int, after: bool) -> None:
        mesh = self.conversation.world.mesh
        self.store.fuse, self.store.after = commits, after
        try:
            mesh.scan()
            mesh.round()
        except Killed:
            mesh.restart()
        self.store.fuse = None

    def teardown(self) -> None:
        if hasattr(self, "conversation"):
            assert self.conversation.broken() == []


TestComments = CommentMachine.TestCase
TestComments.settings = settings(
    max_examples=60,
    stateful_step_count=14,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
