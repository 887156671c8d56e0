"""`interdesk system check` against a real RT and a real Redmine: it proves or refutes by reading alone."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.peers.sites import RedmineSite, RtSite

pytestmark = pytest.mark.peer

INSTANCE = "kind: instance\nname: here\nallowed_networks: [127.0.0.0/8]\n"


def check(folder: Path, system: str, secret: str) -> subprocess.CompletedProcess[str]:
    """The command as an operator types it, on this document."""
    (folder / "interdesk.yaml").write_text(INSTANCE)
    (folder / "system.yaml").write_text(system)
    environ = {**os.environ, "INTERDESK_SECRET_HERE": secret, "INTERDESK_CONFIG": str(folder / "interdesk.yaml")}
    command = [sys.executable, "-m", "sync", "--state", str(folder / "var"), "system", "check", "system.yaml", "--json"]
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=120, check=False)


def rt_document(rt: RtSite, queue: str) -> str:
    return f"""
kind: system
name: ngi-rt
connector: rt
settings: {{url: "{rt.url}", queue: "{queue}", token: {{secret: "env:INTERDESK_SECRET_HERE"}}}}
mapping: rt
support_units: [NGI_RT]
"""


def redmine_document(redmine: RedmineSite, project: str) -> str:
    return f"""
kind: system
name: ngi-redmine
connector: redmine
settings: {{url: "{redmine.url}", project: "{project}", api_key: {{secret: "env:INTERDESK_SECRET_HERE"}}}}
mapping: redmine
support_units: [NGI_REDMINE]
"""


def test_a_good_registration_is_proven_without_a_writing_request(
    tmp_path: Path, rt: RtSite, redmine: RedmineSite
) -> None:
    begun = len(rt.asked()), len(redmine.asked())
    for document, secret in (
        (rt_document(rt, rt.queue), rt.token),
        (redmine_document(redmine, redmine.project), redmine.api_key),
    ):
        done = check(tmp_path, document, secret)
        assert done.returncode == 0, done.stdout + done.stderr
        assert secret not in done.stdout + done.stderr
    for site, before in zip((rt, redmine), begun, strict=True):
        asked = site.asked()[before:]
        assert asked
        assert {a.method for a in asked} == {"GET"}


def test_a_wrong_secret_and_a_wrong_place_are_told_and_refute(tmp_path: Path, rt: RtSite, redmine: RedmineSite) -> None:
    for document, secret, word in (
        (rt_document(rt, rt.queue), "1-1-wrong", "credentials"),
        (rt_document(rt, "nosuch"), rt.token, "nosuch"),
        (redmine_document(redmine, redmine.project), "wrong", "credentials"),
        (redmine_document(redmine, "nosuch"), redmine.api_key, "nosuch"),
    ):
        done = check(tmp_path, document, secret)
        assert done.returncode == 1, done.stdout + done.stderr
        assert word in json.dumps(json.loads(done.stdout))
        assert "Traceback" not in done.stderr
