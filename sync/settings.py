"""What the environment, the command line and the document of the instance say."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mappings.loader import DocumentError, Problem, read_files
from mappings.model import Place
from sync import identity
from sync.config import InstanceDocument, instance_document
from sync.logs import Form


class BadSetting(Exception):
    """A setting of the environment or the command line is wrong. The sentence says what to write instead."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says."""

    state: Path
    database: str
    host: str
    port: int
    instance: InstanceDocument
    beside: Path
    """The folder of the instance's document."""
    environ: Mapping[str, str]
    identity: str = ""
    """The id of this instance; '': the one in the state folder."""
    broker: str = ""
    """The address of RabbitMQ; '': this process wakes itself."""
    log: Form | None = None
    """What log lines look like; None: for people on a terminal, else JSON."""

    @property
    def address(self) -> str:
        """Where people reach the pages, as far as the settings know."""
        return self.instance.public_url or f"http://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"


def utc_now() -> datetime:
    """The real clock."""
    return datetime.now(UTC)


def settings(environ: Mapping[str, str], *, state: Path | None = None) -> Settings:
    """Read the settings; `state` goes before INTERDESK_STATE.

    :raises BadSetting: one is wrong.  :raises DocumentError: the instance's document is."""
    folder = state or Path(environ.get("INTERDESK_STATE") or "var")
    host, port = _listen(environ.get("INTERDESK_LISTEN") or "127.0.0.1:8350")
    instance, beside = _instance(environ.get("INTERDESK_CONFIG", ""))
    database = environ.get("INTERDESK_DATABASE") or f"sqlite:///{(folder / 'interdesk.db').absolute()}"
    named = identity.checked(environ.get("INTERDESK_INSTANCE") or instance.instance)
    return Settings(folder, database, host, port, instance, beside, environ, named, _broker(environ), _log(environ))


def _listen(address: str) -> tuple[str, int]:
    host, colon, port = address.rpartition(":")
    if not colon or not host or not port.isdigit() or int(port) > 65535:
        raise BadSetting(f"INTERDESK_LISTEN is HOST:PORT, such as 127.0.0.1:8350, not {address!r}")
    return host.strip("[]"), int(port)


def _broker(environ: Mapping[str, str]) -> str:
    address = environ.get("INTERDESK_BROKER", "")
    if address and not address.startswith(("amqp://", "amqps://")):
        raise BadSetting("INTERDESK_BROKER is amqp://USER:PASSWORD@HOST/VHOST, or nothing: then one process is all")
    return address


def _log(environ: Mapping[str, str]) -> Form | None:
    form = environ.get("INTERDESK_LOG", "")
    if form not in ("", *Form):
        raise BadSetting(f"INTERDESK_LOG is {' or '.join(Form)}, not {form!r}; not set: as the stream is")
    return Form(form) if form else None


def _instance(named: str) -> tuple[InstanceDocument, Path]:
    path = Path(named or "interdesk.yaml")
    if not named and not path.exists():
        return InstanceDocument(), Path()
    documents = read_files([path])
    if len(documents) != 1 or documents[0].kind != "instance":
        place = documents[0].place(("kind",))
        raise DocumentError([Problem(Place(str(path), place.line, 1), "this file holds one document of kind instance")])
    return instance_document(documents[0]), path.parent
