"""The roots that tell of changes. They answer SYSTEM_NOT_CONFIGURED until a source of events is."""

from collections.abc import AsyncGenerator
from typing import Annotated

import strawberry

from ports.errors import NotConfiguredError
from schema.order import Order
from schema.product import Product
from schema.shipment import Shipment


def _no_events(system: str) -> NotConfiguredError:
    return NotConfiguredError(system, "events")


@strawberry.type(description="What can be watched.")
class Subscription:
    @strawberry.subscription(description="An order of the caller's company changed.")
    async def order_changed(
        self,
        number: Annotated[
            str | None, strawberry.argument(description="Only this order.")
        ] = strawberry.UNSET,
    ) -> AsyncGenerator[Order, None]:
        raise _no_events("ERP")
        yield number

    @strawberry.subscription(description="A parcel moved.")
    async def shipment_changed(
        self,
        tracking_number: Annotated[str, strawberry.argument(description="The carrier's number.")],
    ) -> AsyncGenerator[Shipment, None]:
        raise _no_events("CARRIER")
        yield tracking_number

    @strawberry.subscription(description="The stock of a product changed.")
    async def availability_changed(
        self,
        skus: Annotated[list[str], strawberry.argument(description="The article numbers.")],
    ) -> AsyncGenerator[Product, None]:
        raise _no_events("ERP")
        yield skus
