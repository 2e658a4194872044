"""Stock kept in memory: what the port promises, with no system behind it."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ports.caller import Call
from ports.common import Answers
from ports.errors import UpstreamError
from ports.stock import Availability, Stock


class FakeStock:
    """`calls` are the SKUs of every question; `fail_with` makes all fail until it gets None."""

    def __init__(self, held: Mapping[str, Availability | UpstreamError]) -> None:
        self._held = held
        self._failure: UpstreamError | None = None
        self.calls: list[tuple[str, ...]] = []

    def fail_with(self, error: UpstreamError | None) -> None:
        self._failure = error

    async def availability(
        self, skus: Sequence[str], /, *, call: Call
    ) -> Answers[str, Availability]:
        self.calls.append(tuple(skus))
        if self._failure is not None:
            raise self._failure
        return {sku: self._held[sku] for sku in skus if sku in self._held}


if TYPE_CHECKING:
    _: type[Stock] = FakeStock
