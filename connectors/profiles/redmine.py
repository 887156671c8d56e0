"""Redmine's quirks: the files of private notes, and reading our rights."""

from collections.abc import Collection, Iterable, Mapping
from itertools import zip_longest
from typing import Any

from connectors.api import Finding
from connectors.profiled.quirks import Quirks
from connectors.profiled.site import Site
from connectors.profiled.values import at, text
from connectors.profiled.vocabulary.parts import Request

_NEEDED = {
    "view_issues": "read tickets",
    "add_issues": "create tickets",
    "edit_issues": "change tickets",
    "add_issue_notes": "write comments",
}
_USEFUL = {
    "edit_own_issue_notes": "edit its comments: else an edit at the centre becomes a note of correction",
}


def _hidden_files(raw: Mapping[str, Any]) -> Collection[str]:
    """Files that came with a private note.

    Redmine splits such a note: a public entry names the files (its notes are null, not ""), and the very next entry,
    by the same person, is the private text."""
    hidden: set[str] = set()
    entries = list(at(raw, "journals") or ())
    for entry, following in zip_longest(entries, entries[1:]):
        split = (
            following is not None
            and entry.get("notes") is None
            and bool(following.get("private_notes"))
            and at(entry, "user.id") == at(following, "user.id")
            and entry.get("created_on") == following.get("created_on")
        )
        if split or entry.get("private_notes"):
            details = entry.get("details") or ()
            hidden |= {text(each.get("name")) for each in details if each.get("property") == "attachment"}
    return hidden


def _rights(site: Site) -> Iterable[Finding]:
    """What our roles in the project allow. Needs no administrator."""
    project = site.read(site.profile.place).data()["project"]
    user = site.read(Request(path="/users/current.json", query={"include": "memberships"})).data()["user"]
    if user.get("admin"):
        yield Finding(True, "the account is an administrator: it may do everything, more than it needs")
        return
    mine = [each for each in user.get("memberships", ()) if at(each, "project.id") == project["id"]]
    roles = {text(role["id"]) for each in mine for role in each["roles"]}
    answers = [site.read(Request(path="/roles/{role}.json"), role=role).data() for role in sorted(roles)]
    held = {right for each in answers for right in each["role"]["permissions"]}
    for right, what in _NEEDED.items():
        if right in held:
            yield Finding(True, f"the account may {what}")
        else:
            yield Finding(False, f"the account may not {what}", f"give one of its roles the permission {right}")
    for right, what in _USEFUL.items():
        if right not in held:
            yield Finding(True, f"without the permission {right} the account cannot {what}")


QUIRKS = Quirks(hidden_files=_hidden_files, rights=_rights)
