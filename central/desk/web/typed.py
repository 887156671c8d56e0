"""What of a ticket is changed by forms, and what was typed there as its fields hold it."""

from central.model import FIELDS, Value

CHANGING = (
    "subject",
    "priority",
    "unit",
    "assigned_to",
    "category",
    "problem_type",
    "affected_site",
    "affected_vo",
    "cc",
    "notification",
    "related_issue",
    "solution",
)
"""What is changed beside the status: all of it by a supporter, of it by a submitter what a submitter may."""


def typed(name: str, text: str) -> Value:
    """The value of this field; None where nothing was typed."""
    text = text.replace("\r\n", "\n").strip()
    if FIELDS[name].kind == "set":
        return tuple(each for part in text.replace(";", ",").split(",") if (each := part.strip())) or None
    return text or None
