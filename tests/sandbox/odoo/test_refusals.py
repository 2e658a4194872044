"""Every refusal carries the real server's status, class name, wording and a traceback."""

from typing import Any

import httpx2
import pytest

from sandbox.credentials import ODOO_API_KEY, ODOO_DATABASE

_KEY = {"authorization": f"bearer {ODOO_API_KEY}"}
_JSON = {"content-type": "application/json"}


async def _raw(erp: Any, body: bytes, path: str = "res.partner/search", **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await erp.http.post(f"/json/2/{path}", content=body, headers=_JSON | _KEY | named)


async def test_a_missing_key(erp: Any) -> None:
    answer = await erp.http.post("/json/2/res.partner/search", json={"domain": []})

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].lower() == "bearer"
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.json()["name"] == "werkzeug.exceptions.Unauthorized"


async def test_a_wrong_key(erp: Any) -> None:
    answer = await erp.post("res.partner/search", key="nonsense", domain=[])

    assert answer.status_code == 401
    body = answer.json()
    assert body["message"] == "Invalid apikey"
    assert body["arguments"] == ["Invalid apikey", 401]
    assert body["context"] == {}
    assert body["debug"].startswith("Traceback (most recent call last):")
    assert 'File "' in body["debug"]


async def test_the_scheme_of_the_key_is_case_insensitive(erp: Any) -> None:
    headers = {"authorization": f"BEARER {ODOO_API_KEY}"}

    answer = await erp.http.post(
        "/json/2/res.lang/search_count", json={"domain": []}, headers=headers
    )

    assert answer.json() == 3


async def test_another_database_is_not_found_as_a_page(erp: Any) -> None:
    answer = await _raw(erp, b'{"domain": []}', x_odoo_database="elsewhere")

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


async def test_the_database_may_be_named(erp: Any) -> None:
    answer = await _raw(erp, b'{"domain": []}', x_odoo_database=ODOO_DATABASE)

    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("path", "arguments", "expected"),
    [
        ("no.model/search", {"domain": []},
         (404, "werkzeug.exceptions.NotFound", "the model 'no.model' does not exist")),
        ("res.partner/no_method", {},
         (404, "werkzeug.exceptions.NotFound", "The method 'res.partner.no_method' does not exist")),
        ("uom.uom/_compute_price", {},
         (403, "odoo.exceptions.AccessError",
          "Private methods (such as 'uom.uom._compute_price') cannot be called remotely.")),
        ("sale.order/create", {"vals_list": [{}]},
         (403, "odoo.exceptions.AccessError",
          "You are not allowed to modify 'Sales Order' (sale.order) records.")),
        ("res.partner/search", {},
         (422, "werkzeug.exceptions.UnprocessableEntity",
          "missing a required argument: 'domain'")),
        ("res.partner/search", {"domain": [], "page": 2},
         (422, "werkzeug.exceptions.UnprocessableEntity",
          "got an unexpected keyword argument 'page'")),
        ("res.partner/search", {"domain": [], "ids": [1]},
         (422, "werkzeug.exceptions.UnprocessableEntity",
          "cannot call res.partner.search with ids")),
        ("res.partner/search", {"domain": [["nope", "=", 1]]},
         (500, "builtins.ValueError",
          "Invalid field res.partner.nope in condition ('nope', '=', 1)")),
        ("sale.order/search", {"domain": [["partner_id.nope", "=", 1]]},
         (500, "builtins.ValueError",
          "Invalid field res.partner.nope in condition ('nope', '=', 1)")),
        ("res.partner/search", {"domain": [["name", "~", 1]]},
         (500, "builtins.ValueError", "Invalid operator in condition ('name', '~', 1)")),
        ("res.partner/search", {"domain": ["|", ["name", "=", "x"]]},
         (500, "builtins.ValueError", "Domain() malformed domain ['|', ['name', '=', 'x']]")),
        ("res.partner/search", {"domain": ["name"]},
         (500, "builtins.ValueError", "Domain() invalid item in domain: 'name'")),
        ("res.partner/search", {"domain": [["name.first", "=", "x"]]},
         (500, "builtins.ValueError",
          "Invalid field property in condition ('name.first', '=', 'x')")),
        ("res.partner/search", {"domain": "name"},
         (500, "builtins.TypeError", "Domain() invalid argument type for domain: 'name'")),
        ("res.partner/search", {"domain": [[2, "=", 1]]},
         (500, "builtins.TypeError", "Domain() invalid arguments: (2, '=', 1)")),
        ("res.partner/search", {"domain": [["name", "any", [["id", "=", 1]]]]},
         (500, "builtins.ValueError", "Cannot determine the relation for 'name'")),
        ("sale.order/search", {"domain": [["date_order", ">", "yesterday"]]},
         (500, "builtins.ValueError", "Invalid isoformat string: 'yesterday'")),
        ("sale.order/search", {"domain": [["date_order", ">", 7]]},
         (500, "builtins.ValueError", "Failed to cast 7 into a datetime")),
        ("res.partner/search_read", {"domain": [], "fields": ["sale_warn"]},
         (500, "builtins.ValueError", "Invalid field 'sale_warn' on 'res.partner'")),
        ("res.partner/web_search_read", {"domain": [], "specification": {"nope": {}}},
         (500, "builtins.ValueError", "Invalid field 'nope' on 'res.partner'")),
        ("res.partner/search", {"domain": [], "order": "nope"},
         (500, "builtins.ValueError", "Invalid field 'nope' on model 'res.partner'")),
        ("product.product/search", {"domain": [], "order": "free_qty"},
         (500, "builtins.ValueError",
          "Cannot convert product.product.free_qty to SQL because it is not stored")),
        ("stock.quant/formatted_read_group", {"domain": [], "groupby": ["warehouse_id"]},
         (500, "builtins.ValueError",
          "Cannot convert stock.quant.warehouse_id to SQL because it is not stored")),
        ("stock.quant/formatted_read_group", {"domain": [], "groupby": ["nope"]},
         (500, "builtins.ValueError", "Invalid field 'nope' on model 'stock.quant'")),
        ("stock.quant/formatted_read_group", {"domain": [], "aggregates": ["nope:sum"]},
         (500, "builtins.ValueError", "Invalid field 'nope' on model 'stock.quant'")),
        ("stock.quant/formatted_read_group", {"domain": [], "aggregates": ["quantity:median"]},
         (500, "builtins.ValueError", "Invalid aggregate method 'median' for 'quantity:median'.")),
        ("res.partner/search", {"domain": [], "context": {"lang": "xx_XX"}},
         (422, "odoo.exceptions.UserError", "Invalid language code: xx_XX")),
        ("sale.order.line/onchange", {"values": {}, "field_names": [], "fields_spec": {"no": {}}},
         (500, "builtins.ValueError", "Invalid field 'no' on 'sale.order.line'")),
        ("res.partner/onchange", {"values": {}, "field_names": [], "fields_spec": {}},
         (404, "werkzeug.exceptions.NotFound", "The method 'res.partner.onchange' does not exist")),
    ],
)  # fmt: skip
async def test_wrong_questions(
    erp: Any, path: str, arguments: dict[str, Any], expected: tuple[int, str, str]
) -> None:
    assert await erp.error(path, **arguments) == expected


