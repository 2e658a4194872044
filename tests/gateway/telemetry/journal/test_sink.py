"""What a real client of an upstream tells the journal, and what systems are told of traces."""

from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import httpx2
import msgspec
import pytest
from pydantic import SecretStr
from starlette.types import Receive, Scope, Send

from connectors.odoo.config import OdooConfig
from gateway.doctor.secrets import Secrets
from gateway.http.shedding import Shedding
from gateway.settings import read
from gateway.telemetry.instruments import Instruments
from gateway.telemetry.journal.record import Entry
from gateway.telemetry.journal.sink import Asking, UpstreamSink
from gateway.telemetry.journal.writer import Journal, JournalRules
from gateway.telemetry.metrics.figures import Figures
from gateway.telemetry.tracing.spans import Span
from ports.caller import Call, Trace
from ports.common import Answers
from ports.errors import MalformedError, TimedOutError, UnavailableError, UpstreamError
from ports.operation import batch
from tests.upstream.loopback import IDENTITY, Loopback, call, config, good, serving, silent
from upstream.config import UpstreamConfig
from upstream.credentials import Credentials
from upstream.exchanges import Exchanges
from upstream.http import HttpClient, Request

ASKED = Request("catalog.products", "/products", params={"token": "secret"})
TRACE = Trace("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", is_sampled=True)


NAMED = {"system": "ERP", "upstream": "erp", "operation": "catalog.products"}


class Shape(msgspec.Struct):
    n: int


class Told:
    """A journal that writes nothing, the figures and the spans of one client."""

    def __init__(self, **parts: Any) -> None:
        self.journal = Journal(JournalRules(Path("unused")))
        self.figures = Figures()
        self.spans: list[Span] = []
        sink = UpstreamSink(("erp", "ERP"), self.journal, self.figures, self.spans.append)
        self.exchanges = Exchanges(sink=sink, propagates=True)
        self._parts = parts
        self.clients: list[HttpClient] = []

    def client(self, address: str, **settings: Any) -> HttpClient:
        made = HttpClient(
            IDENTITY, config(address, **settings), exchanges=self.exchanges, **self._parts
        )
        self.clients.append(made)
        return made

    def entries(self) -> list[Entry]:
        return self.journal.taken()


@pytest.fixture
async def told() -> AsyncIterator[Callable[..., Told]]:
    made: list[Told] = []

    def make(**parts: Any) -> Told:
        made.append(Told(**parts))
        return made[-1]

    yield make
    for one in made:
        for client in one.clients:
            await client.aclose()


async def test_an_answer(told: Callable[..., Told]) -> None:
    seen = told()
    async with serving(good(b'{"n": 1}')) as peer:
        await seen.client(peer.url).send(ASKED, call=call())

    (entry,) = seen.entries()
    assert (entry.upstream, entry.call, entry.method, entry.path) == (
        "erp",
        "catalog.products",
        "GET",
        "/products",
    )
    assert (entry.status, entry.error, entry.received, entry.tried) == (200, None, 8, 1)
    assert "secret" not in str(entry)


async def test_every_try_is_an_entry(told: Callable[..., Told]) -> None:
    seen = told()
    async with serving(good(b"{}", "503 Service Unavailable"), good(b'{"n": 1}')) as peer:
        await seen.client(peer.url, tries=2).send(ASKED, call=call())

    first, second = seen.entries()
    assert (first.tried, first.error, first.response) == (1, "UPSTREAM_UNAVAILABLE", "{}")
    assert (second.tried, second.error, second.response) == (2, None, None)
    lines = list(seen.figures.lines())
    assert any(one.startswith("passerelle_upstream_retries_total") for one in lines)
    assert (
        'passerelle_upstream_calls_total{upstream="erp",operation="catalog.products",'
        'class="UPSTREAM_UNAVAILABLE"} 1'
    ) in lines


async def test_no_answer(told: Callable[..., Told]) -> None:
    seen = told()
    async with serving(silent) as peer:
        client = seen.client(peer.url, tries=1, timeout_seconds=0.1)
        with pytest.raises(TimedOutError):
            await client.send(ASKED, call=call())

    (entry,) = seen.entries()
    assert (entry.status, entry.error, entry.received) == (None, "UPSTREAM_TIMEOUT", 0)


async def test_an_answer_that_cannot_be_read_is_a_failure(told: Callable[..., Told]) -> None:
    seen = told()
    async with serving(good(b'{"n": "no number"}')) as peer:
        with pytest.raises(MalformedError):
            await seen.client(peer.url).read(ASKED, Shape, call=call())

    (entry,) = seen.entries()
    assert (entry.status, entry.error) == (200, "UPSTREAM_MALFORMED")
    assert entry.response == '{"n":"no number"}'
    assert (
        'passerelle_upstream_misread_total{upstream="erp",operation="catalog.products"} 1'
        in seen.figures.lines()
    )


