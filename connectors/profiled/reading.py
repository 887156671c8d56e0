"""From answers to tickets, in the shapes that the profile names."""

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any

from connectors.answers import Answer
from connectors.api import Change, RemoteFile, RemoteTicket, Value, VersionStrength
from connectors.errors import Became, NotFound, ProtocolError
from connectors.profiled.conversation import Listener
from connectors.profiled.fields import Fields
from connectors.profiled.pictured import digest, pictured
from connectors.profiled.quirks import Talk
from connectors.profiled.site import Site
from connectors.profiled.values import at, fill, plain, spread, text


class Reader:
    """Reads one site's answers."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._profile = site.profile
        self._fields = Fields(site)
        talk = site.profile.conversation
        self._listener = Listener(site, talk, self._fields) if talk is not None else None

    def raw(self, answer: Answer, key: str | None = None) -> Mapping[str, Any]:
        """The ticket inside an answer, with what further requests add to it.

        :raises ProtocolError: there is none.  :raises Became: it is another one than asked for (merged)."""
        shape = self._profile.ticket
        found = at(answer.data(), shape.at)
        if isinstance(found, list) and len(found) == 1:
            found = found[0]
        if not isinstance(found, Mapping) or at(found, shape.key) in (None, ""):
            place = f"{shape.at}.{shape.key}".strip(".")
            raise ProtocolError(
                f"{answer.about}: the answer bears no ticket: nothing is under {place!r}. If this is how "
                f"{self._profile.product} says that there is none, a sign that means `empty` says so",
                raw=repr(found),
            )
        shown = self._site.key(at(found, shape.key))
        if key is not None and shown != key:
            raise Became(shown, was=key, merged=True)
        more = {name: self._site.read(request, key=shown).data() for name, request in shape.more.items()}
        return {**found, **more} if more else found

    def ticket(
        self, raw: Mapping[str, Any], answer: Answer, known: Collection[str] | None, version: str | None = None
    ) -> RemoteTicket:
        """The ticket, with what hangs on it where `known` is given and `version` is not what it still is."""
        shape, site = self._profile.ticket, self._site
        key = self._site.key(at(raw, shape.key))
        present = self.version(raw, answer)
        fields = self.fields(raw)
        talk: Talk | None = None
        unmoved = version == present and site.capabilities.version is VersionStrength.STRONG
        if self._listener is not None:
            talk = self._listener.hear(key, raw, known, unmoved=unmoved, made=answer.writes)
            opening = self._profile.conversation.opening if self._profile.conversation else None
            if opening is not None:
                fields[opening.field] = plain(talk.opening)
        elif known is not None and not unmoved and site.quirks.talk is not None:
            talk = site.quirks.talk(site, key, raw, present, known)
        if site.quirks.fields is not None:
            fields |= site.quirks.fields(site, key, raw)
        author = at(raw, shape.created_by)
        person = site.person(author) if author is not None else None
        changed = spread(raw, shape.changed_at)
        return RemoteTicket(
            key=key,
            version=present,
            fields=fields,
            comments=talk.comments if talk is not None and known is not None else None,
            known_comments=talk.known_comments if talk is not None and known is not None else None,
            files=(*(talk.files if talk is not None else ()), *self._pictured(raw, key)),
            history=talk.history if talk is not None else (),
            changed_at=site.moment(changed, f"ticket {key}") if changed is not None else None,
            created_by=person,
            own=person is not None and site.is_us(person),
            token=self.token(raw),
            address=self._address(raw, key),
            row_version=self.row_version(raw),
            aliases=tuple(text(each) for each in site.some(at(raw, shape.aliases or "-"))),
            read_at=answer.at,
        )

    def _pictured(self, raw: Mapping[str, Any], key: str) -> Iterator[RemoteFile]:
        """The images in the texts of its fields, each once."""
        seen = {each.id: each for said in self._fields.pictures(raw) for each in pictured(self._site, *said, key)}
        yield from seen.values()

    def inside(self, file: RemoteFile, key: str, comment: str) -> str:
        """The base64 of an image that stands in a text.  :raises NotFound: it does not any more."""
        raw = self.raw(self._site.ticket(key), key)
        if comment and self._listener is not None:
            found = list(self._listener.pictures(key, raw, comment))
        else:
            found = [each for _, pictures in self._fields.pictures(raw) for each in pictures]
        digits = next((each.digits for each in found if each.digits and digest(each) == file.id), None)
        if digits is None:
            raise NotFound(f"the image {file.name!r} is not in the text any more")
        return digits

    def _address(self, raw: Mapping[str, Any], key: str) -> str:
        shape = self._profile.ticket
        if shape.address_at is not None:
            return text(at(raw, shape.address_at))
        number = text(at(raw, shape.number)) if shape.number is not None else key
        return str(fill(shape.address, self._site.words(key=key, number=number)))

    def row(self, raw: Mapping[str, Any], answer: Answer) -> Change:
        """One row of a list."""
        shape = self._profile.ticket
        ticket = self.ticket(raw, answer, known=()) if self._site.capabilities.full_rows else None
        return Change(
            key=self._site.key(at(raw, shape.key)),
            version=self.row_version(raw),
            changed_at=self.changed_at(raw, answer),
            ticket=ticket,
            fields=ticket.fields if ticket else self.fields(raw, self._profile.listing.shows),
        )

    def changed_at(self, raw: Mapping[str, Any], answer: Answer) -> datetime:
        """When a row's ticket last changed."""
        return self._site.moment(spread(raw, self._profile.ticket.changed_at), answer.about)

    def version(self, raw: Mapping[str, Any], answer: Answer) -> str:
        """The ticket's version."""
        shape = self._profile.ticket.version
        if shape.header is not None:
            found = answer.headers.get(shape.header, "")
            found = found if shape.exact else found.removeprefix("W/").strip('"')
            if not found:
                raise ProtocolError(f"{answer.about}: the answer has no {shape.header} header, its version")
            return found
        if shape.at is not None:
            return "/".join(text(at(raw, path)) for path in shape.at)
        if shape.digest_without is None:
            return ""
        # the answer to a create leaves out what is still empty
        content = {name: value for name, value in raw.items() if value and name not in shape.digest_without}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]

    def row_version(self, raw: Mapping[str, Any]) -> str:
        """The version as list rows show it: a change time, unless the version itself is in the row."""
        shape = self._profile.ticket
        return "/".join(text(at(raw, path)) for path in shape.version.at or shape.changed_at)

    def fields(self, raw: Mapping[str, Any], shown: Collection[str] | None = None) -> dict[str, Value]:
        """The fields of a ticket's answer, or those that a row shows. One that is not in it is None."""
        return self._fields.read(raw, shown)

    def file_names(self, key: str) -> set[str]:
        """The names that files have on the ticket, our marks in them."""
        if self._listener is None:
            return set()
        return {each.file.name for each in self._listener.hung(key, self.raw(self._site.ticket(key), key))}

    def token(self, raw: Mapping[str, Any]) -> str | None:
        """Our token in the external id field."""
        return self._fields.token(raw)
