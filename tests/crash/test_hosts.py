"""Two hosts, and cuts between one of them and what they share, while people work; then the laws.

A host that is cut off from the database writes nothing new anywhere: nothing is sent without an intent that was
committed. Its term as the one that polls ends 15 seconds after it was last prolonged (`sync.scheduler.TERM`), and the
other host asks for it every 5. What it had in hand stays its own until its lease there ends, or until it is back: it is
the other tickets that are taken over so soon.
"""

import threading
import time
from pathlib import Path

import pytest

from connectors.emulators.server import Asked
from tests.crash.helpdesks import Helpdesks
from tests.crash.stack import SETTLING, Stack, wait_for_agreement, wait_until_all_agree
from tests.hosts import Hosts

TAKEOVER = 30.0
"""Seconds within which the other host does all the work, as is promised."""
CUTS = (
    ("a", "database"),
    ("b", "database"),
    ("a", "broker"),
    ("b", "database", "broker", "trackers"),
    ("a", "database", "broker"),
)


@pytest.mark.peer
def test_a_host_that_is_cut_off_is_replaced_in_time_and_nothing_is_lost_doubled_or_out_of_order(
    hosts: Hosts, tmp_path: Path
) -> None:
    with Helpdesks(seed=5, host=hosts.trackers) as helpdesks:
        stack = Stack(
            tmp_path,
            helpdesks,
            INTERDESK_DATABASE=hosts.database,
            INTERDESK_BROKER=hosts.broker,
            INTERDESK_INSTANCE="two-hosts",
        )
        stack.programs = [hosts.program(name, tmp_path / name, "-m", "sync", "worker") for name in ("a", "b")]
        stack.type("apply", "--live", str(helpdesks.write_documents(tmp_path)))
        try:
            stack.start()
            helpdesks.act_in_every_way()
            wait_until_all_agree(helpdesks)
            for host, *places in CUTS:
                cut_while_at_work(hosts, helpdesks, host, places)
                await_takeover(helpdesks, f"without {host} at {places}")
                helpdesks.act_in_every_way()
                hosts.heal()
            wait_for_agreement(helpdesks, f"seed {helpdesks.seed}, cut: {CUTS}")
            stack.kill()  # host a, for good: b, which was cut off twice, must be well
            await_takeover(helpdesks, "a is gone for good")
        finally:
            stack.end()
        assert stack.bugs() == [], "a wire that is cut is no bug of ours"


def cut_while_at_work(hosts: Hosts, helpdesks: Helpdesks, host: str, places: list[str]) -> None:
    """People act; the cut comes as a helpdesk begins to work on the first write that follows, whoever it is of."""
    done, only_one = threading.Event(), threading.Lock()

    def fault(asked: Asked) -> None:
        if asked.kind in ("create", "update", "comment") and only_one.acquire(blocking=False):
            hosts.cut(host, *places)
            done.set()

    for emulator in (helpdesks.rt, helpdesks.redmine):
        emulator.fault = fault
    helpdesks.act_in_every_way()
    assert done.wait(SETTLING), "nothing was written at all"
    for emulator in (helpdesks.rt, helpdesks.redmine):
        emulator.fault = None


def await_takeover(helpdesks: Helpdesks, story: str) -> None:
    """What is opened now arrives in time."""
    key, end = helpdesks.open(), time.monotonic() + TAKEOVER
    while not helpdesks.arrived(key) and time.monotonic() < end:
        time.sleep(0.05)
    assert helpdesks.arrived(key), f"{story}: ticket {key} was not taken over within {TAKEOVER} s"
