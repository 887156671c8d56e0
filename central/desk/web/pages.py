"""Templates made into pages. Everything is escaped; nothing here decides what is shown."""

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from typing import Any

import jinja2
from fastapi import Request
from fastapi.responses import HTMLResponse

from central.desk.reading import ELSEWHERE
from central.desk.views import words
from central.desk.web.visitors import Visitor

TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


class Pages:
    """The pages of one centre."""

    def __init__(self, centre: str) -> None:
        environment = jinja2.Environment(
            loader=jinja2.PackageLoader("central.desk.web"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,  # they are part of the program: nothing is gained by looking at each file each time
        )
        environment.filters.update(
            moment=words.moment,
            span=words.span,
            about=words.about,
            ago=words.ago,
            size=words.size,
            value=words.shown,
            person=words.name_of,
            web=web,
            spark=spark,
        )
        self.static = {
            each.name: each.read_bytes()
            for each in resources.files(__package__).joinpath("static").iterdir()
            if each.name.endswith(tuple(TYPES))
        }
        marks = {name: hashlib.sha256(data).hexdigest()[:12] for name, data in self.static.items()}
        environment.globals.update(
            centre=centre,
            static=lambda name: f"/static/{name}?{marks[name]}",
            visitor=None,
            here="",
            elsewhere=ELSEWHERE,
        )
        self._environment = environment

    def page(self, template: str, visitor: Visitor | None = None, status: int = 200, /, **values: Any) -> HTMLResponse:
        """A whole page, with the way around for this visitor."""
        return HTMLResponse(self.text(template, visitor=visitor, **values), status)

    def text(self, template: str, /, **values: Any) -> str:
        """A template as text."""
        return self._environment.get_template(template).render(values)

    def said(self, sentence: str, visitor: Visitor | None, status: int, more: str = "") -> HTMLResponse:
        """A page that says why there is none."""
        return self.page("said.html", visitor, status, sentence=sentence, more=more)


def web(address: str) -> str:
    """The address if a browser may safely follow it; '' else (a tracker could send a script)."""
    return address if address.startswith(("https://", "http://")) else ""


def spark(trail: tuple[int, ...], width: int = 100, height: int = 20) -> str:
    """The points of a small line: the newest on the right, the highest at the top."""
    top = max(trail, default=0) or 1
    heights = {value: f"{height - 1 - value * (height - 2) / top:.1f}" for value in set(trail)}
    return " ".join([place + heights[value] for place, value in zip(_places(len(trail), width), trail, strict=True)])


@lru_cache(maxsize=8)
def _places(many: int, width: int) -> tuple[str, ...]:
    """How far to the right each of so many points is."""
    step = width / max(many - 1, 1)
    return tuple(f"{number * step:.1f}," for number in range(many))


def partial(request: Request) -> bool:
    """Whether a part of a page is asked for, to be put into one that is there."""
    return request.headers.get("hx-request") == "true"


SAID: Mapping[str, str] = {
    "answered": "Your answer is on the ticket, and on its way to the systems that it is linked to.",
    "noted": "The internal note is on the ticket.",
    "changed": "The ticket is changed; the systems that it is linked to are told.",
    "unchanged": "Nothing was different, so nothing was changed.",
    "opened": "The ticket is open.",
    "deleted": "The comment is taken back.",
    "hidden": "The comment is internal now.",
    "shown": "The comment is public now.",
    "out": "You are signed out.",
    "password": "Your password is the new one; you are signed out everywhere else.",
    "tied": "Your account is tied with your institution: you may sign in there from now on.",
    "token-revoked": "The token is revoked: it stands for nobody any more.",
    "granted": "It is granted.",
    "revoked": "It is revoked.",
    "disabled": "Nobody comes in with this account any more: sessions, tokens and links are void.",
    "enabled": "They may come in again, as they were.",
    "elsewhere": "You are signed out everywhere but here.",
    "answered-all": "That is its document now. Ask it next.",
    "key-made": "That is its document now. A key for sealed secrets was made in the state folder of this centre "
    "(seal.key): whoever runs it keeps a copy apart from the backups.",
    "amended": "That is in its document now.",
    "signed": "Your name is under what is lost.",
    "paused": "It is paused: nothing goes to and fro, and what is owed waits.",
    "resumed": "It goes on where it was left.",
    "live": "It is live: what changes from now on travels.",
    "shadowed": "It is in shadow: every write is computed, and none is made.",
    "released": "It is taken up again.",
    "announced": "The maintenance is announced: nothing is written there in its time, and nobody is alarmed.",
    "maintained": "No maintenance is announced any more: what it is owed is written.",
    "rolled-back": "The earlier revision is the newest one now.",
    "retried": "They are tried again.",
    "edited": "What they carry is changed on their tickets, and they are tried again.",
    "settled": "It is said what became of the comment, and its letter is tried again.",
    "discarded": "They are given up; the tickets go on saying what was not told.",
    "decided": "It is decided; both sides are told.",
    "approved": "It goes on.",
    "judged": "That is decided. Nothing is written there before it is released, here.",
    "rejected": "It is rejected; our values stand here.",
    "mail-released": "It is believed: its ticket is opened, or answered.",
    "mail-discarded": "It is discarded.",
    "stopped": "Nothing is written to any system from now on.",
    "let-go": "Writing goes on.",
}
"""What a page says above itself after something was done; only these can be said by an address."""

TROUBLE: Mapping[str, str] = {
    "unreachable": "The provider that lets people in does not answer. Try again in a while, or sign in here.",
    "busy": "Too many went there from where you are. Wait a minute, then try again.",
    "failed": "The provider's answer was not one to believe, or came too late. Try again.",
    "tied": "The two accounts could not be tied: one of them belongs to somebody else already.",
}
"""Why somebody whom the OpenID provider sent back is not in."""
