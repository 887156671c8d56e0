"""Tickets and patches on their way out, and what became of them."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connectors import marks
from connectors.answers import Answer
from connectors.api import Lookup, RemoteTicket, Value, VersionStrength, Written
from connectors.errors import AccessError, ConnectorError, NotFound, Refused, Unknown, VersionConflict
from connectors.profiled import outcome, steps, tokens
from connectors.profiled.bodies import Bodies, Unwritable, carried
from connectors.profiled.reading import Reader
from connectors.profiled.site import HIDDEN, Site
from connectors.profiled.transitions import way
from connectors.profiled.values import at, called, fill, names, names_of, same
from connectors.profiled.vocabulary.writing import Transition, Update

Finder = Callable[[str, datetime], RemoteTicket | Lookup]
"""Looks for the ticket that bears a token; the time is when it was first written."""


@dataclass(slots=True)
class _Turn:
    """A patch on its way."""

    key: str
    left: dict[str, Value]
    held: RemoteTicket | None
    raw: Mapping[str, Any] = field(default_factory=dict)
    """The ticket as answered, where it was read for this."""
    refused: dict[str, str] = field(default_factory=dict)
    answers: list[Answer] = field(default_factory=list)

    def refuse(self, names: Iterable[str], reason: str) -> None:
        """Write these no more."""
        for name in names:
            self.refused[name] = reason
            self.left.pop(name, None)

    @property
    def version(self) -> dict[str, str]:
        """The word {version}, as far as it is known."""
        return {"version": self.held.version} if self.held is not None and self.held.version else {}

    @property
    def token(self) -> str | None:
        """The token that the ticket bears."""
        return self.held.token if self.held is not None else None


class Writer:
    """Writes to one site, and reads back what an answer does not tell."""

    def __init__(self, site: Site, reader: Reader, find: Finder) -> None:
        self._site = site
        self._reader = reader
        self._find = find
        self._bodies = Bodies(site)
        self._profile = site.profile

    # -- creating --------------------------------------------------------------------------------------------------

    def create(self, fields: Mapping[str, Value], token: str) -> RemoteTicket:
        """Make a ticket bearing the token.

        :raises Refused: with the product's words.  :raises Unknown: it may have been made."""
        shape, site, began = self._profile.create, self._site, self._site.environment.clock()
        wanted = {name: self._bodies.said(template) for name, template in shape.defaults.items()} | dict(fields)
        late = {name: wanted.pop(name) for name in shape.apart if wanted.get(name) is not None}
        words = steps.before(site, shape.first, {}, token)
        body = site.body(shape, site.words(**words))
        bearer = tokens.bearer(self._profile.token)
        for name, value in (({bearer: None} if bearer else {}) | wanted).items():
            if value is not None or name == bearer:
                try:
                    self._bodies.place(body, shape.at, name, value, creating=True, token=token, row=shape.row)
                except Unwritable as problem:
                    raise Refused(str(problem), field=name) from None
        self._bodies.token(body, shape.at, token, shape.row)
        answer = site.write(shape, body, **words)
        if shape.answers == "ticket" and not (late or shape.then) and self._shows_version(answer):
            return self._shown(answer, None, known=())[1]
        key = self._key(answer, token, began)
        try:
            steps.after(site, shape.then, {**words, "key": key})
            if late:
                self._send_all(_Turn(key, late, self.look(key, wrote=True)[1]))
        except ConnectorError as error:
            raise Unknown(f"ticket {key} was made, and what comes after it failed: {error}", key=key) from None
        return self.look(key, known=(), wrote=True)[1]

    def _key(self, answer: Answer, token: str, began: datetime) -> str:
        """The key of the ticket that was made."""
        shape, ticket = self._profile.create, self._profile.ticket
        if shape.answers == "nothing":
            found = self._find(token, began) if token != marks.UNMARKED else Lookup.UNKNOWN
            key = found.key if isinstance(found, RemoteTicket) else ""
        elif shape.answers == "ticket":
            key = self._site.key(at(at(answer.data(), ticket.at), ticket.key))
        else:
            key = self._site.key(steps.told(shape.keeps, answer))
        if not re.fullmatch(ticket.key_pattern, key):
            raise Unknown(f"{answer.about}: the answer to the create names no ticket; whether it was made is open")
        return key

    # -- updating --------------------------------------------------------------------------------------------------

    def update(self, key: str, patch: Mapping[str, Value], held: RemoteTicket | None) -> Written:
        """Write, read back, and tell what became of each field.

        Where the product refuses a whole write because of one field, the rest is written without it.

        :raises VersionConflict: the ticket has moved since `held`."""
        turn = _Turn(key, dict(patch), held)
        self._send_all(turn)
        shape, profile, sentences = self._profile.update, self._profile, list[str]()
        answer = turn.answers[-1] if len(turn.answers) == 1 else None
        if answer is not None and shape.answers == "ticket" and self._shows_version(answer):
            # the whole state, conversation included, or the fields only
            known = () if self._site.capabilities.complete_answers else None
            raw, after = self._shown(answer, key, known=known)
        else:
            raw, after = self.look(key, wrote=bool(turn.answers))
            if answer is not None and shape.sentences is not None:
                sentences = [str(each) for each in at(answer.data(), shape.sentences) or ()]
        stood = held.fields if held is not None else {}
        gone = [name for name, value in turn.left.items() if outcome.swallowed(profile, name, value, after)]
        for name, value in list(turn.left.items()):
            if not outcome.arrived(profile, name, value, after, held):
                turn.refuse([name], outcome.why(profile, name, value, after, raw, sentences))
        if before := {name: stood[name] for name in gone if name in stood}:
            # a word that it does not know has taken the place of one that it does
            self._send_all(_Turn(key, before, after))
            _, after = self.look(key, wrote=True)
        return Written(after, frozenset(patch) - frozenset(turn.refused), turn.refused)

    def _send_all(self, turn: _Turn) -> None:
        """Write what is left of a patch: the fields that share a request, then those that have one of their own."""
        shape, own = self._profile.update, self._profile.transitions
        if self._looks_first(turn):
            self._look(turn)
        stands = turn.held.fields if turn.held is not None else {}
        moves = [name for name, value in turn.left.items() if name in own and not same(stands.get(name), value)]
        riders = {rider for name in moves for rider in own[name].fields}
        common = [name for name in turn.left if name not in own and name not in riders]
        for some in [[each] for each in common] if shape.each else [common]:
            if turn.answers and (shape.guard or _bears_version(shape)):
                self._look(turn)
            self._send(turn, some)
        for name in moves:
            if turn.answers and (own[name].guard or _bears_version(own[name])):
                self._look(turn)
            self._move(turn, name)

    def _looks_first(self, turn: _Turn) -> bool:
        """Whether the ticket must be read before it can be written."""
        shape, own = self._profile.update, self._profile.transitions
        if shape.compare or shape.carry or tokens.bearer(self._profile.token) in turn.left:
            return bool(turn.left)
        return turn.held is None and bool(
            _bears_version(shape) or shape.companions or any(name in own for name in turn.left)
        )

    def _look(self, turn: _Turn) -> None:
        """Read the ticket as it stands now.  :raises VersionConflict: it has moved since it was held, by others."""
        turn.raw, present = self.look(turn.key, wrote=bool(turn.answers))
        held, strong = turn.held, self._site.capabilities.version is VersionStrength.STRONG
        if held is not None and self._profile.update.compare and not turn.answers:
            if present.version != held.version if strong else present.fields != held.fields:
                raise VersionConflict(f"ticket {turn.key} has moved since it was read; nothing was written")
        elif held is not None:
            for name, value in turn.left.items():
                stands = present.fields.get(name)
                if name in held.fields and not same(stands, held.fields[name]) and not same(stands, value):
                    raise VersionConflict(f"somebody has written {name} of ticket {turn.key} meanwhile")
        turn.held = present

    def _send(self, turn: _Turn, names: list[str]) -> None:
        """One request with these fields; again without those that it is refused for."""
        while names:
            try:
                self._sent(turn, names)
                return
            except Refused as said:
                # nothing of such a write is stored
                turn.refuse(
                    [each for each in names if outcome.speaks_of(self._profile, each, said.reason)] or list(names),
                    said.reason,
                )
                names = [each for each in names if each in turn.left]

    def _sent(self, turn: _Turn, names: list[str]) -> None:
        """One request with those of these fields that can be said, and what goes before it and after it.

        :raises Refused: nothing was written.  :raises Unknown: it was, and what comes after it failed."""
        shape, site = self._profile.update, self._site
        known = steps.before(site, shape.first, {"key": turn.key, **turn.version}, marks.UNMARKED)
        try:
            body, words = self._body(turn, names, known)
            if any(each in turn.left for each in names):
                turn.answers.append(self._write(shape, turn, body, **words))
        except Refused:
            with suppress(ConnectorError):  # what is checked out is checked in again
                steps.after(site, shape.then, known)
            raise
        try:
            steps.after(site, shape.then, known)
        except ConnectorError as error:
            raise Unknown(f"ticket {turn.key} was written, and what comes after it failed: {error}") from None

    def _body(
        self, turn: _Turn, names: Iterable[str], known: Mapping[str, Any]
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """The body of an update, and the words that it knows; what cannot be written is refused."""
        shape, words = self._profile.update, dict(known)
        for name in names if shape.each else ():
            with _refusing(turn, name):
                place, words["value"] = self._bodies.theirs(name, turn.left[name], token=turn.token)
                words["field"] = called(place)
        body = self._site.body(shape, self._site.words(**words))
        for name in () if shape.each else names:
            with _refusing(turn, name):
                self._bodies.place(body, shape.at, name, turn.left[name], token=turn.token, row=shape.row)
        stands = turn.held.fields if turn.held is not None else {}
        for name in shape.companions:
            if name in stands and name not in turn.left:
                self._bodies.place(body, shape.at, name, stands[name], token=turn.token, row=shape.row)
        carried(turn.raw, shape.carry, body)
        return body, words

    def _move(self, turn: _Turn, name: str) -> None:
        """One field by the request of its own, with those that go along."""
        wanted = turn.left[name]
        shape = self._profile.transitions[name].saying(str(wanted))
        riders = [each for each in shape.fields if each in turn.left]
        try:
            theirs = self._bodies.theirs(name, wanted)[1]
            words: dict[str, Any] = {"to": theirs, **turn.version}
            if shape.ways is not None:
                there = (str(wanted), str(theirs))
                words["way"], takes = way(self._site, shape.ways, turn.key, name, there)
                riders = [
                    each
                    for each in riders
                    if takes is None or names_of(self._bodies.theirs(each, turn.left[each])[0])[0] in takes
                ]
            body = self._site.body(shape, self._site.words(key=turn.key, **words))
            for rider in riders:
                self._bodies.place(body, shape.at, rider, turn.left[rider])
            turn.answers.append(self._write(shape, turn, body, **words))
        except (Unwritable, Refused) as said:
            reason = said.reason if isinstance(said, Refused) else str(said)
            turn.refuse([name, *(each for each in shape.fields if each in turn.left)], reason)

    def _write(self, request: Update | Transition, turn: _Turn, body: Mapping[str, Any], **words: Any) -> Answer:
        known = {"key": turn.key, **words}
        guard = request.guard if turn.version else {}
        headers = {name: fill(value, known) for name, value in guard.items()}
        try:
            return self._site.write(request, body or None, headers=headers, errors=HIDDEN, **known)
        except NotFound as trouble:
            raise self.denied(turn.key, trouble) from None

    # -- before and after ------------------------------------------------------------------------------------------

    def _shows_version(self, answer: Answer) -> bool:
        header = self._profile.ticket.version.header
        return header is None or header in answer.headers

    def _shown(
        self, answer: Answer, key: str | None, known: Collection[str] | None
    ) -> tuple[Mapping[str, Any], RemoteTicket]:
        """The ticket that the answer to a write bears, with what has to be asked for besides.

        :raises Unknown: that failed; the write was done."""
        raw = self._reader.raw(answer, key)
        try:
            return raw, self._reader.ticket(raw, answer, known)
        except ConnectorError as error:
            key = self._site.key(at(raw, self._profile.ticket.key))
            raise Unknown(f"ticket {key} was written, and reading the rest of it failed: {error}", key=key) from None

    def look(
        self, key: str, *, known: Collection[str] | None = None, wrote: bool = False
    ) -> tuple[Mapping[str, Any], RemoteTicket]:
        """The ticket as answered, and as read.  :raises Unknown: it cannot be read, and was written already."""
        try:
            answer = self._site.ticket(key)
            raw = self._reader.raw(answer, key)
            return raw, self._reader.ticket(raw, answer, known)
        except ConnectorError as error:
            if not wrote:
                raise
            raise Unknown(f"ticket {key} was written, and reading it back failed: {error}", key=key) from None

    def denied(self, key: str, trouble: NotFound) -> AccessError | NotFound:
        """Why a ticket could not be written: a right is missing, or it is out of our sight."""
        try:
            self._site.ticket(key)
        except (AccessError, NotFound) as worse:
            return worse
        return AccessError(f"ticket {key} can be read and not be written, a right is missing: {trouble}")


def _bears_version(request: Update | Transition) -> bool:
    """Whether a request cannot be said without the version."""
    return "version" in names([request.path, request.query, request.headers, request.body])


@contextmanager
def _refusing(turn: _Turn, name: str) -> Iterator[None]:
    try:
        yield
    except Unwritable as problem:
        turn.refuse([name], str(problem))
