"""From the settings of `[access.keys]` to the store and what verifies by it."""

from pathlib import Path
from typing import Protocol

from pydantic import SecretStr

from gateway.access.key_format import Pepper, Peppers
from gateway.access.key_store import KeyStore
from gateway.access.keys import KeyTerms, KeyVerifier, Watch

_SQLITE = "sqlite:"


class KeysConfigured(Protocol):
    """What `[access.keys]` of the settings holds."""

    @property
    def store(self) -> str: ...
    @property
    def store_password(self) -> SecretStr | None: ...
    @property
    def pepper(self) -> SecretStr | None: ...
    @property
    def previous_pepper(self) -> SecretStr | None: ...
    @property
    def grace_seconds(self) -> float: ...
    @property
    def test_keys(self) -> bool: ...


def verifier_of(settings: KeysConfigured, watch: Watch) -> KeyVerifier | None:
    """None when no pepper is configured, and so no key can be verified. Touches no store yet."""
    peppers = peppers_of(settings)
    if peppers is None:
        return None
    terms = KeyTerms(settings.grace_seconds, settings.test_keys)
    return KeyVerifier(store_of(settings), peppers, watch, terms)


def peppers_of(settings: KeysConfigured) -> Peppers | None:
    if settings.pepper is None:
        return None
    previous = settings.previous_pepper
    return Peppers(_pepper(settings.pepper), None if previous is None else _pepper(previous))


def store_of(settings: KeysConfigured) -> KeyStore:
    """Nothing is opened before it is needed."""
    if settings.store.startswith(_SQLITE):
        from gateway.access.key_sqlite import SqliteKeys

        return SqliteKeys(Path(settings.store.removeprefix(_SQLITE).removeprefix("//")))
    from gateway.access.key_redis import RedisKeys

    password = settings.store_password
    return RedisKeys(settings.store, password.get_secret_value() if password else None)


def _pepper(secret: SecretStr) -> Pepper:
    return Pepper(secret.get_secret_value().encode())
