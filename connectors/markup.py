"""Plain text from HTML, for comments that come as nothing else. Bounded, never executes or fetches anything."""

import re
from html.parser import HTMLParser

_BLOCKS = frozenset(
    {
        *("address", "article", "aside", "blockquote", "body", "br", "dd", "div", "dl", "dt", "fieldset", "figure"),
        *("footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "html", "li", "main", "nav", "ol", "p"),
        *("pre", "section", "table", "tr", "ul"),
    }
)
_UNSEEN = frozenset({"head", "script", "style", "title", "template", "noscript"})


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._unseen = 0
        self._verbatim = 0
        self._link = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNSEEN:
            self._unseen += 1
        elif tag in _BLOCKS:
            self.pieces.append("\n")
            if tag == "li":
                self.pieces.append("- ")
            self._verbatim += tag == "pre"
        elif tag in ("td", "th"):
            self.pieces.append(" ")
        elif tag == "a":
            self._link = dict(attrs).get("href") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN:
            self._unseen = max(self._unseen - 1, 0)
        elif tag in _BLOCKS:
            self.pieces.append("\n\n" if tag == "p" else "\n")
            self._verbatim = max(self._verbatim - (tag == "pre"), 0)
        elif tag == "a" and self._link:
            if self._link.startswith(("http://", "https://")) and self._link not in "".join(self.pieces[-3:]):
                self.pieces.append(f" <{self._link}>")
            self._link = ""

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.pieces.append(data if self._verbatim else re.sub(r"\s+", " ", data))


def text_of(html: str) -> str:
    """What a person reads of it: blocks on lines of their own, links with their address beside."""
    parser = _Text()
    parser.feed(html)
    parser.close()
    lines = [line.strip(" \t") for line in "".join(parser.pieces).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
