import pytest

from tests.resolvers.shop import Shop


@pytest.fixture
def shop() -> Shop:
    return Shop()
