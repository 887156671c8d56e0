"""The REST door's part of central/README.md: its examples run, and its table is what there is."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.desk.served import Served

README = (Path(__file__).parents[2] / "central" / "README.md").read_text("utf-8")
PART = README[README.index("## The REST door") : README.index("## Links")]
EXAMPLES = re.findall(r"```sh\n(.*?)```", PART, re.DOTALL)[0].replace("\\\n", "").splitlines()


@pytest.fixture
def served(tmp_path):
    made = Served(tmp_path, furnished=False)
    yield made
    made.close()


def test_every_example_is_answered_well(served):
    assert shutil.which("curl"), "the examples are curl's: install it"
    token = f"Authorization: Bearer {served.house.token('alice')}"
    told = []
    for command in EXAMPLES:
        known = {"PATH": "/usr/bin:/bin", "API": f"{served.address}/api/v1", "TOKEN": token}
        ran = subprocess.run(["sh", "-c", f"{command} --fail-with-body"], env=known, capture_output=True, check=False)
        assert ran.returncode == 0, (command, ran.stdout, ran.stderr)
        told.append(ran.stdout)
    assert len(told) == 8
    assert json.loads(told[0])["fields"]["status"] == "assigned"
    assert [each["id"] for each in json.loads(told[1])["items"]] == [1]
    assert json.loads(told[3])["fields"]["cc"] == ["bob@example.org"]
    assert told[5] == b"no"
    assert json.loads(told[6])["value"] == "assigned"


def test_the_table_names_every_noun_of_the_description(served):
    described = served.api("").session.get(f"{served.address}/openapi.json", timeout=120).json()["paths"]
    nouns = {re.sub(r"^/v1(/tickets/\{ticket\})?/", "", path).partition("/")[0] for path in described}
    rows = "".join(line.partition("|")[2].partition("|")[0] for line in PART.splitlines() if line.startswith("| `"))
    assert nouns - set(re.findall(r"/(\w+)", rows)) - {"{ticket}", "v1"} == set()
