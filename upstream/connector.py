"""What a connector is: a manifest, a configuration, and an object that serves ports."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Protocol, runtime_checkable

import httpx2
import msgspec

from ports.caller import Call
from ports.common import Freshness, SystemName
from upstream.circuit import CircuitRules, Circuits
from upstream.config import UpstreamConfig
from upstream.exchanges import Exchanges
from upstream.http import Identity
from upstream.limits import Bulkhead
from upstream.paces import Paces
from upstream.poller import ChangeFeed
from upstream.sharing import SharedLimit, Sharing

_LEASE_MARGIN_SECONDS = 5.0


class OperationLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Declared per port operation (`catalog.products`); `max_keys` None: any number at once."""

    max_keys: int | None = None


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`manifest.toml` of a connector: what can be known without importing it.

    `connector` and `config` are import paths (`connectors.odoo.connector:Odoo`). `concurrency`
    and `rate_per_second` are what one connection to the vendor bears.
    """

    name: str
    title: str
    system: SystemName
    ports: tuple[str, ...]
    connector: str
    config: str
    concurrency: int | None = None
    rate_per_second: float | None = None
    operations: dict[str, OperationLimits] = {}


class Resilience(msgspec.Struct, frozen=True):
    """What the operator decided for all upstreams; `sharing` holds limits with other replicas."""

    circuit: CircuitRules = CircuitRules()
    queue_limit: int = 1000
    sharing: Sharing | None = None


class Upstream(msgspec.Struct, frozen=True, dict=True):
    """What a connector is given to work with, beside its own configuration.

    `transport` replaces the network in tests.
    """

    name: str
    manifest: Manifest
    exchanges: Exchanges
    transport: httpx2.AsyncBaseTransport | None = None
    resilience: Resilience = Resilience()

    @property
    def identity(self) -> Identity:
        return Identity(self.name, self.manifest.system.value)

    @cached_property
    def circuits(self) -> Circuits:
        """One for each port operation; whoever calls an operation goes through its own."""
        return Circuits(self.manifest.system.value, self.name, self.resilience.circuit)

    @cached_property
    def paces(self) -> Paces:
        """How long calls of its port operations took lately."""
        return Paces()

    def bulkhead(self, config: UpstreamConfig) -> Bulkhead:
        """The configured limits, else the manifest's; those of all replicas where they share."""
        concurrency = config.concurrency or self.manifest.concurrency
        rate = config.rate_per_second or self.manifest.rate_per_second
        # A try that hangs ends by itself first; only a process that died leaves its lease to end.
        lease = config.timeout_seconds + _LEASE_MARGIN_SECONDS
        sharing = self.resilience.sharing
        limit = SharedLimit(self.name, concurrency, rate, lease)
        return Bulkhead(
            concurrency,
            rate,
            queue_limit=self.resilience.queue_limit,
            shared=sharing.of(limit) if sharing else None,
        )

    def read_now(self) -> Freshness:
        """The freshness of a value that was read this moment."""
        return Freshness(self.manifest.system, self.name, datetime.now(UTC))


class Connector(Protocol):
    """Built as `Connector(upstream, config)` without touching the network.

    `ports` gives an object for every role of the manifest (may be the connector itself).
    """

    def ports(self) -> Mapping[str, object]: ...

    async def check(self, *, call: Call) -> None:
        """Proves address, credentials and rights by the cheapest real read.

        Raises the branch of `ports.errors.UpstreamError` that tells what is wrong.
        """
        ...

    async def aclose(self) -> None: ...


@runtime_checkable
class TellsChanges(Protocol):
    """A connector whose system sends no messages, but can be asked what changed."""

    def changes(self) -> ChangeFeed: ...


class ConnectorType(Protocol):
    def __call__(self, upstream: Upstream, config: UpstreamConfig, /) -> Connector: ...
