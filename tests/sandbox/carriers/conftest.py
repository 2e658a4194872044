"""A world of parcels only, one for each thing that can happen to a parcel."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import jsonschema
import pytest

from sandbox.world import Delivery, Examples, Parcel, ParcelEvent, World

SPECIFICATIONS = Path(__file__).parents[4] / "shared" / "vendor-apis"
START = datetime(2026, 11, 20, 22, 30, tzinfo=UTC)

Carrier = Literal["dhl", "ups"]


def _event(stage: Any, hours: int, offset: int = 60) -> ParcelEvent:
    at = START + timedelta(hours=hours)
    return ParcelEvent(at, offset, stage, "Lyon", "FR", f"It is {stage}")


def _parcel(carrier: Carrier, number: str, *stages: str, **facts: Any) -> Parcel:
    told = {
        "delivery": 7,
        "pieces": 1,
        "estimated": START + timedelta(days=3),
        "signed_by": None,
        "origin_country": "FR",
        "destination_country": "FR",
        "destination_zip": "69001",
    }
    events = tuple(_event(stage, hours) for hours, stage in enumerate(stages))
    return Parcel(number=number, carrier=carrier, events=events, **(told | facts))


def _parcels(carrier: Carrier, prefix: str) -> Iterator[Parcel]:
    way = ("announced", "handed_over", "transit")
    for stage in (*way, "customs", "out_for_delivery", "pickup_point", "exception", "returned"):
        yield _parcel(carrier, f"{prefix}{stage.upper().replace('_', '')}", *way, stage)
    done = (*way, "exception", "out_for_delivery", "delivered")
    yield _parcel(carrier, f"{prefix}DELIVERED", *done, signed_by="Jeanne Le Goff")
    yield _parcel(
        carrier,
        f"{prefix}GERMANY",
        *done,
        signed_by="Max Bauer",
        destination_country="DE",
        destination_zip="10115",
    )
    yield _parcel(carrier, f"{prefix}FARAWAY", *way, destination_country="JP", estimated=None)
    yield _parcel(carrier, f"{prefix}PIECES", *way, pieces=3)
    yield _parcel(carrier, f"{prefix}SHORT", *done, signed_by="ROUX")
    yield _parcel(carrier, f"{prefix}STRAY", *way, delivery=8)
    yield _parcel(carrier, f"{prefix}UNHEARD")
    yield _parcel(carrier, f"{prefix}LATE", *way, "exception", "transit")


@pytest.fixture(scope="session")
def world() -> World:
    delivery = Delivery(7, "WH/OUT/00007", 1, "done", (), "dhl", "X", START, START)
    facts: dict[str, tuple[()]] = dict.fromkeys(
        (
            "categories", "attributes", "families", "models", "items", "companies", "owners",
            "price_lists", "price_rules", "warehouses", "quants", "incoming", "orders",
            "invoices",
        ),
        (),
    )  # fmt: skip
    return World(
        now=START,
        deliveries=(delivery,),
        parcels=(*_parcels("dhl", "DHL"), *_parcels("ups", "1Z00")),
        media={},
        currency_rates={},
        examples=Examples("", "", "", "", ""),
        **facts,
    )


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def _names(schema: Any) -> set[str]:
    if isinstance(schema, list):
        return {name for one in schema for name in _names(one)}
    if not isinstance(schema, dict):
        return set()
    deeper = {name for one in schema.values() for name in _names(one)}
    return deeper | set(schema.get("properties", {}))


def _keys(value: Any) -> set[str]:
    if isinstance(value, list):
        return {key for one in value for key in _keys(one)}
    if not isinstance(value, dict):
        return set()
    return set(value) | {key for one in value.values() for key in _keys(one)}


@pytest.fixture(scope="session")
def conforms() -> Callable[[dict[str, Any], str, Any], set[str]]:
    """Checks an answer against a schema of an OpenAPI document; returns the keys it has not."""

    def check(document: dict[str, Any], name: str, answer: Any) -> set[str]:
        schema = {
            "$ref": f"#/components/schemas/{name}",
            "components": document["components"],
        }
        jsonschema.validate(answer, schema, cls=jsonschema.Draft4Validator)
        return _keys(answer) - _names(document["components"]["schemas"])

    return check


@pytest.fixture(scope="session")
def specification() -> Callable[[str], str]:
    """The text of a vendor's specification kept beside the project; skips where there is none."""

    def read(path: str) -> str:
        file = SPECIFICATIONS / path
        if not file.exists():
            pytest.skip(f"no {path} beside the project")
        return file.read_text()

    return read
