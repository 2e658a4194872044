"""The systems behind the gateway, as it sees them now."""

from datetime import datetime

from ports import systems
from ports.common import SystemName
from ports.systems import SystemStatus
from schema.coordinates import affected
from schema.fields import computed, plain, view


@view(systems.Latency, "Milliseconds, over the last five minutes.")
class Latency:
    p50: float | None = plain("Half of the calls are faster.")
    p95: float | None = plain("95 % of the calls are faster.")
    p99: float | None = plain("99 % of the calls are faster.")


@view(systems.LastError, "The last thing that went wrong.")
class SystemError:  # noqa: A001 - the contract's word
    at: datetime = plain("When.")
    code: str = plain("The code that clients saw.")
    message: str = plain("What clients were told.")
    request_id: str | None = plain("The request that met it.")


@view(systems.StandIn, "Answers that stood in for those of a system.")
class StandIn:
    operation: str = plain("What the gateway asked for.")
    kind: str = plain("`stale` for old answers, `fallback` for those of a second system.")
    keys: int = plain("How many objects were answered so.")
    seconds: float | None = plain("The age of the oldest, where they are old.")
    source: str | None = plain("The second upstream, where one answered.")


@view(systems.Impact, "Whom a system that does badly touched in the last minutes.")
class SystemImpact:
    minutes: int = plain("How many minutes.")
    fields: list[str] = plain("Coordinates (Type.field) that suffer.")
    operations: list[str] = plain("Operations of clients that were touched.")
    clients: list[str] = plain("Who sent them.")
    customers: int = plain("For how many customers.")
    failed: int = plain("Calls and objects that were not answered.")
    stand_ins: list[StandIn] = plain("What was answered instead.")


@view(
    systems.System,
    "One configured upstream, as the gateway sees it now. Scope `systems:read`.",
)
class System:
    name: SystemName = plain("The kind of system.")
    upstream: str = plain("The configured name.")
    connector: str = plain("The connector that speaks with it.")
    status: SystemStatus = plain("How it does.")
    since: datetime = plain("Since when it does so.")
    last_success_at: datetime | None = plain("When a call last succeeded.")
    last_error: SystemError | None = plain("The last thing that went wrong.")
    latency: Latency = plain("How long calls take.")
    error_rate: float = plain("Share of failed exchanges over the last five minutes, 0 to 1.")
    affects: list[str] = computed(
        affected, "Coordinates (Type.field) it serves: what suffers while it is down."
    )
    impact: SystemImpact | None = plain("Whom it touches, while it does badly.")
