"""The gateway's own view of the systems it calls."""

from datetime import datetime
from enum import Enum

import msgspec

from ports.common import SystemName


class SystemStatus(Enum):
    UP = "UP"
    DEGRADED = "DEGRADED"
    DOWN = "DOWN"
    UNKNOWN = "UNKNOWN"


class Latency(msgspec.Struct, frozen=True, gc=False):
    """Milliseconds over the last five minutes; None where nothing was called."""

    p50: float | None = None
    p95: float | None = None
    p99: float | None = None


class LastError(msgspec.Struct, frozen=True, gc=False):
    at: datetime
    code: str
    message: str
    request_id: str | None = None


class StandIn(msgspec.Struct, frozen=True, gc=False):
    """What was answered in place of a system's answers to a port operation (`stock.availability`).

    Either `kind` "stale", the oldest answer `seconds` old, or "fallback": by `source`, a second
    upstream.
    """

    operation: str
    kind: str
    keys: int
    seconds: float | None = None
    source: str | None = None


class Impact(msgspec.Struct, frozen=True, gc=False):
    """Whom a system that does badly touched in the last minutes.

    `fields` are `Type.field`, `operations` and `clients` by name, `failed` answers that nobody
    got. Without a journal only the fields are known.
    """

    minutes: int
    fields: tuple[str, ...]
    operations: tuple[str, ...] = ()
    clients: tuple[str, ...] = ()
    customers: int = 0
    failed: int = 0
    stand_ins: tuple[StandIn, ...] = ()


class System(msgspec.Struct, frozen=True, gc=False):
    """One configured upstream. `roles` are the ports that it serves here.

    `impact` is None while it does well.
    """

    name: SystemName
    upstream: str
    connector: str
    status: SystemStatus
    since: datetime
    latency: Latency
    error_rate: float
    roles: tuple[str, ...] = ()
    last_success_at: datetime | None = None
    last_error: LastError | None = None
    impact: Impact | None = None
