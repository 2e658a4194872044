"""Documents with their parts in one question: `web_search_read`, each record decoded by itself."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec

from connectors.odoo.client import OdooClient
from connectors.odoo.mapping import Text, text
from connectors.odoo.paging import Domain, Specification
from ports.caller import Call
from ports.errors import UpstreamError

R = TypeVar("R")
V = TypeVar("V")


class Answer(msgspec.Struct, frozen=True, gc=False):
    """`length` counts all records of the domain (up to `count_limit`), `records` the page."""

    length: int
    records: list[msgspec.Raw]

    @property
    def more(self) -> bool:
        return self.length > len(self.records)


@dataclass(frozen=True, slots=True)
class Question:
    """`limit` None: all. `count_limit`: how far Odoo needs to count what is beyond the limit."""

    operation: str
    domain: Domain
    specification: Specification
    order: str
    limit: int | None = None
    count_limit: int | None = None

    def arguments(self) -> dict[str, object]:
        fixed = {
            "domain": self.domain,
            "specification": self.specification,
            "order": self.order,
        }
        bounds = {"limit": self.limit, "count_limit": self.count_limit}
        return {**fixed, **{name: bound for name, bound in bounds.items() if bound is not None}}


@dataclass(frozen=True, slots=True)
class Found(Generic[V]):
    """One record: its number (None: it has none), and what became of it."""

    number: str | None
    value: V | UpstreamError


class _Head(msgspec.Struct, gc=False):
    name: Text = False


@dataclass(frozen=True, slots=True)
class Documents(Generic[R]):
    """The documents of one model, decoded into `shape`."""

    client: OdooClient
    model: str
    shape: type[R]

    async def ask(self, question: Question, *, call: Call) -> Answer:
        return await self.client.ask(
            question.operation,
            self.model,
            "web_search_read",
            question.arguments(),
            Answer,
            call=call,
        )

    def each(self, operation: str, answer: Answer, convert: Callable[[R], V]) -> Iterator[Found[V]]:
        """The records in their order; one that cannot be read is a MalformedError of its own.

        Raises MalformedError for one that does not even tell its number. `convert` raises
        ValueError for what decodes but cannot be true.
        """
        for raw in answer.records:
            head = self._decoded(operation, raw, _Head)
            if isinstance(head, UpstreamError):
                raise head
            row = self._decoded(operation, raw, self.shape)
            yield Found(text(head.name), self._converted(operation, row, convert))

    def _decoded(self, operation: str, raw: msgspec.Raw, shape: type[V]) -> V | UpstreamError:
        try:
            return msgspec.json.decode(raw, type=shape)
        except (msgspec.DecodeError, ValueError) as problem:
            return self.client.malformed(operation, f"{self.model}: {problem}")

    def _converted(
        self, operation: str, row: R | UpstreamError, convert: Callable[[R], V]
    ) -> V | UpstreamError:
        if isinstance(row, UpstreamError):
            return row
        try:
            return convert(row)
        except (ValueError, ArithmeticError) as problem:
            return self.client.malformed(operation, f"{self.model}: {problem}")
