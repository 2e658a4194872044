"""The benchmark's own modules, which are no part of the product, and its invented systems."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.benchmarks.peers.shop import Shop

PEERS = Path(__file__).parents[3] / "benchmarks" / "peers"


@pytest.fixture(autouse=True, scope="session")
def _beside_the_product() -> Iterator[None]:
    """What `run` does by PYTHONPATH."""
    sys.path.append(str(PEERS))
    yield
    sys.path.remove(str(PEERS))


@pytest.fixture
def shop() -> Shop:
    return Shop()
