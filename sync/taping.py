"""Tapes of a connector: what a live system answered to everything that reads, fit to be shown to anybody, and played
again without it.

Nothing that could be somebody's stays: whatever has blanks in it, the value of a text field, every comment, whoever is
named and every address of mail is said in other words; files are as long as they were, and empty of meaning. Words that
the product itself uses (fields, values, kinds) stay, so that the profile understands the tape as it understood the
system.
"""

import base64
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote
from xml.sax.saxutils import escape, unescape

from connectors.api import Connector, Person, RemoteTicket
from connectors.profiled.profile import Profile
from connectors.soap import related
from connectors.soap.parser import Unreadable
from connectors.tape import Exchange, Player, Recorder, dumped, loaded
from connectors.trial import Trial, Tried
from mappings.fixtures.pseudonyms import Pseudonyms

ELSEWHERE = "https://recorded.example.org"
"""The address of every system on a tape."""
_MAIL = re.compile(r"[\w.+-]{1,64}@[\w.-]{1,120}\.[a-zA-Z]{2,20}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d[\d:.,+Z -]*")
_DIGITS = re.compile(rb"[A-Za-z0-9+/]+={0,2}")
_LONG = 200
"""Characters without a blank that are no word any more, but a file."""
_WIDEST = 20_000_000


class BadTape(ValueError):
    """This is no tape, or one that this program does not understand."""


@dataclass(frozen=True, slots=True)
class Tape:
    """What was recorded of one system."""

    connector: str
    settings: Mapping[str, str]
    """As it was registered; secrets are words of no meaning."""
    exchanges: tuple[Exchange, ...]
    understood: tuple[str, ...]
    """What the profile made of it, sentence by sentence."""

    def dump(self) -> str:
        """The text of its file."""
        data = {
            "connector": self.connector,
            "settings": dict(self.settings),
            "understood": list(self.understood),
            "exchanges": dumped(self.exchanges),
        }
        return json.dumps(data, ensure_ascii=False, indent=1) + "\n"


def read(file: Path) -> Tape:
    """The tape in this file.  :raises BadTape: it is none."""
    try:
        if file.stat().st_size > _WIDEST:
            raise BadTape(f"{file} is larger than a tape can be")
        data = json.loads(file.read_text("utf-8"))
        return Tape(data["connector"], data["settings"], tuple(loaded(data["exchanges"])), tuple(data["understood"]))
    except OSError as trouble:
        raise BadTape(f"{file} cannot be read: {trouble.strerror}") from None
    except (ValueError, TypeError, KeyError, AttributeError) as trouble:
        raise BadTape(f"{file} is no tape of interdesk: {type(trouble).__name__} {trouble}") from None


def cleaned(profile: Profile, settings: Mapping[str, str], recorder: Recorder, trial: Trial, key: str) -> Tape:
    """The tape of what was just recorded, without what is somebody's. `key`: whoever has it can try out who is who."""
    address = settings.get("url", "").rstrip("/")
    words = {value for field in trial.fields for value in (field.name, *field.values) if field.kind == "choice"}
    words |= {field.name for field in trial.fields} | {str(value) for value in settings.values()}
    said = [value for field in trial.fields if field.kind == "text" for value in _values(trial, field.name)]
    said += [each.text for ticket in trial.tickets for each in ticket.comments or ()]
    signs = [sign.begins for sign in profile.errors.signs if sign.begins]
    words |= {str(word) for sign in profile.errors.signs for word in sign.equals or ()}
    others = _Others(Pseudonyms(key), trial.tickets, frozenset(words), frozenset(said), signs, address)
    moved = {name: value.replace(address, ELSEWHERE) if address else value for name, value in settings.items()}
    return Tape(profile.name, moved, tuple(map(others.exchange, recorder.exchanges)), ())


def blotted(secret: str) -> str:
    """A secret's form: what is long in it says nothing any more (some tell by their beginning who we are)."""
    said = re.sub(r"[A-Za-z0-9+/=_]{6,}", lambda found: "x" * len(found[0]), secret)
    return said if said != secret else "x" * len(secret)


def _values(trial: Trial, name: str) -> Iterator[str]:
    for ticket in trial.tickets:
        value = ticket.fields.get(name)
        if isinstance(value, str):
            yield value


def played(tape: Tape, open_: Callable[[Player], Connector], token: Callable[[], str]) -> tuple[str, ...]:
    """What is understood of a tape, sentence by sentence."""
    player = Player(tape.exchanges)
    connector = open_(player)
    try:
        return tuple(sentence(each) for each in Trial(connector, player.clock, token).reading())
    finally:
        connector.close()


