"""Images that people see in a text, as files: those whose bytes stand in it, and those that are kept at an address of
the product's own (`embedded`). Others stay where they are, and the text tells their names."""

import hashlib
import mimetypes
import re
from collections.abc import Iterator, Sequence
from urllib.parse import quote, unquote

from connectors.api import RemoteFile
from connectors.markup import Picture
from connectors.profiled.site import Site

_INSIDE = "inside:"
_OTHERS = "application/octet-stream"


def pictured(site: Site, said: str, pictures: Sequence[Picture], key: str, comment: str = "") -> Iterator[RemoteFile]:
    """The files of a text: `said` as it is read, `pictures` what its markup shows. Without `comment` it is a field."""
    if not site.capabilities.files:
        return
    found: dict[str, RemoteFile] = {}
    for each in pictures:
        if each.digits:
            place = f"{_INSIDE}{quote(key, safe='')}/{quote(comment, safe='')}"
            size = len(each.digits.rstrip("=")) * 3 // 4
            found.setdefault(digest(each), RemoteFile(digest(each), each.name, each.media_type, size, place))
        elif where := _below(site, each.source):
            found.setdefault(where, RemoteFile(where, each.name, _kind(each.name), None, where))
    for where in _mentioned(site, said) if not pictures else ():
        name = unquote(re.split("[?#]", where)[0].rpartition("/")[2]) or "file"
        found.setdefault(where, RemoteFile(where, name, _kind(name), None, where))
    yield from found.values()


def digest(picture: Picture) -> str:
    """The id of an image whose bytes stand in a text: by what it shows."""
    return hashlib.sha256(picture.digits.encode()).hexdigest()[:24]


def stands_in(file: RemoteFile) -> tuple[str, str] | None:
    """Key and comment of the text that a file stands in; None: it is kept elsewhere."""
    if not file.address.startswith(_INSIDE):
        return None
    key, _, comment = file.address.removeprefix(_INSIDE).partition("/")
    return unquote(key), unquote(comment)


def _prefixes(site: Site) -> tuple[str, ...]:
    return site.profile.conversation.embedded if site.profile.conversation is not None else ()


def _below(site: Site, source: str) -> str:
    """The address without the registered one before it, where it is one of those; else ""."""
    where = source.removeprefix(site.url)
    return where if where.startswith(_prefixes(site) or ("\0",)) else ""


def _mentioned(site: Site, said: str) -> Iterator[str]:
    """The addresses of this kind in a text whose markup nobody reads here."""
    for prefix in _prefixes(site):
        before = rf"(?:(?<=[\s\"'(!\[|=])|^)(?:{re.escape(site.url)})?"
        pattern = re.compile(rf"{before}({re.escape(prefix)}[^\s\"'()<>|!\[\]]{{1,500}})", re.MULTILINE)
        yield from (found[1] for found in pattern.finditer(said))


def _kind(name: str) -> str:
    return mimetypes.guess_type(name)[0] or _OTHERS
