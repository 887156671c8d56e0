"""Real trackers for tests: `rt`, `redmine` and `znuny`, each with a queue or project that only this test uses."""

import os
import secrets
from collections.abc import Callable, Iterator
from typing import TypeVar

import pytest

from tests.peers.sites import MailSite, NotRunning, RedmineSite, RtSite, Site, ZnunySite, missing

AnySite = TypeVar("AnySite", bound=Site | MailSite)


def _running(find: Callable[[str], AnySite], script: str) -> AnySite:
    """The site, or the test's end: skipped on a laptop, failed where CI says that everything must be there."""
    if "INTERDESK_PEERS" in os.environ:
        try:
            return find(f"ggus-{secrets.token_hex(4)}")
        except NotRunning:
            pass
    return missing(f"the real tracker of {script}", script)


@pytest.fixture
def rt() -> Iterator[RtSite]:
    """A Request Tracker 5 that runs, also after the test."""
    site = _running(RtSite.with_queue_of_its_own, "rt.sh")
    yield site
    site.webhook.unlink(missing_ok=True)
    site.start()


@pytest.fixture
def redmine() -> Iterator[RedmineSite]:
    """A Redmine 5 that runs, also after the test."""
    site = _running(RedmineSite.with_project_of_its_own, "redmine.sh")
    yield site
    site.webhook.unlink(missing_ok=True)
    site.start()


@pytest.fixture
def znuny() -> Iterator[ZnunySite]:
    """A Znuny 6.5 that runs, also after the test."""
    site = _running(ZnunySite.with_queue_of_its_own, "znuny.sh")
    yield site
    site.start()


@pytest.fixture
def mail() -> MailSite:
    """Mail servers that run, with mailboxes that only this test uses."""
    return _running(MailSite.with_boxes_of_its_own, "mail.sh")
