"""What changed in the sandbox's Odoo, and the poller on top of it."""

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.odoo.changes import OdooChanges
from ports.errors import MalformedError, RefusedError, UnavailableError
from sandbox.odoo.loading import loaded
from sandbox.odoo.server import Server
from sandbox.odoo.store import Store
from tests.connectors.odoo.pages_peer import Peer, client, world
from upstream.cursors import FileCursors
from upstream.poller import Poller, PollTerms, Window
from upstream.reference import own_call

LATER = datetime(2031, 1, 2, 3, 4, 5, tzinfo=UTC)
FROM_LATER = Window(LATER, None, 100)


@functools.cache
def database() -> Store:
    return loaded(world(), "http://erp.test")


@dataclass
class Erp:
    """A database that a test may write to, and that is given back as it was."""

    store: Store = field(default_factory=database)
    written: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def peer(self, **more: Any) -> Peer:
        return Peer(Server(self.store), **more)

    def any(self, model: str, **fields: object) -> dict[str, Any]:
        rows = self.store[model]
        return next(
            row for row in rows if all(bool(row.get(name)) == on for name, on in fields.items())
        )

    def write(self, model: str, key: int, at: datetime = LATER, **changes: object) -> None:
        row = self.store[model].rows[key]
        self.written.append((model, row))
        moment = at.strftime("%Y-%m-%d %H:%M:%S")
        self.store[model].add({**row, **changes, "write_date": moment})

    def restore(self) -> None:
        while self.written:
            model, row = self.written.pop()
            self.store[model].add(row)


@pytest.fixture
def erp() -> Iterator[Erp]:
    erp = Erp()
    yield erp
    erp.restore()


def number_of(erp: Erp, partner: int) -> str:
    company = erp.store["res.partner"].rows[partner]["commercial_partner_id"]
    return str(erp.store["res.partner"].rows[company]["ref"])


async def tags(erp: Erp, topic: str, **more: Any) -> list[tuple[str, ...]]:
    odoo = client(erp.peer(**more))
    rows = await OdooChanges(odoo).changed(topic, FROM_LATER, call=own_call())
    await odoo.aclose()
    return [row.tags for row in rows]


@pytest.mark.parametrize("topic", OdooChanges(client(Peer())).topics)
async def test_each_table_is_read_in_one_question_and_tells_when_it_was_written(
    erp: Erp, topic: str
) -> None:
    key = erp.any(topic)["id"]
    peer = erp.peer()
    odoo = client(peer)
    feed = OdooChanges(odoo)
    before = await feed.latest(topic, call=own_call())
    erp.write(topic, key)

    (row,) = await feed.changed(topic, FROM_LATER, call=own_call())

    assert before is not None
    assert before < LATER
    assert await feed.latest(topic, call=own_call()) == LATER
    assert (row.key, row.at) == (key, LATER)
    assert peer.live == [f"{topic}/web_search_read"] * 3
    assert feed.broad(topic)
    await odoo.aclose()


async def test_a_product_by_its_variant_and_by_its_template(erp: Erp) -> None:
    product = erp.any("product.product", default_code=True)
    erp.write("product.product", product["id"])
    erp.write("product.template", product["product_tmpl_id"])
    template = erp.store["product.template"].rows[product["product_tmpl_id"]]
    variants = [erp.store["product.product"].rows[key] for key in template["product_variant_ids"]]

    assert await tags(erp, "product.product") == [(f"product:{product['default_code']}",)]
    assert await tags(erp, "product.template") == [
        tuple(f"product:{one['default_code']}" for one in variants)
    ]


async def test_an_archived_product_has_changed(erp: Erp) -> None:
    product = erp.any("product.product", default_code=True)
    erp.write("product.product", product["id"], active=False)

    assert await tags(erp, "product.product") == [(f"product:{product['default_code']}",)]


async def test_a_rule_of_a_price_list_may_change_any_price(erp: Erp) -> None:
    erp.write("product.pricelist.item", erp.any("product.pricelist.item")["id"])

    assert await tags(erp, "product.pricelist.item") == [("type:Price",)]


