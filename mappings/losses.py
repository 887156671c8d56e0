"""The loss statement: what this system will lose in translation, each way, before anybody finds out.

Other packages' knowledge comes as plain data: `capabilities` as the connector declares them, `remote` the live schema
that it describes, `central` the fields of our own tickets.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from mappings.model import Carries, FieldMapping, Losses
from mappings.model import Mapping as CompiledMapping

_AUTHORED = "every comment there is written by our account; its first line says who wrote it where and when"

_UNHEARD = (
    "without a history, who sets by hand what the next step on our way would set, while a step of ours has lost its "
    "answer, is taken for that step"
)


def loss_statement(
    mapping: CompiledMapping,
    capabilities: Mapping[str, Any],
    *,
    central: Mapping[str, Mapping[str, Any]] | None = None,
    remote: Sequence[Mapping[str, Any]] | None = None,
) -> Losses:
    """Everything that a change loses on its way out or in. What is not said here arrives whole."""
    fields = mapping.fields.values()
    outward, inward = [], []
    for field in fields:
        of_rule = field.rule.losses()
        if field.carries is not Carries.INWARD:
            outward += [f"{field.central}: {loss}" for loss in of_rule.outward]
        if field.carries is not Carries.OUTWARD:
            inward += [f"{field.central}: {loss}" for loss in of_rule.inward]
        outward += _on_the_way(field)
        if any(field.walks(wanted) for wanted in field.transitions) and not capabilities.get("history", False):
            outward.append(f"{field.central}: {_UNHEARD}")
        if field.only_on_create:
            outward.append(f"{field.central}: written when their ticket is created; our later edits stay here")
        elif field.carries is Carries.INWARD:
            outward.append(f"{field.central}: our edits are never sent")
        elif field.carries is Carries.OUTWARD:
            inward.append(f"{field.central}: their edits are written over")
    outward += [_AUTHORED, *_of_writing(capabilities)]
    inward += _of_reading(capabilities)
    if remote is not None:
        known = {str(field["name"]): field for field in remote}
        read_only = [f.central for f in fields if not known.get(f.remote, {}).get("writable", True)]
        outward += [f"{name}: cannot be changed there" for name in read_only if not mapping.fields[name].only_on_create]
        inward += _not_carried("their", known, {field.remote for field in fields})
    if central is not None:
        outward += _not_carried("our", central, set(mapping.fields))
        inward += _too_long(fields, central, {str(each["name"]): each for each in remote or ()})
    return Losses(tuple(outward), tuple(inward))


def _on_the_way(field: FieldMapping) -> Iterator[str]:
    """What people there see of how a value is reached."""
    for wanted, transition in field.transitions.items():
        steps = dict.fromkeys((*transition.onward.values(), *(() if transition.first is None else (transition.first,))))
        if between := ", ".join(repr(step) for step in steps if step != wanted):
            yield f"{field.central}: to {wanted!r} it passes through {between} there, and whoever watches sees it"
        for fill in transition.fills:
            if not fill.central:
                yield f"{field.central}: with {wanted!r}, their {fill.remote} becomes {fill.value!r}, whatever it was"
            elif fill.value is not None:
                yield f"{field.central}: with {wanted!r}, an empty {fill.remote} there becomes {fill.value!r}"


def _too_long(
    fields: Iterable[FieldMapping], central: Mapping[str, Mapping[str, Any]], remote: Mapping[str, Mapping[str, Any]]
) -> Iterator[str]:
    """Texts of theirs that ours has no room for."""
    for field in fields:
        longest = central.get(field.central, {}).get("max_length")
        theirs = remote.get(field.remote, {})
        reads = field.carries is not Carries.OUTWARD
        if reads and longest and not theirs.get("values") and (theirs.get("max_length") or longest + 1) > longest:
            fate = "stays there, and is not taken in" if field.carries is Carries.INWARD else "is written over by ours"
            kept = "it is kept and shown as an edit that lost"
            yield f"{field.central}: more than {longest} characters there {fate}; {kept}"


def _not_carried(whose: str, names: Mapping[str, Any], carried: set[str]) -> list[str]:
    missing = [name for name in names if name not in carried]
    return [f"{whose} {', '.join(missing)}: not carried"] if missing else []


def _of_writing(capabilities: Mapping[str, Any]) -> Iterator[str]:
    if not capabilities.get("internal_comments", False):
        yield "internal comments are never sent: nothing can be hidden there"
    if not capabilities.get("files", False):
        yield "files cannot be sent; a note in their place says so"
    else:
        if not capabilities.get("empty_files", True):
            yield "empty files cannot be sent; a note in their place says so"
        if largest := capabilities.get("max_file"):
            yield f"files of more than {largest} bytes cannot be sent; a note in their place says so"
    if longest := capabilities.get("max_comment"):
        yield f"comments of more than {longest} characters cannot be sent whole"
    if not capabilities.get("reads", True):
        yield "nothing can be read there: what we told is assumed to hold until a word of theirs says otherwise"
    elif not capabilities.get("preconditions", False):
        window = "no lock: what somebody writes there between our read and our write is written over"
        fate = "and shown as a lost edit, from their history" if capabilities.get("history", False) else "unseen"
        yield f"{window}, {fate}"


def _of_reading(capabilities: Mapping[str, Any]) -> Iterator[str]:
    if not capabilities.get("reads", True):
        yield "what people there do to a ticket stays unknown, unless they tell us"
        return
    match str(capabilities.get("row_version", "none")):
        case "none":
            yield "no versions: a change is found by comparing contents"
        case "weak":
            step = capabilities.get("granularity", timedelta(seconds=1))
            seconds = step.total_seconds() if isinstance(step, timedelta) else float(step)
            yield f"times of {seconds:g} s tell versions: a second change within one is found by a second look"
    match str(capabilities.get("finds", "asked for")):
        case "listed":
            yield "their list cannot be asked what changed: all of it is read each time, so changes arrive late"
        case "compared":
            yield (
                "their list does not tell what changed: all of it is read each time and compared, so changes arrive "
                "late, and those that its rows do not show (comments, files) only with others"
            )
    yield "of several edits of one field between two looks, the last one arrives"
    yield "who sets there what stands there already says nothing: it holds up no change of ours that is on its way"
