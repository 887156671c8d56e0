"""What somebody is told, as a letter and as a document. Pure."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from central.alert import Alert, Stage


@dataclass(frozen=True, slots=True)
class News:
    """One episode, and what there is to say of it."""

    alert: Alert
    stage: Stage

    @property
    def headline(self) -> str:
        """In a few words."""
        name = self.alert.system or "interdesk"
        if self.stage is Stage.OVER:
            return f"{name} is well again"
        told = self.alert.sentence.partition(": ")[0]
        return f"{name} {told}" if self.alert.system else told


def subject(news: Sequence[News]) -> str:
    """The subject of a letter."""
    first, *more = news
    return f"[interdesk] {first.headline}" + (f", and {len(more)} more" if more else "")


def text(news: Sequence[News], *, centre: str, page: str) -> str:
    """The letter: what is wrong, since when, and the next step. `page`: where people see more; '' nowhere."""
    said = [_paragraph(each) for each in news]
    foot = f"Sent by interdesk of {centre}, once per episode and once more when it is over."
    return "\n\n".join([*said, f"{foot}\n{page}" if page else foot]) + "\n"


def document(news: Sequence[News], *, instance: str, at: datetime) -> Mapping[str, Any]:
    """The same for a program."""
    return {
        "at": at.isoformat(),
        "instance": instance,
        "alerts": [
            {
                "system": each.alert.system,
                "kind": each.alert.kind.value,
                "stage": each.stage.value,
                "since": each.alert.since.isoformat(),
                "well_at": each.alert.well_at.isoformat() if each.alert.well_at else None,
                "said": each.alert.sentence,
                "next": each.alert.remedy,
            }
            for each in news
        ],
    }


def mark(news: Sequence[News], recipient: str) -> str:
    """The same for the same news to the same reader: a letter that is sent again after a crash is known by it."""
    parts = sorted(f"{each.alert.place} {each.alert.since} {each.stage}" for each in news)
    return hashlib.sha256("\n".join([recipient, *parts]).encode()).hexdigest()[:32]


def _paragraph(news: News) -> str:
    alert = news.alert
    name = f"{alert.system} " if alert.system else ""
    if news.stage is Stage.OVER:
        since, until = _moment(alert.since), _moment(alert.well_at or alert.since)
        return (
            f"{alert.system or 'interdesk'} is well again since {until}.\nIt began at {since}: {name}{alert.sentence}."
        )
    return f"{name}{alert.sentence}.\nSince: {_moment(alert.since)}\nNext: {alert.remedy}"


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
