"""What one operation carries from field to field: the caller, its terms, the ports, the loaders."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import msgspec

from ports.accounts import Accounts
from ports.caller import Call, Caller
from ports.catalog import Catalog
from ports.common import SystemName
from ports.customers import Customers
from ports.errors import ForbiddenError, NotConfiguredError, PortError
from ports.invoices import Invoices
from ports.orders import Orders
from ports.pricing import Pricing
from ports.shipments import Shipments
from ports.stock import Stock
from ports.systems import System
from ports.tracking import CarrierTracking
from resolvers.loading import Loader
from resolvers.scopes import SCOPE_OF_ROLE

_GRACE_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Ports:
    """The configured roles; None where no upstream serves one. `tracking` goes by carrier code."""

    catalog: Catalog | None = None
    pricing: Pricing | None = None
    stock: Stock | None = None
    accounts: Accounts | None = None
    orders: Orders | None = None
    invoices: Invoices | None = None
    shipments: Shipments | None = None
    customers: Customers | None = None
    tracking: Mapping[str, CarrierTracking] = field(default_factory=dict)


SYSTEM_OF_ROLE: Mapping[str, SystemName] = {
    "catalog": SystemName.PIM,
    "pricing": SystemName.ERP,
    "stock": SystemName.ERP,
    "accounts": SystemName.ERP,
    "orders": SystemName.ERP,
    "invoices": SystemName.ERP,
    "shipments": SystemName.ERP,
    "customers": SystemName.CRM,
    "tracking": SystemName.CARRIER,
    "returns": SystemName.OMS,
    "payments": SystemName.PAYMENT,
    "documents": SystemName.DMS,
}


class MediaLinks(Protocol):
    def __call__(self, code: str, /) -> str:
        """An absolute, signed address under which the gateway serves this media code."""
        ...


class TooLateError(Exception):
    """The operation's deadline passed while it was busy, so that nothing could cancel it."""


@dataclass(frozen=True, slots=True)
class Fresh:
    """What `@fresh` asks: seconds that an answer may be old, and how old while its system fails."""

    max_age: int
    stale_if_error: int | None = None


Path = tuple[str, ...]
"""Where a field is in the answer: response keys from the root, without places in lists."""


