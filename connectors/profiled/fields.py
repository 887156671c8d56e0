"""A ticket's fields: from the places and forms in which a product answers them to plain values."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from connectors.api import Value
from connectors.markup import Picture, read_as
from connectors.profiled import tokens
from connectors.profiled.site import Site
from connectors.profiled.values import at, called, fill, first, plain, text, word
from connectors.profiled.vocabulary.tickets import FieldShape, Times


class Fields:
    """Reads one site's fields."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._shapes = site.profile.fields
        self._customs = site.profile.custom_fields
        self._ours = {shape.history or called(shape.write or name): name for name, shape in self._shapes.items()}
        """Their name of a field in the history -> its name in the contract."""

    def read(self, raw: Mapping[str, Any], shown: Collection[str] | None = None) -> dict[str, Value]:
        """The fields of a ticket's answer, or those that a row shows. One that is not in it is None."""
        found: dict[str, Value] = {}
        for name, shape in self._shapes.items():
            if shape.at is not None and (shown is None or name in shown):
                found[name] = self._unmarked(name, self.value(shape, first(raw, shape.at)))
            elif not shape.told and shown is None:
                found[name] = None
        customs = self._customs
        if customs is not None:
            for number, name, value in self._custom_rows(raw):
                found[customs.prefix + name] = None if self._is_unset(value) else value
                if customs.table is not None:
                    self._site.tables.learn(customs.table, number, name)
        return found

    def pictures(self, raw: Mapping[str, Any]) -> Iterator[tuple[str, tuple[Picture, ...]]]:
        """Each text among the fields as people read it, and the images that they see in it."""
        for shape in self._shapes.values():
            found = first(raw, shape.at) if shape.at is not None and shape.kind == "text" else None
            if isinstance(found, str):
                yield read_as(shape.format, found)

    def token(self, raw: Mapping[str, Any]) -> str | None:
        """Our token, wherever the product bears it."""
        shape, name = self._site.profile.token, tokens.bearer(self._site.profile.token)
        if shape is not None:
            where = self._shapes[name] if name else None
            value = self.value(where, first(raw, where.at)) if where is not None and where.at is not None else None
            return tokens.read(shape, raw, value)
        if self._customs is None:
            return None
        wanted = fill(self._customs.token, self._site.words())
        for number, name, value in self._custom_rows(raw):
            if wanted in (name, number):
                return text(value) or None
        return None

    def custom_names(self) -> tuple[str, ...]:
        """Where an object's members are custom fields: which of them, ours for the token first."""
        customs = self._customs
        if customs is None or customs.only is None:
            return ()
        words = self._site.words()
        try:
            more = str(fill(customs.only, words)).replace(",", " ").split()
        except KeyError:  # that setting is not given
            more = []
        return tuple(dict.fromkeys([str(fill(customs.token, words)), *more]))

    def _custom_rows(self, raw: Mapping[str, Any]) -> Iterator[tuple[str, str, Value]]:
        """Id, name and value of each custom field."""
        customs = self._customs
        assert customs is not None, "asked for only where there are some"
        found = at(raw, customs.rows)
        alone = isinstance(found, Mapping) and {customs.name, customs.value} <= set(found)
        if isinstance(found, Mapping) and (customs.only is not None or not alone):
            names = self.custom_names() if customs.only is not None else tuple(found)
            yield from ((name, name, plain(found.get(name))) for name in names)
            return
        for row in self._site.some(found):
            yield text(at(row, "id")), text(at(row, customs.name)), plain(at(row, customs.value))

    def value(self, shape: FieldShape, found: Any) -> Value:
        """What an answer shows, in canonical form: of one type however it came."""
        if shape.kind == "set":
            pieces = found.split(shape.split) if isinstance(found, str) and shape.split else self._site.some(found)
            words = {text(at(each, shape.item)).strip() for each in pieces}
            return tuple(sorted(each for each in words if each and not self._is_unset(each, shape))) or None
        if shape.resolve is not None and found is not None:
            found = self._site.tables.word(shape.resolve, text(found)) or found
        value = plain(read_as(shape.format, found)[0] if isinstance(found, str) else found)
        if value is None or self._is_unset(value, shape):
            return None
        if shape.kind == "moment" and self._site.profile.times != Times():
            return self._site.moment(value, "a field").isoformat().replace("+00:00", "Z")
        if shape.kind == "number":
            return int(value) if isinstance(value, str) and value.lstrip("-").isdecimal() else value
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value

    def _is_unset(self, value: Value, shape: FieldShape | None = None) -> bool:
        said = word(value)
        return said in self._site.profile.unset or (shape is not None and said in shape.empty_words)

    def shown(self, row: Any, places: Mapping[str, Sequence[str]]) -> dict[str, Value]:
        """Fields as a row of the history shows them."""
        shapes = {name: self._shapes[name].model_copy(update={"resolve": None}) for name in places}
        return {name: self.value(shapes[name], first(row, paths)) for name, paths in places.items()}

    def changed(self, field: str, old: Any, new: Any, ids: tuple[Any, Any]) -> tuple[str, Value, Value] | None:
        """A field's change as the history tells it; None: it is none of ours. `ids`: those of both values."""
        name = self._ours.get(field)
        if name is not None:
            shape = self._shapes[name]
            table = shape.history_table or shape.table
            if shape.history_table is not None:
                old, new = ids
            was, became = (self._unmarked(name, self._was(shape, table, each)) for each in (old, new))
            return name, was, became
        if self._customs is not None and field in self.custom_names():
            return self._customs.prefix + field, plain(old), plain(new)
        return None

    def changed_custom(self, field: str, old: Any, new: Any) -> tuple[str, Value, Value] | None:
        """The same for a custom field, named by its id or its name."""
        customs = self._customs
        if customs is None:
            return None
        name = (self._site.tables.word(customs.table, field) if customs.table else None) or field
        return customs.prefix + name, plain(old), plain(new)

    def _unmarked(self, name: str, value: Value) -> Value:
        """A field as people wrote it."""
        shape = self._site.profile.token
        return tokens.without(shape, value)[0] if shape is not None and tokens.bearer(shape) == name else value

    def _was(self, shape: FieldShape, table: str | None, value: Any) -> Value:
        if table is not None and value not in (None, ""):
            value = self._site.tables.word(table, text(value)) or text(value)
        return self.value(shape.model_copy(update={"resolve": None}), value)
