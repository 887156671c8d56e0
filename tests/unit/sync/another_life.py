"""Another process of a state folder, to be killed."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ANOTHER = """
import sys
from pathlib import Path
from sync.lives import Lives

print(Lives(Path(sys.argv[1])).name, flush=True)
sys.stdin.read()
"""


@contextmanager
def another(state: Path) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """Another process that lives there; its name."""
    command = [sys.executable, "-c", ANOTHER, str(state)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip(), process
        process.kill()
