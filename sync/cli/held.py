"""`connector test` where it holds a connector to the whole suite: on emulators, or on a live system by two accounts."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import click

from connectors import registry
from connectors.profiled.profile import Profile
from sync.bootstrap import Interdesk
from sync.cli.connectors import Named, field_values, named
from sync.cli.output import complain, document
from sync.cli.session import Session

if TYPE_CHECKING:
    from connectors.testing.stand import Stand
    from connectors.testing.suite import Chosen

HOLDS, DIFFERS = 0, 1


@dataclass(frozen=True, slots=True)
class Said:
    """What is said on the command line of a live system."""

    people: Sequence[str]
    """Settings that the account which acts as people has otherwise."""
    fields: Sequence[str]
    """What tickets hold: title, text, and what else they need."""
    owner: Sequence[str]
    refused: Sequence[str]
    write: bool


def held(chosen: "Sequence[Chosen]", *, as_json: bool) -> int:
    """Try every claim on each.  Exit code 1: one of them does not hold."""
    kept = [each.run(quiet=as_json) for each in chosen]
    if as_json:
        document([{"connector": each.name, **each.counts, "broken": each.broken} for each in chosen])
    return HOLDS if all(kept) else DIFFERS


def hold(session: Session, what: Sequence[str], said: Said, *, as_json: bool) -> int:
    """Hold a live system to the suite."""
    try:
        from connectors.testing.suite import Chosen
    except ModuleNotFoundError:
        raise click.UsageError("the suite needs pytest: pip install pytest") from None
    if not said.write:
        raise click.UsageError("the suite makes some 200 tickets there, and they stay: say --write if that is meant")
    with session.interdesk(create=True) as desk:
        wanted = named(desk, what)
        with _standing(desk, wanted, said) as stand:
            if stand is None:
                return DIFFERS

            @contextmanager
            def made() -> "Iterator[Stand]":
                yield stand

            return held([Chosen(wanted.system.name, made)], as_json=as_json)


@contextmanager
def _standing(desk: Interdesk, wanted: Named, said: Said) -> "Iterator[Stand | None]":
    """The stand; None where one of both accounts does not get so far, which is said."""
    from connectors.testing.live import Words, live
    from connectors.testing.troubled import Trouble

    system = wanted.system
    profile = wanted.profile or registry.profiles().get(system.connector)
    if not isinstance(profile, Profile):
        raise click.UsageError("only what a profile speaks over HTTP is held to the suite from here")
    fields = field_values(said.fields, "--set")
    if len(fields) < len(_FIRST):
        raise click.UsageError("say with --set what tickets hold: the title first, then the text, then what they need")
    subject, description, *more = fields
    words = Words(subject, description, {name: str(fields[name]) for name in more}, **_pairs(said))
    people = {
        name: _setting(profile, name, str(value)) for name, value in field_values(said.people, "--people").items()
    }
    others = replace(wanted, system=system.model_copy(update={"settings": {**system.settings, **people}}))
    trouble = Trouble(2 * desk.environment.max_answer)
    known = [each["secret"] for each in system.settings.values() if isinstance(each, Mapping) and "secret" in each]
    with closing(wanted.open(desk, trouble)) as ours, closing(others.open(desk)) as theirs:
        wrong = [each for connector in (ours, theirs) for each in connector.probe() if not each.ok]
        for each in wrong:
            complain(f"NO {each.sentence}", f"   {each.remedy}")
        secrets = tuple(map(desk.secrets.of(system.name, system.settings), known))
        yield None if wrong else live(ours, theirs, words, trouble, secrets=secrets)


_FIRST = ("title", "text")


def _pairs(said: Said) -> dict[str, Any]:
    """A person who can be in charge, and what our account is refused: one field and value each."""
    told = {"owner": field_values(said.owner, "--owner"), "refused": field_values(said.refused, "--refused")}
    return {name: next(iter(values.items())) for name, values in told.items() if values}


def _setting(profile: Profile, name: str, value: str) -> Any:
    """A setting as a system's document has it: a secret is a reference."""
    known = profile.settings.get(name)
    return {"secret": value} if known is not None and known.kind == "secret" else value
