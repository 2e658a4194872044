"""The shapes of answers: `read`, `search_read`, nested `web_read`, names, groups, fields."""

from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox.world import World


async def _product(erp: Any, *fields: str, **context: Any) -> dict[str, Any]:
    rows = await erp.call(
        "product.product/search_read",
        domain=[["default_code", "=", erp.world.examples.sku]],
        fields=list(fields),
        context=context,
    )
    product: dict[str, Any] = rows[0]
    return product


async def test_relations_are_pairs_and_absent_values_false(erp: Any) -> None:
    company = erp.world.companies[0]

    (row,) = await erp.call(
        "res.partner/read",
        ids=[company.erp_id],
        fields=["name", "parent_id", "property_product_pricelist", "child_ids", "barcode", "color"],
    )

    pricelist = next(p for p in erp.world.price_lists if p.id == company.pricelist_id)
    assert next(iter(row)) == "id"
    assert row["property_product_pricelist"] == [
        company.pricelist_id,
        f"{pricelist.name} ({pricelist.currency})",
    ]
    assert row["parent_id"] is False
    assert row["barcode"] is False
    assert row["color"] == 0
    assert all(isinstance(child, int) for child in row["child_ids"])


async def test_relations_are_ids_without_load(erp: Any) -> None:
    company = erp.world.companies[0]
    question = {"fields": ["property_product_pricelist"], "load": None}

    (row,) = await erp.call("res.partner/read", ids=[company.erp_id], **question)
    (same,) = await erp.call(
        "res.partner/search_read", domain=[["id", "=", company.erp_id]], **question
    )

    assert row == same == {"id": company.erp_id, "property_product_pricelist": company.pricelist_id}


async def test_all_fields_when_none_is_named(erp: Any) -> None:
    names = await erp.call("res.lang/fields_get", attributes=["type"])

    (row, *_) = await erp.call("res.lang/search_read")

    assert set(row) == set(names)


async def test_names_are_translated_by_the_context(erp: Any) -> None:
    item = next(i for i in erp.world.items if i.sku == erp.world.examples.sku)

    for lang in ("fr_FR", "de_DE", "en_US"):
        row = await _product(erp, "name", "display_name", lang=lang)
        assert row["name"] == item.name[lang]
        assert row["display_name"] == f"[{item.sku}] {item.name[lang]}"
    assert (await _product(erp, "name"))["name"] == item.name["en_US"]


async def test_a_missing_translation_falls_back_to_english(erp: Any) -> None:
    world: World = erp.world
    item = next((i for i in world.items if "de_DE" not in i.name and "en_US" in i.name), None)
    if item is None:
        pytest.skip("every product of the seeded world is translated")

    (row,) = await erp.call(
        "product.product/read", ids=[item.erp_id], fields=["name"], context={"lang": "de_DE"}
    )

    assert row["name"] == item.name["en_US"]


async def test_numbers_are_floats_and_moments_naive_utc(erp: Any) -> None:
    order = erp.world.orders[-1]

    (row,) = await erp.call(
        "sale.order/read", ids=[order.id], fields=["amount_total", "date_order", "write_date"]
    )

    assert row == {
        "id": order.id,
        "amount_total": float(order.total),
        "date_order": order.placed.strftime("%Y-%m-%d %H:%M:%S"),
        "write_date": order.updated.strftime("%Y-%m-%d %H:%M:%S"),
    }


async def test_web_read_tells_ids_unless_fields_are_specified(erp: Any) -> None:
    order = erp.world.orders[0]
    company = next(c for c in erp.world.companies if c.number == order.company)

    (row,) = await erp.call(
        "sale.order/web_read",
        ids=[order.id],
        specification={
            "partner_id": {},
            "order_line": {},
            "pricelist_id": {"fields": {}},
            "partner_shipping_id": {"fields": {"display_name": {}}},
            "incoterm_location": {},
        },
    )

    assert row["partner_id"] == company.erp_id
    assert row["order_line"] == [line.id for line in order.lines]
    assert row["pricelist_id"] == {"id": company.pricelist_id}
    assert set(row["partner_shipping_id"]) == {"id", "display_name"}
    assert row["incoterm_location"] is False


async def test_web_read_of_an_absent_relation_is_false(erp: Any) -> None:
    company = erp.world.companies[0]

    (row,) = await erp.call(
        "res.partner/web_read",
        ids=[company.erp_id],
        specification={"parent_id": {"fields": {"name": {}}}},
    )

    assert row == {"id": company.erp_id, "parent_id": False}


async def test_nested_lines_are_ordered_limited_and_in_their_own_language(erp: Any) -> None:
    order = next(o for o in erp.world.orders if len(o.lines) >= 4)
    newest = sorted((line.id for line in order.lines), reverse=True)

    (row,) = await erp.call(
        "sale.order/web_read",
        ids=[order.id],
        specification={
            "order_line": {
                "fields": {"product_id": {"fields": {"name": {}}}},
                "order": "id desc",
                "limit": 2,
                "context": {"lang": "de_DE"},
            }
        },
    )

    lines = row["order_line"]
    assert [line["id"] for line in lines] == newest
    assert all("product_id" in line for line in lines[:2])
    assert lines[2:] == [{"id": key} for key in newest[2:]]
    names = {item.erp_id: item.name for item in erp.world.items}
    told = [line["product_id"] for line in lines[:2] if line["product_id"]["id"] in names]
    assert told
    assert all(product["name"] == names[product["id"]]["de_DE"] for product in told)


