"""Commands are imported when they are typed."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from sync import cli
from sync.cli.lazily import Lazily
from sync.cli.program import interdesk

MODULES = sorted(file.stem for file in Path(cli.__file__).parent.glob("*.py") if "\nCOMMANDS = " in file.read_text())


@pytest.mark.parametrize("module", MODULES)
def test_every_command_of_a_module_can_be_typed(module: str) -> None:
    for command in import_module(f"sync.cli.{module}").COMMANDS:
        groups = (interdesk, interdesk.commands["mapping"], interdesk.commands["connector"])
        assert any(group.commands.get(command.name) is command for group in groups)


def test_a_command_that_is_not_there_is_not_imported() -> None:
    few = Lazily({"mapping": "mappings"})
    assert (few.get("nothing"), list(few), len(few)) == (None, ["mapping"], 1)


def test_who_proves_a_mapping_waits_for_no_database_no_tracker_and_no_web_server() -> None:
    asked = (
        "import sys; from sync.cli.program import run; run(['mapping', 'check', 'mail']); print(sorted(sys.modules))"
    )
    said = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True, timeout=120)
    imported = said.stdout.rpartition("[")[2]
    assert "'sync.proving'" in imported
    for each in ("sqlalchemy", "zeep", "requests", "kombu", "fastapi", "lxml", "sync.bootstrap"):
        assert f"'{each}'" not in imported
