"""What a door says no with is no bug of ours: each of the desk's errors has an exit code of its own kind."""

import inspect
from importlib import import_module

import pytest

from sync.cli import errors

MODULES = ("auth", "documents", "passwords", "people", "persons", "queues", "services", "systems", "tickets", "tries")
ERRORS = [
    error
    for module in (*(f"central.desk.{each}" for each in MODULES), "central.rights")
    for _, error in inspect.getmembers(import_module(module), inspect.isclass)
    if issubclass(error, Exception) and error.__module__.startswith("central.")
]


@pytest.mark.parametrize("error", sorted(set(ERRORS), key=str), ids=lambda error: error.__name__)
def test_no_command_ends_with_a_bug_where_the_desk_said_no(error) -> None:
    assert issubclass(error, (*errors.MISTAKES, *errors.UNREACHABLE))