async def test_only_an_order_is_wished_of_the_lines(erp: Any) -> None:
    order = next(o for o in erp.world.orders if len(o.lines) >= 2)

    (row,) = await erp.call(
        "sale.order/web_read", ids=[order.id], specification={"order_line": {"order": "id desc"}}
    )

    assert row["order_line"] == sorted((line.id for line in order.lines), reverse=True)


async def test_pages_and_their_length(erp: Any) -> None:
    total = len(erp.world.orders)

    async def page(**arguments: Any) -> Any:
        return await erp.call(
            "sale.order/web_search_read", domain=[], specification={"name": {}}, **arguments
        )

    first = await page(limit=2)
    second = await page(limit=2, offset=2, order="date_order desc, id desc")
    assert first["length"] == second["length"] == total
    placed = sorted(erp.world.orders, key=lambda o: (o.placed, o.id), reverse=True)
    told = [row["name"] for row in first["records"] + second["records"]]
    assert told == [order.number for order in placed[:4]]
    assert (await page(limit=2, count_limit=2))["length"] == 2
    assert (await page(limit=5, offset=total - 1))["length"] == total
    assert await page(offset=total + 5) == {"length": 0, "records": []}


async def test_order_by_a_relation_and_nulls_last(erp: Any) -> None:
    partners = await erp.call("res.partner/search_read", fields=["ref"], order="ref")
    refs = [row["ref"] for row in partners]
    assert refs[0] == "C10001"
    assert refs[-1] is False
    backwards = await erp.call("res.partner/search_read", fields=["ref"], order="ref desc, id")
    assert backwards[0]["ref"] is False

    orders = await erp.call("sale.order/search_read", fields=["partner_id"], order="partner_id, id")
    names = [row["partner_id"][1] for row in orders]
    assert names == sorted(names)


async def test_counting_up_to_a_limit(erp: Any) -> None:
    assert await erp.call("sale.order/search_count", domain=[]) == len(erp.world.orders)
    assert await erp.call("sale.order/search_count", domain=[], limit=7) == 7


async def test_name_search(erp: Any) -> None:
    sku = erp.world.examples.sku

    (found,) = await erp.call("product.product/name_search", name=sku)
    every = await erp.call("res.lang/name_search")

    assert found[1].startswith(f"[{sku}] ")
    assert len(every) == 3


async def test_fields_are_described(erp: Any) -> None:
    described = await erp.call(
        "sale.order/fields_get",
        allfields=["state", "partner_id", "order_line", "amount_total", "nope"],
        attributes=["type", "relation", "relation_field", "selection", "currency_field"],
    )

    assert described == {
        "state": {
            "type": "selection",
            "selection": [
                ["draft", "Quotation"],
                ["sent", "Quotation Sent"],
                ["sale", "Sales Order"],
                ["cancel", "Cancelled"],
            ],
        },
        "partner_id": {"type": "many2one", "relation": "res.partner"},
        "order_line": {
            "type": "one2many",
            "relation": "sale.order.line",
            "relation_field": "order_id",
        },
        "amount_total": {"type": "monetary", "currency_field": "currency_id"},
    }


async def test_every_model_answers_every_field(erp: Any, served: Any) -> None:
    """A relation to a model that is not there, or a computed value that fails, would show here."""
    for table in served._store:
        name = table.model.name
        described = await erp.call(f"{name}/fields_get")
        rows = await erp.call(f"{name}/search_read", limit=3)
        assert rows, name
        assert all(set(row) == set(described) for row in rows)
        relations = {f["relation"] for f in described.values() if "relation" in f}
        assert all(relation in served._store for relation in relations), name


async def test_fields_that_odoo_19_does_not_have(erp: Any) -> None:
    for model, gone in {
        "res.partner": {"sale_warn", "mobile", "title", "total_due"},
        "sale.order.line": {"product_uom", "tax_id"},
        "stock.move": {"name"},
        "uom.uom": {"category_id"},
    }.items():
        assert not gone & set(await erp.call(f"{model}/fields_get"))


async def test_the_keys_of_a_user_and_when_they_end(erp: Any) -> None:
    me = await erp.call("res.users/context_get")

    (key,) = await erp.call(
        "res.users.apikeys/search_read",
        domain=[["user_id", "=", me["uid"]]],
        fields=["name", "expiration_date"],
    )

    ends = datetime.strptime(key["expiration_date"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    assert 0 < (ends - datetime.now(UTC)).days <= 90


async def test_only_users_have_a_context(erp: Any) -> None:
    answer = await erp.post("res.partner/context_get")

    assert answer.status_code == 404
