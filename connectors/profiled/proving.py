"""What the live system says of itself, and the proof of a registration: by reading only."""

from collections.abc import Iterable
from datetime import timedelta

from connectors import marks
from connectors.api import Finding, RemoteField
from connectors.errors import AccessError, ConnectorError, NotFound, OutOfBounds, Transient
from connectors.profiled import rights
from connectors.profiled.checking import check
from connectors.profiled.fields import Fields
from connectors.profiled.paging import Place
from connectors.profiled.polling import Poller
from connectors.profiled.site import Site
from connectors.profiled.values import at, fill, names
from connectors.profiled.vocabulary.tickets import FieldShape

_NOBODYS = "INTERDESK-PROBE-7Q2M"
"""A token that no ticket bears."""
_CLOCKS_AGREE = timedelta(minutes=2)


class Prover:
    """Describes and proves one site."""

    def __init__(self, site: Site, poller: Poller) -> None:
        self._site = site
        self._poller = poller
        self._profile = site.profile

    def describe(self) -> tuple[RemoteField, ...]:
        """The fields that can be mapped, with what each allows now."""
        found = [
            RemoteField(
                name,
                shape.kind,
                writable=shape.write is not None or name in self._profile.transitions,
                values=shape.values or (self._site.tables.words(shape.table) if shape.table else ()),
                max_length=self._longest(name, shape),
            )
            for name, shape in self._profile.fields.items()
        ]
        customs = self._profile.custom_fields
        if customs is not None and customs.table is not None:
            ours = fill(customs.token, self._site.words())
            found += [
                RemoteField(customs.prefix + name, "text")
                for name in self._site.tables.words(customs.table)
                if name != ours
            ]
        elif customs is not None:
            found += [RemoteField(customs.prefix + name, "text") for name in Fields(self._site).custom_names()[1:]]
        return tuple(found)

    def _longest(self, name: str, shape: FieldShape) -> int | None:
        """What a field holds of people's words: our token may need some room in it."""
        longest = shape.max_length or shape.max_bytes
        shares = self._profile.token is not None and name in (self._profile.token.mark, self._profile.token.title)
        return longest - marks.ROOM if longest is not None and shares else longest

    def probe(self) -> tuple[Finding, ...]:
        """Each finding in a sentence. A system that cannot be reached is one finding, not an error."""
        findings: list[Finding] = []
        first = self._place if self._account_is_told() else self._account  # where it is asked anything at all
        for prove in (self._account, self._place, self._token_field, self._rights, self._list, self._clock):
            try:
                findings += prove()
            except Transient as trouble:
                return (*findings, Finding(False, str(trouble), "see that the address is right and the system is up"))
            except OutOfBounds as trouble:
                return (*findings, Finding(False, str(trouble), trouble.remedy))
            except (AccessError, NotFound) as trouble:
                if prove == self._account or (prove == first and isinstance(trouble, AccessError)):
                    findings.append(Finding(False, str(trouble), self._whose(trouble)))
                    break
                if prove == self._place:  # all that follows stands on it
                    told = f"{self._named()} cannot be read: it is not there, or our account may not see it ({trouble})"
                    findings.append(Finding(False, told, "check the name, and let the account see it"))
                    break
                findings.append(Finding(False, str(trouble), AccessError.remedy))
            except ConnectorError as trouble:
                findings.append(Finding(False, str(trouble), "see that the address is that of the product's REST API"))
        return tuple(findings)

    def _whose(self, trouble: AccessError | NotFound) -> str:
        """What to do where not even our account can be read."""
        product = self._profile.product
        if isinstance(trouble, NotFound):
            return f"see that {product} answers at this address, and that no more of a page's path is in it"
        if trouble.remedy != AccessError.remedy:
            return trouble.remedy
        return f"{trouble.remedy}; and that it is {product} that answers there"

    def _account(self) -> Iterable[Finding]:
        person, product = self._site.account(), self._profile.product
        said = "by the settings, our account in {0} is {1}" if self._account_is_told() else "logged in to {0} as {1}"
        yield Finding(True, said.format(product, person.name or person.key))

    def _account_is_told(self) -> bool:
        """Whether the settings say who we are there, so that asking for our account asks nothing."""
        return self._profile.account is not None and self._profile.account.read is None

    def _place(self) -> Iterable[Finding]:
        self._site.ensure_place()
        page = self._poller.scan("")
        many = f"at least {len(page.changes)}" if page.more else str(len(page.changes))
        doubt = "" if page.changes else ": if people see some there, its name is another one"
        yield Finding(True, f"{self._named()} can be read; it holds {many} tickets{doubt}")

    def _token_field(self) -> Iterable[Finding]:
        customs = self._profile.custom_fields
        if self._profile.token is not None:
            yield self._searched("our token")
            return
        if customs is None:
            told = "no field of a ticket bears our token: a create whose answer is lost could not be told from none"
            yield Finding(False, told, "say in the profile where it goes: custom_fields or token")
            return
        name = fill(customs.token, self._site.words())
        if customs.table is not None:
            try:
                self._site.tables.id(customs.table, name)
            except LookupError as absent:
                remedy = (
                    "add such a text field to the tickets and let the account see and change it, or name another as "
                    "external_id; where there is no ticket yet to see it on, say the field's number"
                )
                yield Finding(False, f"the custom field {name!r}, meant for our token, is not there: {absent}", remedy)
                return
        if customs.only is not None and not self._shows(name, customs.rows):
            told = f"the field {name!r}, meant for our token, is on no ticket"
            yield Finding(False, told, "add such a text field to the tickets, or name another as external_id")
            return
        yield self._searched(f"the custom field {name!r}")

    def _searched(self, what: str) -> Finding:
        """Whether tickets are found by it, and none by what none bears."""
        if not self._profile.listing.find:
            return Finding(
                True, f"no search knows {what}: a ticket is found among those that changed since it was made"
            )
        if self._poller.bearing(_NOBODYS):
            told = f"searching by {what} does not work: a token that nobody has was found"
            return Finding(False, told, "let the field be used as a filter")
        return Finding(True, f"{what} is there, and tickets are found by it")

    def _shows(self, name: str, place: str) -> bool:
        """Whether tickets have this field; where there is none yet, nobody can tell."""
        shown = self._poller.page(Place()).rows
        return not shown or name in (at(shown[0].raw, place) or {})

    def _rights(self) -> Iterable[Finding]:
        if self._profile.rights is not None:
            return rights.found(self._site, self._profile.rights)
        return self._site.quirks.rights(self._site) if self._site.quirks.rights is not None else ()

    def _list(self) -> Iterable[Finding]:
        return check(self._site, self._poller)

    def _clock(self) -> Iterable[Finding]:
        offset = self._site.http.offset
        if offset is None:
            yield Finding(True, "the server does not tell its time; polling goes by its change times alone")
        elif abs(offset) <= _CLOCKS_AGREE:
            yield Finding(True, "its clock agrees with ours")
        else:
            way = "ahead of" if offset > timedelta(0) else "behind"
            yield Finding(
                True,
                f"its clock is {timedelta(seconds=round(abs(offset).total_seconds()))} {way} ours: polling allows for "
                "it, times shown to people will differ",
            )

    def _named(self) -> str:
        """The place, in the operator's own words."""
        profile = self._profile
        said = names(
            [part.model_dump() for part in (profile.place, profile.within, profile.listing) if part is not None]
        )
        words = [
            f"{name} {self._site.settings[name]!r}"
            for name, setting in profile.settings.items()
            if setting.kind == "text" and setting.required and setting.default is None and name in said
        ]
        return " ".join(words) or self._site.url
