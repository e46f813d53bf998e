"""What all tests share."""

from __future__ import annotations

import os
import re
import zlib

import numpy as np
import pytest

# The IR is checked after every pass, in processes that a test starts too.
os.environ.setdefault("SRCGRAD_VERIFY", "1")

# Generated text, compared as text.
collect_ignore = ["golden"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--refresh-golden", action="store_true", help="write the texts in tests/golden anew")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Processes that share the work have to agree on the names of the tests, so no name may hold an address."""
    unstable = [item.nodeid for item in items if re.search(r" at 0x[0-9a-f]+", item.nodeid)]
    if unstable:
        raise pytest.UsageError(f"the ids of these tests differ from process to process: {', '.join(unstable)}")


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> np.random.Generator:
    """A generator that is seeded with the test's name."""
    return np.random.default_rng(zlib.crc32(request.node.name.encode()))
