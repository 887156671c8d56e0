"""Commands that are imported when they are typed: who proves a mapping waits for no database, tracker or web server."""

from collections.abc import Iterator, Mapping, MutableMapping
from importlib import import_module

import click


class Lazily(MutableMapping[str, click.Command]):
    """The commands of a group, by name; each stands among the `COMMANDS` of a module of this package."""

    def __init__(self, where: Mapping[str, str]) -> None:
        """`where`: command -> module."""
        self._where = dict(where)
        self._known: dict[str, click.Command] = {}

    def __getitem__(self, name: str) -> click.Command:
        if name not in self._known:
            module = import_module(f"sync.cli.{self._where[name]}")
            self._known |= {
                each.name: each for each in module.COMMANDS if self._where.get(each.name) == self._where[name]
            }
        return self._known[name]

    def __setitem__(self, name: str, command: click.Command) -> None:
        self._known[name] = command

    def __delitem__(self, name: str) -> None:
        self._where.pop(name, None)
        del self._known[name]

    def __iter__(self) -> Iterator[str]:
        yield from dict.fromkeys((*self._where, *self._known))

    def __len__(self) -> int:
        return len({*self._where, *self._known})
