"""Examples of mappings on the desk's bench: replayed as the command line does it, and told value by value."""

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence

from central import registry
from central.desk.services.errors import NotNow, Wrong
from central.desk.services.examples import Example, Handed, Item, Meaning, Translated
from central.store.api import NoSuch, Store
from connectors.errors import NotFound
from mappings import library
from mappings.document import compile_mapping
from mappings.extending import KEY
from mappings.fixtures.document import Became, Case, Fixture, Outcome, Said, Way
from mappings.fixtures.replay import KINDS, judged, outcome, same, shown, stranger, suite
from mappings.loader import MAX_CHARACTERS, Document, DocumentError, Place, Problem, read
from mappings.model import Mapping as CompiledMapping
from mappings.model import Value
from sync.capturing import capture
from sync.gateway import Gateway
from sync.helm import told
from sync.secrets import Secrets
from sync.stored import read_again

MOST = 300
"""So many examples are replayed at once; the command line knows no such bound."""
COMPARED = 400
"""Texts of more lines are shown one beside the other and not line by line: comparing costs their product."""
LONGEST = 2000
"""Characters of a value that are shown."""


class Examples:
    """Fulfils `central.desk.services.examples.Examples`."""

    def __init__(self, store: Store, gateway: Callable[[str], Gateway], secrets: Secrets, centre: str) -> None:
        """`gateway`: the way to a registered system."""
        self._store, self._gateway, self._secrets, self._centre = store, gateway, secrets, centre

    def shipped(self) -> Sequence[str]:
        """The mappings that come along, by name."""
        return library.names()

    def fixtures(self, name: str) -> str:
        """The examples that come along with one of those; '' where there are none."""
        return "---\n".join(each.source.removeprefix("---\n") for each in library.fixtures(name))

    def replay(
        self, handed: Sequence[Handed], registered: Sequence[registry.Document], by: Meaning, against: Meaning
    ) -> Sequence[Example]:
        """Every example in these texts, translated.  :raises Wrong: with all that is wrong in any of them."""
        with told():
            given = _read(handed)
            examples = suite([*given, *_needed(given, registered)])
            if not examples.fixtures:
                raise DocumentError([Problem(Place(handed[0].file, 1, 1), "there is no fixture here")])
            if len(examples.fixtures) > MOST:
                sentence = f"more than {MOST} fixtures; replay so many with `interdesk mapping replay`"
                raise DocumentError([Problem(examples.fixtures[MOST].document.place(("name",)), sentence)])
            one, other = _compiled(by), _compiled(against)
            named = {name: one or compile_mapping(document, revision=0) for name, document in examples.mappings.items()}
        return [_example(each, named[each.mapping], other) for each in examples.fixtures]

    def capture(self, system: str, key: str) -> str:
        """An example of a live ticket.  :raises NoSuch: it has no such ticket.  :raises NotNow, OutOfReach: it cannot
        be asked."""
        with told():
            try:
                gateway = self._gateway(system)
            except LookupError as problem:
                raise NotNow(str(problem)) from None
            try:
                return capture(self._store, gateway, key, self._secrets, centre=self._centre)
            except NotFound:
                raise NoSuch(f"there is no ticket {key} in {system}") from None


def _read(handed: Sequence[Handed]) -> list[Document]:
    if sum(len(each.text) for each in handed) > MAX_CHARACTERS:
        raise Wrong([(f"{handed[0].file}:1:1", f"more than {MAX_CHARACTERS} characters in all: hand in fewer")])
    found: list[Document] = []
    problems: list[Problem] = []
    for each in handed:
        try:
            documents = read(each.text, each.file)
        except DocumentError as error:
            problems += error.problems
            continue
        problems += (Problem(one.place(("kind",)), stranger(one)) for one in documents if one.kind not in KINDS)
        found += documents
    if problems:
        raise DocumentError(problems)
    return found


