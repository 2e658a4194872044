"""Live answers held against recordings: what changed, and which fields of the graph it puts at risk."""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from gateway.doctor.drifting import likeliest_first
from gateway.doctor.risk import at_risk
from gateway.settings.drift import DriftSettings
from upstream.connector import Upstream
from upstream.drift import (
    GRAVE,
    Drift,
    Recording,
    RecordingError,
    file_of,
    new_recording,
    read,
    write,
)
from upstream.drift_sampling import Sampled, Sampler, Sampling

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class DriftEvent:
    """A change of an upstream's answers; `fields` (`Type.field`) are at risk, the likeliest first."""

    upstream: str
    drift: Drift
    fields: tuple[str, ...]

    @property
    def grave(self) -> bool:
        """Whether it takes a value from somebody."""
        return self.drift.change in GRAVE


Told = Callable[[DriftEvent], object]


def logged(event: DriftEvent) -> None:
    log.warning(
        "contract drift",
        upstream=event.upstream,
        operation=event.drift.operation,
        change=event.drift.change,
        place=event.drift.place,
        detail=event.drift.detail,
        fields=list(event.fields),
    )


@asynccontextmanager
async def watching(
    settings: DriftSettings,
    upstreams: Iterable[tuple[Upstream, tuple[str, ...]]],
    told: Told = logged,
) -> AsyncIterator[None]:
    """Samples the answers of each upstream (with its roles) meanwhile; `told` must not block."""
    async with AsyncExitStack() as stack:
        if settings.enabled:
            for upstream, roles in upstreams:
                sampler = _sampler(settings, upstream, roles, told)
                await stack.enter_async_context(sampler)
                stack.enter_context(_tapped(upstream, sampler))
        yield


def _sampler(
    settings: DriftSettings, upstream: Upstream, roles: tuple[str, ...], told: Told
) -> Sampler:
    folder = settings.directory

    def event(drift: Drift) -> None:
        fields = likeliest_first(at_risk(drift.operation, roles), drift.place)
        told(DriftEvent(upstream.name, drift, tuple(fields)))

    def learned(recording: Recording) -> None:
        try:
            write(recording, folder)
        except OSError as problem:
            log.warning("recording not written", upstream=upstream.name, error=str(problem))

    known = _known(folder, upstream)
    return Sampler(known, event, Sampling(every=settings.sample_every), learned)


def _known(folder: Path, upstream: Upstream) -> Recording:
    """A file that cannot be read is set aside, and all is learned anew."""
    path = file_of(folder, upstream.name)
    if path.exists():
        try:
            return read(folder, upstream.name)
        except RecordingError as problem:
            log.warning("recording set aside", upstream=upstream.name, error=str(problem))
            _set_aside(path)
    return new_recording(upstream.name, upstream.manifest.name)


def _set_aside(path: Path) -> None:
    try:
        path.replace(path.with_suffix(".broken"))
    except OSError as problem:
        log.warning("recording not set aside", path=str(path), error=str(problem))


@contextmanager
def _tapped(upstream: Upstream, sampler: Sampler) -> Iterator[None]:
    exchanges, before = upstream.exchanges, upstream.exchanges.sink
    exchanges.sink = Sampled(sampler, before)
    try:
        yield
    finally:
        exchanges.sink = before
