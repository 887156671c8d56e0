"""The Makefile where Python is not what it should be: one line that says what to install, and exit code 2."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make: apt-get install make")
@pytest.mark.parametrize(
    ("python", "line"),
    [
        ("exit 1", "Python 3.11 or newer is missing: apt-get install python3 python3-venv"),
        ('case "$2" in *ensurepip*) exit 1;; esac', "python3-venv is missing: apt-get install python3-venv"),
    ],
)
def test_what_is_missing_is_told_in_one_line(tmp_path: Path, python: str, line: str) -> None:
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    fake = tmp_path / "python"
    fake.write_text(f"#!/bin/sh\n{python}\n")
    fake.chmod(0o755)
    # as typed in a shell, even where make itself runs this test
    environ = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    command = ["make", "demo", f"PYTHON={fake}"]
    made = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=120)
    assert (made.returncode, made.stdout.splitlines()) == (2, [line])
    assert not (tmp_path / ".venv").exists()
