"""What the table `[cache]` makes of a cache."""

import pytest
from pydantic import SecretStr, ValidationError

from gateway.settings.cache import CacheSettings
from ports.operation import Operation
from upstream.lifetimes import Lifetime
from upstream.redis_store import RedisStore

STOCK = Operation("batch", (), 10, 300)


def settings(**told: object) -> CacheSettings:
    return CacheSettings.model_validate(told)


def test_without_a_word_answers_are_kept_in_the_process() -> None:
    cache = settings().open(None)

    assert cache is not None
    assert cache.store is None
    assert cache.policy.lifetime("erp", "stock.availability", STOCK) == Lifetime(10, 10, 300)


def test_it_can_be_switched_off() -> None:
    assert settings(enabled=False).open(SecretStr("redis://127.0.0.1:1")) is None


async def test_with_an_address_they_are_shared() -> None:
    cache = settings(enabled=True, secret="0123456789abcdef").open(SecretStr("redis://127.0.0.1:1"))

    assert cache is not None
    assert isinstance(cache.store, RedisStore)
    await cache.aclose()


def test_an_operation_goes_before_its_role() -> None:
    told = {"stock": {"max_age_seconds": 1}, "stock.availability": {"stale_if_error_seconds": 0}}
    policy = settings(lifetimes={"erp-fr": told}).policy()

    assert policy.lifetime("erp-fr", "stock.availability", STOCK) == Lifetime(10, 10, 0)
    assert policy.lifetime("erp-fr", "stock.other", STOCK) == Lifetime(1, 1, 300)
    assert policy.lifetime("erp-be", "stock.availability", STOCK) == Lifetime(10, 10, 300)


@pytest.mark.parametrize(
    "told",
    [
        {"memory_seconds": 61},
        {"secret": "short"},
        {"ttl": 5},
        {"lifetimes": {"erp": {"stock": {"max_age": 1}}}},
    ],
)
def test_what_cannot_be_meant_is_refused(told: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        settings(**told)
