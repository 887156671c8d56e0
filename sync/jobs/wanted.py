"""What may be asked of a job, kind by kind: checked when it is started, so that it never stumbles over it later."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from central.desk.services.errors import NotAllowed
from central.store.api import Transaction
from mappings.loader import suggestion
from sync.jobs.clue import OURS, BadClue, Clue


class _Params(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Windowed(_Params):
    since: Annotated[AwareDatetime | None, Field(strict=False)] = None
    until: Annotated[AwareDatetime | None, Field(strict=False)] = None
    dry_run: bool = False
    notify: bool = False


class _Backfill(_Windowed):
    direction: Literal["inward", "outward", "both"] = "inward"


class _Pair(_Windowed):
    by: Annotated[list[str], Field(min_length=1, max_length=10)]
    leave: bool = False


class _Scan(_Params):
    pass


class _Resync(_Params):
    ticket: Annotated[int, Field(ge=1, lt=10**18)]


_KINDS: Mapping[str, type[_Params]] = {"backfill": _Backfill, "pair": _Pair, "scan": _Scan, "resync": _Resync}


def checked(tx: Transaction, kind: str, system: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """These parameters as a job of this kind keeps them.  :raises NotAllowed: with all that is wrong."""
    if kind not in _KINDS:
        raise NotAllowed(f"there is no job {kind!r}{suggestion(kind, sorted(_KINDS))}")
    try:
        read = _KINDS[kind].model_validate(dict(params))
    except ValidationError as error:
        raise NotAllowed("; ".join(_told(problem) for problem in error.errors())) from None
    if isinstance(read, _Pair):
        _check_clues(tx, read.by)
    if isinstance(read, _Resync) and tx.links.find(read.ticket, system) is None:
        raise NotAllowed(f"ticket {read.ticket} is not linked to {system}")
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in read.model_dump().items()
        if value is not None
    }


def _told(problem: Mapping[str, Any]) -> str:
    where = ".".join(map(str, problem["loc"]))
    return f"{where}: {problem['msg']}" if where else str(problem["msg"])


def _check_clues(tx: Transaction, clues: list[str]) -> None:
    for written in clues:
        try:
            clue = Clue.read(written)
        except BadClue as problem:
            raise NotAllowed(str(problem)) from None
        if clue.names not in {OURS, *(each.name for each in tx.registry.systems())}:
            raise NotAllowed(f"{clue}: {{{clue.names}}} is neither {{id}} nor a registered system")