async def test_what_turns_out_unreadable_too_late_is_told_all_the_same(
    told: Callable[..., Told],
) -> None:
    seen = told()
    async with serving(good(b"{}"), good(b"{}")) as peer:
        client = seen.client(peer.url)
        for _ in range(2):
            await client.send(ASKED, call=call())
    sink, failure = seen.exchanges.sink, MalformedError(**NAMED, detail="no n")
    assert sink is not None
    sink.misread(failure)
    sink.misread(failure)
    first, second = seen.entries()
    assert (first.error, second.error) == (None, "UPSTREAM_MALFORMED")

    async with serving(good(b"{}")) as peer:
        await seen.client(peer.url).send(ASKED, call=call())
    assert len(seen.entries()) == 1
    sink.misread(failure)
    (late,) = seen.entries()
    assert (late.error, late.response) == ("UPSTREAM_MALFORMED", "{}")


class NoCredentials:
    async def headers(self, client: httpx2.AsyncClient) -> dict[str, str]:
        raise UnavailableError(system="ERP", upstream="erp", operation="credentials")

    def refused(self, headers: object) -> bool:
        return False


async def test_credentials_that_are_not_given(told: Callable[..., Told]) -> None:
    credentials: Credentials = NoCredentials()
    seen = told(credentials=credentials)
    async with serving(good(b"{}")) as peer:
        with pytest.raises(UpstreamError):
            await seen.client(peer.url, tries=1).send(ASKED, call=call())

    (entry,) = seen.entries()
    assert (entry.call, entry.error, entry.request) == (
        "credentials",
        "UPSTREAM_UNAVAILABLE",
        None,
    )


async def test_bodies_are_kept_while_they_are_captured(told: Callable[..., Told]) -> None:
    seen = told()
    async with serving(good(b'{"email": "a@example.org"}'), good(b"{}")) as peer:
        client = seen.client(peer.url)
        seen.journal.capturing = frozenset({"erp"})
        await client.send(ASKED, call=call())
        seen.journal.capturing = frozenset({"pim"})
        await client.send(ASKED, call=call())

    captured, other = seen.entries()
    assert captured.response == '{"email":"***"}'
    assert other.response is None


async def test_systems_are_told_the_trace(told: Callable[..., Told]) -> None:
    seen = told()
    traced = msgspec.structs.replace(call(), trace=TRACE)
    async with serving(good(b"{}"), good(b"{}")) as peer:
        client = seen.client(peer.url)
        await client.send(ASKED, call=traced)
        await client.send(ASKED, call=call())
        first, second = (header_of(peer, number) for number in (0, 1))

    (span,) = seen.spans
    assert first == f"00-{TRACE.id}-{span.span}-01"
    assert second is None
    assert (span.parent, span.error) == (TRACE.span, None)
    assert span.attributes["url.path"] == "/products"
    assert "secret" not in str(span)
    assert [one.trace for one in seen.entries()] == [TRACE.id, None]


def header_of(peer: Loopback, number: int) -> str | None:
    headers = peer.received[number].headers
    found: str | None = headers.get("traceparent")
    return found


class Port(Protocol):
    @batch(varies_on=(), max_age=0, stale_if_error=0)
    async def products(self, skus: Sequence[str], /, *, call: Call) -> Answers[str, int]: ...


class Real:
    async def products(self, skus: Sequence[str], /, *, call: Call) -> Answers[str, int]:
        assert call.asked == ("catalog.products", (skus,))
        return dict.fromkeys(skus, 1)

    def other(self) -> str:
        return "as it is"


async def test_a_port_tells_what_it_is_asked() -> None:
    port: Any = Asking("catalog", Port, Real())

    assert await port.products(("A",), call=call()) == {"A": 1}
    assert port.other() == "as it is"


SECRET = "s3cr&t-0f-the-gateway"


@pytest.mark.parametrize(
    "body",
    [
        b'{"message": "no such key: s3cr&t-0f-the-gateway"}',
        b"<p>s3cr%26t-0f-the-gateway</p>",
        b'{"why": "czNjciZ0LTBmLXRoZS1nYXRld2F5"}',
        b"no such key: " + b"x" * 16_360 + b"s3cr&t-0f-the-gateway",
    ],
    ids=["JSON", "in an address", "base64", "cut"],
)
async def test_a_system_that_echoes_a_credential_does_not_bring_it_into_the_journal(
    told: Callable[..., Told], body: bytes
) -> None:
    made = told()
    connector = Keyed.model_validate({"kind": "x", "base_url": "http://x", "api_key": SECRET})
    made.journal.masking.hide(Secrets(connector).forms)
    async with serving(good(body, "400 Bad")) as peer:
        client = made.client(peer.url, tries=1)
        with pytest.raises(UpstreamError):
            await client.send(Request("catalog.products", "/products"), call=call())
    (entry,) = made.entries()

    assert entry.response
    kept = f"{entry.detail} {entry.response}"
    for form in Secrets(connector).forms:
        assert form[:12] not in kept


async def test_the_gateway_hides_what_its_configuration_keeps_secret(tmp_path: Path) -> None:
    example = {"kind": "odoo", **OdooConfig.example(), "api_key": SECRET}
    settings = read(
        {"journal": {"file": str(tmp_path / "journal.db")}, "upstreams": {"erp": example}}
    )
    seen = Instruments(settings)
    seen.watch([], Shedding(nobody, settings.resilience.shedding.rules()), settings)

    assert seen.journal is not None
    assert SECRET not in seen.journal.masking.told(f"no such key: {SECRET}")


async def nobody(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise AssertionError


class Keyed(UpstreamConfig):
    api_key: SecretStr
