"""What `mappings.check` is given by the rest: our own side as plain data, and the engine's own step.

The step is `reconcile` and `settle_update` as they decide in production, on one field of one link.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from central import workflow
from central.link import Intent, IntentKind, Link, LinkState, Pair, Refusal
from central.model import FIELDS
from central.workflow import FINAL, OPEN, Actor, Status
from mappings import extending, library
from mappings.check import Report, check
from mappings.check.subject import Centre, Looked, Side, Subject, Wrote
from mappings.document import compile_mapping
from mappings.loader import Document, DocumentError, Problem, read_files, suggestion
from mappings.model import FieldMapping, Place, Value
from mappings.model import Mapping as CompiledMapping
from mappings.vocabulary import Move, Vocabulary, compile_vocabulary
from sync.policy import Policy, admit
from sync.reconcile import Verdict, reconcile
from sync.settle import settle_update
from sync.spoken import Spoken

_KINDS = ("mapping", "vocabulary")
_AT = datetime(2026, 1, 1, tzinfo=UTC)
_OURS = Place("central/workflow.py", 1, 1)
_AUTOMATIC = (
    (Status.SOLVED, Status.CLOSED, "nobody has verified it for ten working days"),
    (Status.UNSOLVED, Status.CLOSED, "nobody has objected for ten working days"),
    (Status.WAITING_FOR_REPLY, workflow.on_submitter_reply(Status.WAITING_FOR_REPLY), "an automatic reply comes in"),
)


def centre() -> Centre:
    """Our own side."""
    return Centre(
        fields={
            name: {
                "kind": spec.kind,
                "values": tuple(map(str, spec.values)),
                "max_length": spec.max_length,
                "required": spec.required,
            }
            for name, spec in FIELDS.items()
        },
        final=frozenset(each.value for each in FINAL),
        steps={frm.value: frozenset(_next(frm)) for frm in Status},
        moves=tuple(Move(frm.value, str(to), when, _OURS) for frm, to, when in _AUTOMATIC),
        settable=frozenset(to.value for frm in Status for to in workflow.permitted(frm, Actor.SUPPORTER)),
        internal=frozenset({"involve"}),
    )


def _next(frm: Status) -> set[str]:
    """Every status that may come after this one, by whoever sets it."""
    found = {to.value for actor in (Actor.SUPPORTER, Actor.SUBMITTER) for to in workflow.permitted(frm, actor)}
    found |= {str(to) for before, to, _ in _AUTOMATIC if before is frm}
    return found | ({workflow.assigned(frm)} if frm in OPEN else set()) - {frm.value}


def documents(files: Sequence[str]) -> tuple[Document, ...]:
    """The documents in these files; a name that is no file is that of a mapping of the library, with its vocabulary.

    :raises DocumentError: with all that is wrong."""
    found: list[Document] = []
    for file in files:
        shipped = file in library.names() and not Path(file).exists()
        found += library.with_vocabulary(file) if shipped else read_files([Path(file)])
    return tuple(found)


def prove(given: Sequence[Document], spoken: Spoken | None = None) -> tuple[Report, ...]:
    """Every mapping among these documents, proven or refuted, with the vocabularies that stand beside it.

    `spoken`: what a live system says of itself; a mapping for its connector is held against that.

    :raises DocumentError: with all that is wrong: in a mapping or vocabulary, a document of another kind, a name that
        stands twice, no mapping at all."""
    vocabularies: dict[str, Vocabulary] = {}
    mappings: dict[str, tuple[Document, CompiledMapping]] = {}
    problems: list[Problem] = []
    for document in given:
        try:
            each = extending.whole(document, partial(_extended, document.kind, given), _names(document.kind, given))
            if each.kind not in _KINDS:
                problems.append(Problem(each.place(("kind",)), _unknown(each)))
            elif each.name in (mappings if each.kind == "mapping" else vocabularies):
                problems.append(Problem(each.place(("name",)), f"the {each.kind} {each.name} stands here twice"))
            elif each.kind == "mapping":
                mappings[each.name] = each, compile_mapping(each, revision=0, lawless=True)
            else:
                vocabularies[each.name] = compile_vocabulary(each)
        except DocumentError as error:
            problems += error.problems
    if not mappings and not problems and given:
        problems.append(Problem(given[0].place(("kind",)), "there is no mapping here to be proven"))
    if problems:
        raise DocumentError(dict.fromkeys(problems))
    subjects = [Subject(each, mapping, _vocabulary(each, vocabularies, spoken)) for each, mapping in mappings.values()]
    return check(subjects, centre(), EngineStep())


def _extended(kind: str, given: Sequence[Document], name: str) -> Document | None:
    """The one of these documents, else of the library, that another extends."""
    found = next((each for each in given if (each.kind, each.name) == (kind, name)), None)
    if found is not None or name not in library.names():
        return found
    return next(each for each in library.with_vocabulary(name) if each.kind == kind)


def _names(kind: str, given: Sequence[Document]) -> set[str]:
    return {each.name for each in given if each.kind == kind} | set(library.names())


def _vocabulary(document: Document, vocabularies: Mapping[str, Vocabulary], spoken: Spoken | None) -> Vocabulary:
    """What the live system says, else the one of its own name, of its connector's, or of the mapping of the library
    that it extends."""
    connector = str(document.data["connector"])
    known = vocabularies.get(document.name) or vocabularies.get(connector)
    live = spoken is not None and spoken.connector == connector
    product = next((each.name for each in document.bases if each.name in library.names()), None)
    if known is None and live and connector in library.names():
        product = connector
    if known is None and product is not None:
        known = compile_vocabulary(library.with_vocabulary(product)[1])
    known = known or Vocabulary(document.name, {}, {}, declared=False)
    return spoken.over(known) if spoken is not None and live else known


def _unknown(document: Document) -> str:
    return f"a {document.kind!r} is not proven here{suggestion(document.kind, _KINDS)}"


class EngineStep:
    """`mappings.check.subject.Engine`. Each answer is remembered: a search asks for the same again and again."""

    def __init__(self) -> None:
        self._one: dict[int, CompiledMapping] = {}
        self._looks: dict[tuple[int, str, Side], Looked] = {}
        self._settled: dict[tuple[int, Side, Wrote, bool], Side] = {}
        self._kept: list[FieldMapping] = []

    def look(self, subject: Subject, each: FieldMapping, side: Side) -> Looked:
        """Read theirs and decide: the real `reconcile`."""
        policy = subject.policy or each.policy or subject.mapping.policy
        told = self.telling(each, side)
        key = (id(each), policy, told)
        if key not in self._looks:
            self._looks[key] = _look(self._alone(subject, each), each, policy, told)
        looked = self._looks[key]
        wrote = looked.side.open if told.open == side.open else side.open
        refused = side.refused if looked.standing else None
        return looked._replace(side=looked.side._replace(open=wrote, refused=refused))

    def telling(self, each: FieldMapping, side: Side) -> Side:
        """Without writes that theirs does not show, and without the refusal of something else."""
        wrote, refused = side.open, side.refused
        if wrote:
            shows = each.rule.canonical_theirs(side.theirs)
            wrote = tuple(w for w in wrote if w.effect or each.rule.canonical_theirs(w.theirs) == shows)
        if refused is not None and refused[1] != side.theirs:
            refused = None
        return side._replace(open=wrote, refused=refused)

    def settle(self, subject: Subject, each: FieldMapping, side: Side, wrote: Wrote, reason: str) -> Side:
        """Record what became of a write: the real `settle_update`."""
        key = (id(each), side._replace(ours=None), wrote, bool(reason))
        if key not in self._settled:
            self._settled[key] = _settle(self._alone(subject, each), each, side, wrote, reason)
        return self._settled[key]._replace(ours=side.ours)

    def _alone(self, subject: Subject, each: FieldMapping) -> CompiledMapping:
        """The mapping with this field only."""
        if id(each) not in self._one:
            self._kept.append(each)  # so that nothing else ever gets its id
            self._one[id(each)] = replace(subject.mapping, fields={each.central: each})
        return self._one[id(each)]


def _settle(mapping: CompiledMapping, each: FieldMapping, side: Side, wrote: Wrote, reason: str) -> Side:
    link = _link(mapping, each, side)
    reasons = {each.remote: reason} if reason else {}
    settled = settle_update(
        link, _intent(each, wrote, "now"), {each.remote: side.theirs}, reasons, None, mapping, _AT
    ).link
    refusal = settled.refusals.get(each.central)
    return side._replace(
        base=_values(settled.base.get(each.central)),
        open=tuple(w for w in side.open if w != wrote),
        refused=None if refusal is None else (refusal.wanted, refusal.theirs),
    )


def _look(mapping: CompiledMapping, each: FieldMapping, policy: str, side: Side) -> Looked:
    plan = reconcile(
        _link(mapping, each, side),
        {each.central: side.ours},
        {each.remote: side.theirs},
        mapping=mapping,
        policy=Policy(policy),
        admit=admit,
    )
    (step,) = plan.steps
    ours = step.become if step.verdict is Verdict.INWARD else side.ours
    standing = step.why if step.verdict is Verdict.STANDING else ""
    return Looked(
        side=Side(
            ours,
            side.theirs,
            _values(step.base) or side.base,
            () if step.landed else side.open,
            side.refused if standing else None,
        ),
        took=step.verdict is Verdict.INWARD,
        write=Wrote(step.sends.ours, step.sends.theirs, side.theirs) if step.verdict is Verdict.OUTWARD else None,
        standing=standing,
    )


def _link(mapping: CompiledMapping, each: FieldMapping, side: Side) -> Link:
    name = each.central
    refusals: Mapping[str, Refusal] = (
        {} if side.refused is None else {name: Refusal(*side.refused, "refused", mapping.revision, _AT)}
    )
    return Link(
        1,
        1,
        "there",
        LinkState.ACTIVE,
        key="1",
        base={} if side.base is None else {name: Pair(*side.base)},
        refusals=refusals,
        intents=tuple(_intent(each, wrote, str(number)) for number, wrote in enumerate(side.open)),
        mapping_revision=mapping.revision,
    )


def _intent(each: FieldMapping, wrote: Wrote, token: str) -> Intent:
    before: Mapping[str, Value] = {each.remote: wrote.before}
    if wrote.effect:
        effects: Mapping[str, Value] = {each.remote: wrote.theirs}
        return Intent(IntentKind.COMMENT, token, _AT, before=before, side_effects=effects, done=True)
    return Intent(IntentKind.UPDATE, token, _AT, wrote={each.central: Pair(wrote.ours, wrote.theirs)}, before=before)


def _values(pair: Pair | None) -> tuple[Value, Value] | None:
    return None if pair is None else (pair.ours, pair.theirs)
