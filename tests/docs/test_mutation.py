"""tests/mutation.md: it explains changes of code that is there, and `make mutants` tells where it is wrong."""

import importlib
import inspect
from functools import reduce

import pytest

from tests.mutation import PAGE, Mutant, change_of, explained, function_of, problems

TEXT = PAGE.read_text(encoding="utf-8")
MUTANT = Mutant("sync.echo.after", ("- return ()", "+ return None"))
OTHER = Mutant("sync.policy.Policy.rule", ("- return a", "+ return b"))
ONE = f"# Mutants\nWords.\n\n{MUTANT}\nNobody cares.\n"


def test_a_page_with_just_what_lives_is_right() -> None:
    assert problems([MUTANT], ONE, all_were_tried=True) == []
    both = f"{ONE}\n```diff\n- return ()\n+ return []\n```\nNor here.\n\n{OTHER}\nNor there.\n"
    assert explained(both) == {
        MUTANT: "Nobody cares.",
        Mutant("sync.echo.after", ("- return ()", "+ return []")): "Nor here.",
        OTHER: "Nor there.",
    }


def test_what_no_test_notices_must_be_explained_as_it_is_printed() -> None:
    (said,) = problems([MUTANT, OTHER], ONE, all_were_tried=True)
    assert "does not explain it" in said
    assert problems([MUTANT, OTHER], f"{ONE}\n{said.partition(':')[2].strip()}\nFine.\n", all_were_tried=True) == []


def test_what_lives_no_longer_must_not_be_explained_unless_it_was_not_tried() -> None:
    (said,) = problems([], ONE, all_were_tried=True)
    assert said.endswith(f"does not live any more:\n{MUTANT}")
    assert problems([], ONE, all_were_tried=False) == []


def test_a_mutant_is_known_by_its_function_and_its_lines() -> None:
    assert function_of("sync.policy.xǁPolicyǁrule__mutmut_12") == "sync.policy.Policy.rule"
    assert function_of("sync.echo.x__seen__mutmut_1") == "sync.echo._seen"
    diff = "# name: survived\n--- a.py\n+++ a.py\n@@ -1,3 +1,3 @@\n x = 1\n-    return -x\n+    return +x\n"
    assert change_of(diff) == ("- return -x", "+ return +x")


@pytest.mark.parametrize(("mutant", "why"), explained(TEXT).items(), ids=[each.function for each in explained(TEXT)])
def test_every_explanation_is_of_lines_that_are_there(mutant: Mutant, why: str) -> None:
    assert why
    *module, name = mutant.function.split(".")
    owner = module.pop() if module[-1][0].isupper() else None
    found = reduce(getattr, [owner, name] if owner else [name], importlib.import_module(".".join(module)))
    lines = [line.strip() for line in inspect.getsource(found).splitlines()]
    gone = [line[2:] for line in mutant.change if line.startswith("- ")]
    assert gone
    assert set(gone) <= set(lines)
