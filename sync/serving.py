"""The web server of this process: a free port, a thread, an orderly end."""

import os
import socket
import threading
from functools import partial
from types import TracebackType
from typing import Self

import uvicorn

from central.desk import rest, views
from central.desk.cookies import Cookies
from central.desk.mail.arrived import Arrived
from central.desk.metrics import Readers
from central.desk.pulse import Pulse
from central.desk.services import Services
from central.desk.services.errors import NotNow
from central.desk.web import openid
from central.desk.web.app import create_app
from central.desk.web.pages import Pages
from sync import why
from sync.bootstrap import Interdesk
from sync.clerk import Clerk
from sync.config import MailDocument
from sync.dictionaries import Dictionaries
from sync.doors import soap_door
from sync.examples import Examples
from sync.helm import Helm
from sync.post_office import UnusableMail, reader_of, signer_of
from sync.registering import Registrar
from sync.secrets import MissingSecret
from sync.settings import BadSetting

TRIES = 20
"""How many ports after the wanted one are tried before giving up."""


class Server:
    """The pages and doors of an interdesk, on a thread. Use it in a `with`; `address` is where people reach it."""

    def __init__(self, desk: Interdesk) -> None:
        """:raises BadSetting: nothing is free where it should listen."""
        self._pulse = Pulse(
            lambda: views.overview(desk.store, desk.clock),
            lambda since: desk.store.read(lambda tx: tx.traffic.minutes(since)),
        )
        self._ending = threading.Event()
        app = create_app(services(desk, self._pulse, self._ending))
        host = desk.settings.host
        self._socket = bound(host, desk.settings.port)
        shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104  # told, not bound
        self.address = f"http://{f'[{shown}]' if ':' in shown else shown}:{self._socket.getsockname()[1]}"
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            proxy_headers="FORWARDED_ALLOW_IPS" in os.environ,  # by which uvicorn itself knows whom to believe
            timeout_keep_alive=75,  # a sender that keeps its connection loses a hint when it is closed on it
            timeout_graceful_shutdown=5,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), name="web", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._pulse.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._ending.set()
        self._pulse.__exit__(kind, error, trace)  # whoever watches the mesh would keep the server from ending
        self._thread.join()
        self._socket.close()


def services(desk: Interdesk, pulse: Pulse, ending: threading.Event) -> Services:
    """What the desk's pages stand on in this process. `ending`: set when it ends."""
    instance = desk.settings.instance
    gate, cookies, helm, clerk = desk.gate, Cookies(instance.public_url), Helm(desk), Clerk(desk.means, desk.gateways)
    registrar = Registrar(desk, helm)
    doors = [soap_door(desk).router()]
    if desk.openid is not None:
        doors.append(openid.router(desk.openid, gate, cookies, Pages(instance.centre)))
    api = rest.create_api(
        rest.Desks.of(
            desk.store,
            desk.clock,
            gate,
            desk.centre,
            helm,
            registrar,
            clerk,
            desk.people,
            lambda *ticket: why.as_data(why.explain(*ticket)),
            limits=instance.central_limits,
            cookies=cookies,
            ending=ending,
        )
    )
    return Services(
        store=desk.store,
        clock=desk.clock,
        centre=instance.centre,
        hooks=desk.inbox,
        readiness=desk,
        gate=gate,
        cookies=cookies,
        tickets=desk.centre,
        systems=helm,
        queues=clerk,
        reasons=why.explain,
        dictionaries=Dictionaries(),
        examples=Examples(desk.store, desk.gateways.get, desk.secrets, desk.means.centre),
        registrations=registrar,
        pulse=pulse,
        largest_file=instance.limits.file,
        reads_mail=None if instance.mail is None else partial(_read, desk, instance.mail),
        openid=desk.openid is not None,
        figures=Readers(
            open=instance.metrics.open,
            token=partial(desk.secrets.look_up, instance.metrics.token.secret) if instance.metrics.token else None,
        ),
        doors=doors,
        api=api,
    )


def _read(desk: Interdesk, document: MailDocument, raw: bytes) -> Arrived:
    try:
        return reader_of(document, signer_of(document, desk.secrets.look_up), desk.means.centre).read(raw)
    except (UnusableMail, MissingSecret) as problem:
        raise NotNow(str(problem)) from None


def bound(host: str, port: int) -> socket.socket:
    """A socket that listens there, or at the next port that is free.

    :raises BadSetting: none is."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for number in range(port, min(port + TRIES, 65536)):
        listening = socket.socket(family, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # every connection inherits it: head and body of an answer leave one by one, and the body would wait 40 ms
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            listening.bind((host, number))
            # what connects before the thread runs must wait, not fail
            listening.listen(128)
        except OSError as error:
            listening.close()
            problem = error.strerror or str(error)
            continue
        return listening
    raise BadSetting(
        f"no port from {port} on can be listened on at {host} ({problem}): set INTERDESK_LISTEN to another"
    )
