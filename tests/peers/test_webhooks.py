"""Webhooks of a real RT and a real Redmine are hints: with polling an hour away, everything still arrives at once."""

from pathlib import Path

import pytest
import requests

from tests.peers.live import REDMINE, RT, LiveMesh, wait_until
from tests.peers.sites import RedmineSite, RtSite
from tests.peers.test_killed import running

pytestmark = pytest.mark.peer


def test_hints_alone_carry_a_conversation(tmp_path: Path, rt: RtSite, redmine: RedmineSite) -> None:
    mesh = LiveMesh(tmp_path, rt, redmine, poll="1h", webhooks=True)
    key, other = mesh.shared()
    mesh.close()
    with running(mesh) as (_, address):
        rt.webhook.write_text(f"{address}/hooks/{RT}\nhook-secret")
        redmine.webhook.write_text(f"{address}/hooks/{REDMINE}\nhook-secret")
        rt.agent.reply(key, "asked by a hint")
        wait_until(lambda: any("asked by a hint" in c.text for c in redmine.agent.comments(other)))
        redmine.agent.reply(other, "answered by a hint")
        wait_until(lambda: any("answered by a hint" in c.text for c in rt.agent.comments(key)))
        forged = requests.post(f"{address}/hooks/{RT}", json={"ticket": key}, timeout=120)
        assert forged.status_code == 403
        signed_by_nobody = {"X-Hub-Signature-256": "sha256=" + "0" * 64}
        assert requests.post(f"{address}/hooks/{RT}", json={}, headers=signed_by_nobody, timeout=120).status_code == 403
    mesh.open()
    mesh.settle()
    assert mesh.broken_laws() == []
    mesh.close()
