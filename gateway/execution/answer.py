"""What an engine gives back, and what an engine is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from gateway.operations.request import GraphQLRequest, Method


@dataclass(frozen=True, slots=True)
class Answer:
    """A GraphQL response before it is encoded.

    `errors` are ready entries. A `request_error` means that nothing was executed: there is no
    `data` then, as opposed to `data` that is null because errors reached the root; and a `status`,
    for clients that do not expect 200. `headers` go out with it.
    """

    data: Mapping[str, object] | None
    errors: list[dict[str, object]]
    extensions: Mapping[str, object] | None = None
    request_error: bool = False
    status: int = 400
    headers: tuple[tuple[bytes, bytes], ...] = ()


class Engine(Protocol):
    """Executes one operation.

    Reads from `context`: `call.request_id` or `request_id` (told in errors), and `deadline`
    (seconds of the event loop's clock, or None). Raises RequestError where HTTP itself forbids
    the operation.
    """

    async def execute(
        self, request: GraphQLRequest, *, context: object, method: Method
    ) -> Answer: ...
