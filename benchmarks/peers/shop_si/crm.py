"""Companies by their number."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from ports.caller import Call
from ports.common import Page, PageRequest, SystemName
from ports.customers import Contact, Customer, Customers
from ports.errors import BadInputError
from shop_si.client import ShopClient, ShopConfig, limits, listed
from upstream.connector import Connector, Manifest, Upstream

_CHECK = "C0"


class _Row(msgspec.Struct, frozen=True, gc=False):
    id: str
    name: str
    email: str | None = None
    segment: str | None = None
    vat: str | None = None


_ROWS = msgspec.json.Decoder(list[_Row])


class Crm:
    manifest = Manifest(
        name="shop-crm",
        title="The mock's CRM",
        system=SystemName.CRM,
        ports=("customers",),
        connector="shop_si:Crm",
        config="shop_si:ShopConfig",
        operations=limits("customers.customers"),
    )

    def __init__(self, upstream: Upstream, config: ShopConfig) -> None:
        self._client = ShopClient(upstream, config)

    def ports(self) -> Mapping[str, object]:
        return {"customers": self}

    async def check(self, *, call: Call) -> None:
        await self.customers([_CHECK], call=call)

    async def aclose(self) -> None:
        await self._client.aclose()

    async def customers(self, numbers: Sequence[str], /, *, call: Call) -> dict[str, Customer]:
        if not (keys := listed(numbers)):
            return {}
        path = f"/crm/customers?ids={keys}"
        rows = await self._client.read("customers.customers", path, _ROWS, call=call)
        return {row.id: _customer(row) for row in rows}

    async def contacts(
        self, _numbers: Sequence[str], /, *, call: Call
    ) -> dict[str, tuple[Contact, ...]]:
        _ = call
        return {}

    async def representatives(self, _keys: Sequence[str], /, *, call: Call) -> dict[str, Contact]:
        _ = call
        return {}

    async def search(
        self,
        _text: str | None,
        _numbers: tuple[str, ...] | None,
        _page: PageRequest,
        /,
        *,
        call: Call,
    ) -> Page[Customer]:
        _ = call
        raise BadInputError("This CRM finds companies by their number only.")


def _customer(row: _Row) -> Customer:
    return Customer(row.id, row.name, row.email, vat_number=row.vat, segment=row.segment)


if TYPE_CHECKING:

    def _serves(crm: Crm) -> tuple[Customers, Connector]:
        return crm, crm
