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
from mappings.check import Report, check, unsound
from mappings.check.subject import Centre, Looked, Side, Subject, Wrote
from mappings.document import Unsound, compile_mapping
from mappings.loader import Document, DocumentError, Problem, read_files, suggestion
from mappings.model import FieldMapping, Place, Value
from mappings.model import Mapping as CompiledMapping
from mappings.vocabulary import Move, Vocabulary, compile_vocabulary
from sync.plan import Verdict
from sync.policy import Policy, admit
from sync.reconcile import reconcile
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
        settable={frm.value: frozenset(to.value for to in workflow.permitted(frm, Actor.SUPPORTER)) for frm in Status},
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
        library.ensure_there(file)
        shipped = file in library.names() and not Path(file).exists()
        found += library.with_vocabulary(file) if shipped else read_files([Path(file)])
    return tuple(found)


def prove(given: Sequence[Document], spoken: Spoken | None = None) -> tuple[Report, ...]:
    """Every mapping among these documents, proven or refuted, with the vocabularies that stand beside it.

    `spoken`: what a live system says of itself; a mapping for its connector is held against that, and judged by the
    policies that it is registered with.

    :raises DocumentError: with all that is wrong: in a mapping or vocabulary, a document of another kind, a name that
        stands twice, no mapping at all."""
    vocabularies: dict[str, Vocabulary] = {}
    mappings: dict[str, tuple[Document, CompiledMapping] | Report] = {}
    problems: list[Problem] = []
    for document in given:
        try:
            each = extending.whole(document, partial(_extended, document.kind, given), _names(document.kind, given))
            if each.kind not in _KINDS:
                problems.append(Problem(each.place(("kind",)), _unknown(each)))
            elif each.name in (mappings if each.kind == "mapping" else vocabularies):
                problems.append(Problem(each.place(("name",)), f"the {each.kind} {each.name} stands here twice"))
            elif each.kind == "mapping":
                mappings[each.name] = _compiled(each, spoken)
            else:
                vocabularies[each.name] = compile_vocabulary(each)
        except DocumentError as error:
            problems += error.problems
    if not mappings and not problems and given:
        problems.append(Problem(given[0].place(("kind",)), "there is no mapping here to be proven"))
    if problems:
        raise DocumentError(dict.fromkeys(problems))
    subjects = [
        Subject(*each, _vocabulary(each[0], vocabularies, spoken))
        for each in mappings.values()
        if not isinstance(each, Report)
    ]
    judged = iter(check(subjects, centre(), EngineStep()))
    return tuple(each if isinstance(each, Report) else next(judged) for each in mappings.values())


def _compiled(document: Document, spoken: Spoken | None) -> tuple[Document, CompiledMapping] | Report:
    """The mapping to be judged, by the policies of the live system; or the judgement, where it cannot work as it is."""
    policies = spoken.policies if spoken is not None and document.data.get("connector") == spoken.connector else None
    try:
        return document, compile_mapping(document, revision=0, overrides=policies, lawless=True)
    except Unsound as error:
        return unsound.report(document, error)


def is_proven(vocabularies: Sequence[Document], mapping: Document) -> bool:
    """Whether this mapping is proven against these vocabularies; what is no mapping is not."""
    try:
        (report,) = prove([mapping, *vocabularies])
    except DocumentError:
        return False
    return report.proven


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
    if (live or product is not None) and connector in library.names():
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
        self._fields: dict[int, _Field] = {}
        self._looks: dict[tuple[int, str, Side], Looked] = {}
        self._settled: dict[tuple[int, Side, Wrote, bool], Side] = {}

    def look(self, subject: Subject, each: FieldMapping, side: Side) -> Looked:
        """Read theirs and decide: the real `reconcile`."""
        policy = subject.policy_of(each)
        key = (id(each), policy, side)
        if (looked := self._looks.get(key)) is None:
            looked = self._looks[key] = self._field(subject, each).look(policy, side)
        return looked

    def telling(self, each: FieldMapping, side: Side) -> Side:
        """Without writes that theirs does not show, and without the refusal of something else."""
        wrote, refused = side.open, side.refused
        if wrote:
            shows = each.rule.canonical_theirs(side.theirs)
            wrote = tuple(w for w in wrote if w.effect or each.rule.canonical_theirs(w.theirs) == shows)
        if refused is not None and refused[1] != side.theirs:
            refused = None
        return Side(side.ours, side.theirs, side.base, wrote, refused)

    def settle(self, subject: Subject, each: FieldMapping, side: Side, wrote: Wrote, reason: str) -> Side:
        """Record what became of a write: the real `settle_update`."""
        ours, *_ = side
        key = (id(each), side := side._replace(ours=None), wrote, bool(reason))
        if (settled := self._settled.get(key)) is None:
            settled = self._settled[key] = self._field(subject, each).settle(side, wrote, reason)
        return settled._replace(ours=ours)

    def _field(self, subject: Subject, each: FieldMapping) -> "_Field":
        if id(each) not in self._fields:
            self._fields[id(each)] = _Field(subject, each)
        return self._fields[id(each)]


