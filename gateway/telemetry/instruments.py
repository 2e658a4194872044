"""All that looks at the gateway at work, made together: journal, usage, figures, traces.

The composition root asks it for what the parts are given; none of it changes an answer.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self, cast
from urllib.parse import urlsplit

from graphql import GraphQLSchema
from starlette.types import ASGIApp, Scope

from gateway.doctor.secrets import Secrets
from gateway.execution.answer import Answer
from gateway.execution.engine import Operation
from gateway.execution.plans import Plans
from gateway.http.shedding import Shedding
from gateway.operations.documents import Document
from gateway.operations.request import RequestError
from gateway.settings.journal import JournalSettings
from gateway.settings.metrics import MetricsSettings, TracingSettings
from gateway.telemetry.http_figures import Counted
from gateway.telemetry.journal.record import Stood, client_of
from gateway.telemetry.journal.sink import Asking, UpstreamSink
from gateway.telemetry.journal.writer import Journal
from gateway.telemetry.metrics.exposition import gauge
from gateway.telemetry.metrics.figures import Figures
from gateway.telemetry.metrics.state import process_lines, upstream_lines
from gateway.telemetry.tracing.context import trace_of
from gateway.telemetry.tracing.spans import operation_span
from gateway.telemetry.usage import Usage
from ports.caller import Call, Caller, CallerKind, Trace
from resolvers.context import Context
from upstream.config import UpstreamConfig
from upstream.connector import Manifest, Upstream
from upstream.exchanges import Exchanges
from upstream.uses import Observe, Use

if TYPE_CHECKING:
    from gateway.telemetry.metrics.otlp import Push


class Sections(Protocol):
    """The settings that it is made of."""

    @property
    def journal(self) -> JournalSettings: ...
    @property
    def metrics(self) -> MetricsSettings: ...
    @property
    def tracing(self) -> TracingSettings: ...


class _Server(Protocol):
    @property
    def root(self) -> str: ...


class Places(Protocol):
    """The settings that tell where systems are, and where we are."""

    @property
    def upstreams(self) -> Mapping[str, UpstreamConfig]: ...
    @property
    def server(self) -> _Server: ...


class Instruments:
    """As a context it writes and sends; until then it only remembers."""

    def __init__(self, settings: Sections) -> None:
        self.journal = settings.journal.open()
        metrics = settings.metrics
        counts = metrics.enabled or metrics.endpoint is not None
        self.figures = Figures(metrics.operations) if counts else None
        self.push: Push | None = None
        self._metrics, self._service = metrics, settings.tracing.service
        self.exporter = settings.tracing.open()
        self.usage: Usage | None = None
        self._share = settings.tracing.share
        self._propagates = settings.tracing.propagate
        self._systems: dict[str, str] = {}
        self._gauges: list[Callable[[], Iterator[str]]] = [process_lines]

    @classmethod
    def off(cls) -> Self:
        """Instruments that look at nothing, for commands that ask systems themselves."""
        return cls(_OFF)

    @classmethod
    def with_journal(cls, journal: Journal) -> Self:
        """Those that keep what passes in this journal, and nothing else."""
        made = cls.off()
        made.journal = journal
        return made

    def exchanges(self, upstream: str, manifest: Manifest) -> Exchanges:
        """What the clients of an upstream note their calls in."""
        system = manifest.system.value
        self._systems[upstream] = system
        put = self.exporter.put if self.exporter else None
        if not (self.journal or self.figures or put):
            return Exchanges(propagates=self._propagates)
        sink = UpstreamSink((upstream, system), self.journal, self.figures, put)
        return Exchanges(sink=sink, propagates=self._propagates)

    def port(self, role: str, protocol: type, port: object) -> object:
        """The port as it is, or one whose calls tell what is asked."""
        return port if self.journal is None else Asking(role, protocol, port)

    @property
    def observe(self) -> Observe | None:
        """What the cache tells how its answers came about; None where nobody wants to know."""
        return self._observe if self.journal or self.figures else None

    def trace(self, scope: Scope, request_id: str) -> Trace:
        """The trace that a request is in, or begins."""
        return trace_of(scope, request_id, self._share)

    def counting(self, schema: GraphQLSchema, plans: Plans) -> None:
        """What is counted of operations beside what `operation` is told."""
        self._gauges.append(lambda: _plan_lines(plans))
        if self.journal is not None:
            self.usage = Usage(schema)
            self.journal.each(self.usage.flush)

    def reused(self, caller: Caller, source: object) -> None:
        """Told of each kept answer that is given again; `source` is that of its provenance."""
        if isinstance(source, tuple):
            name, document = source
            self._used(caller, name, document)
            self._counted(caller, name, "kept")

    def answered(self, status: int, seconds: float) -> None:
        """Told of a request that came to no application."""
        if self.figures is not None:
            self.figures.request("POST", status, seconds)

    def http(self, endpoint: ASGIApp) -> ASGIApp:
        return endpoint if self.figures is None else Counted(endpoint, self.figures)

    def watch(self, upstreams: Iterable[Upstream], shedding: Shedding, places: Places) -> None:
        """What is only looked at when the figures are read."""
        known = list(upstreams)
        self._gauges.append(lambda: upstream_lines(known))
        self._gauges.append(lambda: _shedding_lines(shedding))
        self._gauges.append(self._own_lines)
        addresses = {name: one.base_url for name, one in places.upstreams.items()}
        if self.journal is not None:
            for config in places.upstreams.values():
                self.journal.masking.hide(Secrets(config).forms)
        self.pushed(known, addresses, places.server.root)

    def pushed(
        self, upstreams: Iterable[Upstream], addresses: Mapping[str, str], root: str
    ) -> None:
        """Pushes the figures, where that is wanted. `addresses` are those of the upstreams, `root` is ours."""
        if self.figures is None or self._metrics.endpoint is None:
            return
        from gateway.telemetry.metrics.attempts import Attempts
        from gateway.telemetry.metrics.otlp_instruments import gauges, points

        known, figures = list(upstreams), self.figures
        attempts = figures.attempts = Attempts(addresses, urlsplit(root).scheme)
        self.push = self._metrics.push(
            self._service, lambda: points(figures, attempts), lambda: gauges(known)
        )

    def lines(self) -> Iterator[str]:
        """The text exposition."""
        if self.figures is not None:
            yield from self.figures.lines()
        for one in self._gauges:
            yield from one()

    def operation(
        self, context: Context, seconds: float, answer: Answer | None, refusal: RequestError | None
    ) -> None:
        """An `Over` of operations."""
        call = context.call
        operation = _operation_of(context)
        code = "" if refusal is None else refusal.code
        errors = answer.errors if answer else [{"extensions": {"code": code}}]
        if self.figures is not None:
            for one in errors:
                found = cast("Mapping[str, Any]", one.get("extensions") or {})
                self.figures.errors.add(str(found.get("code", "INTERNAL")))
            is_refused = answer is None or answer.request_error
            outcome = "refused" if is_refused else "partial" if errors else "ok"
            name = self._counted(call.caller, call.operation, outcome)
            self.figures.operation_seconds.observe(seconds, name)
        if operation is not None and not (answer and answer.request_error):
            self._used(call.caller, call.operation, operation.document)
        if self.exporter is not None:
            kind = operation.node.operation.value if operation else None
            span = operation_span(call, kind, seconds, len(errors))
            if span is not None:
                self.exporter.put(span)

    def __enter__(self) -> Self:
        if self.journal is not None:
            self.journal.__enter__()
        if self.exporter is not None:
            self.exporter.__enter__()
        if self.push is not None:
            self.push.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        raised: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.push is not None:
            self.push.__exit__(kind, raised, trace)
        if self.exporter is not None:
            self.exporter.__exit__(kind, raised, trace)
        if self.journal is not None:
            self.journal.__exit__(kind, raised, trace)

    def _observe(self, call: Call, use: Use) -> None:
        if self.figures is not None:
            self.figures.use(call, use)
        if self.journal is not None and (use.stale or use.failed or use.fallback):
            system = self._systems.get(use.upstream, "")
            self.journal.put(Stood(time.time(), system, call, use))

    def _used(self, caller: Caller, name: str | None, document: Document) -> None:
        if self.usage is not None:
            self.usage.note(client_of(caller), name, document)

    def _counted(self, caller: Caller, name: str | None, outcome: str) -> str:
        if self.figures is None:
            return ""
        stranger = caller.kind is CallerKind.ANONYMOUS
        known = self.figures.names.of(name, stranger=stranger)
        self.figures.operations.add(known, outcome)
        return known

    def _own_lines(self) -> Iterator[str]:
        journal, exporter = self.journal, self.exporter
        if journal is not None:
            told = "Whether the journal can be written."
            yield from gauge("passerelle_journal_up", told, {(): float(journal.is_writing)})
            told = "Entries that wait to be written."
            yield from gauge("passerelle_journal_queue", told, {(): float(journal.waiting)})
            yield from _counter("passerelle_journal_entries_total", "Entries.", journal.written)
            dropped = sum(journal.dropped.values())
            yield from _counter("passerelle_journal_dropped_total", "Entries lost.", dropped)
        if exporter is not None:
            yield from _counter("passerelle_spans_sent_total", "Spans sent.", exporter.sent)
            yield from _counter("passerelle_spans_dropped_total", "Spans lost.", exporter.dropped)
        if self.push is not None:
            told = "Pushes of figures that failed."
            yield from _counter("passerelle_pushes_failed_total", told, self.push.failed)


@dataclass(frozen=True, slots=True)
class _Sections:
    journal: JournalSettings
    metrics: MetricsSettings
    tracing: TracingSettings


_OFF = _Sections(
    JournalSettings(enabled=False),
    MetricsSettings(enabled=False),
    TracingSettings(propagate=False),
)


def _operation_of(context: Context) -> Operation | None:
    made = getattr(context, "made", None)
    found: Operation | None = getattr(made, "operation", None)
    return found


def _plan_lines(plans: Plans) -> Iterator[str]:
    yield from _counter("passerelle_plans_served_total", "Operations run by plan.", plans.served)
    told = "Operations that the stock engine ran."
    yield from _counter("passerelle_plans_left_total", told, plans.left)
    told = "Operations that the stock engine ran because there is no plan for what they ask."
    yield from _counter("passerelle_plans_unsupported_total", told, plans.unsupported)
    told = "Plans compiled: once for documents that differ in literals alone."
    yield from _counter("passerelle_plans_compiled_total", told, plans.compiled)


def _shedding_lines(shedding: Shedding) -> Iterator[str]:
    told = "Requests refused for too much load."
    yield from _counter("passerelle_requests_shed_total", told, shedding.refused)
    told = "Requests under way."
    yield from gauge("passerelle_requests_in_flight", told, {(): float(shedding.under_way)})


def _counter(name: str, told: str, value: float) -> Iterator[str]:
    yield f"# HELP {name} {told}"
    yield f"# TYPE {name} counter"
    yield f"{name} {int(value)}"
