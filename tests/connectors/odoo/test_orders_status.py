"""What an order's status follows from, and that the domain for it finds the same orders."""

import operator
from collections.abc import Sequence
from decimal import Decimal
from itertools import chain
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.odoo.order_status import Amounts, Transfer, domain, exact, matching, status
from connectors.odoo.paging import any_of, conjoined
from ports.orders import OrderStatus

OUT, PICK, BACK, DROP = "outgoing", "internal", "incoming", "dropship"


def _transfers(*pairs: tuple[str, str]) -> list[Transfer]:
    return [Transfer(state=state, picking_type_code=code) for code, state in pairs]


def _amounts(*pairs: tuple[int, int]) -> list[Amounts]:
    return [Amounts(Decimal(ordered), Decimal(delivered)) for ordered, delivered in pairs]


@pytest.mark.parametrize(
    ("transfers", "expected"),
    [
        ([(OUT, "draft")], "CONFIRMED"),
        ([(OUT, "waiting")], "CONFIRMED"),
        ([(OUT, "confirmed")], "CONFIRMED"),
        ([(OUT, "assigned")], "PROCESSING"),
        ([(OUT, "waiting"), (PICK, "assigned")], "PROCESSING"),
        ([(PICK, "done")], "PROCESSING"),
        ([(PICK, "done"), (OUT, "waiting")], "PROCESSING"),
        ([(OUT, "done")], "SHIPPED"),
        ([(DROP, "done")], "SHIPPED"),
        ([(PICK, "done"), (OUT, "done")], "SHIPPED"),
        ([(OUT, "done"), (OUT, "cancel")], "SHIPPED"),
        ([(OUT, "done"), (BACK, "done")], "SHIPPED"),
        ([(OUT, "done"), (BACK, "assigned")], "SHIPPED"),
        ([(OUT, "done"), (OUT, "confirmed")], "PARTIALLY_SHIPPED"),
        ([(OUT, "done"), (PICK, "assigned")], "PARTIALLY_SHIPPED"),
        ([(OUT, "done"), (DROP, "assigned")], "PARTIALLY_SHIPPED"),
        ([(OUT, "done"), (OUT, "invented")], "PARTIALLY_SHIPPED"),
    ],
)
def test_transfers_tell_the_status(transfers: list[tuple[str, str]], expected: str) -> None:
    found = status("sale", _transfers(*transfers), _amounts((5, 0)))

    assert found is OrderStatus(expected)


@pytest.mark.parametrize(
    ("amounts", "expected"),
    [
        ([], "CONFIRMED"),
        ([(5, 0)], "CONFIRMED"),
        ([(5, 2)], "PARTIALLY_SHIPPED"),
        ([(5, 5)], "SHIPPED"),
        ([(5, 6)], "SHIPPED"),
        ([(5, 5), (1, 0)], "PARTIALLY_SHIPPED"),
        ([(5, 5), (0, 0)], "SHIPPED"),
        ([(-1, 0)], "CONFIRMED"),
    ],
)
@pytest.mark.parametrize("transfers", [[], [(OUT, "cancel")], [(BACK, "done")]])
def test_quantities_tell_the_status_without_transfers(
    amounts: list[tuple[int, int]], transfers: list[tuple[str, str]], expected: str
) -> None:
    found = status("sale", _transfers(*transfers), _amounts(*amounts))

    assert found is OrderStatus(expected)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("draft", "DRAFT"),
        ("sent", "SUBMITTED"),
        ("cancel", "CANCELLED"),
        ("done", "SHIPPED"),
        ("invented", "UNKNOWN"),
        ("", "UNKNOWN"),
    ],
)
def test_a_state_tells_the_status(state: str, expected: str) -> None:
    assert status(state, _transfers((OUT, "done")), []) is OrderStatus(expected)


def test_delivered_also_means_shipped() -> None:
    assert matching([OrderStatus.DELIVERED]) == {OrderStatus.DELIVERED, OrderStatus.SHIPPED}
    assert matching([OrderStatus.DRAFT]) == {OrderStatus.DRAFT}


# ---------------------------------------------------------------- domains as Odoo reads them

_COMPARE = {"=": operator.eq, "!=": operator.ne, ">": operator.gt}


