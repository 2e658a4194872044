"""Drift of live answers names the fields of the graph at risk; broken files keep nobody from work."""

from contextlib import suppress
from pathlib import Path

import httpx2
import pytest
from structlog.testing import capture_logs

from connectors import registry
from gateway.doctor.risk import at_risk
from gateway.doctor.watching import DriftEvent, watching
from gateway.settings.drift import DriftSettings
from ports.errors import MalformedError
from upstream.connector import Upstream
from upstream.drift import file_of, new_recording, write
from upstream.exchanges import Exchanges
from upstream.reference import own_call

KNOWN = b'{"shipments": [%s]}' % b",".join(
    [b'{"id": "1", "status": {"statusCode": "transit", "status": "in transit"}}'] * 30
)
CHANGED = KNOWN.replace(b'"statusCode": "transit"', b'"statusCode": 7')


def upstream_of(body: bytes) -> Upstream:
    def answer(_request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, content=body)

    manifest = registry.find("dhl").manifest
    return Upstream("dhl", manifest, Exchanges(), httpx2.MockTransport(answer))


async def asked(upstream: Upstream, settings: DriftSettings) -> list[DriftEvent]:
    heard: list[DriftEvent] = []
    found = registry.find("dhl")
    config = found.config().model_validate(
        {"kind": "dhl", "base_url": "http://dhl.example", "api_key": "secret"}
    )
    async with watching(settings, [(upstream, ("tracking",))], heard.append):
        connector = found.connector()(upstream, config)
        with suppress(MalformedError):  # what changed is not readable any more
            await connector.check(call=own_call())
        await connector.aclose()
        sink = upstream.exchanges.sink
        if settings.enabled:
            await sink._sampler.settled()
    assert upstream.exchanges.sink is None
    return heard


def recorded_in(folder: Path) -> DriftSettings:
    known = new_recording("dhl", "dhl")
    known.learn("check /track/shipments", KNOWN)
    write(known, folder)
    return DriftSettings(enabled=True, directory=folder, sample_every=1)


async def test_an_event_names_the_fields_at_risk(tmp_path: Path) -> None:
    heard = await asked(upstream_of(CHANGED), recorded_in(tmp_path))

    assert [(one.upstream, one.drift.change, one.drift.place) for one in heard] == [
        ("dhl", "retyped", "$.shipments[].status.statusCode")
    ]
    assert heard[0].grave
    assert heard[0].fields[0] in {
        "Tracking.status",
        "Tracking.sourceStatus",
        "TrackingEvent.status",
    }


async def test_answers_as_recorded_are_no_event(tmp_path: Path) -> None:
    assert await asked(upstream_of(KNOWN), recorded_in(tmp_path)) == []


async def test_nothing_is_sampled_unless_wished(tmp_path: Path) -> None:
    settings = recorded_in(tmp_path).model_copy(update={"enabled": False})

    assert await asked(upstream_of(CHANGED), settings) == []


async def test_a_broken_recording_is_set_aside(tmp_path: Path) -> None:
    settings = recorded_in(tmp_path)
    file_of(tmp_path, "dhl").write_text("{", encoding="utf-8")

    with capture_logs() as logs:
        assert await asked(upstream_of(KNOWN), settings) == []

    assert [one["event"] for one in logs] == ["recording set aside"]
    assert (tmp_path / "dhl.broken").is_file()


@pytest.mark.parametrize(
    ("operation", "inside", "outside"),
    [
        ("orders.search POST", "Order.purchaseOrderNumber", "Product.name"),
        ("stock.availability", "Product.availability", "Product.name"),
        ("catalog.categories", "Category.name", "Product.gtin"),
        ("tracking.track", "Shipment.tracking", "Shipment.carrier"),
        ("reference.owners", "Customer.salesRepresentative", "Order.number"),
    ],
)
def test_the_fields_that_an_operation_feeds(operation: str, inside: str, outside: str) -> None:
    fields = at_risk(operation, ("customers",))

    assert inside in fields
    assert outside not in fields