class _Field:
    """One field of one link, as the engine holds it. It keeps the field, so that nothing else ever gets its id."""

    def __init__(self, subject: Subject, each: FieldMapping) -> None:
        self._each = each
        self._mapping = replace(subject.mapping, fields={each.central: each})
        self._links: dict[tuple[object, ...], Link] = {}

    def look(self, policy: str, side: Side) -> Looked:
        ours, theirs, base, opened, refused = side
        name = self._each.central
        plan = reconcile(
            self._link(side),
            {name: ours},
            {self._each.remote: theirs},
            mapping=self._mapping,
            policy=Policy(policy),
            admit=admit,
        )
        (step,) = plan.steps
        standing = step.why if step.verdict is Verdict.STANDING else ""
        took, write = step.verdict is Verdict.INWARD, None
        if step.verdict is Verdict.OUTWARD:
            sends = step.sends
            write = Wrote(sends.ours, sends.theirs, theirs)
        after = Side(
            step.become if took else ours,
            theirs,
            _values(step.base) or base,
            () if step.landed else opened,
            refused if standing else None,
        )
        return Looked(after, took, write, standing)

    def settle(self, side: Side, wrote: Wrote, reason: str) -> Side:
        name, remote = self._each.central, self._each.remote
        reasons = {remote: reason} if reason else {}
        after = {remote: side.theirs}
        settled = settle_update(
            self._link(side), self._intent(wrote, "now"), after, reasons, None, self._mapping, _AT
        ).link
        refusal = settled.refusals.get(name)
        return side._replace(
            base=_values(settled.base.get(name)),
            open=tuple(w for w in side.open if w != wrote),
            refused=None if refusal is None else (refusal.wanted, refusal.theirs),
        )

    def _link(self, side: Side) -> Link:
        """The link that holds this; what either side shows is no part of it."""
        _, _, base, opened, refused = side
        known = self._links.get(key := (base, opened, refused))
        if known is not None:
            return known
        name, revision = self._each.central, self._mapping.revision
        refusals: Mapping[str, Refusal] = {} if refused is None else {name: Refusal(*refused, "refused", revision, _AT)}
        self._links[key] = link = Link(
            1,
            1,
            "there",
            LinkState.ACTIVE,
            key="1",
            base={} if base is None else {name: Pair(*base)},
            refusals=refusals,
            intents=tuple(self._intent(wrote, str(number)) for number, wrote in enumerate(opened)),
            mapping_revision=revision,
        )
        return link

    def _intent(self, wrote: Wrote, token: str) -> Intent:
        name, remote = self._each.central, self._each.remote
        before: Mapping[str, Value] = {remote: wrote.before}
        if wrote.effect:
            effects: Mapping[str, Value] = {remote: wrote.theirs}
            return Intent(IntentKind.COMMENT, token, _AT, before=before, side_effects=effects, done=True)
        return Intent(IntentKind.UPDATE, token, _AT, wrote={name: Pair(wrote.ours, wrote.theirs)}, before=before)


def _values(pair: Pair | None) -> tuple[Value, Value] | None:
    return None if pair is None else (pair.ours, pair.theirs)
