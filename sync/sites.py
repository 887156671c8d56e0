"""The addresses among a system's settings: where its credentials go. Pure."""

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit


def addresses(settings: object) -> Iterator[tuple[tuple[str, ...], str]]:
    """The addresses of web and mail servers, each with where it stands."""
    if isinstance(settings, Mapping):
        for key, value in settings.items():
            if isinstance(value, str) and "://" in value[:20]:
                yield (key,), value


def site(url: str) -> str:
    """The server that an address leads to."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def origin(settings: object) -> str:
    """All the servers that these settings lead to, as one text; '' where there is none."""
    return " ".join(sorted({site(value.strip()) for _, value in addresses(settings)}))