def sentence(tried: Tried) -> str:
    """One line of what was understood."""
    return f"{'ok' if tried.finding.ok else 'NO'} {tried.operation}: {tried.finding.sentence}"


class _Others:
    """Says everything on a tape in other words."""

    def __init__(
        self,
        pseudonyms: Pseudonyms,
        tickets: Sequence[RemoteTicket],
        words: frozenset[str],
        said: frozenset[str],
        signs: Sequence[str],
        address: str,
    ) -> None:
        """`signs`: what the product's errors begin with, as far as the profile goes by that."""
        self._pseudonyms, self._words, self._address = pseudonyms, words, address
        self._said = said - words
        self._signs = tuple(signs)
        self._people = {name for person in _people(tickets) for name in (person.key, person.name, person.email) if name}

    def exchange(self, each: Exchange) -> Exchange:
        """The same exchange, about other people."""
        headers = {name: self._moved(value) for name, value in each.headers.items()}
        kind = next((value for name, value in headers.items() if name.lower() == "content-type"), "")
        body, packed = self._body(each, kind)
        return replace(each, headers=headers, body=body, packed=packed, address=self._asked(each.address))

    def _asked(self, address: str) -> str:
        """An address that names somebody names somebody else."""
        path, question, query = address.partition("?")
        steps = [unquote(step) for step in path.split("/")]
        steps = [self._pseudonyms.person(step) if step in self._people else step for step in steps]
        return "/".join(quote(step, safe="") for step in steps) + question + self._mailless(query)

    def _body(self, each: Exchange, kind: str) -> tuple[str, bool]:
        if "multipart/related" in kind and related.is_related(content := each.content()):
            with suppress(Unreadable, ValueError):  # its files go into the envelope, and mean nothing there
                envelope = related.alone(content, _meaningless).decode()
                return self._body(replace(each, body=envelope, packed=False), "text/xml")
        if (not each.packed and "json" in kind) or each.body[:1] in ("{", "["):
            try:
                return json.dumps(self._data(json.loads(each.body)), ensure_ascii=False), False
            except ValueError:
                pass
        if not each.packed and ("xml" in kind or each.body[:1] == "<"):
            body = self._moved(each.body)
            return re.sub(r"(?<=>)[^<>]+(?=<)", lambda found: escape(self._word(unescape(found[0]))), body), False
        return base64.b64encode(bytes(len(each.content()))).decode(), True

    def _data(self, data: Any) -> Any:
        if isinstance(data, dict):
            return {name: self._data(value) for name, value in data.items()}
        if isinstance(data, list):
            return [self._data(each) for each in data]
        return self._word(data) if isinstance(data, str) else data

    def _word(self, said: str) -> str:
        """A text of an answer: as it is if it is a word of the product, in other words if it may be somebody's."""
        if said in self._words or not said.strip() or _MOMENT.fullmatch(said):
            return said
        if said in self._people:
            return self._pseudonyms.person(said)
        for sign in self._signs:
            if said.startswith(sign):
                return sign + self._pseudonyms.text(self._mailless(said.removeprefix(sign)))
        if said in self._said:
            return self._pseudonyms.text(self._mailless(said))
        if self._address and said.startswith(self._address):
            return self._mailless(self._moved(said))
        if not re.search(r"\s", said):
            return self._mailless(said) if len(said) < _LONG else base64.b64encode(bytes(len(said) * 3 // 4)).decode()
        if "<" in said and ">" in said:
            return re.sub(r"(?<=>)[^<>]+|^[^<>]+", lambda found: self._pseudonyms.text(found[0]), self._mailless(said))
        return self._pseudonyms.text(self._mailless(said))

    def _mailless(self, text: str) -> str:
        return _MAIL.sub(lambda found: self._pseudonyms.person(found[0]), text)

    def _moved(self, text: str) -> str:
        return text.replace(self._address, ELSEWHERE) if self._address else text


def _meaningless(content: bytes) -> bytes:
    """As many bytes that say nothing; base64, if these are."""
    if content and len(content) % 4 == 0 and _DIGITS.fullmatch(content):
        return base64.b64encode(bytes(len(content.rstrip(b"=")) * 3 // 4))
    return bytes(len(content))


def _people(tickets: Iterable[RemoteTicket]) -> Iterator[Person]:
    for ticket in tickets:
        yield from (ticket.created_by,) if ticket.created_by else ()
        yield from (each.author for each in ticket.comments or ())
        yield from (each.author for each in ticket.history)
