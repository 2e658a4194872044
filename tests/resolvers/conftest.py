import pytest

from tests.resolvers.shop import Shop


@pytest.fixture(params=["planned", "stock"])
def shop(request: pytest.FixtureRequest) -> Shop:
    """Every test of a resolver runs on both engines, which so must agree."""
    return Shop(planned=request.param == "planned")
