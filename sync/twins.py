"""The same words said on both sides by people, before anybody carried them. Pure."""

from collections import defaultdict, deque
from collections.abc import Iterable

from sync.echo import comparable


def twins(ours: Iterable[tuple[int, str]], theirs: Iterable[tuple[str, str]]) -> dict[int, str]:
    """Our comment id -> the id of theirs that says the same; each once, in their order. Empty texts have no twin."""
    waiting: dict[str, deque[str]] = defaultdict(deque)
    for remote_id, text in theirs:
        waiting[comparable(text)].append(remote_id)
    waiting.pop("", None)
    found: dict[int, str] = {}
    for comment_id, text in ours:
        said = waiting.get(comparable(text))
        if said:
            found[comment_id] = said.popleft()
    return found
