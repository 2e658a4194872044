"""From the settings to what decides who asks and how much, and what watches them."""

import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import httpx2
import msgspec
from starlette.datastructures import Headers
from starlette.routing import Route

from gateway.access.assembly import Parts, authenticator, protected_resource
from gateway.access.key_wiring import verifier_of
from gateway.access.rates import (
    MAX_CALLERS,
    Header,
    LocalStore,
    RateLimitedError,
    Rates,
    RedisStore,
    Taken,
    network_of,
    rate_headers,
    redis_store,
)
from gateway.access.remembered import Remembered
from gateway.access.watch import Watch, watched_as
from gateway.access.watch_shared import SharedWatch
from gateway.redis_client import redis_client
from gateway.settings.tree import Settings
from ports.caller import Caller
from ports.directory import Directory
from resolvers.context import Context
from resolvers.scopes import ALL_SCOPES


class Admitted(msgspec.Struct, frozen=True):
    """A caller that may ask, and the address it asks from."""

    caller: Caller
    address: str


class Access:
    """The doors of the gateway. As a context it keeps issuers' keys current, and closes all.

    `transport` replaces the network to the issuers (tests). `directory` places callers whose
    tokens name no customer.
    """

    def __init__(
        self,
        settings: Settings,
        transport: httpx2.AsyncBaseTransport | None = None,
        directory: Directory | None = None,
    ) -> None:
        self.watch = Watch(settings.watch.rules())
        self._resource = protected_resource(
            settings.access, settings.server.root, sorted(ALL_SCOPES)
        )
        self._keys = verifier_of(settings.access.keys, self.watch)
        self._store = _rate_store(settings)
        self._rates = Rates(settings.rates.classes(), self._store)
        self._spent: Remembered[str, Taken] = Remembered(MAX_CALLERS, time.monotonic)
        self._shared = _shared_watch(settings, self.watch)
        parts = Parts(self.watch, self._keys, directory, transport)
        self._authenticator = authenticator(settings.access, self._resource, parts)

    async def admit(self, headers: Headers, scope: Mapping[str, Any]) -> Admitted:
        """Raises AccessError 400 or 401, RequestError 429 for who is throttled, TransientError."""
        if (known := self.admit_now(headers, scope)) is not None:
            return known
        address = str((scope.get("client") or ("unknown",))[0])
        network = network_of(address)
        self.watch.require_unthrottled(network)
        caller = await self._authenticator.caller(headers, network)
        name = watched_as(caller, address)
        self.watch.require_unthrottled(name)
        if (spent := self._spent.get(name)) is not None:
            raise RateLimitedError(spent)
        return Admitted(caller, address)

    def admit_now(self, headers: Headers, scope: Mapping[str, Any]) -> Admitted | None:
        """As `admit`; None for whom that would wait for, or would refuse."""
        address = str((scope.get("client") or ("unknown",))[0])
        caller = self._authenticator.caller_now(headers)
        if caller is None or self.watch.throttled(network_of(address)) is not None:
            return None
        name = watched_as(caller, address)
        if self.watch.throttled(name) is not None or self._spent.get(name) is not None:
            return None
        return Admitted(caller, address)

    async def caller(self, headers: Headers) -> Caller:
        """The caller alone, for what operators ask over HTTP. Raises as `admit`."""
        return (await self.admit(headers, {})).caller

    async def take(self, context: Context, cost: int, /) -> None:
        """Charges the caller of an operation. Raises RateLimitedError."""
        taken = self._taken_now(context.call.caller, context.address, cost)
        if taken is None:
            admitted = Admitted(context.call.caller, context.address)
            context.headers.extend(await self.charge(admitted, cost))
        elif taken.allowed:
            context.headers.extend(rate_headers(taken))
        else:
            raise RateLimitedError(taken)

    async def take_refused(self, context: Context, cost: int, /) -> None:
        """As `take`, for what was refused; who has nothing left is not listened to until then."""
        try:
            await self.take(context, cost)
        except RateLimitedError as error:
            name = watched_as(context.call.caller, context.address)
            self._spent.put(name, error.taken, error.taken.retry_after or 0)
            raise

    async def charge(self, admitted: Admitted, cost: int) -> tuple[Header, ...]:
        """What tells the caller how much is left. Raises RateLimitedError."""
        caller = admitted.caller
        classes = self._keys.rate_classes if self._keys else {}
        taken = await self._rates.take(
            caller, cost, address=admitted.address, rate_class=classes.get(caller.subject)
        )
        if not taken.allowed:
            raise RateLimitedError(taken)
        return rate_headers(taken)

    def charge_now(self, admitted: Admitted, cost: int) -> tuple[Header, ...] | None:
        """As `charge`; None where that would wait or refuse, and then nothing was charged."""
        taken = self._taken_now(admitted.caller, admitted.address, cost)
        return rate_headers(taken) if taken is not None and taken.allowed else None

    def _taken_now(self, caller: Caller, address: str, cost: int) -> Taken | None:
        """None where that would wait for a store that is elsewhere."""
        classes = self._keys.rate_classes if self._keys else {}
        return self._rates.take_now(caller, cost, address, classes.get(caller.subject))

    def routes(self) -> Sequence[Route]:
        return self._resource.routes()

    async def __aenter__(self) -> Self:
        await self._authenticator.__aenter__()
        if self._shared is not None:
            await self._shared.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        raised: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._authenticator.__aexit__(kind, raised, trace)
        if self._keys is not None:
            await self._keys.aclose()
        if isinstance(self._store, RedisStore):
            await self._store.aclose()
        if self._shared is not None:
            await self._shared.__aexit__(kind, raised, trace)


def _rate_store(settings: Settings) -> LocalStore | RedisStore:
    if settings.redis.url is None:
        return LocalStore()
    return redis_store(settings.redis.url.get_secret_value(), settings.redis.timeout_seconds)


def _shared_watch(settings: Settings, watch: Watch) -> SharedWatch | None:
    if settings.redis.url is None:
        return None
    url, seconds = settings.redis.url.get_secret_value(), settings.redis.timeout_seconds
    return SharedWatch(redis_client(url, seconds), watch, settings.watch.rules())
