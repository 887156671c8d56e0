"""The REST door keeps to its own description, whatever it is asked, by whoever asks: schemathesis tries."""

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from tests.desk.served import Served


def no_bug(ctx, response, case):
    """A system that had to be asked and is not there is no bug (502); nothing else may be the server's fault."""
    assert response.status_code < 500 or response.status_code == 502, response.text


CHECKS = [
    no_bug,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    unsupported_method,
]
TRIES = settings(
    max_examples=4,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
"""For each operation, with data that is as described and with data that is not: half a minute in all."""


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    made = Served(tmp_path_factory.mktemp("served"))
    yield made
    made.close()


@pytest.mark.parametrize("login", ["carl", "alice"])
def test_whoever_asks_is_answered_as_described(served, login):
    session = served.api(login).session
    described = session.get(f"{served.address}/openapi.json", timeout=120).json()
    del described["security"]  # the session shows its token, whatever is tried
    schema = schemathesis.openapi.from_dict(described)
    schema.config.update(base_url=f"{served.address}/api")
    failed, tried = [], 0
    for found in schema.exclude(path="/v1/events").get_all_operations():  # a stream that never ends
        operation = found.ok()
        for mode in GenerationMode:
            tried += 1

            @given(case=operation.as_strategy(generation_mode=mode))
            @TRIES
            def ask(case):
                case.call_and_validate(session=session, checks=CHECKS, timeout=120)

            try:
                ask()
            except Unsatisfiable:  # whatever is sent there is as described
                continue
            except (Exception, BaseExceptionGroup) as problem:  # noqa: BLE001  # each is told, after all were tried
                failed.append(f"{operation.label} ({mode.value}): {problem!r}")
    assert tried > 60
    assert not failed, "\n\n".join(failed)
