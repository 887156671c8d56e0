"""What every shipped connector can do, as the table in the documentation: generated, so that it cannot be wrong."""

from collections.abc import Mapping

from connectors.api import Capabilities
from connectors.memory import WELL_BEHAVED
from connectors.registry import AnyProfile, profiles

_ROWS: Mapping[str, str] = {
    "reads": "tickets can be read there",
    "version": "version of a ticket",
    "row_version": "version in a list row",
    "preconditions": "refuses a write from an old state",
    "full_rows": "list rows carry the whole ticket",
    "complete_answers": "answers of writes bear the new state",
    "history": "tells who changed what from what",
    "internal_comments": "comments can be hidden",
    "whole_conversation": "shows known comments again",
    "edits_move": "an edited comment moves its ticket",
    "edit_comments": "our comments can be edited",
    "delete_comments": "our comments can be taken away",
    "files": "files",
    "empty_files": "files of no bytes",
    "max_file": "largest file",
    "max_comment": "longest comment",
    "granularity": "step of its clock",
    "search_lag": "delay of its search",
    "finds": "how changes are found",
    "side_effects": "what a comment of ours sets off",
}


def told(profile: AnyProfile) -> list[tuple[str, str]]:
    """What one product can do: pairs of what is asked and the answer."""
    return [(label, _cell(name, profile.powers)) for name, label in _ROWS.items()]


def capability_matrix() -> str:
    """A Markdown table: what each connector is proven against, then one row per capability."""
    columns = {"memory": WELL_BEHAVED}
    proven = ["the reference"]
    for name, profile in profiles().items():
        proven.append(profile.proven)
        columns[name] = profile.powers
    lines = [f"| | {' | '.join(columns)} |", f"|---|{'---|' * len(columns)}"]
    lines.append(f"| proven against (`proven`) | {' | '.join(proven)} |")
    for name, label in _ROWS.items():
        cells = [_cell(name, capabilities) for capabilities in columns.values()]
        lines.append(f"| {label} (`{name}`) | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(name: str, capabilities: Capabilities) -> str:
    value = getattr(capabilities, name)
    if name == "side_effects":
        table = value.get("comment", {})
        return "; ".join(f"{f}: {a} to {b}" for f, pairs in table.items() for a, b in pairs.items()) or "nothing"
    if name in ("granularity", "search_lag"):
        seconds = value.total_seconds()
        return f"{seconds:g} s" if seconds else "none"
    if value is None:
        return "no limit known"
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)
