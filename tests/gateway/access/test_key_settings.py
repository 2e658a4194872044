"""What `[access.keys]` may say, and what is made of it."""

import pytest
from pydantic import ValidationError

from gateway.access.key_redis import RedisKeys
from gateway.access.key_sqlite import SqliteKeys
from gateway.access.key_wiring import peppers_of, store_of, verifier_of
from gateway.settings.keys import KeySettings
from tests.gateway.access.key_peers import Noticed

PEPPER = "p" * 32
OTHER = "q" * 32


def read(**told: object) -> KeySettings:
    return KeySettings.model_validate(told)


def test_without_a_pepper_there_is_no_verifier() -> None:
    assert verifier_of(read(), Noticed()) is None
    assert peppers_of(read()) is None


def test_both_peppers_are_used() -> None:
    peppers = peppers_of(read(pepper=PEPPER, previous_pepper=OTHER))

    assert peppers is not None
    assert peppers.current.secret == PEPPER.encode()
    assert peppers.previous is not None
    assert peppers.previous.secret == OTHER.encode()


async def test_the_store_is_the_one_that_is_named() -> None:
    assert isinstance(store_of(read()), SqliteKeys)
    for address in ("redis://h:1/0", "rediss://u@h", "valkey://h", "unix:///run/redis.sock"):
        store = store_of(read(store=address, store_password="hush"))
        assert isinstance(store, RedisKeys)
        await store.aclose()


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("sqlite:var/keys.db", "var/keys.db"),
        ("sqlite:/var/keys.db", "/var/keys.db"),
        ("sqlite:///var/keys.db", "/var/keys.db"),
    ],
)
def test_a_file_is_named_the_usual_ways(text: str, path: str) -> None:
    store = store_of(read(store=text))

    assert isinstance(store, SqliteKeys)
    assert store._path.as_posix() == path


@pytest.mark.parametrize(
    "told",
    [
        {"store": "sqlite:"},
        {"store": "keys.db"},
        {"store": "postgres://h/db"},
        {"store": "redis://:hush@h"},
        {"store": "unix:///run/redis.sock?password=hush"},
        {"pepper": "short"},
        {"pepper": PEPPER, "previous_pepper": "short"},
        {"pepper": PEPPER, "previous_pepper": PEPPER},
        {"grace_seconds": -1},
        {"grace_seconds": 601},
        {"papper": PEPPER},
    ],
)
def test_what_cannot_be_meant_is_refused(told: dict[str, object]) -> None:
    with pytest.raises(ValidationError) as raised:
        read(**told)
    assert "hush" not in str(raised.value)


def test_secrets_are_not_printed() -> None:
    settings = read(pepper=PEPPER, previous_pepper=OTHER, store_password="hush")

    assert not [one for one in (PEPPER, OTHER, "hush") if one in repr(settings)]


def test_every_key_is_described() -> None:
    assert all(field.description for field in KeySettings.model_fields.values())