@pytest.mark.parametrize("topic", ["stock.quant", "stock.move"])
async def test_stock_is_of_a_product(erp: Erp, topic: str) -> None:
    row = erp.any(topic)
    erp.write(topic, row["id"])
    product = erp.store["product.product"].rows[row["product_id"]]

    assert await tags(erp, topic) == [(f"product:{product['default_code']}",)]


async def test_an_order_is_of_a_customer(erp: Erp) -> None:
    order = erp.any("sale.order")
    erp.write("sale.order", order["id"])

    assert await tags(erp, "sale.order") == [
        (f"order:{order['name']}", f"customer:{number_of(erp, order['partner_id'])}")
    ]


async def test_a_transfer_is_a_shipment_of_an_order(erp: Erp) -> None:
    transfer = erp.any("stock.picking", sale_id=True, carrier_tracking_ref=True)
    erp.write("stock.picking", transfer["id"])
    order = erp.store["sale.order"].rows[transfer["sale_id"]]

    assert await tags(erp, "stock.picking") == [
        (
            f"shipment:{transfer['name']}",
            f"shipment:{transfer['carrier_tracking_ref']}",
            f"order:{order['name']}",
            f"customer:{number_of(erp, order['partner_id'])}",
        )
    ]


async def test_a_transfer_without_an_order_or_where_sales_are_not_installed(erp: Erp) -> None:
    receipt = erp.any("stock.picking", sale_id=False)
    erp.write("stock.picking", receipt["id"], partner_id=False)

    assert await tags(erp, "stock.picking") == [(f"shipment:{receipt['name']}",)]
    assert await tags(erp, "stock.picking", lacks=frozenset({"sale_id"})) == [
        (f"shipment:{receipt['name']}",)
    ]


async def test_an_invoice_may_be_of_several_orders(erp: Erp) -> None:
    invoice = erp.any("account.move", commercial_partner_id=True)
    erp.write("account.move", invoice["id"], invoice_origin="S1, S2")

    assert await tags(erp, "account.move") == [
        ("order:S1", "order:S2", f"customer:{number_of(erp, invoice['commercial_partner_id'])}")
    ]


async def test_a_person_is_of_a_company(erp: Erp) -> None:
    person = erp.any("res.partner", parent_id=True, email=True)
    erp.write("res.partner", person["id"])

    assert await tags(erp, "res.partner") == [(f"customer:{number_of(erp, person['id'])}",)]


async def test_pages_follow_the_id(erp: Erp) -> None:
    keys = sorted(erp.store["sale.order"].rows)[:5]
    for key in reversed(keys):
        erp.write("sale.order", key)
    feed = OdooChanges(client(erp.peer()))

    first = await feed.changed("sale.order", Window(LATER, None, 3), call=own_call())
    rest = await feed.changed("sale.order", Window(LATER, first[-1].key, 3), call=own_call())

    assert [row.key for row in [*first, *rest]] == keys


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("unavailable", UnavailableError),
        ("refused", RefusedError),
        ("refused for its question", RefusedError),
        ("malformed", MalformedError),
        ("no records", MalformedError),
        ("a wrong type", MalformedError),
    ],
)
async def test_failures_are_told_apart(fault: str, kind: type[Exception]) -> None:
    feed = OdooChanges(client(Peer(fault=fault)))

    with pytest.raises(kind):
        await feed.latest("sale.order", call=own_call())
    with pytest.raises(kind):
        await feed.changed("sale.order", FROM_LATER, call=own_call())


class Kept:
    def __init__(self) -> None:
        self.purged: list[str] = []

    async def purge(self, tags: Sequence[str]) -> int:
        self.purged += tags
        return len(tags)


async def test_the_poller_purges_what_the_erp_writes_over_a_restart(
    erp: Erp, tmp_path: Path
) -> None:
    kept = Kept()
    odoo = client(erp.peer(hides=frozenset({"stock.move"})))

    def poller() -> Poller:
        cursors = FileCursors(tmp_path / "changes.json")
        return Poller("erp", OdooChanges(odoo), kept, cursors, PollTerms(overlap_seconds=60))

    await poller().poll()
    assert kept.purged == []
    order = erp.any("sale.order")
    erp.write("sale.order", order["id"], LATER + timedelta(minutes=1))

    again = poller()
    await again.poll()
    await again.poll()

    assert kept.purged.count(f"order:{order['name']}") == 1
    await odoo.aclose()
