"""What `make mutants` found, beside tests/mutation.md: what no test notices is explained there, and nothing else is.

Mutants are known by their function and the lines they change: their numbers move with every edit.
"""

import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "tests" / "mutation.md"
MUTMUT = (sys.executable, "-m", "mutmut")


class Mutant(NamedTuple):
    """A function, and the lines that go (`- …`) and come (`+ …`) in it, without their indentation."""

    function: str
    change: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join((f"## `{self.function}`", "```diff", *self.change, "```"))


def change_of(diff: str) -> tuple[str, ...]:
    """The changed lines of a unified diff."""
    return tuple(f"{line[0]} {line[1:].strip()}" for line in diff.splitlines() if re.match(r"[-+](?![-+]{2} )", line))


def function_of(mutant: str) -> str:
    """`a.b.xǁClassǁmethod__mutmut_7` is one of `a.b.Class.method`, `a.b.x_function__mutmut_7` of `a.b.function`."""
    module, _, mangled = mutant.rpartition("__mutmut_")[0].rpartition(".")
    return f"{module}.{mangled[2:].replace('ǁ', '.')}"


def explained(page: str) -> dict[Mutant, str]:
    """What the page explains, with its reasons."""
    found = {}
    for section in page.split("\n## ")[1:]:
        title, _, text = section.partition("\n")
        for diff, why in re.findall(r"```diff\n(.*?)```\n(.*?)(?=```|\Z)", text, re.DOTALL):
            found[Mutant(title.strip("` "), change_of(diff))] = why.strip()
    return found


def problems(living: Iterable[Mutant], page: str, *, all_were_tried: bool) -> list[str]:
    """Sentences on where the page and the mutants that no test noticed differ; nothing where they do not."""
    known, alive = set(explained(page)), set(living)
    said = [f"no test notices this, and {PAGE.name} does not explain it:\n{each}" for each in sorted(alive - known)]
    if all_were_tried:
        said += [f"{PAGE.name} explains what does not live any more:\n{each}" for each in sorted(known - alive)]
    return said


def main() -> int:
    """Compare the last run with the page; the exit code."""
    results = dict(line.strip().rsplit(": ", 1) for line in _mutmut("results").splitlines())
    alive = [name for name, status in results.items() if status != "not checked"]
    living = [Mutant(function_of(name), change_of(_mutmut("show", name))) for name in alive]
    said = problems(living, PAGE.read_text(encoding="utf-8"), all_were_tried="not checked" not in results.values())
    print("\n\n".join(said) or f"every mutant is noticed or explained ({len(living)})")
    return 1 if said else 0


def _mutmut(*words: str) -> str:
    return subprocess.run([*MUTMUT, *words], cwd=ROOT, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    sys.exit(main())
