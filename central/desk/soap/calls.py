"""What the door needs of whoever reads XML. `sync.bootstrap` supplies it."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol


class SoapCall(Protocol):
    """What a SOAP envelope asks for, by local names."""

    @property
    def operation(self) -> str: ...
    @property
    def space(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def header(self) -> Mapping[str, Any]: ...
    @property
    def body(self) -> Mapping[str, Any]: ...


class SoapCalls(Protocol):
    """Reads hostile XML: no document type, no entity, nothing deep, wide or long, nothing fetched."""

    def read(self, chunks: Iterable[bytes]) -> SoapCall:
        """The call without the file in it.  :raises ValueError: it is none; the sentence continues "the call …"."""

    def file(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """The bytes of the file in the same call, read once more.  :raises ValueError: they are no base64."""
