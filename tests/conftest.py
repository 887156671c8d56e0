"""The shipped suites explain their failed assertions like any test."""

import pytest

pytest.register_assert_rewrite("central.store.testing", "connectors.testing", "sync.bus.testing")
