"""What a connection has left of its quota, and how fast polite reads are answered."""

import asyncio
import re
import time
from collections.abc import Mapping, Sequence

from gateway.doctor.reading import Ask, Repeatable
from gateway.doctor.remedies import described, remedy
from gateway.doctor.report import in_milliseconds
from gateway.doctor.tap import Tap
from upstream.diagnosis import Finding

# So many a second at the most, whatever the vendor allows.
_POLITE = 10.0
_LOW_SHARE = 0.1
_LEFT = re.compile(r"^(?P<name>.*rate-?limit.*?)-?remaining$")
_MOST_NAMES = ("-limit", "-max", "")


def quota(headers: Mapping[str, str]) -> Finding:
    """From headers such as `X-RateLimit-Remaining`, by whichever name the vendor has for them."""
    found = []
    for name, text in headers.items():
        match = _LEFT.match(name)
        if match and text.strip().isdigit():
            found.append((match["name"], int(text), _most(headers, match["name"])))
    if not found:
        return Finding("quota", "skipped", "the system tells none in its headers")
    detail = "; ".join(
        f"{name}: {left:,} left" + (f" of {most:,}" if most else "") for name, left, most in found
    )
    if any(most and left < most * _LOW_SHARE for _, left, most in found):
        return Finding(
            "quota",
            "warning",
            detail,
            "Find out who else uses this quota; set rate_per_second, or have it raised.",
        )
    return Finding("quota", "passed", detail)


def _most(headers: Mapping[str, str], name: str) -> int | None:
    for ending in _MOST_NAMES:
        text = headers.get(f"{name}{ending}", "").strip()
        if text.isdigit():
            return int(text)
    return None


async def latency(
    repeatable: Sequence[Repeatable], tap: Tap, reads: int, rate: float | None
) -> Finding:
    """The quickest read that asks the system each time, at the pace that the connection bears."""
    if not reads:
        return Finding("latency", "skipped", "not asked for (--reads 0)")
    started, interval = time.monotonic(), 1 / min(rate or _POLITE, _POLITE)
    try:
        for one in sorted(repeatable, key=lambda one: one.seconds):
            calls = tap.calls
            await one.ask()
            if tap.calls > calls:
                times = await _timed(one.ask, reads, interval)
                return _told(times, one.name, time.monotonic() - started)
    except Exception as problem:  # noqa: BLE001 - a connector's mistake must not hide the others
        seconds = time.monotonic() - started
        return Finding("latency", "failed", described(problem), remedy(problem), seconds)
    return Finding("latency", "skipped", "no read that asks the system each time")


async def _timed(ask: Ask, reads: int, interval: float) -> list[float]:
    times = list[float]()
    for _ in range(reads):
        begun = time.monotonic()
        await ask()
        times.append(time.monotonic() - begun)
        await asyncio.sleep(max(0.0, interval - times[-1]))
    return sorted(times)


def _told(times: Sequence[float], name: str, seconds: float) -> Finding:
    p50, p95 = (times[min(len(times) - 1, int(share * len(times)))] for share in (0.5, 0.95))
    detail = f"p50 {in_milliseconds(p50)}, p95 {in_milliseconds(p95)} over {len(times)} of {name}"
    return Finding("latency", "passed", detail, seconds=seconds)