def _fulfils(record: dict[str, Any], wanted: Sequence[Any]) -> bool:
    """Prefix notation with an implied `&`, as Odoo evaluates it."""
    stack: list[bool] = []
    for item in reversed(wanted):
        match item:
            case "&":
                stack.append(stack.pop() & stack.pop())
            case "|":
                stack.append(stack.pop() | stack.pop())
            case "!":
                stack.append(not stack.pop())
            case _:
                field, how, value = item
                stack.append(_holds(record, field, how, value))
    return all(stack)


def _holds(record: dict[str, Any], field: str, how: str, value: Any) -> bool:
    name, _, rest = field.partition(".")
    if rest:
        return any(_holds(each, rest, how, value) for each in record[name])
    if how in {"any", "not any"}:
        found = any(_fulfils(each, value) for each in record[name])
        return found == (how == "any")
    if how in {"in", "not in"}:
        return (record[name] in value) == (how == "in")
    return bool(_COMPARE[how](record[name], value))


STATES = st.sampled_from(["draft", "sent", "sale", "done", "cancel", "invented", False])
PICKINGS = st.lists(
    st.fixed_dictionaries(
        {
            "picking_type_code": st.sampled_from([OUT, PICK, BACK, DROP, "mrp_operation", False]),
            "state": st.sampled_from(["draft", "waiting", "assigned", "done", "cancel", "new"]),
        }
    ),
    max_size=4,
)
LINES = st.lists(st.tuples(st.integers(1, 3), st.integers(0, 3)), max_size=3)


@given(state=STATES, pickings=PICKINGS, lines=LINES, wanted=st.sets(st.sampled_from(OrderStatus)))
def test_the_domain_finds_every_order_of_a_status(
    state: Any, pickings: Any, lines: Any, wanted: set[OrderStatus]
) -> None:
    record = {
        "state": state,
        "picking_ids": pickings,
        "order_line": [{"qty_delivered": delivered} for _, delivered in lines],
    }
    transfers = [Transfer(**picking) for picking in pickings]
    told = status(state or "", transfers, _amounts(*lines))
    sought = domain(matching(wanted) - {OrderStatus.DELIVERED}, transfers=True)
    found = bool(sought) and _fulfils(record, sought)

    assert found or told not in matching(wanted)
    if exact(wanted) or any(each.live or each.gone or each.begun for each in transfers):
        assert found == (told in matching(wanted))


@given(state=STATES, lines=LINES, wanted=st.sampled_from(OrderStatus))
def test_the_domain_without_a_stock_module(state: Any, lines: Any, wanted: OrderStatus) -> None:
    record = {"state": state, "order_line": [{"qty_delivered": each} for _, each in lines]}
    told = status(state or "", [], _amounts(*lines))
    sought = domain(matching([wanted]) - {OrderStatus.DELIVERED}, transfers=False)

    assert "picking" not in str(sought)
    assert (bool(sought) and _fulfils(record, sought)) or told not in matching([wanted])


LEAVES = st.sampled_from([["a", "=", 1], ["b", "=", 1], ["c", "=", 1]])
OPERANDS = st.recursive(
    LEAVES.map(lambda leaf: [leaf]),
    lambda inner: st.one_of(
        inner.map(lambda each: ["!", *each]),
        st.tuples(st.sampled_from("&|"), inner, inner).map(lambda t: [t[0], *t[1], *t[2]]),
    ),
    max_leaves=5,
)
DOMAINS = st.lists(OPERANDS, min_size=1, max_size=3).map(
    lambda parts: list(chain.from_iterable(parts))
)
RECORDS = st.fixed_dictionaries({name: st.integers(0, 1) for name in "abc"})


@given(domains=st.lists(DOMAINS, min_size=1, max_size=3), record=RECORDS)
def test_any_of_means_one_or_the_other(domains: list[list[Any]], record: dict[str, Any]) -> None:
    expected = any(_fulfils(record, each) for each in domains)

    # In front of a further condition, so that an operand too few would show.
    assert _fulfils(record, [*any_of(domains), ["a", "=", record["a"]]]) == expected
    assert _fulfils(record, conjoined(domains[0])) == _fulfils(record, domains[0])
