"""`mapping preview`: what a mapping would do, before it does it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import click
from pydantic import TypeAdapter, ValidationError

from central.registry import Document as Registered
from central.store.api import Transaction
from mappings.document import compile_mapping
from mappings.fixtures.document import Fixture
from mappings.fixtures.replay import gather, shown, suite
from mappings.loader import Document, suggestion
from mappings.model import Mapping as CompiledMapping
from sync import live, preview
from sync.bootstrap import Interdesk
from sync.cli import named
from sync.cli.output import as_json, document, say, table
from sync.cli.session import Session
from sync.config import Duration, SystemDocument, system_document
from sync.gateway import Gateway
from sync.intended import Write
from sync.stored import read_again

_WIDEST = 60


def _span(ctx: click.Context, param: click.Parameter, value: str | None) -> timedelta | None:
    """A duration as documents write it."""
    try:
        return None if value is None else TypeAdapter(Duration).validate_python(value)
    except ValidationError:
        raise click.BadParameter("a duration is a number and its unit: 60s, 5m, 24h or 7d", ctx, param) from None


@click.command("preview")
@click.argument("mappings", nargs=-1, metavar="[MAPPING]...")
@click.option("--system", help="Over the tickets of this registered system, as they are there now.")
@click.option("--since", callback=_span, help="Over what travelled to and from the system in this time: 30d.")
@click.option("--fixtures", "folders", multiple=True, metavar="DIR|FILE", help="Over recorded examples instead.")
@click.option("--limit", type=click.IntRange(min=1), default=200, show_default=True, help="How many live tickets.")
@as_json
@click.pass_obj
def preview_(
    session: Session,
    mappings: Sequence[str],
    system: str | None,
    since: timedelta | None,
    folders: Sequence[str],
    limit: int,
    as_json: bool,
) -> None:
    """What a mapping would write where, ticket by ticket, and how much mail that would send. Nothing is written.

    MAPPING is a file, the NAME of a mapping that is registered or comes with interdesk, or NAME@REVISION. Of two, what
    the second does otherwise than the first. Of one, with --system, what it does otherwise than the mapping that the
    system has; of none, what that one is about to do. The system is asked by reading only.
    """
    if len(mappings) > 2 or (system is None) == (not folders) or (since is not None and system is None):
        raise click.UsageError("name one MAPPING or two, and either --system (--since goes with it) or --fixtures")
    if folders and not mappings:
        raise click.UsageError("name the MAPPING that the examples are to be read with")
    if system is None:
        _over_fixtures(named.anywhere(session, mappings), folders, as_json=as_json)
        return
    with session.interdesk() as desk:
        _over_system(desk, system, named.registered(desk, mappings), since, limit, as_json=as_json)


# -- over what --------------------------------------------------------------------------------------------------------


def _over_fixtures(documents: Sequence[Document], folders: Sequence[str], *, as_json: bool) -> None:
    compiled = [compile_mapping(each, revision=0) for each in documents]
    fixtures = _examples(folders, documents)
    mine = [each for each in fixtures if each.mapping in {document.name for document in documents}]
    if not mine:
        known = {each.mapping for each in fixtures}
        raise click.UsageError(f"there is no example of {documents[-1].name!r} there{suggestion('', known)}")
    rows = list(preview.over_examples(mine, compiled[-1], compiled[0] if len(compiled) == 2 else None))
    if as_json:
        document({"fixtures": len(mine), "differences": [asdict(row) for row in rows]})
        return
    say(f"{len(mine)} examples, {len(rows)} values would be {'otherwise' if len(compiled) == 2 else 'written'}")
    columns = ("Example", "Way", "Item", "Before" if len(compiled) == 2 else "Held", "Then")
    table(columns, [(r.fixture, r.way, r.item, _brief(shown(r.old)), _brief(shown(r.new))) for r in rows])


def _examples(folders: Sequence[str], documents: Sequence[Document]) -> tuple[Fixture, ...]:
    """The examples there; of a mapping that is given, whether it stands beside them or not."""
    found = gather(folders)
    beside = {each.name for each in found if each.kind == "mapping"}
    others = {each.name: each for each in documents if each.name not in beside}
    return suite([*found, *others.values()]).fixtures


def _over_system(
    desk: Interdesk,
    name: str,
    documents: Sequence[Document],
    since: timedelta | None,
    limit: int,
    *,
    as_json: bool,
) -> None:
    def question(tx: Transaction) -> tuple[SystemDocument, Registered]:
        live.registered(tx, name)
        system = system_document(read_again(tx.registry.document("system", name)))
        return system, tx.registry.document("mapping", system.mapping)

    system, registered = desk.store.read(question)
    gateway = desk.gateways.get(name)
    compiled = [_compiled(each, system, registered) for each in documents]
    new = compiled[-1] if compiled else gateway.mapping
    old = compiled[0] if len(compiled) == 2 else gateway.mapping if compiled else None
    if since is not None:
        found = preview.over_the_past(desk.store, name, new, old or gateway.mapping, since=desk.clock() - since)
        _tell_past(found, as_json=as_json)
        return
    told = preview.over_tickets(
        desk.means, _with(gateway, new), None if old is None else _with(gateway, old), limit=limit
    )
    _tell_live(told, compared=old is not None, as_json=as_json)


def _with(gateway: Gateway, mapping: CompiledMapping) -> Gateway:
    return gateway if mapping is gateway.mapping else preview.with_mapping(gateway, mapping)


def _compiled(document: Document, system: SystemDocument, registered: Registered) -> CompiledMapping:
    """As it would be once applied: the next revision, unless it is the registered one."""
    same = document.data == read_again(registered).data
    revision = registered.revision + (not same)
    return compile_mapping(document, revision=revision, overrides=system.overrides)


# -- what is told -----------------------------------------------------------------------------------------------------


def _tell_live(told: preview.Preview, *, compared: bool, as_json: bool) -> None:
    if as_json:
        document(
            {
                "tickets": told.tickets,
                "more": told.more,
                "mails": told.mails.most,
                "writes": [_plain_row(row) for row in told.rows],
                "stands": [asdict(each) for each in told.stands],
            }
        )
        return
    more = "; there are more (--limit)" if told.more else ""
    say(f"{told.tickets} tickets looked at{more}, nothing written", told.mails.sentence, "")
    verb = "would be otherwise" if compared else "would be written"
    say(f"{len(told.rows)} {verb}:" if told.rows else f"nothing {verb}")
    columns = ("Ticket", "Key", "To", "Item", "Is", "Would be", *(("Instead of",) if compared else ()), "Why")
    if told.rows:
        table(columns, [_cells(row, compared=compared) for row in told.rows])
    if told.stands:
        say("", f"{len(told.stands)} would not agree, and be left as they are:")
        table(
            ("Ticket", "Key", "Field", "Ours would be written as", "Theirs would be read as", "Why"),
            [(s.ticket_id, s.key, s.field, _brief(shown(s.says)), _brief(shown(s.reads)), s.why) for s in told.stands],
        )


def _cells(row: preview.Row, *, compared: bool) -> tuple[object, ...]:
    write = row.write
    instead = (_would(row.old),) if compared else ()
    return (row.ticket_id, row.key, write.side, write.item, _brief(write.before), _would(row.new), *instead, write.why)


def _would(write: Write | None) -> str:
    return "not written" if write is None else _brief(write.would) or "nothing"


def _plain_row(row: preview.Row) -> dict[str, Any]:
    write = row.write
    return {
        "ticket": row.ticket_id,
        "key": row.key,
        "to": write.side.value,
        "item": write.item,
        "before": write.before,
        "new": _plain_write(row.new),
        "old": _plain_write(row.old),
        "why": write.why,
    }


def _plain_write(write: Write | None) -> dict[str, Any] | None:
    return None if write is None else {"would": write.would}


def _tell_past(found: Mapping[preview.Otherwise, preview.Times], *, as_json: bool) -> None:
    if as_json:
        rows = [{**asdict(what), "times": times.count, "tickets": times.tickets} for what, times in found.items()]
        document({"differences": rows})
        return
    count = sum(times.count for times in found.values())
    say(f"{count} values would have become something else" if count else "nothing would have become something else")
    if found:
        table(
            ("Times", "Way", "Field", "Value", "Became", "Would have become", "Tickets"),
            [
                (t.count, w.way, w.field, _brief(w.value), _brief(shown(w.old)), _brief(shown(w.new)), t.tickets[:5])
                for w, t in found.items()
            ],
        )


def _brief(value: Any) -> str | None:
    """A value in a cell."""
    if value is None:
        return None
    text = " ".join(str("; ".join(value) if isinstance(value, tuple) else value).split())
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"


COMMANDS = (preview_,)
