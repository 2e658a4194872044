"""The Python that is written for values of one shape."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from graphql import GraphQLError, GraphQLNonNull, GraphQLScalarType

from gateway.execution.assembly import builder, completer, row_type
from gateway.execution.plan import _leaf
from gateway.execution.shapes import Anomaly, Column, Leaf, Listed, Objects, Required, Selection
from ports.common import Money
from tests.resolvers.shop import CORE


def leaf(name: str) -> Leaf:
    kind = CORE.type_map[name]
    assert not isinstance(kind, GraphQLNonNull)
    return _leaf(kind)  # type: ignore[arg-type]


def written(shape: Any, *values: Any) -> Any:
    return msgspec.json.decode(msgspec.json.encode(completer(shape)(values)))


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("Decimal", Decimal("12.50"), "12.50"),
        ("Decimal", Decimal("1E+2"), "100"),
        ("Decimal", Decimal("0E-10"), "0.0000000000"),
        ("Decimal", Decimal("-0.00"), "-0.00"),
        ("DateTime", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02T03:04:05Z"),
        ("DateTime", datetime(2026, 1, 2, 3, 4, 5, 67, tzinfo=UTC), "2026-01-02T03:04:05.000067Z"),
        (
            "DateTime",
            datetime(2026, 1, 2, 3, tzinfo=timezone(timedelta(hours=2))),
            "2026-01-02T01:00:00Z",
        ),
        ("Date", date(2026, 1, 2), "2026-01-02"),
        ("Date", datetime(2026, 1, 2, 3, tzinfo=UTC), "2026-01-02"),
        ("Int", 2**31 - 1, 2**31 - 1),
        ("Boolean", True, True),
        ("String", "é", "é"),
        ("ID", 5, "5"),
        ("CurrencyCode", "EUR", "EUR"),
        ("URL", "https://a.example", "https://a.example"),
        ("Float", 1.5, 1.5),
    ],
)
def test_leaves_are_written_as_their_scalars_write_them(name: str, value: Any, text: Any) -> None:
    kind = CORE.type_map[name]
    assert isinstance(kind, GraphQLScalarType)

    assert written(leaf(name), value, None) == [text, None]
    assert kind.serialize(value) == text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Float", float("inf")),
        ("Float", float("nan")),
        ("Int", 2**31),
        ("Int", "x"),
        ("Decimal", 1.5),
        ("DateTime", "2026"),
        ("Boolean", "yes"),
    ],
)
def test_what_a_scalar_refuses_is_refused(name: str, value: Any) -> None:
    with pytest.raises(GraphQLError):
        completer(leaf(name))([value])


def test_no_null_where_none_may_be() -> None:
    for shape in (leaf("Decimal"), leaf("String"), Listed(leaf("String"), is_async=False)):
        with pytest.raises(Anomaly):
            completer(Required(shape, is_async=False))([None])


def test_only_lists_are_lists() -> None:
    with pytest.raises(Anomaly):
        completer(Listed(leaf("String"), is_async=False))(["abc"])


def test_objects_are_rows_in_the_order_of_their_columns() -> None:
    columns = (
        Column("currency", leaf("String"), attribute="currency"),
        Column("__typename", leaf("String"), constant="Money"),
        Column("class", leaf("Decimal"), attribute="amount"),
    )
    shape = Objects({None: Selection(columns, builder)}, is_async=False)

    (row,) = completer(shape)([Money(Decimal(2), "EUR")])

    assert msgspec.json.encode(row) == b'{"currency":"EUR","__typename":"Money","class":"2"}'


def test_row_types_are_made_once_for_the_same_keys() -> None:
    assert row_type(("a", "b")) is row_type(("a", "b"))
    assert row_type(("a", "b")) is not row_type(("b", "a"))
