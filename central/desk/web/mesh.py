"""The mesh, and how it goes on while somebody looks."""

from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import groupby
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import RedirectResponse, Response, StreamingResponse

from central.desk.pulse import Beat, Pulse, TooMany
from central.desk.views.mesh import Need, SystemView, by_need, part
from central.desk.web.pages import Pages
from central.desk.web.visitors import Visitor, Visitors
from central.rights import Action, demand

LASTING = timedelta(minutes=1)
"""A stream ends after so long, and the browser asks for it anew: then it is asked again who they are."""


class MeshPages:
    """What of the mesh somebody may see, as a page and as its changes."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._rendered: tuple[int, dict[str, str]] = (0, {})

    def shown(self, beat: Beat, visitor: Visitor, words: str) -> dict[str, Any]:
        """What the template is given."""
        systems = by_need(tuple(each for each in beat.overview.systems if visitor.sees(each.name)))
        found = [each for each in systems if words.casefold() in each.name.casefold()]
        tiles = self._tiles(beat)
        return {
            "at": beat.overview.at,
            "stopped": beat.overview.stopped,
            "systems": systems,
            "found": found,
            "groups": [
                (need, [tiles[each.name] for each in group])
                for need, group in groupby(found, key=lambda each: each.need)
            ],
            "figures": _figures(systems),
            "words": words,
            "Need": Need,
        }

    async def changes(self, pulse: Pulse, visitor: Visitor, words: str) -> AsyncIterator[str]:
        """What becomes different, as server-sent events: single tiles, or all of them where their order changes."""
        told: dict[str, str] = {}
        order: list[tuple[str, Need]] = []
        async for beat in pulse.beats(lasting=LASTING):
            if beat is None:
                yield ": still here\n\n"
                continue
            tiles, shown = self._tiles(beat), self.shown(beat, visitor, words)
            before, order = order, [(each.name, each.need) for each in shown["found"]]
            summary = self._pages.text("mesh_summary.html", **shown, swap=True)
            if order != before:
                yield _event("all", self._pages.text("mesh_tiles.html", **shown) + summary)
            else:
                now = {"": summary} | {name: _instead(tiles[name]) for name, _ in order}
                if different := [html for name, html in now.items() if told.get(name) != html]:
                    yield _event("some", "".join(different))
            told = {"": summary} | {name: _instead(tiles[name]) for name, _ in order}

    def _tiles(self, beat: Beat) -> dict[str, str]:
        """Every tile, rendered once for everybody who looks at this beat."""
        number, tiles = self._rendered
        if number != beat.number or not tiles:
            tiles = {
                each.name: self._pages.text(
                    "tile.html", system=each, trail=beat.trails.get(each.name, ()), at=beat.overview.at
                )
                for each in beat.overview.systems
            }
            self._rendered = (beat.number, tiles)
        return tiles


def router(pulse: Pulse, visitors: Visitors, pages: Pages) -> APIRouter:
    """The first page, and the mesh."""
    routes, mesh = APIRouter(), MeshPages(pages)

    @routes.get("/")
    def first(visitor: Annotated[Visitor, Depends(visitors.signed_in)]) -> Response:
        return RedirectResponse("/systems" if visitor.sees_systems else "/tickets", 303)

    @routes.get("/systems")
    def systems(visitor: Annotated[Visitor, Depends(visitors.signed_in)], q: str = "") -> Response:
        demand(visitor.sees_systems, visitor.principal, Action.SEE_SYSTEM)
        return pages.page("mesh.html", visitor, here="systems", **mesh.shown(pulse.beat(), visitor, q.strip()))

    @routes.get("/mesh/live")
    def live(visitor: Annotated[Visitor, Depends(visitors.signed_in)], q: str = "") -> Response:
        demand(visitor.sees_systems, visitor.principal, Action.SEE_SYSTEM)
        if pulse.full:
            return Response("So many watch already that no more can; the page can be loaded again.", 503)

        async def events() -> AsyncIterator[str]:
            try:
                async for event in mesh.changes(pulse, visitor, q.strip()):
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
