"""How a tracker writes its texts, and what that is in ours.

One document model (`blocks`), and one module per format with a reader and a writer. Only one law matters, and every
format keeps it for every text of ours: written there and read back, it is what it was (`settled`).
"""

from collections.abc import Mapping
from typing import Literal

from mappings.formats import html, jira, markdown, textile
from mappings.formats.markup import PLAIN, Format, Markup

FormatName = Literal["plain", "markdown", "html", "textile", "jira"]

FORMATS: Mapping[FormatName, Format] = {
    "plain": PLAIN,
    "markdown": Markup("Markdown", markdown.read, markdown.write),
    "html": Markup("HTML", html.read, html.write),
    "textile": Markup("Textile", textile.read, textile.write),
    "jira": Markup("Jira's markup", jira.read, jira.write),
}

__all__ = ["FORMATS", "PLAIN", "Format", "FormatName", "Markup"]
