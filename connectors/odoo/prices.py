"""Prices for a customer: price list rules evaluated here, or asked from Odoo line by line."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from connectors.odoo.client import OdooClient
from connectors.odoo.dry_run import dry_run
from connectors.odoo.pricelists import Buyer, PriceList, PriceLists
from connectors.odoo.products import Found, Products
from connectors.odoo.quoting import Asked, Origins, Quoting, from_line, origins
from connectors.odoo.rules import RuleError, Rules
from connectors.odoo.taxes import IncludedTaxes, net_share
from connectors.odoo.terms import LineTerms
from ports.caller import Call
from ports.common import Answers
from ports.errors import MalformedError, UpstreamError
from ports.pricing import Price, PriceQuestion, Pricing

_PRICES = "pricing.prices"


class OdooPricing:
    """Serves `ports.pricing.Pricing`.

    By rules: one call for customers, one for products (shared with stock), one for rules. By dry
    run: the first two, then a call per question.
    """

    def __init__(self, client: OdooClient, products: Products) -> None:
        self._client = client
        self._products = products
        self._lists = PriceLists(client)
        self._terms = LineTerms(client)
        self._taxes = IncludedTaxes(client)

    async def aclose(self) -> None:
        await self._lists.aclose()
        await self._terms.aclose()
        await self._taxes.aclose()

    async def prices(
        self, questions: Sequence[PriceQuestion], /, *, call: Call
    ) -> Answers[PriceQuestion, Price]:
        if not questions:
            return {}
        asked = await self._asked(questions, call)
        if self._client.config.pricing == "dry-run":
            return await self._by_dry_run(asked, call)
        return await self._by_rules(asked, call)

    async def _asked(self, questions: Sequence[PriceQuestion], call: Call) -> list[Asked]:
        """The questions whose product and customer Odoo knows."""
        customers = sorted({each.customer for each in questions if each.customer is not None})
        found, buyers = await asyncio.gather(
            self._products.find((each.sku for each in questions), stock=False, call=call),
            self._lists.buyers(customers, call=call),
        )
        public = None
        if any(each.customer is None for each in questions):
            public = await self._lists.named(self._client.config.public_pricelist, call=call)
        asked = (_answerable(each, found, buyers, public) for each in questions)
        return [each for each in asked if each is not None]

    async def _by_rules(
        self, asked: Sequence[Asked], call: Call
    ) -> dict[PriceQuestion, Price | UpstreamError]:
        quoting = Quoting(
            rules=await self._rules(asked, call),
            terms=await self._terms.get(call),
            currencies=await self._client.currencies(call=call),
            origins=await self._origins(call),
            taxes=await self._taxes.get(call),
        )
        return {each.question: self._one(quoting, each) for each in asked}

    async def _rules(self, asked: Iterable[Asked], call: Call) -> Rules:
        lists = {each.price_list.id for each in asked if each.price_list}
        if not lists:
            return Rules((), {}, datetime.now(UTC))
        return await self._lists.rules(lists, (each.product for each in asked), call=call)

    async def _origins(self, call: Call) -> Origins:
        config = self._client.config
        catalogue = await self._lists.catalogue(call)
        return origins(catalogue, config.public_pricelist, config.agreement_pricelists)

    def _one(self, quoting: Quoting, asked: Asked) -> Price | UpstreamError:
        """One product that cannot be priced costs no other its price."""
        try:
            return quoting.price(asked)
        except (RuleError, ArithmeticError) as problem:
            detail = f"{asked.question.sku}: {problem}"
            return self._client.error(MalformedError, _PRICES, detail)

    async def _by_dry_run(
        self, asked: Sequence[Asked], call: Call
    ) -> dict[PriceQuestion, Price | UpstreamError]:
        prices = await asyncio.gather(*(self._run(each, call) for each in asked))
        return {each.question: price for each, price in zip(asked, prices, strict=True)}

    async def _run(self, asked: Asked, call: Call) -> Price | UpstreamError:
        """One line that fails costs no other its price."""
        try:
            return await self._line(asked, call)
        except UpstreamError as error:
            return error

    async def _line(self, asked: Asked, call: Call) -> Price:
        price_list = asked.price_list
        currencies = await self._client.currencies(call=call)
        currency = price_list.currency if price_list else currencies.get(asked.product.currency_id)
        if currency is None:
            raise self._client.malformed(_PRICES, f"{asked.question.sku}: unknown currency")
        order = {"pricelist_id": price_list.id} if price_list else {}
        if asked.partner_id is not None:
            order["partner_id"] = asked.partner_id
        quantity = asked.question.quantity or Decimal(1)
        line = await dry_run(self._client, asked.product.id, quantity, order, call=call)
        origin = (await self._origins(call)).of_list(price_list)
        share = net_share(asked.product.taxes_id, await self._taxes.get(call))
        try:
            return from_line(line, asked, currency, origin, share)
        except ArithmeticError as problem:
            detail = f"{asked.question.sku}: {problem!r}"
            raise self._client.malformed(_PRICES, detail) from problem


def _answerable(
    question: PriceQuestion,
    found: Found,
    buyers: Mapping[str, Buyer],
    public: PriceList | None,
) -> Asked | None:
    product = found.products.get(question.sku)
    if product is None:
        return None
    if question.customer is None:
        return Asked(question, product, None, public, found.freshness)
    buyer = buyers.get(question.customer)
    if buyer is None:
        return None
    return Asked(question, product, buyer.partner_id, buyer.price_list, found.freshness)


if TYPE_CHECKING:
    _: type[Pricing] = OdooPricing
