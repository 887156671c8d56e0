"""P13: what the engine of profiles costs. A comment over REST and a ticket over SOAP, each beside the barest client.

Measured is the processor time of this process, one thread, connections kept; the trackers are another process. The
floors say the same bytes: `requests` posts the same comment, zeep asks for the same ticket.
"""

import multiprocessing
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from importlib.resources import files
from ipaddress import ip_network
from multiprocessing.connection import Connection
from typing import Any

import requests
import zeep

from connectors import marks
from connectors.api import CommentDraft, Connector
from connectors.emulators.ggus import GgusEmulator
from connectors.emulators.plain import PlainEmulator
from connectors.environment import Environment
from connectors.registry import open_connector
from sync.bench.report import Report
from sync.settings import Settings, utc_now

TARGET = 1.5
_SIZES = {"small": (300, 5), "full": (2_000, 9)}
"""Calls a round; rounds, of which the quickest counts."""
_TEXT = "\n".join(["checksum mismatch since this morning"] * 20)
_TOKEN = "7Q-P13-BENCH"  # noqa: S105 (a mark)


def run(settings: Settings, size: str) -> Report:  # noqa: ARG001  # nothing is stored
    """One run of both."""
    calls, rounds = _SIZES[size]
    wrong: list[str] = []
    with ExitStack() as stack:
        there = _Trackers()
        stack.callback(there.close)
        plain, ggus = _opened("plain", there.plain), _opened("ggus", there.ggus)
        stack.callback(plain.close)
        stack.callback(ggus.close)
        key, number = plain.create({"subject": "p13"}, token=_TOKEN).key, _ticket(ggus)
        bare, service = _bare(there.plain, key), _service(there.ggus)
        said = [_comment(plain, key), bare()]
        if len(set(said)) != 1:
            wrong.append(f"the comments of both are not of one content: {said}")
        shown = [str(ggus.fetch(number).fields["GHD_Description"]), service(number)]
        if shown != [_TEXT, _TEXT]:
            wrong.append(f"the tickets of both are not of one content: {shown}")
        ours = _cpu(lambda: _comment(plain, key), calls, rounds), _cpu(lambda: ggus.fetch(number), calls, rounds)
        least = _cpu(bare, calls, rounds), _cpu(lambda: service(number), calls, rounds)
    ratios = [mine / floor for mine, floor in zip(ours, least, strict=True)]
    return Report(
        bench="P13",
        size=size,
        metrics=_figures(ours),
        floor=_figures(least),
        limit={},
        ratio=round(max(ratios), 2),
        target=TARGET,
        correct=not wrong,
        wrong=tuple(wrong),
    )


def _figures(pair: tuple[float, float]) -> dict[str, float]:
    return {"cpu_ms_per_rest_comment": round(pair[0], 3), "cpu_ms_per_soap_ticket": round(pair[1], 3)}


def _cpu(call: Callable[[], Any], calls: int, rounds: int) -> float:
    """Milliseconds of processor time per call, of the quickest round."""
    call()
    found = []
    for _ in range(rounds):
        begun = time.thread_time()
        for _ in range(calls):
            call()
        found.append((time.thread_time() - begun) / calls * 1000)
    return min(found)


def _comment(connector: Connector, key: str) -> str:
    return connector.comment(key, CommentDraft(_TEXT), token=_TOKEN).comment.text


def _ticket(connector: Connector) -> str:
    fields = {"GHD_Short_Description": "p13", "GHD_Description": _TEXT}
    return connector.create(fields, token=_TOKEN).key


def _bare(address: Mapping[str, str], key: str) -> Callable[[], str]:
    """The same comment by a session of `requests`."""
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {address['key']}"
    body = {"text": marks.stamp(_TEXT, _TOKEN), "internal": False}

    def call() -> str:
        answer = session.post(f"{address['url']}/tickets/{key}/comments", json=body, timeout=60)
        answer.raise_for_status()
        answer.json()
        return _TEXT if answer.headers["Location"] else ""

    return call


def _service(address: Mapping[str, str]) -> Callable[[str], str]:
    """The same ticket by zeep."""
    wsdl = str(files("connectors.profiles") / "wsdl" / "ggus.wsdl")
    client = zeep.Client(wsdl, settings=zeep.Settings(strict=False))
    binding = next(iter(next(iter(client.wsdl.services.values())).ports.values())).binding.name
    url = f"{address['url']}/arsys/services/ARService?server=prod-ars&webService=GGUS"
    service = client.create_service(binding, url)
    who = {"parameters": {"userName": address["user"], "password": address["password"]}}

    def call(number: str) -> str:
        text, _ = marks.read(service.TicketGet(GHD_Request_ID=number, _soapheaders=who).GHD_Description)
        return text

    return call


def _opened(name: str, settings: Mapping[str, str]) -> Connector:
    environment = Environment(clock=utc_now, allowed_networks=(ip_network("127.0.0.0/8"),))
    return open_connector(name, settings, system="p13", environment=environment)


class _Trackers:
    """Both emulators, in a process of their own."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._here, there = context.Pipe()
        self._process = context.Process(target=_serve, args=(there,), daemon=True)
        self._process.start()
        self.plain, self.ggus = self._here.recv()

    def close(self) -> None:
        """End it."""
        self._here.send("end")
        self._process.join(10)
        self._process.terminate()


def _serve(pipe: Connection) -> None:
    with PlainEmulator(utc_now) as plain, GgusEmulator(utc_now) as ggus:
        account = {"user": ggus.username, "password": ggus.password, "unit": ggus.unit}
        pipe.send(({"url": plain.url, "key": plain.key}, {"url": ggus.url, **account}))
        pipe.recv()