def _needed(given: Sequence[Document], registered: Sequence[registry.Document]) -> Iterator[Document]:
    """The registered mappings that these documents name and that are not among them."""
    wanted = {each.data.get("mapping") if each.kind == "fixture" else each.data.get(KEY) for each in given}
    here = {each.name for each in given if each.kind == "mapping"}
    return (read_again(each) for each in registered if each.name in wanted and each.name not in here)


def _compiled(meaning: Meaning) -> CompiledMapping | None:
    if meaning is None:
        return None
    document = library.shipped(meaning) if isinstance(meaning, str) else read_again(meaning)
    return compile_mapping(document, revision=0)


def _example(fixture: Fixture, mapping: CompiledMapping, other: CompiledMapping | None) -> Example:
    ways = tuple(_translated(fixture, case, mapping, other) for case in fixture.cases)
    return Example(
        fixture.name,
        fixture.mapping,
        fixture.about,
        str(fixture.document.place(("name",))),
        ways,
        green=all(item.agrees for way in ways for item in way.items),
        other_green=None if other is None else all(_is_green(case, other) for case in fixture.cases),
    )


def _is_green(case: Case, mapping: CompiledMapping) -> bool:
    became = judged(mapping, case)
    return became.keys() == case.expected.keys() and all(same(became[path], case.expected[path]) for path in became)


def _translated(fixture: Fixture, case: Case, mapping: CompiledMapping, other: CompiledMapping | None) -> Translated:
    became = judged(mapping, case)
    others: Outcome = {} if other is None else judged(other, case)
    items = []
    for path in dict.fromkeys((*case.expected, *became, *others)):
        expected, one, two = (each.get(path, Said.NOT_THERE) for each in (case.expected, became, others))
        agrees = same(expected, one)
        items.append(
            Item(
                ".".join(str(step) for step in path if step != "becomes"),
                str(fixture.place(case, path)),
                _said(expected),
                _said(one),
                agrees,
                _said(two) if other is not None else None,
                differs=other is not None and not same(one, two),
                lines=() if agrees else _lines(expected, one),
            )
        )
    held = None if case.held is None else _told(case.held)
    given = () if case.way is Way.CONFLICTS else _told(case.given)
    return Translated(case.way, given, held, tuple(items), _back(mapping, case, became))


def _back(mapping: CompiledMapping, case: Case, became: Outcome) -> tuple[tuple[str, str, str], ...] | None:
    """What would come back as something else, where it goes the other way at once."""
    fields: dict[str, Value] = {
        str(path[1]): value  # type: ignore[misc]  # what a field becomes is one value
        for path, value in became.items()
        if path[0] == "becomes" and not isinstance(value, Said)
    }
    if case.way is Way.CONFLICTS or ("gone",) in became or not fields:
        return None
    way = Way.OUTWARD if case.way is Way.INWARD else Way.INWARD
    there = outcome(mapping, Case(way, fields, case.given, (), {}))
    return tuple(
        (name, _value(was), _value(there["becomes", name]))
        for name, was in case.given.items()
        if ("becomes", name) in there and not same(there["becomes", name], was)
    )


def _told(fields: Mapping[str, Value]) -> tuple[tuple[str, str], ...]:
    return tuple((name, _value(value)) for name, value in fields.items())


def _said(value: Became) -> str | None:
    return None if value is Said.NOT_THERE else _value(value)


def _value(value: Became) -> str:
    """A value in words; a text of several lines as it stands."""
    text = _seen(value) if isinstance(value, str) and "\n" in value else shown(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text)} characters)"


def _seen(text: str) -> str:
    """What nobody could see, as its code."""
    return "".join(each if each.isprintable() or each == "\n" else repr(each)[1:-1] for each in text)


def _lines(expected: Became, became: Became) -> tuple[str, ...]:
    if not (isinstance(expected, str) and isinstance(became, str) and "\n" in f"{expected}{became}"):
        return ()
    old, new = _seen(expected).split("\n"), _seen(became).split("\n")
    if max(len(old), len(new)) > COMPARED:
        return ()
    return tuple(line[:LONGEST] for line in list(difflib.unified_diff(old, new, lineterm="", n=2))[3:])
