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


class System(msgspec.Struct, frozen=True, gc=False):
    """One configured upstream. `roles` are the ports that it serves here."""

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
