"""Plain text from HTML, for comments that come as nothing else, and HTML for those that go as nothing else.

A scanner of its own, since the standard parser takes quadratic time on unclosed tags: here every step consumes what it
looked at. Nothing is executed, fetched or trusted; what is no markup is text.
"""

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_BLOCKS = frozenset(
    {
        *("address", "article", "aside", "blockquote", "body", "br", "dd", "div", "dl", "dt", "fieldset", "figure"),
        *("footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "html", "li", "main", "nav", "ol", "p"),
        *("pre", "section", "table", "tr", "ul"),
    }
)
_UNSEEN = frozenset({"head", "script", "style", "title", "template", "noscript"})
_TAG = re.compile(
    r"""<(?P<end>/?)(?P<name>[a-zA-Z][a-zA-Z0-9:-]{0,40})(?P<rest>(?:[^<>"']|"[^"<>]{0,2000}"|'[^'<>]{0,2000}'){0,500})>"""
)
_KEPT = "\xa0"
"""A blank that is meant, at the beginning of a line or beside another one."""
_UNSAYABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
_BLANKS = re.compile(r"[ \t\n\r\f]+")
"""HTML's own blanks, of which several are one."""
_LINK = re.compile(r"""\bhref\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)
_SAID = re.compile(
    r"""(?<![\w-])(src|alt|title|width|height)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE
)
_DATA = re.compile(
    r"""(\bsrc\s*=\s*)(["'])data:(image/[\w.+-]{1,60}+)(?:;(?!base64,)[\w=.-]{1,100}+){0,3}+;base64,([\w+/=\s]*+)\2""",
    re.IGNORECASE,
)
"""An image whose bytes stand in the text itself."""


@dataclass(frozen=True, slots=True)
class Picture:
    """An image that a text shows where the text says `[image: NAME]`."""

    name: str
    source: str
    """Its address; "" where its bytes stand in the text itself."""
    media_type: str = ""
    digits: str = ""
    """Those bytes, as base64."""


def text_of(markup: str) -> str:
    """What a person reads of it: blocks on lines of their own, links with their address beside, images by name."""
    return seen(markup)[0]


def seen(markup: str, most: int | None = None) -> tuple[str, tuple[Picture, ...]]:
    """What a person reads of it, and the images that they see in it. `most`: how many characters of it are looked at,
    the bytes of images left aside."""
    inside: list[tuple[str, str]] = []

    def kept(found: re.Match[str]) -> str:
        inside.append((found[3].lower(), "".join(found[4].split())))
        return f'{found[1]}"data:{len(inside) - 1}"'

    markup = _DATA.sub(kept, markup)[:most]
    writer = _Writer(inside)
    at = 0
    while (start := markup.find("<", at)) >= 0:
        writer.text(markup[at:start])
        at = _step(markup, start, writer)
    writer.text(markup[at:])
    return writer.result(), tuple(writer.pictures)


def read_as(form: str, said: str) -> tuple[str, tuple[Picture, ...]]:
    """What a person reads of a text in this form, and the images that they see in it: plain, html, or escaped, which is
    HTML whose marks were escaped once more (&lt;p&gt;)."""
    if form == "escaped":
        return seen(html.unescape(said))
    return seen(said) if form == "html" else (said, ())


def html_of(text: str) -> str:
    """The text as HTML that shows it and is read as it again; of several empty lines one stays, and U+FFFD stands for
    what HTML cannot say: a form feed would be a blank like others."""
    plain = _UNSAYABLE.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))
    escaped = html.escape(plain, quote=False)
    kept = re.sub(r"(?m)^ +| +(?= )", lambda found: "&nbsp;" * len(found[0]), escaped)
    return kept.replace("\n", "<br>")


def _step(markup: str, start: int, writer: "_Writer") -> int:
    """Take in what begins with this "<"; where the next begins."""
    if markup.startswith(("<!", "<?"), start):
        closing = "-->" if markup.startswith("<!--", start) else ">"
        end = markup.find(closing, start)
        return end + len(closing) if end >= 0 else len(markup)
    tag = _TAG.match(markup, start)
    if tag is None:
        writer.text("<")
        return start + 1
    name = tag["name"].lower()
    if name in _UNSEEN and not tag["end"]:
        closing_tag = re.compile(rf"</{name}\b[^<>]{{0,100}}>", re.IGNORECASE).search(markup, tag.end())
        return closing_tag.end() if closing_tag else len(markup)
    writer.tag(name, tag["rest"], closing=bool(tag["end"]))
    return tag.end()


class _Writer:
    def __init__(self, inside: Sequence[tuple[str, str]]) -> None:
        self.pictures: list[Picture] = []
        self._inside = inside
        """Media type and digits of the images that stand in the text."""
        self._pieces: list[str] = []
        self._verbatim = False
        self._link = ""

    def text(self, said: str) -> None:
        if said:
            said = html.unescape(said)
            self._pieces.append(said.replace(" ", _KEPT) if self._verbatim else _BLANKS.sub(" ", said))

    def tag(self, name: str, rest: str, *, closing: bool) -> None:
        if name in _BLOCKS:
            self._pieces.append("\n\n" if closing and name == "p" else "\n")
            self._verbatim = not closing if name == "pre" else self._verbatim
            if name == "li" and not closing:
                self._pieces.append("- ")
        elif name in ("td", "th") and not closing:
            self._pieces.append(" ")
        elif name == "a":
            self._anchor(rest, closing=closing)
        elif name == "img" and not closing:
            self._image(
                {
                    found[1].lower(): html.unescape(found[2] or found[3] or found[4] or "")
                    for found in _SAID.finditer(rest)
                }
            )

    def _image(self, said: Mapping[str, str]) -> None:
        """An image is told by its name; one that nobody can see is not."""
        if said.get("width") in ("0", "1") or said.get("height") in ("0", "1"):
            return
        source = said.get("src", "")
        number = source.removeprefix("data:")
        known = source != number and number.isdecimal() and int(number[:9]) < len(self._inside)
        kind, digits = self._inside[int(number)] if known else ("", "")
        step = "" if source.startswith(("data:", "cid:")) else re.split(r"[?#]", source)[0].rpartition("/")[2]
        name = _BLANKS.sub(" ", said.get("alt", "") or said.get("title", "") or (step if "." in step else "")).strip()[
            :100
        ]
        name = re.sub(r"[\[\]/\\]", "_", name) or f"image-{len(self.pictures) + 1}"
        if digits and "." not in name:
            name += "." + kind.removeprefix("image/").partition("+")[0]
        self.pictures.append(Picture(name, "" if digits else source, kind, digits))
        self._pieces.append(f"[image: {name}]")

    def _anchor(self, rest: str, *, closing: bool) -> None:
        if closing and self._link.startswith(("http://", "https://")) and self._link not in "".join(self._pieces[-3:]):
            self._pieces.append(f" <{self._link}>")
        found = None if closing else _LINK.search(rest)
        self._link = html.unescape(found[1] or found[2] or "") if found else ""

    def result(self) -> str:
        lines = [line.strip(" \t") for line in "".join(self._pieces).split("\n")]
        lines = [line if line.strip() else "" for line in lines]
        return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).replace(_KEPT, " ").rstrip().lstrip("\n")
