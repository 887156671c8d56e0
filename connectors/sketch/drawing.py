"""From an `Interface` to a profile's text: valid as it stands, guesses marked, every operation listed at its end."""

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from connectors.sketch.interface import Interface
from connectors.sketch.naming import Guess
from connectors.sketch.rest import rest_profile
from connectors.sketch.soap import soap_profile

GUESS = "# guess"


def draw(interface: Interface, name: str) -> str:
    """The text of a profile of this name."""
    profile = rest_profile(interface, name) if interface.family == "rest" else soap_profile(interface, name)
    head = [
        f"# {interface.title}: a sketch of a profile, drawn from what the product publishes of its interface.",
        f"# Lines that say {GUESS!r} are to be judged; interdesk connector probe tells what holds.",
    ]
    return "\n".join([*head, *_lines(profile, 0), "", "# Every operation that was found:", *_listing(interface)]) + "\n"


def _listing(interface: Interface) -> Iterator[str]:
    for each in interface.operations:
        said = f"{each.method} {each.path}" if each.path else f"{each.name}({', '.join(each.body)})"
        yield "#   " + " ".join(f"{said}  {each.says}".split())[:150]


def _lines(data: Mapping[str, Any], depth: int) -> Iterator[str]:
    """Block style where something below is nested or guessed, flow style else: short, and a line for each guess."""
    for name, value in data.items():
        guess = f"  {GUESS}: {value.why}" if isinstance(value, Guess) else ""
        said = value.value if isinstance(value, Guess) else value
        begin = f"{'  ' * depth}{_scalar(name)}:"
        if isinstance(said, Mapping) and said and _deep(said):
            yield begin + guess
            yield from _lines(said, depth + 1)
        else:
            yield f"{begin} {_scalar(said)}{guess}"


def _deep(data: Mapping[str, Any]) -> bool:
    return any(isinstance(each, Guess | Mapping) for each in data.values()) or len(str(data)) > 100


def _scalar(value: Any) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, width=10_000, allow_unicode=True, sort_keys=False)
    return text.removesuffix("\n").removesuffix("\n...")
