"""4: what else our account wrote: comments of the centre, and the values that the centre had."""

from dataclasses import replace

from central.delivery import Lease
from central.events import Event, Kind
from central.link import LinkState, Pair
from central.model import Person, Visibility
from central.store.api import Transaction
from connectors.api import RemoteComment
from connectors.errors import ConnectorError, NotFound
from mappings.model import Untranslatable
from sync import routing
from sync.gateway import Gateway
from sync.intake import comment_of, tokens_of_unsent
from sync.past import Past, reread
from sync.pull import look
from sync.reading import Reading
from sync.recovery.search import Search, last_of, marked, name_of
from sync.tokens import Stands, stands_for


def read_rest(search: Search) -> None:
    """Read again what the search came upon, and take in all that is left."""
    for system, key in search.again:
        if system in search.done.unread:
            continue
        try:
            _read_again(search, system, key)
        except NotFound:
            continue  # the first look after the plan says so
        except ConnectorError as problem:
            search.unread(system, problem)


def _read_again(search: Search, system: str, key: str) -> None:
    gateway, past = search.gateways.get(system), search.past(system, key)
    if past is None or past.link.state is not LinkState.ACTIVE:
        return
    lease = search.lease(name_of(past.link))
    theirs = search.fetch(gateway, key, past)
    _tell_whose(search, gateway, past, theirs)
    _take_comments(search, gateway, reread(search.means.store, past), theirs, lease)
    past = reread(search.means.store, past)
    look(search.means, gateway, past, search.known_only(gateway, past, theirs), lease)


def _tell_whose(search: Search, gateway: Gateway, past: Past, theirs: Reading) -> None:
    """Where ours moved since the restore, a value there that we wrote is only an older word of ours."""

    def change(tx: Transaction) -> None:
        moved = search.moved_here(tx, past.ticket.id, gateway.system)
        base = dict(past.link.base)
        for name in moved & gateway.mapping.fields.keys():
            mapped = gateway.mapping.fields[name]
            last = last_of(theirs, mapped)
            if mapped.remote in theirs.ticket.fields and last is not None and last.own:
                value = theirs.ticket.fields[mapped.remote]
                try:
                    base[name] = Pair(mapped.rule.inward(value, held=past.ticket[name]), value)
                except Untranslatable:
                    continue
        tx.links.save(past.link.evolve(base=base))

    search.means.store.write(change)


def _take_comments(search: Search, gateway: Gateway, past: Past, theirs: Reading, lease: Lease) -> None:
    """Comments of the centre that it has forgotten: taken in with the author whom their first line names."""
    unsent = tokens_of_unsent(search.means, gateway, past)
    for comment in theirs.ticket.comments or ():
        kind = stands_for(comment.token)
        if not marked(comment) or comment.internal or comment.id in past.known or comment.token in unsent:
            continue
        if kind is Stands.COMMENT:
            _take(search, gateway, past, comment, lease)
        elif kind is Stands.FILE:
            _take(search, gateway, past, replace(comment, text=""), lease)
        else:
            ignored = (*past.link.ignored, comment.id)
            past = replace(past, link=past.link.evolve(ignored=ignored))
            link = past.link
            search.means.store.write(lambda tx, link=link: tx.links.save(link))  # type: ignore[misc]  # bound now


def _take(search: Search, gateway: Gateway, past: Past, comment: RemoteComment, lease: Lease) -> None:
    new = comment_of(search.means, gateway, comment, frozenset(past.file_ties.values()), lease)
    signed = gateway.mapping.comment.signed(new.text)
    author = Person("somebody", f"somebody at {search.means.centre}")
    if signed is not None:
        author = Person(signed.author, signed.author)
        new = replace(new, text=signed.text, created_at=signed.at or new.created_at)
    new = replace(new, author=author, origin_system=None, origin_id=comment.token)

    def change(tx: Transaction) -> None:
        at = search.means.clock()
        tx.outbox.check(lease, at)
        added = tx.tickets.add_comment(past.ticket.id, new)
        tx.links.tie_comment(past.link.id, added.id, comment.id, at)
        for file in tx.tickets.files(past.ticket.id):
            if file.comment_id == added.id and file.origin_id:
                tx.links.tie_file(past.link.id, file.id, file.origin_id)
        tx.tickets.touch(past.ticket.id, at, internal=added.visibility is Visibility.INTERNAL)
        why = "forgotten by the restore; taken in from its copy"
        data = {"comment": added.id, "remote": comment.id}
        event = Event(Kind.COMMENT_ADDED, past.ticket.id, at, author, data=data, why=why)
        tx.tickets.record([event])
        target = routing.system_of(past.ticket["unit"], search.means.units())
        owed = routing.owed(past.links, target, source=gateway.system)
        search.means.relay.owe_outward(tx, owed, past.ticket.id, at, reason="a comment was found again")

    search.means.store.write(change)
    search.done.comments += 1
