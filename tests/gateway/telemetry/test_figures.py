"""The text exposition, and that nothing a client sends makes it grow."""

from ipaddress import ip_network
from typing import Any

import httpx2
import pytest
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from gateway.access.errors import Challenge
from gateway.http.app import http_app
from gateway.telemetry.http_figures import Counted
from gateway.telemetry.metrics.exposition import Counter, Histogram, gauge
from gateway.telemetry.metrics.figures import OTHER, UNNAMED, Figures, Names
from gateway.telemetry.metrics.route import SCOPE, metrics_route
from gateway.telemetry.metrics.state import process_lines
from ports.caller import Call, Caller, CallerKind
from ports.errors import UnavailableError
from upstream.exchanges import Exchange
from upstream.uses import Use


def test_a_counter() -> None:
    counter = Counter("asked_total", "How often.", ("who",))
    counter.add("a")
    counter.add("a", by=2)
    counter.add('b"\\\n')

    assert list(counter.lines()) == [
        "# HELP asked_total How often.",
        "# TYPE asked_total counter",
        'asked_total{who="a"} 3',
        'asked_total{who="b\\"\\\\\\n"} 1',
    ]


def test_a_histogram_is_cumulative() -> None:
    histogram = Histogram("seconds", "How long.", bounds=(0.1, 1.0))
    for seconds in (0.05, 0.1, 0.5, 7):
        histogram.observe(seconds)

    assert list(histogram.lines())[2:] == [
        'seconds_bucket{le="0.1"} 2',
        'seconds_bucket{le="1"} 3',
        'seconds_bucket{le="+Inf"} 4',
        "seconds_sum 7.65",
        "seconds_count 4",
    ]


def test_a_gauge_without_labels() -> None:
    assert list(gauge("up", "Whether.", {(): 1.0}))[-1] == "up 1"


def test_the_process_is_told() -> None:
    told = dict(line.split(" ") for line in process_lines() if not line.startswith("#"))

    assert float(told["process_resident_memory_bytes"]) > 1_000_000
    assert float(told["process_cpu_seconds_total"]) > 0


def test_names_are_bounded() -> None:
    names = Names(4)

    assert [names.of(str(n), stranger=True) for n in range(4)] == ["0", "1", OTHER, OTHER]
    assert [names.of(str(n), stranger=False) for n in (7, 8, 9)] == ["7", "8", OTHER]
    assert names.of("0", stranger=True) == "0"
    assert names.of(None, stranger=True) == UNNAMED
    assert Names(4).of("x" * 101, stranger=False) == OTHER


def test_calls_and_answers_are_counted() -> None:
    figures = Figures()
    figures.exchange("erp", Exchange("orders", 0.2, 200, None, "r"))
    figures.exchange("erp", Exchange("orders", 0.2, 503, "UPSTREAM_UNAVAILABLE", "r", 2))
    call = Call(Caller("a", CallerKind.USER), "en", 1.0)
    figures.use(call, Use("erp", "orders.orders", (), cached=2, stale=1, live=3, failed=1))
    lines = list(figures.lines())

    for line in (
        'passerelle_upstream_calls_total{upstream="erp",operation="orders",class="ok"} 1',
        'passerelle_upstream_retries_total{upstream="erp",operation="orders"} 1',
        'passerelle_upstream_call_duration_seconds_count{upstream="erp",operation="orders"} 2',
        'passerelle_cache_answers_total{upstream="erp",operation="orders.orders",result="hit"} 2',
        'passerelle_cache_answers_total{upstream="erp",operation="orders.orders",result="miss"} 3',
        'passerelle_cache_answers_total{upstream="erp",operation="orders.orders",result="stale"} 1',
        'passerelle_cache_answers_total{upstream="erp",operation="orders.orders",result="failed"} 1',
    ):
        assert line in lines


async def test_requests_are_counted_whatever_becomes_of_them() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/fails":
            raise ValueError
        await send({"type": "http.response.start", "status": 429, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    figures = Figures()
    transport = httpx2.ASGITransport(app=Counted(app, figures), raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
        await client.get("/")
        await client.get("/fails")
    lines = list(figures.lines())

    assert 'passerelle_http_requests_total{status="429"} 1' in lines
    assert "passerelle_http_request_duration_seconds_count 1" in lines


CALLERS = {
    "staff": Caller("staff", CallerKind.STAFF, scopes=frozenset({SCOPE})),
    "shop": Caller("shop", CallerKind.APPLICATION, scopes=frozenset({"catalog:read"})),
    "nobody": Caller("anonymous", CallerKind.ANONYMOUS),
}


async def authenticate(headers: Headers) -> Caller:
    name = headers.get("who", "nobody")
    if name == "unknown":
        raise Challenge().refused_key()
    if name == "late":
        raise UnavailableError(system="x", upstream="x", operation="x")
    return CALLERS[name]


@pytest.mark.parametrize(
    ("who", "allow", "status"),
    [
        ("staff", (), 200),
        ("shop", (), 403),
        ("nobody", (), 401),
        ("unknown", (), 401),
        ("late", (), 503),
        ("nobody", ("127.0.0.0/8",), 200),
        ("nobody", ("10.0.0.0/8", "::/0"), 401),
    ],
)
async def test_who_may_read_them(who: str, allow: tuple[str, ...], status: int) -> None:
    async def ready() -> list[str]:
        return []

    async def nothing(*_: Any) -> None: ...

    route = metrics_route(lambda: ["up 1"], authenticate, [ip_network(one) for one in allow])
    app = http_app(nothing, not_ready=ready, routes=[route])
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=app), base_url="http://gateway"
    ) as client:
        answer = await client.get("/metrics", headers={"who": who})

    assert answer.status_code == status
    assert ("up 1\n" in answer.text) is (status == 200)
    if status == 200:
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
