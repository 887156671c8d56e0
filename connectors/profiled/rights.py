"""Whether our account may do what a synchronisation does, before anything is tried: by reads only."""

from collections.abc import Iterator
from typing import Any

from connectors.api import Finding
from connectors.profiled.site import Site
from connectors.profiled.values import at, fill, text, truth
from connectors.profiled.vocabulary.rights import Rights


def found(site: Site, shape: Rights) -> Iterator[Finding]:
    """Each right in a sentence.  :raises ConnectorError: nobody tells."""
    answer = site.read(shape).data()
    if shape.everything is not None and truth(at(answer, shape.everything)):
        yield Finding(True, "the account is an administrator: it may do everything, more than it needs")
        return
    held = set(_held(answer, shape)) if shape.roles is None else set(_of_roles(site, answer, shape))
    for right, what in shape.needed.items():
        if right in held:
            yield Finding(True, f"the account may {what}")
        else:
            yield Finding(False, f"the account may not {what}", str(fill(shape.remedy, {"right": right})))
    for right, what in shape.useful.items():
        if right not in held:
            yield Finding(True, f"without the permission {right} the account cannot {what}")


def _of_roles(site: Site, answer: Any, shape: Rights) -> Iterator[str]:
    assert shape.roles is not None, "asked for only where rights belong to roles"
    place = {"place": site.place_id()} if site.profile.within is not None else {}
    ids = site.some(at(answer, str(fill(shape.roles.ids, place))))
    for number in sorted({text(each) for each in ids}):
        yield from _held(site.read(shape.roles.read, id=number).data(), shape)


def _held(answer: Any, shape: Rights) -> Iterator[str]:
    rights = at(answer, shape.held)
    if isinstance(rights, dict):
        yield from (name for name, said in rights.items() if truth(at(said, shape.granted)))
    else:
        yield from (text(each) for each in rights or ())
