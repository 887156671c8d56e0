"""Being logged in: once per process and system, whoever of its threads asks, and again when it is over."""

import threading
from collections.abc import Callable, Mapping
from typing import Any

from connectors.answers import Answer
from connectors.credentials import Credentials, Given, Shown, Step
from connectors.errors import AccessError, Transient
from connectors.profiled.values import at, text

Say = Callable[[Step, Shown, Mapping[str, Any]], Answer]
"""Sends one step with what is known by then."""

_EARLIER = 0.1
_MOST_EARLIER = 60.0
"""Seconds that what we were given is taken for over before it is: a tenth of its time, a minute at most."""


class Login:
    """Keeps what logging in has given. Thread-safe: while one logs in, the others wait for it."""

    def __init__(
        self,
        credentials: Credentials,
        words: Mapping[str, Any],
        say: Say,
        *,
        monotonic: Callable[[], float],
        learn: Callable[[str], None],
    ) -> None:
        """`learn` hears of each secret that we are given, before anything else can happen to it."""
        self._credentials, self._words = credentials, words
        self._steps = credentials.steps
        self._say, self._monotonic, self._learn = say, monotonic, learn
        self._lock = threading.Lock()
        self._now: Shown | None = None if self._steps else credentials.shown(words)
        self._until: float | None = None

    @property
    def renews(self) -> bool:
        """Whether being turned away may only mean that a session is over."""
        return bool(self._steps)

    def shown(self, patience: float) -> Shown:
        """What goes with a request now: logs in first, where we are not.

        :raises AccessError: we are not let in.  :raises ConnectorError: by remedy; nothing was written."""
        if not self._steps:
            assert self._now is not None, "there is nothing to be asked first"
            return self._now
        if not self._lock.acquire(timeout=max(patience, 0.0)):
            raise Transient("somebody else of us is still logging in there")
        try:
            if self._now is None or (self._until is not None and self._monotonic() >= self._until):
                self._now = None
                self._log_in()
            assert self._now is not None, "we have just logged in"
            return self._now
        finally:
            self._lock.release()

    def over(self, shown: Shown) -> None:
        """What was shown is not accepted any more. Where others have renewed it already, nothing happens."""
        with self._lock:
            if self._steps and self._now is shown:
                self._now = None

    def forget(self) -> None:
        """Log in anew before anything else is asked."""
        with self._lock:
            self._now = None if self._steps else self._now

    def _log_in(self) -> None:
        words, until = dict(self._words), list[float]()
        begun = self._monotonic()
        for step in self._steps:
            answer = self._say(step, self._credentials.shown(words), words)
            for word, place in step.gives.items():
                words[word] = self._given(answer, word, place)
            lasts = self._lasts(step, answer)
            if lasts is not None:
                until.append(begun + lasts - min(lasts * _EARLIER, _MOST_EARLIER))
        self._now, self._until = self._credentials.shown(words), min(until, default=None)

    def _given(self, answer: Answer, word: str, place: Given) -> str:
        if place.at is not None:
            found = text(at(answer.data(), place.at))
        elif place.header is not None:
            found = answer.headers.get(place.header, "")
        else:
            found = _cookies(answer).get(place.cookie or "", "")
        if not found:
            where = place.at or place.header or place.cookie
            raise AccessError(f"{answer.about}: the answer to our logging in has no {word} ({where!r})")
        self._learn(found)
        return found

    @staticmethod
    def _lasts(step: Step, answer: Answer) -> float | None:
        """Seconds that what the step gives is good; None where nobody says."""
        told = text(at(answer.data(), step.lasts_at)) if step.lasts_at is not None else ""
        if told.isdecimal():
            return float(told)
        return step.lasts.total_seconds() if step.lasts is not None else None


def _cookies(answer: Answer) -> dict[str, str]:
    """The cookies that an answer sets; what is no cookie is none."""
    found: dict[str, str] = {}
    for line in answer.cookies:
        for pair in line.partition(";")[0].split(", "):
            name, _, value = pair.partition("=")
            found[name.strip()] = value.strip()
    return found
