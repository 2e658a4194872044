"""Price lists over the wire: whose list a customer has, and the rules that a page needs.

Which lists there are and which stand on which is kept as reference. The rules themselves are read
anew for each page, narrowed to its products, templates and categories.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from connectors.odoo.client import OdooClient
from connectors.odoo.mapping import Absent, Currency, Moment, Number, Text, moment, number, text
from connectors.odoo.paging import searchable
from connectors.odoo.products import Product
from connectors.odoo.rules import Rule, Rules
from ports.caller import Call
from ports.errors import RefusedError
from upstream.reference import Reference

_READ = "pricing.rules"
_FIELDS = (
    "applied_on",
    "product_id",
    "product_tmpl_id",
    "categ_id",
    "min_quantity",
    "date_start",
    "date_end",
    "compute_price",
    "fixed_price",
    "percent_price",
    "base",
    "price_discount",
    "price_round",
    "price_surcharge",
    "price_min_margin",
    "price_max_margin",
)
_LIST: dict[str, object] = {"fields": {"currency_id": {}}}


class _List(msgspec.Struct, gc=False):
    id: int
    currency_id: int | Absent
    name: Text = False


class _Row(msgspec.Struct, gc=False):
    id: int
    pricelist_id: _List
    applied_on: str
    compute_price: str
    product_id: int | Absent
    product_tmpl_id: int | Absent
    categ_id: int | Absent
    min_quantity: Number
    date_start: Moment
    date_end: Moment
    fixed_price: Number
    percent_price: Number
    base: Text
    base_pricelist_id: _List | Absent
    price_discount: Number
    price_round: Number
    price_surcharge: Number
    price_min_margin: Number
    price_max_margin: Number


class _Rows(msgspec.Struct, gc=False):
    records: list[_Row]


class _Partner(msgspec.Struct, gc=False):
    id: int
    ref: Text
    parent_id: int | Absent
    property_product_pricelist: _List | Absent = False


class _Partners(msgspec.Struct, gc=False):
    records: list[_Partner]


class _Group(msgspec.Struct, gc=False):
    pricelist_id: tuple[int, Text] | Absent
    base_pricelist_id: tuple[int, Text] | Absent


class _Header(msgspec.Struct, gc=False):
    id: int
    name: Text
    currency_id: int | Absent
    country_group_ids: list[int] = []


class _Headers(msgspec.Struct, gc=False):
    records: list[_Header]


@dataclass(frozen=True, slots=True)
class PriceList:
    """`name` in the language of the call."""

    id: int
    name: str | None
    currency: Currency


@dataclass(frozen=True, slots=True)
class Buyer:
    """A customer's partner; `price_list` None: prices are the sales prices."""

    partner_id: int
    price_list: PriceList | None


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All price lists: `names` and `currencies` by id, `bases` the lists that one stands on."""

    names: Mapping[int, str]
    currencies: Mapping[int, int]
    bases: Mapping[int, frozenset[int]]
    general: int | None
    "The list of customers that have none of their own, as Odoo chooses it."

    def find(self, wanted: int | str | None) -> int | None:
        """The id of a list that the configuration names by id or name."""
        if isinstance(wanted, int):
            return wanted
        return next((key for key, name in self.names.items() if name == wanted), None)

    def closure(self, lists: Iterable[int]) -> set[int]:
        """The lists and all that they stand on."""
        found: set[int] = set()
        waiting = list(lists)
        while waiting:
            current = waiting.pop()
            if current not in found:
                found.add(current)
                waiting.extend(self.bases.get(current, ()))
        return found


class PriceLists:
    """What pricing reads of `res.partner`, `product.pricelist` and `product.pricelist.item`."""

    def __init__(self, client: OdooClient) -> None:
        self._client = client
        self._catalogue = Reference(self._load)

    async def aclose(self) -> None:
        await self._catalogue.aclose()

    async def catalogue(self, call: Call) -> Catalogue:
        return await self._catalogue.get(call)

    async def buyers(self, numbers: Sequence[str], *, call: Call) -> dict[str, Buyer]:
        """Customers by number (`ref`), in one call; unknown numbers are absent."""
        numbers = searchable(numbers)
        if not numbers:
            return {}
        there = await self._client.fields("res.partner", call=call)
        wish: dict[str, object] = {"ref": {}, "parent_id": {}}
        if "property_product_pricelist" in there:
            wish["property_product_pricelist"] = {"fields": {"name": {}, "currency_id": {}}}
        found = await self._client.ask(
            "pricing.customers",
            "res.partner",
            "web_search_read",
            {
                "domain": [["ref", "in", numbers], ["active", "in", [True, False]]],
                "specification": wish,
            },
            _Partners,
            call=call,
        )
        currencies = await self._client.currencies(call=call)
        return {
            number: Buyer(row.id, self._price_list(row.property_product_pricelist, currencies))
            for number, row in _first_by_ref(found.records).items()
        }

    async def named(self, wanted: int | str | None, *, call: Call) -> PriceList | None:
        """A list that the configuration names; one that is not there is a RefusedError."""
        if wanted is None:
            return None
        catalogue = await self.catalogue(call)
        key = catalogue.find(wanted)
        if key is None or key not in catalogue.currencies:
            raise self._client.error(RefusedError, _READ, f"there is no price list {wanted!r}")
        currencies = await self._client.currencies(call=call)
        row = _List(key, catalogue.currencies[key], catalogue.names.get(key, False))
        return self._price_list(row, currencies)

    async def rules(
        self, lists: Iterable[int], products: Iterable[Product], *, call: Call
    ) -> Rules:
        """The rules of these lists and all below them that concern these products, now."""
        products = tuple(products)
        now = datetime.now(UTC).replace(microsecond=0)
        wanted = (await self.catalogue(call)).closure(lists)
        asked: set[int] = set()
        rows: list[_Row] = []
        # More than one round only where a list was put on another since the reference was read.
        while wanted - asked:
            missing = sorted(wanted - asked)
            rows += await self._rows(missing, products, now, call)
            asked.update(missing)
            wanted |= {below for row in rows if (below := _base_list(row)) is not None}
        currencies = await self._client.currencies(call=call)
        found = {
            each.id: self._currency(each.currency_id, currencies)
            for row in rows
            for each in (row.pricelist_id, row.base_pricelist_id)
            if each
        }
        return Rules(map(_rule, rows), await self._with_empty(found, asked, call), now)

    async def _with_empty(
        self, found: dict[int, Currency], asked: set[int], call: Call
    ) -> dict[int, Currency]:
        """Lists without a rule for this page have a currency all the same."""
        catalogue = await self.catalogue(call)
        currencies = await self._client.currencies(call=call)
        for key in catalogue.currencies.keys() & (asked - found.keys()):
            found[key] = self._currency(catalogue.currencies[key], currencies)
        return found

    async def _rows(
        self, lists: Sequence[int], products: Sequence[Product], now: datetime, call: Call
    ) -> list[_Row]:
        page = await self._client.ask(
            _READ,
            "product.pricelist.item",
            "web_search_read",
            {
                "domain": _domain(lists, products, now),
                "specification": {
                    **{name: {} for name in _FIELDS},
                    "pricelist_id": _LIST,
                    "base_pricelist_id": _LIST,
                },
            },
            _Rows,
            call=call,
        )
        return page.records

    async def _load(self, call: Call) -> Catalogue:
        there = await self._client.fields("product.pricelist", call=call)
        names = ("name", "currency_id", "country_group_ids")
        headers = await self._client.ask(
            "reference.pricelists",
            "product.pricelist",
            "web_search_read",
            {"domain": [], "specification": {name: {} for name in names if name in there}},
            _Headers,
            call=call,
        )
        links = await self._client.ask(
            "reference.pricelists",
            "product.pricelist.item",
            "formatted_read_group",
            {
                "domain": [["base", "=", "pricelist"], ["base_pricelist_id", "!=", False]],
                "groupby": ["pricelist_id", "base_pricelist_id"],
                "aggregates": ["__count"],
            },
            list[_Group],
            call=call,
        )
        return _catalogue(headers.records, links)

    def _price_list(
        self, row: _List | Absent, currencies: Mapping[int, Currency]
    ) -> PriceList | None:
        if not row:
            return None
        return PriceList(row.id, text(row.name), self._currency(row.currency_id, currencies))

    def _currency(self, key: int | Absent, currencies: Mapping[int, Currency]) -> Currency:
        if key not in currencies:
            raise self._client.malformed(_READ, f"a price list in unknown currency {key}")
        return currencies[key]


def _first_by_ref(rows: Iterable[_Partner]) -> dict[str, _Partner]:
    """Several partners may share a reference: the one with no parent counts, then the oldest."""
    found: dict[str, _Partner] = {}
    for row in sorted(rows, key=lambda each: (bool(each.parent_id), each.id)):
        if row.ref:
            found.setdefault(row.ref, row)
    return found


def _catalogue(headers: Iterable[_Header], links: Iterable[_Group]) -> Catalogue:
    headers = tuple(headers)
    bases: dict[int, set[int]] = {}
    for link in links:
        if link.pricelist_id and link.base_pricelist_id:
            bases.setdefault(link.pricelist_id[0], set()).add(link.base_pricelist_id[0])
    return Catalogue(
        names={row.id: row.name for row in headers if row.name},
        currencies={row.id: row.currency_id for row in headers if row.currency_id},
        bases={key: frozenset(below) for key, below in bases.items()},
        general=next((row.id for row in headers if not row.country_group_ids), None),
    )


def _domain(lists: Sequence[int], products: Sequence[Product], now: datetime) -> list[object]:
    at = now.strftime("%Y-%m-%d %H:%M:%S")
    categories = {key for product in products for key in product.category_path}
    return [
        ["pricelist_id", "in", list(lists)],
        *_absent_or("product_id", "in", sorted(product.id for product in products)),
        *_absent_or("product_tmpl_id", "in", sorted({each.product_tmpl_id for each in products})),
        *_absent_or("categ_id", "in", sorted(categories)),
        *_absent_or("date_start", "<=", at),
        *_absent_or("date_end", ">=", at),
    ]


def _absent_or(field: str, operator: str, value: object) -> list[object]:
    return ["|", [field, "=", False], [field, operator, value]]


def _base_list(row: _Row) -> int | None:
    return row.base_pricelist_id.id if row.base == "pricelist" and row.base_pricelist_id else None


def _rule(row: _Row) -> Rule:
    targets = {
        "0_product_variant": row.product_id,
        "1_product": row.product_tmpl_id,
        "2_product_category": row.categ_id,
    }
    return Rule(
        id=row.id,
        list_id=row.pricelist_id.id,
        applied_on=row.applied_on,
        target=targets.get(row.applied_on) or None,
        compute=row.compute_price,
        minimum=number(row.min_quantity),
        starts=moment(row.date_start),
        ends=moment(row.date_end),
        fixed=number(row.fixed_price),
        percent=number(row.percent_price),
        base=row.base or "list_price",
        base_list_id=row.base_pricelist_id.id if row.base_pricelist_id else None,
        discount=number(row.price_discount),
        rounding=number(row.price_round),
        surcharge=number(row.price_surcharge),
        min_margin=number(row.price_min_margin),
        max_margin=number(row.price_max_margin),
    )
