"""What serves at once: how answers leave, where the web server listens, and no pause at work."""

import gc
import socket
from pathlib import Path

import pytest

from sync.bootstrap import Interdesk
from sync.serving import TRIES, bound
from sync.settings import BadSetting, settings


def test_no_part_of_an_answer_waits_until_the_other_side_has_acknowledged_the_one_before() -> None:
    """Else whoever keeps a connection, as senders of hints do, waits 40 ms for every answer."""
    with bound("127.0.0.1", 0) as listening, socket.create_connection(listening.getsockname()):
        made, _ = listening.accept()
        with made:
            assert made.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_taken_port_is_passed_over() -> None:
    with bound("127.0.0.1", 0) as first, bound("127.0.0.1", first.getsockname()[1]) as second:
        assert first.getsockname()[1] < second.getsockname()[1] < first.getsockname()[1] + TRIES


def test_where_nobody_may_listen_the_setting_is_named() -> None:
    with pytest.raises(BadSetting, match="set INTERDESK_LISTEN to another"):
        bound("192.0.2.1", 18_450)


def test_a_collection_of_garbage_looks_at_nothing_that_was_there_before_the_work_began(tmp_path: Path) -> None:
    """Else each full one stops every thread for longer than a change takes."""
    with Interdesk(settings({"INTERDESK_STATE": str(tmp_path)}), exclusive=True, create=True) as desk:
        desk.start()
        assert gc.get_freeze_count() > len(gc.get_objects())
    assert gc.get_freeze_count() == 0
