"""Sales taxes that prices of this database include: what to take off for a net price."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from decimal import Decimal

import msgspec

from connectors.odoo.client import OdooClient
from connectors.odoo.mapping import Absent, Number, Text
from ports.caller import Call
from ports.errors import PermanentError
from upstream.reference import Reference

_ONE = Decimal(1)
_HUNDRED = Decimal(100)


class _Tax(msgspec.Struct, gc=False):
    id: int
    amount: Number
    amount_type: Text
    price_include: bool = False
    company_id: int | Absent = False


class _Taxes(msgspec.Struct, gc=False):
    records: list[_Tax]


class IncludedTaxes:
    """Percentages by tax id; a key without a right to taxes takes prices as net, as most are."""

    def __init__(self, client: OdooClient) -> None:
        self._client = client
        self._taxes = Reference(self._load)

    async def get(self, call: Call) -> Mapping[int, Decimal]:
        return await self._taxes.get(call)

    async def aclose(self) -> None:
        await self._taxes.aclose()

    async def _load(self, call: Call) -> Mapping[int, Decimal]:
        found = _Taxes([])
        with suppress(PermanentError):
            found = await self._client.ask(
                "reference.taxes",
                "account.tax",
                "web_search_read",
                {
                    "domain": [["type_tax_use", "=", "sale"]],
                    "specification": {
                        "amount": {},
                        "amount_type": {},
                        "price_include": {},
                        "company_id": {},
                    },
                },
                _Taxes,
                call=call,
            )
        company = self._client.config.company_id
        return {
            row.id: row.amount
            for row in found.records
            if row.price_include and row.amount_type == "percent" and row.amount
            if company is None or row.company_id == company
        }


def net_share(taxes: Iterable[int], included: Mapping[int, Decimal]) -> Decimal:
    """The part of a price that is left without the taxes it includes; 1 where it includes none."""
    percent = sum((included.get(tax, Decimal(0)) for tax in taxes), Decimal(0))
    return _HUNDRED / (_HUNDRED + percent) if percent else _ONE