async def test_a_malformed_order_is_the_users_error(erp: Any) -> None:
    status, name, message = await erp.error("res.partner/search", domain=[], order="name; drop")

    assert (status, name) == (422, "odoo.exceptions.UserError")
    assert message.startswith('Invalid "order" specified (name; drop).')


async def test_an_unknown_product_is_a_missing_record(erp: Any) -> None:
    status, name, message = await erp.error(
        "sale.order.line/onchange",
        values={"product_id": 4_000_000},
        field_names=["product_id"],
        fields_spec={"price_unit": {}},
    )

    assert (status, name) == (404, "odoo.exceptions.MissingError")
    assert message.endswith("(Record: product.product(4000000,), User: 2)")


async def test_a_body_that_is_not_json(erp: Any) -> None:
    answer = await _raw(erp, b"not json")

    assert answer.status_code == 400
    assert answer.json()["message"] == (
        "could not parse the body as json: Expecting value: line 1 column 1 (char 0)"
    )


async def test_a_body_that_is_no_object(erp: Any) -> None:
    answer = await _raw(erp, b"null")

    assert answer.status_code == 400
    assert answer.json()["message"] == "could not parse the body, expecting a json object"


async def test_no_body_means_no_arguments(erp: Any) -> None:
    answer = await erp.http.post("/json/2/res.partner/read", headers=_KEY)

    assert (answer.status_code, answer.json()) == (200, [])


async def test_a_form_is_refused_before_the_key_is_looked_at(erp: Any) -> None:
    answer = await erp.http.post("/json/2/res.partner/search", data={"domain": "[]"})

    assert answer.status_code == 415
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "Please verify the Content-Type request header" in answer.text


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/json/2/res.partner/search"), ("POST", "/json/2/res.partner"), ("GET", "/json/2")],
)
async def test_only_a_post_to_model_and_method(erp: Any, method: str, path: str) -> None:
    answer = await erp.http.request(method, path, headers=_KEY)

    assert answer.status_code == 404
    assert answer.json()["message"] == "Did you mean POST /json/2/<model>/<method>?"


async def test_other_paths_are_pages(erp: Any) -> None:
    answer = await erp.http.get("/odoo/sales")

    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")


async def test_health_and_version_need_no_key(erp: Any) -> None:
    health: httpx2.Response = await erp.http.get("/web/health")
    version: httpx2.Response = await erp.http.get("/web/version")

    assert health.json() == {"status": "pass"}
    assert version.json() == {"version_info": [19, 0, 0, "final", 0, ""], "version": "19.0"}


async def test_a_missing_record_is_passed_over(erp: Any) -> None:
    assert await erp.call("res.partner/read", ids=[40_000_000]) == []
    assert await erp.call("res.partner/web_read", ids=[40_000_000], specification={}) == []
