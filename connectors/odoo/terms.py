"""How this database rounds the unit price and the discount of an order line."""

from contextlib import suppress
from typing import Any

import msgspec

from connectors.odoo.client import OdooClient
from connectors.odoo.rules import Terms
from ports.caller import Call
from ports.errors import PermanentError
from upstream.reference import Reference

_DISCOUNT_DIGITS = 2


class _Field(msgspec.Struct, gc=False):
    digits: Any = None
    "`[16, 2]`; `false` or nothing where Odoo does not round (the unit price since early 2026)."


class LineTerms:
    """The precisions of `sale.order.line`, loaded once."""

    def __init__(self, client: OdooClient) -> None:
        self._client = client
        self._terms = Reference(self._load)

    async def get(self, call: Call) -> Terms:
        return await self._terms.get(call)

    async def aclose(self) -> None:
        await self._terms.aclose()

    async def _load(self, call: Call) -> Terms:
        question = {"allfields": ["price_unit", "discount"], "attributes": ["digits"]}
        fields: dict[str, _Field] = {}
        # Without a right to order lines prices can be told all the same, at full precision.
        with suppress(PermanentError):
            fields = await self._client.ask(
                "reference.terms",
                "sale.order.line",
                "fields_get",
                question,
                dict[str, _Field],
                call=call,
            )
        shown = self._client.config.discounts_shown
        discount = _digits(fields.get("discount"))
        return Terms(
            price_digits=_digits(fields.get("price_unit")),
            discount_digits=(_DISCOUNT_DIGITS if discount is None else discount) if shown else None,
        )


def _digits(field: _Field | None) -> int | None:
    match field.digits if field else None:
        case [_, int(scale)]:
            return scale
        case _:
            return None
