"""The compose files start commands that exist, with variables that are read, on images of a named version."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from sync.cli.program import interdesk

DOCKER = Path("docker")
FILES = sorted(DOCKER.glob("compose*.yaml"))
PAGE = Path("sync/README.md").read_text(encoding="utf-8") + (DOCKER / "README.md").read_text(encoding="utf-8")


def services(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))["services"]
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_command_is_one_of_the_program(file: Path) -> None:
    ours = [service for service in services(file).values() if service["image"] == "interdesk"]
    assert ours
    assert {service.get("command", ["run"])[0] for service in ours} <= set(interdesk.commands)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_variable_of_ours_is_one_that_is_read(file: Path) -> None:
    given = {name for service in services(file).values() for name in service.get("environment", {})}
    ours = {name for name in given if name.startswith("INTERDESK_")}
    assert ours == {name for name in ours if f"`{name}`" in PAGE}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_foreign_images_have_a_version_and_every_server_tells_its_health(file: Path) -> None:
    for name, service in services(file).items():
        if service["image"] != "interdesk":
            assert re.fullmatch(r"[a-z]+:\d+\.\d+.*", service["image"]), name
        if name not in ("worker", "watch"):
            assert service["healthcheck"]["test"][0] == "CMD", name


def test_production_has_two_workers_and_no_secret_in_the_file() -> None:
    file = DOCKER / "compose.production.yaml"
    assert services(file)["worker"]["deploy"]["replicas"] == 2
    words = file.read_text(encoding="utf-8")
    assert set(re.findall(r"PASS(?:WORD)?: (\S+?)[:}]", words)) <= {"${POSTGRES_PASSWORD", "${RABBITMQ_PASSWORD"}
