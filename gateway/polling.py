"""Which upstreams are asked for what changed, by whom of several replicas, and how far was read."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from gateway.redis_client import redis_client
from gateway.settings.tree import Settings
from gateway.settings.webhooks import PollingSettings
from upstream.connector import Connector, TellsChanges
from upstream.cursors import Cursors, FileCursors, RedisCursors
from upstream.poller import Poller, Purges
from upstream.turns import RedisTurns

if TYPE_CHECKING:
    from redis.asyncio import Redis

log = structlog.get_logger(__name__)

_FOLDER = Path("var")
_PREFIX = "passerelle:changes:"
# A holder that is merely late keeps its turn; one that died is missed for so many rounds.
_ROUNDS_OF_A_TURN = 3


@asynccontextmanager
async def polling(
    settings: Settings, connectors: Mapping[str, Connector], cache: Purges | None
) -> AsyncIterator[tuple[Poller, ...]]:
    """Asks as long as it is open; of upstreams whose connector can, where answers are kept."""
    chosen = list(_chosen(settings, connectors)) if cache is not None else []
    if cache is None or not chosen:
        yield ()
        return
    async with AsyncExitStack() as stack:
        url, seconds = settings.redis.url, settings.redis.timeout_seconds
        redis = redis_client(url.get_secret_value(), seconds) if url else None
        if redis is not None:
            stack.push_async_callback(redis.aclose)
        pollers = [_poller(name, feed, cache, settings, redis) for name, feed in chosen]
        for poller in pollers:
            await stack.enter_async_context(poller)
        log.info("changes are asked for", upstreams=sorted(name for name, _ in chosen))
        yield tuple(pollers)


def _chosen(
    settings: Settings, connectors: Mapping[str, Connector]
) -> Iterator[tuple[str, TellsChanges]]:
    for name, connector in connectors.items():
        told = _told(settings, name)
        if told.enabled and isinstance(connector, TellsChanges):
            yield name, connector
        elif name in settings.polling and told.enabled:
            log.warning("changes cannot be asked for", upstream=name)


def _poller(
    name: str, asked: TellsChanges, cache: Purges, settings: Settings, redis: "Redis | None"
) -> Poller:
    told = _told(settings, name)
    cursors: Cursors
    if redis is None:
        path = _FOLDER / f"changes-{name}.json" if told.cursor is None else Path(told.cursor)
        cursors, turns = FileCursors(path), None
    else:
        cursors = RedisCursors(redis, f"{_PREFIX}{name}")
        seconds = told.interval_seconds * _ROUNDS_OF_A_TURN
        turns = RedisTurns(redis, f"{_PREFIX}{name}:turn", seconds)
    return Poller(name, asked.changes(), cache, cursors, told.terms(), turns=turns)


def _told(settings: Settings, name: str) -> PollingSettings:
    return settings.polling.get(name) or PollingSettings()
