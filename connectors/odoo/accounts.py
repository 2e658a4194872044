"""Terms, credit and addresses of customers, from `res.partner` by `ref`."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from connectors.odoo.client import OdooClient
from connectors.odoo.mapping import Absent, Currency, Number, Text, money, text
from connectors.odoo.paging import searchable
from ports.accounts import Accounts, CreditStatus, CustomerAccount
from ports.caller import Call
from ports.common import Address, Answers, Freshness, Money
from ports.errors import MalformedError, UpstreamError
from upstream.reference import Reference

_ACCOUNTS = "accounts.accounts"
_ADDRESSES = "accounts.addresses"
_NAME: dict[str, object] = {"fields": {"display_name": {}}}
_CODE: dict[str, object] = {"fields": {"code": {}}}
# Persons (`contact`) are the CRM's; they have no address of their own here.
_KINDS = ("invoice", "delivery", "other")


class _Named(msgspec.Struct, gc=False):
    id: int
    display_name: Text = False
    name: Text = False
    code: Text = False


class _PriceList(msgspec.Struct, gc=False):
    id: int
    name: Text
    currency_id: int | Absent


class _Partner(msgspec.Struct, gc=False):
    """Fields of modules that are not installed, or hidden from the key, are at their default."""

    id: int
    ref: Text
    active: bool
    parent_id: int | Absent
    currency_id: int | Absent = False
    property_product_pricelist: _PriceList | Absent = False
    property_payment_term_id: _Named | Absent = False
    sale_incoterm_id: _Named | Absent = False
    sale_warn: Text = False
    sale_warn_msg: Text = False
    credit: Number | None = None
    credit_limit: Number = False


class _Partners(msgspec.Struct, gc=False):
    records: list[_Partner]


class _Parent(msgspec.Struct, gc=False):
    id: int
    ref: Text = False


class _Place(msgspec.Struct, gc=False):
    id: int
    ref: Text
    name: Text
    type: Text
    parent_id: _Parent | Absent
    street: Text
    street2: Text
    zip: Text
    city: Text
    country_id: _Named | Absent
    state_id: _Named | Absent = False
    phone: Text = False
    commercial_company_name: Text = False


class _Places(msgspec.Struct, gc=False):
    records: list[_Place]


class _Overdue(msgspec.Struct, gc=False):
    commercial_partner_id: tuple[int, Text] | Absent
    residual: Number = msgspec.field(name="amount_residual_signed:sum", default=False)


class _Company(msgspec.Struct, gc=False):
    id: int
    currency_id: int | Absent


class _Companies(msgspec.Struct, gc=False):
    records: list[_Company]


class OdooAccounts:
    """Serves `ports.accounts.Accounts`.

    Accounts are one call, and a second beside it for what is overdue; addresses are one.
    """

    def __init__(self, client: OdooClient) -> None:
        self._client = client
        self._company_currency = Reference(self._load_company_currency)

    async def aclose(self) -> None:
        await self._company_currency.aclose()

    async def accounts(
        self, customers: Sequence[str], /, *, call: Call
    ) -> Answers[str, CustomerAccount]:
        customers = searchable(customers)
        if not customers:
            return {}
        there = await self._client.fields("res.partner", call=call)
        with_credit = "credit" in there
        partners, overdue = await asyncio.gather(
            self._partners(customers, there, call),
            self._overdue(customers, call) if with_credit else _nothing(),
        )
        own = await self._company_currency.get(call)
        currencies = await self._client.currencies(call=call)
        freshness = self._client.upstream.read_now()
        return {
            number: self._account(row, _Context(own, currencies, overdue, freshness))
            for number, row in partners.items()
        }

    def _account(self, row: _Partner, context: "_Context") -> CustomerAccount | UpstreamError:
        """One account that cannot be read costs no other its own."""
        try:
            return self._read(row, context)
        except (ArithmeticError, LookupError) as problem:
            detail = f"partner {row.id}: {problem!r}"
            return self._client.error(MalformedError, _ACCOUNTS, detail)

    async def addresses(
        self, customers: Sequence[str], /, *, call: Call
    ) -> Answers[str, tuple[Address, ...]]:
        numbers = searchable(customers)
        if not numbers:
            return {}
        there = await self._client.fields("res.partner", call=call)
        names = ("ref", "name", "type", "street", "street2", "zip", "city")
        optional = ("phone", "commercial_company_name")
        wish: dict[str, object] = {
            **{name: {} for name in (*names, *(each for each in optional if each in there))},
            "parent_id": {"fields": {"ref": {}}},
            "country_id": _CODE,
            **({"state_id": {"fields": {"name": {}}}} if "state_id" in there else {}),
        }
        below = ["&", ["parent_id.ref", "in", numbers], ["type", "in", list(_KINDS)]]
        answer = await self._client.ask(
            _ADDRESSES,
            "res.partner",
            "web_search_read",
            {"domain": ["|", ["ref", "in", numbers], *below], "specification": wish},
            _Places,
            call=call,
        )
        return _by_customer(numbers, answer.records)

    async def _partners(
        self, customers: Sequence[str], there: frozenset[str], call: Call
    ) -> dict[str, _Partner]:
        answer = await self._client.ask(
            _ACCOUNTS,
            "res.partner",
            "web_search_read",
            {
                "domain": [["ref", "in", list(customers)], ["active", "in", [True, False]]],
                "specification": _specification(there),
            },
            _Partners,
            call=call,
        )
        found: dict[str, _Partner] = {}
        for row in sorted(answer.records, key=lambda each: (bool(each.parent_id), each.id)):
            if row.ref:
                found.setdefault(row.ref, row)
        return found

    async def _overdue(self, customers: Sequence[str], call: Call) -> Mapping[int, Decimal]:
        """What is open past its due date, by partner, in the company's currency."""
        today = datetime.now(UTC).date().isoformat()
        groups = await self._client.ask(
            _ACCOUNTS,
            "account.move",
            "formatted_read_group",
            {
                "domain": [
                    ["commercial_partner_id.ref", "in", list(customers)],
                    ["move_type", "in", ["out_invoice", "out_refund"]],
                    ["state", "=", "posted"],
                    ["payment_state", "in", ["not_paid", "partial"]],
                    ["invoice_date_due", "<", today],
                ],
                "groupby": ["commercial_partner_id"],
                "aggregates": ["amount_residual_signed:sum"],
            },
            list[_Overdue],
            call=call,
        )
        return {
            group.commercial_partner_id[0]: group.residual or Decimal(0)
            for group in groups
            if group.commercial_partner_id
        }

    def _read(self, row: _Partner, context: "_Context") -> CustomerAccount:
        """Raises LookupError for a currency that there is not."""
        price_list = row.property_product_pricelist
        own = context.currencies[row.currency_id or context.own]
        currency = context.currencies[price_list.currency_id] if price_list else own
        incoterm = row.sale_incoterm_id
        return CustomerAccount(
            currency=currency.code,
            blocked=self._blocked(row),
            price_list=text(price_list.name) if price_list else None,
            payment_terms=_label(row.property_payment_term_id),
            delivery_terms=text(incoterm.code) or _label(incoterm) if incoterm else None,
            credit=_credit(row, own, context),
        )

    def _blocked(self, row: _Partner) -> bool:
        """Odoo 19 has no flag for it: archived, warned with `block`, or told so in the warning."""
        warning = (row.sale_warn_msg or "").casefold()
        words = self._client.config.hold_words
        return (
            not row.active
            or row.sale_warn == "block"
            or any(word.casefold() in warning for word in words)
        )

    async def _load_company_currency(self, call: Call) -> int:
        chosen = self._client.config.company_id
        answer = await self._client.ask(
            "reference.company",
            "res.company",
            "web_search_read",
            {
                "domain": [["id", "=", chosen]] if chosen else [],
                "specification": {"currency_id": {}},
                "order": "id",
                "limit": 1,
            },
            _Companies,
            call=call,
        )
        if not answer.records or not answer.records[0].currency_id:
            raise self._client.malformed("reference.company", "no company with a currency")
        return answer.records[0].currency_id


