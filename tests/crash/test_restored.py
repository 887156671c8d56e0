"""Back up, go on working, restore: the product itself between two helpdesks over HTTP, judged from their own logs."""

import subprocess
import threading
from pathlib import Path

from connectors.emulators.server import Asked
from tests.crash.helpdesks import Helpdesks
from tests.crash.stack import INTERDESK, Stack, wait_for_agreement, wait_until_all_agree
from tests.postgres import Server


def test_after_a_restore_and_a_plan_that_died_half_way_nothing_is_lost_and_nothing_doubled(tmp_path: Path) -> None:
    with Helpdesks(seed=5) as helpdesks:
        stack = Stack(tmp_path, helpdesks)
        stack.programs = [(*INTERDESK, "run")]
        saved = str(tmp_path / "saved.db")
        stack.type("apply", "--live", str(helpdesks.write_documents(tmp_path)))
        try:
            stack.start()
            act(helpdesks, 10)
            wait_until_all_agree(helpdesks)
            stack.type("db", "backup", saved)
            act(helpdesks, 200)
            wait_until_all_agree(helpdesks)
            stack.end()
            act(helpdesks, 10)
            stack.type("db", "restore", saved)
            deeds = helpdesks.deeds()
            die_while_planning(stack, helpdesks, after=25)
            stack.type("db", "plan")
            assert helpdesks.deeds() == deeds, "the plan wrote something"
            stack.type("db", "approve")
            assert helpdesks.deeds() == deeds, "the approval wrote something"
            stack.start()
            wait_for_agreement(helpdesks, "restored")
        finally:
            stack.end()


def test_workers_on_postgresql_that_was_restored_by_its_own_tools_write_nothing_until_a_plan_is_approved(
    tmp_path: Path, postgres: Server
) -> None:
    with postgres.database(empty=True) as database, Helpdesks(seed=6) as helpdesks:
        where = {"INTERDESK_DATABASE": database, "INTERDESK_INSTANCE": "test-mesh"}
        stack = Stack(tmp_path, helpdesks, **where)
        beside = ("/usr/bin/env", f"INTERDESK_STATE={tmp_path / 'beside'}", *INTERDESK)
        stack.programs = [(*INTERDESK, "worker"), (*beside, "worker")]
        dump = str(tmp_path / "interdesk.dump")
        documents = str(helpdesks.write_documents(tmp_path))
        stack.type("db", "upgrade")
        stack.type("apply", "--live", documents)
        try:
            stack.start()
            act(helpdesks, 10)
            wait_until_all_agree(helpdesks)
            subprocess.run(["pg_dump", "--format=custom", f"--file={dump}", f"--dbname={database}"], check=True)
            act(helpdesks, 25)
            wait_until_all_agree(helpdesks)
            stack.end()
            act(helpdesks, 10)
            restore = ("pg_restore", "--clean", "--if-exists", "--single-transaction", f"--dbname={database}", dump)
            subprocess.run(restore, check=True)
            stack.type("db", "upgrade")
            deeds = helpdesks.deeds()
            stack.type("db", "plan", "--restored", program=beside)
            stack.start()  # too early: they rest until it is approved
            stack.end()
            stack.type("db", "approve", program=beside)
            assert helpdesks.deeds() == deeds, "something was written"
            stack.start()
            wait_for_agreement(helpdesks, "restored")
        finally:
            stack.end()


def act(helpdesks: Helpdesks, times: int) -> None:
    for _ in range(times):
        helpdesks.act()


def die_while_planning(stack: Stack, helpdesks: Helpdesks, after: int) -> None:
    """kill -9 of `db plan` as it asks for something so many times."""
    left, enough = [after], threading.Event()

    def count(_: Asked) -> None:
        left[0] -= 1
        if left[0] <= 0:  # two may count at once
            process.kill()
            enough.set()

    process = stack.begin("db", "plan")
    for emulator in (helpdesks.rt, helpdesks.redmine):
        emulator.fault = count
    assert enough.wait(120), "it asked for less"
    assert process.wait(120) != 0
    for emulator in (helpdesks.rt, helpdesks.redmine):
        emulator.fault = None
