"""Relay connections over the pages that ports give."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, TypeVar

import msgspec

from ports.common import Page, PageRequest
from ports.errors import BadInputError, PortError
from resolvers.context import Context

T = TypeVar("T")
Count = Callable[[], Awaitable[int | None]]


class Edge(msgspec.Struct, Generic[T], frozen=True, gc=False):
    node: T
    cursor: str


class PageInfo(msgspec.Struct, frozen=True, gc=False):
    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


class Connection(msgspec.Struct, Generic[T], frozen=True, gc=False):
    """A page and what surrounds it. `count` is asked only when `totalCount` is."""

    page: Page[T]
    after: str | None
    count: Count | None = None

    @property
    def nodes(self) -> Sequence[T]:
        return self.page.items

    @property
    def edges(self) -> list[Edge[T]]:
        pairs = zip(self.page.items, self.page.cursors, strict=True)
        return [Edge(item, cursor) for item, cursor in pairs]

    @property
    def page_info(self) -> PageInfo:
        cursors = self.page.cursors
        return PageInfo(
            has_next_page=self.page.has_next,
            has_previous_page=self.after is not None,
            start_cursor=cursors[0] if cursors else None,
            end_cursor=cursors[-1] if cursors else None,
        )


async def total_count(
    connections: Sequence[Connection[Any]], *, ctx: Context
) -> list[int | PortError | None]:
    """The size of the whole list; None where the system does not tell."""
    _ = ctx
    totals: list[int | PortError | None] = []
    for connection in connections:
        try:
            known = connection.page.total
            counted = connection.count if known is None else None
            totals.append(await counted() if counted else known)
        except PortError as error:
            totals.append(error)
    return totals


def page_request(
    first: int | None, after: str | None, *, default: int, ctx: Context
) -> PageRequest:
    """Raises BadInputError for a size below 0 or above the page cap."""
    size = default if first is None else first
    if size < 0:
        raise BadInputError(f"first must not be negative; {size} was given.")
    if size > ctx.page_cap:
        raise BadInputError(f"first must be at most {ctx.page_cap}; page on with after instead.")
    return PageRequest(size, after)


def empty(after: str | None = None) -> Connection[Any]:
    return Connection(Page((), (), has_next=False, total=0), after)