class _Context(msgspec.Struct, gc=False):
    """What all accounts of one answer share; `own` is the company's currency."""

    own: int
    currencies: Mapping[int, Currency]
    overdue: Mapping[int, Decimal]
    freshness: Freshness


async def _nothing() -> Mapping[int, Decimal]:
    return {}


def _specification(there: frozenset[str]) -> dict[str, object]:
    wishes: dict[str, object] = {
        "currency_id": {},
        "property_product_pricelist": {"fields": {"name": {}, "currency_id": {}}},
        "property_payment_term_id": _NAME,
        "sale_incoterm_id": {"fields": {"code": {}, "display_name": {}}},
        "sale_warn": {},
        "sale_warn_msg": {},
        "credit": {},
        "credit_limit": {},
    }
    return {
        "ref": {},
        "active": {},
        "parent_id": {},
        **{name: wish for name, wish in wishes.items() if name in there},
    }


def _label(row: _Named | Absent) -> str | None:
    return text(row.display_name) if row else None


def _credit(row: _Partner, currency: Currency, context: _Context) -> CreditStatus | None:
    """None where the key may not see what a customer owes."""
    if row.credit is None:
        return None
    outstanding = money(row.credit, currency)
    limit = money(row.credit_limit, currency) if row.credit_limit else None
    available = None
    if limit is not None:
        free = max(Decimal(0), limit.amount - outstanding.amount)
        available = money(free, currency)
    overdue = max(Decimal(0), context.overdue.get(row.id, Decimal(0)))
    return CreditStatus(
        outstanding=outstanding,
        freshness=context.freshness,
        limit=limit,
        available=available,
        overdue=Money(money(overdue, currency).amount, currency.code),
    )


def _by_customer(numbers: Sequence[str], rows: Iterable[_Place]) -> dict[str, tuple[Address, ...]]:
    """The company's own address first, then invoice, delivery and other ones."""
    wanted = set(numbers)
    places: dict[str, list[_Place]] = {}
    rows = sorted(rows, key=lambda row: row.id)
    for row in rows:
        if row.ref in wanted and not row.parent_id:
            places.setdefault(str(row.ref), []).append(row)
    for kind in _KINDS:
        for row in rows:
            owner = row.parent_id.ref if row.parent_id else False
            if owner in places and row.type == kind:
                places[str(owner)].append(row)
    return {
        number: tuple(_address(row, own=row is found[0]) for row in found if _located(row))
        for number, found in places.items()
    }


def _located(row: _Place) -> bool:
    return any((row.street, row.street2, row.zip, row.city, row.country_id))


def _address(row: _Place, *, own: bool) -> Address:
    country = text(row.country_id.code) if row.country_id else None
    return Address(
        lines=tuple(line for line in (text(row.street), text(row.street2)) if line),
        id=str(row.id),
        label=None if own else text(row.name) or text(row.type),
        name=None,
        company=text(row.name) if own else text(row.commercial_company_name),
        postal_code=text(row.zip),
        city=text(row.city),
        region=text(row.state_id.name) if row.state_id else None,
        country=country.upper() if country else None,
        phone=text(row.phone),
    )


if TYPE_CHECKING:
    _: type[Accounts] = OdooAccounts
