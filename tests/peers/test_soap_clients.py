"""The SOAP clients that interfaces to GGUS were written with, against our door: PHP's SoapClient, Perl's SOAP::Lite."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.central.desk.soap.hotline import Hotline

HERE = Path(__file__).parent
WANTED = (
    "needs PHP's and Perl's SOAP clients: on Debian 12, as root, `tests/peers/soap.sh up`, then run the tests again"
)

pytestmark = pytest.mark.peer


@pytest.fixture
def line() -> Iterator[Hotline]:
    there = shutil.which("php") and shutil.which("perl")
    if not there or subprocess.run([HERE / "soap.sh", "status"], capture_output=True, check=False).returncode:
        if os.environ.get("CI") == "true":
            pytest.fail(WANTED)
        pytest.skip(WANTED)
    with Hotline() as line:
        yield line


@pytest.mark.parametrize(("program", "script"), [("php", "client.php"), ("perl", "client.pl")])
def test_an_interface_creates_changes_reads_lists_and_meets_a_fault(line: Hotline, program: str, script: str) -> None:
    command = [program, str(HERE / "soap" / script), line.url, "ngi-cz"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    said = json.loads(done.stdout)
    assert said.pop("file", True) is True
    assert said == {
        "id": "1",
        "subject": "Žluťoučký kůň <&>",
        "description": "one\ntwo",
        "status": "in progress",
        "diary": "we look",
        "records": 3,
        "empty": "ERROR (302): Entry does not exist in database;",
    }
