"""The mesh, and how it goes on while somebody looks."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import groupby
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response, StreamingResponse

from central.desk.pulse import Beat, Pulse, TooMany
from central.desk.views.mesh import Need, SystemView, by_need, part
from central.desk.views.words import about, ago
from central.desk.web.pages import Pages
from central.desk.web.visitors import Visitor, Visitors
from central.rights import Action, demand

LASTING = timedelta(minutes=1)
"""A stream ends after so long, and the browser asks for it anew."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What of one beat some people see: all who may see the same share it."""

    values: Mapping[str, Any]
    """What the templates are given."""
    order: tuple[tuple[str, Need], ...]
    parts: Mapping[str, str]
    """Each system's tile, and under '' the figures, as what takes the place of the one that is shown."""


class MeshPages:
    """What of the mesh somebody may see, as a page and as its changes."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._lock = threading.Lock()
        self._number = 0
        self._shapes: dict[tuple[frozenset[str], str], Shape] = {}
        """Of the beat that was asked for last."""
        self._tiles: dict[str, tuple[tuple[object, ...], str]] = {}
        """What each tile was made of when it was rendered last, and what came of it."""

    def shape(self, beat: Beat, visitor: Visitor, words: str) -> Shape:
        """This beat as they see it. Rendered once for all who may see the same."""
        seen = frozenset(each.name for each in beat.overview.systems if visitor.sees(each.name))
        with self._lock:
            if beat.number != self._number:
                self._number, self._shapes = beat.number, {}
            if (seen, words) not in self._shapes:
                self._shapes[seen, words] = self._shaped(beat, seen, words)
            return self._shapes[seen, words]

    async def changes(self, pulse: Pulse, who: Callable[[], Visitor | None], words: str) -> AsyncIterator[str]:
        """What becomes different, as server-sent events: single tiles, or all of them where their order changes.

        `who` is asked at each beat: it ends where nobody may see it any more."""
        told: Mapping[str, str] = {}
        order: tuple[tuple[str, Need], ...] | None = None
        async for beat in pulse.beats(lasting=LASTING):
            if beat is None:
                yield ": still here\n\n"
                continue
            visitor = await asyncio.to_thread(who)
            if visitor is None or not visitor.sees_systems:
                return
            shape = await asyncio.to_thread(self.shape, beat, visitor, words)
            if shape.order != order:
                tiles = await asyncio.to_thread(self._pages.text, "mesh_tiles.html", **shape.values)
                yield _event("all", tiles + shape.parts[""])
            elif different := [html for name, html in shape.parts.items() if told.get(name) != html]:
                yield _event("some", "".join(different))
            told, order = shape.parts, shape.order

    def _shaped(self, beat: Beat, seen: frozenset[str], words: str) -> Shape:
        systems = by_need(tuple(each for each in beat.overview.systems if each.name in seen))
        found = [each for each in systems if words.casefold() in each.name.casefold()]
        tiles = {each.name: self._tile(each, beat) for each in found}
        groups = [
            (need, [tiles[each.name] for each in group]) for need, group in groupby(found, lambda each: each.need)
        ]
        values = {
            "at": beat.overview.at,
            "stopped": beat.overview.stopped,
            "systems": systems,
            "groups": groups,
            "figures": _figures(systems),
            "words": words,
            "Need": Need,
        }
        figures = self._pages.text("mesh_summary.html", **values, swap=True)
        return Shape(
            values,
            tuple((each.name, each.need) for each in found),
            {"": figures} | {name: _instead(tile) for name, tile in tiles.items()},
        )

    def _tile(self, system: SystemView, beat: Beat) -> str:
        trail, at = beat.trails.get(system.name, ()), beat.overview.at
        stood = about(at - system.disagrees_since) if system.disagrees_since else ""
        made_of = (system, trail, ago(system.succeeded_at, at), stood)
        before, tile = self._tiles.get(system.name, ((), ""))
        if before != made_of:
            most = max(trail, default=0)
            tile = self._pages.text("tile.html", system=system, trail=trail, most=most, at=at, stood=stood)
            self._tiles[system.name] = (made_of, tile)
        return tile


def router(pulse: Pulse, visitors: Visitors, pages: Pages) -> APIRouter:
    """The first page, and the mesh."""
    routes, mesh = APIRouter(), MeshPages(pages)

    @routes.get("/")
    def first(visitor: Annotated[Visitor, Depends(visitors.signed_in)]) -> Response:
        if visitor.sees_systems:
            return RedirectResponse("/systems", 303)
        return RedirectResponse("/tickets" if visitor.reads_tickets else "/account", 303)

    @routes.get("/systems")
    def systems(visitor: Annotated[Visitor, Depends(visitors.signed_in)], q: str = "") -> Response:
        demand(visitor.sees_systems, visitor.principal, Action.SEE_SYSTEM)
        return pages.page("mesh.html", visitor, here="systems", **mesh.shape(pulse.beat(), visitor, q.strip()).values)

    @routes.get("/mesh/live")
    def live(request: Request, visitor: Annotated[Visitor, Depends(visitors.signed_in)], q: str = "") -> Response:
        demand(visitor.sees_systems, visitor.principal, Action.SEE_SYSTEM)
        if pulse.full:
            return Response("So many watch already that no more can; the page can be loaded again.", 503)

        async def events() -> AsyncIterator[str]:
            try:
                async for event in mesh.changes(pulse, partial(visitors.find, request), q.strip()):
                    yield event
            except TooMany:  # the last place was taken meanwhile
                return

        return StreamingResponse(events(), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})

    return routes


def _figures(systems: tuple[SystemView, ...]) -> list[tuple[str, str, str]]:
    """(what, how much, how it is) over all systems that somebody sees."""
    links, disagree = (sum(getattr(each, name) for each in systems) for name in ("links", "disagreements"))
    people = sum(each.need is Need.PERSON for each in systems)
    whole = part(links - disagree, links)
    return [
        ("need a person" if people != 1 else "needs a person", str(people), "failing" if people else "well"),
        ("linked tickets agree", whole, "late" if disagree else "well"),
        ("disagree", str(disagree), "late" if disagree else ""),
        ("looks owed", str(sum(each.due for each in systems)), ""),
        (
            "dead letters",
            str(sum(each.dead for each in systems)),
            "failing" if any(each.dead for each in systems) else "",
        ),
        (
            "held by guards",
            str(sum(each.held for each in systems)),
            "failing" if any(each.held for each in systems) else "",
        ),
    ]


def _instead(tile: str) -> str:
    """The tile as one that takes the place of the one that is there."""
    return tile.replace("<article ", '<article hx-swap-oob="true" ', 1)


def _event(name: str, html: str) -> str:
    return f"event: {name}\n" + "".join(f"data: {line}\n" for line in html.splitlines()) + "\n"