@dataclass(slots=True)
class Context:
    """Made anew for each operation; `aclose` ends what it still has under way.

    `address` is the client's; `headers` go out with the answer; `observed` is what was seen to be
    asked. `fresh` holds what `@fresh` asks of single fields, `wanted` the fields that are read of
    the records of port operations (`catalog.products`); of one that is not there, all. Operations
    in `alone` are asked by one field only.
    """

    call: Call
    ports: Ports
    media_url: MediaLinks
    systems: Callable[[], Sequence[System]]
    page_cap: int = 100
    address: str = "unknown"
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    fresh: Mapping[Path, Fresh] = field(default_factory=dict)
    wanted: Mapping[str, frozenset[str]] = field(default_factory=dict)
    alone: frozenset[str] = frozenset()
    observed: object = None
    _terms: Fresh | None = None
    _loaders: dict[tuple[object, Fresh | None], Loader[Any, Any]] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def caller(self) -> Caller:
        return self.call.caller

    @property
    def deadline(self) -> float:
        """When the whole operation is cut off: a little after its calls, whose errors tell more."""
        return self.call.deadline + _GRACE_SECONDS

    def in_time(self) -> None:
        """Raises TooLateError past the deadline: for work that awaits nothing."""
        if time.monotonic() > self.deadline:
            raise TooLateError

    def require(self, scope: str) -> None:
        """Raises ForbiddenError for a caller without the scope."""
        if scope not in self.call.caller.scopes:
            raise ForbiddenError(f"This needs the scope {scope}.")

    def port(self, role: str) -> Any:
        """The port of a role.

        Raises ForbiddenError for a caller without the role's scope, and NotConfiguredError when
        no upstream serves it. The only way to a port, so that no way in goes unchecked.
        """
        self.require(SCOPE_OF_ROLE[role])
        if (port := getattr(self.ports, role, None)) is None:
            raise NotConfiguredError(SYSTEM_OF_ROLE[role].value, role)
        return port

    @property
    def carriers(self) -> Mapping[str, CarrierTracking]:
        """The tracking ports by carrier code. Raises ForbiddenError as `port` does."""
        self.require(SCOPE_OF_ROLE["tracking"])
        return self.ports.tracking

    def at(self, path: Path) -> "Context":
        """The same operation with what `@fresh` asks of the field there, or of one around it."""
        if not self.fresh:
            return self
        for length in range(len(path), 0, -1):
            if (terms := self.fresh.get(path[:length])) is not None:
                asked = {"max_age": terms.max_age, "stale_if_error": terms.stale_if_error}
                call = msgspec.structs.replace(self.call, **asked)
                return replace(self, call=call, _terms=terms)
        return self

    def loader(self, role: str, operation: str) -> Loader[Any, Any]:
        """The loader of a batch operation of a port (`catalog`, `products`)."""
        if (known := self._loaders.get(((role, operation), self._terms))) is not None:
            return known
        method, call = getattr(self.port(role), operation), self._call(role, operation)
        named = f"{role}.{operation}"
        return self.loader_of((role, operation), lambda keys: method(keys, call=call), named)

    async def once(self, role: str, operation: str, *arguments: Any) -> Any:
        """The answer of a single operation of a port, asked once for the same arguments."""
        method, call = getattr(self.port(role), operation), self._call(role, operation)

        async def ask(questions: "Sequence[tuple[Any, ...]]") -> "dict[Any, Any]":
            if len(questions) == 1:
                return {questions[0]: await _told(method, questions[0], call)}
            found = await asyncio.gather(*(_told(method, one, call) for one in questions))
            return dict(zip(questions, found, strict=True))

        named = f"{role}.{operation}"
        found = await self.loader_of((role, operation), ask, named).one(arguments)
        if isinstance(found, PortError):
            raise found
        return found

    def _call(self, role: str, operation: str) -> Call:
        wanted = self.wanted.get(f"{role}.{operation}")
        return self.call if wanted is None else msgspec.structs.replace(self.call, wanted=wanted)

    def loader_of(
        self, name: object, ask: Callable[[Sequence[Any]], Any], operation: str
    ) -> Loader[Any, Any]:
        """The loader called `name` of a port operation, made around `ask` when there is none yet."""
        key = (name, self._terms)
        if (known := self._loaders.get(key)) is None:
            alone = operation in self.alone
            known = self._loaders[key] = Loader(ask, self._tasks, alone=alone)
        return known

    def begin(self, work: Callable[[], Awaitable[object]]) -> None:
        """Does it besides; what becomes of it, those are told who ask the same."""
        task = asyncio.get_running_loop().create_task(_quietly(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def ask_together(self) -> None:
        """From now on fields are answered one by one, so that their keys have to be gathered."""
        self.alone = frozenset()
        for loader in self._loaders.values():
            loader.alone = False

    def asked(self, role: str, operation: str) -> Mapping[Any, Any]:
        """The keys asked so far of a batch operation, each with what was found."""
        found: dict[Any, Any] = {}
        for loader in self._loaders_of(role, operation):
            found |= loader.found()
        return found

    def asked_for(self, role: str, operation: str) -> Collection[Any]:
        """The keys alone, whatever became of them."""
        return [key for loader in self._loaders_of(role, operation) for key in loader.asked()]

    def _loaders_of(self, role: str, operation: str) -> Sequence[Loader[Any, Any]]:
        if not self.fresh:
            only = self._loaders.get(((role, operation), None))
            return () if only is None else (only,)
        named = (role, operation)
        return [loader for (name, _), loader in self._loaders.items() if name == named]

    async def aclose(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
        # Loaders know how to ask by this context: else both would wait for garbage collection.
        self._loaders.clear()


async def _quietly(work: Callable[[], Awaitable[object]]) -> None:
    with suppress(Exception):
        await work()


async def _told(method: Callable[..., Any], arguments: tuple[Any, ...], call: Call) -> Any:
    try:
        return await method(*arguments, call=call)
    except PortError as error:
        return error
