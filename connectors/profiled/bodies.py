"""Fields on their way into a request's body: where each goes, what it is called there, and what cannot be written."""

from collections.abc import Mapping, MutableMapping
from typing import Any

from connectors import marks
from connectors.api import Value
from connectors.errors import AccessError, ProtocolError
from connectors.markup import html_of
from connectors.profiled import tokens
from connectors.profiled.site import Site
from connectors.profiled.tables import UnknownWord
from connectors.profiled.values import at, called, fill, filled, joined, put
from connectors.profiled.vocabulary.tickets import FieldShape, Times


class Unwritable(Exception):
    """This value cannot be written to this field. The sentence says why; nothing was sent."""


class Bodies:
    """Puts fields and our token into the bodies of one site."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._profile = site.profile

    def place(
        self,
        body: MutableMapping[str, Any],
        below: str,
        name: str,
        value: Value,
        *,
        creating: bool = False,
        token: str | None = None,
        row: Any = None,
    ) -> None:
        """Put one field into a body, at its own place or as a `row`; the one that bears our token bears it on.

        :raises Unwritable: it has no place."""
        customs = self._profile.custom_fields
        if customs is not None and name.startswith(customs.prefix) and name not in self._profile.fields:
            self._place_custom(body, below, name.removeprefix(customs.prefix), value)
            return
        place, theirs = self.theirs(name, value, creating=creating, token=token)
        self._put(body, below, place, theirs, row)

    def theirs(self, name: str, value: Value, *, creating: bool = False, token: str | None = None) -> tuple[str, Any]:
        """What a field is called when written, and its value in the product's form.  :raises Unwritable: neither."""
        shape, product = self._profile.fields.get(name), self._profile.product
        if shape is None:
            raise Unwritable(f"there is no field {name!r}; there are: {', '.join(self._profile.fields)}")
        place = (shape.create if creating else None) or shape.write
        if place is None and name not in self._profile.transitions:
            raise Unwritable(f"{product} cannot change {name}")
        marked = self._profile.token
        if token is not None and marked is not None and tokens.bearer(marked) == name:
            value = tokens.bearing(marked, value, token)
        if shape.max_bytes is not None and isinstance(value, str) and len(value.encode()) > shape.max_bytes:
            raise Unwritable(f"{name} holds {shape.max_bytes} bytes of UTF-8; this is {len(value.encode())} long")
        if shape.max_length is not None and isinstance(value, str) and len(value) > shape.max_length:
            raise Unwritable(f"{name} is too long: it holds {shape.max_length} characters, and this has {len(value)}")
        return place or name, self._value(name, shape, value)

    def token(self, body: MutableMapping[str, Any], below: str, token: str, row: Any = None) -> None:
        """Put our token into a place of its own.  :raises AccessError: there is no such field that we can see."""
        if token == marks.UNMARKED:
            return
        shape, customs = self._profile.token, self._profile.custom_fields
        if shape is not None:
            if shape.write is not None:
                self._put(body, below, shape.write, token, row)
            return
        if customs is None:
            return
        name = fill(customs.token, self._site.words())
        try:
            self._place_custom(body, below, name, token)
        except Unwritable as problem:
            raise AccessError(f"the field for our token cannot be found: {problem}") from None

    def _put(self, body: MutableMapping[str, Any], below: str, place: str, theirs: Any, row: Any) -> None:
        """Put what is called so to its place, or as a row of the list there."""
        if row is None:
            put(body, joined(below, place), theirs)
            return
        listed = at(body, below) if below else body.get("")
        made = filled(row, self._site.words(field=called(place), value=theirs))
        put(body, below, [*(listed or ()), *(made if isinstance(row, list) else [made])])

    def said(self, template: Any) -> Any:
        """A template of settings; None where one of them is not given."""
        try:
            return fill(template, self._site.words()) if isinstance(template, str) else template
        except KeyError:
            return None

    def _value(self, name: str, shape: FieldShape, value: Value) -> Any:
        if value is None or value == () or value in shape.empty_words:
            return shape.empty_value
        if shape.values and str(value) not in shape.values:
            there = ", ".join(shape.values)
            raise Unwritable(f"{self._profile.product} has no {value!r} for {name}; it has: {there}")
        if isinstance(value, tuple):
            words = [self._word(shape, each) for each in value]
            if shape.split is not None:
                return shape.split.join(map(str, words))
            return [each if shape.wrapped is None else filled(shape.wrapped, {"value": each}) for each in words]
        said = self._word(shape, value)
        return said if shape.wrapped is None else filled(shape.wrapped, {"value": said})

    def _word(self, shape: FieldShape, value: bool | int | str) -> Any:
        if shape.table is not None:
            try:
                return _number(self._site.tables.id(shape.table, str(value)))
            except UnknownWord as problem:
                raise Unwritable(str(problem)) from None
        if shape.parts:
            return self._parted(shape, value)
        if shape.kind == "moment" and self._profile.times != Times():
            return self._moment(value)
        if isinstance(value, str):
            value = marks.sayable(value)
        if shape.format != "plain":
            return html_of(str(value))
        return _number(value) if shape.kind == "number" and isinstance(value, str) else value

    def _moment(self, value: Value) -> str | int:
        """A moment in the form that the product writes them in.  :raises Unwritable: it is none."""
        try:
            return self._site.told(value)
        except ProtocolError as problem:
            raise Unwritable(str(problem)) from None

    def _parted(self, shape: FieldShape, value: Value) -> dict[str, int]:
        """A moment as an object of numbers.  :raises Unwritable: it is none."""
        try:
            when = self._site.local(value)
        except ProtocolError as problem:
            raise Unwritable(str(problem)) from None
        return {name: int(when.strftime(pattern)) for name, pattern in shape.parts.items()}

    def _place_custom(self, body: MutableMapping[str, Any], below: str, name: str, value: Value) -> None:
        customs = self._profile.custom_fields
        assert customs is not None, "only products with custom fields come here"
        said = customs.empty_value if value is None else list(value) if isinstance(value, tuple) else value
        place = joined(below, customs.write)
        if customs.shape == "names":
            held = at(body, place) if place else body
            if isinstance(held, MutableMapping):
                held[name] = said
            else:
                put(body, place, {name: said})
            return
        try:
            number = self._site.tables.id(customs.table, name) if customs.table else name
        except UnknownWord as problem:
            raise Unwritable(str(problem)) from None
        put(body, place, [*(at(body, place) or ()), {customs.write_name: _number(number), customs.write_value: said}])


def carried(raw: Mapping[str, Any], carry: Mapping[str, str], body: MutableMapping[str, Any]) -> None:
    """Put along what must be sent as it stands, where the body does not say it already."""
    for place, path in carry.items():
        if at(body, place) is None:
            put(body, place, at(raw, path))


def _number(word: str) -> int | str:
    return int(word) if word.isdecimal() else word
