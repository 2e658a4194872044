"""Where it is kept which messages of systems were taken: in Redis, else in a file of each sender."""

from collections.abc import Mapping
from pathlib import Path

from gateway.http.webhook_claims import Claims, FileClaims, RedisClaims
from gateway.redis_client import redis_client
from gateway.settings.tree import Settings

_FOLDER = Path("var")


def claims_of(settings: Settings) -> Mapping[str, Claims]:
    """By sender. Nothing is opened before a message comes; whoever makes them closes them."""
    url, seconds = settings.redis.url, settings.redis.timeout_seconds
    if url and settings.webhooks:
        shared = RedisClaims(redis_client(url.get_secret_value(), seconds))
        return dict.fromkeys(settings.webhooks, shared)
    return {
        name: FileClaims(Path(told.known) if told.known else _FOLDER / f"webhooks-{name}.db")
        for name, told in settings.webhooks.items()
    }
