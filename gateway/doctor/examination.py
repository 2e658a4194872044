"""All steps of one upstream in their order; each stands on those before it."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from gateway.app import Connection, Wiring
from gateway.doctor import drifting, pace
from gateway.doctor.coverage import coverage
from gateway.doctor.network import network_findings
from gateway.doctor.reading import Patient, Readings, read_all
from gateway.doctor.remedies import CREDENTIALS, RIGHTS, described, remedy
from gateway.doctor.report import Examination, Field
from gateway.doctor.samples import Samples
from gateway.doctor.tap import Tap
from gateway.settings import Settings
from ports.caller import Call
from ports.errors import RefusedError
from upstream.config import UpstreamConfig
from upstream.diagnosis import Diagnosed, Finding, Offline
from upstream.drift import Recording, new_recording
from upstream.guard import Guarded
from upstream.reference import own_call
from upstream.roles import ROLES
from upstream.standin import StandIn


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the operator asked for. `sample` records, `reads` for the latency; 0 asks none."""

    names: tuple[str, ...] = ()
    sample: int = 50
    reads: int = 20
    allow_empty: bool = False
    record: Path | None = None
    against: Path | None = None


class Doctor:
    """Examines the upstreams of one wiring, one after the other, and nothing at the same time."""

    def __init__(self, settings: Settings, wiring: Wiring, wishes: Wishes) -> None:
        self._settings = settings
        self._wiring = wiring
        self._wishes = wishes
        self._samples = Samples(_ports(settings, wiring), wishes.sample, self._call)

    async def examine(self, name: str) -> Examination:
        connection, config = self._wiring.connections[name], self._settings.upstreams[name]
        learns = self._wishes.record or self._wishes.against
        tap = Tap(new_recording(name, config.kind) if learns else None)
        connection.upstream.exchanges.sink = tap
        case = _Case(name, connection, config, tap)
        try:
            await self._all(case)
        finally:
            connection.upstream.exchanges.sink = None
        findings = [_allowed(one) for one in case.findings] if self._wishes.allow_empty else None
        roles = connection.roles or connection.upstream.manifest.ports
        address = "" if _is_offline(connection) else config.base_url
        return Examination(
            name, config.kind, address, roles, findings or case.findings, case.fields
        )

    async def _all(self, case: "_Case") -> None:
        if not _is_offline(case.connection):
            case.findings += await network_findings(case.config)
            if case.failed:
                return
        problem = await self._credentials(case)
        if case.failed:
            return
        await self._own_steps(case)
        if problem is not None:
            case.findings.append(problem)
            return
        readings = await self._read(case)
        case.findings.append(pace.quota(case.tap.headers))
        case.findings.append(
            await pace.latency(readings.repeatable, case.tap, self._wishes.reads, _rate(case))
        )
        package = type(case.connection.connector).__module__.rpartition(".")[0]
        case.fields = coverage(readings.records, package)
        case.findings.append(_covered(case.fields))
        self._compare(case)

    async def _credentials(self, case: "_Case") -> Finding | None:
        """Adds what the connector's own check finds; a lack of rights is given back for later."""
        started = time.monotonic()
        try:
            async with asyncio.timeout(self._seconds):
                await case.connection.connector.check(call=self._call())
        except Exception as problem:  # noqa: BLE001 - a connector's mistake must not hide the others
            return self._unchecked(case, problem, time.monotonic() - started)
        seconds = time.monotonic() - started
        case.findings.append(Finding("credentials", "passed", "accepted", seconds=seconds))
        return None

    @staticmethod
    def _unchecked(case: "_Case", problem: Exception, seconds: float) -> Finding | None:
        if isinstance(problem, RefusedError) and not case.tap.refused:
            case.findings.append(Finding("credentials", "passed", "accepted", seconds=seconds))
            return Finding("rights", "failed", described(problem), RIGHTS)
        way = CREDENTIALS if isinstance(problem, RefusedError) else remedy(problem)
        case.findings.append(Finding("credentials", "failed", described(problem), way, seconds))
        return None

    async def _own_steps(self, case: "_Case") -> None:
        """What the connector knows to ask of its vendor."""
        connector, started = case.connection.connector, time.monotonic()
        if not isinstance(connector, Diagnosed):
            return
        try:
            async with asyncio.timeout(self._seconds):
                case.findings += await connector.diagnose(call=self._call())
        except Exception as problem:  # noqa: BLE001 - as above
            seconds = time.monotonic() - started
            case.findings.append(
                Finding("rights", "failed", described(problem), remedy(problem), seconds)
            )

    async def _read(self, case: "_Case") -> Readings:
        readings = Readings()
        ports, tracking = case.connection.connector.ports(), self._settings.roles.tracking
        carriers = frozenset(code for code, one in tracking.items() if one == case.name)
        for role in case.connection.roles or case.connection.upstream.manifest.ports:
            if role not in ports or role not in ROLES:
                continue
            patient = Patient(
                role,
                ports[role],
                case.connection.upstream,
                self._samples,
                carriers or frozenset({case.config.kind}),
                case.tap,
                self._call,
                self._wishes.sample,
            )
            await read_all(patient, readings)
        case.findings += readings.findings
        return readings

    def _compare(self, case: "_Case") -> None:
        recording: Recording | None = case.tap.recording
        if recording is None:
            return
        if self._wishes.against is not None:
            roles = case.connection.roles
            case.findings += drifting.compared(recording, self._wishes.against, roles)
        if self._wishes.record is not None:
            case.findings.append(drifting.written(recording, self._wishes.record))

    @property
    def _seconds(self) -> float:
        return self._settings.graphql.deadline_seconds

    def _call(self) -> Call:
        return own_call(self._settings.graphql.default_language, self._seconds)


@dataclass(slots=True)
class _Case:
    name: str
    connection: Connection
    config: UpstreamConfig
    tap: Tap
    findings: list[Finding] = field(default_factory=list)
    fields: list[Field] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        return any(one.outcome == "failed" for one in self.findings)


def _ports(settings: Settings, wiring: Wiring) -> Mapping[str, Guarded]:
    """The port of each role, without cache, fallback or circuit: the system itself is meant."""
    found = {}
    for role, protocol in ROLES.items():
        name = None if role == "tracking" else getattr(settings.roles, role)
        connection = None if name is None else wiring.connections[name]
        port = None if connection is None else connection.connector.ports().get(role)
        if connection is not None and port is not None:
            found[role] = Guarded(role, protocol, port, connection.upstream)
    return found


def _is_offline(connection: Connection) -> bool:
    connector = connection.connector
    return isinstance(connector, StandIn) or (isinstance(connector, Offline) and connector.offline)


def _rate(case: _Case) -> float | None:
    return case.config.rate_per_second or case.connection.upstream.manifest.rate_per_second


def _covered(fields: list[Field]) -> Finding:
    count = {state: sum(one.state == state for one in fields) for state in _STATES}
    if not fields:
        return Finding("coverage", "skipped", "no record was read")
    told = ", ".join(f"{number} {state}" for state, number in count.items())
    return Finding("coverage", "passed", f"{len(fields)} fields: {told}")


def _allowed(finding: Finding) -> Finding:
    if finding.empty and finding.outcome == "failed":
        return replace(finding, outcome="warning")
    return finding


_STATES = ("served", "empty", "unmapped")
