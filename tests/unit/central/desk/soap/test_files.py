"""Files over the classic SOAP interface."""

import base64
import tracemalloc
from collections.abc import Iterable, Iterator
from datetime import timedelta

import pytest

from central.desk.services.tickets import Upload
from central.store.memory import MemoryStore
from tests.unit.central.desk.soap.hotline import Hotline, envelope, gat
from tests.unit.sync.world import World

DATA = bytes(range(256)) * 300


@pytest.fixture
def line() -> Iterator[Hotline]:
    with Hotline() as line:
        yield line


def added(number: str, data: bytes = DATA, name: str = "log.bin", **more: str) -> dict[str, str]:
    return gat(
        Attachment_Name=name,
        Attachment_Data=base64.encodebytes(data).decode(),
        Attachment_Orig_Size=str(len(data)),
        Request_ID=number,
        Last_Modifier="Alice (via RT)",
        Last_Login="ngi-cz",
        **more,
    )


def test_a_file_goes_there_and_comes_back_byte_for_byte(line: Hotline) -> None:
    number = line.create(Responsible_Unit="NGI_CZ")
    file_id = line.call("AddAttachment", added(number, Origin_SG="RT"))["GAT_Attachment_ID"]
    listed = line.call("GetAttachIDs", gat(Request_ID=number))["getListValues"]
    assert (listed["GAT_AttachmentID"], listed["GAT_attachmentName"]) == (file_id, "log.bin")
    assert (listed["GAT_Last_Modifier"], listed["GAT_Origin_SG"]) == ("Alice (via RT)", "RT")
    one = line.call("GetOneAttachment", gat(Attachment_ID=file_id))
    assert base64.b64decode(one["GAT_attachmentData"]) == DATA
    assert (one["GAT_attachmentOrigSize"], one["GAT_RequestID"]) == (str(len(DATA)), number)
    whole = line.call("GetAttachments", gat(Request_ID=number))["getListValues"]
    assert base64.b64decode(whole["GAT_Attachment_Data"]) == DATA


def test_a_repeated_upload_is_no_twin(line: Hotline) -> None:
    number = line.create(Responsible_Unit="NGI_CZ")
    first, again = (line.call("AddAttachment", added(number))["GAT_Attachment_ID"] for _ in range(2))
    assert first == again
    other = line.call("AddAttachment", added(number, b"other"))["GAT_Attachment_ID"]
    assert other != first
    foreign = line.call("AddAttachment", added(number), who="tess")["GAT_Attachment_ID"]
    assert foreign not in (first, other)


@pytest.mark.parametrize(
    ("name", "kept"), [("../../etc/passwd", "passwd"), ("C:\\temp\\log.txt", "log.txt"), ("log.txt\n", "log.txt")]
)
def test_a_name_is_a_name_and_no_way(line: Hotline, name: str, kept: str) -> None:
    number = line.create(Responsible_Unit="NGI_CZ")
    line.call("AddAttachment", added(number, name=name))
    assert [each.name for each in line.world.store.read(lambda tx: tx.tickets.files(int(number)))] == [kept]


def test_what_is_too_large_is_refused_with_the_limit(line: Hotline) -> None:
    number = line.create(Responsible_Unit="NGI_CZ")
    said = line.call("AddAttachment", added(number, bytes(300_001)))
    assert said.startswith("ERROR (306): Value does not fall within the limits")
    assert "GAT_Attachment_Data: a file is at most 300000 bytes long" in said
    huge = line.call("AddAttachment", added(number, bytes(9_000_000)))
    assert huge.startswith("ERROR (306)")
    assert "a file in it 300000" in huge
    assert not line.world.store.read(lambda tx: tx.tickets.files(int(number)))


@pytest.mark.parametrize(("data", "sentence"), [("!!!!", "base64"), ("QUJ", "base64")])
def test_what_is_no_base64_is_refused(line: Hotline, data: str, sentence: str) -> None:
    number = line.create(Responsible_Unit="NGI_CZ")
    assert sentence in line.call("AddAttachment", added(number) | gat(Attachment_Data=data))
    assert not line.world.store.read(lambda tx: tx.tickets.files(int(number)))


def test_files_of_an_internal_note_are_for_those_with_the_right_alone(line: Hotline) -> None:
    number = line.create("tess", Responsible_Unit="NGI_CZ", EMail="alice@example.org")
    upload = Upload("secret.txt", "text/plain", [b"s"])
    line.world.centre.comment(int(number), "psst", line.people["tess"].person, internal=True, files=[upload])
    file_id = line.call("GetAttachIDs", gat(Request_ID=number))["getListValues"]["GAT_AttachmentID"]
    assert line.call("GetOneAttachment", gat(Attachment_ID=file_id))["GAT_attachmentName"] == "secret.txt"
    for operation, body in (
        ("GetAttachIDs", gat(Request_ID=number)),
        ("GetAttachments", gat(Request_ID=number)),
        ("GetOneAttachment", gat(Attachment_ID=file_id)),
    ):
        assert line.call(operation, body, who="alice").startswith("ERROR (302)")


@pytest.mark.parametrize("file_id", ["ATT1-99", "ATT99-1", "ATT1", "x", "ATT1-x"])
def test_a_file_that_is_not_there_is_error_302(line: Hotline, file_id: str) -> None:
    line.create(Responsible_Unit="NGI_CZ")
    assert line.call("GetOneAttachment", gat(Attachment_ID=file_id)).startswith("ERROR (302)")


def test_a_file_whose_bytes_were_let_go_of_is_listed_without_them(line: Hotline) -> None:
    number = line.create(Responsible_Unit="NGI_CZ")
    file_id = line.call("AddAttachment", added(number))["GAT_Attachment_ID"]
    store = line.world.store
    [file] = store.read(lambda tx: tx.tickets.files(int(number)))
    assert store.write(lambda tx: tx.traces.let_go(file, file.created_at + timedelta(days=400)))
    listed = line.call("GetAttachments", gat(Request_ID=number))["getListValues"]
    assert (listed["GAT_Attachment_Name"], listed.get("GAT_Attachment_Data")) == ("log.bin", None)
    assert line.call("GetOneAttachment", gat(Attachment_ID=file_id)).startswith(
        "ERROR (302): the bytes were kept until"
    )


class Forgetful(MemoryStore):
    """Keeps no bytes, so that what a large file costs is what the door costs."""

    def put_blob(self, chunks: Iterable[bytes], *, limit: int) -> tuple[str, int]:
        size = sum(len(each) for each in chunks)
        return super().put_blob([b"x"], limit=limit)[0], size


def test_a_large_upload_is_never_whole_in_memory() -> None:
    size = 12 * 1024 * 1024
    with Hotline(World(store=Forgetful()), largest=16 * 1024 * 1024) as line:
        number = line.create(Responsible_Unit="NGI_CZ")
        body = envelope("AddAttachment", added(number, bytes(size)))
        tracemalloc.start()
        line.post(body)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert [each.size for each in line.world.store.read(lambda tx: tx.tickets.files(int(number)))] == [size]
    assert peak < size // 2
